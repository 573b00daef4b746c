/* The simulator's network behaves as TCP does: a test that stands on it can be trusted. */
#include "tests/sim/wires.h"

#include "base/errors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* cmocka wants these before it */
#include <cmocka.h>

enum { MACHINES = 3, WINDOW = 10000 };

struct rig {
    struct agenda agenda;
    uint64_t us;
    wires_t *wires;
    const struct peer_wire *ends[MACHINES];
};

static void nobody_sleeps(void *owner, size_t machine)
{
    (void)owner;
    assert_true(machine < MACHINES);
}

static int set_up(void **state)
{
    struct rig *self = (struct rig *)calloc(1, sizeof *self);
    const struct wires_options options = {.agenda = &self->agenda,
                                          .us = &self->us,
                                          .seed = 7,
                                          .machines_max = MACHINES,
                                          .latency_min_us = 1000,
                                          .latency_max_us = 9000,
                                          .jitter_us = 20000,
                                          .window_bytes = WINDOW,
                                          .bytes_a_second = 1000000,
                                          .wake = nobody_sleeps};
    self->wires = wires_new(&options);
    for (size_t i = 0; i < MACHINES; i++) {
        assert_int_equal(wires_add(self->wires, true), i);
        self->ends[i] = wires_of(self->wires, i);
        wires_start(self->wires, i);
        self->ends[i]->want_accept(self->ends[i]->self, true);
    }
    *state = self;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *self = (struct rig *)*state;
    wires_destroy(&self->wires);
    agenda_free(&self->agenda);
    free(self);
    return 0;
}

static void pass_ms(struct rig *self, uint64_t ms)
{
    struct appointment next;
    uint64_t until = self->us + ms * 1000;
    while (agenda_take(&self->agenda, until, &next)) {
        assert_true(next.us >= self->us);
        self->us = next.us;
        next.run(next.self, next.a, next.b);
    }
    self->us = until;
}

/* The next event of a machine, which must be of this kind; its connection. */
static int expect(struct rig *self, size_t machine, enum wire_event_kind kind)
{
    struct wire_event event;
    self->ends[machine]->next(self->ends[machine]->self, &event);
    assert_int_equal(event.kind, kind);
    return event.connection;
}

static int dial(struct rig *self, size_t from, size_t to)
{
    int connection = self->ends[from]->dial(self->ends[from]->self, wires_address(self->wires, to));
    assert_true(connection >= 0);
    return connection;
}

/* Connected: 0 is the dialler. */
static void connect_them(struct rig *self, int *at_0, int *at_1)
{
    *at_0 = dial(self, 0, 1);
    pass_ms(self, 100);
    *at_1 = expect(self, 1, WIRE_accepted);
    assert_int_equal(expect(self, 0, WIRE_connected), *at_0);
    (void)expect(self, 0, WIRE_none);
}

static size_t write_text(struct rig *self, size_t machine, int connection, const char *text)
{
    return self->ends[machine]->write(self->ends[machine]->self, connection, slice_text(text));
}

static void expect_text(struct rig *self, size_t machine, int connection, const char *text)
{
    char got[100] = "";
    size_t n = self->ends[machine]->read(self->ends[machine]->self, connection, (uint8_t *)got,
                                         sizeof got - 1);
    assert_int_equal(n, strlen(text));
    assert_string_equal(got, text);
}

static void bytes_arrive_in_order_and_whole_through_a_small_window(void **state)
{
    struct rig *self = (struct rig *)*state;
    int a, b;
    size_t written = 0, read = 0, shorts = 0;
    uint8_t bytes[5000];
    struct dice dice;
    connect_them(self, &a, &b);
    dice_seed(&dice, 1, 1);
    while (read < 1000000) {
        size_t n = dice_below(&dice, sizeof bytes);
        for (size_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)((written + i) * 31 >> 3);
        size_t took = self->ends[0]->write(self->ends[0]->self, a, slice_of(bytes, n));
        shorts += took < n;
        written += took;
        pass_ms(self, 1);
        n = self->ends[1]->read(self->ends[1]->self, b, bytes, dice_below(&dice, sizeof bytes));
        for (size_t i = 0; i < n; i++)
            assert_int_equal(bytes[i], (uint8_t)((read + i) * 31 >> 3));
        read += n;
        assert_true(written - read <= WINDOW);
    }
    assert_true(shorts > 0);
}

