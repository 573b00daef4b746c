/* clock: the two clocks of client/. What is dated for others goes by the wall clock, which may
 * jump; deadlines go by the other one. */
#ifndef WEIR_CLIENT_CLOCK_H
#define WEIR_CLIENT_CLOCK_H

#include <stdint.h>

uint64_t unix_ms(void); /* Unix time, by this machine's wall clock */

/* Since some moment of the past; it only goes forward, and not while the machine sleeps. */
uint64_t monotonic_ms(void);

#endif
