#include "tests/sim/drive_state.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct drive *drives; /* all that are open */

static void must(bool so, const char *what)
{
    if (so)
        return;
    perror(what);
    abort();
}

/* --- paths ------------------------------------------------------------------------------- */

struct drive *drive_of(const char *path, char name[DRIVE_NAME_MAX])
{
    static const char *const left_out[] = {"lock", "state.mdb-lock", ".."};
    for (struct drive *drive = drives; drive; drive = drive->next) {
        size_t size = strlen(drive->dir);
        if (strncmp(path, drive->dir, size) != 0 || (path[size] && path[size] != '/'))
            continue;
        const char *rest = path[size] ? path + size + 1 : "";
        if (strcmp(rest, "log/..") == 0)
            rest = "";
        for (size_t i = 0; i < sizeof left_out / sizeof left_out[0]; i++)
            if (strcmp(rest, left_out[i]) == 0)
                return NULL;
        must(strlen(rest) < DRIVE_NAME_MAX, path);
        (void)snprintf(name, DRIVE_NAME_MAX, "%s", rest);
        return drive->settling ? NULL : drive;
    }
    return NULL;
}

void drive_path(const struct drive *self, const char *name, char path[DRIVE_PATH_MAX])
{
    (void)snprintf(path, DRIVE_PATH_MAX, "%s/%s", self->dir, name);
}

void drive_pool_path(const struct drive *self, int file, char path[DRIVE_PATH_MAX])
{
    (void)snprintf(path, DRIVE_PATH_MAX, "%s/%d", self->pool, file);
}

/* --- names ------------------------------------------------------------------------------- */

int drive_names_find(const struct drive_names *self, const char *path)
{
    for (size_t i = 0; i < self->count; i++)
        if (strcmp(self->rows[i].path, path) == 0)
            return self->rows[i].file;
    return DRIVE_NOTHING;
}

void drive_names_set(struct drive_names *self, const char *path, int file)
{
    size_t i = 0;
    while (i < self->count && strcmp(self->rows[i].path, path) != 0)
        i++;
    if (file == DRIVE_NOTHING) {
        if (i < self->count)
            self->rows[i] = self->rows[--self->count];
        return;
    }
    must(i < DRIVE_NAMES_MAX, "drive: too many names");
    self->count += i == self->count;
    (void)snprintf(self->rows[i].path, sizeof self->rows[i].path, "%s", path);
    self->rows[i].file = file;
}

void drive_apply_name(struct drive_names *names, const struct change *change)
{
    drive_names_set(names, change->path,
                    change->kind == CHANGE_name ? change->file : DRIVE_NOTHING);
    if (change->kind == CHANGE_rename)
        drive_names_set(names, change->to, change->file);
}

static bool is_in(const char *name, const char *folder)
{
    size_t size = strlen(folder);
    if (!size)
        return !strchr(name, '/');
    return strncmp(name, folder, size) == 0 && name[size] == '/';
}

/* Files without a name, now and after a crash, are gone. */
static void forget_unnamed(struct drive *self, int file)
{
    char path[DRIVE_PATH_MAX];
    bool named = file < 0;
    for (size_t i = 0; i < self->sure.count; i++)
        named |= self->sure.rows[i].file == file;
    for (size_t i = 0; i < self->seen.count; i++)
        named |= self->seen.rows[i].file == file;
    for (size_t i = 0; i < self->changes_count; i++)
        named |= change_is_naming(&self->changes[i]) && self->changes[i].file == file;
    if (named)
        return;
    drive_pool_path(self, file, path);
    (void)unlink(path);
}

/* --- changes ----------------------------------------------------------------------------- */

void change_free(struct change *self)
{
    free(self->bytes);
    free(self->before);
}

static void *bytes_new(uint64_t size)
{
    void *bytes = calloc(1, size ? size : 1);
    must(bytes, "drive");
    return bytes;
}

static void add(struct drive *self, const struct change *change)
{
    if (self->changes_count == self->changes_capacity) {
        self->changes_capacity = self->changes_capacity ? 2 * self->changes_capacity : 16;
        self->changes = (struct change *)realloc(self->changes,
                                                 self->changes_capacity * sizeof self->changes[0]);
        must(self->changes, "drive");
    }
    self->changes[self->changes_count++] = *change;
}

/* One call more; the power may go in it. */
static void count_call(struct drive *self)
{
    self->counts.calls++;
    if (self->cut_in && --self->cut_in == 0)
        drive_cut(self);
}

static uint64_t size_of(const struct drive *self, int file)
{
    char path[DRIVE_PATH_MAX];
    struct stat facts;
    drive_pool_path(self, file, path);
    must(stat(path, &facts) == 0, path);
    return (uint64_t)facts.st_size;
}

