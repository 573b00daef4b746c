/* cli: the weir command line, but for what needs the rooms above (`weir node`, and `weir check DIR`
 * of data that no node uses), which main/ adds. Written on weir.h alone: what the command line can
 * do, an app can. */
#ifndef WEIR_CLIENT_CLI_H
#define WEIR_CLIENT_CLI_H

#include "client/weir.h"

#include <stdbool.h>
#include <stdio.h>

/* Exit codes, as scripts see them. */
enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_NOT_FOUND = 3,
    EXIT_NO_LIVE_PEER = 4,
    EXIT_TIMEOUT = 5,
    EXIT_REFUSED = 6,
    EXIT_NO_NODE = 7
};

/* --- for main/ ------------------------------------------------------------------------------- */

struct cli_extension {
    /* Runs `weir node` (argv[0] is "node"); prints its options for `weir help node`. */
    int (*node)(int argc, char **argv);
    void (*node_help)(FILE *out);
    /* Runs `weir check DIR`. */
    int (*check_dir)(const char *dir, bool json);
};

/* Before cli_run; borrowed. Without it those commands say that they are not there. */
void cli_extend(const struct cli_extension *extension);

/* Runs the command line and returns the exit code. */
int cli_run(int argc, char **argv);

/* Prints a JSON object as `name: value` lines, or as it stands. Exit code. */
int cli_print_object(struct weir_bytes json, bool as_json);
/* The same for what CHECK answers; EXIT_FAILED, and said, when something is damaged. */
int cli_print_check(struct weir_bytes json, bool as_json);
/* The same for what PEERS answers to `matrix`: a square of nodes. */
int cli_print_matrix(struct weir_bytes json, bool as_json);

/* A progress bar on a terminal (stderr), nothing elsewhere; all 0: not known. */
struct progress {
    const char *what;
    uint64_t shown_ms;
    bool on, drawn;
};
void progress_start(struct progress *self, const char *what);
void progress_show(struct progress *self, uint64_t done, uint64_t all);
void progress_end(struct progress *self);

/* --- options --------------------------------------------------------------------------------- */

/* O (name, NAME, what its value is or NULL, doc) */
#define CLI_OPTIONS(O)                                                                             \
    O(node, "node", "ENDPOINT", "the node ($WEIR_NODE, else tcp://127.0.0.1:7510)")                \
    O(timeout, "timeout", "SECONDS", "how long to wait for an answer ($WEIR_TIMEOUT, else 10)")    \
    O(server_key, "server-key", "KEY",                                                             \
      "the node's CURVE public key, or a file with it ($WEIR_SERVER_KEY)")                         \
    O(client_key, "client-key", "FILE",                                                            \
      "own CURVE key pair, by `weir keys new --curve` ($WEIR_CLIENT_KEY)")                         \
    O(json, "json", NULL, "print JSON")                                                            \
    O(signer, "signer", "FILE", "sign with this writer's key")                                     \
    O(param, "param", "NAME=VALUE", "a parameter of the contract; repeatable")                     \
    O(state, "state", "FILE", "the state's bytes; - is standard input")                            \
    O(delta, "delta", "FILE", "the delta's bytes; - is standard input")                            \
    O(raw, "raw", NULL, "the bytes as they are; of subscribe: base64, a line each")                \
    O(count, "count", "N", "end after N notifications")                                            \
    O(matrix, "matrix", NULL, "who is connected to whom, as the live peers tell")                  \
    O(curve, "curve", NULL, "a CURVE pair for nodes on other machines")                            \
    O(clients, "clients", "N", "clients at once (16)")                                             \
    O(pipeline, "pipeline", "N", "requests each client has open (1)")                              \
    O(seconds, "seconds", "N", "how long (5)")                                                     \
    O(size, "size", "BYTES", "bytes of a value (1024)")                                            \
    O(fields, "fields", "N", "fields of the map, written and read at random (1000)")               \
    O(reads, "reads", "PERCENT", "share of GETs among the requests (50)")                          \
    O(identity, "identity", "NAME", "who you are here ($WEIR_IDENTITY, else me)")                  \
    O(private, "private", NULL, "names and messages are for members' eyes only")                   \
    O(name, "name", "TEXT", "the room's name")                                                     \
    O(description, "description", "TEXT", "what the room is for")                                  \
    O(messages, "messages", "N", "the newest shown (1000)")                                        \
    O(members, "members", "N", "how many there may be (200)")                                      \
    O(message_bytes, "message-bytes", "N", "of a message (4000)")                                  \
    O(nickname_bytes, "nickname-bytes", "N", "of a nickname (50)")                                 \
    O(bans, "bans", "N", "how many there may be (200)")                                            \
    O(moderators, "moderators", "KEYS", "members, commas between, who may ban and delete")         \
    O(remove, "remove", NULL, "take the reaction back")                                            \
    O(lift, "lift", NULL, "lift your ban")                                                         \
    O(banned, "banned", NULL, "list who is banned, by whom and since when")                        \
    O(forget, "forget", NULL, "and forget the room on this machine")                               \
    O(since, "since", "TIME", "10m, 2h, 3d, 2026-11-21, 2026-11-21T15:30 or a Unix time")          \
    O(follow, "follow", NULL, "go on with what comes, until Ctrl-C")                               \
    O(help, "help", NULL, "show this")                                                             \
    O(version, "version", NULL, "show the version")

