/* weir put, get, update */
#include "client/cli.h"

#include <stdlib.h>
#include <string.h>

static int add_param(const struct cli *cli, weir_params_t *params, const char *text)
{
    struct weir_reason why;
    char name[64];
    const char *equals = strchr(text, '=');
    if (!equals || equals == text || (size_t)(equals - text) >= sizeof name)
        return cli_usage(cli, "--param %.100s is not NAME=VALUE", text);
    memcpy(name, text, (size_t)(equals - text));
    name[equals - text] = 0;
    int rc = weir_params_set(params, name, equals + 1, &why);
    return rc ? cli_fail(cli, rc, why.text) : 0;
}

static int print_put(const struct cli *cli, const struct weir_reply *reply)
{
    char key[WEIR_KEY_TEXT_MAX];
    weir_key_print(reply->key, key);
    if (cli_has(cli, OPTION_json)) {
        printf("{\"key\":\"%s\",\"fingerprint\":\"", key);
        print_hex(stdout, reply->fingerprint, WEIR_KEY_BYTES);
        printf("\",\"hosts\":%u}\n", reply->hosts);
    } else {
        printf("%s\n", key);
    }
    return cli_flush(cli);
}

static int put(struct cli *cli, weir_params_t *params, struct weir_bytes state)
{
    const struct weir_reply *reply;
    int rc = cli_connect(cli);
    if (rc)
        return rc;
    rc = weir_put(cli->w, cli->args[0], weir_params_bytes(params), state, &reply);
    if (rc == WEIR_BAD_PARAMS && strcmp(cli->args[0], "room") == 0)
        return cli_fail_hint(cli, rc, weir_error(cli->w), "`weir room create` makes a room");
    return rc ? cli_fail_node(cli, rc) : print_put(cli, reply);
}

int cli_put(struct cli *cli)
{
    uint8_t *state = NULL;
    size_t size = 0;
    weir_params_t *params = weir_params_new();
    int rc = params ? 0 : cli_fail(cli, WEIR_NO_MEMORY, NULL);
    for (size_t i = 0; !rc && i < cli->param_count; i++)
        rc = add_param(cli, params, cli->params[i]);
    if (!rc && cli_has(cli, OPTION_state))
        rc = cli_read_file(cli, cli_value(cli, OPTION_state), &state, &size);
    if (!rc)
        rc = put(cli, params, (struct weir_bytes){state, size});
    free(state);
    weir_params_destroy(&params);
    return rc;
}

/* Prints a whole state as the options say. */
static int print_state(const struct cli *cli, const struct weir_reply *reply)
{
    weir_contract_t *contract = NULL;
    struct weir_reason why = {""};
    int rc = 0;
    if (cli_has(cli, OPTION_raw) && cli_has(cli, OPTION_json)) {
        print_json_bytes(stdout, reply->state);
        putchar('\n');
    } else if (cli_has(cli, OPTION_raw)) {
        fwrite(reply->state.data, 1, reply->state.size, stdout);
    } else {
        rc = weir_contract_new(reply->kind, reply->params, &contract, &why);
        if (!rc && cli_has(cli, OPTION_json)) {
            rc = print_json_value(stdout, contract, reply->state, &why);
            putchar('\n');
        } else if (!rc) {
            rc = print_text_value(stdout, contract, reply->state, &why);
        }
        weir_contract_destroy(&contract);
    }
    return rc ? cli_fail(cli, rc, why.text) : cli_flush(cli);
}

int cli_get(struct cli *cli)
{
    uint8_t key[WEIR_KEY_BYTES];
    const struct weir_reply *reply;
    int rc = cli_key(cli, 0, key);
    if (!rc)
        rc = cli_connect(cli);
    if (rc)
        return rc;
    rc = weir_get(cli->w, key, &reply);
    return rc ? cli_fail_node(cli, rc) : print_state(cli, reply);
}

int cli_print_changed(const struct cli *cli, bool changed, const uint8_t *fingerprint)
{
    if (cli_has(cli, OPTION_json)) {
        printf("{\"changed\":%s,\"fingerprint\":\"", changed ? "true" : "false");
        print_hex(stdout, fingerprint, WEIR_KEY_BYTES);
        printf("\"}\n");
    } else {
        printf("%s\n", changed ? "changed" : "unchanged");
    }
    return cli_flush(cli);
}

int cli_update(struct cli *cli)
{
    uint8_t key[WEIR_KEY_BYTES], *delta = NULL;
    size_t size = 0;
    const struct weir_reply *reply;
    if (!cli_has(cli, OPTION_delta))
        return cli_usage(cli, "--delta FILE is missing");
    int rc = cli_key(cli, 0, key);
    if (!rc)
        rc = cli_read_file(cli, cli_value(cli, OPTION_delta), &delta, &size);
    if (!rc)
        rc = cli_connect(cli);
    if (!rc) {
        rc = weir_update(cli->w, key, (struct weir_bytes){delta, size}, &reply);
        rc = rc ? cli_fail_node(cli, rc)
                : cli_print_changed(cli, reply->changed, reply->fingerprint);
    }
    free(delta);
    return rc;
}

/* --- before an edit -------------------------------------------------------------------------- */

/* `register` writes both kinds of register; else the command's first word is the kind. */
static bool kind_fits(const char *name, const char *kind)
{
    size_t word = (size_t)(strchr(name, ' ') - name);
    const char *same = strcmp(kind, "multi-register") == 0 ? "register" : kind;
    return strlen(same) == word && memcmp(same, name, word) == 0;
}

/* By a read that no entry fits. */
int cli_check_kind(const struct cli *cli, const uint8_t key[WEIR_KEY_BYTES])
{
    static const uint8_t greatest[64] = {[0 ... 63] = 0xff};
    const struct weir_bytes end = {greatest, sizeof greatest};
    const struct weir_reply *reply;
    char why[300];
    int rc = weir_get_range(cli->w, key, end, &end, &reply);
    if (rc)
        return cli_fail_node(cli, rc);
    const char *name = cli->command->name;
    if (kind_fits(name, reply->kind))
        return 0;
    snprintf(why, sizeof why, "%.100s is a %.40s, not a %.*s", cli->args[0], reply->kind,
             (int)(strchr(name, ' ') - name), name);
    return cli_fail_hint(cli, WEIR_BAD_KIND, why, "`weir contracts` lists the kinds");
}
