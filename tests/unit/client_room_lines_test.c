/* What `weir room` prints of a room, without a node. */
#include "client/cli_room_news.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* --- times ----------------------------------------------------------------------------------- */

static void times_are_read_as_people_write_them(void **state)
{
    (void)state;
    const uint64_t now_ms = 1795273200000; /* 2026-11-21T15:00:00Z */
    static const struct {
        const char *text;
        uint64_t ms;
    } rows[] = {
        {"10m", 1795273200000 - 600000},
        {"2h", 1795273200000 - 7200000},
        {"3d", 1795273200000 - 3 * 86400000ull},
        {"0m", 1795273200000},
        {"2026-11-21", 1795219200000},
        {"2026-11-21T15:30", 1795275000000},
        {"2024-02-29", 1709164800000},
        {"0", 0},
        {"1795273200", 1795273200000},
        {"1795273200123", 1795273200123},
        {"9999999999d", 0}, /* before the first */
    };
    setenv("TZ", "UTC", 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t ms = 1;
        assert_true(room_cli_since(rows[i].text, now_ms, &ms));
        assert_int_equal(ms, rows[i].ms);
    }
    setenv("TZ", "UTC-5", 1); /* five hours ahead of it */
    uint64_t ms = 1;
    assert_true(room_cli_since("2026-11-21T15:30", now_ms, &ms));
    assert_int_equal(ms, 1795275000000 - 5 * 3600000);
    setenv("TZ", "UTC", 1);
}

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "m",
                                        "10w",
                                        "10 m",
                                        "-1h",
                                        "1h30m",
                                        "2026-13-01",
                                        "2026-02-29",
                                        "2026-11-21T",
                                        "2026-11-21T24:00",
                                        "2026-11-21T15:3",
                                        "2026-11-21T15:30:00",
                                        "2026-11-21 15:30",
                                        "2026-1-1",
                                        "12345678901234",
                                        "now"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uint64_t ms = 7;
        assert_false(room_cli_since(texts[i], 1795273200000, &ms));
        assert_int_equal(ms, 7);
    }
}

/* --- people ---------------------------------------------------------------------------------- */

enum { PEOPLE = 3 };

/* A room, and the sight that each person has of it; the first is the owner. */
struct party {
    weir_signer_t *signers[PEOPLE];
    weir_room_t *rooms[PEOPLE];
};

/* What one has queued is taken by all. */
static void share(struct party *party, size_t who)
{
    struct weir_bytes delta = weir_room_pending(party->rooms[who]);
    uint8_t *copy = malloc(delta.size + 1);
    size_t size = delta.size;
    memcpy(copy, delta.data, size);
    for (size_t i = 0; i < PEOPLE; i++)
        if (party->rooms[i])
            assert_int_equal(weir_room_apply(party->rooms[i], (struct weir_bytes){copy, size}), 0);
    weir_room_forget_pending(party->rooms[who]);
    free(copy);
}

static int gather(void **state)
{
    const struct weir_room_settings settings = {.name = "lobby"};
    struct party *party = calloc(1, sizeof *party);
    for (size_t i = 0; i < PEOPLE; i++)
        party->signers[i] = weir_signer_new();
    assert_int_equal(weir_room_create(party->signers[0], &settings, &party->rooms[0], NULL), 0);
    for (size_t i = 1; i < PEOPLE; i++) {
        char *invitation = NULL;
        assert_int_equal(weir_room_invite(party->rooms[0], &invitation), 0);
        assert_int_equal(weir_room_join(invitation, party->signers[i], &party->rooms[i], NULL), 0);
        weir_free(invitation);
    }
    for (size_t i = 0; i < PEOPLE; i++)
        share(party, i);
    *state = party;
    return 0;
}

static int part(void **state)
{
    struct party *party = *state;
    for (size_t i = 0; i < PEOPLE; i++) {
        weir_room_destroy(&party->rooms[i]);
        weir_signer_destroy(&party->signers[i]);
    }
    free(party);
    return 0;
}

