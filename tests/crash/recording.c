#include "tests/crash/loads.h"

#include <stdio.h>
#include <stdlib.h>

static void set(const char *name, const char *value)
{
    if (setenv(name, value, 1))
        abort();
}

void recording_begin(const char *recorder, const char *trace_path, const char *data_dir)
{
    char options[512];
    const char *given = getenv("ASAN_OPTIONS");
    /* The recorder only hands its calls on: it may stand before the sanitizer. */
    (void)snprintf(options, sizeof options, "%s:verify_asan_link_order=0", given ? given : "");
    set("ASAN_OPTIONS", options);
    set("WEIR_TRACE", trace_path);
    set("WEIR_TRACE_DATA", data_dir);
    set("LD_PRELOAD", recorder);
}

void recording_end(void)
{
    (void)unsetenv("LD_PRELOAD");
    (void)unsetenv("WEIR_TRACE");
    (void)unsetenv("WEIR_TRACE_DATA");
}
