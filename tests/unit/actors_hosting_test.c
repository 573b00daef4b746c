/* hosting: a few of these actors, joined by hand. What is stored is a set of bits a contract, its
 * fingerprint the bits; a sync joins the bits of both ends. */
#include "actors/hosting.h"
#include "contracts/entries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { NODES = 6, CONTRACTS = 8 };

struct stored {
    struct contract_key key;
    bool there;
    uint64_t bits;
};

struct node {
    hosting_t *hosting;
    struct node_id id;
    struct stored stored[CONTRACTS];
    bool linked[NODES];
    struct mail answers;    /* HOSTED */
    uint64_t joined_change; /* bits that come to be here right before JOINED does */
    bool told[NODES];       /* FOLLOW: is this node told of changes? */
    unsigned blamed, joins_sent;
    bool holds_sync; /* a sync that begins takes until it is let go … */
    struct sync_order *held;
};

static struct node nodes[NODES];
static struct now now;

/* A message on its way inside or to a node. */
struct transit {
    struct transit *next;
    struct node *at;
    struct message *message;
};
static struct transit *first, **last = &first;

static peer_t number_of(const struct node *node)
{
    return (peer_t)(node - nodes) + 1;
}

static struct stored *stored_at(struct node *node, const struct contract_key *key)
{
    struct stored *spare = NULL;
    for (size_t i = 0; i < CONTRACTS; i++) {
        struct stored *s = &node->stored[i];
        if (s->there && memcmp(&s->key, key, sizeof *key) == 0)
            return s;
        if (!s->there && !spare)
            spare = s;
    }
    assert_non_null(spare);
    spare->key = *key;
    spare->bits = 0;
    return spare;
}

static void give(struct node *at, struct message *message)
{
    struct transit *t = (struct transit *)calloc(1, sizeof *t);
    assert_non_null(t);
    t->at = at;
    t->message = message;
    *last = t;
    last = &t->next;
}

static void to_hosting(struct node *at, enum message_kind kind, enum actor_id from,
                       struct message *message)
{
    message->kind = (uint8_t)kind;
    message->from = (uint8_t)from;
    message->to = ACTOR_hosting;
    give(at, message);
}

static struct slice params_of(void)
{
    static uint8_t bytes[64];
    struct buffer out = {0};
    entry_append(&out, slice_text("name"), slice_text("hosting"));
    memcpy(bytes, out.data, out.size);
    struct slice params = slice_of(bytes, out.size);
    buffer_free(&out);
    return params;
}

