/* GET, UPDATE and EDIT over several nodes: put, get, update, storage and journal of each, over real
 * stores, joined by hand. The nodes stand in a line, each nearer to the contract's key than the one
 * before it. The test is hosting (it says where the contract is), transport and the clients. */
#include "actors/checkpoint.h"
#include "actors/journal.h"
#include "actors/operation.h"
#include "actors/runner.h"
#include "actors/storage.h"
#include "contracts/entries.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { NODES = 4, FIRST = 0, HOST = NODES - 1, IDS = 64 };

struct node {
    char dir[SCRATCH_PATH_MAX];
    struct node_id id;
    store_t *store;
    struct progress progress;
    operation_t *put, *get, *update;
    storage_t *storage;
    journal_t *journal;
    bool linked[NODES];
    bool hosts;
};

/* A message on its way inside a node. */
struct transit {
    struct transit *next;
    struct node *at;
    struct message *message;
};

static struct node nodes[NODES];
static struct transit *first, **last = &first;
static struct now now;
static struct request *reply; /* the last one, of any client */
static unsigned pieces, kept, blamed;
static struct contract_key key;
static uint8_t params_bytes[64];
static struct slice params;

/* --- delivery ---------------------------------------------------------------------------- */

static void give(struct node *at, struct message *message)
{
    struct transit *t = (struct transit *)calloc(1, sizeof *t);
    assert_non_null(t);
    t->at = at;
    t->message = message;
    *last = t;
    last = &t->next;
}

static void send_out(struct node *at, struct outbox *out)
{
    for (struct message *m = mail_pop(&out->mail); m; m = mail_pop(&out->mail))
        give(at, m);
}

/* A message as if `from` had sent it. */
static void give_from(struct node *at, enum actor_id from, enum actor_id to, enum message_kind kind,
                      struct message *message)
{
    struct outbox out = {.from = from};
    send_to(&out, to, kind, message);
    send_out(at, &out);
}

static void drop(struct message *message)
{
    message_free(&message);
}

/* --- the test's own parts ---------------------------------------------------------------- */

static void as_transport(struct node *at, struct peer_send *send)
{
    struct node *to = &nodes[send->number - 1];
    if (at->linked[to - nodes]) {
        struct peer_mail *mail = (struct peer_mail *)message_new(sizeof *mail);
        assert_non_null(mail);
        mail->number = (peer_t)(at - nodes) + 1;
        mail->bytes = blob_hold(send->bytes);
        assert_int_equal(peer_decode(blob_slice(mail->bytes), &mail->kind, &mail->body, NULL), 0);
        bool update = mail->kind == PEER_UPDATE || mail->kind == PEER_UPDATED;
        pieces += mail->kind == PEER_PIECE;
        give_from(to, ACTOR_transport, update ? ACTOR_update : ACTOR_get, MESSAGE_PEER_MAIL,
                  &mail->head);
    }
    if (send->tell)
        give_from(at, ACTOR_transport, (enum actor_id)send->head.from, MESSAGE_PEER_SENT,
                  &send->head);
    else
        drop(&send->head);
}

static void as_hosting(struct node *at, struct request *request)
{
    request->code = at->hosts ? 0 : ERR_NOT_FOUND;
    request->hosts = 1;
    give_from(at, ACTOR_hosting, request->asked_by, MESSAGE_HOSTED, &request->head);
}

static void as_client(struct request *answer)
{
    if (reply)
        drop(&reply->head);
    reply = answer;
}

static bool handled_here(struct node *at, struct message *message)
{
    switch ((enum message_kind)message->kind) {
    case MESSAGE_PEER_SEND:
        as_transport(at, (struct peer_send *)message);
        return true;
    case MESSAGE_HOST:
        as_hosting(at, (struct request *)message);
        return true;
    case MESSAGE_REPLY:
        as_client((struct request *)message);
        return true;
    case MESSAGE_KEPT:
        kept++;
        drop(message);
        return true;
    case MESSAGE_BLAME:
        blamed++;
        drop(message);
        return true;
    default:
        return false;
    }
}

static struct hosted actor_of(struct node *at, enum actor_id actor)
{
    const struct hosted actors[ACTOR_COUNT] = {
        [ACTOR_put] = {&put_spec, at->put},
        [ACTOR_get] = {&get_spec, at->get},
        [ACTOR_update] = {&update_spec, at->update},
        [ACTOR_storage] = {&storage_spec, at->storage},
        [ACTOR_journal] = {&journal_spec, at->journal},
        [ACTOR_checkpoint] = {&checkpoint_spec, NULL},
    };
    return actors[actor];
}

