/* schema: the keys and the records of LMDB's tables.
 *
 *   state  prefix (16) · 0                → header_record   a contract …
 *          prefix (16) · 1 · entry key    → entry_record    … and its entries, right behind it
 *   meta   "meta"                         → meta_record
 *          "damaged" · contract key (32)  → mark_record     it lacks what damage took
 *
 * prefix is the first half of the contract key; the header has all of it. One seek finds a header,
 * its entries follow. Every record begins with a checksum over its table key and the rest of it, so
 * that a record is not taken for another one either. */
#ifndef WEIR_STORE_SCHEMA_H
#define WEIR_STORE_SCHEMA_H

#include "base/codec.h"
#include "contracts/contract.h"
#include "contracts/entries.h"
#include "contracts/fingerprint.h"

enum {
    FORMAT_VERSION = 2, /* 1: the log knew no drops */
    STATE_PREFIX_BYTES = 16,
    STATE_KEY_BYTES_MAX = STATE_PREFIX_BYTES + 1 + 255,
    ROW_CHECKSUM_BYTES = 8
};

enum row_type { ROW_HEADER = 0, ROW_ENTRY = 1, ROW_PAST = 2 }; /* ROW_PAST is only sought */

#define HEADER_RECORD_FIELDS(F, M)                                                                 \
    F(M, u64, checksum, 0, "XXH3-64 of the rest, seeded with XXH3-64 of the table key")            \
    F(M, fixed, contract, CONTRACT_KEY_BYTES, "contract key, whole")                               \
    F(M, bytes, kind, KIND_NAME_BYTES_MAX, "kind")                                                 \
    F(M, bytes, params, PARAMS_BYTES_MAX, "parameters")                                            \
    F(M, u64, count, 0, "entries")                                                                 \
    F(M, u64, state_bytes, 0, "size of the encoded state")                                         \
    F(M, fixed, sum, FINGERPRINT_SUM_BYTES, "sum of the entries' hashes")                          \
    F(M, fixed, fingerprint, FINGERPRINT_BYTES, "BLAKE2b-256 of count and sum")
CODEC_STRUCT(header_record, HEADER_RECORD_FIELDS)

#define ENTRY_RECORD_FIELDS(F, M)                                                                  \
    F(M, u64, checksum, 0, "as in the header")                                                     \
    F(M, bytes, value, ENTRY_VALUE_BYTES_MAX, "entry value")
CODEC_STRUCT(entry_record, ENTRY_RECORD_FIELDS)

#define META_RECORD_FIELDS(F, M)                                                                   \
    F(M, u64, checksum, 0, "as in the header")                                                     \
    F(M, u32, format, 0, "format version of the data")                                             \
    F(M, u64, salt, 0, "secret seed of the log records' checksums")                                \
    F(M, u64, folded_seq, 0, "the log's records up to this one are in here")                       \
    F(M, u64, contracts, 0, "contracts")                                                           \
    F(M, u64, entries, 0, "entries of all contracts")
CODEC_STRUCT(meta_record, META_RECORD_FIELDS)

#define MARK_RECORD_FIELDS(F, M)                                                                   \
    F(M, u64, checksum, 0, "as in the header")                                                     \
    F(M, fixed, contract, CONTRACT_KEY_BYTES, "contract key; zeros behind the half that is known")
CODEC_STRUCT(mark_record, MARK_RECORD_FIELDS)

struct state_key {
    uint8_t bytes[STATE_KEY_BYTES_MAX];
    size_t size;
};

/* The table key of a contract's header, of the place past all it has, or of one of its entries. */
struct state_key state_key_of(const struct contract_key *contract, enum row_type type,
                              struct slice entry_key);

static inline struct slice state_key_slice(const struct state_key *self)
{
    return slice_of(self->bytes, self->size);
}

/* Is this the table key of an entry of that contract? */
bool state_key_is_entry(struct slice key, const struct contract_key *contract);

/* The entry key inside an entry's table key. */
static inline struct slice state_key_entry(struct slice key)
{
    return slice_after(key, STATE_PREFIX_BYTES + 1);
}

extern const char meta_key[]; /* its terminated text */

/* The table key of a contract's mark, and is a key one? */
enum { MARK_WORD_BYTES = 7, MARK_KEY_BYTES = MARK_WORD_BYTES + CONTRACT_KEY_BYTES };
void mark_key_of(const struct contract_key *contract, uint8_t key[MARK_KEY_BYTES]);
bool mark_key_is(struct slice key);

/* The contracts that a mark's row may tell: one, if it verifies; else those of its key and of its
 * record, one of which damage has changed. Returns how many; 0: it is no mark's. */
enum { MARK_CONTRACTS_MAX = 2 };
size_t mark_contracts(struct entry row, struct contract_key contracts[MARK_CONTRACTS_MAX]);

/* Reads a header's row. The sums are not looked at. ERR_DAMAGED: it does not verify, or its
 * contract is not that of its key. */
MUST_USE int header_decode(struct entry row, struct header_record *header);

/* What a header says of its contract's entries, but for their fingerprint; and has it say so, with
 * their fingerprint. */
struct summary header_summary(const struct header_record *self);
void header_count(struct header_record *self, const struct summary *entries,
                  const struct fingerprint *print);

/* As much of a contract's key as a row of the table state tells (its own key is longer than
 * STATE_PREFIX_BYTES): a header that does not verify may still tell all of it, others tell the
 * first half, with zeros behind it. */
struct contract_key row_contract(struct entry row);

/* Appends a record (whose first field is its checksum) as it stands under that table key.
 * ERR_TOO_LARGE, ERR_NO_MEMORY. */
MUST_USE int row_encode(const struct layout *layout, const void *record, struct slice key,
                        struct buffer *out);

/* Reads it back. Byte fields borrow from bytes. ERR_DAMAGED without a sentence: the caller knows
 * whose record it is. */
MUST_USE int row_decode(const struct layout *layout, struct slice key, struct slice bytes,
                        void *record);

/* "contract KEY" and "entry KEY of contract KEY", for sentences. */
struct name {
    char text[256];
};
struct name name_contract(const struct contract_key *contract);
struct name name_entry(const struct contract_key *contract, struct slice entry_key);

#endif
