/* Two nodes with real storage whose sync actors talk over a wire that the test moves by hand, lane
 * by lane, in any order that lanes allow. */
#include "actors/sync_state.h"
#include "tests/unit/small_node.h"
#include "tests/unit/store_fixture.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum { RUNS = 25, SECOND = 1000 };

struct side {
    struct small_node node;
    sync_t *sync;
    peer_t other; /* as this side numbers it */
    struct mail lanes[LANE_COUNT];
    struct owed *window;    /* of what this side has not freed */
    uint64_t bodies, parts; /* sent */
    uint64_t filled;        /* that hosting was told of */
    size_t parts_bytes, parts_out, parts_out_most;
};

static struct side sides[2];
static struct subject map;

/* --- the wire ---------------------------------------------------------------------------- */

static void tell(struct side *side, enum message_kind kind)
{
    if (kind == MESSAGE_PEER_LIVE) {
        struct peer_live *live = (struct peer_live *)message_new(sizeof *live);
        live->number = side->other;
        small_node_send(&side->node, ACTOR_connections, ACTOR_sync, kind, &live->head);
    } else {
        struct peer_order *gone = (struct peer_order *)message_new(sizeof *gone);
        gone->number = side->other;
        small_node_send(&side->node, ACTOR_connections, ACTOR_sync, kind, &gone->head);
    }
    small_node_run(&side->node);
}

static void open_side(struct side *side, peer_t other)
{
    side->sync = sync_new();
    side->other = other;
    side->window = owed_new();
    small_node_add(&side->node, &sync_spec, side->sync);
    tell(side, MESSAGE_PEER_LIVE);
}

static void open_limited(uint64_t store_bytes_max, uint64_t state_bytes_max)
{
    memset(sides, 0, sizeof sides);
    for (unsigned i = 0; i < 2; i++) {
        small_node_open_limited(&sides[i].node, i ? store_bytes_max : UINT64_MAX,
                                i ? state_bytes_max : STATE_BYTES_MAX);
        open_side(&sides[i], 2 - i);
    }
}

static int set_up(void **state)
{
    (void)state;
    open_limited(UINT64_MAX, STATE_BYTES_MAX);
    subject_init(&map, "map", "m", 0);
    return 0;
}

static void close_sides(void)
{
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned lane = 0; lane < LANE_COUNT; lane++)
            mail_free(&sides[i].lanes[lane]);
        sync_destroy(&sides[i].sync);
        small_node_close(&sides[i].node);
        assert_int_equal(owed_bytes(sides[i].window), 0);
        owed_release(&sides[i].window);
    }
}

static int tear_down(void **state)
{
    (void)state;
    close_sides();
    subject_free(&map);
    return 0;
}

/* What a side sent goes into its lanes. */
static void collect(struct side *side)
{
    struct mail *sent = &side->node.actors[ACTOR_transport].mail;
    for (struct message *m = mail_pop(sent); m; m = mail_pop(sent)) {
        const struct peer_send *send = (const struct peer_send *)m;
        assert_int_equal(send->number, side->other);
        bool part = send->bytes->data[0] == PEER_DELTA;
        side->bodies += send->bytes->data[0] == PEER_SYNC;
        side->parts += part;
        side->parts_bytes += part ? send->bytes->size : 0;
        side->parts_out += part;
        if (side->parts_out > side->parts_out_most)
            side->parts_out_most = side->parts_out;
        mail_push(&side->lanes[send->lane], m);
    }
}

/* Takes from hosting's mail that the peer's sync is over. */
static void count_filled(struct side *side)
{
    struct mail *told = &side->node.actors[ACTOR_hosting].mail, all = *told;
    *told = (struct mail){0};
    for (struct message *m = mail_pop(&all); m; m = mail_pop(&all)) {
        if (m->kind == MESSAGE_FILLED) {
            assert_int_equal(((const struct sync_order *)m)->number, side->other);
            side->filled++;
            message_free(&m);
        } else {
            mail_push(told, m);
        }
    }
}

static void run_both(void)
{
    for (unsigned i = 0; i < 2; i++) {
        small_node_run(&sides[i].node);
        collect(&sides[i]);
        count_filled(&sides[i]);
    }
}

