/* SIGKILL at the n-th call of each kind that a node makes to files and memory, in a first start on
 * new data and then in a start on what that left: strace kills it at the entry of the n-th such
 * call of one of its threads. What clients were told is there, and the data check clean.
 *
 * By default a sample, another one by SEED; KILLS=all: n = 1..50 of each call, under a load that is
 * larger and longer. A node that is not killed by its load is stopped, which makes calls too. Some
 * calls are rare (a folder is made once): of those, all that a thread makes in such a life are
 * tried, and the report says how many points that were and that they were all. */
#include "client/clock.h"
#include "tests/crash/client_load.h"
#include "tests/crash/verdict.h"
#include "tests/support/process.h"
#include "tests/support/scratch.h"
#include "tests/support/setting.h"
#include "tests/unit/store_fixture.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { N_MAX = 50, ALWAYS = 3, ONE_OF = 4 };
enum { OPEN = 12, ROUNDS = 2, LOAD_MS = 1300, FIELDS = 40, VALUE_MAX = 3000 };
/* Folds of some MiB: LMDB's pages are written in many calls. */
enum { ALL_LOAD_MS = 6000, ALL_FIELDS = 400, ALL_VALUE_MAX = 12000 };
enum { WORKERS_MAX = 64, RUN_SECONDS = 120 };

/* As the kernel names them: open is openat, pwrite is pwrite64. The node calls no others that
 * change files, and LMDB's pages come by writev. */
static const char *const calls[] = {"write",  "pwrite64",  "pwritev",   "writev", "fdatasync",
                                    "fsync",  "ftruncate", "fallocate", "mmap",   "openat",
                                    "rename", "unlink",    "mkdir"};
enum { CALLS = sizeof calls / sizeof calls[0] };

static bool all; /* not a sample */

/* Shared by the processes. */
struct kills {
    unsigned picks[CALLS * N_MAX], count; /* call * N_MAX + n - 1, by n first */
    _Atomic unsigned points[CALLS];       /* n that were tried … */
    _Atomic unsigned hits[CALLS];         /* … and kills */
    _Atomic unsigned next, runs, killed, told;
    _Atomic bool past[CALLS]; /* no thread comes to that many */
    _Atomic bool failed;
    struct reason why;
};

/* --- one run --------------------------------------------------------------------------------- */

/* Keeps the node busy until it is killed, or for so long, and stops it then. False: it was not
 * killed. */
static bool load_until_killed(struct process *node, struct trace *trace)
{
    struct client_load client = {.trace = trace,
                                 .fields = all ? ALL_FIELDS : FIELDS,
                                 .value_max = all ? ALL_VALUE_MAX : VALUE_MAX};
    uint64_t until = monotonic_ms() + (all ? ALL_LOAD_MS : LOAD_MS);
    int rc = client_load_open(&client, node->endpoint, 2 * OPEN);
    bool killed = false;
    while (rc == 0 && !(killed = process_ended(node)) && monotonic_ms() < until) {
        size_t bytes;
        while (rc == 0 && weir_open(client.w) < OPEN)
            rc = client_load_ask(&client, &bytes);
        if (rc == 0)
            rc = weir_step(client.w, 2) < 0;
    }
    killed = process_ended(node); /* a client that met an error only then looks */
    client_load_close(&client);
    return killed || WIFSIGNALED(process_stop(node));
}

/* One start. *killed: a call killed it. An error when it refuses to start. */
static int start_and_kill(const char *call, unsigned n, const char *data_dir, struct trace *trace,
                          bool *killed, struct reason *why)
{
    char traced[64], inject[96];
    struct process node;
    (void)snprintf(traced, sizeof traced, "trace=%s", call);
    (void)snprintf(inject, sizeof inject, "inject=%s:signal=KILL:when=%u", call, n);
    const char *const command[] = {"strace", "-D",   "-f", "-qq",  "-o", "/dev/null",
                                   "-e",     traced, "-e", inject, NULL};
    bool ready = process_try(&node, data_dir, NULL, command);
    if (!ready && !WIFSIGNALED(node.status))
        return (fail)(why, ERR_INTERNAL, "the node refuses to start");
    *killed = !ready || load_until_killed(&node, trace);
    return 0;
}

