/* kind: a contract kind is one file and one row in contracts/kinds.c.
 *
 * A kind gives the values of one entry key a total order (`compare`); the join of two values is the
 * greater one. A maximum over a total order is commutative, associative and idempotent, so the
 * merge of maps is too (lessons M1–M3), and a signed value survives it whole, which a value
 * computed from two would not. `settle` removes what a cap excludes; it is a pure function of the
 * set (lesson M4). No clock, no random number, no node-local fact anywhere here (lesson M5): an
 * edit gets them as arguments.
 *
 * `value` below is always the *inner* value: without the signature trailer of contracts with listed
 * writers (contracts/writers.h), which the callers of kinds put on and take off. A kind with
 * `prove` is the exception: its check_entry and prove see the whole one. */
#ifndef WEIR_CONTRACTS_KIND_H
#define WEIR_CONTRACTS_KIND_H

#include "contracts/contract.h"
#include "contracts/entries.h"

enum { REPLICA_BYTES = 8 };

/* What a merge, a settle and an edit see of a state. Two make it: contracts/state.c in memory and
 * the store's. Slices live until the state changes. */
struct state_reader {
    void *self;
    /* 0 and *value (its data never NULL, even when it is empty); ERR_NOT_FOUND and *value
     * untouched; another error of the store. */
    int (*get)(void *self, struct slice key, struct slice *value);
    /* The least entry with key >= from (past: > from). 0, ERR_NOT_FOUND past the last, or an error.
     */
    int (*seek)(void *self, struct slice from, bool past, struct entry *entry);
    uint64_t (*count)(void *self);
};

/* 1 and *value when the state has the key, 0 when not, or the reader's error. */
static inline int reader_find(const struct state_reader *state, struct slice key,
                              struct slice *value)
{
    int rc = state->get(state->self, key, value);
    return rc == 0 ? 1 : rc == ERR_NOT_FOUND ? 0 : rc;
}

/* Who edits, and when: facts of the editing side that a delta is built from. */
struct editor {
    uint8_t replica[REPLICA_BYTES]; /* fresh at every start of a node or client (lesson M7) */
    uint64_t now_ms;                /* Unix time */
};

/* Takes the keys that settle drops, in any order, each once. Keys are copied. The reader goes on
 * counting them until settle returns, and a dropped entry's value must not be looked at again. */
struct drops {
    void *self;
    int (*drop)(void *self, struct slice key);
};

/* Takes one item of a view; see contracts/view.h. */
struct view_item;
typedef int(view_fn)(void *self, const struct view_item *item);

/* Takes one range of entry keys, both ends included. The slices live for the call. */
typedef int(range_fn)(void *self, struct slice first, struct slice last);

/* A verb of EDIT, for docs, usage texts and checks. */
struct edit_verb {
    const char *name, *operands, *doc;
    size_t operands_min, operands_max, operands_step; /* step 2: pairs */
};

struct proofs; /* contracts/proofs.h */

struct kind {
    const char *name;
    const char *doc;           /* one line for `weir help` and docs */
    const char *const *params; /* names it takes besides `name` and `writers`; NULL-terminated */
    const struct edit_verb *verbs; /* name NULL ends; the kind's words for EDIT */
    /* Looks at the parameters together, once each was read; NULL when there is nothing to say.
     * ERR_BAD_PARAMS with the reason. */
    int (*finish_params)(struct contract *contract, struct reason *why);

