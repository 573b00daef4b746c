#include "base/trace.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

static trace_sink *sink_set;
static enum trace_level most_set;

void trace_set(trace_sink *sink, enum trace_level most)
{
    sink_set = sink;
    most_set = most;
}

void trace(enum trace_level level, const char *format, ...)
{
    char text[512];
    va_list args;
    if (!sink_set || level > most_set)
        return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    sink_set(level, text);
}
