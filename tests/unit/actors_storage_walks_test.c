/* What storage does for other nodes: walks over a state, in parts. */
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

static struct walk *walk_new(sync_walk_t *inner)
{
    struct walk *walk = (struct walk *)message_new(sizeof *walk);
    walk->asked_by = ACTOR_get;
    walk->key = map.contract.key;
    walk->walk = inner;
    return walk;
}

static void send_walk(struct walk *walk)
{
    small_node_send(&node, ACTOR_get, ACTOR_storage, MESSAGE_WALK, &walk->head);
}

static struct walk *take_walked(void)
{
    return (struct walk *)small_node_take(&node, ACTOR_get, MESSAGE_WALKED);
}

static void free_walk(struct walk *walk)
{
    struct message *message = &walk->head;
    message_free(&message);
}

static void a_small_state_is_walked_in_one_turn(void **state)
{
    (void)state;
    small_node_put_fields(&node, &map.contract, 0, 8, 100);
    send_walk(walk_new(sync_walk_all()));
    (void)small_node_step(&node);
    struct walk *walk = take_walked();
    assert_int_equal(walk->code, 0);
    assert_true(walk->end);
    assert_string_equal(walk->kind->name, "map");
    assert_true(slice_equal(blob_slice(walk->params), buffer_slice(&map.params)));
    struct fingerprint print = fingerprint_of(buffer_slice(&walk->entries));
    assert_memory_equal(print.bytes, walk->fingerprint.bytes, FINGERPRINT_BYTES);
    free_walk(walk);
}

/* Takes all parts; returns their number and what they make together. */
static unsigned walk_all(struct buffer *all)
{
    unsigned parts = 0;
    struct walk *walk = walk_new(sync_walk_all());
    for (bool end = false; !end; parts++) {
        send_walk(walk);
        small_node_run(&node);
        walk = take_walked();
        assert_int_equal(walk->code, 0);
        assert_true(walk->entries.size <= PEER_PIECE_BYTES + ENTRY_VALUE_BYTES_MAX);
        buffer_append_slice(all, buffer_slice(&walk->entries));
        end = walk->end;
    }
    free_walk(walk);
    return parts;
}

static void a_large_state_is_walked_in_parts_of_a_piece(void **state)
{
    (void)state;
    struct buffer all = {0};
    small_node_put_fields(&node, &map.contract, 0, 6000, 200);
    unsigned parts = walk_all(&all);
    struct fingerprint print = fingerprint_of(buffer_slice(&all));
    struct fingerprint held = small_node_fingerprint(&node, &map.contract.key);
    assert_memory_equal(print.bytes, held.bytes, FINGERPRINT_BYTES);
    assert_true(parts >= all.size / PEER_PIECE_BYTES &&
                parts <= 2 + all.size / (PEER_PIECE_BYTES / 2));
    buffer_free(&all);
}

static void one_large_entry_is_a_part_of_its_own(void **state)
{
    (void)state;
    struct buffer all = {0};
    small_node_put_fields(&node, &map.contract, 0, 3, ENTRY_VALUE_BYTES_MAX / 2);
    assert_true(walk_all(&all) <= 4);
    struct fingerprint print = fingerprint_of(buffer_slice(&all));
    struct fingerprint held = small_node_fingerprint(&node, &map.contract.key);
    assert_memory_equal(print.bytes, held.bytes, FINGERPRINT_BYTES);
    buffer_free(&all);
}

/* Entries of small keys first: a slice that finds nothing to send goes on by itself. */
static void a_sync_walk_over_many_entries_gives_others_their_turn(void **state)
{
    (void)state;
    uint8_t salt[SYNC_SALT_BYTES] = {1};
    small_node_put_fields(&node, &map.contract, 0, 20000, 10);
    send_walk(walk_new(sync_walk_begin(salt)));
    unsigned steps = 0;
    while (small_node_step(&node))
        steps++;
    assert_true(steps >= 20000 / WALK_SLICE_ENTRIES_MAX);
    struct walk *walk = take_walked();
    assert_true(walk->end);
    assert_int_equal(walk->entries.size, 0);
    assert_true(sync_walk_body(walk->walk).size > 0);
    free_walk(walk);
}

static void a_walk_of_what_is_not_here_is_not_found(void **state)
{
    (void)state;
    send_walk(walk_new(sync_walk_all()));
    small_node_run(&node);
    struct walk *walk = take_walked();
    assert_int_equal(walk->code, ERR_NOT_FOUND);
    free_walk(walk);
}

