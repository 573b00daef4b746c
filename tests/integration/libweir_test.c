/* libweir against a real node. */
#include "client/weir.h"
#include "tests/support/process.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include <cmocka.h>

enum { WAIT_MS_MAX = 60000, FIELD_BYTES = 1000 }; /* only a fault takes that long */

struct fixture {
    char data[64], endpoint[128];
    struct process node;
    weir_t *w;
};

static void start(struct fixture *f)
{
    const char *options[] = {"--client", f->endpoint, NULL};
    process_start(&f->node, f->data, options);
}

static weir_t *handle(struct fixture *f, const weir_signer_t *signer)
{
    struct weir_options options = {
        .endpoint = f->endpoint, .timeout_ms = WAIT_MS_MAX, .signer = signer};
    weir_t *w = weir_new(&options);
    assert_non_null(w);
    if (weir_connect(w))
        fail_msg("%s", weir_error(w));
    return w;
}

static int set_up(void **state)
{
    static struct fixture f;
    data_dir_new(f.data);
    snprintf(f.endpoint, sizeof f.endpoint, "ipc://%s/test.sock", f.data);
    start(&f);
    f.w = handle(&f, NULL);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    weir_destroy(&f->w);
    int status = process_stop(&f->node);
    data_dir_remove(f->data);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static void put(struct fixture *f, const char *kind, const char *name, const uint8_t *writer,
                uint8_t key[32])
{
    const struct weir_reply *reply;
    weir_params_t *params = weir_params_new();
    assert_int_equal(weir_params_set(params, "name", name, NULL), 0);
    if (writer)
        assert_int_equal(weir_params_add_writer(params, writer), 0);
    assert_int_equal(weir_put(f->w, kind, weir_params_bytes(params), weir_text(""), &reply), 0);
    memcpy(key, reply->key, 32);
    weir_params_destroy(&params);
}

static int on_item(void *arg, const struct weir_item *item)
{
    char *text = arg;
    size_t used = strlen(text);
    if (!item->removed)
        snprintf(text + used, 256 - used, "%.*s%s%.*s ", (int)item->name.size,
                 (const char *)item->name.data, item->name.size ? "=" : "", (int)item->value.size,
                 (const char *)item->value.data);
    if (item->number)
        snprintf(text + used, 256 - used, "%lld ", (long long)item->number);
    return 0;
}

/* What the node's state says. */
static void assert_value(struct fixture *f, const uint8_t key[32], const char *wanted)
{
    const struct weir_reply *reply;
    weir_contract_t *contract;
    char text[256] = "";
    assert_int_equal(weir_get(f->w, key, &reply), 0);
    assert_int_equal(weir_contract_new(reply->kind, reply->params, &contract, NULL), 0);
    assert_memory_equal(weir_contract_key(contract), key, 32);
    assert_int_equal(weir_items(contract, reply->state, on_item, text, NULL), 0);
    assert_string_equal(text, wanted);
    weir_contract_destroy(&contract);
}

/* --- verbs ----------------------------------------------------------------------------------- */

static void edits_of_every_kind_are_carried_out(void **state)
{
    struct fixture *f = *state;
    uint8_t key[32];
    put(f, "counter", "t", NULL, key);
    assert_int_equal(weir_counter_add(f->w, key, 5), 1);
    assert_int_equal(weir_counter_add(f->w, key, -8), 1);
    assert_value(f, key, "-3 ");
    put(f, "register", "t", NULL, key);
    assert_int_equal(weir_register_set(f->w, key, weir_text("x")), 1);
    assert_value(f, key, "x ");
    put(f, "multi-register", "t", NULL, key);
    assert_int_equal(weir_register_set(f->w, key, weir_text("y")), 1);
    assert_value(f, key, "y ");
    put(f, "set", "t", NULL, key);
    assert_int_equal(weir_set_add(f->w, key, weir_text("a")), 1);
    assert_int_equal(weir_set_add(f->w, key, weir_text("b")), 1);
    assert_int_equal(weir_set_remove(f->w, key, weir_text("a")), 1);
    assert_int_equal(weir_set_remove(f->w, key, weir_text("a")), 0);
    assert_value(f, key, "b ");
    put(f, "map", "t", NULL, key);
    assert_int_equal(weir_map_set(f->w, key, weir_text("f"), weir_text("1")), 1);
    assert_int_equal(weir_map_set(f->w, key, weir_text("g"), weir_text("2")), 1);
    assert_int_equal(weir_map_remove(f->w, key, weir_text("f")), 1);
    assert_value(f, key, "g=2 ");
    put(f, "log", "t", NULL, key);
    assert_int_equal(weir_log_append(f->w, key, weir_text("one")), 1);
    assert_int_equal(weir_log_append(f->w, key, weir_text("two")), 1);
    assert_value(f, key, "one two ");
}

static void signed_edits_of_every_kind_are_carried_out(void **state)
{
    struct fixture *f = *state;
    weir_signer_t *signer = weir_signer_new();
    const uint8_t *who = weir_signer_public(signer);
    weir_t *w = handle(f, signer);
    uint8_t key[32];
    put(f, "counter", "s", who, key);
    assert_int_equal(weir_counter_add(f->w, key, 5), WEIR_DENIED);
    assert_int_equal(weir_counter_add(w, key, 5), 1);
    assert_int_equal(weir_counter_add(w, key, -8), 1);
    assert_value(f, key, "-3 ");
    put(f, "register", "s", who, key);
    assert_int_equal(weir_register_set(w, key, weir_text("x")), 1);
    assert_int_equal(weir_register_set(w, key, weir_text("z")), 1);
    assert_value(f, key, "z ");
    put(f, "multi-register", "s", who, key);
    assert_int_equal(weir_register_set(w, key, weir_text("x")), 1);
    assert_int_equal(weir_register_set(w, key, weir_text("y")), 1);
    assert_value(f, key, "y ");
    put(f, "set", "s", who, key);
    assert_int_equal(weir_set_add(w, key, weir_text("a")), 1);
    assert_int_equal(weir_set_add(w, key, weir_text("b")), 1);
    assert_int_equal(weir_set_remove(w, key, weir_text("a")), 1);
    assert_int_equal(weir_set_remove(w, key, weir_text("a")), 0);
    assert_value(f, key, "b ");
    put(f, "map", "s", who, key);
    assert_int_equal(weir_map_set(w, key, weir_text("f"), weir_text("1")), 1);
    assert_int_equal(weir_map_remove(w, key, weir_text("f")), 1);
    assert_int_equal(weir_map_set(w, key, weir_text("f"), weir_text("2")), 1);
    assert_value(f, key, "f=2 ");
    put(f, "log", "s", who, key);
    assert_int_equal(weir_log_append(w, key, weir_text("one")), 1);
    assert_int_equal(weir_log_append(w, key, weir_text("two")), 1);
    assert_value(f, key, "one two ");
    weir_destroy(&w);
    weir_signer_destroy(&signer);
}

static void errors_carry_code_and_sentence(void **state)
{
    struct fixture *f = *state;
    const struct weir_reply *reply = NULL;
    uint8_t key[32] = {0}, known[32];
    assert_int_equal(weir_get(f->w, key, &reply), WEIR_NOT_FOUND);
    assert_true(strlen(weir_error(f->w)) > 5);
    assert_int_equal(weir_put(f->w, "rope", weir_text(""), weir_text(""), &reply), WEIR_BAD_KIND);
    put(f, "set", "errors", NULL, known);
    assert_int_equal(weir_update(f->w, known, weir_text("junk"), &reply), WEIR_BAD_STATE);
    assert_int_equal(weir_counter_add(f->w, key, 1), WEIR_NOT_FOUND);
    assert_int_equal(weir_peer_connect(f->w, "nobody@127.0.0.1:1", &reply), WEIR_BAD_REQUEST);
    assert_int_equal(
        weir_peer_connect(f->w, "11111111111111111111111111111112@127.0.0.1:1", &reply),
        WEIR_NO_LIVE_PEER);
}

static void a_range_of_a_state_is_read(void **state)
{
    struct fixture *f = *state;
    const struct weir_reply *reply;
    uint8_t key[32];
    struct weir_bytes to = weir_text("c");
    const char *fields[] = {"a", "b", "c", "d"};
    put(f, "map", "range", NULL, key);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(weir_map_set(f->w, key, weir_text(fields[i]), weir_text("v")), 1);
    assert_int_equal(weir_get(f->w, key, &reply), 0);
    size_t all = reply->state.size;
    assert_int_equal(weir_get_range(f->w, key, weir_text("b"), &to, &reply), 0);
    assert_int_equal(reply->state.size, all / 2);
    assert_int_equal(weir_get_range(f->w, key, weir_text("d"), NULL, &reply), 0);
    assert_int_equal(reply->state.size, all / 4);
}

/* --- many at once ---------------------------------------------------------------------------- */

struct tally {
    int done, failed, most_open;
};

static void on_done(weir_t *w, const struct weir_reply *reply, void *arg)
{
    struct tally *tally = arg;
    tally->done++;
    tally->failed += reply->code != 0;
    if ((int)weir_open(w) > tally->most_open)
        tally->most_open = (int)weir_open(w);
}

/* lesson C3 */
static void ten_thousand_without_waiting_stay_within_the_window(void **state)
{
    struct fixture *f = *state;
    struct tally tally = {0};
    struct weir_bytes one = weir_text("1");
    uint8_t key[32];
    put(f, "counter", "many", NULL, key);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(weir_edit_async(f->w, key, "add", &one, 1, on_done, &tally), 0);
    assert_int_equal(weir_drain(f->w), 0);
    assert_int_equal(tally.done, 10000);
    assert_int_equal(tally.failed, 0);
    assert_in_range(tally.most_open, 1, 256);
    assert_value(f, key, "10000 ");
}

static void two_writers_of_a_signed_counter_lose_nothing(void **state)
{
    struct fixture *f = *state;
    struct tally tally = {0};
    struct weir_bytes one = weir_text("1");
    weir_signer_t *signer = weir_signer_new();
    weir_t *a = handle(f, signer), *b = handle(f, signer);
    uint8_t key[32];
    put(f, "counter", "two writers", weir_signer_public(signer), key);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(weir_edit_async(a, key, "add", &one, 1, on_done, &tally), 0);
        assert_int_equal(weir_edit_async(b, key, "add", &one, 1, on_done, &tally), 0);
    }
    assert_int_equal(weir_drain(a), 0);
    assert_int_equal(weir_drain(b), 0);
    assert_int_equal(tally.failed, 0);
    assert_value(f, key, "100 ");
    weir_destroy(&a);
    weir_destroy(&b);
    weir_signer_destroy(&signer);
}

