/* read: states and ranges of them, put together from the overlays and an LMDB snapshot. */
#include "store/store_state.h"

#include <stdlib.h>

/* An entry of the overlays, held while the read goes on. */
struct ref {
    struct slice key, value; /* value data NULL: dropped */
    struct blob *record;
};

struct read_job {
    store_t *store;
    struct contract_key key;
    bool whole;                        /* no bounds: all counts are known */
    uint8_t last[ENTRY_KEY_BYTES_MAX]; /* the range's end, included … */
    size_t last_bytes;
    bool has_last; /* … if there is one */

    struct ref *refs;
    size_t ref_count, ref_capacity, ref_at;

    struct db_reader *reader; /* the store's, or `own` */
    struct db_reader own;
    bool stored;           /* LMDB may have more entries */
    struct state_key from; /* where they go on … */
    bool placed;           /* … or the reader's cursor stands there */
    struct entry row;      /* the next of them, if key.data is set */

    uint64_t left;        /* entries to come, when whole */
    uint64_t state_bytes; /* of the whole state */
    struct buffer bytes;
    struct reading reading;
};

/* --- what the overlays have in the range ------------------------------------------------- */

static bool past_last(const read_job_t *self, struct slice key)
{
    return self->has_last && slice_compare(key, slice_of(self->last, self->last_bytes)) > 0;
}

static int add_ref(read_job_t *self, const struct overlay_entry *entry)
{
    if (self->ref_count == self->ref_capacity) {
        size_t capacity = self->ref_capacity ? 2 * self->ref_capacity : 16;
        struct ref *refs = (struct ref *)realloc(self->refs, capacity * sizeof *refs);
        if (!refs)
            return ERR_NO_MEMORY;
        self->refs = refs;
        self->ref_capacity = capacity;
    }
    self->refs[self->ref_count++] =
        (struct ref){overlay_key(entry), overlay_value(entry), blob_hold(entry->record)};
    if (entry->seq > self->reading.seq)
        self->reading.seq = entry->seq;
    return 0;
}

static const struct overlay_entry *within(const read_job_t *self, const struct overlay_entry *entry)
{
    return entry && !past_last(self, overlay_key(entry)) ? entry : NULL;
}

/* Live over frozen, in key order. */
static int collect_refs(read_job_t *self, const struct layers *view, struct slice first)
{
    const struct overlay_entry *live = view->live ? overlay_seek(view->live, first, false) : NULL;
    const struct overlay_entry *frozen =
        view->frozen ? overlay_seek(view->frozen, first, false) : NULL;
    int rc = 0;
    live = within(self, live);
    frozen = within(self, frozen);
    while (rc == 0 && (live || frozen)) {
        int order = !live     ? 1
                    : !frozen ? -1
                              : slice_compare(overlay_key(live), overlay_key(frozen));
        rc = add_ref(self, order <= 0 ? live : frozen);
        if (order <= 0)
            live = within(self, overlay_following(live));
        if (order >= 0)
            frozen = within(self, overlay_following(frozen));
    }
    return rc;
}

/* --- what LMDB has ----------------------------------------------------------------------- */

/* Makes sure that self->row is the next entry of LMDB, or empty at the end of the range. */
static int fill_row(read_job_t *self, struct reason *why)
{
    struct entry row;
    if (!self->stored || self->row.key.data)
        return 0;
    int rc = self->placed ? reader_following(self->reader, &row, why)
                          : reader_row(self->reader, state_key_slice(&self->from), true, &row, why);
    self->placed = true;
    if (rc == ERR_NOT_FOUND || (rc == 0 && (!state_key_is_entry(row.key, &self->key) ||
                                            past_last(self, state_key_entry(row.key))))) {
        self->stored = false;
        return 0;
    }
    return rc ? rc : reader_decode(self->reader, &self->key, row, &self->row, why);
}

/* --- putting together -------------------------------------------------------------------- */

