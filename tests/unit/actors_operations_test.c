/* PUT, GET, UPDATE and EDIT through all actors, in one thread. */
#include "tests/support/heap.h"
#include "tests/support/host.h"

#include "contracts/contract.h"
#include "contracts/entries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define END   ((struct slice){NULL, 0})
#define EMPTY slice_of("", 0)

static int set_up(void **state)
{
    *state = host_new(false);
    return 0;
}

static int tear_down(void **state)
{
    host_destroy((host_t **)state);
    return 0;
}

static struct slice text(const char *words)
{
    return slice_text(words);
}

/* PUTs an empty contract and returns its key. */
static struct contract_key put(host_t *host, const char *kind, const char *name)
{
    struct contract_key key;
    const struct slice *fields;
    host_ask(host, "setup", "p", "PUT", text(kind), host_params(name), EMPTY, END);
    host_run(host);
    assert_int_equal(host_expect(host, "setup", "p", "OK", &fields), 3);
    memcpy(key.bytes, fields[0].data, sizeof key.bytes);
    return key;
}

static struct slice key_slice(const struct contract_key *key)
{
    return slice_of(key->bytes, sizeof key->bytes);
}

static void put_answers_key_fingerprint_and_hosts(void **state)
{
    host_t *host = (host_t *)*state;
    const struct slice *fields;
    struct contract contract;
    assert_int_equal(contract_init(&contract, text("counter"), host_params("a"), NULL), 0);
    host_ask(host, "c1", "1", "PUT", text("counter"), host_params("a"), EMPTY, END);
    host_run(host);
    assert_int_equal(host_expect(host, "c1", "1", "OK", &fields), 3);
    assert_true(slice_equal(fields[0], key_slice(&contract.key)));
    assert_int_equal(fields[1].size, 32);
    assert_int_equal(get_u32(fields[2].data), 1);
}

static void an_edit_changes_what_get_reads(void **state)
{
    host_t *host = (host_t *)*state;
    const struct slice *fields;
    struct contract_key key = put(host, "map", "m");
    host_ask(host, "c1", "1", "EDIT", key_slice(&key), text("set"), text("f"), text("v"), END);
    host_run(host);
    assert_int_equal(host_expect(host, "c1", "1", "OK", &fields), 2);
    assert_int_equal(fields[1].data[0], 1);
    host_ask(host, "c1", "2", "GET", key_slice(&key), END);
    host_run(host);
    assert_int_equal(host_expect(host, "c1", "2", "OK", &fields), 4);
    assert_true(slice_is(fields[0], "map"));
    assert_true(slice_equal(fields[1], host_params("m")));
    struct entries walk = entries_of(fields[2]);
    struct entry entry;
    assert_int_equal(entries_next(&walk, &entry, NULL), 1);
    assert_true(slice_is(entry.key, "f"));
    assert_int_equal(entries_next(&walk, &entry, NULL), 0);
}

static void an_update_brings_its_delta_once(void **state) /* lesson M3 */
{
    host_t *host = (host_t *)*state;
    const struct slice *fields;
    struct contract_key key = put(host, "map", "m"), other = put(host, "map", "n");
    host_ask(host, "c1", "1", "EDIT", key_slice(&key), text("set"), text("f"), text("v"), END);
    host_ask(host, "c1", "2", "GET", key_slice(&key), END);
    host_run(host);
    (void)host_expect(host, "c1", "1", "OK", NULL);
    (void)host_expect(host, "c1", "2", "OK", &fields);
    host_ask(host, "c2", "3", "UPDATE", key_slice(&other), fields[2], END);
    host_ask(host, "c2", "4", "UPDATE", key_slice(&other), fields[2], END);
    host_run(host);
    (void)host_expect(host, "c2", "3", "OK", &fields);
    assert_int_equal(fields[1].data[0], 1);
    (void)host_expect(host, "c2", "4", "OK", &fields);
    assert_int_equal(fields[1].data[0], 0);
}

