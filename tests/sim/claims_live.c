/* Who is live with whom, as the messages of all nodes tell. */
#include "tests/sim/play.h"

#include <stdlib.h>

static struct live_peer *peer_find(struct live_peer *peers, size_t count, peer_t number)
{
    for (size_t i = 0; i < count; i++)
        if (peers[i].number == number)
            return &peers[i];
    return NULL;
}

static void opened(struct play *self, struct played_node *node, const struct opened *message)
{
    size_t other = world_find(self->world, &message->id);
    if (other == SIZE_MAX)
        play_fail(self, "n%zu has a connection to nobody we know", node->number);
    else
        node->known[node->known_count++ % PLAY_PEERS_MAX] = (struct live_peer){
            .number = message->number, .node = other, .inbound = message->inbound};
}

static void went_live(struct play *self, struct played_node *node, const struct peer_live *message)
{
    const struct live_peer *known = peer_find(node->known, PLAY_PEERS_MAX, message->number);
    if (!known || node->live_count == PLAY_PEERS_MAX) {
        play_fail(self, "n%zu: #%llu went live without being opened", node->number,
                  (unsigned long long)message->number);
        return;
    }
    for (size_t i = 0; i < node->live_count; i++)
        if (node->live[i].node == known->node) /* lesson D6 */
            play_fail(self, "n%zu has two live connections to n%zu: #%llu and #%llu", node->number,
                      known->node, (unsigned long long)node->live[i].number,
                      (unsigned long long)known->number);
    if (known->node == node->number) /* lesson D5 */
        play_fail(self, "n%zu is connected to itself", node->number);
    node->live[node->live_count++] = *known;
}

static void take_out(struct live_peer *peers, size_t *count, peer_t number)
{
    struct live_peer *found = peer_find(peers, *count, number);
    if (found)
        *found = peers[--*count];
}

static void fell_silent(struct played_node *node, const struct peer_silent *message)
{
    struct live_peer *live = peer_find(node->live, node->live_count, message->number);
    if (live)
        live->silent = message->silent;
}

void claims_on_message(void *play, size_t node, const struct message *message)
{
    struct play *self = (struct play *)play;
    struct played_node *n = &self->nodes[node];
    echo_on_message(self, node, message);
    self->dials += message->kind == MESSAGE_DIAL;
    if (message->kind == MESSAGE_OPENED)
        opened(self, n, (const struct opened *)message);
    else if (message->kind == MESSAGE_PEER_LIVE && message->to == ACTOR_hosting)
        went_live(self, n, (const struct peer_live *)message);
    else if (message->kind == MESSAGE_PEER_SILENT && message->to == ACTOR_hosting)
        fell_silent(n, (const struct peer_silent *)message);
    else if (message->kind == MESSAGE_PEER_GONE && message->to == ACTOR_hosting)
        take_out(n->live, &n->live_count, ((const struct peer_order *)message)->number);
}

static const struct live_peer *live_with(const struct played_node *node, size_t other)
{
    for (size_t i = 0; i < node->live_count; i++)
        if (node->live[i].node == other)
            return &node->live[i];
    return NULL;
}

bool claims_is_member(const struct play *self, size_t node)
{
    return world_is_up(self->world, node) && !self->nodes[node].left;
}

/* Each pair of members has one connection that both ends know, and over which they hear each other;
 * strict: and the right side dialled. */
bool claims_is_mesh(const struct play *self, bool strict, char *why, size_t size)
{
    for (size_t a = 0; a < self->nodes_count; a++)
        for (size_t b = 0; b < self->nodes_count; b++) {
            const struct played_node *from = &self->nodes[a], *to = &self->nodes[b];
            if (a == b || !claims_is_member(self, a) || !claims_is_member(self, b) ||
                (from->unreachable && to->unreachable))
                continue;
            const struct live_peer *here = live_with(from, b), *there = live_with(to, a);
            if (!here || !there || here->inbound == there->inbound) {
                (void)snprintf(why, size, "n%zu and n%zu are not connected as both see it (%s)", a,
                               b, here ? there ? "two ends that dialled" : "the second" : "first");
                return false;
            }
            if (here->silent) { /* it ends soon, and is dialled again */
                (void)snprintf(why, size, "n%zu does not hear n%zu", a, b);
                return false;
            }
            bool lower =
                memcmp(world_id(self->world, a), world_id(self->world, b), NODE_ID_BYTES) < 0;
            bool dials = from->unreachable || (lower && !to->unreachable);
            if (strict && here->inbound == dials) { /* lesson D1 */
                (void)snprintf(why, size, "the wrong one of n%zu and n%zu dialled", a, b);
                return false;
            }
        }
    return true;
}

/* No member has a connection that is dead and not known to be: it ends some time, and its peer is
 * dialled then. */
bool claims_is_whole(const struct play *self, char *why, size_t size)
{
    for (size_t node = 0; node < self->nodes_count; node++) {
        size_t dead = wires_half_open(world_wires(self->world), node);
        if (!claims_is_member(self, node) || dead == 0)
            continue;
        (void)snprintf(why, size, "n%zu has %zu connections whose other end is gone", node, dead);
        return false;
    }
    return true;
}

void claims_joined(struct play *self)
{
    char why[200];
    if (!claims_is_mesh(self, true, why, sizeof why))
        play_fail(self, "after joining: %s", why);
}

void claims_unconnected(struct play *self)
{
    for (size_t node = 0; node < self->nodes_count; node++) {
        size_t open = wires_connections(world_wires(self->world), node);
        if (claims_is_member(self, node) && open != self->nodes[node].live_count)
            play_fail(self, "at rest, n%zu has %zu connections open and %zu peers", node, open,
                      self->nodes[node].live_count);
    }
}
