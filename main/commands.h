/* commands: those of the `weir` program that need more than a client does. The others are
 * client/cli.h's. */
#ifndef WEIR_MAIN_COMMANDS_H
#define WEIR_MAIN_COMMANDS_H

#include <stdbool.h>

/* `weir node`: runs a node in the foreground until SIGINT or SIGTERM. argv[0] is "node". Returns
 * the exit code. */
int node_command(int argc, char **argv);

/* `weir check DIR`: checks data that no node uses. Returns the exit code: 1 also when damage is
 * found. */
int check_command(const char *dir, bool json);

#endif
