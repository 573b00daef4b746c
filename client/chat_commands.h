/* chat_commands: what can be typed after a slash: one table, which dispatch, help and completion
 * read. */
#ifndef WEIR_CLIENT_CHAT_COMMANDS_H
#define WEIR_CLIENT_CHAT_COMMANDS_H

#include "base/buffer.h"
#include "client/chat_complete.h"

struct chat;

struct chat_command {
    const char *name, *args; /* as help shows them */
    const char *doc;         /* a line */
    enum chat_word word;     /* what the first argument is */
    bool needs_args, needs_room;
    void (*run)(struct chat *chat, struct slice args);
};
extern const struct chat_command chat_commands[]; /* name NULL ends */

/* By its name, all of it. NULL: there is none. */
const struct chat_command *chat_command_find(struct slice name);

/* What a line that was typed is. */
enum chat_line {
    CHAT_LINE_EMPTY,
    CHAT_LINE_TEXT,    /* to be said: *rest */
    CHAT_LINE_COMMAND, /* *command, and *rest without blanks around it */
    CHAT_LINE_UNKNOWN  /* *rest is the name of no command */
};

/* A slash in front makes a command, two make a text that begins with one. *rest borrows. */
enum chat_line chat_command_read(struct slice line, const struct chat_command **command,
                                 struct slice *rest);

/* The first word of text, or what stands in quotes there; *rest is what follows it. */
struct slice chat_first_word(struct slice text, struct slice *rest);

/* Blanks and line ends at both ends are gone. */
struct slice chat_trim(struct slice text);

/* What /help and F1 show: keys and commands, a line each. */
void chat_help(struct buffer *out);

/* --- emoji by name --------------------------------------------------------------------------- */

struct chat_emoji {
    const char *name, *text;
};
extern const struct chat_emoji chat_emoji[]; /* name NULL ends */

/* The emoji of a name (with or without colons around it), else the text as it is. */
struct slice chat_emoji_of(struct slice text);

/* --- the functions (chat_do*.c) ----------------------------------------------- */

void chat_do_ban(struct chat *chat, struct slice args);
void chat_do_config(struct chat *chat, struct slice args);
void chat_do_create(struct chat *chat, struct slice args);
void chat_do_delete(struct chat *chat, struct slice args);
void chat_do_dm(struct chat *chat, struct slice args);
void chat_do_edit(struct chat *chat, struct slice args);
void chat_do_export(struct chat *chat, struct slice args);
void chat_do_help(struct chat *chat, struct slice args);
void chat_do_invite(struct chat *chat, struct slice args);
void chat_do_join(struct chat *chat, struct slice args);
void chat_do_leave(struct chat *chat, struct slice args);
void chat_do_members(struct chat *chat, struct slice args);
void chat_do_nick(struct chat *chat, struct slice args);
void chat_do_quit(struct chat *chat, struct slice args);
void chat_do_react(struct chat *chat, struct slice args);
void chat_do_reply(struct chat *chat, struct slice args);
void chat_do_room(struct chat *chat, struct slice args);
void chat_do_rotate(struct chat *chat, struct slice args);
void chat_do_topic(struct chat *chat, struct slice args);
void chat_do_unban(struct chat *chat, struct slice args);

#endif
