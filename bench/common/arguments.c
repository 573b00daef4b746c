#include "bench/common/arguments.h"

#include "bench/common/die.h"

#include <errno.h>
#include <stdlib.h>

uint64_t argument_number(const char *text, uint64_t most)
{
    char *end;
    errno = 0;
    uint64_t value = strtoull(text, &end, 10);
    if (errno || end == text || *end || value > most)
        die("'%s' is not a number", text);
    return value;
}

double argument_seconds(const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= 0 && value <= 86400))
        die("'%s' is not a time in seconds", text);
    return value;
}
