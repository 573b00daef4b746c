/* store_fixture: a store in a directory of its own, driven as the actors drive it: each change is
 * flushed at once, folds run when told. */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include "store/store_state.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

struct rig {
    char dir[64];
    store_t *store;
    struct store_options options;
    uint64_t map_bytes;
    bool unflushed; /* changes wait in `waiting` for rig_flush */
    struct blob *waiting[LOG_BATCH_RECORDS_MAX];
    size_t waiting_count;
    uint64_t now_ms;
    struct reason why; /* of the last refusal */
};

/* A new directory with an open store. */
void rig_open(struct rig *self);
/* Opens what another rig left: same options, a directory that exists. */
void rig_adopt(struct rig *self, const struct rig *like, const char *dir);
/* Closes the store, and with `remove` its directory goes too. */
void rig_close(struct rig *self, bool remove);
void rig_reopen(struct rig *self);

/* A copy of the directory as it is now, as SIGKILL would leave it. `to` gets its name. */
void rig_copy(const struct rig *self, char to[64]);
void remove_dir(const char *dir);

/* A new name for a directory, in /tmp; not made. */
void temporary_name(char name[64]);

/* A contract with a name; `newest` 0: none. Freed by subject_free. */
struct subject {
    struct buffer params;
    struct contract contract;
};
void subject_init(struct subject *self, const char *kind, const char *name, uint64_t newest);
void subject_free(struct subject *self);

/* Appends a map's entry. */
void map_entry(struct buffer *out, const char *field, uint64_t stamp, struct slice data);
struct buffer map_delta(const char *field, uint64_t stamp, struct slice data);

/* Merge (creating) or edit, and flush. Return the code; the change, without its record, in *out
 * (may be NULL). Refusals leave their sentence in self->why. */
int rig_merge(struct rig *self, const struct contract *contract, struct slice delta,
              struct store_change *out);
int rig_edit(struct rig *self, const struct contract *contract, const char *verb, const char *a,
             const char *b);
void rig_set(struct rig *self, const struct contract *contract, const char *field, uint64_t stamp,
             const char *data);
int rig_drop(struct rig *self, const struct contract *contract);
void rig_flush(struct rig *self);

/* Folds all that is live, as the actors do. */
void rig_fold(struct rig *self);

/* The state's bytes (params left out), read to the end; to be freed. Its fingerprint is compared
 * with the bytes when the whole is read. */
struct buffer rig_read(struct rig *self, const struct contract *contract, const char *first,
                       const char *last);

/* The fingerprint of bytes. */
struct fingerprint fingerprint_of(struct slice state);

/* A map's state as "field=data " and so on. */
const char *shown_map(struct slice state);
void assert_map(struct rig *self, const struct contract *contract, const char *expected);

/* No damage, and the counts are right. */
void assert_clean(struct rig *self);

/* A whole file in memory, and back. */
struct buffer file_read(const char *dir, const char *name);
void file_write(const char *dir, const char *name, struct slice bytes);

/* Random numbers that repeat: from SEED or the clock, and printed. */
uint64_t seed_random(void);
void random_start(uint64_t seed); /* the same from a seed */
uint64_t random_u64(void);
size_t random_below(size_t n);

#endif
