/* weir_room.h: rooms, for apps on libweir: a group chat whose state is a contract of kind `room`.
 *
 *   weir_room_t *room;
 *   weir_room_join (invitation, me, &room, &why);        or _create, or _open from its card
 *   weir_room_follow (w, room, changed, NULL);           the view is kept up from now on
 *   weir_room_say (room, weir_text ("hello"), NULL);     queued …
 *   weir_room_send (w, room);                            … and sent
 *
 * A room handle is one identity's sight of one room: who it is (a signer and the invitations that
 * lead to it), the room keys that it can open, and the view: who is a member now, which messages
 * count, edits applied, reactions counted. The view is a pure function of the state, the same
 * everywhere, and kept up delta by delta.
 *
 * What is written is queued in the handle, signed and dated by the clock of this machine, and goes
 * to the node as one delta by weir_room_send. It is seen in the view when the node has taken it.
 * Without a node, weir_room_pending gives the bytes and weir_room_apply takes what came.
 *
 * Handles belong to one thread, as weir_t does. Bytes passed in are copied; what comes out borrows
 * from the room until its next call that is not a look (apply, send, follow's events inside
 * weir_step). Errors and conventions are those of weir.h. */
#ifndef WEIR_ROOM_H
#define WEIR_ROOM_H

#include "weir.h" /* beside it, where it is installed too */

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_SPOT_BYTES 28u /* a message's place in time, and its name */
#define WEIR_SPOT_TEXT  41u /* room for its name: 40 hexadecimal digits and their end */

typedef struct weir_room weir_room_t;

/* --- which room, and who looks --------------------------------------------------------------- */

/* NULL texts are empty, 0 takes the default. */
struct weir_room_settings {
    const char *name, *description; /* at most 100 and 500 bytes */
    int is_private;    /* 1: names and messages are sealed under a key of the members */
    unsigned messages; /* the newest shown; 1,000 */
    unsigned members, message_bytes, nickname_bytes, bans; /* 200; 4,000; 50; 200 */
    const uint8_t *moderators;                             /* keys of 32 bytes side by side */
    size_t moderator_count;
};

/* A new room owned by `me`, which must outlive the handle; its configuration is queued.
 * WEIR_BAD_REQUEST, WEIR_NO_MEMORY. *room is new. */
WEIR_API int weir_room_create(const weir_signer_t *me, const struct weir_room_settings *settings,
                              weir_room_t **room, struct weir_reason *why);

/* The room of an invitation, entered as `me`; that it is a member, and the message that it came,
 * are queued: the latter goes again when the room says that it was a member before.
 * WEIR_BAD_REQUEST when the text is no invitation. *room is new. */
WEIR_API int weir_room_join(const char *invitation, const weir_signer_t *me, weir_room_t **room,
                            struct weir_reason *why);

/* A card is what an app keeps of a room from one run to the next: which room it is and by which
 * invitations `me` is in it. It may hold a secret: keep it as a key. *card is new, for weir_free.
 * Opening it: WEIR_BAD_REQUEST when it is none, WEIR_DENIED when it is another identity's. */
WEIR_API int weir_room_card(const weir_room_t *room, uint8_t **card, size_t *size);
WEIR_API int weir_room_open(struct weir_bytes card, const weir_signer_t *me, weir_room_t **room,
                            struct weir_reason *why);

/* Who joins a room that it has a card of, by another invitation: what that card may still be needed
 * for, to open keys of a private room, is taken over. Before the room's state is read.
 * WEIR_BAD_REQUEST, WEIR_DENIED as weir_room_open; WEIR_BAD_REQUEST also of another room's card. */
WEIR_API int weir_room_remember(weir_room_t *room, struct weir_bytes card);

/* Ends weir_room_follow too; the handle that it follows by must still be there. */
WEIR_API void weir_room_destroy(weir_room_t **room);

WEIR_API const weir_contract_t *weir_room_contract(const weir_room_t *room); /* its key, params */
WEIR_API const uint8_t *weir_room_me(const weir_room_t *room);               /* 32 bytes */
/* The sentence of the last call that failed on this room; "" before the first. */
WEIR_API const char *weir_room_error(const weir_room_t *room);

/* --- at a node ------------------------------------------------------------------------------- */

/* Reads the room from the node, once. After WEIR_NO_MEMORY of any call it makes the view whole. */
WEIR_API int weir_room_fetch(weir_t *w, weir_room_t *room);

struct weir_room_event {
    enum weir_event_kind kind; /* as in weir.h; ENDED: nothing more will come */
    int code;                  /* ENDED: why, and a sentence */
    const char *sentence;
    /* The messages that are new or not what they were (edited, deleted, reacted to), spots side by
     * side, the oldest first; those of them that do not count have no message in the view. Of a
     * whole state: all. What begins or ends to count, or to open, by a membership, a ban or a key
     * alone is not among them: look at all messages when people_changed. */
    const uint8_t *spots;
    size_t spot_count;
    int people_changed; /* 1: members, bans, names, keys or the configuration may have changed */
};

