/* weir room join */
#include "client/cli_room.h"
#include "client/safe_text.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

enum { INVITATION_ROOM = 16384 }; /* as text, with the white space that mails put in */

static bool is_known(const struct room_cli *self)
{
    return room_book_place(self->book, self->room) < room_book_count(self->book);
}

/* Checked before anybody is told that we came. */
static int check_name(struct room_cli *self)
{
    const struct cli *cli = self->cli;
    size_t i;
    char why[256];
    if (cli->arg_count < 2 || room_book_find(self->book, cli->args[1], &i, NULL) ||
        i == room_book_place(self->book, self->room))
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

/* What the room calls itself, for a sentence. */
static void room_name(const struct room_cli *self, char name[ROOM_BOOK_NAME])
{
    struct weir_room_info info;
    weir_room_info(self->room, &info);
    safe_text_line(info.name.size ? info.name : weir_text("the room"), name, ROOM_BOOK_NAME);
}

/* Those who banned `me`, as the log names people: "ann", "ann and bob", "ann, bob, cy and 2
 * others". How many they are. */
static size_t name_banners(const struct room_cli *self, const room_names_t *names, char *text,
                           size_t room)
{
    enum { NAMED_MAX = 3, LISTED_MAX = 64 };
    const char *found[LISTED_MAX];
    size_t count = 0, used = 0;
    for (size_t i = 0; i < weir_room_ban_count(self->room) && count < LISTED_MAX; i++) {
        struct weir_room_ban ban;
        weir_room_banned(self->room, i, &ban);
        if (memcmp(ban.target, weir_room_me(self->room), WEIR_KEY_BYTES) == 0)
            found[count++] = room_names_of(names, ban.author);
    }
    size_t shown = count > NAMED_MAX + 1 ? NAMED_MAX : count;
    for (size_t i = 0; i < shown && used < room; i++)
        used += (size_t)snprintf(text + used, room - used, "%s%s",
                                 i == 0           ? ""
                                 : i + 1 == count ? " and "
                                                  : ", ",
                                 found[i]);
    if (shown < count && used < room)
        snprintf(text + used, room - used, " and %zu others", count - shown);
    return count;
}

static int not_let_in_by_ban(struct room_cli *self, const char *name)
{
    char authors[320] = "", why[480], hint[384], key[WEIR_KEY_TEXT_MAX];
    room_names_t *names = room_names_new(self->room);
    if (!names)
        return room_cli_fail_why(self->cli, WEIR_NO_MEMORY, NULL, NULL);
    size_t count = name_banners(self, names, authors, sizeof authors);
    weir_key_print(weir_room_me(self->room), key);
    snprintf(why, sizeof why, "you are banned from %s, by %s", name, authors);
    snprintf(hint, sizeof hint, "ask %s to lift that, with `weir room ban ROOM %.8s --lift`",
             count > 1 ? "each of them" : authors, key);
    room_names_destroy(&names);
    return room_cli_fail_why(self->cli, WEIR_DENIED, why, hint);
}

/* Checked before anybody is told that we came: does the invitation make us a member? */
static int check_standing(struct room_cli *self)
{
    char name[ROOM_BOOK_NAME], why[384];
    struct weir_room_info info;
    enum weir_room_standing standing;
    int rc = weir_room_standing(self->room, weir_room_me(self->room), &standing);
    if (rc)
        return room_cli_fail(self, rc, NULL);
    weir_room_info(self->room, &info);
    room_name(self, name);
    switch (standing) {
    case WEIR_ROOM_IN:
        return 0;
    case WEIR_ROOM_BANNED:
        return not_let_in_by_ban(self, name);
    case WEIR_ROOM_CUT_OFF:
        snprintf(why, sizeof why,
                 "%s does not let you in: somebody by whose invitation you come is "
                 "banned",
                 name);
        return room_cli_fail_why(self->cli, WEIR_DENIED, why,
                                 "ask another member for an invitation");
    case WEIR_ROOM_CROWDED:
        snprintf(why, sizeof why, "%s is full: it takes %u members", name, info.members);
        return room_cli_fail_why(self->cli, WEIR_DENIED, why,
                                 "its owner can change that, with `weir room config ROOM "
                                 "--members N`");
    case WEIR_ROOM_STRANGER:
    case WEIR_ROOM_GONE:
        break;
    }
    snprintf(why, sizeof why, "the invitation makes you no member of %s", name);
    return room_cli_fail_why(self->cli, WEIR_DENIED, why, "ask for another one");
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
    rc = room_book_remember(self->book, self->room);
    if (!rc)
        rc = fetch_with_name(self);
    if (rc)
        return room_cli_fail(self, rc, HINT_ROOM);
    rc = check_standing(self);
    if (rc)
        return rc;
    bool known = is_known(self);
    rc = room_book_save(self->book, self->room, cli->arg_count > 1 ? cli->args[1] : NULL, &why);
    if (rc)
        return room_cli_fail_why(cli, rc, why.text, NULL);
    rc = room_cli_send(self);
    if (rc && !known)
        (void)room_book_forget(self->book, room_book_place(self->book, self->room), NULL);
    return rc ? rc : room_cli_print_name(self);
}

/* A key pair is made for who has none once it is known what for. (Standard input is read later.) */
static int check_invitation(const struct cli *cli)
{
    struct weir_reason why = {""};
    room_book_t *book = NULL;
    weir_room_t *room = NULL;
    int rc = room_book_open(cli_value(cli, OPTION_identity), false, NULL, &book, NULL);
    room_book_destroy(&book);
    if (rc != WEIR_NOT_FOUND || strcmp(cli->args[0], "-") == 0)
        return 0;
    weir_signer_t *nobody = weir_signer_new();
    rc = nobody ? weir_room_join(cli->args[0], nobody, &room, &why) : WEIR_NO_MEMORY;
    weir_room_destroy(&room);
    weir_signer_destroy(&nobody);
    return rc ? room_cli_fail_why(cli, rc, why.text, NULL) : 0;
}

int cli_room_join(struct cli *cli)
{
    int rc = check_invitation(cli);
    return rc ? rc : room_cli_enter(cli, join);
}
