#include "client/home_path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* $variable/weir END, else ~/usual/weir END. */
static bool find(const char *variable, const char *usual, const char *end, char *path, size_t room)
{
    const char *given = getenv(variable), *home = getenv("HOME");
    int size = -1;
    if (given && *given == '/')
        size = snprintf(path, room, "%s/weir%s", given, end);
    else if (home && *home == '/')
        size = snprintf(path, room, "%s/%s/weir%s", home, usual, end);
    return size > 0 && (size_t)size < room;
}

bool home_path_config(const char *name, char *path, size_t room)
{
    char end[4096];
    int size = snprintf(end, sizeof end, "/%s", name);
    return size > 0 && (size_t)size < sizeof end &&
           find("XDG_CONFIG_HOME", ".config", end, path, room);
}

bool home_path_data(char *path, size_t room)
{
    return find("XDG_DATA_HOME", ".local/share", "", path, room);
}

void home_path_make(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path, 0700);
        *slash = '/';
    }
}
