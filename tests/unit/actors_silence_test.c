/* A live peer that says nothing: doubted soon, silent a little later, and not when it is heard. */
/* link: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc */
#include "actors/transport_state.h"
#include "tests/support/failing_memory.h"
#include "tests/unit/connections_one.h"
#include "tests/unit/transport_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { TOLD = 3 /* get, update, hosting */ };

static struct one one;
static struct peer_traffic *traffic; /* of the one peer */
static peer_t peer;

static int set_up(void **state)
{
    (void)state;
    one_start(&one, 7, (struct connections_options){.address = "here:1"});
    peer = one_opens(&one, id_with(100, 1), ROLE_peer);
    traffic = one.traffic[0];
    assert_int_equal(one_verdict(&one, peer), CLOSE_REASON_COUNT);
    mail_free(&one.out.mail);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    one_end(&one);
    return 0;
}

/* As transport has it when a message goes out. */
static void speak(void)
{
    struct peer_order *order = (struct peer_order *)message_new(sizeof *order);
    assert_non_null(order);
    order->number = peer;
    if (!traffic->awaits_ms)
        traffic->awaits_ms = one.now.ms;
    traffic->watched = true;
    one_get(&one, MESSAGE_SPOKEN_TO, &order->head);
}

/* … and when a record comes. */
static void hear(void)
{
    traffic->heard_ms = one.now.ms;
    traffic->awaits_ms = 0;
}

static void hear_pong(void)
{
    struct peer_mail *mail = (struct peer_mail *)message_new(sizeof *mail);
    assert_non_null(mail);
    mail->number = peer;
    mail->kind = PEER_PONG;
    mail->body.pong.sent_us = one.now.us;
    hear();
    one_get(&one, MESSAGE_PEER_MAIL, &mail->head);
}

/* What went out since the last call. */
struct told {
    unsigned pings, silent, heard, doubts;
};

static struct told told(void)
{
    struct told told = {0};
    for (struct message *m = mail_pop(&one.out.mail); m; m = mail_pop(&one.out.mail)) {
        const struct peer_send *send = (const struct peer_send *)m;
        struct reason why;
        enum peer_kind kind;
        union peer_any body;
        if (m->kind == MESSAGE_PEER_SEND &&
            peer_decode(blob_slice(send->bytes), &kind, &body, &why) == 0) {
            told.pings += kind == PEER_PING;
            told.doubts += kind == PEER_DOUBT;
        }
        if (m->kind == MESSAGE_PEER_SILENT && ((struct peer_silent *)m)->silent)
            told.silent++;
        else if (m->kind == MESSAGE_PEER_SILENT)
            told.heard++;
        message_free(&m);
    }
    return told;
}

static void expect(unsigned pings, unsigned silent, unsigned heard)
{
    struct told is = told();
    assert_int_equal(is.pings, pings);
    assert_int_equal(is.silent, silent);
    assert_int_equal(is.heard, heard);
}

static void fall_silent(void)
{
    speak();
    one_pass(&one, DOUBT_MS);
    one_pass(&one, DOUBT_ANSWER_MS);
    expect(1, TOLD, 0);
}

/* lesson L3 */
static void who_does_not_answer_is_pinged_soon_and_then_silent(void **state)
{
    (void)state;
    speak();
    one_pass(&one, DOUBT_MS - 1);
    expect(0, 0, 0);
    one_pass(&one, 1);
    expect(1, 0, 0);
    one_pass(&one, DOUBT_ANSWER_MS - 1);
    expect(0, 0, 0);
    one_pass(&one, 1);
    expect(0, TOLD, 0);
    assert_int_equal(one.actor->counters.silences, 1);
    assert_true(DOUBT_MS + DOUBT_ANSWER_MS < PING_AFTER_MS); /* long before it is dead */
    for (unsigned i = 0; i < 3; i++)                         /* once */
        one_pass(&one, 1000);
    expect(1, 0, 0); /* lesson L5: pings go on as ever */
}

static void who_answers_is_not_silent(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        speak();
        one_pass(&one, DOUBT_MS);
        expect(1, 0, 0);
        hear_pong();
        one_pass(&one, DOUBT_ANSWER_MS);
        expect(0, 0, 0);
        assert_false(traffic->watched); /* the next message is told of again */
    }
    speak();
    one_pass(&one, DOUBT_MS / 2);
    hear(); /* anything */
    one_pass(&one, DOUBT_MS);
    expect(0, 0, 0);
}

static void who_is_heard_again_is_told_at_once(void **state)
{
    (void)state;
    fall_silent();
    one_pass(&one, 500);
    hear_pong();
    expect(0, 0, TOLD);
}

