/* Decoding a record of the store's log: what is accepted encodes to the same bytes. */
#include "store/store.h"
#include "tests/fuzz/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct log_record record = {.seq = 77}, again;
    struct reason why = {""};
    int rc = codec_decode(&log_record_layout, slice_of(data, size), &record, &why);
    if (rc) {
        MUST(rc == ERR_BAD_REQUEST && why.text[0] && record.seq == 77);
        return 0;
    }
    struct buffer bytes = {0}, text = {0};
    MUST(record.params.size <= PARAMS_BYTES_MAX && record.delta.size <= LOG_RECORD_BYTES_MAX);
    MUST(codec_size(&log_record_layout, &record) == size);
    MUST(codec_encode(&log_record_layout, &record, &bytes) == 0);
    MUST(slice_equal(buffer_slice(&bytes), slice_of(data, size)));
    MUST(codec_decode(&log_record_layout, buffer_slice(&bytes), &again, NULL) == 0);
    MUST(codec_equal(&log_record_layout, &record, &again));
    codec_print(&log_record_layout, &record, &text);
    MUST(text.size > 0 && text.data[text.size - 1] == '}');
    buffer_free(&bytes);
    buffer_free(&text);
    return 0;
}
