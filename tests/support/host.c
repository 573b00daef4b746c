#include "tests/support/host.h"

#include "actors/checkpoint.h"
#include "actors/client_api.h"
#include "actors/journal.h"
#include "actors/keeper.h"
#include "actors/operation.h"
#include "actors/storage.h"
#include "actors/subscribe.h"
#include "contracts/entries.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* cmocka wants these before it */
#include <cmocka.h>

enum { CLIENTS = 8, FRAMES_MAX = 32 };

struct sent {
    struct sent *next;
    struct owed *owed; /* owned holder; owes lent bytes until it is taken */
    uint64_t lent;
    size_t count;
    struct slice frames[FRAMES_MAX];
    uint8_t bytes[];
};

struct far_client {
    char name[16];
    struct sent *first, **last;
    size_t queued, queue_max;
    bool gone;
};

struct asked {
    struct frames frames;
    struct asked *next;
    uint8_t bytes[];
};

struct host {
    char dir[64];
    store_t *store;
    struct progress progress;
    atomic_bool stopping;
    client_api_t *client_api;
    operation_t *put, *get, *update;
    subscribe_t *subscribe;
    storage_t *storage;
    journal_t *journal;
    keeper_t *keeper;
    struct client_wire wire;
    struct far_client clients[CLIENTS];
    struct asked *asked, **asked_last;
    size_t asked_count;
    struct sent *taken;
    struct hosted_actor {
        const struct actor_spec *spec;
        void *self;
        struct mail inbox;
        bool paused;
    } actors[ACTOR_COUNT];
    struct mail queue;
    struct outbox outbox;
    struct now now;
    bool break_log;
};

/* --- the far side of the wire ------------------------------------------------------------ */

static struct far_client *client_named(struct host *self, const char *name, size_t size)
{
    for (size_t i = 0; i < CLIENTS; i++) {
        struct far_client *c = &self->clients[i];
        if (!c->name[0]) {
            memcpy(c->name, name, size);
            c->last = &c->first;
            c->queue_max = SIZE_MAX;
        }
        if (strlen(c->name) == size && memcmp(c->name, name, size) == 0)
            return c;
    }
    fail_msg("too many clients in one test");
    return NULL;
}

static struct frames *wire_receive(void *wire)
{
    struct host *self = (struct host *)wire;
    struct asked *asked = self->asked;
    if (!asked)
        return NULL;
    self->asked = asked->next;
    if (!self->asked)
        self->asked_last = &self->asked;
    self->asked_count--;
    return &asked->frames;
}

static void wire_release(struct frames *frames)
{
    free(frames->slices);
    free(frames);
}

static int wire_send(void *wire, struct slice to, const struct part *parts, size_t count,
                     struct owed *owed)
{
    struct host *self = (struct host *)wire;
    struct far_client *client = client_named(self, (const char *)to.data, to.size);
    if (client->gone)
        return ERR_NOT_FOUND;
    if (client->queued >= client->queue_max)
        return ERR_AGAIN;
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += parts[i].data.size;
    struct sent *sent = (struct sent *)calloc(1, sizeof *sent + size);
    assert_non_null(sent);
    uint8_t *at = sent->bytes;
    sent->owed = owed_hold(owed);
    for (size_t i = 0; i < count; i++) {
        sent->lent += parts[i].blob ? parts[i].data.size : 0;
        if (parts[i].data.size)
            memcpy(at, parts[i].data.data, parts[i].data.size);
        sent->frames[i] = slice_of(at, parts[i].data.size);
        at += parts[i].data.size;
    }
    sent->count = count;
    owed_add(owed, sent->lent);
    *client->last = sent;
    client->last = &sent->next;
    client->queued++;
    return 0;
}

static int wire_descriptor(void *wire)
{
    (void)wire;
    return -1;
}

