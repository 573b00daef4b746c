/* The commands as data: dispatch, usage, help and completion all read this table. */
#include "client/cli.h"

#include <string.h>

const struct option_row cli_options[OPTION_COUNT] = {
#define O(id, name, value, doc) {name, value, doc},
    CLI_OPTIONS(O)
#undef O
};

#define AT_NODE                                                                                    \
    (WITH(node) | WITH(timeout) | WITH(server_key) | WITH(client_key) | WITH(json) | WITH(help))

/* Commands about a room: most, and those that --json has nothing to say to. */
#define IN_ROOM   (AT_NODE | WITH(identity))
#define DOES_ROOM (IN_ROOM & ~WITH(json))

/* {name, arguments, options, least, most, function, doc} */
const struct command cli_commands[] = {
    {"node", "[options]", 0, 0, -1, cli_node, "run a node in the foreground"},
    {"put", "KIND", AT_NODE | WITH(param) | WITH(state), 1, 1, cli_put,
     "create a contract, or merge into it; prints its KEY"},
    {"get", "KEY", AT_NODE | WITH(raw), 1, 1, cli_get, "print a contract's value"},
    {"update", "KEY --delta FILE|-", AT_NODE | WITH(delta), 1, 1, cli_update,
     "merge a delta's bytes"},
    {"subscribe", "KEY", AT_NODE | WITH(count) | WITH(raw), 1, 1, cli_subscribe,
     "print a contract's value, then its changes as they come"},
    {"counter add", "KEY N", AT_NODE | WITH(signer), 2, 2, cli_edit,
     "add N (negative: subtract) to a counter"},
    {"register set", "KEY VALUE", AT_NODE | WITH(signer), 2, 2, cli_edit,
     "write a register or multi-register"},
    {"set add", "KEY ELEMENT…|-", AT_NODE | WITH(signer), 2, -1, cli_edit_or_load,
     "put elements in a set; - reads them from standard input, a line each"},
    {"set remove", "KEY ELEMENT…", AT_NODE | WITH(signer), 2, -1, cli_edit,
     "take elements out of a set"},
    {"map set", "KEY FIELD VALUE", AT_NODE | WITH(signer), 3, 3, cli_edit, "write a map's field"},
    {"map remove", "KEY FIELD…", AT_NODE | WITH(signer), 2, -1, cli_edit,
     "take fields out of a map"},
    {"map load", "KEY -", AT_NODE | WITH(signer), 2, 2, cli_edit_or_load,
     "write fields from standard input, FIELD<TAB>VALUE a line"},
    {"log append", "KEY TEXT…|-", AT_NODE | WITH(signer), 2, -1, cli_edit_or_load,
     "append to a log; - reads entries from standard input, a line each"},
    {"keys new", "[FILE]", WITH(json) | WITH(curve) | WITH(help), 0, 1, cli_keys_new,
     "make a writer's key pair; prints its public key"},
    {"keys show", "[FILE]", WITH(json) | WITH(help), 0, 1, cli_keys_show,
     "print a writer's public key"},
    {"status", "", AT_NODE, 0, 0, cli_status, "print how the node is"},
    {"contracts", "", AT_NODE, 0, 0, cli_contracts, "list what the node hosts"},
    {"peers", "", AT_NODE | WITH(matrix), 0, 0, cli_peers, "list the node's peers"},
    {"connect", "ID@HOST:PORT", AT_NODE, 1, 1, cli_peer_connect, "connect the node to a peer"},
    {"disconnect", "ID", AT_NODE, 1, 1, cli_peer_disconnect, "remove a peer of the node"},
    {"backup", "DIR", AT_NODE, 1, 1, cli_backup, "copy the node's data while it runs"},
    {"check", "[DIR]", AT_NODE, 0, 1, cli_check,
     "read every record and verify it: the node's, or of data that no node uses"},
    {"bench", "",
     AT_NODE | WITH(clients) | WITH(pipeline) | WITH(seconds) | WITH(size) | WITH(fields) |
         WITH(reads),
     0, 0, cli_bench, "put load on the node and print figures"},
    {"room create", "NAME", IN_ROOM | WITH(private) | WITH(description), 1, 1, cli_room_create,
     "make a room; prints what it goes by here"},
    {"room invite", "ROOM", IN_ROOM, 1, 1, cli_room_invite,
     "print an invitation: a line of text for whom you want in the room"},
    {"room join", "INVITATION|- [NAME]", IN_ROOM, 1, 2, cli_room_join,
     "enter a room; NAME: what it is to go by here; - reads the invitation from standard input"},
    {"room say", "ROOM TEXT…|-", IN_ROOM, 2, -1, cli_room_say,
     "write a message; - reads them from standard input, a line each"},
    {"room reply", "ROOM MESSAGE TEXT…", IN_ROOM, 3, -1, cli_room_reply, "answer a message"},
    {"room edit", "ROOM MESSAGE TEXT…", IN_ROOM, 3, -1, cli_room_edit,
     "say what your message should have said"},
    {"room delete", "ROOM MESSAGE", IN_ROOM, 2, 2, cli_room_delete,
     "take a message away: your own, or as a moderator"},
    {"room react", "ROOM MESSAGE EMOJI", IN_ROOM | WITH(remove), 3, 3, cli_room_react,
     "react to a message"},
    {"room dm", "ROOM [MEMBER TEXT…]", IN_ROOM, 1, -1, cli_room_dm,
     "write to one member alone; without a text: print what was written so"},
    {"room members", "ROOM", IN_ROOM | WITH(banned), 1, 1, cli_room_members,
     "list who is in the room; --banned: who is kept out of it"},
    {"room ban", "ROOM MEMBER", IN_ROOM | WITH(lift), 2, 2, cli_room_ban,
     "put a member, and all whom it invited, out of the room"},
    {"room nick", "ROOM NAME", IN_ROOM, 2, 2, cli_room_nick, "give yourself a name there"},
    {"room config", "ROOM",
     IN_ROOM | WITH(name) | WITH(description) | WITH(messages) | WITH(members) |
         WITH(message_bytes) | WITH(nickname_bytes) | WITH(bans) | WITH(moderators),
     1, 1, cli_room_config, "print the configuration; with options: change it, as the owner"},
    {"room rotate", "ROOM", IN_ROOM, 1, 1, cli_room_rotate, "give a private room a new key"},
    {"room leave", "ROOM", IN_ROOM | WITH(forget), 1, 1, cli_room_leave, "leave a room"},
    {"room list", "", WITH(identity) | WITH(json) | WITH(help), 0, 0, cli_room_list,
     "list the rooms that you are in; asks no node"},
    {"room log", "ROOM", IN_ROOM | WITH(since) | WITH(follow), 1, 1, cli_room_log,
     "print the messages"},
    {"room export", "ROOM", DOES_ROOM, 1, 1, cli_room_export,
     "print all that the room is as one JSON document"},
    {"chat", "[ROOM]", DOES_ROOM, 0, 1, cli_chat, "talk in your rooms, in a terminal"},
    {"help", "[COMMAND]", WITH(help), 0, 3, cli_run_help, "explain a command"},
    {0},
};

/* How many words of args are the command's name; 0 when it is another one. */
static size_t words_of(const struct command *command, const char *const *args, size_t count)
{
    const char *space = strchr(command->name, ' ');
    size_t first = space ? (size_t)(space - command->name) : strlen(command->name);
    if (!count || strlen(args[0]) != first || memcmp(args[0], command->name, first) != 0)
        return 0;
    if (!space)
        return 1;
    return count > 1 && strcmp(args[1], space + 1) == 0 ? 2 : 0;
}

const struct command *cli_find(const char *const *args, size_t count, size_t *words)
{
    for (const struct command *c = cli_commands; c->name; c++) {
        *words = words_of(c, args, count);
        if (*words)
            return c;
    }
    return NULL;
}
