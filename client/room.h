/* room: what a weir_room_t is inside, shared by the files of libweir's rooms and seen by nobody
 * else.
 *
 *   room_words, room_people, room_keys    what is written: checked, dated, signed, queued
 *          │ room_begin … room_end
 *   room_queue    what is queued, and who is who when that is taken: `ahead`
 *          │ room_pending
 *   room_node     sends it; follows
 *          │ room_take
 *   room_take     the view kept up, keys opened, the clock moved, direct messages opened
 *          │
 *   room_look, room_find                  what is asked
 */
#ifndef WEIR_CLIENT_ROOM_H
#define WEIR_CLIENT_ROOM_H

#include "client/handle.h"
#include "client/room_code.h"
#include "client/weir_room.h"
#include "contracts/room_view.h"
#include "contracts/room_write.h"

/* A delta on its way to the node; the request owns it. */
struct room_sending {
    weir_room_t *room; /* NULL: it is gone */
    struct room_sending *next;
    struct buffer delta;
    bool put; /* else an UPDATE */
    weir_done_fn *done;
    void *arg;
};

/* The first answer that weir_room_follow_async waits for; the request owns it. */
struct room_asking {
    weir_room_t *room; /* NULL: it is gone, or wants none */
};

/* An invitation by which one came. */
struct room_invitation {
    uint8_t *seed; /* ROOM_SEED_BYTES, sodium_malloc */
    uint8_t key[WRITER_KEY_BYTES];
};

struct room_held_key {
    uint8_t id[ROOM_KEY_ID_BYTES], key[ROOM_KEY_BYTES];
};

/* A direct message from or to `me`, copied. */
struct room_letter {
    struct weir_room_direct_message shown;
    bool opens;
    uint8_t spot[ROOM_SPOT_BYTES], author[WRITER_KEY_BYTES], recipient[WRITER_KEY_BYTES];
    struct buffer text;
};

struct weir_room {
    weir_contract_t *contract;
    const weir_signer_t *me;
    struct buffer chain; /* from the owner to `me`; the owner's is empty */
    struct room_invitation invitations[ROOM_SEEDS_MAX]; /* the last one first; then before it */
    size_t invitation_count;
    bool said_private; /* by who created it, or the invitation: holds until a configuration comes */
    bool is_new;       /* created here, and on no node yet */
    bool joins;        /* came by an invitation, and did not leave since */
    int broken; /* the code of a view that ran out of memory: no use until a whole state comes */

    room_view_t *view;
    room_view_t *ahead; /* registers alone, with those that are pending; NULL: none are */
    bool ahead_stale;
    uint64_t seen; /* the greatest stamp that moves our clock */

    struct buffer queued;  /* entries as they were written */
    struct buffer pending; /* what weir_room_pending gave */
    struct room_sending *sending;

    struct room_held_key *keys;
    size_t key_count;
    struct room_letter **letters; /* by spot */
    size_t letter_count;
    const struct room_letter **opened; /* those that open */
    size_t opened_count;

    weir_t *followed_by;
    struct room_asking *asking;
    weir_room_fn *changed;
    void *changed_arg;
    struct reason reason;
};

static inline const struct contract *room_contract(const weir_room_t *self)
{
    return &self->contract->contract;
}

static inline bool room_same_key(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, WRITER_KEY_BYTES) == 0;
}

static inline bool room_same_id(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, ROOM_KEY_ID_BYTES) == 0;
}

static inline bool room_is_owner(const weir_room_t *self)
{
    return room_same_key(room_contract(self)->owner, self->me->public_key);
}

static inline bool room_is_timed(struct slice key)
{
    return key.data[0] == ROOM_MESSAGE || key.data[0] == ROOM_DIRECT;
}

/* --- room_queue.c ---------------------------------------------------------------------------- */

/* A write: what is queued between begin and end is queued whole, or not at all. */
struct room_writing {
    struct room_author author;
    size_t mark;
    /* Who is who once all that is pending was taken; until more is queued. */
    const room_view_t *now;
    bool becomes_private; /* by the configuration that is being written */
};

/* Begins a write by a member; where nothing tells that `me` is one (the state is not here, or what
 * said so was lost) it is queued first. ERR_DENIED, ERR_BUSY, ERR_NO_MEMORY. After it, in any case,
 * room_end, which takes back what was queued when rc is an error, and returns rc. */
MUST_USE int room_begin(weir_room_t *self, struct room_writing *write);
int room_end(weir_room_t *self, const struct room_writing *write, int rc);

/* All of a write: room_begin, what `queue` checks and queues with its arg, room_end. Its rc. */
typedef int room_queue_fn(weir_room_t *self, struct room_writing *write, const void *arg);
MUST_USE int room_write(weir_room_t *self, room_queue_fn *queue, const void *arg);

/* Where an entry of before says that who joins had left, dated by a clock that was ahead: joins
 * again, after it. ERR_NO_MEMORY. */
MUST_USE int room_join_again(weir_room_t *self);

/* Who was a member before it joined does not come now: the message that says so is queued no more.
 * ERR_NO_MEMORY. */
MUST_USE int room_drop_second_join(weir_room_t *self);

/* What has been queued since counts for write->now from here on. ERR_NO_MEMORY. */
MUST_USE int room_renew(weir_room_t *self, struct room_writing *write);

/* Who is who once all that is pending was taken. Borrowed until more is queued or taken. */
MUST_USE int room_now(weir_room_t *self, const room_view_t **now);

/* The entry of a register in a view; its parts a and b (NULL: none) stand behind the section. */
bool room_register(const weir_room_t *self, const room_view_t *view, enum room_section section,
                   struct slice a, struct slice b, struct room_record *record);

/* Is it dated further ahead of now than a node takes? */
bool room_is_ahead(uint64_t stamp);