static void call_oneself(struct party *party, size_t who, const char *name)
{
    assert_int_equal(weir_room_nickname(party->rooms[who], weir_text(name)), 0);
    share(party, who);
}

static const char *called(const struct party *party, const room_names_t *names, size_t who)
{
    return room_names_of(names, weir_signer_public(party->signers[who]));
}

static void people_are_called_what_they_call_themselves(void **state)
{
    struct party *party = *state;
    char key[WEIR_KEY_TEXT_MAX], wanted[16];
    call_oneself(party, 0, "ann");
    call_oneself(party, 1, "  bob \t the   second ");
    room_names_t *names = room_names_new(party->rooms[2]);
    assert_string_equal(called(party, names, 0), "ann");
    assert_string_equal(called(party, names, 1), "bob the second");
    weir_key_print(weir_signer_public(party->signers[2]), key);
    snprintf(wanted, sizeof wanted, "~%.8s", key);
    assert_string_equal(called(party, names, 2), wanted);
    assert_string_equal(room_names_of(names, (const uint8_t *)"01234567890123456789012345678901"),
                        "?");
    room_names_destroy(&names);
}

static void two_of_one_name_have_their_keys_behind_it(void **state)
{
    struct party *party = *state;
    call_oneself(party, 0, "ann");
    call_oneself(party, 1, "ann");
    call_oneself(party, 2, " ann"); /* which looks the same */
    room_names_t *names = room_names_new(party->rooms[0]);
    for (size_t i = 0; i < PEOPLE; i++) {
        char key[WEIR_KEY_TEXT_MAX];
        uint8_t found[WEIR_KEY_BYTES];
        const char *name = called(party, names, i);
        weir_key_print(weir_signer_public(party->signers[i]), key);
        assert_memory_equal(name, "ann~", 4);
        assert_true(strlen(name + 4) >= 4);
        assert_memory_equal(name + 4, key, strlen(name + 4));
        assert_int_equal(room_names_find(party->rooms[0], name, found), 0);
        assert_memory_equal(found, weir_signer_public(party->signers[i]), WEIR_KEY_BYTES);
    }
    room_names_destroy(&names);
}

static void nobody_can_look_like_that(void **state)
{
    struct party *party = *state;
    char key[WEIR_KEY_TEXT_MAX], fake[32];
    call_oneself(party, 0, "ann");
    weir_key_print(weir_signer_public(party->signers[0]), key);
    snprintf(fake, sizeof fake, "ann~%.4s", key);
    call_oneself(party, 1, fake);
    room_names_t *names = room_names_new(party->rooms[0]);
    assert_string_equal(called(party, names, 0), "ann");
    const char *name = called(party, names, 1);
    assert_memory_equal(name, fake, strlen(fake));
    assert_int_equal(name[strlen(fake)], '~');
    assert_true(strlen(name) >= strlen(fake) + 5);
    room_names_destroy(&names);
}

/* ann is there twice: each is shown with its key, and a third calls itself as one is shown. */
static void a_name_as_it_is_shown_is_found_before_a_nickname(void **state)
{
    struct party *party = *state;
    char shown[64], nickname[64];
    uint8_t found[WEIR_KEY_BYTES];
    call_oneself(party, 0, "ann");
    call_oneself(party, 1, "ann");
    room_names_t *names = room_names_new(party->rooms[0]);
    snprintf(shown, sizeof shown, "%s", called(party, names, 0));
    room_names_destroy(&names);
    call_oneself(party, 2, shown);
    assert_int_equal(room_names_find(party->rooms[1], shown, found), 0);
    assert_memory_equal(found, weir_signer_public(party->signers[0]), WEIR_KEY_BYTES);
    call_oneself(party, 1, "bob"); /* ann is alone, and shown without a key: it is still her */
    assert_int_equal(room_names_find(party->rooms[1], shown, found), 0);
    assert_memory_equal(found, weir_signer_public(party->signers[0]), WEIR_KEY_BYTES);
    call_oneself(party, 2, strchr(shown, '~') + 1);
    assert_int_equal(room_names_find(party->rooms[1], shown, found), WEIR_BAD_REQUEST);
    call_oneself(party, 2, "b~c");
    snprintf(nickname, sizeof nickname, "b~c");
    assert_int_equal(room_names_find(party->rooms[1], nickname, found), 0);
    assert_memory_equal(found, weir_signer_public(party->signers[2]), WEIR_KEY_BYTES);
}

