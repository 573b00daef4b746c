/* The actor of connections, by its messages: what it keeps, refuses, gives up and tells (lessons L,
 * D, C). Two or three nodes on a transport that the test is. (One alone:
 * actors_connections_one_test.) */
#include "tests/unit/connections_mesh.h"

#include "base/base58.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static uint64_t seed;

static const size_t low = 0, high = 1;

/* Two nodes that know nothing of each other; `low` has the lower id. */
static mesh_t *pair(void)
{
    static const size_t both[] = {0, 1};
    mesh_t *mesh = mesh_new(seed++);
    (void)mesh_add(mesh, &(struct mesh_node_options){0});
    (void)mesh_add(mesh, &(struct mesh_node_options){0});
    mesh_order_ids(mesh, both, 2);
    mesh_start(mesh, low);
    mesh_start(mesh, high);
    return mesh;
}

static const char *name_of(const mesh_t *mesh, size_t node)
{
    static char text[BASE58_TEXT_MAX + 64];
    char id[BASE58_TEXT_MAX];
    struct node_id bytes = mesh_id(mesh, node);
    base58_encode(bytes.bytes, sizeof bytes.bytes, id);
    (void)snprintf(text, sizeof text, "%s@%s", id, mesh_address(mesh, node));
    return text;
}

static const char *id_of(const mesh_t *mesh, size_t node)
{
    static char id[BASE58_TEXT_MAX];
    struct node_id bytes = mesh_id(mesh, node);
    base58_encode(bytes.bytes, sizeof bytes.bytes, id);
    return id;
}

static void ask_connect(mesh_t *mesh, size_t from, size_t to)
{
    mesh_ask(mesh, from, VERB_CONNECT, name_of(mesh, to));
}

static void assert_reply_has(const mesh_t *mesh, size_t node, const char *part)
{
    assert_non_null(mesh_reply(mesh, node));
    assert_int_equal(mesh_reply(mesh, node)->code, 0);
    if (!strstr(mesh_json(mesh, node), part))
        fail_msg("%s is not in %s", part, mesh_json(mesh, node));
}

static mesh_t *connected(size_t dialler)
{
    mesh_t *mesh = pair();
    ask_connect(mesh, dialler, !dialler);
    mesh_run(mesh, 100);
    assert_int_equal(mesh_live(mesh, low, high), 1);
    assert_int_equal(mesh_dialler(mesh, low, high), low); /* dialled back where it was not low */
    return mesh;
}

static const struct link *link_at(const mesh_t *mesh, size_t at, size_t to)
{
    struct node_id id = mesh_id(mesh, to);
    const struct peer *peer = peers_find(&mesh_node(mesh, at)->peers, &id);
    return peer ? peer_link_in(peer, PEER_live) : NULL;
}

/* --- CONNECT and DISCONNECT --------------------------------------------------------------- */

static void nobody_is_dialled_unasked(void **state) /* lesson L1 */
{
    (void)state;
    mesh_t *mesh = pair();
    mesh_run(mesh, 3600000);
    assert_int_equal(mesh_dials(mesh), 0);
    mesh_destroy(&mesh);
}

static void connect_answers_when_the_peer_is_live(void **state)
{
    (void)state;
    mesh_t *mesh = pair();
    ask_connect(mesh, high, low); /* whatever the ids are: the other does not know of it */
    mesh_run(mesh, MESH_LATENCY_MS);
    assert_null(mesh_reply(mesh, high));
    mesh_run(mesh, 100);
    assert_reply_has(mesh, high, "\"state\":\"live\"");
    assert_reply_has(mesh, high, id_of(mesh, low));
    assert_int_equal(mesh_live(mesh, low, high), 1);
    mesh_destroy(&mesh);
}

static void connect_that_fails_says_why_and_is_not_repeated(void **state)
{
    (void)state;
    mesh_t *mesh = pair();
    mesh_kill(mesh, low);
    ask_connect(mesh, high, low);
    mesh_run(mesh, 100);
    assert_int_equal(mesh_reply(mesh, high)->code, ERR_NO_LIVE_PEER);
    assert_non_null(strstr(mesh_reply(mesh, high)->why.text, "no connection could be made"));
    mesh_run(mesh, 3600000);
    assert_int_equal(mesh_dials(mesh), 1);
    mesh_destroy(&mesh);
}

