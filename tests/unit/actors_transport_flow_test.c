/* What flows over live connections: full is not closed, nothing is lost, nobody waits for somebody
 * else's bulk. */
#include "tests/support/heap.h"
#include "tests/unit/transport_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* A peer's delta from subscribe: one entry whose value begins with its number. */
static void notify(struct net *net, int node, peer_t number, uint32_t what, size_t bytes)
{
    struct notify *notify = message_new(sizeof *notify);
    struct buffer entry = {0};
    notify->client = FOLLOWER_PEER | number;
    buffer_append(&entry, "\1k", 2);
    buffer_append_u32(&entry, (uint32_t)bytes);
    buffer_append_u32(&entry, what);
    (void)buffer_grow(&entry, bytes - 4);
    size_t size = entry.size;
    notify->bytes = blob_adopt(buffer_steal(&entry), size);
    notify->delta = blob_slice(notify->bytes);
    net_give(net, node, ACTOR_subscribe, MESSAGE_NOTIFY, &notify->head);
}

static uint32_t what_of(const struct peer_mail *mail)
{
    assert_int_equal(mail->kind, PEER_DELTA);
    return get_u32(mail->body.delta.entries.data + 6);
}

/* lesson C3: a receiver that frees ten messages a second; the sender offers 10,000 deltas as fast
 * as it may. It is told to keep them (NOTIFY_BACK) and when to go on (CLIENT_READY); none is lost,
 * nothing is closed, both ends hold a bounded amount. */
static void a_flood_meets_back_pressure_and_loses_nothing(void **unused)
{
    (void)unused;
    enum { DELTAS = 10000, BYTES = 1000, SLOW = 20 };
    struct net *net = net_new();
    struct pipe_ends ends = net_live(net);
    struct mail held = {0};
    uint32_t next = 0, freed = 0, backs = 0, readies = 0;
    static uint32_t got[DELTAS];
    size_t before = heap_bytes(), most = 0, behind = 0;
    while (freed < DELTAS) {
        while (next < DELTAS && !behind) {
            notify(net, 0, ends.at[0], next, BYTES);
            net_run(net);
            for (struct message *m = mail_pop(&net->nodes[0].got); m;
                 m = mail_pop(&net->nodes[0].got)) {
                assert_int_equal(m->kind, MESSAGE_NOTIFY_BACK);
                behind = 1;
                backs++;
                net_drop(m);
            }
            next += !behind; /* what came back is offered again when the peer reads */
        }
        net_run(net);
        mail_move(&held, &net->nodes[1].got);
        size_t heap = heap_bytes();
        most = heap > most ? heap : most;
        for (unsigned n = freed < 2000 ? 1 : 500; n && held.first; n--) { /* slow, then faster */
            struct message *m = mail_pop(&held);
            assert_int_equal(m->kind, MESSAGE_PEER_MAIL);
            got[what_of((struct peer_mail *)m)]++;
            freed++;
            net_drop(m);
        }
        net_advance_ms(net, 100);
        for (struct message *m = mail_pop(&net->nodes[0].got); m;
             m = mail_pop(&net->nodes[0].got)) {
            assert_int_equal(m->kind, MESSAGE_CLIENT_READY);
            assert_true(((struct client *)m)->client == (FOLLOWER_PEER | ends.at[0]));
            behind = 0;
            readies++;
            net_drop(m);
        }
    }
    for (uint32_t i = 0; i < DELTAS; i++)
        assert_int_equal(got[i], 1);
    assert_true(backs >= 1 && backs == readies);
    assert_true(most - before < 2 * (LANE_WINDOW_BYTES + PEER_QUEUE_BYTES_MAX) + (1u << 20));
    assert_int_equal(wire_pair_dials(net->wires, 0), 1);
    assert_int_equal(wire_pair_open(net->wires, 1), 1);
    net_free(net);
}

