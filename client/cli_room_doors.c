/* weir room create, invite, leave, list: into a room, and out of it (cli_room_join.c: join) */
#include "client/cli_room.h"

#include <sodium.h>
#include <string.h>

/* `more`: further fields, each with a comma before it. */
static void print_entry_json(const struct room_book_entry *entry, const char *more)
{
    fputs("{\"name\":", stdout);
    print_json_bytes(stdout, weir_text(entry->name));
    fputs(",\"key\":", stdout);
    room_json_key(stdout, entry->key);
    printf("%s}", more);
}

int room_cli_print_name(const struct room_cli *self)
{
    const struct room_book_entry *entry =
        room_book_entry(self->book, room_book_place(self->book, self->room));
    if (cli_has(self->cli, OPTION_json)) {
        print_entry_json(entry, "");
        putchar('\n');
    } else {
        puts(entry->name);
    }
    return cli_flush(self->cli);
}

/* --- create ---------------------------------------------------------------------------------- */

/* What a node refused for what it is is queued no more. After any other error (no answer, a lost
 * connection) the node may have it. */
static int not_created(struct room_cli *self, int code)
{
    char hint[256];
    size_t place = room_book_place(self->book, self->room);
    if (weir_room_pending(self->room).size == 0) {
        (void)room_book_forget(self->book, place, NULL);
        return room_cli_fail(self, code, HINT_ROOM);
    }
    snprintf(hint, sizeof hint,
             "the node may have the room, so it stays on the list as %s: `weir room config` shows "
             "whether it is there; if not, make another",
             room_book_entry(self->book, place)->name);
    return room_cli_fail_why(self->cli, code, weir_room_error(self->room), hint);
}

/* The book has the room before a node does: what nobody can find again must not be out there. */
static int create(struct room_cli *self)
{
    const struct cli *cli = self->cli;
    const struct weir_room_settings settings = {.name = cli->args[0],
                                                .description = cli_value(cli, OPTION_description),
                                                .is_private = cli_has(cli, OPTION_private)};
    struct weir_reason why = {""};
    int rc = weir_room_create(room_book_me(self->book), &settings, &self->room, &why);
    if (!rc)
        rc = weir_room_apply(self->room, weir_room_pending(self->room)); /* it has its name now */
    if (!rc)
        rc = room_book_save(self->book, self->room, NULL, &why);
    if (rc)
        return room_cli_fail_why(cli, rc, why.text, NULL);
    rc = weir_room_send(cli->w, self->room);
    return rc ? not_created(self, rc) : room_cli_print_name(self);
}

int cli_room_create(struct cli *cli)
{
    return room_cli_enter(cli, create);
}

/* --- invite -------------------------------------------------------------------------------- */

static int invite(struct room_cli *self)
{
    char *text = NULL;
    int rc = weir_room_invite(self->room, &text);
    if (rc)
        return room_cli_fail(self, rc, NULL);
    rc = room_cli_send(self); /* of a private room: the copy of its key that it opens */
    if (!rc && cli_has(self->cli, OPTION_json)) {
        fputs("{\"invitation\":", stdout);
        print_json_bytes(stdout, weir_text(text));
        puts("}");
    } else if (!rc) {
        puts(text);
    }
    sodium_memzero(text, strlen(text));
    weir_free(text);
    return rc ? rc : cli_flush(self->cli);
}

int cli_room_invite(struct cli *cli)
{
    return room_cli_run(cli, ROOM_WRITES, invite);
}

/* --- leave and list -------------------------------------------------------------------------- */

/* `told`: what was not done because nobody is to be told, for people; NULL: all was. */
static int forget(struct room_cli *self, const char *told)
{
    struct weir_reason why = {""};
    size_t place = room_book_place(self->book, self->room);
    char name[ROOM_BOOK_NAME];
    memcpy(name, room_book_entry(self->book, place)->name, sizeof name);
    int rc = room_book_forget(self->book, place, &why);
    if (rc)
        return room_cli_fail_why(self->cli, rc, why.text, NULL);
    if (told)
        fprintf(stderr, "weir: %s: %s %s; it is forgotten on this machine\n",
                self->cli->command->name, name, told);
    return 0;
}

/* Why there is nobody to be told that one leaves; NULL: there is. */
static const char *why_silent(struct room_cli *self)
{
    static const char *const told[] = {
        [WEIR_ROOM_STRANGER] = "never had you as a member",
        [WEIR_ROOM_GONE] = "was left before",
        [WEIR_ROOM_BANNED] = "is one that you are banned from",
        [WEIR_ROOM_CUT_OFF] = "is closed to you: somebody by whose invitation you came is banned",
        [WEIR_ROOM_CROWDED] = "has no place for you: it is full"};
    enum weir_room_standing standing;
    struct weir_room_info info;
    weir_room_info(self->room, &info);
    if (memcmp(info.owner, weir_room_me(self->room), WEIR_KEY_BYTES) == 0)
        return "is yours, and stays with its members and with nodes; your keys are kept, and any "
               "invitation to it brings it back";
    if (self->is_away)
        return "is on no node that is reached: nobody was told that you left";
    if (weir_room_standing(self->room, weir_room_me(self->room), &standing))
        return NULL;
    return standing == WEIR_ROOM_IN ? NULL : told[standing];
}

static int print_left(const struct room_cli *self, const struct room_book_entry *entry)
{
    if (!cli_has(self->cli, OPTION_json))
        return 0;
    print_entry_json(entry, cli_has(self->cli, OPTION_forget) ? ",\"forgotten\":true"
                                                              : ",\"forgotten\":false");
    putchar('\n');
    return cli_flush(self->cli);
}

static int leave(struct room_cli *self)
{
    bool forgets = cli_has(self->cli, OPTION_forget);
    struct room_book_entry entry = *room_book_entry(self->book, self->at);
    const char *silent = forgets ? why_silent(self) : NULL;
    int rc = silent ? 0 : weir_room_leave(self->room);
    if (rc)
        return room_cli_fail_why(
            self->cli, rc, weir_room_error(self->room),
            rc == WEIR_DENIED && !forgets ? "--forget forgets it on this machine" : NULL);
    rc = silent ? 0 : room_cli_send(self);
    if (!rc && forgets)
        rc = forget(self, silent);
    return rc ? rc : print_left(self, &entry);
}

int cli_room_leave(struct cli *cli)
{
    return room_cli_run(cli, ROOM_WRITES, leave);
}

static void print_list_json(const room_book_t *book)
{
    putchar('[');
    for (size_t i = 0; i < room_book_count(book); i++) {
        fputs(i ? "," : "", stdout);
        print_entry_json(room_book_entry(book, i), "");
    }
    puts("]");
}

static void print_list(const room_book_t *book)
{
    for (size_t i = 0; i < room_book_count(book); i++) {
        char key[WEIR_KEY_TEXT_MAX];
        weir_key_print(room_book_entry(book, i)->key, key);
        printf("%s\t%s\n", room_book_entry(book, i)->name, key);
    }
}

int cli_room_list(struct cli *cli)
{
    struct room_cli self = {.cli = cli};
    int rc = room_cli_book(&self, false);
    if (!rc) {
        if (cli_has(cli, OPTION_json))
            print_list_json(self.book);
        else
            print_list(self.book);
        rc = cli_flush(cli);
    }
    room_cli_close(&self);
    return rc;
}
