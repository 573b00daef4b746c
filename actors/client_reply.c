#include "actors/client_reply.h"

#include <assert.h>

static void add(struct reply_parts *parts, struct slice data, struct blob *blob)
{
    assert(parts->count < REPLY_PARTS_MAX);
    bool lend = blob && data.size >= LARGE_FRAME_BYTES;
    parts->part[parts->count++] = (struct part){data, lend ? blob : NULL};
}

static void begin(struct reply_parts *parts, const uint8_t *id, size_t id_size, const char *word)
{
    parts->count = 0;
    add(parts, slice_text(CLIENT_PROTOCOL_NAME), NULL);
    add(parts, slice_of(id, id_size), NULL);
    add(parts, slice_text(word), NULL);
}

static void add_reading(struct reply_parts *parts, const struct request *reply)
{
    const struct reading *reading = &reply->reading;
    struct slice all = blob_slice(reading->bytes);
    add(parts, slice_text(reading->kind->name), NULL);
    add(parts, slice_of(all.data, reading->params_bytes), reading->bytes);
    add(parts, slice_after(all, reading->params_bytes), reading->bytes);
    add(parts, slice_of(reading->fingerprint.bytes, FINGERPRINT_BYTES), NULL);
}

static void add_fields(struct reply_parts *parts, const struct request *reply)
{
    const struct store_change *change = &reply->change;
    switch (reply->verb) {
    case VERB_PUT:
        add(parts, slice_of(reply->key.bytes, CONTRACT_KEY_BYTES), NULL);
        add(parts, slice_of(change->after.bytes, FINGERPRINT_BYTES), NULL);
        put_u32(parts->number, reply->hosts);
        add(parts, slice_of(parts->number, 4), NULL);
        break;
    case VERB_UPDATE:
    case VERB_EDIT:
        add(parts, slice_of(change->after.bytes, FINGERPRINT_BYTES), NULL);
        parts->number[0] = change->changed > 0;
        add(parts, slice_of(parts->number, 1), NULL);
        break;
    case VERB_GET:
    case VERB_SUBSCRIBE:
        add_reading(parts, reply);
        break;
    case VERB_UNSUBSCRIBE:
        break;
    case VERB_STATUS:
    case VERB_PEERS:
    case VERB_CONTRACTS:
    case VERB_CONNECT:
    case VERB_DISCONNECT:
    case VERB_BACKUP:
    case VERB_CHECK:
        add(parts, blob_slice(reply->json), reply->json);
        break;
    case VERB_COUNT:
        break;
    }
}

void client_reply_parts(const struct request *reply, struct reply_parts *parts)
{
    int code = reply->code < ERR_LAST_ON_WIRE ? ERR_INTERNAL : reply->code;
    begin(parts, reply->id, reply->id_size, error_name(code));
    if (code == 0)
        add_fields(parts, reply);
    else
        add(parts, slice_text(reply->why.text[0] ? reply->why.text : error_text(reply->code)),
            NULL);
}

void client_notify_parts(const struct notify *notify, struct reply_parts *parts)
{
    begin(parts, notify->id, notify->id_size, CLIENT_PROTOCOL_NOTIFY);
    add(parts, slice_of(notify->key.bytes, CONTRACT_KEY_BYTES), NULL);
    add(parts, notify->delta, notify->bytes);
    add(parts, slice_of(notify->before.bytes, FINGERPRINT_BYTES), NULL);
    add(parts, slice_of(notify->after.bytes, FINGERPRINT_BYTES), NULL);
}