static void a_part_waits_for_the_flush_of_what_is_in_it(void **state)
{
    (void)state;
    small_node_put_fields(&node, &map.contract, 0, 4, 10);
    struct buffer delta = map_delta("later", 2, slice_text("x"));
    struct slice args[2] = {slice_of(map.contract.key.bytes, CONTRACT_KEY_BYTES),
                            buffer_slice(&delta)};
    struct request *update = request_new(ACTOR_update, VERB_UPDATE, &map.contract.key, args, 2);
    small_node_pause(&node, ACTOR_journal, true);
    small_node_send(&node, ACTOR_update, ACTOR_storage, MESSAGE_MERGE, &update->head);
    send_walk(walk_new(sync_walk_all()));
    small_node_run(&node);
    assert_null(node.actors[ACTOR_get].mail.first);
    small_node_pause(&node, ACTOR_journal, false);
    small_node_run(&node);
    free_walk(take_walked());
    buffer_free(&delta);
}

static void a_walk_goes_on_over_a_state_that_changes(void **state)
{
    (void)state;
    small_node_put_fields(&node, &map.contract, 0, 3000, 200);
    struct walk *walk = walk_new(sync_walk_all());
    unsigned parts = 0;
    for (bool end = false; !end; parts++) {
        send_walk(walk);
        small_node_put_fields(&node, &map.contract, 5000 + parts, 1, 20); /* behind where it is */
        walk = take_walked();
        assert_int_equal(walk->code, 0);
        end = walk->end;
    }
    assert_true(parts > 5);
    free_walk(walk);
}

/* Beyond WALKS_MAX they wait, and all come to their end. */
static void many_walks_take_turns(void **state)
{
    (void)state;
    enum { MANY = 2 * WALKS_MAX + 3 };
    uint8_t salt[SYNC_SALT_BYTES] = {1};
    small_node_put_fields(&node, &map.contract, 0, 5000, 10);
    for (unsigned i = 0; i < MANY; i++) {
        struct walk *walk = walk_new(sync_walk_begin(salt));
        walk->tokens[0] = i;
        send_walk(walk);
    }
    (void)small_node_step(&node);
    assert_int_equal(node.storage->walks.count, WALKS_MAX);
    assert_int_equal(node.storage->walks_waiting.count, MANY - WALKS_MAX);
    small_node_run(&node);
    for (unsigned i = 0; i < MANY; i++) {
        struct walk *walk = take_walked();
        assert_int_equal(walk->code, 0);
        assert_int_equal(walk->tokens[0], i);
        free_walk(walk);
    }
}

static void a_contract_that_goes_ends_the_walks_over_it(void **state)
{
    (void)state;
    small_node_put_fields(&node, &map.contract, 0, 3000, 200);
    struct walk *walk = walk_new(sync_walk_all());
    send_walk(walk);
    small_node_run(&node);
    walk = take_walked();
    assert_int_equal(walk->code, 0);
    assert_false(walk->end);
    struct request *drop = request_new(ACTOR_hosting, VERB_GET, &map.contract.key, NULL, 0);
    drop->reading.fingerprint = small_node_fingerprint(&node, &map.contract.key);
    small_node_send(&node, ACTOR_hosting, ACTOR_storage, MESSAGE_DROP, &drop->head);
    send_walk(walk);
    small_node_run(&node);
    struct message *dropped = small_node_take(&node, ACTOR_hosting, MESSAGE_DROPPED);
    assert_int_equal(((struct request *)dropped)->code, 0);
    message_free(&dropped);
    walk = take_walked();
    assert_int_equal(walk->code, ERR_NOT_FOUND);
    free_walk(walk);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_small_state_is_walked_in_one_turn),
        TEST(a_large_state_is_walked_in_parts_of_a_piece),
        TEST(one_large_entry_is_a_part_of_its_own),
        TEST(a_sync_walk_over_many_entries_gives_others_their_turn),
        TEST(a_walk_of_what_is_not_here_is_not_found),
        TEST(a_part_waits_for_the_flush_of_what_is_in_it),
        TEST(a_walk_goes_on_over_a_state_that_changes),
        TEST(many_walks_take_turns),
        TEST(a_contract_that_goes_ends_the_walks_over_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
