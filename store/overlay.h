/* overlay: what was merged and is not in LMDB yet. Contracts with their header as it is now, and
 * their changed entries in key order; values are slices into the log records that carried them,
 * each held as long as it is needed.
 *
 * One overlay is live: the storage thread changes it. One may be frozen: nobody changes it, so the
 * storage and the checkpoint thread read it both; reading changes nothing in here.
 *
 * Items are put in and replaced, never taken out: an entry that settle dropped is an entry without
 * a value, which hides what lies below. A contract that was dropped is one that is gone, and over
 * all that lies below; made again, it is over it still. */
#ifndef WEIR_STORE_OVERLAY_H
#define WEIR_STORE_OVERLAY_H

#include "store/arena.h"
#include "store/hash.h"
#include "store/store.h"

#include <bsd/sys/tree.h>

struct overlay_contract;

struct overlay_entry {
    RB_ENTRY(overlay_entry) link;
    struct overlay_contract *owner;
    struct blob *record;        /* held; key and value point into it */
    const uint8_t *key, *value; /* value NULL: dropped */
    uint32_t value_bytes;
    uint8_t key_bytes;
    uint64_t seq; /* of the record */
};

RB_HEAD(overlay_entries, overlay_entry);

struct overlay_contract {
    struct held held;
    size_t at;            /* in the list */
    bool is_new;          /* no layer below has it, or it is over what they have */
    bool over;            /* hides the layers below: they have what was dropped */
    bool gone;            /* dropped, and not made again */
    uint64_t base_count;  /* entries that the layers below have */
    uint64_t created_seq; /* of its first record, 0 when that was before this start of the node */
    struct overlay_entries entries;
};

struct overlay {
    struct hash contracts, entries;
    struct arena arena;
    uint64_t seed;
    uint64_t entry_count;
    size_t bytes;                   /* of records, and of what is kept per contract and entry */
    struct overlay_contract **list; /* all contracts, in no order */
    size_t list_capacity;
};

/* seed: secret, so that nobody can choose keys that collide. NULL without memory. */
struct overlay *overlay_new(uint64_t seed);
void overlay_destroy(struct overlay **self);

/* By the first half of the key, as in LMDB: the caller compares the whole. NULL: none. */
struct overlay_contract *overlay_find(const struct overlay *self, const struct contract_key *key);

/* Makes sure that a change of n entries, and of a new contract with that many bytes of parameters,
 * can be put in without failing. False without memory. */
bool overlay_reserve(struct overlay *self, size_t n, size_t params_bytes);

/* A contract's place, with its own copy of the parameters and nothing else filled in. After
 * overlay_reserve. */
struct overlay_contract *overlay_add(struct overlay *self, const struct contract *contract);

/* The same, in the place of a contract whose key begins like this one's; what the former has is no
 * longer found, and stays in memory as long as the overlay. `over` is set. */
struct overlay_contract *overlay_replace(struct overlay *self, struct overlay_contract *former,
                                         const struct contract *contract);

/* Puts an entry in, or replaces it. key and value (data NULL: dropped) stand in record, which gets
 * one holder more. After overlay_reserve. */
void overlay_put(struct overlay *self, struct overlay_contract *contract, struct slice key,
                 struct slice value, struct blob *record, uint64_t seq);

/* The entry with that key; the least with key >= from (past: > from); the next. NULL: none. */
const struct overlay_entry *overlay_get(const struct overlay *self,
                                        const struct overlay_contract *contract, struct slice key);
const struct overlay_entry *overlay_seek(const struct overlay_contract *contract, struct slice from,
                                         bool past);
const struct overlay_entry *overlay_following(const struct overlay_entry *entry);

static inline struct slice overlay_key(const struct overlay_entry *entry)
{
    return slice_of(entry->key, entry->key_bytes);
}

static inline struct slice overlay_value(const struct overlay_entry *entry)
{
    return slice_of(entry->value, entry->value_bytes);
}

#endif
