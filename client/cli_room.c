/* What the commands about a room share. */
#include "client/cli_room.h"
#include "client/safe_text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- failing --------------------------------------------------------------------------------- */

int room_cli_fail_why(const struct cli *cli, int code, const char *why, const char *hint)
{
    char line[512];
    safe_text_line(weir_text(why && *why ? why : weir_error_text(code)), line, sizeof line);
    if (!hint && code == WEIR_NOT_FOUND)
        hint = "`weir room list` lists your rooms";
    return hint ? cli_fail_hint(cli, code, line, *hint ? hint : NULL) : cli_fail(cli, code, line);
}

int room_cli_fail(const struct room_cli *self, int code, const char *hint)
{
    const char *why = self->room ? weir_room_error(self->room) : "";
    if (!*why && self->cli->w)
        why = weir_error(self->cli->w);
    return room_cli_fail_why(self->cli, code, why, code == WEIR_NOT_FOUND ? hint : NULL);
}

/* --- the book -------------------------------------------------------------------------------- */

/* What of the book could not be read is told; the rest is of use. */
static void tell_damaged(const struct room_cli *self)
{
    for (size_t i = 0; i < room_book_damaged_count(self->book); i++) {
        char line[512];
        safe_text_line(weir_text(room_book_damaged(self->book, i)), line, sizeof line);
        fprintf(stderr, "weir: %s: %s\n", self->cli->command->name, line);
    }
}

int room_cli_book(struct room_cli *self, bool make)
{
    struct weir_reason why = {""};
    bool made = false;
    const struct cli *cli = self->cli;
    int rc = room_book_open(cli_value(cli, OPTION_identity), make, &made, &self->book, &why);
    bool first = rc == WEIR_NOT_FOUND && room_book_is_first(cli_value(cli, OPTION_identity));
    if (rc)
        return room_cli_fail_why(cli, rc, why.text,
                                 first                  ? HINT_FIRST_IDENTITY
                                 : rc == WEIR_NOT_FOUND ? HINT_IDENTITY
                                                        : NULL);
    if (made)
        fprintf(stderr, "weir: %s: made a key pair for %s, new on this machine\n",
                cli->command->name, room_book_identity(self->book));
    tell_damaged(self);
    return 0;
}

void room_cli_close(struct room_cli *self)
{
    weir_room_destroy(&self->room);
    weir_destroy(&self->cli->w); /* before the signer that it may sign with */
    room_book_destroy(&self->book);
}

/* --- a room ---------------------------------------------------------------------------------- */

static int open_room(struct room_cli *self)
{
    struct weir_reason why = {""};
    int rc = room_cli_book(self, false);
    if (rc)
        return rc;
    rc = room_book_find(self->book, self->cli->args[0], &self->at, &why);
    if (!rc)
        rc = room_book_load(self->book, self->at, &self->room, &why);
    return rc ? room_cli_fail_why(self->cli, rc, why.text,
                                  rc == WEIR_NOT_FOUND ? HINT_NO_ROOM : NULL)
              : 0;
}

/* A room that came by an invitation to a private one may tell its name only now. Where that cannot
 * be saved, the next command tries again. */
static void name_room(struct room_cli *self)
{
    char before[ROOM_BOOK_NAME];
    const struct room_book_entry *entry = room_book_entry(self->book, self->at);
    if (!room_book_is_makeshift(entry))
        return;
    memcpy(before, entry->name, sizeof before);
    if (room_book_save(self->book, self->room, NULL, NULL))
        return;
    self->at = room_book_place(self->book, self->room);
    entry = room_book_entry(self->book, self->at);
    if (strcmp(entry->name, before) != 0)
        fprintf(stderr, "weir: %s: the room %s goes by its name now, %s\n",
                self->cli->command->name, before, entry->name);
}

static bool is_away(int code)
{
    return code == WEIR_NOT_FOUND || code == WEIR_NO_LIVE_PEER;
}

int room_cli_run(struct cli *cli, enum room_need need, room_work_fn *work)
{
    struct room_cli self = {.cli = cli};
    int rc = open_room(&self);
    if (!rc)
        rc = cli_connect(cli);
    if (!rc) {
        int fetched = weir_room_fetch(cli->w, self.room);
        if (!fetched)
            name_room(&self);
        self.is_away = is_away(fetched);
        bool fine = fetched == 0 || (need == ROOM_WRITES && self.is_away);
        rc = fine ? work(&self) : room_cli_fail(&self, fetched, HINT_ROOM);
    }
    room_cli_close(&self);
    return rc;
}

