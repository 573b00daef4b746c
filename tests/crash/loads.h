/* loads: work that is recorded. Each writes a trace of a new data folder from its first start on.
 */
#ifndef LOADS_H
#define LOADS_H

#include "tests/crash/claims.h"

/* The store, driven as the actors drive it: one thread merges, flushes and reads, another folds;
 * with small segments, a small map, drops, and starts in between. */
enum { STORE_LOAD_SEGMENT_BYTES = 128 << 10, STORE_LOAD_MAP_BYTES = 1 << 20 };
void store_load(struct trace *trace, const char *data_dir, uint64_t seed);

/* A node with a client, which keeps requests open. It is killed and started again in between. The
 * recorder is that library. */
void node_load(struct trace *trace, const char *trace_path, const char *data_dir,
               const char *recorder);

/* What is started from now on is recorded; and no more. */
void recording_begin(const char *recorder, const char *trace_path, const char *data_dir);
void recording_end(void);

#endif
