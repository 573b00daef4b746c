/* Clients that do not behave, and subscribers that are slow: lessons C3 and C5 at the client
 * socket. */
#include "tests/support/heap.h"
#include "tests/support/host.h"

#include "contracts/entries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define END   ((struct slice){NULL, 0})
#define EMPTY slice_of("", 0)

static struct contract_key key;

static struct slice key_slice(void)
{
    return slice_of(key.bytes, sizeof key.bytes);
}

static int set_up(void **state)
{
    host_t *host = host_new(false);
    const struct slice *fields;
    host_ask(host, "setup", "p", "PUT", slice_text("map"), host_params("x"), EMPTY, END);
    host_run(host);
    (void)host_expect(host, "setup", "p", "OK", &fields);
    memcpy(key.bytes, fields[0].data, sizeof key.bytes);
    *state = host;
    return 0;
}

static int tear_down(void **state)
{
    host_destroy((host_t **)state);
    return 0;
}

static void edit(host_t *host, const char *client, const char *id, const char *field,
                 const char *value)
{
    host_ask(host, client, id, "EDIT", key_slice(), slice_text("set"), slice_text(field),
             slice_text(value), END);
}

static void subscribe(host_t *host, const char *client)
{
    host_ask(host, client, "sub", "SUBSCRIBE", key_slice(), EMPTY, END);
    host_run(host);
    (void)host_expect(host, client, "sub", "OK", NULL);
}

/* Checks one notification and returns its `after`. */
static struct slice expect_notify(host_t *host, const char *client, struct slice before,
                                  struct slice *delta)
{
    static uint8_t after[32];
    const struct slice *fields;
    assert_int_equal(host_expect(host, client, "sub", "NOTIFY", &fields), 4);
    if (before.size)
        assert_true(slice_equal(fields[2], before));
    if (delta)
        *delta = fields[1];
    memcpy(after, fields[3].data, 32);
    return slice_of(after, 32);
}

static size_t count_entries(struct slice state)
{
    struct entries walk = entries_of(state);
    struct entry entry;
    size_t count = 0;
    while (entries_next(&walk, &entry, NULL) == 1)
        count++;
    return count;
}

static void a_client_that_sends_without_waiting_is_not_read_past_its_window(void **state)
{
    host_t *host = (host_t *)*state; /* lesson C3 */
    const struct slice *frames;
    host_pause(host, ACTOR_journal, true);
    for (int i = 0; i < 10000; i++)
        edit(host, "c1", "e", "f", i % 2 ? "odd" : "even");
    host_run(host);
    assert_int_equal(host_untaken(host), 10000 - CLIENT_OPEN_MAX);
    host_pause(host, ACTOR_journal, false);
    size_t replies = 0;
    host_run(host);
    while (host_take(host, "c1", &frames)) {
        assert_true(slice_is(frames[2], "OK"));
        replies++;
    }
    assert_int_equal(replies, 10000); /* all were served: made to wait, none refused */
}

static void a_client_that_never_reads_costs_bounded_memory_and_slows_nobody(void **state)
{
    host_t *host = (host_t *)*state; /* lesson C5 */
    const struct slice *fields;
    host_stop_reading(host, "deaf", 4);
    for (int i = 0; i < 20000; i++)
        host_ask(host, "deaf", "g", "GET", key_slice(), END);
    host_run(host);
    assert_int_equal(host_untaken(host), 0);
    size_t before = heap_bytes();
    for (int i = 0; i < 100000; i++)
        host_ask(host, "deaf", "g", "GET", key_slice(), END);
    host_run(host);
    assert_int_equal(host_untaken(host), 0);
    assert_true(heap_bytes() < before + (2u << 20)); /* discarded past the last cap */
    edit(host, "c2", "1", "f", "v");
    host_run(host);
    (void)host_expect(host, "c2", "1", "OK", NULL);
    host_ask(host, "c2", "2", "STATUS", END);
    host_run(host);
    (void)host_expect(host, "c2", "2", "OK", &fields);
    assert_null(memmem(fields[0].data, fields[0].size, "\"discarded\":0", 13));
}

