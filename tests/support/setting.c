#include "tests/support/setting.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const char *name)
{
    const char *text = getenv(name);
    return text && *text ? text : NULL;
}

/* No sign, no blank before it. */
static bool begins_with_digit(const char *text)
{
    return *text >= '0' && *text <= '9';
}

uint64_t setting_number(const char *name, uint64_t otherwise, uint64_t least, uint64_t most)
{
    const char *text = text_of(name);
    if (!text)
        return otherwise;
    char *rest;
    errno = 0;
    uint64_t number = strtoull(text, &rest, 0);
    if (begins_with_digit(text) && !*rest && !errno && number >= least && number <= most)
        return number;
    (void)fprintf(stderr, "%s=%s: wanted a whole number from %" PRIu64 " to %" PRIu64 "\n", name,
                  text, least, most);
    exit(2);
}

double setting_decimal(const char *name, double otherwise, double least, double most)
{
    const char *text = text_of(name);
    if (!text)
        return otherwise;
    char *rest;
    double number = strtod(text, &rest);
    if (begins_with_digit(text) && !*rest && number >= least && number <= most)
        return number;
    (void)fprintf(stderr, "%s=%s: wanted a number from %g to %g\n", name, text, least, most);
    exit(2);
}

bool setting_is(const char *name, const char *word)
{
    const char *text = text_of(name);
    if (!text || strcmp(text, word) == 0)
        return text;
    (void)fprintf(stderr, "%s=%s: wanted %s, or nothing\n", name, text, word);
    exit(2);
}
