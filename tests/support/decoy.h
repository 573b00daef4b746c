/* decoy: a process with a door that leads nowhere: it accepts whoever comes and resets it. What an
 * attack on it costs others is the machine's doing, and nobody's whom it was meant for. */
#ifndef WEIR_TESTS_SUPPORT_DECOY_H
#define WEIR_TESTS_SUPPORT_DECOY_H

#include <sys/types.h>

struct decoy {
    pid_t pid;
    char address[64]; /* HOST:PORT */
};

void decoy_start(struct decoy *self);
void decoy_stop(struct decoy *self);

#endif