static void an_event_loop_needs_no_call_that_waits(void **state)
{
    struct fixture *f = *state;
    struct tally tally = {0};
    uint8_t key[32];
    put(f, "register", "loop", NULL, key);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(weir_get_async(f->w, key, on_done, &tally), 0);
        while (tally.done <= i) {
            struct pollfd wait = {.fd = weir_fd(f->w), .events = POLLIN};
            assert_true(poll(&wait, 1, weir_wait_ms(f->w)) >= 0);
            assert_true(weir_step(f->w, 0) >= 0);
        }
    }
    assert_int_equal(tally.failed, 0);
}

/* The bytes of a map with this many fields of FIELD_BYTES. */
static uint8_t *large_map(const weir_contract_t *contract, int fields, size_t *size)
{
    static char value[FIELD_BYTES];
    weir_state_t *held = weir_state_new(contract);
    struct weir_bytes bytes;
    for (int i = 0; i < fields; i++) {
        char field[16];
        uint8_t *delta;
        struct weir_bytes pair[2] = {{field, 0}, {value, sizeof value}};
        pair[0].size = (size_t)snprintf(field, sizeof field, "%07d", i);
        assert_int_equal(weir_delta(contract, weir_text(""), (const uint8_t *)"replica1", 1000,
                                    NULL, "set", pair, 2, &delta, size, NULL),
                         0);
        assert_int_equal(weir_state_merge(held, (struct weir_bytes){delta, *size}, NULL), 0);
        weir_free(delta);
    }
    assert_int_equal(weir_state_bytes(held, &bytes), 0);
    uint8_t *copy = malloc(bytes.size);
    memcpy(copy, bytes.data, bytes.size);
    *size = bytes.size;
    weir_state_destroy(&held);
    return copy;
}