static void connect_to_itself_or_to_what_is_no_peer_is_refused(void **state) /* lesson D5 */
{
    static const char *const wrong[] = {"x@localhost:1", "localhost:1", "@", "",
                                        "11111111111111111111111111111111@host"};
    (void)state;
    mesh_t *mesh = pair();
    ask_connect(mesh, low, low);
    assert_int_equal(mesh_reply(mesh, low)->code, ERR_BAD_REQUEST);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        mesh_ask(mesh, low, VERB_CONNECT, wrong[i]);
        assert_int_equal(mesh_reply(mesh, low)->code, ERR_BAD_REQUEST);
    }
    mesh_run(mesh, 100);
    assert_int_equal(mesh_dials(mesh), 0);
    mesh_destroy(&mesh);
}

static void a_second_attempt_leaves_the_connection_alone(void **state) /* lesson C2 */
{
    (void)state;
    mesh_t *mesh = connected(low);
    peer_t number = link_at(mesh, low, high)->number;
    for (int i = 0; i < 100; i++) {
        ask_connect(mesh, low, high);
        assert_reply_has(mesh, low, "already connected");
        ask_connect(mesh, high, low);
        assert_reply_has(mesh, high, "already connected");
        mesh_run(mesh, 10);
    }
    assert_int_equal(mesh_dials(mesh), 1);
    assert_int_equal(link_at(mesh, low, high)->number, number);
    mesh_destroy(&mesh);
}

/* lesson C2: it is not touched, and who asks is answered when operations can use it. */
static void an_attempt_under_way_is_waited_for(void **state)
{
    (void)state;
    mesh_t *mesh = pair();
    ask_connect(mesh, low, high);
    mesh_run(mesh, 1);
    ask_connect(mesh, low, high); /* the first request goes on waiting */
    assert_null(mesh_reply(mesh, low));
    mesh_run(mesh, 100);
    assert_reply_has(mesh, low, "already connected");
    assert_int_equal(mesh_dials(mesh), 1);
    mesh_destroy(&mesh);
}

static void requests_that_wait_for_attempts_are_bounded(void **state)
{
    (void)state;
    mesh_t *mesh = pair();
    ask_connect(mesh, low, high);
    mesh_run(mesh, 1);
    for (unsigned i = 1; i < NODE_REQUESTS_MAX; i++)
        ask_connect(mesh, low, high);
    assert_null(mesh_reply(mesh, low));
    ask_connect(mesh, low, high);
    assert_reply_has(mesh, low, "already under way");
    mesh_run(mesh, 100);
    assert_reply_has(mesh, low, "already connected");
    mesh_destroy(&mesh);
}

/* The other end is asked as well whether it keeps the connection. */
static void connect_is_not_live_when_the_other_end_turns_it_away(void **state)
{
    (void)state;
    mesh_t *mesh = connected(low);
    mesh_ask(mesh, low, VERB_DISCONNECT, id_of(mesh, high));
    mesh_run(mesh, 100);
    ask_connect(mesh, high, low);
    mesh_run(mesh, 100);
    assert_non_null(mesh_reply(mesh, high));
    assert_int_equal(mesh_reply(mesh, high)->code, ERR_NO_LIVE_PEER);
    assert_non_null(strstr(mesh_reply(mesh, high)->why.text, "removed"));
    mesh_destroy(&mesh);
}

