/* weir counter add, register set, set, map, log: EDIT, one or in batches.
 *
 * Batches go without waiting for the one before; what the node has open bounds them (the window),
 * and a batch is bounded in operands and bytes, so that others have their turn between two. */
#include "client/cli.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { BATCH_OPERANDS = 500, BATCH_BYTES = 128 << 10 };

/* Kept until it is answered, to find the line of it that was refused. */
struct batch {
    struct load *load;
    struct weir_bytes operands[BATCH_OPERANDS];
    char *text; /* what operands point into */
    size_t count, used, room;
    uint64_t first; /* line, from 1 */
};

struct load {
    struct cli *cli;
    const char *verb;
    uint8_t key[WEIR_KEY_BYTES];
    size_t step;           /* operands that belong together: a line's */
    struct batch *batch;   /* being filled */
    struct batch *refused; /* the first that failed */
    uint64_t lines, done, bytes, all;
    bool changed;
    uint8_t fingerprint[WEIR_KEY_BYTES];
    int code; /* of the first batch that failed */
    struct weir_reason why;
    struct progress progress;
};

static struct batch *batch_new(struct load *load)
{
    struct batch *self = calloc(1, sizeof *self);
    if (self)
        self->load = load;
    return self;
}

static void batch_free(struct batch *self)
{
    if (self)
        free(self->text);
    free(self);
}

static void set_code(struct load *self, int code, const char *why)
{
    if (self->code)
        return;
    self->code = code;
    snprintf(self->why.text, sizeof self->why.text, "%s", why);
}

static void batch_failed(struct batch *batch, int code, const char *why)
{
    struct load *self = batch->load;
    set_code(self, code, why);
    if (self->refused)
        batch_free(batch);
    else
        self->refused = batch;
}

static void on_batch(weir_t *w, const struct weir_reply *reply, void *arg)
{
    struct batch *batch = arg;
    struct load *self = batch->load;
    (void)w;
    if (reply->code) {
        batch_failed(batch, reply->code, reply->sentence);
        return;
    }
    self->done += batch->count / self->step;
    self->changed = self->changed || reply->changed;
    memcpy(self->fingerprint, reply->fingerprint, sizeof self->fingerprint);
    batch_free(batch);
}

static int send_batch(struct load *self)
{
    struct batch *batch = self->batch;
    if (!batch || batch->count == 0)
        return self->code;
    self->batch = NULL;
    int rc = weir_edit_async(self->cli->w, self->key, self->verb, batch->operands, batch->count,
                             on_batch, batch);
    if (rc)
        batch_failed(batch, rc, weir_error(self->cli->w));
    progress_show(&self->progress, self->bytes, self->all);
    return self->code;
}

/* Makes room in text for size bytes more; what operands point to moves along. */
static int make_room(struct batch *self, size_t size)
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
    struct batch *batch = self->batch;
    bool full =
        batch && (batch->count + count > BATCH_OPERANDS || batch->used + size > BATCH_BYTES);
    int rc = full ? send_batch(self) : 0;
    if (!rc && !self->batch) {
        self->batch = batch_new(self);
        rc = self->batch ? 0 : WEIR_NO_MEMORY;
    }
    batch = self->batch;
    if (!rc)
        rc = make_room(batch, size);
    if (rc)
        return rc;
    batch->first = batch->count ? batch->first : self->lines + 1;
    for (size_t i = 0; i < count; i++) {
        char *at = batch->text + batch->used;
        if (operands[i].size)
            memcpy(at, operands[i].data, operands[i].size);
        batch->operands[batch->count++] = (struct weir_bytes){at, operands[i].size};
        batch->used += operands[i].size;
    }
    self->lines++;
    return 0;
}

static int add_line(struct load *self, const char *line, size_t size, bool pairs)
{
    struct weir_bytes operands[2] = {{line, size}};
    if (pairs) {
        const char *tab = memchr(line, '\t', size);
        if (!tab)
            return WEIR_BAD_REQUEST;
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
    }
    free(line);
    if (!rc && ferror(stdin))
        rc = WEIR_IO;
    return rc;
}

/* Sends the rest, also where reading ended early, and waits for every answer. */
static void send_rest(struct load *self)
{
    send_batch(self);
    int drained = weir_drain(self->cli->w);
    progress_end(&self->progress);
    if (drained)
        set_code(self, drained, weir_error(self->cli->w));
}

/* --- failing --------------------------------------------------------------------------------- */

/* Sends the lines of the refused batch one by one up to the one that is refused: its number, 0
 * when none of them is. */
static uint64_t find_refused(struct load *self)
{
    const struct batch *batch = self->refused;
    for (size_t i = 0; i < batch->count; i += self->step) {
        int rc =
            weir_edit(self->cli->w, self->key, self->verb, batch->operands + i, self->step, NULL);
        if (rc) {
            self->code = rc;
            snprintf(self->why.text, sizeof self->why.text, "%s", weir_error(self->cli->w));
            return batch->first + i / self->step;
        }
        self->done++;
    }
    return 0;
}

