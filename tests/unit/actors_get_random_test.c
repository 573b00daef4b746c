/* get, alone: GETs of clients and peers, and answers as they come. SEED repeats a run. */
#include "tests/unit/get_world.h"

#include "actors/operation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static uint64_t random_state;

static unsigned random_below(unsigned n)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(random_state >> 33) % n;
}

/* Gives back the first that the actor sent, somehow. */
static void answer_somehow(uint64_t *txs, peer_t *whom, size_t *count)
{
    static const int codes[] = {0, 0, ERR_NOT_FOUND, ERR_AGAIN, ERR_BAD_STATE, ERR_BUSY};
    static const struct {
        enum actor_id from;
        enum message_kind kind;
    } answers[MESSAGE_COUNT] = {[MESSAGE_HOST] = {ACTOR_hosting, MESSAGE_HOSTED},
                                [MESSAGE_READ] = {ACTOR_storage, MESSAGE_READ_DONE},
                                [MESSAGE_MERGE] = {ACTOR_storage, MESSAGE_MERGED}};
    const struct message *first = get_world.outbox.mail.first;
    if (!first)
        return;
    if (first->kind == MESSAGE_WALK) {
        walk_gives(random_below(30000), random_below(3) == 0);
        return;
    }
    struct message *message = mail_pop(&get_world.outbox.mail);
    struct peer_send *send = (struct peer_send *)message;
    if (answers[message->kind].kind) {
        solo_answer(&get_world, (struct request *)message, answers[message->kind].from,
                    answers[message->kind].kind, codes[random_below(6)]);
        return;
    }
    if (message->kind == MESSAGE_PEER_SEND) {
        union peer_any body;
        enum peer_kind kind;
        assert_int_equal(peer_decode(blob_slice(send->bytes), &kind, &body, NULL), 0);
        if (kind == PEER_GET) {
            txs[*count % 64] = body.get.tx;
            whom[(*count)++ % 64] = send->number;
        }
        if (send->tell) {
            solo_give(&get_world, ACTOR_transport, MESSAGE_PEER_SENT, message);
            return;
        }
    }
    message_free(&message);
}

static void whatever_happens_nothing_outlives_its_deadline(void **state)
{
    (void)state;
    const char *given = getenv("SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 20261121;
    uint64_t txs[64] = {0};
    peer_t whom[64] = {0};
    size_t count = 0;
    bool is_live[SOLO_PEERS + 1] = {false};
    print_message("SEED=%llu\n", (unsigned long long)seed);
    random_state = seed;
    for (unsigned step = 0; step < 20000; step++) {
        peer_t peer = 1 + random_below(SOLO_PEERS);
        size_t asked_at = count ? random_below(count < 64 ? (unsigned)count : 64) : 0;
        switch (random_below(9)) {
        case 0:
            start_get();
            break;
        case 1:
            if (is_live[peer])
                give_get(peer, (uint8_t)random_below(12), random_below(3000));
            break;
        case 2:
            if (random_below(4) == 0) {
                is_live[peer] = !is_live[peer];
                if (is_live[peer])
                    solo_live(&get_world, peer);
                else
                    solo_gone(&get_world, peer);
            }
            break;
        case 3:
            give_piece(whom[asked_at], txs[asked_at]);
            break;
        case 4:
            give_got(whom[asked_at], txs[asked_at], random_below(2) ? 0 : ERR_NOT_FOUND);
            break;
        case 5:
            solo_advance_ms(&get_world, random_below(100));
            break;
        default:
            answer_somehow(txs, whom, &count);
        }
    }
    solo_advance_ms(&get_world, OPERATION_TIMEOUT_MS);
    assert_true(solo_deadline_ms(&get_world) == NEVER);
    const operation_t *operation = (const operation_t *)get_world.actor;
    assert_int_equal(operation->relays.of_peers, 0);
    assert_int_equal(operation->transactions.open, 0);
    assert_int_equal(operation->relays.free_count, operation->relays.capacity);
    mail_free(&get_world.outbox.mail);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, get_world_start, get_world_end)
        T(whatever_happens_nothing_outlives_its_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
