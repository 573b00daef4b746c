/* What the analyzer cannot see from one file: these return an error, never 0. Included in front of
 * the rooms' files by scripts/lint. */
#include "base/errors.h"
#include "store/failure.h"

#include <stdlib.h>

static inline int an_error(int code)
{
    if (code >= 0)
        abort();
    return code;
}
void says(struct reason *why, const char *format, ...);
int some_error(struct reason *why, int code, const char *doing, const char *path);

#define fail(why, code, ...)                  (says(why, __VA_ARGS__), an_error(code))
#define store_failure(why, code, doing, path) an_error(some_error(why, code, doing, path))
