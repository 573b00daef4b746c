/* log: what store/store.h shows of it, and how the store opens it. The salt seeds the records'
 * checksums; it is random and secret, so that a value stored by a client can never pass for a
 * record when the end of the log is looked for among old bytes. */
#ifndef WEIR_STORE_LOG_H
#define WEIR_STORE_LOG_H

#include "store/scan.h"

/* Opens the segments in scan->dir (made if missing) and adds what they hold to the scan. Segments
 * with nothing beyond scan->after are free. Call log_start before anything is appended. */
MUST_USE int log_open(struct scan *scan, uint64_t segment_bytes, log_t **log, struct reason *why);
void log_close(log_t **self);

/* The first seq of this run. */
void log_start(log_t *self, uint64_t seq);

/* Makes sure that there is a segment to write to. ERR_STORE_FULL, ERR_IO. */
MUST_USE int log_ready(log_t *self, struct reason *why);

/* For other threads: the highest seq known to be synced; bytes and segments that hold records
 * beyond folded. They may lag behind. */
uint64_t log_synced(const log_t *self);
uint64_t log_held(const log_t *self, uint64_t folded, size_t *segments);
size_t log_segments(const log_t *self);

#endif
