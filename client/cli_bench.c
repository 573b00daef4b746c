/* weir bench: N clients, each a handle of its own with a number of requests open, in one thread.
 * They write random fields of one map by EDIT and read random fields by a GET of that entry. */
#include "client/cli.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BENCH_NAME "weir bench: random values, not needed by anyone"

enum { CLIENTS_MAX_HERE = 1000, LATENCY_BUCKETS = 64 * 32 };

struct latencies {
    uint64_t count;
    uint32_t buckets[LATENCY_BUCKETS]; /* logarithmic, 32 a power of two: 3 % wide */
};

struct bench {
    struct cli *cli;
    long clients, pipeline, seconds, size, fields, reads;
    uint8_t key[WEIR_KEY_BYTES];
    weir_t **handles;
    struct slot *slots;
    struct pollfd *polled;
    char *value;
    uint64_t random, until_ns;
    uint64_t errors;
    struct latencies get, update;
    struct weir_reason first_error;
    bool over;
};

/* One of a client's open requests. */
struct slot {
    struct bench *bench;
    weir_t *w;
    uint64_t since_ns;
    bool reads;
};

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* xorshift64*: Vigna 2016 */
static uint64_t random_next(struct bench *self)
{
    self->random ^= self->random >> 12;
    self->random ^= self->random << 25;
    self->random ^= self->random >> 27;
    return self->random * 2685821657736338717u;
}

/* --- latencies ------------------------------------------------------------------------------- */

static size_t bucket_of(uint64_t ns)
{
    unsigned power = 63 - (unsigned)__builtin_clzll(ns | 32);
    return (size_t)(power - 5) * 32 + (size_t)(ns >> (power - 5));
}

static double bucket_us(size_t bucket)
{
    unsigned power = bucket < 64 ? 0 : (unsigned)(bucket / 32) - 1;
    uint64_t ns = bucket < 64 ? bucket : (bucket % 32 + 32) << power;
    return (double)ns / 1000;
}

static double percentile_us(const struct latencies *self, double share)
{
    uint64_t wanted = (uint64_t)((double)self->count * share), seen = 0;
    for (size_t i = 0; i < LATENCY_BUCKETS; i++) {
        seen += self->buckets[i];
        if (seen > wanted)
            return bucket_us(i);
    }
    return 0;
}

static void note(struct latencies *self, uint64_t ns)
{
    self->count++;
    self->buckets[bucket_of(ns)]++;
}

/* --- the load -------------------------------------------------------------------------------- */

static void send_next(struct slot *slot);

static void on_reply(weir_t *w, const struct weir_reply *reply, void *arg)
{
    struct slot *slot = arg;
    struct bench *self = slot->bench;
    uint64_t now = now_ns();
    (void)w;
    if (reply->code) {
        self->errors++;
        if (!*self->first_error.text)
            snprintf(self->first_error.text, sizeof self->first_error.text, "%s", reply->sentence);
    } else {
        note(slot->reads ? &self->get : &self->update, now - slot->since_ns);
    }
    self->over = self->over || now >= self->until_ns || reply->code == WEIR_NO_NODE;
    if (!self->over)
        send_next(slot);
}

static void send_next(struct slot *slot)
{
    struct bench *self = slot->bench;
    char field[32];
    int size = snprintf(field, sizeof field, "field-%llu",
                        (unsigned long long)(random_next(self) % (uint64_t)self->fields));
    struct weir_bytes operands[2] = {{field, (size_t)size}, {self->value, (size_t)self->size}};
    slot->reads = (long)(random_next(self) % 100) < self->reads;
    slot->since_ns = now_ns();
    int rc = slot->reads ? weir_get_range_async(slot->w, self->key, operands[0], &operands[0],
                                                on_reply, slot)
                         : weir_edit_async(slot->w, self->key, "set", operands, 2, on_reply, slot);
    if (rc) {
        self->errors++;
        self->over = true;
    }
}

static int step_all(struct bench *self)
{
    int wait = 1000;
    for (long i = 0; i < self->clients; i++) {
        int rc = weir_step(self->handles[i], 0);
        int more = rc < 0 ? rc : weir_wait_ms(self->handles[i]);
        if (rc < 0)
            return rc;
        wait = more >= 0 && more < wait ? more : wait;
    }
    poll(self->polled, (nfds_t)self->clients, wait);
    return 0;
}

