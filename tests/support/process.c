#include "tests/support/process.h"

#include <ftw.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { READY_MS_MAX = 60000, OPTIONS_MAX = 24 }; /* only a fault takes that long */

static unsigned descriptors_max;

void process_limit_descriptors(unsigned most)
{
    descriptors_max = most;
}

void data_dir_new(char dir[64])
{
    snprintf(dir, 64, "/tmp/weir-test-XXXXXX");
    assert_non_null(mkdtemp(dir));
}

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *walk)
{
    (void)about, (void)type, (void)walk;
    return remove(path);
}

void data_dir_remove(const char *dir)
{
    (void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void data_dir_check(const char *dir)
{
    char *command;
    const char *weir = getenv("WEIR");
    assert_true(asprintf(&command, "%s check %s >/dev/null", weir ? weir : "build/weir", dir) > 0);
    int status = system(command);
    free(command);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("weir check finds damage in %s", dir);
}

/* Runs in the child: becomes the node. It goes when the test goes, however that ends. */
static void become_node(const char *data_dir, const char *const *options,
                        const char *const *command, int out)
{
    const char *weir = getenv("WEIR");
    const char *node[] = {weir ? weir : "build/weir", "node", "--data", data_dir, "--client",
                          "tcp://127.0.0.1:0"};
    const char *args[OPTIONS_MAX] = {0};
    size_t count = 0;
    bool listens = false;
    while (command && *command && count < OPTIONS_MAX / 2)
        args[count++] = *command++;
    for (size_t i = 0; i < sizeof node / sizeof node[0]; i++)
        args[count++] = node[i];
    while (options && *options && count < OPTIONS_MAX - 3) {
        listens |= strcmp(*options, "--listen") == 0;
        args[count++] = *options++;
    }
    if (!listens) {
        args[count++] = "--listen";
        args[count++] = "none";
    }
    struct rlimit few = {.rlim_cur = descriptors_max, .rlim_max = descriptors_max};
    if (descriptors_max && setrlimit(RLIMIT_NOFILE, &few) != 0)
        _exit(126);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(out, STDOUT_FILENO);
    close(out);
    union { /* execv takes its strings without const and leaves them alone */
        const char *const *given;
        char *const *taken;
    } vector = {.given = args};
    execvp(args[0], vector.taken);
    _exit(127);
}

/* One line from the pipe, with the deadline for each piece of it. */
static size_t read_line(int from, char *line, size_t room)
{
    size_t size = 0;
    while (size < room - 1) {
        struct pollfd wait = {.fd = from, .events = POLLIN};
        if (poll(&wait, 1, READY_MS_MAX) <= 0 || read(from, line + size, 1) != 1)
            break;
        if (line[size] == '\n')
            break;
        size++;
    }
    line[size] = 0;
    return size;
}

bool process_try(struct process *self, const char *data_dir, const char *const *options,
                 const char *const *command)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    self->pid = fork();
    assert_true(self->pid >= 0);
    if (self->pid == 0) {
        close(ends[0]);
        become_node(data_dir, options, command, ends[1]);
    }
    close(ends[1]);
    (void)read_line(ends[0], self->ready, sizeof self->ready);
    close(ends[0]);
    const char *client = strstr(self->ready, " client=");
    if (strncmp(self->ready, "ready ", 6) != 0 || !client) {
        process_kill(self);
        return false;
    }
    client += strlen(" client=");
    snprintf(self->endpoint, sizeof self->endpoint, "%.*s", (int)strcspn(client, ", "), client);
    return true;
}

void process_start(struct process *self, const char *data_dir, const char *const *options)
{
    if (!process_try(self, data_dir, options, NULL))
        fail_msg("the node did not become ready; it said: '%s'", self->ready);
}

bool process_ended(struct process *self)
{
    if (self->pid > 0 && waitpid(self->pid, &self->status, WNOHANG) == self->pid)
        self->pid = 0;
    return self->pid == 0;
}

double process_memory_kib(const struct process *self)
{
    char path[64], line[256];
    double kib = -1;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return 0;
#endif
    snprintf(path, sizeof path, "/proc/%d/status", (int)self->pid);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        if (strncmp(line, "RssAnon:", 8) == 0)
            kib = strtod(line + 8, NULL);
    fclose(file);
    assert_true(kib > 0);
    return kib;
}

static int end(struct process *self, int signal_number)
{
    if (self->pid <= 0)
        return -1;
    kill(self->pid, signal_number);
    waitpid(self->pid, &self->status, 0);
    self->pid = 0;
    return self->status;
}

int process_stop(struct process *self)
{
    return end(self, SIGTERM);
}

void process_kill(struct process *self)
{
    (void)end(self, SIGKILL);
}