static struct contract_key the_key(void)
{
    struct contract contract;
    assert_int_equal(contract_init(&contract, slice_text("set"), params_of(), NULL), 0);
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

static void about(struct node *at, struct request *request)
{
    const struct stored *s = stored_at(at, &request->key);
    if (s->there) {
        struct slice params = params_of();
        request->reading.kind = kind_find(slice_text("set"));
        request->reading.bytes = blob_new(params.size);
        memcpy(request->reading.bytes->data, params.data, params.size);
        request->reading.params_bytes = params.size;
        request->reading.fingerprint = fingerprint_of(s);
    }
    request->code = s->there ? 0 : ERR_NOT_FOUND;
    to_hosting(at, MESSAGE_ABOUT_DONE, ACTOR_storage, &request->head);
}

static void merge(struct node *at, struct request *request)
{
    stored_at(at, &request->key)->there = true;
    to_hosting(at, MESSAGE_MERGED, ACTOR_storage, &request->head);
}

static void drop(struct node *at, struct request *request)
{
    struct stored *s = stored_at(at, &request->key);
    struct fingerprint has = fingerprint_of(s);
    request->code = memcmp(&request->reading.fingerprint, &has, sizeof has) ? ERR_BUSY : 0;
    if (request->code == 0)
        *s = (struct stored){.there = false};
    to_hosting(at, MESSAGE_DROPPED, ACTOR_storage, &request->head);
}

static void holdings(struct node *at, struct holdings *holdings)
{
    holdings->end = true;
    for (size_t i = 0; i < CONTRACTS; i++)
        if (at->stored[i].there)
            holdings->keys[holdings->count++] = at->stored[i].key;
    to_hosting(at, MESSAGE_HELD, ACTOR_storage, &holdings->head);
}

static void sync(struct node *at, struct sync_order *order)
{
    struct node *other = &nodes[order->number - 1];
    struct stored *mine = stored_at(at, &order->key), *theirs = stored_at(other, &order->key);
    order->code = at->linked[other - nodes] && mine->there && theirs->there ? 0 : ERR_TIMEOUT;
    if (order->code == 0)
        mine->bits = theirs->bits = mine->bits | theirs->bits;
    to_hosting(at, MESSAGE_SYNCED, ACTOR_sync, &order->head);
}

static void carry(struct node *at, struct peer_send *send)
{
    struct node *to = &nodes[send->number - 1];
    struct peer_mail *mail = (struct peer_mail *)message_new(sizeof *mail);
    struct message *message = &send->head;
    message->kind = MESSAGE_PEER_SEND;
    assert_non_null(mail);
    mail->number = number_of(at);
    mail->bytes = blob_hold(send->bytes);
    assert_int_equal(peer_decode(blob_slice(mail->bytes), &mail->kind, &mail->body, NULL), 0);
    at->joins_sent += mail->kind == PEER_JOIN;
    if (mail->kind == PEER_JOINED && to->joined_change) {
        struct contract_key key = the_key();
        stored_at(to, &key)->bits |= to->joined_change;
        to->joined_change = 0;
    }
    mail->head.kind = MESSAGE_PEER_MAIL;
    struct message *unread = &mail->head;
    if (at->linked[to - nodes])
        to_hosting(to, MESSAGE_PEER_MAIL, ACTOR_transport, &mail->head);
    else
        message_free(&unread);
    message_free(&message);
}

static void take(struct node *at, struct message *message)
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
    default:
        at->blamed += message->kind == MESSAGE_BLAME;
        message_free(&message);
    }
}

static void run(void)
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

static void advance(uint64_t ms)
{
    struct outbox out = {.from = ACTOR_hosting};
    for (uint64_t end = now.ms + ms; now.ms < end; now.ms++) {
        for (size_t i = 0; i < NODES; i++) {
            if (!nodes[i].hosting || hosting_spec.deadline_ms(nodes[i].hosting) > now.ms)
                continue;
            hosting_spec.tick(nodes[i].hosting, now, &out);
            for (struct message *m = mail_pop(&out.mail); m; m = mail_pop(&out.mail))
                give(&nodes[i], m);
        }
        run();
    }
}

/* --- what a test does -------------------------------------------------------------------- */

/* One end of a connection comes to be, or goes. */
static void hear_live(struct node *at, const struct node *other)
{
    struct peer_live *live = (struct peer_live *)message_new(sizeof *live);
    assert_non_null(live);
    live->number = number_of(other);
    live->id = other->id;
    at->linked[other - nodes] = true;
    to_hosting(at, MESSAGE_PEER_LIVE, ACTOR_connections, &live->head);
}

static void hear_gone(struct node *at, const struct node *other)
{
    struct peer_order *gone = (struct peer_order *)message_new(sizeof *gone);
    assert_non_null(gone);
    gone->number = number_of(other);
    at->linked[other - nodes] = false;
    to_hosting(at, MESSAGE_PEER_GONE, ACTOR_connections, &gone->head);
}

static void link_nodes(size_t a, size_t b)
{
    hear_live(&nodes[a], &nodes[b]);
    hear_live(&nodes[b], &nodes[a]);
    run();
}

static void unlink_nodes(size_t a, size_t b)
{
    hear_gone(&nodes[a], &nodes[b]);
    hear_gone(&nodes[b], &nodes[a]);
    run();
}

/* A message from one to the other, made by hand. */
static void send_peer(size_t from, size_t to, enum peer_kind kind, const void *body)
{
    struct peer_send *send = peer_send_new(number_of(&nodes[to]), LANE_small, kind, body);
    assert_non_null(send);
    carry(&nodes[from], send);
    run();
}

static void link_all(size_t count)
{
    for (size_t a = 0; a < count; a++)
        for (size_t b = a + 1; b < count; b++)
            link_nodes(a, b);
}

