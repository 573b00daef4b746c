#include "tests/unit/connections_mesh_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct now mesh_now_of(const mesh_t *self)
{
    return (struct now){
        .ms = self->now_ms, .wall_ms = 1700000000000 + self->now_ms, .us = self->now_ms * 1000};
}

uint64_t mesh_random(mesh_t *self)
{
    uint64_t z = self->random += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* --- events, by time ---------------------------------------------------------------------- */

static bool is_before(const struct event *a, const struct event *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

void mesh_schedule(mesh_t *self, uint64_t in_ms, struct event event)
{
    event.at_ms = self->now_ms + in_ms;
    event.order = self->order++;
    if (self->heap_count == self->heap_capacity) {
        self->heap_capacity = self->heap_capacity ? self->heap_capacity * 2 : 1024;
        self->heap = (struct event *)realloc(self->heap, self->heap_capacity * sizeof event);
        assert_non_null(self->heap);
    }
    size_t at = self->heap_count++;
    for (; at && is_before(&event, &self->heap[(at - 1) / 2]); at = (at - 1) / 2)
        self->heap[at] = self->heap[(at - 1) / 2];
    self->heap[at] = event;
}

struct event mesh_take_event(mesh_t *self)
{
    struct event first = self->heap[0], last = self->heap[--self->heap_count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= self->heap_count)
            break;
        if (child + 1 < self->heap_count && is_before(&self->heap[child + 1], &self->heap[child]))
            child++;
        if (!is_before(&self->heap[child], &last))
            break;
        self->heap[at] = self->heap[child];
        at = child;
    }
    self->heap[at] = last;
    return first;
}
