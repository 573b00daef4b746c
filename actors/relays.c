#include "actors/relays.h"

#include "base/hash.h"

#include <assert.h>
#include <stdlib.h>

struct asker_count {
    peer_t asker;
    uint32_t open;
    UT_hash_handle hh;
};

const char *const relay_state_names[RELAY_STATE_COUNT] = {
#define S(state, then, waits) #state,
    RELAY_STATES(S)
#undef S
};

static const uint32_t follows[RELAY_STATE_COUNT] = {
#define THEN(state)           (1u << RELAY_##state)
#define S(state, then, waits) (then),
    RELAY_STATES(S)
#undef S
#undef THEN
};

bool relay_may_follow(enum relay_state from, enum relay_state to)
{
    return follows[from] >> to & 1u;
}

void relay_move(struct relay *self, enum relay_state state)
{
    assert(relay_may_follow(self->state, state));
    self->state = state;
}

/* --- the table --------------------------------------------------------------------------- */

void relays_init(struct relays *self, uint32_t life)
{
    *self = (struct relays){.deadline_ms = NEVER, .first_generation = life};
}

void relays_free(struct relays *self)
{
    for (uint32_t i = 0; i < self->capacity; i++)
        if (self->rows[i])
            relays_close(self, self->rows[i]);
    free(self->rows);
    free(self->generations);
    free(self->free);
    relays_init(self, self->first_generation);
}

/* All three arrays, or none of them counts. */
static bool grow(struct relays *self)
{
    uint32_t capacity = self->capacity ? self->capacity * 2 : 64;
    if (capacity > 2 * (OPEN_MAX + RELAYS_MAX))
        return false;
    struct relay **rows = (struct relay **)realloc(self->rows, capacity * sizeof(struct relay *));
    if (rows)
        self->rows = rows;
    uint32_t *generations = (uint32_t *)realloc(self->generations, capacity * sizeof(uint32_t));
    if (generations)
        self->generations = generations;
    uint32_t *list = (uint32_t *)realloc(self->free, capacity * sizeof(uint32_t));
    if (list)
        self->free = list;
    if (!rows || !generations || !list)
        return false;
    for (uint32_t i = capacity; i-- > self->capacity;) {
        rows[i] = NULL;
        generations[i] = self->first_generation;
        list[self->free_count++] = i;
    }
    self->capacity = capacity;
    return true;
}

/* Counts one row more of this asker. False past its cap, the cap of all, or without memory. */
static bool count_asker(struct relays *self, peer_t asker)
{
    struct asker_count *row;
    if (self->of_peers == RELAYS_MAX)
        return false;
    HASH_FIND(hh, self->counts, &asker, sizeof asker, row);
    if (!row) {
        row = (struct asker_count *)calloc(1, sizeof *row);
        if (!row)
            return false;
        row->asker = asker;
        HASH_ADD(hh, self->counts, asker, sizeof row->asker, row);
        if (!HASH_TOOK(hh, row)) {
            free(row);
            return false;
        }
    }
    if (row->open == RELAYS_A_PEER_MAX)
        return false;
    row->open++;
    self->of_peers++;
    return true;
}

static void uncount_asker(struct relays *self, peer_t asker)
{
    struct asker_count *row;
    HASH_FIND(hh, self->counts, &asker, sizeof asker, row);
    self->of_peers--;
    if (row && --row->open == 0) {
        HASH_DEL(self->counts, row);
        free(row);
    }
}

void relays_asker_moves(struct relays *self, struct relay *relay, peer_t to)
{
    if (!count_asker(self, to))
        return; /* its answer is lost */
    uncount_asker(self, relay->asker);
    relay->asker = to;
}

struct relay *relays_open(struct relays *self, peer_t asker, const struct contract_key *key,
                          uint64_t deadline_ms, enum relay_state state)
{
    if (self->free_count == 0 && !grow(self))
        return NULL;
    struct relay *row = (struct relay *)calloc(1, sizeof *row);
    if (!row || (asker && !count_asker(self, asker))) {
        free(row);
        return NULL;
    }
    uint32_t at = self->free[--self->free_count];
    self->rows[at] = row;
    row->number = (uint64_t)++self->generations[at] << 32 | at;
    row->state = state;
    row->key = *key;
    row->place = ring_place_of_contract(key->bytes);
    row->deadline_ms = deadline_ms;
    row->give_up_ms = NEVER;
    row->asker = asker;
    if (deadline_ms < self->deadline_ms)
        self->deadline_ms = deadline_ms;
    return row;
}

void relays_close(struct relays *self, struct relay *relay)
{
    uint32_t at = (uint32_t)relay->number;
    struct message *request = relay->request ? &relay->request->head : NULL;
    struct message *walk = relay->walk ? &relay->walk->head : NULL;
    message_free(&request);
    message_free(&walk);
    mail_free(&relay->waiting);
    mail_free(&relay->passed);
    if (relay->asker)
        uncount_asker(self, relay->asker);
    self->rows[at] = NULL;
    self->free[self->free_count++] = at;
    if (self->free_count == self->capacity)
        self->deadline_ms = NEVER;
    free(relay);
}

