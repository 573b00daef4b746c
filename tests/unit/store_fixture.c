#include "tests/unit/store_fixture.h"
#include "tests/support/setting.h"

#include <errno.h>
#include <ftw.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int must(struct rig *self, int rc)
{
    if (rc)
        print_error("%s: %s\n", error_name(rc), self->why.text);
    assert_int_equal(rc, 0);
    return rc;
}

void temporary_name(char name[64])
{
    static unsigned count;
    (void)snprintf(name, 64, "/tmp/weir-store-test-%ld-%u", (long)getpid(), count++);
}

static int remove_one(const char *path, const struct stat *facts, int type, struct FTW *walk)
{
    (void)facts;
    (void)type;
    (void)walk;
    return remove(path);
}

void remove_dir(const char *dir)
{
    (void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void rig_open(struct rig *self)
{
    assert_true(sodium_init() >= 0);
    memset(self, 0, sizeof *self);
    temporary_name(self->dir);
    self->map_bytes = MAP_BYTES_FIRST;
    self->options = (struct store_options){
        .data_dir = self->dir, .store_bytes_max = UINT64_MAX, .state_bytes_max = STATE_BYTES_MAX};
    self->now_ms = 1000;
    must(self, store_open(&self->options, &self->store, &self->why));
}

void rig_adopt(struct rig *self, const struct rig *like, const char *dir)
{
    char name[64];
    (void)snprintf(name, sizeof name, "%s", dir);
    memset(self, 0, sizeof *self);
    (void)snprintf(self->dir, sizeof self->dir, "%s", name);
    self->map_bytes = like->map_bytes;
    self->now_ms = like->now_ms;
    self->options = like->options;
    self->options.data_dir = self->dir;
    must(self, store_open_mapped(&self->options, self->map_bytes, &self->store, &self->why));
    assert_string_equal(store_repaired(self->store), "");
}

void rig_close(struct rig *self, bool remove)
{
    while (self->waiting_count)
        blob_release(&self->waiting[--self->waiting_count]);
    store_close(&self->store);
    if (remove)
        remove_dir(self->dir);
}

void rig_reopen(struct rig *self)
{
    rig_flush(self);
    store_close(&self->store);
    must(self, store_open_mapped(&self->options, self->map_bytes, &self->store, &self->why));
    assert_string_equal(store_repaired(self->store), "");
}

void rig_copy(const struct rig *self, char to[64])
{
    temporary_name(to);
    char source[80];
    (void)snprintf(source, sizeof source, "%s/.", self->dir);
    assert_int_equal(mkdir(to, 0700), 0);
    pid_t child = fork();
    if (child == 0) {
        (void)execlp("cp", "cp", "-r", "--sparse=always", source, to, (char *)NULL);
        _exit(127);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

void subject_init(struct subject *self, const char *kind, const char *name, uint64_t newest)
{
    uint8_t number[8];
    struct reason why;
    put_u64(number, newest);
    memset(self, 0, sizeof *self);
    entry_append(&self->params, slice_text("name"), slice_text(name));
    if (newest)
        entry_append(&self->params, slice_text("newest"), slice_of(number, sizeof number));
    assert_int_equal(
        contract_init(&self->contract, slice_text(kind), buffer_slice(&self->params), &why), 0);
}

void subject_free(struct subject *self)
{
    buffer_free(&self->params);
}

void map_entry(struct buffer *out, const char *field, uint64_t stamp, struct slice data)
{
    struct buffer value = {0};
    buffer_append_u64(&value, stamp);
    buffer_append(&value, "replica1", REPLICA_BYTES);
    buffer_append_u8(&value, 1);
    buffer_append_slice(&value, data);
    entry_append(out, slice_text(field), buffer_slice(&value));
    buffer_free(&value);
}

struct buffer map_delta(const char *field, uint64_t stamp, struct slice data)
{
    struct buffer delta = {0};
    map_entry(&delta, field, stamp, data);
    return delta;
}

/* --- changes ----------------------------------------------------------------------------- */

void rig_flush(struct rig *self)
{
    if (self->waiting_count == 0)
        return;
    must(self, log_append(store_log(self->store), self->waiting, self->waiting_count, true, NULL,
                          &self->why));
    while (self->waiting_count)
        blob_release(&self->waiting[--self->waiting_count]);
}

static void take_change(struct rig *self, struct store_change *change, struct store_change *out)
{
    if (change->record) {
        self->waiting[self->waiting_count++] = change->record;
        if (!self->unflushed || self->waiting_count == LOG_BATCH_RECORDS_MAX)
            rig_flush(self);
        change->record = NULL;
    }
    if (out)
        *out = *change;
}

int rig_merge(struct rig *self, const struct contract *contract, struct slice delta,
              struct store_change *out)
{
    struct store_change change;
    int rc = store_merge(self->store, contract, true, delta, &change, &self->why);
    if (rc == 0)
        take_change(self, &change, out);
    return rc;
}

int rig_drop(struct rig *self, const struct contract *contract)
{
    struct store_change change;
    int rc = store_drop(self->store, &contract->key, &change, &self->why);
    if (rc == 0)
        take_change(self, &change, NULL);
    return rc;
}

int rig_edit(struct rig *self, const struct contract *contract, const char *verb, const char *a,
             const char *b)
{
    struct store_change change;
    struct editor editor = {.now_ms = ++self->now_ms};
    memset(editor.replica, 'e', sizeof editor.replica);
    struct slice operands[2] = {slice_text(a), b ? slice_text(b) : slice_of(NULL, 0)};
    int rc = store_edit(self->store, &contract->key, &editor, slice_text(verb), operands, b ? 2 : 1,
                        &change, &self->why);
    if (rc == 0)
        take_change(self, &change, NULL);
    return rc;
}

void rig_set(struct rig *self, const struct contract *contract, const char *field, uint64_t stamp,
             const char *data)
{
    struct buffer delta = map_delta(field, stamp, slice_text(data));
    must(self, rig_merge(self, contract, buffer_slice(&delta), NULL));
    buffer_free(&delta);
}

void rig_fold(struct rig *self)
{
    struct fold_result result;
    rig_flush(self);
    if (!store_foldable(self->store))
        return;
    fold_t *fold = store_freeze(self->store);
    assert_non_null(fold);
    must(self, fold_run(fold, &result, &self->why));
    store_thaw(self->store, fold, true, &result);
    fold_destroy(&fold);
    log_recycle(store_log(self->store), result.seq);
}

/* --- looking ----------------------------------------------------------------------------- */

struct fingerprint fingerprint_of(struct slice state)
{
    struct summary summary = {0};
    struct entries walk = entries_of(state);
    struct entry entry;
    struct reason why;
    int more;
    while ((more = entries_next(&walk, &entry, &why)) > 0)
        summary_add(&summary, entry.key, entry.value);
    assert_int_equal(more, 0);
    return summary_fingerprint(&summary);
}

static struct slice bound(const char *text)
{
    return text ? slice_text(text) : slice_of(NULL, 0);
}

struct buffer rig_read(struct rig *self, const struct contract *contract, const char *first,
                       const char *last)
{
    struct reading reading;
    read_job_t *job;
    int rc = store_read(self->store, &contract->key, bound(first), bound(last), &reading, &job,
                        &self->why);
    for (bool more = rc == 0 && job; more; more = rc == ERR_AGAIN)
        rc = read_step(job, &reading, &self->why);
    read_job_destroy(&job);
    must(self, rc);
    struct buffer state = {0};
    struct slice bytes = slice_after(blob_slice(reading.bytes), reading.params_bytes);
    buffer_append_slice(&state, bytes);
    assert_memory_equal(reading.bytes->data, contract->params.data, contract->params.size);
    if (!first && !last) {
        struct fingerprint print = fingerprint_of(bytes);
        assert_memory_equal(print.bytes, reading.fingerprint.bytes, FINGERPRINT_BYTES);
    }
    blob_release(&reading.bytes);
    return state;
}

const char *shown_map(struct slice state)
{
    static char text[4096];
    struct entries walk = entries_of(state);
    struct entry entry;
    size_t at = 0;
    text[0] = 0;
    while (entries_next(&walk, &entry, NULL) > 0)
        at += (size_t)snprintf(text + at, sizeof text - at, "%.*s=%.*s ", (int)entry.key.size,
                               (const char *)entry.key.data, (int)entry.value.size - 17,
                               (const char *)entry.value.data + 17);
    return text;
}

void assert_map(struct rig *self, const struct contract *contract, const char *expected)
{
    struct buffer state = rig_read(self, contract, NULL, NULL);
    assert_string_equal(shown_map(buffer_slice(&state)), expected);
    buffer_free(&state);
}

void assert_clean(struct rig *self)
{
    struct check_report report = {0};
    must(self, db_check(store_db(self->store), NULL, NULL, &report, &self->why));
    if (report.damaged)
        print_error("%s\n", report.first.text);
    assert_int_equal(report.damaged, 0);
}

static FILE *open_file(const char *dir, const char *name, const char *mode)
{
    char path[160];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, mode);
    assert_non_null(file);
    return file;
}

struct buffer file_read(const char *dir, const char *name)
{
    struct buffer out = {0};
    FILE *file = open_file(dir, name, "rb");
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    size_t size = (size_t)ftell(file);
    rewind(file);
    assert_non_null(buffer_grow(&out, size));
    assert_int_equal(fread(out.data, 1, size, file), size);
    (void)fclose(file);
    return out;
}

void file_write(const char *dir, const char *name, struct slice bytes)
{
    FILE *file = open_file(dir, name, "wb");
    assert_int_equal(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
    assert_int_equal(fclose(file), 0);
}

/* --- random numbers ---------------------------------------------------------------------- */

static uint64_t random_state;

uint64_t seed_random(void)
{
    random_state = setting_number("SEED", (uint64_t)time(NULL) * 1000003u, 0, UINT64_MAX);
    print_message("SEED=%llu\n", (unsigned long long)random_state);
    return random_state;
}

void random_start(uint64_t seed)
{
    random_state = seed;
}

uint64_t random_u64(void)
{
    /* splitmix64 (Steele, Lea, Flood 2014) */
    uint64_t z = (random_state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

size_t random_below(size_t n)
{
    return (size_t)(random_u64() % n);
}