int room_cli_enter(struct cli *cli, room_work_fn *work)
{
    struct room_cli self = {.cli = cli};
    int rc = cli_connect(cli);
    if (!rc)
        rc = room_cli_book(&self, true);
    if (!rc)
        rc = work(&self);
    room_cli_close(&self);
    return rc;
}

int room_cli_send(struct room_cli *self)
{
    struct weir_room_info info;
    struct weir_reason why = {""};
    weir_room_info(self->room, &info);
    if (info.is_private && info.readable && info.member)
        (void)weir_room_share_keys(self->room); /* whoever else has the key may do it, too */
    int rc = weir_room_send(self->cli->w, self->room);
    if (rc)
        return room_cli_fail(self, rc, HINT_ROOM);
    rc = room_book_save(self->book, self->room, NULL, &why);
    return rc ? room_cli_fail_why(self->cli, rc, why.text, NULL) : 0;
}

int room_cli_finish(struct room_cli *self, int code)
{
    return code ? room_cli_fail(self, code, HINT_PEOPLE) : room_cli_send(self);
}

/* --- arguments ------------------------------------------------------------------------------- */

int room_cli_message(struct room_cli *self, size_t i, uint8_t spot[WEIR_SPOT_BYTES])
{
    int rc = weir_room_find_message(self->room, self->cli->args[i], spot);
    if (!rc)
        return 0;
    return room_cli_fail_why(self->cli, rc, weir_room_error(self->room),
                             "`weir room log` shows the messages' names");
}

int room_cli_person(struct room_cli *self, size_t i, uint8_t key[WEIR_KEY_BYTES])
{
    int rc = room_names_find(self->room, self->cli->args[i], key);
    if (!rc)
        return 0;
    return room_cli_fail_why(self->cli, rc, weir_room_error(self->room), HINT_PEOPLE);
}

char *room_cli_text(const struct cli *cli, size_t i)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    for (size_t at = i; at < cli->arg_count; at++)
        fprintf(out, "%s%s", at > i ? " " : "", cli->args[at]);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

void room_cli_short_name(weir_room_t *room, const uint8_t *spot, char name[WEIR_SPOT_TEXT])
{
    enum { SHORT = 8 };
    uint8_t found[WEIR_SPOT_BYTES];
    char whole[WEIR_SPOT_TEXT];
    weir_room_spot_name(spot, whole);
    for (size_t digits = SHORT; digits < WEIR_SPOT_TEXT; digits += SHORT) {
        snprintf(name, WEIR_SPOT_TEXT, "%.*s", (int)digits, whole);
        if (weir_room_find_message(room, name, found) != WEIR_BAD_REQUEST)
            return;
    }
}

/* --- time ------------------------------------------------------------------------------------ */

/* 2026-11-21, 2026-11-21T15:30 */
static bool is_date(const char *text)
{
    static const char form[] = "0000-00-00T00:00";
    size_t size = strlen(text);
    if (size != strlen("0000-00-00") && size != strlen(form))
        return false;
    for (size_t i = 0; i < size; i++)
        if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return false;
    return true;
}

/* By the local clock; false when the calendar has no such day or minute. */
static bool date(const char *text, uint64_t *since_ms)
{
    struct tm tm = {.tm_isdst = -1}, same;
    const char *end = is_date(text) ? strptime(text, "%Y-%m-%d", &tm) : NULL;
    if (end && *end)
        end = strptime(end, "T%H:%M", &tm);
    if (!end || *end)
        return false;
    same = tm;
    same.tm_isdst = -1;
    time_t seconds = mktime(&same);
    if (seconds < 0 || same.tm_mday != tm.tm_mday || same.tm_mon != tm.tm_mon ||
        same.tm_hour != tm.tm_hour || same.tm_min != tm.tm_min)
        return false;
    *since_ms = (uint64_t)seconds * 1000;
    return true;
}

bool room_cli_since(const char *text, uint64_t now_ms, uint64_t *since_ms)
{
    static const struct {
        const char *end;
        uint64_t ms;
    } units[] = {{"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    enum { DIGITS_MAX = 13, MS_DIGITS = 12 }; /* more digits than seconds will have for long */
    size_t digits = strspn(text, "0123456789");
    if (!digits || digits > DIGITS_MAX)
        return false;
    uint64_t n = strtoull(text, NULL, 10);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(text + digits, units[i].end) != 0)
            continue;
        *since_ms = n > now_ms / units[i].ms ? 0 : now_ms - n * units[i].ms;
        return true;
    }
    if (text[digits])
        return date(text, since_ms);
    *since_ms = digits >= MS_DIGITS ? n : n * 1000;
    return true;
}