typedef void weir_room_fn(weir_t *w, weir_room_t *room, const struct weir_room_event *event,
                          void *arg);

/* Keeps the view up until weir_room_unfollow; `changed` (may be NULL) runs inside weir_step, after
 * the view took it. It may queue, and send with weir_room_send_async. A room on no node is created
 * there by the first send, not by this: WEIR_NOT_FOUND. */
WEIR_API int weir_room_follow(weir_t *w, weir_room_t *room, weir_room_fn *changed, void *arg);
/* The same without waiting: the first answer comes as an event too, ENDED where there is an error.
 */
WEIR_API int weir_room_follow_async(weir_t *w, weir_room_t *room, weir_room_fn *changed, void *arg);
WEIR_API int weir_room_unfollow(weir_t *w, weir_room_t *room);

/* Sends what is queued, and takes it into the view when the node has it. What the node refuses for
 * what it is (WEIR_BAD_REQUEST, _BAD_STATE, _BAD_KIND, _BAD_PARAMS, _TOO_LARGE, _DENIED) is
 * dropped; after any other error it stays queued: sending twice is sending once. Nothing queued is
 * 0 at once. What is queued while others are on their way goes as a delta of its own. */
WEIR_API int weir_room_send(weir_t *w, weir_room_t *room);
/* done (may be NULL) gets code and sentence; when nothing is queued, at once. */
WEIR_API int weir_room_send_async(weir_t *w, weir_room_t *room, weir_done_fn *done, void *arg);

/* Without a node: the delta queued or on its way (a borrowed, empty slice when there is none), and
 * taking a state or delta. WEIR_BAD_STATE, and nothing is changed. Its signatures are not checked,
 * nodes do. */
WEIR_API struct weir_bytes weir_room_pending(weir_room_t *room);
WEIR_API int weir_room_apply(weir_room_t *room, struct weir_bytes delta);
/* Forgets what is queued and not on its way. */
WEIR_API void weir_room_forget_pending(weir_room_t *room);

/* --- writing: all are queued ----------------------------------------------------------------- */

/* WEIR_DENIED: not a member, or not allowed to; of private rooms also: no key to seal with yet.
 * WEIR_TOO_LARGE: over the room's limit. WEIR_NOT_FOUND: no such message or member here.
 * WEIR_BAD_REQUEST: no such text, such as bytes that are no UTF-8. Nothing is queued then.
 * spot (may be NULL): the new message's. */
WEIR_API int weir_room_say(weir_room_t *room, struct weir_bytes text, uint8_t *spot);
WEIR_API int weir_room_reply(weir_room_t *room, const uint8_t *to, struct weir_bytes text,
                             uint8_t *spot);
WEIR_API int weir_room_edit(weir_room_t *room, const uint8_t *message, struct weir_bytes text);
WEIR_API int weir_room_delete(weir_room_t *room, const uint8_t *message);
WEIR_API int weir_room_react(weir_room_t *room, const uint8_t *message, struct weir_bytes text,
                             int remove);
/* To one member, sealed between the two. */
WEIR_API int weir_room_direct(weir_room_t *room, const uint8_t *member, struct weir_bytes text);
WEIR_API int weir_room_nickname(weir_room_t *room, struct weir_bytes name);
WEIR_API int weir_room_leave(weir_room_t *room);
/* Bans, or lifts the own ban. Of a private room the key is rotated with a ban where `me` may. */
WEIR_API int weir_room_ban(weir_room_t *room, const uint8_t *member, int lift);
/* The owner's. NULL texts and 0 keep what holds; moderators are replaced when not NULL.
 * WEIR_NOT_FOUND, as of weir_room_rotate, before the room was read: what holds is not known. */
WEIR_API int weir_room_configure(weir_room_t *room, const struct weir_room_settings *settings);
/* A private room's new key, sealed to each member; by the owner and moderators. */
WEIR_API int weir_room_rotate(weir_room_t *room);
/* The owner's pointer to the room that takes this one's place. */
WEIR_API int weir_room_upgrade(weir_room_t *room, const uint8_t next[WEIR_KEY_BYTES]);

/* An invitation: one line of text, good for whoever has it, until who gave it is banned. *text is
 * new, for weir_free. For a private room a copy of its key is queued: send before giving it away.
 * WEIR_DENIED when `me` is no member, or the chain of invitations is at its longest. */
WEIR_API int weir_room_invite(weir_room_t *room, char **text);

/* Of private rooms: copies of the keys that `me` has, for members who have none: those who came by
 * an older invitation. The number of members given one, or an error. Apps call it now and then. */
WEIR_API int weir_room_share_keys(weir_room_t *room);

/* --- the view -------------------------------------------------------------------------------- */

struct weir_room_info {
    struct weir_bytes name, description; /* empty: none, or sealed under a key that is not here */
    int is_private;
    int readable;  /* 0: of a private room, whose key in use `me` has not (yet) */
    int member;    /* `me` is one now */
    int moderator; /* `me` is one, or the owner */
    unsigned messages, members, message_bytes, nickname_bytes, bans;
    const uint8_t *owner;      /* 32 bytes */
    const uint8_t *moderators; /* side by side */
    size_t moderator_count;
    const uint8_t *upgrade; /* the key of the room that takes its place, or NULL */
};
WEIR_API void weir_room_info(const weir_room_t *room, struct weir_room_info *info);

