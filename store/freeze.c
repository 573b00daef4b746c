/* The storage thread's side of a fold: the overlay is frozen, lent to the checkpoint thread, and
 * let go when LMDB has it. */
#include "store/store_state.h"

#include <stdlib.h>

/* A fold copies the pages it touches: small entries all over the table cost a page each. */
enum { MAP_FOLD_FACTOR = 8, MAP_SPARE_BYTES = 64 << 20 };
enum { QUIET_BYTES = 64 << 10 };

bool store_foldable(const store_t *self)
{
    return !self->lent && (self->fold || self->live->contracts.count > 0 || self->marks.changed);
}

/* Grows the map when the fold could run short of it. False: it must grow and cannot now. */
static bool grow_map(store_t *self, size_t fold_bytes, bool needed)
{
    uint64_t map = db_map(self->db), high = db_high(self->db);
    uint64_t wanted = (uint64_t)MAP_FOLD_FACTOR * fold_bytes + MAP_SPARE_BYTES;
    if (!needed && map - high >= wanted)
        return true;
    /* What the wish reserves is ample; only a map that proved too small must wait for readers. */
    if (self->jobs || self->map_held)
        return !needed;
    self->found_valid = false;
    reader_release(&self->reader);
    do
        map *= 2;
    while (map - high < wanted);
    return db_grow(self->db, map, NULL) == 0 || !needed;
}

static struct fold *new_fold(store_t *self)
{
    struct fold *fold = (struct fold *)calloc(1, sizeof *fold);
    if (!fold)
        return NULL;
    *fold = (struct fold){.db = self->db, .overlay = self->live, .seq = self->last_seq};
    if (self->marks.changed && marks_copy(&self->marks, &fold->marks, NULL)) {
        free(fold);
        return NULL;
    }
    fold->marks.changed = self->marks.changed;
    self->marks.changed = false;
    return fold;
}

fold_t *store_freeze(store_t *self)
{
    if (!store_foldable(self) ||
        !grow_map(self, store_unfolded_bytes(self), self->fold && self->fold->map_full))
        return NULL;
    if (!self->fold) {
        struct overlay *live = overlay_new(self->live->seed);
        struct fold *fold = live ? new_fold(self) : NULL;
        if (!fold) {
            overlay_destroy(&live);
            return NULL;
        }
        self->fold = fold;
        self->live = live;
        self->list_valid = false;
    }
    self->fold->map_full = false;
    self->lent = true;
    return self->fold;
}

void store_thaw(store_t *self, fold_t *fold, bool done, const struct fold_result *result)
{
    self->lent = false;
    if (!done)
        return;
    self->fold = NULL;
    /* Under load the next moment would need the memory again; a little is not worth the look. */
    bool much = result->used_bytes >= TRIM_FROM_BYTES || fold->overlay->bytes >= TRIM_FROM_BYTES;
    bool due = ++self->folds_untrimmed >= TRIM_EVERY_FOLDS;
    if ((much || due) && self->live->bytes < QUIET_BYTES) {
        fold->trim_path = strdup(self->db->path); /* NULL: a later fold trims */
        self->folds_untrimmed = 0;
    }
    self->folded_seq = result->seq;
    self->used_bytes = result->used_bytes;
    self->found_valid = false;
    self->list_valid = false;
    reader_release(&self->reader);
}

int store_fold_now(store_t *self, struct fold_result *result, struct reason *why)
{
    int rc = 0;
    while (rc == 0 && store_foldable(self)) {
        fold_t *fold = store_freeze(self);
        if (!fold)
            return fail(why, ERR_NO_MEMORY, "the fold into %s could not start", self->db->path);
        rc = fold_run(fold, result, why);
        store_thaw(self, fold, rc == 0, result);
        if (rc == 0)
            fold_destroy(&fold);
        else if (rc == ERR_AGAIN)
            rc = 0;
    }
    return rc;
}
