/* drop: a contract goes. One record tells it to the log; in the live overlay the contract becomes
 * one that is gone and hides all below. The fold removes LMDB's rows. */
#include "store/store_state.h"

#include "store/record.h"

/* What lies in self->view becomes nothing. seq: of the drop's record; told: 0 when it is flushed.
 */
static int hide(store_t *self, const struct held *held, uint64_t seq, struct reason *why)
{
    struct overlay *live = self->live;
    struct overlay_contract *former = self->view.live;
    if (!overlay_reserve(live, 0, held->contract.params.size))
        return fail(why, ERR_NO_MEMORY, "no memory for the change");
    struct overlay_contract *gone = former ? overlay_replace(live, former, &held->contract)
                                           : overlay_add(live, &held->contract);
    gone->over = gone->gone = true;
    gone->created_seq = seq;
    self->contracts--;
    self->entries -= held->summary.count;
    self->found_valid = false;
    self->list_valid = false;
    return 0;
}

int store_drop(store_t *self, const struct contract_key *key, struct store_change *out,
               struct reason *why)
{
    const struct summary empty = {0};
    const struct held *held;
    if (store_must_wait(self))
        return fail(why, ERR_AGAIN, "the fold has to catch up");
    int rc = store_find(self, key, &held, why);
    if (rc)
        return rc;
    struct store_change change = {.before = held->fingerprint,
                                  .after = summary_fingerprint(&empty),
                                  .seq = self->last_seq + 1};
    rc = record_new_drop(key, change.seq, self->log ? log_synced(self->log) : 0, self->db->salt,
                         &change.record);
    if (rc)
        return fail(why, rc, "no record could be made of the drop: %s", error_text(rc));
    rc = hide(self, held, change.seq, why);
    if (rc) {
        blob_release(&change.record);
        return rc;
    }
    self->last_seq = change.seq;
    self->merged_bytes += change.record->size;
    *out = change;
    return 0;
}

/* A contract that is not here has gone already. */
int store_replay_drop(store_t *self, const struct log_record *record, struct reason *why)
{
    struct contract_key key;
    const struct held *held;
    memcpy(key.bytes, record->contract, sizeof key.bytes);
    int rc = store_find(self, &key, &held, why);
    if (rc == ERR_NOT_FOUND || rc == ERR_DENIED)
        return 0;
    return rc ? rc : hide(self, held, record->seq, why);
}
