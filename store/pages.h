/* pages: LMDB's file as bytes. LMDB believes what its pages say and reads them through a map: one
 * flipped bit in a page number or an offset ends the process by a signal, or makes it find nothing
 * where something is. So a file is walked here first, with pread, and every number in it is held
 * against what it must be (decision 0023). Whoever walks it has the lock of the data.
 *
 * Sound means: LMDB's own search meets nothing that is not checked here. Every page of the tables
 * is of its kind, is where it says it is, is reached once and is not in the list of free pages;
 * nodes fill their page exactly; keys ascend, also across pages and against the keys of branches;
 * each table has the pages and entries that its record counts; the free pages are ascending
 * lists of pages of the file, none twice. What rows mean is for who visits them.
 *
 * Layout: LMDB 0.9's mdb.c (struct MDB_meta, MDB_page, MDB_node, MDB_db), in the machine's order.
 */
#ifndef WEIR_STORE_PAGES_H
#define WEIR_STORE_PAGES_H

#include "contracts/entries.h"

enum page_table {
    TABLE_state,
    TABLE_meta,
    /* In a page that is neither reached nor free: what damage cut off, or something old. And rows
     * with the key "meta", wherever they are. */
    TABLE_stray
};

/* Told of a row, with its table key; slices live until it returns. Rows of a broken page are told
 * as far as they lie inside it. An error ends the walk. */
typedef int(page_row_fn)(void *self, enum page_table table, struct entry row);

struct pages {
    uint64_t faults;
    struct reason first;
    bool stale;         /* the newest root may be lost: each row may be an older one */
    bool meta_faults;   /* in the table meta, or on the way to it: its rows may be strays */
    uint64_t meta_rows; /* as that table counts them; they may be fewer */
};

/* Walks the file; strays: also the rows of pages that were not reached. 0 also when faults were
 * found; ERR_DAMAGED when it is no file of LMDB, ERR_IO, ERR_NO_MEMORY, or what row returned. */
MUST_USE int pages_walk(const char *path, bool strays, page_row_fn *row, void *row_self,
                        struct pages *pages, struct reason *why);

#endif
