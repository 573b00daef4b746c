#include "tests/support/host.h"

#include "contracts/entries.h"
#include "tests/support/far_clients.h"
#include "tests/support/scratch.h"
#include "tests/support/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* cmocka wants these before it */
#include <cmocka.h>

enum { FRAMES_MAX = 32, START_MS = 1000 };
static const uint64_t start_wall_ms = 1700000000000;

struct host {
    char dir[SCRATCH_PATH_MAX];
    far_clients_t *clients;
    stage_t *stage;
    uint64_t us;
    bool break_log;
};

/* --- the far side of the wire ------------------------------------------------------------ */

void host_ask_frames(host_t *self, const char *client, const struct slice *frames, size_t count)
{
    far_clients_ask(self->clients, client, frames, count);
}

void host_ask(host_t *self, const char *client, const char *id, const char *verb, ...)
{
    struct slice frames[FRAMES_MAX] = {slice_text(CLIENT_PROTOCOL_NAME), slice_text(id),
                                       slice_text(verb)};
    size_t count = 3;
    va_list args;
    va_start(args, verb);
    for (;;) {
        struct slice frame = va_arg(args, struct slice);
        if (!frame.data)
            break;
        frames[count++] = frame;
    }
    va_end(args);
    far_clients_ask(self->clients, client, frames, count);
}

void host_visit(host_t *self, const char *client, const char *verb)
{
    host_ask(self, client, "v", verb, (struct slice){NULL, 0});
    host_run(self);
    far_clients_forget(self->clients, client);
}

size_t host_untaken(const host_t *self)
{
    return far_clients_untaken(self->clients);
}

void host_stop_reading(host_t *self, const char *client, size_t queue)
{
    far_clients_stop_reading(self->clients, client, queue);
}

void host_hang_up(host_t *self, const char *client)
{
    far_clients_hang_up(self->clients, client);
}

size_t host_take(host_t *self, const char *client, const struct slice **frames)
{
    return far_clients_take(self->clients, client, frames);
}

size_t host_expect(host_t *self, const char *client, const char *id, const char *word,
                   const struct slice **fields)
{
    const struct slice *frames = NULL;
    size_t count = host_take(self, client, &frames);
    if (count < 3)
        fail_msg("%s got no message; %s for %s was expected", client, word, id);
    if (!slice_is(frames[1], id) || !slice_is(frames[2], word))
        fail_msg("%s got %.*s for %.*s (%.*s); %s for %s was expected", client, (int)frames[2].size,
                 (const char *)frames[2].data, (int)frames[1].size, (const char *)frames[1].data,
                 count > 3 ? (int)frames[3].size : 0, count > 3 ? (const char *)frames[3].data : "",
                 word, id);
    assert_true(slice_is(frames[0], CLIENT_PROTOCOL_NAME));
    if (fields)
        *fields = frames + 3;
    return count - 3;
}

/* --- delivery ---------------------------------------------------------------------------- */

void host_run(host_t *self)
{
    stage_run(self->stage, self->us);
}

void host_pause(host_t *self, enum actor_id actor, bool paused)
{
    stage_pause(self->stage, actor, paused);
}

size_t host_waiting(const host_t *self, enum actor_id actor)
{
    return stage_waiting(self->stage, actor);
}

void host_advance_ms(host_t *self, uint64_t ms)
{
    self->us += ms * 1000;
    host_run(self);
}

void host_break_log(host_t *self)
{
    self->break_log = true;
}

/* What the journal tells after its flush, turned into a failure. */
static void break_flushed(void *watcher, struct message *message)
{
    const struct host *self = (const struct host *)watcher;
    struct flushed *flushed = (struct flushed *)message;
    if (self->break_log && message->kind == MESSAGE_FLUSHED)
        flushed->code = (fail)(&flushed->why, ERR_IO, "the test broke the log"); /* not cmocka's */
}

/* --- making ------------------------------------------------------------------------------ */

host_t *host_new(bool relaxed)
{
    struct host *self = (struct host *)calloc(1, sizeof *self);
    struct reason why;
    assert_non_null(self);
    scratch_make(self->dir);
    self->clients = far_clients_new();
    const struct stage_options options = {.cast = {.client_wire = far_clients_wire(self->clients),
                                                   .facts = {"test", "peer", "unit", "none", ""},
                                                   .state_bytes_max = STATE_BYTES_MAX,
                                                   .replica = {1, 2, 3, 4, 5, 6, 7, 8},
                                                   .relaxed = relaxed},
                                          .dir = self->dir,
                                          .clock_ms = START_MS,
                                          .wall_ms = (int64_t)start_wall_ms,
                                          .watcher = self,
                                          .watch = break_flushed};
    if (stage_new(&options, 0, &self->stage, &why) != 0)
        fail_msg("%s", why.text);
    return self;
}

void host_destroy(host_t **pointer)
{
    struct host *self = *pointer;
    *pointer = NULL;
    stage_destroy(&self->stage);
    far_clients_destroy(&self->clients);
    scratch_remove(self->dir);
    free(self);
}

struct slice host_params(const char *name)
{
    static uint8_t bytes[256];
    struct buffer out = {0};
    entry_append(&out, slice_text("name"), slice_text(name));
    memcpy(bytes, out.data, out.size);
    struct slice params = slice_of(bytes, out.size);
    buffer_free(&out);
    return params;
}
