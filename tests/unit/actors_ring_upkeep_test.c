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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_started_at_once_dial_once_for_each_pair),
    };
    const char *given = getenv("SEED");
    seed = given ? strtoull(given, NULL, 0) : 20261;
    print_message("SEED=%llu\n", (unsigned long long)seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
