#include "tests/net/far_network.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SETTLE_MS = 60000 }; /* only a fault takes that long */

static const char *const *options(void)
{
    static const char *words[] = {"--log-level", "error", NULL};
    if (getenv("LOG_LEVEL"))
        words[1] = getenv("LOG_LEVEL");
    return words;
}

void far_network_start(struct far_network *self, size_t count, const struct line_rules *rules,
                       uint64_t seed)
{
    struct network_place places[SPACES_MAX];
    char hosts[SPACES_MAX][SPACE_ADDRESS_MAX];
    spaces_new(&self->spaces, count);
    self->relay = relay_new(&self->spaces, seed);
    relay_rule_all(self->relay, rules);
    for (size_t i = 0; i < count; i++) {
        space_address(i, hosts[i]);
        places[i] = (struct network_place){self->spaces.space[i].path, hosts[i]};
    }
    network_start_at(&self->network, count, places, options());
    assert_true(network_settles(&self->network, count - 1, SETTLE_MS));
}

void far_network_end(struct far_network *self)
{
    network_end(&self->network);
    relay_destroy(&self->relay);
    spaces_free(&self->spaces);
}

void far_network_node_start(struct far_network *self, size_t node)
{
    network_node_start(&self->network, node, options());
}