static void who_is_told_more_before_its_answer_is_looked_at_is_heard(void **state)
{
    (void)state;
    fall_silent();
    one_pass(&one, 500);
    hear();
    traffic->awaits_ms = one.now.ms; /* more went out meanwhile */
    hear_pong();
    expect(0, 0, TOLD);
}

/* It is heard and tells so all the time. */
static void stay_heard(uint64_t ms)
{
    for (uint64_t at = 0; at < ms; at += 100) {
        one_pass(&one, 100);
        hear_pong();
    }
}

/* One that answers every few seconds: others must not leave it and come back each time. */
static void who_falls_silent_again_and_again_is_trusted_later_each_time(void **state)
{
    (void)state;
    fall_silent();
    hear_pong();
    expect(0, 0, TOLD);
    for (unsigned i = 0; i < RELAPSES_MAX + 2; i++) {
        uint64_t steady_ms = (uint64_t)STEADY_MS << (i < RELAPSES_MAX ? i : RELAPSES_MAX - 1);
        fall_silent();
        hear_pong();
        stay_heard(steady_ms - 200);
        assert_int_equal(told().heard, 0);
        stay_heard(300);
        assert_int_equal(told().heard, TOLD);
    }
    stay_heard(RELAPSE_MS);
    (void)told();
    fall_silent(); /* long after: no relapse */
    hear_pong();
    expect(0, 0, TOLD);
}

static void who_does_not_stay_heard_begins_anew(void **state)
{
    (void)state;
    fall_silent();
    hear_pong();
    (void)told();
    fall_silent();
    hear_pong();
    stay_heard(STEADY_MS / 2);
    speak();
    one_pass(&one, DOUBT_MS);
    one_pass(&one, DOUBT_ANSWER_MS);
    expect(1, 0, 0);
    hear_pong();
    stay_heard(STEADY_MS - 200);
    assert_int_equal(told().heard, 0);
    stay_heard(300);
    assert_int_equal(told().heard, TOLD);
}

static void nobody_is_silent_who_was_told_nothing_or_is_not_read(void **state)
{
    (void)state;
    one_pass(&one, DOUBT_MS);
    one_pass(&one, DOUBT_ANSWER_MS);
    expect(0, 0, 0);
    speak();
    traffic->paused = true;
    for (unsigned i = 0; i < 10; i++)
        one_pass(&one, DOUBT_MS);
    assert_int_equal(told().silent, 0);
    traffic->paused = false; /* now its silence counts, from here on */
    one_pass(&one, DOUBT_MS);
    one_pass(&one, DOUBT_MS);
    assert_int_equal(told().silent, 0);
    one_pass(&one, DOUBT_ANSWER_MS);
    assert_int_equal(told().silent, TOLD);
}

static void a_new_connection_of_a_silent_peer_is_not_silent(void **state)
{
    (void)state;
    fall_silent();
    one_closes(&one, peer, CLOSE_reset);
    mail_free(&one.out.mail);
    peer = one_opens(&one, id_with(100, 1), ROLE_peer);
    traffic = one.traffic[1];
    (void)told();
    fall_silent();
}

/* Takes all PEER_GONEs: how many, and how many say that the peer is about to be live again. */
static unsigned gone(unsigned *replaced)
{
    unsigned count = 0;
    *replaced = 0;
    for (struct message *m = mail_pop(&one.out.mail); m; m = mail_pop(&one.out.mail)) {
        count += m->kind == MESSAGE_PEER_GONE;
        *replaced += m->kind == MESSAGE_PEER_GONE && ((const struct peer_order *)m)->replaced;
        message_free(&m);
    }
    return count;
}

static void who_is_back_over_another_connection_is_told_as_replaced(void **state)
{
    unsigned replaced;
    (void)state;
    (void)one_opens(&one, id_with(100, 1), ROLE_peer); /* while the old one seems to live */
    one_pass(&one, PROBE_MS);
    unsigned count = gone(&replaced);
    assert_true(count > TOLD);
    assert_int_equal(replaced, count);
    one_closes(&one, peer, CLOSE_reset); /* the old one, which is nobody's any more */
    assert_int_equal(gone(&replaced), 0);
    one_closes(&one, one.last_inbound - 1, CLOSE_reset);
    assert_int_equal(gone(&replaced), count);
    assert_int_equal(replaced, 0);
}

static void without_memory_all_or_none_are_told(void **state)
{
    (void)state;
    speak();
    one_pass(&one, DOUBT_MS);
    expect(1, 0, 0);
    for (unsigned n = 1; n <= TOLD; n++) {
        failing_memory_begin_structs(n);
        one_pass(&one, DOUBT_ANSWER_MS);
        assert_true(failing_memory_end());
        assert_int_equal(told().silent, 0);
        connections_look(one.actor, one.now.ms);
    }
    one_pass(&one, 1);
    assert_int_equal(told().silent, TOLD);
}

