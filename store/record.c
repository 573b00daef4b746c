#include "store/record.h"

#include "store/checksum.h"

CODEC_LAYOUT(log_record, LOG_RECORD_FIELDS)

static uint64_t record_checksum(struct slice record, uint64_t salt)
{
    return checksum_of(slice_after(record, RECORD_SEQ_AT), salt);
}

int record_new(const struct contract *contract, bool with_kind, uint64_t seq, uint64_t synced,
               uint64_t salt, struct slice delta, struct blob **record, struct slice *inside)
{
    struct log_record fields = {
        .magic = RECORD_MAGIC, .seq = seq, .synced = synced, .delta = delta};
    memcpy(fields.contract, contract->key.bytes, CONTRACT_KEY_BYTES);
    if (with_kind) {
        fields.kind = slice_text(contract->kind->name);
        fields.params = contract->params;
    }
    size_t size = codec_size(&log_record_layout, &fields);
    if (size > LOG_RECORD_BYTES_MAX)
        return ERR_TOO_LARGE;
    fields.size = (uint32_t)size;
    struct blob *blob = blob_new(size);
    if (!blob)
        return ERR_NO_MEMORY;
    struct buffer out = {.data = blob->data, .capacity = size}; /* exact: it never grows */
    int rc = codec_encode(&log_record_layout, &fields, &out);
    if (rc) {
        blob_release(&blob);
        return rc;
    }
    put_u64(blob->data + RECORD_CHECKSUM_AT, record_checksum(blob_slice(blob), salt));
    *record = blob;
    *inside = slice_of(blob->data + size - delta.size, delta.size);
    return 0;
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