static void what_nobody_sees_makes_no_other_name(void **state)
{
    struct party *party = *state;
    static const char *const same[] = {"ann\xe2\x80\x8d", "a\xe2\x80\x8cnn", "ann\xef\xb8\x8f",
                                       "ann\xc2\xa0", "ann\xe3\x85\xa4"};
    call_oneself(party, 0, "ann");
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        call_oneself(party, 1, same[i]);
        room_names_t *names = room_names_new(party->rooms[2]);
        assert_memory_equal(called(party, names, 0), "ann~", 4);
        assert_non_null(strchr(called(party, names, 1), '~'));
        room_names_destroy(&names);
    }
    call_oneself(party, 1, "ann\xc2\xad"); /* this one is seen */
    room_names_t *names = room_names_new(party->rooms[2]);
    assert_string_equal(called(party, names, 0), "ann");
    assert_string_equal(called(party, names, 1), "ann\\xad");
    room_names_destroy(&names);
}

static void who_looks_like_another_is_shown_with_a_key(void **state)
{
    struct party *party = *state;
    static const char *const same[] = {"Ann", "ANN", "аnn" /* Cyrillic */, "αnn", "ａｎｎ"};
    call_oneself(party, 0, "ann");
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        call_oneself(party, 1, same[i]);
        room_names_t *names = room_names_new(party->rooms[2]);
        assert_memory_equal(called(party, names, 0), "ann~", 4);
        assert_memory_equal(called(party, names, 1), same[i], strlen(same[i]));
        assert_int_equal(called(party, names, 1)[strlen(same[i])], '~');
        room_names_destroy(&names);
    }
}