static void a_range_is_read_alone(void **state)
{
    host_t *host = (host_t *)*state;
    const struct slice *fields;
    struct contract_key key = put(host, "map", "m");
    host_ask(host, "c1", "1", "EDIT", key_slice(&key), text("set"), text("a"), text("1"), text("b"),
             text("2"), text("c"), text("3"), END);
    host_ask(host, "c1", "2", "GET", key_slice(&key), text("b"), text("b"), END);
    host_run(host);
    (void)host_expect(host, "c1", "1", "OK", NULL);
    (void)host_expect(host, "c1", "2", "OK", &fields);
    struct entries walk = entries_of(fields[2]);
    struct entry entry;
    assert_int_equal(entries_next(&walk, &entry, NULL), 1);
    assert_true(slice_is(entry.key, "b"));
    assert_int_equal(entries_next(&walk, &entry, NULL), 0);
}

static void errors_have_their_codes_and_change_nothing(void **state)
{
    host_t *host = (host_t *)*state;
    struct contract_key key = put(host, "counter", "x"), unknown = {{7}};
    static const char garbage[] = "\x05nonsense";
    struct {
        const char *word;
        const char *verb;
        struct slice args[4];
        size_t count;
    } rows[] = {
        {"NOT_FOUND", "GET", {key_slice(&unknown)}, 1},
        {"NOT_FOUND", "UPDATE", {key_slice(&unknown), EMPTY}, 2},
        {"NOT_FOUND", "EDIT", {key_slice(&unknown), text("add"), text("1")}, 3},
        {"NOT_FOUND", "SUBSCRIBE", {key_slice(&unknown), EMPTY}, 2},
        {"BAD_KIND", "PUT", {text("poem"), EMPTY, EMPTY}, 3},
        {"BAD_PARAMS", "PUT", {text("counter"), text("x"), EMPTY}, 3},
        {"BAD_STATE", "PUT", {text("counter"), EMPTY, slice_of(garbage, 9)}, 3},
        {"BAD_STATE", "UPDATE", {key_slice(&key), slice_of(garbage, 9)}, 2},
        {"BAD_REQUEST", "EDIT", {key_slice(&key), text("add"), text("many")}, 3},
        {"BAD_KIND", "EDIT", {key_slice(&key), text("append"), text("x")}, 3},
        {"BAD_REQUEST", "GET", {text("short")}, 1},
        {"BAD_REQUEST", "GET", {key_slice(&key), text("a")}, 2},
        {"BAD_REQUEST", "STATUS", {text("what")}, 1},
        {"BAD_REQUEST", "FROBNICATE", {EMPTY}, 0},
        {"BAD_REQUEST", "CONNECT", {text("x@localhost:1")}, 1},
        {"BAD_REQUEST", "DISCONNECT", {text("x")}, 1},
        {"BAD_REQUEST", "PEERS", {text("circle")}, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct slice frames[8] = {text("WEIR1"), text("9"), text(rows[i].verb)};
        const struct slice *fields;
        memcpy(frames + 3, rows[i].args, rows[i].count * sizeof(struct slice));
        host_ask_frames(host, "c1", frames, 3 + rows[i].count);
        host_run(host);
        assert_int_equal(host_expect(host, "c1", "9", rows[i].word, &fields), 1);
        assert_true(fields[0].size > 8); /* a sentence */
    }
    const struct slice *fields;
    host_ask(host, "c1", "g", "GET", key_slice(&key), END);
    host_run(host);
    (void)host_expect(host, "c1", "g", "OK", &fields);
    assert_int_equal(fields[2].size, 0);
}

static void a_room_takes_no_edit_and_tells_who_writes_it(void **state)
{
    static const char owner[32] = {1}, salt[16] = {2};
    host_t *host = (host_t *)*state;
    const struct slice *fields;
    struct buffer params = {0};
    entry_append(&params, text("owner"), slice_of(owner, sizeof owner));
    entry_append(&params, text("salt"), slice_of(salt, sizeof salt));
    host_ask(host, "c1", "1", "PUT", text("room"), buffer_slice(&params), EMPTY, END);
    host_run(host);
    (void)host_expect(host, "c1", "1", "OK", &fields);
    struct contract_key key;
    memcpy(key.bytes, fields[0].data, sizeof key.bytes);
    host_ask(host, "c1", "2", "EDIT", key_slice(&key), text("append"), text("hello"), END);
    host_run(host);
    (void)host_expect(host, "c1", "2", "BAD_KIND", &fields);
    assert_non_null(memmem(fields[0].data, fields[0].size, "signed by their authors", 23));
    buffer_free(&params);
}

static void garbage_frames_are_refused_and_the_node_lives(void **state)
{
    host_t *host = (host_t *)*state;
    const struct slice *frames;
    struct slice none[1] = {EMPTY}, http[1] = {text("GET / HTTP/1.1")},
                 long_id[3] = {text("WEIR1"), text("an id of 17 bytes"), text("STATUS")};
    host_ask_frames(host, "c1", none, 0);
    host_ask_frames(host, "c1", none, 1);
    host_ask_frames(host, "c1", http, 1);
    host_ask_frames(host, "c1", long_id, 3);
    host_run(host);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(host_take(host, "c1", &frames), 4);
        assert_int_equal(frames[1].size, 0); /* there is no id to answer under */
        assert_true(slice_is(frames[2], "BAD_REQUEST"));
    }
    host_ask(host, "c1", "s", "STATUS", END);
    host_run(host);
    (void)host_expect(host, "c1", "s", "OK", NULL);
}

