/* weir counter add, register set, set, map, log: EDIT, one or in batches.
 *
 * Batches go without waiting for the one before; what the node has open bounds them (the window),
 * and a batch is bounded in operands and bytes, so that others have their turn between two. */
#include "client/cli.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { BATCH_OPERANDS = 500, BATCH_BYTES = 128 << 10 };

struct load {
    struct cli *cli;
    const char *verb;
    uint8_t key[WEIR_KEY_BYTES];
    struct weir_bytes operands[BATCH_OPERANDS];
    char *text; /* what operands point into */
    size_t count, used, room;
    uint64_t lines, bytes, all;
    bool changed;
    uint8_t fingerprint[WEIR_KEY_BYTES];
    int code; /* of the first batch that failed */
    struct weir_reason why;
    struct progress progress;
};

static void on_batch(weir_t *w, const struct weir_reply *reply, void *arg)
{
    struct load *self = arg;
    (void)w;
    if (reply->code && !self->code) {
        self->code = reply->code;
        snprintf(self->why.text, sizeof self->why.text, "%s", reply->sentence);
    }
    if (reply->code)
        return;
    self->changed = self->changed || reply->changed;
    memcpy(self->fingerprint, reply->fingerprint, sizeof self->fingerprint);
}

static int send_batch(struct load *self)
{
    if (self->count == 0)
        return 0;
    int rc = weir_edit_async(self->cli->w, self->key, self->verb, self->operands, self->count,
                             on_batch, self);
    self->count = self->used = 0;
    if (!self->code && rc) {
        self->code = rc;
        snprintf(self->why.text, sizeof self->why.text, "%s", weir_error(self->cli->w));
    }
    progress_show(&self->progress, self->bytes, self->all);
    return self->code;
}

/* Makes room in text for size bytes more; what operands point to moves along. */
static int make_room(struct load *self, size_t size)
{
    if (size <= self->room - self->used)
        return 0;
    size_t room = self->used + size + BATCH_BYTES;
    char *text = realloc(self->text, room);
    if (!text)
        return WEIR_NO_MEMORY;
    for (size_t i = 0, at = 0; i < self->count; at += self->operands[i++].size)
        self->operands[i].data = text + at;
    self->text = text;
    self->room = room;
    return 0;
}

/* Adds operands that belong together; sends the batch first when they do not fit. */
static int add(struct load *self, const struct weir_bytes *operands, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += operands[i].size;
    bool full = self->count + count > BATCH_OPERANDS || self->used + size > BATCH_BYTES;
    int rc = full ? send_batch(self) : 0;
    if (!rc)
        rc = make_room(self, size);
    if (rc)
        return rc;
    for (size_t i = 0; i < count; i++) {
        char *at = self->text + self->used;
        if (operands[i].size)
            memcpy(at, operands[i].data, operands[i].size);
        self->operands[self->count++] = (struct weir_bytes){at, operands[i].size};
        self->used += operands[i].size;
    }
    return 0;
}

static int add_line(struct load *self, const char *line, size_t size, bool pairs)
{
    struct weir_bytes operands[2] = {{line, size}};
    if (pairs) {
        const char *tab = memchr(line, '\t', size);
        if (!tab) {
            snprintf(self->why.text, sizeof self->why.text,
                     "line %llu has no tab; a line is FIELD<TAB>VALUE",
                     (unsigned long long)self->lines + 1);
            return self->code = WEIR_BAD_REQUEST;
        }
        operands[0].size = (size_t)(tab - line);
        operands[1] = (struct weir_bytes){tab + 1, size - operands[0].size - 1};
    }
    return add(self, operands, pairs ? 2 : 1);
}

static uint64_t input_size(void)
{
    struct stat stat;
    return fstat(fileno(stdin), &stat) == 0 && S_ISREG(stat.st_mode) ? (uint64_t)stat.st_size : 0;
}

static int read_lines(struct load *self, bool pairs)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    int rc = 0;
    self->all = input_size();
    progress_start(&self->progress, "loading");
    while (!rc && (size = getline(&line, &room, stdin)) >= 0) {
        self->bytes += (uint64_t)size;
        size -= size > 0 && line[size - 1] == '\n';
        rc = add_line(self, line, (size_t)size, pairs);
        self->lines += rc == 0;
    }
    if (!rc && ferror(stdin)) {
        snprintf(self->why.text, sizeof self->why.text, "standard input cannot be read");
        self->code = rc = WEIR_IO;
    }
    free(line);
    return rc;
}

/* Sends the rest and waits for every answer. The exit code. */
static int finish(struct load *self, int rc)
{
    if (!rc)
        rc = send_batch(self);
    int drained = weir_drain(self->cli->w);
    progress_end(&self->progress);
    if (!self->code && (rc || drained))
        self->code = rc ? rc : drained;
    return self->code ? cli_fail(self->cli, self->code, self->why.text) : 0;
}

static int start(struct load *self, struct cli *cli)
{
    self->cli = cli;
    self->verb = strchr(cli->command->name, ' ') + 1;
    int rc = cli_key(cli, 0, self->key);
    return rc ? rc : cli_connect(cli);
}

/* The operands on the command line. */
int cli_edit(struct cli *cli)
{
    struct load *self = calloc(1, sizeof *self);
    if (!self)
        return cli_fail(cli, WEIR_NO_MEMORY, NULL);
    int rc = start(self, cli);
    if (!rc) {
        size_t step = strcmp(cli->command->name, "map set") == 0 ? 2 : 1;
        int added = 0;
        for (size_t i = 1; !added && i + step <= cli->arg_count; i += step) {
            struct weir_bytes operands[2] = {weir_text(cli->args[i])};
            if (step == 2)
                operands[1] = weir_text(cli->args[i + 1]);
            added = add(self, operands, step);
        }
        rc = finish(self, added);
        if (!rc)
            rc = cli_print_changed(cli, self->changed, self->fingerprint);
    }
    free(self->text);
    free(self);
    return rc;
}

/* The operands on standard input, a line each. */
static int load(struct cli *cli)
{
    bool pairs = strcmp(cli->command->name, "map load") == 0;
    struct load *self = calloc(1, sizeof *self);
    if (!self)
        return cli_fail(cli, WEIR_NO_MEMORY, NULL);
    int rc = start(self, cli);
    if (!rc) {
        self->verb = pairs ? "set" : self->verb;
        rc = finish(self, read_lines(self, pairs));
        if (!rc && cli_has(cli, OPTION_json))
            printf("{\"count\":%llu}\n", (unsigned long long)self->lines);
        else if (!rc)
            printf("%llu\n", (unsigned long long)self->lines);
        if (!rc)
            rc = cli_flush(cli);
    }
    free(self->text);
    free(self);
    return rc;
}

int cli_edit_or_load(struct cli *cli)
{
    bool input = cli->arg_count == 2 && strcmp(cli->args[1], "-") == 0;
    if (!input && strcmp(cli->command->name, "map load") == 0)
        return cli_usage(cli, "reads standard input: weir map load KEY -");
    return input ? load(cli) : cli_edit(cli);
}
