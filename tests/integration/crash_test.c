/* Crash safety: SIGKILL at random moments under load. Every acknowledged update is there after the
 * restart, nothing is counted that was not asked for, and the data checks clean without a repair.
 * CRASHES=50 rounds, SEED=… repeats a run's moments. */
#include "client/weir.h"
#include "tests/support/now.h"
#include "tests/support/process.h"
#include "tests/support/setting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

enum { OPEN = 64, EDITS_MAX = 60000, CHECK_EVERY = 10 };

/* One round's load: edit n sets field "rRRR-NNNNNN" of the map, or adds 1 to the counter. */
struct load {
    unsigned round;
    size_t sent, open, answered;
    bool map_acked[EDITS_MAX];
};

struct totals {
    uint8_t map[32], counter[32];
    size_t adds_sent, adds_acked;
};

static struct load load;
static struct totals totals;

static weir_t *client_of(const struct process *node)
{
    struct weir_options options = {.endpoint = node->endpoint, .window = OPEN};
    weir_t *w = weir_new(&options);
    assert_non_null(w);
    return w;
}

static void field_of(unsigned round, size_t n, char field[32])
{
    snprintf(field, 32, "r%03u-%06zu", round, n);
}

static void on_map_set(weir_t *w, const struct weir_reply *reply, void *arg)
{
    (void)w;
    load.open--;
    if (reply->code == 0)
        load.map_acked[(size_t)(uintptr_t)arg] = true;
    load.answered += reply->code == 0;
}

static void on_add(weir_t *w, const struct weir_reply *reply, void *arg)
{
    (void)w, (void)arg;
    load.open--;
    totals.adds_acked += reply->code == 0;
    load.answered += reply->code == 0;
}

static void send_one(weir_t *w)
{
    size_t n = load.sent++;
    load.open++;
    if (n % 4 == 3) {
        struct weir_bytes one = weir_text("1");
        totals.adds_sent++;
        assert_int_equal(weir_edit_async(w, totals.counter, "add", &one, 1, on_add, NULL), 0);
        return;
    }
    char field[32], value[600];
    field_of(load.round, n, field);
    snprintf(value, sizeof value, "%s %0*zu", field, (int)(n * 37 % 500) + 1, n);
    struct weir_bytes operands[2] = {weir_text(field), weir_text(value)};
    assert_int_equal(
        weir_edit_async(w, totals.map, "set", operands, 2, on_map_set, (void *)(uintptr_t)n), 0);
}

/* Keeps OPEN edits open until the moment comes. */
static void run_load(struct process *node, uint64_t for_us)
{
    weir_t *w = client_of(node);
    uint64_t until = now_us() + for_us;
    assert_int_equal(weir_connect(w), 0);
    while (now_us() < until && load.sent < EDITS_MAX) {
        while (load.open < OPEN && load.sent < EDITS_MAX)
            send_one(w);
        (void)weir_step(w, 1);
    }
    process_kill(node);
    weir_destroy(&w); /* what is open is given up */
}

struct found {
    size_t fields;
    char last[32];
    bool seen[EDITS_MAX];
};

static int on_field(void *arg, const struct weir_item *item)
{
    struct found *found = (struct found *)arg;
    unsigned round;
    size_t n;
    char text[64];
    snprintf(text, sizeof text, "%.*s", (int)item->name.size, (const char *)item->name.data);
    assert_int_equal(sscanf(text, "r%u-%zu", &round, &n), 2);
    if (round == load.round && n < EDITS_MAX)
        found->seen[n] = true;
    found->fields++;
    return 0;
}

static int on_value(void *arg, const struct weir_item *item)
{
    *(int64_t *)arg = item->number;
    return 0;
}

static void items_of(const struct weir_reply *reply, weir_item_fn *item, void *arg)
{
    weir_contract_t *contract = NULL;
    assert_int_equal(weir_contract_new(reply->kind, reply->params, &contract, NULL), 0);
    assert_int_equal(weir_items(contract, reply->state, item, arg, NULL), 0);
    weir_contract_destroy(&contract);
}

/* Reads back what the last round wrote, and the whole counter. */
static void verify(const struct process *node)
{
    static struct found found;
    const struct weir_reply *reply;
    char first[32], last[32];
    int64_t value = 0;
    weir_t *w = client_of(node);
    memset(&found, 0, sizeof found);
    snprintf(first, sizeof first, "r%03u-", load.round);
    snprintf(last, sizeof last, "r%03u.", load.round);
    struct weir_bytes end = weir_text(last);
    assert_int_equal(weir_get_range(w, totals.map, weir_text(first), &end, &reply), 0);
    items_of(reply, on_field, &found);
    for (size_t n = 0; n < load.sent; n++)
        if (load.map_acked[n] && !found.seen[n])
            fail_msg("round %u: acknowledged edit %zu is gone", load.round, n);
    assert_int_equal(weir_get(w, totals.counter, &reply), 0);
    items_of(reply, on_value, &value);
    assert_true((size_t)value >= totals.adds_acked && (size_t)value <= totals.adds_sent);
    assert_int_equal(weir_status(w, &reply), 0);
    assert_non_null(memmem(reply->json.data, reply->json.size, "\"damaged\":0", 11));
    weir_destroy(&w);
}

static void make_contracts(const struct process *node)
{
    const struct weir_reply *reply;
    struct weir_bytes none = {NULL, 0};
    weir_t *w = client_of(node);
    assert_int_equal(weir_put(w, "map", none, none, &reply), 0);
    memcpy(totals.map, reply->key, 32);
    assert_int_equal(weir_put(w, "counter", none, none, &reply), 0);
    memcpy(totals.counter, reply->key, 32);
    weir_destroy(&w);
}

static void every_acknowledged_update_survives_sigkill(void **state)
{
    unsigned rounds = (unsigned)setting_number("CRASHES", 50, 1, UINT32_MAX);
    unsigned seed = (unsigned)setting_number("SEED", (unsigned)now_us(), 0, UINT64_MAX);
    size_t acked = 0;
    struct process node;
    char dir[64];
    (void)state;
    printf("SEED=%u CRASHES=%u\n", seed, rounds);
    data_dir_new(dir);
    process_start(&node, dir, NULL);
    make_contracts(&node);
    for (unsigned round = 0; round < rounds; round++) {
        load = (struct load){.round = round};
        run_load(&node, 2000 + (uint64_t)rand_r(&seed) % 250000);
        acked += load.answered;
        if (round % CHECK_EVERY == 0 || round + 1 == rounds)
            data_dir_check(dir);
        process_start(&node, dir, NULL);
        verify(&node);
    }
    printf("%zu updates were acknowledged in %u rounds\n", acked, rounds);
    assert_true(acked > rounds); /* there was a load to kill under */
    assert_int_equal(process_stop(&node), 0);
    data_dir_check(dir);
    data_dir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_acknowledged_update_survives_sigkill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