static void nothing_is_told_before_it_is_durable(void **state)
{
    host_t *host = (host_t *)*state;
    const struct slice *frames;
    struct contract_key key = put(host, "counter", "x");
    host_ask(host, "c2", "s", "SUBSCRIBE", key_slice(&key), EMPTY, END);
    host_run(host);
    (void)host_expect(host, "c2", "s", "OK", NULL);
    host_pause(host, ACTOR_journal, true);
    host_ask(host, "c1", "1", "EDIT", key_slice(&key), text("add"), text("5"), END);
    host_ask(host, "c3", "2", "GET", key_slice(&key), END);
    host_run(host);
    assert_int_equal(host_take(host, "c1", &frames), 0);
    assert_int_equal(host_take(host, "c2", &frames), 0);
    assert_int_equal(host_take(host, "c3", &frames), 0); /* it would have read what may be lost */
    host_pause(host, ACTOR_journal, false);
    host_run(host);
    (void)host_expect(host, "c1", "1", "OK", NULL);
    (void)host_expect(host, "c2", "s", "NOTIFY", NULL);
    (void)host_expect(host, "c3", "2", "OK", NULL);
}

static void relaxed_answers_before_the_flush(void **state)
{
    host_t *host = host_new(true);
    struct contract_key key = put(host, "counter", "x");
    (void)state;
    host_pause(host, ACTOR_journal, true);
    host_ask(host, "c1", "1", "EDIT", key_slice(&key), text("add"), text("5"), END);
    host_run(host);
    (void)host_expect(host, "c1", "1", "OK", NULL);
    host_destroy(&host);
}

static void after_a_failed_flush_nothing_is_acknowledged(void **state)
{
    host_t *host = (host_t *)*state;
    struct contract_key key = put(host, "counter", "x"), other = put(host, "counter", "y");
    host_ask(host, "c2", "s", "SUBSCRIBE", key_slice(&key), EMPTY, END);
    host_run(host);
    (void)host_expect(host, "c2", "s", "OK", NULL);
    host_break_log(host);
    host_ask(host, "c1", "1", "EDIT", key_slice(&key), text("add"), text("5"), END);
    host_run(host);
    (void)host_expect(host, "c1", "1", "INTERNAL", NULL);
    host_ask(host, "c1", "2", "EDIT", key_slice(&other), text("add"), text("5"), END);
    host_ask(host, "c1", "3", "GET", key_slice(&other), END);
    host_run(host);
    (void)host_expect(host, "c1", "2", "INTERNAL", NULL);
    (void)host_expect(host, "c1", "3", "OK", NULL); /* what is durable is still read */
    const struct slice *frames;
    assert_int_equal(host_take(host, "c2", &frames), 0); /* and nobody was told */
}

static void a_read_of_what_the_log_lost_is_answered(void **state)
{
    host_t *host = (host_t *)*state;
    struct contract_key key = put(host, "counter", "x");
    host_break_log(host);
    host_ask(host, "c1", "1", "EDIT", key_slice(&key), text("add"), text("5"), END);
    host_run(host);
    (void)host_expect(host, "c1", "1", "INTERNAL", NULL);
    host_ask(host, "c1", "2", "GET", key_slice(&key), END);
    host_run(host);
    (void)host_expect(host, "c1", "2", "INTERNAL", NULL); /* it would read what was refused */
}

