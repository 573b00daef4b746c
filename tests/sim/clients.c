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
enum { SUBJECTS = sizeof subjects / sizeof subjects[0], VALUE_BYTES_MAX = 20000 };

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

struct slice clients_key_of(const struct played_contract *c)
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

/* The operands that bring the op's token, after the operation. Values of a map are large now and
 * then: they travel in the bulk lane, and states in pieces. */
static size_t operands_of(struct play *self, const struct played_op *op, struct slice operands[2])
{
    static const uint8_t value[VALUE_BYTES_MAX];
    const struct played_contract *c = &self->contracts[op->contract];
    operands[0] = c->counts ? slice_text("1") : slice_text(op->token);
    operands[1] = slice_of(
        value, dice_one_in(&self->dice, 4) ? dice_between(&self->dice, 1, VALUE_BYTES_MAX) : 1);
    return strcmp(c->contract.kind->name, "map") == 0 ? 2 : 1;
}

static void ask_edit(struct play *self, size_t node, size_t contract)
{
    struct played_contract *c = &self->contracts[contract];
    struct played_op *op = op_new(self, node, contract, VERB_EDIT);
    struct slice args[4] = {clients_key_of(c), slice_text(subject_of(contract)->operation)};
    size_t count = operands_of(self, op, args + 2);
    c->attempted += c->counts;
    ask(self, op, "c", args, 2 + count);
}

static void ask_delta(struct play *self, struct played_op *op)
{
    const struct slice args[] = {clients_key_of(&self->contracts[op->contract]),
                                 buffer_slice(&op->delta)};
    ask(self, op, "c", args, 2);
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
    size_t count = operands_of(self, op, operands);
    state_t *empty = state_new(&c->contract);
    put_u64(editor.replica, 1 + op->number);
    struct state_reader reader = state_reader(empty);
    if (kind_edit(&c->contract, &reader, &editor, slice_text(subject_of(contract)->operation),
                  operands, count, &delta, &why) != 0)
        play_fail(self, "no delta could be made: %s", why.text);
    state_destroy(&empty);
    c->attempted += c->counts;
    op->delta = delta;
    ask_delta(self, op);
}

/* As a client does that heard nothing: the same delta, at whatever node it finds. */
void clients_ask_again(struct play *self)
{
    size_t node = dice_below(&self->dice, self->nodes_count), back = dice_below(&self->dice, 30);
    struct played_op *former = self->ops;
    for (; former && (back || !former->delta.size); former = former->next)
        back -= back > 0;
    if (!former || !world_is_up(self->world, node) || self->nodes[node].left)
        return;
    struct played_op *op = op_new(self, node, former->contract, VERB_UPDATE);
    memcpy(op->token, former->token, sizeof op->token);
    op->former = former->former ? former->former : former;
    buffer_append_slice(&op->delta, buffer_slice(&former->delta));
    ask_delta(self, op);
}

static void ask_get(struct play *self, size_t node, size_t contract)
{
    const struct slice key = clients_key_of(&self->contracts[contract]);
    ask(self, op_new(self, node, contract, VERB_GET), "c", &key, 1);
}

static void ask_subscribe(struct play *self, size_t node, size_t contract)
{
    struct subscriber *sub = &self->nodes[node].subs[contract];
    const struct slice args[] = {clients_key_of(&self->contracts[contract]), slice_text("")};
    if (sub->asked)
        return;
    sub->asked = true;
    ask(self, op_new(self, node, contract, VERB_SUBSCRIBE), "c", args, 2);
}

static void ask_unsubscribe(struct play *self, size_t node, size_t contract)
{
    struct subscriber *sub = &self->nodes[node].subs[contract];
    const struct slice key = clients_key_of(&self->contracts[contract]);
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

void clients_edit_all(struct play *self)
{
    for (size_t contract = 0; contract < self->contracts_count; contract++) {
        size_t node;
        do
            node = dice_below(&self->dice, self->nodes_count);
        while (!claims_is_member(self, node));
        if (claims_is_hosted(self, contract))
            ask_edit(self, node, contract);
    }
}

void clients_get_all(struct play *self)
{
    for (size_t contract = 0; contract < self->contracts_count; contract++)
        for (size_t node = 0; node < self->nodes_count; node++)
            if (claims_is_member(self, node) && claims_is_hosted(self, contract))
                ask_get(self, node, contract);
}

static void ask_one_at(struct play *self, size_t node)
{
    static void (*const askers[])(struct play *, size_t, size_t) = {
        ask_put,    ask_edit,   ask_edit,      ask_edit,      ask_edit,
        ask_update, ask_update, ask_update,    ask_get,       ask_get,
        ask_get,    ask_get,    ask_subscribe, ask_subscribe, ask_unsubscribe,
    };
    size_t contract = dice_below(&self->dice, self->contracts_count);
    if (world_is_up(self->world, node) && !self->nodes[node].left)
        askers[dice_below(&self->dice, sizeof askers / sizeof askers[0])](self, node, contract);
}

void clients_ask_one(struct play *self)
{
    ask_one_at(self, dice_below(&self->dice, self->nodes_count));
}

/* Many at one node at once. */
void clients_crowd(struct play *self)
{
    size_t node = dice_below(&self->dice, self->nodes_count);
    for (uint64_t n = dice_between(&self->dice, 10, 60); n > 0; n--)
        ask_one_at(self, node);
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
        buffer_free(&op->delta);
        free(op);
    }
    for (size_t i = 0; i < PLAY_CONTRACTS_MAX; i++)
        buffer_free(&self->contracts[i].params);
}
