#include "tests/support/failing_memory.h"

#include <stddef.h>

static unsigned allocations, fail_at;         /* fail_at 0: none */
static enum { ALL, STRUCTS, TABLES } counted; /* of the calls below */
static bool no_memory;

void failing_memory_begin(unsigned n)
{
    allocations = 0;
    fail_at = n;
}

void failing_memory_begin_structs(unsigned n)
{
    failing_memory_begin(n);
    counted = STRUCTS;
}

void failing_memory_begin_tables(unsigned n)
{
    failing_memory_begin(n);
    counted = TABLES;
}

void failing_memory_none(void)
{
    no_memory = true;
}

bool failing_memory_end(void)
{
    bool reached = allocations >= fail_at;
    fail_at = 0;
    counted = ALL;
    no_memory = false;
    return reached;
}

static bool fails(bool is_struct, bool is_table)
{
    bool counts = counted == ALL || (counted == STRUCTS ? is_struct : is_table);
    return no_memory || (counts && ++allocations == fail_at);
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size)
{
    return fails(false, true) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails(count == 1, count != 1) ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails(false, false) ? NULL : __real_realloc(old, size);
}