/* The nodes in order of nearness to the key: place 0 is the nearest. */
static void by_nearness(size_t order[NODES])
{
    struct contract_key key = the_key();
    place_t to = ring_place_of_contract(key.bytes);
    for (size_t i = 0; i < NODES; i++)
        order[i] = i;
    for (size_t i = 0; i < NODES; i++)
        for (size_t j = i + 1; j < NODES; j++) {
            const struct node *a = &nodes[order[i]], *b = &nodes[order[j]];
            if (ring_is_nearer(to, &b->id, ring_place_of_node(&b->id), &a->id,
                               ring_place_of_node(&a->id))) {
                size_t swapped = order[i];
                order[i] = order[j];
                order[j] = swapped;
            }
        }
}

static void ask(size_t at, enum verb verb)
{
    struct contract_key key = the_key();
    struct request *request = request_new(ACTOR_put, verb, &key, NULL, 0);
    assert_non_null(request);
    to_hosting(&nodes[at], MESSAGE_HOST, ACTOR_put, &request->head);
    run();
}

static void put(size_t at, uint64_t bits)
{
    struct contract_key key = the_key();
    struct stored *s = stored_at(&nodes[at], &key);
    s->there = true;
    s->bits |= bits;
    ask(at, VERB_PUT);
}

static int answer_of(size_t at, uint32_t *hosts)
{
    struct message *message = mail_pop(&nodes[at].answers);
    assert_non_null(message);
    int code = ((struct request *)message)->code;
    if (hosts)
        *hosts = ((struct request *)message)->hosts;
    message_free(&message);
    return code;
}

static uint64_t bits_at(size_t at)
{
    struct contract_key key = the_key();
    const struct stored *s = stored_at(&nodes[at], &key);
    return s->there ? s->bits : 0;
}

static int set_up(void **state)
{
    (void)state;
    now = (struct now){.ms = 1000};
    memset(nodes, 0, sizeof nodes);
    for (size_t i = 0; i < NODES; i++) {
        memset(nodes[i].id.bytes, (int)(17 * i + 3), sizeof nodes[i].id.bytes);
        struct hosting_options options = {.id = nodes[i].id, .networked = true};
        nodes[i].hosting = hosting_new(&options);
        if (!nodes[i].hosting)
            return -1;
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < NODES; i++) {
        hosting_destroy(&nodes[i].hosting);
        mail_free(&nodes[i].answers);
    }
    return 0;
}

/* --- the claims -------------------------------------------------------------------------- */

static void a_put_ends_on_the_three_nearest_and_counts_them(void **state)
{
    (void)state;
    size_t order[NODES];
    uint32_t hosts = 0;
    by_nearness(order);
    link_all(NODES);
    put(order[NODES - 1], 5);
    advance(2000);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(bits_at(order[i]), 5);
    assert_int_equal(answer_of(order[NODES - 1], &hosts), 0);
    assert_int_equal(hosts, 4); /* the three, and where it was put */
    assert_int_equal(bits_at(order[4]), 0);
}

static void a_put_at_the_root_waits_for_its_copies(void **state)
{
    (void)state;
    size_t order[NODES];
    uint32_t hosts = 0;
    by_nearness(order);
    link_all(NODES);
    put(order[0], 3);
    advance(2000);
    assert_int_equal(answer_of(order[0], &hosts), 0);
    assert_int_equal(hosts, 3);
}

/* Others that come meanwhile do not make it wait longer. */
static void a_put_waits_for_its_copies_for_so_long_at_most(void **state)
{
    (void)state;
    size_t order[NODES];
    by_nearness(order);
    link_all(3);
    for (size_t i = 0; i < 3; i++) /* nobody answers anybody */
        memset(nodes[i].linked, 0, sizeof nodes[i].linked);
    put(0, 3);
    for (unsigned i = 0; i < 4; i++) {
        advance(PLACING_MS / 2);
        put(0, 3);
    }
    size_t answered = 0;
    for (struct message *m; (m = mail_pop(&nodes[0].answers)); answered++)
        message_free(&m);
    assert_int_equal(answered, 3); /* at 0, 1/2 and 1 of PLACING_MS; now is 2 */
}

/* It hears, and is heard no more. */
static void silence(size_t at)
{
    memset(nodes[at].linked, 0, sizeof nodes[at].linked);
}

