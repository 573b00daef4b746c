#include "tests/property/rooms.h"

#include "contracts/writers.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

static void must(bool holds, const char *what)
{
    if (!holds) {
        printf("not ok - making rooms: %s\n", what);
        abort();
    }
}

void room_params(const uint8_t owner[WRITER_KEY_BYTES], uint8_t salt, uint64_t newest,
                 struct buffer *out)
{
    uint8_t salt_bytes[ROOM_SALT_BYTES] = {salt}, number[8];
    put_u64(number, newest);
    if (newest != UINT64_MAX)
        entry_append(out, slice_text("newest"), slice_of(number, sizeof number));
    entry_append(out, slice_text("owner"), slice_of(owner, WRITER_KEY_BYTES));
    entry_append(out, slice_text("salt"), slice_of(salt_bytes, sizeof salt_bytes));
}

void person_make(struct person *self, uint8_t i)
{
    uint8_t seed[crypto_sign_SEEDBYTES] = {i, 'p'};
    must(sodium_init() >= 0, "libsodium starts");
    *self = (struct person){0};
    (void)crypto_sign_seed_keypair(self->key, self->secret, seed);
}

struct room_author person_as_author(const struct person *self, const struct contract *contract,
                                    size_t chain)
{
    return (struct room_author){contract, self->secret, buffer_slice(&self->chains[chain])};
}

/* Who invited whom, in each of the two ways. */
static const uint8_t inviters[ROOM_CHAINS][ROOM_PEOPLE] = {{0, 0, 1, 2, 0, 4}, {0, 4, 4, 1, 1, 3}};

static void invite(struct random_room *self, size_t way, size_t who)
{
    if (who == 0 || self->people[who].chains[way].size)
        return;
    size_t inviter = inviters[way][who];
    /* In the second way 1 comes by 4 and 4 by 1, each by the other's first chain: no circle. */
    size_t inviters_way = who == 4 || inviter == 4 ? 0 : way;
    invite(self, inviters_way, inviter);
    struct room_author author =
        person_as_author(&self->people[inviter], &self->contract, inviters_way);
    room_write_link(&author, self->people[who].key, 1 + who % 3, &self->people[who].chains[way]);
}

static struct room_words random_words(struct random_room *self, struct random *random)
{
    static const char *const texts[] = {"a", "b", "long one", ""};
    static uint8_t nonce[ROOM_NONCE_BYTES];
    struct room_words words = {.plain = slice_text(texts[random_below(random, 4)])};
    if (random_below(random, 4) == 0) {
        put_u64(nonce, random_bits(random));
        words.key = self->room_key;
        words.nonce = nonce;
    }
    return words;
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, WRITER_KEY_BYTES);
}

static int make_config(struct random_room *self, struct random *random, uint64_t stamp,
                       const struct room_author *author, struct buffer *out)
{
    struct room_settings settings = {.config = room_config_default()};
    uint8_t moderators[2 * WRITER_KEY_BYTES];
    size_t first = 1 + random_below(random, ROOM_PEOPLE - 2), count = random_below(random, 3);
    memcpy(moderators, self->people[first].key, WRITER_KEY_BYTES);
    memcpy(moderators + WRITER_KEY_BYTES, self->people[first + 1].key, WRITER_KEY_BYTES);
    if (count == 2)
        qsort(moderators, 2, WRITER_KEY_BYTES, by_bytes);
    settings.config.is_private = random_below(random, 2);
    settings.config.messages = (uint32_t)random_below(random, 8);
    settings.config.members = (uint32_t)random_below(random, 6);
    settings.config.bans = (uint32_t)random_below(random, 4);
    settings.config.message_bytes = random_below(random, 3) ? ROOM_TEXT_BYTES_MAX : 2;
    settings.config.nickname_bytes = random_below(random, 3) ? ROOM_NICKNAME_BYTES_MAX : 1;
    settings.config.moderators = slice_of(moderators, count * WRITER_KEY_BYTES);
    settings.name = random_words(self, random);
    settings.description = random_words(self, random);
    return room_write_config(author, stamp, &settings, out, NULL);
}

static int make_keys(struct random_room *self, uint64_t stamp, struct random *random,
                     const struct room_author *author, struct buffer *out)
{
    struct buffer copies = {0};
    uint8_t seed[32] = {(uint8_t)random_bits(random)};
    int rc = room_copy_seal(self->room_key, self->people[random_below(random, ROOM_PEOPLE)].key,
                            seed, &copies);
    if (!rc)
        rc = room_write_keys(author, stamp, 1 + random_below(random, 2), self->room_key,
                             buffer_slice(&copies), out, NULL);
    buffer_free(&copies);
    return rc;
}

