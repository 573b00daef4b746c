/* The mail of all peers has one budget: the heaviest is not read, the others are, clients do not
 * hear of it, and nothing is lost. */
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
        assert_int_equal(m->kind, MESSAGE_PEER_MAIL);
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
    assert_in_range(held(net, 0, &count), budget, most);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_heaviest_peers_are_not_read_and_the_others_are),
        cmocka_unit_test(mail_of_a_closed_connection_is_counted_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
