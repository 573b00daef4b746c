/* peer_links: the table of connections that transport has, strangers included, found by the wire's
 * small integer and, once they have one, by their number; and the lists of those that want
 * something.
 *
 *   DIAL ▸ dialling ─ connected ▸ asking ─ answer ▸────────────┐
 *                                                            opened ─ ADMIT ▸ live ─┐
 *   accepted ▸ stranger ─ first message ▸ answered ─ record ▸──┘                    │
 *                                                                   leaving ◂ HANG_UP
 *
 * leaving: the goodbye is on its way, nothing else goes out or is handed on. */
#ifndef WEIR_ACTORS_PEER_LINKS_H
#define WEIR_ACTORS_PEER_LINKS_H

#include "actors/messages.h"
#include "actors/strangers.h"
#include "base/hash.h"
#include "proto/handshake.h"
#include "proto/lanes.h"
#include "proto/session.h"

enum link_state {
    LINK_dialling,
    LINK_asking,
    LINK_stranger,
    LINK_answered,
    LINK_opened,
    LINK_live,
    LINK_leaving,
    LINK_STATE_COUNT
};

/* A message on its way out. */
struct sending {
    struct lane_item item;  /* first */
    struct peer_send *tell; /* owned: to come back; NULL: nobody wants to know */
    uint64_t sealed_at;     /* sent when the link has written so many bytes */
};

#define LISTED(list) struct peer_link *list##_next, *list##_previous;

struct peer_link {
    peer_t number;  /* 0: a stranger */
    int connection; /* the wire's */
    enum link_state state;
    enum close_reason reason; /* leaving: what CLOSED will say */
    struct reason why;
    uint8_t prefix[PREFIX_BYTES];
    struct node_id id; /* dials: who it shall be */
    uint64_t deadline_ms;
    handshake_t *handshake; /* owned; until it is opened */
    session_t *session;     /* owned; from then on */
    struct peer_traffic *traffic;
    struct closed *closed; /* owned: made before its number is known to others, told at its end */

    struct buffer in;    /* bytes of the wire that are not a whole record yet, or wait */
    struct buffer first; /* plaintext of the first record, for ADMIT to hand on */
    struct owed *windows[LANE_COUNT];
    struct owed *unfinished;       /* counted: messages that are not whole yet … */
    uint64_t begun_ms[LANE_COUNT]; /* … since when there has been one; 0: there is none */
    uint64_t paused_ms;            /* paused: since then */
    struct lanes lanes;
    struct buffer out; /* sealed, not written; the first out_from bytes are */
    size_t out_from;
    uint64_t written;
    struct lane_item *told, **told_last; /* in records; tell when written */

    LISTED(ready)  /* something to read or to hand on */
    LISTED(unsent) /* something to write */
    LISTED(owing)  /* mail to be freed, for credit or to be read again */
    LISTED(timed)  /* has a deadline; oldest first */
    UT_hash_handle hh;
    bool ready_listed, unsent_listed, owing_listed, timed_listed;

    bool inbound;
    bool counted;  /* as a stranger */
    bool readable; /* the wire has more */
    bool stuffed;  /* control mail is not freed … */
    bool heavy;    /* … or its mail was most when that of all was too much: */
    bool paused;   /* not read */
    bool ended;    /* the far end closed; what is in `in` comes first */
    bool full;     /* the socket takes no more now */
    bool behind;   /* subscribe keeps its deltas: owes a CLIENT_READY */
    char remote[PEER_ADDRESS_BYTES_MAX + 1];
};

struct peer_links {
    struct peer_link **by_connection; /* owned; NULL where there is none */
    size_t connections, count;
    struct peer_link *by_number;
    struct peer_link *ready, *unsent, *owing, *timed;
};

/* A new link of a connection that has none. NULL without memory. */
struct peer_link *links_add(struct peer_links *self, int connection);
struct peer_link *links_find(const struct peer_links *self, peer_t number);
struct peer_link *links_of(const struct peer_links *self, int connection);
/* False without memory: it has none then. */
MUST_USE bool links_name(struct peer_links *self, struct peer_link *link, peer_t number);

/* Takes it out of the table and all lists, and frees it with all it owns but what it has to send
 * (see link_take_back). */
void links_remove(struct peer_links *self, struct peer_link **link);
void links_free(struct peer_links *self); /* no links are left */

/* Windows (counted in mail_of_all too), counters and lanes: what a link needs from its first record
 * on. ERR_NO_MEMORY. */
MUST_USE int link_equip(struct peer_link *self, struct owed *mail_of_all);

/* What it holds of messages that are not whole. */
void link_count_unfinished(struct peer_link *self, uint64_t bytes);

/* Bytes of its mail that are not freed. */
uint64_t link_mail(const struct peer_link *self);

/* All that was to be sent, and what was sent and not told yet: a chain of struct sending. */
struct lane_item *link_take_back(struct peer_link *self);

size_t link_unwritten(const struct peer_link *self); /* sealed bytes */

/* Sets the list membership; the end of the list. Nothing when it is so already. */
#define LIST_DECLARE(list)                                                                         \
    void links_##list(struct peer_links *self, struct peer_link *link, bool listed);
LIST_DECLARE(ready)
LIST_DECLARE(unsent)
LIST_DECLARE(owing)
LIST_DECLARE(timed)

/* The reason whose name stands before the colon of a goodbye; CLOSE_goodbye for any that is not a
 * peer's to give. */
enum close_reason goodbye_reason(struct slice text);

#endif
