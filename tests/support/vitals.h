/* vitals: a process as the system sees it. Memory is 0 under a sanitizer, whose own is most of it.
 */
#ifndef WEIR_TESTS_SUPPORT_VITALS_H
#define WEIR_TESTS_SUPPORT_VITALS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

int64_t vitals_memory_kib(pid_t pid);      /* now (VmRSS) */
int64_t vitals_memory_peak_kib(pid_t pid); /* the most that it ever had (VmHWM) */
size_t vitals_sockets(pid_t pid);          /* open now, of its descriptors */
long vitals_cpu_ticks(pid_t pid); /* of a processor, user and system, in hundredths of a second */

#endif
