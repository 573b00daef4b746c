/* A soak: five nodes, 200 contracts that all of them follow and write to, nodes that are killed,
 * stopped and paused, a network that is cut and slow. Memory and descriptors of each node do not
 * grow (samples.h), nobody ends by itself, and in the end all have the same, with all that was
 * acknowledged.
 *
 * MINUTES (a decimal number) is how long; from JUDGED_MINUTES on growth counts, a shorter run only
 * shows it. PROGRESS=1 tells how it goes. SEED. */
/* link: -lm */
#include "tests/soak/churn.h"
#include "tests/soak/load.h"
#include "tests/soak/samples.h"
#include "tests/support/setting.h"
#include "tests/unit/store_fixture.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    WRITE_EVERY_MS = 50,
    WARM_UNITS = 10, /* a process younger than that is not sampled */
    TELL_TIMES = 60, /* progress lines, but not more than one in */
    TELL_MS_MIN = 5000,
    SETTLE_MS = 120000,
    JUDGED_MINUTES = 10,
    UNIT_MS = 1000,
    SHORT_UNIT_MS = 150,
    HEAP_TOLERANCE_KIB = 256, /* of drift; or this share of the level, when that is more: */
    HEAP_TOLERANCE_PERCENT = 5,
    MEMORY_TOLERANCE_KIB = 4 << 10, /* malloc keeps what was a peak's for the next one */
    FDS_TOLERANCE = 1,
};
static const double MINUTES_SHORT = 0.12, MINUTES_MIN = 0.01, MINUTES_MAX = 100000;

struct soak {
    struct far_network far;
    struct load load;
    struct churn churn;
    struct samples heap_kib[LOAD_NODES], memory_kib[LOAD_NODES], fds[LOAD_NODES];
    struct asked {
        size_t node;
        bool open;
    } asked[LOAD_NODES]; /* for its STATUS */
    double minutes;
    int64_t start_ms, whole_ms;
    bool shown;
};

static struct soak soak;
static uint64_t seed;

/* --- what is sampled ------------------------------------------------------------------------- */

static double descriptors(pid_t pid)
{
    char path[64];
    double count = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir));)
        count += entry->d_name[0] != '.';
    (void)closedir(dir);
    return count;
}

static double at_s(int64_t now_ms)
{
    return (double)(now_ms - soak.start_ms) / 1000;
}

static void on_status(weir_t *w, const struct weir_reply *reply, void *argument)
{
    struct asked *asked = (struct asked *)argument;
    (void)w;
    asked->open = false;
    if (reply->code != 0)
        return; /* it was ended, or paused for long */
    json_t *status = json_loadb((const char *)reply->json.data, reply->json.size, 0, NULL);
    const json_t *kib = json_object_get(status, "heap_used_kib");
    assert_true(json_is_integer(kib));
    samples_add(&soak.heap_kib[asked->node], at_s(network_now_ms()),
                (double)json_integer_value(kib));
    json_decref(status);
}

static void ask_status(size_t node)
{
    struct asked *asked = &soak.asked[node];
    if (asked->open || soak.far.network.nodes[node].stopped)
        return;
    *asked = (struct asked){.node = node, .open = true};
    if (weir_status_async(soak.far.network.nodes[node].client, on_status, asked) != 0)
        asked->open = false;
}

static void sample_all(int64_t now_ms)
{
    for (size_t i = 0; i < LOAD_NODES; i++) {
        const struct process *process = &soak.far.network.nodes[i].process;
        if (process->pid <= 0 ||
            now_ms - soak.churn.up_since_ms[i] < WARM_UNITS * soak.churn.unit_ms)
            continue;
        samples_add(&soak.memory_kib[i], at_s(now_ms), process_memory_kib(process));
        samples_add(&soak.fds[i], at_s(now_ms), descriptors(process->pid));
        ask_status(i);
    }
}

/* --- what is told ---------------------------------------------------------------------------- */

static double last_of(const struct samples *samples)
{
    return samples->count ? samples->all[samples->count - 1].value : 0;
}

static void tell_progress(int64_t now_ms)
{
    const struct load *load = &soak.load;
    const unsigned *count = soak.churn.count;
    (void)printf(
        "%7.1f min  written %llu, refused %llu  kills %u stops %u pauses %u  cuts %u one-way "
        "%u slow %u ",
        (double)(now_ms - soak.start_ms) / 60000, (unsigned long long)load->acked,
        (unsigned long long)load->refused, count[TROUBLE_KILL], count[TROUBLE_STOP],
        count[TROUBLE_PAUSE], count[TROUBLE_CUT], count[TROUBLE_ONE_WAY], count[TROUBLE_SLOW]);
    for (size_t i = 0; i < LOAD_NODES; i++)
        (void)printf(" %.1f of %.1f MiB/%.0f", last_of(&soak.heap_kib[i]) / 1024,
                     last_of(&soak.memory_kib[i]) / 1024, last_of(&soak.fds[i]));
    (void)printf("\n");
    (void)fflush(stdout);
}

static const char *const VERDICTS[] = {"steady", "GROWS", "UNCLEAR"};

