/* Networks of connections actors: who ends up connected to whom, and who dialled. */
#include "tests/unit/connections_net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const size_t first = 0; /* the gateway of all networks here */

static uint64_t seed;

/* n nodes; all but the first have it as their gateway, and it has the lowest id of all, so that
 * joining is a dial by the lower id only where the joiner's is lower. */
static net_t *star(size_t n)
{
    net_t *net = net_new(seed);
    (void)net_add(net, &(struct net_node_options){.gateway_role = true});
    for (size_t i = 1; i < n; i++)
        (void)net_add(net, &(struct net_node_options){.gateways = &first, .gateway_count = 1});
    return net;
}

static void start_all(net_t *net, size_t n)
{
    for (size_t i = 0; i < n; i++)
        net_start(net, i);
}

static bool is_lower_id(const net_t *net, size_t a, size_t b)
{
    struct node_id x = net_id(net, a), y = net_id(net, b);
    return memcmp(&x, &y, sizeof x) < 0;
}

/* Everybody has one connection to everybody, dialled by the lower id, a gateway's by who joined. */
static void assert_full_mesh(const net_t *net, size_t n)
{
    for (size_t a = 0; a < n; a++) {
        assert_int_equal(net_live_count(net, a), n - 1);
        assert_int_equal(net_told_live(net, a), n - 1);
        for (size_t b = a + 1; b < n; b++) {
            assert_int_equal(net_live(net, a, b), 1);
            if (a != first)
                assert_int_equal(net_dialler(net, a, b), is_lower_id(net, a, b) ? a : b);
            else
                assert_int_equal(net_dialler(net, a, b), b);
        }
    }
}

static void started_at_once(size_t n)
{
    net_t *net = star(n);
    start_all(net, n);
    net_run(net, 10000);
    assert_full_mesh(net, n);
    assert_int_equal(net_dials(net), n * (n - 1) / 2);
    assert_int_equal(net_failed(net), 0);
    assert_int_equal(net_closed(net, CLOSE_duplicate), 0);
    net_run(net, 30000); /* lesson D2 */
    assert_int_equal(net_dials(net), n * (n - 1) / 2);
    net_destroy(&net);
}

static void nodes_started_at_once_dial_once_for_each_pair(void **state) /* lesson D1 */
{
    (void)state;
    for (int round = 0; round < 10; round++, seed++) {
        started_at_once(2);
        started_at_once(5);
    }
    for (int round = 0; round < 3; round++, seed++)
        started_at_once(20);
}

static void who_cannot_be_dialled_dials_all_others(void **state) /* lesson D4 */
{
    enum { N = 6, HIDDEN = 3 };
    (void)state;
    for (int told = 0; told < 2; told++, seed++) {
        net_t *net = net_new(seed);
        for (size_t i = 0; i < N; i++)
            (void)net_add(net, &(struct net_node_options){
                                   .gateway_role = i == first,
                                   .no_address = i == HIDDEN && !told, /* it knows so */
                                   .unreachable = i == HIDDEN && told, /* it does not */
                                   .gateways = &first,
                                   .gateway_count = i != first});
        start_all(net, N);
        net_run(net, GRACE_MS + 1000);
        for (size_t a = 0; a < N; a++)
            for (size_t b = a + 1; b < N; b++) {
                assert_int_equal(net_live(net, a, b), 1);
                if (a == HIDDEN || b == HIDDEN)
                    assert_int_equal(net_dialler(net, a, b), HIDDEN);
            }
        if (!told) {
            assert_int_equal(net_failed(net), 0); /* nobody tried */
            assert_int_equal(net_dials(net), N * (N - 1) / 2);
        }
        uint64_t dials = net_dials(net);
        net_run(net, 60000);
        assert_int_equal(net_dials(net), dials); /* and nobody tries on */
        net_destroy(&net);
    }
}

