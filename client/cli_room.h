/* cli_room: what the commands about a room share (weir room …). */
#ifndef WEIR_CLIENT_CLI_ROOM_H
#define WEIR_CLIENT_CLI_ROOM_H

#include "client/cli.h"
#include "client/clock.h"
#include "client/room_book.h"
#include "client/room_names.h"

/* One command about a room, from its start to its end. */
struct room_cli {
    struct cli *cli;
    room_book_t *book;
    size_t at; /* the room's place in the book */
    weir_room_t *room;
    bool is_away; /* no node that is reached has it: nothing of it was read */
};

/* What the node must know of the room before. */
enum room_need {
    ROOM_LOOKS, /* all that there is, or it is an error */
    ROOM_WRITES /* nothing: what its owner writes makes it there again */
};

typedef int room_work_fn(struct room_cli *self);

/* Opens the book and the room that the first argument names, reads it from the node, does the work,
 * closes all. Exit code. */
int room_cli_run(struct cli *cli, enum room_need need, room_work_fn *work);

/* For a room that is new here: connects, opens the book (with a new key pair when there is none),
 * does the work, closes all. Exit code. */
int room_cli_enter(struct cli *cli, room_work_fn *work);

/* Opens the book of --identity. `make`: with a new key pair when there is none, which is told. 0 or
 * an exit code (told). */
int room_cli_book(struct room_cli *self, bool make);
void room_cli_close(struct room_cli *self);

/* Sends what is queued, with copies of the room's key for members who have none, and saves the
 * card. 0 or an exit code (told). */
int room_cli_send(struct room_cli *self);

/* What to do when an identity is not there. */
#define HINT_FIRST_IDENTITY "`weir room create` and `weir room join` make one"
#define HINT_IDENTITY       HINT_FIRST_IDENTITY ", with --identity one of that name"

/* What to do when a room is not in the book. */
#define HINT_NO_ROOM "enter one with `weir room join`"

/* What to do when somebody is not there. */
#define HINT_PEOPLE "`weir room members` lists who is there"

/* What to do when no node has a room. */
#define HINT_ROOM "`weir peers` shows whether the node is connected to others, who may have it"

/* Tells what the room, else the handle, failed with. `hint`: for WEIR_NOT_FOUND. Exit code. */
int room_cli_fail(const struct room_cli *self, int code, const char *hint);

/* Prints `why`, which may hold other people's text, as cli_fail_hint does; hint NULL: the code's
 * own, of what is not found the list of rooms, "": none. Exit code. */
int room_cli_fail_why(const struct cli *cli, int code, const char *why, const char *hint);

/* Sends what was queued with this code, or tells why it was not. Exit code. */
int room_cli_finish(struct room_cli *self, int code);

/* The i-th argument as a message, as a person. 0 or an exit code (told). */
int room_cli_message(struct room_cli *self, size_t i, uint8_t spot[WEIR_SPOT_BYTES]);
int room_cli_person(struct room_cli *self, size_t i, uint8_t key[WEIR_KEY_BYTES]);

/* The arguments from the i-th on with blanks between: new text, NULL without memory. */
char *room_cli_text(const struct cli *cli, size_t i);

/* Writes a message's name as short as names it, 8 digits at least. */
void room_cli_short_name(weir_room_t *room, const uint8_t *spot, char name[WEIR_SPOT_TEXT]);

/* What the room goes by here. Exit code. */
int room_cli_print_name(const struct room_cli *self);

/* --- JSON ------------------------------------------------------------------------------------ */

/* "KEY" in base58; null for NULL. */
void room_json_key(FILE *out, const uint8_t *key);
void room_json_message(FILE *out, const weir_room_t *room, size_t i);
void room_json_members(FILE *out, const weir_room_t *room);
/* Who is banned: in an export by their keys alone, since nothing that they wrote counts, their
 * names neither; for who lists them with what they call themselves. */
void room_json_bans(FILE *out, const weir_room_t *room);
void room_json_banned(FILE *out, const weir_room_t *room);
/* The same for print_table: names as the log shows them, times by the local clock. Without memory
 * for the names nothing is printed. */
void room_table_members(FILE *out, const weir_room_t *room);
void room_table_bans(FILE *out, const weir_room_t *room);
/* `with`: those with this person alone; NULL: all. */
void room_json_direct(FILE *out, const weir_room_t *room, const uint8_t *with);
void room_json_config(FILE *out, const weir_room_t *room);

/* --- for people ------------------------------------------------------------------------------ */

/* Prints messages a line each, and the day where it changes. */
struct room_lines {
    FILE *out;
    weir_room_t *room;
    room_names_t *names;
    uint64_t now_ms; /* what is dated later is marked */
    int year, day;   /* of the last line; 0: none yet */
};
/* Takes new names, as the room stands now, in place of those it has. WEIR_NO_MEMORY. */
int room_lines_name(struct room_lines *self);
/* What a line begins with: the day where it is another one, then the time of day. */
void room_line_time(struct room_lines *self, uint64_t time_ms);
void room_line_message(struct room_lines *self, size_t i);
bool room_direct_is_with(const struct weir_room_direct_message *message, const uint8_t *with);
void room_line_direct(struct room_lines *self, const struct weir_room_direct_message *message);

/* --- following (cli_room_follow.c) ----------------------------------------------------------- */

/* Prints what there is from a time on, and what comes, until SIGINT, SIGTERM or the end of the
 * reader. Exit code. The room is gone after it. */
int room_cli_follow(struct room_cli *room, struct room_lines *lines, uint64_t since_ms);

/* --- time ------------------------------------------------------------------------------------ */

/* 10m, 2h, 3d before now; 2026-11-21 or 2026-11-21T15:30, by the local clock; Unix time in seconds,
 * or in milliseconds as --json prints it. False when it is none of these. */
bool room_cli_since(const char *text, uint64_t now_ms, uint64_t *since_ms);

#endif
