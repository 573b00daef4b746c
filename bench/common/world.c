#include "bench/common/world.h"

#include "bench/common/clock.h"
#include "bench/common/die.h"
#include "contracts/entries.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void key_of(struct slice params, struct contract_key *key)
{
    struct contract contract;
    struct reason why;
    if (contract_init(&contract, slice_text("map"), params, &why))
        die("contract_init: %s", why.text);
    *key = contract.key;
}

void world_init(struct world *self, uint32_t objects, size_t value_bytes, uint32_t batch,
                const char *map_name)
{
    *self = (struct world){.objects = objects, .value_bytes = value_bytes, .batch = batch};
    self->random = now_ns() | 1;
    put_u64(self->replica, random_next(&self->random));
    self->noise = malloc(value_bytes);
    if (!self->noise)
        die("no memory for a value");
    for (size_t i = 0; i < value_bytes; i++)
        self->noise[i] = (uint8_t)random_next(&self->random);
    entry_append(&self->map_params, slice_text("name"), slice_text(map_name));
    key_of(buffer_slice(&self->map_params), &self->map);
}

void world_contract_params(struct buffer *out, uint32_t number)
{
    char name[32];
    snprintf(name, sizeof name, "bench-%" PRIu32, number);
    entry_append(out, slice_text("name"), slice_text(name));
}

void world_name_contracts(struct world *self)
{
    struct buffer params = {0};
    self->contracts = calloc(self->objects, sizeof *self->contracts);
    if (!self->contracts)
        die("no memory for %" PRIu32 " keys", self->objects);
    for (uint32_t i = 0; i < self->objects; i++) {
        buffer_clear(&params);
        world_contract_params(&params, i);
        key_of(buffer_slice(&params), &self->contracts[i]);
    }
    buffer_free(&params);
}

void world_free(struct world *self)
{
    buffer_free(&self->map_params);
    free(self->contracts);
    free(self->noise);
}

struct slice world_value(struct world *self)
{
    uint8_t change[8];
    put_u64(change, random_next(&self->random));
    memcpy(self->noise, change, self->value_bytes < 8 ? self->value_bytes : 8);
    return slice_of(self->noise, self->value_bytes);
}

static uint64_t next_stamp(struct world *self)
{
    uint64_t now = clock_of(CLOCK_REALTIME_COARSE) / 1000000u << 16;
    self->stamp = now > self->stamp ? now : self->stamp + 1;
    return self->stamp;
}

void world_entry(struct world *self, uint32_t field, struct buffer *out)
{
    char name[16];
    snprintf(name, sizeof name, "%0*" PRIu32, WORLD_NAME_BYTES, field);
    buffer_append_u8(out, WORLD_NAME_BYTES);
    buffer_append(out, name, WORLD_NAME_BYTES);
    buffer_append_u32(out, (uint32_t)(8 + sizeof self->replica + 1 + self->value_bytes));
    buffer_append_u64(out, next_stamp(self));
    buffer_append(out, self->replica, sizeof self->replica);
    buffer_append_u8(out, 1);
    buffer_append_slice(out, world_value(self));
}

size_t world_entry_bytes(const struct world *self)
{
    return ENTRY_OVERHEAD + WORLD_NAME_BYTES + 8 + sizeof self->replica + 1 + self->value_bytes;
}