static void disconnect_removes_a_peer_until_it_is_asked_for(void **state) /* lesson L6 */
{
    (void)state;
    mesh_t *mesh = connected(low);
    mesh_ask(mesh, low, VERB_DISCONNECT, id_of(mesh, high));
    assert_reply_has(mesh, low, "removed");
    mesh_run(mesh, 3600000);
    assert_int_equal(mesh_live(mesh, low, high), 0);
    assert_int_equal(mesh_dials(mesh), 1);
    assert_int_equal(mesh_closed(mesh, CLOSE_removed), 2); /* both ends know why */
    assert_int_equal(mesh_told_live(mesh, low) + mesh_told_live(mesh, high), 0);
    ask_connect(mesh, low, high);
    mesh_run(mesh, 100);
    assert_int_equal(mesh_live(mesh, low, high), 1);
    mesh_ask(mesh, low, VERB_DISCONNECT, "11111111111111111111111111111112");
    assert_int_equal(mesh_reply(mesh, low)->code, ERR_NOT_FOUND);
    mesh_ask(mesh, low, VERB_DISCONNECT, "0OIl");
    assert_int_equal(mesh_reply(mesh, low)->code, ERR_BAD_REQUEST);
    mesh_destroy(&mesh);
}

/* --- direction and duplicates ------------------------------------------------------------- */

static void simultaneous_dials_leave_one_connection(void **state) /* lesson D3 */
{
    unsigned crossed = 0;
    (void)state;
    for (int i = 0; i < 1000; i++) {
        mesh_t *mesh = pair();
        ask_connect(mesh, i % 2 ? low : high, i % 2 ? high : low);
        mesh_run(mesh, (uint64_t)(i / 2 % (3 * MESH_LATENCY_MS)));
        ask_connect(mesh, i % 2 ? high : low, i % 2 ? low : high);
        mesh_run(mesh, PROBE_MS + 200);
        assert_int_equal(mesh_live(mesh, low, high), 1);
        assert_int_equal(mesh_told_live(mesh, low), 1);
        assert_int_equal(mesh_told_live(mesh, high), 1);
        for (size_t node = low; node <= high; node++) {
            assert_non_null(mesh_reply(mesh, node));
            assert_int_equal(mesh_reply(mesh, node)->code, 0);
        }
        if (mesh_dials(mesh) == 2)
            assert_int_equal(mesh_dialler(mesh, low, high), low);
        crossed += mesh_dials(mesh) == 2;
        assert_int_equal(mesh_closed(mesh, CLOSE_reset), 0);
        assert_int_equal(mesh_failed(mesh), 0);
        mesh_destroy(&mesh);
    }
    print_message("%u of 1000 crossed\n", crossed);
    assert_true(crossed >= 500);
}

static void a_hundred_reconnects_are_one_peer(void **state) /* lesson D6 */
{
    (void)state;
    mesh_t *mesh = connected(low);
    for (int i = 0; i < 100; i++) {
        mesh_kill(mesh, low);
        mesh_run(mesh, 100);
        assert_null(link_at(mesh, high, low));
        mesh_start(mesh, low);
        ask_connect(mesh, low, high); /* from another port */
        mesh_run(mesh, 100);
        assert_int_equal(mesh_live(mesh, low, high), 1);
        assert_int_equal(mesh_node(mesh, high)->peers.count, 1);
    }
    mesh_destroy(&mesh);
}

/* A peer whose machine went without a word dials again while the old connection looks alive. */
static void who_restarts_is_let_in_within_a_second_or_so(void **state) /* lesson C2 */
{
    (void)state;
    for (size_t dialler = 0; dialler < 2; dialler++)
        for (size_t goes = 0; goes < 2; goes++) {
            mesh_t *mesh = connected(dialler);
            mesh_run(mesh, 60000);
            mesh_vanish(mesh, goes);
            mesh_start(mesh, goes);
            assert_non_null(link_at(mesh, !goes, goes)); /* nobody has told it */
            ask_connect(mesh, goes, !goes);
            mesh_run(mesh, PROBE_MS + 100);
            assert_int_equal(mesh_live(mesh, low, high), 1);
            assert_int_equal(mesh_told_live(mesh, !goes), 1);
            mesh_destroy(&mesh);
        }
}

/* --- life --------------------------------------------------------------------------------- */

static void a_peer_that_dies_is_gone_at_once(void **state) /* lesson L2 */
{
    (void)state;
    mesh_t *mesh = connected(low);
    mesh_kill(mesh, high);
    mesh_run(mesh, MESH_LATENCY_MS + 1);
    assert_null(link_at(mesh, low, high));
    assert_int_equal(mesh_told_live(mesh, low), 0);
    assert_int_equal(mesh_closed(mesh, CLOSE_reset), 1);
    mesh_destroy(&mesh);
}