/* What is left has all that was told. */
static int judge(struct kills *self, const struct trace *trace, const char *data_dir,
                 struct reason *why)
{
    struct claims *claims = claims_read(trace);
    struct store_options options = {
        .data_dir = data_dir, .store_bytes_max = UINT64_MAX, .state_bytes_max = STATE_BYTES_MAX};
    int rc = verdict(&options, MAP_BYTES_FIRST, claims, trace_used(trace), true, why);
    self->told += (unsigned)claims_told_before(claims, UINT64_MAX);
    claims_destroy(&claims);
    return rc;
}

static void run_one(struct kills *self, unsigned pick)
{
    char root[SCRATCH_PATH_MAX], trace_path[96], data_dir[96];
    const char *call = calls[pick / N_MAX];
    unsigned n = pick % N_MAX + 1, kills = 0;
    int rc = 0;
    struct reason why = {{0}};
    scratch_make(root);
    (void)snprintf(trace_path, sizeof trace_path, "%s/trace", root);
    (void)snprintf(data_dir, sizeof data_dir, "%s/data", root);
    struct trace *trace = trace_open(trace_path, true);
    for (unsigned round = 0; rc == 0 && round < ROUNDS; round++) {
        bool killed = false;
        rc = start_and_kill(call, n, data_dir, trace, &killed, &why);
        kills += killed;
    }
    if (rc == 0)
        rc = judge(self, trace, data_dir, &why);
    if (rc && !self->failed) {
        self->failed = true;
        (void)(fail)(&self->why, rc, "%s number %u: %s: %.180s", call, n, error_name(rc), why.text);
    }
    self->killed += kills;
    self->runs++;
    self->points[pick / N_MAX] += kills > 0;
    self->hits[pick / N_MAX] += kills;
    self->past[pick / N_MAX] = self->past[pick / N_MAX] || (rc == 0 && kills == 0);
    trace_close(&trace);
    scratch_remove(root);
}

/* --- all of them ----------------------------------------------------------------------------- */

static void choose(struct kills *self)
{
    for (unsigned n = 1; n <= N_MAX; n++)
        for (unsigned call = 0; call < CALLS; call++)
            if (all || n <= ALWAYS || random_below(ONE_OF) == 0)
                self->picks[self->count++] = call * N_MAX + n - 1;
}

static void work(struct kills *self, bool show)
{
    for (unsigned i; !self->failed && (i = self->next++) < self->count;) {
        unsigned pick = self->picks[i];
        if (self->past[pick / N_MAX])
            continue;
        (void)alarm(RUN_SECONDS);
        run_one(self, pick);
        if (show)
            (void)fprintf(stderr, "\rkills: %u of %u ", i + 1, self->count);
    }
    fflush(NULL);
    _exit(0);
}

static void run_all(struct kills *self)
{
    pid_t workers[WORKERS_MAX];
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned count = cores < 1 ? 1 : cores > WORKERS_MAX ? WORKERS_MAX : (unsigned)cores;
    fflush(NULL);
    for (unsigned i = 0; i < count; i++) {
        workers[i] = fork();
        if (workers[i] == 0)
            work(self, getenv("PROGRESS") != NULL);
    }
    for (unsigned i = 0; i < count; i++) {
        int status = -1;
        (void)waitpid(workers[i], &status, 0);
        if (status && !self->failed) {
            self->failed = true;
            (void)(fail)(&self->why, ERR_INTERNAL, "a worker ended with status %d", status);
        }
    }
}

static void nothing_told_is_lost_when_a_call_is_the_last(void **state)
{
    (void)state;
    struct kills *self = (struct kills *)mmap(NULL, sizeof *self, PROT_READ | PROT_WRITE,
                                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(self != MAP_FAILED && sodium_init() >= 0);
    choose(self);
    run_all(self);
    print_message("%u runs, %u kills, %u acknowledgements\n", self->runs, self->killed, self->told);
    for (unsigned i = 0; i < CALLS; i++)
        print_message("%s: killed at %u of its calls%s, %u kills\n", calls[i], self->points[i],
                      self->past[i] ? " (no thread came to more)" : "", self->hits[i]);
    if (self->failed)
        fail_msg("%s", self->why.text);
    assert_true(self->killed > self->runs); /* most of both rounds */
    assert_true(self->told > self->runs);
    (void)munmap(self, sizeof *self);
}

int main(void)
{
    all = setting_is("KILLS", "all");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_told_is_lost_when_a_call_is_the_last),
    };
    (void)seed_random();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
