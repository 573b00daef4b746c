#include "tests/integration/probes.h"

#include "tests/support/now.h"
#include "tests/support/rooted.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { PATIENCE_US = 30000000 }; /* only a fault takes that long */

static void on_event(weir_t *w, const struct weir_event *event, void *told)
{
    (void)w;
    assert_int_not_equal(event->kind, WEIR_EVENT_ENDED);
    ++*(size_t *)told;
}

void probes_begin(struct probes *self, struct network *network, size_t third, const size_t ends[2])
{
    memset(self, 0, sizeof *self);
    rooted_put(network, third, "map", self->key);
    for (size_t i = 0; i < 2; i++) {
        self->ends[i] = network->nodes[ends[i]].client;
        assert_int_equal(weir_subscribe(self->ends[i], self->key, NULL, on_event, &self->told[i]),
                         0);
    }
}

void probes_take(struct probes *self)
{
    size_t from = self->taken++ % 2, before = self->told[!from];
    weir_t *writer = self->ends[from], *reader = self->ends[!from];
    char value[16];
    int64_t start = (int64_t)now_us();
    (void)snprintf(value, sizeof value, "%zu", self->taken);
    assert_int_equal(weir_map_set(writer, self->key, weir_text("probe"), weir_text(value)), 1);
    while (self->told[!from] == before) {
        if ((int64_t)now_us() > start + PATIENCE_US)
            fail_msg("a live peer is not told");
        assert_true(weir_step(reader, 1000) >= 0);
    }
    measures_add(&self->took_us, (int64_t)now_us() - start);
    while (weir_step(writer, 0) > 0)
        ;
}
