/* now: the clock that tests measure with, where milliseconds (client/clock.h) are too coarse. */
#ifndef WEIR_TESTS_SUPPORT_NOW_H
#define WEIR_TESTS_SUPPORT_NOW_H

#include <stdint.h>
#include <time.h>

/* Since some moment of the past. */
static inline uint64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

#endif
