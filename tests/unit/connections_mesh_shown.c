#include "tests/unit/connections_mesh_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* --- looking ------------------------------------------------------------------------------ */

const struct connections *mesh_node(const mesh_t *self, size_t node)
{
    return self->nodes[node].actor;
}

struct node_id mesh_id(const mesh_t *self, size_t node)
{
    return self->nodes[node].id;
}

const char *mesh_address(const mesh_t *self, size_t node)
{
    return self->nodes[node].address;
}

static const struct link *live_link(const mesh_t *self, size_t at, size_t to)
{
    const struct connections *actor = self->nodes[at].actor;
    const struct peer *peer = actor ? peers_find(&actor->peers, &self->nodes[to].id) : NULL;
    return peer ? peer_link_in(peer, PEER_live) : NULL;
}

/* The wire whose two ends are both live. */
static const struct wire *live_wire(const mesh_t *self, size_t a, size_t b)
{
    const struct link *at_a = live_link(self, a, b), *at_b = live_link(self, b, a);
    int side;
    const struct wire *wire = at_a && at_b ? mesh_wire_of(self, a, at_a->number, &side) : NULL;
    return wire && wire->ends[!side].number == at_b->number && wire->ends[!side].node == b ? wire
                                                                                           : NULL;
}

size_t mesh_live(const mesh_t *self, size_t a, size_t b)
{
    size_t count = 0;
    for (size_t i = 0; i < self->nodes[a].by_number_count; i++) {
        const struct wire *w = self->nodes[a].by_number[i];
        bool is_between = w && (w->ends[0].node == b || w->ends[1].node == b);
        count += is_between && w->ends[0].admitted && w->ends[1].admitted && !w->ends[0].closed &&
                 !w->ends[1].closed;
    }
    if (count == 1)
        assert_non_null(live_wire(self, a, b));
    return count;
}

size_t mesh_dialler(const mesh_t *self, size_t a, size_t b)
{
    const struct wire *wire = live_wire(self, a, b);
    assert_non_null(wire);
    return wire->ends[0].node;
}

size_t mesh_live_count(const mesh_t *self, size_t node)
{
    return self->nodes[node].actor->view.count;
}

uint64_t mesh_dials(const mesh_t *self)
{
    uint64_t sum = self->dials;
    for (size_t i = 0; i < self->count; i++)
        sum += self->nodes[i].actor ? self->nodes[i].actor->counters.dials : 0;
    return sum;
}

uint64_t mesh_failed(const mesh_t *self)
{
    uint64_t sum = self->failed;
    for (size_t i = 0; i < self->count; i++)
        sum += self->nodes[i].actor ? self->nodes[i].actor->counters.failed : 0;
    return sum;
}

uint64_t mesh_closed(const mesh_t *self, enum close_reason reason)
{
    uint64_t sum = self->closed[reason];
    for (size_t i = 0; i < self->count; i++)
        sum += self->nodes[i].actor ? self->nodes[i].actor->counters.closed[reason] : 0;
    return sum;
}

size_t mesh_told_live(const mesh_t *self, size_t node)
{
    return self->nodes[node].told_count;
}

/* --- operators ---------------------------------------------------------------------------- */

struct asked {
    struct frames frames;
    struct slice argument;
    char text[256];
};

static void free_asked(struct frames *frames)
{
    free(frames);
}

void mesh_ask(mesh_t *self, size_t node, enum verb verb, const char *argument)
{
    struct request *request = (struct request *)message_new(sizeof *request);
    struct asked *asked = (struct asked *)calloc(1, sizeof *asked);
    struct message *before = self->nodes[node].reply ? &self->nodes[node].reply->head : NULL;
    assert_non_null(request);
    assert_non_null(asked);
    message_free(&before);
    self->nodes[node].reply = NULL;
    (void)snprintf(asked->text, sizeof asked->text, "%s", argument ? argument : "");
    asked->argument = slice_text(asked->text);
    request->verb = verb;
    request->frames = &asked->frames;
    request->release = free_asked;
    request->args = &asked->argument;
    request->args_count = argument != NULL;
    mesh_deliver(self, node, MESSAGE_ASK, &request->head);
}

const struct request *mesh_reply(const mesh_t *self, size_t node)
{
    return self->nodes[node].reply;
}

const char *mesh_json(const mesh_t *self, size_t node)
{
    const struct request *reply = self->nodes[node].reply;
    struct slice json = reply ? blob_slice(reply->json) : slice_of("", 0);
    char *text = ((struct mesh *)(uintptr_t)self)->json;
    assert_true(json.size < sizeof self->json);
    if (json.size)
        memcpy(text, json.data, json.size);
    text[json.size] = 0;
    return text;
}

size_t mesh_route(const mesh_t *self, size_t from, place_t place, size_t *hops)
{
    const struct ring_peer *next;
    for (*hops = 0; (next = ring_next(&self->nodes[from].actor->view, place, NULL, 0)) != NULL;
         ++*hops) {
        size_t to = 0;
        while (memcmp(&self->nodes[to].id, &next->id, sizeof next->id) != 0)
            to++;
        assert_true(*hops < 100);
        from = to;
    }
    return from;
}
