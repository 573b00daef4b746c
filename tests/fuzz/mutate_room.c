/* mutate: what people write in a room. */
#include "contracts/room_write.h"
#include "tests/fuzz/must.h"
#include "tests/fuzz/mutate.h"

#include <sodium.h>

enum { OWNER, GUEST, GUEST_OF_GUEST, PEOPLE };

static struct person {
    uint8_t public_key[WRITER_KEY_BYTES], secret[64];
} people[PEOPLE];

static void make_people(void)
{
    uint8_t seed[32] = {0};
    if (people[OWNER].secret[0])
        return;
    MUST(sodium_init() >= 0);
    for (unsigned i = 0; i < PEOPLE; i++) {
        seed[0] = (uint8_t)(i + 1);
        (void)crypto_sign_seed_keypair(people[i].public_key, people[i].secret, seed);
    }
}

const uint8_t *room_owner(void)
{
    make_people();
    return people[OWNER].public_key;
}

/* The invitations of that person: each by the one before. */
static void append_chain(const struct contract *contract, size_t person, struct buffer *chain)
{
    for (size_t i = 0; i < person; i++) {
        struct buffer longer = {0};
        struct room_author inviter = {contract, people[i].secret, buffer_slice(chain)};
        room_write_link(&inviter, people[i + 1].public_key, 1 + i, &longer);
        buffer_free(chain);
        *chain = longer;
    }
}

/* The spot of a message that there is, or of none. */
static void draw_spot(struct draws *draws, struct slice state, uint8_t spot[ROOM_SPOT_BYTES])
{
    struct entry entry;
    memset(spot, 1, ROOM_SPOT_BYTES);
    while (state.size && !entry_take(&state, &entry))
        if (entry.key.size == 1 + ROOM_SPOT_BYTES && entry.key.data[0] == ROOM_MESSAGE) {
            memcpy(spot, entry.key.data + 1, ROOM_SPOT_BYTES);
            if (draw_below(draws, 3) == 0)
                break;
        }
}

static void write_message(struct draws *draws, const struct room_author *author, uint64_t stamp,
                          struct slice state, struct buffer *out)
{
    static const uint8_t key[ROOM_KEY_BYTES] = {7}, nonce[ROOM_NONCE_BYTES] = {8};
    enum room_content content = (enum room_content)(ROOM_TEXT + draw_below(draws, ROOM_LEAVE));
    struct room_words words = {.plain = slice_text(draw_below(draws, 2) ? "hello" : "+")};
    uint8_t spot[ROOM_SPOT_BYTES];
    bool about = content > ROOM_TEXT && content < ROOM_JOIN;
    draw_spot(draws, state, spot);
    if (draw_below(draws, 4) == 0) {
        words.key = key;
        words.nonce = nonce;
    }
    (void)!room_write_message(author, stamp, content, about ? spot : NULL,
                              content >= ROOM_JOIN || content == ROOM_DELETE ? NULL : &words, NULL,
                              out, NULL);
}

static void write_config(struct draws *draws, const struct room_author *author, uint64_t stamp,
                         struct buffer *out)
{
    struct room_settings settings = {.config = room_config_default()};
    settings.config.messages = (uint32_t)(1 + draw_below(draws, 5));
    settings.config.members = (uint32_t)(1 + draw_below(draws, 3));
    settings.config.is_private = draw_below(draws, 2);
    if (draw_below(draws, 2))
        settings.config.moderators = slice_of(people[GUEST].public_key, WRITER_KEY_BYTES);
    settings.name.plain = slice_text("a room");
    (void)!room_write_config(author, stamp, &settings, out, NULL);
}

static void write_keys(struct draws *draws, const struct room_author *author, uint64_t stamp,
                       struct buffer *out)
{
    static const uint8_t key[ROOM_KEY_BYTES] = {7}, seed[32] = {9};
    struct buffer copies = {0};
    MUST(room_copy_seal(key, people[draw_below(draws, PEOPLE)].public_key, seed, &copies) == 0);
    (void)!room_write_keys(author, stamp, draw_below(draws, 3), key, buffer_slice(&copies), out,
                           NULL);
    buffer_free(&copies);
}

static void write_one(struct draws *draws, const struct room_author *author, uint64_t stamp,
                      struct slice state, struct buffer *out)
{
    static const uint8_t nonce[ROOM_NONCE_BYTES] = {8};
    const uint8_t *other = people[draw_below(draws, PEOPLE)].public_key;
    struct room_words name = {.plain = slice_text("nick")};
    switch (draw_below(draws, 12)) {
    case 0:
        (void)!room_write_member(author, stamp, draw_below(draws, 3), out, NULL);
        break;
    case 1:
        (void)!room_write_nickname(author, stamp, &name, out, NULL);
        break;
    case 2:
        (void)!room_write_ban(author, stamp, other, draw_below(draws, 3), out, NULL);
        break;
    case 3:
        write_config(draws, author, stamp, out);
        break;
    case 4:
        write_keys(draws, author, stamp, out);
        break;
    case 5:
        (void)!room_write_direct(author, stamp, other, nonce, slice_text("psst"), out, NULL);
        break;
    case 6:
        (void)!room_write_upgrade(author, stamp, other, out, NULL);
        break;
    default:
        write_message(draws, author, stamp, state, out);
    }
}

void write_room(struct draws *draws, const struct contract *contract, struct slice state,
                struct buffer *out)
{
    struct buffer chain = {0};
    make_people();
    size_t person = draw_below(draws, PEOPLE);
    append_chain(contract, person, &chain);
    struct room_author author = {contract, people[person].secret, buffer_slice(&chain)};
    write_one(draws, &author, 1 + draw_below(draws, 8), state, out);
    buffer_free(&chain);
}
