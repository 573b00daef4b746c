/* libweir's requests: window, deadlines, a node that goes and returns, replies that are none. */
#include "tests/unit/client_fake_node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const uint8_t key[32] = {1, 2, 3};
static const uint8_t fingerprint[32] = {9};

struct fixture {
    struct fake_node node;
    weir_t *w;
};

static weir_t *handle(const struct fake_node *node, struct weir_options options)
{
    options.endpoint = node->endpoint;
    weir_t *w = weir_new(&options);
    assert_non_null(w);
    return w;
}

static int set_up(void **state)
{
    static struct fixture f;
    fake_node_start(&f.node);
    f.w = handle(&f.node, (struct weir_options){.timeout_ms = FAKE_WAIT_MS_MAX});
    assert_int_equal(weir_connect(f.w), 0);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    weir_destroy(&f->w);
    fake_node_end(&f->node);
    return 0;
}

static void reply_ok(struct fixture *f, const struct fake_request *r, uint8_t changed)
{
    REPLY(&f->node, r, slice_text("OK"), slice_of(fingerprint, 32), slice_of(&changed, 1));
}

static void update(weir_t *w, struct seen_reply *seen)
{
    assert_int_equal(weir_update_async(w, key, weir_text("d"), see_reply, seen), 0);
}

/* --- no node --------------------------------------------------------------------------------- */

/* An app that asks again when it is told that its edit failed. */
static struct {
    unsigned told;
} stubborn;
enum { STUBBORN_MAX = 1000 };

static void ask_again(weir_t *w, const struct weir_reply *reply, void *arg)
{
    struct weir_bytes one = weir_text("1");
    (void)reply;
    if (++stubborn.told < STUBBORN_MAX)
        (void)weir_edit_async(w, key, "add", &one, 1, ask_again, arg);
}

/* It is its step that comes back, or it could do nothing else any more. Found by replies_fuzz. */
static void edits_that_are_asked_again_as_they_fail_do_not_hold_up_a_step(void **state)
{
    struct weir_bytes one = weir_text("1");
    (void)state;
    weir_signer_t *signer = weir_signer_new();
    struct weir_options options = {.endpoint = "ipc:///tmp/weir-nobody-listens-here.sock",
                                   .signer = signer};
    weir_t *w = weir_new(&options);
    assert_non_null(w);
    stubborn.told = 0;
    for (int i = 0; i < 3; i++)
        assert_int_equal(weir_edit_async(w, key, "add", &one, 1, ask_again, NULL), 0);
    while (stubborn.told == 0)
        assert_true(weir_step(w, FAKE_WAIT_MS_MAX) >= 0);
    assert_in_range(stubborn.told, 3, 12);
    unsigned before = stubborn.told;
    (void)weir_step(w, 0);
    assert_true(stubborn.told - before <= 6);
    stubborn.told = STUBBORN_MAX;
    weir_destroy(&w);
    weir_signer_destroy(&signer);
}

static void without_a_node_it_is_told_at_once(void **state)
{
    (void)state;
    const char *endpoints[] = {"ipc:///tmp/weir-nobody-listens-here.sock", "tcp://127.0.0.1:1"};
    for (size_t i = 0; i < 2; i++) {
        struct weir_options options = {.endpoint = endpoints[i], .timeout_ms = 3600 * 1000};
        weir_t *w = weir_new(&options);
        const struct weir_reply *reply;
        assert_int_equal(weir_status(w, &reply), WEIR_NO_NODE);
        assert_non_null(strstr(weir_error(w), endpoints[i]));
        assert_int_equal(weir_connect(w), WEIR_NO_NODE);
        weir_destroy(&w);
    }
}

static void handles_given_up_while_they_connect_block_nobody(void **state)
{
    struct fixture *f = *state;
    struct seen_reply seen = {0};
    struct fake_request r;
    for (int i = 0; i < 400; i++) {
        weir_t *w = handle(&f->node, (struct weir_options){0});
        for (int step = 0; step < i % 100; step++) /* a little further each time */
            assert_true(weir_step(w, 0) >= 0);
        weir_destroy(&w);
    }
    update(f->w, &seen);
    fake_node_expect(&f->node, f->w, "UPDATE", &r);
    reply_ok(f, &r, 1);
    step_until(f->w, &seen.calls);
    fake_request_free(&r);
}

