/* Strangers: what they may cost, how long, how many, and that who is live does not notice; and what
 * a node that has shaken hands may not send. */
#include "proto/session.h"
#include "tests/support/heap.h"
#include "tests/unit/transport_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sodium.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct transport_counters *counters(const struct net *net)
{
    return transport_counters(net->nodes[1].transport);
}

/* --- bytes that are no handshake --------------------------------------------------------- */

static void what_is_no_weir_is_closed_at_once(void **unused)
{
    (void)unused;
    static const struct {
        const char *bytes;
        size_t size;
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27},
        {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11}, /* TLS */
        {"\xff\0\0\0\0\0\0\0\1\x7f\3\1NULL", 16},             /* ZMTP */
        {"SSH-2.0-OpenSSH_9.2\r\n", 21},
        {"\0\0", 2},
    };
    struct net *net = net_new();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int stranger = wire_pair_stranger(net->wires, 1, 20, 0, (uint8_t)i);
        wire_pair_say(net->wires, stranger, slice_of(rows[i].bytes, rows[i].size));
        net_run(net);
        assert_true(wire_pair_is_over(net->wires, stranger));
        assert_int_equal(wire_pair_heard(net->wires, stranger).size, 0);
        assert_int_equal(counters(net)->broken, i + 1);
    }
    assert_true(net_is_quiet(net, 1));
    net_free(net);
}

static void random_bytes_are_closed_within_five_seconds_and_get_no_answer(void **unused)
{
    (void)unused;
    struct net *net = net_new();
    for (unsigned i = 0; i < 300; i++) {
        uint8_t bytes[1500];
        randombytes_buf(bytes, sizeof bytes);
        if (i % 2)
            put_u16(bytes, (uint16_t)(i + 100)); /* a length that may be */
        int stranger = wire_pair_stranger(net->wires, 1, 21, (uint8_t)(i >> 8), (uint8_t)i);
        wire_pair_say(net->wires, stranger, slice_of(bytes, 2 + i * 4));
        net_run(net);
        if (!wire_pair_is_over(net->wires, stranger))
            net_advance_ms(net, HANDSHAKE_MS);
        assert_true(wire_pair_is_over(net->wires, stranger));
        assert_int_equal(wire_pair_heard(net->wires, stranger).size, 0);
        wire_pair_leave(net->wires, stranger);
    }
    assert_true(net_is_quiet(net, 1));
    assert_int_equal(wire_pair_open(net->wires, 1), 0);
    net_free(net);
}

static void one_byte_a_second_is_closed_after_five(void **unused)
{
    (void)unused;
    struct net *net = net_new();
    int stranger = wire_pair_stranger(net->wires, 1, 20, 1, 1);
    unsigned seconds = 0;
    for (; !wire_pair_is_over(net->wires, stranger) && seconds < 60; seconds++) {
        wire_pair_say(net->wires, stranger, slice_of("\1", 1));
        net_advance_ms(net, 1000);
    }
    assert_int_equal(seconds, HANDSHAKE_MS / 1000);
    assert_int_equal(counters(net)->slow, 1);
    net_free(net);
}

static void a_stranger_holds_at_most_sixteen_kibibytes(void **unused)
{
    (void)unused;
    enum { STRANGERS = 200 };
    static uint8_t bytes[1 << 20] = {3, 0xff}; /* a message of 1023 bytes, then much more */
    struct net *net = net_new();
    int first = wire_pair_stranger(net->wires, 1, 22, 0, 0);
    net_run(net);
    wire_pair_leave(net->wires, first);
    net_run(net);
    size_t before = heap_bytes();
    for (unsigned i = 0; i < STRANGERS; i++) {
        int stranger = wire_pair_stranger(net->wires, 1, 22, 1, (uint8_t)i);
        wire_pair_say(net->wires, stranger, slice_of(bytes, i % 2 ? 1000 : 700));
        net_run(net);
        assert_false(wire_pair_is_over(net->wires, stranger));
    }
    assert_int_equal(wire_pair_open(net->wires, 1), STRANGERS);
    assert_true((heap_bytes() - before) / STRANGERS <= STRANGER_BYTES_MAX);
    int flood = wire_pair_stranger(net->wires, 1, 22, 2, 0);
    before = heap_bytes();
    wire_pair_say(net->wires, flood, slice_of(bytes, sizeof bytes));
    size_t said = heap_bytes() - before; /* in the test's own wire */
    net_run(net);
    assert_true(heap_bytes() - before <= said + STRANGER_BYTES_MAX);
    net_advance_ms(net, HANDSHAKE_MS);
    assert_int_equal(wire_pair_open(net->wires, 1), 0);
    net_free(net);
}

