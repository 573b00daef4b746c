/* lib_bench: one client that uses libweir's waiting calls, one after the other, as an app does.
 * The contracts and the map are those that bench/load.c made. Prints `name value` lines.
 *
 *   lib_bench ENDPOINT SECONDS OBJECTS */
#include "bench/common/arguments.h"
#include "bench/common/clock.h"
#include "bench/common/die.h"
#include "bench/common/latencies.h"
#include "bench/common/world.h"
#include "client/weir.h"

#include <stdio.h>

enum { VALUE_BYTES = 1024 };

struct bench {
    weir_t *weir;
    struct world world;
    struct buffer delta;
};

static void get(struct bench *self, uint32_t number)
{
    const struct weir_reply *reply;
    if (weir_get(self->weir, self->world.contracts[number].bytes, &reply))
        die("get: %s", weir_error(self->weir));
    if (reply->state.size != world_entry_bytes(&self->world))
        die("a state of %zu bytes, wanted %zu", reply->state.size, world_entry_bytes(&self->world));
}

static void update(struct bench *self, uint32_t number)
{
    buffer_clear(&self->delta);
    world_entry(&self->world, number, &self->delta);
    struct weir_bytes delta = {self->delta.data, self->delta.size};
    const struct weir_reply *reply;
    if (weir_update(self->weir, self->world.map.bytes, delta, &reply))
        die("update: %s", weir_error(self->weir));
    if (!reply->changed)
        die("an update changed nothing");
}

static void run(struct bench *self, const char *name, void (*call)(struct bench *, uint32_t),
                double seconds)
{
    enum { WARM_CALLS = 200 };
    struct latencies latencies = {0};
    uint64_t begin = now_ns(), now = begin;
    for (int calls = 0; (double)(now - begin) < seconds * 1e9; calls++) {
        if (calls == WARM_CALLS) {
            latencies.count = 0;
            begin = now;
        }
        uint64_t start = now;
        call(self, (uint32_t)(random_next(&self->world.random) % self->world.objects));
        now = now_ns();
        latencies_add(&latencies, now - start);
    }
    printf("%s_per_s %.1f\n", name, (double)latencies.count / ((double)(now - begin) / 1e9));
    printf("%s_p50_us %.1f\n", name, latencies_us(&latencies, 0.5));
    printf("%s_p99_us %.1f\n", name, latencies_us(&latencies, 0.99));
    latencies_free(&latencies);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        die("usage: lib_bench ENDPOINT SECONDS OBJECTS");
    struct bench bench = {.weir = weir_new(&(struct weir_options){.endpoint = argv[1]})};
    double seconds = argument_seconds(argv[2]);
    world_init(&bench.world, (uint32_t)argument_number(argv[3], UINT32_MAX), VALUE_BYTES, 1,
               "bench");
    world_name_contracts(&bench.world);
    if (!bench.weir || weir_connect(bench.weir))
        die("connect: %s", bench.weir ? weir_error(bench.weir) : "no memory");
    run(&bench, "get", get, seconds);
    run(&bench, "update", update, seconds);
    weir_destroy(&bench.weir);
    buffer_free(&bench.delta);
    world_free(&bench.world);
    return 0;
}