static bool refuses_content(int code)
{
    return code == WEIR_BAD_REQUEST || code == WEIR_TOO_LARGE || code == WEIR_BAD_STATE;
}

/* Tells the line that failed, and how many are in: earlier batches are not undone. */
static int fail_at_line(struct load *self, uint64_t line)
{
    char why[512];
    if (self->refused) {
        line = refuses_content(self->code) ? find_refused(self) : 0;
        line = line ? line : self->refused->first;
    }
    bool all_before = self->done + 1 >= line;
    uint64_t before = all_before ? line - 1 : self->done, after = self->done - before;
    int size =
        snprintf(why, sizeof why, "line %" PRIu64 ": %s; %" PRIu64 " lines before it are in", line,
                 *self->why.text ? self->why.text : weir_error_text(self->code), before);
    if (after)
        snprintf(why + size, sizeof why - (size_t)size, ", and %" PRIu64 " after it", after);
    return cli_fail_hint(self->cli, self->code, why, NULL);
}

/* Writers are listed and we signed with no key: how to. NULL otherwise. */
static const char *signer_hint(const struct load *self)
{
    return self->code == WEIR_DENIED && !self->cli->signer
               ? "sign with --signer FILE (`weir keys new` makes one)"
               : NULL;
}

/* The exit code of an edit whose operands stood on the command line. */
static int fail_edit(struct load *self)
{
    const struct cli *cli = self->cli;
    const char *hint = signer_hint(self);
    char why[512];
    bool number = self->code == WEIR_BAD_REQUEST && strcmp(cli->command->name, "counter add") == 0;
    snprintf(why, sizeof why, "%s%.100s%s%s", number ? "\"" : "", number ? cli->args[1] : "",
             number ? "\": " : "", self->why.text);
    return hint ? cli_fail_hint(cli, self->code, why, hint) : cli_fail(cli, self->code, why);
}

/* --- the commands ---------------------------------------------------------------------------- */

static int start(struct load *self, struct cli *cli)
{
    bool pairs = strncmp(cli->command->name, "map ", 4) == 0 &&
                 strcmp(cli->command->name, "map remove") != 0;
    self->cli = cli;
    self->step = pairs ? 2 : 1;
    self->verb = pairs ? "set" : strchr(cli->command->name, ' ') + 1;
    int rc = cli_key(cli, 0, self->key);
    if (!rc)
        rc = cli_connect(cli);
    return rc ? rc : cli_check_kind(cli, self->key);
}

static void release(struct load *self)
{
    batch_free(self->batch);
    batch_free(self->refused);
    free(self);
}

/* The operands on the command line. */
static int edit(struct load *self)
{
    const struct cli *cli = self->cli;
    int rc = 0;
    for (size_t i = 1; !rc && i + self->step <= cli->arg_count; i += self->step) {
        struct weir_bytes operands[2] = {weir_text(cli->args[i])};
        if (self->step == 2)
            operands[1] = weir_text(cli->args[i + 1]);
        rc = add(self, operands, self->step);
    }
    if (rc)
        set_code(self, rc, weir_error_text(rc));
    send_rest(self);
    return self->code ? fail_edit(self) : cli_print_changed(cli, self->changed, self->fingerprint);
}

/* Why reading ended early. */
static const char *reading_failed(int rc)
{
    if (rc == WEIR_BAD_REQUEST)
        return "there is no tab; a line is FIELD<TAB>VALUE";
    return rc == WEIR_IO ? "standard input cannot be read" : weir_error_text(rc);
}

/* The operands on standard input, a line each. */
static int load(struct load *self)
{
    int rc = read_lines(self, self->step == 2);
    uint64_t read = self->lines;
    send_rest(self);
    if (rc)
        set_code(self, rc, reading_failed(rc));
    const char *hint = signer_hint(self);
    if (hint)
        return cli_fail_hint(self->cli, self->code, self->why.text, hint);
    if (self->code)
        return fail_at_line(self, read + 1);
    printf(cli_has(self->cli, OPTION_json) ? "{\"count\":%" PRIu64 "}\n" : "%" PRIu64 "\n", read);
    return cli_flush(self->cli);
}

static int run(struct cli *cli, int (*work)(struct load *self))
{
    struct load *self = calloc(1, sizeof *self);
    if (!self)
        return cli_fail(cli, WEIR_NO_MEMORY, NULL);
    int rc = start(self, cli);
    if (!rc)
        rc = work(self);
    weir_destroy(&cli->w); /* what is open ends before what it points to */
    release(self);
    return rc;
}

int cli_edit(struct cli *cli)
{
    return run(cli, edit);
}

int cli_edit_or_load(struct cli *cli)
{
    bool input = cli->arg_count == 2 && strcmp(cli->args[1], "-") == 0;
    if (!input && strcmp(cli->command->name, "map load") == 0)
        return cli_usage(cli, "reads standard input: weir map load KEY -");
    return run(cli, input ? load : edit);
}
