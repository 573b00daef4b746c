/* libweir's subscriptions: events that join up, whatever the node loses or forgets. */
#include "tests/unit/client_fake_node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { EVENTS_MAX = 16 };

/* What the subscriber saw: a line an event. */
struct log {
    int events;
    char lines[EVENTS_MAX][64];
    int unsubscribe_at; /* the event inside which it stops, from 1 */
};

struct fixture {
    struct fake_node node;
    weir_t *w;
    weir_contract_t *contract;
    uint8_t key[32];
    struct log log;
    int subscribed, code; /* the first answer came, and its code */
};

/* Fingerprints of one letter, for people. */
static struct slice print_of(char letter)
{
    static uint8_t prints[128][32];
    memset(prints[(int)letter], letter, 32);
    return slice_of(prints[(int)letter], 32);
}

static void on_event(weir_t *w, const struct weir_event *e, void *arg)
{
    static const char *const kinds[] = {"state", "delta", "repair", "ended"};
    struct log *log = arg;
    assert_true(log->events < EVENTS_MAX);
    char before = e->before ? (char)e->before[0] : '-', after = e->after ? (char)e->after[0] : '-';
    snprintf(log->lines[log->events++], sizeof log->lines[0], "%s %c>%c %.*s%s", kinds[e->kind],
             before, after, (int)e->delta.size, e->delta.data ? (const char *)e->delta.data : "",
             e->code ? weir_error_name(e->code) : "");
    if (log->events == log->unsubscribe_at)
        assert_int_equal(weir_unsubscribe(w, e->key), 0);
}

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){0};
    struct weir_options options = {.timeout_ms = FAKE_WAIT_MS_MAX};
    fake_node_start(&f.node);
    options.endpoint = f.node.endpoint;
    f.w = weir_new(&options);
    assert_int_equal(weir_connect(f.w), 0);
    assert_int_equal(weir_contract_new("register", weir_text(""), &f.contract, NULL), 0);
    memcpy(f.key, weir_contract_key(f.contract), 32);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    weir_destroy(&f->w);
    weir_contract_destroy(&f->contract);
    fake_node_end(&f->node);
    return 0;
}

static void answer(struct fixture *f, const struct fake_request *r, const char *state, char print)
{
    REPLY(&f->node, r, slice_text("OK"), slice_text("register"), slice_of(NULL, 0),
          slice_text(state), print_of(print));
}

static void notify(struct fixture *f, const struct fake_request *r, const char *delta, char before,
                   char after)
{
    REPLY(&f->node, r, slice_text("NOTIFY"), slice_of(f->key, 32), slice_text(delta),
          print_of(before), print_of(after));
}

/* Steps until there are more events than `line`, of which that one reads so. */
static void expect_line(struct fixture *f, int line, const char *text)
{
    while (f->log.events <= line) {
        int stepped = weir_step(f->w, FAKE_WAIT_MS_MAX);
        assert_true(stepped >= 0);
    }
    assert_string_equal(f->log.lines[line], text);
}

static void on_subscribed(weir_t *w, const struct weir_reply *reply, void *arg)
{
    struct fixture *f = arg;
    (void)w;
    f->code = reply->code;
    f->subscribed = 1;
}

/* Subscribes and takes the request. */
static void ask(struct fixture *f, const uint8_t *known, struct fake_request *r)
{
    f->subscribed = 0;
    int rc = weir_subscribe_async(f->w, f->key, known, on_event, &f->log, on_subscribed, f);
    assert_int_equal(rc, 0);
    fake_node_expect(&f->node, f->w, "SUBSCRIBE", r);
}

/* Follows, from the state "one" with the fingerprint a. */
static void follow(struct fixture *f, struct fake_request *r)
{
    ask(f, NULL, r);
    assert_int_equal(r->args[1].size, 0);
    answer(f, r, "one", 'a');
    step_until(f->w, &f->subscribed);
    assert_int_equal(f->code, 0);
    expect_line(f, 0, "state ->a one");
}

/* The node, which is asked again then. */
static void go_and_return(struct fixture *f, struct fake_request *again)
{
    fake_node_go(&f->node);
    fake_node_return(&f->node);
    fake_node_expect(&f->node, f->w, "SUBSCRIBE", again);
}

