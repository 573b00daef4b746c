#include "main/bad_page.h"

#include "client/cli.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* What follows runs in a signal's handler: it calls nothing but what may be called there. */

static void say(const char *text)
{
    ssize_t written = write(STDERR_FILENO, text, strlen(text));
    (void)written; /* there is nobody else to tell */
}

static uintptr_t hex(const char **at)
{
    uintptr_t n = 0;
    for (;; (*at)++) {
        char c = **at;
        if (c >= '0' && c <= '9')
            n = n * 16 + (uintptr_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            n = n * 16 + (uintptr_t)(c - 'a') + 10;
        else
            return n;
    }
}

/* A line of /proc/self/maps: "from-to permissions offset device inode path". The path, when the
 * address lies in it and it is a file's. */
static const char *file_of(const char *line, uintptr_t address)
{
    uintptr_t from = hex(&line);
    line++;
    uintptr_t to = hex(&line);
    return address >= from && address < to ? strchr(line, '/') : NULL;
}

/* The file that is mapped there; NULL: none is. */
static const char *mapped_file(uintptr_t address)
{
    static char text[16 << 10]; /* longer than any line */
    size_t held = 0;
    const char *found = NULL;
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    for (ssize_t n; fd >= 0 && !found && held < sizeof text - 1 &&
                    (n = read(fd, text + held, sizeof text - 1 - held)) > 0;) {
        held += (size_t)n;
        text[held] = 0;
        char *line = text;
        for (char *end; !found && (end = strchr(line, '\n')); line = end + 1) {
            *end = 0;
            found = file_of(line, address);
        }
        if (!found) {
            held = strlen(line);
            memmove(text, line, held);
        }
    }
    if (fd >= 0)
        (void)close(fd);
    return found;
}

static void on_bad_page(int number, siginfo_t *about, void *context)
{
    (void)context;
    const char *file = mapped_file((uintptr_t)about->si_addr);
    if (!file) {
        (void)signal(number, SIG_DFL); /* and it comes again */
        return;
    }
    say("weir: node: cannot read a page of ");
    say(file);
    say(": the disk fails, or the file was cut; the node ends, and examines it when it starts\n");
    _exit(EXIT_FAILED);
}

void bad_page_watch(void)
{
    struct sigaction action = {.sa_sigaction = on_bad_page, .sa_flags = SA_SIGINFO};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGBUS, &action, NULL);
}
