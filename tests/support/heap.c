#include "tests/support/heap.h"

#include <malloc.h>

size_t heap_bytes(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}
