/* What a kill or a loss of power leaves of a drive. */
#include "tests/sim/drive_state.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Which of the pending changes are on the disk. */
enum tear_choice {
    TEAR_none,
    TEAR_all,
    TEAR_prefix,   /* those before some moment */
    TEAR_one_lost, /* all sectors but one, and what came after it there */
    TEAR_one_kept, /* one sector */
    TEAR_some,     /* each sector by chance; more often than the others: it has the most to find */
    TEAR_choices = TEAR_some + 3
};

struct tear {
    enum tear_choice choice;
    uint64_t sector, salt;
    unsigned percent;
    size_t all, moment; /* changes: in all; before some moment */
    int file;           /* the one sector … */
    uint64_t number;
    bool sizes; /* files are as long as they were to be, whatever is in them */
};

static void must(bool so, const char *what)
{
    if (so)
        return;
    perror(what);
    abort();
}

static struct tear draw(struct drive *self)
{
    static const unsigned percents[] = {3, 20, 50, 80, 97};
    struct tear tear = {.choice = (enum tear_choice)dice_below(&self->dice, TEAR_choices),
                        .sector = dice_one_in(&self->dice, 2) ? 512 : 4096,
                        .salt = dice_throw(&self->dice),
                        .percent = percents[dice_below(&self->dice, 5)],
                        .all = self->changes_count,
                        .moment = dice_below(&self->dice, self->changes_count + 1),
                        .sizes = dice_one_in(&self->dice, 2)};
    const struct change *c = tear.all ? &self->changes[tear.moment % tear.all] : NULL;
    if (c && c->kind == CHANGE_write && c->size) {
        tear.file = c->file;
        tear.number = (c->at + dice_below(&self->dice, c->size)) / tear.sector;
    }
    return tear;
}

/* How many of the changes happened before the disk had this sector for the last time. */
static size_t moment_of(const struct tear *self, int file, uint64_t number)
{
    bool chosen = file == self->file && number == self->number;
    struct dice dice;
    switch (self->choice) {
    case TEAR_none:
        return 0;
    case TEAR_all:
        return self->all;
    case TEAR_prefix:
        return self->moment;
    case TEAR_one_lost:
        return chosen ? self->moment : self->all;
    case TEAR_one_kept:
        return chosen ? self->all : 0;
    case TEAR_some:
    case TEAR_choices:
        break;
    }
    dice_seed(&dice, self->salt, (uint64_t)file << 32 ^ number);
    return dice_below(&dice, 100) < self->percent ? self->all : dice_below(&dice, self->all + 1);
}

static bool has_name(const struct tear *self, size_t i)
{
    struct dice dice;
    if (self->choice < TEAR_one_lost)
        return i < moment_of(self, 0, 0);
    dice_seed(&dice, self->salt, ~(uint64_t)i);
    return dice_below(&dice, 100) < self->percent;
}

/* --- bytes ------------------------------------------------------------------------------- */

static int pool_open(const struct drive *self, int file)
{
    char path[DRIVE_PATH_MAX];
    drive_pool_path(self, file, path);
    int fd = open(path, O_RDWR | O_CLOEXEC); /* gone, when nothing names it */
    return fd;
}

static void put(int fd, const uint8_t *bytes, uint64_t size, uint64_t at)
{
    must(pwrite(fd, bytes, size, (off_t)at) == (ssize_t)size, "drive: pwrite");
}

static void undo(const struct drive *self, const struct change *change)
{
    int fd = change_is_naming(change) ? -1 : pool_open(self, change->file);
    if (fd < 0)
        return;
    if (change->kind == CHANGE_write)
        put(fd, change->before, change->size, change->at);
    if (change->kind == CHANGE_size && change->before)
        put(fd, change->before, change->size_before - change->size, change->size);
    struct stat facts;
    must(fstat(fd, &facts) == 0, "drive: fstat");
    if ((uint64_t)facts.st_size > change->size_before)
        must(ftruncate(fd, (off_t)change->size_before) == 0, "drive: ftruncate");
    (void)close(fd);
}

static void redo_write(const struct change *change, const struct tear *tear, size_t i, int fd)
{
    for (uint64_t done = 0; done < change->size;) {
        uint64_t at = change->at + done, room = tear->sector - at % tear->sector;
        uint64_t size = room < change->size - done ? room : change->size - done;
        if (i < moment_of(tear, change->file, at / tear->sector))
            put(fd, change->bytes + done, size, at);
        done += size;
    }
}

