#include "proto/session.h"

#include <sodium.h>
#include <stdlib.h>

_Static_assert(SESSION_HEADER_BYTES == crypto_secretstream_xchacha20poly1305_HEADERBYTES, "");
_Static_assert(SESSION_KEY_BYTES == crypto_secretstream_xchacha20poly1305_KEYBYTES, "");
_Static_assert(RECORD_OVERHEAD_BYTES == crypto_secretstream_xchacha20poly1305_ABYTES, "");
_Static_assert(RECORD_SEALED_BYTES_MAX <= UINT16_MAX, "a record's size fits its prefix");

enum stream_state { STREAM_fresh, STREAM_open, STREAM_over };

/* One direction. */
struct stream {
    crypto_secretstream_xchacha20poly1305_state crypto;
    enum stream_state state;
    uint8_t direction; /* 'I' or 'A' */
    uint64_t records;
};

struct session {
    struct stream out, in;
    uint8_t header[SESSION_HEADER_BYTES];   /* of out */
    uint8_t receive_key[SESSION_KEY_BYTES]; /* until the far side's header is here */
};

static uint8_t header_bit(const struct stream *stream)
{
    return stream->direction == 'A';
}

/* libsodium's init_push draws a header itself; with a header given, init_pull makes the same state.
 */
static void start(struct stream *stream, const uint8_t *header, const uint8_t *key)
{
    (void)crypto_secretstream_xchacha20poly1305_init_pull(&stream->crypto, header, key);
    stream->state = STREAM_open;
}

session_t *session_new(bool initiator, const uint8_t send_key[SESSION_KEY_BYTES],
                       const uint8_t receive_key[SESSION_KEY_BYTES],
                       const uint8_t header[SESSION_HEADER_BYTES])
{
    session_t *self = (session_t *)calloc(1, sizeof *self);
    if (!self)
        return NULL;
    self->out.direction = initiator ? 'I' : 'A';
    self->in.direction = initiator ? 'A' : 'I';
    memcpy(self->header, header, SESSION_HEADER_BYTES);
    self->header[0] = (uint8_t)((header[0] & ~1u) | header_bit(&self->out));
    memcpy(self->receive_key, receive_key, SESSION_KEY_BYTES);
    start(&self->out, self->header, send_key);
    self->out.state = STREAM_fresh;
    return self;
}

int session_seal(session_t *self, struct slice plain, bool last, struct buffer *out)
{
    struct stream *stream = &self->out;
    if (stream->state == STREAM_over)
        return ERR_DENIED;
    if (plain.size > RECORD_PLAIN_BYTES_MAX)
        return ERR_TOO_LARGE;
    size_t header = stream->state == STREAM_fresh ? SESSION_HEADER_BYTES : 0;
    size_t bytes = header + plain.size + RECORD_OVERHEAD_BYTES;
    uint8_t *to = buffer_grow(out, RECORD_PREFIX_BYTES + bytes);
    if (!to)
        return ERR_NO_MEMORY;
    put_u16(to, (uint16_t)bytes);
    memcpy(to + RECORD_PREFIX_BYTES, self->header, header);
    (void)crypto_secretstream_xchacha20poly1305_push(
        &stream->crypto, to + RECORD_PREFIX_BYTES + header, NULL, plain.data, plain.size,
        &stream->direction, 1,
        last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL
             : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE);
    stream->state = last ? STREAM_over : STREAM_open;
    stream->records++;
    return 0;
}

/* The header before the first record; takes it off. */
static int take_header(session_t *self, struct slice *record, struct reason *why)
{
    if (record->size < SESSION_HEADER_BYTES + RECORD_SEALED_BYTES_MIN)
        return fail(why, ERR_BAD_REQUEST, "a first record of %zu bytes is too short", record->size);
    if ((record->data[0] & 1u) != header_bit(&self->in))
        return fail(why, ERR_DENIED, "a stream of our own direction: it was reflected");
    start(&self->in, record->data, self->receive_key);
    sodium_memzero(self->receive_key, sizeof self->receive_key);
    *record = slice_after(*record, SESSION_HEADER_BYTES);
    return 0;
}

static int open_sealed(struct stream *stream, struct slice sealed, uint8_t *into, bool *last,
                       struct reason *why)
{
    unsigned char tag = 0;
    if (sealed.size < RECORD_SEALED_BYTES_MIN ||
        sealed.size > RECORD_PLAIN_BYTES_MAX + RECORD_OVERHEAD_BYTES)
        return fail(why, ERR_BAD_REQUEST, "no record has %zu bytes", sealed.size);
    if (crypto_secretstream_xchacha20poly1305_pull(&stream->crypto, into, NULL, &tag, sealed.data,
                                                   sealed.size, &stream->direction, 1))
        return fail(why, ERR_DENIED, "record %llu does not open: changed, or not the next one",
                    (unsigned long long)stream->records + 1);
    if (tag != crypto_secretstream_xchacha20poly1305_TAG_MESSAGE &&
        tag != crypto_secretstream_xchacha20poly1305_TAG_FINAL)
        return fail(why, ERR_DENIED, "record %llu has the unknown tag %u",
                    (unsigned long long)stream->records + 1, tag);
    *last = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
    return 0;
}

int session_open(session_t *self, struct slice record, uint8_t *into, struct slice *plain,
                 bool *last, struct reason *why)
{
    struct stream *stream = &self->in;
    bool is_last = false;
    int rc = 0;
    if (stream->state == STREAM_over)
        return fail(why, ERR_DENIED, "a record after the last one");
    if (stream->state == STREAM_fresh)
        rc = take_header(self, &record, why);
    if (rc == 0)
        rc = open_sealed(stream, record, into, &is_last, why);
    if (rc || is_last)
        stream->state = STREAM_over;
    if (rc)
        return rc;
    stream->records++;
    *plain = slice_of(into, record.size - RECORD_OVERHEAD_BYTES);
    *last = is_last;
    return 0;
}

uint64_t session_sealed(const session_t *self)
{
    return self->out.records;
}

uint64_t session_opened(const session_t *self)
{
    return self->in.records;
}

void session_destroy(session_t **self)
{
    if (!*self)
        return;
    sodium_memzero(*self, sizeof **self);
    free(*self);
    *self = NULL;
}
