/* client/weir_room.h against a real node. */
#include "client/room.h"
#include "tests/support/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WAIT_MS_MAX = 60000, STEPS_MAX = 600 }; /* only a fault takes that long */

/* The owner and a guest, each with a handle of its own, as on two machines. */
struct fixture {
    char data[64], endpoint[128];
    struct process node;
    weir_signer_t *signers[2];
    weir_t *handles[2];
    weir_room_t *rooms[2];
    int events, states, ended, people, code; /* of the last one followed */
    uint8_t spots[8 * WEIR_SPOT_BYTES];
    size_t spot_count;
};

static void start(struct fixture *f)
{
    const char *options[] = {"--client", f->endpoint, NULL};
    process_start(&f->node, f->data, options);
}

static weir_t *handle(struct fixture *f)
{
    struct weir_options options = {.endpoint = f->endpoint, .timeout_ms = WAIT_MS_MAX};
    weir_t *w = weir_new(&options);
    assert_int_equal(weir_connect(w), 0);
    return w;
}

static void must(weir_room_t *room, int rc)
{
    if (rc)
        fail_msg("%s: %s", weir_error_name(rc), weir_room_error(room));
}

static void join(struct fixture *f)
{
    char *invitation;
    must(f->rooms[0], weir_room_invite(f->rooms[0], &invitation));
    must(f->rooms[0], weir_room_send(f->handles[0], f->rooms[0]));
    assert_int_equal(weir_room_join(invitation, f->signers[1], &f->rooms[1], NULL), 0);
    weir_free(invitation);
    must(f->rooms[1], weir_room_fetch(f->handles[1], f->rooms[1]));
    must(f->rooms[1], weir_room_send(f->handles[1], f->rooms[1]));
}

static int set_up(void **state)
{
    static struct fixture f;
    struct weir_room_settings settings = {.name = "hall", .is_private = 1};
    memset(&f, 0, sizeof f);
    data_dir_new(f.data);
    snprintf(f.endpoint, sizeof f.endpoint, "ipc://%s/test.sock", f.data);
    start(&f);
    for (size_t i = 0; i < 2; i++) {
        f.signers[i] = weir_signer_new();
        f.handles[i] = handle(&f);
    }
    assert_int_equal(weir_room_create(f.signers[0], &settings, &f.rooms[0], NULL), 0);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < 2; i++) {
        weir_room_destroy(&f->rooms[i]);
        weir_destroy(&f->handles[i]);
        weir_signer_destroy(&f->signers[i]);
    }
    process_kill(&f->node);
    data_dir_remove(f->data);
    return 0;
}

static void on_change(weir_t *w, weir_room_t *room, const struct weir_room_event *event, void *arg)
{
    struct fixture *f = arg;
    (void)w, (void)room;
    f->events++;
    f->states += event->kind == WEIR_EVENT_STATE;
    f->ended += event->kind == WEIR_EVENT_ENDED;
    f->people = event->people_changed;
    f->code = event->code;
    f->spot_count = event->spot_count;
    assert_true(event->spot_count <= 8);
    if (event->spot_count)
        memcpy(f->spots, event->spots, event->spot_count * WEIR_SPOT_BYTES);
    if (event->kind == WEIR_EVENT_ENDED)
        assert_true(strlen(event->sentence) > 5);
}

/* Steps a handle until its room shows so many messages, or for as long as only a fault takes. */
static void wait_for_messages(struct fixture *f, size_t who, size_t count)
{
    for (int i = 0; i < STEPS_MAX && weir_room_message_count(f->rooms[who]) < count; i++)
        assert_true(weir_step(f->handles[who], 100) >= 0);
    assert_int_equal(weir_room_message_count(f->rooms[who]), count);
}

static void wait_for_events(struct fixture *f, size_t who, int count)
{
    for (int i = 0; i < STEPS_MAX && f->events < count; i++)
        assert_true(weir_step(f->handles[who], 100) >= 0);
    assert_true(f->events >= count);
}

