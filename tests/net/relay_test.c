/* The relay does what it says: its lines as functions of time, and packets between spaces. */
#include "tests/net/relay.h"
#include "tests/support/now.h"
#include "tests/unit/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

static uint64_t seed;

enum { PORT = 7000, ARRIVES_MS = 30000, BYTES = 1000 };

/* --- lines ----------------------------------------------------------------------------------- */

static struct line line_with(struct line_rules rules)
{
    struct line line;
    line_init(&line, seed, 1);
    line.rules = rules;
    return line;
}

static void a_line_without_rules_gives_all_at_once(void **state)
{
    (void)state;
    struct line line = line_with((struct line_rules){0});
    for (uint64_t now = 0, due = 1; now < 1000; now++) {
        assert_true(line_take(&line, now, BYTES, &due));
        assert_int_equal(due, now);
        assert_true(line_gives(&line));
    }
    assert_int_equal(line.taken, 1000);
}

static void delay_and_jitter_hold_and_keep_the_order(void **state)
{
    (void)state;
    struct line line = line_with((struct line_rules){.delay_us = 20000, .jitter_us = 5000});
    uint64_t last = 0, due = 0, differing = 0;
    for (uint64_t now = 0; now < 1000000; now += 100) {
        assert_true(line_take(&line, now, BYTES, &due));
        assert_true(due >= now + 20000 && due <= now + 25000);
        assert_true(due >= last);
        differing += due != now + 20000;
        last = due;
    }
    assert_true(differing > 5000);
}

static void the_share_that_was_asked_for_is_lost_the_same_for_a_seed(void **state)
{
    (void)state;
    const struct line_rules rules = {.loss = 100000};
    struct line a = line_with(rules), b = line_with(rules);
    uint64_t due;
    for (int i = 0; i < 100000; i++)
        assert_int_equal(line_take(&a, 0, BYTES, &due), line_take(&b, 0, BYTES, &due));
    assert_true(a.lost > 9000 && a.lost < 11000); /* ten times its deviation to either side */
    assert_int_equal(a.taken + a.lost, 100000);
}

static void a_rate_spaces_packets_and_what_waits_long_is_dropped(void **state)
{
    (void)state;
    enum { RATE = 1000000, EACH_US = BYTES * 1000000 / RATE };
    struct line line = line_with((struct line_rules){.bytes_a_second = RATE});
    uint64_t due, last = 0, waiting = LINE_QUEUE_US / EACH_US;
    for (uint64_t i = 0; i < 2 * waiting; i++)
        if (line_take(&line, 0, BYTES, &due)) {
            assert_int_equal(due, last + EACH_US);
            last = due;
        }
    assert_int_equal(line.taken, waiting);
    assert_int_equal(line.overflowed, waiting);
    assert_true(line_take(&line, last, BYTES, &due)); /* it has room again */
    assert_int_equal(due, last + EACH_US);
}

static void a_cut_loses_what_comes_and_what_is_under_way(void **state)
{
    (void)state;
    struct line line = line_with((struct line_rules){.delay_us = 1000});
    uint64_t due = 0;
    assert_true(line_take(&line, 0, BYTES, &due));
    line.rules.cut = true;
    assert_false(line_gives(&line));
    assert_false(line_take(&line, 0, BYTES, &due));
    line.rules.cut = false;
    assert_true(line_take(&line, 0, BYTES, &due));
    assert_true(line_gives(&line));
    assert_int_equal(line.cut, 2);
    assert_int_equal(line.taken, 1);
}

/* --- packets --------------------------------------------------------------------------------- */

struct pair {
    struct spaces spaces;
    relay_t *relay;
    int sockets[2];
};

struct opening {
    int type, fd;
    const char *address;
};

static void open_socket(void *given)
{
    struct opening *self = (struct opening *)given;
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    (void)inet_pton(AF_INET, self->address, &own.sin_addr);
    self->fd = socket(AF_INET, self->type | SOCK_CLOEXEC, 0);
    if (self->fd >= 0 && bind(self->fd, (struct sockaddr *)&own, sizeof own) != 0)
        self->fd = -1;
}

static struct sockaddr_in address_of(size_t number)
{
    char text[SPACE_ADDRESS_MAX];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    space_address(number, text);
    (void)inet_pton(AF_INET, text, &address.sin_addr);
    return address;
}

static void pair_open(struct pair *self, int type)
{
    for (size_t i = 0; i < 2; i++) {
        char text[SPACE_ADDRESS_MAX];
        space_address(i, text);
        struct opening opening = {.type = type, .fd = -1, .address = text};
        spaces_do(&self->spaces, i, open_socket, &opening);
        assert_true(opening.fd >= 0);
        self->sockets[i] = opening.fd;
    }
}

static void pair_start(struct pair *self, int type)
{
    spaces_new(&self->spaces, 2);
    self->relay = relay_new(&self->spaces, seed);
    pair_open(self, type);
}

static void pair_end(struct pair *self)
{
    for (size_t i = 0; i < 2; i++)
        (void)close(self->sockets[i]);
    relay_destroy(&self->relay);
    spaces_free(&self->spaces);
}

