/* Syncs that are broken off, refused, or not answered at once. */
#include "tests/unit/sides.h"

#include <sodium.h>
#include <stdlib.h>

enum { SECOND = 1000 };

static void a_peer_that_goes_leaves_nothing_behind(void **state)
{
    (void)state;
    sides_put_entries(0, 0, 5000, 100, 1);
    sides_put_entries(1, 3000, 5000, 100, 1);
    for (unsigned moves = 0; moves < 40; moves++) {
        sides_order(0);
        sides_order(1);
        for (unsigned i = 0; i < moves; i++)
            (void)sides_move((unsigned)random_below(2), (enum lane)random_below(LANE_COUNT));
        sides_tell(&sides[0], MESSAGE_PEER_GONE);
        sides_tell(&sides[1], MESSAGE_PEER_GONE);
        sides_run_both();
        for (unsigned i = 0; i < 2; i++) { /* what it had not taken comes back */
            for (unsigned lane = 0; lane < LANE_COUNT; lane++)
                for (struct message *m; (m = mail_pop(&sides[i].lanes[lane]));)
                    if (((struct peer_send *)m)->tell)
                        small_node_send(&sides[i].node, ACTOR_transport, ACTOR_sync,
                                        MESSAGE_PEER_SENT, m);
                    else
                        message_free(&m);
            small_node_run(&sides[i].node);
            sides[i].parts_out = 0;
            assert_int_equal(owed_bytes(sides[i].window), 0);
            assert_null(sides[i].node.storage->walks.first);
            mail_free(sides_mail_of(i, ACTOR_hosting));
            mail_free(sides_mail_of(i, ACTOR_transport));
        }
        sides_tell(&sides[0], MESSAGE_PEER_LIVE);
        sides_tell(&sides[1], MESSAGE_PEER_LIVE);
    }
    sides_order(0);
    sides_run_wire();
    assert_int_equal(sides_synced(0), 0);
    sides_assert_equal();
}

static void one_that_hears_nothing_ends(void **state)
{
    (void)state;
    sides_put_entries(0, 0, 50, 10, 1);
    sides_order(0);
    small_node_advance_ms(&sides[0].node, SYNC_TIMEOUT_MS - SECOND);
    assert_null(sides_mail_of(0, ACTOR_hosting)->first);
    small_node_advance_ms(&sides[0].node, 2 * SECOND);
    assert_int_equal(sides_synced(0), ERR_TIMEOUT);
    assert_true(sync_spec.deadline_ms(sides[0].sync) == NEVER);
}

static void take_leave(unsigned side)
{
    struct message *message = mail_pop(&sides[side].lanes[LANE_small]);
    assert_non_null(message);
    assert_int_equal(((struct peer_send *)message)->bytes->data[0], PEER_LEAVE);
    message_free(&message);
}

/* Hosting is told who speaks of what is not here. */
static void take_stray(unsigned side)
{
    struct message *message = small_node_take(&sides[side].node, ACTOR_hosting, MESSAGE_STRAY);
    assert_int_equal(((const struct sync_order *)message)->number, sides[side].other);
    message_free(&message);
}

static void what_is_not_here_is_answered_by_leave_and_nobody_is_blamed(void **state)
{
    (void)state;
    sides_put_entries(0, 0, 50, 10, 1);
    sides_order(0);
    assert_true(sides_move(0, LANE_small));
    take_leave(1);
    sides_send_delta(1, "f", "x");
    take_stray(1);
    sides_assert_nobody_blamed();
    assert_int_equal(sides[1].bodies, 0);
    sides_order(1); /* nor can it begin one */
    assert_int_equal(sides_synced(1), ERR_NOT_FOUND);
}