static void assert_same_view(struct fixture *f)
{
    char *a, *b;
    size_t size;
    assert_int_equal(weir_room_print(f->rooms[0], &a, &size), 0);
    assert_int_equal(weir_room_print(f->rooms[1], &b, &size), 0);
    assert_string_equal(a, b);
    weir_free(a);
    weir_free(b);
}

static void say(struct fixture *f, size_t who, const char *text, uint8_t *spot)
{
    must(f->rooms[who], weir_room_say(f->rooms[who], weir_text(text), spot));
    must(f->rooms[who], weir_room_send(f->handles[who], f->rooms[who]));
}

/* --- claims ---------------------------------------------------------------------------------- */

static void what_one_sends_the_other_follows(void **state)
{
    struct fixture *f = *state;
    uint8_t spot[WEIR_SPOT_BYTES];
    struct weir_room_message message;
    join(f);
    must(f->rooms[0], weir_room_follow(f->handles[0], f->rooms[0], on_change, f));
    assert_int_equal(f->states, 1);
    assert_int_equal(f->spot_count, 1); /* the guest joins */
    say(f, 1, "hello", spot);
    wait_for_messages(f, 0, 2);
    assert_int_equal(f->spot_count, 1);
    assert_memory_equal(f->spots, spot, sizeof spot);
    assert_false(f->people);
    weir_room_message(f->rooms[0], 1, &message);
    assert_memory_equal(message.text.data, "hello", 5);
    must(f->rooms[0], weir_room_fetch(f->handles[0], f->rooms[0]));
    must(f->rooms[1], weir_room_fetch(f->handles[1], f->rooms[1]));
    assert_same_view(f);
}

static void an_event_names_what_an_action_is_about(void **state)
{
    struct fixture *f = *state;
    uint8_t spots[3][WEIR_SPOT_BYTES];
    join(f);
    say(f, 0, "one", spots[0]);
    say(f, 0, "two", spots[1]);
    must(f->rooms[1], weir_room_follow(f->handles[1], f->rooms[1], on_change, f));
    assert_int_equal(f->spot_count, 3);
    int before = f->events;
    must(f->rooms[0], weir_room_edit(f->rooms[0], spots[1], weir_text("2")));
    must(f->rooms[0], weir_room_react(f->rooms[0], spots[1], weir_text("+"), 0));
    must(f->rooms[0], weir_room_react(f->rooms[0], spots[0], weir_text("+"), 0));
    must(f->rooms[0], weir_room_reply(f->rooms[0], spots[0], weir_text("three"), spots[2]));
    must(f->rooms[0], weir_room_send(f->handles[0], f->rooms[0]));
    wait_for_events(f, 1, before + 1);
    assert_int_equal(f->events, before + 1); /* one delta is one event */
    assert_int_equal(f->spot_count, 3);
    assert_memory_equal(f->spots, spots, sizeof spots);
    must(f->rooms[0], weir_room_nickname(f->rooms[0], weir_text("host")));
    must(f->rooms[0], weir_room_send(f->handles[0], f->rooms[0]));
    wait_for_events(f, 1, before + 2);
    assert_int_equal(f->spot_count, 0);
    assert_true(f->people);
    assert_int_equal(weir_room_name_of(f->rooms[1], weir_signer_public(f->signers[0])).size, 4);
    must(f->rooms[1], weir_room_unfollow(f->handles[1], f->rooms[1]));
    assert_int_equal(weir_room_unfollow(f->handles[1], f->rooms[1]), WEIR_NOT_FOUND);
}

static void a_room_on_no_node_is_not_found_until_it_is_sent(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(weir_room_follow(f->handles[0], f->rooms[0], on_change, f), WEIR_NOT_FOUND);
    assert_int_equal(weir_room_fetch(f->handles[0], f->rooms[0]), WEIR_NOT_FOUND);
    assert_true(strlen(weir_room_error(f->rooms[0])) > 5);
    must(f->rooms[0], weir_room_send(f->handles[0], f->rooms[0]));
    must(f->rooms[0], weir_room_follow(f->handles[0], f->rooms[0], on_change, f));
    assert_int_equal(weir_room_follow(f->handles[0], f->rooms[0], on_change, f), WEIR_BAD_REQUEST);
}

