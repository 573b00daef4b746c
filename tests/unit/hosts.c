#include "tests/unit/hosts.h"

#include "contracts/entries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct host hosts[HOSTS];
static struct now now;

/* A message on its way inside or to a node. */
struct transit {
    struct transit *next;
    struct host *at;
    struct message *message;
};
static struct transit *first, **last = &first;

static peer_t number_of(const struct host *node)
{
    return (peer_t)(node - hosts) + 1;
}

struct stored *hosts_stored(struct host *node, const struct contract_key *key)
{
    struct stored *spare = NULL;
    for (size_t i = 0; i < CONTRACTS; i++) {
        struct stored *s = &node->stored[i];
        if ((s->there || s->lost) && memcmp(&s->key, key, sizeof *key) == 0)
            return s;
        if (!s->there && !s->lost && !spare)
            spare = s;
    }
    assert_non_null(spare);
    spare->key = *key;
    spare->bits = 0;
    return spare;
}

static void give(struct host *at, struct message *message)
{
    struct transit *t = (struct transit *)calloc(1, sizeof *t);
    assert_non_null(t);
    t->at = at;
    t->message = message;
    *last = t;
    last = &t->next;
}

void hosts_give(struct host *at, enum message_kind kind, enum actor_id from,
                struct message *message)
{
    message->kind = (uint8_t)kind;
    message->from = (uint8_t)from;
    message->to = ACTOR_hosting;
    give(at, message);
}

struct slice hosts_params(void)
{
    static uint8_t bytes[64];
    struct buffer out = {0};
    entry_append(&out, slice_text("name"), slice_text("hosting"));
    memcpy(bytes, out.data, out.size);
    struct slice params = slice_of(bytes, out.size);
    buffer_free(&out);
    return params;
}

struct contract_key hosts_key(void)
{
    struct contract contract;
    assert_int_equal(contract_init(&contract, slice_text("set"), hosts_params(), NULL), 0);
    return contract.key;
}

/* --- what stands for storage, sync, transport -------------------------------------------- */

static struct fingerprint fingerprint_of(const struct stored *s)
{
    static const struct summary empty;
    struct fingerprint made = {{0}};
    memcpy(made.bytes, &s->bits, sizeof s->bits);
    return s->bits ? made : summary_fingerprint(&empty);
}

static void about(struct host *at, struct request *request)
{
    const struct stored *s = hosts_stored(at, &request->key);
    if (s->there) {
        struct slice params = hosts_params();
        request->reading.kind = kind_find(slice_text("set"));
        request->reading.bytes = blob_new(params.size);
        memcpy(request->reading.bytes->data, params.data, params.size);
        request->reading.params_bytes = params.size;
        request->reading.fingerprint = fingerprint_of(s);
    }
    request->damaged = s->lost;
    request->code = s->there ? 0 : ERR_NOT_FOUND;
    hosts_give(at, MESSAGE_ABOUT_DONE, ACTOR_storage, &request->head);
}

static void merge(struct host *at, struct request *request)
{
    hosts_stored(at, &request->key)->there = true;
    hosts_give(at, MESSAGE_MERGED, ACTOR_storage, &request->head);
}

static void drop(struct host *at, struct request *request)
{
    struct stored *s = hosts_stored(at, &request->key);
    struct fingerprint has = fingerprint_of(s);
    at->drops++;
    request->code = memcmp(&request->reading.fingerprint, &has, sizeof has) ? ERR_BUSY : 0;
    if (request->code == 0)
        *s = (struct stored){.there = false};
    hosts_give(at, MESSAGE_DROPPED, ACTOR_storage, &request->head);
}

static void holdings(struct host *at, struct holdings *holdings)
{
    holdings->end = true;
    for (size_t i = 0; i < CONTRACTS; i++)
        if (at->stored[i].there)
            holdings->keys[holdings->count++] = at->stored[i].key;
    for (size_t i = 0; i < CONTRACTS; i++)
        if (at->stored[i].lost && !at->stored[i].there) {
            holdings->keys[holdings->count++] = at->stored[i].key;
            holdings->lost++;
        }
    hosts_give(at, MESSAGE_HELD, ACTOR_storage, &holdings->head);
}

static void tell_filled(struct host *at, struct host *by, const struct contract_key *key)
{
    struct sync_order *filled = (struct sync_order *)message_new(sizeof *filled);
    assert_non_null(filled);
    filled->number = number_of(by);
    filled->key = *key;
    hosts_give(at, MESSAGE_FILLED, ACTOR_sync, &filled->head);
}

