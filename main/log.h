/* log: the node's log lines, on stderr. */
#ifndef WEIR_MAIN_LOG_H
#define WEIR_MAIN_LOG_H

#include "base/slice.h"

#include <stdbool.h>

/* Starts logging at a level by name (error, warn, info, debug). False for another name. */
bool log_start(const char *level, bool json);

#endif
