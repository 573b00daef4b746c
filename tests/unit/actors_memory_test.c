/* Without memory: who is told of a connection's beginning is told of its end, and no answer on its
 * way trips over one that was given up. */
/* link: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc */
#include "actors/operation.h"
#include "tests/support/failing_memory.h"
#include "tests/support/solo.h"
#include "tests/unit/connections_one.h"
#include "tests/unit/transport_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void the_end_of_a_connection_is_told_without_memory(void **state) /* lesson L2 */
{
    (void)state;
    struct net net;
    net_init(&net);
    net_start(&net, 0);
    struct pipe_ends ends = net_live(&net);
    net_ignore(&net, 0);
    net_stop(&net, 1);
    failing_memory_none();
    (void)net_turn(&net, 0);
    (void)failing_memory_end();
    net_expect_closed(&net, 0, ends.at[0], CLOSE_goodbye, "");
    net_free(&net);
}

static void a_dial_that_cannot_be_made_is_told_without_memory(void **state)
{
    (void)state;
    struct net net;
    net_init(&net);
    net_start(&net, 0);
    struct dial *dial = (struct dial *)message_new(sizeof *dial);
    dial->closed = (struct closed *)message_new(sizeof *dial->closed);
    dial->number = 2;
    (void)snprintf(dial->address, sizeof dial->address, "%s", wire_pair_address(1));
    failing_memory_begin_structs(1); /* the wire has some */
    net_give(&net, 0, ACTOR_connections, MESSAGE_DIAL, &dial->head);
    assert_true(failing_memory_end());
    net_run(&net);
    net_expect_closed(&net, 0, 2, CLOSE_unreachable, "");
    net_free(&net);
}

/* PEER_LIVE and PEER_GONE that go out. */
static void count_told(struct one *one, unsigned *live, unsigned *gone)
{
    *live = *gone = 0;
    for (struct message *m = mail_pop(&one->out.mail); m; m = mail_pop(&one->out.mail)) {
        *live += m->kind == MESSAGE_PEER_LIVE;
        *gone += m->kind == MESSAGE_PEER_GONE;
        message_free(&m);
    }
}

static void whoever_is_told_of_a_peer_is_told_of_its_end(void **state) /* lesson L2 */
{
    (void)state;
    const unsigned told = (unsigned)__builtin_popcount(TOLD_OF_PEERS);
    struct one one;
    unsigned live, gone, refused = 0;
    for (unsigned at = 1;; at++) {
        one_start(&one, 7, (struct connections_options){.address = "here:1"});
        count_told(&one, &live, &gone);
        struct opened *opened = (struct opened *)message_new(sizeof *opened);
        opened->number = 1;
        opened->id = id_with(100, 1);
        opened->inbound = true;
        one.traffic[0] = opened->traffic = peer_traffic_new();
        opened->traffic->holders++;
        struct closed *closed = (struct closed *)message_new(sizeof *closed);
        closed->number = 1;
        failing_memory_begin_structs(at);
        one_get(&one, MESSAGE_OPENED, &opened->head);
        bool failed = failing_memory_end();
        unsigned live_first, gone_first;
        count_told(&one, &live_first, &gone_first);
        assert_true(live_first == 0 || live_first == told);
        assert_int_equal(gone_first, 0);
        refused += live_first == 0;
        failing_memory_none();
        one_get(&one, MESSAGE_CLOSED, &closed->head);
        (void)failing_memory_end();
        count_told(&one, &live, &gone);
        assert_int_equal(gone, live_first);
        one_end(&one);
        if (!failed)
            break;
    }
    assert_true(refused >= 2 * told);
}

/* --- a GET that is passed on -------------------------------------------------------------- */

enum { ASKED = 1, ASKER = SOLO_PEERS };

static struct peer_mail *piece_of(struct solo *world, uint64_t tx)
{
    const struct peer_piece piece = {.tx = tx,
                                     .kind = slice_text(world->contract.kind->name),
                                     .params = world->contract.params,
                                     .entries = slice_of("\1k\0\0\0\1v", 7)};
    struct peer_mail *mail = (struct peer_mail *)message_new(sizeof *mail);
    struct buffer bytes = {0};
    assert_int_equal(peer_encode(PEER_PIECE, &piece, &bytes), 0);
    size_t size = bytes.size;
    mail->bytes = blob_adopt(buffer_steal(&bytes), size);
    mail->number = ASKED;
    mail->window = owed_hold(world->window);
    assert_int_equal(peer_decode(blob_slice(mail->bytes), &mail->kind, &mail->body, NULL), 0);
    return mail;
}

/* The n-th allocation fails, at the second piece: the answer ends once, whatever comes after. */
static void a_piece_that_cannot_be_passed_on_ends_the_answer_once(void **state)
{
    (void)state;
    for (unsigned at = 1; at < 12; at++) {
        struct solo world;
        solo_init(&world, &get_spec);
        struct operation_options options = {.id = world.id, .networked = true};
        operation_t *get = operation_new(&options);
        world.actor = get;
        solo_live(&world, ASKED);
        solo_live(&world, ASKER);
        struct peer_get ask = {.tx = 7, .hops = 5, .deadline_ms = 5000};
        memcpy(ask.key, world.contract.key.bytes, sizeof ask.key);
        solo_mail(&world, ASKER, PEER_GET, &ask);
        solo_answer(&world, (struct request *)solo_take(&world, MESSAGE_HOST), ACTOR_hosting,
                    MESSAGE_HOSTED, ERR_NOT_FOUND);
        union peer_any body;
        solo_take_sent(&world, ASKED, PEER_GET, &body);
        uint64_t tx = body.get.tx;
        struct peer_got got = {.tx = tx};
        assert_non_null(relays_find(&get->relays, tx));
        for (unsigned n = 0; n < 3; n++) {
            struct peer_mail *piece = piece_of(&world, tx);
            failing_memory_begin(n == 1 ? at : 0);
            solo_give(&world, ACTOR_transport, MESSAGE_PEER_MAIL, &piece->head);
            (void)failing_memory_end();
        }
        solo_mail(&world, ASKED, PEER_GOT, &got);
        for (struct message *m = mail_pop(&world.outbox.mail); m;
             m = mail_pop(&world.outbox.mail)) {
            if (m->kind == MESSAGE_PEER_SEND && ((struct peer_send *)m)->tell)
                solo_give(&world, ACTOR_transport, MESSAGE_PEER_SENT, m);
            else
                message_free(&m);
        }
        assert_int_equal(get->relays.of_peers, 0);
        operation_destroy(&get);
        assert_int_equal(owed_bytes(world.window), 0);
        solo_free(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_of_a_connection_is_told_without_memory),
        cmocka_unit_test(a_dial_that_cannot_be_made_is_told_without_memory),
        cmocka_unit_test(whoever_is_told_of_a_peer_is_told_of_its_end),
        cmocka_unit_test(a_piece_that_cannot_be_passed_on_ends_the_answer_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