static void an_operation_without_an_answer_times_out_once(void **state)
{
    host_t *host = (host_t *)*state;
    const struct slice *frames;
    struct contract_key key = put(host, "counter", "x");
    host_pause(host, ACTOR_storage, true);
    host_ask(host, "c1", "1", "GET", key_slice(&key), END);
    host_ask(host, "c1", "2", "EDIT", key_slice(&key), text("add"), text("5"), END);
    host_run(host);
    host_advance_ms(host, OPERATION_TIMEOUT_MS - 1);
    assert_int_equal(host_take(host, "c1", &frames), 0);
    host_advance_ms(host, 1);
    (void)host_expect(host, "c1", "1", "TIMEOUT", NULL);
    (void)host_expect(host, "c1", "2", "TIMEOUT", NULL);
    host_pause(host, ACTOR_storage, false);
    host_run(host);
    assert_int_equal(host_take(host, "c1", &frames), 0);
}

/* A map state of `count` entries of about `size` bytes each, in canonical bytes that the caller
 * frees. */
static struct buffer large_state(host_t *host, size_t count, size_t size)
{
    struct contract_key key = put(host, "map", "example");
    const struct slice *fields;
    host_ask(host, "c1", "e", "EDIT", key_slice(&key), text("set"), text("f"), text("v"), END);
    host_ask(host, "c1", "g", "GET", key_slice(&key), END);
    host_run(host);
    (void)host_expect(host, "c1", "e", "OK", NULL);
    (void)host_expect(host, "c1", "g", "OK", &fields);
    struct entries walk = entries_of(fields[2]);
    struct entry entry;
    assert_int_equal(entries_next(&walk, &entry, NULL), 1);
    uint8_t *value = (uint8_t *)malloc(entry.value.size + size);
    memcpy(value, entry.value.data, entry.value.size);
    memset(value + entry.value.size, 'x', size);
    struct buffer state = {0};
    for (size_t i = 0; i < count; i++) {
        char field[16];
        (void)snprintf(field, sizeof field, "%08zu", i);
        entry_append(&state, text(field), slice_of(value, entry.value.size + size));
    }
    free(value);
    return state;
}

static void a_large_state_goes_in_slices_and_others_go_between(void **state) /* lesson C5 */
{
    host_t *host = (host_t *)*state;
    const struct slice *fields;
    struct buffer large = large_state(host, 3000, 1000);
    struct contract_key small = put(host, "counter", "small"), key;
    host_ask(host, "c1", "1", "PUT", text("map"), host_params("large"), buffer_slice(&large), END);
    host_ask(host, "c2", "2", "EDIT", key_slice(&small), text("add"), text("1"), END);
    host_run(host);
    (void)host_expect(host, "c2", "2", "OK", NULL);
    (void)host_expect(host, "c1", "1", "OK", &fields);
    memcpy(key.bytes, fields[0].data, sizeof key.bytes);
    host_ask(host, "c1", "3", "GET", key_slice(&key), END);
    host_run(host);
    (void)host_expect(host, "c1", "3", "OK", &fields);
    assert_true(slice_equal(fields[2], buffer_slice(&large)));
    buffer_free(&large);
}

/* PUTs a large state and GETs it, so that storage keeps it. */
static struct contract_key put_and_get(host_t *host, struct slice large)
{
    struct contract_key key;
    const struct slice *fields;
    host_ask(host, "c1", "1", "PUT", text("map"), host_params("large"), large, END);
    host_run(host);
    (void)host_expect(host, "c1", "1", "OK", &fields);
    memcpy(key.bytes, fields[0].data, sizeof key.bytes);
    host_ask(host, "c1", "2", "GET", key_slice(&key), END);
    host_run(host);
    (void)host_expect(host, "c1", "2", "OK", &fields);
    return key;
}

