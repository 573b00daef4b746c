/* load: the load generator. Prints figures, `name value`, one a line.
 *
 *   load --server weir|echo|redis --port N [options] --group WORK:CLIENTS:OPEN …
 *       --pid PID          the server's process: its CPU time and memory are printed too
 *       --objects N        contracts, or fields of the map (100000)
 *       --value BYTES      (1024)       --batch N   fields that one `fill` request writes (100)
 *       --map NAME         (bench)      --count N   requests of each group, instead of a time
 *       --seconds S        measured (2) --warm S    before it (0.3)
 *       --first S          prints also the rate of the first S seconds
 *   load --server weir|echo|redis --port N --quiet SECONDS
 *       waits until the server folds (weir) or rewrites (Redis) nothing
 *   load --server weir --port N --left
 *       prints the bytes that wait to be folded
 *
 * Any error, and any reply of a wrong size, ends it with a sentence and without figures. */
#include "bench/common/arguments.h"
#include "bench/common/clock.h"
#include "bench/common/die.h"
#include "bench/common/engine.h"
#include "bench/common/process.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const struct work works[] = {
    /* name, op, sequential, needs contracts, needs the map */
    {"create", OP_CREATE, true, true, false},
    {"fill", OP_FILL, true, false, true},
    {"set_contract", OP_SET_CONTRACT, false, true, false},
    {"set_field", OP_SET_FIELD, false, false, true},
    {"get", OP_GET, false, true, false},
    {"get_map", OP_GET_MAP, false, false, true},
};

/* --- figures --------------------------------------------------------------------------------- */

static void print_group(struct load *self, struct group *group, const char *prefix)
{
    double seconds = (double)(self->end_ns - self->begin_ns) / 1e9;
    printf("%sper_s %.1f\n", prefix, (double)group->counted / seconds);
    printf("%sops %" PRIu64 "\n", prefix, group->counted);
    printf("%sp50_us %.1f\n", prefix, latencies_us(&group->latencies, 0.5));
    printf("%sp99_us %.1f\n", prefix, latencies_us(&group->latencies, 0.99));
    printf("%smax_us %.1f\n", prefix, latencies_us(&group->latencies, 1));
    if (self->first_s > 0)
        printf("%sfirst_per_s %.1f\n", prefix,
               (double)group->early / (self->first_s < seconds ? self->first_s : seconds));
}

/* Figures of the first group stand alone; of others, behind the work's name. */
static void print_figures(struct load *self)
{
    uint64_t all = 0;
    char prefix[64] = "";
    for (size_t g = 0; g < self->group_count; g++) {
        if (g)
            snprintf(prefix, sizeof prefix, "%s.", self->groups[g].work->name);
        print_group(self, &self->groups[g], prefix);
        all += self->groups[g].counted;
    }
    double ops = all ? (double)all : 1;
    printf("seconds %.3f\n", (double)(self->end_ns - self->begin_ns) / 1e9);
    printf("generator_us_per_op %.3f\n", (double)self->own_cpu_ns / 1e3 / ops);
    if (self->pid == 0)
        return;
    printf("cpu_us_per_op %.3f\n", (double)self->server_cpu_ns / 1e3 / ops);
    printf("rss_kib %" PRIu64 "\n", process_kib(self->pid, "VmRSS"));
    printf("rss_max_kib %" PRIu64 "\n", process_kib(self->pid, "VmHWM"));
}

/* --- options --------------------------------------------------------------------------------- */

struct options {
    struct load load;
    uint32_t objects, batch;
    size_t value_bytes;
    const char *map;
    uint64_t count;
    int quiet_s;
    bool left;
};

/* WORK:CLIENTS:OPEN */
static void add_group(struct load *self, char *text)
{
    char *clients = strchr(text, ':'), *open = clients ? strchr(clients + 1, ':') : NULL;
    struct group *group = &self->groups[self->group_count++];
    if (self->group_count > GROUPS_MAX || !open)
        die("'%s' is not WORK:CLIENTS:OPEN, or there are more than %d", text, GROUPS_MAX);
    *clients = *open = 0;
    group->clients = (uint32_t)argument_number(clients + 1, GROUP_CLIENTS_MAX);
    group->open = (uint32_t)argument_number(open + 1, CLIENT_REQUESTS_MAX);
    for (size_t i = 0; i < sizeof works / sizeof works[0]; i++)
        if (strcmp(works[i].name, text) == 0)
            group->work = &works[i];
    if (!group->work || !group->open)
        die("no work '%s', or none of it open", text);
}

