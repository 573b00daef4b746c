#include "proto/ring.h"

#include <sodium/crypto_generichash.h>
#include <stdlib.h>
#include <string.h>

enum { NEVER_AN_INDEX = -1 };

/* BLAKE2b-64 over the label, with its terminator, and 32 bytes. */
static place_t hash_place(const char *label, const uint8_t bytes[32])
{
    uint8_t hash[crypto_generichash_BYTES];
    crypto_generichash_state state;
    place_t place = 0;
    (void)crypto_generichash_init(&state, NULL, 0, sizeof hash);
    (void)crypto_generichash_update(&state, (const uint8_t *)label, strlen(label) + 1);
    (void)crypto_generichash_update(&state, bytes, 32);
    (void)crypto_generichash_final(&state, hash, sizeof hash);
    for (size_t i = 0; i < sizeof place; i++)
        place = place << 8 | hash[i];
    return place;
}

place_t ring_place_of_node(const struct node_id *id)
{
    return hash_place("weir ring node", id->bytes);
}

place_t ring_place_of_contract(const uint8_t key[32])
{
    return hash_place("weir ring contract", key);
}

uint64_t ring_distance(place_t a, place_t b)
{
    uint64_t one_way = a - b, other_way = b - a;
    return one_way < other_way ? one_way : other_way;
}

bool ring_is_nearer(place_t to, const struct node_id *a, place_t a_place, const struct node_id *b,
                    place_t b_place)
{
    uint64_t of_a = ring_distance(to, a_place), of_b = ring_distance(to, b_place);
    if (of_a != of_b)
        return of_a < of_b;
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) < 0;
}

/* --- the live peers ---------------------------------------------------------------------- */

void ring_view_init(struct ring_view *self, const struct node_id *id)
{
    self->id = *id;
    self->place = ring_place_of_node(id);
}

void ring_view_free(struct ring_view *self)
{
    free(self->peers);
    self->peers = NULL;
    self->count = self->capacity = 0;
}

static long index_of(const struct ring_view *self, peer_t number)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->peers[i].number == number)
            return (long)i;
    return NEVER_AN_INDEX;
}

int ring_view_add(struct ring_view *self, peer_t number, const struct node_id *id, bool leaf)
{
    if (index_of(self, number) >= 0)
        return 0;
    if (self->count == self->capacity) {
        size_t capacity = self->capacity ? self->capacity * 2 : 16;
        struct ring_peer *peers =
            (struct ring_peer *)realloc(self->peers, capacity * sizeof *peers);
        if (!peers)
            return ERR_NO_MEMORY;
        self->peers = peers;
        self->capacity = capacity;
    }
    struct ring_peer added = {
        .number = number, .id = *id, .place = ring_place_of_node(id), .leaf = leaf};
    size_t at = self->count++;
    for (; at > 0 && self->peers[at - 1].place > added.place; at--)
        self->peers[at] = self->peers[at - 1];
    self->peers[at] = added;
    return 0;
}

void ring_view_remove(struct ring_view *self, peer_t number)
{
    long at = index_of(self, number);
    if (at < 0)
        return;
    self->count--;
    memmove(self->peers + at, self->peers + at + 1,
            (self->count - (size_t)at) * sizeof *self->peers);
}

const struct ring_peer *ring_view_find(const struct ring_view *self, peer_t number)
{
    long at = index_of(self, number);
    return at < 0 ? NULL : &self->peers[at];
}

void ring_view_silence(struct ring_view *self, peer_t number, bool silent)
{
    long at = index_of(self, number);
    if (at >= 0)
        self->peers[at].silent = silent;
}

bool ring_is_among(peer_t number, const peer_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (numbers[i] == number)
            return true;
    return false;
}

static bool is_before(place_t to, const struct ring_peer *a, const struct ring_peer *b)
{
    if (a->leaf != b->leaf)
        return b->leaf;
    return ring_is_nearer(to, &a->id, a->place, &b->id, b->place);
}

static struct ring_peer own_of(const struct ring_view *self)
{
    return (struct ring_peer){.id = self->id, .place = self->place, .leaf = self->leaf};
}

static const struct ring_peer *next_of(const struct ring_view *self, place_t to,
                                       const peer_t *excluded, size_t count, bool silent_too)
{
    const struct ring_peer own = own_of(self), *best = NULL;
    for (size_t i = 0; i < self->count; i++) {
        const struct ring_peer *p = &self->peers[i];
        if (is_before(to, p, best ? best : &own) && (silent_too || !p->silent) &&
            !ring_is_among(p->number, excluded, count))
            best = p;
    }
    return best;
}

