#include "client/config_path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool config_path(const char *name, char *path, size_t room)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    int size = -1;
    if (config && *config)
        size = snprintf(path, room, "%s/weir/%s", config, name);
    else if (home && *home)
        size = snprintf(path, room, "%s/.config/weir/%s", home, name);
    return size > 0 && (size_t)size < room;
}

void config_make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path, 0700);
        *slash = '/';
    }
}
