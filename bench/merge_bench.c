/* merge_bench: contracts/ alone, in memory. One small delta at a time goes into a state of 1,000
 * entries; each delta changes something. Per kind the median of RUNS runs on one core:
 *
 *   merge KIND                   join and caps alone
 *   merge KIND with fingerprint  checked, the fingerprint's sum kept up and the fingerprint made
 *
 * Signed entries are not measured here: a signature takes 50 µs and nothing else counts. */
#include "bench/common/clock.h"
#include "bench/common/die.h"
#include "contracts/state.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum { ENTRIES = 1000, DELTAS = 100000, RUNS = 7, VALUE_BYTES = 16 };

/* Deltas, one after another. */
struct deltas {
    struct buffer bytes;
    size_t ends[DELTAS];
};

static const char *verb_of(const char *kind)
{
    if (strcmp(kind, "counter") == 0 || strcmp(kind, "set") == 0)
        return "add";
    return strcmp(kind, "log") == 0 ? "append" : "set";
}

/* The delta of the i-th edit: another of ENTRIES replicas, fields or elements each time, at a later
 * time. */
static void append_edit(const struct contract *contract, state_t *state, uint64_t i,
                        struct buffer *out)
{
    struct editor editor = {.now_ms = 1700000000000 + i};
    struct state_reader reader = state_reader(state);
    struct reason why;
    char name[16], value[VALUE_BYTES + 1];
    const char *kind = contract->kind->name;
    bool is_map = strcmp(kind, "map") == 0;
    (void)snprintf(name, sizeof name, "field%06llu", (unsigned long long)(i * 389 % ENTRIES));
    (void)snprintf(value, sizeof value, "%016llu", (unsigned long long)i + 1);
    put_u64(editor.replica, strcmp(kind, "set") == 0 ? 7 : i * 389 % ENTRIES);
    struct slice named[] = {slice_text(name), slice_text(value)};
    struct slice plain[] = {strcmp(kind, "set") == 0 ? named[0] : named[1]};
    if (kind_edit(contract, &reader, &editor, slice_text(verb_of(kind)), is_map ? named : plain,
                  is_map ? 2 : 1, out, &why))
        die("%s: %s", kind, why.text);
}

/* A multi-register's edits close the values of all other replicas, so that a delta of one write
 * would be as large as its state: there the delta is the replica's own entry. */
static void append_own(uint64_t i, struct buffer *out)
{
    uint8_t key[REPLICA_BYTES], value[9 + VALUE_BYTES] = {0};
    put_u64(key, i * 389 % ENTRIES);
    put_u64(value, i / ENTRIES + 1);
    entry_append(out, slice_of(key, sizeof key), slice_of(value, sizeof value));
}

static void append_delta(const struct contract *contract, state_t *state, uint64_t i,
                         struct buffer *out)
{
    if (strcmp(contract->kind->name, "multi-register") == 0)
        append_own(i, out);
    else
        append_edit(contract, state, i, out);
}

/* The state that the first ENTRIES edits make; with deltas, also those after them, and the state
 * goes on through all. */
static state_t *make_state(const struct contract *contract, struct deltas *deltas)
{
    state_t *state = state_new(contract);
    if (!state)
        die("no memory");
    for (size_t i = 0; i < ENTRIES + (deltas ? DELTAS : 0); i++) {
        struct buffer one = {0};
        struct reason why;
        append_delta(contract, state, i, &one);
        if (state_merge(state, buffer_slice(&one), NULL, &why))
            die("%s: %s", contract->kind->name, why.text);
        if (i >= ENTRIES) {
            buffer_append_slice(&deltas->bytes, buffer_slice(&one));
            deltas->ends[i - ENTRIES] = deltas->bytes.size;
        }
        buffer_free(&one);
    }
    return state;
}

/* Merges a second. */
static double run(const struct contract *contract, const struct deltas *deltas, bool fingerprint)
{
    state_t *state = make_state(contract, NULL);
    size_t start = 0, changed = 0, idle = 0;
    uint8_t seen = 0;
    uint64_t began = now_ns();
    for (size_t i = 0; i < DELTAS; i++) {
        struct slice delta = slice_of(deltas->bytes.data + start, deltas->ends[i] - start);
        int rc = fingerprint ? state_merge(state, delta, &changed, NULL)
                             : state_join(state, delta, &changed);
        if (fingerprint)
            seen ^= summary_fingerprint(state_summary(state)).bytes[0];
        if (rc)
            die("a merge failed");
        idle += changed == 0;
        start = deltas->ends[i];
    }
    uint64_t took = now_ns() - began;
    __asm__ volatile("" ::"r"(seen));
    if (idle)
        die("%s: %zu deltas changed nothing", contract->kind->name, idle);
    state_destroy(&state);
    return DELTAS * 1e9 / (double)took;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const struct contract *contract, const struct deltas *deltas, bool fingerprint)
{
    double rates[RUNS];
    for (int i = 0; i < RUNS; i++)
        rates[i] = run(contract, deltas, fingerprint);
    qsort(rates, RUNS, sizeof rates[0], by_size);
    printf("merge %s%s: %.0f per_s\n", contract->kind->name, fingerprint ? " with fingerprint" : "",
           rates[RUNS / 2]);
}

int main(void)
{
    static struct deltas deltas;
    if (sodium_init() < 0)
        die("libsodium does not start");
    for (const struct kind *const *kind = kinds; *kind; kind++) {
        if (!(*kind)->verbs->name)
            continue; /* rooms: bench/room_bench.c */
        struct buffer params = {0};
        uint8_t newest[8];
        put_u64(newest, ENTRIES); /* so that a log too has 1,000 entries all along */
        if (strcmp((*kind)->name, "log") == 0)
            entry_append(&params, slice_text("newest"), slice_of(newest, sizeof newest));
        struct contract contract;
        struct reason why;
        if (contract_init(&contract, slice_text((*kind)->name), buffer_slice(&params), &why))
            die("%s", why.text);
        state_t *last = make_state(&contract, &deltas);
        measure(&contract, &deltas, false);
        measure(&contract, &deltas, true);
        state_destroy(&last);
        buffer_free(&deltas.bytes);
        buffer_free(&params);
    }
    return 0;
}
