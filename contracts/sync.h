/* sync: set reconciliation by ranges between two holders of a contract. Pure: bodies in, bodies and
 * entries out; who carries them, and how often to try again, is the caller's.
 *
 *   A                                          B
 *   sync_walk_begin      ── body ──────────→   sync_walk_answer
 *   merge, then answer   ←── entries, body ──
 *                        ── entries, body ─→   merge, then answer
 *                        …                     until a side has nothing to say (an empty body)
 *
 * Both sides do the same: a range whose sums are equal needs no word; one that differs is split
 * into finer ranges by who has many entries there, or listed, hash by hash, by who has few; against
 * a list, one sends the entries that are not on it and asks for those that one has not. What is
 * sent is in proportion to the difference, times the logarithm of the state. (Range-Based Set
 * Reconciliation, Meyer 2022; docs/decisions/0013-sync-by-ranges.md. Bytes: contracts/sync_body.h
 * and docs/protocol.md.)
 *
 * An entry's hash is BLAKE2b-128 of its encoding under a key made from the salt, a range's sum is
 * theirs mod 2^128, a list has their first 8 bytes. A plain sum of 128 bits would be forgeable by
 * whoever may write (Wagner's k-list attack; the fingerprint is 2048 bits wide for that reason).
 * Here the salt is 16 fresh random bytes, chosen when the sync begins and thus after the entries
 * were written: to who wrote them the hashes are random numbers, and a difference in a range stays
 * unseen with 2^-128, one in a pair of lists with 32·32·2^-64. (A far side that picks the salt to
 * its liking hides from us only what it could as well have kept to itself.) What is missed all the
 * same shows in the fingerprints afterwards, and another sync has another salt.
 *
 * A sync ends: each answer to a range is a split by the answerer's own entries (at least three
 * ways), a list, wants or nothing, so no range of either side is looked at more often than its
 * entries can be split. A body is bounded (SYNC_BODY_BYTES_MAX): what did not fit is one ASK for
 * the rest of the key space, and the ranges before it are through. Against a far side that makes
 * things up, the work of a walk is bounded by the own entries and the items of one body; the caller
 * bounds the walks. */
#ifndef WEIR_CONTRACTS_SYNC_H
#define WEIR_CONTRACTS_SYNC_H

#include "contracts/kind.h"

enum { SYNC_SALT_BYTES = 16 };

/* Reads one incoming body against the own state and makes the answer; resumable, since a state may
 * have a million entries. */
typedef struct sync_walk sync_walk_t;

/* Who begins: there is no incoming body. The fingerprints are known to differ, so the opening body
 * is at once the state split, or listed when it is small. NULL without memory. */
sync_walk_t *sync_walk_begin(const uint8_t salt[SYNC_SALT_BYTES]);

/* Answers a body (copied). Merge the entries that came with it first: what is merged is not asked
 * for again. NULL and *rc: ERR_BAD_REQUEST (why: the fault) for bytes that are no body or over
 * SYNC_BODY_BYTES_MAX, ERR_NO_MEMORY. */
sync_walk_t *sync_walk_answer(const uint8_t salt[SYNC_SALT_BYTES], struct slice body, int *rc,
                              struct reason *why);

/* Everything from the first key to the last as entries, for who has nothing: the same loop. Its
 * body stays empty. NULL without memory. */
sync_walk_t *sync_walk_all(void);

/* Goes on for budget (at least 1) entries and items looked at; appends the entries that the far
 * side lacks to `entries`, keys ascending over all calls: a delta each time. 0: done,
 * sync_walk_body is complete. ERR_AGAIN: the budget is used up, or the next entry would take
 * `entries` over entries_bytes_max (a single larger one stands alone): take what is there, clear
 * it, call again. ERR_NO_MEMORY, or the reader's error: nothing to go on with. The state may change
 * between calls, as the walk remembers keys and borrows nothing; changes to what it has passed are
 * then for the usual deltas to tell. */
MUST_USE int sync_walk_step(sync_walk_t *self, const struct state_reader *state, size_t budget,
                            size_t entries_bytes_max, struct buffer *entries, struct reason *why);

/* The answer, once step returned 0; lives as long as the walk. Empty: this side has nothing more to
 * say, and the sync is over when the entries are merged. */
struct slice sync_walk_body(const sync_walk_t *self);

void sync_walk_destroy(sync_walk_t **self);

#endif
