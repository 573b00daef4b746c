#include "contracts/entries.h"

#include <stdio.h>

const char *entry_take(struct slice *rest, struct entry *entry)
{
    struct slice in = *rest;
    if (in.size < 1)
        return "there is none";
    size_t key_bytes = in.data[0];
    if (in.size < ENTRY_OVERHEAD || key_bytes > in.size - ENTRY_OVERHEAD)
        return "it is cut short";
    struct slice key = slice_of(in.data + 1, key_bytes);
    size_t value_bytes = get_u32(in.data + 1 + key_bytes);
    if (value_bytes > ENTRY_VALUE_BYTES_MAX)
        return "its value is over 1 MiB";
    in = slice_after(in, ENTRY_OVERHEAD + key_bytes);
    if (value_bytes > in.size)
        return "it is cut short";
    *entry = (struct entry){key, slice_of(in.data, value_bytes)};
    *rest = slice_after(in, value_bytes);
    return NULL;
}

int entries_next(struct entries *self, struct entry *entry, struct reason *why)
{
    if (self->rest.size == 0)
        return 0;
    struct slice rest = self->rest;
    struct entry next;
    const char *fault = entry_take(&rest, &next);
    if (!fault && self->started) {
        int order = slice_compare(self->last_key, next.key);
        if (order >= 0)
            fault = order ? "its key is less than the one before" : "its key is there twice";
    }
    self->number++;
    if (fault)
        return fail(why, ERR_BAD_STATE, "entry %llu: %s", (unsigned long long)self->number, fault);
    self->encoded = slice_of(self->rest.data, self->rest.size - rest.size);
    self->rest = rest;
    self->last_key = next.key;
    self->started = true;
    *entry = next;
    return 1;
}

int entry_blame(uint64_t number, struct slice key, int code, struct reason *why)
{
    enum { SHOWN = 16 };
    char hex[2 * SHOWN + 1] = "";
    if (!why)
        return code;
    for (size_t i = 0; i < key.size && i < SHOWN; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", key.data[i]);
    struct reason fault = *why;
    return fail(why, code, "entry %llu (key 0x%s%s): %s", (unsigned long long)number, hex,
                key.size > SHOWN ? "…" : "", fault.text);
}

size_t entry_head(uint8_t head[ENTRY_HEAD_BYTES_MAX], struct slice key, struct slice value)
{
    head[0] = (uint8_t)key.size;
    if (key.size)
        memcpy(head + 1, key.data, key.size);
    put_u32(head + 1 + key.size, (uint32_t)value.size);
    return ENTRY_OVERHEAD + key.size;
}

void entry_append(struct buffer *out, struct slice key, struct slice value)
{
    buffer_append_u8(out, (uint8_t)key.size);
    buffer_append_slice(out, key);
    buffer_append_u32(out, (uint32_t)value.size);
    buffer_append_slice(out, value);
}
