#include "tests/unit/sides.h"

#include <stdio.h>
#include <stdlib.h>

struct side sides[2];
struct subject sides_map;

/* --- the wire ---------------------------------------------------------------------------- */

void sides_tell(struct side *side, enum message_kind kind)
{
    if (kind == MESSAGE_PEER_LIVE) {
        struct peer_live *live = (struct peer_live *)message_new(sizeof *live);
        live->number = side->other;
        small_node_send(&side->node, ACTOR_connections, ACTOR_sync, kind, &live->head);
    } else {
        struct peer_order *gone = (struct peer_order *)message_new(sizeof *gone);
        gone->number = side->other;
        small_node_send(&side->node, ACTOR_connections, ACTOR_sync, kind, &gone->head);
    }
    small_node_run(&side->node);
}

static void open_side(struct side *side, peer_t other)
{
    side->sync = sync_new();
    side->other = other;
    side->window = owed_new();
    small_node_add(&side->node, &sync_spec, side->sync);
    sides_tell(side, MESSAGE_PEER_LIVE);
}

void sides_open_limited(uint64_t store_bytes_max, uint64_t state_bytes_max)
{
    memset(sides, 0, sizeof sides);
    for (unsigned i = 0; i < 2; i++) {
        small_node_open_limited(&sides[i].node, i ? store_bytes_max : UINT64_MAX,
                                i ? state_bytes_max : STATE_BYTES_MAX);
        open_side(&sides[i], 2 - i);
    }
}

int sides_set_up(void **state)
{
    (void)state;
    sides_open_limited(UINT64_MAX, STATE_BYTES_MAX);
    subject_init(&sides_map, "map", "m", 0);
    return 0;
}

void sides_close(void)
{
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned lane = 0; lane < LANE_COUNT; lane++)
            mail_free(&sides[i].lanes[lane]);
        sync_destroy(&sides[i].sync);
        small_node_close(&sides[i].node);
        assert_int_equal(owed_bytes(sides[i].window), 0);
        owed_release(&sides[i].window);
    }
}

int sides_tear_down(void **state)
{
    (void)state;
    sides_close();
    subject_free(&sides_map);
    return 0;
}

/* What a side sent goes into its lanes. */
static void collect(struct side *side)
{
    struct mail *sent = &side->node.actors[ACTOR_transport].mail;
    for (struct message *m = mail_pop(sent); m; m = mail_pop(sent)) {
        const struct peer_send *send = (const struct peer_send *)m;
        assert_int_equal(send->number, side->other);
        bool part = send->bytes->data[0] == PEER_DELTA;
        side->bodies += send->bytes->data[0] == PEER_SYNC;
        side->parts += part;
        side->parts_bytes += part ? send->bytes->size : 0;
        side->parts_out += part;
        if (side->parts_out > side->parts_out_most)
            side->parts_out_most = side->parts_out;
        mail_push(&side->lanes[send->lane], m);
    }
}

/* Takes from hosting's mail that the peer's sync is over. */
static void count_filled(struct side *side)
{
    struct mail *told = &side->node.actors[ACTOR_hosting].mail, all = *told;
    *told = (struct mail){0};
    for (struct message *m = mail_pop(&all); m; m = mail_pop(&all)) {
        if (m->kind == MESSAGE_FILLED) {
            assert_int_equal(((const struct sync_order *)m)->number, side->other);
            side->filled++;
            message_free(&m);
        } else {
            mail_push(told, m);
        }
    }
}

void sides_run_both(void)
{
    for (unsigned i = 0; i < 2; i++) {
        small_node_run(&sides[i].node);
        collect(&sides[i]);
        count_filled(&sides[i]);
    }
}

/* Gives bytes to a side as its peer's. */
void sides_deliver_of(struct side *to, peer_t from, struct slice bytes)
{
    struct peer_mail *mail = (struct peer_mail *)message_new(sizeof *mail);
    struct reason why;
    mail->number = from;
    mail->bytes = blob_new(bytes.size);
    memcpy(mail->bytes->data, bytes.data, bytes.size);
    if (peer_decode(blob_slice(mail->bytes), &mail->kind, &mail->body, &why) != 0)
        fail_msg("%s", why.text);
    bool ours = mail->kind == PEER_DELTA || mail->kind == PEER_SYNC;
    mail->window = owed_hold(to->window);
    mail->counted = bytes.size;
    owed_add(to->window, mail->counted);
    small_node_send(&to->node, ACTOR_transport, ours ? ACTOR_sync : ACTOR_hosting,
                    MESSAGE_PEER_MAIL, &mail->head);
}

