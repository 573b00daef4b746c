/* mutate: mutations that know what states are made of. libFuzzer's own, which know bytes, seldom
 * get past the sizes in front of keys and values. A target names its form of input in a
 * LLVMFuzzerCustomMutator of its own, made of these. What they draw they draw from the seed that
 * libFuzzer gives, so a run can be repeated. */
#ifndef FUZZ_MUTATE_H
#define FUZZ_MUTATE_H

#include "contracts/state.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed);

/* libFuzzer's mutations of bytes, in place; the new size. (replay.c has some of its own.) */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max);

/* splitmix64 (Steele, Lea, Flood 2014). */
struct draws {
    uint64_t state;
};
uint64_t draw_u64(struct draws *self);
uint64_t draw_below(struct draws *self, uint64_t count); /* 0 … count - 1 */

/* Appends entries as a correct writer makes them, on top of a state. Borrowed slices. */
typedef void(write_fn)(struct draws *draws, const struct contract *contract, struct slice state,
                       struct buffer *out);

/* A write_fn of the contract's verbs, by one of three replicas. */
void write_edit(struct draws *draws, const struct contract *contract, struct slice state,
                struct buffer *out);

/* A write_fn of a room's records, by its owner and two who were invited; whoever they are, the
 * contract's owner is room_owner (). */
void write_room(struct draws *draws, const struct contract *contract, struct slice state,
                struct buffer *out);
const uint8_t *room_owner(void);

/* Changes a list of entries: drops, repeats, moves, joins halves of two, changes a key or a value,
 * adds what `write` writes (NULL: nothing), sorts. What is no entry stays at the end. The new size,
 * at most size_max. */
size_t mutate_entries(struct draws *draws, const struct contract *contract, write_fn *write,
                      uint8_t *list, size_t size, size_t size_max);

#endif