static void hear_doubt(peer_t from, struct node_id of)
{
    struct peer_mail *mail = (struct peer_mail *)message_new(sizeof *mail);
    assert_non_null(mail);
    mail->number = from;
    mail->kind = PEER_DOUBT;
    memcpy(mail->body.doubt.id, of.bytes, sizeof mail->body.doubt.id);
    one_get(&one, MESSAGE_PEER_MAIL, &mail->head);
}

static void who_finds_a_peer_silent_tells_the_others(void **state)
{
    (void)state;
    for (unsigned i = 2; i < 5; i++)
        (void)one_opens(&one, id_with(100, i), ROLE_peer);
    (void)told();
    speak();
    one_pass(&one, DOUBT_MS);
    assert_int_equal(told().doubts, 0);
    one_pass(&one, DOUBT_ANSWER_MS);
    assert_int_equal(told().doubts, 3);
    one_pass(&one, DOUBT_ANSWER_MS);
    assert_int_equal(told().doubts, 0);
}

/* … and they look for themselves: it is not for others to say who is silent. */
static void a_doubt_of_others_is_a_reason_to_ping(void **state)
{
    (void)state;
    peer_t other = one_opens(&one, id_with(100, 2), ROLE_peer);
    (void)told();
    hear_doubt(other, id_with(100, 1));  /* it was heard just now */
    hear_doubt(other, id_with(100, 77)); /* nobody */
    hear_doubt(other, id_with(128, 0));  /* this node */
    assert_int_equal(told().pings, 0);
    one_pass(&one, DOUBT_MS);
    for (unsigned i = 0; i < 5; i++)
        hear_doubt(other, id_with(100, 1));
    assert_int_equal(told().pings, 1);
    hear_pong();
    one_pass(&one, DOUBT_ANSWER_MS);
    assert_int_equal(told().silent, 0);
    hear_doubt(other, id_with(100, 1));
    one_pass(&one, DOUBT_ANSWER_MS);
    assert_int_equal(told().silent, TOLD);
}

/* --- transport ---------------------------------------------------------------------------- */

static void what_is_told_a_peer_is_told_once_until_that_is_looked_at(void **state)
{
    (void)state;
    struct net net;
    net_init(&net);
    net.ms = 1000;
    net_start(&net, 0);
    struct pipe_ends ends = net_live(&net);
    struct peer_delta delta = net_delta(100);
    struct peer_ping ping = {.sent_us = 7};
    struct peer_traffic *counts = links_find(&net.nodes[0].transport->links, ends.at[0])->traffic;
    net_send(&net, 0, ends.at[0], LANE_control, PEER_PING, &ping);
    net_run(&net);
    assert_int_equal(net.nodes[0].spoken_to, 0); /* or two idle nodes would ping each other on */
    assert_int_equal(counts->awaits_ms, 0);
    for (unsigned i = 0; i < 3; i++) {
        net_send(&net, 0, ends.at[0], LANE_small, PEER_DELTA, &delta);
        net_advance_ms(&net, 10);
    }
    assert_int_equal(net.nodes[0].spoken_to, 1);
    assert_int_equal(counts->awaits_ms, 1000);
    net_send(&net, 1, ends.at[1], LANE_control, PEER_PING, &ping);
    net_run(&net);
    assert_int_equal(counts->awaits_ms, 0);
    counts->watched = false;
    net_send(&net, 0, ends.at[0], LANE_small, PEER_DELTA, &delta);
    net_run(&net);
    assert_int_equal(net.nodes[0].spoken_to, 2);
    net_free(&net);
}

int main(void)
{
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CLAIM(who_does_not_answer_is_pinged_soon_and_then_silent),
        CLAIM(who_answers_is_not_silent),
        CLAIM(who_is_heard_again_is_told_at_once),
        CLAIM(who_is_told_more_before_its_answer_is_looked_at_is_heard),
        CLAIM(who_falls_silent_again_and_again_is_trusted_later_each_time),
        CLAIM(who_does_not_stay_heard_begins_anew),
        CLAIM(nobody_is_silent_who_was_told_nothing_or_is_not_read),
        CLAIM(a_new_connection_of_a_silent_peer_is_not_silent),
        CLAIM(who_is_back_over_another_connection_is_told_as_replaced),
        CLAIM(without_memory_all_or_none_are_told),
        CLAIM(who_finds_a_peer_silent_tells_the_others),
        CLAIM(a_doubt_of_others_is_a_reason_to_ping),
        cmocka_unit_test(what_is_told_a_peer_is_told_once_until_that_is_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
