/* sim: plays many seeds (make sim SEEDS=… NODES=… SEED=…). A seed that fails is told with the
 * command that plays it again, and the end of its trace. */
#include "tests/sim/play.h"

#include <getopt.h>
#include <stdlib.h>
#include <time.h>

enum { ROWS = 200 };

static double seconds(void)
{
    struct timespec at;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static int usage(const char *program)
{
    (void)fprintf(stderr,
                  "usage: %s [--seeds N] [--first SEED] [--seed SEED] [--nodes N] [--storm MS] "
                  "[--calm] [--trace] [--rows N]\n",
                  program);
    return 2;
}

struct settings {
    struct play_options play;
    uint64_t first, seeds;
    size_t rows;
};

static bool read_settings(struct settings *self, int argc, char **argv)
{
    static const struct option options[] = {
        {"seeds", required_argument, NULL, 'n'},
        {"first", required_argument, NULL, 'f'},
        {"seed", required_argument, NULL, 's'},
        {"nodes", required_argument, NULL, 'k'},
        {"storm", required_argument, NULL, 'm'},
        {"calm", no_argument, NULL, 'c'},
        {"trace", no_argument, NULL, 't'},
        {"rows", required_argument, NULL, 'r'},
        {NULL, 0, NULL, 0},
    };
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        uint64_t number = optarg ? strtoull(optarg, NULL, 0) : 0;
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

int main(int argc, char **argv)
{
    struct settings settings = {.play = {.faults = true}, .first = 1, .seeds = 100, .rows = ROWS};
    uint64_t failed = 0, handled = 0, virtual_ms = 0, rest_ms = 0, longest_ms = 0;
    double began = seconds();
    if (!read_settings(&settings, argc, argv))
        return usage(argv[0]);
    for (uint64_t i = 0; i < settings.seeds; i++) {
        struct play_options play = settings.play;
        play.seed = settings.first + i;
        struct play_result result = play_run(&play, settings.rows, stdout);
        handled += result.handled;
        virtual_ms += result.virtual_ms;
        rest_ms += result.rest_ms;
        longest_ms = result.rest_ms > longest_ms ? result.rest_ms : longest_ms;
        failed += result.failed;
        if (result.failed)
            (void)printf(
                "seed %llu failed: %s\n  again: %s --seed %llu --nodes %zu --storm %llu%s\n",
                (unsigned long long)play.seed, result.why, argv[0], (unsigned long long)play.seed,
                play.nodes, (unsigned long long)play.storm_ms, play.faults ? "" : " --calm");
        (void)fflush(stdout);
    }
    double took = seconds() - began;
    (void)printf("seeds: %llu\nfailed: %llu\nvirtual time: %.0f s\nCPU: %.1f s\n"
                 "messages: %llu\nmessages a second of CPU: %.0f\nto rest, mean: %.1f s\n"
                 "to rest, longest: %.1f s\n",
                 (unsigned long long)settings.seeds, (unsigned long long)failed,
                 (double)virtual_ms / 1000, took, (unsigned long long)handled,
                 (double)handled / took, (double)rest_ms / 1000 / (double)settings.seeds,
                 (double)longest_ms / 1000);
    return failed > 0;
}
