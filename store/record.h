/* record: the log's unit (its fields: LOG_RECORD_FIELDS in store/store.h). A record is one change
 * of one contract; being a join, it may be merged in any order and twice. Or it tells that the
 * contract was dropped: then what earlier records said of it is no more, so its place among them
 * matters (docs/decisions/0017-dropping.md). */
#ifndef WEIR_STORE_RECORD_H
#define WEIR_STORE_RECORD_H

#include "store/store.h"

enum {
    RECORD_MAGIC = 0x77656972,
    RECORD_CHECKSUM_AT = 8,
    RECORD_SEQ_AT = 16,
    RECORD_KEY_AT = 32,
    RECORD_LEAST_BYTES = RECORD_KEY_AT + CONTRACT_KEY_BYTES /* and what is of variable size */
};

/* A new record in a blob of its own. with_kind: kind and parameters are written too, so that the
 * record can be merged by who does not know the contract. *inside: where the delta stands in it.
 * ERR_TOO_LARGE, ERR_NO_MEMORY. */
MUST_USE int record_new(const struct contract *contract, bool with_kind, uint64_t seq,
                        uint64_t synced, uint64_t salt, struct slice delta, struct blob **record,
                        struct slice *inside);

/* The kind of a record that drops its contract: no kind is called so. */
#define RECORD_DROP_KIND "(drop)"

MUST_USE int record_new_drop(const struct contract_key *key, uint64_t seq, uint64_t synced,
                             uint64_t salt, struct blob **record);
bool record_is_drop(const struct log_record *record);

/* What stands where a record has its size, seq and contract; untouched when there are fewer bytes
 * than RECORD_LEAST_BYTES. False when nothing there looks like a record. Nothing of it is verified.
 */
struct record_outline {
    size_t size;
    uint64_t seq;
    const uint8_t *key; /* CONTRACT_KEY_BYTES, in bytes */
};
bool record_outline(struct slice bytes, struct record_outline *outline);

/* Is there a whole record, made with this salt, at the start of bytes? Slices borrow from bytes. */
bool record_read(struct slice bytes, uint64_t salt, struct log_record *record);

static inline uint64_t record_seq(const struct blob *record)
{
    return get_u64(record->data + RECORD_SEQ_AT);
}

#endif
