#include "client/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES_MAX = 1 << 30, TIMEOUT_S_MAX = 86400 };

/* --- reading the command line ---------------------------------------------------------------- */

/* The row of --NAME, all of it: an abbreviation that works today is another option tomorrow. */
static int find_option(const char *name, size_t size)
{
    for (int i = 0; i < OPTION_COUNT; i++)
        if (strlen(cli_options[i].name) == size && memcmp(cli_options[i].name, name, size) == 0)
            return i;
    return -1;
}

static int take_option(struct cli *cli, int *at, uint64_t *given)
{
    const char *text = cli->argv[*at] + 2, *value = strchr(text, '=');
    size_t size = value ? (size_t)(value - text) : strlen(text);
    int option = find_option(text, size);
    if (option < 0)
        return cli_usage(cli, "there is no option --%s; to pass it as text, put -- before it",
                         text);
    bool wanted = cli_options[option].value != NULL;
    if (value && !wanted)
        return cli_usage(cli, "--%s takes no value", cli_options[option].name);
    if (!value && wanted && *at + 1 == cli->argc)
        return cli_usage(cli, "--%s wants a value: %s", cli_options[option].name,
                         cli_options[option].value);
    const char *found = value ? value + 1 : wanted ? cli->argv[++*at] : "";
    if (option == OPTION_param)
        cli->params[cli->param_count++] = found;
    cli->values[option] = found;
    *given |= UINT64_C(1) << option;
    return 0;
}

/* -, numbers and words are arguments; only what else starts with - is an option. */
static bool is_option(const char *text)
{
    return text[0] == '-' && text[1] && !(text[1] >= '0' && text[1] <= '9');
}

static int read_words(struct cli *cli, uint64_t *given)
{
    bool options = true;
    for (int i = 1; i < cli->argc; i++) {
        const char *text = cli->argv[i];
        bool plain = !options || !is_option(text);
        if (plain) {
            cli->args[cli->arg_count++] = text;
            /* What follows `node` is the node's own to read. */
            if (cli->arg_count == 1 && strcmp(text, "node") == 0) {
                cli->node_at = i;
                break;
            }
            if (cli->arg_count == 1 && strcmp(text, "help") == 0)
                options = false;
        } else if (strcmp(text, "--") == 0) {
            options = false;
        } else if (strcmp(text, "-h") == 0) {
            cli->values[OPTION_help] = "";
        } else if (text[1] != '-') {
            return cli_usage(cli, "there is no option %s; to pass it as text, put -- before it",
                             text);
        } else if (take_option(cli, &i, given)) {
            return EXIT_USAGE;
        }
    }
    return 0;
}

static int check_command(struct cli *cli, uint64_t given)
{
    const struct command *c = cli->command;
    int count = (int)cli->arg_count;
    for (int i = 0; i < OPTION_COUNT; i++)
        if (given & ~c->options & UINT64_C(1) << i)
            return cli_usage(cli, "--%s is not an option of this command", cli_options[i].name);
    if (count < c->least || (c->most >= 0 && count > c->most))
        return cli_usage(cli, "%s arguments; usage: weir %s%s%s",
                         count < c->least ? "missing" : "too many", c->name, *c->args ? " " : "",
                         c->args);
    return 0;
}

int cli_parse(struct cli *cli, int argc, char **argv)
{
    uint64_t given = 0;
    size_t words = 0;
    cli->argc = argc;
    cli->argv = argv;
    cli->words = calloc((size_t)argc + 1, sizeof *cli->words);
    cli->params = calloc((size_t)argc + 1, sizeof *cli->params);
    cli->args = cli->words;
    if (!cli->words || !cli->params)
        return cli_fail(cli, WEIR_NO_MEMORY, NULL);
    if (read_words(cli, &given))
        return EXIT_USAGE;
    if (cli->arg_count == 0)
        return 0;
    cli->command = cli_find(cli->args, cli->arg_count, &words);
    cli_running(cli->command);
    if (!cli->command && cli_has(cli, OPTION_help))
        return 0; /* of half a command, perhaps */
    if (!cli->command && cli->arg_count == 1 && cli_is_half(cli->args[0])) {
        fprintf(stderr, "weir: %s: which of its commands? see `weir help %s`\n", cli->args[0],
                cli->args[0]);
        return EXIT_USAGE;
    }
    if (!cli->command)
        return cli_no_command(cli);
    cli->args += words;
    cli->arg_count -= words;
    return cli_has(cli, OPTION_help) || cli->command->run == cli_node ? 0
                                                                      : check_command(cli, given);
}

/* --- what commands need ---------------------------------------------------------------------- */

static const char *option_or_env(const struct cli *cli, enum cli_option option, const char *name)
{
    const char *env = getenv(name);
    return cli_has(cli, option) ? cli_value(cli, option) : env && *env ? env : NULL;
}

static const char *timeout_text(const struct cli *cli)
{
    return option_or_env(cli, OPTION_timeout, "WEIR_TIMEOUT");
}

static unsigned timeout_ms(const struct cli *cli)
{
    const char *text = timeout_text(cli);
    return text ? (unsigned)(strtod(text, NULL) * 1000) : 0;
}

static int check_timeout(const struct cli *cli)
{
    char *end;
    const char *text = timeout_text(cli);
    double seconds = text ? strtod(text, &end) : 1;
    if (text && (*end || !*text || !(seconds >= 0.001) || seconds > TIMEOUT_S_MAX))
        return cli_usage(cli, "%s %s is not a number of seconds up to %d",
                         cli_has(cli, OPTION_timeout) ? "--timeout" : "$WEIR_TIMEOUT", text,
                         TIMEOUT_S_MAX);
    return 0;
}

