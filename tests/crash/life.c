#include "tests/crash/life.h"

#include "client/clock.h"
#include "tests/crash/client_load.h"
#include "tests/support/process.h"
#include "tests/unit/store_fixture.h"

#include <stdio.h>
#include <sys/wait.h>

enum { OPEN = 12 };

/* --- backups --------------------------------------------------------------------------------- */

struct backups {
    char dir[128]; /* of the one under way */
    unsigned done;
    bool open;
};

static void on_backup(weir_t *w, const struct weir_reply *reply, void *argument)
{
    struct backups *self = (struct backups *)argument;
    (void)w;
    self->open = false;
    self->done += reply->code == 0;
    remove_dir(self->dir);
}

static int begin_backup(struct backups *self, const char *data_dir, weir_t *w)
{
    (void)snprintf(self->dir, sizeof self->dir, "%s-backup-%u", data_dir, self->done);
    self->open = true;
    return weir_backup_async(w, self->dir, on_backup, self);
}

/* --- the load -------------------------------------------------------------------------------- */

static int ask_more(const struct life *self, struct client_load *client, struct backups *backups)
{
    size_t bytes;
    int rc = 0;
    if (backups->done < self->backups && !backups->open)
        rc = begin_backup(backups, self->data_dir, client->w);
    while (rc == 0 && weir_open(client->w) < OPEN)
        rc = client_load_ask(client, &bytes);
    return rc == 0 ? weir_step(client->w, 2) < 0 : rc;
}

/* Keeps the node busy until it is killed, or long enough, and stops it then. False: it was not
 * killed. */
static bool load_until_killed(const struct life *self, struct process *node)
{
    struct client_load client = {
        .trace = self->trace, .fields = self->fields, .value_max = self->value_max};
    struct backups backups = {.done = 0};
    uint64_t until = monotonic_ms() + self->load_ms;
    int rc = client_load_open(&client, node->endpoint, 2 * OPEN);
    while (rc == 0 && !process_ended(node) &&
           (monotonic_ms() < until || backups.done < self->backups))
        rc = ask_more(self, &client, &backups);
    bool killed = process_ended(node); /* a client that met an error only then looks */
    client_load_close(&client);
    killed = killed || WIFSIGNALED(process_stop(node));
    if (backups.open)
        remove_dir(backups.dir); /* what is there of it */
    return killed;
}

int life_live(const struct life *self, bool *killed, struct reason *why)
{
    static const char *const quietly[] = {"--log-level", "error", NULL};
    char traced[64], inject[96];
    struct process node;
    (void)snprintf(traced, sizeof traced, "trace=%s", self->call);
    (void)snprintf(inject, sizeof inject, "inject=%s:signal=KILL:when=%u", self->call, self->n);
    const char *const command[] = {"strace", "-D",   "-f", "-qq",  "-o", "/dev/null",
                                   "-e",     traced, "-e", inject, NULL};
    bool ready = process_try(&node, self->data_dir, quietly, self->call ? command : NULL);
    if (!ready && !WIFSIGNALED(node.status))
        return (fail)(why, ERR_INTERNAL, "the node refuses to start");
    *killed = !ready || load_until_killed(self, &node);
    return 0;
}