static void sync(struct host *at, struct sync_order *order)
{
    struct host *other = &hosts[order->number - 1];
    struct stored *mine = hosts_stored(at, &order->key), *theirs = hosts_stored(other, &order->key);
    order->code = at->linked[other - hosts] && mine->there && theirs->there ? 0 : ERR_TIMEOUT;
    if (order->code == 0) {
        mine->bits = theirs->bits = mine->bits | theirs->bits;
        mine->bits |= at->synced_change;
        tell_filled(other, at, &order->key);
    }
    hosts_give(at, MESSAGE_SYNCED, ACTOR_sync, &order->head);
}

static void carry(struct host *at, struct peer_send *send)
{
    struct host *to = &hosts[send->number - 1];
    struct peer_mail *mail = (struct peer_mail *)message_new(sizeof *mail);
    struct message *message = &send->head;
    message->kind = MESSAGE_PEER_SEND;
    assert_non_null(mail);
    mail->number = number_of(at);
    mail->bytes = blob_hold(send->bytes);
    assert_int_equal(peer_decode(blob_slice(mail->bytes), &mail->kind, &mail->body, NULL), 0);
    if (mail->kind == PEER_JOIN) {
        at->joins_sent++;
        at->join_hops = mail->body.join.hops;
    }
    if (mail->kind == PEER_JOINED && to->joined_change) {
        struct contract_key key = hosts_key();
        hosts_stored(to, &key)->bits |= to->joined_change;
        to->joined_change = 0;
    }
    mail->head.kind = MESSAGE_PEER_MAIL;
    struct message *unread = &mail->head;
    if (at->linked[to - hosts])
        hosts_give(to, MESSAGE_PEER_MAIL, ACTOR_transport, &mail->head);
    else
        message_free(&unread);
    message_free(&message);
}

static void take(struct host *at, struct message *message)
{
    switch ((enum message_kind)message->kind) {
    case MESSAGE_ABOUT:
        about(at, (struct request *)message);
        return;
    case MESSAGE_MERGE:
        merge(at, (struct request *)message);
        return;
    case MESSAGE_DROP:
        drop(at, (struct request *)message);
        return;
    case MESSAGE_HOLDINGS:
        holdings(at, (struct holdings *)message);
        return;
    case MESSAGE_SYNC:
        if (at->holds_sync)
            at->held = (struct sync_order *)message;
        else
            sync(at, (struct sync_order *)message);
        return;
    case MESSAGE_PEER_SEND:
        carry(at, (struct peer_send *)message);
        return;
    case MESSAGE_HOSTED:
        mail_push(&at->answers, message);
        return;
    case MESSAGE_FOLLOW: {
        const struct follow *follow = (const struct follow *)message;
        at->told[follow->number - 1] = follow->on;
        message_free(&message);
        return;
    }
    case MESSAGE_HEALED:
        hosts_stored(at, &((const struct watch *)message)->key)->lost = false;
        at->healed++;
        message_free(&message);
        return;
    default:
        at->blamed += message->kind == MESSAGE_BLAME;
        message_free(&message);
    }
}

void hosts_run(void)
{
    struct outbox out = {.from = ACTOR_hosting};
    while (first) {
        struct transit *t = first;
        first = t->next;
        if (!first)
            last = &first;
        if (t->message->to == ACTOR_hosting)
            hosting_spec.receive(t->at->hosting, t->message, now, &out);
        else
            take(t->at, t->message);
        for (struct message *m = mail_pop(&out.mail); m; m = mail_pop(&out.mail))
            give(t->at, m);
        free(t);
    }
}

void hosts_advance(uint64_t ms)
{
    struct outbox out = {.from = ACTOR_hosting};
    for (uint64_t end = now.ms + ms; now.ms < end; now.ms++) {
        for (size_t i = 0; i < HOSTS; i++) {
            if (!hosts[i].hosting || hosting_spec.deadline_ms(hosts[i].hosting) > now.ms)
                continue;
            hosting_spec.tick(hosts[i].hosting, now, &out);
            for (struct message *m = mail_pop(&out.mail); m; m = mail_pop(&out.mail))
                give(&hosts[i], m);
        }
        hosts_run();
    }
}

/* --- what a test does -------------------------------------------------------------------- */

void hosts_hear_live(struct host *at, const struct host *other)
{
    struct peer_live *live = (struct peer_live *)message_new(sizeof *live);
    assert_non_null(live);
    live->number = number_of(other);
    live->id = other->id;
    at->linked[other - hosts] = true;
    hosts_give(at, MESSAGE_PEER_LIVE, ACTOR_connections, &live->head);
}

