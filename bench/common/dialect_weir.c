/* weir's client protocol (proto/client_protocol.h) over ZMTP 3.1 with the NULL mechanism
 * (https://rfc.zeromq.org/spec/37/). */
#include "bench/common/dialect.h"

#include "bench/common/die.h"
#include "proto/client_protocol.h"

#include <stdlib.h>

enum {
    FLAG_MORE = 1,
    FLAG_LONG = 2,
    FLAG_COMMAND = 4,
    GREETING_BYTES = 64,
    FRAMES_MAX = 8,
    PATIENCE_S = 10
};

/* --- frames ---------------------------------------------------------------------------------- */

static void frame_header(struct buffer *out, int flags, size_t size)
{
    buffer_append_u8(out, (uint8_t)(size > 255 ? flags | FLAG_LONG : flags));
    if (size > 255)
        buffer_append_u64(out, size);
    else
        buffer_append_u8(out, (uint8_t)size);
}

static void frame(struct buffer *out, int flags, struct slice data)
{
    frame_header(out, flags, data.size);
    buffer_append_slice(out, data);
}

struct frame {
    uint8_t flags;
    struct slice data;
    size_t bytes; /* header and data; when they are not all there: as many as are known to come */
};

static bool frame_read(struct slice in, struct frame *self)
{
    *self = (struct frame){.bytes = 2};
    if (in.size < 2)
        return false;
    self->flags = in.data[0];
    size_t header = self->flags & FLAG_LONG ? 9 : 2;
    self->bytes = header;
    if (in.size < header)
        return false;
    size_t size = header == 9 ? get_u64(in.data + 1) : in.data[1];
    if (self->flags > (FLAG_MORE | FLAG_LONG | FLAG_COMMAND) || size > STATE_BYTES_CEILING)
        die("weir sent a frame with flags %u and size %zu", self->flags, size);
    self->bytes = header + size;
    if (in.size < self->bytes)
        return false;
    self->data = slice_of(in.data + header, size);
    return true;
}

/* --- greeting and commands ------------------------------------------------------------------- */

static void append_command(struct buffer *out, const char *name, struct slice body)
{
    size_t name_size = strlen(name);
    frame_header(out, FLAG_COMMAND, 1 + name_size + body.size);
    buffer_append_u8(out, (uint8_t)name_size);
    buffer_append(out, name, name_size);
    buffer_append_slice(out, body);
}

static bool is_command(struct slice data, const char *name)
{
    size_t size = strlen(name);
    return data.size > size && data.data[0] == size && memcmp(data.data + 1, name, size) == 0;
}

static void greet(struct connection *connection)
{
    static const uint8_t signature[] = {0xff, 0,    0, 0, 0,   0,   0,   0,
                                        0,    0x7f, 3, 1, 'N', 'U', 'L', 'L'};
    static const char properties[] = "\x0bSocket-Type\0\0\0\x06"
                                     "DEALER\x08Identity\0\0\0\0";
    struct frame ready;
    uint8_t *greeting = buffer_grow(&connection->out, GREETING_BYTES);
    if (!greeting)
        die("no memory for a greeting");
    memcpy(greeting, signature, sizeof signature);
    append_command(&connection->out, "READY", slice_of(properties, sizeof properties - 1));
    while (connection_pending(connection).size < GREETING_BYTES)
        connection_wait(connection, PATIENCE_S);
    const uint8_t *theirs = connection_pending(connection).data;
    if (theirs[0] != 0xff || theirs[10] < 3 || memcmp(theirs + 12, "NULL", 5) != 0)
        die("no ZMTP 3 with the NULL mechanism at this port");
    connection_take(connection, GREETING_BYTES);
    while (!frame_read(connection_pending(connection), &ready))
        connection_wait(connection, PATIENCE_S);
    if (!(ready.flags & FLAG_COMMAND) || !is_command(ready.data, "READY"))
        die("the node refuses the ZMTP handshake");
    connection_take(connection, ready.bytes);
}

/* A heartbeat's PING is answered (a command of ZMTP 3.1); others mean nothing to a DEALER. */
static void on_command(struct connection *connection, const struct frame *command)
{
    enum { PING_HEADER = 1 + 4 + 2 }; /* name, time to live; then the context */
    if (is_command(command->data, "PING") && command->data.size >= PING_HEADER)
        append_command(&connection->out, "PONG", slice_after(command->data, PING_HEADER));
    connection_take(connection, command->bytes);
}

/* --- replies --------------------------------------------------------------------------------- */

/* WEIR1 · id · status · fields… → reply. */
static void read_reply(const struct slice *frames, size_t count, struct reply *reply)
{
    if (count < 3 || !slice_is(frames[0], CLIENT_PROTOCOL_NAME) || frames[1].size != 4)
        die("weir sent something else than a reply: %zu frames", count);
    reply->slot = get_u32(frames[1].data);
    reply->value = count > 3 ? frames[3] : slice_of(NULL, 0);
    if (slice_is(frames[2], CLIENT_PROTOCOL_OK)) {
        reply->type = REPLY_OK;
        if (count == 7) /* kind, params, state, fingerprint */
            reply->value = frames[5];
    } else if (slice_is(frames[2], CLIENT_PROTOCOL_NOTIFY)) {
        reply->type = REPLY_NOTIFY;
        if (count != 7) /* key, delta, fingerprint before, after */
            die("weir sent a notification of %zu frames", count);
        reply->value = frames[4];
    } else {
        reply->type = REPLY_ERROR;
        reply->value = frames[2];
        reply->sentence = count > 3 ? frames[3] : slice_of(NULL, 0);
    }
}