/* --- how many ---------------------------------------------------------------------------- */

static void a_prefix_has_so_many_at_once_and_no_more(void **unused)
{
    (void)unused;
    struct net *net = net_new();
    for (unsigned i = 0; i < HANDSHAKES_A_PREFIX + 5; i++) {
        int stranger = wire_pair_stranger(net->wires, 1, 23, 0, 0);
        net_run(net);
        assert_int_equal(wire_pair_is_over(net->wires, stranger), i >= HANDSHAKES_A_PREFIX);
    }
    int other = wire_pair_stranger(net->wires, 1, 23, 0, 1);
    net_run(net);
    assert_false(wire_pair_is_over(net->wires, other));
    assert_int_equal(counters(net)->turned_away, 5);
    net_free(net);
}

static void a_prefix_comes_at_a_bounded_rate(void **unused)
{
    (void)unused;
    struct net *net = net_new();
    unsigned admitted = 0;
    for (unsigned i = 0; i < 1000; i++) { /* one each 10 ms, each leaves at once */
        int stranger = wire_pair_stranger(net->wires, 1, 24, 0, 0);
        net_run(net);
        admitted += !wire_pair_is_over(net->wires, stranger);
        wire_pair_leave(net->wires, stranger);
        net_advance_ms(net, 10);
    }
    assert_in_range(admitted, PREFIX_HANDSHAKES_MAX + 10 * PREFIX_HANDSHAKES_S - 2,
                    PREFIX_HANDSHAKES_MAX + 10 * PREFIX_HANDSHAKES_S + 2);
    net_free(net);
}

/* lesson C4: however many strangers there are, a live connection's records are its own. */
static void a_crowd_pushes_out_its_oldest_and_no_peer(void **unused)
{
    (void)unused;
    struct net *net = net_new();
    struct pipe_ends ends = net_live(net);
    int oldest = -1;
    for (unsigned i = 0; i < HANDSHAKES_MAX + 100; i++) {
        int stranger = wire_pair_stranger(net->wires, 1, 25, (uint8_t)(i >> 8), (uint8_t)i);
        wire_pair_say(net->wires, stranger, slice_of("\1", 1));
        oldest = oldest < 0 ? stranger : oldest;
        net_run(net);
        assert_false(wire_pair_is_over(net->wires, stranger));
        net_send(net, 0, ends.at[0], LANE_control, PEER_PING, &(struct peer_ping){i});
        net_run(net);
        struct peer_mail *mail = net_expect(net, 1, MESSAGE_PEER_MAIL);
        assert_int_equal(mail->number, ends.at[1]);
        assert_int_equal(mail->body.ping.sent_us, i);
        net_drop(mail);
    }
    assert_true(wire_pair_is_over(net->wires, oldest));
    assert_int_equal(wire_pair_open(net->wires, 1), HANDSHAKES_MAX + 1);
    assert_int_equal(counters(net)->turned_away, 100);
    net_advance_ms(net, HANDSHAKE_MS);
    assert_int_equal(wire_pair_open(net->wires, 1), 1);
    assert_true(net_is_quiet(net, 1));
    net_free(net);
}

