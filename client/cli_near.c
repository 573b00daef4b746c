/* A command that is none, and the one that was meant, perhaps. */
#include "client/cli.h"

#include <string.h>

enum { LETTERS_MAX = 40, LETTERS_AN_ERROR = 3, ERRORS_MAX = 2 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many letters are to be changed, added, taken away or swapped with the next (the optimal
 * string alignment distance); SIZE_MAX for what is longer than a command. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][LETTERS_MAX + 1], n = strlen(a), m = strlen(b);
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    if (n > LETTERS_MAX || m > LETTERS_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *spare = before;
        before = above;
        above = row;
        row = spare;
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            row[j] = least(above[j - 1] + (a[i - 1] != b[j - 1]), least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return row[m];
}

struct guess {
    const char *name; /* `size` bytes of it; NULL: nothing is near */
    size_t size, distance;
};

/* Takes a name when it is nearer than what was found, or as near and longer. */
static void try(struct guess *best, const char *typed, const char *name, size_t size)
{
    char text[LETTERS_MAX + 1];
    snprintf(text, sizeof text, "%.*s", (int)size, name);
    size_t errors = distance(typed, text), most = strlen(typed) / LETTERS_AN_ERROR;
    bool near = errors <= (most < ERRORS_MAX ? most : ERRORS_MAX);
    bool nearer = errors < best->distance || (errors == best->distance && size > best->size);
    if (near && nearer)
        *best = (struct guess){name, size, errors};
}

/* The first word is no command, and begins none. */
static struct guess guess_all(const char *one, const char *two)
{
    struct guess best = {NULL, 0, SIZE_MAX}, last = best;
    size_t ends = 0; /* commands of two words whose second one it is: `weir say` */
    for (const struct command *c = cli_commands; c->name; c++) {
        const char *space = strchr(c->name, ' ');
        try(&best, one, c->name, space ? (size_t)(space - c->name) : strlen(c->name));
        if (space)
            try(&best, two, c->name, strlen(c->name));
        if (space && strcmp(space + 1, one) == 0) {
            last = (struct guess){c->name, strlen(c->name), 0};
            ends++;
        }
    }
    return ends == 1 ? last : best;
}

/* The first word begins some. */
static struct guess guess_half(const char *first, const char *second)
{
    struct guess best = {NULL, 0, SIZE_MAX};
    size_t size = strlen(first);
    for (const struct command *c = cli_commands; c->name; c++) {
        bool fits = strncmp(c->name, first, size) == 0 && c->name[size] == ' ';
        if (!fits)
            continue;
        const char *before = best.name;
        try(&best, second, c->name + size + 1, strlen(c->name + size + 1));
        if (best.name != before) {
            best.name = c->name;
            best.size = strlen(c->name);
        }
    }
    return best;
}

int cli_no_command(const struct cli *cli)
{
    const char *one = cli->args[0], *next = cli->arg_count > 1 ? cli->args[1] : "";
    char two[LETTERS_MAX + 2];
    bool half = *next && cli_is_half(one);
    snprintf(two, sizeof two, "%s %s", one, next);
    struct guess found = half ? guess_half(one, next) : guess_all(one, two);
    fprintf(stderr, "weir: %s: there is no command %.100s%s%.100s; ",
            cli->command ? cli->command->name : "usage", one, half ? " " : "", half ? next : "");
    if (found.name)
        fprintf(stderr, "did you mean `weir %.*s`? ", (int)found.size, found.name);
    fprintf(stderr, "`weir help%s%s` lists them\n", half ? " " : "", half ? one : "");
    return EXIT_USAGE;
}
