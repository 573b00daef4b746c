#include "bench/common/process.h"

#include "bench/common/clock.h"
#include "bench/common/die.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t process_cpu_ns(pid_t pid)
{
    clockid_t clock;
    if (pid == 0)
        return 0;
    if (clock_getcpuclockid(pid, &clock))
        die("process %d is gone", (int)pid);
    return clock_of(clock);
}

uint64_t process_kib(pid_t pid, const char *line)
{
    char path[64], text[256];
    uint64_t kib = 0;
    size_t size = strlen(line);
    if (pid == 0)
        return 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    if (!file)
        die("process %d is gone", (int)pid);
    while (fgets(text, sizeof text, file)) {
        if (strncmp(text, line, size) == 0 && text[size] == ':')
            kib = strtoull(text + size + 1, NULL, 10);
    }
    fclose(file);
    return kib;
}