static void handle(struct node *at, struct message *message)
{
    if (handled_here(at, message))
        return;
    struct outbox out = {.from = (enum actor_id)message->to};
    struct hosted actor = actor_of(at, out.from);
    assert_non_null(actor.spec);
    actor.spec->receive(actor.self, message, now, &out);
    send_out(at, &out);
}

/* What an actor does of itself in a turn. True: there is more to do. */
static bool turn_of(struct node *at, enum actor_id id)
{
    struct outbox out = {.from = id};
    struct hosted actor = actor_of(at, id);
    const struct actor_spec *spec = actor.spec;
    bool more = false;
    if (spec && spec->tick && spec->deadline_ms(actor.self) <= now.ms) {
        spec->tick(actor.self, now, &out);
        more = spec->deadline_ms(actor.self) == 0; /* at once again */
    }
    if (spec && spec->turn_end)
        spec->turn_end(actor.self, now, &out);
    send_out(at, &out);
    return more;
}

/* Until nothing moves, or so many PIECEs went from node to node. */
static void run_until(unsigned pieces_max)
{
    for (bool more = true; more && pieces < pieces_max;) {
        more = false;
        for (struct transit *t = first; t && pieces < pieces_max; t = first) {
            first = t->next;
            if (!first)
                last = &first;
            handle(t->at, t->message);
            free(t);
        }
        for (size_t i = 0; i < NODES; i++)
            for (int a = 0; a < ACTOR_COUNT; a++)
                more |= turn_of(&nodes[i], (enum actor_id)a);
        more |= first != NULL;
    }
}

static void run(void)
{
    run_until(UINT32_MAX);
}

/* --- the line ---------------------------------------------------------------------------- */

static void link_one_way(struct node *at, const struct node *to, bool on)
{
    static const enum actor_id told[] = {ACTOR_put, ACTOR_get, ACTOR_update};
    at->linked[to - nodes] = on;
    for (size_t i = 0; i < 3; i++) {
        struct peer_live *live = (struct peer_live *)message_new(sizeof *live);
        struct peer_order *gone = (struct peer_order *)message_new(sizeof *gone);
        assert_true(live && gone);
        live->number = gone->number = (peer_t)(to - nodes) + 1;
        live->id = to->id;
        give_from(at, ACTOR_connections, told[i], on ? MESSAGE_PEER_LIVE : MESSAGE_PEER_GONE,
                  on ? &live->head : &gone->head);
        free(on ? (void *)gone : (void *)live);
    }
}

static void set_link(size_t a, size_t b, bool on)
{
    link_one_way(&nodes[a], &nodes[b], on);
    link_one_way(&nodes[b], &nodes[a], on);
}

/* NODES ids, each nearer to the key than the one before. */
static void choose_ids(void)
{
    place_t place = ring_place_of_contract(key.bytes);
    size_t count = 0;
    for (unsigned n = 1; n < IDS; n++) {
        struct node_id id = {{(uint8_t)n}};
        size_t at = count < NODES ? count++ : NODES;
        for (; at > 0; at--) { /* the farthest first */
            const struct node_id *before = &nodes[at - 1].id;
            if (ring_is_nearer(place, &id, ring_place_of_node(&id), before,
                               ring_place_of_node(before)))
                break;
            if (at < NODES)
                nodes[at].id = *before;
        }
        if (at < NODES)
            nodes[at].id = id;
    }
}

static void start_node(struct node *self)
{
    const struct store_options store = {
        .data_dir = self->dir, .store_bytes_max = UINT64_MAX, .state_bytes_max = STATE_BYTES_MAX};
    const struct operation_options operation = {.id = self->id, .networked = true};
    struct reason why;
    scratch_make(self->dir);
    if (store_open(&store, &self->store, &why) != 0)
        fail_msg("%s", why.text);
    struct storage_options storage = {.store = self->store,
                                      .progress = &self->progress,
                                      .state_bytes_max = STATE_BYTES_MAX,
                                      .replica = {(uint8_t)(self - nodes + 1)}};
    self->put = operation_new(&operation);
    self->get = operation_new(&operation);
    self->update = operation_new(&operation);
    self->storage = storage_new(&storage);
    self->journal = journal_new(store_log(self->store), false);
}

