#include "client/handle.h"

#include <stdio.h>
#include <stdlib.h>

/* What an OK carries, one letter a field: k key, f fingerprint, h hosts (u32), n kind name,
 * p params, s state, c changed (u8), j JSON. */
static const char *const ok_fields[VERB_COUNT] = {
    [VERB_PUT] = "kfh",   [VERB_GET] = "npsf",       [VERB_UPDATE] = "fc",
    [VERB_EDIT] = "fc",   [VERB_SUBSCRIBE] = "npsf", [VERB_UNSUBSCRIBE] = "",
    [VERB_STATUS] = "j",  [VERB_PEERS] = "j",        [VERB_CONTRACTS] = "j",
    [VERB_CONNECT] = "j", [VERB_DISCONNECT] = "j",   [VERB_BACKUP] = "j",
    [VERB_CHECK] = "j",
};

enum { FRAMES_BEFORE_FIELDS = 3, NOTIFY_FIELDS = 4 };

struct box *box_new(void)
{
    return calloc(1, sizeof(struct box));
}

void box_clear(struct box *self)
{
    size_t used = self->count < MESSAGE_FRAMES_MAX ? self->count : MESSAGE_FRAMES_MAX;
    for (size_t i = 0; i < used; i++)
        zmq_msg_close(&self->frames[i]);
    self->count = 0;
}

void box_free(struct box **self)
{
    if (*self)
        box_clear(*self);
    free(*self);
    *self = NULL;
}

static struct slice frame(struct box *self, size_t i)
{
    return slice_of(zmq_msg_data(&self->frames[i]), zmq_msg_size(&self->frames[i]));
}

/* Copies text into a terminated array, cut to its room. */
static const char *terminate(char *to, size_t room, struct slice text)
{
    size_t n = text.size < room - 1 ? text.size : room - 1;
    if (n)
        memcpy(to, text.data, n);
    to[n] = 0;
    return to;
}

/* False when the field's size is not its letter's. */
static bool read_field(struct box *self, char letter, struct slice field)
{
    struct weir_reply *reply = &self->reply;
    switch (letter) {
    case 'k':
        reply->key = field.data;
        return field.size == CONTRACT_KEY_BYTES;
    case 'f':
        reply->fingerprint = field.data;
        return field.size == FINGERPRINT_SIZE;
    case 'h':
        reply->hosts = field.size == 4 ? get_u32(field.data) : 0;
        return field.size == 4;
    case 'c':
        reply->changed = field.size == 1 && field.data[0];
        return field.size == 1;
    case 'n':
        reply->kind = terminate(self->kind, sizeof self->kind, field);
        return field.size <= KIND_NAME_BYTES_MAX;
    case 'p':
        reply->params = slice_bytes(field);
        return true;
    case 's':
        reply->state = slice_bytes(field);
        return true;
    default:
        reply->json = slice_bytes(field);
        return true;
    }
}

/* A node that says nothing about it leaves the code's own text. */
static void set_failure(struct box *self, int code, struct slice sentence)
{
    self->reply = (struct weir_reply){.code = code};
    self->reply.sentence = terminate(self->sentence, sizeof self->sentence, sentence);
    if (!self->sentence[0])
        self->reply.sentence = error_text(code);
}

void box_read_reply(struct box *self, enum verb verb)
{
    struct slice status = frame(self, 2);
    self->reply = (struct weir_reply){.sentence = ""};
    if (!slice_is(status, CLIENT_PROTOCOL_OK)) {
        int code = error_from_name(status.data, status.size);
        struct slice none = slice_of(NULL, 0);
        set_failure(self, code,
                    self->count > FRAMES_BEFORE_FIELDS ? frame(self, FRAMES_BEFORE_FIELDS) : none);
        return;
    }
    const char *letters = ok_fields[verb];
    bool good = self->count == FRAMES_BEFORE_FIELDS + strlen(letters);
    for (size_t i = 0; good && letters[i]; i++)
        good = read_field(self, letters[i], frame(self, FRAMES_BEFORE_FIELDS + i));
    if (!good)
        set_failure(self, ERR_INTERNAL, slice_text("the node's reply is not well formed"));
}

static void dispatch(weir_t *w, struct box *box)
{
    if (box->count < FRAMES_BEFORE_FIELDS || box->count > MESSAGE_FRAMES_MAX ||
        !slice_is(frame(box, 0), CLIENT_PROTOCOL_NAME))
        return; /* no message of this protocol: nobody waits for it */
    struct slice id = frame(box, 1);
    if (slice_is(frame(box, 2), CLIENT_PROTOCOL_NOTIFY)) {
        if (box->count != FRAMES_BEFORE_FIELDS + NOTIFY_FIELDS)
            return;
        struct slice fields[NOTIFY_FIELDS];
        for (size_t i = 0; i < NOTIFY_FIELDS; i++)
            fields[i] = frame(box, FRAMES_BEFORE_FIELDS + i);
        subscriptions_notify(w, id, fields);
        return;
    }
    struct request *request = request_find(w, id);
    if (!request)
        return; /* answered before, or given up: a repetition may be answered twice */
    box_read_reply(box, request->verb);
    request_finish(w, request, &box->reply);
}

bool replies_take(weir_t *w)
{
    if (link_receive(&w->link, w->incoming->frames, MESSAGE_FRAMES_MAX, &w->incoming->count))
        return false;
    struct box *box = w->incoming;
    dispatch(w, box);
    if (w->incoming == box) /* else it was kept */
        box_clear(box);
    return true;
}

/* Copies what a reply that lies in no box points to. */
static void keep_copy(struct box *to, const struct weir_reply *reply)
{
    to->reply = *reply;
    to->reply.sentence = terminate(to->sentence, sizeof to->sentence, slice_text(reply->sentence));
    if (reply->key)
        to->reply.key = memcpy(to->key, reply->key, sizeof to->key);
    if (reply->fingerprint)
        to->reply.fingerprint = memcpy(to->fingerprint, reply->fingerprint, sizeof to->fingerprint);
}

void reply_keep(weir_t *w, const struct weir_reply *reply)
{
    box_clear(w->kept);
    if (reply != &w->incoming->reply) {
        keep_copy(w->kept, reply);
        return;
    }
    struct box *box = w->incoming;
    w->incoming = w->kept;
    w->kept = box;
}
