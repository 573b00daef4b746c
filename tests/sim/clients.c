#include "tests/sim/play.h"

#include "contracts/entries.h"

#include <stdlib.h>

/* Each kind by turns. `operation` is what an edit says before the token. */
static const struct subject {
    const char *kind, *operation;
    uint64_t newest; /* of a log; 0: all */
    bool keeps;
} subjects[] = {
    {"set", "add", 0, true},     {"counter", "add", 0, false},  {"log", "append", 0, true},
    {"map", "set", 0, true},     {"register", "set", 0, false}, {"multi-register", "set", 0, false},
    {"log", "append", 5, false},
};
enum { SUBJECTS = sizeof subjects / sizeof subjects[0] };

static const struct subject *subject_of(size_t contract)
{
    return &subjects[contract % SUBJECTS];
}

void clients_make_contracts(struct play *self)
{
    self->contracts_count = dice_between(&self->dice, 3, PLAY_CONTRACTS_MAX);
    for (size_t i = 0; i < self->contracts_count; i++) {
        const struct subject *subject = subject_of(i);
        struct played_contract *c = &self->contracts[i];
        struct reason why;
        char name[16];
        uint8_t newest[8];
        (void)snprintf(name, sizeof name, "c%zu", i);
        entry_append(&c->params, slice_text("name"), slice_text(name));
        put_u64(newest, subject->newest);
        if (subject->newest)
            entry_append(&c->params, slice_text("newest"), slice_of(newest, sizeof newest));
        if (contract_init(&c->contract, slice_text(subject->kind), buffer_slice(&c->params),
                          &why) != 0)
            abort();
        c->keeps = subject->keeps;
        c->counts = strcmp(subject->kind, "counter") == 0;
    }
}

/* --- asking ------------------------------------------------------------------------------ */

static void ask(struct play *self, struct played_op *op, const char *client,
                const struct slice *args, size_t count)
{
    struct slice frames[8] = {slice_text(CLIENT_PROTOCOL_NAME)};
    char id[REQUEST_ID_BYTES_MAX + 1];
    (void)snprintf(id, sizeof id, "%llu", (unsigned long long)op->number);
    frames[1] = slice_text(id);
    frames[2] = slice_text(client_verbs[op->verb].name);
    memcpy(frames + 3, args, count * sizeof args[0]);
    world_ask(self->world, op->node, client, frames, 3 + count);
}

static struct played_op *op_new(struct play *self, size_t node, size_t contract, enum verb verb)
{
    struct played_op *op = (struct played_op *)calloc(1, sizeof *op);
    char note[40];
    if (!op)
        abort();
    op->number = self->ops_count++;
    op->asked_us = world_us(self->world);
    op->node = node;
    op->life = self->nodes[node].life;
    op->contract = contract;
    op->verb = verb;
    (void)snprintf(op->token, sizeof op->token, "t%06llu.", (unsigned long long)op->number);
    op->next = self->ops;
    self->ops = op;
    (void)snprintf(note, sizeof note, "%s k%04x, request", client_verbs[verb].name,
                   trace_log_contract(&self->contracts[contract].contract.key));
    trace_log_note(world_trace(self->world), op->asked_us, node, note, op->number);
    return op;
}

static struct slice key_of(const struct played_contract *c)
{
    return slice_of(c->contract.key.bytes, CONTRACT_KEY_BYTES);
}

static void ask_put(struct play *self, size_t node, size_t contract)
{
    const struct played_contract *c = &self->contracts[contract];
    const struct slice args[] = {slice_text(subject_of(contract)->kind), buffer_slice(&c->params),
                                 slice_text("")};
    ask(self, op_new(self, node, contract, VERB_PUT), "c", args, 3);
}

/* The operands that bring the op's token, after the operation. */
static size_t operands_of(const struct played_contract *c, const struct played_op *op,
                          struct slice operands[2])
{
    operands[0] = c->counts ? slice_text("1") : slice_text(op->token);
    operands[1] = slice_text("v");
    return strcmp(c->contract.kind->name, "map") == 0 ? 2 : 1;
}

