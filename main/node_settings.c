#include "main/node_settings.h"

#include <czmq.h>
#include <getopt.h>

static const struct setting_row {
    const char *name, *placeholder, *doc;
    bool repeats;
} rows[SETTING_COUNT] = {
#define S(name, placeholder, repeats, doc) {#name, placeholder, doc, repeats},
    NODE_SETTINGS(S)
#undef S
};

/* --max-peers, max-peers in the file, WEIR_MAX_PEERS: all from max_peers. */
static void spell(const char *name, char separator, char text[40])
{
    size_t i = 0;
    for (; i < 39 && name[i]; i++)
        text[i] = name[i] == '_' ? separator : name[i];
    text[i] = 0;
}

static int add(struct node_settings *self, enum node_setting setting, const char *value,
               struct reason *why)
{
    const struct setting_row *row = &rows[setting];
    char name[40];
    spell(row->name, '-', name);
    if (self->counts[setting] == SETTING_VALUES_MAX)
        return fail(why, ERR_BAD_REQUEST, "--%s: at most %d times", name, SETTING_VALUES_MAX);
    if (self->counts[setting] && !row->repeats)
        return fail(why, ERR_BAD_REQUEST, "--%s: given twice", name);
    if (!*value)
        return fail(why, ERR_BAD_REQUEST, "--%s: a value is missing", name);
    char *copy = strdup(value);
    if (!copy)
        return fail(why, ERR_NO_MEMORY, "out of memory");
    self->values[setting][self->counts[setting]++] = copy;
    return 0;
}

static int read_arguments(struct node_settings *self, int argc, char **argv, bool *help,
                          struct reason *why)
{
    static char names[SETTING_COUNT][40];
    struct option options[SETTING_COUNT + 2] = {{0}};
    for (int s = 0; s < SETTING_COUNT; s++) {
        spell(rows[s].name, '-', names[s]);
        options[s] = (struct option){names[s], *rows[s].placeholder ? 1 : 0, NULL, 256 + s};
    }
    options[SETTING_COUNT] = (struct option){"help", 0, NULL, 'h'};
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    int found, rc = 0;
    while (rc == 0 && (found = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        const char *given = argv[optind - 1];
        if (found == 'h')
            *help = true;
        else if (found == ':')
            rc = fail(why, ERR_BAD_REQUEST, "%s: a value is missing", given);
        else if (found < 256)
            rc = fail(why, ERR_BAD_REQUEST, "%s: no such option; see weir help node", given);
        else
            rc = add(self, (enum node_setting)(found - 256), optarg ? optarg : "yes", why);
    }
    if (rc == 0 && optind < argc)
        rc = fail(why, ERR_BAD_REQUEST, "%s: weir node takes options only", argv[optind]);
    return rc;
}

static int read_file(struct node_settings *self, const bool given[SETTING_COUNT],
                     struct reason *why)
{
    const char *path = self->values[SETTING_config][0];
    zchunk_t *text = zchunk_slurp(path, 0); /* zconfig_load loses memory over a file with faults */
    zconfig_t *root = text ? zconfig_chunk_load(text) : NULL;
    int rc = 0;
    zchunk_destroy(&text);
    if (!root)
        return fail(why, ERR_IO, "%s: not a readable ZPL file", path);
    for (zconfig_t *item = zconfig_child(root); item && rc == 0; item = zconfig_next(item)) {
        int s = 0;
        char name[40];
        for (; s < SETTING_COUNT; s++) {
            spell(rows[s].name, '-', name);
            if (streq(name, zconfig_name(item)))
                break;
        }
        if (s == SETTING_COUNT || s == SETTING_config)
            rc = fail(why, ERR_BAD_REQUEST, "%s: no such option: %s", path, zconfig_name(item));
        else if (!given[s])
            rc = add(self, (enum node_setting)s, zconfig_value(item) ? zconfig_value(item) : "",
                     why);
    }
    zconfig_destroy(&root);
    return rc;
}

/* Several values of one variable are separated by commas. */
static int read_environment(struct node_settings *self, enum node_setting setting,
                            struct reason *why)
{
    char name[48] = "WEIR_";
    spell(rows[setting].name, '_', name + 5);
    for (char *c = name; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    const char *text = getenv(name);
    if (!text || !*text)
        return 0;
    char *copy = strdup(text), *rest = copy;
    int rc = 0;
    if (!copy)
        return fail(why, ERR_NO_MEMORY, "out of memory");
    if (!rows[setting].repeats)
        rc = add(self, setting, copy, why);
    else
        for (char *part = strsep(&rest, ","); part && rc == 0; part = strsep(&rest, ","))
            rc = add(self, setting, part, why);
    free(copy);
    return rc;
}

int node_settings_read(struct node_settings *self, int argc, char **argv, bool *help,
                       struct reason *why)
{
    bool given[SETTING_COUNT];
    *help = false;
    int rc = read_arguments(self, argc, argv, help, why);
    if (rc == 0 && !self->counts[SETTING_config])
        rc = read_environment(self, SETTING_config, why);
    for (int s = 0; s < SETTING_COUNT; s++)
        given[s] = self->counts[s] > 0;
    if (rc == 0 && given[SETTING_config])
        rc = read_file(self, given, why);
    for (int s = 0; s < SETTING_COUNT && rc == 0; s++)
        if (!self->counts[s])
            rc = read_environment(self, (enum node_setting)s, why);
    return rc;
}

void node_settings_free(struct node_settings *self)
{
    for (int s = 0; s < SETTING_COUNT; s++)
        for (size_t i = 0; i < self->counts[s]; i++)
            free((void *)(uintptr_t)self->values[s][i]);
    *self = (struct node_settings){0};
}

const char *node_settings_text(const struct node_settings *self, enum node_setting setting,
                               const char *otherwise)
{
    return self->counts[setting] ? self->values[setting][0] : otherwise;
}

int node_settings_size(const struct node_settings *self, enum node_setting setting,
                       uint64_t otherwise, uint64_t *size, struct reason *why)
{
    static const char units[] = "KMGT";
    const char *text = node_settings_text(self, setting, NULL);
    char name[40], *end;
    if (!text) {
        *size = otherwise;
        return 0;
    }
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    const char *unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
    unsigned shift = unit ? (unsigned)(unit - units + 1) * 10 : 0;
    bool tail = !*end || (unit && (!end[1] || streq(end + 1, "iB") || streq(end + 1, "B")));
    if (errno || !isdigit((unsigned char)*text) || !tail || value > UINT64_MAX >> shift ||
        value == 0) {
        spell(rows[setting].name, '-', name);
        return fail(why, ERR_BAD_REQUEST, "--%s %s: a size such as 512M or 20G is wanted", name,
                    text);
    }
    *size = value << shift;
    return 0;
}

void node_settings_help(FILE *out)
{
    for (int s = 0; s < SETTING_COUNT; s++) {
        char name[40], left[64];
        spell(rows[s].name, '-', name);
        (void)snprintf(left, sizeof left, "--%s %s", name, rows[s].placeholder);
        fprintf(out, "  %-26s %s%s\n", left, rows[s].doc, rows[s].repeats ? "; repeatable" : "");
    }
}