static void send_number(const struct pair *self, size_t from, uint32_t number)
{
    struct sockaddr_in to = address_of(1 - from);
    assert_int_equal(
        sendto(self->sockets[from], &number, sizeof number, 0, (struct sockaddr *)&to, sizeof to),
        sizeof number);
}

/* The next number that arrives; waits for it. */
static uint32_t next_number(const struct pair *self, size_t at)
{
    uint32_t number = 0;
    struct pollfd wait = {.fd = self->sockets[at], .events = POLLIN};
    assert_int_equal(poll(&wait, 1, ARRIVES_MS), 1);
    assert_int_equal(recv(self->sockets[at], &number, sizeof number, 0), sizeof number);
    return number;
}

static void packets_arrive_in_order_and_not_before_their_delay(void **state)
{
    (void)state;
    enum { COUNT = 100 };
    struct pair pair;
    const struct line_rules rules = {.delay_us = 30000, .jitter_us = 3000};
    pair_start(&pair, SOCK_DGRAM);
    relay_rule_all(pair.relay, &rules);
    for (size_t from = 0; from < 2; from++) {
        uint64_t sent_us = now_us();
        for (uint32_t i = 0; i < COUNT; i++)
            send_number(&pair, from, i);
        for (uint32_t i = 0; i < COUNT; i++)
            assert_int_equal(next_number(&pair, 1 - from), i);
        assert_true(now_us() - sent_us >= rules.delay_us);
    }
    assert_int_equal(relay_counts_all(pair.relay).carried, 2 * COUNT);
    pair_end(&pair);
}

/* Nothing of 1 … 10, sent while it was cut, comes before 11, sent after it. */
static void assert_cut(const struct pair *pair, size_t from)
{
    for (uint32_t i = 1; i <= 10; i++)
        send_number(pair, from, i);
    while (relay_counts(pair->relay, from, 1 - from).cut < 10)
        (void)usleep(1000);
    relay_cut(pair->relay, from, 1 - from, false);
    send_number(pair, from, 11);
    assert_int_equal(next_number(pair, 1 - from), 11);
}

static void a_cut_is_total_and_ends(void **state)
{
    (void)state;
    struct pair pair;
    pair_start(&pair, SOCK_DGRAM);
    relay_cut_off(pair.relay, 1, false, true);
    assert_cut(&pair, 0);
    assert_cut(&pair, 1);
    pair_end(&pair);
}

static void a_one_way_cut_leaves_the_other_way_whole(void **state)
{
    (void)state;
    struct pair pair;
    pair_start(&pair, SOCK_DGRAM);
    relay_cut_off(pair.relay, 1, true, true);
    send_number(&pair, 1, 7);
    assert_int_equal(next_number(&pair, 0), 7);
    assert_cut(&pair, 0);
    pair_end(&pair);
}

static void tcp_gets_through_a_line_that_loses_and_is_slow(void **state)
{
    (void)state;
    enum { ALL = 256 << 10 };
    static uint8_t bytes[ALL], read_back[ALL];
    struct pair pair;
    const struct line_rules rules = {.delay_us = 2000, .loss = 50000, .bytes_a_second = 4 << 20};
    struct sockaddr_in to = address_of(1);
    struct dice dice;
    dice_seed(&dice, seed, 0);
    for (size_t i = 0; i < ALL; i++)
        bytes[i] = (uint8_t)dice_throw(&dice);
    pair_start(&pair, SOCK_STREAM);
    relay_rule_all(pair.relay, &rules);
    assert_int_equal(listen(pair.sockets[1], 1), 0);
    assert_int_equal(connect(pair.sockets[0], (struct sockaddr *)&to, sizeof to), 0);
    int far = accept4(pair.sockets[1], NULL, NULL, SOCK_CLOEXEC);
    assert_true(far >= 0);
    for (size_t sent = 0, got = 0; got < ALL;) {
        ssize_t n = send(pair.sockets[0], bytes + sent, ALL - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        sent += n > 0 ? (size_t)n : 0;
        struct pollfd wait = {.fd = far, .events = POLLIN};
        assert_int_equal(poll(&wait, 1, ARRIVES_MS), 1);
        n = recv(far, read_back + got, ALL - got, 0);
        assert_true(n > 0);
        got += (size_t)n;
    }
    assert_memory_equal(bytes, read_back, ALL);
    assert_true(relay_counts_all(pair.relay).lost > 0);
    (void)close(far);
    pair_end(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_without_rules_gives_all_at_once),
        cmocka_unit_test(delay_and_jitter_hold_and_keep_the_order),
        cmocka_unit_test(the_share_that_was_asked_for_is_lost_the_same_for_a_seed),
        cmocka_unit_test(a_rate_spaces_packets_and_what_waits_long_is_dropped),
        cmocka_unit_test(a_cut_loses_what_comes_and_what_is_under_way),
        cmocka_unit_test(packets_arrive_in_order_and_not_before_their_delay),
        cmocka_unit_test(a_cut_is_total_and_ends),
        cmocka_unit_test(a_one_way_cut_leaves_the_other_way_whole),
        cmocka_unit_test(tcp_gets_through_a_line_that_loses_and_is_slow),
    };
    spaces_enter();
    seed = seed_random();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