static void read_options(struct options *self, int argc, char **argv)
{
    static const struct option list[] = {
        {"server", 1, 0, 's'},  {"port", 1, 0, 'p'},  {"pid", 1, 0, 'i'},   {"objects", 1, 0, 'o'},
        {"value", 1, 0, 'v'},   {"batch", 1, 0, 'b'}, {"map", 1, 0, 'm'},   {"count", 1, 0, 'c'},
        {"seconds", 1, 0, 't'}, {"warm", 1, 0, 'w'},  {"first", 1, 0, 'f'}, {"group", 1, 0, 'g'},
        {"quiet", 1, 0, 'q'},   {"left", 0, 0, 'l'},  {0, 0, 0, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "", list, NULL)) != -1) {
        switch (option) {
        case 's':
            self->load.dialect = dialect_find(optarg);
            break;
        case 'p':
            self->load.port = (uint16_t)argument_number(optarg, UINT16_MAX);
            break;
        case 'i':
            self->load.pid = (pid_t)argument_number(optarg, INT32_MAX);
            break;
        case 'o':
            self->objects = (uint32_t)argument_number(optarg, UINT32_MAX);
            break;
        case 'v':
            self->value_bytes = argument_number(optarg, ENTRY_VALUE_BYTES_MAX);
            break;
        case 'b':
            self->batch = (uint32_t)argument_number(optarg, UINT32_MAX);
            break;
        case 'm':
            self->map = optarg;
            break;
        case 'c':
            self->count = argument_number(optarg, UINT64_MAX);
            break;
        case 't':
            self->load.run_s = argument_seconds(optarg);
            break;
        case 'w':
            self->load.warm_s = argument_seconds(optarg);
            break;
        case 'f':
            self->load.first_s = argument_seconds(optarg);
            break;
        case 'g':
            add_group(&self->load, optarg);
            break;
        case 'q':
            self->quiet_s = (int)argument_number(optarg, 3600);
            break;
        case 'l':
            self->left = true;
            break;
        default:
            die("usage: see the top of bench/load.c");
        }
    }
    if (!self->load.dialect || !self->load.port || !self->objects || !self->batch ||
        optind != argc || !(self->load.group_count || self->quiet_s || self->left))
        die("usage: see the top of bench/load.c");
}

/* --- what is done ---------------------------------------------------------------------------- */

static void set_ends(struct options *self)
{
    for (size_t g = 0; g < self->load.group_count; g++) {
        struct group *group = &self->load.groups[g];
        group->ends = self->count;
        if (group->work->sequential)
            group->ends = group->work->op == OP_FILL ? self->objects / self->batch : self->objects;
    }
}

/* Contracts get their keys; the map is made where it is needed and not there. */
static void prepare(struct load *self, struct connection *connection)
{
    bool contracts = false, map = false;
    struct reply reply;
    for (size_t g = 0; g < self->group_count; g++) {
        contracts = contracts || self->groups[g].work->needs_contracts;
        map = map || self->groups[g].work->needs_map;
    }
    if (contracts && !self->dialect->in_order)
        world_name_contracts(&self->world);
    if (map)
        dialect_call(self->dialect, connection, &self->world, OP_CREATE_MAP, 0, &reply);
}

static uint64_t work_left(struct load *self, struct connection *connection)
{
    struct reply reply;
    dialect_call(self->dialect, connection, &self->world, OP_WORK_LEFT, 0, &reply);
    return self->dialect->work_left(reply.value);
}

static void wait_quiet(struct options *self, struct connection *connection)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    uint64_t until = now_ns() + (uint64_t)self->quiet_s * 1000000000u;
    while (work_left(&self->load, connection)) {
        if (now_ns() > until)
            die("the server is not quiet after %d s", self->quiet_s);
        nanosleep(&pause, NULL);
    }
}

int main(int argc, char **argv)
{
    struct options options = {.load = {.warm_s = 0.3, .run_s = 2},
                              .objects = 100000,
                              .batch = 100,
                              .value_bytes = 1024,
                              .map = "bench"};
    struct load *load = &options.load;
    struct connection connection;
    read_options(&options, argc, argv);
    set_ends(&options);
    world_init(&load->world, options.objects, options.value_bytes, options.batch, options.map);
    connection_open(&connection, load->port);
    load->dialect->greet(&connection);
    if (options.quiet_s) {
        wait_quiet(&options, &connection);
    } else if (options.left) {
        printf("work_left %" PRIu64 "\n", work_left(load, &connection));
    } else {
        prepare(load, &connection);
        engine_run(load);
        print_figures(load);
        engine_free(load);
    }
    connection_close(&connection);
    world_free(&load->world);
    return 0;
}