static void a_full_window_is_told_and_so_is_room(void **state)
{
    struct rig *self = (struct rig *)*state;
    static uint8_t bytes[2 * WINDOW];
    int a, b;
    connect_them(self, &a, &b);
    assert_int_equal(self->ends[0]->write(self->ends[0]->self, a, slice_of(bytes, sizeof bytes)),
                     WINDOW);
    pass_ms(self, 1000);
    (void)expect(self, 0, WIRE_none);
    assert_int_equal(self->ends[0]->write(self->ends[0]->self, a, slice_of(bytes, 1)), 0);
    assert_int_equal(self->ends[1]->read(self->ends[1]->self, b, bytes, sizeof bytes), WINDOW);
    pass_ms(self, 100);
    assert_int_equal(expect(self, 0, WIRE_writable), a);
}

static void what_is_not_wanted_is_not_read(void **state)
{
    struct rig *self = (struct rig *)*state;
    int a, b;
    connect_them(self, &a, &b);
    self->ends[1]->want_read(self->ends[1]->self, b, false);
    assert_int_equal(write_text(self, 0, a, "hello"), 5);
    self->ends[0]->close(self->ends[0]->self, a, false);
    pass_ms(self, 100);
    (void)expect(self, 1, WIRE_none);
    expect_text(self, 1, b, "");
    self->ends[1]->want_read(self->ends[1]->self, b, true);
    assert_int_equal(expect(self, 1, WIRE_readable), b);
    expect_text(self, 1, b, "hello");
    assert_int_equal(expect(self, 1, WIRE_closed), b);
    (void)expect(self, 1, WIRE_none);
}

static void a_close_comes_after_all_that_was_written(void **state)
{
    struct rig *self = (struct rig *)*state;
    int a, b;
    connect_them(self, &a, &b);
    (void)write_text(self, 1, b, "goodbye");
    self->ends[1]->close(self->ends[1]->self, b, false);
    pass_ms(self, 100);
    assert_int_equal(expect(self, 0, WIRE_readable), a);
    (void)expect(self, 0, WIRE_none);
    expect_text(self, 0, a, "goodbye");
    assert_int_equal(expect(self, 0, WIRE_closed), a);
    assert_int_equal(wires_connections(self->wires, 1), 0);
    assert_int_equal(wires_connections(self->wires, 0), 1);
    assert_int_equal(wires_half_open(self->wires, 0), 1);
    self->ends[0]->close(self->ends[0]->self, a, false);
    assert_int_equal(wires_half_open(self->wires, 0), 0);
}

static void an_abort_is_a_reset_and_takes_what_was_not_read(void **state)
{
    struct rig *self = (struct rig *)*state;
    int a, b;
    connect_them(self, &a, &b);
    (void)write_text(self, 1, b, "lost");
    self->ends[1]->close(self->ends[1]->self, b, true);
    pass_ms(self, 100);
    (void)expect(self, 0, WIRE_reset);
    expect_text(self, 0, a, "");
    assert_int_equal(write_text(self, 0, a, "nowhere"), 0);
}

static void writing_to_a_closed_end_is_answered_by_a_reset(void **state)
{
    struct rig *self = (struct rig *)*state;
    int a, b;
    connect_them(self, &a, &b);
    self->ends[1]->close(self->ends[1]->self, b, false);
    assert_int_equal(write_text(self, 0, a, "late"), 4);
    pass_ms(self, 200);
    assert_int_equal(expect(self, 0, WIRE_closed), a);
    assert_int_equal(expect(self, 0, WIRE_reset), a);
}

static void a_blocked_way_is_silent_and_loses_nothing(void **state)
{
    struct rig *self = (struct rig *)*state;
    int a, b;
    connect_them(self, &a, &b);
    wires_block(self->wires, 0, 1, true);
    assert_int_equal(wires_half_open(self->wires, 0), 0);
    (void)write_text(self, 0, a, "one ");
    (void)write_text(self, 1, b, "other way");
    pass_ms(self, 60000);
    (void)write_text(self, 0, a, "two");
    pass_ms(self, 60000);
    (void)expect(self, 1, WIRE_none);
    (void)expect(self, 0, WIRE_readable);
    expect_text(self, 0, a, "other way");
    wires_block(self->wires, 0, 1, false);
    pass_ms(self, 2000);
    assert_int_equal(expect(self, 1, WIRE_readable), b);
    expect_text(self, 1, b, "one two");
}

static void a_dial_is_refused_where_no_process_is_and_times_out_where_no_way_is(void **state)
{
    struct rig *self = (struct rig *)*state;
    wires_kill(self->wires, 1, false);
    int refused = dial(self, 0, 1);
    pass_ms(self, 100);
    assert_int_equal(expect(self, 0, WIRE_closed), refused);
    self->ends[0]->close(self->ends[0]->self, refused, false);
    wires_block(self->wires, 0, 2, true);
    int lost = dial(self, 0, 2);
    pass_ms(self, 60000);
    (void)expect(self, 0, WIRE_none);
    pass_ms(self, 60000);
    assert_int_equal(expect(self, 0, WIRE_closed), lost);
    assert_int_equal(self->ends[0]->dial(self->ends[0]->self, "nonsense"), ERR_BAD_REQUEST);
}