static void a_large_state_goes_and_comes_whole(void **state)
{
    struct fixture *f = *state;
    const struct weir_reply *reply;
    weir_contract_t *contract;
    uint8_t print[32];
    size_t size;
    assert_int_equal(weir_contract_new("map", weir_text(""), &contract, NULL), 0);
    uint8_t *bytes = large_map(contract, 5000, &size);
    assert_int_equal(weir_put(f->w, "map", weir_text(""), (struct weir_bytes){bytes, size}, &reply),
                     0);
    assert_memory_equal(reply->key, weir_contract_key(contract), 32);
    memcpy(print, reply->fingerprint, 32);
    assert_int_equal(weir_get(f->w, weir_contract_key(contract), &reply), 0);
    assert_memory_equal(reply->fingerprint, print, 32); /* of all pieces, not of the first */
    assert_int_equal(reply->state.size, size);
    assert_memory_equal(reply->state.data, bytes, size);
    assert_int_equal(
        weir_update(f->w, weir_contract_key(contract), (struct weir_bytes){bytes, size}, &reply),
        0);
    assert_int_equal(reply->changed, 0);
    free(bytes);
    weir_contract_destroy(&contract);
}

/* --- following ------------------------------------------------------------------------------- */

struct follower {
    int events, joined;
    uint8_t last[32];
    weir_state_t *held;
};

