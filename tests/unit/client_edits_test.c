/* libweir's work on top of the verbs: large states in pieces, and edits signed on this side. The
 * far side keeps a real state, so that what arrives is judged by merging it. */
#include "tests/unit/client_fake_node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { PIECE_BYTES = 1 << 20 };

struct fixture {
    struct fake_node node;
    weir_t *w;
    weir_signer_t *signer;
    weir_contract_t *contract;
    weir_state_t *held; /* the far side's */
    uint8_t key[32];
};

static void make_contract(struct fixture *f, const char *kind, bool has_writers)
{
    weir_params_t *params = weir_params_new();
    if (has_writers)
        assert_int_equal(weir_params_add_writer(params, weir_signer_public(f->signer)), 0);
    assert_int_equal(weir_contract_new(kind, weir_params_bytes(params), &f->contract, NULL), 0);
    memcpy(f->key, weir_contract_key(f->contract), 32);
    f->held = weir_state_new(f->contract);
    weir_params_destroy(&params);
}

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){.signer = weir_signer_new()};
    fake_node_start(&f.node);
    struct weir_options options = {
        .endpoint = f.node.endpoint, .signer = f.signer, .timeout_ms = FAKE_WAIT_MS_MAX};
    f.w = weir_new(&options);
    assert_int_equal(weir_connect(f.w), 0);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    weir_destroy(&f->w);
    weir_state_destroy(&f->held);
    weir_contract_destroy(&f->contract);
    weir_signer_destroy(&f->signer);
    fake_node_end(&f->node);
    return 0;
}

/* --- the far side ---------------------------------------------------------------------------- */

static struct slice held_bytes(struct fixture *f)
{
    struct weir_bytes bytes;
    assert_int_equal(weir_state_bytes(f->held, &bytes), 0);
    return slice_of(bytes.data, bytes.size);
}

/* Answers a GET with the whole state: more than was asked for is merged the same. */
static void answer_get(struct fixture *f, const struct fake_request *r)
{
    uint8_t print[32];
    struct weir_bytes params = weir_contract_params(f->contract);
    weir_state_fingerprint(f->held, print);
    REPLY(&f->node, r, slice_text("OK"), slice_text(weir_contract_kind(f->contract)),
          slice_of(params.data, params.size), held_bytes(f), slice_of(print, 32));
}

static void merge_and_answer(struct fixture *f, const struct fake_request *r)
{
    uint8_t before[32], after[32], changed, hosts[4] = {0, 0, 0, 1};
    struct weir_reason why = {""};
    struct slice delta = r->args[r->count - 1];
    weir_state_fingerprint(f->held, before);
    int rc = weir_state_merge(f->held, (struct weir_bytes){delta.data, delta.size}, &why);
    assert_string_equal(why.text, "");
    assert_int_equal(rc, 0);
    weir_state_fingerprint(f->held, after);
    changed = memcmp(before, after, 32) != 0;
    if (strcmp(r->verb, "PUT") == 0)
        REPLY(&f->node, r, slice_text("OK"), slice_of(f->key, 32), slice_of(after, 32),
              slice_of(hosts, 4));
    else
        REPLY(&f->node, r, slice_text("OK"), slice_of(after, 32), slice_of(&changed, 1));
}

/* Serves until the app's call is answered; the number of requests with that verb. */
static int serve(struct fixture *f, const struct seen_reply *seen, const char *counted)
{
    int count = 0;
    while (fake_node_is_asked(&f->node, f->w, &seen->calls)) {
        struct fake_request r;
        fake_node_take(&f->node, f->w, &r);
        count += strcmp(r.verb, counted) == 0;
        if (strcmp(r.verb, "GET") == 0)
            answer_get(f, &r);
        else
            merge_and_answer(f, &r);
        fake_request_free(&r);
    }
    return count;
}

static int edit(struct fixture *f, const char *verb, const char *operand, struct seen_reply *seen)
{
    struct weir_bytes bytes = weir_text(operand);
    *seen = (struct seen_reply){0};
    return weir_edit_async(f->w, f->key, verb, &bytes, 1, see_reply, seen);
}

