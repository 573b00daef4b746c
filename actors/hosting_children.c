/* Who takes a contract's feed from this node, and the copies that the root asks for. */
#include "actors/hosting_state.h"

static struct contract_key key_of(const uint8_t bytes[CONTRACT_KEY_BYTES])
{
    struct contract_key key;
    memcpy(key.bytes, bytes, sizeof key.bytes);
    return key;
}

static void send_joined(const struct holding *row, peer_t number, int code, uint32_t hosts,
                        const struct reading *reading, struct outbox *out)
{
    struct peer_joined body = {.code = (uint8_t)-code, .hosts = hosts < 255 ? (uint8_t)hosts : 255};
    memcpy(body.key, row->key.bytes, sizeof body.key);
    if (reading) {
        memcpy(body.fingerprint, reading->fingerprint.bytes, sizeof body.fingerprint);
        body.kind = slice_text(reading->kind->name);
        body.params = slice_of(reading->bytes->data, reading->params_bytes);
    }
    (void)peer_tell(out, number, LANE_small, PEER_JOINED, &body);
}

/* A feed is always nearer to the key than who takes it: so there is no cycle. */
static bool is_farther(const hosting_t *self, const struct holding *row, peer_t number)
{
    const struct ring_peer *peer = ring_view_find(&self->view, number);
    return peer && ring_view_is_nearer(&self->view, row->place, peer);
}

static bool may_join(const hosting_t *self, const struct holding *row, const struct peer_join *join,
                     peer_t number)
{
    bool has = join->fingerprint.size == FINGERPRINT_BYTES;
    return (has || join->fingerprint.size == 0) && is_farther(self, row, number);
}

static void refuse(struct holding *row, peer_t number, int code, struct outbox *out)
{
    send_joined(row, number, code, 0, NULL, out);
    hosting_follow(row, number, false, NULL, out);
    holding_child_remove(row, number);
}

void children_on_join(hosting_t *self, struct peer_mail *mail, struct now now, struct outbox *out)
{
    const struct peer_join *join = &mail->body.join;
    struct message *message = &mail->head;
    struct contract_key key = key_of(join->key);
    struct holding *row = holding_for_peer(&self->table, &key, mail->number);
    struct holding unknown = {.key = key};
    struct child *child =
        row && may_join(self, row, join, mail->number) ? holding_child_of(row, mail->number) : NULL;
    if (!child) {
        send_joined(row ? row : &unknown, mail->number, row ? ERR_BAD_REQUEST : ERR_BUSY, 0, NULL,
                    out);
        if (row)
            holding_remove_idle(&self->table, row);
        message_free(&message);
        return;
    }
    child->asks = true;
    row->asked_ms = now.ms;
    row->leaving = false;
    child->hops = join->hops < PEER_HOPS ? join->hops : PEER_HOPS;
    child->has = join->fingerprint.size == FINGERPRINT_BYTES;
    if (child->has)
        memcpy(child->what.bytes, join->fingerprint.data, sizeof child->what.bytes);
    /* Told of changes from here on, before its fingerprint is compared: none falls between. */
    hosting_follow(row, mail->number, true, NULL, out);
    if (row->presence != PRESENCE_stored && child->has && !row->creating) {
        /* (Where it turns out to be here already, merging nothing into it changes nothing.) */
        peer_t number = mail->number;
        if (!hosting_create(row, mail, join->kind, join->params, out)) {
            refuse(row, number, ERR_BAD_STATE, out); /* others did not say that */
            holding_remove_idle(&self->table, row);
        }
        return;
    }
    if (row->presence == PRESENCE_absent)
        feed_choose(self, row, now, out);
    else
        hosting_ask(self, row, out);
    holding_remove_idle(&self->table, row);
    message_free(&message);
}

/* A damaged copy is nobody's feed. Those who have one give it back, and join again later. */
static void take_from_children(struct holding *row, struct outbox *out)
{
    for (size_t i = 0; i < row->children_count; i++)
        if (row->children[i].asks && row->children[i].has)
            feed_sync_with(row, row->children[i].number, out);
    children_refuse(row, ERR_BUSY, out);
}

void children_answer(hosting_t *self, struct holding *row, const struct reading *reading,
                     struct now now, struct outbox *out)
{
    const struct fingerprint here = reading->fingerprint;
    bool copied = false;
    if (row->damaged) {
        take_from_children(row, out);
        children_place(self, row, out);
        return;
    }
    for (size_t i = 0; i < row->children_count; i++) {
        struct child *child = &row->children[i];
        if (child->asks)
            child->synced = child->has && memcmp(&child->what, &here, sizeof here) == 0;
        copied |= child->asks && child->synced;
    }
    row->hollow &= !copied; /* a child has filled it */
    for (size_t i = 0; i < row->children_count; i++) {
        struct child *child = &row->children[i];
        if (!child->asks || (row->hollow && !child->has)) /* who has nothing waits for all of it */
            continue;
        child->asks = false;
        hosting_follow(row, child->number, true, reading, out);
        uint32_t hosts = hosting_is_root(self, row) ? hosting_count(self, row) : row->hosts;
        send_joined(row, child->number, 0, hosts, reading, out);
    }
    children_place(self, row, out);
    if (copied)
        hosting_answer(self, row, 0, NULL, now, out);
}

