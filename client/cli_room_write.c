/* weir room say, reply, edit, delete, react, dm */
#include "client/cli_room.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    INPUT_BYTES = 1 << 16, /* read at once; no message is as long as that */
    BATCH_LINES = 200      /* sent at once */
};

/* --- one message ----------------------------------------------------------------------------- */

/* A message's name. */
static int print_spot(struct room_cli *self, const uint8_t *spot)
{
    char name[WEIR_SPOT_TEXT];
    if (cli_has(self->cli, OPTION_json)) {
        weir_room_spot_name(spot, name);
        printf("{\"message\":\"%s\"}\n", name);
    } else {
        room_cli_short_name(self->room, spot, name);
        printf("%s\n", name);
    }
    return cli_flush(self->cli);
}

/* The text from the i-th argument on; `to`: the message that it answers, or NULL. */
static int write_text(struct room_cli *self, size_t i, const uint8_t *to)
{
    uint8_t spot[WEIR_SPOT_BYTES];
    char *text = room_cli_text(self->cli, i);
    if (!text)
        return cli_fail(self->cli, WEIR_NO_MEMORY, NULL);
    int rc = to ? weir_room_reply(self->room, to, weir_text(text), spot)
                : weir_room_say(self->room, weir_text(text), spot);
    free(text);
    rc = room_cli_finish(self, rc);
    return rc ? rc : print_spot(self, spot);
}

/* --- a message a line of standard input ------------------------------------------------------ */

struct input {
    struct room_cli *room;
    char bytes[INPUT_BYTES];
    size_t used;            /* of a line whose end was not read yet */
    uint64_t lines, queued; /* read so far, queued since the last send */
    uint64_t sent;          /* and what became of them */
    uint64_t first_unsent;  /* line */
};

static int fail_at_line(const struct input *self, int code, uint64_t line, const char *text)
{
    char why[512];
    snprintf(why, sizeof why, "line %" PRIu64 ": %s; %" PRIu64 " messages before it are in", line,
             text && *text ? text : weir_error_text(code), self->sent);
    return room_cli_fail_why(self->room->cli, code, why, "");
}

static int send_queued(struct input *self)
{
    if (!self->queued)
        return 0;
    int rc = weir_room_send(self->room->cli->w, self->room->room);
    if (rc)
        return fail_at_line(self, rc, self->first_unsent, weir_room_error(self->room->room));
    self->sent += self->queued;
    self->queued = 0;
    return 0;
}

static int say_line(struct input *self, const char *line, size_t size)
{
    self->lines++;
    if (size == 0)
        return 0;
    int rc = weir_room_say(self->room->room, (struct weir_bytes){line, size}, NULL);
    if (rc) {
        int code = send_queued(self); /* what came before it is good */
        return code ? code : fail_at_line(self, rc, self->lines, weir_room_error(self->room->room));
    }
    if (!self->queued++)
        self->first_unsent = self->lines;
    return self->queued == BATCH_LINES ? send_queued(self) : 0;
}

/* Says the whole lines of what was read, keeps the rest. */
static int say_lines(struct input *self)
{
    char *at = self->bytes, *end = self->bytes + self->used, *line_end;
    int rc = 0;
    while (!rc && (line_end = memchr(at, '\n', (size_t)(end - at)))) {
        rc = say_line(self, at, (size_t)(line_end - at));
        at = line_end + 1;
    }
    self->used = (size_t)(end - at);
    memmove(self->bytes, at, self->used);
    if (!rc && self->used == sizeof self->bytes)
        rc = fail_at_line(self, WEIR_TOO_LARGE, self->lines + 1, "it is too long for a message");
    return rc;
}

/* What is there to read goes out before more is waited for: `tail -f` can be piped in. */
static int say_input(struct input *self)
{
    ssize_t n = 1;
    int rc = 0;
    while (!rc && n > 0) {
        do
            n = read(STDIN_FILENO, self->bytes + self->used, sizeof self->bytes - self->used);
        while (n < 0 && errno == EINTR);
        if (n > 0) {
            self->used += (size_t)n;
            rc = say_lines(self);
        }
        if (!rc)
            rc = send_queued(self);
    }
    if (!rc && n < 0)
        rc = fail_at_line(self, WEIR_IO, self->lines + 1, "standard input cannot be read");
    if (!rc && self->used)
        rc = say_line(self, self->bytes, self->used);
    return rc ? rc : send_queued(self);
}

static int say_from_input(struct room_cli *self)
{
    struct input *input = calloc(1, sizeof *input);
    if (!input)
        return cli_fail(self->cli, WEIR_NO_MEMORY, NULL);
    input->room = self;
    int rc = say_input(input);
    uint64_t sent = input->sent;
    free(input);
    if (!rc)
        rc = room_cli_send(self);
    if (rc)
        return rc;
    printf(cli_has(self->cli, OPTION_json) ? "{\"count\":%" PRIu64 "}\n" : "%" PRIu64 "\n", sent);
    return cli_flush(self->cli);
}

