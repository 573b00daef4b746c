/* process: a weir process of its own for a test: the binary named by $WEIR, on a free port. */
#ifndef WEIR_TESTS_SUPPORT_PROCESS_H
#define WEIR_TESTS_SUPPORT_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

struct process {
    pid_t pid;
    int status;         /* how it ended, as waitpid gives it */
    char endpoint[256]; /* the first one of its ready line */
    char ready[1024];   /* that line */
};

/* A fresh folder under /tmp. */
void data_dir_new(char dir[64]);
/* Removes it with what is in it. */
void data_dir_remove(const char *dir);
/* Fails the test when `weir check` finds damage in it. */
void data_dir_check(const char *dir);

/* Starts a node on the data and waits for its ready line. options: more arguments, NULL-terminated,
 * or NULL; without a --listen among them it serves no peers. Fails the test when the node does not
 * become ready. */
void process_start(struct process *self, const char *data_dir, const char *const *options);

/* The same with a command before it (`strace …`, NULL-terminated; NULL: none), which must become
 * the node itself. False when it ended before it was ready; it is gone then. */
bool process_try(struct process *self, const char *data_dir, const char *const *options,
                 const char *const *command);

/* Processes started from now on may have so many files and sockets open, and not more; 0: as many
 * as the test. */
void process_limit_descriptors(unsigned most);

/* Has it ended? Then its status is taken, and it is not to be stopped or killed any more. */
bool process_ended(struct process *self);

/* Memory that is its own now: without what is resident of files, LMDB's map among them. 0 under a
 * sanitizer, whose own is most of it. */
double process_memory_kib(const struct process *self);

/* SIGTERM, and waits. Returns the exit status as waitpid gives it. */
int process_stop(struct process *self);

/* SIGKILL, and waits. */
void process_kill(struct process *self);

#endif
