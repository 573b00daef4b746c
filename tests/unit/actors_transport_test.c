/* Connections from dial to close: who is told what, and that nobody is told too early. */
#include "tests/unit/transport_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sodium.h>
#include <stdlib.h>
#include <cmocka.h>

static void expect_ping(struct net *net, int node, peer_t number, uint64_t sent_us)
{
    struct peer_mail *mail = net_expect(net, node, MESSAGE_PEER_MAIL);
    assert_int_equal(mail->head.to, ACTOR_connections);
    assert_int_equal(mail->number, number);
    assert_int_equal(mail->kind, PEER_PING);
    assert_int_equal(mail->body.ping.sent_us, sent_us);
    net_drop(mail);
}

static void ping(struct net *net, int node, peer_t number, uint64_t sent_us)
{
    net_send(net, node, number, LANE_control, PEER_PING, &(struct peer_ping){sent_us});
}

static void a_dialled_node_becomes_a_peer_of_both(void **unused)
{
    (void)unused;
    struct net net;
    net_init(&net);
    net.nodes[1].config.role = ROLE_gateway;
    net_start(&net, 0);
    net_dial(&net, 0, 2, 1, wire_pair_address(1));
    net_run(&net);
    struct opened *at[2] = {net_expect(&net, 0, MESSAGE_OPENED),
                            net_expect(&net, 1, MESSAGE_OPENED)};
    assert_int_equal(at[0]->number, 2);
    assert_int_equal(at[1]->number % 2, 1);
    for (int n = 0; n < 2; n++) {
        assert_int_equal(at[n]->inbound, n == 1);
        assert_int_equal(at[n]->role, n == 0 ? ROLE_gateway : ROLE_peer);
        assert_memory_equal(at[n]->id.bytes, net.nodes[!n].config.public_key, NODE_ID_BYTES);
        assert_string_equal(at[n]->address, wire_pair_address(!n));
        net_order(&net, n, MESSAGE_ADMIT, at[n]->number, CLOSE_goodbye, NULL);
    }
    assert_string_equal(at[0]->remote, wire_pair_address(1));
    assert_string_equal(at[0]->observed, at[1]->remote);
    ping(&net, 0, at[0]->number, 77);
    ping(&net, 1, at[1]->number, 78);
    net_run(&net);
    expect_ping(&net, 1, at[1]->number, 77);
    expect_ping(&net, 0, at[0]->number, 78);
    assert_true(at[0]->traffic->bytes_out > 0 && at[0]->traffic->bytes_in > 0);
    assert_int_equal(at[0]->traffic->heard_ms, net.ms);
    net_drop(at[0]);
    net_drop(at[1]);
    net_free(&net);
}

static void nothing_is_handed_on_before_admit(void **unused)
{
    (void)unused;
    struct net net;
    net_init(&net);
    net_start(&net, 0);
    net_dial(&net, 0, 2, 1, wire_pair_address(1));
    net_run(&net);
    net_drop(net_expect(&net, 0, MESSAGE_OPENED));
    net_order(&net, 0, MESSAGE_ADMIT, 2, CLOSE_goodbye, NULL);
    for (uint64_t i = 0; i < 5; i++)
        ping(&net, 0, 2, i);
    net_run(&net);
    net_drop(net_expect(&net, 1, MESSAGE_OPENED));
    assert_true(net_is_quiet(&net, 1));
    net_order(&net, 1, MESSAGE_ADMIT, 1, CLOSE_goodbye, NULL);
    net_run(&net);
    for (uint64_t i = 0; i < 5; i++)
        expect_ping(&net, 1, 1, i);
    net_free(&net);
}

/* lesson K3 */
static void the_answerer_tells_nobody_before_the_first_record(void **unused)
{
    (void)unused;
    struct net net;
    net_init(&net);
    net_start(&net, 0);
    net_dial(&net, 0, 2, 1, wire_pair_address(1));
    while (net_is_quiet(&net, 0)) { /* until node 0 has the answer; no first record comes */
        net_turn(&net, 0);
        net_turn(&net, 1);
        wire_pair_hold(net.wires, 0, transport_counters(net.nodes[1].transport)->answered > 0);
    }
    net_run(&net);
    net_drop(net_expect(&net, 0, MESSAGE_OPENED));
    assert_true(net_is_quiet(&net, 1));
    wire_pair_hold(net.wires, 0, false);
    net_run(&net);
    net_drop(net_expect(&net, 1, MESSAGE_OPENED));
    net_free(&net);
}

