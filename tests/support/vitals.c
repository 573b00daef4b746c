#include "tests/support/vitals.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static FILE *open_of(pid_t pid, const char *name)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("%s: there is no such process", path);
    return file;
}

static int64_t memory_kib(pid_t pid, const char *name)
{
    char line[256];
    int64_t kib = -1;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return 0;
#endif
    FILE *file = open_of(pid, "status");
    while (fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0)
            kib = strtoll(line + strlen(name), NULL, 10);
    (void)fclose(file);
    assert_true(kib > 0);
    return kib;
}

int64_t vitals_memory_kib(pid_t pid)
{
    return memory_kib(pid, "VmRSS:");
}

int64_t vitals_memory_peak_kib(pid_t pid)
{
    return memory_kib(pid, "VmHWM:");
}

size_t vitals_sockets(pid_t pid)
{
    char path[64], to[16];
    size_t count = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (const struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        ssize_t size = readlinkat(dirfd(dir), e->d_name, to, sizeof to);
        count += size > 7 && memcmp(to, "socket:", 7) == 0;
    }
    (void)closedir(dir);
    return count;
}

long vitals_cpu_ticks(pid_t pid)
{
    char line[1024];
    unsigned long user = 0, system = 0;
    FILE *file = open_of(pid, "stat");
    assert_non_null(fgets(line, sizeof line, file));
    (void)fclose(file);
    const char *at = strrchr(line, ')');
    assert_non_null(at);
    assert_int_equal(sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                            &user, /* */
                            &system),
                     2);
    return (long)(user + system);
}
