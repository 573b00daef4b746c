/* home_path: where the files are of who runs this, by the XDG base directories: $XDG_CONFIG_HOME,
 * else ~/.config, and $XDG_DATA_HOME, else ~/.local/share, each with weir/ in it. As that
 * specification has it, a path that is not absolute counts as none: data in whatever folder one
 * happens to be in would not be found again. */
#ifndef WEIR_CLIENT_HOME_PATH_H
#define WEIR_CLIENT_HOME_PATH_H

#include <stdbool.h>
#include <stddef.h>

/* What to say where they are false. */
#define HOME_PATH_NONE "there is no home folder: HOME is no absolute path"

/* The path of a configuration file; false when there is no home folder, or it is too long. */
bool home_path_config(const char *name, char *path, size_t room);
/* The folder of a node's data, the same. */
bool home_path_data(char *path, size_t room);

/* Makes the folders above a file, mode 0700, as far as they are missing. What fails is seen when
 * the file is made. */
void home_path_make(char *path);

#endif
