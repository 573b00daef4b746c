#include "actors/messages.h"

#include <stdlib.h>

const struct message_row message_rows[MESSAGE_COUNT] = {
#define M(name, type, from, to, says) {#name, from, to, says},
    MESSAGES(M)
#undef M
};

const char *const actor_names[ACTOR_COUNT] = {
#define A(actor) #actor,
    ACTORS(A)
#undef A
};

const struct close_reason_row close_reasons[CLOSE_REASON_COUNT] = {
#define R(name, text) {#name, text},
    CLOSE_REASONS(R)
#undef R
};

void *message_new(size_t size)
{
    return calloc(1, size);
}

/* Structs that own nothing. */
static void free_plain(struct message *message)
{
    free(message);
}
#define free_watch       free_plain
#define free_client      free_plain
#define free_flushed     free_plain
#define free_closed      free_plain
#define free_peer_order  free_plain
#define free_peer_live   free_plain
#define free_peer_silent free_plain
#define free_crowded     free_plain
#define free_sync_order  free_plain
#define free_holdings    free_plain

static void free_request(struct message *message)
{
    struct request *self = (struct request *)message;
    if (self->frames)
        self->release(self->frames);
    blob_release(&self->change.record);
    blob_release(&self->reading.bytes);
    owed_release(&self->owed);
    blob_release(&self->json);
    struct message *mail = self->mail ? &self->mail->head : NULL;
    message_free(&mail);
    free(self);
}

static void free_changed(struct message *message)
{
    blob_release(&((struct changed *)message)->record);
    free(message);
}

static void free_notify(struct message *message)
{
    blob_release(&((struct notify *)message)->bytes);
    free(message);
}

static void free_append(struct message *message)
{
    struct append *self = (struct append *)message;
    for (size_t i = 0; i < self->count; i++)
        blob_release(&self->records[i]);
    free(self->records);
    free(self);
}

static void free_folding(struct message *message)
{
    struct folding *self = (struct folding *)message;
    if (message->kind == MESSAGE_DISPOSE)
        fold_destroy(&self->fold);
    free(self);
}

static void free_dial(struct message *message)
{
    free(((struct dial *)message)->closed);
    free(message);
}

static void free_opened(struct message *message)
{
    peer_traffic_release(&((struct opened *)message)->traffic);
    free(message);
}

static void free_peer_send(struct message *message)
{
    blob_release(&((struct peer_send *)message)->bytes);
    free(message);
}

static void free_peer_mail(struct message *message)
{
    struct peer_mail *self = (struct peer_mail *)message;
    blob_release(&self->bytes);
    if (self->window)
        owed_take(self->window, self->counted);
    owed_release(&self->window);
    free(self);
}

static void free_follow(struct message *message)
{
    blob_release(&((struct follow *)message)->params);
    free(message);
}

static void free_walk(struct message *message)
{
    struct walk *self = (struct walk *)message;
    sync_walk_destroy(&self->walk);
    buffer_free(&self->entries);
    blob_release(&self->params);
    free(self);
}

void message_free(struct message **self)
{
    static void (*const free_as[MESSAGE_COUNT])(struct message *) = {
#define M(name, type, from, to, says) free_##type,
        MESSAGES(M)
#undef M
    };
    if (*self)
        free_as[(*self)->kind](*self);
    *self = NULL;
}

void mail_push(struct mail *self, struct message *message)
{
    message->next = NULL;
    if (!self->first)
        self->last = &self->first;
    *self->last = message;
    self->last = &message->next;
    self->count++;
}

struct message *mail_pop(struct mail *self)
{
    struct message *message = self->first;
    if (message) {
        self->first = message->next;
        self->count--;
        message->next = NULL;
    }
    return message;
}

void mail_move(struct mail *self, struct mail *from)
{
    if (!from->first)
        return;
    if (!self->first)
        self->last = &self->first;
    *self->last = from->first;
    self->last = from->last;
    self->count += from->count;
    *from = (struct mail){0};
}

void mail_free(struct mail *self)
{
    for (struct message *m = mail_pop(self); m; m = mail_pop(self))
        message_free(&m);
}
