/* The TCP wire over real sockets of the loopback: bytes, back-pressure, and every end told as what
 * it was, within 100 ms. */
#include "actors/peer_tcp.h"
#include "client/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum { AT_ONCE_MS = 100, PATIENCE_MS = 5000 };

static peer_tcp_t *tcp_at(const char *listen)
{
    peer_tcp_t *tcp = NULL;
    struct reason why = {""};
    if (peer_tcp_new(listen, &tcp, &why))
        fail_msg("%s", why.text);
    return tcp;
}

/* The next event within so long, or none. */
static struct wire_event next_within(const peer_tcp_t *tcp, int ms)
{
    const struct peer_wire *wire = peer_tcp_wire(tcp);
    struct wire_event event;
    uint64_t end = monotonic_ms() + (uint64_t)ms;
    for (;;) {
        wire->next(wire->self, &event);
        uint64_t now = monotonic_ms();
        if (event.kind != WIRE_none || now >= end)
            return event;
        struct pollfd fd = {.fd = wire->descriptor(wire->self), .events = POLLIN};
        (void)poll(&fd, 1, (int)(end - now));
    }
}

/* Skips readable and writable events, which may come at any time. */
static struct wire_event expect(const peer_tcp_t *tcp, enum wire_event_kind kind, int within_ms)
{
    const struct peer_wire *wire = peer_tcp_wire(tcp);
    static uint8_t sink[65536];
    struct wire_event event;
    do {
        event = next_within(tcp, within_ms);
        if (event.kind == WIRE_readable && kind != WIRE_readable)
            while (wire->read(wire->self, event.connection, sink, sizeof sink))
                ;
    } while (event.kind != kind && (event.kind == WIRE_readable || event.kind == WIRE_writable));
    if (event.kind != kind)
        fail_msg("event %d where %d was wanted", (int)event.kind, (int)kind);
    return event;
}

/* A connection from one wire to another; the dialler's number and the other's. */
struct ends {
    int from, to;
};

static struct ends join(const peer_tcp_t *from, const peer_tcp_t *to, struct wire_event *accepted)
{
    const struct peer_wire *a = peer_tcp_wire(from), *b = peer_tcp_wire(to);
    b->want_accept(b->self, true);
    struct ends ends = {a->dial(a->self, peer_tcp_bound(to)), -1};
    assert_true(ends.from >= 0);
    *accepted = expect(to, WIRE_accepted, PATIENCE_MS);
    ends.to = accepted->connection;
    struct wire_event connected = expect(from, WIRE_connected, PATIENCE_MS);
    assert_int_equal(connected.connection, ends.from);
    assert_string_equal(connected.remote, peer_tcp_bound(to));
    return ends;
}

static size_t write_text(const peer_tcp_t *tcp, int connection, const char *text)
{
    const struct peer_wire *wire = peer_tcp_wire(tcp);
    return wire->write(wire->self, connection, slice_text(text));
}

static void bytes_go_both_ways(const char *listen, const char *host, const uint8_t prefix[16])
{
    peer_tcp_t *a = tcp_at(NULL), *b = tcp_at(listen);
    struct wire_event accepted;
    uint8_t got[16];
    assert_string_equal(peer_tcp_bound(a), "");
    struct ends ends = join(a, b, &accepted);
    assert_memory_equal(accepted.remote, host, strlen(host));
    assert_memory_equal(accepted.prefix, prefix, 16);
    assert_int_equal(write_text(a, ends.from, "there"), 5);
    assert_int_equal(write_text(b, ends.to, "back"), 4);
    assert_int_equal(expect(b, WIRE_readable, PATIENCE_MS).connection, ends.to);
    const struct peer_wire *wire = peer_tcp_wire(b);
    assert_int_equal(wire->read(wire->self, ends.to, got, sizeof got), 5);
    assert_memory_equal(got, "there", 5);
    wire = peer_tcp_wire(a);
    do
        assert_int_equal(expect(a, WIRE_readable, PATIENCE_MS).connection, ends.from);
    while (wire->read(wire->self, ends.from, got, sizeof got) != 4);
    assert_memory_equal(got, "back", 4);
    peer_tcp_destroy(&a);
    peer_tcp_destroy(&b);
}

static void bytes_go_both_ways_over_ipv4_and_ipv6(void **unused)
{
    (void)unused;
    const uint8_t four[16] = {[10] = 0xff, [11] = 0xff, [12] = 127}, six[16] = {0};
    bytes_go_both_ways("127.0.0.1:0", "127.0.0.1:", four);
    bytes_go_both_ways("[::1]:0", "[::1]:", six);
}