/* Makes the map larger than a read at one go: about 500 KB. */
static void grow_state(host_t *host)
{
    char field[16], value[4001];
    memset(value, 'x', 4000);
    value[4000] = 0;
    for (int i = 0; i < 125; i++) {
        (void)snprintf(field, sizeof field, "g%d", i);
        edit(host, "grower", "e", field, value);
        host_run(host);
        (void)host_expect(host, "grower", "e", "OK", NULL);
    }
}

static void a_client_that_leaves_large_replies_lying_stops_nobody(void **state)
{
    host_t *host = (host_t *)*state; /* lesson C5 */
    const struct slice *frames;
    grow_state(host);
    for (int i = 0; i < 300; i++)
        host_ask(host, "c1", "g", "GET", key_slice(), END);
    host_ask(host, "c2", "p", "PEERS", END);
    host_run(host);
    (void)host_expect(host, "c2", "p", "OK", NULL);
    size_t served = 0, busy = 0, count;
    for (int round = 0; round < 1000 && served + busy < 300; round++) { /* now it reads */
        while ((count = host_take(host, "c1", &frames)) > 0) {
            served += slice_is(frames[2], "OK");
            busy += slice_is(frames[2], "BUSY");
        }
        host_advance_ms(host, READ_RETRY_MS);
    }
    assert_int_equal(served + busy, 300);
    assert_true(served > LARGE_READS_WAITING_MAX);
}

static void a_follower_is_not_forgotten_for_those_who_came_and_went(void **state)
{
    host_t *host = (host_t *)*state;
    char name[16];
    subscribe(host, "s1");
    for (unsigned i = 0; i <= CLIENTS_MAX; i++) {
        (void)snprintf(name, sizeof name, "v%u", i);
        host_visit(host, name, "PEERS");
    }
    edit(host, "c1", "1", "a", "1");
    host_run(host);
    (void)host_expect(host, "s1", "sub", "NOTIFY", NULL);
}

static void a_client_that_reads_again_gets_its_replies(void **state)
{
    host_t *host = (host_t *)*state;
    const struct slice *frames;
    host_stop_reading(host, "c1", 4);
    for (int i = 0; i < 100; i++)
        host_ask(host, "c1", "g", "GET", key_slice(), END);
    host_run(host);
    host_stop_reading(host, "c1", SIZE_MAX);
    host_advance_ms(host, CLIENT_RETRY_MS);
    size_t replies = 0;
    while (host_take(host, "c1", &frames)) {
        assert_true(slice_is(frames[2], "OK"));
        replies++;
    }
    assert_int_equal(replies, 100);
}

static void a_subscriber_is_told_each_change_in_order(void **state)
{
    host_t *host = (host_t *)*state;
    subscribe(host, "s1");
    edit(host, "c1", "1", "a", "1");
    edit(host, "c1", "2", "b", "2");
    host_run(host);
    struct slice after = expect_notify(host, "s1", EMPTY, NULL);
    (void)expect_notify(host, "s1", after, NULL);
}

static void what_changed_nothing_is_not_told(void **state)
{
    host_t *host = (host_t *)*state;
    const struct slice *fields, *frames;
    edit(host, "c1", "1", "a", "1");
    host_ask(host, "c1", "2", "GET", key_slice(), END);
    host_run(host);
    subscribe(host, "s1");
    (void)host_expect(host, "c1", "1", "OK", NULL);
    (void)host_expect(host, "c1", "2", "OK", &fields);
    host_ask(host, "c1", "3", "UPDATE", key_slice(), fields[2], END);
    host_run(host);
    (void)host_expect(host, "c1", "3", "OK", NULL);
    assert_int_equal(host_take(host, "s1", &frames), 0);
}

