/* node_log: what a node writes to stderr, line by line, with the times that it wrote them. */
#ifndef WEIR_TESTS_SUPPORT_NODE_LOG_H
#define WEIR_TESTS_SUPPORT_NODE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct node_log {
    int fd;  /* the read end of a pipe */
    int own; /* stderr: the test's own, while a node is started; else -1 */
    char bytes[4096];
    size_t size, taken;
};

/* What is started between these two writes here. Nobody else may write to stderr meanwhile. */
void node_log_open(struct node_log *self);
void node_log_opened(struct node_log *self);
void node_log_close(struct node_log *self);

/* The next line, without its end, cut at 511 bytes; false when none comes within so long. A node
 * that nobody reads of waits when it has written 1 MiB. */
bool node_log_line(struct node_log *self, char line[512], int within_ms);

/* When it was written, in ms since 1970, as node_log_now_ms tells; what was written: borrowed of
 * the line. Fails the test for what is no line of a log. */
int64_t node_log_time_ms(const char *line, const char **text);
int64_t node_log_now_ms(void);

#endif
