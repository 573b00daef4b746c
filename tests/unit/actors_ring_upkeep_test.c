/* Networks of connections actors: who ends up connected to whom, and who dialled. */
#include "tests/unit/connections_mesh.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const size_t first = 0; /* the gateway of all networks here */

static uint64_t seed;

/* n nodes; all but the first have it as their gateway, and it has the lowest id of all, so that
 * joining is a dial by the lower id only where the joiner's is lower. */
static mesh_t *star(size_t n)
{
    mesh_t *mesh = mesh_new(seed);
    (void)mesh_add(mesh, &(struct mesh_node_options){.gateway_role = true});
    for (size_t i = 1; i < n; i++)
        (void)mesh_add(mesh, &(struct mesh_node_options){.gateways = &first, .gateway_count = 1});
    return mesh;
}

static void start_all(mesh_t *mesh, size_t n)
{
    for (size_t i = 0; i < n; i++)
        mesh_start(mesh, i);
}

static bool is_lower_id(const mesh_t *mesh, size_t a, size_t b)
{
    struct node_id x = mesh_id(mesh, a), y = mesh_id(mesh, b);
    return memcmp(&x, &y, sizeof x) < 0;
}

/* Everybody has one connection to everybody, dialled by the lower id. */
static void assert_full_mesh(const mesh_t *mesh, size_t n)
{
    for (size_t a = 0; a < n; a++) {
        assert_int_equal(mesh_live_count(mesh, a), n - 1);
        assert_int_equal(mesh_told_live(mesh, a), n - 1);
        for (size_t b = a + 1; b < n; b++) {
            assert_int_equal(mesh_live(mesh, a, b), 1);
            assert_int_equal(mesh_dialler(mesh, a, b), is_lower_id(mesh, a, b) ? a : b);
        }
    }
}

/* Who had to introduce themselves to the gateway though it is the gateway that dials. */
static size_t dialled_back(const mesh_t *mesh, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += i != first && is_lower_id(mesh, first, i);
    return count;
}

static void started_at_once(size_t n)
{
    mesh_t *mesh = star(n);
    start_all(mesh, n);
    mesh_run(mesh, 10000);
    size_t dials = n * (n - 1) / 2 + dialled_back(mesh, n);
    assert_full_mesh(mesh, n);
    assert_int_equal(mesh_dials(mesh), dials);
    assert_int_equal(mesh_failed(mesh), 0);
    mesh_run(mesh, 30000); /* lesson D2 */
    assert_int_equal(mesh_dials(mesh), dials);
    mesh_destroy(&mesh);
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
        mesh_t *mesh = mesh_new(seed);
        for (size_t i = 0; i < N; i++)
            (void)mesh_add(mesh, &(struct mesh_node_options){
                                     .gateway_role = i == first,
                                     .no_address = i == HIDDEN && !told, /* it knows so */
                                     .unreachable = i == HIDDEN && told, /* it does not */
                                     .gateways = &first,
                                     .gateway_count = i != first});
        start_all(mesh, N);
        mesh_run(mesh, GRACE_MS + 1000);
        for (size_t a = 0; a < N; a++)
            for (size_t b = a + 1; b < N; b++) {
                assert_int_equal(mesh_live(mesh, a, b), 1);
                if (a == HIDDEN || b == HIDDEN)
                    assert_int_equal(mesh_dialler(mesh, a, b), HIDDEN);
            }
        if (!told) {
            assert_int_equal(mesh_failed(mesh), 0); /* nobody tried */
            size_t back = dialled_back(mesh, N) - is_lower_id(mesh, first, HIDDEN);
            assert_int_equal(mesh_dials(mesh), N * (N - 1) / 2 + back);
        }
        uint64_t dials = mesh_dials(mesh);
        mesh_run(mesh, 60000);
        assert_int_equal(mesh_dials(mesh), dials); /* and nobody tries on */
        mesh_destroy(&mesh);
    }
}

static void an_idle_hour_changes_nothing(void **state) /* lessons L5, D2 */
{
    (void)state;
    mesh_t *mesh = star(8);
    start_all(mesh, 8);
    mesh_run(mesh, 10000);
    uint64_t dials = mesh_dials(mesh), closed[CLOSE_REASON_COUNT];
    for (int r = 0; r < CLOSE_REASON_COUNT; r++)
        closed[r] = mesh_closed(mesh, (enum close_reason)r);
    mesh_run(mesh, 3600000);
    assert_full_mesh(mesh, 8);
    assert_int_equal(mesh_dials(mesh), dials);
    for (int r = 0; r < CLOSE_REASON_COUNT; r++)
        assert_int_equal(mesh_closed(mesh, (enum close_reason)r), closed[r]);
    mesh_destroy(&mesh);
    seed++;
}

/* --- more nodes than one wants ------------------------------------------------------------ */

static mesh_t *sorted_net;