static void an_idle_hour_changes_nothing(void **state) /* lessons L5, D2 */
{
    (void)state;
    net_t *net = star(8);
    start_all(net, 8);
    net_run(net, 10000);
    uint64_t dials = net_dials(net);
    net_run(net, 3600000);
    assert_full_mesh(net, 8);
    assert_int_equal(net_dials(net), dials);
    for (int r = 0; r < CLOSE_REASON_COUNT; r++)
        assert_int_equal(net_closed(net, (enum close_reason)r), 0);
    net_destroy(&net);
    seed++;
}

/* --- more nodes than one wants ------------------------------------------------------------ */

static net_t *sorted_net;

static int by_place(const void *a, const void *b)
{
    struct node_id x = net_id(sorted_net, *(const size_t *)a),
                   y = net_id(sorted_net, *(const size_t *)b);
    place_t p = ring_place_of_node(&x), q = ring_place_of_node(&y);
    return (p > q) - (p < q);
}

/* The running nodes in the order of their places. */
static size_t sort_by_place(net_t *net, size_t n, size_t *sorted)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (net_node(net, i))
            sorted[count++] = i;
    sorted_net = net;
    qsort(sorted, count, sizeof *sorted, by_place);
    return count;
}

static void assert_ring_is_right(net_t *net, size_t n, size_t a_side)
{
    size_t sorted[NET_NODES_MAX];
    size_t count = sort_by_place(net, n, sorted);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 1; k <= a_side; k++)
            if (net_live(net, sorted[i], sorted[(i + k) % count]) != 1)
                fail_msg("SEED=%llu: %zu and %zu, %zu apart on the ring, are not connected",
                         (unsigned long long)seed, sorted[i], sorted[(i + k) % count], k);
}

static void assert_all_are_reached(net_t *net, size_t n, double hops_max)
{
    size_t sorted[NET_NODES_MAX], hops, sum = 0;
    size_t count = sort_by_place(net, n, sorted);
    for (size_t a = 0; a < count; a++)
        for (size_t b = 0; b < count; b++) {
            struct node_id id = net_id(net, sorted[b]);
            assert_int_equal(net_route(net, sorted[a], ring_place_of_node(&id), &hops), sorted[b]);
            sum += hops;
        }
    double mean = (double)sum / (double)(count * count);
    print_message("%zu nodes: mean hops %.2f\n", count, mean);
    assert_true(mean <= hops_max);
}

static size_t most_live(const net_t *net, size_t n)
{
    size_t most = 0;
    for (size_t i = 0; i < n; i++)
        if (net_node(net, i) && net_live_count(net, i) > most)
            most = net_live_count(net, i);
    return most;
}

static void assert_pairs_are_single(const net_t *net, size_t n)
{
    for (size_t a = 0; a < n; a++)
        for (size_t b = a + 1; b < n; b++)
            assert_true(net_live(net, a, b) <= 1);
}

static void sixty_nodes_make_a_ring_and_each_finds_each(void **state)
{
    enum { N = 60 };
    (void)state;
    for (int round = 0; round < 3; round++, seed++) {
        net_t *net = star(N);
        start_all(net, N);
        net_run(net, 60000);
        assert_pairs_are_single(net, N);
        assert_ring_is_right(net, N, NEAR_A_SIDE);
        assert_all_are_reached(net, N, 5.9);
        assert_true(most_live(net, N) <= PEERS_MAX_DEFAULT + 1);
        uint64_t dials = net_dials(net);
        net_run(net, 600000);
        assert_true(net_dials(net) <= dials + N / 10); /* lesson D2: settled, but for far links */
        net_destroy(&net);
    }
}

static void two_hundred_nodes_join_one_by_one_and_lose_a_tenth(void **state)
{
    enum { N = 200 };
    (void)state;
    net_t *net = star(N);
    for (size_t i = 0; i < N; i++) {
        net_start(net, i);
        net_run(net, 50);
    }
    net_run(net, 60000);
    assert_pairs_are_single(net, N);
    assert_ring_is_right(net, N, NEAR_A_SIDE);
    assert_all_are_reached(net, N, 7.7);
    for (size_t i = 5; i < N; i += 10)
        net_vanish(net, i);
    net_run(net, 60000);
    assert_ring_is_right(net, N, NEAR_A_SIDE);
    assert_all_are_reached(net, N, 7.7);
    net_destroy(&net);
    seed++;
}

