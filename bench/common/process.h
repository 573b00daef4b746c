/* process: what the server under load used, read from outside. pid 0 is no process: all 0. */
#ifndef WEIR_BENCH_PROCESS_H
#define WEIR_BENCH_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

/* CPU time of all its threads, user and system. The scheduler's own count in ns: the ticks of
 * /proc/PID/stat would be 1 % of a short run. */
uint64_t process_cpu_ns(pid_t pid);

/* A line of /proc/PID/status in KiB: "VmRSS", "VmHWM". */
uint64_t process_kib(pid_t pid, const char *line);

#endif
