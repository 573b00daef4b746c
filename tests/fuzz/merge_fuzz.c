/* Merge, with its laws (lessons M1–M4) asserted. First byte: the kind, in the order of the table,
 * and above it the cap of a log; two bytes: where the rest is cut into three deltas. */
#include "contracts/state.h"
#include "tests/fuzz/must.h"
#include "tests/fuzz/mutate.h"

enum { DELTAS = 3, HEAD_BYTES = 3 };

static void make_contract(uint8_t byte, struct buffer *params, struct contract *contract)
{
    uint8_t newest[8];
    size_t count = 0;
    while (kinds[count]->verbs->name) /* then rooms: room_fuzz.c */
        count++;
    const struct kind *kind = kinds[byte % count];
    put_u64(newest, byte / count % 4);
    if (kind->settle && byte / count >= 4)
        entry_append(params, slice_text("newest"), slice_of(newest, sizeof newest));
    MUST(contract_init(contract, slice_text(kind->name), buffer_slice(params), NULL) == 0);
}

/* Merges in that order; frees nothing of the deltas. A refused delta changes nothing. */
static struct slice merged(const struct contract *contract, const struct slice *deltas,
                           size_t count, struct buffer *out)
{
    state_t *state = state_new(contract);
    MUST(state);
    for (size_t i = 0; i < count; i++) {
        struct summary before = *state_summary(state);
        struct reason why = {""};
        size_t changed = 7;
        int rc = state_merge(state, deltas[i], &changed, &why);
        if (rc)
            MUST(rc == ERR_BAD_STATE && why.text[0] && changed == 7 &&
                 summary_equal(&before, state_summary(state)));
    }
    buffer_clear(out);
    MUST(state_encode(state, out) == 0);
    MUST(out->size == state_summary(state)->state_bytes);
    state_destroy(&state);
    return buffer_slice(out);
}

static void same(const struct contract *contract, const struct slice *a, size_t a_count,
                 const struct slice *b, size_t b_count)
{
    struct buffer x = {0}, y = {0};
    MUST(slice_equal(merged(contract, a, a_count, &x), merged(contract, b, b_count, &y)));
    buffer_free(&x);
    buffer_free(&y);
}

static void check_laws(const struct contract *contract, const struct slice d[DELTAS])
{
    struct buffer ab = {0}, bc = {0};
    struct slice first = merged(contract, d, 2, &ab), last = merged(contract, d + 1, 2, &bc);
    same(contract, d, 2, (struct slice[]){d[1], d[0]}, 2);
    same(contract, (struct slice[]){first, d[2]}, 2, (struct slice[]){d[0], last}, 2);
    same(contract, d, 3, (struct slice[]){d[2], d[0], d[2], d[1], d[0]}, 5);
    same(contract, &first, 1, (struct slice[]){first, first}, 2);
    same(contract, &first, 1, (struct slice[]){slice_of(NULL, 0), first, d[0]}, 3);
    buffer_free(&ab);
    buffer_free(&bc);
}

static void cut(const uint8_t *data, size_t size, struct slice deltas[DELTAS])
{
    struct slice rest = slice_of(data + HEAD_BYTES, size - HEAD_BYTES);
    for (size_t i = 0; i < DELTAS; i++) {
        size_t bytes = i + 1 < DELTAS && data[1 + i] < rest.size ? data[1 + i] : rest.size;
        deltas[i] = slice_of(rest.data, bytes);
        rest = slice_after(rest, bytes);
    }
}

/* Changes one of the three. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed)
{
    struct draws draws = {seed};
    struct slice deltas[DELTAS];
    struct buffer params = {0}, out = {0};
    struct contract contract;
    if (size < HEAD_BYTES || draw_below(&draws, 8) == 0)
        return LLVMFuzzerMutate(data, size, size_max);
    cut(data, size, deltas);
    size_t chosen = draw_below(&draws, DELTAS), others = size - deltas[chosen].size;
    make_contract(data[0], &params, &contract);
    buffer_append(&out, data, HEAD_BYTES);
    for (size_t i = 0; i < DELTAS; i++) {
        size_t at = out.size, bytes = deltas[i].size;
        buffer_append_slice(&out, deltas[i]);
        if (i == chosen) {
            MUST(buffer_grow(&out, size_max - others - bytes));
            bytes = mutate_entries(&draws, &contract, write_edit, out.data + at, bytes,
                                   size_max - others);
            out.size = at + bytes;
        }
        if (i + 1 < DELTAS)
            out.data[1 + i] = (uint8_t)(bytes < UINT8_MAX ? bytes : UINT8_MAX);
    }
    memcpy(data, out.data, size = out.size);
    buffer_free(&params);
    buffer_free(&out);
    return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD_BYTES)
        return 0;
    struct slice deltas[DELTAS];
    cut(data, size, deltas);
    struct buffer params = {0};
    struct contract contract;
    make_contract(data[0], &params, &contract);
    check_laws(&contract, deltas);
    buffer_free(&params);
    return 0;
}