/* One of the first `made` entries that is a message, or a spot where none is. */
static const uint8_t *random_target(const struct random_room *self, struct random *random,
                                    size_t made)
{
    static const uint8_t nowhere[ROOM_SPOT_BYTES] = {[7] = 1};
    for (int tries = 0; made && tries < 8; tries++) {
        const struct entry *entry = &self->entries[random_below(random, made)];
        if (entry->key.data[0] == ROOM_MESSAGE)
            return entry->key.data + 1;
    }
    return nowhere;
}

static int make_message(struct random_room *self, struct random *random, size_t made,
                        uint64_t stamp, const struct room_author *author, struct buffer *out)
{
    enum room_content content = (enum room_content)(ROOM_TEXT + random_below(random, 8));
    bool speaks = content >= ROOM_REPLY && content <= ROOM_UNREACT;
    bool says = speaks ? content != ROOM_DELETE : content == ROOM_TEXT;
    struct room_words words = random_words(self, random);
    const uint8_t *target = random_target(self, random, made);
    if (speaks && get_u64(target) >= stamp)
        stamp = get_u64(target) + 1;
    return room_write_message(author, stamp, content, speaks ? target : NULL, says ? &words : NULL,
                              NULL, out, NULL);
}

static int make_entry(struct random_room *self, struct random *random, size_t made,
                      struct buffer *out)
{
    size_t who = random_below(random, ROOM_PEOPLE);
    const struct person *person = &self->people[who];
    struct room_author author =
        person_as_author(person, &self->contract, random_below(random, ROOM_CHAINS));
    struct room_author owner = person_as_author(&self->people[0], &self->contract, 0);
    uint64_t stamp = 1 + random_below(random, 4);
    struct room_words words = random_words(self, random);
    uint8_t nonce[ROOM_NONCE_BYTES] = {(uint8_t)random_bits(random)};
    switch (random_below(random, 16)) {
    case 0:
        return make_config(self, random, stamp, &owner, out);
    case 1:
    case 2:
        return room_write_ban(&author, stamp,
                              self->people[1 + random_below(random, ROOM_PEOPLE - 1)].key,
                              random_below(random, 4) != 0, out, NULL);
    case 3:
    case 4:
    case 5:
        return room_write_member(&author, stamp, random_below(random, 4) != 0, out, NULL);
    case 6:
        return room_write_nickname(&author, stamp, &words, out, NULL);
    case 7:
        return room_write_direct(&author, stamp,
                                 self->people[random_below(random, ROOM_PEOPLE)].key, nonce,
                                 words.plain, out, NULL);
    case 8:
        if (random_below(random, 3) == 0)
            return room_write_upgrade(&owner, stamp, self->room_key, out, NULL);
        return make_keys(self, stamp, random, &author, out);
    default:
        return make_message(self, random, made, stamp, &author, out);
    }
}

void random_room_make(struct random_room *self, uint64_t newest, struct random *random)
{
    *self = (struct random_room){0};
    for (size_t i = 0; i < ROOM_PEOPLE; i++)
        person_make(&self->people[i], (uint8_t)i);
    put_u64(self->room_key, random_bits(random));
    room_params(self->people[0].key, (uint8_t)random_bits(random), newest, &self->params);
    must(!contract_init(&self->contract, slice_text("room"), buffer_slice(&self->params), NULL),
         "contract");
    for (size_t way = 0; way < ROOM_CHAINS; way++)
        for (size_t who = 1; who < ROOM_PEOPLE; who++)
            invite(self, way, who);
    buffer_reserve(&self->pool, 512u << 10); /* entries borrow from it while it grows */
    const uint8_t *start = self->pool.data;
    for (size_t i = 0; i < ROOM_POOL; i++) {
        size_t before = self->pool.size;
        struct reason why = {""};
        must(!make_entry(self, random, i, &self->pool), "entry");
        struct slice one = slice_of(self->pool.data + before, self->pool.size - before);
        if (contract_check(&self->contract, NULL, one, NULL, &why))
            must(false, why.text);
        must(!entry_take(&one, &self->entries[i]), "entry");
    }
    must(self->pool.data == start, "the pool stays where it is");
}

void random_room_free(struct random_room *self)
{
    for (size_t i = 0; i < ROOM_PEOPLE; i++)
        for (size_t way = 0; way < ROOM_CHAINS; way++)
            buffer_free(&self->people[i].chains[way]);
    buffer_free(&self->params);
    buffer_free(&self->pool);
}

void random_room_delta(const struct random_room *self, struct random *random, size_t most,
                       struct buffer *out)
{
    struct buffer entries = {0};
    for (size_t left = random_below(random, most + 1); left; left--) {
        const struct entry *entry = &self->entries[random_below(random, ROOM_POOL)];
        entry_append(&entries, entry->key, entry->value);
    }
    must(!entries_sort(buffer_slice(&entries), out), "memory");
    buffer_free(&entries);
}
