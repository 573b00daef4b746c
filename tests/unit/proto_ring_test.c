/* The ring: distances, who is nearer, whom a request goes to next, where far links point. */
#include "proto/ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NODES = 1000, A_SIDE = 4, FAR_LINKS = 10 };

static uint64_t random_state;

static uint64_t next_random(void) /* splitmix64 */
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void seed(void)
{
    const char *given = getenv("SEED");
    random_state = given ? strtoull(given, NULL, 0) : 20261;
    print_message("SEED=%llu\n", (unsigned long long)random_state);
}

static struct node_id random_id(void)
{
    struct node_id id;
    for (size_t i = 0; i < sizeof id.bytes; i++)
        id.bytes[i] = (uint8_t)next_random();
    return id;
}

static void distance_is_the_shorter_way_round(void **state)
{
    (void)state;
    assert_int_equal(ring_distance(3, 10), 7);
    assert_int_equal(ring_distance(10, 3), 7);
    assert_int_equal(ring_distance(UINT64_MAX, 2), 3); /* across zero */
    assert_int_equal(ring_distance(2, UINT64_MAX), 3);
    assert_true(ring_distance(0, (place_t)1 << 63) == (uint64_t)1 << 63);
    assert_int_equal(ring_distance(5, 5), 0);
}

static void equal_distances_are_told_apart_by_the_lower_id(void **state)
{
    const struct node_id low = {{1, 255}}, high = {{2, 0}};
    (void)state;
    assert_true(ring_is_nearer(100, &low, 90, &high, 110));
    assert_false(ring_is_nearer(100, &high, 110, &low, 90));
    assert_true(ring_is_nearer(100, &low, 110, &high, 90)); /* on either side */
    assert_false(ring_is_nearer(100, &low, 90, &low, 90));  /* nobody is nearer than itself */
    assert_true(ring_is_nearer(100, &high, 101, &low, 98)); /* the distance comes first */
    assert_true(ring_is_nearer(1, &high, UINT64_MAX, &low, 4));
}

static void a_place_is_a_hash_of_its_own_kind(void **state)
{
    struct node_id id = random_id(), other = id;
    (void)state;
    other.bytes[31] ^= 1;
    assert_true(ring_place_of_node(&id) == ring_place_of_node(&id));
    assert_true(ring_place_of_node(&id) != ring_place_of_node(&other));
    assert_true(ring_place_of_node(&id) != ring_place_of_contract(id.bytes));
}

/* The nearest of all by trying each: what the view must agree with. */
static const struct ring_peer *nearest_by_trial(const struct ring_view *view, place_t to)
{
    const struct ring_peer *best = NULL;
    for (size_t i = 0; i < view->count; i++)
        if (!best ||
            ring_is_nearer(to, &view->peers[i].id, view->peers[i].place, &best->id, best->place))
            best = &view->peers[i];
    return best;
}

static void the_view_keeps_peers_by_place_and_finds_them_by_number(void **state)
{
    struct ring_view view = {0};
    struct node_id own = random_id();
    (void)state;
    ring_view_init(&view, &own);
    assert_true(view.place == ring_place_of_node(&own));
    for (peer_t number = 1; number <= 100; number++) {
        struct node_id id = random_id();
        assert_int_equal(ring_view_add(&view, number, &id, false), 0);
        assert_int_equal(ring_view_add(&view, number, &id, false), 0); /* twice is once */
    }
    assert_int_equal(view.count, 100);
    for (size_t i = 1; i < view.count; i++)
        assert_true(view.peers[i - 1].place <= view.peers[i].place);
    for (peer_t number = 1; number <= 100; number += 2)
        ring_view_remove(&view, number);
    ring_view_remove(&view, 4711);
    assert_int_equal(view.count, 50);
    for (peer_t number = 1; number <= 100; number++)
        assert_int_equal(ring_view_find(&view, number) != NULL, number % 2 == 0);
    ring_view_free(&view);
    assert_int_equal(view.count, 0);
}

static void the_nearest_come_nearest_first(void **state)
{
    struct ring_view view = {0};
    const struct ring_peer *found[20];
    struct node_id own = random_id();
    (void)state;
    ring_view_init(&view, &own);
    for (peer_t number = 1; number <= 60; number++) {
        struct node_id id = random_id();
        assert_int_equal(ring_view_add(&view, number, &id, false), 0);
    }
    for (int round = 0; round < 200; round++) {
        place_t to = next_random();
        assert_int_equal(ring_nearest(&view, to, found, 20), 20);
        assert_ptr_equal(found[0], nearest_by_trial(&view, to));
        for (int i = 1; i < 20; i++)
            assert_true(ring_is_nearer(to, &found[i - 1]->id, found[i - 1]->place, &found[i]->id,
                                       found[i]->place));
        size_t nearer = 0; /* than the last one found: exactly those before it */
        for (size_t i = 0; i < view.count; i++)
            nearer += ring_is_nearer(to, &view.peers[i].id, view.peers[i].place, &found[19]->id,
                                     found[19]->place);
        assert_int_equal(nearer, 19);
    }
    assert_int_equal(ring_nearest(&view, 0, found, 0), 0);
    ring_view_free(&view);
}

