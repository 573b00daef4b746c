/* actor: a message handler in a thin shell. What an actor is to the runner and to a test: functions
 * that take a message and the time, change the actor's own state, and put messages in the outbox.
 * No handler calls a clock, blocks, or touches another actor's state. */
#ifndef WEIR_ACTORS_ACTOR_H
#define WEIR_ACTORS_ACTOR_H

#include "actors/messages.h"

struct now {
    uint64_t ms;      /* monotonic: deadlines */
    uint64_t wall_ms; /* Unix time: stamps of edits */
    uint64_t us;      /* monotonic: round trips */
};

#define NEVER UINT64_MAX

struct outbox {
    struct mail mail;
    enum actor_id from; /* whose turn it is; set by the host */
};

/* Puts message (given away) on its way. */
void send_to(struct outbox *out, enum actor_id to, enum message_kind kind, struct message *message);

/* WATCH to storage, NEEDED or KEPT to hosting. Without memory nothing is sent: who should have
 * heard finds out by itself later, if at all. */
void send_watch(struct outbox *out, enum actor_id to, enum message_kind kind,
                const struct contract_key *key, bool on);

struct actor_spec {
    enum actor_id id;
    /* One message, given to the handler. */
    void (*receive)(void *self, struct message *message, struct now now, struct outbox *out);
    /* When tick wants to be called, on the ms clock; 0: as soon as others had their turn. NULL:
     * never. */
    uint64_t (*deadline_ms)(const void *self);
    void (*tick)(void *self, struct now now, struct outbox *out);
    /* After a turn's messages were handled, once: what was gathered goes out. NULL: nothing
     * gathers. */
    void (*turn_end)(void *self, struct now now, struct outbox *out);
    /* Edges only, at most one a worker: a descriptor that is readable when there is input, polled
     * beside the inbox (-1: none), and its reader: takes a bounded number of what waits there;
     * false when nothing did. */
    int (*descriptor)(const void *self);
    bool (*wants_input)(const void *self);
    bool (*pump)(void *self, struct now now, struct outbox *out);
};

#endif
