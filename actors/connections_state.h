/* connections_state: what a connections_t is, for the files that make it up.
 *
 *   connections.c           the actor: what opens, closes and is heard
 *   connections_link.c      the steps of one connection
 *   connections_choice.c    which connection is kept
 *   connections_life.c      pings, what a close means for the next dial, blame
 *   connections_silence.c   who says nothing though it was told something
 *   connections_requests.c  what operators ask: CONNECT, DISCONNECT
 *   connections_shown.c     PEERS and its matrix
 *   ring_upkeep.c           whom this node wants, and dials
 *   ring_hearsay.c          what others tell of peers
 *   ring_gossip.c           NEIGHBOURS
 *   ring_routes.c           CONNECT and ACCEPT: joining, far links
 *   ring_memory.c           what is written down for the next run
 *   peers.c                 the table */
#ifndef WEIR_ACTORS_CONNECTIONS_STATE_H
#define WEIR_ACTORS_CONNECTIONS_STATE_H

#include "actors/connections.h"
#include "actors/peers.h"

/* What a CONNECT of this node's own looks for. */
enum route_purpose { ROUTE_of_others, ROUTE_own_place, ROUTE_far };

/* A CONNECT that was sent on and has no answer yet. */
struct route {
    uint64_t tx;        /* this node's */
    uint64_t tx_before; /* of whom it came from */
    peer_t from, to;    /* from 0: this node's own */
    enum route_purpose purpose;
    uint64_t until_ms;
};

/* An operator's CONNECT or matrix that waits. */
struct node_request {
    struct request *request; /* owned; NULL: free */
    struct node_id id;       /* CONNECT: of whom */
    bool under_way;          /* … it was before this request came */
    uint64_t tx;             /* matrix: of MATRIX_ASK; 0: a CONNECT */
    uint64_t until_ms;
    void *matrix; /* json_t: owned rows */
    peer_t *waits_for;
    size_t waits_count;
};

struct connections {
    struct node_id id;
    bool can_be_dialled, alone;
    char address[PEER_ADDRESS_BYTES_MAX + 1];
    uint8_t role;
    size_t peers_max;
    void *remember_for;
    void (*remember)(void *remember_for, const struct peer_node *nodes, size_t count);

    struct peers peers;
    struct ring_view view; /* the live ones */
    uint64_t random;
    peer_t last_number; /* given to a dial */
    uint64_t last_tx;
    size_t pinned_count;

    uint64_t wake_ms;    /* for tick */
    uint64_t life_ms;    /* connections are looked at then */
    uint64_t forgive_ms; /* and who is refused for a while */
    uint64_t plan_ms;    /* whom to want, and whom to dial, is looked at then; 0: at once */
    uint64_t news_ms, tell_ms, join_ms, far_ms, remember_ms; /* NEVER: not set */
    uint64_t join_pause_ms, far_pause_ms, remembered_ms;
    bool live_changed;       /* since gossip last looked */
    bool remembering;        /* what is worth remembering may have changed */
    uint64_t remembered_sum; /* a sum over what was given last */

    struct route routes[ROUTES_MAX];
    size_t route_count;
    struct node_request requests[NODE_REQUESTS_MAX];

    struct peers_report counters;
};

/* tick is to be called at that time, or before. */
static inline void connections_wake(connections_t *self, uint64_t at_ms)
{
    if (at_ms < self->wake_ms)
        self->wake_ms = at_ms;
}

/* Pings and connections that wait are to be looked at at that time, or before. */
static inline void connections_look(connections_t *self, uint64_t at_ms)
{
    if (at_ms < self->life_ms)
        self->life_ms = at_ms;
    connections_wake(self, at_ms);
}

/* Whom to want is to be looked at, now. */
static inline void connections_replan(connections_t *self)
{
    self->plan_ms = 0;
    self->wake_ms = 0;
}

/* This node's id is the lower one: its dial is the one that is kept (lesson D1). */
static inline bool is_lower(const connections_t *self, const struct peer *peer)
{
    return memcmp(self->id.bytes, peer->id.bytes, sizeof self->id.bytes) < 0;
}

static inline bool is_reserved(const struct peer *peer)
{
    return peer->gateway || peer->pinned;
}

/* --- connections.c, connections_link.c --- */

/* ADMIT or HANG_UP for transport. */
void connections_order(struct outbox *out, enum message_kind kind, peer_t number,
                       enum close_reason reason, const char *why);

/* Does what proto/peer_state.h says of this event; link may be gone after it. why may be NULL. */
void connections_step(connections_t *self, struct link *link, enum peer_event event,
                      enum close_reason reason, const char *why, struct now now,
                      struct outbox *out);

/* Begins a connection to the peer's address. */
void connections_dial(connections_t *self, struct peer *peer, struct now now, struct outbox *out);

uint64_t connections_random(connections_t *self);
uint64_t connections_jitter(connections_t *self, uint64_t ms); /* a quarter more or less */

/* --- connections_choice.c --- */

/* Who it is has been proved: is it kept? */
void connections_decide(connections_t *self, struct link *link, struct now now, struct outbox *out);

/* Decides on a connection that waits, if it is time to. */
void connections_settle(connections_t *self, struct peer *peer, struct now now, struct outbox *out);

/* Is there a slot for one more of this peer's sort? (lesson D8) */
bool connections_room(const connections_t *self, const struct peer *peer);

