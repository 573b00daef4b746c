/* Rows of LMDB's tables. First byte: which record (a header, an entry, the meta record, a mark),
 * and with its highest bit that the row is given the checksum of its key, so that what stands
 * behind it is reached. Then the size of the table key (u8), the key, the row. What is accepted is
 * written back as it was. */
#include "store/schema.h"
#include "store/checksum.h"
#include "tests/fuzz/must.h"

static const struct layout *const layouts[] = {&header_record_layout, &entry_record_layout,
                                               &meta_record_layout, &mark_record_layout};

union any_record {
    struct header_record header;
    struct entry_record entry;
    struct meta_record meta;
    struct mark_record mark;
};

static void check_header(struct entry row)
{
    struct header_record header;
    struct contract contract;
    if (header_decode(row, &header)) /* its contract is another one */
        return;
    MUST(row.key.size == STATE_PREFIX_BYTES + 1);
    MUST(contract_init(&contract, header.kind, header.params, NULL) == 0);
    MUST(memcmp(contract.key.bytes, row.key.data, STATE_PREFIX_BYTES) == 0);
    struct state_key key =
        state_key_of(&contract.key, (enum row_type)row.key.data[16], slice_of(NULL, 0));
    MUST(slice_equal(state_key_slice(&key), row.key));
    MUST(name_contract(&contract.key).text[0]);
}

static void check_keys(struct slice key)
{
    struct contract_key contract = {{0}};
    uint8_t mark[MARK_KEY_BYTES];
    if (mark_key_is(key)) {
        memcpy(contract.bytes, key.data + MARK_WORD_BYTES, CONTRACT_KEY_BYTES);
        mark_key_of(&contract, mark);
        MUST(slice_equal(slice_of(mark, sizeof mark), key));
    }
    memset(&contract, 0, sizeof contract);
    memcpy(contract.bytes, key.data, key.size < 16 ? key.size : 16);
    if (!state_key_is_entry(key, &contract))
        return;
    struct state_key again = state_key_of(&contract, ROW_ENTRY, state_key_entry(key));
    MUST(slice_equal(state_key_slice(&again), key));
    MUST(name_entry(&contract, state_key_entry(key)).text[0]);
}

static void check(const struct layout *layout, struct slice key, struct slice row)
{
    union any_record record;
    struct buffer again = {0};
    int rc = row_decode(layout, key, row, &record);
    MUST(rc == 0 || rc == ERR_DAMAGED);
    if (rc == 0) {
        MUST(row_encode(layout, &record, key, &again) == 0);
        MUST(slice_equal(buffer_slice(&again), row));
        buffer_free(&again);
    }
    check_header((struct entry){key, row});
    check_keys(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || data[1] > size - 2)
        return 0;
    struct slice key = slice_of(data + 2, data[1]),
                 rest = slice_after(slice_of(data, size), 2u + data[1]);
    struct buffer row = {0};
    if (data[0] & 0x80) {
        buffer_append_u64(&row, checksum_of(rest, checksum_of(key, 0)));
        MUST(row.size == ROW_CHECKSUM_BYTES);
    }
    buffer_append_slice(&row, rest);
    check(layouts[data[0] % 4], key, buffer_slice(&row));
    buffer_free(&row);
    return 0;
}