/* The stamp of what is written now: after all that was seen, and after `after`. ERR_DENIED when
 * that is too far ahead. */
MUST_USE int room_stamp(weir_room_t *self, uint64_t after, uint64_t *stamp);

/* The stamp for a register's next entry. */
MUST_USE int room_register_stamp(weir_room_t *self, const struct room_writing *write,
                                 enum room_section section, struct slice a, struct slice b,
                                 uint64_t *stamp);

/* Moves our clock, unless the stamp is too far ahead of now. */
void room_see_stamp(weir_room_t *self, uint64_t stamp);

/* Queues that `me` is a member, or has left. */
MUST_USE int room_queue_member(weir_room_t *self, struct room_writing *write, bool here);
/* Queues one of the contents that need neither target nor text. */
MUST_USE int room_queue_plain(weir_room_t *self, struct room_writing *write,
                              enum room_content content);

/* Appends all that is pending as a delta; what is on its way is part of it. */
MUST_USE int room_pending(const weir_room_t *self, struct buffer *delta);

/* Takes an entry that is pending, the first from `at` on; false at the end. *at moves on. */
struct room_pending_walk {
    const struct room_sending *sending;
    struct slice rest;
    bool in_queue;
};
struct room_pending_walk room_pending_walk(const weir_room_t *self);
bool room_pending_next(const weir_room_t *self, struct room_pending_walk *walk,
                       struct entry *entry);

/* --- room_words.c ---------------------------------------------------------------------------- */

/* A text to be written: sealed where the room is private. */
struct room_saying {
    struct room_words words;
    uint8_t nonce[ROOM_NONCE_BYTES];
};

/* ERR_BAD_REQUEST: no UTF-8. ERR_TOO_LARGE: over `max` bytes. ERR_DENIED: no key to seal with. */
MUST_USE int room_words(weir_room_t *self, const struct room_writing *write, struct weir_bytes text,
                        size_t max, const char *what, struct room_saying *saying);

/* --- room_keys.c ----------------------------------------------------------------------------- */

/* Is the room private in this view, or was it said to be, where no configuration is known yet? */
bool room_is_private(const weir_room_t *self, const room_view_t *view);

/* The key of that id, NULL when it is not held. */
const uint8_t *room_held_key(const weir_room_t *self, const uint8_t *id);

/* The key to seal under, NULL when there is none, or it is not held. */
const uint8_t *room_sealing_key(const weir_room_t *self, const room_view_t *now);

/* Adds keys that are not held, side by side, to the ring and the view. ERR_NO_MEMORY. */
MUST_USE int room_hold_keys(weir_room_t *self, const uint8_t *keys, size_t count);

/* Has this member a copy of the key that cannot be a sham? */
bool room_received(const weir_room_t *self, const room_view_t *view, const uint8_t *key_id,
                   const uint8_t *member);

/* Opens what copies of keys the view has for `me` or its invitation, and queues what follows: own
 * copies that are missing, own names sealed under an older key. ERR_NO_MEMORY. */
MUST_USE int room_absorb_keys(weir_room_t *self);

/* Queues the own nickname, and the owner's configuration, where they are not sealed under the key
 * in use. */
MUST_USE int room_reseal(weir_room_t *self, struct room_writing *write);

/* Is all taken out of an invitation that it may be needed for? */
bool room_is_settled(const weir_room_t *self, const struct room_invitation *invitation);

/* --- room_copies.c --------------------------------------------------------------------------- */

/* Queues copies of one key, which is held, for these members, side by side, beside those that the
 * own entry has. */
MUST_USE int room_pass_on(weir_room_t *self, struct room_writing *write,
                          const struct room_grant *grant, const uint8_t *members, size_t count);

/* The same for the key in use. ERR_DENIED when it is not held. */
MUST_USE int room_queue_copies(weir_room_t *self, struct room_writing *write,
                               const uint8_t *members, size_t count);

/* Queues a new key for all members of write->now, who is renewed; it is used from then on. */
MUST_USE int room_queue_rotation(weir_room_t *self, struct room_writing *write);

/* ERR_NOT_FOUND while nothing of a room is here that was not made here: what is written on top of
 * what holds would take the place of what it is not on top of. */
MUST_USE int room_must_know(weir_room_t *self);

/* --- room_take.c ----------------------------------------------------------------------------- */

/* Takes a state or delta into the view. ERR_BAD_STATE, nothing is changed; ERR_NO_MEMORY. */
MUST_USE int room_take(weir_room_t *self, struct slice delta);

/* The same for a whole state, which a view that is broken is built anew from. */
MUST_USE int room_take_whole(weir_room_t *self, struct slice state);

/* Opens the direct messages that are new. ERR_NO_MEMORY. */
MUST_USE int room_open_letters(weir_room_t *self);
void room_free_letters(weir_room_t *self);

/* What a delta speaks of, for an event: spots side by side, sorted, each once. */
MUST_USE int room_delta_spots(const weir_room_t *self, struct slice delta, struct buffer *spots,
                              bool *people);

/* --- room_node.c ----------------------------------------------------------------------------- */

/* Requests under way have no room to tell from here on. */
void room_let_go(weir_room_t *self);

/* --- room_people.c --------------------------------------------------------------------------- */

/* The owner, or a moderator who is a member in this view. */
bool room_moderates(const weir_room_t *self, const room_view_t *view, const uint8_t *key);

/* Queues a nickname. */
MUST_USE int room_queue_nickname(weir_room_t *self, struct room_writing *write,
                                 struct weir_bytes name);

/* Queues a configuration: what holds now, changed by the settings. */
MUST_USE int room_queue_config(weir_room_t *self, struct room_writing *write,
                               const struct weir_room_settings *settings);

#endif