const struct ring_peer *ring_next(const struct ring_view *self, place_t to, const peer_t *excluded,
                                  size_t excluded_count)
{
    return next_of(self, to, excluded, excluded_count, true);
}

const struct ring_peer *ring_next_heard(const struct ring_view *self, place_t to,
                                        const peer_t *excluded, size_t excluded_count)
{
    return next_of(self, to, excluded, excluded_count, false);
}

bool ring_view_is_nearer(const struct ring_view *self, place_t to, const struct ring_peer *peer)
{
    const struct ring_peer own = own_of(self);
    return is_before(to, &own, peer);
}

size_t ring_nearest(const struct ring_view *self, place_t to, const struct ring_peer **peers,
                    size_t most)
{
    size_t count = 0;
    for (size_t i = 0; most && i < self->count; i++) {
        const struct ring_peer *p = &self->peers[i];
        if (count == most && !is_before(to, p, peers[most - 1]))
            continue;
        size_t at = count < most ? count++ : most - 1;
        for (; at > 0 && is_before(to, p, peers[at - 1]); at--)
            peers[at] = peers[at - 1];
        peers[at] = p;
    }
    return count;
}

/* --- far links --------------------------------------------------------------------------- */

enum { FRACTION_BITS = 16 };

/* log2 of x >= 1 with FRACTION_BITS behind the point, digit by digit: squaring the mantissa doubles
 * its logarithm. (This room has no libm.) */
static uint64_t log2_of(uint64_t x)
{
    unsigned whole = 63u - (unsigned)__builtin_clzll(x);
    uint64_t mantissa = whole > 31 ? x >> (whole - 31) : x << (31 - whole); /* [2^31, 2^32) */
    uint64_t result = whole;
    for (int i = 0; i < FRACTION_BITS; i++) {
        mantissa = mantissa * mantissa >> 31;
        result <<= 1;
        if (mantissa >> 32) {
            mantissa >>= 1;
            result |= 1;
        }
    }
    return result;
}

/* 2^63 / 2^(x / 2^FRACTION_BITS). */
static uint64_t half_circle_over_exp2(uint64_t x)
{
    /* 2^32 * 2^(-1/2), 2^(-1/4), 2^(-1/8), … */
    static const uint32_t roots[FRACTION_BITS] = {
        0xb504f333u, 0xd744fccau, 0xeac0c6e7u, 0xf5257d15u, 0xfa83b2dbu, 0xfd3e0c0cu,
        0xfe9e115cu, 0xff4ecb59u, 0xffa75652u, 0xffd3a751u, 0xffe9d2b2u, 0xfff4e91bu,
        0xfffa747eu, 0xfffd3a3bu, 0xfffe9d1cu, 0xffff4e8eu};
    uint64_t whole = x >> FRACTION_BITS;
    uint64_t value = whole > 62 ? 1 : (uint64_t)1 << (63 - whole);
    for (int i = 0; i < FRACTION_BITS; i++)
        if (x >> (FRACTION_BITS - 1 - i) & 1)
            value = (value >> 32) * roots[i] + ((value & UINT32_MAX) * roots[i] >> 32);
    return value ? value : 1;
}

/* 1/distance is uniform in the logarithm of the distance, between the average gap of two nodes and
 * half the circle. */
place_t ring_far_place(place_t own, uint64_t random, uint64_t nodes)
{
    uint64_t octaves = log2_of(nodes < 4 ? 4 : nodes) - (1u << FRACTION_BITS);
    uint64_t share = random >> 32; /* the upper half for how far, the last bit for the side */
    uint64_t distance = half_circle_over_exp2(octaves * share >> 32);
    return random & 1 ? own + distance : own - distance;
}

uint64_t ring_guess_nodes(place_t own, const place_t *nearest, size_t count)
{
    uint64_t after = 0, before = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t clockwise = nearest[i] - own, counter = own - nearest[i];
        if (clockwise < counter)
            after = clockwise > after ? clockwise : after;
        else
            before = counter > before ? counter : before;
    }
    if (count == 0)
        return 1;
    uint64_t gap = after / count + before / count;
    uint64_t guess = UINT64_MAX / (gap ? gap : 1);
    return guess < count + 1 ? count + 1 : guess;
}
