/* list: contracts in key order, from the overlays and LMDB together. */
#include "store/store_state.h"

#include <stdlib.h>

static int by_key(const void *a, const void *b)
{
    const struct overlay_contract *x = *(struct overlay_contract *const *)a;
    const struct overlay_contract *y = *(struct overlay_contract *const *)b;
    return memcmp(x->held.contract.key.bytes, y->held.contract.key.bytes, CONTRACT_KEY_BYTES);
}

static void take(store_t *self, const struct overlay *overlay)
{
    size_t count = overlay ? overlay->contracts.count : 0;
    for (size_t i = 0; i < count; i++)
        if (!overlay->list[i]->gone)
            self->list[self->list_count++] = overlay->list[i];
}

/* Sorts the overlays' contracts anew when one came or went, or an overlay did. A contract may stand
 * there twice, which does not hurt. */
static int refresh(store_t *self, struct reason *why)
{
    if (self->list_valid)
        return 0;
    const struct overlay *frozen = store_frozen(self);
    size_t count = self->live->contracts.count + (frozen ? frozen->contracts.count : 0);
    struct overlay_contract **list = (struct overlay_contract **)realloc(
        self->list, (count + 1) * sizeof(struct overlay_contract *));
    if (!list)
        return fail(why, ERR_NO_MEMORY, "no memory to list the contracts");
    self->list = list;
    self->list_count = 0;
    take(self, self->live);
    take(self, frozen);
    qsort(self->list, self->list_count, sizeof(struct overlay_contract *), by_key);
    self->list_valid = true;
    return 0;
}

/* The first in the overlays behind *after, or NULL. */
static const struct contract_key *next_above(const store_t *self, const struct contract_key *after)
{
    size_t from = 0, to = self->list_count;
    while (after && from < to) {
        size_t middle = from + (to - from) / 2;
        const uint8_t *key = self->list[middle]->held.contract.key.bytes;
        if (memcmp(key, after->bytes, CONTRACT_KEY_BYTES) <= 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from < self->list_count ? &self->list[from]->held.contract.key : NULL;
}

/* The first in LMDB behind *after. */
static int next_stored(store_t *self, const struct contract_key *after, struct contract_key *key,
                       struct reason *why)
{
    struct state_key from = {.size = 0};
    struct header_record header;
    struct entry row;
    if (after)
        from = state_key_of(after, ROW_PAST, slice_of(NULL, 0));
    else
        from.bytes[from.size++] = 0; /* LMDB knows no empty key; every key is greater */
    int rc = reader_row(&self->reader, state_key_slice(&from), true, &row, why);
    if (rc == 0)
        rc = reader_decode_header(&self->reader, row, &header, why);
    if (rc == 0)
        memcpy(key->bytes, header.contract, CONTRACT_KEY_BYTES);
    return rc;
}

/* The first of any layer behind *after, which a layer above may hide. */
static int next_key(store_t *self, const struct contract_key *after, struct contract_key *key,
                    struct reason *why)
{
    int rc = next_stored(self, after, key, why);
    if (rc && rc != ERR_NOT_FOUND)
        return rc;
    const struct contract_key *above = next_above(self, after);
    if (rc && !above)
        return fail(why, ERR_NOT_FOUND, "there are no more contracts");
    if (above && (rc || memcmp(above->bytes, key->bytes, CONTRACT_KEY_BYTES) < 0))
        *key = *above;
    return 0;
}

int store_next(store_t *self, const struct contract_key *after, const struct held **held,
               struct reason *why)
{
    struct contract_key key;
    int rc = refresh(self, why);
    if (rc == 0)
        rc = next_key(self, after, &key, why);
    while (rc == 0) {
        layers_open(&self->view, self, &key);
        rc = layers_find(&self->view, held, why);
        if (rc != ERR_NOT_FOUND)
            break;
        struct contract_key dropped = key;
        rc = next_key(self, &dropped, &key, why);
    }
    return rc;
}