static void the_state_comes_first_then_what_changes(void **state)
{
    struct fixture *f = *state;
    struct fake_request r;
    follow(f, &r);
    notify(f, &r, "two", 'a', 'b');
    notify(f, &r, "three", 'b', 'c');
    expect_line(f, 1, "delta a>b two");
    expect_line(f, 2, "delta b>c three");
    fake_request_free(&r);
}

static void a_gap_is_repaired_with_the_whole_state(void **state)
{
    struct fixture *f = *state;
    struct fake_request r, again;
    follow(f, &r);
    notify(f, &r, "three", 'b', 'c'); /* a>b was lost */
    fake_node_expect(&f->node, f->w, "SUBSCRIBE", &again);
    assert_true(slice_equal(again.args[1], print_of('a')));
    assert_memory_equal(again.id, r.id, r.id_bytes); /* the node replaces the subscription */
    answer(f, &again, "all of it", 'c');
    expect_line(f, 1, "repair a>c all of it");
    notify(f, &again, "four", 'c', 'd');
    expect_line(f, 2, "delta c>d four");
    fake_request_free(&r);
    fake_request_free(&again);
}

static void what_comes_twice_is_told_once(void **state)
{
    struct fixture *f = *state;
    struct fake_request r;
    follow(f, &r);
    notify(f, &r, "two", 'a', 'b');
    notify(f, &r, "two", 'a', 'b');
    notify(f, &r, "three", 'b', 'c');
    expect_line(f, 2, "delta b>c three");
    assert_int_equal(f->log.events, 3);
    fake_request_free(&r);
}

static void a_subscription_outlives_the_node(void **state)
{
    struct fixture *f = *state;
    struct fake_request r, again;
    follow(f, &r);
    go_and_return(f, &again);
    assert_true(slice_equal(again.args[1], print_of('a')));
    answer(f, &again, "", 'a'); /* nothing happened meanwhile: nothing is told */
    notify(f, &again, "two", 'a', 'b');
    expect_line(f, 1, "delta a>b two");
    assert_int_equal(f->log.events, 2);
    fake_request_free(&r);
    fake_request_free(&again);
}

static void what_happened_while_the_node_was_away_is_told(void **state)
{
    struct fixture *f = *state;
    struct fake_request r, again;
    follow(f, &r);
    go_and_return(f, &again);
    answer(f, &again, "new", 'd');
    expect_line(f, 1, "repair a>d new");
    fake_request_free(&r);
    fake_request_free(&again);
}

static void notifications_before_the_answer_leave_no_gap(void **state)
{
    struct fixture *f = *state;
    struct fake_request r, again;
    ask(f, NULL, &r);
    notify(f, &r, "early", 'a', 'b'); /* newer than the answer that follows it */
    answer(f, &r, "one", 'a');
    fake_node_expect(&f->node, f->w, "SUBSCRIBE", &again);
    assert_true(slice_equal(again.args[1], print_of('a')));
    answer(f, &again, "both", 'b');
    expect_line(f, 1, "repair a>b both");
    fake_request_free(&r);
    fake_request_free(&again);
}

static void what_the_app_has_already_is_not_sent(void **state)
{
    struct fixture *f = *state;
    struct fake_request r;
    ask(f, print_of('k').data, &r);
    assert_true(slice_equal(r.args[1], print_of('k')));
    answer(f, &r, "", 'k');
    expect_line(f, 0, "state k>k ");
    fake_request_free(&r);
}

static void a_refused_subscription_is_told_and_gone(void **state)
{
    struct fixture *f = *state;
    struct fake_request r;
    ask(f, NULL, &r);
    REPLY(&f->node, &r, slice_text("NOT_FOUND"), slice_text("never heard of it"));
    step_until(f->w, &f->subscribed);
    assert_int_equal(f->code, WEIR_NOT_FOUND);
    assert_int_equal(f->log.events, 0);
    assert_int_equal(weir_unsubscribe(f->w, f->key), WEIR_NOT_FOUND);
    fake_request_free(&r);
    follow(f, &r); /* it may be asked for again */
    fake_request_free(&r);
}

static void a_node_that_forgot_the_contract_ends_the_subscription(void **state)
{
    struct fixture *f = *state;
    struct fake_request r, again;
    follow(f, &r);
    go_and_return(f, &again);
    REPLY(&f->node, &again, slice_text("NOT_FOUND"), slice_text("never heard of it"));
    expect_line(f, 1, "ended ->- NOT_FOUND");
    fake_request_free(&r);
    fake_request_free(&again);
}