static bool parse(struct connection *connection, struct reply *reply)
{
    struct slice frames[FRAMES_MAX], in = connection_pending(connection);
    size_t count = 0, used = 0;
    if (in.size < connection->wanted)
        return false;
    for (;;) {
        struct frame next;
        if (!frame_read(slice_after(in, used), &next)) {
            connection->wanted = used + next.bytes;
            return false;
        }
        if (next.flags & FLAG_COMMAND && used == 0) {
            on_command(connection, &next);
            in = connection_pending(connection);
            continue;
        }
        if (count == FRAMES_MAX)
            die("weir sent a message of more than %d frames", FRAMES_MAX);
        frames[count++] = next.data;
        used += next.bytes;
        if (!(next.flags & FLAG_MORE))
            break;
    }
    read_reply(frames, count, reply);
    connection_take(connection, used);
    return true;
}

/* --- requests -------------------------------------------------------------------------------- */

static void begin(struct buffer *out, uint32_t slot, const char *verb, bool more)
{
    uint8_t id[4];
    put_u32(id, slot);
    frame(out, FLAG_MORE, slice_text(CLIENT_PROTOCOL_NAME));
    frame(out, FLAG_MORE, slice_of(id, sizeof id));
    frame(out, more ? FLAG_MORE : 0, slice_text(verb));
}

static void create(struct world *world, uint32_t slot, struct slice params, size_t entries,
                   struct buffer *out)
{
    begin(out, slot, "PUT", true);
    frame(out, FLAG_MORE, slice_text("map"));
    frame(out, FLAG_MORE, params);
    frame_header(out, 0, entries * world_entry_bytes(world));
    for (uint32_t i = 0; i < entries; i++)
        world_entry(world, i, out);
}

static void create_contract(struct world *world, uint32_t number, uint32_t slot, struct buffer *out)
{
    struct buffer params = {0};
    world_contract_params(&params, number);
    create(world, slot, buffer_slice(&params), 1, out);
    buffer_free(&params);
}

static void update(struct world *world, const struct contract_key *key, uint32_t field,
                   uint32_t fields, uint32_t slot, struct buffer *out)
{
    begin(out, slot, "UPDATE", true);
    frame(out, FLAG_MORE, slice_of(key->bytes, sizeof key->bytes));
    frame_header(out, 0, fields * world_entry_bytes(world));
    for (uint32_t i = 0; i < fields; i++)
        world_entry(world, field + i, out);
}

static void with_key(const char *verb, const struct contract_key *key, bool more, uint32_t slot,
                     struct buffer *out)
{
    begin(out, slot, verb, true);
    frame(out, more ? FLAG_MORE : 0, slice_of(key->bytes, sizeof key->bytes));
}

static void request(struct world *world, enum op op, uint32_t number, uint32_t slot,
                    struct buffer *out)
{
    switch (op) {
    case OP_CREATE:
        create_contract(world, number, slot, out);
        break;
    case OP_CREATE_MAP:
        create(world, slot, buffer_slice(&world->map_params), 0, out);
        break;
    case OP_SET_CONTRACT:
        update(world, &world->contracts[number], 0, 1, slot, out);
        break;
    case OP_SET_FIELD:
    case OP_PUBLISH:
        update(world, &world->map, number, 1, slot, out);
        break;
    case OP_FILL:
        update(world, &world->map, number * world->batch, world->batch, slot, out);
        break;
    case OP_GET:
        with_key("GET", &world->contracts[number], false, slot, out);
        break;
    case OP_GET_MAP:
        with_key("GET", &world->map, false, slot, out);
        break;
    case OP_SUBSCRIBE:
        with_key("SUBSCRIBE", &world->map, true, slot, out);
        frame(out, 0, slice_of(NULL, 0));
        break;
    case OP_WORK_LEFT:
        begin(out, slot, "STATUS", false);
        break;
    case OP_COUNT:
        die("no such operation");
    }
}

static unsigned replies(enum op op)
{
    (void)op;
    return 1;
}

static size_t value_bytes(const struct world *world, enum op op)
{
    switch (op) {
    case OP_CREATE:
    case OP_CREATE_MAP:
        return CONTRACT_KEY_BYTES;
    case OP_SET_CONTRACT:
    case OP_SET_FIELD:
    case OP_FILL:
    case OP_PUBLISH:
        return 32; /* fingerprint */
    case OP_GET:
        return world_entry_bytes(world);
    case OP_GET_MAP:
        return world->objects * world_entry_bytes(world);
    case OP_SUBSCRIBE:
    case OP_WORK_LEFT:
    case OP_COUNT:
        break;
    }
    return SIZE_MAX;
}

static uint64_t work_left(struct slice value)
{
    static const char name[] = "\"unfolded_bytes\"";
    char text[65536];
    size_t size = value.size < sizeof text ? value.size : sizeof text - 1;
    memcpy(text, value.data, size);
    text[size] = 0;
    const char *at = strstr(text, name);
    if (!at)
        die("weir's status has no unfolded_bytes");
    at += sizeof name - 1;
    return strtoull(at + strspn(at, ": \t\n"), NULL, 10);
}

const struct dialect dialect_weir = {
    .name = "weir",
    .in_order = false,
    .greet = greet,
    .request = request,
    .replies = replies,
    .parse = parse,
    .value_bytes = value_bytes,
    .work_left = work_left,
};

/* bench/echo answers every request as if it were a GET. */
static size_t echo_value_bytes(const struct world *world, enum op op)
{
    return op == OP_GET || op == OP_GET_MAP ? value_bytes(world, op) : SIZE_MAX;
}

const struct dialect dialect_echo = {
    .name = "echo",
    .in_order = false,
    .greet = greet,
    .request = request,
    .replies = replies,
    .parse = parse,
    .value_bytes = echo_value_bytes,
    .work_left = work_left,
};
