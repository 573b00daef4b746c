#include "proto/lanes.h"

#include <assert.h>
#include <stdlib.h>

enum { CREDIT_FRAME_BYTES = LANE_HEAD_BYTES + LANE_CREDIT_BYTES };

void lanes_init(struct lanes *self)
{
    *self = (struct lanes){0};
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        self->out[lane].credit = LANE_WINDOW_BYTES;
        self->in[lane].granted = LANE_WINDOW_BYTES;
    }
}

void lanes_free(struct lanes *self)
{
    lanes_forget(self);
}

void lanes_forget(struct lanes *self)
{
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        buffer_free(&self->in[lane].piece);
        self->in[lane].piece_cost = 0;
    }
}

/* --- out --------------------------------------------------------------------------------- */

void lanes_queue(struct lanes *self, enum lane lane, struct lane_item *item)
{
    struct lane_out *out = &self->out[lane];
    assert(item->bytes->size > 0 && item->bytes->size <= PEER_MESSAGE_BYTES_MAX);
    assert(lane != LANE_control || item->bytes->size <= CONTROL_BYTES_MAX);
    item->next = NULL;
    item->sent = 0;
    if (!out->first)
        out->last = &out->first;
    *out->last = item;
    out->last = &item->next;
    self->waiting_bytes += item->bytes->size;
}

/* How much of the lane's next message may go into so much room: all that is left of it, or a piece
 * that is not too small; else nothing. */
static size_t next_piece(const struct lane_out *out, bool windowed, size_t room)
{
    if (!out->first || room <= LANE_HEAD_BYTES)
        return 0;
    size_t left = out->first->bytes->size - out->first->sent;
    uint64_t most = room - LANE_HEAD_BYTES;
    if (windowed) {
        uint64_t paid = out->credit > LANE_FRAME_COST ? out->credit - LANE_FRAME_COST : 0;
        most = paid < most ? paid : most;
    }
    if (left <= most)
        return left;
    return most >= LANE_PIECE_BYTES_MIN ? (size_t)most : 0;
}

bool lanes_ready(const struct lanes *self)
{
    for (int lane = 0; lane < LANE_COUNT; lane++)
        if (self->owed_credit[lane] ||
            next_piece(&self->out[lane], LANE_WINDOWED(lane), RECORD_PLAIN_BYTES_MAX))
            return true;
    return false;
}

static void lane_head(uint8_t *to, uint8_t type, size_t size)
{
    to[0] = type;
    put_u16(to + 1, (uint16_t)size);
}

static size_t fill_credit(struct lanes *self, uint8_t *to)
{
    size_t used = 0;
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        if (!self->owed_credit[lane])
            continue;
        lane_head(to + used, LANE_CREDIT, LANE_CREDIT_BYTES);
        to[used + LANE_HEAD_BYTES] = (uint8_t)lane;
        put_u32(to + used + LANE_HEAD_BYTES + 1, self->owed_credit[lane]);
        self->owed_credit[lane] = 0;
        used += CREDIT_FRAME_BYTES;
    }
    return used;
}

/* The end of a chain, to append at. */
static struct lane_item **end_of(struct lane_item **chain)
{
    while (*chain)
        chain = &(*chain)->next;
    return chain;
}

static size_t fill_lane(struct lanes *self, int lane, uint8_t *to, size_t room,
                        struct lane_item ***done)
{
    struct lane_out *out = &self->out[lane];
    size_t used = 0;
    for (struct lane_item *item = out->first; item; item = out->first) {
        size_t piece = next_piece(out, LANE_WINDOWED(lane), room - used);
        if (!piece)
            break;
        bool ends = item->sent + piece == item->bytes->size;
        lane_head(to + used, (uint8_t)((unsigned)lane | (ends ? LANE_LAST : 0)), piece);
        memcpy(to + used + LANE_HEAD_BYTES, item->bytes->data + item->sent, piece);
        used += LANE_HEAD_BYTES + piece;
        item->sent += piece;
        self->waiting_bytes -= piece;
        if (LANE_WINDOWED(lane))
            out->credit -= piece + LANE_FRAME_COST;
        if (!ends)
            continue;
        out->first = item->next;
        item->next = NULL;
        **done = item;
        *done = &item->next;
    }
    return used;
}

size_t lanes_fill(struct lanes *self, uint8_t *to, size_t size, struct lane_item **done)
{
    assert(size >= (LANE_COUNT + 1) * LANE_SHARE_BYTES && size <= RECORD_PLAIN_BYTES_MAX);
    struct lane_item **end = end_of(done);
    size_t kept = 0, used = fill_credit(self, to);
    for (int lane = LANE_control + 1; lane < LANE_COUNT; lane++)
        kept += self->out[lane].first ? LANE_SHARE_BYTES : 0;
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        if (lane > LANE_control && self->out[lane].first)
            kept -= LANE_SHARE_BYTES; /* its own share is its to use */
        used += fill_lane(self, lane, to + used, size - used - kept, &end);
    }
    for (int lane = 0; lane < LANE_COUNT; lane++) /* what the lower ones left */
        used += fill_lane(self, lane, to + used, size - used, &end);
    return used;
}