/* lessons K3 and K5: whoever recorded a first message may send it again, and nothing changes. */
static void ten_thousand_replays_of_a_first_message_change_nothing(void **unused)
{
    (void)unused;
    enum { REPLAYS = 10000 };
    struct net net;
    struct buffer first = {0};
    net_init(&net);
    net_start(&net, 0);
    (void)wire_pair_record(net.wires, 0);
    struct pipe_ends ends = net_live(&net);
    struct slice sent = wire_pair_record(net.wires, 0);
    buffer_append(&first, sent.data, HANDSHAKE_PREFIX_BYTES + get_u16(sent.data));
    for (unsigned i = 0; i < REPLAYS; i++) {
        int replay = wire_pair_stranger(net.wires, 1, 20, (uint8_t)(i >> 8), (uint8_t)i);
        wire_pair_say(net.wires, replay, buffer_slice(&first));
        if (i % 1000 == 0)
            ping(&net, 0, ends.at[0], i);
        net_run(&net);
        assert_true(wire_pair_heard(net.wires, replay).size > 0); /* an answer, of no use to it */
        if (i % 1000 == 0)
            expect_ping(&net, 1, ends.at[1], i);
        wire_pair_leave(net.wires, replay);
        net.ms++;
    }
    net_run(&net);
    assert_true(net_is_quiet(&net, 1));
    assert_int_equal(transport_counters(net.nodes[1].transport)->answered, REPLAYS + 1);
    assert_int_equal(transport_counters(net.nodes[1].transport)->opened, 1);
    assert_int_equal(transport_counters(net.nodes[1].transport)->broken, REPLAYS);
    assert_int_equal(wire_pair_open(net.wires, 1), 1);
    buffer_free(&first);
    net_free(&net);
}

/* --- who is no peer ---------------------------------------------------------------------- */

static void another_network_is_refused_with_that_reason(void **unused)
{
    (void)unused;
    struct net net;
    net_init(&net);
    net.nodes[1].config.network = slice_text("elsewhere");
    net_start(&net, 0);
    net_dial(&net, 0, 2, 1, wire_pair_address(1));
    net_run(&net);
    net_expect_closed(&net, 0, 2, CLOSE_refused, "another network"); /* lesson D7 */
    assert_true(net_is_quiet(&net, 0) && net_is_quiet(&net, 1));
    assert_int_equal(transport_counters(net.nodes[1].transport)->refused, 1);
    assert_int_equal(wire_pair_open(net.wires, 0) + wire_pair_open(net.wires, 1), 0);
    net_free(&net);
}

static void another_node_than_the_one_dialled_is_told_so(void **unused)
{
    (void)unused;
    struct net net;
    net_init(&net);
    net_start(&net, 0);
    struct dial *dial = message_new(sizeof *dial);
    dial->number = 2;
    memset(dial->id.bytes, 9, sizeof dial->id.bytes);
    (void)snprintf(dial->address, sizeof dial->address, "%s", wire_pair_address(1));
    net_give(&net, 0, ACTOR_connections, MESSAGE_DIAL, &dial->head);
    net_run(&net);
    net_expect_closed(&net, 0, 2, CLOSE_wrong_id, "another node");
    assert_true(net_is_quiet(&net, 1));
    net_free(&net);
}

static void a_node_does_not_dial_itself(void **unused)
{
    (void)unused;
    struct net net;
    net_init(&net);
    net_start(&net, 0);
    net_dial(&net, 0, 2, 0, wire_pair_address(1)); /* lesson D5 */
    net_run(&net);
    net_expect_closed(&net, 0, 2, CLOSE_wrong_id, "itself");
    assert_int_equal(wire_pair_dials(net.wires, 0), 0);
    net_free(&net);
}