static int run(struct bench *self)
{
    long open = self->clients * self->pipeline;
    self->until_ns = now_ns() + (uint64_t)self->seconds * 1000000000u;
    for (long i = 0; i < open; i++) {
        self->slots[i].bench = self;
        self->slots[i].w = self->handles[i / self->pipeline];
        send_next(&self->slots[i]);
    }
    while (!self->over) {
        int rc = step_all(self);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* --- setting up and reporting ---------------------------------------------------------------- */

static int fill(struct bench *self)
{
    weir_params_t *params = weir_params_new();
    const struct weir_reply *reply;
    weir_t *w = self->cli->w;
    if (!params)
        return WEIR_NO_MEMORY;
    int rc = weir_params_set(params, "name", BENCH_NAME, NULL);
    if (!rc)
        rc = weir_put(w, "map", weir_params_bytes(params), weir_text(""), &reply);
    if (!rc)
        memcpy(self->key, reply->key, sizeof self->key);
    weir_params_destroy(&params);
    return rc;
}

static int open_clients(struct bench *self)
{
    for (long i = 0; i < self->clients; i++) {
        self->handles[i] =
            cli_handle(self->cli, (struct weir_options){.window = (unsigned)self->pipeline});
        int rc = self->handles[i] ? weir_connect(self->handles[i]) : WEIR_NO_MEMORY;
        if (rc)
            return rc;
        self->polled[i] = (struct pollfd){.fd = weir_fd(self->handles[i]), .events = POLLIN};
    }
    return 0;
}

struct figures {
    bool json;
    size_t printed;
};

static void print_figure(struct figures *self, const char *name, const char *suffix, double value,
                         int decimals, const char *unit)
{
    if (self->json)
        printf("%c\"%s%s\":%.*f", self->printed ? ',' : '{', name, suffix, decimals, value);
    else
        printf("%s%s: %.*f %s\n", name, suffix, decimals, value, unit);
    self->printed++;
}

static void print_latencies(struct figures *out, const char *name, const struct latencies *l,
                            double seconds)
{
    if (!l->count)
        return;
    print_figure(out, name, "", (double)l->count / seconds, 0, "1/s");
    print_figure(out, name, "_p50", percentile_us(l, 0.5), 1, "us");
    print_figure(out, name, "_p99", percentile_us(l, 0.99), 1, "us");
}

static void tell_leftover(const struct bench *self)
{
    char key[WEIR_KEY_TEXT_MAX];
    weir_key_print(self->key, key);
    fprintf(
        stderr,
        "weir: bench: the map %s (\"%s\") stays on the node: no command removes a contract; the "
        "next bench writes into the same one\n",
        key, BENCH_NAME);
}

static int report(const struct bench *self, double seconds)
{
    struct figures out = {cli_has(self->cli, OPTION_json), 0};
    print_figure(&out, "clients", "", (double)self->clients, 0, "count");
    print_figure(&out, "pipeline", "", (double)self->pipeline, 0, "count");
    print_figure(&out, "value_size", "", (double)self->size, 0, "bytes");
    print_latencies(&out, "update", &self->update, seconds);
    print_latencies(&out, "get", &self->get, seconds);
    print_figure(&out, "errors", "", (double)self->errors, 0, "count");
    if (out.json)
        printf("}\n");
    tell_leftover(self);
    if (*self->first_error.text)
        return cli_fail(self->cli, WEIR_INTERNAL, self->first_error.text);
    return cli_flush(self->cli);
}

static int read_options(struct bench *self)
{
    struct cli *cli = self->cli;
    int rc = cli_number(cli, OPTION_clients, 1, CLIENTS_MAX_HERE, 16, &self->clients);
    if (!rc)
        rc = cli_number(cli, OPTION_pipeline, 1, 256, 1, &self->pipeline);
    if (!rc)
        rc = cli_number(cli, OPTION_seconds, 1, 86400, 5, &self->seconds);
    if (!rc)
        rc = cli_number(cli, OPTION_size, 0, 512 << 10, 1024, &self->size);
    if (!rc)
        rc = cli_number(cli, OPTION_fields, 1, 1000000000, 1000, &self->fields);
    return rc ? rc : cli_number(cli, OPTION_reads, 0, 100, 50, &self->reads);
}

static bool allocate(struct bench *self)
{
    self->handles = calloc((size_t)self->clients, sizeof(weir_t *));
    self->polled = calloc((size_t)self->clients, sizeof *self->polled);
    self->slots = calloc((size_t)(self->clients * self->pipeline), sizeof *self->slots);
    self->value = malloc((size_t)self->size + 1);
    if (!self->handles || !self->polled || !self->slots || !self->value)
        return false;
    memset(self->value, 'x', (size_t)self->size);
    self->random = now_ns() | 1;
    return true;
}

static int measure(struct bench *self)
{
    int rc = cli_connect(self->cli);
    if (rc)
        return rc;
    rc = fill(self);
    if (rc)
        return cli_fail_node(self->cli, rc);
    rc = open_clients(self);
    uint64_t start = now_ns();
    if (!rc)
        rc = run(self);
    double seconds = (double)(now_ns() - start) / 1e9;
    return rc ? cli_fail(self->cli, rc, NULL) : report(self, seconds);
}

static void release(struct bench *self)
{
    self->over = true; /* what is still open is given up, and nothing follows it */
    for (long i = 0; self->handles && i < self->clients; i++)
        weir_destroy(&self->handles[i]);
    free((void *)self->handles);
    free(self->polled);
    free(self->slots);
    free(self->value);
    free(self);
}

int cli_bench(struct cli *cli)
{
    struct bench *self = calloc(1, sizeof *self);
    if (!self)
        return cli_fail(cli, WEIR_NO_MEMORY, NULL);
    self->cli = cli;
    int rc = read_options(self);
    if (!rc)
        rc = allocate(self) ? measure(self) : cli_fail(cli, WEIR_NO_MEMORY, NULL);
    release(self);
    return rc;
}