static void following_without_waiting_tells_by_events(void **state)
{
    struct fixture *f = *state;
    must(f->rooms[0], weir_room_follow_async(f->handles[0], f->rooms[0], on_change, f));
    assert_int_equal(f->events, 0);
    wait_for_events(f, 0, 1);
    assert_int_equal(f->ended, 1);
    assert_int_equal(f->code, WEIR_NOT_FOUND);
    must(f->rooms[0], weir_room_send(f->handles[0], f->rooms[0]));
    must(f->rooms[0], weir_room_follow_async(f->handles[0], f->rooms[0], on_change, f));
    wait_for_events(f, 0, 2);
    assert_int_equal(f->states, 1);
    /* Nothing is told to a room that is gone. */
    must(f->rooms[0], weir_room_unfollow(f->handles[0], f->rooms[0]));
    must(f->rooms[0], weir_room_follow_async(f->handles[0], f->rooms[0], on_change, f));
    weir_room_destroy(&f->rooms[0]);
    assert_int_equal(weir_drain(f->handles[0]), 0);
    const struct weir_reply *reply;
    assert_int_equal(weir_status(f->handles[0], &reply), 0);
    assert_int_equal(f->events, 2);
}

struct done {
    int calls, code;
};

static void on_done(weir_t *w, const struct weir_reply *reply, void *arg)
{
    struct done *done = arg;
    (void)w;
    done->calls++;
    done->code = reply->code;
}

static void sending_without_waiting_sends_each_once(void **state)
{
    struct fixture *f = *state;
    struct done done = {0, 0};
    join(f);
    for (int i = 0; i < 20; i++) {
        must(f->rooms[0], weir_room_say(f->rooms[0], weir_text("x"), NULL));
        must(f->rooms[0], weir_room_send_async(f->handles[0], f->rooms[0], on_done, &done));
    }
    assert_true(weir_room_pending(f->rooms[0]).size > 0); /* on its way */
    assert_int_equal(weir_drain(f->handles[0]), 0);
    assert_int_equal(done.calls, 20);
    assert_int_equal(done.code, 0);
    assert_int_equal(weir_room_pending(f->rooms[0]).size, 0);
    must(f->rooms[0], weir_room_send_async(f->handles[0], f->rooms[0], on_done, &done));
    assert_int_equal(done.calls, 21); /* nothing was queued */
    must(f->rooms[1], weir_room_fetch(f->handles[1], f->rooms[1]));
    assert_int_equal(weir_room_message_count(f->rooms[1]), 21);
}

static void on_change_answer(weir_t *w, weir_room_t *room, const struct weir_room_event *event,
                             void *arg)
{
    struct fixture *f = arg;
    struct weir_room_message message;
    size_t i;
    f->events++;
    assert_int_equal(weir_room_send(w, room), 0); /* nothing is queued */
    if (event->kind != WEIR_EVENT_DELTA || event->spot_count != 1 ||
        weir_room_find_spot(room, event->spots, &i))
        return;
    weir_room_message(room, i, &message);
    if (memcmp(message.author, weir_room_me(room), WEIR_KEY_BYTES) == 0)
        return;
    must(room, weir_room_reply(room, message.spot, weir_text("answer"), NULL));
    assert_int_equal(weir_room_send(w, room), WEIR_AGAIN); /* it would have to wait */
    must(room, weir_room_send_async(w, room, NULL, NULL));
}

static void a_bot_answers_inside_its_event(void **state)
{
    struct fixture *f = *state;
    join(f);
    must(f->rooms[1], weir_room_follow(f->handles[1], f->rooms[1], on_change_answer, f));
    must(f->rooms[0], weir_room_follow(f->handles[0], f->rooms[0], NULL, NULL));
    say(f, 0, "!time", NULL);
    wait_for_messages(f, 1, 3);
    wait_for_messages(f, 0, 3);
    must(f->rooms[1], weir_room_unfollow(f->handles[1], f->rooms[1]));
}

