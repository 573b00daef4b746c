/* chat_room: one room in the chat: followed at the node, its messages in a flow, what of it was not
 * read, and what was written and waits.
 *
 *   IDLE ──follow──▶ ASKED ──STATE──▶ FOLLOWED
 *    ▲                 │ ENDED           │ ENDED
 *    └──a while later──┴─────────────────┘
 *
 * A room that no node has is made there by the first send; then it is followed. What cannot be sent
 * stays in the room's queue, and is sent when the node is reached. */
#ifndef WEIR_CLIENT_CHAT_ROOM_H
#define WEIR_CLIENT_CHAT_ROOM_H

#include "client/chat_flow.h"
#include "client/chat_waiting.h"
#include "client/clock.h"
#include "client/room_book.h"
#include "client/room_names.h"

enum chat_room_state { CHAT_ROOM_IDLE, CHAT_ROOM_ASKED, CHAT_ROOM_FOLLOWED };

struct chat_room {
    weir_t *w;         /* borrowed */
    weir_room_t *room; /* owned */
    chat_flow_t *flow;
    char name[ROOM_BOOK_NAME]; /* in the book */
    enum chat_room_state state;
    uint64_t try_at_ms; /* not followed: when to ask again */
    char trouble[256];  /* why it is not followed, or what the node refused; "" */
    bool refused;       /* trouble is what the node refused */
    bool held_up;       /* trouble is why what waits was not taken yet */
    bool is_nowhere;    /* no node has it: the first send makes it */
    bool shown;         /* it is the one on the screen */
    bool is_new;        /* entered in this run: not named after itself yet, nor `me` in it */
    bool keeps_name;    /* is_new, but the book had it before under this name */
    bool is_makeshift;  /* the name stands for the room's own one until that is known */
    bool leaving;       /* goes once nothing waits */
    size_t sending;
    struct chat_waiting waiting;
    size_t unread, mentions;
    uint8_t read[WEIR_SPOT_BYTES]; /* zeros: nothing */
    bool read_moved;               /* since it was last saved */
    uint64_t ahead_until_ms; /* when the next message is not ahead of now any more; 0: none is */
    uint64_t share_at_ms;    /* private rooms: when to look for members without a key */
    struct buffer draft;     /* what was being written here */
    room_names_t *names;     /* what people are called */
    enum weir_room_standing standing; /* of `me` */
    struct chat_reaction *reactions;
    size_t reaction_room;
    struct chat_room *next_gone;
    bool changed; /* something of it is to be drawn */
};

/* Takes the room over, also when it fails. *self is new. ERR_NO_MEMORY. */
MUST_USE int chat_room_new(weir_t *w, weir_room_t *room, const struct room_book_entry *entry,
                           struct chat_room **self);
/* Ends all that it does, before its weir_t goes; after that one is gone, its memory. */
void chat_room_close(struct chat_room *self);
void chat_room_destroy(struct chat_room **self);

/* Follows, sends, shares keys: what there is to do now. */
void chat_room_tick(struct chat_room *self, uint64_t now_ms, bool connected);

/* After something was queued: sends it if there is a node. `spot` and `text` of a message that is
 * shown as waiting until the node has it (else NULL). */
void chat_room_queued(struct chat_room *self, const uint8_t *spot, const uint8_t *reply_to,
                      struct slice text, bool connected);

/* Bytes that wait for the node. */
bool chat_room_has_waiting(const struct chat_room *self);

/* It is on the screen now, with the rule above what is new; or no more. */
void chat_room_show(struct chat_room *self, bool shown);
/* What is on the screen was read. */
void chat_room_read(struct chat_room *self);

/* What a person is called here (client/room_names.h). Lives until the node is heard of again. */
struct slice chat_room_name(const struct chat_room *self, const uint8_t *key);
/* Why nobody sees what `me` writes here; "": they do. */
const char *chat_room_why_out(const struct chat_room *self);
/* A colour that stays the person's. */
unsigned chat_room_colour(const uint8_t *key);

/* Does a text have the name in it, as a word, in either case? */
bool chat_room_mentions(struct slice text, struct slice name);

/* --- between chat_room.c and chat_reading.c ------------------------------------------------ */

/* The flow's chat_flow_fn; arg is the room. */
void chat_room_message(void *arg, const uint8_t *spot, struct chat_message *message);
void chat_room_renew_people(struct chat_room *self); /* names, and how `me` stands */
void chat_room_count_unread(struct chat_room *self);
#endif
