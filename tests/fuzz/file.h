/* file: an input as a file. */
#ifndef FUZZ_FILE_H
#define FUZZ_FILE_H

#include "base/slice.h"

/* A file of these bytes, mode 0600, that is gone when the descriptor is closed; its path is one of
 * /proc/self/fd. */
int file_of(struct slice bytes, char path[64]);

/* A fresh folder under /dev/shm, or /tmp where there is none; it stays until the program ends, and
 * the same for all calls. */
const char *file_folder(void);

/* Makes FOLDER/name of these bytes, mode 0600, in the place of one that is there. */
void file_put(const char *name, struct slice bytes);

#endif