static void redo(const struct drive *self, const struct tear *tear, size_t i)
{
    const struct change *change = &self->changes[i];
    int fd = change_is_naming(change) ? -1 : pool_open(self, change->file);
    if (fd < 0)
        return;
    uint64_t end = change->kind == CHANGE_write ? change->at + change->size : change->size;
    bool exactly = tear->choice <= TEAR_prefix;
    struct stat facts;
    if (change->kind == CHANGE_write)
        redo_write(change, tear, i, fd);
    must(fstat(fd, &facts) == 0, "drive: fstat");
    bool longer = (uint64_t)facts.st_size < end,
         cut = change->before && change->kind == CHANGE_size;
    if ((longer || cut) && (exactly ? i < moment_of(tear, 0, 0) : tear->sizes))
        must(ftruncate(fd, (off_t)end) == 0, "drive: ftruncate");
    (void)close(fd);
}

/* --- names ------------------------------------------------------------------------------- */

static bool is_same(const struct drive_names *a, const struct drive_names *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = drive_names_find(b, a->rows[i].path) == a->rows[i].file;
    return same;
}

/* What stands in a folder that is not there is not there either. */
static void drop_orphans(struct drive_names *names)
{
    for (size_t i = names->count; i-- > 0;) {
        char folder[DRIVE_NAME_MAX];
        (void)snprintf(folder, sizeof folder, "%s", names->rows[i].path);
        char *slash = strchr(folder, '/');
        if (slash)
            *slash = 0;
        if (slash && drive_names_find(names, folder) != DRIVE_FOLDER)
            names->rows[i] = names->rows[--names->count];
    }
}

/* Makes the folder have these names, from having those that are seen. */
static void put_names(struct drive *self, const struct drive_names *names)
{
    char path[DRIVE_PATH_MAX], pool[DRIVE_PATH_MAX];
    if (is_same(&self->seen, names))
        return;
    for (int folders = 0; folders < 2; folders++)
        for (size_t i = 0; i < self->seen.count; i++) {
            drive_path(self, self->seen.rows[i].path, path);
            bool folder = self->seen.rows[i].file == DRIVE_FOLDER;
            if (folder == (folders == 1))
                must((folder ? rmdir : unlink)(path) == 0, path);
        }
    for (int folders = 1; folders >= 0; folders--)
        for (size_t i = 0; i < names->count; i++) {
            const struct drive_name *row = &names->rows[i];
            drive_path(self, row->path, path);
            if (folders && row->file == DRIVE_FOLDER)
                must(mkdir(path, 0700) == 0, path);
            if (folders || row->file == DRIVE_FOLDER)
                continue;
            drive_pool_path(self, row->file, pool);
            must(link(pool, path) == 0, path);
        }
    self->seen = *names;
}

/* --- settling ---------------------------------------------------------------------------- */

static void drop_late(struct drive *self)
{
    while (self->changes_count && self->changes[self->changes_count - 1].late) {
        undo(self, &self->changes[--self->changes_count]);
        change_free(&self->changes[self->changes_count]);
    }
}

static void lose_power(struct drive *self, struct drive_names *names)
{
    struct tear tear = draw(self);
    self->counts.losses++;
    self->counts.torn += self->changes_count > 0;
    self->counts.pending += self->changes_count;
    for (size_t i = self->changes_count; i-- > 0;)
        undo(self, &self->changes[i]);
    for (size_t i = 0; i < self->changes_count; i++)
        redo(self, &tear, i);
    for (size_t i = 0; i < self->changes_count; i++)
        if (change_is_naming(&self->changes[i]) && has_name(&tear, i))
            drive_apply_name(names, &self->changes[i]);
    drop_orphans(names);
    for (size_t i = 0; i < self->changes_count; i++)
        change_free(&self->changes[i]);
    self->changes_count = 0;
    self->sure = *names;
}

void drive_settle(drive_t *self, bool power)
{
    struct drive_names names = self->sure;
    must(self->cut, "drive: it was not cut");
    self->settling = true;
    drop_late(self);
    if (power) {
        lose_power(self, &names);
    } else {
        for (size_t i = 0; i < self->changes_count; i++)
            if (change_is_naming(&self->changes[i]))
                drive_apply_name(&names, &self->changes[i]);
    }
    put_names(self, &names);
    self->settling = self->cut = false;
}
