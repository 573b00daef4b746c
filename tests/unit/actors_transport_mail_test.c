/* The mail of all peers has one budget: the heaviest is not read, the others are, clients do not
 * hear of it, and nothing is lost. */
#include "actors/transport_state.h"
#include "tests/unit/transport_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { HEAVY = 6, MESSAGES = 40, BYTES = 100000 };

static const uint64_t budget = 4 << 20;

static struct net *net_with_budget(void)
{
    static struct net net;
    net_init(&net);
    net.mail_bytes_max = budget;
    net_start(&net, 0);
    return &net;
}

static uint64_t heavy_count(const struct net *net)
{
    return transport_counters(net->nodes[1].transport)->heavy;
}

/* Bytes of mail that node 1 handed on; how many of this connection. */
static uint64_t held(const struct net *net, peer_t number, unsigned *count)
{
    uint64_t bytes = 0;
    *count = 0;
    for (const struct message *m = net->nodes[1].got.first; m; m = m->next) {
        const struct peer_mail *mail = (const struct peer_mail *)m;
        if (m->kind != MESSAGE_PEER_MAIL)
            continue;
        bytes += mail->counted;
        *count += mail->number == number;
    }
    return bytes;
}

static void the_heaviest_peers_are_not_read_and_the_others_are(void **state) /* lessons C3, C5 */
{
    (void)state;
    unsigned count;
    struct net *net = net_with_budget();
    struct pipe_ends heavy[HEAVY], light = net_live(net);
    struct peer_delta large = net_delta(BYTES), small = net_delta(100);
    for (unsigned p = 0; p < HEAVY; p++)
        heavy[p] = net_live(net);
    for (unsigned m = 0; m < MESSAGES; m++)
        for (unsigned p = 0; p < HEAVY; p++)
            net_send(net, 0, heavy[p].at[0], LANE_bulk, PEER_DELTA, &large);
    net_run(net);
    uint64_t most = budget + HEAVY * LANE_GRANT_BYTES + HEAVY * 2 * BYTES;
    assert_in_range(held(net, 0, &count) + net->nodes[1].transport->unfinished, budget, most);
    assert_in_range(heavy_count(net), HEAVY / 2, HEAVY);
    assert_int_equal(owed_bytes_of_all(), 0); /* large reads of clients do not wait for it */
    for (unsigned i = 0; i < 50; i++) {
        net_send(net, 0, light.at[0], LANE_small, PEER_DELTA, &small);
        net_run(net);
        (void)held(net, light.at[1], &count);
        assert_int_equal(count, i + 1);
    }
    unsigned got = 0;
    for (unsigned rounds = 0; got < HEAVY * MESSAGES && rounds < 1000; rounds++) {
        for (unsigned p = 0; p < HEAVY; p++) {
            (void)held(net, heavy[p].at[1], &count);
            got += count;
        }
        net_ignore(net, 1);
        net_advance_ms(net, PEER_WINDOW_RETRY_MS);
    }
    assert_int_equal(got, HEAVY * MESSAGES);
    assert_true(net_is_quiet(net, 0)); /* nothing was closed */
    net_free(net);
}

/* What a connection left behind when it closed counts on until it is freed. */
static void mail_of_a_closed_connection_is_counted_on(void **state)
{
    (void)state;
    unsigned count;
    struct net *net = net_with_budget();
    struct peer_delta large = net_delta(BYTES);
    struct mail kept = {0};
    for (unsigned p = 0; p < HEAVY; p++) {
        struct pipe_ends ends = net_live(net);
        for (unsigned m = 0; m < 2 * MESSAGES; m++)
            net_send(net, 0, ends.at[0], LANE_bulk, PEER_DELTA, &large);
        net_run(net);
        (void)held(net, 0, &count);
        mail_move(&kept, &net->nodes[1].got);
        net_order(net, 0, MESSAGE_HANG_UP, ends.at[0], CLOSE_removed, NULL);
        net_order(net, 1, MESSAGE_HANG_UP, ends.at[1], CLOSE_removed, NULL);
        net_advance_ms(net, GOODBYE_MS);
        net_ignore(net, 0);
        net_ignore(net, 1);
    }
    mail_move(&net->nodes[1].got, &kept);
    assert_in_range(held(net, 0, &count), budget, budget + HEAVY * (LANE_GRANT_BYTES + 2 * BYTES));
    net_free(net);
}

/* --- messages that are not whole ----------------------------------------------------------- */

enum { FAKES = 12, BEGUN = 500000 };

/* A part of a message in a lane, from a peer at node 0 that makes its frames by hand. */
static void send_part(struct net *net, peer_t number, enum lane lane, struct slice part, bool last)
{
    transport_t *transport = net->nodes[0].transport;
    struct peer_link *link = links_find(&transport->links, number);
    while (link && part.size) {
        uint8_t plain[RECORD_PLAIN_BYTES_MAX];
        size_t most = sizeof plain - LANE_HEAD_BYTES, piece = part.size < most ? part.size : most;
        plain[0] = (uint8_t)((unsigned)lane | (last && piece == part.size ? LANE_LAST : 0));
        put_u16(plain + 1, (uint16_t)piece);
        memcpy(plain + LANE_HEAD_BYTES, part.data, piece);
        struct slice frame = slice_of(plain, LANE_HEAD_BYTES + piece);
        assert_int_equal(session_seal(link->session, frame, false, &link->out), 0);
        links_unsent(&transport->links, link, true);
        net_run(net);
        part = slice_after(part, piece);
        link = links_find(&transport->links, number);
    }
}