static void without_a_node_the_queue_stays(void **state)
{
    struct fixture *f = *state;
    struct weir_options options = {.endpoint = f->endpoint, .timeout_ms = 500};
    struct done done = {0, 0};
    uint8_t spot[WEIR_SPOT_BYTES];
    join(f);
    process_kill(&f->node);
    weir_t *w = weir_new(&options);
    must(f->rooms[0], weir_room_say(f->rooms[0], weir_text("while it is away"), spot));
    size_t queued = weir_room_pending(f->rooms[0]).size;
    assert_int_equal(weir_room_send(w, f->rooms[0]), WEIR_NO_NODE);
    assert_true(strlen(weir_room_error(f->rooms[0])) > 5);
    done.code = weir_room_send_async(w, f->rooms[0], on_done, &done);
    while (!done.code && !done.calls)
        assert_true(weir_step(w, 100) >= 0);
    assert_int_equal(done.code, WEIR_NO_NODE);
    assert_int_equal(weir_room_pending(f->rooms[0]).size, queued);
    weir_destroy(&w);
    start(f);
    w = handle(f);
    must(f->rooms[0], weir_room_send(w, f->rooms[0]));
    assert_int_equal(weir_room_pending(f->rooms[0]).size, 0);
    must(f->rooms[0], weir_room_fetch(w, f->rooms[0]));
    must(f->rooms[1], weir_room_fetch(w, f->rooms[1]));
    size_t i;
    assert_int_equal(weir_room_find_spot(f->rooms[1], spot, &i), 0);
    assert_same_view(f);
    weir_destroy(&w);
}

/* The handle goes first: what was on its way is queued again. */
static void a_handle_that_goes_gives_the_queue_back(void **state)
{
    struct fixture *f = *state;
    struct done done = {0, 0};
    join(f);
    must(f->rooms[0], weir_room_say(f->rooms[0], weir_text("x"), NULL));
    must(f->rooms[0], weir_room_send_async(f->handles[0], f->rooms[0], on_done, &done));
    weir_destroy(&f->handles[0]);
    assert_int_equal(done.code, WEIR_LOST);
    assert_true(weir_room_pending(f->rooms[0]).size > 0); /* it may have got there, or not */
    must(f->rooms[0], weir_room_send(f->handles[1], f->rooms[0]));
    must(f->rooms[1], weir_room_fetch(f->handles[1], f->rooms[1]));
    assert_int_equal(weir_room_message_count(f->rooms[1]), 2);
}

/* A node's own clients date nothing far ahead; weir_room.h has no way to, so its queue is given it.
 */
static void what_the_node_refuses_is_dropped(void **state)
{
    struct fixture *f = *state;
    weir_room_t *room = f->rooms[0];
    struct room_author author = {room_contract(room), f->signers[0]->secret, {0}};
    struct room_words words = {.plain = slice_text("from tomorrow")};
    uint8_t now[WEIR_SPOT_BYTES];
    must(room, weir_room_send(f->handles[0], room));
    say(f, 0, "today", now);
    uint64_t tomorrow = get_u64(now) + ((uint64_t)86400000 << 16);
    assert_int_equal(
        room_write_message(&author, tomorrow, ROOM_TEXT, NULL, &words, NULL, &room->queued, NULL),
        0);
    assert_int_equal(weir_room_send(f->handles[0], room), WEIR_BAD_STATE);
    assert_non_null(strstr(weir_room_error(room), "ahead"));
    assert_int_equal(weir_room_pending(room).size, 0);
    say(f, 0, "still here", NULL);
    assert_int_equal(weir_room_message_count(room), 2);
}

/* What `who` calls the person with that place. */
static const char *name_of(const struct fixture *f, size_t who, size_t person)
{
    static char name[64];
    struct weir_bytes bytes =
        weir_room_name_of(f->rooms[who], weir_signer_public(f->signers[person]));
    snprintf(name, sizeof name, "%.*s", (int)bytes.size, (const char *)bytes.data);
    return name;
}

