/* heap: how much memory this program holds, for tests of bounds. */
#ifndef WEIR_TESTS_HEAP_H
#define WEIR_TESTS_HEAP_H

#include <stddef.h>

/* Bytes on the heap now (mallinfo2). A sanitizer has a heap of its own, which is not counted. */
size_t heap_bytes(void);

#endif
