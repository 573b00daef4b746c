/* arguments: numbers on a benchmark's command line. Both end the program on anything else. */
#ifndef WEIR_BENCH_ARGUMENTS_H
#define WEIR_BENCH_ARGUMENTS_H

#include <stdint.h>

/* A decimal number of at most `most`. */
uint64_t argument_number(const char *text, uint64_t most);

/* Seconds, with or without a fraction. */
double argument_seconds(const char *text);

#endif
