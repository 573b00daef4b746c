/* check: reads every record and compares it with all that is said about it elsewhere. */
#include "store/db.h"

#include "store/failure.h"
#include "store/files.h"
#include "store/log.h"

#include <inttypes.h>
#include <unistd.h>

enum { PROGRESS_ROWS = 4096 };

struct check {
    struct db_reader reader;
    progress_fn *progress;
    void *progress_self;
    uint64_t rows, all_rows;
    struct check_report report;

    /* the contract whose entries come */
    bool open;
    struct header_record header;
    struct contract_key key;
    struct summary summary;
};

static void damaged(struct check *self, struct name name, const char *what)
{
    if (self->report.damaged++ == 0)
        (void)fail(&self->report.first, ERR_DAMAGED, "%s: %s", name.text, what);
}

/* At the end of a contract: are its entries those that its header counts? */
static void close_contract(struct check *self)
{
    if (!self->open)
        return;
    self->open = false;
    struct summary said = {.count = self->header.count, .state_bytes = self->header.state_bytes};
    summary_sum_read(&said, self->header.sum);
    struct fingerprint print = summary_fingerprint(&said);
    if (!summary_equal(&said, &self->summary))
        damaged(self, name_contract(&self->key), "its entries are not what its header says");
    else if (memcmp(print.bytes, self->header.fingerprint, FINGERPRINT_BYTES) != 0)
        damaged(self, name_contract(&self->key), "its fingerprint is wrong");
}

static void open_contract(struct check *self, struct entry row)
{
    struct contract contract;
    close_contract(self);
    memset(&self->key, 0, sizeof self->key);
    memcpy(self->key.bytes, row.key.data, STATE_PREFIX_BYTES);
    self->open = row.key.size == STATE_PREFIX_BYTES + 1 &&
                 reader_decode_header(&self->reader, row, &self->header, NULL) == 0 &&
                 memcmp(self->header.contract, row.key.data, STATE_PREFIX_BYTES) == 0;
    if (!self->open) {
        damaged(self, name_contract(&self->key), "its header is damaged");
        return;
    }
    memcpy(self->key.bytes, self->header.contract, sizeof self->key.bytes);
    self->summary = (struct summary){0};
    self->report.contracts++;
    self->report.bytes += row.value.size;
    if (contract_init(&contract, self->header.kind, self->header.params, NULL) ||
        memcmp(contract.key.bytes, self->key.bytes, sizeof self->key.bytes) != 0)
        damaged(self, name_contract(&self->key), "its kind and parameters are not its own");
}

static void check_entry(struct check *self, struct entry row)
{
    struct entry entry;
    if (!state_key_is_entry(row.key, &self->key)) {
        close_contract(self);
        memset(&self->key, 0, sizeof self->key);
        memcpy(self->key.bytes, row.key.data, STATE_PREFIX_BYTES);
        damaged(self, name_entry(&self->key, state_key_entry(row.key)), "it has no header");
    }
    if (reader_decode(&self->reader, &self->key, row, &entry, NULL)) {
        damaged(self, name_entry(&self->key, state_key_entry(row.key)),
                "it does not match its checksum");
        return;
    }
    self->report.entries++;
    self->report.bytes += row.value.size;
    summary_add(&self->summary, entry.key, entry.value);
}

static void check_row(struct check *self, struct entry row)
{
    struct contract_key nobody = {{0}};
    if (row.key.size > STATE_PREFIX_BYTES && row.key.data[STATE_PREFIX_BYTES] == ROW_HEADER)
        open_contract(self, row);
    else if (row.key.size > STATE_PREFIX_BYTES && row.key.data[STATE_PREFIX_BYTES] == ROW_ENTRY &&
             row.key.size <= STATE_KEY_BYTES_MAX)
        check_entry(self, row);
    else
        damaged(self, name_entry(&nobody, row.key), "it is no row of the table");
}

static int tell(struct check *self, struct reason *why)
{
    if (!self->progress || self->progress(self->progress_self, self->rows, self->all_rows))
        return 0;
    return fail(why, ERR_TIMEOUT, "the check was stopped");
}