static void a_full_socket_takes_no_more_until_the_far_end_reads(void **unused)
{
    (void)unused;
    enum { BYTES = 32 << 20, PIECE = 64 << 10 };
    peer_tcp_t *a = tcp_at(NULL), *b = tcp_at("127.0.0.1:0");
    const struct peer_wire *out = peer_tcp_wire(a), *in = peer_tcp_wire(b);
    struct wire_event accepted;
    static uint8_t piece[PIECE], got[PIECE];
    struct ends ends = join(a, b, &accepted);
    in->want_read(in->self, ends.to, false);
    size_t sent = 0, taken = 0, full = 0;
    while (!full) {
        size_t n = out->write(out->self, ends.from, slice_of(piece, PIECE));
        full = n < PIECE;
        sent += n;
        assert_true(sent < BYTES);
    }
    assert_int_equal(next_within(b, 50).kind, WIRE_none);
    assert_int_equal(next_within(a, 0).kind == WIRE_writable, false);
    in->want_read(in->self, ends.to, true);
    while (taken < BYTES) {
        struct wire_event event = next_within(b, 0);
        for (size_t n = 1; n && event.kind == WIRE_readable; taken += n)
            n = in->read(in->self, ends.to, got, sizeof got);
        event = next_within(a, taken < sent ? 0 : PATIENCE_MS);
        if (event.kind != WIRE_writable)
            continue;
        for (size_t n = PIECE; n == PIECE && sent < BYTES; sent += n) {
            size_t left = BYTES - sent;
            n = out->write(out->self, ends.from, slice_of(piece, left < PIECE ? left : PIECE));
        }
    }
    assert_int_equal(taken, BYTES);
    peer_tcp_destroy(&a);
    peer_tcp_destroy(&b);
}

static void all_bytes_before_a_close_are_read_first(void **unused)
{
    (void)unused;
    peer_tcp_t *a = tcp_at(NULL), *b = tcp_at("127.0.0.1:0");
    const struct peer_wire *out = peer_tcp_wire(a), *in = peer_tcp_wire(b);
    struct wire_event accepted;
    uint8_t got[16];
    struct ends ends = join(a, b, &accepted);
    assert_int_equal(write_text(a, ends.from, "goodbye"), 7);
    out->close(out->self, ends.from, false);
    assert_int_equal(expect(b, WIRE_readable, AT_ONCE_MS).connection, ends.to);
    assert_int_equal(in->read(in->self, ends.to, got, 3), 3);
    assert_int_equal(next_within(b, 0).kind, WIRE_none);
    assert_int_equal(in->read(in->self, ends.to, got, sizeof got), 4);
    assert_int_equal(in->read(in->self, ends.to, got, sizeof got), 0);
    assert_int_equal(expect(b, WIRE_closed, AT_ONCE_MS).connection, ends.to);
    in->close(in->self, ends.to, false);
    assert_int_equal(next_within(b, 20).kind, WIRE_none);
    peer_tcp_destroy(&a);
    peer_tcp_destroy(&b);
}

static void a_reset_is_told_as_one_also_when_nothing_is_read(void **unused)
{
    (void)unused;
    for (int reading = 0; reading < 2; reading++) {
        peer_tcp_t *a = tcp_at(NULL), *b = tcp_at("127.0.0.1:0");
        const struct peer_wire *out = peer_tcp_wire(a), *in = peer_tcp_wire(b);
        struct wire_event accepted;
        struct ends ends = join(a, b, &accepted);
        in->want_read(in->self, ends.to, reading);
        out->close(out->self, ends.from, true);
        assert_int_equal(expect(b, WIRE_reset, AT_ONCE_MS).connection, ends.to);
        peer_tcp_destroy(&a);
        peer_tcp_destroy(&b);
    }
}

/* lesson L2: the far end's process is killed. */
static void a_killed_process_is_told_within_a_tenth_of_a_second(void **unused)
{
    (void)unused;
    peer_tcp_t *b = tcp_at("127.0.0.1:0");
    const struct peer_wire *in = peer_tcp_wire(b);
    in->want_accept(in->self, true);
    pid_t child = fork();
    if (child == 0) {
        peer_tcp_t *a = NULL;
        if (peer_tcp_new(NULL, &a, NULL))
            _exit(1);
        const struct peer_wire *out = peer_tcp_wire(a);
        if (out->dial(out->self, peer_tcp_bound(b)) < 0)
            _exit(1);
        for (;;)
            pause();
    }
    struct wire_event accepted = expect(b, WIRE_accepted, PATIENCE_MS);
    (void)kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child); /* that it gets to its end is the system's */
    assert_int_equal(expect(b, WIRE_closed, AT_ONCE_MS).connection, accepted.connection);
    peer_tcp_destroy(&b);
}

static void a_dial_that_reaches_nobody_is_closed_with_the_reason(void **unused)
{
    (void)unused;
    peer_tcp_t *a = tcp_at(NULL), *b = tcp_at("127.0.0.1:0");
    const struct peer_wire *out = peer_tcp_wire(a);
    char address[80];
    (void)snprintf(address, sizeof address, "%s", peer_tcp_bound(b));
    peer_tcp_destroy(&b);
    int dial = out->dial(out->self, address);
    struct wire_event event = expect(a, WIRE_closed, PATIENCE_MS);
    assert_int_equal(event.connection, dial);
    assert_string_equal(event.why, "Connection refused");
    peer_tcp_destroy(&a);
}

