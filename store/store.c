#include "store/store_state.h"

#include "store/files.h"

enum { DISK_ASK_BYTES = 256 << 10, LOG_SEGMENTS_WAIT = LOG_SEGMENTS_MAX - 4 };

log_t *store_log(store_t *self)
{
    return self->log;
}

db_t *store_db(store_t *self)
{
    return self->db;
}

void store_hold_map(store_t *self, bool held)
{
    self->map_held = held;
}

size_t store_unfolded_bytes(const store_t *self)
{
    return self->live->bytes + (self->fold ? self->fold->overlay->bytes : 0);
}

void store_stats(const store_t *self, struct store_stats *stats)
{
    *stats = (struct store_stats){.contracts = self->contracts,
                                  .entries = self->entries,
                                  .used_bytes = self->used_bytes,
                                  .map_bytes = db_map(self->db),
                                  .bytes_max = self->options.store_bytes_max,
                                  .unfolded_bytes = store_unfolded_bytes(self),
                                  .log_segments = self->log ? log_segments(self->log) : 0,
                                  .folded_seq = self->folded_seq,
                                  .last_seq = self->last_seq,
                                  .replayed = self->replayed,
                                  .damaged = self->damaged,
                                  .unnamed = self->unnamed,
                                  .marked = self->marks.count};
}

/* --- damage ------------------------------------------------------------------------------ */

bool store_is_damaged(const store_t *self, const struct contract_key *key)
{
    return marks_have(&self->marks, key);
}

int store_tell_damaged(const store_t *self, const struct contract_key *key, struct reason *why)
{
    return fail(why, ERR_DAMAGED,
                "%s is damaged in %s: a part of it is lost; it waits for a peer that has it, or "
                "restore a backup",
                name_contract(key).text, self->db->path);
}

bool store_damaged_at(const store_t *self, size_t i, struct contract_key *key, bool *half)
{
    if (i >= self->marks.count)
        return false;
    *key = self->marks.keys[i];
    *half = mark_is_half(key);
    return true;
}

void store_healed(store_t *self, const struct contract_key *key)
{
    marks_remove(&self->marks, key);
}

const char *store_repaired(const store_t *self)
{
    return self->repaired.text;
}

/* --- finding ----------------------------------------------------------------------------- */

static int hold_header(store_t *self, const struct header_record *header, struct reason *why)
{
    struct held *found = &self->found;
    int rc = contract_init(&found->contract, header->kind, header->params, why);
    if (rc || memcmp(found->contract.key.bytes, header->contract, CONTRACT_KEY_BYTES) != 0) {
        struct contract_key key;
        memcpy(key.bytes, header->contract, sizeof key.bytes);
        return fail(why, ERR_DAMAGED,
                    "%s is damaged in %s: its kind and parameters are not its own",
                    name_contract(&key).text, self->db->path);
    }
    found->summary = header_summary(header);
    memcpy(found->fingerprint.bytes, header->fingerprint, FINGERPRINT_BYTES);
    found->seq = 0;
    self->found_valid = true;
    return 0;
}

int layers_find(const struct layers *view, const struct held **held, struct reason *why)
{
    store_t *self = view->store;
    struct header_record header;
    if (view->gone)
        return ERR_NOT_FOUND;
    *held = layers_held(view);
    if (*held)
        return 0;
    if (!view->stored)
        return fail(why, ERR_DENIED, "another contract's key begins like that of %s",
                    name_contract(&view->key).text);
    bool known = self->found_valid &&
                 memcmp(self->found.contract.key.bytes, view->key.bytes, CONTRACT_KEY_BYTES) == 0;
    if (!known) {
        self->found_valid = false;
        int rc = reader_header(&self->reader, &view->key, &header, why);
        if (rc == 0)
            rc = hold_header(self, &header, why);
        if (rc)
            return rc;
    }
    *held = &self->found;
    return 0;
}

int store_find(store_t *self, const struct contract_key *key, const struct held **held,
               struct reason *why)
{
    const struct held *found;
    layers_open(&self->view, self, key);
    int rc = layers_find(&self->view, &found, why);
    if (rc == ERR_NOT_FOUND)
        return fail(why, rc, "%s is not known here", name_contract(key).text);
    if (rc == 0)
        *held = found;
    return rc;
}

struct state_reader store_reader(store_t *self, const struct contract_key *key)
{
    const struct held *held;
    layers_open(&self->view, self, key);
    int rc = layers_find(&self->view, &held, NULL);
    self->view.stored = self->view.stored && rc != ERR_NOT_FOUND;
    self->view.count = rc == 0 ? held->summary.count : 0;
    return layers_reader(&self->view);
}

/* --- room -------------------------------------------------------------------------------- */

bool store_must_wait(store_t *self)
{
    size_t segments = 0;
    if (self->log)
        self->log_bytes = log_held(self->log, self->folded_seq, &segments);
    return store_unfolded_bytes(self) >= UNFOLDED_BYTES_MAX || segments > LOG_SEGMENTS_WAIT;
}

static uint64_t free_on_disk(store_t *self, uint64_t needed)
{
    if (self->disk_bytes < needed || self->merged_bytes - self->disk_asked_at >= DISK_ASK_BYTES) {
        self->disk_bytes = disk_free(self->db->dir);
        self->disk_asked_at = self->merged_bytes;
    }
    return self->disk_bytes;
}

int store_check_room(store_t *self, size_t bytes, bool shrinks, struct reason *why)
{
    if (!self->log)
        return 0; /* a copy or a replay: what was acknowledged must fit */
    uint64_t waiting = store_unfolded_bytes(self) + bytes;
    uint64_t used = self->used_bytes + self->log_bytes;
    if (!shrinks && used + 2 * waiting > self->options.store_bytes_max)
        return fail(why, ERR_STORE_FULL, "the store's limit is reached; raise its --max-store");
    if (log_is_full(self->log))
        return fail(why, ERR_STORE_FULL,
                    "there is no room for the log in %s; make room on the disk", self->db->log_dir);
    uint64_t needed = DISK_RESERVE_BYTES + 4 * waiting;
    if (free_on_disk(self, needed) < needed)
        return fail(why, ERR_STORE_FULL, "the disk of %s is full", self->db->dir);
    return 0;
}
