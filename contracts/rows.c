#include "contracts/rows.h"

const uint8_t *rows_find(struct slice rows, size_t row_bytes, const uint8_t key[ROW_KEY_BYTES])
{
    size_t from = 0, to = rows.size / row_bytes;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const uint8_t *row = rows.data + middle * row_bytes;
        int order = memcmp(row, key, ROW_KEY_BYTES);
        if (order == 0)
            return row;
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return NULL;
}
