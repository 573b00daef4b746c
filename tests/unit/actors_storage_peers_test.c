/* What storage does for other nodes: facts, holdings, drops. (Walks: actors_storage_walks_test.c.)
 */
#include "tests/unit/small_node.h"
#include "tests/unit/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>

static struct small_node node;
static struct subject map;

static int set_up(void **state)
{
    (void)state;
    small_node_open(&node);
    subject_init(&map, "map", "m", 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    subject_free(&map);
    small_node_close(&node);
    return 0;
}

static struct request *ask_about(const struct contract_key *key)
{
    struct request *ask = request_new(ACTOR_hosting, VERB_GET, key, NULL, 0);
    small_node_send(&node, ACTOR_hosting, ACTOR_storage, MESSAGE_ABOUT, &ask->head);
    return ask;
}

static void about_tells_kind_params_and_fingerprint(void **state)
{
    (void)state;
    small_node_put_fields(&node, &map.contract, 0, 3, 10);
    (void)ask_about(&map.contract.key);
    small_node_run(&node);
    struct message *message = small_node_take(&node, ACTOR_hosting, MESSAGE_ABOUT_DONE);
    const struct reading *reading = &((struct request *)message)->reading;
    const struct held *held;
    assert_int_equal(((struct request *)message)->code, 0);
    assert_string_equal(reading->kind->name, "map");
    assert_int_equal(reading->params_bytes, map.params.size);
    assert_true(slice_equal(blob_slice(reading->bytes), buffer_slice(&map.params)));
    assert_int_equal(store_find(node.store, &map.contract.key, &held, NULL), 0);
    assert_memory_equal(&reading->fingerprint, &held->fingerprint, FINGERPRINT_BYTES);
    message_free(&message);
}

static void about_an_unknown_contract_is_not_found(void **state)
{
    (void)state;
    assert_false(small_node_has(&node, &map.contract.key));
}

static void about_waits_for_the_flush(void **state)
{
    (void)state;
    struct slice args[3] = {slice_text("map"), map.contract.params, slice_of(NULL, 0)};
    struct request *put = request_new(ACTOR_put, VERB_PUT, &map.contract.key, args, 3);
    put->contract = map.contract;
    small_node_pause(&node, ACTOR_journal, true);
    small_node_send(&node, ACTOR_put, ACTOR_storage, MESSAGE_MERGE, &put->head);
    (void)ask_about(&map.contract.key);
    small_node_run(&node);
    assert_null(node.actors[ACTOR_hosting].mail.first);
    small_node_pause(&node, ACTOR_journal, false);
    small_node_run(&node);
    struct message *message = small_node_take(&node, ACTOR_hosting, MESSAGE_ABOUT_DONE);
    assert_int_equal(((struct request *)message)->code, 0);
    message_free(&message);
}

static struct request *read_there(struct fingerprint there)
{
    struct slice args[] = {slice_of(&map.contract.key, sizeof map.contract.key)};
    struct request *read = request_new(ACTOR_get, VERB_GET, &map.contract.key, args, 1);
    read->durable_there = true;
    read->there = there;
    small_node_send(&node, ACTOR_get, ACTOR_storage, MESSAGE_READ, &read->head);
    small_node_run(&node);
    return read;
}

static void what_is_durable_at_its_host_is_read_before_the_flush_here(void **state)
{
    (void)state;
    struct buffer delta = map_delta("f", 1, slice_text("x"));
    struct slice args[3] = {slice_text("map"), map.contract.params, buffer_slice(&delta)};
    struct request *put = request_new(ACTOR_get, VERB_PUT, &map.contract.key, args, 3);
    struct fingerprint there, other = {{1}};
    put->contract = map.contract;
    put->origin = 7;
    put->durable_there = true;
    small_node_pause(&node, ACTOR_journal, true);
    small_node_send(&node, ACTOR_get, ACTOR_storage, MESSAGE_MERGE, &put->head);
    small_node_run(&node);
    struct message *message = small_node_take(&node, ACTOR_get, MESSAGE_MERGED);
    there = ((struct request *)message)->change.after;
    message_free(&message);
    (void)read_there(there);
    message = small_node_take(&node, ACTOR_get, MESSAGE_READ_DONE);
    assert_int_equal(((struct request *)message)->code, 0);
    message_free(&message);
    (void)read_there(other); /* somebody changed it here: that is not on any disk yet */
    assert_null(node.actors[ACTOR_get].mail.first);
    small_node_pause(&node, ACTOR_journal, false);
    small_node_run(&node);
    message = small_node_take(&node, ACTOR_get, MESSAGE_READ_DONE);
    message_free(&message);
    buffer_free(&delta);
}

static void a_change_tells_who_sent_it(void **state)
{
    (void)state;
    struct watch *watch = (struct watch *)message_new(sizeof *watch);
    watch->key = map.contract.key;
    watch->on = true;
    small_node_send(&node, ACTOR_subscribe, ACTOR_storage, MESSAGE_WATCH, &watch->head);
    for (peer_t origin = 0; origin < 9; origin += 7) {
        struct buffer delta = map_delta("f", 1 + origin, slice_text("x"));
        small_node_put(&node, &map.contract, buffer_slice(&delta), origin);
        buffer_free(&delta);
        struct message *message = small_node_take(&node, ACTOR_subscribe, MESSAGE_CHANGED);
        assert_int_equal(((struct changed *)message)->origin, origin);
        message_free(&message);
    }
}

/* A large merge is a job, which tells it too. */
static void a_large_change_tells_who_sent_it(void **state)
{
    (void)state;
    struct watch *watch = (struct watch *)message_new(sizeof *watch);
    struct buffer delta = {0};
    uint8_t *data = (uint8_t *)calloc(1, MERGE_SLICE_BYTES);
    watch->key = map.contract.key;
    watch->on = true;
    small_node_send(&node, ACTOR_subscribe, ACTOR_storage, MESSAGE_WATCH, &watch->head);
    map_entry(&delta, "a", 1, slice_of(data, MERGE_SLICE_BYTES));
    map_entry(&delta, "b", 1, slice_of(data, MERGE_SLICE_BYTES));
    small_node_put(&node, &map.contract, buffer_slice(&delta), 12);
    for (unsigned i = 0; i < 2; i++) {
        struct message *message = small_node_take(&node, ACTOR_subscribe, MESSAGE_CHANGED);
        assert_int_equal(((struct changed *)message)->origin, 12);
        message_free(&message);
    }
    buffer_free(&delta);
    free(data);
}

static void send_change(enum actor_id from, peer_t origin, const struct buffer *delta)
{
    struct slice args[] = {slice_of(&map.contract.key, sizeof map.contract.key),
                           buffer_slice(delta)};
    struct request *merge = request_new(from, VERB_UPDATE, &map.contract.key, args, 2);
    merge->origin = origin;
    small_node_send(&node, from, ACTOR_storage, MESSAGE_MERGE, &merge->head);
}

/* lesson C5 */
static void a_small_change_does_not_wait_behind_bulk_of_a_peer(void **state)
{
    (void)state;
    enum { PIECES = 5 };
    uint8_t *data = (uint8_t *)calloc(1, PEER_BULK_BYTES);
    struct buffer bulk = {0}, few = {0};
    map_entry(&few, "small", 2, slice_of(data, 10));
    map_entry(&bulk, "large", 2, slice_of(data, PEER_BULK_BYTES));
    small_node_put_fields(&node, &map.contract, 0, 1, 10);
    for (unsigned i = 0; i < PIECES; i++)
        send_change(ACTOR_sync, 7, &bulk);
    send_change(ACTOR_update, 0, &few);
    small_node_run(&node);
    struct message *message = small_node_take(&node, ACTOR_update, MESSAGE_MERGED);
    uint64_t small_seq = ((struct request *)message)->change.seq;
    message_free(&message);
    for (unsigned i = 0; i < PIECES; i++) {
        message = small_node_take(&node, ACTOR_sync, MESSAGE_MERGED);
        assert_int_equal(((struct request *)message)->code, 0);
        assert_true(i || ((struct request *)message)->change.seq > small_seq);
        message_free(&message);
    }
    buffer_free(&bulk);
    buffer_free(&few);
    free(data);
}

/* --- holdings ---------------------------------------------------------------------------- */

static void holdings_tell_every_contract_once_in_key_order(void **state)
{
    (void)state;
    enum { MANY = HOLDINGS_A_SLICE + 7 };
    for (unsigned i = 0; i < MANY; i++) {
        char name[16];
        struct subject one;
        (void)snprintf(name, sizeof name, "n%u", i);
        subject_init(&one, "counter", name, 0);
        small_node_put(&node, &one.contract, slice_of(NULL, 0), 0);
        subject_free(&one);
        if (i == MANY / 2) /* some in LMDB, some above it */
            small_node_advance_ms(&node, 2 * FOLD_EVERY_MS);
    }
    struct holdings *ask = (struct holdings *)message_new(sizeof *ask);
    struct contract_key last = {{0}};
    size_t told = 0, parts = 0;
    for (bool end = false; !end; parts++) {
        small_node_send(&node, ACTOR_hosting, ACTOR_storage, MESSAGE_HOLDINGS, &ask->head);
        small_node_run(&node);
        ask = (struct holdings *)small_node_take(&node, ACTOR_hosting, MESSAGE_HELD);
        for (size_t i = 0; i < ask->count; i++, told++) {
            assert_true(memcmp(last.bytes, ask->keys[i].bytes, sizeof last.bytes) < 0);
            last = ask->keys[i];
        }
        end = ask->end;
        ask->after = last;
        ask->started = true;
    }
    assert_int_equal(told, MANY);
    assert_int_equal(parts, 2);
    struct message *message = &ask->head;
    message_free(&message);
}

/* A mark without a contract is what damage leaves of one; half of a key nobody can look for. */
static void what_is_lost_is_told_apart_from_what_is_stored(void **state)
{
    (void)state;
    enum { LOST = HOLDINGS_A_SLICE + 5 };
    struct contract_key key = {{0}};
    struct marks *marks = &node.store->marks;
    small_node_put_fields(&node, &map.contract, 0, 1, 1);
    assert_int_equal(marks_add(marks, &map.contract.key, NULL), 0); /* damaged, and here */
    assert_int_equal(marks_add(marks, &(struct contract_key){{7}}, NULL), 0); /* half */
    for (unsigned i = 0; i < LOST; i++) {
        put_u64(key.bytes, i);
        key.bytes[STATE_PREFIX_BYTES] = 1;
        assert_int_equal(marks_add(marks, &key, NULL), 0);
    }
    struct holdings *ask = (struct holdings *)message_new(sizeof *ask);
    size_t lost = 0, told = 0;
    for (bool end = false; !end;) {
        small_node_send(&node, ACTOR_hosting, ACTOR_storage, MESSAGE_HOLDINGS, &ask->head);
        small_node_run(&node);
        ask = (struct holdings *)small_node_take(&node, ACTOR_hosting, MESSAGE_HELD);
        told += ask->count;
        lost += ask->lost;
        end = ask->end;
        ask->started = true;
        if (ask->count)
            ask->after = ask->keys[ask->count - 1];
    }
    assert_int_equal(lost, LOST);
    assert_int_equal(told, LOST + 1);
    struct message *message = &ask->head;
    message_free(&message);
}

/* --- drops ------------------------------------------------------------------------------- */

static void send_drop_of(struct fingerprint seen)
{
    struct request *drop = request_new(ACTOR_hosting, VERB_GET, &map.contract.key, NULL, 0);
    drop->reading.fingerprint = seen;
    small_node_send(&node, ACTOR_hosting, ACTOR_storage, MESSAGE_DROP, &drop->head);
}

static void send_drop(void)
{
    struct fingerprint seen = {{0}};
    if (small_node_has(&node, &map.contract.key))
        seen = small_node_fingerprint(&node, &map.contract.key);
    send_drop_of(seen);
}

static int take_dropped(void)
{
    struct message *message = small_node_take(&node, ACTOR_hosting, MESSAGE_DROPPED);
    int code = ((struct request *)message)->code;
    message_free(&message);
    return code;
}

static void a_dropped_contract_is_not_here_any_more(void **state)
{
    (void)state;
    small_node_put_fields(&node, &map.contract, 0, 10, 10);
    small_node_advance_ms(&node, 2 * FOLD_EVERY_MS);
    send_drop();
    small_node_run(&node);
    assert_int_equal(take_dropped(), 0);
    assert_false(small_node_has(&node, &map.contract.key));
    small_node_advance_ms(&node, 2 * FOLD_EVERY_MS);
    assert_false(small_node_has(&node, &map.contract.key));
    send_drop();
    small_node_run(&node);
    assert_int_equal(take_dropped(), ERR_NOT_FOUND);
}

/* Hosting has asked the feed about what was here a moment ago. */
static void what_changed_since_it_was_looked_at_is_not_dropped(void **state)
{
    (void)state;
    small_node_put_fields(&node, &map.contract, 0, 10, 10);
    struct fingerprint seen = small_node_fingerprint(&node, &map.contract.key);
    small_node_put_fields(&node, &map.contract, 10, 1, 10);
    send_drop_of(seen);
    small_node_run(&node);
    assert_int_equal(take_dropped(), ERR_BUSY);
    assert_true(small_node_has(&node, &map.contract.key));
}

static void a_drop_is_answered_after_its_flush(void **state)
{
    (void)state;
    small_node_put_fields(&node, &map.contract, 0, 10, 10);
    small_node_pause(&node, ACTOR_journal, true);
    send_drop();
    small_node_run(&node);
    assert_null(node.actors[ACTOR_hosting].mail.first);
    small_node_pause(&node, ACTOR_journal, false);
    small_node_run(&node);
    assert_int_equal(take_dropped(), 0);
}

static void a_watched_contract_may_go_and_come_back(void **state)
{
    (void)state;
    const struct summary empty = {0};
    struct fingerprint nothing = summary_fingerprint(&empty);
    struct watch *watch = (struct watch *)message_new(sizeof *watch);
    watch->key = map.contract.key;
    watch->on = true;
    small_node_put_fields(&node, &map.contract, 0, 10, 10);
    small_node_send(&node, ACTOR_subscribe, ACTOR_storage, MESSAGE_WATCH, &watch->head);
    send_drop();
    small_node_run(&node);
    assert_int_equal(take_dropped(), 0);
    assert_null(node.actors[ACTOR_subscribe].mail.first);
    small_node_put_fields(&node, &map.contract, 3, 1, 10);
    struct message *message = small_node_take(&node, ACTOR_subscribe, MESSAGE_CHANGED);
    assert_memory_equal(((struct changed *)message)->before.bytes, nothing.bytes,
                        FINGERPRINT_BYTES);
    message_free(&message);
}

static void a_drop_does_not_cut_a_large_merge(void **state)
{
    (void)state;
    struct buffer delta = {0};
    uint8_t *data = (uint8_t *)calloc(1, MERGE_SLICE_BYTES);
    small_node_put_fields(&node, &map.contract, 0, 1, 10);
    struct fingerprint seen = small_node_fingerprint(&node, &map.contract.key);
    map_entry(&delta, "g0", 1, slice_of(data, MERGE_SLICE_BYTES));
    map_entry(&delta, "g1", 1, slice_of(data, MERGE_SLICE_BYTES));
    struct slice args[3] = {slice_text("map"), map.contract.params, buffer_slice(&delta)};
    struct request *put = request_new(ACTOR_put, VERB_PUT, &map.contract.key, args, 3);
    put->contract = map.contract;
    small_node_send(&node, ACTOR_put, ACTOR_storage, MESSAGE_MERGE, &put->head);
    send_drop_of(seen);
    small_node_run(&node);
    assert_int_equal(take_dropped(), ERR_BUSY);
    struct message *message = small_node_take(&node, ACTOR_put, MESSAGE_MERGED);
    assert_int_equal(((struct request *)message)->code, 0);
    message_free(&message);
    send_drop();
    small_node_run(&node);
    assert_int_equal(take_dropped(), 0);
    buffer_free(&delta);
    free(data);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(about_tells_kind_params_and_fingerprint),
        TEST(about_an_unknown_contract_is_not_found),
        TEST(about_waits_for_the_flush),
        TEST(what_is_durable_at_its_host_is_read_before_the_flush_here),
        TEST(a_change_tells_who_sent_it),
        TEST(a_large_change_tells_who_sent_it),
        TEST(a_small_change_does_not_wait_behind_bulk_of_a_peer),
        TEST(holdings_tell_every_contract_once_in_key_order),
        TEST(what_is_lost_is_told_apart_from_what_is_stored),
        TEST(a_dropped_contract_is_not_here_any_more),
        TEST(what_changed_since_it_was_looked_at_is_not_dropped),
        TEST(a_drop_is_answered_after_its_flush),
        TEST(a_watched_contract_may_go_and_come_back),
        TEST(a_drop_does_not_cut_a_large_merge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
