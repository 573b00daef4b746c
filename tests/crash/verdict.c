#include "tests/crash/verdict.h"

#include "store/files.h"
#include "tests/unit/store_fixture.h"

#include <inttypes.h>

/* Damage that was found, as a failure. */
static int clean(int rc, const struct check_report *report, struct reason *why)
{
    if (rc || report->damaged == 0)
        return rc;
    return (fail)(why, ERR_DAMAGED, "the check finds damage: %.200s", report->first.text);
}

static int check_folder(const char *folder, struct reason *why)
{
    struct check_report report = {0};
    unsigned format = 0;
    int rc = format_read(folder, &format, why);
    if (rc || format == 0)
        return rc; /* the first start did not come to its end: there is nothing to check */
    rc = store_check_dir(folder, NULL, NULL, &report, why);
    return clean(rc, &report, why);
}

static int check_start(const store_t *store, struct reason *why)
{
    struct store_stats stats;
    store_stats(store, &stats);
    return stats.damaged ? (fail)(why, ERR_DAMAGED, "%" PRIu64 " records are damaged at the start",
                                  stats.damaged)
                         : 0;
}

/* A node goes on with what the crash left: another contract, in the log and then in LMDB. */
static int go_on(store_t *store, struct reason *why)
{
    struct subject more;
    struct store_change change;
    struct fold_result folded;
    struct check_report report = {0};
    struct buffer delta = map_delta("more", 1, slice_text("after the crash"));
    subject_init(&more, "map", "after the crash", 0);
    int rc = store_merge(store, &more.contract, true, buffer_slice(&delta), &change, why);
    if (rc == 0) {
        rc = log_append(store_log(store), &change.record, 1, true, NULL, why);
        blob_release(&change.record);
    }
    if (rc == 0)
        rc = store_fold_now(store, &folded, why);
    if (rc == 0)
        log_recycle(store_log(store), folded.seq);
    buffer_free(&delta);
    subject_free(&more);
    if (rc == 0)
        rc = db_check(store_db(store), NULL, NULL, &report, why);
    return clean(rc, &report, why);
}

static int open_and_hold(const struct store_options *options, uint64_t map_bytes,
                         const struct claims *claims, uint64_t place, bool goes_on,
                         struct reason *why)
{
    store_t *store;
    int rc = store_open_mapped(options, map_bytes, &store, why);
    if (rc)
        return rc;
    rc = check_start(store, why);
    if (rc == 0)
        rc = claims_hold(claims, place, store, why);
    if (rc == 0 && goes_on)
        rc = go_on(store, why);
    store_close(&store);
    return rc;
}

int verdict(const struct store_options *options, uint64_t map_bytes, const struct claims *claims,
            uint64_t place, bool goes_on, struct reason *why)
{
    int rc = check_folder(options->data_dir, why);
    if (rc == 0)
        rc = open_and_hold(options, map_bytes, claims, place, goes_on, why);
    if (rc == 0 && goes_on) /* and starts again */
        rc = open_and_hold(options, map_bytes, claims, place, false, why);
    return rc;
}
