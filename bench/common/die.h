/* die: a benchmark that meets anything unexpected ends without a figure. */
#ifndef WEIR_BENCH_DIE_H
#define WEIR_BENCH_DIE_H

/* Prints `bench: …` to stderr and exits with 1. */
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif
