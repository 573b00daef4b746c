/* setting: what a person set in the environment, as make hands it on (CLOSES=5000, MINUTES=60).
 * What is nonsense ends the program with a sentence before it tests anything: a run of something
 * else than was asked for proves nothing. So they are read in main. */
#ifndef WEIR_TESTS_SUPPORT_SETTING_H
#define WEIR_TESTS_SUPPORT_SETTING_H

#include <stdbool.h>
#include <stdint.h>

/* A whole number, decimal or 0x… `otherwise` where it is not set, or empty. */
uint64_t setting_number(const char *name, uint64_t otherwise, uint64_t least, uint64_t most);

/* The same, with a fraction perhaps. */
double setting_decimal(const char *name, double otherwise, double least, double most);

/* Is it set? To anything but `word` it must not be. */
bool setting_is(const char *name, const char *word);

#endif