static bool tell_trend(size_t node, const char *what, const struct samples *samples,
                       double tolerance, double percent)
{
    struct trend trend = samples_trend(samples, soak.minutes * 60);
    if (trend.level * percent / 100 > tolerance)
        tolerance = trend.level * percent / 100;
    enum verdict verdict = trend_verdict(&trend, tolerance);
    bool judged = soak.minutes >= JUDGED_MINUTES;
    (void)printf("node %zu %-15s %10.1f %+10.1f +- %-8.1f %8.1f  %s\n", node, what, trend.level,
                 trend.drift, trend.error, tolerance,
                 judged ? VERDICTS[verdict] : "not judged: too short");
    return !judged || verdict == VERDICT_STEADY;
}

static bool tell_trends(void)
{
    bool steady = true;
    (void)printf("\n%-22s %10s %22s %8s\n", "after the first tenth", "level", "drift, its error",
                 "at most");
    for (size_t i = 0; i < LOAD_NODES; i++) {
        steady &= tell_trend(i, "heap, KiB", &soak.heap_kib[i], HEAP_TOLERANCE_KIB,
                             HEAP_TOLERANCE_PERCENT);
        steady &= tell_trend(i, "resident, KiB", &soak.memory_kib[i], MEMORY_TOLERANCE_KIB, 0);
        steady &= tell_trend(i, "descriptors", &soak.fds[i], FDS_TOLERANCE, 0);
    }
    return steady;
}

static void tell_load(int64_t settled_ms)
{
    const struct load *load = &soak.load;
    struct relay_counts packets = relay_counts_all(soak.far.relay);
    (void)printf(
        "\nwrites: %llu, acknowledged %llu, refused or unknown %llu; notifications %llu, of "
        "them repairs %llu; subscriptions that ended %llu\n",
        (unsigned long long)load->sent, (unsigned long long)load->acked,
        (unsigned long long)load->refused, (unsigned long long)load->events,
        (unsigned long long)load->repairs, (unsigned long long)load->ended);
    (void)printf("packets: carried %llu, lost %llu, cut %llu, dropped %llu\n",
                 (unsigned long long)packets.carried, (unsigned long long)packets.lost,
                 (unsigned long long)packets.cut, (unsigned long long)packets.overflowed);
    (void)printf("all equal %.1f s after the last trouble\n", (double)settled_ms / 1000);
    if (soak.minutes < JUDGED_MINUTES)
        (void)printf("whether anything grows was not judged: that takes MINUTES=%d\n",
                     JUDGED_MINUTES);
}

/* --- the soak -------------------------------------------------------------------------------- */

static int start(void **state)
{
    (void)state;
    far_network_start(&soak.far, LOAD_NODES, &CHURN_GOOD, seed);
    return 0;
}

static int end(void **state)
{
    (void)state;
    far_network_end(&soak.far);
    for (size_t i = 0; i < LOAD_NODES; i++) {
        samples_free(&soak.heap_kib[i]);
        samples_free(&soak.memory_kib[i]);
        samples_free(&soak.fds[i]);
    }
    return 0;
}

/* Steps until all are equal; how long that took. */
static int64_t settle(void)
{
    int64_t start_ms = network_now_ms();
    churn_end(&soak.churn);
    while (soak.load.open > 0 || !load_is_equal(&soak.load)) {
        if (network_now_ms() - start_ms > SETTLE_MS) {
            load_tell_differences(&soak.load);
            fail_msg("not equal %d s after the last trouble", SETTLE_MS / 1000);
        }
        load_follow(&soak.load);
        network_step(&soak.far.network, WRITE_EVERY_MS);
    }
    return network_now_ms() - start_ms;
}

static void run(void)
{
    int64_t now = network_now_ms(), write_at = now, sample_at = now, tell_at = now;
    int64_t tell_every = soak.whole_ms / TELL_TIMES;
    tell_every = tell_every > TELL_MS_MIN ? tell_every : TELL_MS_MIN;
    soak.start_ms = now;
    for (; now - soak.start_ms < soak.whole_ms; now = network_now_ms()) {
        churn_step(&soak.churn);
        for (; write_at <= now; write_at += WRITE_EVERY_MS)
            load_write(&soak.load);
        if (now >= sample_at) {
            load_follow(&soak.load);
            sample_all(now);
            sample_at = now + soak.churn.unit_ms; /* a second, in a long soak */
        }
        if (soak.shown && now >= tell_at) {
            tell_progress(now);
            tell_at += tell_every;
        }
        network_step(&soak.far.network, WRITE_EVERY_MS / 2);
    }
}

static void a_network_in_trouble_neither_grows_nor_loses(void **state)
{
    (void)state;
    soak.whole_ms = (int64_t)(soak.minutes * 60000);
    soak.shown = getenv("PROGRESS") != NULL;
    load_start(&soak.load, &soak.far.network, seed);
    churn_start(&soak.churn, &soak.far, soak.minutes < 1 ? SHORT_UNIT_MS : UNIT_MS, seed);
    run();
    int64_t settled_ms = settle();
    load_check(&soak.load);
    bool steady = tell_trends();
    tell_load(settled_ms);
    assert_true(soak.load.acked > 0);
    assert_true(steady);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_network_in_trouble_neither_grows_nor_loses, start, end),
    };
    soak.minutes = setting_decimal("MINUTES", MINUTES_SHORT, MINUTES_MIN, MINUTES_MAX);
    spaces_enter();
    seed = seed_random();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
