#include "store/schema.h"

#include "base/base58.h"
#include "store/checksum.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>

CODEC_LAYOUT(header_record, HEADER_RECORD_FIELDS)
CODEC_LAYOUT(entry_record, ENTRY_RECORD_FIELDS)
CODEC_LAYOUT(meta_record, META_RECORD_FIELDS)
CODEC_LAYOUT(mark_record, MARK_RECORD_FIELDS)

const char meta_key[] = "meta";
static const char mark_word[MARK_WORD_BYTES + 1] = "damaged";

struct state_key state_key_of(const struct contract_key *contract, enum row_type type,
                              struct slice entry_key)
{
    struct state_key key;
    assert(entry_key.size <= ENTRY_KEY_BYTES_MAX);
    memcpy(key.bytes, contract->bytes, STATE_PREFIX_BYTES);
    key.bytes[STATE_PREFIX_BYTES] = (uint8_t)type;
    if (entry_key.size)
        memcpy(key.bytes + STATE_PREFIX_BYTES + 1, entry_key.data, entry_key.size);
    key.size = STATE_PREFIX_BYTES + 1 + entry_key.size;
    return key;
}

bool state_key_is_entry(struct slice key, const struct contract_key *contract)
{
    return key.size > STATE_PREFIX_BYTES && key.size <= STATE_KEY_BYTES_MAX &&
           key.data[STATE_PREFIX_BYTES] == ROW_ENTRY &&
           memcmp(key.data, contract->bytes, STATE_PREFIX_BYTES) == 0;
}

static uint64_t row_checksum(struct slice key, struct slice rest)
{
    return checksum_of(rest, checksum_of(key, 0));
}

int row_encode(const struct layout *layout, const void *record, struct slice key,
               struct buffer *out)
{
    size_t at = out->size;
    buffer_reserve(out, codec_size(layout, record));
    int rc = codec_encode(layout, record, out);
    if (rc)
        return rc;
    struct slice row = slice_after(buffer_slice(out), at);
    put_u64(out->data + at, row_checksum(key, slice_after(row, ROW_CHECKSUM_BYTES)));
    return 0;
}

int row_decode(const struct layout *layout, struct slice key, struct slice bytes, void *record)
{
    if (bytes.size < ROW_CHECKSUM_BYTES ||
        get_u64(bytes.data) != row_checksum(key, slice_after(bytes, ROW_CHECKSUM_BYTES)))
        return ERR_DAMAGED;
    return codec_decode(layout, bytes, record, NULL) ? ERR_DAMAGED : 0;
}

void mark_key_of(const struct contract_key *contract, uint8_t key[MARK_KEY_BYTES])
{
    memcpy(key, mark_word, MARK_WORD_BYTES);
    memcpy(key + MARK_WORD_BYTES, contract->bytes, CONTRACT_KEY_BYTES);
}

bool mark_key_is(struct slice key)
{
    return key.size == MARK_KEY_BYTES && memcmp(key.data, mark_word, MARK_WORD_BYTES) == 0;
}

size_t mark_contracts(struct entry row, struct contract_key contracts[MARK_CONTRACTS_MAX])
{
    struct mark_record record;
    if (!mark_key_is(row.key))
        return 0;
    memcpy(contracts[0].bytes, row.key.data + MARK_WORD_BYTES, CONTRACT_KEY_BYTES);
    if (codec_decode(&mark_record_layout, row.value, &record, NULL) ||
        memcmp(record.contract, contracts[0].bytes, CONTRACT_KEY_BYTES) == 0)
        return 1;
    memcpy(contracts[1].bytes, record.contract, CONTRACT_KEY_BYTES);
    return 2;
}

int header_decode(struct entry row, struct header_record *header)
{
    struct contract contract;
    if (row.key.size != STATE_PREFIX_BYTES + 1 ||
        row_decode(&header_record_layout, row.key, row.value, header) ||
        memcmp(header->contract, row.key.data, STATE_PREFIX_BYTES) != 0 ||
        contract_init(&contract, header->kind, header->params, NULL) ||
        memcmp(contract.key.bytes, header->contract, CONTRACT_KEY_BYTES) != 0)
        return ERR_DAMAGED;
    return 0;
}

struct summary header_summary(const struct header_record *self)
{
    struct summary entries = {.count = self->count, .state_bytes = self->state_bytes};
    summary_sum_read(&entries, self->sum);
    return entries;
}

void header_count(struct header_record *self, const struct summary *entries,
                  const struct fingerprint *print)
{
    self->count = entries->count;
    self->state_bytes = entries->state_bytes;
    summary_sum_write(entries, self->sum);
    memcpy(self->fingerprint, print->bytes, FINGERPRINT_BYTES);
}

struct contract_key row_contract(struct entry row)
{
    struct header_record header;
    struct contract_key key = {{0}};
    memcpy(key.bytes, row.key.data, STATE_PREFIX_BYTES);
    if (row.key.data[STATE_PREFIX_BYTES] != ROW_ENTRY &&
        codec_decode(&header_record_layout, row.value, &header, NULL) == 0 &&
        memcmp(header.contract, key.bytes, STATE_PREFIX_BYTES) == 0)
        memcpy(key.bytes, header.contract, sizeof key.bytes);
    return key;
}

struct name name_contract(const struct contract_key *contract)
{
    struct name name;
    char text[BASE58_TEXT_MAX];
    base58_encode(contract->bytes, sizeof contract->bytes, text);
    (void)snprintf(name.text, sizeof name.text, "contract %s", text);
    return name;
}

/* Readable keys as text, others in hex; long ones are cut. Returns the characters written. */
static size_t entry_key_text(struct slice key, char *text, size_t size)
{
    size_t shown = key.size < 32 ? key.size : 32, at = 0;
    bool readable = true;
    for (size_t i = 0; i < shown; i++)
        readable = readable && isprint(key.data[i]);
    for (size_t i = 0; i < shown; i++)
        at += (size_t)snprintf(text + at, size - at, readable ? "%c" : "%02x", key.data[i]);
    return at + (size_t)snprintf(text + at, size - at, "%s", shown < key.size ? "…" : "");
}

struct name name_entry(const struct contract_key *contract, struct slice entry_key)
{
    struct name name = {"entry "}, whole = name_contract(contract);
    size_t at = strlen(name.text);
    at += entry_key_text(entry_key, name.text + at, sizeof name.text - at);
    (void)snprintf(name.text + at, sizeof name.text - at, " of %s", whole.text);
    return name;
}