/* --- connections_life.c --- */

/* Pings, the dead, connections that wait. */
void life_tick(connections_t *self, struct now now, struct outbox *out);
void life_ping(struct peer *peer, struct link *link, struct now now, struct outbox *out);
void life_pong(connections_t *self, struct link *link, const struct peer_pong *pong, struct now now,
               struct outbox *out);

/* The link's end, or the end of an attempt: when is the peer to be dialled again? */
void life_ended(connections_t *self, struct peer *peer, enum close_reason reason,
                enum peer_state before, uint64_t lived_ms, struct now now);

/* It broke a rule; too often and it is hung up on and refused for a while. */
void life_blame(connections_t *self, struct peer *peer, const char *why, struct now now,
                struct outbox *out);
void life_shun(connections_t *self, struct peer *peer, enum close_reason reason, const char *why,
               struct now now, struct outbox *out);

/* --- connections_silence.c --- */

/* Asks for a sign of life: a ping. */
void silence_ask(const struct link *link, struct now now, struct outbox *out);

/* Is the peer of a live connection silent, or is it heard again? To be asked while it is watched.
 */
void silence_look(connections_t *self, struct link *link, struct now now, struct outbox *out);

/* A peer gets no word of this node: does this one? */
void silence_told(connections_t *self, const struct peer_doubt *doubted, struct now now,
                  struct outbox *out);

/* --- connections_requests.c --- */

void asks_take(connections_t *self, struct request *request, struct now now, struct outbox *out);
void asks_admitted(connections_t *self, struct peer *peer);
/* The peer has answered over a live connection: both ends keep it. */
void asks_live(connections_t *self, const struct peer *peer, struct outbox *out);
/* No connection to it is under way any more. */
void asks_failed(connections_t *self, const struct peer *peer, enum close_reason reason,
                 const char *why, struct outbox *out);
void asks_tick(connections_t *self, uint64_t now_ms, struct outbox *out);
void asks_free(connections_t *self);

/* A place for a request that waits, or NULL; frees what it has but the request. */
struct node_request *asks_free_place(connections_t *self);
void asks_clear_place(struct node_request *place);

/* Answers with JSON (given away; NULL: no memory). */
struct json_t;
void asks_reply(struct request *request, struct json_t *json, struct outbox *out);
struct json_t *asks_id_text(const uint8_t id[NODE_ID_BYTES]); /* a new string */

/* --- connections_shown.c --- */

void shown_peers(connections_t *self, struct request *request, uint64_t now_ms, struct outbox *out);
void shown_ask_matrix(connections_t *self, struct request *request, struct now now,
                      struct outbox *out);
/* Answers with the rows that came. */
void shown_matrix(connections_t *self, struct node_request *place, struct outbox *out);
void shown_gone(connections_t *self, peer_t number, struct outbox *out);
void shown_on_matrix_ask(connections_t *self, const struct peer_mail *mail, struct outbox *out);
void shown_on_matrix(connections_t *self, const struct peer_mail *mail, struct outbox *out);

/* --- ring_upkeep.c --- */

void upkeep_tick(connections_t *self, struct now now, struct outbox *out);

/* Looks anew at whom to want: sets `want` of every peer. */
void upkeep_choose(connections_t *self, uint64_t now_ms);

/* All nodes that this one knows of, or nearly, fit among its peers. In larger networks they come
 * and go by themselves, and every further attempt makes others go. */
bool upkeep_is_small(const connections_t *self);

/* --- ring_hearsay.c --- */

/* One more peer to know, told by others or by a former run. NULL: it is of no use. */
struct peer *hearsay_note(connections_t *self, const struct peer_node *node, uint64_t now_ms);

/* The last attempt failed: a place that only others told of, and where it is not, is not tried
 * again until it is told anew. True: that was a second one, which says nothing of the peer. */
bool hearsay_failed(struct peer *peer, enum close_reason reason);

/* Ends the pause of a peer that others told of since it was last tried. Returns when it may, if it
 * is too early (not often, so that nobody can make this node dial and dial), else NEVER. */
uint64_t hearsay_heed(const connections_t *self, struct peer *peer, uint64_t now_ms);

/* It failed so often that others take its place; it may still be redialled. */
bool peer_is_lost(const struct peer *peer);

/* --- ring_memory.c --- */

void memory_tick(connections_t *self, uint64_t now_ms);

/* Gives what is worth remembering to whoever asked for it. */
void memory_keep(connections_t *self);

/* --- ring_gossip.c --- */

void gossip_tick(connections_t *self, struct now now, struct outbox *out);
void gossip_neighbours(connections_t *self, const struct peer_mail *mail, struct now now,
                       struct outbox *out);
void gossip_gone(connections_t *self, struct peer *peer);

/* The live peer at this index of the view. */
struct peer *gossip_live_at(const connections_t *self, size_t index);
/* The encoding of a peer, as others are told of it. False: it failed. */
bool gossip_append_node(const struct peer *peer, struct buffer *out);

/* --- ring_routes.c --- */

void routes_tick(connections_t *self, struct now now, struct outbox *out);
void routes_connect(connections_t *self, const struct peer_mail *mail, struct now now,
                    struct outbox *out);
void routes_accept(connections_t *self, const struct peer_mail *mail, struct now now,
                   struct outbox *out);
void routes_gone(connections_t *self, struct peer *peer, peer_t number, struct outbox *out);

#endif