/* Its own copy may go on changing, so that the two are never seen to be equal. */
void children_on_filled(hosting_t *self, const struct sync_order *filled, struct now now,
                        struct outbox *out)
{
    struct holding *row = holding_find(&self->table, &filled->key);
    if (!row || !row->hollow || !holding_child(row, filled->number))
        return;
    row->hollow = false;
    hosting_ask(self, row, out); /* those who ask for it are answered now */
    hosting_answer(self, row, 0, NULL, now, out);
}

void children_refuse(struct holding *row, int code, struct outbox *out)
{
    for (size_t i = row->children_count; i-- > 0;) {
        const struct child *child = &row->children[i];
        if (child->asks)
            refuse(row, child->number, code, out);
    }
}

void children_refuse_spent(struct holding *row, struct outbox *out)
{
    for (size_t i = row->children_count; i-- > 0;) {
        const struct child *child = &row->children[i];
        if (child->asks && !child->has && !child->hops)
            refuse(row, child->number, ERR_NOT_FOUND, out);
    }
}

void children_on_leave(hosting_t *self, const struct peer_mail *mail, struct now now,
                       struct outbox *out)
{
    struct contract_key key = key_of(mail->body.leave.key);
    struct holding *row = holding_find(&self->table, &key);
    if (!row)
        return;
    if (row->feed == mail->number) { /* it sends us away: it dropped the contract */
        feed_failed(self, row, now, out);
        return;
    }
    hosting_follow(row, mail->number, false, NULL, out);
    holding_child_remove(row, mail->number);
    holding_remove_idle(&self->table, row);
}

void children_on_host(hosting_t *self, const struct peer_mail *mail, struct now now,
                      struct outbox *out)
{
    struct contract_key key = key_of(mail->body.host.key);
    const struct ring_peer *root = ring_view_find(&self->view, mail->number);
    bool on = mail->body.host.on != 0;
    if (!root || ring_view_is_nearer(&self->view, ring_place_of_contract(key.bytes), root))
        return; /* it is no root that this node is nearer than */
    struct holding *row =
        on ? holding_for_peer(&self->table, &key, mail->number) : holding_find(&self->table, &key);
    if (!row)
        return; /* no room: the root's next look at this contract asks again */
    if (!on && row->placed != mail->number)
        return; /* another is the root by now */
    row->placed = on ? mail->number : 0;
    if (on && row->presence == PRESENCE_unknown)
        hosting_ask(self, row, out);
    else if (on)
        feed_choose(self, row, now, out);
    else
        holding_remove_idle(&self->table, row);
}

/* --- copies ------------------------------------------------------------------------------ */

static void send_host(const struct holding *row, peer_t number, bool on, struct outbox *out)
{
    struct peer_host body = {.on = on};
    memcpy(body.key, row->key.bytes, sizeof body.key);
    (void)peer_tell(out, number, LANE_small, PEER_HOST, &body);
}

void children_place(hosting_t *self, struct holding *row, struct outbox *out)
{
    const struct ring_peer *nearest[REPLICAS];
    peer_t wanted[REPLICAS] = {0};
    size_t count = 0;
    if (row->presence == PRESENCE_stored && !row->hollow && hosting_is_root(self, row))
        count = ring_nearest(&self->view, row->place, nearest, REPLICAS);
    for (size_t i = 0; i < count; i++)
        wanted[i] = nearest[i]->number;
    for (size_t i = 0; i < REPLICAS; i++) {
        peer_t old = row->replicas[i];
        if (old && !ring_is_among(old, wanted, count) && ring_view_find(&self->view, old))
            send_host(row, old, false, out);
    }
    for (size_t i = 0; i < count; i++)
        if (!ring_is_among(wanted[i], row->replicas, REPLICAS))
            send_host(row, wanted[i], true, out);
    memcpy(row->replicas, wanted, sizeof row->replicas);
}

void children_remind(const hosting_t *self, const struct holding *row, struct outbox *out)
{
    if (row->presence != PRESENCE_stored || !hosting_is_root(self, row))
        return;
    for (size_t i = 0; i < REPLICAS; i++)
        if (row->replicas[i] && !holding_child(row, row->replicas[i]))
            send_host(row, row->replicas[i], true, out);
}

uint32_t children_copies(const struct holding *row)
{
    uint32_t copies = 0;
    for (size_t i = 0; i < row->children_count; i++)
        copies += row->children[i].synced &&
                  ring_is_among(row->children[i].number, row->replicas, REPLICAS);
    return copies;
}

uint32_t children_copies_wanted(const hosting_t *self)
{
    return self->view.count < REPLICAS ? (uint32_t)self->view.count : REPLICAS;
}