static void what_is_no_endpoint_is_told_by_the_first_call(void **state)
{
    (void)state;
    struct weir_options options = {.endpoint = "over the hills"};
    weir_t *w = weir_new(&options);
    assert_int_equal(weir_connect(w), WEIR_BAD_REQUEST);
    assert_non_null(strstr(weir_error(w), "over the hills"));
    assert_int_equal(weir_step(w, 0), WEIR_BAD_REQUEST);
    weir_destroy(&w);
}

static void a_node_that_comes_later_is_found(void **state)
{
    struct fixture *f = *state;
    struct seen_reply seen = {0};
    struct fake_request r;
    fake_node_go(&f->node);
    weir_t *w = handle(&f->node, (struct weir_options){.timeout_ms = FAKE_WAIT_MS_MAX});
    assert_int_equal(weir_connect(w), WEIR_NO_NODE);
    fake_node_return(&f->node);
    while (weir_connect(w) == WEIR_NO_NODE)
        ;
    update(w, &seen);
    fake_node_expect(&f->node, w, "UPDATE", &r);
    reply_ok(f, &r, 1);
    step_until(w, &seen.calls);
    assert_int_equal(seen.code, 0);
    fake_request_free(&r);
    weir_destroy(&w);
}

/* --- replies --------------------------------------------------------------------------------- */

static void replies_may_come_in_any_order(void **state)
{
    struct fixture *f = *state;
    struct seen_reply a = {0}, b = {0};
    struct fake_request first, second;
    update(f->w, &a);
    update(f->w, &b);
    fake_node_expect(&f->node, f->w, "UPDATE", &first);
    fake_node_expect(&f->node, f->w, "UPDATE", &second);
    reply_ok(f, &second, 0);
    step_until(f->w, &b.calls);
    assert_int_equal(a.calls, 0);
    reply_ok(f, &first, 1);
    step_until(f->w, &a.calls);
    assert_int_equal(a.changed, 1);
    assert_int_equal(b.changed, 0);
    fake_request_free(&first);
    fake_request_free(&second);
}

static void an_error_comes_with_its_code_and_sentence(void **state)
{
    struct fixture *f = *state;
    struct seen_reply seen = {0};
    struct fake_request r;
    update(f->w, &seen);
    fake_node_expect(&f->node, f->w, "UPDATE", &r);
    REPLY(&f->node, &r, slice_text("STORE_FULL"), slice_text("the disk is full"));
    step_until(f->w, &seen.calls);
    assert_int_equal(seen.code, WEIR_STORE_FULL);
    assert_string_equal(seen.sentence, "the disk is full");
    fake_request_free(&r);
}

static void an_error_without_a_sentence_has_its_codes(void **state)
{
    struct fixture *f = *state;
    struct seen_reply seen = {0};
    struct fake_request r;
    update(f->w, &seen);
    fake_node_expect(&f->node, f->w, "UPDATE", &r);
    REPLY(&f->node, &r, slice_text("STORE_FULL"), slice_text(""));
    step_until(f->w, &seen.calls);
    assert_int_equal(seen.code, WEIR_STORE_FULL);
    assert_string_equal(seen.sentence, weir_error_text(WEIR_STORE_FULL));
    fake_request_free(&r);
}

static void replies_that_are_none_harm_nobody(void **state)
{
    struct fixture *f = *state;
    struct seen_reply seen = {0};
    struct fake_request r, odd;
    update(f->w, &seen);
    fake_node_expect(&f->node, f->w, "UPDATE", &r);
    odd = r;
    odd.id_bytes = 3; /* nobody's id */
    reply_ok(f, &odd, 1);
    odd = r;
    odd.id[7] ^= 1;
    reply_ok(f, &odd, 1);
    fake_node_reply(&f->node, &r, NULL, 0);
    assert_int_equal(seen.calls, 0);
    REPLY(&f->node, &r, slice_text("OK"), slice_of(fingerprint, 31), slice_text("c"));
    step_until(f->w, &seen.calls);
    assert_int_equal(seen.code, WEIR_INTERNAL);
    reply_ok(f, &r, 1); /* a second answer to the same request */
    while (weir_step(f->w, 0) > 0)
        ;
    assert_int_equal(seen.calls, 1);
    fake_request_free(&r);
}