/* A message begins, and that is all. */
static void begin_message(struct net *net, peer_t number, enum lane lane)
{
    static const uint8_t begun[BEGUN];
    send_part(net, number, lane, slice_of(begun, sizeof begun), false);
}

/* What node 1 holds of messages that are not whole. */
static uint64_t unfinished(const struct net *net)
{
    return net->nodes[1].transport->unfinished;
}

static bool is_live(const struct net *net, peer_t number)
{
    const struct peer_link *link = links_find(&net->nodes[1].transport->links, number);
    return link && link->state == LINK_live;
}

static void messages_that_are_never_whole_stay_within_half_of_the_budget(void **state)
{
    (void)state;
    struct net *net = net_with_budget();
    struct pipe_ends fakes[FAKES];
    for (unsigned f = 0; f < FAKES; f++)
        fakes[f] = net_live(net);
    for (unsigned f = 0; f < FAKES; f++) {
        begin_message(net, fakes[f].at[0], f % 2 ? LANE_bulk : LANE_small);
        assert_in_range(unfinished(net), BEGUN, budget / 2);
        net_advance_ms(net, 100);
    }
    size_t most = budget / 2 / BEGUN;
    for (unsigned f = 0; f < FAKES; f++) /* who has held most for longest went first */
        assert_int_equal(is_live(net, fakes[f].at[1]), f >= FAKES - most);
    assert_int_equal(transport_counters(net->nodes[1].transport)->unfinished, FAKES - most);
    net_expect_closed(net, 1, fakes[0].at[1], CLOSE_misbehaved, "does not end");
    net_free(net);
    assert_int_equal(owed_bytes_of_all(), 0);
}

/* lesson C5: whose line is slow does not pay for them. */
static void a_slow_peers_message_becomes_whole_beside_greedy_ones(void **state)
{
    (void)state;
    unsigned count;
    struct net *net = net_with_budget();
    struct pipe_ends slow = net_live(net), light = net_live(net);
    struct peer_delta large = net_delta(BYTES);
    struct buffer bytes = {0};
    assert_int_equal(peer_encode(PEER_DELTA, &large, &bytes), 0);
    struct slice part = slice_of(bytes.data, bytes.size / 2);
    send_part(net, slow.at[0], LANE_bulk, part, false);
    for (unsigned f = 0; f < FAKES; f++) {
        net_ignore(net, 0); /* of those that were hung up on */
        struct pipe_ends fake = net_live(net);
        net_advance_ms(net, 1000);
        begin_message(net, fake.at[0], LANE_bulk);
        net_ignore(net, 1);
        net_send(net, 0, light.at[0], LANE_bulk, PEER_DELTA, &large);
        net_run(net);
        (void)held(net, light.at[1], &count);
        assert_int_equal(count, 1);
        net_ignore(net, 1);
    }
    part = slice_after(buffer_slice(&bytes), part.size);
    send_part(net, slow.at[0], LANE_bulk, part, true);
    (void)held(net, slow.at[1], &count);
    assert_int_equal(count, 1);
    buffer_free(&bytes);
    net_free(net);
}

/* It cannot send the rest: that is this node's doing, however long it takes. */
static void who_is_not_read_is_not_hung_up_on_for_what_it_began(void **state)
{
    (void)state;
    unsigned count;
    struct net *net = net_with_budget();
    struct pipe_ends still = net_live(net);
    struct peer_delta large = net_delta(BEGUN + 1000);
    struct peer_ping ping = {.sent_us = 1};
    struct buffer bytes = {0};
    struct mail kept = {0};
    assert_int_equal(peer_encode(PEER_DELTA, &large, &bytes), 0);
    struct slice part = slice_of(bytes.data, BEGUN);
    const struct peer_link *link = links_find(&net->nodes[1].transport->links, still.at[1]);
    send_part(net, still.at[0], LANE_bulk, part, false);
    while (!link->paused) { /* nobody here frees them */
        net_send(net, 0, still.at[0], LANE_control, PEER_PING, &ping);
        net_run(net);
    }
    mail_move(&kept, &net->nodes[1].got);
    for (unsigned f = 0; f < FAKES; f++) {
        begin_message(net, net_live(net).at[0], LANE_bulk);
        net_advance_ms(net, 1000);
        net_ignore(net, 0); /* of those that were hung up on */
        net_ignore(net, 1);
    }
    assert_true(is_live(net, still.at[1]));
    mail_free(&kept);
    net_advance_ms(net, PEER_WINDOW_RETRY_MS);
    assert_false(link->paused);
    begin_message(net, net_live(net).at[0], LANE_bulk); /* before it can go on */
    net_ignore(net, 1);
    part = slice_after(buffer_slice(&bytes), part.size);
    send_part(net, still.at[0], LANE_bulk, part, true);
    (void)held(net, still.at[1], &count);
    assert_int_equal(count, 1);
    buffer_free(&bytes);
    net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_heaviest_peers_are_not_read_and_the_others_are),
        cmocka_unit_test(mail_of_a_closed_connection_is_counted_on),
        cmocka_unit_test(messages_that_are_never_whole_stay_within_half_of_the_budget),
        cmocka_unit_test(a_slow_peers_message_becomes_whole_beside_greedy_ones),
        cmocka_unit_test(who_is_not_read_is_not_hung_up_on_for_what_it_began),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