/* Failures come in the order in which it was sent: what was sent first comes back last. */
static void of_a_register_in_flight_twice_the_newer_is_queued_again(void **state)
{
    struct fixture *f = *state;
    join(f);
    must(f->rooms[0], weir_room_nickname(f->rooms[0], weir_text("older")));
    must(f->rooms[0], weir_room_send_async(f->handles[0], f->rooms[0], NULL, NULL));
    must(f->rooms[0], weir_room_nickname(f->rooms[0], weir_text("newer")));
    must(f->rooms[0], weir_room_send_async(f->handles[0], f->rooms[0], NULL, NULL));
    requests_fail_all(f->handles[0], ERR_LOST, "as when the node goes away");
    must(f->rooms[0], weir_room_send_async(f->handles[1], f->rooms[0], NULL, NULL));
    struct slice sent = buffer_slice(&f->rooms[0]->sending->delta);
    assert_null(f->rooms[0]->sending->next);
    must(f->rooms[1], weir_room_apply(f->rooms[1], slice_bytes(sent)));
    assert_string_equal(name_of(f, 1, 0), "newer");
    assert_int_equal(weir_drain(f->handles[1]), 0);
}

/* Nobody looked at what was sent: the link alone was refused. */
static void what_was_sent_as_the_link_is_refused_stays_queued(void **state)
{
    struct fixture *f = *state;
    struct done done = {0, 0};
    join(f);
    weir_t *w = f->handles[0];
    must(f->rooms[0], weir_room_say(f->rooms[0], weir_text("x"), NULL));
    must(f->rooms[0], weir_room_send_async(w, f->rooms[0], on_done, &done));
    w->link.state = LINK_DENIED;
    requests_fail_all(w, ERR_DENIED, "the node does not know our key");
    assert_int_equal(done.code, WEIR_DENIED);
    assert_true(weir_room_pending(f->rooms[0]).size > 0);
    w->link.state = LINK_UP;
    must(f->rooms[0], weir_room_send(w, f->rooms[0]));
    must(f->rooms[1], weir_room_fetch(f->handles[1], f->rooms[1]));
    assert_int_equal(weir_room_message_count(f->rooms[1]), 2);
}

/* As when memory was short while something was taken. */
static void a_view_that_broke_is_whole_again_with_the_next_state(void **state)
{
    struct fixture *f = *state;
    join(f);
    say(f, 0, "one", NULL);
    f->rooms[1]->broken = ERR_NO_MEMORY;
    assert_int_equal(weir_room_say(f->rooms[1], weir_text("x"), NULL), WEIR_NO_MEMORY);
    must(f->rooms[1], weir_room_fetch(f->handles[1], f->rooms[1]));
    say(f, 1, "two", NULL);
    must(f->rooms[0], weir_room_fetch(f->handles[0], f->rooms[0]));
    assert_same_view(f);
    f->rooms[1]->broken = ERR_NO_MEMORY;
    must(f->rooms[1], weir_room_follow(f->handles[1], f->rooms[1], on_change, f));
    assert_int_equal(f->ended, 0);
    assert_same_view(f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_one_sends_the_other_follows),
        TEST(an_event_names_what_an_action_is_about),
        TEST(a_room_on_no_node_is_not_found_until_it_is_sent),
        TEST(following_without_waiting_tells_by_events),
        TEST(sending_without_waiting_sends_each_once),
        TEST(a_bot_answers_inside_its_event),
        TEST(without_a_node_the_queue_stays),
        TEST(a_handle_that_goes_gives_the_queue_back),
        TEST(what_the_node_refuses_is_dropped),
        TEST(of_a_register_in_flight_twice_the_newer_is_queued_again),
        TEST(what_was_sent_as_the_link_is_refused_stays_queued),
        TEST(a_view_that_broke_is_whole_again_with_the_next_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