weir_t *cli_handle(const struct cli *cli, struct weir_options options)
{
    options.endpoint = cli_value(cli, OPTION_node);
    options.timeout_ms = timeout_ms(cli);
    options.server_key = option_or_env(cli, OPTION_server_key, "WEIR_SERVER_KEY");
    options.client_key = option_or_env(cli, OPTION_client_key, "WEIR_CLIENT_KEY");
    options.signer = cli->signer;
    return weir_new(&options);
}

/* "": none, NULL: the usual one. A node that wants CURVE lets a client without the right keys wait,
 * and says nothing. */
static const char *connect_hint(const struct cli *cli, int code)
{
    bool ours = strstr(weir_error(cli->w), "does not know our key") == NULL; /* an own file */
    if (code == WEIR_DENIED)
        return ours ? ""
                    : "name a key with --client-key whose certificate is in the node's "
                      "--client-keys";
    bool refused = strstr(weir_error(cli->w), "no node answers") == NULL;
    if (code != WEIR_NO_NODE || refused)
        return NULL;
    return "start one with `weir node`, or name another with --node; one on another machine wants "
           "--server-key and --client-key";
}

int cli_connect(struct cli *cli)
{
    struct weir_reason why;
    int rc = check_timeout(cli);
    if (rc)
        return rc;
    if (cli_has(cli, OPTION_signer)) {
        rc = weir_signer_load(cli_value(cli, OPTION_signer), &cli->signer, &why);
        if (rc)
            return cli_fail(cli, rc, why.text);
    }
    cli->w = cli_handle(cli, (struct weir_options){0});
    if (!cli->w)
        return cli_fail(cli, WEIR_NO_MEMORY, NULL);
    rc = weir_connect(cli->w);
    if (rc == WEIR_BAD_REQUEST)
        return cli_usage(cli, "%s", weir_error(cli->w));
    const char *hint = rc ? connect_hint(cli, rc) : NULL;
    if (hint)
        return cli_fail_hint(cli, rc, weir_error(cli->w), *hint ? hint : NULL);
    return rc ? cli_fail_node(cli, rc) : 0;
}

int cli_key(const struct cli *cli, size_t i, uint8_t key[WEIR_KEY_BYTES])
{
    if (weir_key_parse(cli->args[i], key))
        return cli_usage(cli, "%.100s is not a contract key in base58", cli->args[i]);
    return 0;
}

int cli_number(const struct cli *cli, enum cli_option option, long least, long most, long otherwise,
               long *number)
{
    char *end;
    const char *text = cli_value(cli, option);
    if (!text) {
        *number = otherwise;
        return 0;
    }
    errno = 0;
    *number = strtol(text, &end, 10);
    if (errno || *end || !*text || *number < least || *number > most)
        return cli_usage(cli, "--%s %s is not a number from %ld to %ld", cli_options[option].name,
                         text, least, most);
    return 0;
}

static int read_all(FILE *file, uint8_t **bytes, size_t *size)
{
    size_t room = 1 << 16, used = 0, n;
    uint8_t *data = malloc(room);
    while (data && (n = fread(data + used, 1, room - used, file)) > 0) {
        used += n;
        if (used < room)
            continue;
        uint8_t *more = room < FILE_BYTES_MAX ? realloc(data, room * 2) : NULL;
        if (!more)
            free(data);
        data = more;
        room *= 2;
    }
    if (!data)
        return room > FILE_BYTES_MAX ? WEIR_TOO_LARGE : WEIR_NO_MEMORY;
    if (ferror(file)) {
        free(data);
        return WEIR_IO;
    }
    *bytes = data;
    *size = used;
    return 0;
}

int cli_read_file(const struct cli *cli, const char *path, uint8_t **bytes, size_t *size)
{
    char why[512];
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    int rc = file ? read_all(file, bytes, size) : WEIR_IO;
    snprintf(why, sizeof why, "%.300s cannot be read: %s", path,
             rc == WEIR_IO ? strerror(errno) : weir_error_text(rc));
    if (file && file != stdin)
        fclose(file);
    return rc ? cli_fail(cli, rc, why) : 0;
}

int cli_flush(const struct cli *cli)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return EXIT_DONE;
    char why[128];
    snprintf(why, sizeof why, "the output cannot be written: %s", strerror(errno));
    return cli_fail(cli, WEIR_IO, why);
}

/* --- running --------------------------------------------------------------------------------- */

static int dispatch(struct cli *cli)
{
    if (cli_has(cli, OPTION_version)) {
        printf("weir %s\n", weir_version());
        return cli_flush(cli);
    }
    if (!cli->command && cli->arg_count) {
        bool found = cli_help_half(stdout, cli->args[0]);
        return found ? cli_flush(cli) : cli_no_command(cli);
    }
    if (!cli->command) {
        bool asked = cli_has(cli, OPTION_help);
        cli_help_all(asked ? stdout : stderr);
        return asked ? cli_flush(cli) : EXIT_USAGE;
    }
    if (cli_has(cli, OPTION_help)) {
        cli_help(stdout, cli->command);
        return cli_flush(cli);
    }
    return cli->command->run(cli);
}

int cli_run(int argc, char **argv)
{
    struct cli cli = {0};
    int code = cli_parse(&cli, argc, argv);
    if (code == 0)
        code = dispatch(&cli);
    weir_destroy(&cli.w);
    weir_signer_destroy(&cli.signer);
    free((void *)cli.words);
    free((void *)cli.params);
    return code;
}