static int set_up(void **state)
{
    struct contract contract;
    struct buffer bytes = {0};
    (void)state;
    entry_append(&bytes, slice_text("name"), slice_text("hops"));
    memcpy(params_bytes, bytes.data, bytes.size);
    params = slice_of(params_bytes, bytes.size);
    buffer_free(&bytes);
    assert_int_equal(contract_init(&contract, slice_text("map"), params, NULL), 0);
    key = contract.key;
    now = (struct now){.ms = 1000, .wall_ms = 1700000000000};
    pieces = kept = blamed = 0;
    memset(nodes, 0, sizeof nodes);
    choose_ids();
    for (size_t i = 0; i < NODES; i++)
        start_node(&nodes[i]);
    for (size_t i = 1; i < NODES; i++)
        set_link(i - 1, i, true);
    nodes[HOST].hosts = true;
    run();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    as_client(NULL);
    run();
    for (size_t i = 0; i < NODES; i++) {
        struct node *node = &nodes[i];
        operation_destroy(&node->put);
        operation_destroy(&node->get);
        operation_destroy(&node->update);
        storage_destroy(&node->storage);
        journal_destroy(&node->journal);
        store_close(&node->store);
        scratch_remove(node->dir);
    }
    return 0;
}

/* --- clients ----------------------------------------------------------------------------- */

static void ask(size_t node, enum actor_id actor, enum message_kind kind, enum verb verb,
                const struct slice *args, size_t count)
{
    struct request *request = request_new(ACTOR_client_api, verb, &key, args, count);
    assert_non_null(request);
    request->client = 1;
    request->id_size = 1;
    give_from(&nodes[node], ACTOR_client_api, actor, kind, &request->head);
}

static void put(size_t node, struct slice state)
{
    const struct slice args[] = {slice_text("map"), params, state};
    ask(node, ACTOR_put, MESSAGE_PUT, VERB_PUT, args, 3);
    run();
    assert_int_equal(reply->code, 0);
}

static void ask_get(size_t node)
{
    struct slice arg = slice_of(key.bytes, sizeof key.bytes);
    ask(node, ACTOR_get, MESSAGE_GET, VERB_GET, &arg, 1);
}

static void update(size_t node, struct slice delta)
{
    const struct slice args[] = {slice_of(key.bytes, sizeof key.bytes), delta};
    ask(node, ACTOR_update, MESSAGE_UPDATE, VERB_UPDATE, args, 2);
    run();
}

/* Sets a field to `bytes` bytes. */
static void edit(size_t node, const char *field, size_t bytes)
{
    uint8_t *value = (uint8_t *)malloc(bytes + 1);
    assert_non_null(value);
    memset(value, field[0], bytes);
    const struct slice args[] = {slice_of(key.bytes, sizeof key.bytes), slice_text("set"),
                                 slice_text(field), slice_of(value, bytes)};
    ask(node, ACTOR_update, MESSAGE_UPDATE, VERB_EDIT, args, 4);
    run();
    free(value);
}

static struct fingerprint printed(size_t node)
{
    const struct held *held;
    assert_int_equal(store_find(nodes[node].store, &key, &held, NULL), 0);
    return held->fingerprint;
}

static bool has_it(size_t node)
{
    const struct held *held;
    return store_find(nodes[node].store, &key, &held, NULL) == 0;
}

static void same_at(size_t a, size_t b)
{
    struct fingerprint one = printed(a), other = printed(b);
    assert_memory_equal(&one, &other, sizeof one);
}

/* 300 fields of 10,000 bytes each, at the host. */
static void fill(void)
{
    put(HOST, slice_of("", 0));
    for (int i = 0; i < 300; i++) {
        char field[16];
        (void)snprintf(field, sizeof field, "%03d", i);
        edit(HOST, field, 10000);
        assert_int_equal(reply->code, 0);
    }
}

/* --- what is claimed --------------------------------------------------------------------- */

static void a_state_is_found_three_hops_away_and_kept_where_it_was_asked_for(void **state)
{
    (void)state;
    put(HOST, slice_of("", 0));
    edit(HOST, "field", 3);
    ask_get(FIRST);
    run();
    assert_int_equal(reply->code, 0);
    assert_true(reply->reading.bytes->size > params.size);
    struct fingerprint there = printed(HOST);
    assert_memory_equal(&reply->reading.fingerprint, &there, sizeof there);
    same_at(FIRST, HOST);
    assert_false(has_it(1) || has_it(2)); /* who passes it on keeps nothing */
    assert_int_equal(kept, 1);            /* so that hosting keeps it fed */
    assert_int_equal(pieces, 3);
    assert_int_equal(blamed, 0);
}

