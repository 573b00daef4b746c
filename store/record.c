#include "store/record.h"

#include "store/checksum.h"

CODEC_LAYOUT(log_record, LOG_RECORD_FIELDS)

static uint64_t record_checksum(struct slice record, uint64_t salt)
{
    return checksum_of(slice_after(record, RECORD_SEQ_AT), salt);
}

/* The fields' magic, size and checksum are filled in. */
static int encode(struct log_record *fields, uint64_t salt, struct blob **record)
{
    fields->magic = RECORD_MAGIC;
    size_t size = codec_size(&log_record_layout, fields);
    if (size > LOG_RECORD_BYTES_MAX)
        return ERR_TOO_LARGE;
    fields->size = (uint32_t)size;
    struct blob *blob = blob_new(size);
    if (!blob)
        return ERR_NO_MEMORY;
    struct buffer out = {.data = blob->data, .capacity = size}; /* exact: it never grows */
    int rc = codec_encode(&log_record_layout, fields, &out);
    if (rc) {
        blob_release(&blob);
        return rc;
    }
    put_u64(blob->data + RECORD_CHECKSUM_AT, record_checksum(blob_slice(blob), salt));
    *record = blob;
    return 0;
}

int record_new(const struct contract *contract, bool with_kind, uint64_t seq, uint64_t synced,
               uint64_t salt, struct slice delta, struct blob **record, struct slice *inside)
{
    struct log_record fields = {.seq = seq, .synced = synced, .delta = delta};
    memcpy(fields.contract, contract->key.bytes, CONTRACT_KEY_BYTES);
    if (with_kind) {
        fields.kind = slice_text(contract->kind->name);
        fields.params = contract->params;
    }
    int rc = encode(&fields, salt, record);
    if (rc == 0)
        *inside = slice_of((*record)->data + (*record)->size - delta.size, delta.size);
    return rc;
}

int record_new_drop(const struct contract_key *key, uint64_t seq, uint64_t synced, uint64_t salt,
                    struct blob **record)
{
    struct log_record fields = {.seq = seq, .synced = synced, .kind = slice_text(RECORD_DROP_KIND)};
    memcpy(fields.contract, key->bytes, CONTRACT_KEY_BYTES);
    return encode(&fields, salt, record);
}

bool record_is_drop(const struct log_record *record)
{
    return slice_is(record->kind, RECORD_DROP_KIND);
}

bool record_outline(struct slice bytes, struct record_outline *outline)
{
    if (bytes.size < RECORD_LEAST_BYTES)
        return false;
    *outline = (struct record_outline){.size = get_u32(bytes.data + 4),
                                       .seq = get_u64(bytes.data + RECORD_SEQ_AT),
                                       .key = bytes.data + RECORD_KEY_AT};
    return get_u32(bytes.data) == RECORD_MAGIC && outline->size >= RECORD_LEAST_BYTES &&
           outline->size <= LOG_RECORD_BYTES_MAX;
}

bool record_read(struct slice bytes, uint64_t salt, struct log_record *record)
{
    if (bytes.size < RECORD_SEQ_AT || get_u32(bytes.data) != RECORD_MAGIC)
        return false;
    size_t size = get_u32(bytes.data + 4);
    if (size < RECORD_SEQ_AT || size > LOG_RECORD_BYTES_MAX || size > bytes.size)
        return false;
    bytes.size = size;
    return get_u64(bytes.data + RECORD_CHECKSUM_AT) == record_checksum(bytes, salt) &&
           codec_decode(&log_record_layout, bytes, record, NULL) == 0;
}
