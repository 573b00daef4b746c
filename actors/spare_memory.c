#include "actors/spare_memory.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Bytes that are resident and no file's. proc(5): statm has, in pages, all, what is resident, and
 * what of that is shared. */
static size_t own_bytes(void)
{
    char line[256] = "", *rest = line;
    FILE *file = fopen("/proc/self/statm", "re");
    bool read = file && fgets(line, sizeof line, file);
    if (file)
        (void)fclose(file);
    if (!read)
        return 0;
    (void)strtoull(rest, &rest, 10);
    unsigned long long resident = strtoull(rest, &rest, 10), shared = strtoull(rest, &rest, 10);
    return resident > shared ? (size_t)(resident - shared) * (size_t)sysconf(_SC_PAGESIZE) : 0;
}

size_t spare_memory_bytes(void)
{
    struct mallinfo2 info = mallinfo2();
    size_t own = own_bytes();
    size_t used = info.uordblks + info.hblkhd;
    return own > used ? own - used : 0;
}

void spare_memory_give_back(size_t most)
{
    if (spare_memory_bytes() > most)
        (void)malloc_trim(0);
}
