#include "tests/crash/crowd.h"

#include "tests/crash/image.h"
#include "tests/crash/verdict.h"
#include "tests/unit/store_fixture.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS_MAX = 64, IMAGE_SECONDS = 120, GOES_ON_EVERY = 8 };

/* Shared by the processes. */
struct crowd {
    const struct images_wanted *wanted;
    const struct claims *claims;
    uint64_t *places; /* of the crash: before and after each sync that ends */
    size_t place_count;
    _Atomic uint32_t looked_at, folder_made;
    _Atomic uint32_t failed; /* the first that did */
    _Atomic uint32_t at[WORKERS_MAX];
    struct reason whys[WORKERS_MAX];
};

/* --- places ------------------------------------------------------------------------------ */

static void find_places(struct crowd *self)
{
    const struct trace *trace = self->wanted->trace;
    size_t count = 0;
    for (int pass = 0; pass < 2; pass++) {
        count = 0;
        for (uint64_t place = trace_first();;) {
            const struct trace_event *event = trace_at(trace, place);
            bool ends = event->type == TRACE_SYNCED;
            if (event->type == TRACE_END)
                break;
            if (pass && ends) {
                self->places[count] = place;
                self->places[count + 1] = place + event->bytes;
            }
            count += ends ? 2 : 0;
            place += event->bytes;
        }
        if (pass == 0)
            self->places = (uint64_t *)calloc(count + 2, sizeof *self->places);
        if (!self->places)
            abort();
    }
    self->place_count = count;
}

/* Places go up with the image's number. */
static uint64_t place_of(const struct crowd *self, uint32_t image)
{
    return self->places[(uint64_t)image * self->place_count / self->wanted->count];
}

/* --- one image --------------------------------------------------------------------------- */

static int look_at(struct crowd *self, struct images *images, uint32_t image, struct reason *why)
{
    uint64_t place = place_of(self, image);
    bool goes_on = image % GOES_ON_EVERY == 0;
    random_start(self->wanted->seed * 0x9e3779b97f4a7c15u + image);
    disk_advance(images->disk, place);
    image_make(images);
    self->folder_made += access(images->folder, F_OK) == 0;
    struct store_options options = {.data_dir = images->folder,
                                    .store_bytes_max = UINT64_MAX,
                                    .state_bytes_max = STATE_BYTES_MAX,
                                    .log_segment_bytes = self->wanted->segment_bytes};
    int rc = verdict(&options, self->wanted->map_bytes, self->claims, place, goes_on, why);
    if (rc) {
        struct reason first = *why;
        rc = (fail)(why, rc, "%s: %.150s (%s)", error_name(rc), first.text, images->made_of);
    }
    image_clear(images);
    return rc;
}

/* --- workers ----------------------------------------------------------------------------- */

static bool had_failed(const struct crowd *self)
{
    return self->failed != UINT32_MAX;
}

/* Images from..to - 1, in a process of its own. */
static void work(struct crowd *self, unsigned worker, uint32_t from, uint32_t to)
{
    static struct disk disk;
    static struct images images;
    disk_init(&disk, self->wanted->trace);
    images_open(&images, &disk);
    for (uint32_t i = from; i < to && !had_failed(self); i++) {
        self->at[worker] = i;
        (void)alarm(IMAGE_SECONDS);
        if (look_at(self, &images, i, &self->whys[worker]) && !had_failed(self))
            self->failed = i;
        else
            self->looked_at++;
    }
    images_close(&images);
    disk_clear(&disk);
    fflush(NULL);
    _exit(0);
}

static void show_progress(const struct crowd *self, double seconds)
{
    uint32_t done = self->looked_at, all = self->wanted->count;
    (void)fprintf(stderr, "\r%s: %u of %u images, %.0f s ", self->wanted->name, done, all, seconds);
}

/* Of processes that ended and were waited for. */
static double cpu_s(void)
{
    struct rusage used;
    (void)getrusage(RUSAGE_CHILDREN, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Waits for all. One that ends by a signal was at a bad image. */
static void wait_for(struct crowd *self, const pid_t *workers, unsigned count, bool show,
                     struct reason *why)
{
    double began = now_s();
    for (unsigned open = count; open;) {
        int status;
        pid_t ended = waitpid(-1, &status, WNOHANG);
        if (ended <= 0) {
            struct timespec pause = {.tv_nsec = 20000000};
            (void)nanosleep(&pause, NULL);
            if (show)
                show_progress(self, now_s() - began);
            continue;
        }
        for (unsigned i = 0; i < count; i++)
            if (workers[i] == ended) {
                open--;
                if (status && !had_failed(self)) {
                    self->failed = self->at[i];
                    (void)(fail)(&self->whys[i], ERR_INTERNAL, "the process ended with status %d",
                                 status);
                }
            }
    }
    for (unsigned i = 0; i < count; i++)
        if (had_failed(self) && self->at[i] == self->failed)
            *why = self->whys[i];
    if (show)
        (void)fprintf(stderr, "\n");
}

static void run(struct crowd *self, bool show, struct images_found *found)
{
    const struct images_wanted *wanted = self->wanted;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned count = cores < 1 ? 1 : cores > WORKERS_MAX ? WORKERS_MAX : (unsigned)cores;
    uint32_t from = 0, to = wanted->count;
    if (wanted->only != UINT32_MAX) {
        from = wanted->only;
        to = from + 1;
        count = 1;
    }
    pid_t workers[WORKERS_MAX];
    fflush(NULL);
    for (unsigned i = 0; i < count; i++) {
        uint64_t images = to - from;
        workers[i] = fork();
        if (workers[i] == 0)
            work(self, i, from + (uint32_t)(images * i / count),
                 from + (uint32_t)(images * (i + 1) / count));
    }
    wait_for(self, workers, count, show, &found->why);
}

void images_look(const struct images_wanted *wanted, bool show, struct images_found *found)
{
    double began = now_s(), cpu = cpu_s();
    struct claims *claims = claims_read(wanted->trace);
    struct crowd *self = (struct crowd *)mmap(NULL, sizeof *self, PROT_READ | PROT_WRITE,
                                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (self == MAP_FAILED || sodium_init() < 0)
        abort();
    self->wanted = wanted;
    self->claims = claims;
    self->failed = UINT32_MAX;
    find_places(self);
    run(self, show, found);
    found->looked_at = self->looked_at;
    found->folder_made = self->folder_made;
    found->failed = self->failed;
    found->syncs = (uint32_t)(self->place_count / 2);
    found->told = claims_told_before(claims, UINT64_MAX);
    found->seconds = now_s() - began;
    found->cpu_seconds = cpu_s() - cpu;
    free(self->places);
    (void)munmap(self, sizeof *self);
    claims_destroy(&claims);
}