static void the_next_hop_is_strictly_nearer_and_never_an_excluded_one(void **state)
{
    struct ring_view view = {0};
    struct node_id own = random_id();
    (void)state;
    ring_view_init(&view, &own);
    assert_null(ring_next(&view, 77, NULL, 0));
    for (peer_t number = 1; number <= 60; number++) {
        struct node_id id = random_id();
        assert_int_equal(ring_view_add(&view, number, &id, false), 0);
    }
    assert_null(ring_next(&view, view.place, NULL, 0)); /* nobody is nearer to where it stands */
    for (int round = 0; round < 200; round++) {
        peer_t excluded[60];
        size_t count = 0;
        uint64_t last = 0;
        place_t to = next_random();
        for (const struct ring_peer *p; (p = ring_next(&view, to, excluded, count)) != NULL;) {
            assert_true(ring_is_nearer(to, &p->id, p->place, &view.id, view.place));
            assert_true(ring_distance(to, p->place) >= last); /* the best first */
            last = ring_distance(to, p->place);
            excluded[count++] = p->number;
        }
        for (size_t i = 0; i < view.count; i++) { /* and none was left out */
            bool was = false;
            for (size_t e = 0; e < count; e++)
                was |= excluded[e] == view.peers[i].number;
            assert_int_equal(was, ring_is_nearer(to, &view.peers[i].id, view.peers[i].place,
                                                 &view.id, view.place));
        }
    }
    ring_view_free(&view);
}

static void far_places_are_uniform_in_the_logarithm_of_their_distance(void **state)
{
    enum { DRAWS = 90000, OCTAVES = 9 };
    unsigned in_octave[64] = {0}, clockwise = 0;
    (void)state;
    for (int i = 0; i < DRAWS; i++) {
        place_t own = next_random();
        place_t place = ring_far_place(own, next_random(), 1024);
        uint64_t distance = ring_distance(own, place);
        clockwise += place - own == distance;
        assert_true(distance > 0);
        in_octave[distance >= (uint64_t)1 << 63 ? 0 : __builtin_clzll(distance) - 1]++;
    }
    assert_in_range(clockwise, DRAWS / 2 - 1500, DRAWS / 2 + 1500);
    for (int o = 0; o < OCTAVES; o++) /* 1,024 nodes: from half the circle to 1/1024 of it */
        assert_in_range(in_octave[o], DRAWS / OCTAVES * 9 / 10, DRAWS / OCTAVES * 11 / 10);
    for (int o = OCTAVES; o < 64; o++)
        assert_true(in_octave[o] < 10);
    unsigned lower_half = 0; /* within an octave too: half of the draws below its root of two */
    for (int i = 0; i < DRAWS; i++) {
        uint64_t d = ring_distance(0, ring_far_place(0, next_random(), 1024));
        uint64_t mantissa = d << __builtin_clzll(d);
        lower_half += mantissa < 0xb504f333f9de6484u;
    }
    assert_in_range(lower_half, DRAWS / 2 - 1500, DRAWS / 2 + 1500);
}

static int compare_places(const void *a, const void *b)
{
    place_t x = *(const place_t *)a, y = *(const place_t *)b;
    return (x > y) - (x < y);
}

static void the_size_of_the_network_is_guessed_within_a_factor_of_four(void **state)
{
    static place_t places[NODES];
    (void)state;
    for (size_t nodes = 50; nodes <= NODES; nodes += 50) {
        for (size_t i = 0; i < nodes; i++)
            places[i] = next_random();
        qsort(places, nodes, sizeof *places, compare_places);
        size_t good = 0;
        for (size_t i = 0; i < nodes; i++) {
            place_t nearest[2 * A_SIDE];
            for (size_t k = 1; k <= A_SIDE; k++) {
                nearest[2 * k - 2] = places[(i + k) % nodes];
                nearest[2 * k - 1] = places[(i + nodes - k) % nodes];
            }
            uint64_t guess = ring_guess_nodes(places[i], nearest, 2 * A_SIDE);
            good += guess >= nodes / 4 && guess <= nodes * 4;
        }
        assert_true(good * 100 >= nodes * 97);
    }
    assert_int_equal(ring_guess_nodes(5, NULL, 0), 1);
    place_t same = 5;
    assert_true(ring_guess_nodes(5, &same, 1) >= 2); /* no division by nothing */
}

