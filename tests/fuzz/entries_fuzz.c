/* The state decoder: what it accepts it encodes to the same bytes, keys ascending. */
#include "contracts/entries.h"
#include "base/limits.h"
#include "tests/fuzz/must.h"
#include "tests/fuzz/mutate.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed)
{
    struct draws draws = {seed};
    return mutate_entries(&draws, NULL, NULL, data, size, size_max);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct entries walk = entries_of(slice_of(data, size));
    struct entry entry;
    struct reason why = {""};
    struct buffer again = {0}, last = {0};
    uint64_t count = 0;
    int more;
    while ((more = entries_next(&walk, &entry, &why)) > 0) {
        MUST(entry.value.size <= ENTRY_VALUE_BYTES_MAX);
        MUST(walk.encoded.size == entry_size(entry.key, entry.value));
        MUST(count == 0 || slice_compare(buffer_slice(&last), entry.key) < 0);
        MUST(walk.number == ++count);
        entry_append(&again, entry.key, entry.value);
        buffer_clear(&last);
        buffer_append_slice(&last, entry.key);
    }
    MUST(more == 0 || (more == ERR_BAD_STATE && why.text[0]));
    MUST(again.size <= size && (more || again.size == size));
    MUST(again.size == 0 || memcmp(again.data, data, again.size) == 0);
    buffer_free(&again);
    buffer_free(&last);
    return 0;
}
