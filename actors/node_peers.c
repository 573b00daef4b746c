#include "actors/node_peers.h"

#include "base/base58.h"
#include "base/trace.h"

#include <sodium.h>
#include <stdlib.h>

/* ID@HOST:PORT; the address is borrowed. */
static int read_gateway(const char *text, struct peer_node *gateway, struct reason *why)
{
    const char *at = strchr(text, '@');
    if (!at ||
        base58_decode(slice_of(text, (size_t)(at - text)), gateway->id, sizeof gateway->id) != 0)
        return fail(why, ERR_BAD_REQUEST, "--gateway %.300s: ID@HOST:PORT is wanted", text);
    gateway->role = ROLE_gateway;
    gateway->address = slice_text(at + 1);
    if (!hello_is_address(gateway->address))
        return fail(why, ERR_BAD_REQUEST, "--gateway %.300s: HOST:PORT is wanted behind the @",
                    text);
    return 0;
}

static int read_gateways(struct node_peers *self, const char *const *texts, struct reason *why)
{
    int rc = 0;
    for (; *texts && rc == 0; texts++) {
        if (self->gateway_count == GATEWAYS_MAX)
            return fail(why, ERR_TOO_LARGE, "at most %d --gateway", GATEWAYS_MAX);
        rc = read_gateway(*texts, &self->gateways[self->gateway_count++], why);
    }
    return rc;
}

int node_peers_check(struct node_peers *self, const struct node_peer_options *options,
                     struct reason *why)
{
    int rc = read_gateways(self, options->gateways, why);
    return rc || !options->listen ? rc : peer_tcp_check_listen(options->listen, why);
}

int node_peers_open(struct node_peers *self, const struct node_peer_options *options,
                    const char *data_dir, struct reason *why)
{
    int rc = peer_tcp_new(options->listen, &self->tcp, why);
    if (rc == 0)
        rc = known_peers_open(data_dir, &self->known, why);
    self->bound = rc == 0 && options->listen ? peer_tcp_bound(self->tcp) : "none";
    return rc;
}

static void remember(void *known, const struct peer_node *nodes, size_t count)
{
    struct reason why;
    if (known_peers_write((known_peers_t *)known, nodes, count, &why) != 0)
        trace(TRACE_warn, "the peers to rejoin through are not remembered: %s", why.text);
}

void node_peers_cast(struct node_peers *self, const struct node_peer_options *options,
                     const struct identity *identity, struct cast_options *cast)
{
    const char *address = options->advertise ? options->advertise
                          : options->listen  ? self->bound
                                             : "";
    uint8_t role = options->is_gateway ? ROLE_gateway : ROLE_peer;
    cast->facts = (struct node_facts){.id = identity->id,
                                      .role = options->is_gateway ? "gateway" : "peer",
                                      .network = options->network,
                                      .listen = self->bound,
                                      .advertised = address};
    struct handshake_config *config = &cast->transport.config;
    cast->transport.wire = peer_tcp_wire(self->tcp);
    memcpy(config->secret_key, identity->secret_key, sizeof config->secret_key);
    memcpy(config->public_key, identity->public_key, sizeof config->public_key);
    config->network = slice_text(options->network);
    config->version_min = PEER_PROTOCOL_MIN;
    config->version_max = PEER_PROTOCOL_MAX;
    config->role = (enum peer_role)role;
    config->address = slice_text(address);
    struct connections_options *connections = &cast->connections;
    memcpy(connections->id.bytes, identity->public_key, sizeof connections->id.bytes);
    connections->address = address;
    connections->role = role;
    connections->gateways = self->gateways;
    connections->gateway_count = self->gateway_count;
    connections->known = known_peers_list(self->known, &connections->known_count);
    connections->peers_max = options->peers_max;
    connections->remember = remember;
    connections->remember_for = self->known;
    randombytes_buf(&connections->seed, sizeof connections->seed);
    cast->id = connections->id;
    cast->networked = connections_is_networked(connections);
}

void node_peers_close(struct node_peers *self)
{
    peer_tcp_destroy(&self->tcp);
    known_peers_close(&self->known);
}