/* Gives bytes to a side as its peer's. */
static void deliver_of(struct side *to, peer_t from, struct slice bytes)
{
    struct peer_mail *mail = (struct peer_mail *)message_new(sizeof *mail);
    struct reason why;
    mail->number = from;
    mail->bytes = blob_new(bytes.size);
    memcpy(mail->bytes->data, bytes.data, bytes.size);
    if (peer_decode(blob_slice(mail->bytes), &mail->kind, &mail->body, &why) != 0)
        fail_msg("%s", why.text);
    bool ours = mail->kind == PEER_DELTA || mail->kind == PEER_SYNC;
    mail->window = owed_hold(to->window);
    mail->counted = bytes.size;
    owed_add(to->window, mail->counted);
    small_node_send(&to->node, ACTOR_transport, ours ? ACTOR_sync : ACTOR_hosting,
                    MESSAGE_PEER_MAIL, &mail->head);
}

static void deliver(struct side *to, struct slice bytes)
{
    deliver_of(to, to->other, bytes);
}

static void deliver_body(struct side *to, enum peer_kind kind, const void *body)
{
    struct buffer bytes = {0};
    assert_int_equal(peer_encode(kind, body, &bytes), 0);
    deliver(to, buffer_slice(&bytes));
    buffer_free(&bytes);
    run_both();
}

/* The first message of a lane: its sender learns that it is gone, the other side gets it. */
static bool move(unsigned from, enum lane lane)
{
    struct side *side = &sides[from];
    struct message *message = mail_pop(&side->lanes[lane]);
    if (!message)
        return false;
    const struct peer_send *send = (const struct peer_send *)message;
    deliver(&sides[1 - from], blob_slice(send->bytes));
    side->parts_out -= send->bytes->data[0] == PEER_DELTA;
    if (send->tell)
        small_node_send(&side->node, ACTOR_transport, ACTOR_sync, MESSAGE_PEER_SENT, message);
    else
        message_free(&message);
    run_both();
    return true;
}

/* Until nothing moves, lanes and sides by chance. */
static void run_wire(void)
{
    run_both();
    for (unsigned idle = 0; idle < 200;)
        idle = move((unsigned)random_below(2), (enum lane)random_below(LANE_COUNT)) ? 0 : idle + 1;
}

/* --- what tests do ----------------------------------------------------------------------- */

static void put_entries(unsigned side, unsigned from, unsigned count, size_t bytes, uint64_t stamp)
{
    struct buffer delta = {0};
    uint8_t *data = (uint8_t *)calloc(1, bytes + 1);
    memset(data, (int)('a' + side), bytes);
    for (unsigned i = from; i < from + count; i++) {
        char field[16];
        (void)snprintf(field, sizeof field, "f%06u", i);
        map_entry(&delta, field, stamp, slice_of(data, bytes));
    }
    small_node_put(&sides[side].node, &map.contract, buffer_slice(&delta), 0);
    buffer_free(&delta);
    free(data);
}

static void order(unsigned side)
{
    struct sync_order *wanted = (struct sync_order *)message_new(sizeof *wanted);
    wanted->number = sides[side].other;
    wanted->key = map.contract.key;
    small_node_send(&sides[side].node, ACTOR_hosting, ACTOR_sync, MESSAGE_SYNC, &wanted->head);
    run_both();
}

/* Hosting's one answer. */
static int synced(unsigned side)
{
    struct message *message = small_node_take(&sides[side].node, ACTOR_hosting, MESSAGE_SYNCED);
    const struct sync_order *told = (const struct sync_order *)message;
    int code = told->code;
    assert_memory_equal(&told->key, &map.contract.key, sizeof told->key);
    assert_int_equal(told->number, sides[side].other);
    message_free(&message);
    return code;
}

static void assert_equal_sides(void)
{
    struct fingerprint a = small_node_fingerprint(&sides[0].node, &map.contract.key);
    struct fingerprint b = small_node_fingerprint(&sides[1].node, &map.contract.key);
    assert_memory_equal(a.bytes, b.bytes, FINGERPRINT_BYTES);
}

static struct mail *mail_of(unsigned side, enum actor_id actor)
{
    return &sides[side].node.actors[actor].mail;
}

static void assert_nobody_blamed(void)
{
    assert_null(mail_of(0, ACTOR_connections)->first);
    assert_null(mail_of(1, ACTOR_connections)->first);
}

static void take_blame(unsigned side)
{
    struct message *message = small_node_take(&sides[side].node, ACTOR_connections, MESSAGE_BLAME);
    assert_int_equal(((struct peer_order *)message)->number, sides[side].other);
    assert_int_equal(((struct peer_order *)message)->reason, CLOSE_misbehaved);
    message_free(&message);
}