/* lesson C5: a flood of strangers is let in bit by bit, and others have their turn between. */
static void a_turn_lets_so_many_in_and_no_more(void **unused)
{
    (void)unused;
    enum { WAITING = 3 * ACCEPTS_A_TURN + 1 };
    struct net *net = net_new();
    for (unsigned i = 0; i < WAITING; i++)
        assert_true(wire_pair_stranger(net->wires, 1, 27, 0, (uint8_t)i) >= 0);
    for (unsigned turns = 1; turns <= 3; turns++) {
        assert_true(net_turn(net, 1));
        assert_int_equal(counters(net)->accepted, turns * ACCEPTS_A_TURN);
    }
    net_run(net);
    assert_int_equal(counters(net)->accepted, WAITING);
    assert_true(wire_pair_accepts(net->wires, 1));
    net_free(net);
}

static void who_has_said_nothing_is_pushed_out_before_who_has(void **unused)
{
    (void)unused;
    struct net *net = net_new();
    int strangers[HANDSHAKES_MAX + 2];
    for (unsigned i = 0; i < HANDSHAKES_MAX + 2; i++) {
        strangers[i] = wire_pair_stranger(net->wires, 1, 28, (uint8_t)(i >> 8), (uint8_t)i);
        if (i != 100 && i != 200)
            wire_pair_say(net->wires, strangers[i], slice_of("\1", 1));
        net_run(net);
    }
    for (unsigned i = 0; i < HANDSHAKES_MAX + 2; i++)
        assert_int_equal(wire_pair_is_over(net->wires, strangers[i]), i == 100 || i == 200);
    net_free(net);
}

static void at_the_cap_nobody_is_accepted_until_there_is_room(void **unused)
{
    (void)unused;
    enum { MOST = 6 };
    static struct net net;
    net_init(&net);
    net_start(&net, MOST);
    for (int i = 0; i < MOST / 2; i++) {
        assert_true(wire_pair_stranger(net.wires, 1, 26, 0, (uint8_t)i) >= 0);
        net_run(&net);
    }
    assert_false(wire_pair_accepts(net.wires, 1));
    for (peer_t n = 2; n <= 2 * MOST; n += 2) { /* the rest is for dials */
        wire_pair_hold(net.wires, 0, true);
        net_dial(&net, 1, n, 0, "10.0.0.1:7000");
    }
    size_t closed = 0;
    for (struct message *m = mail_pop(&net.nodes[1].out.mail); m;
         m = mail_pop(&net.nodes[1].out.mail)) {
        assert_int_equal(((struct closed *)m)->reason, CLOSE_local_fault);
        closed++;
        net_drop(m);
    }
    assert_int_equal(closed, MOST / 2);
    net_advance_ms(&net, HANDSHAKE_MS);
    assert_true(wire_pair_accepts(net.wires, 1));
    net_free(&net);
}

/* --- who has shaken hands, and then breaks the rules ------------------------------------- */

struct hand { /* a node that the test plays itself */
    struct handshake_config config;
    handshake_t *handshake;
    session_t *session;
    int wire;
};

static void come(struct net *net, struct hand *self)
{
    *self = (struct hand){.config = net->nodes[0].config};
    self->wire = wire_pair_stranger(net->wires, 1, 30, 0, 0);
    net_run(net);
}

static void introduce(struct net *net, struct hand *self)
{
    uint8_t random[HANDSHAKE_RANDOM_BYTES];
    struct buffer first = {0};
    struct reason why = {""};
    randombytes_buf(random, sizeof random);
    self->handshake =
        handshake_dial(&self->config, net->nodes[1].config.public_key, random, &first, &why);
    assert_non_null(self->handshake);
    wire_pair_say(net->wires, self->wire, buffer_slice(&first));
    buffer_free(&first);
    net_run(net);
    struct slice answer = wire_pair_heard(net->wires, self->wire);
    assert_int_equal(
        handshake_read_answer(self->handshake, slice_after(answer, HANDSHAKE_PREFIX_BYTES), &why),
        0);
    const struct handshake_result *result = handshake_result(self->handshake);
    self->session = session_new(true, result->send_key, result->receive_key, result->stream_header);
}