/* lesson L3 */
static void a_subscribe_moves_on_from_a_node_that_says_nothing(void **state)
{
    (void)state;
    size_t order[NODES];
    by_nearness(order);
    link_all(NODES);
    put(order[0], 3);
    advance(2000);
    assert_int_equal(answer_of(order[0], NULL), 0);
    silence(order[0]);
    ask(order[5], VERB_SUBSCRIBE);
    advance(RELAY_PATIENCE_MS - 1);
    assert_int_equal(nodes[order[5]].answers.count, 0);
    advance(20);
    assert_int_equal(answer_of(order[5], NULL), 0);
    assert_int_equal(bits_at(order[5]), 3);
}

/* lesson L3 */
static void a_node_between_moves_on_before_the_subscriber_does(void **state)
{
    (void)state;
    size_t order[NODES];
    by_nearness(order);
    for (size_t a = 0; a < 5; a++)
        for (size_t b = a + 1; b < 5; b++)
            link_nodes(order[a], order[b]);
    link_nodes(order[4], order[5]);
    put(order[0], 3);
    advance(2000);
    assert_int_equal(answer_of(order[0], NULL), 0);
    silence(order[0]);
    ask(order[5], VERB_SUBSCRIBE);
    advance(RELAY_PATIENCE_MS - 100);
    assert_int_equal(answer_of(order[5], NULL), 0);
    assert_int_equal(bits_at(order[5]), 3);
}

/* A HOST that was lost, or that there was no room for. */
static void a_root_asks_again_for_the_copies_that_it_lacks(void **state)
{
    (void)state;
    size_t order[NODES];
    by_nearness(order);
    link_nodes(order[0], order[1]);
    link_nodes(order[0], order[2]);
    link_nodes(order[1], order[2]);
    nodes[order[0]].linked[order[1]] = false; /* what the root says does not come through */
    put(order[0], 3);
    advance(2000);
    assert_int_equal(bits_at(order[2]), 3);
    assert_int_equal(bits_at(order[1]), 0);
    nodes[order[0]].linked[order[1]] = true;
    advance(REFRESH_EVERY_MS + 2000);
    assert_int_equal(bits_at(order[1]), 3);
}

/* Who lies is refused; who waits beside it is not. */
static void a_join_with_wrong_params_refuses_its_sender_alone(void **state)
{
    (void)state;
    size_t order[NODES];
    struct contract_key key = the_key();
    by_nearness(order);
    link_nodes(order[1], order[2]);
    link_nodes(order[1], order[3]);
    link_nodes(order[0], order[1]);
    put(order[0], 3);
    advance(2000);
    silence(order[0]); /* so that 1 has to wait */
    struct stored *s = stored_at(&nodes[order[1]], &key);
    *s = (struct stored){.there = false};
    hosting_destroy(&nodes[order[1]].hosting);
    struct hosting_options options = {.id = nodes[order[1]].id, .networked = true};
    nodes[order[1]].hosting = hosting_new(&options);
    link_nodes(order[1], order[2]);
    link_nodes(order[1], order[3]);
    nodes[order[1]].linked[order[0]] = true;
    struct peer_live *live = (struct peer_live *)message_new(sizeof *live);
    assert_non_null(live);
    live->number = number_of(&nodes[order[0]]);
    live->id = nodes[order[0]].id;
    to_hosting(&nodes[order[1]], MESSAGE_PEER_LIVE, ACTOR_connections, &live->head);
    run();
    ask(order[2], VERB_SUBSCRIBE);
    assert_int_equal(nodes[order[2]].answers.count, 0);
    struct peer_join join = {.hops = 5,
                             .fingerprint = slice_of(key.bytes, FINGERPRINT_BYTES),
                             .kind = slice_text("set"),
                             .params = slice_text("\1x\0\0\0\1y")};
    memcpy(join.key, key.bytes, sizeof join.key);
    struct outbox out = {.from = ACTOR_hosting};
    assert_true(peer_tell(&out, number_of(&nodes[order[1]]), LANE_small, PEER_JOIN, &join));
    carry(&nodes[order[3]], (struct peer_send *)mail_pop(&out.mail));
    run();
    assert_int_equal(nodes[order[1]].blamed, 1);
    assert_int_equal(nodes[order[2]].answers.count, 0);
    assert_true(nodes[order[1]].told[order[2]]);
    assert_false(nodes[order[1]].told[order[3]]);
}