enum weir_room_content {
    WEIR_ROOM_TEXT = 1,
    WEIR_ROOM_REPLY = 2,
    WEIR_ROOM_JOIN = 7,
    WEIR_ROOM_LEAVE = 8
};

struct weir_room_reaction {
    struct weir_bytes text; /* mostly one emoji */
    size_t count;
    int mine; /* 1: `me` is among them */
};

struct weir_room_message {
    const uint8_t *spot, *author;
    uint64_t time_ms; /* Unix time by the author's clock: compare with now to see what is ahead */
    enum weir_room_content content;
    const uint8_t *reply_to; /* a spot, which may be of no message that is here; or NULL */
    struct weir_bytes text;  /* after edits; empty when deleted or sealed */
    int sealed;              /* under a key that is not here */
    int edited, deleted;
    size_t reaction_count;
};

/* The oldest first. */
WEIR_API size_t weir_room_message_count(const weir_room_t *room);
WEIR_API void weir_room_message(const weir_room_t *room, size_t i,
                                struct weir_room_message *message);
/* The r-th reaction to message i, in byte order of their texts, and the key of its a-th author. */
WEIR_API void weir_room_reaction(const weir_room_t *room, size_t i, size_t r,
                                 struct weir_room_reaction *reaction);
WEIR_API const uint8_t *weir_room_reaction_author(const weir_room_t *room, size_t i, size_t r,
                                                  size_t a);
/* The message of a spot: its place, or WEIR_NOT_FOUND. */
WEIR_API int weir_room_find_spot(const weir_room_t *room, const uint8_t *spot, size_t *i);

struct weir_room_member {
    const uint8_t *key;
    const uint8_t *inviter;     /* by whose invitation it came; NULL: the owner itself */
    uint64_t invited_ms;        /* the owner's 0 */
    struct weir_bytes nickname; /* empty: none, or sealed */
    int moderator;
};

/* Members now: the owner first, then by length of chain, time of invitation, key. */
WEIR_API size_t weir_room_member_count(const weir_room_t *room);
WEIR_API void weir_room_member(const weir_room_t *room, size_t i, struct weir_room_member *member);
/* The name that a key gave itself, member or not; empty when it has none. */
WEIR_API struct weir_bytes weir_room_name_of(const weir_room_t *room, const uint8_t *key);

/* How someone stands in the room. */
enum weir_room_standing {
    WEIR_ROOM_IN,       /* the owner, or a member: what it writes counts */
    WEIR_ROOM_STRANGER, /* never was a member, as far as is known here */
    WEIR_ROOM_GONE,     /* left */
    WEIR_ROOM_BANNED,
    WEIR_ROOM_CUT_OFF, /* by whose invitation it came, or someone above, is banned */
    WEIR_ROOM_CROWDED  /* the room is full, and others came before */
};
/* Once all that is queued here was taken: after weir_room_join and weir_room_fetch, whether the
 * invitation makes `me` a member. WEIR_NO_MEMORY. */
WEIR_API int weir_room_standing(weir_room_t *room, const uint8_t *key,
                                enum weir_room_standing *standing);

struct weir_room_ban {
    const uint8_t *target, *author;
    uint64_t time_ms;
};
WEIR_API size_t weir_room_ban_count(const weir_room_t *room);
WEIR_API void weir_room_banned(const weir_room_t *room, size_t i, struct weir_room_ban *ban);

struct weir_room_direct_message {
    const uint8_t *spot, *author, *recipient;
    uint64_t time_ms;
    struct weir_bytes text;
};
/* Those from and to `me`, the oldest first. */
WEIR_API size_t weir_room_direct_count(const weir_room_t *room);
WEIR_API void weir_room_direct_message(const weir_room_t *room, size_t i,
                                       struct weir_room_direct_message *message);

/* The whole view as text, a line a thing: equal views are equal bytes. *text is new. */
WEIR_API int weir_room_print(const weir_room_t *room, char **text, size_t *size);

/* --- names that people type ------------------------------------------------------------------ */

/* A message's name: the hexadecimal digits of its id; people give any beginning of it that is
 * unique among the messages shown, 4 digits at least. WEIR_NOT_FOUND; WEIR_BAD_REQUEST when
 * ambiguous or none. */
WEIR_API void weir_room_spot_name(const uint8_t *spot, char text[WEIR_SPOT_TEXT]);
WEIR_API int weir_room_find_message(weir_room_t *room, const char *name,
                                    uint8_t spot[WEIR_SPOT_BYTES]);
/* A member (or, for `lift`ing a ban, one banned) by nickname, or by the beginning of its key in
 * base58, 4 letters at least. The same errors. */
WEIR_API int weir_room_find_person(weir_room_t *room, const char *name,
                                   uint8_t key[WEIR_KEY_BYTES]);

#ifdef __cplusplus
}
#endif
#endif