/* Nobody here is called that, but somebody elsewhere may be. */
static void who_mixes_alphabets_is_shown_with_a_key(void **state)
{
    struct party *party = *state;
    static const char *const rows[][2] = {
        {"mаry", "~"}, /* the a is Cyrillic */
        {"niκos", "~"}, {"мария", ""},     {"νίκος", ""},
        {"Zoë", ""},    {"日本 taro", ""}, {"мария 2", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        call_oneself(party, 1, rows[i][0]);
        room_names_t *names = room_names_new(party->rooms[2]);
        const char *name = called(party, names, 1);
        assert_memory_equal(name, rows[i][0], strlen(rows[i][0]));
        assert_int_equal(name[strlen(rows[i][0])], rows[i][1][0]);
        room_names_destroy(&names);
    }
}

/* --- messages -------------------------------------------------------------------------------- */

/* All messages as the third person's log, at a time. Times of day and names are left out. */
static char *log_at(struct party *party, uint64_t now_ms)
{
    char *text = NULL;
    size_t size = 0;
    weir_room_t *room = party->rooms[2];
    FILE *out = open_memstream(&text, &size);
    room_names_t *names = room_names_new(room);
    struct room_lines lines = {.out = out, .room = room, .names = names, .now_ms = now_ms};
    for (size_t i = 0; i < weir_room_message_count(room); i++) {
        struct weir_room_message message;
        weir_room_message(room, i, &message);
        if (message.content == WEIR_ROOM_TEXT || message.content == WEIR_ROOM_REPLY)
            room_line_message(&lines, i);
    }
    fclose(out);
    room_names_destroy(&names);
    return text;
}

static void expect_line(struct party *party, const char *wanted)
{
    char *text = log_at(party, unix_ms() + 1000);
    if (!strstr(text, wanted))
        print_message("%s\nis not in\n%s\n", wanted, text);
    assert_non_null(strstr(text, wanted));
    free(text);
}

static void say(struct party *party, size_t who, const char *text, uint8_t *spot)
{
    assert_int_equal(weir_room_say(party->rooms[who], weir_text(text), spot), 0);
    share(party, who);
}

static void a_line_has_day_time_name_and_text(void **state)
{
    struct party *party = *state;
    struct weir_room_message message;
    uint8_t spot[WEIR_SPOT_BYTES];
    char name[WEIR_SPOT_TEXT], wanted[128], when[32];
    size_t i;
    call_oneself(party, 0, "ann");
    say(party, 0, "hello", spot);
    assert_int_equal(weir_room_find_spot(party->rooms[2], spot, &i), 0);
    weir_room_message(party->rooms[2], i, &message);
    time_t seconds = (time_t)(message.time_ms / 1000);
    struct tm tm;
    localtime_r(&seconds, &tm);
    strftime(when, sizeof when, "-- %Y-%m-%d --\n%H:%M", &tm);
    weir_room_spot_name(spot, name);
    snprintf(wanted, sizeof wanted, "%s  %.8s  ann  hello\n", when, name);
    char *text = log_at(party, unix_ms() + 1000);
    assert_string_equal(text, wanted);
    free(text);
}

static void what_became_of_a_message_is_told(void **state)
{
    struct party *party = *state;
    uint8_t spot[WEIR_SPOT_BYTES];
    call_oneself(party, 0, "ann");
    call_oneself(party, 1, "bob");
    say(party, 0, "a text that is long enough to be shortened where it is answered", spot);
    assert_int_equal(weir_room_reply(party->rooms[1], spot, weir_text("yes"), NULL), 0);
    share(party, 1);
    expect_line(party, "  bob  [ann: a text that is long enough to be sho…] yes\n");
    assert_int_equal(weir_room_edit(party->rooms[0], spot, weir_text("short")), 0);
    share(party, 0);
    expect_line(party, "  ann  short (edited)\n");
    expect_line(party, "  bob  [ann: short] yes\n");
    assert_int_equal(weir_room_react(party->rooms[0], spot, weir_text("+1"), 0), 0);
    assert_int_equal(weir_room_react(party->rooms[1], spot, weir_text("+1"), 0), 0);
    share(party, 0);
    share(party, 1);
    expect_line(party, "  ann  short (edited)  +1 2\n");
    assert_int_equal(weir_room_delete(party->rooms[0], spot), 0);
    share(party, 0);
    expect_line(party, "  ann  (deleted)");
    expect_line(party, "  bob  [ann: (deleted)] yes\n");
}

static void what_is_dated_ahead_is_marked(void **state)
{
    struct party *party = *state;
    say(party, 0, "hello", NULL);
    char *text = log_at(party, 0);
    assert_non_null(strstr(text, "  hello (dated ahead of now)\n"));
    free(text);
    expect_line(party, "  hello\n");
}

static void other_peoples_text_cannot_move_the_terminal(void **state)
{
    struct party *party = *state;
    static const char evil[] = {'\033', '[', '2', 'J', '\r',   '\b',   '\a',   0x7f, '\xc2',
                                '\x9b', '3', '1', 'm', '\xe2', '\x80', '\xae', 0};
    uint8_t spot[WEIR_SPOT_BYTES];
    (void)weir_room_nickname(party->rooms[1], weir_text(evil)); /* may be refused */
    share(party, 1);
    say(party, 1, evil, spot);
    assert_int_equal(weir_room_reply(party->rooms[1], spot, weir_text(evil), NULL), 0);
    (void)weir_room_react(party->rooms[1], spot, weir_text(evil), 0);
    share(party, 1);
    say(party, 1, "one\n15:04  deadbeef  ann  two", NULL);
    char *text = log_at(party, unix_ms() + 1000);
    assert_non_null(strstr(text, "\\x1b[2J\\x0d"));
    assert_non_null(strstr(text, "one\n                 15:04  deadbeef  ann  two\n"));
    for (const char *c = text; *c; c++) {
        assert_true((uint8_t)*c >= 0x20 || *c == '\n');
        assert_int_not_equal(*c, 0x7f);
        assert_false(*c == '\xc2' && (uint8_t)c[1] < 0xa0);
        assert_false(*c == '\xe2' && c[1] == '\x80' && c[2] == '\xae');
    }
    free(text);
}

/* --- who is put out --------------------------------------------------------------------------- */

static void print_news(void *arg, const struct room_news *news)
{
    struct room_lines *lines = arg;
    lines->year = 0; /* each with its day */
    room_line_news(lines, news);
    room_json_news(lines->out, lines->room, news);
}

/* What the owner is told when it looks again, without times and keys. */
static void expect_news(struct party *party, struct room_people *people, struct room_lines *lines,
                        const char *wanted)
{
    char *text = NULL, shown[512] = "";
    size_t size = 0, used = 0;
    FILE *out = open_memstream(&text, &size);
    lines->out = out;
    assert_int_equal(room_people_look(people, party->rooms[0], print_news, lines), 0);
    assert_int_equal(room_lines_name(lines), 0);
    fclose(out);
    for (char *at = text, *name; (name = strstr(at, "--------  "));) {
        char *end = strchr(name, '\n');
        const char *event = strstr(end, "\"event\":\"");
        assert_non_null(event);
        name += strlen("--------  ");
        event += strlen("\"event\":\"");
        used += (size_t)snprintf(shown + used, sizeof shown - used, "%.*s %.*s;", (int)(end - name),
                                 name, (int)strcspn(event, "\""), event);
        at = end;
    }
    assert_string_equal(shown, wanted);
    free(text);
}

/* Eve by an invitation of bob's, everybody by a name. */
static void invite_eve(struct party *party)
{
    char *invitation = NULL;
    call_oneself(party, 0, "ann");
    call_oneself(party, 1, "bob");
    assert_int_equal(weir_room_invite(party->rooms[1], &invitation), 0);
    weir_room_destroy(&party->rooms[2]);
    assert_int_equal(weir_room_join(invitation, party->signers[2], &party->rooms[2], NULL), 0);
    weir_free(invitation);
    share(party, 2);
    call_oneself(party, 2, "eve");
}

static void who_is_put_out_or_let_in_again_is_told(void **state)
{
    struct party *party = *state;
    struct room_people people = {0};
    struct room_lines lines = {.room = party->rooms[0]};
    const uint8_t *bob = weir_signer_public(party->signers[1]);
    invite_eve(party);
    expect_news(party, &people, &lines, ""); /* looked at for the first time */
    expect_news(party, &people, &lines, "");
    assert_int_equal(weir_room_ban(party->rooms[0], bob, 0), 0);
    share(party, 0);
    expect_news(party, &people, &lines,
                "bob  (banned by ann) banned;eve  (out, with who invited them) out;");
    expect_news(party, &people, &lines, "");
    assert_int_equal(weir_room_ban(party->rooms[0], bob, 1), 0);
    share(party, 0);
    expect_news(party, &people, &lines, "bob  (no longer banned by ann) lifted;eve  (back) back;");
    assert_int_equal(weir_room_leave(party->rooms[1]), 0);
    share(party, 1);
    expect_news(party, &people, &lines, ""); /* that is a message */
    room_people_free(&people);
    room_names_destroy(&lines.names);
}

static void who_was_out_before_anybody_looked_is_told_to_be_back(void **state)
{
    struct party *party = *state;
    struct room_people people = {0};
    struct room_lines lines = {.room = party->rooms[0]};
    const uint8_t *bob = weir_signer_public(party->signers[1]);
    invite_eve(party);
    assert_int_equal(weir_room_ban(party->rooms[0], bob, 0), 0);
    share(party, 0);
    expect_news(party, &people, &lines, "");
    assert_int_equal(weir_room_ban(party->rooms[0], bob, 1), 0);
    share(party, 0);
    expect_news(party, &people, &lines, "bob  (no longer banned by ann) lifted;eve  (back) back;");
    expect_news(party, &people, &lines, "");
    room_people_free(&people);
    room_names_destroy(&lines.names);
}

static void who_comes_is_not_told_to_be_back(void **state)
{
    struct party *party = *state;
    struct room_people people = {0};
    struct room_lines lines = {.room = party->rooms[0]};
    expect_news(party, &people, &lines, "");
    invite_eve(party);
    expect_news(party, &people, &lines, "");
    room_people_free(&people);
    room_names_destroy(&lines.names);
}

static void who_stays_out_for_another_ban_is_not_told_to_be_in(void **state)
{
    struct party *party = *state;
    struct room_people people = {0};
    struct room_lines lines = {.room = party->rooms[0]};
    const uint8_t *bob = weir_signer_public(party->signers[1]);
    const uint8_t *eve = weir_signer_public(party->signers[2]);
    invite_eve(party);
    assert_int_equal(weir_room_ban(party->rooms[1], eve, 0), 0);
    share(party, 1);
    expect_news(party, &people, &lines, "");
    assert_int_equal(weir_room_ban(party->rooms[0], bob, 0), 0); /* and his ban is none any more */
    share(party, 0);
    expect_news(party, &people, &lines, "bob  (banned by ann) banned;");
    room_people_free(&people);
    room_names_destroy(&lines.names);
}

static void who_has_no_place_any_more_is_told(void **state)
{
    struct party *party = *state;
    struct room_people people = {0};
    struct room_lines lines = {.room = party->rooms[0]};
    invite_eve(party);
    expect_news(party, &people, &lines, "");
    const struct weir_room_settings fewer = {.members = 1};
    assert_int_equal(weir_room_configure(party->rooms[0], &fewer), 0);
    share(party, 0);
    expect_news(party, &people, &lines, "eve  (out, the room takes fewer now) crowded;");
    const struct weir_room_settings more = {.members = 2};
    assert_int_equal(weir_room_configure(party->rooms[0], &more), 0);
    share(party, 0);
    expect_news(party, &people, &lines, "eve  (back) back;");
    room_people_free(&people);
    room_names_destroy(&lines.names);
}

#define PARTY_TEST(f) cmocka_unit_test_setup_teardown(f, gather, part)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read_as_people_write_them),
        cmocka_unit_test(what_is_no_time_is_refused),
        PARTY_TEST(people_are_called_what_they_call_themselves),
        PARTY_TEST(two_of_one_name_have_their_keys_behind_it),
        PARTY_TEST(nobody_can_look_like_that),
        PARTY_TEST(a_name_as_it_is_shown_is_found_before_a_nickname),
        PARTY_TEST(what_nobody_sees_makes_no_other_name),
        PARTY_TEST(who_looks_like_another_is_shown_with_a_key),
        PARTY_TEST(who_mixes_alphabets_is_shown_with_a_key),
        PARTY_TEST(a_line_has_day_time_name_and_text),
        PARTY_TEST(what_became_of_a_message_is_told),
        PARTY_TEST(what_is_dated_ahead_is_marked),
        PARTY_TEST(other_peoples_text_cannot_move_the_terminal),
        PARTY_TEST(who_is_put_out_or_let_in_again_is_told),
        PARTY_TEST(who_was_out_before_anybody_looked_is_told_to_be_back),
        PARTY_TEST(who_comes_is_not_told_to_be_back),
        PARTY_TEST(who_stays_out_for_another_ban_is_not_told_to_be_in),
        PARTY_TEST(who_has_no_place_any_more_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