static void a_nearer_node_that_comes_is_handed_the_contract(void **state)
{
    (void)state;
    size_t order[NODES];
    by_nearness(order);
    for (size_t a = 1; a < NODES; a++)
        for (size_t b = a + 1; b < NODES; b++)
            link_nodes(order[a], order[b]);
    put(order[3], 9);
    advance(2000);
    assert_int_equal(bits_at(order[0]), 0);
    for (size_t b = 1; b < NODES; b++)
        link_nodes(order[0], order[b]);
    advance(2000);
    assert_int_equal(bits_at(order[0]), 9);
}

static void a_feed_that_dies_is_replaced_at_once(void **state) /* lesson L3 */
{
    (void)state;
    size_t order[NODES];
    by_nearness(order);
    link_all(NODES);
    put(order[4], 1);
    advance(2000);
    for (size_t i = 1; i < NODES; i++)
        unlink_nodes(order[0], order[i]);
    struct contract_key key = the_key();
    stored_at(&nodes[order[4]], &key)->bits |= 64; /* a change that nobody else has */
    ask(order[4], VERB_GET);
    advance(100);
    assert_int_equal(bits_at(order[1]) & 1, 1);
    advance(70000); /* the comparisons of fingerprints find it */
    assert_int_equal(bits_at(order[1]), 65);
}

static void an_unknown_contract_is_not_found(void **state)
{
    (void)state;
    link_all(3);
    ask(0, VERB_SUBSCRIBE);
    advance(10);
    assert_int_equal(answer_of(0, NULL), ERR_NOT_FOUND);
}

static void without_a_live_peer_it_is_said_at_once(void **state) /* lesson L1 */
{
    (void)state;
    ask(0, VERB_SUBSCRIBE);
    assert_int_equal(answer_of(0, NULL), ERR_NO_LIVE_PEER);
}

static void a_subscribe_brings_the_contract_here(void **state)
{
    (void)state;
    size_t order[NODES];
    by_nearness(order);
    link_all(NODES);
    put(order[0], 7);
    advance(2000);
    ask(order[5], VERB_SUBSCRIBE);
    advance(10);
    assert_int_equal(answer_of(order[5], NULL), 0);
    assert_int_equal(bits_at(order[5]), 7);
    ask(order[5], VERB_GET);
    assert_int_equal(answer_of(order[5], NULL), 0); /* live: it may be read here */
}

/* Hosting says NOT_FOUND of what it looks after and has not, AGAIN of what it knows nothing of. */
static bool looks_after_it(size_t at)
{
    ask(at, VERB_GET);
    return answer_of(at, NULL) != ERR_AGAIN;
}

/* Two hosts that were apart: a GET at the farther one, while what differs is exchanged. */
static size_t get_while_they_sync(void)
{
    size_t order[NODES];
    by_nearness(order);
    put(order[0], 1);
    put(order[1], 2);
    advance(2000);
    assert_int_equal(answer_of(order[1], NULL), 0);
    nodes[order[1]].holds_sync = true;
    link_nodes(order[0], order[1]);
    assert_non_null(nodes[order[1]].held);
    ask(order[1], VERB_GET);
    assert_null(nodes[order[1]].answers.first);
    return order[1];
}

/* Bytes in proportion to the change: asking a peer would bring all of the state (lesson M6). */
static void a_get_waits_for_a_sync_under_way(void **state)
{
    (void)state;
    size_t at = get_while_they_sync();
    advance(GET_WAIT_MS / 2);
    assert_null(nodes[at].answers.first);
    sync(&nodes[at], nodes[at].held);
    run();
    assert_int_equal(answer_of(at, NULL), 0);
}

static void a_get_waits_for_a_slow_sync_so_long_and_no_longer(void **state)
{
    (void)state;
    size_t at = get_while_they_sync();
    advance(GET_WAIT_MS + 1);
    assert_int_equal(answer_of(at, NULL), ERR_AGAIN);
    sync(&nodes[at], nodes[at].held);
    run();
}