static int by_place(const void *a, const void *b)
{
    struct node_id x = mesh_id(sorted_net, *(const size_t *)a),
                   y = mesh_id(sorted_net, *(const size_t *)b);
    place_t p = ring_place_of_node(&x), q = ring_place_of_node(&y);
    return (p > q) - (p < q);
}

/* The running nodes in the order of their places. */
static size_t sort_by_place(mesh_t *mesh, size_t n, size_t *sorted)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (mesh_node(mesh, i))
            sorted[count++] = i;
    sorted_net = mesh;
    qsort(sorted, count, sizeof *sorted, by_place);
    return count;
}

static void assert_ring_is_right(mesh_t *mesh, size_t n, size_t a_side)
{
    size_t sorted[MESH_NODES_MAX];
    size_t count = sort_by_place(mesh, n, sorted);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 1; k <= a_side; k++)
            if (mesh_live(mesh, sorted[i], sorted[(i + k) % count]) != 1)
                fail_msg("SEED=%llu: %zu and %zu, %zu apart on the ring, are not connected",
                         (unsigned long long)seed, sorted[i], sorted[(i + k) % count], k);
}

static void assert_all_are_reached(mesh_t *mesh, size_t n, double hops_max)
{
    size_t sorted[MESH_NODES_MAX], hops, sum = 0;
    size_t count = sort_by_place(mesh, n, sorted);
    for (size_t a = 0; a < count; a++)
        for (size_t b = 0; b < count; b++) {
            struct node_id id = mesh_id(mesh, sorted[b]);
            assert_int_equal(mesh_route(mesh, sorted[a], ring_place_of_node(&id), &hops),
                             sorted[b]);
            sum += hops;
        }
    double mean = (double)sum / (double)(count * count);
    print_message("%zu nodes: mean hops %.2f\n", count, mean);
    assert_true(mean <= hops_max);
}

static size_t most_live(const mesh_t *mesh, size_t n)
{
    size_t most = 0;
    for (size_t i = 0; i < n; i++)
        if (mesh_node(mesh, i) && mesh_live_count(mesh, i) > most)
            most = mesh_live_count(mesh, i);
    return most;
}

static void assert_pairs_are_single(const mesh_t *mesh, size_t n)
{
    for (size_t a = 0; a < n; a++)
        for (size_t b = a + 1; b < n; b++)
            assert_true(mesh_live(mesh, a, b) <= 1);
}

static void sixty_nodes_make_a_ring_and_each_finds_each(void **state)
{
    enum { N = 60 };
    (void)state;
    for (int round = 0; round < 3; round++, seed++) {
        mesh_t *mesh = star(N);
        start_all(mesh, N);
        mesh_run(mesh, 60000);
        assert_pairs_are_single(mesh, N);
        assert_ring_is_right(mesh, N, NEAR_A_SIDE);
        assert_all_are_reached(mesh, N, 5.9);
        assert_true(most_live(mesh, N) <= PEERS_MAX_DEFAULT + 1);
        uint64_t dials = mesh_dials(mesh);
        mesh_run(mesh, 600000);
        assert_true(mesh_dials(mesh) <= dials + N / 10); /* lesson D2: settled, but for far links */
        mesh_destroy(&mesh);
    }
}

static void two_hundred_join_and_lose_a_tenth(void)
{
    enum { N = 200 };
    mesh_t *mesh = star(N);
    for (size_t i = 0; i < N; i++) {
        mesh_start(mesh, i);
        mesh_run(mesh, 50);
    }
    mesh_run(mesh, 60000);
    assert_pairs_are_single(mesh, N);
    assert_ring_is_right(mesh, N, NEAR_A_SIDE);
    assert_all_are_reached(mesh, N, 7.7);
    for (size_t i = 5; i < N; i += 10)
        mesh_vanish(mesh, i);
    mesh_run(mesh, 60000);
    assert_ring_is_right(mesh, N, NEAR_A_SIDE);
    assert_all_are_reached(mesh, N, 7.7);
    mesh_destroy(&mesh);
}

static void two_hundred_nodes_join_one_by_one_and_lose_a_tenth(void **state)
{
    (void)state;
    two_hundred_join_and_lose_a_tenth();
    seed++;
}

/* In this one a node is full and not yet aware that who dials it has become its neighbour. */
static void a_neighbour_that_was_full_is_soon_tried_again(void **state)
{
    uint64_t kept = seed;
    (void)state;
    seed = 602413693;
    two_hundred_join_and_lose_a_tenth();
    seed = kept;
}

