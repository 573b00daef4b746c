#include "base/errors.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    int code;
    const char *name, *text;
} rows[] = {{ERR_NONE, "OK", "done"},
#define X(code, value, name, text) {code, name, text},
            ERRORS(X)
#undef X
};

enum { ROWS = sizeof rows / sizeof rows[0] };

const char *error_name(int code)
{
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].code == code)
            return rows[i].name;
    return "INTERNAL";
}

const char *error_text(int code)
{
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].code == code)
            return rows[i].text;
    return "unknown error";
}

int error_from_name(const void *name, size_t size)
{
    for (size_t i = 0; i < ROWS; i++)
        if (strlen(rows[i].name) == size && memcmp(rows[i].name, name, size) == 0)
            return rows[i].code;
    return ERR_BAD_REQUEST;
}

int fail(struct reason *why, int code, const char *format, ...)
{
    if (why) {
        va_list args;
        va_start(args, format);
        (void)vsnprintf(why->text, sizeof why->text, format, args);
        va_end(args);
    }
    return code;
}
