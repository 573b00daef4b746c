/* node_settings: the options of `weir node`, from the command line, the config file, the
 * environment, in that order of weight; then the defaults. */
#ifndef WEIR_MAIN_NODE_SETTINGS_H
#define WEIR_MAIN_NODE_SETTINGS_H

#include "base/errors.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* S (name, placeholder, may repeat, doc); the environment's name is WEIR_ and the name in capitals.
 */
#define NODE_SETTINGS(S)                                                                           \
    S(data, "DIR", false, "where the node keeps everything ($XDG_DATA_HOME/weir)")                 \
    S(client, "ENDPOINT", true, "serve clients there (tcp://127.0.0.1:7510, and ipc in DIR)")      \
    S(client_keys, "DIR", false, "public certificates of clients from elsewhere (CURVE)")          \
    S(listen, "HOST:PORT", false, "serve peers there, or none (0.0.0.0:31337)")                    \
    S(advertise, "HOST:PORT", false, "the address that peers are told")                            \
    S(gateway, "ID@HOST:PORT", true, "join the network through it")                                \
    S(role, "ROLE", false, "peer or gateway (peer)")                                               \
    S(network, "NAME", false, "nodes of other networks are refused (weir)")                        \
    S(max_peers, "N", false, "live peers at most (64)")                                            \
    S(max_store, "SIZE", false, "store at most, as 512M or 20G (the disk is the limit)")           \
    S(max_state, "SIZE", false, "one contract's state at most (50M)")                              \
    S(durability, "WHEN", false, "full: answer when it is on disk; relaxed: before (full)")        \
    S(log_level, "LEVEL", false, "error, warn, info, debug (info)")                                \
    S(log_json, "", false, "log lines as JSON")                                                    \
    S(config, "FILE", false, "read options from a ZPL file: name = value")

enum node_setting {
#define S(name, placeholder, repeats, doc) SETTING_##name,
    NODE_SETTINGS(S)
#undef S
        SETTING_COUNT
};

enum { SETTING_VALUES_MAX = 32 };

enum node_setting_source { FROM_ARGUMENTS, FROM_FILE, FROM_ENVIRONMENT };

struct node_settings {
    const char *values[SETTING_COUNT][SETTING_VALUES_MAX + 1]; /* NULL-terminated; owned */
    size_t counts[SETTING_COUNT];
    enum node_setting_source sources[SETTING_COUNT];
};

/* Reads all sources. ERR_BAD_REQUEST with a sentence (usage); ERR_IO for the config file. help is
 * set when --help is among the arguments. */
MUST_USE int node_settings_read(struct node_settings *self, int argc, char **argv, bool *help,
                                struct reason *why);
void node_settings_free(struct node_settings *self);

/* The one value, or the default given. */
const char *node_settings_text(const struct node_settings *self, enum node_setting setting,
                               const char *otherwise);

/* Tells what is wanted instead of a value, and where that stands. ERR_BAD_REQUEST. */
int node_settings_wrong(const struct node_settings *self, enum node_setting setting,
                        const char *value, const char *wanted, struct reason *why);

/* One that has no value on the command line: yes or no elsewhere. ERR_BAD_REQUEST. */
MUST_USE int node_settings_flag(const struct node_settings *self, enum node_setting setting,
                                bool *on, struct reason *why);

/* A size such as 4096, 512K, 50M, 50MiB, 2G. ERR_BAD_REQUEST. */
MUST_USE int node_settings_size(const struct node_settings *self, enum node_setting setting,
                                uint64_t otherwise, uint64_t *size, struct reason *why);

/* Prints the options, a line each. */
void node_settings_help(FILE *out);

#endif
