#include "tests/soak/samples.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const double WARM = 0.1; /* of the time: not looked at */

void samples_add(struct samples *self, double at_s, double value)
{
    if (self->count == self->capacity) {
        self->capacity = self->capacity ? 2 * self->capacity : 1024;
        self->all = (struct sample *)realloc(self->all, self->capacity * sizeof *self->all);
        assert_non_null(self->all);
    }
    self->all[self->count++] = (struct sample){at_s, value};
}

void samples_free(struct samples *self)
{
    free(self->all);
    *self = (struct samples){0};
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts. */
static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* One point for each window that has samples; returns how many. */
static size_t windows_of(const struct samples *self, double end_s,
                         struct sample points[SAMPLES_WINDOWS])
{
    double start = end_s * WARM, width = (end_s - start) / SAMPLES_WINDOWS;
    double *values = (double *)malloc((self->count + 1) * sizeof *values);
    size_t windows = 0, at = 0;
    assert_non_null(values);
    while (at < self->count && self->all[at].at_s < start)
        at++;
    for (size_t w = 0; w < SAMPLES_WINDOWS; w++) {
        double until = start + width * (double)(w + 1);
        size_t count = 0;
        for (; at < self->count && self->all[at].at_s < until; at++)
            values[count++] = self->all[at].value;
        if (count)
            points[windows++] = (struct sample){until - width / 2, median(values, count)};
    }
    free(values);
    return windows;
}

struct trend samples_trend(const struct samples *self, double end_s)
{
    struct sample points[SAMPLES_WINDOWS];
    double values[SAMPLES_WINDOWS], x = 0, y = 0, xx = 0, xy = 0, rest = 0;
    size_t n = windows_of(self, end_s, points);
    double count = (double)n, span = end_s * (1 - WARM);
    if (n == 0)
        return (struct trend){0};
    for (size_t i = 0; i < n; i++) {
        x += points[i].at_s / count;
        y += points[i].value / count;
        values[i] = points[i].value;
    }
    for (size_t i = 0; i < n; i++) {
        xx += (points[i].at_s - x) * (points[i].at_s - x);
        xy += (points[i].at_s - x) * (points[i].value - y);
    }
    double slope = n > 1 ? xy / xx : 0;
    for (size_t i = 0; i < n; i++) {
        double off = points[i].value - y - slope * (points[i].at_s - x);
        rest += off * off;
    }
    return (struct trend){.level = median(values, n),
                          .drift = slope * span,
                          .error = n > 2 ? sqrt(rest / (count - 2) / xx) * span : 0,
                          .windows = n};
}

enum verdict trend_verdict(const struct trend *self, double tolerance)
{
    if (self->windows < SAMPLES_WINDOWS_MIN)
        return VERDICT_UNCLEAR;
    if (self->drift > tolerance && self->drift > 2 * self->error)
        return VERDICT_GROWS;
    return 2 * self->error > 4 * tolerance ? VERDICT_UNCLEAR : VERDICT_STEADY;
}
