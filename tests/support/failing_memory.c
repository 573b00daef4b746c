#include "tests/support/failing_memory.h"

#include <stddef.h>

static unsigned allocations, fail_at; /* fail_at 0: none */

void failing_memory_begin(unsigned n)
{
    allocations = 0;
    fail_at = n;
}

bool failing_memory_end(void)
{
    bool reached = allocations >= fail_at;
    fail_at = 0;
    return reached;
}

static bool fails(void)
{
    return ++allocations == fail_at;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}
