/* client/room_code.h: invitations and cards as text and bytes. */
#include "client/room_code.h"
#include "tests/unit/party.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static int set_up(void **state)
{
    static struct party p;
    party_open(&p, NULL);
    party_invite(&p, 0, 1);
    *state = &p;
    return 0;
}

static int tear_down(void **state)
{
    party_close(*state);
    return 0;
}

static char *invitation(struct party *p)
{
    char *text;
    assert_int_equal(weir_room_invite(p->rooms[1], &text), 0);
    return text;
}

static int join(struct party *p, const char *text)
{
    weir_room_t *room = NULL;
    p->why.text[0] = 0;
    int rc = weir_room_join(text, p->signers[2], &room, (struct weir_reason *)&p->why);
    weir_room_destroy(&room);
    return rc;
}

static void an_invitation_is_one_line_of_letters(void **state)
{
    struct party *p = *state;
    char *text = invitation(p);
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    assert_memory_equal(text, "weir-room:", 10);
    assert_int_equal(strspn(text + 10, letters), strlen(text + 10));
    assert_true(strlen(text) < 800); /* three links */
    assert_int_equal(join(p, text), 0);
    weir_free(text);
}

static void white_space_anywhere_is_left_out(void **state)
{
    struct party *p = *state;
    char *text = invitation(p), wrapped[4096] = " \n";
    for (size_t i = 0, used = 2; text[i]; i++)
        used += (size_t)snprintf(wrapped + used, sizeof wrapped - used, "%c%s", text[i],
                                 i % 5 == 4 ? "\r\n\t " : "");
    assert_int_equal(join(p, wrapped), 0);
    weir_free(text);
}

static void a_flipped_letter_is_told(void **state)
{
    struct party *p = *state;
    char *text = invitation(p);
    for (size_t i = 0; text[i]; i++) {
        char before = text[i];
        text[i] = before == 'A' ? 'B' : 'A';
        assert_int_equal(join(p, text), WEIR_BAD_REQUEST);
        assert_true(strlen(p->why.text) > 5);
        text[i] = before;
    }
    weir_free(text);
}

static void an_invitation_cut_short_is_told(void **state)
{
    struct party *p = *state;
    char *text = invitation(p);
    for (size_t i = strlen(text); i; i--) {
        text[i - 1] = 0;
        assert_int_equal(join(p, text), WEIR_BAD_REQUEST);
    }
    weir_free(text);
}

static void other_texts_are_no_invitations(void **state)
{
    struct party *p = *state;
    static const char *const rows[] = {"",
                                       "weir-room:",
                                       "weir-room:AAAA",
                                       "https://example.org",
                                       "weir-room:=",
                                       "weir-room:AQIAAAAAAAAA"};
    static char longest[3 * ROOM_INVITATION_BYTES_MAX] = "weir-room:";
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(join(p, rows[i]), WEIR_BAD_REQUEST);
    memset(longest + 10, 'A', sizeof longest - 11);
    assert_int_equal(join(p, longest), WEIR_BAD_REQUEST);
    assert_non_null(strstr(p->why.text, "too long"));
}

/* Made by the book, but nobody in the room signed its links. */
static void a_forged_invitation_does_not_verify(void **state)
{
    struct party *p = *state;
    uint8_t chain[ROOM_LINK_BYTES] = {0}, seed[ROOM_SEED_BYTES] = {1}, secret[64];
    struct room_code code = {.params = room_contract(p->rooms[0])->params,
                             .chain = slice_of(chain, sizeof chain),
                             .seed = seed};
    char *text;
    crypto_sign_seed_keypair(chain, secret, seed);
    put_u64(chain + WRITER_KEY_BYTES, 1);
    assert_int_equal(room_invitation_print(&code, &text), 0);
    assert_int_equal(join(p, text), WEIR_BAD_REQUEST);
    assert_non_null(strstr(p->why.text, "does not verify"));
    weir_free(text);
    seed[0] = 2; /* of another key than the one that the link leads to */
    assert_int_equal(room_invitation_print(&code, &text), 0);
    assert_int_equal(join(p, text), WEIR_BAD_REQUEST);
    assert_non_null(strstr(p->why.text, "do not lead to it"));
    weir_free(text);
}

static void the_largest_invitation_fits(void **state)
{
    static uint8_t params[ROOM_PARAMS_MAX], chain[ROOM_LINKS_MAX * ROOM_LINK_BYTES],
        seed[ROOM_SEED_BYTES], bytes[ROOM_INVITATION_BYTES_MAX];
    struct room_code read, code = {.is_private = true,
                                   .params = slice_of(params, sizeof params),
                                   .chain = slice_of(chain, sizeof chain),
                                   .seed = seed};
    char *text;
    (void)state;
    randombytes_buf(params, sizeof params);
    randombytes_buf(chain, sizeof chain);
    randombytes_buf(seed, sizeof seed);
    assert_int_equal(room_invitation_print(&code, &text), 0);
    assert_int_equal(room_invitation_read(text, bytes, &read, NULL), 0);
    assert_true(read.is_private && slice_equal(read.params, code.params) &&
                slice_equal(read.chain, code.chain));
    assert_memory_equal(read.seed, seed, sizeof seed);
    weir_free(text);
    code.params.size++;
    assert_int_equal(room_invitation_print(&code, &text), ERR_TOO_LARGE);
}

/* An invitation is no card, and the other way round. */
static void a_card_is_no_invitation(void **state)
{
    struct party *p = *state;
    struct room_code code = {.params = room_contract(p->rooms[0])->params,
                             .chain = buffer_slice(&p->rooms[1]->chain),
                             .me = party_key(p, 1)};
    struct buffer card = {0};
    struct room_code read;
    char text[2048] = "weir-room:";
    assert_int_equal(room_card_write(&code, &card), 0);
    assert_int_equal(room_card_read(buffer_slice(&card), &read, NULL), 0);
    sodium_bin2base64(text + 10, sizeof text - 10, card.data, card.size,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    assert_int_equal(join(p, text), WEIR_BAD_REQUEST);
    buffer_clear(&card);
    code.me = NULL;
    assert_int_equal(room_card_write(&code, &card), 0);
    assert_int_equal(room_card_read(buffer_slice(&card), &read, &p->why), ERR_BAD_REQUEST);
    buffer_free(&card);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_invitation_is_one_line_of_letters),
        TEST(white_space_anywhere_is_left_out),
        TEST(a_flipped_letter_is_told),
        TEST(an_invitation_cut_short_is_told),
        TEST(other_texts_are_no_invitations),
        TEST(a_forged_invitation_does_not_verify),
        TEST(the_largest_invitation_fits),
        TEST(a_card_is_no_invitation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
