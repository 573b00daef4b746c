/* bad_page: a page of a mapped file that cannot be read. LMDB reads through a map, and there the
 * system tells of a disk that fails, or of a file that was cut, by SIGBUS. Nothing that was mapped
 * can be relied on from then on: the node ends, with a sentence and an exit status, as it does when
 * a start fails. What was acknowledged is in the log; the next start reads the whole file with
 * pread before it is mapped, and says what is wrong with it (decision 0028). */
#ifndef WEIR_MAIN_BAD_PAGE_H
#define WEIR_MAIN_BAD_PAGE_H

/* From now on, for all threads. A SIGBUS of any other cause ends the process as ever. */
void bad_page_watch(void);

#endif