static void append(read_job_t *self, struct slice key, struct slice value)
{
    entry_append(&self->bytes, key, value);
    self->left--;
}

/* Appends the next entry. ERR_NOT_FOUND at the end. */
static int step_entry(read_job_t *self, struct reason *why)
{
    int rc = fill_row(self, why);
    if (rc)
        return rc;
    const struct ref *ref = self->ref_at < self->ref_count ? &self->refs[self->ref_at] : NULL;
    if (!ref && !self->row.key.data)
        return ERR_NOT_FOUND;
    int order = !ref ? 1 : !self->row.key.data ? -1 : slice_compare(ref->key, self->row.key);
    if (order <= 0 && ref && ref->value.data)
        append(self, ref->key, ref->value);
    if (order > 0)
        append(self, self->row.key, self->row.value);
    if (order <= 0)
        self->ref_at++;
    if (order >= 0)
        self->row = (struct entry){{0}, {0}};
    return 0;
}

static int finish(read_job_t *self, struct reading *out, struct reason *why)
{
    size_t state_bytes = self->bytes.size - self->reading.params_bytes;
    if (self->whole && (self->left || state_bytes != self->state_bytes)) {
        db_doubt(self->store->db);
        return fail(why, ERR_DAMAGED,
                    "%s is damaged in %s: its entries are not what its header "
                    "says; restore it from a backup or a peer",
                    name_contract(&self->key).text, self->store->db->path);
    }
    if (buffer_failed(&self->bytes))
        return fail(why, ERR_NO_MEMORY, "no memory to read %s", name_contract(&self->key).text);
    size_t size = self->bytes.size;
    self->reading.bytes = blob_adopt(buffer_steal(&self->bytes), size);
    if (!self->reading.bytes)
        return fail(why, ERR_NO_MEMORY, "no memory to read %s", name_contract(&self->key).text);
    *out = self->reading;
    return 0;
}

int read_step(read_job_t *self, struct reading *out, struct reason *why)
{
    size_t until = self->bytes.size + READ_SLICE_BYTES;
    int rc = 0;
    while (rc == 0 && !(self->whole && self->left == 0)) {
        if (self->bytes.size >= until && !buffer_failed(&self->bytes))
            return ERR_AGAIN;
        rc = step_entry(self, why);
    }
    return rc && rc != ERR_NOT_FOUND ? rc : finish(self, out, why);
}

/* --- beginning --------------------------------------------------------------------------- */

/* The contract's facts, without what only a merge needs. */
struct facts {
    const struct kind *kind;
    struct slice params;
    uint64_t count, state_bytes, seq, created_seq;
    struct fingerprint fingerprint;
};

static int look(store_t *self, const struct layers *view, struct facts *facts, struct reason *why)
{
    struct header_record header;
    const struct overlay_contract *top = view->live ? view->live : view->frozen;
    const struct held *held = layers_held(view);
    if (held) {
        *facts = (struct facts){held->contract.kind, held->contract.params,
                                held->summary.count, held->summary.state_bytes,
                                held->seq,           held->seq ? top->created_seq : 0,
                                held->fingerprint};
        return 0;
    }
    int rc = view->gone ? ERR_NOT_FOUND : reader_header(&self->reader, &view->key, &header, why);
    if (rc == ERR_NOT_FOUND)
        return fail(why, rc, "%s is not known here", name_contract(&view->key).text);
    if (rc)
        return rc;
    *facts = (struct facts){.kind = kind_find(header.kind),
                            .params = header.params,
                            .count = header.count,
                            .state_bytes = header.state_bytes};
    memcpy(facts->fingerprint.bytes, header.fingerprint, FINGERPRINT_BYTES);
    return facts->kind ? 0
                       : fail(why, ERR_DAMAGED, "%s is damaged: there is no such kind",
                              name_contract(&view->key).text);
}