static void a_peer_that_stops_is_gone_within_twenty_seconds(void **state) /* lesson L5 */
{
    (void)state;
    for (uint64_t offset = 0; offset < 6000; offset += 500) {
        mesh_t *mesh = connected(low);
        mesh_run(mesh, 30000 + offset);
        mesh_freeze(mesh, high, true);
        mesh_run(mesh, 14000);
        assert_non_null(link_at(mesh, low, high)); /* three pings are not unanswered yet */
        mesh_run(mesh, 6000);
        assert_null(link_at(mesh, low, high));
        assert_int_equal(mesh_closed(mesh, CLOSE_silent), 1);
        mesh_freeze(mesh, high, false);
        mesh_run(mesh, 60000);
        assert_int_equal(mesh_live(mesh, low, high), 1); /* it was pinned: redialled */
        mesh_destroy(&mesh);
    }
}

static void who_is_not_read_is_not_dead(void **state) /* lesson L5 */
{
    (void)state;
    mesh_t *mesh = connected(low);
    peer_t number = link_at(mesh, low, high)->number;
    mesh_pause_reading(mesh, low, true);
    mesh_run(mesh, 300000);
    assert_non_null(link_at(mesh, low, high));
    mesh_pause_reading(mesh, low, false);
    mesh_run(mesh, 60000);
    assert_int_equal(link_at(mesh, low, high)->number, number);
    mesh_destroy(&mesh);
}

static void goodbye_is_heard_and_left_alone(void **state) /* lesson L7 */
{
    (void)state;
    mesh_t *mesh = connected(high);
    uint64_t dials = mesh_dials(mesh);
    mesh_leave(mesh, high);
    mesh_run(mesh, MESH_LATENCY_MS + 1);
    assert_null(link_at(mesh, low, high));
    assert_int_equal(mesh_closed(mesh, CLOSE_goodbye), 1);
    mesh_run(mesh, LEFT_MS / 2);
    assert_int_equal(mesh_dials(mesh), dials);
    mesh_destroy(&mesh);
}

static void a_round_trip_is_measured_from_pong(void **state)
{
    (void)state;
    mesh_t *mesh = connected(low);
    mesh_run(mesh, 20000);
    mesh_ask(mesh, low, VERB_PEERS, NULL);
    assert_reply_has(mesh, low, "\"rtt_us\":10000");
    mesh_destroy(&mesh);
}

/* --- what operators see ------------------------------------------------------------------- */

static void peers_shows_each_field(void **state) /* lesson O */
{
    static const char *const fields[] = {"\"id\":\"",
                                         "\"address\":\"n1:31337\"",
                                         "\"direction\":\"out\"",
                                         "\"dialled_by\":",
                                         "\"role\":\"peer\"",
                                         "\"state\":\"live\"",
                                         "\"age_ms\":",
                                         "\"rtt_us\":",
                                         "\"bytes_in\":",
                                         "\"bytes_out\":",
                                         "\"queue\":0"};
    (void)state;
    mesh_t *mesh = connected(low);
    mesh_run(mesh, 1000);
    mesh_ask(mesh, low, VERB_PEERS, NULL);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        assert_reply_has(mesh, low, fields[i]);
    mesh_ask(mesh, high, VERB_PEERS, NULL);
    assert_reply_has(mesh, high, "\"direction\":\"in\"");
    mesh_destroy(&mesh);
    mesh = pair();
    ask_connect(mesh, low, high);
    mesh_run(mesh, 1);
    mesh_ask(mesh, high, VERB_PEERS, NULL);
    assert_string_equal(mesh_json(mesh, high), "[]");
    mesh_destroy(&mesh);
}