static void a_kill_is_told_at_once_and_a_power_cut_when_the_machine_is_back(void **state)
{
    struct rig *self = (struct rig *)*state;
    int a, b;
    connect_them(self, &a, &b);
    wires_kill(self->wires, 1, false);
    pass_ms(self, 100);
    assert_int_equal(expect(self, 0, WIRE_closed), a);
    self->ends[0]->close(self->ends[0]->self, a, false);
    wires_start(self->wires, 1);
    self->ends[1]->want_accept(self->ends[1]->self, true);
    connect_them(self, &a, &b);
    wires_kill(self->wires, 1, true);
    (void)write_text(self, 0, a, "anyone?");
    pass_ms(self, 60000);
    (void)expect(self, 0, WIRE_none);
    wires_start(self->wires, 1);
    pass_ms(self, 2000);
    assert_int_equal(expect(self, 0, WIRE_reset), a);
    assert_int_equal(wires_connections(self->wires, 1), 0);
}

static void a_reset_link_is_told_to_both(void **state)
{
    struct rig *self = (struct rig *)*state;
    int a, b;
    connect_them(self, &a, &b);
    assert_int_equal(wires_reset(self->wires, 1, 0), 1);
    assert_int_equal(expect(self, 0, WIRE_reset), a);
    assert_int_equal(expect(self, 1, WIRE_reset), b);
    self->ends[0]->close(self->ends[0]->self, a, false);
    self->ends[1]->close(self->ends[1]->self, b, false);
    assert_int_equal(wires_reset(self->wires, 1, 0), 0);
}

static void a_new_connection_overtakes_one_that_lags(void **state)
{
    struct rig *self = (struct rig *)*state;
    int a, b, new_a, new_b;
    connect_them(self, &a, &b);
    wires_lag(self->wires, 1, 0, 60000000); /* drawn: up to a minute */
    assert_int_equal(write_text(self, 0, a, "old"), 3);
    assert_int_equal(wires_reset_at(self->wires, 0, 1), 1);
    assert_int_equal(expect(self, 0, WIRE_reset), a);
    self->ends[0]->close(self->ends[0]->self, a, true);
    connect_them(self, &new_a, &new_b);
    assert_int_equal(write_text(self, 0, new_a, "new"), 3);
    pass_ms(self, 100);
    assert_int_equal(expect(self, 1, WIRE_readable), new_b);
    expect_text(self, 1, new_b, "new");
    pass_ms(self, 60000);
    assert_int_equal(expect(self, 1, WIRE_reset), b); /* and takes "old" with it */
    (void)expect(self, 1, WIRE_none);
}

static void things_of_one_time_happen_in_the_order_they_were_put_down(void **state)
{
    struct agenda agenda = {0};
    struct appointment next;
    struct dice dice;
    uint64_t us = 0, order = 0;
    (void)state;
    dice_seed(&dice, 3, 1);
    for (uint64_t i = 0; i < 5000; i++)
        agenda_add(&agenda, dice_below(&dice, 50), NULL, NULL, i, 0);
    assert_false(agenda.count == 0);
    for (size_t i = 0; i < 5000; i++) {
        assert_true(agenda_take(&agenda, 50, &next));
        assert_true(i == 0 || next.us > us || (next.us == us && next.a > order));
        us = next.us;
        order = next.a;
    }
    assert_false(agenda_take(&agenda, UINT64_MAX, &next));
    agenda_free(&agenda);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bytes_arrive_in_order_and_whole_through_a_small_window),
        TEST(a_full_window_is_told_and_so_is_room),
        TEST(what_is_not_wanted_is_not_read),
        TEST(a_close_comes_after_all_that_was_written),
        TEST(an_abort_is_a_reset_and_takes_what_was_not_read),
        TEST(writing_to_a_closed_end_is_answered_by_a_reset),
        TEST(a_blocked_way_is_silent_and_loses_nothing),
        TEST(a_dial_is_refused_where_no_process_is_and_times_out_where_no_way_is),
        TEST(a_kill_is_told_at_once_and_a_power_cut_when_the_machine_is_back),
        TEST(a_reset_link_is_told_to_both),
        TEST(a_new_connection_overtakes_one_that_lags),
        cmocka_unit_test(things_of_one_time_happen_in_the_order_they_were_put_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