static void two_halves_of_a_network_become_one_again(void **state)
{
    enum { N = 40 };
    (void)state;
    mesh_t *mesh = star(N);
    start_all(mesh, N);
    mesh_run(mesh, 60000);
    for (size_t a = 0; a < N; a++)
        for (size_t b = a + 1; b < N; b++)
            if (a % 2 != b % 2)
                mesh_cut(mesh, a, b, true);
    mesh_run(mesh, 300000);
    for (size_t a = 0; a < N; a++)
        for (size_t b = a + 1; b < N; b++)
            if (a % 2 != b % 2) {
                assert_int_equal(mesh_live(mesh, a, b), 0);
                mesh_cut(mesh, a, b, false);
            }
    mesh_run(mesh, 120000);
    assert_ring_is_right(mesh, N, NEAR_A_SIDE);
    assert_pairs_are_single(mesh, N);
    mesh_destroy(&mesh);
    seed++;
}

static void a_node_rejoins_through_peers_it_knew_when_no_gateway_answers(void **state)
{
    static const size_t known[] = {1, 2};
    (void)state;
    mesh_t *mesh = star(5);
    size_t late = mesh_add(
        mesh, &(struct mesh_node_options){
                  .gateways = &first, .gateway_count = 1, .known = known, .known_count = 2});
    start_all(mesh, 5);
    mesh_run(mesh, 10000);
    mesh_kill(mesh, first);
    mesh_start(mesh, late);
    mesh_run(mesh, GRACE_MS + 1000);
    for (size_t i = 1; i < 5; i++)
        assert_int_equal(mesh_live(mesh, i, late), 1);
    mesh_destroy(&mesh);
    seed++;
}

static void a_gateway_that_restarts_is_redialled_with_growing_pauses(void **state) /* lesson L4 */
{
    (void)state;
    mesh_t *mesh = star(2);
    start_all(mesh, 2);
    mesh_run(mesh, 60000);
    mesh_kill(mesh, first);
    uint64_t dials = mesh_dials(mesh);
    mesh_run(mesh, 600000);
    uint64_t attempts = mesh_dials(mesh) - dials;
    assert_in_range(attempts, 600 / 38, 600 / 22 + 10); /* 250 ms … 16 s, then each 30 s ± 25 % */
    mesh_start(mesh, first);
    mesh_run(mesh, 40000);
    assert_int_equal(mesh_live(mesh, 0, 1), 1);
    mesh_destroy(&mesh);
    seed++;
}

/* The pauses of those that it left behind have grown meanwhile. */
static void a_node_that_comes_back_is_dialled_at_once_when_others_tell_of_it(void **state)
{
    enum { N = 8 };
    (void)state;
    for (int ends = 0; ends < 3; ends++, seed++) {
        mesh_t *mesh = star(N);
        start_all(mesh, N);
        mesh_run(mesh, 60000);
        for (size_t back = 1; back < N; back++) {
            if (ends == 0)
                mesh_kill(mesh, back);
            else if (ends == 1)
                mesh_leave(mesh, back);
            else
                mesh_vanish(mesh, back);
            mesh_run(mesh, 5000 + 30000 * (unsigned)ends);
            mesh_start(mesh, back);
            mesh_run(mesh, 1000);
            assert_full_mesh(mesh, N);
            mesh_run(mesh, 40000);
        }
        mesh_destroy(&mesh);
    }
}

static void a_full_gateway_lets_all_join_and_is_left_alone_by_those_it_sheds(void **state)
{
    enum { N = 60 };
    (void)state;
    mesh_t *mesh = mesh_new(seed);
    for (size_t i = 0; i < N; i++)
        (void)mesh_add(mesh, &(struct mesh_node_options){.gateway_role = i == first,
                                                         .peers_max = i == first ? 12 : 0,
                                                         .gateways = &first,
                                                         .gateway_count = i != first});
    start_all(mesh, N);
    mesh_run(mesh, 300000);
    assert_ring_is_right(mesh, N, NEAR_A_SIDE);
    assert_true(mesh_live_count(mesh, first) <= 12);
    uint64_t shed = mesh_closed(mesh, CLOSE_full), dials = mesh_dials(mesh);
    mesh_run(mesh, 600000);
    assert_true(mesh_closed(mesh, CLOSE_full) - shed <= 20);
    assert_true(mesh_dials(mesh) - dials <= 20);
    mesh_destroy(&mesh);
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
        cmocka_unit_test(a_neighbour_that_was_full_is_soon_tried_again),
        cmocka_unit_test(two_halves_of_a_network_become_one_again),
        cmocka_unit_test(a_node_rejoins_through_peers_it_knew_when_no_gateway_answers),
        cmocka_unit_test(a_gateway_that_restarts_is_redialled_with_growing_pauses),
        cmocka_unit_test(a_node_that_comes_back_is_dialled_at_once_when_others_tell_of_it),
        cmocka_unit_test(a_full_gateway_lets_all_join_and_is_left_alone_by_those_it_sheds),
    };
    const char *given = getenv("SEED");
    seed = given ? strtoull(given, NULL, 0) : 20261;
    print_message("SEED=%llu\n", (unsigned long long)seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