void host_ask_frames(host_t *self, const char *client, const struct slice *frames, size_t count)
{
    size_t size = strlen(client);
    for (size_t i = 0; i < count; i++)
        size += frames[i].size;
    struct asked *asked = (struct asked *)calloc(1, sizeof *asked + size);
    assert_non_null(asked);
    asked->frames.slices = (struct slice *)calloc(count + 1, sizeof(struct slice));
    uint8_t *at = asked->bytes;
    memcpy(at, client, strlen(client));
    asked->frames.from = slice_of(at, strlen(client));
    at += strlen(client);
    for (size_t i = 0; i < count; i++) {
        if (frames[i].size)
            memcpy(at, frames[i].data, frames[i].size);
        asked->frames.slices[i] = slice_of(at, frames[i].size);
        at += frames[i].size;
        asked->frames.bytes += frames[i].size;
    }
    asked->frames.count = count;
    asked->frames.is_local = true;
    *self->asked_last = asked;
    self->asked_last = &asked->next;
    self->asked_count++;
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
    host_ask_frames(self, client, frames, count);
}

void host_visit(host_t *self, const char *client, const char *verb)
{
    const struct slice *frames;
    struct far_client *c = client_named(self, client, strlen(client));
    host_ask(self, client, "v", verb, (struct slice){NULL, 0});
    host_run(self);
    while (host_take(self, client, &frames))
        ;
    *c = (struct far_client){.gone = false}; /* its place is free for another name */
}

size_t host_untaken(const host_t *self)
{
    return self->asked_count;
}

void host_stop_reading(host_t *self, const char *client, size_t queue)
{
    client_named(self, client, strlen(client))->queue_max = queue;
}

void host_hang_up(host_t *self, const char *client)
{
    client_named(self, client, strlen(client))->gone = true;
}