static int on_number(void *arg, const struct weir_item *item)
{
    *(int64_t *)arg = item->number;
    return 0;
}

static int64_t counted(struct fixture *f)
{
    int64_t number = 0;
    struct slice state = held_bytes(f);
    assert_int_equal(weir_items(f->contract, (struct weir_bytes){state.data, state.size}, on_number,
                                &number, NULL),
                     0);
    return number;
}

/* --- signed edits ---------------------------------------------------------------------------- */

static void a_signed_edit_fetches_ranges_and_sends_what_verifies(void **state)
{
    struct fixture *f = *state;
    struct seen_reply seen;
    make_contract(f, "counter", true);
    assert_int_equal(edit(f, "add", "5", &seen), 0);
    assert_int_equal(serve(f, &seen, "UPDATE"), 1);
    assert_int_equal(seen.code, 0);
    assert_int_equal(seen.changed, 1);
    assert_int_equal(counted(f), 5);
}

static void signed_edits_made_at_once_are_all_counted(void **state)
{
    struct fixture *f = *state;
    struct seen_reply seen[10];
    make_contract(f, "counter", true);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(edit(f, "add", "1", &seen[i]), 0);
    serve(f, &seen[9], "UPDATE");
    assert_int_equal(counted(f), 10);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(seen[i].code, 0);
}

/* lesson M7 */
static void after_an_unknown_outcome_the_handle_is_another_replica(void **state)
{
    struct fixture *f = *state;
    struct seen_reply seen;
    struct fake_request r, late;
    make_contract(f, "counter", true);
    assert_int_equal(edit(f, "add", "1", &seen), 0);
    fake_node_expect(&f->node, f->w, "GET", &r); /* kind and parameters */
    answer_get(f, &r);
    fake_request_free(&r);
    for (;;) {
        fake_node_take(&f->node, f->w, &late);
        if (strcmp(late.verb, "UPDATE") == 0)
            break;
        answer_get(f, &late);
        fake_request_free(&late);
    }
    REPLY(&f->node, &late, slice_text("TIMEOUT"), slice_text("who knows"));
    step_until(f->w, &seen.calls);
    assert_int_equal(seen.code, WEIR_TIMEOUT);

    assert_int_equal(edit(f, "add", "1", &seen), 0);
    serve(f, &seen, "UPDATE");
    struct weir_bytes delta = {late.args[1].data, late.args[1].size};
    /* the late one arrives after all */
    assert_int_equal(weir_state_merge(f->held, delta, NULL), 0);
    assert_int_equal(counted(f), 2);
    fake_request_free(&late);
}

static void a_contract_that_anyone_may_write_gets_a_plain_edit(void **state)
{
    struct fixture *f = *state;
    struct seen_reply seen;
    struct fake_request r;
    make_contract(f, "counter", false);
    assert_int_equal(edit(f, "add", "5", &seen), 0);
    fake_node_expect(&f->node, f->w, "GET", &r);
    answer_get(f, &r);
    fake_request_free(&r);
    fake_node_expect(&f->node, f->w, "EDIT", &r);
    assert_true(slice_is(r.args[1], "add"));
    assert_true(slice_is(r.args[2], "5"));
    uint8_t one = 1;
    REPLY(&f->node, &r, slice_text("OK"), slice_of(f->key, 32), slice_of(&one, 1));
    step_until(f->w, &seen.calls);
    assert_int_equal(seen.code, 0);
    fake_request_free(&r);
    assert_int_equal(edit(f, "add", "6", &seen), 0);
    fake_node_expect(&f->node, f->w, "EDIT", &r); /* what the key is was asked once */
    fake_request_free(&r);
    weir_destroy(&f->w);
    assert_int_equal(seen.code, WEIR_LOST);
}

static void an_edit_that_cannot_be_made_is_told_and_the_next_one_goes(void **state)
{
    struct fixture *f = *state;
    struct seen_reply bad, good;
    make_contract(f, "counter", true);
    assert_int_equal(edit(f, "add", "many", &bad), 0);
    assert_int_equal(edit(f, "add", "3", &good), 0);
    serve(f, &good, "UPDATE");
    assert_int_equal(bad.code, WEIR_BAD_REQUEST);
    assert_int_equal(good.code, 0);
    assert_int_equal(counted(f), 3);
}

