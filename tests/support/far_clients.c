#include "tests/support/far_clients.h"

#include "base/errors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

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

struct far_clients {
    struct client_wire wire;
    struct far_client clients[CLIENTS];
    struct asked *asked, **asked_last;
    size_t asked_count;
    uint64_t sent;
    struct sent *taken;
};

static struct far_client *client_named(struct far_clients *self, const char *name, size_t size)
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

/* --- the wire ---------------------------------------------------------------------------- */

static struct frames *wire_receive(void *wire)
{
    struct far_clients *self = (struct far_clients *)wire;
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

static bool wire_is_local(const struct frames *frames)
{
    (void)frames;
    return true;
}

static int wire_send(void *wire, struct slice to, const struct part *parts, size_t count,
                     struct owed *owed)
{
    struct far_clients *self = (struct far_clients *)wire;
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
    self->sent++;
    return 0;
}

/* Who was answered, and neither hung up nor was forgotten. */
static size_t wire_connected(void *wire, uint64_t *turned_away)
{
    const struct far_clients *self = (const struct far_clients *)wire;
    size_t count = 0;
    *turned_away = 0;
    for (size_t i = 0; i < CLIENTS; i++)
        count += self->clients[i].name[0] && !self->clients[i].gone;
    return count;
}

static int wire_descriptor(void *wire)
{
    (void)wire;
    return -1;
}

/* --- what a test does -------------------------------------------------------------------- */

void far_clients_ask(far_clients_t *self, const char *client, const struct slice *frames,
                     size_t count)
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
    *self->asked_last = asked;
    self->asked_last = &asked->next;
    self->asked_count++;
}

size_t far_clients_untaken(const far_clients_t *self)
{
    return self->asked_count;
}

uint64_t far_clients_sent(const far_clients_t *self)
{
    return self->sent;
}

void far_clients_stop_reading(far_clients_t *self, const char *client, size_t queue)
{
    client_named(self, client, strlen(client))->queue_max = queue;
}

void far_clients_hang_up(far_clients_t *self, const char *client)
{
    client_named(self, client, strlen(client))->gone = true;
}

size_t far_clients_take(far_clients_t *self, const char *client, const struct slice **frames)
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

void far_clients_forget(far_clients_t *self, const char *client)
{
    const struct slice *frames;
    while (far_clients_take(self, client, &frames))
        ;
    *client_named(self, client, strlen(client)) = (struct far_client){.gone = false};
}

far_clients_t *far_clients_new(void)
{
    struct far_clients *self = (struct far_clients *)calloc(1, sizeof *self);
    assert_non_null(self);
    self->asked_last = &self->asked;
    self->wire = (struct client_wire){self,      wire_receive,   wire_release,   wire_is_local,
                                      wire_send, wire_connected, wire_descriptor};
    return self;
}

void far_clients_destroy(far_clients_t **pointer)
{
    struct far_clients *self = *pointer;
    const struct slice *frames;
    if (!self)
        return;
    *pointer = NULL;
    for (size_t i = 0; i < CLIENTS; i++)
        while (self->clients[i].name[0] && far_clients_take(self, self->clients[i].name, &frames))
            ;
    free(self->taken);
    for (struct frames *f = wire_receive(self); f; f = wire_receive(self))
        wire_release(f);
    free(self);
}

const struct client_wire *far_clients_wire(const far_clients_t *self)
{
    return &self->wire;
}