size_t host_take(host_t *self, const char *client, const struct slice **frames)
{
    struct far_client *c = client_named(self, client, strlen(client));
    struct sent *sent = c->first;
    free(self->taken);
    self->taken = sent;
    if (!sent)
        return 0;
    c->first = sent->next;
    if (!c->first)
        c->last = &c->first;
    c->queued--;
    owed_take(sent->owed, sent->lent);
    owed_release(&sent->owed);
    *frames = sent->frames;
    return sent->count;
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

/* One queue for all, as a worker has: messages are handled in the order in which they were sent. */
static void sort_outbox(struct host *self)
{
    mail_move(&self->queue, &self->outbox.mail);
}

/* What the journal tells after its flush, turned into a failure. */
static void break_flushed(const struct host *self, struct message *message)
{
    struct flushed *flushed = (struct flushed *)message;
    if (self->break_log && message->kind == MESSAGE_FLUSHED)
        flushed->code = (fail)(&flushed->why, ERR_IO, "the test broke the log"); /* not cmocka's */
}

static bool handle_queue(struct host *self)
{
    bool moved = false;
    for (struct message *m = mail_pop(&self->queue); m; m = mail_pop(&self->queue)) {
        struct hosted_actor *actor = &self->actors[m->to];
        if (actor->paused) {
            mail_push(&actor->inbox, m);
            continue;
        }
        break_flushed(self, m);
        self->outbox.from = actor->spec->id;
        actor->spec->receive(actor->self, m, self->now, &self->outbox);
        sort_outbox(self);
        moved = true;
    }
    return moved;
}

/* What an actor does of itself in a turn. */
static bool turn_of(struct host *self, enum actor_id id)
{
    const struct hosted_actor *actor = &self->actors[id];
    bool moved = false;
    if (actor->paused)
        return false;
    self->outbox.from = id;
    if (actor->spec->pump && actor->spec->wants_input(actor->self))
        moved |= actor->spec->pump(actor->self, self->now, &self->outbox);
    if (actor->spec->tick && actor->spec->deadline_ms(actor->self) <= self->now.ms) {
        actor->spec->tick(actor->self, self->now, &self->outbox);
        moved |= id == ACTOR_storage && actor->spec->deadline_ms(actor->self) == 0;
    }
    if (actor->spec->turn_end)
        actor->spec->turn_end(actor->self, self->now, &self->outbox);
    sort_outbox(self);
    return handle_queue(self) || moved;
}

void host_run(host_t *self)
{
    bool moved = true;
    while (moved) {
        moved = false;
        for (int a = 0; a < ACTOR_COUNT; a++)
            moved |= self->actors[a].spec && turn_of(self, (enum actor_id)a);
    }
}

void host_pause(host_t *self, enum actor_id actor, bool paused)
{
    self->actors[actor].paused = paused;
    if (!paused)
        mail_move(&self->queue, &self->actors[actor].inbox);
}

size_t host_waiting(const host_t *self, enum actor_id actor)
{
    return self->actors[actor].inbox.count;
}

void host_advance_ms(host_t *self, uint64_t ms)
{
    self->now.ms += ms;
    self->now.wall_ms += ms;
    host_run(self);
}

void host_break_log(host_t *self)
{
    self->break_log = true;
}

/* --- making ------------------------------------------------------------------------------ */

static void place(struct host *self, const struct actor_spec *spec, void *actor)
{
    self->actors[spec->id].spec = spec;
    self->actors[spec->id].self = actor;
}

static void make_actors(struct host *self, bool relaxed)
{
    struct client_api_options api = {
        .wire = &self->wire, .state_bytes_max = STATE_BYTES_MAX, .node_id = "test"};
    struct storage_options storage = {.store = self->store,
                                      .progress = &self->progress,
                                      .state_bytes_max = STATE_BYTES_MAX,
                                      .relaxed = relaxed,
                                      .replica = {1, 2, 3, 4, 5, 6, 7, 8}};
    place(self, &client_api_spec, self->client_api = client_api_new(&api));
    place(self, &put_spec, self->put = operation_new());
    place(self, &get_spec, self->get = operation_new());
    place(self, &update_spec, self->update = operation_new());
    place(self, &subscribe_spec, self->subscribe = subscribe_new(false));
    place(self, &storage_spec, self->storage = storage_new(&storage));
    place(self, &journal_spec, self->journal = journal_new(store_log(self->store), !relaxed));
    place(self, &checkpoint_spec, NULL);
    place(self, &keeper_spec,
          self->keeper = keeper_new(store_db(self->store), &self->progress, &self->stopping));
}

host_t *host_new(bool relaxed)
{
    struct host *self = (struct host *)calloc(1, sizeof *self);
    struct reason why;
    assert_non_null(self);
    (void)snprintf(self->dir, sizeof self->dir, "/tmp/weir-host-XXXXXX");
    assert_non_null(mkdtemp(self->dir));
    struct store_options store = {
        .data_dir = self->dir, .store_bytes_max = UINT64_MAX, .state_bytes_max = STATE_BYTES_MAX};
    if (store_open(&store, &self->store, &why) != 0)
        fail_msg("%s", why.text);
    self->asked_last = &self->asked;
    self->now = (struct now){.ms = 1000, .wall_ms = 1700000000000};
    self->wire = (struct client_wire){self, wire_receive, wire_release, wire_send, wire_descriptor};
    make_actors(self, relaxed);
    return self;
}

static void free_clients(struct host *self)
{
    const struct slice *frames;
    for (size_t i = 0; i < CLIENTS; i++)
        while (self->clients[i].name[0] && host_take(self, self->clients[i].name, &frames))
            ;
    free(self->taken);
    for (struct frames *f = wire_receive(self); f; f = wire_receive(self))
        wire_release(f);
}

void host_destroy(host_t **pointer)
{
    struct host *self = *pointer;
    char command[128];
    *pointer = NULL;
    for (int a = 0; a < ACTOR_COUNT; a++)
        mail_free(&self->actors[a].inbox);
    mail_free(&self->queue);
    keeper_destroy(&self->keeper);
    journal_destroy(&self->journal);
    storage_destroy(&self->storage);
    subscribe_destroy(&self->subscribe);
    operation_destroy(&self->update);
    operation_destroy(&self->get);
    operation_destroy(&self->put);
    client_api_destroy(&self->client_api);
    free_clients(self);
    store_close(&self->store);
    (void)snprintf(command, sizeof command, "rm -rf %s", self->dir);
    assert_int_equal(system(command), 0);
    free(self);
}

size_t host_heap_bytes(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
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
