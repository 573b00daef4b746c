/* weir room create, invite, join, leave, list: into a room, and out of it */
#include "client/cli_room.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

enum { INVITATION_ROOM = 16384 }; /* as text, with the white space that mails put in */

/* Where the room stands in the book; the count of rooms when it is not there. */
static size_t place_of(const struct room_cli *self)
{
    const uint8_t *key = weir_contract_key(weir_room_contract(self->room));
    size_t i = 0, count = room_book_count(self->book);
    while (i < count && memcmp(room_book_entry(self->book, i)->key, key, WEIR_KEY_BYTES) != 0)
        i++;
    return i;
}

static bool is_known(const struct room_cli *self)
{
    return place_of(self) < room_book_count(self->book);
}

static void print_entry_json(const struct room_book_entry *entry)
{
    fputs("{\"name\":", stdout);
    print_json_bytes(stdout, weir_text(entry->name));
    fputs(",\"key\":", stdout);
    room_json_key(stdout, entry->key);
    putchar('}');
}

/* What the room goes by here. */
static int print_room(const struct room_cli *self)
{
    const struct room_book_entry *entry = room_book_entry(self->book, place_of(self));
    if (cli_has(self->cli, OPTION_json)) {
        print_entry_json(entry);
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
    size_t place = place_of(self);
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
    return rc ? not_created(self, rc) : print_room(self);
}

int cli_room_create(struct cli *cli)
{
    struct room_cli self = {.cli = cli};
    int rc = cli_connect(cli);
    if (!rc)
        rc = room_cli_book(&self, true);
    if (!rc)
        rc = create(&self);
    room_cli_close(&self);
    return rc;
}

/* --- invite and join ------------------------------------------------------------------------- */

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

/* Checked before anybody is told that we came. */
static int check_name(struct room_cli *self)
{
    const struct cli *cli = self->cli;
    size_t i;
    char why[256];
    if (cli->arg_count < 2 || room_book_find(self->book, cli->args[1], &i, NULL) ||
        i == place_of(self))
        return 0;
    snprintf(why, sizeof why, "%.100s is another room already", cli->args[1]);
    return room_cli_fail_why(cli, WEIR_BAD_REQUEST, why, "give another NAME");
}

/* A node that met the others a moment ago may answer before it has all of the room; its name, which
 * it is to go by here, is there when the rest is. */
static int fetch_with_name(struct room_cli *self)
{
    enum { TRIES = 20, PAUSE_US = 100000 };
    struct weir_room_info info;
    int rc = 0;
    for (int i = 0; !rc && i < TRIES; i++) {
        if (i)
            usleep(PAUSE_US);
        rc = weir_room_fetch(self->cli->w, self->room);
        weir_room_info(self->room, &info);
        if (info.name.size)
            break;
    }
    return rc;
}

static int take_up(struct room_cli *self, const char *invitation)
{
    struct weir_reason why = {""};
    int rc = weir_room_join(invitation, room_book_me(self->book), &self->room, &why);
    return rc ? room_cli_fail_why(self->cli, rc, why.text, NULL) : 0;
}

/* An invitation is a secret: no buffer of stdio's has it. */
static int take_up_from_input(struct room_cli *self)
{
    char text[INVITATION_ROOM];
    size_t used = 0;
    ssize_t n = 1;
    while (used < sizeof text - 1 &&
           (n = read(STDIN_FILENO, text + used, sizeof text - 1 - used)) > 0)
        used += (size_t)n;
    text[used] = 0;
    int rc = n < 0 ? cli_fail(self->cli, WEIR_IO, strerror(errno)) : take_up(self, text);
    sodium_memzero(text, sizeof text);
    return rc;
}

static int join(struct room_cli *self)
{
    const struct cli *cli = self->cli;
    struct weir_reason why = {""};
    int rc =
        strcmp(cli->args[0], "-") == 0 ? take_up_from_input(self) : take_up(self, cli->args[0]);
    if (rc)
        return rc;
    rc = check_name(self);
    if (rc)
        return rc;
    rc = fetch_with_name(self);
    if (rc)
        return room_cli_fail(self, rc, HINT_ROOM);
    bool known = is_known(self);
    rc = room_book_save(self->book, self->room, cli->arg_count > 1 ? cli->args[1] : NULL, &why);
    if (rc)
        return room_cli_fail_why(cli, rc, why.text, NULL);
    rc = room_cli_send(self);
    if (rc && !known)
        (void)room_book_forget(self->book, place_of(self), NULL);
    return rc ? rc : print_room(self);
}

int cli_room_join(struct cli *cli)
{
    struct room_cli self = {.cli = cli};
    int rc = cli_connect(cli);
    if (!rc)
        rc = room_cli_book(&self, true);
    if (!rc)
        rc = join(&self);
    room_cli_close(&self);
    return rc;
}

/* --- leave and list -------------------------------------------------------------------------- */

static int leave(struct room_cli *self)
{
    struct weir_reason why = {""};
    int rc = weir_room_leave(self->room);
    if (rc)
        return room_cli_fail(self, rc, NULL);
    rc = room_cli_send(self);
    if (rc || !cli_has(self->cli, OPTION_forget))
        return rc;
    rc = room_book_forget(self->book, place_of(self), &why);
    return rc ? room_cli_fail_why(self->cli, rc, why.text, NULL) : 0;
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
        print_entry_json(room_book_entry(book, i));
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