static int begin(read_job_t *self, const struct layers *view, const struct facts *facts,
                 struct slice first, struct slice last, struct reason *why)
{
    self->key = view->key;
    self->whole = !first.data && !last.data;
    self->has_last = last.data;
    self->last_bytes = last.size < ENTRY_KEY_BYTES_MAX ? last.size : ENTRY_KEY_BYTES_MAX;
    if (last.data)
        memcpy(self->last, last.data, self->last_bytes);
    self->stored = view->stored;
    self->from = state_key_of(&view->key, ROW_ENTRY, first);
    self->left = facts->count;
    self->state_bytes = facts->state_bytes;
    self->reading = (struct reading){.kind = facts->kind,
                                     .params_bytes = facts->params.size,
                                     .fingerprint = facts->fingerprint,
                                     .seq = self->whole ? facts->seq : facts->created_seq};
    buffer_reserve(&self->bytes, facts->params.size + (self->whole ? facts->state_bytes : 0));
    buffer_append_slice(&self->bytes, facts->params);
    int rc = buffer_failed(&self->bytes) ? ERR_NO_MEMORY : collect_refs(self, view, first);
    return rc ? fail(why, rc, "no memory to read %s", name_contract(&view->key).text) : 0;
}

static void clear(read_job_t *self)
{
    for (size_t i = 0; i < self->ref_count; i++)
        blob_release(&self->refs[i].record);
    free(self->refs);
    buffer_free(&self->bytes);
}

/* Moves a read that takes long off the store's snapshot, onto one of its own. */
static int make_job(read_job_t *self, read_job_t **job, struct reason *why)
{
    if (self->store->jobs >= READ_JOBS_MAX)
        return fail(why, ERR_BUSY, "%u large reads are going on", READ_JOBS_MAX);
    read_job_t *made = (read_job_t *)malloc(sizeof *made);
    if (!made)
        return fail(why, ERR_NO_MEMORY, "no memory to read %s", name_contract(&self->key).text);
    int rc = self->placed ? fill_row(self, why) : 0; /* the store's cursor stays behind */
    if (self->row.key.data)
        self->from = state_key_of(&self->key, ROW_ENTRY, self->row.key);
    self->row = (struct entry){{0}, {0}};
    self->placed = false;
    *made = *self;
    if (rc == 0)
        rc = reader_open(&made->own, self->store->db, why);
    if (rc) {
        free(made);
        return rc;
    }
    made->reader = &made->own;
    made->store->jobs++;
    *job = made;
    return 0;
}

int store_read(store_t *self, const struct contract_key *key, struct slice first, struct slice last,
               struct reading *out, read_job_t **job, struct reason *why)
{
    struct facts facts = {0};
    struct layers view;
    *job = NULL;
    if (first.size > ENTRY_KEY_BYTES_MAX)
        return fail(why, ERR_BAD_REQUEST, "no entry key is longer than %u bytes",
                    ENTRY_KEY_BYTES_MAX);
    if (store_is_damaged(self, key))
        return store_tell_damaged(self, key, why);
    layers_open(&view, self, key);
    int rc = look(self, &view, &facts, why);
    if (rc)
        return rc;
    read_job_t read;
    memset(&read, 0, sizeof read);
    read.store = self;
    read.reader = &self->reader;
    rc = begin(&read, &view, &facts, first, last, why);
    if (rc == 0 && read.whole && facts.state_bytes > READ_SLICE_BYTES)
        rc = ERR_AGAIN;
    else if (rc == 0)
        rc = read_step(&read, out, why);
    if (rc == ERR_AGAIN)
        rc = make_job(&read, job, why);
    if (!*job)
        clear(&read);
    return rc;
}

void read_job_destroy(read_job_t **self)
{
    read_job_t *job = *self;
    if (!job)
        return;
    *self = NULL;
    reader_close(&job->own);
    job->store->jobs--;
    clear(job);
    free(job);
}
