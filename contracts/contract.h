/* contract: what a state belongs to. Kind and parameters make the key; the same two are the same
 * contract anywhere.
 *
 * Parameters are entries (contracts/entries.h) name → value, so that they too have one encoding:
 *   name     any text, ≤ NAME_BYTES_MAX: tells contracts of one kind apart
 *   writers  Ed25519 public keys, 32 bytes each, ascending, none twice, 1..WRITERS_MAX
 *   newest   (log) u64 big-endian: keep the newest N; (room) at most N entries, the newest messages
 *   owner    (room) Ed25519 public key, 32 bytes
 *   salt     (room) 16 bytes: tells the rooms of one owner apart
 * A kind refuses names that it does not know. */
#ifndef WEIR_CONTRACTS_CONTRACT_H
#define WEIR_CONTRACTS_CONTRACT_H

#include "base/errors.h"
#include "base/limits.h"
#include "base/slice.h"

enum { CONTRACT_KEY_BYTES = 32, WRITER_KEY_BYTES = 32, ROOM_SALT_BYTES = 16 };

struct contract_key {
    uint8_t bytes[CONTRACT_KEY_BYTES];
};

struct kind;

struct contract {
    struct contract_key key;
    const struct kind *kind;
    struct slice params;  /* canonical bytes; borrowed, see contract_init */
    struct slice writers; /* inside params; empty: anyone may write */
    uint64_t newest;      /* log, room; UINT64_MAX: all */
    const uint8_t *owner; /* room: inside params; else NULL */
};

/* Reads kind and params, checks them and computes the key. The contract borrows params, which must
 * outlive it. ERR_BAD_KIND, ERR_BAD_PARAMS with a sentence; self is untouched then. */
MUST_USE int contract_init(struct contract *self, struct slice kind_name, struct slice params,
                           struct reason *why);

/* The same contract over a copy of its params, which it borrows from then on: all that stands
 * inside the params moves with them. */
struct contract contract_with_params(const struct contract *self, const uint8_t *params);

/* One parameter's value, empty when it is absent. Borrows from params. */
struct slice contract_param(const struct contract *self, const char *name);

/* Entries carry a writer and a signature: it has listed writers, or a kind that lets anyone in who
 * proves a right to write (room). */
bool contract_signed(const struct contract *self);

/* May this key sign entries? Where the kind asks for a proof, each key may; the proof is looked at
 * entry by entry. */
bool contract_has_writer(const struct contract *self, const uint8_t writer[WRITER_KEY_BYTES]);

#endif
