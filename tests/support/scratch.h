/* scratch: directories of a test's own, in memory where there is such a place. */
#ifndef WEIR_TESTS_SCRATCH_H
#define WEIR_TESTS_SCRATCH_H

enum { SCRATCH_PATH_MAX = 64 };

/* Makes a fresh directory below /dev/shm, or /tmp where that cannot be written to. Ends the program
 * when it cannot. */
void scratch_make(char path[SCRATCH_PATH_MAX]);

/* Removes it with all that is in it. */
void scratch_remove(const char *path);

#endif
