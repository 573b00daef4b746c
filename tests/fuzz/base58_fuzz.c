/* base58: text from outside gives the bytes that give that text, or is refused. */
#include "base/base58.h"
#include "tests/fuzz/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t bytes[BASE58_BYTES_MAX];
    char text[BASE58_TEXT_MAX];
    for (size_t wanted = 0; wanted <= BASE58_BYTES_MAX; wanted++) {
        if (base58_decode(slice_of(data, size), bytes, wanted))
            continue;
        base58_encode(bytes, wanted, text);
        MUST(strlen(text) == size && memcmp(text, data, size) == 0);
    }
    if (size > BASE58_BYTES_MAX)
        return 0;
    base58_encode(data, size, text);
    MUST(base58_decode(slice_text(text), bytes, size) == 0);
    MUST(size == 0 || memcmp(bytes, data, size) == 0);
    return 0;
}
