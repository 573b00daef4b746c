#include "tests/support/network.h"

#include "client/clock.h"
#include "tests/support/vitals.h"

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { OPTIONS_MAX = 16, POLL_MS = 10, PORTS_FIRST = 10000, PORTS_END = 32768 };

int64_t network_now_ms(void)
{
    return (int64_t)monotonic_ms();
}

void network_pause_ms(int ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    (void)nanosleep(&pause, NULL);
}

/* The word after ` name=` in the ready line. */
static void ready_word(const struct process *process, const char *name, char *to, size_t room)
{
    char start[32];
    (void)snprintf(start, sizeof start, " %s=", name);
    const char *at = strstr(process->ready, start);
    if (!at)
        fail_msg("no%s in: %s", start, process->ready);
    at += strlen(start);
    (void)snprintf(to, room, "%.*s", (int)strcspn(at, " "), at);
}

/* Below those that the system gives to whoever asks for any: a node that was stopped finds its port
 * free again. */
static unsigned own_ports_end(void)
{
    unsigned first = PORTS_END;
    FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");
    if (file) {
        if (fscanf(file, "%u", &first) != 1 || first <= PORTS_FIRST)
            first = PORTS_END;
        (void)fclose(file);
    }
    return first;
}

static bool is_free(unsigned port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    bool free = bind(fd, (const struct sockaddr *)(const void *)&at, sizeof at) == 0;
    (void)close(fd);
    return free;
}

static void choose_address(char address[128])
{
    uint32_t drawn;
    unsigned port;
    do {
        assert_int_equal(getentropy(&drawn, sizeof drawn), 0);
        port = PORTS_FIRST + drawn % (own_ports_end() - PORTS_FIRST);
    } while (!is_free(port));
    (void)snprintf(address, 128, "127.0.0.1:%u", port);
}

static void start_process(struct network_node *node, const char *const *options)
{
    char enter[96];
    const char *command[] = {"nsenter", enter, "--", NULL};
    (void)snprintf(enter, sizeof enter, "--net=%s", node->place.space ? node->place.space : "");
    if (!process_try(&node->process, node->data, options, node->place.space ? command : NULL))
        fail_msg("the node did not become ready; it said: '%s'", node->process.ready);
}

static void open_client(struct network_node *node)
{
    char socket[96];
    (void)snprintf(socket, sizeof socket, "ipc://%s/weir.sock", node->data);
    struct weir_options client = {.endpoint = node->place.space ? socket : node->process.endpoint};
    node->client = weir_new(&client);
    assert_non_null(node->client);
}

void network_node_start(struct network *self, size_t number, const char *const *options)
{
    struct network_node *node = &self->nodes[number];
    if (!node->address[0] && node->place.host)
        (void)snprintf(node->address, sizeof node->address, "%s:%d", node->place.host, PORTS_FIRST);
    if (!node->address[0])
        choose_address(node->address);
    const char *all[OPTIONS_MAX] = {"--listen", node->address};
    size_t count = 2;
    if (node->gateway[0]) {
        all[count++] = "--gateway";
        all[count++] = node->gateway;
    } else if (!node->apart) {
        all[count++] = "--role";
        all[count++] = "gateway";
    }
    while (options && *options && count < OPTIONS_MAX - 1)
        all[count++] = *options++;
    start_process(node, all);
    ready_word(&node->process, "id", node->id, sizeof node->id);
    ready_word(&node->process, "peers", node->address, sizeof node->address);
    const char *tcp = strstr(node->process.ready, "tcp://");
    assert_non_null(tcp);
    (void)snprintf(node->tcp, sizeof node->tcp, "%.*s", (int)strcspn(tcp, ", "), tcp);
    if (!node->client)
        open_client(node);
}

/* place: NULL for one beside the test. */
static void add(struct network *self, const struct network_place *place, const char *const *options,
                bool apart)
{
    assert_true(self->count < NETWORK_NODES_MAX);
    size_t number = self->count++;
    struct network_node *node = &self->nodes[number];
    *node = (struct network_node){.apart = apart};
    data_dir_new(node->data);
    if (place)
        node->place = *place;
    if (number && !apart)
        (void)snprintf(node->gateway, sizeof node->gateway, "%s@%s", self->nodes[0].id,
                       self->nodes[0].address);
    network_node_start(self, number, options);
}

static void start_all(struct network *self, size_t count, const struct network_place *places,
                      const char *const *options, bool apart)
{
    memset(self, 0, sizeof *self);
    while (self->count < count)
        add(self, places ? &places[self->count] : NULL, options, apart);
}

struct network_node *network_add(struct network *self, const char *const *options)
{
    add(self, NULL, options, false);
    return &self->nodes[self->count - 1];
}

void network_remove_last(struct network *self)
{
    network_node_kill(self, self->count - 1);
    data_dir_remove(self->nodes[--self->count].data);
}

void network_start(struct network *self, size_t count, const char *const *options)
{
    start_all(self, count, NULL, options, false);
}

void network_start_at(struct network *self, size_t count, const struct network_place *places,
                      const char *const *options)
{
    start_all(self, count, places, options, false);
}

