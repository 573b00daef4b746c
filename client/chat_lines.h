/* chat_lines: a message as lines of the screen: a block (client/chat_block.h) for a width, which
 * can be kept for as long as message and width stay what they are (client/chat_flow.h does).
 *
 *   wide    14:02      ada │ a text that is broken
 *                          │ between its words
 *   narrow  14:02 ada: a text that is
 *             broken between its words
 *
 * Texts are given as they came; they are cleaned here. Times are shown in the zone of the system.
 */
#ifndef WEIR_CLIENT_CHAT_LINES_H
#define WEIR_CLIENT_CHAT_LINES_H

#include "client/chat_block.h"

enum chat_kind { CHAT_SAID, CHAT_JOINED, CHAT_LEFT_ROOM, CHAT_DIRECT };

struct chat_reaction {
    struct slice text;
    size_t count;
    bool mine;
};

/* Borrows everything. */
struct chat_message {
    enum chat_kind kind;
    uint64_t time_ms;
    struct slice author;
    unsigned colour; /* the author's, of CHAT_PEOPLE */
    struct slice text;
    bool mine, mentions_me;
    bool sealed, edited, deleted;
    bool ahead;   /* dated ahead of now */
    bool waiting; /* not with the node yet */
    bool grouped; /* goes on what the one above says: its author is not repeated … */
    bool named;   /* … but on this line of the block, which is the first in sight */
    size_t named_line;
    bool first_of_day, first_unread; /* a rule above it says so */
    struct slice direct_to;          /* direct: the other one's name; empty: it is to `me` */
    bool is_reply;                   /* to: (author empty: to one that is not here) */
    struct slice reply_author, reply_text;
    const struct chat_reaction *reactions;
    size_t reaction_count;
};

/* Lays the message out anew. columns ≥ 10; name_columns: of the column of names, 0 for narrow.
 * Without memory its lines show less. */
void chat_block_lay(struct chat_block *self, const struct chat_message *message, size_t columns,
                    size_t name_columns);

/* The days since the epoch, in the system's zone. */
int chat_day(uint64_t time_ms);

#endif
