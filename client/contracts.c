/* contracts: what an app needs of contracts/ without a node: keys, values, states, deltas. */
#include "contracts/state.h"
#include "contracts/view.h"
#include "contracts/writers.h"
#include "client/handle.h"

#include <sodium.h>
#include <stdlib.h>

_Static_assert(sizeof(struct weir_reason) == sizeof(struct reason), "the same text");

static struct reason *inner_reason(struct weir_reason *why)
{
    return (struct reason *)why;
}

/* --- kinds and contracts --------------------------------------------------------------------- */

static const struct kind *kind_at(size_t i)
{
    for (size_t k = 0; kinds[k]; k++)
        if (k == i)
            return kinds[k];
    return NULL;
}

const char *weir_kind_name(size_t i)
{
    const struct kind *kind = kind_at(i);
    return kind ? kind->name : NULL;
}

const char *weir_kind_doc(size_t i)
{
    const struct kind *kind = kind_at(i);
    return kind ? kind->doc : NULL;
}

int weir_contract_new(const char *kind, struct weir_bytes params, weir_contract_t **contract,
                      struct weir_reason *why)
{
    if (sodium_init() < 0)
        return ERR_INTERNAL;
    if (params.size > PARAMS_BYTES_MAX)
        return fail(inner_reason(why), ERR_TOO_LARGE, "parameters of %zu bytes: at most %u",
                    params.size, PARAMS_BYTES_MAX);
    weir_contract_t *self = calloc(1, sizeof *self);
    if (self)
        self->params = malloc(params.size + 1);
    if (!self || !self->params) {
        weir_contract_destroy(&self);
        return fail(inner_reason(why), ERR_NO_MEMORY, "out of memory");
    }
    if (params.size)
        memcpy(self->params, params.data, params.size);
    self->params_bytes = params.size;
    int rc = contract_init(&self->contract, slice_text(kind),
                           slice_of(self->params, self->params_bytes), inner_reason(why));
    if (rc) {
        weir_contract_destroy(&self);
        return rc;
    }
    *contract = self;
    return 0;
}

void weir_contract_destroy(weir_contract_t **contract)
{
    if (*contract) {
        free((*contract)->params);
        free(*contract);
    }
    *contract = NULL;
}

const uint8_t *weir_contract_key(const weir_contract_t *contract)
{
    return contract->contract.key.bytes;
}

const char *weir_contract_kind(const weir_contract_t *contract)
{
    return contract->contract.kind->name;
}

struct weir_bytes weir_contract_params(const weir_contract_t *contract)
{
    return slice_bytes(contract->contract.params);
}

int weir_contract_signed(const weir_contract_t *contract)
{
    return contract_signed(&contract->contract);
}

/* --- values ---------------------------------------------------------------------------------- */

struct walk {
    weir_item_fn *item;
    void *arg;
};

static int on_item(void *self, const struct view_item *v)
{
    struct walk *walk = self;
    struct weir_item item = {.name = slice_bytes(v->name),
                             .value = slice_bytes(v->value),
                             .time_ms = v->time_ms,
                             .writer = v->writer,
                             .number = v->number,
                             .removed = v->removed};
    return walk->item(walk->arg, &item);
}

int weir_items(const weir_contract_t *contract, struct weir_bytes state, weir_item_fn *item,
               void *arg, struct weir_reason *why)
{
    struct walk walk = {item, arg};
    return view_items(&contract->contract, bytes_slice(state), on_item, &walk, inner_reason(why));
}

struct weir_state {
    state_t *state;
    struct buffer encoded;
};

weir_state_t *weir_state_new(const weir_contract_t *contract)
{
    weir_state_t *self = calloc(1, sizeof *self);
    if (self)
        self->state = state_new(&contract->contract);
    if (self && !self->state)
        weir_state_destroy(&self);
    return self;
}

void weir_state_destroy(weir_state_t **state)
{
    if (*state) {
        state_destroy(&(*state)->state);
        buffer_free(&(*state)->encoded);
        free(*state);
    }
    *state = NULL;
}

int weir_state_merge(weir_state_t *state, struct weir_bytes delta, struct weir_reason *why)
{
    return state_merge(state->state, bytes_slice(delta), NULL, inner_reason(why));
}

int weir_state_bytes(weir_state_t *state, struct weir_bytes *bytes)
{
    buffer_clear(&state->encoded);
    int rc = state_encode(state->state, &state->encoded);
    if (!rc)
        *bytes = slice_bytes(buffer_slice(&state->encoded));
    return rc;
}

void weir_state_fingerprint(const weir_state_t *state, uint8_t fingerprint[32])
{
    struct fingerprint f = summary_fingerprint(state_summary(state->state));
    memcpy(fingerprint, f.bytes, sizeof f.bytes);
}

/* --- deltas ---------------------------------------------------------------------------------- */

static struct slice *slices_of(const struct weir_bytes *bytes, size_t count)
{
    struct slice *slices = malloc((count + 1) * sizeof *slices);
    for (size_t i = 0; slices && i < count; i++)
        slices[i] = bytes_slice(bytes[i]);
    return slices;
}

int delta_sign(const weir_contract_t *contract, const weir_signer_t *signer, struct buffer *delta,
               struct reason *why)
{
    struct buffer out = {0};
    if (!contract_signed(&contract->contract) || delta->size == 0)
        return 0;
    if (!signer)
        return fail(why, ERR_DENIED, "the contract has listed writers: a signer is needed");
    int rc = writers_sign(&contract->contract, signer->secret, buffer_slice(delta), &out, why);
    if (rc) {
        buffer_free(&out);
        return rc;
    }
    buffer_free(delta);
    *delta = out;
    return 0;
}

static int build(const weir_contract_t *contract, state_t *state, const struct editor *editor,
                 const char *verb, const struct slice *operands, size_t count, struct buffer *delta,
                 struct reason *why)
{
    if (!state || !operands)
        return fail(why, ERR_NO_MEMORY, "out of memory");
    struct state_reader reader = state_reader(state);
    return kind_edit(&contract->contract, &reader, editor, slice_text(verb), operands, count, delta,
                     why);
}

int weir_delta(const weir_contract_t *contract, struct weir_bytes state, const uint8_t replica[8],
               uint64_t now_ms, const weir_signer_t *signer, const char *verb,
               const struct weir_bytes *operands, size_t count, uint8_t **delta, size_t *size,
               struct weir_reason *why)
{
    struct reason unwanted, *reason = why ? inner_reason(why) : &unwanted;
    struct editor editor = {.now_ms = now_ms};
    struct buffer out = {0};
    memcpy(editor.replica, replica, sizeof editor.replica);
    state_t *held = state_new(&contract->contract);
    struct slice *slices = slices_of(operands, count);
    int rc = held ? state_merge(held, bytes_slice(state), NULL, reason) : 0;
    if (!rc)
        rc = build(contract, held, &editor, verb, slices, count, &out, reason);
    if (!rc)
        rc = delta_sign(contract, signer, &out, reason);
    if (!rc && buffer_failed(&out))
        rc = fail(reason, ERR_NO_MEMORY, "out of memory");
    if (!rc) {
        *size = out.size;
        *delta = buffer_steal(&out);
    }
    buffer_free(&out);
    free(slices);
    state_destroy(&held);
    return rc;
}