static int say(struct room_cli *self)
{
    bool input = self->cli->arg_count == 2 && strcmp(self->cli->args[1], "-") == 0;
    return input ? say_from_input(self) : write_text(self, 1, NULL);
}

int cli_room_say(struct cli *cli)
{
    return room_cli_run(cli, ROOM_WRITES, say);
}

/* --- about a message ------------------------------------------------------------------------- */

static int reply(struct room_cli *self)
{
    uint8_t to[WEIR_SPOT_BYTES];
    int rc = room_cli_message(self, 1, to);
    return rc ? rc : write_text(self, 2, to);
}

int cli_room_reply(struct cli *cli)
{
    return room_cli_run(cli, ROOM_LOOKS, reply);
}

/* What is done to a message: queued by the library, or its code. */
typedef int room_about_fn(struct room_cli *self, const uint8_t *spot);

/* Does it to the message that the second argument names. */
static int do_about(struct room_cli *self, room_about_fn *queue)
{
    uint8_t spot[WEIR_SPOT_BYTES];
    int rc = room_cli_message(self, 1, spot);
    if (!rc)
        rc = room_cli_finish(self, queue(self, spot));
    return rc || !cli_has(self->cli, OPTION_json) ? rc : print_spot(self, spot);
}

static int queue_edit(struct room_cli *self, const uint8_t *spot)
{
    char *text = room_cli_text(self->cli, 2);
    int rc = text ? weir_room_edit(self->room, spot, weir_text(text)) : WEIR_NO_MEMORY;
    free(text);
    return rc;
}

static int edit(struct room_cli *self)
{
    return do_about(self, queue_edit);
}

int cli_room_edit(struct cli *cli)
{
    return room_cli_run(cli, ROOM_LOOKS, edit);
}

static int queue_delete(struct room_cli *self, const uint8_t *spot)
{
    return weir_room_delete(self->room, spot);
}

static int take_away(struct room_cli *self)
{
    return do_about(self, queue_delete);
}

int cli_room_delete(struct cli *cli)
{
    return room_cli_run(cli, ROOM_LOOKS, take_away);
}

static int queue_reaction(struct room_cli *self, const uint8_t *spot)
{
    return weir_room_react(self->room, spot, weir_text(self->cli->args[2]),
                           cli_has(self->cli, OPTION_remove));
}

static int react(struct room_cli *self)
{
    return do_about(self, queue_reaction);
}

int cli_room_react(struct cli *cli)
{
    return room_cli_run(cli, ROOM_LOOKS, react);
}

/* --- to one member --------------------------------------------------------------------------- */

static int print_direct(struct room_cli *self, const uint8_t *with)
{
    room_names_t *names = room_names_new(self->room);
    struct room_lines lines = {
        .out = stdout, .room = self->room, .names = names, .now_ms = unix_ms()};
    if (!names)
        return cli_fail(self->cli, WEIR_NO_MEMORY, NULL);
    for (size_t i = 0; i < weir_room_direct_count(self->room); i++) {
        struct weir_room_direct_message message;
        weir_room_direct_message(self->room, i, &message);
        if (room_direct_is_with(&message, with))
            room_line_direct(&lines, &message);
    }
    room_names_destroy(&names);
    return cli_flush(self->cli);
}

static int dm(struct room_cli *self)
{
    uint8_t member[WEIR_KEY_BYTES];
    const struct cli *cli = self->cli;
    bool one = cli->arg_count > 1;
    int rc = one ? room_cli_person(self, 1, member) : 0;
    if (rc)
        return rc;
    if (cli->arg_count < 3 && cli_has(cli, OPTION_json)) {
        room_json_direct(stdout, self->room, one ? member : NULL);
        putchar('\n');
        return cli_flush(cli);
    }
    if (cli->arg_count < 3)
        return print_direct(self, one ? member : NULL);
    char *text = room_cli_text(cli, 2);
    if (!text)
        return cli_fail(cli, WEIR_NO_MEMORY, NULL);
    rc = weir_room_direct(self->room, member, weir_text(text));
    free(text);
    rc = room_cli_finish(self, rc);
    if (rc || !cli_has(cli, OPTION_json))
        return rc;
    fputs("{\"recipient\":", stdout);
    room_json_key(stdout, member);
    puts("}");
    return cli_flush(cli);
}

int cli_room_dm(struct cli *cli)
{
    return room_cli_run(cli, ROOM_LOOKS, dm);
}
