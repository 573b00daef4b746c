/* weir status, contracts, peers, connect, disconnect, backup, check: asking the node itself */
#include "client/cli.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOOK_EVERY_MS = 200 };

static const char *const contract_columns[] = {"key",   "kind",   "name",        "entries",
                                               "bytes", "signed", "fingerprint", NULL};
static const char *const peer_columns[] = {"id",       "address",   "direction", "dialled_by",
                                           "role",     "state",     "age_ms",    "rtt_us",
                                           "bytes_in", "bytes_out", "queue",     NULL};

typedef int ask_fn(weir_t *w, const struct weir_reply **reply);
typedef int ask_with_fn(weir_t *w, const char *text, const struct weir_reply **reply);

/* Asks and prints: a table where columns are given, an object otherwise. */
static int ask(struct cli *cli, ask_fn *plain, ask_with_fn *with, const char *const *columns)
{
    const struct weir_reply *reply;
    bool json = cli_has(cli, OPTION_json);
    int rc = cli_connect(cli);
    if (rc)
        return rc;
    rc = plain ? plain(cli->w, &reply) : with(cli->w, cli->args[0], &reply);
    if (rc == WEIR_NOT_FOUND && with == weir_peer_disconnect)
        return cli_fail_hint(cli, rc, weir_error(cli->w), "`weir peers` lists those there are");
    if (rc)
        return cli_fail_node(cli, rc);
    return columns ? print_table(reply->json, json, columns) : cli_print_object(reply->json, json);
}

int cli_status(struct cli *cli)
{
    return ask(cli, weir_status, NULL, NULL);
}

int cli_contracts(struct cli *cli)
{
    return ask(cli, weir_contracts, NULL, contract_columns);
}

int cli_peers(struct cli *cli)
{
    const struct weir_reply *reply;
    if (!cli_has(cli, OPTION_matrix))
        return ask(cli, weir_peers, NULL, peer_columns);
    int rc = cli_connect(cli);
    if (rc)
        return rc;
    rc = weir_peers_matrix(cli->w, &reply);
    return rc ? cli_fail_node(cli, rc) : cli_print_matrix(reply->json, cli_has(cli, OPTION_json));
}

int cli_peer_connect(struct cli *cli)
{
    const char *at = strchr(cli->args[0], '@'), *colon = at ? strrchr(at, ':') : NULL;
    if (!at || at == cli->args[0] || !colon || colon == at + 1 || !colon[1])
        return cli_usage(cli, "%.100s is not ID@HOST:PORT", cli->args[0]);
    return ask(cli, NULL, weir_peer_connect, NULL);
}

int cli_peer_disconnect(struct cli *cli)
{
    return ask(cli, NULL, weir_peer_disconnect, NULL);
}

/* --- long work ------------------------------------------------------------------------------- */

struct work {
    struct cli *cli;
    struct progress progress;
    bool done, looking;
    int code;
};

static void on_done(weir_t *w, const struct weir_reply *reply, void *arg)
{
    struct work *self = arg;
    (void)w;
    self->done = true;
    progress_end(&self->progress);
    if (reply->code && self->cli->command->run == cli_backup && reply->code != WEIR_STORE_FULL)
        self->code = cli_fail_hint(self->cli, reply->code, reply->sentence,
                                   "name a folder on the node's machine that is absent or empty "
                                   "and that the node may write");
    else if (reply->code)
        self->code = cli_fail(self->cli, reply->code, reply->sentence);
    else if (self->cli->command->run == cli_check)
        self->code = cli_print_check(reply->json, cli_has(self->cli, OPTION_json));
    else
        self->code = cli_print_object(reply->json, cli_has(self->cli, OPTION_json));
}

static void on_status(weir_t *w, const struct weir_reply *reply, void *arg)
{
    struct work *self = arg;
    (void)w;
    self->looking = false;
    if (self->done || reply->code)
        return;
    json_t *status = json_loadb(reply->json.data, reply->json.size, 0, NULL);
    const json_t *work = json_object_get(status, "work");
    if (json_is_object(work))
        progress_show(&self->progress, (uint64_t)json_integer_value(json_object_get(work, "done")),
                      (uint64_t)json_integer_value(json_object_get(work, "all")));
    json_decref(status);
}

/* Waits for the work's reply; meanwhile the node's status tells how far it is. */
static int follow(struct work *self)
{
    weir_t *w = self->cli->w;
    while (!self->done) {
        if (self->progress.on && !self->looking)
            self->looking = weir_status_async(w, on_status, self) == 0;
        int rc = weir_step(w, self->progress.on ? LOOK_EVERY_MS : -1);
        if (rc < 0)
            return cli_fail_node(self->cli, rc);
        if (self->progress.on && !self->done)
            usleep(LOOK_EVERY_MS * 1000 / 4); /* not a flood of status requests */
    }
    return self->code;
}

static int absolute_path(const struct cli *cli, const char *path, char *absolute, size_t room)
{
    char here[4096] = "";
    if (*path != '/' && !getcwd(here, sizeof here))
        return cli_usage(cli, "where this is cannot be told (%s): name an absolute path",
                         strerror(errno));
    int size = snprintf(absolute, room, "%s%s%s", here, *path == '/' ? "" : "/", path);
    return size < 0 || (size_t)size >= room ? cli_usage(cli, "the path is too long") : 0;
}

int cli_backup(struct cli *cli)
{
    char path[4096];
    struct work work = {.cli = cli};
    int rc = absolute_path(cli, cli->args[0], path, sizeof path);
    if (!rc)
        rc = cli_connect(cli);
    if (rc)
        return rc;
    progress_start(&work.progress, "copying");
    rc = weir_backup_async(cli->w, path, on_done, &work);
    return rc ? cli_fail_node(cli, rc) : follow(&work);
}

int cli_check(struct cli *cli)
{
    struct work work = {.cli = cli};
    if (cli->arg_count)
        return cli_check_offline(cli);
    int rc = cli_connect(cli);
    if (rc)
        return rc;
    progress_start(&work.progress, "reading");
    rc = weir_check_async(cli->w, on_done, &work);
    return rc ? cli_fail_node(cli, rc) : follow(&work);
}
