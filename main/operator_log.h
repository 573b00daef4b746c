/* operator_log: the node's log lines, on stderr. */
#ifndef WEIR_MAIN_OPERATOR_LOG_H
#define WEIR_MAIN_OPERATOR_LOG_H

#include "base/slice.h"

#include <stdbool.h>

/* Starts logging at a level by name (error, warn, info, debug). False for another name. */
bool operator_log_start(const char *level, bool json);

#endif
