#include "tests/fault/work.h"

#include <stdio.h>

void work_flush(struct work *self)
{
    struct rig *rig = &self->rig;
    int rc =
        log_append(store_log(rig->store), rig->waiting, rig->waiting_count, true, NULL, &rig->why);
    assert_true(rc == 0 || rc == ERR_IO || rc == ERR_STORE_FULL);
    self->dead = self->dead || rc == ERR_IO;
    if (rc == 0)
        memcpy(self->durable, self->stamps, sizeof self->durable);
    while (rc == 0 && rig->waiting_count)
        blob_release(&rig->waiting[--rig->waiting_count]);
}

void work_merge(struct work *self, unsigned map, unsigned field, uint64_t stamp)
{
    struct store_change change;
    struct rig *rig = &self->rig;
    uint8_t data[700] = {0};
    char name[8];
    (void)snprintf(name, sizeof name, "f%u", field);
    struct buffer delta = map_delta(name, stamp, slice_of(data, sizeof data));
    int rc = store_merge(rig->store, &self->maps[map].contract, true, buffer_slice(&delta), &change,
                         &rig->why);
    buffer_free(&delta);
    if (rc == ERR_STORE_FULL) /* refused: nothing is changed */
        return;
    assert_int_equal(rc, 0);
    self->stamps[map][field] = stamp;
    rig->waiting[rig->waiting_count++] = change.record;
}

static void fold(struct work *self)
{
    struct rig *rig = &self->rig;
    struct fold_result result;
    fold_t *out = store_freeze(rig->store);
    if (!out)
        return;
    int rc = fold_run(out, &result, &rig->why);
    assert_true(rc == 0 || rc == ERR_IO || rc == ERR_STORE_FULL);
    store_thaw(rig->store, out, rc == 0, rc == 0 ? &result : NULL);
    if (rc == 0) {
        fold_destroy(&out);
        log_recycle(store_log(rig->store), result.seq);
    }
}

void work_run(struct work *self, unsigned rounds)
{
    for (unsigned i = 0; i < rounds && !self->dead; i++) {
        if (log_is_full(store_log(self->rig.store))) /* as the journal looks again */
            (void)log_prepare(store_log(self->rig.store));
        work_merge(self, i % WORK_MAPS, i % WORK_FIELDS, i + 1);
        work_merge(self, (i + 1) % WORK_MAPS, i % WORK_FIELDS, i + 1);
        work_flush(self);
        if (i % 5 == 3)
            fold(self);
    }
}

int work_begin(struct work *self)
{
    static const char *const names[WORK_MAPS] = {"x", "y", "z"};
    memset(self, 0, sizeof *self);
    temporary_name(self->rig.dir);
    self->rig.map_bytes = MAP_BYTES_FIRST;
    self->rig.options = (struct store_options){.data_dir = self->rig.dir,
                                               .store_bytes_max = UINT64_MAX,
                                               .state_bytes_max = STATE_BYTES_MAX};
    for (size_t i = 0; i < WORK_MAPS; i++)
        subject_init(&self->maps[i], "map", names[i], 0);
    return store_open(&self->rig.options, &self->rig.store, &self->rig.why);
}

void work_end(struct work *self)
{
    rig_close(&self->rig, true);
    for (size_t i = 0; i < WORK_MAPS; i++)
        subject_free(&self->maps[i]);
}

/* Each field has at least the stamp that was acknowledged. */
static void assert_map_durable(struct work *self, struct rig *rig, unsigned map)
{
    uint64_t found[WORK_FIELDS] = {0}, newest = 0;
    for (unsigned i = 0; i < WORK_FIELDS; i++)
        newest = self->durable[map][i] > newest ? self->durable[map][i] : newest;
    if (newest == 0)
        return;
    struct buffer bytes = rig_read(rig, &self->maps[map].contract, NULL, NULL);
    struct entries walk = entries_of(buffer_slice(&bytes));
    struct entry entry;
    while (entries_next(&walk, &entry, NULL) > 0)
        found[entry.key.data[1] - '0'] = get_u64(entry.value.data);
    for (unsigned i = 0; i < WORK_FIELDS; i++)
        assert_true(found[i] >= self->durable[map][i]);
    buffer_free(&bytes);
}

void work_assert_durable(struct work *self, struct rig *rig)
{
    for (unsigned i = 0; i < WORK_MAPS; i++)
        assert_map_durable(self, rig, i);
}