static void ask_edit(struct play *self, size_t node, size_t contract)
{
    struct played_contract *c = &self->contracts[contract];
    struct played_op *op = op_new(self, node, contract, VERB_EDIT);
    struct slice args[4] = {key_of(c), slice_text(subject_of(contract)->operation)};
    size_t count = operands_of(c, op, args + 2);
    c->attempted += c->counts;
    ask(self, op, "c", args, 2 + count);
}

/* A delta that the client made itself, as a replica of its own. */
static void ask_update(struct play *self, size_t node, size_t contract)
{
    struct played_contract *c = &self->contracts[contract];
    struct played_op *op = op_new(self, node, contract, VERB_UPDATE);
    struct editor editor = {.now_ms = stage_now(world_stage(self->world, node)).wall_ms};
    struct slice operands[2];
    struct buffer delta = {0};
    struct reason why;
    size_t count = operands_of(c, op, operands);
    state_t *empty = state_new(&c->contract);
    put_u64(editor.replica, 1 + op->number);
    struct state_reader reader = state_reader(empty);
    if (kind_edit(&c->contract, &reader, &editor, slice_text(subject_of(contract)->operation),
                  operands, count, &delta, &why) != 0)
        play_fail(self, "no delta could be made: %s", why.text);
    state_destroy(&empty);
    c->attempted += c->counts;
    const struct slice args[] = {key_of(c), buffer_slice(&delta)};
    ask(self, op, "c", args, 2);
    buffer_free(&delta);
}

static void ask_get(struct play *self, size_t node, size_t contract)
{
    const struct slice key = key_of(&self->contracts[contract]);
    ask(self, op_new(self, node, contract, VERB_GET), "c", &key, 1);
}

static void ask_subscribe(struct play *self, size_t node, size_t contract)
{
    struct subscriber *sub = &self->nodes[node].subs[contract];
    const struct slice args[] = {key_of(&self->contracts[contract]), slice_text("")};
    if (sub->asked)
        return;
    sub->asked = true;
    ask(self, op_new(self, node, contract, VERB_SUBSCRIBE), "c", args, 2);
}

static void ask_unsubscribe(struct play *self, size_t node, size_t contract)
{
    struct subscriber *sub = &self->nodes[node].subs[contract];
    const struct slice key = key_of(&self->contracts[contract]);
    if (!sub->follows)
        return;
    sub->follows = false; /* what still comes is not looked at */
    ask(self, op_new(self, node, contract, VERB_UNSUBSCRIBE), "c", &key, 1);
}

void clients_put_all(struct play *self)
{
    for (size_t i = 0; i < self->contracts_count; i++)
        ask_put(self, dice_below(&self->dice, self->nodes_count), i);
}

void clients_get_all(struct play *self)
{
    for (size_t contract = 0; contract < self->contracts_count; contract++)
        for (size_t node = 0; node < self->nodes_count; node++)
            if (claims_is_member(self, node) && claims_is_hosted(self, contract))
                ask_get(self, node, contract);
}

void clients_ask_one(struct play *self)
{
    static void (*const askers[])(struct play *, size_t, size_t) = {
        ask_put,    ask_edit,   ask_edit,      ask_edit,      ask_edit,
        ask_update, ask_update, ask_update,    ask_get,       ask_get,
        ask_get,    ask_get,    ask_subscribe, ask_subscribe, ask_unsubscribe,
    };
    size_t node = dice_below(&self->dice, self->nodes_count);
    size_t contract = dice_below(&self->dice, self->contracts_count);
    if (world_is_up(self->world, node) && !self->nodes[node].left)
        askers[dice_below(&self->dice, sizeof askers / sizeof askers[0])](self, node, contract);
}

/* --- hearing ----------------------------------------------------------------------------- */

static size_t contract_of(const struct play *self, struct slice key)
{
    for (size_t i = 0; i < self->contracts_count; i++)
        if (slice_equal(key, key_of(&self->contracts[i])))
            return i;
    return SIZE_MAX;
}

static void take_state(struct play *self, struct subscriber *sub, size_t node, struct slice state)
{
    struct reason why;
    if (state.size && state_merge(sub->view, state, NULL, &why) != 0)
        play_fail(self, "n%zu gave a client a state that does not merge: %s", node, why.text);
}