static void an_ok_with_the_wrong_number_of_fields_is_told(void **state)
{
    struct fixture *f = *state;
    struct seen_reply seen = {0};
    struct fake_request r;
    const struct slice long_reply[] = {slice_text("OK"), slice_text("a"), slice_text("b"),
                                       slice_text("c"),  slice_text("d"), slice_text("e"),
                                       slice_text("f"),  slice_text("g"), slice_text("h")};
    for (size_t count = 1; count < 6; count++) {
        if (count == 3)
            continue;
        seen = (struct seen_reply){0};
        update(f->w, &seen);
        fake_node_expect(&f->node, f->w, "UPDATE", &r);
        fake_node_reply(&f->node, &r, long_reply, count);
        step_until(f->w, &seen.calls);
        assert_int_equal(seen.code, WEIR_INTERNAL);
        fake_request_free(&r);
    }
}

/* --- deadlines and the window ---------------------------------------------------------------- */

static void a_node_that_does_not_answer_is_a_timeout(void **state)
{
    struct fixture *f = *state;
    weir_t *w = NULL;
    const struct weir_reply *reply;
    /* the same time has to do for the connection, which takes longer on a machine with other work
     */
    for (unsigned ms = 50; ms <= FAKE_WAIT_MS_MAX; ms *= 4) {
        weir_destroy(&w);
        w = handle(&f->node, (struct weir_options){.timeout_ms = ms});
        if (weir_connect(w) == 0)
            break;
    }
    assert_int_equal(weir_status(w, &reply), WEIR_TIMEOUT);
    assert_int_equal(weir_open(w), 0);
    weir_destroy(&w);
}

static void a_full_window_waits_or_says_so(void **state)
{
    struct fixture *f = *state;
    struct seen_reply first = {0}, second = {0};
    struct fake_request r;
    struct weir_options options = {.window = 1, .dont_wait = 1, .timeout_ms = FAKE_WAIT_MS_MAX};
    weir_t *w = handle(&f->node, options);
    update(w, &first);
    assert_int_equal(weir_update_async(w, key, weir_text("d"), see_reply, &second), WEIR_AGAIN);
    weir_destroy(&w);
    assert_int_equal(first.code, WEIR_LOST);

    options.dont_wait = 0;
    first = (struct seen_reply){0};
    w = handle(&f->node, options);
    update(w, &first);
    fake_node_expect(&f->node, w, "UPDATE", &r);
    reply_ok(f, &r, 1);
    fake_request_free(&r);
    update(w, &second); /* waits for the room that the reply makes */
    assert_int_equal(first.calls, 1);
    assert_int_equal(weir_open(w), 1);
    weir_destroy(&w);
}

static void a_window_counts_bytes_too(void **state)
{
    struct fixture *f = *state;
    struct seen_reply seen = {0};
    static uint8_t bytes[600];
    struct weir_options options = {.window_bytes = 1000, .dont_wait = 1};
    weir_t *w = handle(&f->node, options);
    struct weir_bytes delta = {bytes, sizeof bytes};
    assert_int_equal(weir_update_async(w, key, delta, see_reply, &seen), 0);
    assert_int_equal(weir_update_async(w, key, delta, see_reply, &seen), WEIR_AGAIN);
    weir_destroy(&w);
    options.window_bytes = 10; /* a request larger than the window goes alone */
    w = handle(&f->node, options);
    assert_int_equal(weir_update_async(w, key, delta, see_reply, &seen), 0);
    weir_destroy(&w);
}

struct nested {
    int calls, waiting, async;
    struct seen_reply seen;
};

static void on_done_call_more(weir_t *w, const struct weir_reply *reply, void *arg)
{
    struct nested *nested = arg;
    const struct weir_reply *other;
    (void)reply;
    nested->waiting = weir_status(w, &other);
    nested->async = weir_update_async(w, key, weir_text("d"), see_reply, &nested->seen);
    nested->calls++;
}

static void a_callback_may_ask_but_not_wait(void **state)
{
    struct fixture *f = *state;
    struct nested nested = {0};
    struct fake_request r;
    assert_int_equal(weir_status_async(f->w, on_done_call_more, &nested), 0);
    fake_node_expect(&f->node, f->w, "STATUS", &r);
    REPLY(&f->node, &r, slice_text("OK"), slice_text("{}"));
    step_until(f->w, &nested.calls);
    assert_int_equal(nested.waiting, WEIR_AGAIN);
    assert_int_equal(nested.async, 0);
    fake_node_expect(&f->node, f->w, "UPDATE", &r);
    reply_ok(f, &r, 1);
    step_until(f->w, &nested.seen.calls);
    fake_request_free(&r);
}

