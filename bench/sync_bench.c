/* sync_bench: sync by ranges between two states in memory of 100,000 entries that differ in 100,
 * in 0, and in all: bytes of the bodies, bytes of the entries sent, round trips (a message and its
 * answer, be it empty), and the CPU time of both sides together, merging left out. */
#include "bench/common/clock.h"
#include "bench/common/die.h"
#include "contracts/state.h"
#include "contracts/sync.h"

#include <stdio.h>

enum { ENTRIES = 100000, RUNS = 5 };

struct cost {
    unsigned messages;
    size_t body_bytes;
    uint64_t entry_bytes, cpu_ns;
};

/* Every step-th entry is on one side only. */
static void fill(state_t *sides[2], uint32_t step)
{
    struct buffer deltas[2] = {{0}};
    for (uint32_t i = 0; i < ENTRIES; i++) {
        char key[24];
        (void)snprintf(key, sizeof key, "field-%010u", i);
        for (uint32_t side = 0; side < 2; side++)
            if (!step || i % step != step / 2 || i / step % 2 == side)
                entry_append(&deltas[side], slice_text(key),
                             slice_text("a value of 27 bytes and no more"));
    }
    for (int side = 0; side < 2; side++) {
        if (buffer_failed(&deltas[side]) ||
            state_join(sides[side], buffer_slice(&deltas[side]), NULL))
            die("no memory");
        buffer_free(&deltas[side]);
    }
}

/* One message of a side; its body lives as long as the walk. */
static struct slice message(sync_walk_t *walk, state_t *from, state_t *to, struct cost *cost)
{
    struct state_reader reader = state_reader(from);
    struct buffer entries = {0};
    uint64_t began = clock_of(CLOCK_PROCESS_CPUTIME_ID);
    if (sync_walk_step(walk, &reader, SIZE_MAX, SIZE_MAX, &entries, NULL))
        die("a walk failed");
    cost->cpu_ns += clock_of(CLOCK_PROCESS_CPUTIME_ID) - began;
    if (state_join(to, buffer_slice(&entries), NULL))
        die("a merge failed");
    struct slice body = sync_walk_body(walk);
    cost->messages++;
    cost->body_bytes += body.size;
    cost->entry_bytes += entries.size;
    buffer_free(&entries);
    return body;
}

static struct cost sync(state_t *sides[2], const uint8_t salt[SYNC_SALT_BYTES])
{
    struct cost cost = {0};
    sync_walk_t *walk = sync_walk_begin(salt);
    for (int side = 0; walk; side = !side) {
        struct slice body = message(walk, sides[side], sides[!side], &cost);
        if (body.size == 0)
            break;
        int rc;
        sync_walk_t *next = sync_walk_answer(salt, body, &rc, NULL);
        sync_walk_destroy(&walk);
        walk = next;
    }
    if (!walk)
        die("no memory");
    sync_walk_destroy(&walk);
    return cost;
}

static void check_equal(state_t *sides[2])
{
    struct buffer bytes[2] = {{0}};
    if (state_encode(sides[0], &bytes[0]) || state_encode(sides[1], &bytes[1]) ||
        !slice_equal(buffer_slice(&bytes[0]), buffer_slice(&bytes[1])))
        die("the sides are not equal");
    buffer_free(&bytes[0]);
    buffer_free(&bytes[1]);
}

static void measure(const struct contract *contract, const char *differ, uint32_t step)
{
    struct cost best = {.cpu_ns = UINT64_MAX};
    for (int run = 0; run < RUNS; run++) {
        uint8_t salt[SYNC_SALT_BYTES] = {(uint8_t)run};
        state_t *sides[2] = {state_new(contract), state_new(contract)};
        if (!sides[0] || !sides[1])
            die("no memory");
        fill(sides, step);
        struct cost cost = sync(sides, salt);
        check_equal(sides);
        if (cost.cpu_ns < best.cpu_ns)
            best = cost;
        state_destroy(&sides[0]);
        state_destroy(&sides[1]);
    }
    printf("sync of %d that differ in %s, bodies: %zu bytes\n", ENTRIES, differ, best.body_bytes);
    printf("sync of %d that differ in %s, entries: %llu bytes\n", ENTRIES, differ,
           (unsigned long long)best.entry_bytes);
    printf("sync of %d that differ in %s, round trips: %.1f\n", ENTRIES, differ,
           best.messages / 2.0);
    printf("sync of %d that differ in %s, CPU of both sides: %.1f ms\n", ENTRIES, differ,
           (double)best.cpu_ns / 1e6);
}

int main(void)
{
    struct contract contract;
    if (contract_init(&contract, slice_text("map"), slice_of(NULL, 0), NULL))
        die("no contract");
    measure(&contract, "0", 0);
    measure(&contract, "100", ENTRIES / 100);
    measure(&contract, "all", 1);
    return 0;
}
