/* spare_memory: what malloc keeps of a peak after all of it was freed. It is there for the next
 * peak, but a process that had one would look large for ever: malloc gives back by itself only what
 * is free at the end of an arena. */
#ifndef WEIR_ACTORS_SPARE_MEMORY_H
#define WEIR_ACTORS_SPARE_MEMORY_H

#include <stddef.h>

/* Bytes of this process that are resident, are no file's, and are not allocated: at least so much
 * (what is allocated and was never written to is not resident, and taken for it) of malloc's
 * reserve, stacks, and what libraries have of their own. 0: the system does not tell. */
size_t spare_memory_bytes(void);

/* Gives malloc's reserve back to the system when more than `most` bytes are spare. Threads that
 * allocate meanwhile wait, about a millisecond for 10 MiB. Source: malloc_trim(3). */
void spare_memory_give_back(size_t most);

#endif
