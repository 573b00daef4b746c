#include "tests/unit/connections_mesh_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

mesh_t *mesh_new(uint64_t seed)
{
    struct mesh *self = (struct mesh *)calloc(1, sizeof *self);
    assert_non_null(self);
    self->random = seed;
    self->now_ms = 100000;
    return self;
}

size_t mesh_add(mesh_t *self, const struct mesh_node_options *options)
{
    assert_true(self->count < MESH_NODES_MAX);
    struct node *node = &self->nodes[self->count];
    node->options = *options;
    for (size_t i = 0; i < sizeof node->id.bytes; i++)
        node->id.bytes[i] = (uint8_t)mesh_random(self);
    (void)snprintf(node->address, sizeof node->address, "n%zu:31337", self->count);
    return self->count++;
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct node_id));
}

void mesh_order_ids(mesh_t *self, const size_t *nodes, size_t count)
{
    struct node_id ids[MESH_NODES_MAX];
    for (size_t i = 0; i < count; i++)
        ids[i] = self->nodes[nodes[i]].id;
    qsort(ids, count, sizeof *ids, compare_ids);
    for (size_t i = 0; i < count; i++)
        self->nodes[nodes[i]].id = ids[i];
}

static struct peer_node *nodes_of(const mesh_t *self, const size_t *indices, size_t count)
{
    struct peer_node *nodes = (struct peer_node *)calloc(count + 1, sizeof *nodes);
    assert_non_null(nodes);
    for (size_t i = 0; i < count; i++) {
        memcpy(nodes[i].id, self->nodes[indices[i]].id.bytes, sizeof nodes[i].id);
        nodes[i].address = slice_text(self->nodes[indices[i]].address);
    }
    return nodes;
}

void mesh_start(mesh_t *self, size_t node)
{
    struct node *n = &self->nodes[node];
    struct peer_node *gateways = nodes_of(self, n->options.gateways, n->options.gateway_count);
    struct peer_node *known = nodes_of(self, n->options.known, n->options.known_count);
    const struct connections_options options = {
        .id = n->id,
        .address = n->options.no_address ? NULL : n->address,
        .role = n->options.gateway_role ? 1 : 0,
        .gateways = gateways,
        .gateway_count = n->options.gateway_count,
        .known = known,
        .known_count = n->options.known_count,
        .peers_max = n->options.peers_max,
        .seed = mesh_random(self),
    };
    assert_null(n->actor);
    n->vanished = n->frozen = n->not_reading = false;
    n->run++;
    n->last_inbound = 0;
    n->told_count = 0;
    n->actor = connections_new(&options);
    assert_non_null(n->actor);
    free(gateways);
    free(known);
}

static void end_run(mesh_t *self, size_t node)
{
    struct node *n = &self->nodes[node];
    const struct connections *actor = n->actor;
    self->dials += actor->counters.dials;
    self->failed += actor->counters.failed;
    for (int r = 0; r < CLOSE_REASON_COUNT; r++)
        self->closed[r] += actor->counters.closed[r];
    mail_free(&n->while_frozen);
    free(n->by_number);
    n->by_number = NULL;
    n->by_number_count = 0;
    connections_destroy(&n->actor);
}

/* The far ends of its connections hear this, or nothing. */
static void close_all(mesh_t *self, size_t node, bool heard, enum close_reason reason)
{
    for (struct wire *w = self->wires; w; w = w->next)
        for (int side = 0; side < SIDES; side++)
            if (w->ends[side].node == node && mesh_is_running(self, &w->ends[side]) &&
                !w->ends[side].closed) {
                w->ends[side].closed = true;
                mail_free(&w->ends[side].waiting);
                peer_traffic_release(&w->ends[side].traffic);
                if (heard)
                    mesh_schedule(
                        self, MESH_LATENCY_MS,
                        (struct event){
                            .kind = EVENT_close, .wire = w, .side = !side, .reason = reason});
            }
}

void mesh_kill(mesh_t *self, size_t node)
{
    close_all(self, node, true, CLOSE_reset);
    end_run(self, node);
}

void mesh_leave(mesh_t *self, size_t node)
{
    close_all(self, node, true, CLOSE_goodbye);
    end_run(self, node);
}

void mesh_vanish(mesh_t *self, size_t node)
{
    close_all(self, node, false, CLOSE_closed);
    end_run(self, node);
}

void mesh_freeze(mesh_t *self, size_t node, bool frozen)
{
    struct node *n = &self->nodes[node];
    n->frozen = frozen;
    for (struct message *m = frozen ? NULL : mail_pop(&n->while_frozen); m;
         m = mail_pop(&n->while_frozen))
        mesh_deliver(self, node, (enum message_kind)m->kind, m);
}

void mesh_cut(mesh_t *self, size_t a, size_t b, bool cut)
{
    self->cut[a][b] = self->cut[b][a] = cut;
    for (struct wire *w = self->wires; cut && w; w = w->next)
        for (int side = 0; side < SIDES; side++)
            if (w->ends[side].node == a && w->ends[!side].node == b)
                for (int s = 0; s < SIDES; s++)
                    mesh_schedule(
                        self, MESH_LATENCY_MS,
                        (struct event){
                            .kind = EVENT_close, .wire = w, .side = s, .reason = CLOSE_reset});
}

void mesh_pause_reading(mesh_t *self, size_t node, bool paused)
{
    self->nodes[node].not_reading = paused;
    for (struct wire *w = self->wires; w; w = w->next)
        for (int side = 0; side < SIDES; side++)
            if (w->ends[side].node == node && w->ends[side].traffic)
                w->ends[side].traffic->paused = paused;
}

void mesh_destroy(mesh_t **pointer)
{
    struct mesh *self = *pointer;
    *pointer = NULL;
    for (size_t i = 0; i < self->count; i++) {
        struct message *reply = self->nodes[i].reply ? &self->nodes[i].reply->head : NULL;
        if (self->nodes[i].actor)
            end_run(self, i);
        message_free(&reply);
    }
    while (self->heap_count) {
        struct event event = mesh_take_event(self);
        struct message *message = event.send ? &event.send->head : NULL;
        message_free(&message);
    }
    for (struct wire *w = self->wires, *next; w; w = next) {
        next = w->next;
        for (int side = 0; side < SIDES; side++) {
            mail_free(&w->ends[side].waiting);
            peer_traffic_release(&w->ends[side].traffic);
        }
        free(w);
    }
    free(self->heap);
    free(self);
}
