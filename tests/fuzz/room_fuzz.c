/* Rooms: an entry from outside, and the laws of merging and viewing. First byte: the cap; 32 bytes:
 * the owner; two bytes: where the rest is cut into three lists of entries. Signatures are not
 * looked at by a join or a view; ids are put right here, so that what is of good form gets through.
 */
#include "contracts/dates.h"
#include "contracts/room_view.h"
#include "contracts/state.h"
#include "contracts/view.h"
#include "tests/fuzz/must.h"
#include "tests/fuzz/mutate.h"

enum { LISTS = 3, CAPS = 24, HEAD_BYTES = 1 + WRITER_KEY_BYTES + LISTS - 1 };

static void make_contract(const uint8_t *head, struct buffer *params, struct contract *contract)
{
    static const uint8_t salt[ROOM_SALT_BYTES];
    uint8_t newest[8];
    put_u64(newest, head[0]);
    if (head[0] < CAPS)
        entry_append(params, slice_text("newest"), slice_of(newest, sizeof newest));
    entry_append(params, slice_text("owner"), slice_of(head + 1, WRITER_KEY_BYTES));
    entry_append(params, slice_text("salt"), slice_of(salt, sizeof salt));
    MUST(contract_init(contract, slice_text("room"), buffer_slice(params), NULL) == 0);
}

/* Whatever its bytes: what is dated ahead is refused with a sentence, also where the kind is not
 * known, and nothing is ahead of the last of all clocks. */
static void check_dates(const struct contract *contract, struct slice entry)
{
    struct reason why = {""};
    int rc = dates_check(&contract->key, NULL, entry, 0, &why);
    MUST(rc == 0 || (rc == ERR_BAD_STATE && why.text[0]));
    MUST(dates_check(&contract->key, contract->kind, entry, 0, NULL) == rc);
    MUST(dates_check(&contract->key, NULL, entry, clock_ms(STAMP_MAX), NULL) == 0);
}

static bool is_ours(const struct contract *contract)
{
    return slice_equal(contract_param(contract, "owner"), slice_of(room_owner(), WRITER_KEY_BYTES));
}

/* As it came: refused with a sentence, for nothing made up is signed but what mutate.h writes. */
static void check_raw(const struct contract *contract, const struct entry *entry)
{
    struct reason why = {""};
    struct buffer encoded = {0};
    int rc = contract_check_entry(contract, entry->key, entry->value, &why);
    MUST(rc == 0 || (rc == ERR_BAD_STATE && why.text[0]));
    entry_append(&encoded, entry->key, entry->value);
    int whole = contract_check(contract, NULL, buffer_slice(&encoded), NULL, &why);
    MUST(whole == ERR_BAD_STATE || (whole == 0 && rc == 0 && is_ours(contract)));
    check_dates(contract, buffer_slice(&encoded));
    buffer_free(&encoded);
}

/* Appends it with its right id, if it is of good form. */
static void append_righted(const struct contract *contract, const struct entry *entry,
                           struct buffer *out)
{
    struct room_record record;
    struct reason why = {""};
    uint8_t id[ROOM_ID_BYTES];
    if (room_record_read(contract, entry->key, entry->value, &record, &why)) {
        MUST(why.text[0]);
        return;
    }
    size_t head = room_head_bytes(entry->key);
    struct slice rest = slice_of(record.chain.data - 1, 1 + record.chain.size + record.body.size);
    room_record_id(contract, record.author, slice_of(entry->key.data, head), record.stamp, rest,
                   id);
    size_t before = out->size;
    entry_append(out, entry->key, entry->value);
    size_t key_at = before + 1, value_at = key_at + entry->key.size + 4;
    memcpy(out->data + (head == 1 && entry->key.size > 1 ? key_at + 1 : value_at) + 8, id,
           sizeof id);
    /* a message whose id is another one now may speak of one that is not before it */
    struct slice one = slice_of(out->data + before, out->size - before);
    struct entry righted;
    MUST(!entry_take(&one, &righted));
    if (contract_check_entry(contract, righted.key, righted.value, NULL))
        out->size = before;
    else
        check_dates(contract, slice_of(out->data + before, out->size - before));
}