/* A copy that was made when its feed told of it, and whose sync has not ended. */
static size_t join_without_a_sync(size_t order[NODES])
{
    by_nearness(order);
    put(order[0], 7);
    advance(2000);
    nodes[order[1]].holds_sync = true;
    link_nodes(order[0], order[1]);
    ask(order[1], VERB_SUBSCRIBE);
    assert_non_null(nodes[order[1]].held);
    return order[1];
}

static void what_was_never_filled_is_not_read_as_the_contract(void **state)
{
    size_t order[NODES], at = join_without_a_sync(order);
    (void)state;
    assert_null(nodes[at].answers.first);
    ask(at, VERB_GET);
    advance(GET_WAIT_MS + 1);
    assert_int_equal(answer_of(at, NULL), ERR_NO_LIVE_PEER);
    sync(&nodes[at], nodes[at].held);
    run();
    assert_int_equal(answer_of(at, NULL), 0); /* the SUBSCRIBE */
    ask(at, VERB_GET);
    assert_int_equal(answer_of(at, NULL), 0);
}

static void what_was_never_filled_goes_with_who_was_to_fill_it(void **state)
{
    size_t order[NODES], at = join_without_a_sync(order);
    struct contract_key key = the_key();
    (void)state;
    unlink_nodes(order[0], at);
    assert_false(stored_at(&nodes[at], &key)->there);
    assert_int_equal(answer_of(at, NULL), ERR_NO_LIVE_PEER);
    ask(at, VERB_GET);
    assert_int_equal(answer_of(at, NULL), ERR_AGAIN); /* nothing is known of it */
    sync(&nodes[at], nodes[at].held);
    nodes[at].holds_sync = false;
    link_nodes(order[0], at);
    ask(at, VERB_SUBSCRIBE);
    assert_int_equal(answer_of(at, NULL), 0);
    assert_int_equal(bits_at(at), 7);
}

/* The nearest node hears of a contract from who takes its feed there, and is filled by it. */
static void what_a_child_is_to_fill_is_read_when_it_has(void **state)
{
    size_t order[NODES];
    (void)state;
    by_nearness(order);
    put(order[1], 7);
    advance(2000);
    nodes[order[1]].holds_sync = true;
    link_nodes(order[0], order[1]);
    assert_non_null(nodes[order[1]].held);
    ask(order[0], VERB_GET);
    assert_null(nodes[order[0]].answers.first);
    sync(&nodes[order[1]], nodes[order[1]].held);
    run();
    advance(GET_WAIT_MS / 2);
    assert_int_equal(answer_of(order[0], NULL), 0);
    assert_int_equal(bits_at(order[0]), 7);
}

/* … and until then it feeds nobody: an empty copy would go round as the contract. */
static void what_is_hollow_is_nobodys_feed(void **state)
{
    size_t order[NODES];
    (void)state;
    by_nearness(order);
    put(order[1], 7);
    advance(2000);
    (void)answer_of(order[1], NULL);
    nodes[order[1]].holds_sync = true;
    link_nodes(order[0], order[1]);
    assert_non_null(nodes[order[1]].held);
    link_nodes(order[0], order[2]);
    ask(order[2], VERB_SUBSCRIBE);
    advance(300);
    assert_null(nodes[order[2]].answers.first);
    ask(order[0], VERB_GET);
    assert_null(nodes[order[0]].answers.first);
    sync(&nodes[order[1]], nodes[order[1]].held);
    nodes[order[1]].holds_sync = false;
    run();
    advance(300);
    assert_int_equal(answer_of(order[0], NULL), 0);
    assert_int_equal(answer_of(order[2], NULL), 0);
    assert_int_equal(bits_at(order[2]), 7);
}

static void a_node_that_never_had_a_peer_keeps_no_row_of_what_it_stores(void **state)
{
    (void)state;
    size_t order[NODES];
    by_nearness(order);
    put(order[1], 2);
    assert_int_equal(answer_of(order[1], NULL), 0);
    assert_false(looks_after_it(order[1]));
    link_nodes(order[0], order[1]); /* … until it has one: then storage lists them all */
    ask(order[0], VERB_SUBSCRIBE);
    advance(100);
    assert_int_equal(answer_of(order[0], NULL), 0);
    assert_int_equal(bits_at(order[0]), 2);
}