static void two_halves_of_a_network_become_one_again(void **state)
{
    enum { N = 40 };
    (void)state;
    net_t *net = star(N);
    start_all(net, N);
    net_run(net, 60000);
    for (size_t a = 0; a < N; a++)
        for (size_t b = a + 1; b < N; b++)
            if (a % 2 != b % 2)
                net_cut(net, a, b, true);
    net_run(net, 300000);
    for (size_t a = 0; a < N; a++)
        for (size_t b = a + 1; b < N; b++)
            if (a % 2 != b % 2) {
                assert_int_equal(net_live(net, a, b), 0);
                net_cut(net, a, b, false);
            }
    net_run(net, 120000);
    assert_ring_is_right(net, N, NEAR_A_SIDE);
    assert_pairs_are_single(net, N);
    net_destroy(&net);
    seed++;
}

static void a_node_rejoins_through_peers_it_knew_when_no_gateway_answers(void **state)
{
    static const size_t known[] = {1, 2};
    (void)state;
    net_t *net = star(5);
    size_t late =
        net_add(net, &(struct net_node_options){
                         .gateways = &first, .gateway_count = 1, .known = known, .known_count = 2});
    start_all(net, 5);
    net_run(net, 10000);
    net_kill(net, first);
    net_start(net, late);
    net_run(net, GRACE_MS + 1000);
    for (size_t i = 1; i < 5; i++)
        assert_int_equal(net_live(net, i, late), 1);
    net_destroy(&net);
    seed++;
}

static void a_gateway_that_restarts_is_redialled_with_growing_pauses(void **state) /* lesson L4 */
{
    (void)state;
    net_t *net = star(2);
    start_all(net, 2);
    net_run(net, 60000);
    net_kill(net, first);
    uint64_t dials = net_dials(net);
    net_run(net, 600000);
    uint64_t attempts = net_dials(net) - dials;
    assert_in_range(attempts, 600 / 38, 600 / 22 + 10); /* 250 ms … 16 s, then each 30 s ± 25 % */
    net_start(net, first);
    net_run(net, 40000);
    assert_int_equal(net_live(net, 0, 1), 1);
    net_destroy(&net);
    seed++;
}

static void a_full_gateway_lets_all_join_and_is_left_alone_by_those_it_sheds(void **state)
{
    enum { N = 60 };
    (void)state;
    net_t *net = net_new(seed);
    for (size_t i = 0; i < N; i++)
        (void)net_add(net, &(struct net_node_options){.gateway_role = i == first,
                                                      .peers_max = i == first ? 12 : 0,
                                                      .gateways = &first,
                                                      .gateway_count = i != first});
    start_all(net, N);
    net_run(net, 300000);
    assert_ring_is_right(net, N, NEAR_A_SIDE);
    assert_true(net_live_count(net, first) <= 12);
    uint64_t shed = net_closed(net, CLOSE_full), dials = net_dials(net);
    net_run(net, 600000);
    assert_true(net_closed(net, CLOSE_full) - shed <= 20);
    assert_true(net_dials(net) - dials <= 20);
    net_destroy(&net);
    seed++;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_started_at_once_dial_once_for_each_pair),
        cmocka_unit_test(who_cannot_be_dialled_dials_all_others),
        cmocka_unit_test(an_idle_hour_changes_nothing),
        cmocka_unit_test(sixty_nodes_make_a_ring_and_each_finds_each),
        cmocka_unit_test(two_hundred_nodes_join_one_by_one_and_lose_a_tenth),
        cmocka_unit_test(two_halves_of_a_network_become_one_again),
        cmocka_unit_test(a_node_rejoins_through_peers_it_knew_when_no_gateway_answers),
        cmocka_unit_test(a_gateway_that_restarts_is_redialled_with_growing_pauses),
        cmocka_unit_test(a_full_gateway_lets_all_join_and_is_left_alone_by_those_it_sheds),
    };
    const char *given = getenv("SEED");
    seed = given ? strtoull(given, NULL, 0) : 20261;
    print_message("SEED=%llu\n", (unsigned long long)seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