static void a_large_state_is_kept_until_it_changes(void **state)
{
    host_t *host = (host_t *)*state;
    const struct slice *fields;
    struct buffer large = large_state(host, 3000, 1000);
    struct contract_key key = put_and_get(host, buffer_slice(&large));
    host_pause(host, ACTOR_checkpoint, true);
    host_ask(host, "c2", "3", "GET", key_slice(&key), END);
    host_run(host);
    (void)host_expect(host, "c2", "3", "OK", &fields);
    assert_true(slice_equal(fields[2], buffer_slice(&large)));
    host_ask(host, "c2", "4", "GET", key_slice(&key), text("00000001"), text("00000001"), END);
    host_run(host);
    (void)host_expect(host, "c2", "4", "OK", &fields);
    assert_true(fields[2].size < 2000);
    host_pause(host, ACTOR_journal, true);
    host_ask(host, "c1", "5", "EDIT", key_slice(&key), text("remove"), text("00000001"), END);
    host_ask(host, "c2", "6", "GET", key_slice(&key), END);
    host_run(host);
    assert_int_equal(host_take(host, "c2", &fields), 0);
    host_pause(host, ACTOR_journal, false);
    host_run(host);
    (void)host_expect(host, "c1", "5", "OK", NULL);
    (void)host_expect(host, "c2", "6", "OK", &fields);
    assert_int_equal(large.size - fields[2].size, 1001);
    buffer_free(&large);
}

static void a_large_state_that_nobody_reads_again_is_let_go(void **state)
{
    host_t *host = (host_t *)*state;
    const struct slice *fields;
    struct buffer large = large_state(host, 3000, 1000);
    struct contract_key key = put_and_get(host, buffer_slice(&large));
    host_advance_ms(host, 2 * FOLD_EVERY_MS); /* from here on no fold takes or gives memory */
    host_ask(host, "c1", "3", "GET", key_slice(&key), END);
    host_run(host);
    (void)host_expect(host, "c1", "3", "OK", &fields);
    host_advance_ms(host, KEPT_STATE_MS - 1);
    size_t kept = heap_bytes();
    host_advance_ms(host, 1);
    bool seen = kept > large.size; /* a sanitizer has a heap of its own, which is not counted */
    assert_true(!seen || heap_bytes() + large.size <= kept);
    buffer_free(&large);
}

static void a_large_state_with_one_bad_entry_changes_nothing(void **state)
{
    host_t *host = (host_t *)*state;
    const struct slice *fields;
    struct buffer large = large_state(host, 3000, 1000);
    entry_append(&large, text("z"), text("no map value"));
    struct contract_key key = put(host, "map", "large");
    host_ask(host, "c1", "1", "UPDATE", key_slice(&key), buffer_slice(&large), END);
    host_run(host);
    (void)host_expect(host, "c1", "1", "BAD_STATE", NULL);
    host_ask(host, "c1", "2", "GET", key_slice(&key), END);
    host_run(host);
    (void)host_expect(host, "c1", "2", "OK", &fields);
    assert_int_equal(fields[2].size, 0);
    buffer_free(&large);
}

static void a_large_delta_that_makes_a_log_too_large_changes_nothing(void **state)
{
    host_t *host = (host_t *)*state;
    const struct slice *fields;
    uint8_t entry_key[16] = {0};
    uint8_t *data = (uint8_t *)calloc(1, 900000);
    struct buffer halves[2] = {{0}, {0}};
    for (uint64_t i = 0; i < 60; i++) {
        put_u64(entry_key, (i + 1) << 16);
        entry_append(&halves[i / 30], slice_of(entry_key, sizeof entry_key),
                     slice_of(data, 900000));
    }
    free(data);
    struct contract_key key = put(host, "log", "large");
    host_ask(host, "c1", "1", "UPDATE", key_slice(&key), buffer_slice(&halves[0]), END);
    host_ask(host, "c2", "2", "UPDATE", key_slice(&key), buffer_slice(&halves[1]), END);
    host_run(host); /* both at once: the second is held to what the first leaves */
    (void)host_expect(host, "c1", "1", "OK", NULL);
    (void)host_expect(host, "c2", "2", "TOO_LARGE", NULL);
    host_ask(host, "c1", "3", "GET", key_slice(&key), END);
    host_run(host);
    (void)host_expect(host, "c1", "3", "OK", &fields);
    assert_true(slice_equal(fields[2], buffer_slice(&halves[0])));
    buffer_free(&halves[0]);
    buffer_free(&halves[1]);
}