static void a_signer_that_is_not_listed_is_denied_here(void **state)
{
    struct fixture *f = *state;
    struct seen_reply seen;
    weir_signer_t *listed = f->signer, *other = weir_signer_new();
    f->signer = other;
    make_contract(f, "counter", true); /* of the other one */
    f->signer = listed;
    assert_int_equal(edit(f, "add", "1", &seen), 0);
    assert_int_equal(serve(f, &seen, "UPDATE"), 0);
    assert_int_equal(seen.code, WEIR_DENIED);
    weir_signer_destroy(&other);
}

static void a_node_that_lies_about_the_contract_is_not_believed(void **state)
{
    struct fixture *f = *state;
    struct seen_reply seen;
    struct fake_request r;
    make_contract(f, "counter", true);
    assert_int_equal(edit(f, "add", "1", &seen), 0);
    fake_node_expect(&f->node, f->w, "GET", &r);
    REPLY(&f->node, &r, slice_text("OK"), slice_text("counter"), slice_of(NULL, 0),
          slice_of(NULL, 0), slice_of(f->key, 32));
    step_until(f->w, &seen.calls);
    assert_int_equal(seen.code, WEIR_INTERNAL);
    fake_request_free(&r);
}

static void queued_edits_are_given_up_with_the_handle(void **state)
{
    struct fixture *f = *state;
    struct seen_reply seen[3];
    make_contract(f, "counter", true);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(edit(f, "add", "1", &seen[i]), 0);
    weir_destroy(&f->w);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(seen[i].calls, 1);
        assert_int_equal(seen[i].code, WEIR_LOST);
    }
}

/* --- pieces ---------------------------------------------------------------------------------- */

/* The bytes of a map's state with this many fields of 1,000 bytes. */
static uint8_t *large_state(struct fixture *f, int fields, size_t *size)
{
    weir_state_t *state = weir_state_new(f->contract);
    static char value[1000];
    struct weir_bytes bytes;
    for (int i = 0; i < fields; i++) {
        char field[16];
        uint8_t *delta;
        struct weir_bytes operands[2] = {{field, 0}, {value, sizeof value}};
        operands[0].size = (size_t)snprintf(field, sizeof field, "%06d", i);
        assert_int_equal(weir_delta(f->contract, weir_text(""), (const uint8_t *)"replica1", 1000,
                                    NULL, "set", operands, 2, &delta, size, NULL),
                         0);
        assert_int_equal(weir_state_merge(state, (struct weir_bytes){delta, *size}, NULL), 0);
        weir_free(delta);
    }
    assert_int_equal(weir_state_bytes(state, &bytes), 0);
    uint8_t *copy = malloc(bytes.size);
    memcpy(copy, bytes.data, bytes.size);
    *size = bytes.size;
    weir_state_destroy(&state);
    return copy;
}

static void a_large_put_goes_in_pieces_and_arrives_whole(void **state)
{
    struct fixture *f = *state;
    struct seen_reply seen = {0};
    size_t size;
    make_contract(f, "map", false);
    uint8_t *bytes = large_state(f, 5000, &size);
    assert_int_equal(weir_put_async(f->w, "map", weir_contract_params(f->contract),
                                    (struct weir_bytes){bytes, size}, see_reply, &seen),
                     0);
    assert_in_range(serve(f, &seen, "UPDATE"), size / PIECE_BYTES - 1, size / PIECE_BYTES + 1);
    assert_int_equal(seen.code, 0);
    assert_true(slice_equal(held_bytes(f), slice_of(bytes, size)));
    free(bytes);
}

