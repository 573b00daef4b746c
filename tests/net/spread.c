/* How long updates need to all who follow them: part of trial.h. */
#include "tests/net/trial.h"

#include "tests/support/now.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { UPDATES_MAX = 4096, UPDATE_EVERY_MS = 20, STRAGGLERS_MS = 30000, NAME_MAX_BYTES = 32 };

/* Update n sets the field "u<n>"; its sample of a follower stands at n × nodes + follower. */
struct race {
    struct trial *trial;
    size_t updates, arrived;
    uint64_t sent_us[UPDATES_MAX], took_us[UPDATES_MAX * TRIAL_NODES];
};

struct runner {
    struct race *race;
    size_t number;
};

static int take_item(void *argument, const struct weir_item *item)
{
    const struct runner *runner = (const struct runner *)argument;
    struct race *race = runner->race;
    char name[NAME_MAX_BYTES] = {0};
    if (item->name.size == 0 || item->name.size >= sizeof name)
        return 0;
    memcpy(name, item->name.data, item->name.size);
    size_t update = strtoul(name + 1, NULL, 10);
    if (name[0] != 'u' || update >= race->updates)
        return 0;
    uint64_t *took = &race->took_us[update * TRIAL_NODES + runner->number];
    race->arrived += *took == 0;
    if (*took == 0)
        *took = now_us() - race->sent_us[update] + 1; /* 0: not yet */
    return 0;
}

static void on_event(weir_t *w, const struct weir_event *event, void *argument)
{
    (void)w;
    assert_int_not_equal(event->kind, WEIR_EVENT_ENDED);
    if (event->kind != WEIR_EVENT_STATE)
        assert_int_equal(weir_items(event->contract, event->delta, take_item, argument, NULL), 0);
}

static void on_written(weir_t *w, const struct weir_reply *reply, void *argument)
{
    (void)w, (void)argument;
    assert_int_equal(reply->code, 0);
}

static void write_one(struct race *race, size_t update)
{
    char field[NAME_MAX_BYTES];
    struct trial *trial = race->trial;
    weir_t *client = trial->far.network.nodes[update % TRIAL_NODES].client;
    (void)snprintf(field, sizeof field, "u%zu", update);
    const struct weir_bytes operands[] = {weir_text(field), weir_text("x")};
    race->sent_us[update] = now_us();
    assert_int_equal(weir_edit_async(client, trial->keys[update / TRIAL_NODES % trial->contracts],
                                     "set", operands, 2, on_written, NULL),
                     0);
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The smallest that so many hundredths of all do not exceed. */
static uint64_t percentile(const uint64_t *sorted, size_t count, size_t percent)
{
    size_t rank = (count * percent + 99) / 100;
    return sorted[rank ? rank - 1 : 0];
}

/* What the nodes measured, the median. */
static uint64_t round_trip_us(struct network *network)
{
    uint64_t trips[TRIAL_NODES * TRIAL_NODES];
    size_t count = 0, k;
    for (size_t i = 0; i < network->count; i++) {
        json_t *peers = network_peers(network, i), *peer;
        json_array_foreach (peers, k, peer)
            if (count < sizeof trips / sizeof trips[0])
                trips[count++] = (uint64_t)json_integer_value(json_object_get(peer, "rtt_us"));
        json_decref(peers);
    }
    assert_true(count > 0);
    qsort(trips, count, sizeof trips[0], compare);
    return percentile(trips, count, 50);
}

static void follow(struct race *race, struct runner runners[TRIAL_NODES])
{
    struct trial *trial = race->trial;
    for (size_t n = 0; n < TRIAL_NODES; n++) {
        weir_t *client = trial->far.network.nodes[n].client;
        runners[n] = (struct runner){race, n};
        for (size_t i = 0; i < trial->contracts; i++) {
            assert_int_equal(weir_unsubscribe(client, trial->keys[i]), 0);
            assert_int_equal(weir_subscribe(client, trial->keys[i], NULL, on_event, &runners[n]),
                             0);
        }
    }
}

struct spread trial_spread(struct trial *self, size_t updates)
{
    static struct race race;
    static struct runner runners[TRIAL_NODES]; /* until the trial ends */
    race = (struct race){.trial = self, .updates = updates};
    assert_true(updates > 0 && updates <= UPDATES_MAX);
    follow(&race, runners);
    size_t all = updates * TRIAL_NODES;
    int64_t start = network_now_ms(), end = start + (int64_t)updates * UPDATE_EVERY_MS;
    for (size_t sent = 0; sent < updates || race.arrived < all;) {
        int64_t now = network_now_ms();
        for (; sent < updates && start + (int64_t)sent * UPDATE_EVERY_MS <= now; sent++)
            write_one(&race, sent);
        if (now > end + STRAGGLERS_MS)
            fail_msg("%zu of %zu notifications came", race.arrived, all);
        network_step(&self->far.network, 1);
    }
    qsort(race.took_us, all, sizeof race.took_us[0], compare);
    return (struct spread){.p50_us = percentile(race.took_us, all, 50),
                           .p99_us = percentile(race.took_us, all, 99),
                           .longest_us = race.took_us[all - 1],
                           .round_trip_us = round_trip_us(&self->far.network),
                           .count = all};
}
