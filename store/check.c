/* check: reads every record and compares it with all that is said about it elsewhere. */
#include "store/check.h"

#include "store/check_state.h"
#include "store/failure.h"
#include "store/files.h"
#include "store/log.h"
#include "store/marks.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

enum { PROGRESS_ROWS = 4096 };

static int tell(struct check *self, struct reason *why)
{
    if (!self->progress || self->progress(self->progress_self, self->rows, self->all_rows))
        return 0;
    return fail(why, ERR_TIMEOUT, "the check was stopped");
}

static int check_rows(struct check *self, struct db_reader *reader, struct reason *why)
{
    const uint8_t first = 0;
    struct entry row;
    int rc = reader_row(reader, slice_of(&first, 1), true, &row, why);
    while (rc == 0) {
        check_take_row(self, row);
        if (++self->rows % PROGRESS_ROWS == 0)
            rc = tell(self, why);
        if (rc == 0)
            rc = reader_following(reader, &row, why);
    }
    check_close(self);
    return rc == ERR_NOT_FOUND ? tell(self, why) : rc;
}

static void check_counts(struct check *self)
{
    const struct meta_record *meta = &self->meta;
    if (self->report.damaged ||
        (meta->contracts == self->report.contracts && meta->entries == self->report.entries))
        return;
    self->report.damaged++;
    (void)fail(&self->report.first, ERR_DAMAGED,
               "%s counts %" PRIu64 " contracts with %" PRIu64 " entries and has %" PRIu64
               " with %" PRIu64,
               self->path, meta->contracts, meta->entries, self->report.contracts,
               self->report.entries);
}

/* --- a file that nobody has mapped ------------------------------------------------------- */

static int on_page_row(void *me, enum page_table table, struct entry row)
{
    struct check *self = (struct check *)me;
    switch (table) {
    case TABLE_state:
        check_take_row(self, row);
        return ++self->rows % PROGRESS_ROWS == 0 ? tell(self, NULL) : 0;
    case TABLE_meta:
        check_take_meta(self, row);
        return 0;
    case TABLE_stray:
        check_take_stray(self, row);
        return 0;
    }
    return 0;
}

/* Structure first, then what was found in it; a contract's name tells more than a page's number. */
static void check_structure(struct check *self)
{
    const struct pages *pages = &self->pages;
    struct check_report *report = &self->report;
    bool all = pages->stale || marks_are_lost(pages, self->marks_found);
    check_close(self);
    if (!self->has_meta) {
        report->damaged++;
        (void)fail(&report->first, ERR_DAMAGED, "%s has no whole meta record", self->path);
    }
    if (pages->faults)
        for (size_t i = 0; i < self->strays_count; i++)
            check_name(report, &self->strays[i]);
    for (size_t i = 0; all && i < self->whole_count; i++)
        check_name(report, &self->whole[i]); /* each may be as it was some time ago */
    if (pages->faults && report->named_count)
        (void)fail(&report->first, ERR_DAMAGED, "%s: %.160s", name_contract(&report->named[0]).text,
                   pages->first.text);
    else if (pages->faults)
        report->first = pages->first;
    report->damaged += pages->faults;
}

static int check_pages(struct check *self, struct reason *why)
{
    int rc = pages_walk(self->path, !self->quick, on_page_row, self, &self->pages, why);
    if (rc == 0)
        check_structure(self);
    if (rc == 0 && self->has_meta)
        check_counts(self);
    return rc;
}

int check_file(const char *path, bool *sound, struct reason *why)
{
    struct check check = {.path = path, .quick = true};
    int rc = check_pages(&check, why);
    /* A mark is no damage of the file. */
    *sound = check.report.damaged == check.marks;
    if (rc == 0 && !*sound)
        *why = check.report.first;
    return rc;
}

/* --- all of it --------------------------------------------------------------------------- */

static void on_mark(void *me, const struct contract_key *key)
{
    struct check *self = (struct check *)me;
    self->key = *key;
    check_take_mark(self);
}

static int check_tables(struct check *self, const struct db *db, struct reason *why)
{
    struct db_reader reader;
    MDB_stat stat;
    int rc = reader_open(&reader, db, why);
    if (rc)
        return rc;
    rc = db_read_meta(db, reader.txn, &self->meta, why);
    if (rc == 0 && mdb_stat(reader.txn, db->state, &stat) == 0)
        self->all_rows = stat.ms_entries;
    if (rc == 0)
        rc = check_rows(self, &reader, why);
    if (rc == 0)
        rc = marks_each(db, reader.txn, on_mark, self, why);
    if (rc == 0)
        check_counts(self);
    reader_close(&reader);
    return rc;
}

/* The node may go on meanwhile. What was synced before is in the segments, or was folded before the
 * snapshot is taken, which comes after the scan. */
int db_check(db_t *self, progress_fn *progress, void *progress_self, struct check_report *report,
             struct reason *why)
{
    struct check check = {.path = self->path, .progress = progress, .progress_self = progress_self};
    struct scan scan = {.dir = self->log_dir, .salt = self->salt};
    uint64_t synced = self->log ? log_synced(self->log) : UINT64_MAX;
    int rc = check_scan(&check, &scan, why);
    if (rc == 0)
        rc = check_tables(&check, self, why);
    if (rc == 0)
        check_lost(&check, &scan, check.meta.folded_seq, synced);
    scan_free(&scan);
    free(check.suspects);
    map_trim(self->path);
    *report = check.report;
    return rc;
}

static int on_known_row(void *me, enum page_table table, struct entry row)
{
    struct header_record header;
    if (table == TABLE_state && header_decode(row, &header) == 0)
        check_is_there((struct check *)me, header.contract);
    return 0;
}

/* The file was walked before there were suspects: where the log's secret is stands in it. */
static int look_in_tables(struct check *self, struct reason *why)
{
    struct pages pages = {.faults = 0};
    return pages_walk(self->path, false, on_known_row, self, &pages, why);
}

static int check_dir(struct check *self, const char *log_dir, struct reason *why)
{
    struct scan scan = {.dir = log_dir};
    int rc = check_pages(self, why);
    if (rc || !self->has_meta)
        return rc;
    scan.salt = self->meta.salt;
    rc = check_scan(self, &scan, why);
    if (rc == 0 && self->suspects_count)
        rc = look_in_tables(self, why);
    if (rc == 0)
        check_lost(self, &scan, self->meta.folded_seq, UINT64_MAX);
    scan_free(&scan);
    free(self->suspects);
    return rc;
}

int store_check_dir(const char *data_dir, progress_fn *progress, void *progress_self,
                    struct check_report *report, struct reason *why)
{
    struct check check = {.progress = progress, .progress_self = progress_self};
    unsigned format;
    int lock, rc = format_read(data_dir, &format, why);
    if (rc == 0 && format == 0)
        rc = fail(why, ERR_NOT_FOUND, "there is no data of weir in %s", data_dir);
    if (rc == 0)
        rc = lock_take(data_dir, false, &lock, why);
    if (rc)
        return rc;
    char *path = path_join(data_dir, STATE_FILE), *log_dir = path_join(data_dir, LOG_DIR);
    check.path = path;
    rc = path && log_dir ? check_dir(&check, log_dir, why)
                         : fail(why, ERR_NO_MEMORY, "out of memory");
    if (rc == 0)
        *report = check.report;
    free(path);
    free(log_dir);
    if (lock >= 0)
        (void)close(lock);
    return rc;
}
