/* Redis's protocol, RESP2 (https://redis.io/docs/reference/protocol-spec/). */
#include "bench/common/dialect.h"

#include "bench/common/die.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char channel[] = "bench";

enum { KEY_BYTES = 12 }; /* "key:" and 8 digits */

/* --- requests -------------------------------------------------------------------------------- */

static void append_count(struct buffer *out, char sign, size_t count)
{
    char text[32];
    buffer_append(out, text, (size_t)snprintf(text, sizeof text, "%c%zu\r\n", sign, count));
}

static void append_bulk(struct buffer *out, struct slice data)
{
    append_count(out, '$', data.size);
    buffer_append_slice(out, data);
    buffer_append(out, "\r\n", 2);
}

static void append_key(struct buffer *out, uint32_t number)
{
    char key[32];
    snprintf(key, sizeof key, "key:%08" PRIu32, number);
    append_bulk(out, slice_of(key, KEY_BYTES));
}

static void append_verb(struct buffer *out, size_t arguments, const char *verb)
{
    append_count(out, '*', arguments + 1);
    append_bulk(out, slice_text(verb));
}

static void append_set(struct world *world, uint32_t number, struct buffer *out)
{
    append_verb(out, 2, "SET");
    append_key(out, number);
    append_bulk(out, world_value(world));
}

/* An update that tells its subscribers, all or nothing. */
static void append_publish(struct world *world, uint32_t number, struct buffer *out)
{
    append_verb(out, 0, "MULTI");
    append_verb(out, 2, "SET");
    append_key(out, number);
    append_bulk(out, world_value(world));
    append_verb(out, 2, "PUBLISH");
    append_bulk(out, slice_text(channel));
    append_bulk(out, slice_of(world->noise, world->value_bytes));
    append_verb(out, 0, "EXEC");
}

static void append_fill(struct world *world, uint32_t number, struct buffer *out)
{
    append_verb(out, 2u * world->batch, "MSET");
    for (uint32_t i = 0; i < world->batch; i++) {
        append_key(out, number * world->batch + i);
        append_bulk(out, world_value(world));
    }
}

static void request(struct world *world, enum op op, uint32_t number, uint32_t slot,
                    struct buffer *out)
{
    (void)slot;
    switch (op) {
    case OP_CREATE:
    case OP_SET_CONTRACT:
    case OP_SET_FIELD:
        append_set(world, number, out);
        break;
    case OP_FILL:
        append_fill(world, number, out);
        break;
    case OP_GET:
        append_verb(out, 1, "GET");
        append_key(out, number);
        break;
    case OP_PUBLISH:
        append_publish(world, number, out);
        break;
    case OP_SUBSCRIBE:
        append_verb(out, 1, "SUBSCRIBE");
        append_bulk(out, slice_text(channel));
        break;
    case OP_WORK_LEFT:
        append_verb(out, 1, "INFO");
        append_bulk(out, slice_text("persistence"));
        break;
    case OP_CREATE_MAP:
        append_verb(out, 0, "PING");
        break;
    case OP_GET_MAP:
    case OP_COUNT:
        die("Redis has nothing like this operation");
    }
}

static unsigned replies(enum op op)
{
    return op == OP_PUBLISH ? 4 : 1;
}

static size_t value_bytes(const struct world *world, enum op op)
{
    return op == OP_GET ? world->value_bytes : SIZE_MAX;
}

/* --- replies --------------------------------------------------------------------------------- */

/* The line at `at`, without its end; false when it is not all there. */
static bool take_line(struct slice in, size_t *at, struct slice *line)
{
    const uint8_t *end = *at < in.size ? memchr(in.data + *at, '\n', in.size - *at) : NULL;
    if (!end)
        return false;
    if (end == in.data + *at)
        die("Redis sent a line without its return");
    *line = slice_of(in.data + *at, (size_t)(end - in.data) - *at - 1);
    *at += line->size + 2;
    return true;
}

/* Takes the number that a line's first byte announces the bytes or values of. */
static size_t announced(struct slice line)
{
    long long count = strtoll((const char *)line.data + 1, NULL, 10);
    if (count < 0)
        die("Redis has no such key");
    return (size_t)count;
}

/* Takes one bulk string of the size that its line announced. `wanted` becomes what is known to
 * come. */
static bool take_bulk(struct slice in, size_t *at, size_t size, struct reply *reply, size_t *wanted)
{
    *wanted = *at + size + 2;
    if (in.size < *wanted)
        return false;
    reply->value = slice_of(in.data + *at, size);
    *at = *wanted;
    return true;
}

/* Takes one value. An array gives its last bulk string (that of a message is what was published);
 * an error in it makes all of it an error. */
static bool take_value(struct slice in, size_t *at, struct reply *reply, size_t *wanted)
{
    struct slice line;
    for (size_t left = 1; left > 0; left--) {
        if (!take_line(in, at, &line))
            return false;
        switch (line.size ? line.data[0] : 0) {
        case '*':
            left += announced(line);
            break;
        case '$':
            if (!take_bulk(in, at, announced(line), reply, wanted))
                return false;
            break;
        case '-':
            reply->type = REPLY_ERROR;
            reply->value = line;
            break;
        case '+':
        case ':':
            break;
        default:
            die("Redis sent something else than RESP2");
        }
    }
    return true;
}

static bool parse(struct connection *connection, struct reply *reply)
{
    static const char message[] = "*3\r\n$7\r\nmessage";
    struct slice in = connection_pending(connection);
    size_t at = 0, wanted = 0;
    if (in.size == 0 || in.size < connection->wanted)
        return false;
    *reply = (struct reply){.type = REPLY_OK};
    if (!take_value(in, &at, reply, &wanted)) {
        connection->wanted = wanted > in.size ? wanted : 0;
        return false;
    }
    if (in.size >= sizeof message && memcmp(in.data, message, sizeof message - 1) == 0)
        reply->type = REPLY_NOTIFY;
    connection_take(connection, at);
    return true;
}

static void greet(struct connection *connection)
{
    (void)connection; /* Redis has none */
}

static uint64_t work_left(struct slice value)
{
    static const char rewrite[] = "aof_rewrite_in_progress:1";
    return memmem(value.data, value.size, rewrite, sizeof rewrite - 1) ? 1 : 0;
}

const struct dialect dialect_redis = {
    .name = "redis",
    .in_order = true,
    .greet = greet,
    .request = request,
    .replies = replies,
    .parse = parse,
    .value_bytes = value_bytes,
    .work_left = work_left,
};
