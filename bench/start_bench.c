/* start_bench: how long a server takes from its exec to a line that begins with `ready`.
 *
 *   start_bench SIGNAL COMMAND…      prints `ms VALUE`; ends the server with SIGNAL and waits for
 * it */
#include "bench/common/arguments.h"
#include "bench/common/clock.h"
#include "bench/common/die.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t spawn(char **command, FILE **out)
{
    int ends[2];
    if (pipe(ends))
        die("pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid < 0)
        die("fork: %s", strerror(errno));
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execvp(command[0], command);
        _exit(127);
    }
    close(ends[1]);
    *out = fdopen(ends[0], "r");
    if (!*out)
        die("fdopen: %s", strerror(errno));
    return pid;
}

int main(int argc, char **argv)
{
    char line[1024];
    FILE *out;
    if (argc < 3)
        die("usage: start_bench SIGNAL COMMAND...");
    uint64_t begin = now_ns();
    pid_t pid = spawn(argv + 2, &out);
    do {
        if (!fgets(line, sizeof line, out))
            die("%s ended before it was ready", argv[2]);
    } while (strncmp(line, "ready", 5) != 0);
    double ms = (double)(now_ns() - begin) / 1e6;
    kill(pid, (int)argument_number(argv[1], 64));
    if (waitpid(pid, NULL, 0) != pid)
        die("wait: %s", strerror(errno));
    printf("ms %.2f\n", ms);
    return 0;
}