static void a_slow_subscriber_gets_what_it_missed_in_one_delta(void **state)
{
    host_t *host = (host_t *)*state;
    const struct slice *frames;
    struct slice delta;
    char field[16];
    subscribe(host, "s1");
    host_stop_reading(host, "s1", 1);
    for (int i = 0; i < 500; i++) {
        (void)snprintf(field, sizeof field, "f%d", i % 100);
        edit(host, "c1", "e", field, "v");
        host_run(host);
        (void)host_expect(host, "c1", "e", "OK", NULL);
    }
    host_stop_reading(host, "s1", SIZE_MAX);
    host_advance_ms(host, CLIENT_RETRY_MS);
    struct slice after = expect_notify(host, "s1", EMPTY, NULL); /* was in its queue */
    after = expect_notify(host, "s1", after, NULL);              /* was tried again */
    (void)expect_notify(host, "s1", after, &delta);
    assert_int_equal(count_entries(delta), 100);
    assert_int_equal(host_take(host, "s1", &frames), 0);
}

/* Else it would be told of a change after it was told that it follows no more. */
static void no_reply_overtakes_what_a_slow_client_has_yet_to_take(void **state)
{
    host_t *host = (host_t *)*state;
    const struct slice *frames;
    subscribe(host, "s1");
    host_stop_reading(host, "s1", 0);
    edit(host, "c1", "1", "a", "1");
    host_run(host);
    (void)host_expect(host, "c1", "1", "OK", NULL); /* and the notification waits */
    host_stop_reading(host, "s1", SIZE_MAX);
    host_ask(host, "s1", "u", "UNSUBSCRIBE", key_slice(), END);
    host_run(host);
    host_advance_ms(host, CLIENT_RETRY_MS);
    (void)expect_notify(host, "s1", EMPTY, NULL);
    (void)host_expect(host, "s1", "u", "OK", NULL);
    assert_int_equal(host_take(host, "s1", &frames), 0);
}

static void a_subscriber_that_stopped_reading_costs_bounded_memory(void **state)
{
    host_t *host = (host_t *)*state;
    struct slice delta;
    char field[16], value[4001];
    memset(value, 'x', 4000);
    value[4000] = 0;
    subscribe(host, "s1");
    host_stop_reading(host, "s1", 0);
    for (int i = 0; i < 1000; i++) { /* 4 MB of distinct fields: more than is kept for one */
        (void)snprintf(field, sizeof field, "f%d", i);
        edit(host, "c1", "e", field, value);
        host_run(host);
        (void)host_expect(host, "c1", "e", "OK", NULL);
    }
    host_stop_reading(host, "s1", SIZE_MAX);
    host_advance_ms(host, CLIENT_RETRY_MS);
    host_advance_ms(host, CLIENT_RETRY_MS);
    struct slice after = expect_notify(host, "s1", EMPTY, NULL);
    (void)expect_notify(host, "s1", after, &delta); /* the whole state, as a delta */
    assert_int_equal(count_entries(delta), 1000);
}

static void a_change_during_the_first_read_is_not_lost(void **state)
{
    host_t *host = (host_t *)*state;
    const struct slice *fields, *frames;
    uint8_t given[32];
    edit(host, "c1", "0", "zero", "0");
    host_run(host);
    (void)host_expect(host, "c1", "0", "OK", NULL);
    host_pause(host, ACTOR_journal, true);
    edit(host, "c1", "1", "a", "1"); /* merged, not flushed: the read waits for it */
    host_ask(host, "s1", "sub", "SUBSCRIBE", key_slice(), EMPTY, END);
    host_run(host);
    edit(host, "c1", "2", "b", "2"); /* merged after the read */
    host_run(host);
    host_pause(host, ACTOR_journal, false);
    host_run(host);
    (void)host_expect(host, "s1", "sub", "OK", &fields);
    memcpy(given, fields[3].data, 32);
    assert_int_equal(count_entries(fields[2]), 2);
    (void)expect_notify(host, "s1", slice_of(given, 32), NULL);
    assert_int_equal(host_take(host, "s1", &frames), 0);
}

