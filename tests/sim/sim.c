/* sim: plays many seeds (make sim SEEDS=… NODES=… SEED=… JOBS=…). A seed that fails is told with
 * the command that plays it again, and the end of its trace. */
#include "tests/sim/play.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROWS = 200, JOBS_MAX = 64, PROGRESS_EVERY = 500 };

static double seconds(clockid_t clock)
{
    struct timespec at;
    (void)clock_gettime(clock, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static int usage(const char *program)
{
    (void)fprintf(stderr,
                  "usage: %s [--seeds N] [--first SEED] [--seed SEED] [--nodes N] [--storm MS] "
                  "[--jobs N] [--patience MS] [--calm] [--trace] [--rows N]\n",
                  program);
    return 2;
}

/* A whole number from least on; false: told. */
static bool read_number(const char *option, const char *text, uint64_t least, uint64_t *number)
{
    char *rest = NULL;
    errno = 0;
    *number = strtoull(text, &rest, 0);
    if (isdigit((unsigned char)*text) && !*rest && !errno && *number >= least)
        return true;
    (void)fprintf(stderr, "sim: --%s %s: wanted a whole number from %llu to %llu\n", option, text,
                  (unsigned long long)least, (unsigned long long)UINT64_MAX);
    return false;
}

struct settings {
    struct play_options play;
    uint64_t first, seeds, jobs;
    uint64_t patience_ms; /* seeds that take longer to come to rest are told */
    size_t rows;
    const char *program;
};

static bool read_settings(struct settings *self, int argc, char **argv)
{
    static const struct option options[] = {
        {"seeds", required_argument, NULL, 'n'},
        {"first", required_argument, NULL, 'f'},
        {"seed", required_argument, NULL, 's'},
        {"nodes", required_argument, NULL, 'k'},
        {"storm", required_argument, NULL, 'm'},
        {"jobs", required_argument, NULL, 'j'},
        {"patience", required_argument, NULL, 'p'},
        {"calm", no_argument, NULL, 'c'},
        {"trace", no_argument, NULL, 't'},
        {"rows", required_argument, NULL, 'r'},
        {NULL, 0, NULL, 0},
    };
    for (int o, which = 0; (o = getopt_long(argc, argv, "", options, &which)) != -1;) {
        uint64_t number = 0;
        if (optarg && !read_number(options[which].name, optarg, o == 'n' || o == 'j', &number))
            return false;
        if (o == 'n')
            self->seeds = number;
        else if (o == 'f')
            self->first = number;
        else if (o == 's')
            self->first = number, self->seeds = 1;
        else if (o == 'k')
            self->play.nodes = number < PLAY_NODES_MAX / 2 ? number : PLAY_NODES_MAX / 2;
        else if (o == 'm')
            self->play.storm_ms = number;
        else if (o == 'j')
            self->jobs = number < JOBS_MAX ? number : JOBS_MAX;
        else if (o == 'p')
            self->patience_ms = number;
        else if (o == 'c')
            self->play.faults = false;
        else if (o == 't')
            self->play.echo = stdout;
        else if (o == 'r')
            self->rows = number;
        else
            return false;
    }
    return optind == argc;
}

/* --- what all seeds told ----------------------------------------------------------------- */

struct sum {
    uint64_t seeds, failed, handled, virtual_ms, rest_ms, rest_ms_max, alive_ms_max, ops, echoed;
    uint64_t struck[FAULTS_MAX];
    struct drive_counts drives;
    double cpu;
};

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void add_result(struct sum *sum, const struct play_result *result)
{
    sum->seeds++;
    sum->failed += result->failed;
    sum->handled += result->handled;
    sum->virtual_ms += result->virtual_ms;
    sum->rest_ms += result->rest_ms;
    sum->rest_ms_max = larger(sum->rest_ms_max, result->rest_ms);
    sum->alive_ms_max = larger(sum->alive_ms_max, result->alive_ms);
    sum->ops += result->ops;
    sum->echoed += result->echoed;
    for (size_t i = 0; i < FAULTS_MAX; i++)
        sum->struck[i] += result->struck[i];
    sum->drives.calls += result->drives.calls;
    sum->drives.losses += result->drives.losses;
    sum->drives.torn += result->drives.torn;
    sum->drives.pending += result->drives.pending;
}

static void add_sum(struct sum *sum, const struct sum *other)
{
    struct play_result rest = {.handled = other->handled,
                               .virtual_ms = other->virtual_ms,
                               .rest_ms = other->rest_ms,
                               .alive_ms = other->alive_ms_max,
                               .ops = other->ops,
                               .echoed = other->echoed,
                               .drives = other->drives};
    memcpy(rest.struck, other->struck, sizeof rest.struck);
    uint64_t longest = larger(sum->rest_ms_max, other->rest_ms_max);
    add_result(sum, &rest);
    sum->rest_ms_max = longest;
    sum->seeds += other->seeds - 1;
    sum->failed += other->failed;
    sum->cpu += other->cpu;
}

static void print_sum(const struct sum *sum, double took)
{
    (void)printf("seeds: %llu\nfailed: %llu\nvirtual time: %.0f s\nCPU: %.1f s\n"
                 "messages: %llu\nmessages a second of CPU: %.0f\nto rest, mean: %.1f s\n"
                 "to rest, longest: %.1f s\n",
                 (unsigned long long)sum->seeds, (unsigned long long)sum->failed,
                 (double)sum->virtual_ms / 1000, sum->cpu, (unsigned long long)sum->handled,
                 (double)sum->handled / sum->cpu,
                 (double)sum->rest_ms / 1000 / (double)(sum->seeds ? sum->seeds : 1),
                 (double)sum->rest_ms_max / 1000);
    (void)printf("a change is everywhere, longest: %.1f s\nrequests: %llu\nsent again: %llu\n"
                 "power lost: %llu, with something pending: %llu, changes pending: %llu\n",
                 (double)sum->alive_ms_max / 1000, (unsigned long long)sum->ops,
                 (unsigned long long)sum->echoed, (unsigned long long)sum->drives.losses,
                 (unsigned long long)sum->drives.torn, (unsigned long long)sum->drives.pending);
    (void)printf("faults:");
    for (size_t i = 0; i < storm_faults_count; i++)
        (void)printf("%s %s %llu", i ? "," : "", storm_faults[i].name,
                     (unsigned long long)sum->struck[i]);
    (void)printf("\nseeds/s: %.2f\nmessages/s: %.0f\n", (double)sum->seeds / took,
                 (double)sum->handled / took);
}

/* --- playing ----------------------------------------------------------------------------- */

/* With its trace in one piece, whatever else is told meanwhile. */
static void play_one(const struct settings *settings, uint64_t seed, struct sum *sum)
{
    struct play_options play = settings->play;
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        abort();
    play.seed = seed;
    struct play_result result = play_run(&play, settings->rows, to);
    add_result(sum, &result);
    if (result.failed)
        (void)fprintf(
            to, "seed %llu failed: %s\n  again: %s --seed %llu --nodes %zu --storm %llu%s\n",
            (unsigned long long)seed, result.why, settings->program, (unsigned long long)seed,
            play.nodes, (unsigned long long)play.storm_ms, play.faults ? "" : " --calm");
    if (result.rest_ms > settings->patience_ms)
        (void)fprintf(to, "seed %llu came to rest after %.1f s\n", (unsigned long long)seed,
                      (double)result.rest_ms / 1000);
    (void)fclose(to);
    (void)fwrite(text, 1, size, stdout);
    (void)fflush(stdout);
    free(text);
}

/* Every jobs-th seed, from the job-th on. */
static struct sum play_some(const struct settings *settings, uint64_t job)
{
    struct sum sum = {0};
    double began = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (uint64_t i = job; i < settings->seeds; i += settings->jobs) {
        uint64_t seed = settings->first + i;
        play_one(settings, seed, &sum);
        if (sum.seeds % PROGRESS_EVERY == 0)
            (void)fprintf(stderr, "job %llu: %llu seeds played, %llu failed, at seed %llu\n",
                          (unsigned long long)job, (unsigned long long)sum.seeds,
                          (unsigned long long)sum.failed, (unsigned long long)seed);
    }
    sum.cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - began;
    return sum;
}

/* In a process of its own; its sum comes through the pipe. */
static pid_t begin_job(const struct settings *settings, uint64_t job, int pipe_end)
{
    (void)fflush(stdout);
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    struct sum sum = play_some(settings, job);
    _exit(write(pipe_end, &sum, sizeof sum) == (ssize_t)sizeof sum ? 0 : 1);
}

static struct sum play_all(const struct settings *settings)
{
    struct sum sum = {0}, part;
    int ends[2], status;
    if (settings->jobs == 1)
        return play_some(settings, 0);
    if (pipe(ends) != 0)
        abort();
    for (uint64_t job = 0; job < settings->jobs; job++)
        if (begin_job(settings, job, ends[1]) < 0)
            abort();
    (void)close(ends[1]);
    while (read(ends[0], &part, sizeof part) == (ssize_t)sizeof part)
        add_sum(&sum, &part);
    (void)close(ends[0]);
    while (wait(&status) > 0)
        if (!WIFEXITED(status) || WEXITSTATUS(status)) {
            (void)printf("a job ended with status %d\n", status);
            sum.failed++;
        }
    return sum;
}

int main(int argc, char **argv)
{
    struct settings settings = {.play = {.faults = true},
                                .first = 1,
                                .seeds = 100,
                                .jobs = 1,
                                .patience_ms = UINT64_MAX,
                                .rows = ROWS,
                                .program = argv[0]};
    double began = seconds(CLOCK_MONOTONIC);
    if (!read_settings(&settings, argc, argv))
        return usage(argv[0]);
    struct sum sum = play_all(&settings);
    print_sum(&sum, seconds(CLOCK_MONOTONIC) - began);
    (void)printf("%llu seeds: %s\n", (unsigned long long)sum.seeds,
                 sum.failed ? "FAILED, see above which" : "all clean");
    return sum.failed > 0;
}
