#include "actors/spare_memory.h"

#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

size_t spare_memory_bytes(void)
{
    unsigned long long resident = 0, shared = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    int got = file ? fscanf(file, "%*u %llu %llu", &resident, &shared) : 0;
    if (file)
        (void)fclose(file);
    struct mallinfo2 info = mallinfo2();
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t own = got == 2 && resident > shared ? (size_t)(resident - shared) * page : 0;
    size_t used = info.uordblks + info.hblkhd;
    return own > used ? own - used : 0;
}

void spare_memory_give_back(size_t most)
{
    if (spare_memory_bytes() > most)
        (void)malloc_trim(0);
}
