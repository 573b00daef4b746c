/* config_path: where the command line and the chat keep what is a person's own. */
#ifndef WEIR_CLIENT_CONFIG_PATH_H
#define WEIR_CLIENT_CONFIG_PATH_H

#include <stdbool.h>
#include <stddef.h>

/* $XDG_CONFIG_HOME/weir/NAME, else ~/.config/weir/NAME. False without a home, or when that is
 * longer than the room. */
bool config_path(const char *name, char *path, size_t room);

/* Makes the folders above a path, mode 0700. What cannot be made is told when the file is. */
void config_make_folders(char *path);

#endif
