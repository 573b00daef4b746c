/* crowd: processes that make the images of a trace and look at each of them. */
#ifndef CROWD_H
#define CROWD_H

#include "tests/crash/claims.h"

/* What is recorded, and how its images are drawn. */
struct images_wanted {
    const char *name, *trace_path;
    const struct trace *trace;
    uint64_t seed;
    uint32_t count; /* of images, spread over all places where a sync ends */
    uint32_t only;  /* that one alone; UINT32_MAX: all */
    uint64_t segment_bytes, map_bytes;
};

/* What came of it. */
struct images_found {
    uint32_t looked_at, failed;  /* `failed`: the first, UINT32_MAX: none */
    uint32_t syncs;              /* that the trace has */
    uint64_t told;               /* acknowledgements in it */
    uint64_t folder_made;        /* images in which there were data to open */
    double seconds, cpu_seconds; /* the latter of all processes */
    struct reason why;           /* of the failed one */
};

/* Looks at all images, in as many processes as there are cores. With `show`, tells on standard
 * error how far it is. */
void images_look(const struct images_wanted *wanted, bool show, struct images_found *found);

#endif