static void shake(struct net *net, struct hand *self)
{
    come(net, self);
    introduce(net, self);
}

static void say_record(struct net *net, struct hand *self, struct slice plain, bool last)
{
    struct buffer record = {0};
    assert_int_equal(session_seal(self->session, plain, last, &record), 0);
    wire_pair_say(net->wires, self->wire, buffer_slice(&record));
    buffer_free(&record);
    net_run(net);
}

static void let_go(struct net *net, struct hand *self)
{
    wire_pair_leave(net->wires, self->wire);
    handshake_destroy(&self->handshake);
    session_destroy(&self->session);
    net_run(net);
}

static void who_is_answered_late_is_not_the_next_to_be_pushed_out(void **unused)
{
    (void)unused;
    struct net *net = net_new();
    struct hand hand;
    int strangers[HANDSHAKES_MAX];
    come(net, &hand);
    for (unsigned i = 0; i < HANDSHAKES_MAX; i++) {
        if (i == HANDSHAKES_MAX - 1)
            introduce(net, &hand);
        strangers[i] = wire_pair_stranger(net->wires, 1, 29, (uint8_t)(i >> 8), (uint8_t)i);
        wire_pair_say(net->wires, strangers[i], slice_of("\1", 1));
        net_run(net);
    }
    assert_true(wire_pair_is_over(net->wires, strangers[0]));
    assert_false(wire_pair_is_over(net->wires, hand.wire));
    say_record(net, &hand, slice_of(NULL, 0), false);
    net_drop(net_expect(net, 1, MESSAGE_OPENED));
    let_go(net, &hand);
    net_free(net);
}

/* What follows a first message that is refused is nobody's to open. */
static void a_refused_stranger_that_says_more_hears_why_and_is_closed(void **unused)
{
    (void)unused;
    for (unsigned more = 0; more < 100; more++) {
        struct net *net = net_new();
        struct handshake_config config = net->nodes[0].config;
        uint8_t random[HANDSHAKE_RANDOM_BYTES] = {(uint8_t)more}, rest[100] = {0, (uint8_t)more};
        struct buffer first = {0};
        config.network = slice_text("elsewhere");
        handshake_t *handshake =
            handshake_dial(&config, net->nodes[1].config.public_key, random, &first, NULL);
        buffer_append(&first, rest, more);
        int stranger = wire_pair_stranger(net->wires, 1, 31, 0, 0);
        wire_pair_say(net->wires, stranger, buffer_slice(&first));
        net_run(net);
        struct slice answer = wire_pair_heard(net->wires, stranger);
        struct reason why = {""};
        assert_int_equal(
            handshake_read_answer(handshake, slice_after(answer, HANDSHAKE_PREFIX_BYTES), &why),
            ERR_DENIED);
        assert_string_equal(why.text, "the peer refuses: another network");
        net_advance_ms(net, GOODBYE_MS);
        assert_true(wire_pair_is_over(net->wires, stranger));
        assert_true(net_is_quiet(net, 1));
        handshake_destroy(&handshake);
        buffer_free(&first);
        net_free(net);
    }
}

static void a_first_record_that_is_too_large_makes_no_peer(void **unused)
{
    (void)unused;
    static const uint8_t zeros[RECORD_PLAIN_BYTES_MAX];
    struct net *net = net_new();
    struct hand hand;
    shake(net, &hand);
    say_record(net, &hand, slice_of(zeros, FIRST_RECORD_BYTES_MAX), false);
    assert_true(wire_pair_is_over(net->wires, hand.wire));
    assert_true(net_is_quiet(net, 1));
    let_go(net, &hand);
    net_free(net);
}