/* --- two that differ --------------------------------------------------------------------- */

static void equal_states_need_no_entries(void **state)
{
    (void)state;
    put_entries(0, 0, 500, 20, 1);
    put_entries(1, 500, 0, 20, 1);
    order(0);
    run_wire();
    assert_int_equal(synced(0), 0);
    assert_equal_sides();
    uint64_t before = sides[0].parts + sides[1].parts;
    order(1);
    run_wire();
    assert_int_equal(synced(1), 0);
    assert_int_equal(sides[0].parts + sides[1].parts, before);
    assert_int_equal(sides[0].filled, 1);
    assert_int_equal(sides[1].filled, 1);
}

static void random_states_become_equal(void **state)
{
    (void)state;
    for (unsigned run = 0; run < RUNS; run++) {
        char name[16];
        subject_free(&map);
        (void)snprintf(name, sizeof name, "run%u", run);
        subject_init(&map, "map", name, 0);
        for (unsigned side = 0; side < 2; side++) {
            put_entries(side, 0, 0, 1, 1);
            for (size_t pieces = random_below(6); pieces > 0; pieces--)
                put_entries(side, (unsigned)random_below(3000), (unsigned)random_below(800),
                            random_below(100), 1 + random_below(3));
        }
        unsigned opener = (unsigned)random_below(2);
        order(opener);
        run_wire();
        assert_int_equal(synced(opener), 0);
        assert_equal_sides();
    }
    assert_nobody_blamed();
}

static void one_that_has_nothing_gets_all(void **state)
{
    (void)state;
    put_entries(0, 0, 3000, 100, 1);
    put_entries(1, 0, 0, 1, 1);
    order(1);
    run_wire();
    assert_int_equal(synced(1), 0);
    assert_equal_sides();
    assert_int_equal(sides[1].parts, 0);
}

static void entries_as_large_as_can_be_are_parts_of_their_own(void **state)
{
    (void)state;
    put_entries(0, 0, 3, ENTRY_VALUE_BYTES_MAX - 64, 1);
    put_entries(1, 10, 40, 10, 1);
    order(1);
    run_wire();
    assert_int_equal(synced(1), 0);
    assert_equal_sides();
    assert_int_equal(sides[0].parts, 3);
}

static void both_may_begin_at_once(void **state)
{
    (void)state;
    for (unsigned run = 0; run < RUNS; run++) {
        put_entries(0, 1000 * run, 200, 30, 1);
        put_entries(1, 1000 * run + 100, 200, 30, 2);
        order(0);
        order(1);
        run_wire();
        assert_int_equal(synced(0), 0);
        assert_int_equal(synced(1), 0);
        assert_equal_sides();
    }
    assert_nobody_blamed();
}

/* Changes that came after the walk has passed their place are for another sync. */
static void one_wanted_while_one_goes_on_follows_it(void **state)
{
    (void)state;
    put_entries(0, 0, 2000, 30, 1);
    put_entries(1, 5000, 2000, 30, 1);
    order(0);
    for (unsigned i = 0; i < 4; i++)
        (void)(move(0, LANE_small) || move(1, LANE_bulk) || move(1, LANE_small));
    put_entries(0, 0, 1, 30, 9);
    struct follow *behind = (struct follow *)message_new(sizeof *behind);
    behind->number = sides[0].other;
    behind->key = map.contract.key;
    small_node_send(&sides[0].node, ACTOR_subscribe, ACTOR_sync, MESSAGE_FELL_BEHIND,
                    &behind->head);
    run_wire();
    assert_int_equal(synced(0), 0);
    assert_equal_sides();
}

/* Who answers knows when it has all: until then its copy may be half of one. */
static void who_answers_tells_hosting_when_all_of_it_is_merged(void **state)
{
    (void)state;
    put_entries(0, 0, 20000, 100, 1);
    put_entries(1, 0, 0, 1, 1);
    order(0);
    while (sides[1].filled == 0) {
        assert_true(move(0, LANE_small) || move(1, LANE_small) || move(0, LANE_bulk) ||
                    move(1, LANE_bulk));
    }
    assert_int_equal(synced(0), 0);
    assert_equal_sides();
    assert_int_equal(sides[0].filled, 0);
    assert_int_equal(sides[1].filled, 1);
}

/* --- what holds it back ------------------------------------------------------------------ */

