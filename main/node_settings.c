#include "main/node_settings.h"

#include <czmq.h>
#include <getopt.h>
#include <sys/stat.h>

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

/* WEIR_MAX_PEERS */
static void spell_variable(const char *setting, char text[48])
{
    memcpy(text, "WEIR_", sizeof "WEIR_");
    spell(setting, '_', text + 5);
    for (char *c = text; *c; c++)
        *c = (char)toupper((unsigned char)*c);
}

enum { PLACE_ROOM = 200 };

/* As its user wrote it, without the value. */
static void spell_place(const struct node_settings *self, enum node_setting setting,
                        char text[PLACE_ROOM])
{
    char name[48];
    spell(rows[setting].name, '-', name);
    switch (self->sources[setting]) {
    case FROM_ARGUMENTS:
        (void)snprintf(text, PLACE_ROOM, "--%s", name);
        break;
    case FROM_FILE:
        (void)snprintf(text, PLACE_ROOM, "%.150s: %s", self->values[SETTING_config][0], name);
        break;
    case FROM_ENVIRONMENT:
        spell_variable(rows[setting].name, name);
        (void)snprintf(text, PLACE_ROOM, "%s", name);
        break;
    }
}

int node_settings_wrong(const struct node_settings *self, enum node_setting setting,
                        const char *value, const char *wanted, struct reason *why)
{
    static const char *const between[] = {
        [FROM_ARGUMENTS] = " ", [FROM_FILE] = " = ", [FROM_ENVIRONMENT] = "="};
    char place[PLACE_ROOM];
    spell_place(self, setting, place);
    return fail(why, ERR_BAD_REQUEST, "%s%s%s: %s", place, between[self->sources[setting]], value,
                wanted);
}

static int add(struct node_settings *self, enum node_setting setting,
               enum node_setting_source source, const char *value, struct reason *why)
{
    const struct setting_row *row = &rows[setting];
    char place[PLACE_ROOM];
    self->sources[setting] = source;
    spell_place(self, setting, place);
    if (self->counts[setting] == SETTING_VALUES_MAX)
        return fail(why, ERR_BAD_REQUEST, "%s: at most %d times", place, SETTING_VALUES_MAX);
    if (self->counts[setting] && !row->repeats)
        return fail(why, ERR_BAD_REQUEST, "%s: given twice", place);
    if (!*value)
        return fail(why, ERR_BAD_REQUEST, "%s: a value is missing", place);
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
            rc = add(self, (enum node_setting)(found - 256), FROM_ARGUMENTS,
                     optarg ? optarg : "yes", why);
    }
    if (rc == 0 && optind < argc)
        rc = fail(why, ERR_BAD_REQUEST, "%s: weir node takes options only", argv[optind]);
    return rc;
}

/* All of the config file: a new chunk. */
static int slurp(const char *path, zchunk_t **text, struct reason *why)
{
    struct stat about;
    if (stat(path, &about))
        return fail(why, ERR_IO, "%s cannot be read: %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return fail(why, ERR_IO, "%s is no file", path);
    *text = zchunk_slurp(path, 0); /* zconfig_load loses memory over a file with faults */
    return *text ? 0 : fail(why, ERR_IO, "%s cannot be read: %s", path, strerror(errno));
}

/* czmq prints what is wrong, and in which line, and returns none; stdout is for the ready line. */
static zconfig_t *parse(zchunk_t *text, char *said, size_t room)
{
    FILE *out = stdout, *instead = fmemopen(said, room, "w");
    if (instead)
        stdout = instead;
    zconfig_t *root = zconfig_chunk_load(text);
    stdout = out;
    if (instead)
        (void)fclose(instead);
    return root;
}

/* said: DATE E (zconfig): (LINE) WHAT */
static int bad_line(const char *path, const char *said, struct reason *why)
{
    const char *number = strstr(said, "): ("), *what = number ? strchr(number + 4, ')') : NULL;
    unsigned long line = number ? strtoul(number + 4, NULL, 10) : 0;
    if (!line || !what)
        return fail(why, ERR_IO, "%s: each line is NAME = VALUE", path);
    what += strspn(what, ") ");
    return fail(why, ERR_IO, "%s: line %lu: %.*s; each line is NAME = VALUE", path, line,
                (int)strcspn(what, "\n"), what);
}

static int take_item(struct node_settings *self, zconfig_t *item, const bool given[SETTING_COUNT],
                     struct reason *why)
{
    const char *path = self->values[SETTING_config][0], *name = zconfig_name(item);
    const char *value = zconfig_value(item);
    int s = 0;
    for (char known[40]; s < SETTING_COUNT; s++) {
        spell(rows[s].name, '-', known);
        if (streq(known, name))
            break;
    }
    if (s == SETTING_COUNT || s == SETTING_config)
        return fail(why, ERR_BAD_REQUEST, "%s: no such option: %s", path, name);
    if (zconfig_child(item))
        return fail(why, ERR_BAD_REQUEST, "%s: there are blanks before what follows %s", path,
                    name);
    return given[s] ? 0 : add(self, (enum node_setting)s, FROM_FILE, value ? value : "", why);
}

static int read_file(struct node_settings *self, const bool given[SETTING_COUNT],
                     struct reason *why)
{
    const char *path = self->values[SETTING_config][0];
    char said[512] = "";
    zchunk_t *text = NULL;
    int rc = slurp(path, &text, why);
    zconfig_t *root = rc ? NULL : parse(text, said, sizeof said);
    zchunk_destroy(&text);
    if (!rc && !root)
        rc = bad_line(path, said, why);
    for (zconfig_t *item = rc ? NULL : zconfig_child(root); item && !rc; item = zconfig_next(item))
        rc = take_item(self, item, given, why);
    zconfig_destroy(&root);
    return rc;
}

/* Several values of one variable are separated by commas. */
static int read_environment(struct node_settings *self, enum node_setting setting,
                            struct reason *why)
{
    char name[48];
    spell_variable(rows[setting].name, name);
    const char *text = getenv(name);
    if (!text || !*text)
        return 0;
    char *copy = strdup(text), *rest = copy;
    int rc = 0;
    if (!copy)
        return fail(why, ERR_NO_MEMORY, "out of memory");
    if (!rows[setting].repeats)
        rc = add(self, setting, FROM_ENVIRONMENT, copy, why);
    else
        for (char *part = strsep(&rest, ","); part && rc == 0; part = strsep(&rest, ","))
            rc = add(self, setting, FROM_ENVIRONMENT, part, why);
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

int node_settings_flag(const struct node_settings *self, enum node_setting setting, bool *on,
                       struct reason *why)
{
    static const char *const words[][2] = {
        {"no", "yes"}, {"false", "true"}, {"off", "on"}, {"0", "1"}};
    const char *text = node_settings_text(self, setting, "no");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        for (int said = 0; said < 2; said++)
            if (streq(text, words[i][said])) {
                *on = said;
                return 0;
            }
    return node_settings_wrong(self, setting, text, "yes or no", why);
}

int node_settings_size(const struct node_settings *self, enum node_setting setting,
                       uint64_t otherwise, uint64_t *size, struct reason *why)
{
    static const char units[] = "KMGT";
    const char *text = node_settings_text(self, setting, NULL);
    char *end;
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
        value == 0)
        return node_settings_wrong(self, setting, text, "a size such as 512M or 20G is wanted",
                                   why);
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
