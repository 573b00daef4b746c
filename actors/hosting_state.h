/* hosting_state: what a hosting_t is, for the files that make it up.
 *
 *   hosting.c           the actor: peers that come and go, time
 *   hosting_stored.c    storage's answers
 *   hosting_requests.c  what operations here want
 *   hosting_feed.c      whom a contract takes its feed from
 *   hosting_joined.c    what that one answers
 *   hosting_children.c  who takes it from here, and the copies that the root asks for
 *   hosting_evict.c     what goes when the store fills */
#ifndef WEIR_ACTORS_HOSTING_STATE_H
#define WEIR_ACTORS_HOSTING_STATE_H

#include "actors/holding.h"
#include "actors/hosting.h"
#include "actors/moves.h"

struct hosting {
    struct ring_view view;
    struct moves moves; /* who is about to be live under another number */
    struct holding_table table;
    bool networked; /* knows, or has known, of other nodes */
    uint64_t refresh_at_ms;
};

/* --- hosting.c --- */

/* Tells subscribe whether the peer is to be told of changes. reading (may be NULL) knows kind and
 * params. */
void hosting_follow(const struct holding *row, peer_t number, bool on,
                    const struct reading *reading, struct outbox *out);

/* Nodes that hold it, this one included, as far as is known. */
uint32_t hosting_count(const hosting_t *self, const struct holding *row);

/* Does anybody want this contract to be here? And would this node, if no child asked for it? */
bool hosting_wants(const struct holding *row);
bool hosting_wants_itself(const struct holding *row);

/* Is this node the nearest to the contract that it knows live? */
bool hosting_is_root(const hosting_t *self, const struct holding *row);

/* --- hosting_stored.c --- */

/* Asks storage what it has of the contract; hosting_feed and hosting_children go on with it. */
void hosting_ask(hosting_t *self, struct holding *row, struct outbox *out);

/* Makes the contract here, empty, as kind and params in the mail say (taken over). False, and the
 * sender blamed, when they are not the key's. */
bool hosting_create(struct holding *row, struct peer_mail *mail, struct slice kind,
                    struct slice params, struct outbox *out);

void stored_on_about_done(hosting_t *self, struct request *about, struct now now,
                          struct outbox *out);
void stored_on_created(hosting_t *self, const struct request *put, struct now now,
                       struct outbox *out);
void stored_on_held(hosting_t *self, struct holdings *held, struct now now, struct outbox *out);

/* Asks for all that is stored, once. */
void stored_list(hosting_t *self, struct outbox *out);

/* --- hosting_requests.c --- */

/* Answers HOST requests that wait for this row: all with code; or, with 0, those that have waited
 * for no more than is so now, and those whose time is up. */
void hosting_answer(hosting_t *self, struct holding *row, int code, const char *why, struct now now,
                    struct outbox *out);

void requests_on_host(hosting_t *self, struct request *request, struct now now, struct outbox *out);
void requests_on_kept(hosting_t *self, const struct watch *kept, struct now now,
                      struct outbox *out);
void requests_on_needed(hosting_t *self, const struct watch *needed);

/* --- hosting_feed.c --- */

/* Takes the feed from the best live peer now, or becomes the root. */
void feed_choose(hosting_t *self, struct holding *row, struct now now, struct outbox *out);

/* Storage has told what it has (presence is set): what waited for that goes on. */
void feed_on_about(hosting_t *self, struct holding *row, const struct reading *reading,
                   struct now now, struct outbox *out);

/* Goes away from the feed, politely when it is still there. */
void feed_leave(hosting_t *self, struct holding *row, struct outbox *out);

/* The feed sent us away, did not answer or could not sync: not it, for a while. */
void feed_failed(hosting_t *self, struct holding *row, struct now now, struct outbox *out);

/* It is there: when it was given up, that is forgotten. False: it was not. */
bool feed_may_be_asked(struct holding *row, peer_t number);

/* The feed's connection is gone. */
void feed_gone(hosting_t *self, struct holding *row, struct now now, struct outbox *out);

/* The row is due. */
void feed_on_due(hosting_t *self, struct holding *row, struct now now, struct outbox *out);

/* --- hosting_joined.c --- */

void feed_on_joined(hosting_t *self, struct peer_mail *mail, struct now now, struct outbox *out);

/* The contract was made here, as JOINED told or otherwise. */
void feed_on_created(hosting_t *self, struct holding *row, struct now now, struct outbox *out);
void feed_on_synced(hosting_t *self, const struct sync_order *synced, struct now now,
                    struct outbox *out);
void feed_on_stray(hosting_t *self, const struct sync_order *stray, struct outbox *out);

/* A damaged copy is equal with a whole one: storage is told. */
void feed_healed(hosting_t *self, struct holding *row, struct outbox *out);

/* What was found when the two were compared is not so any more: a refresh, or another feed. */
void hosting_compare_anew(struct holding *row);

/* Begins a sync of this contract with the peer. False without memory. */
bool feed_sync_with(const struct holding *row, peer_t number, struct outbox *out);

/* --- hosting_children.c --- */

void children_on_join(hosting_t *self, struct peer_mail *mail, struct now now, struct outbox *out);
void children_on_leave(hosting_t *self, const struct peer_mail *mail, struct now now,
                       struct outbox *out);
void children_on_filled(hosting_t *self, const struct sync_order *filled, struct now now,
                        struct outbox *out);
void children_on_host(hosting_t *self, const struct peer_mail *mail, struct now now,
                      struct outbox *out);

/* JOINED to those who ask, now that the contract is here. */
void children_answer(hosting_t *self, struct holding *row, const struct reading *reading,
                     struct now now, struct outbox *out);
/* … or that it is not to be had. */
void children_refuse(struct holding *row, int code, struct outbox *out);
/* NOT_FOUND to those whose JOIN has come as far as it may. */
void children_refuse_spent(struct holding *row, struct outbox *out);

/* The root sees to it that its nearest peers keep copies; who is not the root takes that back. */
void children_place(hosting_t *self, struct holding *row, struct outbox *out);

/* Asks again those that were asked for a copy and do not take the feed from here. */
void children_remind(const hosting_t *self, const struct holding *row, struct outbox *out);

/* Copies that are known to be complete, of those that the root asked for. */
uint32_t children_copies(const struct holding *row);
uint32_t children_copies_wanted(const hosting_t *self);

/* --- hosting_evict.c --- */

/* The store fills: begins to drop contracts that nobody needs here. */
void evict_begin(hosting_t *self, struct now now, struct outbox *out);

/* The feed has answered a JOIN of a row that is leaving: goes, if the feed has all that is here. */
void evict_on_joined(hosting_t *self, struct holding *row, const struct peer_joined *joined,
                     struct outbox *out);

/* Drops what was made here, was never filled, and has nobody left to fill it: an empty state would
 * be read as if it were the contract's. */
void evict_hollow(struct holding *row, struct outbox *out);

void evict_on_dropped(hosting_t *self, const struct request *dropped, struct now now,
                      struct outbox *out);

#endif