static void hear_notify(struct play *self, size_t node, const struct slice *frames, size_t count)
{
    size_t contract = count == 7 ? contract_of(self, frames[3]) : SIZE_MAX;
    if (contract == SIZE_MAX) {
        play_fail(self, "n%zu sent a notification of %zu frames", node, count);
        return;
    }
    self->notified++;
    if (self->nodes[node].subs[contract].follows)
        take_state(self, &self->nodes[node].subs[contract], node, frames[4]);
}

static void subscribed(struct play *self, const struct played_op *op, bool ok,
                       const struct slice *frames)
{
    struct subscriber *sub = &self->nodes[op->node].subs[op->contract];
    sub->asked = sub->follows = ok;
    if (!ok)
        return;
    state_destroy(&sub->view);
    sub->view = state_new(&self->contracts[op->contract].contract);
    take_state(self, sub, op->node, frames[5]);
}

/* A refusal must be one that a network in trouble may give. */
static void check_refusal(struct play *self, const struct played_op *op, struct slice word,
                          struct slice sentence)
{
    static const int may_be[] = {ERR_NOT_FOUND, ERR_NO_LIVE_PEER, ERR_TIMEOUT, ERR_BUSY};
    self->refused++;
    for (size_t i = 0; i < sizeof may_be / sizeof may_be[0]; i++)
        if (slice_is(word, error_name(may_be[i])))
            return;
    play_fail(self, "n%zu answered %s #%llu: %.*s (%.*s)", op->node, client_verbs[op->verb].name,
              (unsigned long long)op->number, (int)word.size, (const char *)word.data,
              (int)sentence.size, (const char *)sentence.data);
}

static void hear_reply(struct play *self, struct played_op *op, const struct slice *frames,
                       size_t count)
{
    bool ok = slice_is(frames[2], CLIENT_PROTOCOL_OK);
    if (op->done) {
        play_fail(self, "#%llu was answered twice", (unsigned long long)op->number);
        return;
    }
    op->done = true;
    op->ok = ok;
    self->answered++;
    trace_log_note(world_trace(self->world), world_us(self->world), op->node,
                   ok ? "OK, request" : "refused, request", op->number);
    if (!ok)
        check_refusal(self, op, frames[2], count > 3 ? frames[3] : slice_text(""));
    if (op->verb == VERB_SUBSCRIBE)
        subscribed(self, op, ok, frames);
    if (op->verb == VERB_UNSUBSCRIBE)
        self->nodes[op->node].subs[op->contract].asked = false;
    op->acknowledged = ok && (op->verb == VERB_UPDATE || op->verb == VERB_EDIT);
    if (op->acknowledged)
        claims_answered(self, op);
}

static struct played_op *op_numbered(const struct play *self, struct slice id)
{
    char text[REQUEST_ID_BYTES_MAX + 1] = "";
    memcpy(text, id.data, id.size < sizeof text - 1 ? id.size : sizeof text - 1);
    uint64_t number = strtoull(text, NULL, 10);
    for (struct played_op *op = self->ops; op; op = op->next)
        if (op->number == number)
            return op;
    return NULL;
}

void clients_hear(void *play, size_t node)
{
    struct play *self = (struct play *)play;
    const struct slice *frames;
    size_t count;
    while ((count = far_clients_take(world_clients(self->world, node), "c", &frames)) > 0) {
        struct played_op *op = count >= 3 ? op_numbered(self, frames[1]) : NULL;
        if (!op)
            play_fail(self, "n%zu sent a client %zu frames that answer nothing", node, count);
        else if (slice_is(frames[2], CLIENT_PROTOCOL_NOTIFY))
            hear_notify(self, node, frames, count);
        else
            hear_reply(self, op, frames, count);
    }
}

void clients_forget(struct play *self, size_t node)
{
    for (size_t i = 0; i < PLAY_CONTRACTS_MAX; i++) {
        struct subscriber *sub = &self->nodes[node].subs[i];
        state_destroy(&sub->view);
        *sub = (struct subscriber){.asked = false};
    }
}

void clients_free(struct play *self)
{
    for (size_t i = 0; i < self->nodes_count; i++)
        clients_forget(self, i);
    for (struct played_op *op = self->ops, *next; op; op = next) {
        next = op->next;
        free(op);
    }
    for (size_t i = 0; i < PLAY_CONTRACTS_MAX; i++)
        buffer_free(&self->contracts[i].params);
}
