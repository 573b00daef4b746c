/* SIGKILL at the n-th call of each kind that a node makes to files and memory, in a first start on
 * new data and then in a start on what that left: strace kills it at the entry of the n-th such
 * call of one of its threads. What clients were told is there, and the data check clean.
 *
 * By default a sample, another one by SEED. KILLS=all: n = 1..50 of each call, under a load that is
 * larger and longer, with backups where those make such calls. Of some calls a life has a few all
 * the same (a lock file is written once): there one folder of data is lived in again and again, and
 * killed at those calls in turn until that was 50 times. */
#include "tests/crash/life.h"
#include "tests/crash/verdict.h"
#include "tests/support/scratch.h"
#include "tests/support/setting.h"
#include "tests/unit/store_fixture.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { N_MAX = 50, ALWAYS = 3, ONE_OF = 4, ROUNDS = 2 };
enum { WORKERS_MAX = 64, RUN_SECONDS = 300 };
enum { LIVES_MAX = 8 * N_MAX, JUDGED_EVERY = 10 }; /* of one folder */

static const struct load {
    size_t fields, value_max;
    unsigned ms, backups;
} sample = {40, 3000, 1300, 0},
  large = {400, 12000, 6000, 0}, /* folds of some MiB: LMDB's pages are written in many calls */
    with_backups = {40, 3000, 1300, N_MAX + 1}, brief = {40, 3000, 200, 0};

/* As the kernel names them: open is openat, pwrite is pwrite64. The node calls no others that
 * change files, and LMDB's pages come by writev. load NULL: few in a life, whatever is done. */
static const struct call {
    const char *name;
    const struct load *load;
} calls[] = {
    {"write", &large},        {"pwrite64", &large},         {"pwritev", &large},
    {"writev", &large},       {"fdatasync", &large},        {"fsync", &with_backups},
    {"ftruncate", NULL},      {"fallocate", &with_backups}, {"mmap", &large},
    {"openat", &large},       {"rename", &with_backups},    {"unlink", NULL},
    {"mkdir", &with_backups},
};
enum { CALLS = sizeof calls / sizeof calls[0] };

static bool all; /* not a sample */

/* Shared by the processes. */
struct kills {
    struct pick {
        unsigned call, n;   /* 0: lives of one folder */
    } picks[CALLS * N_MAX]; /* by n first */
    unsigned count;
    _Atomic unsigned points[CALLS]; /* n that were tried … */
    _Atomic unsigned hits[CALLS];   /* … and kills */
    _Atomic unsigned lives[CALLS];  /* of one folder */
    _Atomic unsigned next, runs, killed, told;
    _Atomic bool past[CALLS]; /* no thread comes to that many */
    _Atomic bool failed;
    struct reason why;
};

/* --- data that is lived in ------------------------------------------------------------------- */

struct place {
    char root[SCRATCH_PATH_MAX], trace_path[96], data_dir[96];
    struct trace *trace;
};

static void place_make(struct place *self)
{
    scratch_make(self->root);
    (void)snprintf(self->trace_path, sizeof self->trace_path, "%s/trace", self->root);
    (void)snprintf(self->data_dir, sizeof self->data_dir, "%s/data", self->root);
    self->trace = trace_open(self->trace_path, true);
}

static void place_remove(struct place *self)
{
    trace_close(&self->trace);
    scratch_remove(self->root);
}

static int live(const struct place *place, const struct load *load, const char *call, unsigned n,
                bool *killed, struct reason *why)
{
    const struct life life = {.data_dir = place->data_dir,
                              .trace = place->trace,
                              .call = call,
                              .n = n,
                              .fields = load->fields,
                              .value_max = load->value_max,
                              .load_ms = load->ms,
                              .backups = load->backups};
    (void)alarm(RUN_SECONDS);
    *killed = false;
    return life_live(&life, killed, why);
}

/* What is left has all that was told. */
static int judge(const struct place *place, bool goes_on, unsigned *told, struct reason *why)
{
    struct claims *claims = claims_read(place->trace);
    struct store_options options = {.data_dir = place->data_dir,
                                    .store_bytes_max = UINT64_MAX,
                                    .state_bytes_max = STATE_BYTES_MAX};
    int rc = verdict(&options, MAP_BYTES_FIRST, claims, trace_used(place->trace), goes_on, why);
    *told = (unsigned)claims_told_before(claims, UINT64_MAX);
    claims_destroy(&claims);
    return rc;
}