/* A receiver that frees nothing still reads pings: the far end does not take it for dead. */
static void a_full_window_does_not_stop_pings(void **unused)
{
    (void)unused;
    struct net *net = net_new();
    struct pipe_ends ends = net_live(net);
    for (uint32_t i = 0; i < 800; i++) {
        struct peer_delta delta = net_delta(8000);
        net_send(net, 0, ends.at[0], i % 2 ? LANE_small : LANE_bulk, PEER_DELTA, &delta);
    }
    net_run(net);
    struct mail held = {0};
    mail_move(&held, &net->nodes[1].got);
    assert_true(held.count < 550);
    for (uint64_t i = 0; i < 5; i++) {
        net_send(net, 0, ends.at[0], LANE_control, PEER_PING, &(struct peer_ping){i});
        net_advance_ms(net, 1000);
        struct peer_mail *mail = net_expect(net, 1, MESSAGE_PEER_MAIL);
        assert_int_equal(mail->kind, PEER_PING);
        net_drop(mail);
    }
    assert_true(net_is_quiet(net, 1));
    mail_free(&held);
    net_advance_ms(net, 10);
    assert_true(net->nodes[1].got.count > 200);
    net_free(net);
}

/* Control mail that nobody frees: then it is not read any more, and its silence says nothing. */
static void unfreed_control_mail_pauses_reading(void **unused)
{
    (void)unused;
    enum { PINGS = 4000 };
    struct net *net = net_new();
    net_dial(net, 0, 2, 1, wire_pair_address(1));
    net_run(net);
    struct opened *opened = net_expect(net, 1, MESSAGE_OPENED);
    net_drop(net_expect(net, 0, MESSAGE_OPENED));
    for (int n = 0; n < 2; n++)
        net_order(net, n, MESSAGE_ADMIT, n ? opened->number : 2, CLOSE_goodbye, NULL);
    for (uint64_t i = 0; i < PINGS; i++)
        net_send(net, 0, 2, LANE_control, PEER_PING, &(struct peer_ping){i});
    net_run(net);
    size_t count = net->nodes[1].got.count;
    assert_true(opened->traffic->paused);
    assert_true(count < PINGS && count * LANE_FRAME_COST < 2 * CONTROL_WINDOW_BYTES);
    uint64_t heard_ms = opened->traffic->heard_ms;
    net_advance_ms(net, 50);
    assert_int_equal(opened->traffic->heard_ms, heard_ms);
    assert_int_equal(net->nodes[1].got.count, count);
    size_t all = 0;
    while (all < PINGS) {
        assert_true(net->nodes[1].got.count > 0);
        all += net->nodes[1].got.count;
        net_ignore(net, 1);
        net_advance_ms(net, 5);
    }
    assert_false(opened->traffic->paused);
    assert_true(opened->traffic->heard_ms > heard_ms);
    net_drop(opened);
    net_free(net);
}

/* 50 MiB of bulk on the way: a ping and a small delta are behind a few records at most, those that
 * were sealed when they came. */
static void bulk_does_not_hold_up_pings_and_small_deltas(void **unused)
{
    (void)unused;
    enum { PIECES = 800, ROOM = 64 << 10 };
    struct net *net = net_new();
    struct pipe_ends ends = net_live(net);
    struct peer_delta piece = net_delta(64 << 10), delta = net_delta(200);
    size_t bulk = 0, pings = 0, asked = 0, small = 0;
    for (uint32_t i = 0; i < 300; i++)
        net_send(net, 0, ends.at[0], LANE_bulk, PEER_DELTA, &piece);
    for (uint32_t sent = 300; bulk < PIECES;) {
        size_t before = bulk;
        if (pings == asked) {
            net_send(net, 0, ends.at[0], LANE_control, PEER_PING, &(struct peer_ping){asked++});
            net_send(net, 0, ends.at[0], LANE_small, PEER_DELTA, &delta);
        }
        while (pings < asked || small < asked) {
            net_turn(net, 0);
            net_turn(net, 1);
            for (struct message *m = mail_pop(&net->nodes[1].got); m;
                 m = mail_pop(&net->nodes[1].got)) {
                const struct peer_mail *mail = (struct peer_mail *)m;
                if (mail->kind == PEER_PING)
                    pings++;
                else if (mail->body.delta.entries.size > 8192)
                    bulk++;
                else
                    small++;
                net_drop(m);
            }
            assert_true((bulk - before) * (64 << 10) <=
                        ROOM + PEER_WRITE_BYTES + 2 * RECORD_PLAIN_BYTES_MAX + (64 << 10));
        }
        for (; sent < PIECES && sent < bulk + 300; sent++)
            net_send(net, 0, ends.at[0], LANE_bulk, PEER_DELTA, &piece);
    }
    assert_true(pings > PIECES / 8);
    net_free(net);
}

