/* weir room create, invite, join, leave, list: into a room, and out of it */
#include "client/cli_room.h"

#include <string.h>
#include <unistd.h>

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
    rc = room_cli_send(self);
    if (rc)
        (void)room_book_forget(self->book, place_of(self), NULL);
    return rc ? rc : print_room(self);
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

static int join(struct room_cli *self)
{
    const struct cli *cli = self->cli;
    struct weir_reason why = {""};
    int rc = weir_room_join(cli->args[0], room_book_me(self->book), &self->room, &why);
    if (rc)
        return room_cli_fail_why(cli, rc, why.text, NULL);
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
