#include "bench/common/room_world.h"

#include "bench/common/die.h"
#include "contracts/kind.h"

#include <sodium.h>

enum { INVITING = ROOM_WORLD_MEMBERS / 10 };

static void must(int rc)
{
    if (rc)
        die("a room cannot be made: %s", error_text(rc));
}

static struct room_author author_of(const struct room_world *self, size_t i)
{
    const struct room_world_person *person = &self->people[i];
    return (struct room_author){&self->contract, person->secret, buffer_slice(&person->chain)};
}

/* The same for all rooms, made once: 25 µs each. */
static void copy_people(struct room_world *self)
{
    static struct room_world_person people[ROOM_WORLD_MEMBERS];
    static bool made;
    for (size_t i = 0; i < ROOM_WORLD_MEMBERS && !made; i++) {
        uint8_t seed[crypto_sign_SEEDBYTES] = {0};
        put_u64(seed, i);
        (void)crypto_sign_seed_keypair(people[i].key, people[i].secret, seed);
    }
    made = true;
    memcpy(self->people, people, sizeof people);
}

void room_world_init(struct room_world *self, uint32_t number)
{
    uint8_t salt[ROOM_SALT_BYTES] = {0}, newest[8];
    *self = (struct room_world){0};
    if (sodium_init() < 0)
        die("libsodium does not start");
    copy_people(self);
    put_u64(newest, ROOM_WORLD_MESSAGES + ROOM_WORLD_MEMBERS);
    put_u32(salt, number);
    entry_append(&self->params, slice_text("newest"), slice_of(newest, sizeof newest));
    entry_append(&self->params, slice_text("owner"),
                 slice_of(self->people[0].key, WRITER_KEY_BYTES));
    entry_append(&self->params, slice_text("salt"), slice_of(salt, sizeof salt));
    must(contract_init(&self->contract, slice_text("room"), buffer_slice(&self->params), NULL));
    for (size_t i = 1; i < ROOM_WORLD_MEMBERS; i++) {
        struct room_author inviter = author_of(self, i < INVITING ? 0 : i % INVITING);
        room_write_link(&inviter, self->people[i].key, i, &self->people[i].chain);
    }
}

void room_world_free(struct room_world *self)
{
    for (size_t i = 0; i < ROOM_WORLD_MEMBERS; i++)
        buffer_free(&self->people[i].chain);
    buffer_free(&self->params);
}

void room_world_say(const struct room_world *self, uint64_t ms, bool sealed, struct buffer *out)
{
    static const char text[] = "a message of about forty characters, yes";
    uint8_t nonce[ROOM_NONCE_BYTES] = {0};
    struct room_author author = author_of(self, ms % ROOM_WORLD_MEMBERS);
    put_u64(nonce, ms);
    struct room_words words = {slice_text(text), sealed ? self->key : NULL, nonce};
    must(room_write_message(&author, ms << 16, ROOM_TEXT, NULL, &words, NULL, out, NULL));
}

void room_world_state(const struct room_world *self, size_t members, size_t messages, bool sealed,
                      struct buffer *state)
{
    struct buffer entries = {0};
    for (size_t i = 0; i < members; i++) {
        struct room_author author = author_of(self, i);
        must(room_write_member(&author, 1, true, &entries, NULL));
    }
    for (size_t i = 0; i < messages; i++)
        room_world_say(self, room_world_ms(i), sealed, &entries);
    must(entries_sort(buffer_slice(&entries), state));
    buffer_free(&entries);
}