static void names_are_resolved_without_blocking(void **unused)
{
    (void)unused;
    peer_tcp_t *a = tcp_at(NULL), *b = tcp_at("127.0.0.1:0");
    const struct peer_wire *out = peer_tcp_wire(a), *in = peer_tcp_wire(b);
    char address[80];
    in->want_accept(in->self, true);
    (void)snprintf(address, sizeof address, "localhost%s", strrchr(peer_tcp_bound(b), ':'));
    int dial = out->dial(out->self, address);
    assert_true(dial >= 0);
    assert_int_equal(expect(a, WIRE_connected, PATIENCE_MS).connection, dial);
    dial = out->dial(out->self, "no-such-name.invalid:7000");
    assert_int_equal(expect(a, WIRE_closed, 30000).connection, dial);
    dial = out->dial(out->self, address); /* closed before its answer comes */
    out->close(out->self, dial, false);
    assert_int_equal(next_within(a, 50).kind, WIRE_none);
    peer_tcp_destroy(&a);
    peer_tcp_destroy(&b);
}

static void what_is_no_address_is_refused(void **unused)
{
    (void)unused;
    static const char *const rows[] = {
        "",         "7000",      ":7000", "host:",  "host:x", "host:70000",
        "::1:7000", "[::1]7000", "[]:1",  "host:0", "host:-1"};
    peer_tcp_t *a = tcp_at(NULL), *b = NULL;
    const struct peer_wire *out = peer_tcp_wire(a);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(out->dial(out->self, rows[i]), ERR_BAD_REQUEST);
    struct reason why = {""};
    assert_int_equal(peer_tcp_new("nonsense", &b, &why), ERR_BAD_REQUEST);
    assert_int_equal(peer_tcp_new("192.0.2.1:7000", &b, &why), ERR_IO);
    assert_non_null(strstr(why.text, "192.0.2.1:7000"));
    peer_tcp_destroy(&a);
}

/* Nothing can be opened under this limit, whatever is closed meanwhile (by a thread that resolves
 * names, say); poll takes as many descriptors as it allows. */
enum { NO_DESCRIPTORS = 1 };

static void out_of_descriptors_waits_and_does_not_spin(void **unused)
{
    (void)unused;
    peer_tcp_t *a = tcp_at(NULL), *b = tcp_at("127.0.0.1:0");
    const struct peer_wire *out = peer_tcp_wire(a), *in = peer_tcp_wire(b);
    struct rlimit before, few;
    in->want_accept(in->self, true);
    assert_true(out->dial(out->self, peer_tcp_bound(b)) >= 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = before;
    few.rlim_cur = NO_DESCRIPTORS;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    int turns = 0;
    uint64_t end = monotonic_ms() + 350;
    while (monotonic_ms() < end) {
        struct wire_event event;
        struct pollfd fd = {.fd = in->descriptor(in->self), .events = POLLIN};
        in->next(in->self, &event);
        assert_int_equal(event.kind, WIRE_none);
        uint64_t now = monotonic_ms();
        (void)poll(&fd, 1, now < end ? (int)(end - now) : 0);
        turns++;
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_true(turns < 20);
    (void)expect(b, WIRE_accepted, PATIENCE_MS);
    peer_tcp_destroy(&a);
    peer_tcp_destroy(&b);
}

static void who_is_not_accepted_waits(void **unused)
{
    (void)unused;
    peer_tcp_t *a = tcp_at(NULL), *b = tcp_at("127.0.0.1:0");
    const struct peer_wire *out = peer_tcp_wire(a), *in = peer_tcp_wire(b);
    assert_true(out->dial(out->self, peer_tcp_bound(b)) >= 0);
    (void)expect(a, WIRE_connected, PATIENCE_MS); /* by the system */
    assert_int_equal(next_within(b, 50).kind, WIRE_none);
    in->want_accept(in->self, true);
    (void)expect(b, WIRE_accepted, AT_ONCE_MS);
    in->want_accept(in->self, false);
    assert_true(out->dial(out->self, peer_tcp_bound(b)) >= 0);
    assert_int_equal(next_within(b, 50).kind, WIRE_none);
    peer_tcp_destroy(&a);
    peer_tcp_destroy(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_go_both_ways_over_ipv4_and_ipv6),
        cmocka_unit_test(a_full_socket_takes_no_more_until_the_far_end_reads),
        cmocka_unit_test(all_bytes_before_a_close_are_read_first),
        cmocka_unit_test(a_reset_is_told_as_one_also_when_nothing_is_read),
        cmocka_unit_test(a_killed_process_is_told_within_a_tenth_of_a_second),
        cmocka_unit_test(a_dial_that_reaches_nobody_is_closed_with_the_reason),
        cmocka_unit_test(names_are_resolved_without_blocking),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(out_of_descriptors_waits_and_does_not_spin),
        cmocka_unit_test(who_is_not_accepted_waits),
    };
    return cmocka_run_group_tests_name("peer_tcp", tests, NULL, NULL);
}
