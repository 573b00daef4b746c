#include "main/operator_log.h"

#include "base/trace.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char *const level_names[] = {"error", "warn", "info", "debug"};

/* UTC with milliseconds, as RFC 3339 writes it. */
static void now_text(char text[40])
{
    struct timespec now;
    struct tm utc;
    char seconds[24];
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &utc);
    (void)strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(text, 40, "%s.%03ldZ", seconds, now.tv_nsec / 1000000);
}

static void write_text(enum trace_level level, const char *text)
{
    char time[40];
    now_text(time);
    (void)fprintf(stderr, "%s %-5s %s\n", time, level_names[level], text);
}

static void write_json(enum trace_level level, const char *text)
{
    char time[40];
    now_text(time);
    json_t *line =
        json_pack("{s:s, s:s, s:s}", "time", time, "level", level_names[level], "text", text);
    char *dump = line ? json_dumps(line, JSON_COMPACT) : NULL;
    (void)fprintf(stderr, "%s\n", dump ? dump : "{}");
    free(dump);
    json_decref(line);
}

bool operator_log_start(const char *level, bool json)
{
    for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++) {
        if (slice_is(slice_text(level), level_names[i])) {
            trace_set(json ? write_json : write_text, (enum trace_level)i);
            return true;
        }
    }
    return false;
}