static void an_address_where_nobody_is_is_unreachable(void **unused)
{
    (void)unused;
    static const char *const addresses[] = {"10.9.9.9:1", "nonsense"};
    struct net net;
    net_init(&net);
    net_start(&net, 0);
    for (size_t i = 0; i < 2; i++) {
        net_dial(&net, 0, 2 + 2 * i, 1, addresses[i]);
        net_run(&net);
        net_expect_closed(&net, 0, 2 + 2 * i, CLOSE_unreachable, "");
    }
    assert_int_equal(wire_pair_open(net.wires, 0), 0);
    net_free(&net);
}

static void a_handshake_without_answer_ends_after_its_time(void **unused)
{
    (void)unused;
    struct net net;
    net_init(&net);
    net_start(&net, 0);
    wire_pair_hold(net.wires, 1, true);
    net_dial(&net, 0, 2, 1, wire_pair_address(1));
    net_advance_ms(&net, HANDSHAKE_MS - 1);
    assert_true(net_is_quiet(&net, 0));
    net_advance_ms(&net, 2);
    net_expect_closed(&net, 0, 2, CLOSE_slow_handshake, "");
    net_free(&net);
}

/* --- ends -------------------------------------------------------------------------------- */

static void a_goodbye_a_close_and_a_reset_are_told_apart(void **unused)
{
    (void)unused;
    struct net net;
    net_init(&net);
    net_start(&net, 0);
    struct pipe_ends ends = net_live(&net);
    wire_pair_cut(net.wires, false);
    net_run(&net);
    for (int n = 0; n < 2; n++)
        net_expect_closed(&net, n, ends.at[n], CLOSE_closed, "");
    ends = net_live(&net);
    wire_pair_cut(net.wires, true);
    net_run(&net);
    for (int n = 0; n < 2; n++)
        net_expect_closed(&net, n, ends.at[n], CLOSE_reset, "");
    ends = net_live(&net);
    net_stop(&net, 1);
    net_run(&net);
    net_expect_closed(&net, 0, ends.at[0], CLOSE_goodbye,
                      "stopping: this node stops"); /* lesson L7 */
    assert_int_equal(wire_pair_open(net.wires, 0), 0);
    net_free(&net);
}

static void who_is_hung_up_on_learns_why(void **unused)
{
    (void)unused;
    static const struct {
        enum close_reason reason, heard;
    } rows[] = {{CLOSE_duplicate, CLOSE_duplicate}, {CLOSE_full, CLOSE_full},
                {CLOSE_removed, CLOSE_removed},     {CLOSE_misbehaved, CLOSE_misbehaved},
                {CLOSE_stopping, CLOSE_goodbye},    {CLOSE_silent, CLOSE_silent},
                {CLOSE_local_fault, CLOSE_goodbye}};
    struct net net;
    net_init(&net);
    net_start(&net, 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct pipe_ends ends = net_live(&net);
        uint64_t began = net.ms;
        ping(&net, 1, ends.at[1], 5);
        net_order(&net, 0, MESSAGE_HANG_UP, ends.at[0], rows[i].reason, "for a test");
        net_order(&net, 0, MESSAGE_HANG_UP, ends.at[0], CLOSE_silent, "again");
        net_run(&net);
        net_expect_closed(&net, 0, ends.at[0], rows[i].reason, "for a test");
        net_expect_closed(&net, 1, ends.at[1], rows[i].heard, "for a test");
        assert_true(net_is_quiet(&net, 0) && net_is_quiet(&net, 1));
        assert_int_equal(net.ms, began);
    }
    assert_int_equal(wire_pair_open(net.wires, 0) + wire_pair_open(net.wires, 1), 0);
    net_free(&net);
}

static void a_hang_up_waits_a_second_for_a_peer_that_takes_nothing(void **unused)
{
    (void)unused;
    struct net net;
    net_init(&net);
    net_start(&net, 0);
    struct pipe_ends ends = net_live(&net);
    wire_pair_hold(net.wires, 0, true);
    net_order(&net, 0, MESSAGE_HANG_UP, ends.at[0], CLOSE_removed, "for a test");
    net_advance_ms(&net, GOODBYE_MS - 1);
    assert_true(net_is_quiet(&net, 0));
    net_advance_ms(&net, 2);
    net_expect_closed(&net, 0, ends.at[0], CLOSE_removed, "for a test");
    wire_pair_hold(net.wires, 0, false);
    net_run(&net);
    net_expect_closed(&net, 1, ends.at[1], CLOSE_removed, "for a test");
    net_free(&net);
}