/* design.md §5: four neighbours a side and log2 n far links reach the node nearest to a key. */
static struct ring_view views[NODES];

static void link_nodes(size_t a, size_t b)
{
    assert_int_equal(ring_view_add(&views[a], b + 1, &views[b].id, false), 0);
    assert_int_equal(ring_view_add(&views[b], a + 1, &views[a].id, false), 0);
}

static int compare_views(const void *a, const void *b)
{
    return compare_places(&((const struct ring_view *)a)->place,
                          &((const struct ring_view *)b)->place);
}

static size_t nearest_node(place_t to)
{
    size_t best = 0;
    for (size_t i = 1; i < NODES; i++)
        if (ring_is_nearer(to, &views[i].id, views[i].place, &views[best].id, views[best].place))
            best = i;
    return best;
}

static void greedy_routing_reaches_the_nearest_node_in_log2_n_hops(void **state)
{
    enum { ROUTES = 20000, LOG2_NODES_TIMES_100 = 996 };
    unsigned long hops = 0;
    (void)state;
    for (size_t i = 0; i < NODES; i++) {
        struct node_id id = random_id();
        ring_view_init(&views[i], &id);
    }
    qsort(views, NODES, sizeof *views, compare_views);
    for (size_t i = 0; i < NODES; i++) {
        for (size_t k = 1; k <= A_SIDE; k++)
            link_nodes(i, (i + k) % NODES);
        for (size_t k = 0; k < FAR_LINKS; k++) {
            size_t far = nearest_node(ring_far_place(views[i].place, next_random(), NODES));
            if (far != i)
                link_nodes(i, far);
        }
    }
    for (int route = 0; route < ROUTES; route++) {
        place_t to = next_random();
        size_t at = (size_t)(next_random() % NODES), steps = 0;
        const struct ring_peer *next;
        while ((next = ring_next(&views[at], to, NULL, 0)) != NULL) {
            assert_true(++steps < 64); /* no cycle: each hop is strictly nearer */
            at = (size_t)next->number - 1;
        }
        assert_int_equal(at, nearest_node(to));
        hops += steps;
    }
    print_message("mean hops over %d nodes: %.2f\n", NODES, (double)hops / ROUTES);
    assert_true(hops * 100 <= (unsigned long)ROUTES * LOG2_NODES_TIMES_100);
    for (size_t i = 0; i < NODES; i++)
        ring_view_free(&views[i]);
}

static void who_cannot_be_dialled_is_farther_than_all_who_can(void **state)
{
    (void)state;
    struct node_id own = {{1}}, leaf = {{2}}, other = {{3}};
    struct ring_view view = {.count = 0};
    const struct ring_peer *nearest[2];
    ring_view_init(&view, &own);
    assert_int_equal(ring_view_add(&view, 2, &leaf, true), 0);
    place_t at_leaf = ring_place_of_node(&leaf);
    assert_null(ring_next(&view, at_leaf, NULL, 0)); /* though it is right there */
    assert_true(ring_view_is_nearer(&view, at_leaf, ring_view_find(&view, 2)));
    assert_int_equal(ring_view_add(&view, 3, &other, false), 0);
    assert_int_equal(ring_nearest(&view, at_leaf, nearest, 2), 2);
    assert_int_equal(nearest[0]->number, 3);
    view.leaf = true; /* now this node is one too, and all who can be dialled are nearer */
    assert_int_equal(ring_next(&view, view.place, NULL, 0)->number, 3);
    ring_view_remove(&view, 3);
    assert_null(ring_next(&view, view.place, NULL, 0));
    assert_int_equal(ring_next(&view, at_leaf, NULL, 0)->number, 2);
    ring_view_free(&view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distance_is_the_shorter_way_round),
        cmocka_unit_test(who_cannot_be_dialled_is_farther_than_all_who_can),
        cmocka_unit_test(equal_distances_are_told_apart_by_the_lower_id),
        cmocka_unit_test(a_place_is_a_hash_of_its_own_kind),
        cmocka_unit_test(the_view_keeps_peers_by_place_and_finds_them_by_number),
        cmocka_unit_test(the_nearest_come_nearest_first),
        cmocka_unit_test(the_next_hop_is_strictly_nearer_and_never_an_excluded_one),
        cmocka_unit_test(far_places_are_uniform_in_the_logarithm_of_their_distance),
        cmocka_unit_test(the_size_of_the_network_is_guessed_within_a_factor_of_four),
        cmocka_unit_test(greedy_routing_reaches_the_nearest_node_in_log2_n_hops),
    };
    seed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
