/* weir room members, ban, nick, config, rotate */
#include "client/cli_room.h"

#include <stdlib.h>
#include <string.h>

/* What prints one document, or without memory nothing: JSON into memory, then as it stands or for
 * people. */
typedef void room_json_fn(FILE *out, const weir_room_t *room);

static int print_document(const struct room_cli *self, room_json_fn *json,
                          const char *const *columns)
{
    char *text = NULL;
    size_t size = 0;
    bool as_json = cli_has(self->cli, OPTION_json);
    FILE *out = open_memstream(&text, &size);
    if (out)
        json(out, self->room);
    if (!out || fclose(out) || size == 0) {
        free(text);
        return cli_fail(self->cli, WEIR_NO_MEMORY, NULL);
    }
    struct weir_bytes bytes = {text, size};
    int rc = columns ? print_table(bytes, as_json, columns) : cli_print_object(bytes, as_json);
    free(text);
    return rc;
}

static int members(struct room_cli *self)
{
    static const char *const people[] = {"nickname", "role", "key", "me", NULL};
    static const char *const bans[] = {"nickname", "key", "by", "when", NULL};
    bool json = cli_has(self->cli, OPTION_json);
    if (cli_has(self->cli, OPTION_banned))
        return print_document(self, json ? room_json_banned : room_table_bans, bans);
    return print_document(self, json ? room_json_members : room_table_members, people);
}

int cli_room_members(struct cli *cli)
{
    return room_cli_run(cli, ROOM_LOOKS, members);
}

static int ban(struct room_cli *self)
{
    uint8_t member[WEIR_KEY_BYTES];
    int rc = room_cli_person(self, 1, member);
    if (rc)
        return rc;
    bool lift = cli_has(self->cli, OPTION_lift);
    rc = weir_room_ban(self->room, member, lift);
    if (rc == WEIR_NOT_FOUND && lift)
        return room_cli_fail(self, rc,
                             "`weir room members ROOM --banned` tells whose bans there are");
    rc = room_cli_finish(self, rc);
    if (rc || !cli_has(self->cli, OPTION_json))
        return rc;
    fputs("{\"target\":", stdout);
    room_json_key(stdout, member);
    printf(",\"banned\":%s}\n", lift ? "false" : "true");
    return cli_flush(self->cli);
}

int cli_room_ban(struct cli *cli)
{
    return room_cli_run(cli, ROOM_LOOKS, ban);
}

static int nick(struct room_cli *self)
{
    int rc = weir_room_nickname(self->room, weir_text(self->cli->args[1]));
    rc = room_cli_finish(self, rc);
    if (rc || !cli_has(self->cli, OPTION_json))
        return rc;
    fputs("{\"key\":", stdout);
    room_json_key(stdout, weir_room_me(self->room));
    fputs(",\"nickname\":", stdout);
    print_json_bytes(stdout, weir_text(self->cli->args[1]));
    puts("}");
    return cli_flush(self->cli);
}

int cli_room_nick(struct cli *cli)
{
    return room_cli_run(cli, ROOM_WRITES, nick);
}

static int rotate(struct room_cli *self)
{
    int rc = weir_room_rotate(self->room);
    rc = room_cli_finish(self, rc);
    return rc || !cli_has(self->cli, OPTION_json) ? rc : room_cli_print_name(self);
}

int cli_room_rotate(struct cli *cli)
{
    return room_cli_run(cli, ROOM_LOOKS, rotate);
}

/* --- the configuration ----------------------------------------------------------------------- */

/* The keys that --moderators lists, each a member's name or key: new bytes, never NULL without an
 * error. 0 or an exit code (told). */
static int read_moderators(struct room_cli *self, uint8_t **keys, size_t *count)
{
    const char *text = cli_value(self->cli, OPTION_moderators);
    char *rest, *copy = strdup(text);
    uint8_t *found = malloc((strlen(text) + 1) * WEIR_KEY_BYTES);
    size_t n = 0;
    int rc = copy && found ? 0 : cli_fail(self->cli, WEIR_NO_MEMORY, NULL);
    for (char *word = rc ? NULL : strtok_r(copy, ",", &rest); word && !rc;
         word = strtok_r(NULL, ",", &rest)) {
        uint8_t *key = found + n++ * WEIR_KEY_BYTES;
        int code = weir_key_parse(word, key) ? room_names_find(self->room, word, key) : 0;
        if (code)
            rc = room_cli_fail(self, code, "`weir room members` lists who is there");
    }
    free(copy);
    if (rc) {
        free(found);
        return rc;
    }
    *keys = found;
    *count = n;
    return 0;
}

static int read_number(const struct cli *cli, enum cli_option option, unsigned *number)
{
    enum { NUMBER_MAX = 1000000 }; /* the room's own limits are smaller */
    long n;
    int rc = cli_number(cli, option, 1, NUMBER_MAX, 0, &n);
    if (!rc)
        *number = (unsigned)n;
    return rc;
}

static int read_numbers(const struct cli *cli, struct weir_room_settings *settings)
{
    const struct {
        enum cli_option option;
        unsigned *number;
    } rows[] = {{OPTION_messages, &settings->messages},
                {OPTION_members, &settings->members},
                {OPTION_message_bytes, &settings->message_bytes},
                {OPTION_nickname_bytes, &settings->nickname_bytes},
                {OPTION_bans, &settings->bans}};
    int rc = 0;
    for (size_t i = 0; !rc && i < sizeof rows / sizeof rows[0]; i++)
        rc = read_number(cli, rows[i].option, rows[i].number);
    return rc;
}

static bool has_settings(const struct cli *cli)
{
    static const enum cli_option options[] = {
        OPTION_name,          OPTION_description,    OPTION_messages, OPTION_members,
        OPTION_message_bytes, OPTION_nickname_bytes, OPTION_bans,     OPTION_moderators};
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (cli_has(cli, options[i]))
            return true;
    return false;
}

static int configure(struct room_cli *self)
{
    const struct cli *cli = self->cli;
    uint8_t *moderators = NULL;
    struct weir_room_settings settings = {.name = cli_value(cli, OPTION_name),
                                          .description = cli_value(cli, OPTION_description)};
    int rc = read_numbers(cli, &settings);
    if (!rc && cli_has(cli, OPTION_moderators))
        rc = read_moderators(self, &moderators, &settings.moderator_count);
    if (rc)
        return rc;
    settings.moderators = moderators;
    rc = weir_room_configure(self->room, &settings);
    free(moderators);
    rc = room_cli_finish(self, rc);
    return rc || !cli_has(cli, OPTION_json) ? rc : print_document(self, room_json_config, NULL);
}

static int config(struct room_cli *self)
{
    return has_settings(self->cli) ? configure(self) : print_document(self, room_json_config, NULL);
}

int cli_room_config(struct cli *cli)
{
    return room_cli_run(cli, ROOM_LOOKS, config);
}