static void a_message_with_tell_comes_back_once_written_or_lost(void **unused)
{
    (void)unused;
    struct net net;
    net_init(&net);
    net_start(&net, 0);
    struct pipe_ends ends = net_live(&net);
    struct peer_delta delta = net_delta(300 << 10);
    for (uint64_t i = 0; i < 3; i++) {
        struct peer_send *send = peer_send_new(ends.at[0], LANE_bulk, PEER_DELTA, &delta);
        send->tell = true;
        send->token[0] = i;
        if (i == 1)
            wire_pair_hold(net.wires, 0, true);
        net_give(&net, 0, ACTOR_sync, MESSAGE_PEER_SEND, &send->head);
        net_run(&net);
        struct message *came = i == 0 ? net_expect(&net, 0, MESSAGE_PEER_SENT) : NULL;
        if (came) {
            assert_int_equal(came->to, ACTOR_sync);
            assert_int_equal(((struct peer_send *)came)->token[0], 0);
            net_drop(came);
            net_drop(net_expect(&net, 1, MESSAGE_PEER_MAIL));
        }
        assert_true(net_is_quiet(&net, 0)); /* the socket is full */
    }
    wire_pair_cut(net.wires, true);
    wire_pair_hold(net.wires, 0, false);
    net_run(&net);
    for (uint64_t i = 1; i < 3; i++) {
        struct peer_send *sent = net_expect(&net, 0, MESSAGE_PEER_SENT);
        assert_int_equal(sent->token[0], i);
        net_drop(sent);
    }
    net_expect_closed(&net, 0, ends.at[0], CLOSE_reset, "");
    struct peer_send *late = peer_send_new(ends.at[0], LANE_bulk, PEER_DELTA, &delta);
    late->tell = true;
    net_give(&net, 0, ACTOR_sync, MESSAGE_PEER_SEND, &late->head);
    net_run(&net);
    net_drop(net_expect(&net, 0, MESSAGE_PEER_SENT));
    net_free(&net);
}

/* --- a hostile wire ---------------------------------------------------------------------- */

struct mischief {
    int from;
    bool flip, reflect;
    struct buffer other; /* what goes instead */
    size_t used;
};

static void tamper(void *context, int from, uint8_t *bytes, size_t size)
{
    struct mischief *self = context;
    if (from != self->from)
        return;
    if (self->flip)
        bytes[size / 2] ^= 1;
    for (size_t i = 0; i < size && self->used < self->other.size; i++)
        bytes[i] = self->other.data[self->used++];
}

/* lesson K4 */
static void a_changed_byte_closes_with_bad_record_and_nothing_is_handed_on(void **unused)
{
    (void)unused;
    struct net net;
    struct mischief mischief = {.from = 0, .flip = true};
    net_init(&net);
    net_start(&net, 0);
    struct pipe_ends ends = net_live(&net);
    wire_pair_tamper(net.wires, tamper, &mischief);
    ping(&net, 0, ends.at[0], 1);
    net_run(&net);
    net_expect_closed(&net, 1, ends.at[1], CLOSE_bad_record, "");
    net_expect_closed(&net, 0, ends.at[0], CLOSE_closed, "");
    net_free(&net);
}

/* lesson K4: what node 0 said comes back to it, its stream's header included; under one key both
 * ways (a gateway connection), too. */
static void a_reflected_stream_closes_with_bad_record(void **unused)
{
    (void)unused;
    for (int gateway = 0; gateway < 2; gateway++) {
        struct net net;
        struct mischief mischief = {.from = 1};
        net_init(&net);
        net.nodes[1].config.role = gateway ? ROLE_gateway : ROLE_peer;
        net_start(&net, 0);
        (void)wire_pair_record(net.wires, 0);
        struct pipe_ends ends = net_live(&net);
        ping(&net, 0, ends.at[0], 1);
        net_run(&net);
        net_ignore(&net, 1);
        struct slice said = wire_pair_record(net.wires, 0);
        size_t hello = HANDSHAKE_PREFIX_BYTES + get_u16(said.data);
        buffer_append_slice(&mischief.other, slice_after(said, hello));
        wire_pair_tamper(net.wires, tamper, &mischief);
        struct peer_delta delta = net_delta(2000); /* room for all that is reflected */
        net_send(&net, 1, ends.at[1], LANE_small, PEER_DELTA, &delta);
        net_run(&net);
        net_expect_closed(&net, 0, ends.at[0], CLOSE_bad_record, "reflected");
        buffer_free(&mischief.other);
        net_free(&net);
    }
}