enum cli_option {
#define O(id, name, value, doc) OPTION_##id,
    CLI_OPTIONS(O)
#undef O
        OPTION_COUNT
};

struct option_row {
    const char *name, *value, *doc;
};
extern const struct option_row cli_options[OPTION_COUNT];

#define WITH(id) (UINT64_C(1) << OPTION_##id)

/* --- commands -------------------------------------------------------------------------------- */

struct cli;

struct command {
    const char *name; /* one word or two */
    const char *args; /* as usage shows them */
    uint64_t options; /* WITH(…) */
    int least, most;  /* arguments; most -1: any number */
    int (*run)(struct cli *cli);
    const char *doc; /* a line */
};
extern const struct command cli_commands[]; /* name NULL ends */

/* A command line as read. */
struct cli {
    const struct command *command;
    const char *values[OPTION_COUNT]; /* the last one given; "" for those without value */
    const char **params;
    size_t param_count;
    const char **words; /* everything that is no option … */
    const char **args;  /* … and what of it follows the command's name */
    size_t arg_count;
    char **argv;
    int argc, node_at; /* where "node" stands: what follows is the node's own */
    weir_t *w;
    weir_signer_t *signer;
};

static inline bool cli_has(const struct cli *cli, enum cli_option option)
{
    return cli->values[option] != NULL;
}

static inline const char *cli_value(const struct cli *cli, enum cli_option option)
{
    return cli->values[option];
}

/* Reads argv; prints what is wrong. 0 or EXIT_USAGE. */
int cli_parse(struct cli *cli, int argc, char **argv);

/* The command named by the first of args, NULL otherwise; *words is how many it takes. */
const struct command *cli_find(const char *const *args, size_t count, size_t *words);

/* `weir help …`: to out. */
void cli_help(FILE *out, const struct command *command);
void cli_help_all(FILE *out);
/* Explains each command of two words that starts with this one; false when there is none. */
bool cli_help_half(FILE *out, const char *word);
/* Is there a command of two words that starts with this one? */
bool cli_is_half(const char *word);
int cli_run_help(struct cli *cli);

/* Tells that the arguments name no command, and which one is near. EXIT_USAGE. */
int cli_no_command(const struct cli *cli);

/* --- for the commands ------------------------------------------------------------------------ */

/* Tells which command runs; NULL: none yet. */
void cli_running(const struct command *command);