static void a_join_along_a_chain_reaches_the_root(void **state)
{
    (void)state;
    size_t order[NODES];
    by_nearness(order);
    for (size_t i = 0; i + 1 < NODES; i++)
        link_nodes(order[i], order[i + 1]);
    put(order[0], 7);
    advance(2000);
    ask(order[5], VERB_SUBSCRIBE);
    advance(100);
    assert_int_equal(answer_of(order[5], NULL), 0);
    assert_int_equal(bits_at(order[5]), 7);
}

static void a_settled_tree_is_quiet(void **state)
{
    (void)state;
    size_t order[NODES];
    by_nearness(order);
    link_all(NODES);
    put(order[2], 7);
    advance(5000);
    unsigned before = 0, after = 0;
    for (size_t i = 0; i < NODES; i++)
        before += nodes[i].joins_sent;
    advance(60000);
    for (size_t i = 0; i < NODES; i++)
        after += nodes[i].joins_sent;
    assert_true(after - before <= 2 * (60000 / REFRESH_EVERY_MS + 1));
}

static void send_join_with(struct slice kind)
{
    struct contract_key key = the_key();
    struct peer_join join = {.hops = 3, .kind = kind, .params = params_of()};
    uint8_t what[FINGERPRINT_BYTES] = {1};
    size_t order[NODES];
    by_nearness(order);
    memcpy(join.key, key.bytes, sizeof join.key);
    join.fingerprint = slice_of(what, sizeof what);
    link_nodes(order[0], order[1]);
    send_peer(order[1], order[0], PEER_JOIN, &join);
    assert_int_equal(nodes[order[0]].blamed, slice_is(kind, "set") ? 0 : 1);
    assert_int_equal(stored_at(&nodes[order[0]], &key)->there, slice_is(kind, "set"));
}

static void a_contract_is_made_for_who_joins_with_it(void **state)
{
    (void)state;
    send_join_with(slice_text("set"));
}

static void kind_and_params_must_be_the_keys(void **state)
{
    (void)state;
    send_join_with(slice_text("map"));
}

static void nobody_feeds_who_is_nearer(void **state)
{
    (void)state;
    size_t order[NODES];
    struct contract_key key = the_key();
    by_nearness(order);
    link_nodes(order[0], order[1]);
    struct peer_join join = {.hops = 3};
    memcpy(join.key, key.bytes, sizeof join.key);
    send_peer(order[0], order[1], PEER_JOIN, &join);
    put(order[1], 1);
    advance(1000);
    assert_int_equal(bits_at(order[0]), 1); /* the one edge goes the right way */
}

/* FOLLOW may come to subscribe after the peer's going does: it is taken back then. */
static void who_is_gone_is_told_of_nothing(void **state)
{
    (void)state;
    size_t order[NODES];
    by_nearness(order);
    link_nodes(order[0], order[1]);
    put(order[1], 1);
    advance(1000);
    assert_true(nodes[order[0]].told[order[1]]);
    assert_true(nodes[order[1]].told[order[0]]);
    unlink_nodes(order[0], order[1]);
    assert_false(nodes[order[0]].told[order[1]]);
    assert_false(nodes[order[1]].told[order[0]]);
}

static void send_host(size_t from, size_t to, bool on)
{
    struct contract_key key = the_key();
    struct peer_host host = {.on = on};
    memcpy(host.key, key.bytes, sizeof host.key);
    send_peer(from, to, PEER_HOST, &host);
}

static void who_asks_for_a_copy_is_nearer(void **state)
{
    (void)state;
    size_t order[NODES];
    by_nearness(order);
    link_nodes(order[0], order[1]);
    send_host(order[1], order[0], true);
    assert_false(looks_after_it(order[0]));
}

static void a_copy_is_wanted_as_long_as_whoever_asked_for_it_is_live(void **state)
{
    (void)state;
    size_t order[NODES];
    by_nearness(order);
    link_nodes(order[0], order[2]);
    link_nodes(order[1], order[2]);
    nodes[order[0]].linked[order[2]] = false; /* its answers are lost */
    send_host(order[1], order[2], true);
    nodes[order[0]].linked[order[2]] = true;
    send_host(order[0], order[2], true);
    nodes[order[0]].linked[order[2]] = false;
    send_host(order[1], order[2], false); /* another is the root meanwhile */
    advance(JOIN_TIMEOUT_MS + 100);
    assert_true(looks_after_it(order[2]));
    unlink_nodes(order[0], order[2]);
    assert_false(looks_after_it(order[2]));
}