    /* Is this entry one that a correct writer could have made? Looks at nothing but its arguments.
     * ERR_BAD_STATE with the reason. */
    int (*check_entry)(const struct contract *contract, struct slice key, struct slice value,
                       struct reason *why);
    /* For kinds that let in whoever proves a right to write; NULL for all others. Every entry has
     * the trailer then, whatever the parameters. Does this entry, which passed check_entry, prove
     * that its author may write? The answer is the entry's own: state (may be NULL) and proofs only
     * spare checking again what was found true before. ERR_BAD_STATE with the reason. */
    int (*prove)(const struct contract *contract, const struct state_reader *state,
                 struct proofs *proofs, struct slice key, struct slice value, struct reason *why);
    /* For kinds whose entries are dated by their authors' clocks; NULL for all others. What a node
     * asks of its own clients, never of what it merges. 1 and *stamp when the bytes alone show an
     * entry of this kind, in the contract of that key, that is dated after `latest` and need not
     * be; 0 when it may be dated so; ERR_NOT_FOUND when it is none of this kind. */
    int (*dated)(const struct contract_key *contract, struct slice key, struct slice value,
                 uint64_t latest, uint64_t *stamp);
    /* Total order on the inner values of one key: <0, 0, >0; 0 only for equal bytes. */
    int (*compare)(struct slice a, struct slice b);
    /* Tells what the caps exclude of the merged state; NULL when nothing ever is. */
    int (*settle)(const struct contract *contract, const struct state_reader *merged,
                  struct drops *drops);
    /* Appends to delta the inner entries that carry out the verb on this state; nothing when there
     * is nothing to do. Any order will do, and of a key given twice the last counts: kind_edit
     * sorts. Operands are checked here: ERR_BAD_REQUEST, ERR_TOO_LARGE. */
    int (*edit)(const struct contract *contract, const struct state_reader *state,
                const struct editor *editor, const struct edit_verb *verb,
                const struct slice *operands, size_t count, struct buffer *delta,
                struct reason *why);
    /* Tells the ranges of keys that `edit` looks at with these operands. */
    int (*reads)(const struct contract *contract, const struct editor *editor,
                 const struct edit_verb *verb, const struct slice *operands, size_t count,
                 range_fn *range, void *self, struct reason *why);
    /* view_items for this kind; entries come through view_next, which checks them. */
    int (*view)(const struct contract *contract, struct slice state, view_fn *item, void *self,
                struct reason *why);
};

/* All kinds, NULL-terminated; the table a new kind gets its row in. */
extern const struct kind *const kinds[];

/* The kind of that name, or NULL. */
const struct kind *kind_find(struct slice name);

/* EDIT: finds the verb in the contract's kind, checks the number of operands, builds the delta.
 * On a contract with listed writers the delta is unsigned: sign it with writers_sign.
 * ERR_BAD_REQUEST, ERR_BAD_KIND (the kind has no such verb; why lists those it has), ERR_TOO_LARGE,
 * or an error of the reader. */
MUST_USE int kind_edit(const struct contract *contract, const struct state_reader *state,
                       const struct editor *editor, struct slice verb, const struct slice *operands,
                       size_t count, struct buffer *delta, struct reason *why);

/* Appends entries that stand in any order as a delta: in key order, of a key given twice the last.
 * ERR_NO_MEMORY. */
MUST_USE int entries_sort(struct slice entries, struct buffer *delta);

/* The same, but of a key given more than once the value that is the greatest byte by byte: of a
 * room's register (its values begin with stamp and id) the newest. */
MUST_USE int entries_sort_greatest(struct slice entries, struct buffer *delta);

/* Tells the ranges of entry keys that kind_edit would look at, so that who edits from afar (a
 * signing client) fetches those alone and not the state. Errors as kind_edit, or what range
 * returned. */
MUST_USE int kind_edit_ranges(const struct contract *contract, const struct editor *editor,
                              struct slice verb, const struct slice *operands, size_t count,
                              range_fn *range, void *self, struct reason *why);

/* For kinds: byte order as `compare`; hybrid logical clocks (48 bits of ms, 16 of counter; Kulkarni
 * et al. 2014): the stamp of an edit made at now_ms on top of the greatest stamp seen. */
int compare_bytes(struct slice a, struct slice b);
uint64_t clock_stamp(uint64_t now_ms, uint64_t seen);

/* Stamps and sequence numbers run from 1 to this, so that one more never wraps. */
#define STAMP_MAX ((uint64_t)INT64_MAX)

/* Is this a legal stamp or sequence number? ERR_BAD_STATE otherwise. */
MUST_USE int stamp_check(uint64_t stamp, struct reason *why);

/* The next one, or ERR_BAD_REQUEST when someone has used them up: clock_stamp for clocks … */
MUST_USE int stamp_next(uint64_t now_ms, uint64_t seen, uint64_t *stamp, struct reason *why);

/* … and seen + 1 for sequence numbers (the same with a clock that stands at 0). */
MUST_USE static inline int sequence_next(uint64_t seen, uint64_t *next, struct reason *why)
{
    return stamp_next(0, seen, next, why);
}

/* ERR_TOO_LARGE for an inner value of that many bytes that would be over ENTRY_VALUE_BYTES_MAX with
 * its trailer. */
MUST_USE int edit_check_value(const struct contract *contract, size_t inner_bytes,
                              struct reason *why);

enum { CLOCK_TICKS_A_MS = 1 << 16 };

static inline uint64_t clock_ms(uint64_t stamp)
{
    return stamp / CLOCK_TICKS_A_MS;
}

#endif