void hosts_hear_gone(struct host *at, const struct host *other, enum close_reason reason)
{
    struct peer_order *gone = (struct peer_order *)message_new(sizeof *gone);
    assert_non_null(gone);
    gone->number = number_of(other);
    gone->reason = reason;
    gone->replaced = reason == CLOSE_duplicate;
    at->linked[other - hosts] = false;
    hosts_give(at, MESSAGE_PEER_GONE, ACTOR_connections, &gone->head);
}

void hosts_link(size_t a, size_t b)
{
    hosts_hear_live(&hosts[a], &hosts[b]);
    hosts_hear_live(&hosts[b], &hosts[a]);
    hosts_run();
}

void hosts_unlink(size_t a, size_t b)
{
    hosts_hear_gone(&hosts[a], &hosts[b], CLOSE_reset);
    hosts_hear_gone(&hosts[b], &hosts[a], CLOSE_reset);
    hosts_run();
}

void hosts_send(size_t from, size_t to, enum peer_kind kind, const void *body)
{
    struct peer_send *send = peer_send_new(number_of(&hosts[to]), LANE_small, kind, body);
    assert_non_null(send);
    carry(&hosts[from], send);
    hosts_run();
}

void hosts_link_all(size_t count)
{
    for (size_t a = 0; a < count; a++)
        for (size_t b = a + 1; b < count; b++)
            hosts_link(a, b);
}

void hosts_ask(size_t at, enum verb verb)
{
    struct contract_key key = hosts_key();
    struct request *request = request_new(ACTOR_put, verb, &key, NULL, 0);
    assert_non_null(request);
    hosts_give(&hosts[at], MESSAGE_HOST, ACTOR_put, &request->head);
    hosts_run();
}

void hosts_put(size_t at, uint64_t bits)
{
    struct contract_key key = hosts_key();
    struct stored *s = hosts_stored(&hosts[at], &key);
    s->there = true;
    s->bits |= bits;
    hosts_ask(at, VERB_PUT);
}

int hosts_answer(size_t at, uint32_t *copies)
{
    struct message *message = mail_pop(&hosts[at].answers);
    assert_non_null(message);
    int code = ((struct request *)message)->code;
    if (copies)
        *copies = ((struct request *)message)->hosts;
    message_free(&message);
    return code;
}

uint64_t hosts_bits(size_t at)
{
    struct contract_key key = hosts_key();
    const struct stored *s = hosts_stored(&hosts[at], &key);
    return s->there ? s->bits : 0;
}

void hosts_start(size_t at)
{
    struct hosting_options options = {.id = hosts[at].id, .networked = true};
    hosts[at].hosting = hosting_new(&options);
    assert_non_null(hosts[at].hosting);
}

static int by_nearness(const void *a, const void *b)
{
    const struct node_id *one = &((const struct host *)a)->id,
                         *other = &((const struct host *)b)->id;
    struct contract_key key = hosts_key();
    return ring_is_nearer(ring_place_of_contract(key.bytes), one, ring_place_of_node(one), other,
                          ring_place_of_node(other))
               ? -1
               : 1;
}

int hosts_set_up(void **state)
{
    (void)state;
    now = (struct now){.ms = 1000};
    memset(hosts, 0, sizeof hosts);
    for (size_t i = 0; i < HOSTS; i++)
        memset(hosts[i].id.bytes, (int)(17 * i + 3), sizeof hosts[i].id.bytes);
    qsort(hosts, HOSTS, sizeof hosts[0], by_nearness);
    for (size_t i = 0; i < HOSTS; i++)
        hosts_start(i);
    return 0;
}

void hosts_hear_silence(size_t at, size_t other, bool silent)
{
    struct peer_silent *told = (struct peer_silent *)message_new(sizeof *told);
    assert_non_null(told);
    told->number = number_of(&hosts[other]);
    told->silent = silent;
    hosts_give(&hosts[at], MESSAGE_PEER_SILENT, ACTOR_connections, &told->head);
    hosts_run();
}

void hosts_silence(size_t at)
{
    memset(hosts[at].linked, 0, sizeof hosts[at].linked);
}

void hosts_let_sync(size_t at)
{
    hosts[at].holds_sync = false;
    sync(&hosts[at], hosts[at].held);
    hosts[at].held = NULL;
    hosts_run();
}

bool hosts_looks_after_it(size_t at)
{
    hosts_ask(at, VERB_GET);
    return hosts_answer(at, NULL) != ERR_AGAIN;
}

int hosts_tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < HOSTS; i++) {
        hosting_destroy(&hosts[i].hosting);
        mail_free(&hosts[i].answers);
    }
    return 0;
}