static void a_peer_that_takes_nothing_is_sent_two_parts(void **state)
{
    (void)state;
    put_entries(0, 0, 20000, 100, 1);
    put_entries(1, 0, 0, 1, 1);
    order(1);
    assert_true(move(1, LANE_small)); /* the opening; nothing of what 0 sends is taken */
    run_both();
    assert_int_equal(sides[0].parts, 2);
    run_wire();
    assert_int_equal(synced(1), 0);
    assert_int_equal(sides[0].parts_out_most, 2);
    assert_equal_sides();
}

static void send_delta(unsigned to, const char *field, const char *data)
{
    struct buffer delta = map_delta(field, 7, slice_text(data));
    struct peer_delta body = {.entries = buffer_slice(&delta)};
    memcpy(body.key, map.contract.key.bytes, sizeof body.key);
    deliver_body(&sides[to], PEER_DELTA, &body);
    buffer_free(&delta);
}

static void a_change_of_a_peer_is_held_until_it_is_durable_and_tells_its_origin(void **state)
{
    (void)state;
    put_entries(1, 0, 1, 10, 1);
    struct watch *watch = (struct watch *)message_new(sizeof *watch);
    watch->key = map.contract.key;
    watch->on = true;
    small_node_send(&sides[1].node, ACTOR_subscribe, ACTOR_storage, MESSAGE_WATCH, &watch->head);
    small_node_pause(&sides[1].node, ACTOR_journal, true);
    send_delta(1, "new", "x");
    assert_true(owed_bytes(sides[1].window) > 0);
    small_node_pause(&sides[1].node, ACTOR_journal, false);
    run_both();
    assert_int_equal(owed_bytes(sides[1].window), 0);
    struct message *message = small_node_take(&sides[1].node, ACTOR_subscribe, MESSAGE_CHANGED);
    assert_int_equal(((struct changed *)message)->origin, sides[1].other);
    message_free(&message);
}

/* Lets the journal have all that waits for it but the last. */
static void flush_all_but_one(struct small_node *node)
{
    struct small_actor *journal = &node->actors[ACTOR_journal];
    assert_true(journal->mail.count > 1);
    while (journal->mail.count > 1)
        mail_push(&node->queue, mail_pop(&journal->mail));
    struct message *last = mail_pop(&journal->mail);
    journal->paused = false;
    small_node_run(node);
    journal->paused = true;
    mail_push(&journal->mail, last);
}

/* A contract that many write to has some change under way at every moment. */
static void a_body_waits_for_what_came_before_it_and_not_for_what_comes_after(void **state)
{
    (void)state;
    put_entries(0, 0, 300, 10, 1);
    put_entries(1, 100, 300, 10, 2);
    order(0);
    assert_true(move(0, LANE_small));
    while (move(1, LANE_bulk) || move(1, LANE_small))
        ;
    small_node_pause(&sides[1].node, ACTOR_journal, true);
    while (move(0, LANE_bulk) || move(0, LANE_small)) /* what 1 lacks, and the body */
        ;
    send_delta(1, "after", "x");
    assert_null(sides[1].node.storage->walks_for_flush.first);
    flush_all_but_one(&sides[1].node);
    assert_true(owed_bytes(sides[1].window) > 0);
    /* the walk to answer it saw "after" and waits for that flush: nothing else holds it */
    assert_int_equal(sides[1].node.storage->walks_for_flush.count, 1);
    small_node_pause(&sides[1].node, ACTOR_journal, false);
    run_wire();
    assert_int_equal(synced(0), 0);
}

/* --- ends that are none ------------------------------------------------------------------ */

static void a_peer_that_goes_leaves_nothing_behind(void **state)
{
    (void)state;
    put_entries(0, 0, 5000, 100, 1);
    put_entries(1, 3000, 5000, 100, 1);
    for (unsigned moves = 0; moves < 40; moves++) {
        order(0);
        order(1);
        for (unsigned i = 0; i < moves; i++)
            (void)move((unsigned)random_below(2), (enum lane)random_below(LANE_COUNT));
        tell(&sides[0], MESSAGE_PEER_GONE);
        tell(&sides[1], MESSAGE_PEER_GONE);
        run_both();
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
            mail_free(mail_of(i, ACTOR_hosting));
            mail_free(mail_of(i, ACTOR_transport));
        }
        tell(&sides[0], MESSAGE_PEER_LIVE);
        tell(&sides[1], MESSAGE_PEER_LIVE);
    }
    order(0);
    run_wire();
    assert_int_equal(synced(0), 0);
    assert_equal_sides();
}