static void a_subscriber_that_has_the_state_gets_no_state(void **state)
{
    host_t *host = (host_t *)*state;
    const struct slice *fields;
    uint8_t fingerprint[32];
    edit(host, "c1", "1", "a", "1");
    host_ask(host, "c1", "2", "GET", key_slice(), END);
    host_run(host);
    (void)host_expect(host, "c1", "1", "OK", NULL);
    (void)host_expect(host, "c1", "2", "OK", &fields);
    memcpy(fingerprint, fields[3].data, 32);
    host_ask(host, "s1", "sub", "SUBSCRIBE", key_slice(), slice_of(fingerprint, 32), END);
    host_run(host);
    assert_int_equal(host_expect(host, "s1", "sub", "OK", &fields), 4);
    assert_int_equal(fields[2].size, 0);
    assert_true(slice_equal(fields[3], slice_of(fingerprint, 32)));
}

static void unsubscribe_and_hanging_up_end_a_subscription(void **state)
{
    host_t *host = (host_t *)*state;
    const struct slice *frames, *fields;
    subscribe(host, "s1");
    subscribe(host, "s2");
    host_ask(host, "s1", "u", "UNSUBSCRIBE", key_slice(), END);
    host_run(host);
    (void)host_expect(host, "s1", "u", "OK", NULL);
    host_hang_up(host, "s2");
    edit(host, "c1", "1", "a", "1");
    host_run(host);
    assert_int_equal(host_take(host, "s1", &frames), 0);
    (void)host_expect(host, "c1", "1", "OK", NULL);
    host_ask(host, "c1", "2", "STATUS", END);
    host_run(host);
    (void)host_expect(host, "c1", "2", "OK", &fields);
    assert_non_null(memmem(fields[0].data, fields[0].size, "\"watched\":0", 11));
}

static void status_counts_the_clients_that_are_connected_now(void **state)
{
    host_t *host = (host_t *)*state;
    const struct slice *fields;
    host_hang_up(host, "setup");
    subscribe(host, "c1");
    subscribe(host, "c2");
    host_ask(host, "c1", "1", "STATUS", END);
    host_run(host);
    (void)host_expect(host, "c1", "1", "OK", &fields);
    assert_non_null(memmem(fields[0].data, fields[0].size, "\"connected\":2,", 14));
    host_hang_up(host, "c2"); /* its session stays until something is sent to it */
    host_ask(host, "c1", "2", "STATUS", END);
    host_run(host);
    (void)host_expect(host, "c1", "2", "OK", &fields);
    assert_non_null(memmem(fields[0].data, fields[0].size, "\"connected\":1,", 14));
}

static void status_says_what_the_node_is_to_others(void **state)
{
    static const char facts[] = "\"role\":\"peer\",\"network\":\"unit\",\"listen\":\"none\","
                                "\"advertised\":\"\"";
    host_t *host = (host_t *)*state;
    const struct slice *fields;
    host_ask(host, "c1", "1", "STATUS", END);
    host_run(host);
    (void)host_expect(host, "c1", "1", "OK", &fields);
    assert_non_null(memmem(fields[0].data, fields[0].size, facts, sizeof facts - 1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_client_that_sends_without_waiting_is_not_read_past_its_window),
        TEST(a_client_that_never_reads_costs_bounded_memory_and_slows_nobody),
        TEST(a_client_that_leaves_large_replies_lying_stops_nobody),
        TEST(a_follower_is_not_forgotten_for_those_who_came_and_went),
        TEST(a_client_that_reads_again_gets_its_replies),
        TEST(a_subscriber_is_told_each_change_in_order),
        TEST(what_changed_nothing_is_not_told),
        TEST(a_slow_subscriber_gets_what_it_missed_in_one_delta),
        TEST(no_reply_overtakes_what_a_slow_client_has_yet_to_take),
        TEST(a_subscriber_that_stopped_reading_costs_bounded_memory),
        TEST(a_change_during_the_first_read_is_not_lost),
        TEST(a_subscriber_that_has_the_state_gets_no_state),
        TEST(unsubscribe_and_hanging_up_end_a_subscription),
        TEST(status_counts_the_clients_that_are_connected_now),
        TEST(status_says_what_the_node_is_to_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