struct lane_item *lanes_take_back(struct lanes *self)
{
    struct lane_item *all = NULL, **end = &all;
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        *end = self->out[lane].first;
        end = end_of(end);
        self->out[lane].first = NULL;
    }
    self->waiting_bytes = 0;
    return all;
}

/* --- in ---------------------------------------------------------------------------------- */

static int take_credit(struct lanes *self, struct slice bytes, struct reason *why)
{
    if (bytes.size != LANE_CREDIT_BYTES || !LANE_WINDOWED(bytes.data[0]) ||
        bytes.data[0] >= LANE_COUNT)
        return fail(why, ERR_BAD_REQUEST, "a credit that names no lane");
    struct lane_out *out = &self->out[bytes.data[0]];
    uint32_t cost = get_u32(bytes.data + 1);
    if (cost > LANE_WINDOW_BYTES - out->credit)
        return fail(why, ERR_BAD_REQUEST, "a credit of more than was used");
    out->credit += cost;
    return 0;
}

static int take_piece(struct lanes *self, enum lane lane, bool ends, struct slice bytes,
                      struct reason *why)
{
    struct lane_in *in = &self->in[lane];
    size_t most = lane == LANE_control ? CONTROL_BYTES_MAX : PEER_MESSAGE_BYTES_MAX;
    uint64_t cost = bytes.size + LANE_FRAME_COST;
    if (bytes.size < (ends ? 1 : LANE_PIECE_BYTES_MIN))
        return fail(why, ERR_BAD_REQUEST, "a frame of %zu bytes is too small", bytes.size);
    if (bytes.size > most - in->piece.size)
        return fail(why, ERR_TOO_LARGE, "a message of over %zu bytes in lane %d", most, (int)lane);
    if (LANE_WINDOWED(lane) && cost > in->granted - in->used)
        return fail(why, ERR_DENIED, "a frame beyond the credit of lane %d", (int)lane);
    in->used += cost;
    in->piece_cost += cost;
    return 0;
}

/* The message that ends with these bytes. */
static int end_message(struct lane_in *in, struct slice bytes, struct lane_message *message)
{
    *message = (struct lane_message){.lane = message->lane, .bytes = bytes, .cost = in->piece_cost};
    if (in->piece.size) {
        buffer_append_slice(&in->piece, bytes);
        if (buffer_failed(&in->piece))
            return ERR_NO_MEMORY;
        message->bytes.size = in->piece.size;
        message->bytes.data = message->owned = buffer_steal(&in->piece);
    }
    in->piece_cost = 0;
    return 1;
}

static int take_frame(struct lanes *self, uint8_t type, struct slice bytes,
                      struct lane_message *message, struct reason *why)
{
    if (type == LANE_CREDIT)
        return take_credit(self, bytes, why);
    enum lane lane = (enum lane)(type & ~LANE_LAST);
    if (lane >= LANE_COUNT)
        return fail(why, ERR_BAD_REQUEST, "a frame of the unknown type %u", type);
    struct lane_in *in = &self->in[lane];
    bool ends = type & LANE_LAST;
    int rc = take_piece(self, lane, ends, bytes, why);
    if (rc)
        return rc;
    message->lane = lane;
    if (ends)
        rc = end_message(in, bytes, message);
    else
        buffer_append_slice(&in->piece, bytes);
    if (rc < 0 || buffer_failed(&in->piece))
        return fail(why, ERR_NO_MEMORY, "%s", error_text(ERR_NO_MEMORY));
    return rc;
}

int lanes_take(struct lanes *self, struct slice *record, struct lane_message *message,
               struct reason *why)
{
    int rc = 0;
    while (record->size && rc == 0) {
        size_t size = record->size < LANE_HEAD_BYTES ? 0 : get_u16(record->data + 1);
        if (record->size < LANE_HEAD_BYTES || size > record->size - LANE_HEAD_BYTES)
            return fail(why, ERR_BAD_REQUEST, "a frame that is cut off");
        struct slice bytes = slice_of(record->data + LANE_HEAD_BYTES, size);
        rc = take_frame(self, record->data[0], bytes, message, why);
        *record = slice_after(*record, LANE_HEAD_BYTES + size);
    }
    return rc;
}

void lanes_done(struct lanes *self, enum lane lane, uint64_t cost)
{
    struct lane_in *in = &self->in[lane];
    assert(cost <= in->used - in->piece_cost - in->done);
    in->done += cost;
    uint64_t grant = in->done + LANE_WINDOW_BYTES - in->granted;
    if (!LANE_WINDOWED(lane) || grant < LANE_GRANT_BYTES)
        return;
    in->granted += grant;
    self->owed_credit[lane] += (uint32_t)grant;
}

uint64_t lanes_held(const struct lanes *self, enum lane lane)
{
    return self->in[lane].used - self->in[lane].done;
}