static void a_first_record_may_speak(void **unused)
{
    (void)unused;
    struct net *net = net_new();
    struct hand hand;
    shake(net, &hand);
    say_record(net, &hand, slice_of("\x80\0\x9\0\0\0\0\0\0\0\0\x2a", 12), false); /* a PING */
    struct opened *opened = net_expect(net, 1, MESSAGE_OPENED);
    assert_true(net_is_quiet(net, 1));
    net_order(net, 1, MESSAGE_ADMIT, opened->number, CLOSE_goodbye, NULL);
    net_run(net);
    struct peer_mail *mail = net_expect(net, 1, MESSAGE_PEER_MAIL);
    assert_int_equal(mail->body.ping.sent_us, 42);
    net_drop(mail);
    net_drop(opened);
    let_go(net, &hand);
    net_free(net);
}

static void frames_and_messages_that_are_none_close_with_bad_record(void **unused)
{
    (void)unused;
    static const struct {
        const char *bytes;
        size_t size;
        const char *words;
    } rows[] = {
        {"\x80\0\x9\0", 4, "cut off"}, {"\x85\0\1x", 4, "unknown type"},
        {"\x80\0\0", 3, "too small"},  {"\x80\0\1\xff", 4, ""},
        {"\x80\0\2\0\1", 5, ""},       {"\x83\0\5\1\0\0\0\1", 8, "more than was used"},
    };
    struct net *net = net_new();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct hand hand;
        shake(net, &hand);
        say_record(net, &hand, slice_of(NULL, 0), false);
        struct opened *opened = net_expect(net, 1, MESSAGE_OPENED);
        net_order(net, 1, MESSAGE_ADMIT, opened->number, CLOSE_goodbye, NULL);
        say_record(net, &hand, slice_of(rows[i].bytes, rows[i].size), false);
        net_expect_closed(net, 1, opened->number, CLOSE_bad_record, rows[i].words);
        assert_true(net_is_quiet(net, 1));
        net_drop(opened);
        let_go(net, &hand);
    }
    net_free(net);
}

static void a_goodbye_is_printable_whatever_it_says(void **unused)
{
    (void)unused;
    struct net *net = net_new();
    struct hand hand;
    shake(net, &hand);
    say_record(net, &hand, slice_of(NULL, 0), false);
    struct opened *opened = net_expect(net, 1, MESSAGE_OPENED);
    net_order(net, 1, MESSAGE_ADMIT, opened->number, CLOSE_goodbye, NULL);
    say_record(net, &hand, slice_text("bad_record: \x1b[2J\n\xff"), true);
    net_expect_closed(net, 1, opened->number, CLOSE_goodbye, "bad_record: ?[2J??");
    net_drop(opened);
    let_go(net, &hand);
    net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_weir_is_closed_at_once),
        cmocka_unit_test(random_bytes_are_closed_within_five_seconds_and_get_no_answer),
        cmocka_unit_test(one_byte_a_second_is_closed_after_five),
        cmocka_unit_test(a_stranger_holds_at_most_sixteen_kibibytes),
        cmocka_unit_test(a_prefix_has_so_many_at_once_and_no_more),
        cmocka_unit_test(a_prefix_comes_at_a_bounded_rate),
        cmocka_unit_test(a_crowd_pushes_out_its_oldest_and_no_peer),
        cmocka_unit_test(a_turn_lets_so_many_in_and_no_more),
        cmocka_unit_test(who_has_said_nothing_is_pushed_out_before_who_has),
        cmocka_unit_test(who_is_answered_late_is_not_the_next_to_be_pushed_out),
        cmocka_unit_test(at_the_cap_nobody_is_accepted_until_there_is_room),
        cmocka_unit_test(a_refused_stranger_that_says_more_hears_why_and_is_closed),
        cmocka_unit_test(a_first_record_that_is_too_large_makes_no_peer),
        cmocka_unit_test(a_first_record_may_speak),
        cmocka_unit_test(frames_and_messages_that_are_none_close_with_bad_record),
        cmocka_unit_test(a_goodbye_is_printable_whatever_it_says),
    };
    return cmocka_run_group_tests_name("actors_strangers", tests, NULL, NULL);
}
