/* trace_log: what happened in a simulation, message by message: a hash of all of it, and the last
 * of it as text. Two runs of one seed have one hash. */
#ifndef WEIR_TESTS_TRACE_LOG_H
#define WEIR_TESTS_TRACE_LOG_H

#include "actors/messages.h"

#include <stdio.h>

enum { TRACE_LOG_ROWS = 16384 };

struct trace_row {
    uint64_t us, detail;
    uint32_t node;
    uint16_t contract; /* two bytes of its key; 0: of none */
    uint8_t kind, from, to;
    bool is_note;
    char note[44]; /* what the simulation itself did */
};

struct trace_log {
    struct trace_row *rows; /* owned: a ring of the last TRACE_LOG_ROWS */
    uint64_t count, hash;
    FILE *echo; /* borrowed; each row is also written here. NULL: nowhere */
};

void trace_log_init(struct trace_log *self, FILE *echo);
void trace_log_free(struct trace_log *self);

void trace_log_message(struct trace_log *self, uint64_t us, size_t node,
                       const struct message *message);
void trace_log_note(struct trace_log *self, uint64_t us, size_t node, const char *note,
                    uint64_t detail);

/* How a contract is told in the trace. */
uint16_t trace_log_contract(const struct contract_key *key);

/* The last rows, at most so many. */
void trace_log_print(const struct trace_log *self, size_t rows, FILE *to);

#endif
