#include "contracts/merge.h"
#include "contracts/proofs.h"
#include "contracts/writers.h"

int contract_check_entry(const struct contract *contract, struct slice key, struct slice value,
                         struct reason *why)
{
    if (contract_signed(contract) && value.size < WRITER_TRAILER_BYTES)
        return fail(why, ERR_BAD_STATE, "value of %zu bytes, a signed one has at least %d",
                    value.size, WRITER_TRAILER_BYTES);
    struct slice seen = contract->kind->prove ? value : writers_inner(contract, value);
    return contract->kind->check_entry(contract, key, seen, why);
}

/* A signature costs 50 µs: an entry that the state has already is not verified again. */
static int check_signature(const struct contract *contract, const struct state_reader *state,
                           struct proofs *proofs, const struct entry *entry, struct reason *why)
{
    struct slice held;
    int found = state ? reader_find(state, entry->key, &held) : 0;
    if (found < 0)
        return fail(why, found, "the state could not be read: %s", error_text(found));
    if (found && slice_equal(held, entry->value))
        return 0;
    int rc = writers_verify(contract, entry->key, entry->value, why);
    if (!rc && contract->kind->prove)
        rc = contract->kind->prove(contract, state, proofs, entry->key, entry->value, why);
    return rc;
}

int contract_next(const struct contract *contract, struct entries *walk, struct entry *entry,
                  struct reason *why)
{
    int more = entries_next(walk, entry, why);
    if (more <= 0)
        return more;
    int rc = contract_check_entry(contract, entry->key, entry->value, why);
    return rc ? entry_blame(walk->number, entry->key, rc, why) : 1;
}

int contract_check(const struct contract *contract, const struct state_reader *state,
                   struct slice delta, uint64_t *entries, struct reason *why)
{
    struct entries walk = entries_of(delta);
    struct entry entry;
    struct proofs proofs = {0};
    bool is_signed = contract_signed(contract);
    int more;
    while ((more = contract_next(contract, &walk, &entry, why)) > 0) {
        int rc = is_signed ? check_signature(contract, state, &proofs, &entry, why) : 0;
        if (rc) {
            more = entry_blame(walk.number, entry.key, rc, why);
            break;
        }
    }
    proofs_free(&proofs);
    if (!more && entries)
        *entries = walk.number;
    return more;
}