static void one_that_hears_nothing_ends(void **state)
{
    (void)state;
    put_entries(0, 0, 50, 10, 1);
    order(0);
    small_node_advance_ms(&sides[0].node, SYNC_TIMEOUT_MS - SECOND);
    assert_null(mail_of(0, ACTOR_hosting)->first);
    small_node_advance_ms(&sides[0].node, 2 * SECOND);
    assert_int_equal(synced(0), ERR_TIMEOUT);
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
    put_entries(0, 0, 50, 10, 1);
    order(0);
    assert_true(move(0, LANE_small));
    take_leave(1);
    send_delta(1, "f", "x");
    take_stray(1);
    assert_nobody_blamed();
    assert_int_equal(sides[1].bodies, 0);
    order(1); /* nor can it begin one */
    assert_int_equal(synced(1), ERR_NOT_FOUND);
}

static void entries_that_are_not_the_kinds_are_blamed(void **state)
{
    (void)state;
    struct peer_delta body = {.entries = slice_text("\x03"
                                                    "abc"
                                                    "nonsense")};
    put_entries(1, 0, 50, 10, 1);
    memcpy(body.key, map.contract.key.bytes, sizeof body.key);
    order(1);
    deliver_body(&sides[1], PEER_DELTA, &body);
    take_blame(1);
    assert_int_equal(synced(1), ERR_BAD_STATE);
}

static void a_body_that_is_none_is_blamed(void **state)
{
    (void)state;
    struct peer_sync body = {.body = slice_text("no body at all")};
    put_entries(1, 0, 50, 10, 1);
    memcpy(body.key, map.contract.key.bytes, sizeof body.key);
    deliver_body(&sides[1], PEER_SYNC, &body);
    take_blame(1);
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
    struct state_reader nothing = store_reader(sides[0].node.store, &map.contract.key);
    struct buffer entries = {0};
    assert_int_equal(sync_walk_step(walk, &nothing, 9, 9, &entries, NULL), 0);
    body.body = sync_walk_body(walk);
    memcpy(body.salt, salt, sizeof body.salt);
    assert_int_equal(peer_encode(PEER_SYNC, &body, &bytes), 0);
    deliver_of(&sides[1], from, buffer_slice(&bytes));
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
    return mail_of(side, ACTOR_storage)->count;
}

/* However often it speaks, a peer has one walk for a contract made, and one body of it kept. */
static void a_peer_that_does_not_wait_its_turn_is_walked_for_once(void **state)
{
    (void)state;
    const struct contract_key *key = &map.contract.key;
    put_entries(1, 0, 50, 10, 1);
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
    run_both();
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
    tell(&sides[1], MESSAGE_PEER_GONE);
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
    struct mail *told = mail_of(1, ACTOR_transport); /* each, that the contract is not here */
    assert_int_equal(told->count, SYNCS_ANSWERED_MAX);
    mail_free(told);
}

static void reopen_limited(uint64_t store_bytes_max, uint64_t state_bytes_max)
{
    close_sides();
    open_limited(store_bytes_max, state_bytes_max);
}

static void a_full_store_ends_the_sync_and_blames_nobody(void **state)
{
    (void)state;
    reopen_limited(512u << 10, STATE_BYTES_MAX);
    put_entries(0, 0, 3000, 500, 1);
    put_entries(1, 0, 0, 10, 1);
    order(1);
    run_wire();
    assert_int_equal(synced(1), ERR_STORE_FULL);
    assert_nobody_blamed();
}

/* Each side is within its limit; both together are not. */
static void states_too_large_together_are_nobodys_fault(void **state)
{
    (void)state;
    reopen_limited(UINT64_MAX, 64u << 10);
    put_entries(0, 0, 100, 500, 1);
    put_entries(1, 200, 100, 500, 1);
    order(1);
    run_wire();
    assert_int_equal(synced(1), ERR_TOO_LARGE);
    assert_nobody_blamed();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(equal_states_need_no_entries),
        TEST(random_states_become_equal),
        TEST(one_that_has_nothing_gets_all),
        TEST(entries_as_large_as_can_be_are_parts_of_their_own),
        TEST(both_may_begin_at_once),
        TEST(who_answers_tells_hosting_when_all_of_it_is_merged),
        TEST(one_wanted_while_one_goes_on_follows_it),
        TEST(a_peer_that_takes_nothing_is_sent_two_parts),
        TEST(a_change_of_a_peer_is_held_until_it_is_durable_and_tells_its_origin),
        TEST(a_body_waits_for_what_came_before_it_and_not_for_what_comes_after),
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