static void a_busy_node_is_asked_again(void **state)
{
    struct fixture *f = *state;
    struct fake_request r, again;
    follow(f, &r);
    notify(f, &r, "three", 'b', 'c');
    fake_node_expect(&f->node, f->w, "SUBSCRIBE", &again);
    REPLY(&f->node, &again, slice_text("BUSY"), slice_text("later"));
    fake_request_free(&again);
    fake_node_expect(&f->node, f->w, "SUBSCRIBE", &again);
    answer(f, &again, "all", 'c');
    expect_line(f, 1, "repair a>c all");
    fake_request_free(&r);
    fake_request_free(&again);
}

static void no_event_comes_after_unsubscribing(void **state)
{
    struct fixture *f = *state;
    struct fake_request r, bye;
    f->log.unsubscribe_at = 2;
    follow(f, &r);
    notify(f, &r, "two", 'a', 'b');
    notify(f, &r, "three", 'b', 'c');
    fake_node_expect(&f->node, f->w, "UNSUBSCRIBE", &bye);
    REPLY(&f->node, &bye, slice_text("OK"));
    fake_request_free(&bye);
    fake_request_free(&r);
    f->log.unsubscribe_at = 0;
    ask(f, NULL, &r); /* another subscription to the same key has another id */
    answer(f, &r, "new", 'z');
    step_until(f->w, &f->subscribed);
    assert_int_equal(f->log.events, 3);
    assert_string_equal(f->log.lines[2], "state ->z new");
    fake_request_free(&r);
}

static void a_state_of_another_contract_is_refused(void **state)
{
    struct fixture *f = *state;
    struct fake_request r;
    ask(f, NULL, &r);
    REPLY(&f->node, &r, slice_text("OK"), slice_text("set"), slice_of(NULL, 0), slice_text("x"),
          print_of('a'));
    step_until(f->w, &f->subscribed);
    assert_int_equal(f->code, WEIR_INTERNAL);
    assert_int_equal(f->log.events, 0);
    fake_request_free(&r);
}

static void one_key_is_followed_once(void **state)
{
    struct fixture *f = *state;
    struct fake_request r;
    follow(f, &r);
    assert_int_equal(weir_subscribe_async(f->w, f->key, NULL, on_event, &f->log, NULL, NULL),
                     WEIR_BAD_REQUEST);
    fake_request_free(&r);
}

static void a_notification_that_is_none_is_passed_over(void **state)
{
    struct fixture *f = *state;
    struct fake_request r, odd;
    follow(f, &r);
    odd = r;
    odd.id[3] = 77; /* no such place in the table */
    notify(f, &odd, "two", 'a', 'b');
    odd = r;
    odd.id_bytes = 2;
    notify(f, &odd, "two", 'a', 'b');
    REPLY(&f->node, &r, slice_text("NOTIFY"), slice_of(f->key, 32), slice_text("short"));
    REPLY(&f->node, &r, slice_text("NOTIFY"), slice_of(f->key, 31), slice_text("d"), print_of('a'),
          print_of('b'));
    REPLY(&f->node, &r, slice_text("NOTIFY"), slice_of(f->key, 32), slice_text("d"),
          slice_text("a"), print_of('b'));
    notify(f, &r, "right", 'a', 'b');
    expect_line(f, 1, "delta a>b right");
    assert_int_equal(f->log.events, 2);
    fake_request_free(&r);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_state_comes_first_then_what_changes),
        CASE(a_gap_is_repaired_with_the_whole_state),
        CASE(what_comes_twice_is_told_once),
        CASE(a_subscription_outlives_the_node),
        CASE(what_happened_while_the_node_was_away_is_told),
        CASE(notifications_before_the_answer_leave_no_gap),
        CASE(what_the_app_has_already_is_not_sent),
        CASE(a_refused_subscription_is_told_and_gone),
        CASE(a_node_that_forgot_the_contract_ends_the_subscription),
        CASE(a_busy_node_is_asked_again),
        CASE(no_event_comes_after_unsubscribing),
        CASE(a_state_of_another_contract_is_refused),
        CASE(one_key_is_followed_once),
        CASE(a_notification_that_is_none_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