struct relay *relays_find(const struct relays *self, uint64_t number)
{
    uint32_t at = (uint32_t)number;
    if (at >= self->capacity || !self->rows[at] || self->rows[at]->number != number)
        return NULL;
    return self->rows[at];
}

struct relay *relays_each(const struct relays *self, uint32_t *at)
{
    while (*at < self->capacity) {
        struct relay *row = self->rows[(*at)++];
        if (row)
            return row;
    }
    return NULL;
}

void relays_give_up_at(struct relays *self, struct relay *relay, uint64_t ms)
{
    relay->give_up_ms = ms;
    if (ms < self->deadline_ms)
        self->deadline_ms = ms;
}

/* The earliest deadline is not kept exactly when rows close; looking for it once it has passed is
 * rare, since deadlines are seconds away. */
struct relay *relays_expired(struct relays *self, uint64_t now_ms)
{
    uint64_t earliest = NEVER;
    uint32_t at = 0;
    if (now_ms < self->deadline_ms)
        return NULL;
    for (struct relay *row = relays_each(self, &at); row; row = relays_each(self, &at)) {
        uint64_t due = row->give_up_ms < row->deadline_ms ? row->give_up_ms : row->deadline_ms;
        if (due <= now_ms)
            return row;
        if (due < earliest)
            earliest = due;
    }
    self->deadline_ms = earliest;
    return NULL;
}

/* --- the way to the key ------------------------------------------------------------------ */

static bool was_tried(const struct relay *self, peer_t number)
{
    return number == self->asker || ring_is_among(number, self->tried, self->tried_count);
}

/* The nearest live peer that was not tried, nearer than this node or not. */
static peer_t next_beside(const struct relay *self, const struct ring_view *ring)
{
    const struct ring_peer *nearest[RELAY_TRIES_MAX + 2];
    size_t count = ring_nearest(ring, self->place, nearest, sizeof nearest / sizeof nearest[0]);
    for (size_t i = 0; i < count; i++)
        if (!was_tried(self, nearest[i]->number))
            return nearest[i]->number;
    return 0;
}

peer_t relay_next(struct relay *self, const struct ring_view *ring)
{
    peer_t excluded[RELAY_TRIES_MAX + 1];
    peer_t next = 0;
    size_t most = RELAY_TRIES_MAX - (self->beside ? 0 : RELAY_BESIDE_MAX);
    if (self->beside && self->beside_count == RELAY_BESIDE_MAX)
        return 0;
    if (self->tried_count >= most)
        return 0;
    memcpy(excluded, self->tried, sizeof self->tried);
    excluded[self->tried_count] = self->asker; /* 0 is nobody's number */
    if (self->beside) {
        next = next_beside(self, ring);
        self->beside_count++;
    } else {
        size_t count = self->tried_count + 1;
        const struct ring_peer *peer = ring_next_heard(ring, self->place, excluded, count);
        if (!peer)
            peer = ring_next(ring, self->place, excluded, count);
        next = peer ? peer->number : 0;
    }
    if (next)
        self->tried[self->tried_count++] = next;
    return next;
}

_Static_assert(RELAY_TRIES_MAX <= 8, "unanswered has a bit for each");

bool relay_asked_moves(struct relay *self, peer_t from, peer_t to)
{
    size_t at = 0;
    while (at < self->tried_count && self->tried[at] != from)
        at++;
    if (at == self->tried_count)
        return false;
    uint8_t bit = (uint8_t)(1u << at);
    bool waited = self->state == RELAY_asking && (self->asked == from || self->unanswered & bit);
    self->tried[at] = to;
    self->unanswered = (uint8_t)(waited ? self->unanswered | bit : self->unanswered & ~bit);
    if (waited && self->asked == from)
        self->asked = to;
    return waited;
}

uint8_t relay_unanswered_by(const struct relay *self, peer_t peer)
{
    for (size_t i = 0; i < self->tried_count; i++)
        if (self->tried[i] == peer)
            return (uint8_t)(self->unanswered & 1u << i);
    return 0;
}

uint64_t relay_patience_ms(const struct relay *self)
{
    uint64_t ms = self->asker ? RELAY_PATIENCE_MS / 2 : RELAY_PATIENCE_MS;
    ms += self->sent_bytes / RELAY_SLOW_BYTES_A_MS;
    return ms << (__builtin_popcount(self->unanswered) - 1);
}

bool relay_is_out(struct relay *self, peer_t peer, int code, const char *why)
{
    peer_t asked = self->asked;
    self->unanswered &= (uint8_t)~relay_unanswered_by(self, peer);
    relay_failed(self, code, why);
    if (!asked || asked == peer)
        return false;
    self->asked = asked;
    return true;
}

void relay_failed(struct relay *self, int code, const char *why)
{
    self->asked = 0;
    if (self->code == 0 || self->code == ERR_NOT_FOUND || code != ERR_NOT_FOUND)
        self->code = fail(&self->why, code, "%s", why);
}

uint32_t relay_left_ms(const struct relay *self, uint64_t now_ms)
{
    uint64_t left = self->deadline_ms > now_ms ? self->deadline_ms - now_ms : 0;
    return (uint32_t)(left > 2 * RELAY_MARGIN_MS ? left - RELAY_MARGIN_MS : left / 2);
}