static void an_empty_state_is_found_too(void **state)
{
    (void)state;
    put(HOST, slice_of("", 0));
    ask_get(FIRST);
    run();
    assert_int_equal(reply->code, 0);
    assert_int_equal(reply->reading.bytes->size, params.size);
}

static void a_large_state_comes_whole(void **state)
{
    (void)state;
    fill();
    ask_get(FIRST);
    run();
    assert_int_equal(reply->code, 0);
    assert_true(reply->reading.bytes->size > 300 * 10000);
    same_at(FIRST, HOST);
    assert_true(pieces > 3 * 40);
}

/* lesson L3 */
static void a_node_that_dies_halfway_is_gone_round(void **state)
{
    (void)state;
    fill();
    set_link(0, 2, true);
    set_link(1, 3, true);
    ask_get(FIRST); /* by way of 2, which is nearer than 1 */
    run_until(10);
    for (size_t i = 0; i < NODES; i++)
        if (i != 2)
            set_link(i, 2, false);
    run();
    assert_int_equal(reply->code, 0);
    same_at(FIRST, HOST);
}

/* lesson L3 */
static void when_the_host_dies_halfway_the_error_comes_at_once(void **state)
{
    (void)state;
    fill();
    ask_get(FIRST);
    run_until(10);
    set_link(2, 3, false);
    run();
    assert_int_equal(reply->verb, VERB_GET);
    assert_int_equal(reply->code, ERR_NO_LIVE_PEER);
}

static void what_is_nowhere_is_not_found(void **state)
{
    (void)state;
    nodes[HOST].hosts = false;
    ask_get(FIRST);
    run();
    assert_int_equal(reply->code, ERR_NOT_FOUND);
    update(FIRST, slice_of("", 0));
    assert_int_equal(reply->code, ERR_NOT_FOUND);
    edit(FIRST, "field", 1);
    assert_int_equal(reply->code, ERR_NOT_FOUND);
}

static void updates_and_edits_are_made_at_the_host(void **state)
{
    (void)state;
    put(HOST, slice_of("", 0));
    struct fingerprint empty = printed(HOST);
    edit(FIRST, "field", 100);
    assert_int_equal(reply->code, 0);
    assert_true(reply->change.changed > 0);
    struct fingerprint edited = printed(HOST);
    assert_memory_equal(&reply->change.after, &edited, sizeof edited);
    assert_memory_not_equal(&edited, &empty, sizeof edited);
    assert_false(has_it(FIRST));
    /* the same as a delta, twice as once */
    ask_get(HOST);
    run();
    assert_int_equal(reply->code, 0);
    struct blob *bytes = blob_hold(reply->reading.bytes);
    update(FIRST, slice_after(blob_slice(bytes), reply->reading.params_bytes));
    assert_int_equal(reply->code, 0);
    assert_int_equal(reply->change.changed, 0);
    assert_memory_equal(&reply->change.after, &edited, sizeof edited);
    blob_release(&bytes);
}

static void what_a_host_refuses_is_refused_with_its_words(void **state)
{
    (void)state;
    put(HOST, slice_of("", 0));
    update(FIRST, slice_text("\1x\0\0"));
    assert_int_equal(reply->code, ERR_BAD_STATE);
    assert_int_not_equal(reply->why.text[0], 0);
    struct buffer wrong = {0};
    entry_append(&wrong, slice_text("x"), slice_text("no value of a map"));
    update(FIRST, buffer_slice(&wrong));
    assert_int_equal(reply->code, ERR_BAD_STATE);
    assert_int_not_equal(reply->why.text[0], 0);
    buffer_free(&wrong);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
        T(a_state_is_found_three_hops_away_and_kept_where_it_was_asked_for),
        T(an_empty_state_is_found_too),
        T(a_large_state_comes_whole),
        T(a_node_that_dies_halfway_is_gone_round),
        T(when_the_host_dies_halfway_the_error_comes_at_once),
        T(what_is_nowhere_is_not_found),
        T(updates_and_edits_are_made_at_the_host),
        T(what_a_host_refuses_is_refused_with_its_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