static void entries_that_are_not_the_kinds_are_blamed(void **state)
{
    (void)state;
    struct peer_delta body = {.entries = slice_text("\x03"
                                                    "abc"
                                                    "nonsense")};
    sides_put_entries(1, 0, 50, 10, 1);
    memcpy(body.key, sides_map.contract.key.bytes, sizeof body.key);
    sides_order(1);
    sides_deliver_body(&sides[1], PEER_DELTA, &body);
    sides_take_blame(1);
    assert_int_equal(sides_synced(1), ERR_BAD_STATE);
}

static void a_body_that_is_none_is_blamed(void **state)
{
    (void)state;
    struct peer_sync body = {.body = slice_text("no body at all")};
    sides_put_entries(1, 0, 50, 10, 1);
    memcpy(body.key, sides_map.contract.key.bytes, sizeof body.key);
    sides_deliver_body(&sides[1], PEER_SYNC, &body);
    sides_take_blame(1);
}

/* A body as whoever has nothing begins a sync with. */
static void send_body_by(peer_t from, const struct contract_key *key, uint8_t salt_byte,
                         uint8_t round)
{
    struct peer_sync body = {.round = round};
    struct buffer bytes = {0};
    memcpy(body.key, key->bytes, sizeof body.key);
    uint8_t salt[SYNC_SALT_BYTES] = {salt_byte};
    sync_walk_t *walk = sync_walk_begin(salt);
    struct state_reader nothing = store_reader(sides[0].node.store, &sides_map.contract.key);
    struct buffer entries = {0};
    assert_int_equal(sync_walk_step(walk, &nothing, 9, 9, &entries, NULL), 0);
    body.body = sync_walk_body(walk);
    memcpy(body.salt, salt, sizeof body.salt);
    assert_int_equal(peer_encode(PEER_SYNC, &body, &bytes), 0);
    sides_deliver_of(&sides[1], from, buffer_slice(&bytes));
    buffer_free(&bytes);
    sync_walk_destroy(&walk);
}

static void open_by(peer_t from, unsigned contract)
{
    struct contract_key key = {{0}};
    put_u32(key.bytes, contract);
    send_body_by(from, &key, 7, 0);
}

static size_t walks_at(unsigned side)
{
    small_node_run(&sides[side].node);
    return sides_mail_of(side, ACTOR_storage)->count;
}

/* However often it speaks, a peer has one walk for a contract made, and one body of it kept. */
static void a_peer_that_does_not_wait_its_turn_is_walked_for_once(void **state)
{
    (void)state;
    const struct contract_key *key = &sides_map.contract.key;
    sides_put_entries(1, 0, 50, 10, 1);
    small_node_pause(&sides[1].node, ACTOR_storage, true);
    send_body_by(sides[1].other, key, 7, 0);
    assert_int_equal(walks_at(1), 1);
    send_body_by(sides[1].other, key, 7, 2);
    assert_int_equal(walks_at(1), 1);
    assert_int_equal(owed_bytes(sides[1].window), 0);
    for (unsigned i = 0; i < 100; i++)
        send_body_by(sides[1].other, key, (uint8_t)i, 0);
    assert_int_equal(walks_at(1), 1);
    assert_in_range(owed_bytes(sides[1].window), 1, 200);
    small_node_pause(&sides[1].node, ACTOR_storage, false);
    sides_run_both();
    assert_int_equal(sides[1].bodies, 1); /* the last of them is answered */
    assert_int_equal(sides[1].parts, 1);
    assert_int_equal(owed_bytes(sides[1].window), 0);
}

/* lesson C5 */
static void a_peer_that_begins_too_many_does_not_take_the_place_of_others(void **state)
{
    (void)state;
    const struct exchanges *table = &((struct sync *)sides[1].sync)->table;
    small_node_pause(&sides[1].node, ACTOR_storage, true);
    for (unsigned i = 0; i < SYNCS_A_PEER_MAX + 3; i++)
        open_by(sides[1].other, i);
    size_t walks = walks_at(1);
    assert_int_equal(HASH_COUNT(table->rows), SYNCS_A_PEER_MAX);
    assert_in_range(walks, 32, SYNCS_A_PEER_BYTES_MAX / PEER_PIECE_BYTES);
    open_by(77, 0);
    assert_int_equal(walks_at(1), walks + 1);
    assert_int_equal(HASH_COUNT(table->rows), SYNCS_A_PEER_MAX + 1);
    sides_tell(&sides[1], MESSAGE_PEER_GONE);
    assert_int_equal(HASH_COUNT(table->rows), 1);
    assert_int_equal(table->queued, 0);
    open_by(sides[1].other, 0);
    assert_int_equal(walks_at(1), walks + 2);
}

