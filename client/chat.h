/* chat: `weir chat`, a full-screen chat in the terminal.
 *
 *   chat.c          the loop: keys, the node and the clock, in one poll
 *    ├ chat_keys      what a key does; chat_words: what Tab may put in
 *    ├ chat_commands  what can be typed after a slash; chat_do, _do_room, _do_people: what it does
 *    ├ chat_rooms     the rooms; chat_room: one, followed; chat_reading: what its messages say;
 *    │   │              chat_waiting: what was written and is not at the node
 *    │   └ chat_flow    what there is of them; chat_sight: in sight; chat_lines: one laid out,
 *    │                  as a chat_block
 *    ├ chat_input     the line that is written in; chat_complete: Tab
 *    ├ chat_draw      the picture; chat_frame: what stands around the messages
 *    └ chat_screen    the terminal (ncurses); chat_text: what may go there, and how wide it is
 *
 * Nothing in it waits but the poll. */
#ifndef WEIR_CLIENT_CHAT_H
#define WEIR_CLIENT_CHAT_H

#include "client/chat_commands.h"
#include "client/chat_room.h"

#include <stdio.h>

/* Text over the whole screen: help, members, an invitation. */
struct chat_page {
    bool open;
    char title[160];
    struct buffer text; /* lines, cleaned */
    size_t top;         /* the first line in sight, of those wrapped */
};

enum chat_mode { CHAT_MODE_SAY, CHAT_MODE_REPLY, CHAT_MODE_EDIT };

struct chat {
    weir_t *w;
    room_book_t *book;
    const char *node;         /* where it is */
    struct chat_room **rooms; /* by name */
    size_t room_count, current;
    struct chat_room *gone; /* rooms left, whose memory is needed until the node's handle goes */
    struct chat_input input;
    struct chat_complete complete;
    enum chat_mode mode; /* what Enter does with the input */
    uint8_t target[WEIR_SPOT_BYTES];
    struct chat_page page;
    char note[300]; /* what is to be told last; "" */
    bool note_bad;
    uint64_t noted_at_ms;
    bool connected;
    bool denied; /* the node does not know our key; weir_error says it */
    bool pasting, quit, asked_to_quit, asked_to_leave;
    uint64_t pasted_at_ms; /* pasting: when the last key came */
    bool dirty;            /* to be drawn */
    size_t rows_shown;     /* of messages, or of the page */
    uint64_t save_at_ms;
    uint64_t end_by_ms; /* ends when nothing waits, or asks at this time; 0: goes on */
};

/* The room on the screen; NULL: there is none. */
static inline struct chat_room *chat_current(const struct chat *chat)
{
    return chat->room_count ? chat->rooms[chat->current] : NULL;
}

/* Tells something, in the status line. */
void chat_note(struct chat *chat, bool bad, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Takes a note away that is as old as that. */
void chat_drop_note(struct chat *chat, uint64_t age_ms);

/* Goes to the i-th room; what was being written stays with the one before. */
void chat_go(struct chat *chat, size_t i);

/* Takes a room into the chat, saved in the book under a name (NULL: its own, when that is here),
 * and goes there; takes the room over. One of the same key that is here stays if it can be used,
 * else it gives way. */
void chat_take_room(struct chat *chat, weir_room_t *room, const char *name);

/* --- chat_rooms.c, for chat.c ---------------------------------------------------------------- */

/* Takes in the rooms of the book, and shows the one of a name (NULL: the first). */
MUST_USE int chat_rooms_open(struct chat *chat, const char *name, struct weir_reason *why);
/* What there is to do in them now. */
void chat_rooms_tick(struct chat *chat, uint64_t now_ms);
/* Saves how far they were read. */
void chat_rooms_save(struct chat *chat);
/* Before the node's handle goes, and after. */
void chat_rooms_close(struct chat *chat);
void chat_rooms_free(struct chat *chat);

/* --- what others use ------------------------------------------------------------------------- */

/* Opens a page; its text is given by chat_page_add, cleaned here. */
void chat_page_open(struct chat *chat, const char *title);
void chat_page_add(struct chat *chat, struct slice text);

/* Offers chat->complete the words there are of its kind. */
void chat_offer_words(struct chat *chat);

/* What a key does. */
struct chat_key;
void chat_on_key(struct chat *chat, const struct chat_key *key);

/* Enter: what is in the input is said or done. */
void chat_do_line(struct chat *chat);
/* Something was written that the node does not have. */
bool chat_has_waiting(const struct chat *chat);
/* Tells that ending loses what waits: the next time it does. */
void chat_ask_to_quit(struct chat *chat);
/* Back to saying, with an empty line. */
void chat_stop_mode(struct chat *chat);
/* An error of the room's last call, or what was queued is sent. */
void chat_do_queued(struct chat *chat, int rc);

/* Who is meant by the beginning of text: a member as the screen shows it, in quotes or not, or who
 * the library finds. *rest is what follows. False: nobody, or several, and that is told. */
bool chat_find_person(struct chat *chat, struct slice text, uint8_t key[WEIR_KEY_BYTES],
                      struct slice *rest);
/* A terminated copy, for free; NULL without memory. */
char *chat_copy_text(struct slice text);

/* A new file that its owner alone may read: what rooms say, and invitations, are secrets. NULL:
 * errno tells why, such as that there is one of that name. */
FILE *chat_create_file(const char *path);

/* The i-th of what /config can set; NULL past the last. */
const char *chat_setting(size_t i);

/* Draws the picture. */
void chat_draw(struct chat *chat);

#endif
