/* failing_memory: the n-th allocation fails. For a program that is linked with
 * -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc. */
#ifndef WEIR_TESTS_FAILING_MEMORY_H
#define WEIR_TESTS_FAILING_MEMORY_H

#include <stdbool.h>

/* Of the allocations from here on the n-th (from 1) fails. */
void failing_memory_begin(unsigned n);

/* The same of structs alone (calloc of one), and of what is no struct of ours: the memory of hash
 * tables themselves (malloc, which a compiler that sees it cleared makes a calloc of bytes). */
void failing_memory_begin_structs(unsigned n);
void failing_memory_begin_tables(unsigned n);

/* There is none at all, until _end. */
void failing_memory_none(void);

/* None fails any more. True: it came to the n-th. */
bool failing_memory_end(void);

#endif