static void merges_wait_for_the_fold_when_the_overlay_is_full(void **state)
{
    host_t *host = (host_t *)*state;
    struct buffer large = large_state(host, UNFOLDED_BYTES_MAX / 900000 / 2 + 4, 900000);
    const struct slice *frames;
    host_pause(host, ACTOR_checkpoint, true);
    host_ask(host, "c1", "1", "PUT", text("map"), host_params("one"), buffer_slice(&large), END);
    host_ask(host, "c2", "2", "PUT", text("map"), host_params("two"), buffer_slice(&large), END);
    host_run(host); /* each is half of what may wait, and a little more */
    assert_true(host_take(host, "c1", &frames) == 0 || host_take(host, "c2", &frames) == 0);
    host_pause(host, ACTOR_checkpoint, false);
    for (int i = 0; i < 10; i++)
        host_advance_ms(host, FOLD_EVERY_MS);
    host_ask(host, "c3", "3", "PUT", text("map"), host_params("two"), buffer_slice(&large), END);
    host_run(host);
    (void)host_expect(host, "c3", "3", "OK", NULL);
    buffer_free(&large);
}

static void contracts_lists_what_is_hosted(void **state)
{
    host_t *host = (host_t *)*state;
    const struct slice *fields;
    (void)put(host, "counter", "first");
    (void)put(host, "log", "second");
    host_ask(host, "c1", "1", "CONTRACTS", END);
    host_run(host);
    (void)host_expect(host, "c1", "1", "OK", &fields);
    assert_non_null(memmem(fields[0].data, fields[0].size, "\"name\":\"first\"", 14));
    assert_non_null(memmem(fields[0].data, fields[0].size, "\"kind\":\"log\"", 12));
}

static void check_and_backup_are_done_beside_other_work(void **state)
{
    host_t *host = (host_t *)*state;
    const struct slice *fields;
    struct contract_key key = put(host, "counter", "first");
    host_pause(host, ACTOR_keeper, true);
    host_ask(host, "c1", "1", "CHECK", END);
    host_ask(host, "c1", "2", "CHECK", END);
    host_ask(host, "c1", "3", "EDIT", key_slice(&key), text("add"), text("2"), END);
    host_run(host);
    (void)host_expect(host, "c1", "2", "BUSY", NULL);
    (void)host_expect(host, "c1", "3", "OK", NULL);
    host_pause(host, ACTOR_keeper, false);
    host_run(host);
    (void)host_expect(host, "c1", "1", "OK", &fields);
    assert_non_null(memmem(fields[0].data, fields[0].size, "\"damaged\":0", 11));
    host_ask(host, "c1", "4", "BACKUP", text("not/absolute"), END);
    host_run(host);
    (void)host_expect(host, "c1", "4", "BAD_REQUEST", NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(put_answers_key_fingerprint_and_hosts),
        TEST(an_edit_changes_what_get_reads),
        TEST(an_update_brings_its_delta_once),
        TEST(a_range_is_read_alone),
        TEST(errors_have_their_codes_and_change_nothing),
        TEST(a_room_takes_no_edit_and_tells_who_writes_it),
        TEST(garbage_frames_are_refused_and_the_node_lives),
        TEST(nothing_is_told_before_it_is_durable),
        cmocka_unit_test(relaxed_answers_before_the_flush),
        TEST(after_a_failed_flush_nothing_is_acknowledged),
        TEST(a_read_of_what_the_log_lost_is_answered),
        TEST(an_operation_without_an_answer_times_out_once),
        TEST(a_large_state_goes_in_slices_and_others_go_between),
        TEST(a_large_state_is_kept_until_it_changes),
        TEST(a_large_state_that_nobody_reads_again_is_let_go),
        TEST(a_large_state_with_one_bad_entry_changes_nothing),
        TEST(a_large_delta_that_makes_a_log_too_large_changes_nothing),
        TEST(merges_wait_for_the_fold_when_the_overlay_is_full),
        TEST(contracts_lists_what_is_hosted),
        TEST(check_and_backup_are_done_beside_other_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
