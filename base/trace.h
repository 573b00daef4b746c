/* trace: what a node tells its operator. Rooms below main/ say it; main/ sets where it goes. */
#ifndef WEIR_BASE_TRACE_H
#define WEIR_BASE_TRACE_H

enum trace_level { TRACE_error, TRACE_warn, TRACE_info, TRACE_debug };

typedef void(trace_sink)(enum trace_level level, const char *text);

/* Set once, before any other thread runs. Lines above `most` are not made. NULL: silence (the
 * default). */
void trace_set(trace_sink *sink, enum trace_level most);

/* One line, cut at 512 bytes. Nothing secret, no newline. */
void trace(enum trace_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
