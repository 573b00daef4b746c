#include "store/repair.h"

#include "store/check.h"
#include "store/failure.h"
#include "store/files.h"
#include "store/repair_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define REPAIR_DIR   "repair"
#define DAMAGED_FILE "state.mdb.damaged"

static int write_copy(struct repair *self, const char *path)
{
    int rc = repair_begin(self);
    if (rc == 0)
        rc = pages_walk(path, true, repair_take_row, self, &self->pages, self->why);
    if (rc == 0 && !self->has_meta)
        rc = fail(self->why, ERR_DAMAGED, "%s has lost its meta record; restore it from a backup",
                  path);
    if (rc == 0 && marks_are_lost(&self->pages, self->marks_found))
        self->pages.stale = true;
    if (rc == 0)
        rc = repair_mark_damaged(self);
    if (rc == 0) {
        self->to->salt = self->meta.salt;
        rc = db_write_meta(self->to, self->txn, &self->meta, self->why);
    }
    if (rc == 0)
        rc = marks_write(&self->marks, self->to, self->txn, self->why);
    if (rc == 0)
        rc = repair_commit(self);
    if (self->txn)
        mdb_txn_abort(self->txn);
    return rc ? rc : db_sync(self->to, self->why);
}

static void remove_copy(const char *dir)
{
    static const char *const names[] = {STATE_FILE, STATE_LOCK_FILE};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *path = path_join(dir, names[i]);
        if (path)
            (void)unlink(path); /* what is left is removed by the next repair */
        free(path);
    }
    (void)rmdir(dir);
}

/* The damaged file gets another name; then the copy takes its own. */
static int swap(const char *dir, const char *path, const char *copy, struct reason *why)
{
    char *aside = path_join(dir, DAMAGED_FILE);
    int rc = aside ? 0 : fail(why, ERR_NO_MEMORY, "out of memory");
    if (rc == 0 && unlink(aside) && errno != ENOENT)
        rc = store_failure(why, errno, "remove", aside);
    if (rc == 0 && link(path, aside))
        rc = store_failure(why, errno, "make", aside);
    if (rc == 0 && rename(copy, path))
        rc = store_failure(why, errno, "rename to", path);
    free(aside);
    return rc ? rc : dir_sync(dir, why);
}

/* Contracts of which not even the key is left. */
static void tell_unnamed(const struct repair *self, struct reason *damage)
{
    struct reason found = *damage;
    uint64_t named = self->meta.contracts;
    for (size_t i = 0; i < self->marks.count; i++)
        named += !marks_have(&self->kept, &self->marks.keys[i]);
    if (named < self->counted)
        (void)fail(damage, ERR_DAMAGED, "%.160s (%llu contracts are lost and cannot be named)",
                   found.text, (unsigned long long)(self->counted - named));
}

static int repair(const char *dir, const char *path, uint64_t *marked, struct reason *damage,
                  struct reason *why)
{
    struct repair self = {.why = why};
    bool found;
    uint64_t size;
    char *aside = path_join(dir, REPAIR_DIR);
    char *copy = aside ? path_join(aside, STATE_FILE) : NULL;
    int rc = copy ? 0 : fail(why, ERR_NO_MEMORY, "out of memory");
    if (rc == 0)
        remove_copy(aside);
    if (rc == 0)
        rc = dir_make(aside, why);
    if (rc == 0)
        rc = file_size(path, &found, &size, why);
    if (rc == 0)
        rc = db_open(aside, DB_COPY, 2 * size + MAP_BYTES_FIRST, &self.to, why);
    if (rc == 0)
        rc = write_copy(&self, path);
    db_close(&self.to);
    if (rc == 0)
        rc = swap(dir, path, copy, why);
    *marked = self.marks.count;
    tell_unnamed(&self, damage);
    if (aside)
        remove_copy(aside);
    marks_free(&self.marks);
    marks_free(&self.kept);
    buffer_free(&self.row);
    free(copy);
    free(aside);
    return rc;
}

int repair_if_damaged(const char *dir, uint64_t *marked, struct reason *damage, struct reason *why)
{
    bool sound = false;
    char *path = path_join(dir, STATE_FILE);
    damage->text[0] = 0;
    *marked = 0;
    int rc = path ? check_file(path, &sound, damage) : fail(why, ERR_NO_MEMORY, "out of memory");
    if (path && rc)
        *why = *damage;
    if (rc == 0 && !sound)
        rc = repair(dir, path, marked, damage, why);
    free(path);
    return rc;
}