static int check_rows(struct check *self, struct reason *why)
{
    const uint8_t first = 0;
    struct entry row;
    int rc = reader_row(&self->reader, slice_of(&first, 1), true, &row, why);
    while (rc == 0) {
        check_row(self, row);
        if (++self->rows % PROGRESS_ROWS == 0)
            rc = tell(self, why);
        if (rc == 0)
            rc = reader_following(&self->reader, &row, why);
    }
    close_contract(self);
    return rc == ERR_NOT_FOUND ? tell(self, why) : rc;
}

static void check_counts(struct check *self, const struct meta_record *meta)
{
    if (self->report.damaged ||
        (meta->contracts == self->report.contracts && meta->entries == self->report.entries))
        return;
    self->report.damaged++;
    (void)fail(&self->report.first, ERR_DAMAGED,
               "%s counts %" PRIu64 " contracts with %" PRIu64 " entries and has %" PRIu64
               " with %" PRIu64,
               self->reader.db->path, meta->contracts, meta->entries, self->report.contracts,
               self->report.entries);
}

static int scan_log(const struct db *db, struct scan *scan, struct reason *why)
{
    bool found;
    uint64_t size;
    int rc = file_size(db->log_dir, &found, &size, why);
    return rc == 0 && found ? scan_all(scan, why) : rc;
}

static void check_log(struct check *self, const struct scan *scan, uint64_t folded, uint64_t synced)
{
    uint64_t lost = scan_lost(scan, folded, synced);
    self->report.records = scan->whole;
    if (lost && self->report.damaged == 0)
        (void)fail(&self->report.first, ERR_DAMAGED,
                   "%s: %" PRIu64 " acknowledged records are damaged", scan->dir, lost);
    self->report.damaged += lost;
}

static int check_tables(struct check *self, const struct db *db, struct meta_record *meta,
                        struct reason *why)
{
    MDB_stat stat;
    int rc = db_read_meta(db, self->reader.txn, meta, why);
    if (rc == 0 && mdb_stat(self->reader.txn, db->state, &stat) == 0)
        self->all_rows = stat.ms_entries;
    if (rc == 0)
        rc = check_rows(self, why);
    if (rc == 0)
        check_counts(self, meta);
    return rc;
}

/* The node may go on meanwhile. What was synced before is in the segments, or was folded before the
 * snapshot is taken, which comes after the scan. */
static int check_all(struct check *self, const struct db *db, struct reason *why)
{
    struct meta_record meta;
    struct scan scan = {.dir = db->log_dir, .salt = db->salt};
    uint64_t synced = db->log ? log_synced(db->log) : UINT64_MAX;
    int rc = scan_log(db, &scan, why);
    if (rc == 0)
        rc = reader_open(&self->reader, db, why);
    if (rc == 0)
        rc = check_tables(self, db, &meta, why);
    if (rc == 0)
        check_log(self, &scan, meta.folded_seq, synced);
    reader_close(&self->reader);
    scan_free(&scan);
    map_trim(db->path);
    return rc;
}

int db_check(db_t *self, progress_fn *progress, void *progress_self, struct check_report *report,
             struct reason *why)
{
    struct check check = {.progress = progress, .progress_self = progress_self};
    int rc = check_all(&check, self, why);
    *report = check.report;
    return rc;
}

int store_check_dir(const char *data_dir, progress_fn *progress, void *progress_self,
                    struct check_report *report, struct reason *why)
{
    struct db *db;
    unsigned format;
    int lock, rc = format_read(data_dir, &format, why);
    if (rc == 0 && format == 0)
        rc = fail(why, ERR_NOT_FOUND, "there is no data of weir in %s", data_dir);
    if (rc == 0)
        rc = lock_take(data_dir, false, &lock, why);
    if (rc)
        return rc;
    rc = db_open(data_dir, DB_CHECK, MAP_BYTES_FIRST, &db, why);
    if (rc == 0) {
        rc = db_check(db, progress, progress_self, report, why);
        db_close(&db);
    }
    if (lock >= 0)
        (void)close(lock);
    return rc;
}