/* Their walks take memory, whatever their number: so many bytes for one peer, so many for all. */
static void what_there_is_no_room_to_answer_is_answered_by_and_by(void **state)
{
    enum { EACH = 1000, PEERS = 40 };
    (void)state;
    const struct exchanges *table = &((struct sync *)sides[1].sync)->table;
    small_node_pause(&sides[1].node, ACTOR_storage, true);
    for (unsigned i = 0; i < EACH; i++)
        open_by(sides[1].other, i);
    size_t of_one = walks_at(1);
    assert_int_equal(table->queued, EACH - of_one);
    assert_true(owed_bytes(sides[1].window) > 0); /* in its window, where it feels it */
    for (unsigned p = 0; p < PEERS; p++)
        for (unsigned i = 0; i < EACH; i++)
            open_by(100 + p, i);
    size_t of_all = walks_at(1);
    assert_in_range(of_all, 8 * of_one, SYNCS_ANSWERED_BYTES_MAX / PEER_PIECE_BYTES);
    assert_true(table->walk_bytes <= SYNCS_ANSWERED_BYTES_MAX);
    small_node_pause(&sides[1].node, ACTOR_storage, false);
    small_node_run(&sides[1].node);
    assert_int_equal(HASH_COUNT(table->rows), 0);
    assert_int_equal(table->queued + table->walk_bytes, 0);
    struct mail *told = sides_mail_of(1, ACTOR_transport); /* each, that the contract is not here */
    assert_int_equal(told->count, SYNCS_ANSWERED_MAX);
    mail_free(told);
}

static void reopen_limited(uint64_t store_bytes_max, uint64_t state_bytes_max)
{
    sides_close();
    sides_open_limited(store_bytes_max, state_bytes_max);
}

static void a_full_store_ends_the_sync_and_blames_nobody(void **state)
{
    (void)state;
    reopen_limited(512u << 10, STATE_BYTES_MAX);
    sides_put_entries(0, 0, 3000, 500, 1);
    sides_put_entries(1, 0, 0, 10, 1);
    sides_order(1);
    sides_run_wire();
    assert_int_equal(sides_synced(1), ERR_STORE_FULL);
    sides_assert_nobody_blamed();
}

/* Each side is within its limit; both together are not. */
static void states_too_large_together_are_nobodys_fault(void **state)
{
    (void)state;
    reopen_limited(UINT64_MAX, 64u << 10);
    sides_put_entries(0, 0, 100, 500, 1);
    sides_put_entries(1, 200, 100, 500, 1);
    sides_order(1);
    sides_run_wire();
    assert_int_equal(sides_synced(1), ERR_TOO_LARGE);
    sides_assert_nobody_blamed();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sides_set_up, sides_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_peer_that_goes_leaves_nothing_behind),
        TEST(one_that_hears_nothing_ends),
        TEST(what_is_not_here_is_answered_by_leave_and_nobody_is_blamed),
        TEST(entries_that_are_not_the_kinds_are_blamed),
        TEST(a_body_that_is_none_is_blamed),
        TEST(a_peer_that_does_not_wait_its_turn_is_walked_for_once),
        TEST(a_peer_that_begins_too_many_does_not_take_the_place_of_others),
        TEST(what_there_is_no_room_to_answer_is_answered_by_and_by),
        TEST(a_full_store_ends_the_sync_and_blames_nobody),
        TEST(states_too_large_together_are_nobodys_fault),
    };
    (void)seed_random();
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