/* Prints `weir: COMMAND: WHY; hint` and returns the exit code of that error. */
int cli_fail(const struct cli *cli, int code, const char *why);
/* The same with another hint (NULL: none). */
int cli_fail_hint(const struct cli *cli, int code, const char *why, const char *hint);
int cli_usage(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The handle's last failure. */
int cli_fail_node(const struct cli *cli, int code);

/* Connects as the options say: cli->w. 0 or an exit code (told). */
int cli_connect(struct cli *cli);

/* A handle to the node that the command line names, else with these options (zeros: the usual
 * ones). NULL without memory. */
weir_t *cli_handle(const struct cli *cli, struct weir_options options);

/* The i-th argument as a contract key. 0 or EXIT_USAGE (told). */
int cli_key(const struct cli *cli, size_t i, uint8_t key[WEIR_KEY_BYTES]);

/* A number between least and most from an option; `otherwise` without it. */
int cli_number(const struct cli *cli, enum cli_option option, long least, long most, long otherwise,
               long *number);

/* Whether the contract is of the kind that the command's first word names: `set add` must not act
 * on a counter, which knows `add` as well. 0 or an exit code (told). */
int cli_check_kind(const struct cli *cli, const uint8_t key[WEIR_KEY_BYTES]);

/* All of a file, or standard input for "-": new bytes for free. 0 or an exit code (told). */
int cli_read_file(const struct cli *cli, const char *path, uint8_t **bytes, size_t *size);

/* Flushes stdout: a full disk or a closed pipe is a failure too. */
int cli_flush(const struct cli *cli);

/* `changed` or `unchanged`, or the same in JSON. */
int cli_print_changed(const struct cli *cli, bool changed, const uint8_t *fingerprint);

/* --- values ---------------------------------------------------------------------------------- */

void print_hex(FILE *out, const uint8_t *bytes, size_t size);
void print_base64(FILE *out, struct weir_bytes bytes);
/* A JSON string, or {"base64":…} where the bytes are not UTF-8. */
void print_json_bytes(FILE *out, struct weir_bytes bytes);
/* JSON text as it is, but for controls that JSON leaves alone, which stand as \u escapes. */
void print_json_safely(FILE *out, struct weir_bytes json);
/* What a state or delta says, as JSON, and as text (an item a line). On a terminal the controls in
 * what others wrote are escaped, elsewhere its bytes are exact. 0 or a weir error. */
int print_json_value(FILE *out, const weir_contract_t *contract, struct weir_bytes state,
                     struct weir_reason *why);
int print_text_value(FILE *out, const weir_contract_t *contract, struct weir_bytes state,
                     struct weir_reason *why);
/* ,"removed":[…] where the delta takes something away; nothing otherwise. */
int print_json_removed(FILE *out, const weir_contract_t *contract, struct weir_bytes delta,
                       struct weir_reason *why);
/* A delta's items in one line, removals with a minus before them. */
int print_text_delta(FILE *out, const weir_contract_t *contract, struct weir_bytes delta,
                     struct weir_reason *why);

/* A JSON array of objects as a table with these columns (NULL ends), or as it stands. Exit code. */
int print_table(struct weir_bytes json, bool as_json, const char *const *columns);

/* --- the commands ---------------------------------------------------------------------------- */

int cli_put(struct cli *cli);
int cli_get(struct cli *cli);
int cli_update(struct cli *cli);
int cli_subscribe(struct cli *cli);
int cli_edit(struct cli *cli);
int cli_edit_or_load(struct cli *cli);
int cli_keys_new(struct cli *cli);
int cli_keys_show(struct cli *cli);
int cli_status(struct cli *cli);
int cli_contracts(struct cli *cli);
int cli_peers(struct cli *cli);
int cli_peer_connect(struct cli *cli);
int cli_peer_disconnect(struct cli *cli);
int cli_backup(struct cli *cli);
int cli_check(struct cli *cli);
int cli_bench(struct cli *cli);
int cli_room_create(struct cli *cli);
int cli_room_invite(struct cli *cli);
int cli_room_join(struct cli *cli);
int cli_room_say(struct cli *cli);
int cli_room_reply(struct cli *cli);
int cli_room_edit(struct cli *cli);
int cli_room_delete(struct cli *cli);
int cli_room_react(struct cli *cli);
int cli_room_dm(struct cli *cli);
int cli_room_members(struct cli *cli);
int cli_room_ban(struct cli *cli);
int cli_room_nick(struct cli *cli);
int cli_room_config(struct cli *cli);
int cli_room_rotate(struct cli *cli);
int cli_room_leave(struct cli *cli);
int cli_room_list(struct cli *cli);
int cli_room_log(struct cli *cli);
int cli_room_export(struct cli *cli);
int cli_chat(struct cli *cli);
int cli_node(struct cli *cli);
int cli_check_offline(struct cli *cli);

#endif
