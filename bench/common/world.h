/* world: the objects that the load works on, the same for both servers.
 *
 *   weir: contracts of the kind map, `bench-N`, with one field each; and one map with many fields.
 *   Redis: keys `key:N`, for contracts and fields alike.
 *
 * A value is value_bytes of noise whose first 8 bytes change from request to request. */
#ifndef WEIR_BENCH_WORLD_H
#define WEIR_BENCH_WORLD_H

#include "base/buffer.h"
#include "contracts/contract.h"

enum { WORLD_NAME_BYTES = 8 }; /* a field's name: its number, 8 digits, so that all are one size */

struct world {
    uint32_t objects; /* fields of the map, or contracts */
    size_t value_bytes;
    uint32_t batch; /* fields that one OP_FILL writes */
    struct contract_key map;
    struct buffer map_params;
    struct contract_key *contracts; /* objects of them, where an op needs them; else NULL */
    uint8_t *noise;
    uint64_t random;
    uint64_t stamp; /* of the last value: ms << 16 and a counter, always growing */
    uint8_t replica[8];
};

void world_init(struct world *self, uint32_t objects, size_t value_bytes, uint32_t batch,
                const char *map_name);
/* Computes the contracts' keys (for weir; Redis needs none). */
void world_name_contracts(struct world *self);
void world_free(struct world *self);

/* Appends the parameters of the contract `bench-N`. */
void world_contract_params(struct buffer *out, uint32_t number);

/* value_bytes, other ones at each call; valid until the next. */
struct slice world_value(struct world *self);

/* Appends the map entry of a field with a new value (docs/protocol.md, kind map): stamp, replica,
 * tag 1 for "has a value", the value. */
void world_entry(struct world *self, uint32_t field, struct buffer *out);
size_t world_entry_bytes(const struct world *self);

#endif
