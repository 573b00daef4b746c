#include "tests/unit/get_world.h"

#include "actors/operation.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct solo get_world;
const struct fingerprint printed = {{7, 7, 7}};

int get_world_start(void **state)
{
    (void)state;
    return solo_operation_start(&get_world, &get_spec, true);
}

int get_world_end(void **state)
{
    (void)state;
    solo_operation_end(&get_world);
    return 0;
}

void start_get(void)
{
    struct slice key = slice_of(get_world.contract.key.bytes, CONTRACT_KEY_BYTES);
    solo_give(&get_world, ACTOR_client_api, MESSAGE_GET,
              &solo_request(&get_world, VERB_GET, &key, 1)->head);
}

/* A client's GET that hosting answers with code. */
void get_hosted(int code)
{
    start_get();
    struct request *host = (struct request *)solo_take(&get_world, MESSAGE_HOST);
    assert_int_equal(host->verb, VERB_GET);
    solo_answer(&get_world, host, ACTOR_hosting, MESSAGE_HOSTED, code);
}

/* Takes the READ and gives it back with code. */
void read_answers(int code)
{
    struct request *read = (struct request *)solo_take(&get_world, MESSAGE_READ);
    solo_answer(&get_world, read, ACTOR_storage, MESSAGE_READ_DONE, code);
}

/* The GET that a peer was sent. */
struct peer_get asked(peer_t peer)
{
    union peer_any body;
    solo_take_sent(&get_world, peer, PEER_GET, &body);
    return body.get;
}

struct peer_piece piece_of(uint64_t tx, const void *entries, size_t size)
{
    return (struct peer_piece){.tx = tx,
                               .kind = slice_text("counter"),
                               .params = get_world.contract.params,
                               .entries = slice_of(entries, size)};
}

void give_piece(peer_t from, uint64_t tx)
{
    struct peer_piece piece = piece_of(tx, "entries", 7);
    solo_mail(&get_world, from, PEER_PIECE, &piece);
}

void give_got(peer_t from, uint64_t tx, int code)
{
    struct peer_got got = {.tx = tx, .code = (uint8_t)-code, .why = slice_text("they say so")};
    memcpy(got.fingerprint, printed.bytes, sizeof got.fingerprint);
    solo_mail(&get_world, from, PEER_GOT, &got);
}

void merge_answers(struct request *merge, int code)
{
    solo_answer(&get_world, merge, ACTOR_storage, MESSAGE_MERGED, code);
}

/* --- a peer that asks -------------------------------------------------------------------- */

void give_get(peer_t from, uint8_t hops, uint32_t deadline_ms)
{
    struct peer_get get = {.tx = ASKER_TX, .hops = hops, .deadline_ms = deadline_ms};
    memcpy(get.key, get_world.contract.key.bytes, sizeof get.key);
    solo_mail(&get_world, from, PEER_GET, &get);
}

/* A peer's GET that hosting answers with code. */
void peer_get_hosted(uint8_t hops, int code)
{
    give_get(ASKER, hops, 5000);
    struct request *host = (struct request *)solo_take(&get_world, MESSAGE_HOST);
    assert_int_equal(host->verb, VERB_GET);
    solo_answer(&get_world, host, ACTOR_hosting, MESSAGE_HOSTED, code);
}

/* Takes the WALK and gives a part of so many bytes back. */
void walk_gives(size_t bytes, bool end)
{
    struct walk *walk = (struct walk *)solo_take(&get_world, MESSAGE_WALK);
    assert_int_equal(walk->asked_by, ACTOR_get);
    assert_non_null(walk->walk);
    assert_int_equal(walk->entries.size, 0);
    assert_true(bytes == 0 || buffer_grow(&walk->entries, bytes) != NULL);
    walk->kind = get_world.contract.kind;
    if (!walk->params)
        walk->params = blob_new(get_world.contract.params.size);
    memcpy(walk->params->data, get_world.contract.params.data, get_world.contract.params.size);
    walk->fingerprint = printed;
    walk->end = end;
    solo_give(&get_world, ACTOR_storage, MESSAGE_WALKED, &walk->head);
}

/* The asker got a PIECE of so many bytes, in this lane. */
void asker_got_piece(size_t bytes, enum lane lane)
{
    union peer_any body;
    solo_take_sent(&get_world, ASKER, PEER_PIECE, &body);
    assert_int_equal(body.piece.tx, ASKER_TX);
    assert_true(slice_is(body.piece.kind, "counter"));
    assert_true(slice_equal(body.piece.params, get_world.contract.params));
    assert_int_equal(body.piece.entries.size, bytes);
    assert_int_equal(solo_sent(&get_world)->lane, lane);
}

void asker_got_end(int code, enum lane lane)
{
    union peer_any body;
    solo_take_sent(&get_world, ASKER, PEER_GOT, &body);
    assert_int_equal(body.got.tx, ASKER_TX);
    assert_int_equal(body.got.code, -code);
    assert_int_equal(solo_sent(&get_world)->lane, lane);
    if (code == 0)
        assert_memory_equal(body.got.fingerprint, printed.bytes, FINGERPRINT_BYTES);
}

void nothing_is_open(void)
{
    const operation_t *operation = (const operation_t *)get_world.actor;
    solo_expect_nothing(&get_world);
    assert_int_equal(operation->relays.of_peers, 0);
    assert_int_equal(owed_bytes(get_world.window), 0);
}
