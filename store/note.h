/* note: a clean stop leaves a note of what LMDB's file is then: size, inode, times. A start that
 * finds the file as noted need not walk it again (decision 0023): every write changes its times,
 * and a file that was copied or restored is another one. */
#ifndef WEIR_STORE_NOTE_H
#define WEIR_STORE_NOTE_H

#include <stdbool.h>

/* Is DIR/state.mdb as the note says? False also without a note. */
bool note_fits(const char *dir);

/* Writes DIR/state.note. What cannot be written is left out: the next start walks the file then. */
void note_write(const char *dir);

/* The file is not to be believed. */
void note_forget(const char *dir);

#endif
