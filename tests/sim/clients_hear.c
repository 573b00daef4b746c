/* What clients are told, and whether they may be told that. */
#include "tests/sim/play.h"

#include <stdlib.h>

static size_t contract_of(const struct play *self, struct slice key)
{
    for (size_t i = 0; i < self->contracts_count; i++)
        if (slice_equal(key, clients_key_of(&self->contracts[i])))
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
    if (op->acknowledged && op->former)
        op->former->asked_well = true;
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