static void the_matrix_has_a_row_for_each_live_peer(void **state) /* lesson O */
{
    char row[512], id[BASE58_TEXT_MAX];
    (void)state;
    mesh_t *mesh = connected(low);
    mesh_ask(mesh, high, VERB_PEERS, "matrix");
    assert_null(mesh_reply(mesh, high));
    mesh_run(mesh, 50);
    (void)snprintf(id, sizeof id, "%s", id_of(mesh, low));
    (void)snprintf(row, sizeof row, "{\"id\":\"%s\",\"live\":[{\"id\":\"%s\",\"dialled\":true}]}",
                   id, id_of(mesh, high));
    assert_reply_has(mesh, high, row);
    (void)snprintf(row, sizeof row, "\"live\":[{\"id\":\"%s\",\"dialled\":false}]", id);
    assert_reply_has(mesh, high, row);
    assert_reply_has(mesh, high, "\"closed\":{}");
    mesh_freeze(mesh, low, true); /* who does not answer does not hold up the others */
    mesh_ask(mesh, high, VERB_PEERS, "matrix");
    mesh_run(mesh, MATRIX_WAIT_MS);
    assert_reply_has(mesh, high, "\"peers\":[{");
    mesh_freeze(mesh, low, false);
    mesh_ask(mesh, high, VERB_PEERS, "circle");
    assert_int_equal(mesh_reply(mesh, high)->code, ERR_BAD_REQUEST);
    mesh_destroy(&mesh);
}

static void the_matrix_has_its_own_row_first_and_the_others_by_id(void **state)
{
    enum { NODES = 9 };
    static const size_t gateway = 0;
    (void)state;
    mesh_t *mesh = mesh_new(seed);
    for (size_t i = 0; i < NODES; i++)
        (void)mesh_add(mesh,
                       &(struct mesh_node_options){.gateways = &gateway, .gateway_count = i > 0});
    for (size_t i = 0; i < NODES; i++)
        mesh_start(mesh, i);
    mesh_run(mesh, 10000);
    for (size_t i = 0; i < NODES; i++) {
        mesh_ask(mesh, i, VERB_PEERS, "matrix");
        mesh_run(mesh, 50);
        json_t *matrix = json_loads(mesh_json(mesh, i), 0, NULL);
        json_t *rows = json_object_get(matrix, "peers");
        assert_int_equal(json_array_size(rows), NODES);
        const char *before = NULL;
        for (size_t r = 0; r < NODES; r++) {
            const char *id = json_string_value(json_object_get(json_array_get(rows, r), "id"));
            if (r == 0)
                assert_string_equal(id, id_of(mesh, i));
            else
                assert_true(!before || strcmp(before, id) < 0);
            before = r ? id : NULL;
        }
        json_decref(matrix);
    }
    mesh_destroy(&mesh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_dialled_unasked),
        cmocka_unit_test(connect_answers_when_the_peer_is_live),
        cmocka_unit_test(connect_that_fails_says_why_and_is_not_repeated),
        cmocka_unit_test(connect_to_itself_or_to_what_is_no_peer_is_refused),
        cmocka_unit_test(a_second_attempt_leaves_the_connection_alone),
        cmocka_unit_test(an_attempt_under_way_is_waited_for),
        cmocka_unit_test(requests_that_wait_for_attempts_are_bounded),
        cmocka_unit_test(connect_is_not_live_when_the_other_end_turns_it_away),
        cmocka_unit_test(disconnect_removes_a_peer_until_it_is_asked_for),
        cmocka_unit_test(simultaneous_dials_leave_one_connection),
        cmocka_unit_test(a_hundred_reconnects_are_one_peer),
        cmocka_unit_test(who_restarts_is_let_in_within_a_second_or_so),
        cmocka_unit_test(a_peer_that_dies_is_gone_at_once),
        cmocka_unit_test(a_peer_that_stops_is_gone_within_twenty_seconds),
        cmocka_unit_test(who_is_not_read_is_not_dead),
        cmocka_unit_test(goodbye_is_heard_and_left_alone),
        cmocka_unit_test(a_round_trip_is_measured_from_pong),
        cmocka_unit_test(peers_shows_each_field),
        cmocka_unit_test(the_matrix_has_a_row_for_each_live_peer),
        cmocka_unit_test(the_matrix_has_its_own_row_first_and_the_others_by_id),
    };
    const char *given = getenv("SEED");
    seed = given ? strtoull(given, NULL, 0) : 20261;
    print_message("SEED=%llu\n", (unsigned long long)seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