/* --- a node that goes and returns ------------------------------------------------------------ */

static void what_can_be_repeated_is_and_an_edit_is_lost(void **state)
{
    struct fixture *f = *state;
    struct seen_reply sent = {0}, edit = {0};
    struct weir_bytes one = weir_text("1");
    struct fake_request first, r;
    update(f->w, &sent);
    assert_int_equal(weir_edit_async(f->w, key, "add", &one, 1, see_reply, &edit), 0);
    fake_node_expect(&f->node, f->w, "UPDATE", &first);
    fake_node_expect(&f->node, f->w, "EDIT", &r);
    fake_request_free(&r);
    fake_node_go(&f->node);
    step_until(f->w, &edit.calls);
    assert_int_equal(edit.code, WEIR_LOST); /* whether it was carried out nobody knows */
    assert_int_equal(sent.calls, 0);
    fake_node_return(&f->node);
    fake_node_expect(&f->node, f->w, "UPDATE", &r);
    assert_memory_equal(r.id, first.id, first.id_bytes);
    assert_true(slice_equal(r.args[1], first.args[1]));
    reply_ok(f, &r, 1);
    step_until(f->w, &sent.calls);
    assert_int_equal(sent.code, 0);
    fake_request_free(&first);
    fake_request_free(&r);
}

static void requests_made_meanwhile_wait_for_it_in_order(void **state)
{
    struct fixture *f = *state;
    struct seen_reply lost = {0}, seen[3] = {{0}};
    struct weir_bytes one = weir_text("1");
    struct fake_request r;
    assert_int_equal(weir_edit_async(f->w, key, "add", &one, 1, see_reply, &lost), 0);
    fake_node_expect(&f->node, f->w, "EDIT", &r);
    fake_request_free(&r);
    fake_node_go(&f->node);
    step_until(f->w, &lost.calls);
    for (size_t i = 0; i < 3; i++) {
        uint8_t delta = (uint8_t)i;
        assert_int_equal(
            weir_update_async(f->w, key, (struct weir_bytes){&delta, 1}, see_reply, &seen[i]), 0);
    }
    fake_node_return(&f->node);
    for (size_t i = 0; i < 3; i++) {
        fake_node_expect(&f->node, f->w, "UPDATE", &r);
        assert_int_equal(r.args[1].data[0], i);
        reply_ok(f, &r, 1);
        step_until(f->w, &seen[i].calls);
        fake_request_free(&r);
    }
}

static void who_waits_for_a_check_hears_that_the_node_went(void **state)
{
    struct fixture *f = *state;
    struct seen_reply seen = {0};
    struct fake_request r;
    assert_int_equal(weir_check_async(f->w, see_reply, &seen), 0);
    fake_node_expect(&f->node, f->w, "CHECK", &r);
    fake_node_go(&f->node);
    step_until(f->w, &seen.calls);
    assert_int_equal(seen.code, WEIR_LOST);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(without_a_node_it_is_told_at_once),
        CASE(edits_that_are_asked_again_as_they_fail_do_not_hold_up_a_step),
        CASE(handles_given_up_while_they_connect_block_nobody),
        CASE(what_is_no_endpoint_is_told_by_the_first_call),
        CASE(a_node_that_comes_later_is_found),
        CASE(replies_may_come_in_any_order),
        CASE(an_error_comes_with_its_code_and_sentence),
        CASE(an_error_without_a_sentence_has_its_codes),
        CASE(replies_that_are_none_harm_nobody),
        CASE(an_ok_with_the_wrong_number_of_fields_is_told),
        CASE(a_node_that_does_not_answer_is_a_timeout),
        CASE(a_full_window_waits_or_says_so),
        CASE(a_window_counts_bytes_too),
        CASE(a_callback_may_ask_but_not_wait),
        CASE(what_can_be_repeated_is_and_an_edit_is_lost),
        CASE(requests_made_meanwhile_wait_for_it_in_order),
        CASE(who_waits_for_a_check_hears_that_the_node_went),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
