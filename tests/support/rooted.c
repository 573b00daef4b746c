#include "tests/support/rooted.h"

#include "base/base58.h"
#include "proto/ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static place_t place_of(const struct network *network, size_t node)
{
    struct node_id id;
    struct slice text = slice_text(network->nodes[node].id);
    assert_int_equal(base58_decode(text, id.bytes, sizeof id.bytes), 0);
    return ring_place_of_node(&id);
}

static bool is_root(const struct network *network, size_t root, place_t place)
{
    for (size_t n = 0; n < network->count; n++)
        if (n != root && ring_distance(place_of(network, n), place) <=
                             ring_distance(place_of(network, root), place))
            return false;
    return true;
}

/* False: another node is nearer to it. */
static bool try_name(struct network *network, size_t root, const char *kind, const char *name,
                     uint8_t key[32])
{
    const struct weir_reply *reply;
    const struct weir_bytes none = {0};
    weir_contract_t *contract;
    weir_params_t *params = weir_params_new();
    assert_int_equal(weir_params_set(params, "name", name, NULL), 0);
    struct weir_bytes bytes = weir_params_bytes(params);
    assert_int_equal(weir_contract_new(kind, bytes, &contract, NULL), 0);
    memcpy(key, weir_contract_key(contract), 32);
    bool fits = is_root(network, root, ring_place_of_contract(key));
    if (fits)
        assert_int_equal(weir_put(network->nodes[root].client, kind, bytes, none, &reply), 0);
    weir_contract_destroy(&contract);
    weir_params_destroy(&params);
    return fits;
}

void rooted_put(struct network *network, size_t root, const char *kind, uint8_t key[32])
{
    const struct weir_reply *reply;
    char name[32];
    unsigned i = 0;
    do
        (void)snprintf(name, sizeof name, "%s-%u", kind, i++);
    while (!try_name(network, root, kind, name, key));
    for (size_t n = 0; n < network->count; n++)
        assert_int_equal(weir_get(network->nodes[n].client, key, &reply), 0);
}
