/* The settings of `weir node`. The input: lines. The first ones, up to an empty line, are arguments
 * (the first byte of each tells whether it is one, or an environment variable NAME=VALUE of
 * WEIR_…); the rest is the config file. What was read is one of what was given, and asking again
 * says the same. */
#include "main/node_settings.h"

#include "actors/peer_names.h"
#include "tests/fuzz/file.h"
#include "tests/fuzz/must.h"

#include <string.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 24, SET_MAX = 8 };

struct given {
    char *arguments[ARGUMENTS_MAX + 1], *variables[SET_MAX];
    int argument_count, variable_count;
    char config[80];
};

/* NAME=VALUE into the environment, of the names that the node reads; what it needs lives on. */
static void set_variable(struct given *given, char *text)
{
    char name[64], *value = strchr(text, '=');
    if (!value || given->variable_count == SET_MAX || value - text > 40)
        return;
    *value++ = 0;
    (void)snprintf(name, sizeof name, "WEIR_%s", text);
    (void)setenv(name, value, 1);
    given->variables[given->variable_count] = strdup(name);
    MUST(given->variables[given->variable_count++]);
}

/* Takes lines off the text until an empty one. */
static char *take_lines(struct given *given, char *text)
{
    char *line;
    while ((line = strsep(&text, "\n")) && *line) {
        if (*line == '=')
            set_variable(given, line + 1);
        else if (given->argument_count < ARGUMENTS_MAX)
            given->arguments[given->argument_count++] = line;
    }
    return text;
}

static void check_values(const struct node_settings *settings)
{
    struct reason why = {""};
    uint64_t bytes = 0;
    for (int s = 0; s < SETTING_COUNT; s++) {
        MUST(settings->counts[s] <= SETTING_VALUES_MAX);
        MUST(!settings->values[s][settings->counts[s]]);
        for (size_t i = 0; i < settings->counts[s]; i++) {
            struct host_port parts;
            MUST(settings->values[s][i][0]);
            if (host_port_parse(settings->values[s][i], &parts))
                MUST(parts.host[0] && parts.port[0]);
        }
        int rc = node_settings_size(settings, (enum node_setting)s, 7, &bytes, &why);
        MUST(rc == 0 ? bytes > 0 : rc == ERR_BAD_REQUEST && why.text[0]);
        MUST(rc || settings->counts[s] || bytes == 7);
    }
}

static int read_once(struct given *given, struct node_settings *settings)
{
    struct reason why = {""};
    bool help = false;
    int rc = node_settings_read(settings, given->argument_count, given->arguments, &help, &why);
    MUST(rc == 0 || (rc == ERR_BAD_REQUEST || rc == ERR_IO));
    MUST(rc == 0 || why.text[0]);
    check_values(settings);
    return rc;
}

static bool equal(const struct node_settings *a, const struct node_settings *b)
{
    bool same = true;
    for (int s = 0; s < SETTING_COUNT && same; s++) {
        same = a->counts[s] == b->counts[s];
        for (size_t i = 0; i < a->counts[s] && same; i++)
            same = strcmp(a->values[s][i], b->values[s][i]) == 0;
    }
    return same;
}

static void read_all(struct given *given)
{
    struct node_settings first = {0}, again = {0};
    char *order[ARGUMENTS_MAX + 1];
    memcpy(order, given->arguments, sizeof order);
    int rc = read_once(given, &first);
    memcpy(given->arguments, order, sizeof order); /* getopt turns them round */
    MUST(read_once(given, &again) == rc && equal(&first, &again));
    node_settings_free(&first);
    node_settings_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char name[] = "weir node";
    struct given given = {.arguments = {name}, .argument_count = 1};
    char *text = (char *)calloc(1, size + 1);
    MUST(text);
    memcpy(text, data, size);
    char *rest = take_lines(&given, text);
    int fd = -1;
    if (rest && given.argument_count < ARGUMENTS_MAX) {
        static const char option[] = "--config=";
        memcpy(given.config, option, sizeof option);
        fd = file_of(slice_text(rest), given.config + sizeof option - 1);
        given.arguments[given.argument_count++] = given.config;
    }
    read_all(&given);
    if (fd >= 0)
        (void)close(fd);
    for (int i = 0; i < given.variable_count; i++) {
        (void)unsetenv(given.variables[i]);
        free(given.variables[i]);
    }
    free(text);
    return 0;
}