static void on_event(weir_t *w, const struct weir_event *e, void *arg)
{
    struct follower *self = arg;
    (void)w;
    assert_int_not_equal(e->kind, WEIR_EVENT_ENDED);
    if (!self->held)
        self->held = weir_state_new(e->contract);
    self->joined += self->events == 0 || memcmp(e->before, self->last, 32) == 0;
    self->events++;
    memcpy(self->last, e->after, 32);
    assert_int_equal(weir_state_merge(self->held, e->delta, NULL), 0);
}

/* Steps until what was followed has the fingerprint that the node tells; then it is the same. */
static void follow_until_equal(struct fixture *f, weir_t *w, const uint8_t key[32],
                               struct follower *self)
{
    const struct weir_reply *reply;
    struct weir_bytes held;
    for (;;) {
        assert_int_equal(weir_get(f->w, key, &reply), 0);
        if (memcmp(reply->fingerprint, self->last, 32) == 0)
            break;
        assert_true(weir_step(w, 100) >= 0);
    }
    assert_int_equal(weir_state_bytes(self->held, &held), 0);
    assert_int_equal(held.size, reply->state.size);
    assert_memory_equal(held.data, reply->state.data, held.size);
    assert_int_equal(self->joined, self->events);
}

static void a_follower_has_the_same_state(void **state)
{
    struct fixture *f = *state;
    struct follower follower = {0};
    struct tally tally = {0};
    uint8_t key[32];
    put(f, "set", "follow", NULL, key);
    weir_t *w = handle(f, NULL);
    assert_int_equal(weir_subscribe(w, key, NULL, on_event, &follower), 0);
    for (int i = 0; i < 2000; i++) {
        char text[16];
        struct weir_bytes element = {text, 0};
        element.size = (size_t)snprintf(text, sizeof text, "%d", i);
        assert_int_equal(weir_edit_async(f->w, key, "add", &element, 1, on_done, &tally), 0);
    }
    assert_int_equal(weir_drain(f->w), 0);
    follow_until_equal(f, w, key, &follower);
    assert_int_equal(weir_unsubscribe(w, key), 0);
    weir_state_destroy(&follower.held);
    weir_destroy(&w);
}