static void take(struct kills *self, const struct pick *pick, int rc, unsigned told,
                 const struct reason *why)
{
    self->told += told;
    self->runs++;
    if (rc && !self->failed) {
        self->failed = true;
        (void)(fail)(&self->why, rc, "%s number %u: %s: %.180s", calls[pick->call].name, pick->n,
                     error_name(rc), why->text);
    }
}

/* --- the n-th call of a life ----------------------------------------------------------------- */

static void kill_at(struct kills *self, const struct pick *pick)
{
    const struct call *call = &calls[pick->call];
    const struct load *load = all ? call->load : &sample;
    struct place place;
    struct reason why = {{0}};
    unsigned kills = 0, told = 0;
    int rc = 0;
    place_make(&place);
    for (unsigned round = 0; rc == 0 && round < ROUNDS; round++) {
        bool killed;
        rc = live(&place, load, call->name, pick->n, &killed, &why);
        kills += killed;
    }
    if (rc == 0)
        rc = judge(&place, true, &told, &why);
    take(self, pick, rc, told, &why);
    self->killed += kills;
    self->points[pick->call] += kills > 0;
    self->hits[pick->call] += kills;
    self->past[pick->call] = self->past[pick->call] || (rc == 0 && kills == 0);
    place_remove(&place);
}

/* --- the calls of many lives ----------------------------------------------------------------- */

/* Each life is killed at one call more than the one before; after one that has not that many, and
 * so came to its end, it begins with the first again. */
static void kill_again_and_again(struct kills *self, const struct pick *pick)
{
    const struct call *call = &calls[pick->call];
    struct place place;
    struct reason why = {{0}};
    unsigned kills = 0, lives = 0, told = 0, n = 1, most = 0;
    int rc = 0;
    place_make(&place);
    for (; rc == 0 && kills < N_MAX && lives < LIVES_MAX; lives++) {
        bool killed;
        rc = live(&place, &brief, call->name, n, &killed, &why);
        kills += killed;
        most = killed && n > most ? n : most;
        n = killed ? n + 1 : 1;
        if (rc == 0 && lives % JUDGED_EVERY == JUDGED_EVERY - 1)
            rc = judge(&place, false, &told, &why);
    }
    if (rc == 0)
        rc = judge(&place, true, &told, &why);
    take(self, pick, rc, told, &why);
    self->killed += kills;
    self->points[pick->call] = most;
    self->hits[pick->call] = kills;
    self->lives[pick->call] = lives;
    place_remove(&place);
}

/* --- all of them ----------------------------------------------------------------------------- */

static void choose(struct kills *self)
{
    for (unsigned n = 1; n <= N_MAX; n++)
        for (unsigned call = 0; call < CALLS; call++) {
            bool many = !all || calls[call].load;
            if (all ? many || n == 1 : n <= ALWAYS || random_below(ONE_OF) == 0)
                self->picks[self->count++] = (struct pick){call, many ? n : 0};
        }
}

static void work(struct kills *self, bool show)
{
    for (unsigned i; !self->failed && (i = self->next++) < self->count;) {
        const struct pick *pick = &self->picks[i];
        if (self->past[pick->call])
            continue;
        if (show)
            (void)fprintf(stderr, "kills: %u of %u, %s number %u\n", i + 1, self->count,
                          calls[pick->call].name, pick->n);
        if (pick->n)
            kill_at(self, pick);
        else
            kill_again_and_again(self, pick);
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

static void print_told(const struct kills *self, unsigned call)
{
    if (self->lives[call])
        print_message("%s: killed at each of the %u calls of a life, %u times in %u lives of one "
                      "folder\n",
                      calls[call].name, self->points[call], self->hits[call], self->lives[call]);
    else
        print_message("%s: killed at %u of its calls%s, %u kills\n", calls[call].name,
                      self->points[call], self->past[call] ? " (no thread came to more)" : "",
                      self->hits[call]);
}

/* With all of them: each call was the last one N_MAX times. */
static bool all_came_to_it(const struct kills *self)
{
    bool came = true;
    for (unsigned i = 0; i < CALLS; i++)
        came = came && (self->lives[i] ? self->hits[i] : self->points[i]) == N_MAX;
    return came;
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
        print_told(self, i);
    if (self->failed)
        fail_msg("%s", self->why.text);
    assert_true(self->killed > self->runs); /* most of both rounds */
    assert_true(self->told > self->runs);
    assert_true(!all || all_came_to_it(self));
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