/* What stands there now; zeros behind the end. */
static uint8_t *read_now(const struct drive *self, int file, uint64_t at, uint64_t size)
{
    char path[DRIVE_PATH_MAX];
    uint8_t *bytes = (uint8_t *)bytes_new(size);
    drive_pool_path(self, file, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    must(fd >= 0 && pread(fd, bytes, size, (off_t)at) >= 0, path);
    (void)close(fd);
    return bytes;
}

/* Bytes that are sure at once stand over what was pending there. */
static void make_sure(struct drive *self, int file, const uint8_t *bytes, uint64_t at,
                      uint64_t size)
{
    for (size_t i = 0; i < self->changes_count; i++) {
        struct change *c = &self->changes[i];
        if (change_is_naming(c) || c->file != file)
            continue;
        if (c->size_before < at + size)
            c->size_before = at + size;
        uint64_t from = c->at > at ? c->at : at;
        uint64_t to = c->at + c->size < at + size ? c->at + c->size : at + size;
        if (c->kind != CHANGE_write || from >= to)
            continue;
        memcpy(c->bytes + (from - c->at), bytes + (from - at), to - from);
        memcpy(c->before + (from - c->at), bytes + (from - at), to - from);
    }
}

void drive_writes(struct drive *self, int file, const struct iovec *parts, int count, uint64_t at,
                  bool alone)
{
    struct change change = {.kind = CHANGE_write, .late = self->cut, .file = file, .at = at};
    for (int i = 0; i < count; i++)
        change.size += parts[i].iov_len;
    change.bytes = (uint8_t *)bytes_new(change.size);
    for (uint64_t i = 0, done = 0; i < (uint64_t)count; done += parts[i++].iov_len)
        memcpy(change.bytes + done, parts[i].iov_base, parts[i].iov_len);
    count_call(self);
    if (alone && !self->cut) {
        make_sure(self, file, change.bytes, at, change.size);
        change_free(&change);
        return;
    }
    change.before = read_now(self, file, at, change.size);
    change.size_before = size_of(self, file);
    add(self, &change);
}

void drive_resizes(struct drive *self, int file, uint64_t size)
{
    struct change change = {.kind = CHANGE_size, .late = self->cut, .file = file, .size = size};
    change.size_before = size_of(self, file);
    if (change.size_before == size)
        return;
    if (change.size_before > size)
        change.before = read_now(self, file, size, change.size_before - size);
    add(self, &change);
    count_call(self);
}

void drive_names_it(struct drive *self, const char *name, int file)
{
    struct change change = {.kind = CHANGE_name, .late = self->cut, .file = file};
    (void)snprintf(change.path, sizeof change.path, "%s", name);
    int former = drive_names_find(&self->seen, name);
    add(self, &change);
    drive_apply_name(&self->seen, &change);
    forget_unnamed(self, former);
    count_call(self);
}

void drive_renames(struct drive *self, const char *name, const char *to)
{
    struct change change = {
        .kind = CHANGE_rename, .late = self->cut, .file = drive_names_find(&self->seen, name)};
    (void)snprintf(change.path, sizeof change.path, "%s", name);
    (void)snprintf(change.to, sizeof change.to, "%s", to);
    add(self, &change);
    drive_apply_name(&self->seen, &change);
    count_call(self);
}

/* --- syncs ------------------------------------------------------------------------------- */

void drive_syncs(struct drive *self, int file)
{
    count_call(self);
    if (self->cut)
        return;
    size_t kept = 0;
    for (size_t i = 0; i < self->changes_count; i++) {
        struct change *change = &self->changes[i];
        if (change_is_naming(change) || change->file != file)
            self->changes[kept++] = *change;
        else
            change_free(change);
    }
    self->changes_count = kept;
}

void drive_syncs_folder(struct drive *self, const char *name)
{
    count_call(self);
    if (self->cut)
        return;
    size_t kept = 0;
    for (size_t i = 0; i < self->changes_count; i++) {
        struct change *change = &self->changes[i];
        if (change_is_naming(change) && is_in(change->path, name))
            drive_apply_name(&self->sure, change);
        else
            self->changes[kept++] = *change;
    }
    self->changes_count = kept;
    for (int file = 0; file < self->files; file++)
        forget_unnamed(self, file);
}

int drive_opened(struct drive *self, const char *name, bool made)
{
    char path[DRIVE_PATH_MAX], pool[DRIVE_PATH_MAX];
    int file = drive_names_find(&self->seen, name);
    if (file >= 0 && !made)
        return file;
    file = self->files++;
    drive_path(self, name, path);
    drive_pool_path(self, file, pool);
    must(link(path, pool) == 0, pool);
    if (made) {
        drive_names_it(self, name, file);
    } else { /* it stood there before the drive did */
        drive_names_set(&self->sure, name, file);
        drive_names_set(&self->seen, name, file);
    }
    return file;
}

/* --- power ------------------------------------------------------------------------------- */

void drive_cut_at(drive_t *self, uint64_t calls)
{
    self->cut_in = calls;
}

void drive_cut(drive_t *self)
{
    if (self->cut)
        return;
    self->cut = true;
    self->cut_in = 0;
    if (self->options.on_cut)
        self->options.on_cut(self->options.owner);
}

bool drive_is_cut(const drive_t *self)
{
    return self->cut;
}

struct drive_counts drive_counts(const drive_t *self)
{
    return self->counts;
}

drive_t *drive_new(const struct drive_options *options)
{
    struct drive *self = (struct drive *)bytes_new(sizeof *self);
    drive_calls_link();
    self->options = *options;
    must(strlen(options->dir) < DRIVE_DIR_MAX && strlen(options->pool) < DRIVE_DIR_MAX, "drive");
    (void)snprintf(self->dir, sizeof self->dir, "%s", options->dir);
    (void)snprintf(self->pool, sizeof self->pool, "%s", options->pool);
    dice_seed(&self->dice, options->seed, options->stream);
    self->next = drives;
    drives = self;
    return self;
}

void drive_destroy(drive_t **pointer)
{
    struct drive *self = *pointer, **at = &drives;
    if (!self)
        return;
    *pointer = NULL;
    while (*at != self)
        at = &(*at)->next;
    *at = self->next;
    for (size_t i = 0; i < self->changes_count; i++)
        change_free(&self->changes[i]);
    free(self->changes);
    free(self);
}
