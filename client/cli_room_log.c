/* weir room log, export */
#include "client/cli_room.h"

/* All of them, once. */
static int print_once(const struct room_cli *self, struct room_lines *lines, uint64_t since_ms)
{
    weir_room_t *room = self->room;
    bool json = cli_has(self->cli, OPTION_json), some = false;
    if (json)
        putchar('[');
    for (size_t i = 0; i < weir_room_message_count(room); i++) {
        struct weir_room_message message;
        weir_room_message(room, i, &message);
        if (message.time_ms < since_ms)
            continue;
        if (json) {
            fputs(some ? "," : "", stdout);
            room_json_message(stdout, room, i);
        } else {
            room_line_message(lines, i);
        }
        some = true;
    }
    if (json)
        puts("]");
    return cli_flush(self->cli);
}

static int run_log(struct room_cli *room)
{
    struct room_lines lines = {.out = stdout, .room = room->room, .now_ms = unix_ms()};
    const char *since = cli_value(room->cli, OPTION_since);
    uint64_t since_ms = 0;
    if (since)
        (void)room_cli_since(since, lines.now_ms, &since_ms); /* checked before */
    int rc = room_lines_name(&lines);
    if (rc)
        rc = cli_fail(room->cli, rc, NULL);
    else
        rc = cli_has(room->cli, OPTION_follow) ? room_cli_follow(room, &lines, since_ms)
                                               : print_once(room, &lines, since_ms);
    room_names_destroy(&lines.names);
    return rc;
}

int cli_room_log(struct cli *cli)
{
    uint64_t since_ms;
    const char *since = cli_value(cli, OPTION_since);
    if (since && !room_cli_since(since, unix_ms(), &since_ms))
        return cli_usage(cli,
                         "--since %.40s is no time: give 10m, 2h, 3d, 2026-11-21, 2026-11-21T15:30 "
                         "or a Unix time",
                         since);
    return room_cli_run(cli, ROOM_LOOKS, run_log);
}

static int export(struct room_cli *self)
{
    const weir_room_t *room = self->room;
    fputs("{\"key\":", stdout);
    room_json_key(stdout, weir_contract_key(weir_room_contract(room)));
    fputs(",\"me\":", stdout);
    room_json_key(stdout, weir_room_me(room));
    fputs(",\"configuration\":", stdout);
    room_json_config(stdout, room);
    fputs(",\"members\":", stdout);
    room_json_members(stdout, room);
    fputs(",\"bans\":", stdout);
    room_json_bans(stdout, room);
    fputs(",\"messages\":[", stdout);
    for (size_t i = 0; i < weir_room_message_count(room); i++) {
        fputs(i ? "," : "", stdout);
        room_json_message(stdout, room, i);
    }
    fputs("],\"direct\":", stdout);
    room_json_direct(stdout, room, NULL);
    puts("}");
    return cli_flush(self->cli);
}

int cli_room_export(struct cli *cli)
{
    return room_cli_run(cli, ROOM_LOOKS, export);
}