/* Else its reply would tell the fingerprint of a part. What is asked meanwhile overtakes it. */
static void the_last_piece_waits_for_all_others(void **state)
{
    struct fixture *f = *state;
    struct seen_reply seen = {0}, other = {0};
    struct fake_request put, middle, between, last;
    size_t size;
    make_contract(f, "map", false);
    uint8_t *bytes = large_state(f, 2500, &size);
    assert_int_equal(weir_put_async(f->w, "map", weir_contract_params(f->contract),
                                    (struct weir_bytes){bytes, size}, see_reply, &seen),
                     0);
    fake_node_expect(&f->node, f->w, "PUT", &put);
    merge_and_answer(f, &put);
    fake_node_expect(&f->node, f->w, "UPDATE", &middle);
    assert_int_equal(weir_update_async(f->w, f->key, weir_text(""), see_reply, &other), 0);
    fake_node_expect(&f->node, f->w, "UPDATE", &between);
    assert_int_equal(between.args[1].size, 0);
    merge_and_answer(f, &between);
    merge_and_answer(f, &middle);
    fake_node_expect(&f->node, f->w, "UPDATE", &last);
    assert_int_equal(put.args[2].size + middle.args[1].size + last.args[1].size, size);
    assert_int_equal(seen.calls, 0);
    merge_and_answer(f, &last);
    step_until(f->w, &seen.calls);
    assert_int_equal(seen.code, 0);
    assert_true(slice_equal(held_bytes(f), slice_of(bytes, size)));
    fake_request_free(&put);
    fake_request_free(&middle);
    fake_request_free(&between);
    fake_request_free(&last);
    free(bytes);
}

static void a_large_update_goes_in_pieces_of_a_mebibyte(void **state)
{
    struct fixture *f = *state;
    struct seen_reply seen = {0};
    struct fake_request r;
    size_t size;
    make_contract(f, "map", false);
    uint8_t *bytes = large_state(f, 3000, &size);
    assert_int_equal(
        weir_update_async(f->w, f->key, (struct weir_bytes){bytes, size}, see_reply, &seen), 0);
    fake_node_expect(&f->node, f->w, "GET", &r);
    answer_get(f, &r);
    fake_request_free(&r);
    fake_node_expect(&f->node, f->w, "UPDATE", &r);
    assert_in_range(r.args[1].size, PIECE_BYTES - 1100, PIECE_BYTES);
    merge_and_answer(f, &r);
    fake_request_free(&r);
    serve(f, &seen, "UPDATE");
    assert_int_equal(seen.changed, 1);
    assert_true(slice_equal(held_bytes(f), slice_of(bytes, size)));
    free(bytes);
}

static void a_bad_entry_at_the_end_is_found_before_anything_is_sent(void **state)
{
    struct fixture *f = *state;
    struct seen_reply seen = {0};
    size_t size;
    make_contract(f, "map", false);
    uint8_t *bytes = large_state(f, 3000, &size);
    struct weir_bytes cut = {bytes, size - 1};
    assert_int_equal(
        weir_put_async(f->w, "map", weir_contract_params(f->contract), cut, see_reply, &seen),
        WEIR_BAD_STATE);
    assert_int_equal(seen.calls, 0);
    assert_int_equal(weir_update_async(f->w, f->key, cut, see_reply, &seen), 0);
    assert_int_equal(serve(f, &seen, "UPDATE"), 0);
    assert_int_equal(seen.code, WEIR_BAD_STATE);
    assert_int_equal(weir_open(f->w), 0);
    free(bytes);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_signed_edit_fetches_ranges_and_sends_what_verifies),
        CASE(signed_edits_made_at_once_are_all_counted),
        CASE(after_an_unknown_outcome_the_handle_is_another_replica),
        CASE(a_contract_that_anyone_may_write_gets_a_plain_edit),
        CASE(an_edit_that_cannot_be_made_is_told_and_the_next_one_goes),
        CASE(a_signer_that_is_not_listed_is_denied_here),
        CASE(a_node_that_lies_about_the_contract_is_not_believed),
        CASE(queued_edits_are_given_up_with_the_handle),
        CASE(a_large_put_goes_in_pieces_and_arrives_whole),
        CASE(the_last_piece_waits_for_all_others),
        CASE(a_large_update_goes_in_pieces_of_a_mebibyte),
        CASE(a_bad_entry_at_the_end_is_found_before_anything_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
