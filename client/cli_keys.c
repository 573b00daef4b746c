/* weir keys new, keys show */
#include "client/cli.h"
#include "client/home_path.h"

#include <string.h>
#include <unistd.h>

static int find_path(const struct cli *cli, char *path, size_t room)
{
    if (cli->arg_count == 0)
        return home_path_config("writer.key", path, room)
                   ? 0
                   : cli_usage(cli, HOME_PATH_NONE "; name a FILE");
    if (strlen(cli->args[0]) >= room)
        return cli_usage(cli, "the path is too long");
    memcpy(path, cli->args[0], strlen(cli->args[0]) + 1);
    return 0;
}

static int print_key(const struct cli *cli, const char *text, const char *path)
{
    if (cli_has(cli, OPTION_json)) {
        printf("{\"public\":");
        print_json_bytes(stdout, weir_text(text));
        printf(",\"file\":");
        print_json_bytes(stdout, weir_text(path));
        printf("}\n");
    } else {
        printf("%s\n", text);
    }
    return cli_flush(cli);
}

static int print_signer(const struct cli *cli, const weir_signer_t *signer, const char *path)
{
    char text[WEIR_KEY_TEXT_MAX];
    weir_key_print(weir_signer_public(signer), text);
    return print_key(cli, text, path);
}

static const char *new_hint(const char *path)
{
    return access(path, F_OK) == 0
               ? "a key is never overwritten: name another FILE, or see `weir keys show FILE`"
               : NULL;
}

static int new_curve(struct cli *cli, const char *path)
{
    char text[41];
    struct weir_reason why;
    int rc = weir_curve_new(path, text, &why);
    return rc ? cli_fail_hint(cli, rc, why.text, new_hint(path)) : print_key(cli, text, path);
}

int cli_keys_new(struct cli *cli)
{
    char path[4096];
    struct weir_reason why;
    int rc = find_path(cli, path, sizeof path);
    if (rc)
        return rc;
    if (cli->arg_count == 0 && cli_has(cli, OPTION_curve))
        return cli_usage(cli, "--curve wants a FILE");
    if (cli->arg_count == 0)
        home_path_make(path);
    if (cli_has(cli, OPTION_curve))
        return new_curve(cli, path);
    cli->signer = weir_signer_new();
    rc = cli->signer ? weir_signer_save(cli->signer, path, &why) : WEIR_NO_MEMORY;
    if (rc)
        return cli_fail_hint(cli, rc, cli->signer ? why.text : NULL, new_hint(path));
    if (cli->arg_count == 0)
        fprintf(stderr, "weir: keys new: the key pair is in %s\n", path);
    return print_signer(cli, cli->signer, path);
}

int cli_keys_show(struct cli *cli)
{
    char path[4096];
    struct weir_reason why;
    int rc = find_path(cli, path, sizeof path);
    if (rc)
        return rc;
    rc = weir_signer_load(path, &cli->signer, &why);
    if (rc == WEIR_IO && access(path, F_OK))
        return cli_fail_hint(cli, rc, why.text,
                             cli->arg_count ? "`weir keys new FILE` makes one"
                                            : "`weir keys new` makes one");
    return rc ? cli_fail(cli, rc, why.text) : print_signer(cli, cli->signer, path);
}