static void deliver(struct side *to, struct slice bytes)
{
    sides_deliver_of(to, to->other, bytes);
}

void sides_deliver_body(struct side *to, enum peer_kind kind, const void *body)
{
    struct buffer bytes = {0};
    assert_int_equal(peer_encode(kind, body, &bytes), 0);
    deliver(to, buffer_slice(&bytes));
    buffer_free(&bytes);
    sides_run_both();
}

/* The first message of a lane: its sender learns that it is gone, the other side gets it. */
bool sides_move(unsigned from, enum lane lane)
{
    struct side *side = &sides[from];
    struct message *message = mail_pop(&side->lanes[lane]);
    if (!message)
        return false;
    const struct peer_send *send = (const struct peer_send *)message;
    deliver(&sides[1 - from], blob_slice(send->bytes));
    side->parts_out -= send->bytes->data[0] == PEER_DELTA;
    if (send->tell)
        small_node_send(&side->node, ACTOR_transport, ACTOR_sync, MESSAGE_PEER_SENT, message);
    else
        message_free(&message);
    sides_run_both();
    return true;
}

/* Until nothing moves, lanes and sides by chance. */
void sides_run_wire(void)
{
    sides_run_both();
    for (unsigned idle = 0; idle < 200;)
        idle = sides_move((unsigned)random_below(2), (enum lane)random_below(LANE_COUNT))
                   ? 0
                   : idle + 1;
}

/* --- what tests do ----------------------------------------------------------------------- */

void sides_put_entries(unsigned side, unsigned from, unsigned count, size_t bytes, uint64_t stamp)
{
    struct buffer delta = {0};
    uint8_t *data = (uint8_t *)calloc(1, bytes + 1);
    memset(data, (int)('a' + side), bytes);
    for (unsigned i = from; i < from + count; i++) {
        char field[16];
        (void)snprintf(field, sizeof field, "f%06u", i);
        map_entry(&delta, field, stamp, slice_of(data, bytes));
    }
    small_node_put(&sides[side].node, &sides_map.contract, buffer_slice(&delta), 0);
    buffer_free(&delta);
    free(data);
}

void sides_order(unsigned side)
{
    struct sync_order *wanted = (struct sync_order *)message_new(sizeof *wanted);
    wanted->number = sides[side].other;
    wanted->key = sides_map.contract.key;
    small_node_send(&sides[side].node, ACTOR_hosting, ACTOR_sync, MESSAGE_SYNC, &wanted->head);
    sides_run_both();
}

/* Hosting's one answer. */
int sides_synced(unsigned side)
{
    struct message *message = small_node_take(&sides[side].node, ACTOR_hosting, MESSAGE_SYNCED);
    const struct sync_order *told = (const struct sync_order *)message;
    int code = told->code;
    assert_memory_equal(&told->key, &sides_map.contract.key, sizeof told->key);
    assert_int_equal(told->number, sides[side].other);
    message_free(&message);
    return code;
}

void sides_assert_equal(void)
{
    struct fingerprint a = small_node_fingerprint(&sides[0].node, &sides_map.contract.key);
    struct fingerprint b = small_node_fingerprint(&sides[1].node, &sides_map.contract.key);
    assert_memory_equal(a.bytes, b.bytes, FINGERPRINT_BYTES);
}

struct mail *sides_mail_of(unsigned side, enum actor_id actor)
{
    return &sides[side].node.actors[actor].mail;
}

void sides_assert_nobody_blamed(void)
{
    assert_null(sides_mail_of(0, ACTOR_connections)->first);
    assert_null(sides_mail_of(1, ACTOR_connections)->first);
}

void sides_take_blame(unsigned side)
{
    struct message *message = small_node_take(&sides[side].node, ACTOR_connections, MESSAGE_BLAME);
    assert_int_equal(((struct peer_order *)message)->number, sides[side].other);
    assert_int_equal(((struct peer_order *)message)->reason, CLOSE_misbehaved);
    message_free(&message);
}

void sides_send_delta(unsigned to, const char *field, const char *data)
{
    struct buffer delta = map_delta(field, 7, slice_text(data));
    struct peer_delta body = {.entries = buffer_slice(&delta)};
    memcpy(body.key, sides_map.contract.key.bytes, sizeof body.key);
    sides_deliver_body(&sides[to], PEER_DELTA, &body);
    buffer_free(&delta);
}