/* lesson K4: a record of one connection in another one of the same two nodes. */
static void a_record_spliced_from_another_session_closes_with_bad_record(void **unused)
{
    (void)unused;
    struct net net;
    struct mischief mischief = {.from = 0};
    net_init(&net);
    net_start(&net, 0);
    struct pipe_ends ends = net_live(&net), other = net_live(&net);
    (void)wire_pair_record(net.wires, 0);
    ping(&net, 0, other.at[0], 5);
    net_run(&net);
    expect_ping(&net, 1, other.at[1], 5);
    buffer_append_slice(&mischief.other, wire_pair_record(net.wires, 0));
    wire_pair_tamper(net.wires, tamper, &mischief);
    ping(&net, 0, ends.at[0], 6);
    net_run(&net);
    net_expect_closed(&net, 1, ends.at[1], CLOSE_bad_record, "does not open");
    ping(&net, 0, other.at[0], 7); /* the session it was taken from lives */
    net_ignore(&net, 0);
    net_run(&net);
    expect_ping(&net, 1, other.at[1], 7);
    buffer_free(&mischief.other);
    net_free(&net);
}

static void status_passes_through_and_takes_the_strangers_along(void **unused)
{
    (void)unused;
    struct net net;
    net_init(&net);
    net_start(&net, 0);
    int stranger = wire_pair_stranger(net.wires, 1, 20, 0, 1);
    wire_pair_say(net.wires, stranger, slice_text("GET / HTTP/1.1\r\n\r\n"));
    (void)wire_pair_stranger(net.wires, 1, 20, 0, 2);
    net_advance_ms(&net, HANDSHAKE_MS);
    struct request *request = message_new(sizeof *request);
    request->verb = VERB_STATUS;
    net_give(&net, 1, ACTOR_connections, MESSAGE_ASK, &request->head);
    net_run(&net);
    request = net_expect(&net, 1, MESSAGE_ASK);
    assert_int_equal(request->head.to, ACTOR_hosting);
    assert_int_equal(request->strangers.accepted, 2);
    assert_int_equal(request->strangers.broken, 1);
    assert_int_equal(request->strangers.slow, 1);
    net_drop(request);
    net_free(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dialled_node_becomes_a_peer_of_both),
        cmocka_unit_test(nothing_is_handed_on_before_admit),
        cmocka_unit_test(the_answerer_tells_nobody_before_the_first_record),
        cmocka_unit_test(ten_thousand_replays_of_a_first_message_change_nothing),
        cmocka_unit_test(another_network_is_refused_with_that_reason),
        cmocka_unit_test(another_node_than_the_one_dialled_is_told_so),
        cmocka_unit_test(a_node_does_not_dial_itself),
        cmocka_unit_test(an_address_where_nobody_is_is_unreachable),
        cmocka_unit_test(a_handshake_without_answer_ends_after_its_time),
        cmocka_unit_test(a_goodbye_a_close_and_a_reset_are_told_apart),
        cmocka_unit_test(who_is_hung_up_on_learns_why),
        cmocka_unit_test(a_hang_up_waits_a_second_for_a_peer_that_takes_nothing),
        cmocka_unit_test(a_message_with_tell_comes_back_once_written_or_lost),
        cmocka_unit_test(a_changed_byte_closes_with_bad_record_and_nothing_is_handed_on),
        cmocka_unit_test(a_reflected_stream_closes_with_bad_record),
        cmocka_unit_test(a_record_spliced_from_another_session_closes_with_bad_record),
        cmocka_unit_test(status_passes_through_and_takes_the_strangers_along),
    };
    return cmocka_run_group_tests_name("actors_transport", tests, NULL, NULL);
}
