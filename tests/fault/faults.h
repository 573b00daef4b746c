/* faults: the system's calls that write or sync, made to fail on purpose. They stand before libc's,
 * for LMDB too; each looks whether it is its turn. Without a plan they do what libc's do. */
#ifndef FAULTS_H
#define FAULTS_H

#include <stdint.h>

enum fault { FAIL_EIO, FAIL_ENOSPC, FAIL_EINTR, FAIL_SHORT, FAIL_FULL, FAULTS };

extern const char *const fault_names[FAULTS];

/* From now on the n-th call fails so (FAIL_FULL: and all after it); n 0: none does. */
void faults_plan(unsigned n, enum fault fault);

/* The same of the calls that read, and of none else. */
void faults_plan_reads(unsigned n, enum fault fault);

/* No call fails any more. Returns how many there were. */
unsigned faults_end(void);

/* statvfs tells that many free bytes from now on; UINT64_MAX: the truth. */
void faults_disk(uint64_t bytes);

/* From now on writes below /tmp/weir-store-test-* are remembered until a sync of their file. */
void power_watch(void);

/* Power goes: takes sectors that no sync followed away from a copy of the directory, by chance, and
 * forgets them. In the log they may become garbage. (LMDB counts on disks that write a sector whole
 * or not at all.) random_below decides. */
void power_lose(const char *dir, const char *copy);

#endif
