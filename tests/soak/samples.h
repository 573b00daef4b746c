/* samples: what a figure of a node was over time, and whether it grows.
 *
 * The first tenth of the time is not looked at: caches fill. What remains is cut into WINDOWS equal
 * windows, and each that has samples gives their median, so that a moment's peak counts for
 * nothing. The least squares line through the medians has a slope; the slope times the time
 * looked at is the drift: how much the figure grew, in its own unit. */
#ifndef SOAK_SAMPLES_H
#define SOAK_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>

enum { SAMPLES_WINDOWS = 36, SAMPLES_WINDOWS_MIN = 12 };

struct sample {
    double at_s, value;
};

struct samples {
    struct sample *all;
    size_t count, capacity;
};

struct trend {
    double level; /* median of the windows' medians */
    double drift;
    double error; /* the standard error of the drift, from what the medians differ from the line */
    size_t windows;
};

enum verdict {
    VERDICT_STEADY,
    VERDICT_GROWS, /* by more than the tolerance, and not by chance: more than 2 standard errors */
    VERDICT_UNCLEAR, /* too few windows, or scattered so that a growth of 4 tolerances would hide */
};

/* Samples come in order. Fails the test without memory. */
void samples_add(struct samples *self, double at_s, double value);
void samples_free(struct samples *self);

/* Of the time from 0 to end_s. Zeros without samples. */
struct trend samples_trend(const struct samples *self, double end_s);

enum verdict trend_verdict(const struct trend *self, double tolerance);

#endif
