#include "actors/holding.h"

#include <stdlib.h>
#include <utlist.h>

void holding_table_init(struct holding_table *self)
{
    *self = (struct holding_table){.next_ms = NEVER};
    self->abouts_last = &self->abouts;
}

/* --- shares ------------------------------------------------------------------------------ */

static struct holding_maker *maker_of(const struct holding_table *self, peer_t peer)
{
    struct holding_maker *maker;
    HASH_FIND(hh, self->makers, &peer, sizeof peer, maker);
    return maker;
}

/* Counts one row more. False past the share, or without memory. */
static bool count_row(struct holding_table *self, peer_t peer)
{
    struct holding_maker *maker = maker_of(self, peer);
    if (self->of_peers >= HOLDINGS_OF_PEERS_MAX || (maker && maker->rows >= HOLDINGS_A_PEER_MAX))
        return false;
    if (!maker) {
        maker = (struct holding_maker *)calloc(1, sizeof *maker);
        if (!maker)
            return false;
        maker->number = peer;
        HASH_ADD(hh, self->makers, number, sizeof maker->number, maker);
        if (!HASH_TOOK(hh, maker)) {
            free(maker);
            return false;
        }
    }
    maker->rows++;
    self->of_peers++;
    return true;
}

static void uncount_row(struct holding_table *self, struct holding *row)
{
    struct holding_maker *maker = row->maker ? maker_of(self, row->maker) : NULL;
    row->maker = 0;
    if (!maker)
        return;
    self->of_peers--;
    if (--maker->rows)
        return;
    HASH_DEL(self->makers, maker);
    free(maker);
}

/* --- the table --------------------------------------------------------------------------- */

static void free_row(struct holding *row)
{
    mail_free(&row->waiting);
    free(row->children);
    free(row);
}

void holding_table_free(struct holding_table *self)
{
    struct holding *row, *next;
    HASH_ITER (hh, self->rows, row, next) {
        uncount_row(self, row);
        HASH_DEL(self->rows, row);
        free_row(row);
    }
}

/* --- rows -------------------------------------------------------------------------------- */

struct holding *holding_find(const struct holding_table *self, const struct contract_key *key)
{
    struct holding *row;
    HASH_FIND(hh, self->rows, key, sizeof *key, row);
    return row;
}

static struct holding *make_row(struct holding_table *self, const struct contract_key *key)
{
    struct holding *row =
        HASH_COUNT(self->rows) < HOLDINGS_MAX ? (struct holding *)calloc(1, sizeof *row) : NULL;
    if (!row)
        return NULL;
    row->key = *key;
    row->place = ring_place_of_contract(key->bytes);
    row->due_ms = NEVER;
    HASH_ADD(hh, self->rows, key, sizeof row->key, row);
    if (HASH_TOOK(hh, row))
        return row;
    free(row);
    return NULL;
}

struct holding *holding_of(struct holding_table *self, const struct contract_key *key)
{
    struct holding *row = holding_find(self, key);
    if (row) {
        uncount_row(self, row); /* it is here for more than a peer's word now */
        return row;
    }
    return make_row(self, key);
}

struct holding *holding_for_peer(struct holding_table *self, const struct contract_key *key,
                                 peer_t peer)
{
    struct holding *row = holding_find(self, key);
    if (row)
        return row;
    struct holding counted = {.maker = peer};
    if (!count_row(self, peer)) {
        self->refused++;
        return NULL;
    }
    row = make_row(self, key);
    if (row)
        row->maker = peer;
    else
        uncount_row(self, &counted);
    return row;
}

void holding_is_stored(struct holding_table *self, struct holding *row)
{
    row->presence = PRESENCE_stored;
    uncount_row(self, row);
}

void holding_remove_idle(struct holding_table *self, struct holding *row)
{
    bool stored = row->presence == PRESENCE_stored && self->keeps_stored;
    if (stored || row->about_out || row->about_queued || row->creating || row->needed ||
        row->damaged || row->placed || row->children_count || row->waiting.first || row->feed)
        return;
    holding_not_due(self, row);
    uncount_row(self, row);
    if (self->refresh_next == row)
        self->refresh_next = (struct holding *)row->hh.next;
    HASH_DEL(self->rows, row);
    free_row(row);
}

void holding_due(struct holding_table *self, struct holding *row, uint64_t due_ms)
{
    if (row->due_ms == NEVER)
        DL_APPEND2(self->busy, row, busy_previous, busy_next);
    if (due_ms < row->due_ms)
        row->due_ms = due_ms;
    if (due_ms < self->next_ms)
        self->next_ms = due_ms;
}

void holding_not_due(struct holding_table *self, struct holding *row)
{
    if (row->due_ms == NEVER)
        return;
    row->due_ms = NEVER;
    DL_DELETE2(self->busy, row, busy_previous, busy_next);
}

struct child *holding_child(const struct holding *row, peer_t number)
{
    for (size_t i = 0; i < row->children_count; i++)
        if (row->children[i].number == number)
            return &row->children[i];
    return NULL;
}

struct child *holding_child_of(struct holding *row, peer_t number)
{
    struct child *child = holding_child(row, number);
    if (child)
        return child;
    if (row->children_count == row->children_capacity) {
        uint32_t capacity = row->children_capacity ? row->children_capacity * 2 : 4;
        struct child *children =
            (struct child *)realloc(row->children, capacity * sizeof *children);
        if (!children)
            return NULL;
        row->children = children;
        row->children_capacity = capacity;
    }
    child = &row->children[row->children_count++];
    *child = (struct child){.number = number};
    return child;
}

void holding_child_remove(struct holding *row, peer_t number)
{
    struct child *child = holding_child(row, number);
    if (child)
        *child = row->children[--row->children_count];
}
