/* Exit codes, and what to do next. */
#include "client/cli.h"

#include <stdarg.h>
#include <string.h>

struct outcome {
    int code, exit;
    const char *hint;
};

static const struct outcome outcomes[] = {
    {WEIR_BAD_REQUEST, EXIT_REFUSED, NULL},
    {WEIR_BAD_KIND, EXIT_REFUSED, "`weir help put` lists the kinds"},
    {WEIR_BAD_PARAMS, EXIT_REFUSED, "`weir help put` tells the parameters"},
    {WEIR_BAD_STATE, EXIT_REFUSED, "nothing was changed"},
    {WEIR_TOO_LARGE, EXIT_REFUSED, "nothing was changed"},
    {WEIR_NOT_FOUND, EXIT_NOT_FOUND, "`weir contracts` lists what the node hosts"},
    {WEIR_NO_LIVE_PEER, EXIT_NO_LIVE_PEER, "`weir peers` shows the node's connections"},
    {WEIR_TIMEOUT, EXIT_TIMEOUT, "give it longer with --timeout, or look at `weir status`"},
    {WEIR_NO_NODE, EXIT_NO_NODE, "start one with `weir node`, or name another with --node"},
    {WEIR_BUSY, EXIT_FAILED, "try again"},
    {WEIR_STORE_FULL, EXIT_FAILED, "make room on the node's disk, or raise its --max-store"},
    {WEIR_DENIED, EXIT_FAILED, NULL},
    {WEIR_LOST, EXIT_FAILED, "look at the state before you try again"},
};

static const struct outcome *outcome_of(int code)
{
    static const struct outcome other = {0, EXIT_FAILED, NULL};
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++)
        if (outcomes[i].code == code)
            return &outcomes[i];
    return &other;
}

/* The command that runs, for what prints without a command line (cli_report.c). */
static const struct command *running;

void cli_running(const struct command *command)
{
    running = command;
}

static const char *what(const struct cli *cli)
{
    const struct command *command = cli->command ? cli->command : running;
    return command ? command->name : "usage";
}

int cli_fail_hint(const struct cli *cli, int code, const char *why, const char *hint)
{
    fprintf(stderr, "weir: %s: %s%s%s\n", what(cli), why && *why ? why : weir_error_text(code),
            hint ? "; " : "", hint ? hint : "");
    return outcome_of(code)->exit;
}

int cli_fail(const struct cli *cli, int code, const char *why)
{
    bool advised = code == WEIR_STORE_FULL && why && strchr(why, ';'); /* by the node */
    return cli_fail_hint(cli, code, why, advised ? NULL : outcome_of(code)->hint);
}

int cli_fail_node(const struct cli *cli, int code)
{
    return cli_fail(cli, code, weir_error(cli->w));
}

int cli_usage(const struct cli *cli, const char *format, ...)
{
    va_list args;
    fprintf(stderr, "weir: %s: ", what(cli));
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "; see `weir help%s%s`\n", cli->command ? " " : "",
            cli->command ? cli->command->name : "");
    return EXIT_USAGE;
}
