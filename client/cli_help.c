#include "client/cli.h"

#include <stdlib.h>
#include <string.h>

static const struct cli_extension *extension;

void cli_extend(const struct cli_extension *given)
{
    extension = given;
}

static void print_options(FILE *out, uint64_t options)
{
    for (int i = 0; i < OPTION_COUNT; i++) {
        const struct option_row *row = &cli_options[i];
        char left[64];
        if (!(options & UINT64_C(1) << i))
            continue;
        snprintf(left, sizeof left, "--%s%s%s", row->name, row->value ? " " : "",
                 row->value ? row->value : "");
        fprintf(out, "  %-24s %s\n", left, row->doc);
    }
}

static void print_kinds(FILE *out)
{
    fprintf(
        out,
        "\nParameters:\n"
        "  name=TEXT                any text: there can be many contracts of a kind\n"
        "  writers=KEY,...          who alone may write (not of a room)\n"
        "  newest=N                 of a log or room: how many entries it keeps\n"
        "  owner=KEY, salt=HEX      of a room, which needs both; `weir room create` makes one\n");
    fprintf(out, "\nKinds:\n");
    for (size_t i = 0; weir_kind_name(i); i++)
        fprintf(out, "  %-24s %s\n", weir_kind_name(i), weir_kind_doc(i));
}

void cli_help(FILE *out, const struct command *command)
{
    fprintf(out, "weir %s%s%s%s: %s\n", command->name, *command->args ? " " : "", command->args,
            command->options & ~WITH(help) ? " [options]" : "", command->doc);
    if (command->run == cli_node && extension && extension->node_help) {
        extension->node_help(out);
        return;
    }
    if (command->options)
        fprintf(out, "\nOptions:\n");
    print_options(out, command->options);
    if (command->options & WITH(param))
        print_kinds(out);
}

/* Columns a UTF-8 text takes: … is one. */
static int columns(const char *text)
{
    int n = 0;
    for (; *text; text++)
        n += (*text & 0xc0) != 0x80;
    return n;
}

static void print_command(FILE *out, const struct command *c)
{
    int used = columns(c->name) + 1 + columns(c->args);
    fprintf(out, "  weir %s %s%*s  %s\n", c->name, c->args, used < 30 ? 30 - used : 0, "", c->doc);
}

void cli_help_all(FILE *out)
{
    fprintf(out, "weir: shared state that many write at once, kept on a node\n\n");
    for (const struct command *c = cli_commands; c->name; c++)
        print_command(out, c);
    fprintf(out, "\n`weir help COMMAND` lists a command's options; `man weir` tells more.\n");
}

/* For docs/completion: the names, or a command's options, a line each. */
static int print_for_completion(const struct cli *cli)
{
    size_t words;
    if (cli->arg_count == 1) {
        for (const struct command *c = cli_commands; c->name; c++)
            printf("%s\n", c->name);
        return cli_flush(cli);
    }
    const struct command *c = cli_find(cli->args + 1, cli->arg_count - 1, &words);
    for (int i = 0; c && i < OPTION_COUNT; i++)
        if (c->options & UINT64_C(1) << i)
            printf("--%s%s\n", cli_options[i].name, cli_options[i].value ? "=" : "");
    return cli_flush(cli);
}

static int print_kinds_for_completion(const struct cli *cli)
{
    for (size_t i = 0; weir_kind_name(i); i++)
        printf("%s\n", weir_kind_name(i));
    return cli_flush(cli);
}

static bool is_half(const struct command *command, const char *word)
{
    size_t size = strlen(word);
    return strncmp(command->name, word, size) == 0 && command->name[size] == ' ';
}

bool cli_is_half(const char *word)
{
    for (const struct command *c = cli_commands; c->name; c++)
        if (is_half(c, word))
            return true;
    return false;
}

bool cli_help_half(FILE *out, const char *word)
{
    enum { IN_FULL = 4 }; /* more of them are a line each */
    size_t count = 0, shown = 0;
    for (const struct command *c = cli_commands; c->name; c++)
        count += is_half(c, word);
    for (const struct command *c = cli_commands; c->name; c++) {
        if (!is_half(c, word))
            continue;
        if (count > IN_FULL)
            print_command(out, c);
        else
            fprintf(out, "%s", shown++ ? "\n" : "");
        if (count <= IN_FULL)
            cli_help(out, c);
    }
    if (count > IN_FULL)
        fprintf(out, "\n`weir help %s COMMAND` lists a command's options.\n", word);
    return count > 0;
}

int cli_run_help(struct cli *cli)
{
    size_t words = 0;
    if (cli->arg_count && strcmp(cli->args[0], "--words") == 0)
        return print_for_completion(cli);
    if (cli->arg_count && strcmp(cli->args[0], "--kinds") == 0)
        return print_kinds_for_completion(cli);
    const struct command *command = cli_find(cli->args, cli->arg_count, &words);
    if (command)
        cli_help(stdout, command);
    else if (cli->arg_count == 0)
        cli_help_all(stdout);
    bool some = command != NULL || cli->arg_count == 0;
    if (!some && cli->arg_count == 1)
        some = cli_help_half(stdout, cli->args[0]);
    return some ? cli_flush(cli) : cli_no_command(cli);
}

int cli_node(struct cli *cli)
{
    if (extension && extension->node)
        return extension->node(cli->argc - cli->node_at, cli->argv + cli->node_at);
    return cli_fail(cli, WEIR_INTERNAL, "this build of weir has no node");
}

int cli_check_offline(struct cli *cli)
{
    if (extension && extension->check_dir)
        return extension->check_dir(cli->args[0], cli_has(cli, OPTION_json));
    return cli_fail(cli, WEIR_INTERNAL, "this build of weir cannot open a node's data");
}