static void make_delta(const struct contract *contract, struct slice bytes, struct buffer *delta)
{
    struct buffer righted = {0};
    struct entry entry;
    while (bytes.size && !entry_take(&bytes, &entry)) {
        check_raw(contract, &entry);
        append_righted(contract, &entry, &righted);
    }
    MUST(entries_sort(buffer_slice(&righted), delta) == 0);
    buffer_free(&righted);
}

static struct slice merged(const struct contract *contract, const struct slice *deltas,
                           size_t count, struct buffer *out)
{
    state_t *state = state_new(contract);
    MUST(state);
    for (size_t i = 0; i < count; i++)
        MUST(state_join(state, deltas[i], NULL) == 0);
    buffer_clear(out);
    MUST(state_encode(state, out) == 0);
    state_destroy(&state);
    return buffer_slice(out);
}

static struct slice viewed(const struct contract *contract, const struct slice *deltas,
                           size_t count, enum room_view_of of, struct buffer *out)
{
    room_view_t *view = room_view_new(contract, of);
    MUST(view);
    for (size_t i = 0; i < count; i++)
        MUST(room_view_apply(view, deltas[i], NULL) == 0);
    buffer_clear(out);
    MUST(room_view_print(view, out) == 0);
    MUST(room_view_message_count(view) <= room_view_config(view)->messages);
    MUST(room_view_member_count(view) <= 1 + (size_t)room_view_config(view)->members);
    room_view_destroy(&view);
    return buffer_slice(out);
}

static int any_item(void *self, const struct view_item *item)
{
    (void)self;
    MUST(item->writer && item->value.size <= ROOM_TEXT_BYTES_MAX);
    return 0;
}

static void check_laws(const struct contract *contract, const struct slice d[LISTS])
{
    struct buffer x = {0}, y = {0}, z = {0};
    struct slice turned[] = {d[2], d[0], d[2], d[1], d[0]};
    struct slice whole = merged(contract, d, LISTS, &x);
    MUST(slice_equal(whole, merged(contract, turned, 5, &y)));
    struct slice last = merged(contract, d + 1, 2, &y);
    MUST(slice_equal(whole, merged(contract, (struct slice[]){d[0], last}, 2, &z)));
    struct slice once = viewed(contract, &whole, 1, ROOM_VIEW_WHOLE, &y);
    MUST(slice_equal(once, viewed(contract, turned, 5, ROOM_VIEW_WHOLE, &z)));
    (void)viewed(contract, &whole, 1, ROOM_VIEW_PART, &y);
    MUST(view_items(contract, whole, any_item, NULL, NULL) == 0);
    buffer_free(&x);
    buffer_free(&y);
    buffer_free(&z);
}

/* The lists as one, in a room whose owner is known. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed)
{
    struct draws draws = {seed};
    struct buffer params = {0};
    struct contract contract;
    if (size < HEAD_BYTES || size_max < HEAD_BYTES || draw_below(&draws, 8) == 0)
        return LLVMFuzzerMutate(data, size, size_max);
    if (draw_below(&draws, 8))
        memcpy(data + 1, room_owner(), WRITER_KEY_BYTES);
    for (size_t i = 0; i + 1 < LISTS; i++)
        if (draw_below(&draws, 4) == 0)
            data[HEAD_BYTES - 2 + i] = (uint8_t)draw_below(&draws, 1 + size / 16);
    make_contract(data, &params, &contract);
    size = HEAD_BYTES + mutate_entries(&draws, &contract, write_room, data + HEAD_BYTES,
                                       size - HEAD_BYTES, size_max - HEAD_BYTES);
    buffer_free(&params);
    return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD_BYTES || size > 1 << 16)
        return 0;
    struct buffer params = {0}, deltas[LISTS] = {0};
    struct slice rest = slice_of(data + HEAD_BYTES, size - HEAD_BYTES), list[LISTS];
    struct contract contract;
    make_contract(data, &params, &contract);
    for (size_t i = 0; i < LISTS; i++) {
        size_t bytes = rest.size;
        if (i + 1 < LISTS && data[HEAD_BYTES - 2 + i] * 16u < bytes)
            bytes = data[HEAD_BYTES - 2 + i] * 16u;
        make_delta(&contract, slice_of(rest.data, bytes), &deltas[i]);
        list[i] = buffer_slice(&deltas[i]);
        rest = slice_after(rest, bytes);
    }
    check_laws(&contract, list);
    buffer_free(&params);
    for (size_t i = 0; i < LISTS; i++)
        buffer_free(&deltas[i]);
    return 0;
}