static void a_follower_misses_nothing_when_the_node_is_killed(void **state)
{
    struct fixture *f = *state;
    struct follower follower = {0};
    uint8_t key[32];
    put(f, "set", "killed", NULL, key);
    weir_t *w = handle(f, NULL);
    assert_int_equal(weir_subscribe(w, key, NULL, on_event, &follower), 0);
    for (int round = 0; round < 3; round++) {
        char text[32];
        snprintf(text, sizeof text, "before %d", round);
        assert_int_equal(weir_set_add(f->w, key, weir_text(text)), 1);
        process_kill(&f->node);
        start(f);
        snprintf(text, sizeof text, "after %d", round);
        int rc = weir_set_add(f->w, key, weir_text(text));
        while (rc == WEIR_LOST) /* asked before the handle knew that the node had gone */
            rc = weir_set_add(f->w, key, weir_text(text));
        assert_int_equal(rc, 1);
    }
    follow_until_equal(f, w, key, &follower);
    weir_state_destroy(&follower.held);
    weir_destroy(&w);
}

/* --- the node itself ------------------------------------------------------------------------- */

static void the_node_tells_about_itself(void **state)
{
    struct fixture *f = *state;
    const struct weir_reply *reply;
    char path[128];
    assert_int_equal(weir_status(f->w, &reply), 0);
    assert_true(reply->json.size > 2 && *(const char *)reply->json.data == '{');
    assert_int_equal(weir_contracts(f->w, &reply), 0);
    assert_true(*(const char *)reply->json.data == '[');
    assert_int_equal(weir_peers(f->w, &reply), 0);
    assert_int_equal(reply->json.size, 2);
    assert_int_equal(weir_check(f->w, &reply), 0);
    snprintf(path, sizeof path, "%s/backup", f->data);
    assert_int_equal(weir_backup(f->w, path, &reply), 0);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(weir_backup(f->w, path, &reply) < 0, 1); /* it is not empty */
}

/* A socket that shakes hands and says no more: exit code 5 of the command line. */
static void a_command_whose_node_is_silent_exits_with_5(void **state)
{
    char endpoint[256], command[512];
    size_t size = sizeof endpoint;
    (void)state;
    void *context = zmq_ctx_new(), *router = zmq_socket(context, ZMQ_ROUTER);
    assert_int_equal(zmq_bind(router, "tcp://127.0.0.1:*"), 0);
    assert_int_equal(zmq_getsockopt(router, ZMQ_LAST_ENDPOINT, endpoint, &size), 0);
    const char *weir = getenv("WEIR");
    int status = 0;
    /* 7: the hands were not shaken in that time, on a machine with other work */
    for (int seconds = 1; seconds <= 64; seconds *= 4) {
        snprintf(command, sizeof command, "%s status --timeout %d --node %s 2>/dev/null",
                 weir ? weir : "build/weir", seconds, endpoint);
        status = system(command); /* NOLINT(cert-env33-c): the test's own words */
        assert_true(WIFEXITED(status));
        if (WEXITSTATUS(status) != 7)
            break;
    }
    assert_int_equal(WEXITSTATUS(status), 5);
    zmq_close(router);
    zmq_ctx_term(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edits_of_every_kind_are_carried_out),
        cmocka_unit_test(signed_edits_of_every_kind_are_carried_out),
        cmocka_unit_test(errors_carry_code_and_sentence),
        cmocka_unit_test(a_range_of_a_state_is_read),
        cmocka_unit_test(ten_thousand_without_waiting_stay_within_the_window),
        cmocka_unit_test(two_writers_of_a_signed_counter_lose_nothing),
        cmocka_unit_test(an_event_loop_needs_no_call_that_waits),
        cmocka_unit_test(a_large_state_goes_and_comes_whole),
        cmocka_unit_test(a_follower_has_the_same_state),
        cmocka_unit_test(a_follower_misses_nothing_when_the_node_is_killed),
        cmocka_unit_test(the_node_tells_about_itself),
        cmocka_unit_test(a_command_whose_node_is_silent_exits_with_5),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