void network_start_apart(struct network *self, size_t count, const char *const *options)
{
    start_all(self, count, NULL, options, true);
}

void network_node_kill(struct network *self, size_t number)
{
    struct network_node *node = &self->nodes[number];
    if (node->stopped)
        (void)kill(node->process.pid, SIGCONT);
    node->stopped = false;
    weir_destroy(&node->client);
    process_kill(&node->process);
}

void network_end(struct network *self)
{
    while (self->count)
        network_remove_last(self);
}

json_t *network_peers(struct network *self, size_t number)
{
    const struct weir_reply *reply;
    weir_t *client = self->nodes[number].client;
    if (weir_peers(client, &reply) != 0)
        fail_msg("PEERS of node %zu: %s", number, weir_error(client));
    json_t *peers = json_loadb((const char *)reply->json.data, reply->json.size, 0, NULL);
    assert_true(json_is_array(peers));
    return peers;
}

static bool is_live(const json_t *peer)
{
    return strcmp(json_string_value(json_object_get(peer, "state")), "live") == 0;
}

size_t network_live(struct network *self, size_t number)
{
    json_t *peers = network_peers(self, number), *peer;
    size_t live = 0, i;
    json_array_foreach (peers, i, peer)
        live += is_live(peer);
    json_decref(peers);
    return live;
}

bool network_is_live(struct network *self, size_t number, const char *id)
{
    json_t *peers = network_peers(self, number), *peer;
    bool found = false;
    size_t i;
    json_array_foreach (peers, i, peer)
        found |= is_live(peer) && strcmp(json_string_value(json_object_get(peer, "id")), id) == 0;
    json_decref(peers);
    return found;
}

static int64_t count_in_status(struct network *self, size_t number, const char *part,
                               const char *name)
{
    const struct weir_reply *reply;
    weir_t *client = self->nodes[number].client;
    if (weir_status(client, &reply) != 0)
        fail_msg("STATUS of node %zu: %s", number, weir_error(client));
    json_t *status = json_loadb((const char *)reply->json.data, reply->json.size, 0, NULL);
    const json_t *count = json_object_get(json_object_get(status, part), name);
    if (!count && strncmp(name, "closed_", 7) != 0)
        fail_msg("STATUS counts no %s", name);
    int64_t value = (int64_t)json_integer_value(count);
    json_decref(status);
    return value;
}

int64_t network_count(struct network *self, size_t number, const char *name)
{
    return count_in_status(self, number, "connections", name);
}

bool network_is_folded(struct network *self, size_t number)
{
    return count_in_status(self, number, "store", "unfolded_bytes") == 0;
}

int64_t network_count_clients(struct network *self, size_t number, const char *name)
{
    return count_in_status(self, number, "clients", name);
}

int64_t network_memory_peak_kib(const struct network *self, size_t number)
{
    return vitals_memory_peak_kib(self->nodes[number].process.pid);
}

bool network_settles(struct network *self, size_t live, int within_ms)
{
    int64_t end = network_now_ms() + within_ms;
    for (;;) {
        bool all = true;
        for (size_t i = 0; i < self->count; i++)
            if (self->nodes[i].client && !self->nodes[i].stopped)
                all = all && network_live(self, i) == live;
        if (all || network_now_ms() > end)
            return all;
        network_pause_ms(POLL_MS);
    }
}

void network_step(struct network *self, int wait_ms)
{
    struct pollfd fds[NETWORK_NODES_MAX];
    nfds_t count = 0;
    for (size_t i = 0; i < self->count; i++) {
        weir_t *client = self->nodes[i].client;
        int soon = client ? weir_wait_ms(client) : -1;
        if (soon >= 0 && soon < wait_ms)
            wait_ms = soon;
        if (client)
            fds[count++] = (struct pollfd){.fd = weir_fd(client), .events = POLLIN};
    }
    (void)poll(fds, count, wait_ms);
    for (size_t i = 0; i < self->count; i++)
        if (self->nodes[i].client)
            (void)weir_step(self->nodes[i].client, 0);
}

json_t *network_prints(struct network *self, size_t number)
{
    const struct weir_reply *reply;
    if (weir_contracts(self->nodes[number].client, &reply) != 0)
        return NULL;
    json_t *contracts = json_loadb((const char *)reply->json.data, reply->json.size, 0, NULL);
    json_t *prints = json_object(), *contract;
    size_t i;
    json_array_foreach (contracts, i, contract) {
        const char *key = json_string_value(json_object_get(contract, "key"));
        json_t *print = json_object_get(contract, "fingerprint");
        assert_int_equal(json_object_set(prints, key, print), 0);
    }
    json_decref(contracts);
    return prints;
}

bool network_is_equal(struct network *self, size_t contracts)
{
    json_t *first = NULL;
    bool equal = true;
    for (size_t i = 0; i < self->count && equal; i++) {
        if (!self->nodes[i].client || self->nodes[i].stopped)
            continue;
        json_t *prints = network_prints(self, i);
        equal = prints && json_object_size(prints) == contracts &&
                (!first || json_equal(first, prints));
        if (first)
            json_decref(prints);
        else
            first = prints;
    }
    json_decref(first);
    return equal;
}