static void crowd(size_t at)
{
    struct crowded *crowded = (struct crowded *)message_new(sizeof *crowded);
    assert_non_null(crowded);
    to_hosting(&nodes[at], MESSAGE_CROWDED, ACTOR_storage, &crowded->head);
    advance(100);
}

static void what_nobody_needs_goes_when_the_store_fills(void **state)
{
    (void)state;
    size_t order[NODES];
    struct contract_key key = the_key();
    by_nearness(order);
    link_all(NODES);
    put(order[5], 7);
    advance(EVICT_IDLE_MS + 5000);
    for (size_t i = 0; i < NODES; i++)
        crowd(order[i]);
    assert_false(stored_at(&nodes[order[5]], &key)->there);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(bits_at(order[i]), 7);
}

static void what_the_feed_has_not_got_does_not_go(void **state)
{
    (void)state;
    size_t order[NODES];
    struct contract_key key = the_key();
    by_nearness(order);
    link_all(NODES);
    put(order[5], 7);
    advance(EVICT_IDLE_MS + 5000);
    stored_at(&nodes[order[5]], &key)->bits |= 8;
    crowd(order[5]);
    assert_true(stored_at(&nodes[order[5]], &key)->there);
}

/* Acknowledged between the comparison with the feed and the drop: it is kept, and reaches others.
 */
static void what_changes_while_the_feed_is_asked_does_not_go(void **state)
{
    (void)state;
    size_t order[NODES];
    struct contract_key key = the_key();
    by_nearness(order);
    link_all(NODES);
    put(order[5], 7);
    advance(EVICT_IDLE_MS + 5000);
    nodes[order[5]].joined_change = 8;
    crowd(order[5]);
    assert_int_equal(nodes[order[5]].joined_change, 0);
    assert_true(stored_at(&nodes[order[5]], &key)->there);
    assert_int_equal(bits_at(order[0]), 15);
}

int main(void)
{
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CLAIM(a_put_ends_on_the_three_nearest_and_counts_them),
        CLAIM(a_put_at_the_root_waits_for_its_copies),
        CLAIM(a_put_waits_for_its_copies_for_so_long_at_most),
        CLAIM(a_subscribe_moves_on_from_a_node_that_says_nothing),
        CLAIM(a_node_between_moves_on_before_the_subscriber_does),
        CLAIM(a_root_asks_again_for_the_copies_that_it_lacks),
        CLAIM(a_join_with_wrong_params_refuses_its_sender_alone),
        CLAIM(a_nearer_node_that_comes_is_handed_the_contract),
        CLAIM(a_feed_that_dies_is_replaced_at_once),
        CLAIM(an_unknown_contract_is_not_found),
        CLAIM(without_a_live_peer_it_is_said_at_once),
        CLAIM(a_subscribe_brings_the_contract_here),
        CLAIM(a_get_waits_for_a_sync_under_way),
        CLAIM(a_get_waits_for_a_slow_sync_so_long_and_no_longer),
        CLAIM(what_was_never_filled_is_not_read_as_the_contract),
        CLAIM(what_was_never_filled_goes_with_who_was_to_fill_it),
        CLAIM(what_a_child_is_to_fill_is_read_when_it_has),
        CLAIM(what_is_hollow_is_nobodys_feed),
        CLAIM(a_node_that_never_had_a_peer_keeps_no_row_of_what_it_stores),
        CLAIM(a_join_along_a_chain_reaches_the_root),
        CLAIM(a_settled_tree_is_quiet),
        CLAIM(a_contract_is_made_for_who_joins_with_it),
        CLAIM(kind_and_params_must_be_the_keys),
        CLAIM(nobody_feeds_who_is_nearer),
        CLAIM(who_is_gone_is_told_of_nothing),
        CLAIM(who_asks_for_a_copy_is_nearer),
        CLAIM(a_copy_is_wanted_as_long_as_whoever_asked_for_it_is_live),
        CLAIM(what_nobody_needs_goes_when_the_store_fills),
        CLAIM(what_the_feed_has_not_got_does_not_go),
        CLAIM(what_changes_while_the_feed_is_asked_does_not_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