/* lesson C5: two connections, one whose mail nobody frees. */
static void a_stalled_connection_does_not_hold_up_another(void **unused)
{
    (void)unused;
    struct net *net = net_new();
    struct pipe_ends stalled = net_live(net), healthy = net_live(net);
    struct mail held = {0};
    size_t turns[2] = {0};
    for (int with = 0; with < 2; with++) {
        struct peer_delta delta = net_delta(8000);
        for (uint32_t i = 0; with && i < 1000; i++)
            net_send(net, 0, stalled.at[0], LANE_small, PEER_DELTA, &delta);
        net_run(net);
        mail_move(&held, &net->nodes[1].got);
        for (uint32_t i = 0; i < 1000; i++) {
            notify(net, 0, healthy.at[0], i, 500);
            for (bool came = false; !came; turns[with]++) {
                net_turn(net, 0);
                net_turn(net, 1);
                came = !net_is_quiet(net, 1);
            }
            struct peer_mail *mail = net_expect(net, 1, MESSAGE_PEER_MAIL);
            assert_int_equal(mail->number, healthy.at[1]);
            net_drop(mail);
        }
    }
    assert_true(held.count > 200);
    assert_true(turns[1] <= 2 * turns[0]);
    mail_free(&held);
    net_free(net);
}

static void a_large_delta_goes_in_pieces_of_whole_entries(void **unused)
{
    (void)unused;
    enum { ENTRIES = 1000, VALUE = 300 };
    struct net *net = net_new();
    struct pipe_ends ends = net_live(net);
    struct notify *it = message_new(sizeof *it);
    struct buffer all = {0}, came = {0};
    for (uint32_t i = 0; i < ENTRIES; i++) {
        buffer_append_u8(&all, 4);
        buffer_append_u32(&all, i);
        buffer_append_u32(&all, VALUE);
        (void)buffer_grow(&all, VALUE);
    }
    struct slice whole = buffer_slice(&all);
    it->client = FOLLOWER_PEER | ends.at[0];
    it->bytes = blob_new(all.size);
    memcpy(it->bytes->data, all.data, all.size);
    it->delta = blob_slice(it->bytes);
    net_give(net, 0, ACTOR_subscribe, MESSAGE_NOTIFY, &it->head);
    net_run(net);
    size_t pieces = 0;
    for (; !net_is_quiet(net, 1); pieces++) {
        struct peer_mail *mail = net_expect(net, 1, MESSAGE_PEER_MAIL);
        assert_int_equal(mail->head.to, ACTOR_sync);
        assert_true(mail->body.delta.entries.size <= PEER_PIECE_BYTES);
        assert_int_equal(mail->body.delta.entries.size % (9 + VALUE), 0);
        buffer_append_slice(&came, mail->body.delta.entries);
        net_drop(mail);
    }
    assert_int_equal(pieces, 5);
    assert_true(slice_equal(buffer_slice(&came), whole));
    buffer_free(&all);
    buffer_free(&came);
    net_free(net);
}

static void a_peer_that_takes_no_answers_is_hung_up_on_at_the_ceiling(void **unused)
{
    (void)unused;
    struct net *net = net_new();
    struct pipe_ends ends = net_live(net);
    struct peer_delta delta = net_delta(1 << 20);
    wire_pair_hold(net->wires, 0, true);
    for (uint32_t i = 0; i < 40 && net_is_quiet(net, 0); i++) {
        net_send(net, 0, ends.at[0], LANE_bulk, PEER_DELTA, &delta);
        net_run(net);
    }
    net_advance_ms(net, GOODBYE_MS + 1);
    net_expect_closed(net, 0, ends.at[0], CLOSE_misbehaved, "does not take");
    net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flood_meets_back_pressure_and_loses_nothing),
        cmocka_unit_test(a_full_window_does_not_stop_pings),
        cmocka_unit_test(unfreed_control_mail_pauses_reading),
        cmocka_unit_test(bulk_does_not_hold_up_pings_and_small_deltas),
        cmocka_unit_test(a_stalled_connection_does_not_hold_up_another),
        cmocka_unit_test(a_large_delta_goes_in_pieces_of_whole_entries),
        cmocka_unit_test(a_peer_that_takes_no_answers_is_hung_up_on_at_the_ceiling),
    };
    return cmocka_run_group_tests_name("actors_transport_flow", tests, NULL, NULL);
}
