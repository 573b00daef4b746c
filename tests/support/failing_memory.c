#include "tests/support/failing_memory.h"

#include <stddef.h>

static unsigned allocations, fail_at; /* fail_at 0: none */
static bool structs_only, no_memory;

void failing_memory_begin(unsigned n)
{
    allocations = 0;
    fail_at = n;
}

void failing_memory_begin_structs(unsigned n)
{
    failing_memory_begin(n);
    structs_only = true;
}

void failing_memory_none(void)
{
    no_memory = true;
}

bool failing_memory_end(void)
{
    bool reached = allocations >= fail_at;
    fail_at = 0;
    structs_only = no_memory = false;
    return reached;
}

static bool fails(bool is_struct)
{
    return no_memory || ((is_struct || !structs_only) && ++allocations == fail_at);
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size)
{
    return fails(false) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails(count == 1) ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails(false) ? NULL : __real_realloc(old, size);
}
