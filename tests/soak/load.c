#include "tests/soak/load.h"
#include "tests/soak/churn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const KINDS[] = {"map", "counter", "log", "set", "register"};
enum {
    KINDS_COUNT = sizeof KINDS / sizeof KINDS[0],
    ELEMENTS = 6,
    OPEN_MAX_HERE = 512,
    STREAM = 1000,
    DIFFERENCES_TOLD = 10
};
static const char NEWEST[] = "20"; /* entries that a log keeps */

/* --- following ------------------------------------------------------------------------------- */

static void on_event(weir_t *w, const struct weir_event *event, void *argument)
{
    struct follower *self = (struct follower *)argument;
    (void)w;
    if (event->kind == WEIR_EVENT_ENDED) {
        self->ended = true;
        self->load->ended++;
        return;
    }
    self->load->events++;
    self->load->repairs += event->kind == WEIR_EVENT_REPAIR;
    self->told = true;
    memcpy(self->after, event->after, sizeof self->after);
}

static void follow(struct follower *self)
{
    weir_t *client = self->load->network->nodes[self->node].client;
    self->ended = false;
    if (weir_subscribe_async(client, self->load->contracts[self->contract].key, NULL, on_event,
                             self, NULL, NULL) != 0)
        fail_msg("subscribe: %s", weir_error(client));
}

static bool runs(const struct load *self, size_t node)
{
    const struct network_node *it = &self->network->nodes[node];
    return it->process.pid > 0 && !it->stopped;
}

void load_follow(struct load *self)
{
    for (size_t i = 0; i < LOAD_CONTRACTS; i++)
        for (size_t n = 0; n < LOAD_NODES; n++)
            if (self->contracts[i].followers[n].ended && runs(self, n))
                follow(&self->contracts[i].followers[n]);
}

/* --- start ----------------------------------------------------------------------------------- */

static void put(struct load *self, size_t number)
{
    struct load_contract *contract = &self->contracts[number];
    const struct weir_reply *reply;
    const struct weir_bytes none = {0};
    char name[32];
    weir_params_t *params = weir_params_new();
    weir_t *client = self->network->nodes[number % LOAD_NODES].client;
    contract->kind = KINDS[number % KINDS_COUNT];
    (void)snprintf(name, sizeof name, "soak-%zu", number);
    assert_int_equal(weir_params_set(params, "name", name, NULL), 0);
    if (strcmp(contract->kind, "log") == 0)
        assert_int_equal(weir_params_set(params, "newest", NEWEST, NULL), 0);
    if (weir_put(client, contract->kind, weir_params_bytes(params), none, &reply) != 0)
        fail_msg("put: %s", weir_error(client));
    memcpy(contract->key, reply->key, 32);
    weir_params_destroy(&params);
}

void load_start(struct load *self, struct network *network, uint64_t seed)
{
    memset(self, 0, sizeof *self);
    self->network = network;
    dice_seed(&self->dice, seed, STREAM);
    for (size_t i = 0; i < LOAD_CONTRACTS; i++)
        put(self, i);
    for (size_t i = 0; i < LOAD_CONTRACTS; i++)
        for (size_t n = 0; n < LOAD_NODES; n++) {
            self->contracts[i].followers[n] =
                (struct follower){.load = self, .contract = i, .node = n};
            follow(&self->contracts[i].followers[n]);
        }
}

/* --- writing --------------------------------------------------------------------------------- */

struct write {
    struct load *load;
    size_t contract, node;
    uint64_t number; /* among this node's to this contract */
};

static void on_written(weir_t *w, const struct weir_reply *reply, void *argument)
{
    struct write *write = (struct write *)argument;
    struct load *self = write->load;
    uint64_t *acked = &self->contracts[write->contract].acked[write->node];
    bool map = strcmp(self->contracts[write->contract].kind, "map") == 0;
    (void)w;
    self->open--;
    self->acked += reply->code == 0;
    self->refused += reply->code != 0;
    if (reply->code == 0 && !map)
        ++*acked;
    if (reply->code == 0 && map && write->number > *acked)
        *acked = write->number;
    free(write);
}

/* The edit's verb and operands, as texts. */
static size_t words_of(struct load *self, const struct write *write, const char **verb,
                       char words[2][32])
{
    const char *kind = self->contracts[write->contract].kind;
    uint64_t draw = dice_below(&self->dice, ELEMENTS);
    *verb = "set";
    if (strcmp(kind, "map") == 0) {
        (void)snprintf(words[0], 32, "n%zu", write->node);
        (void)snprintf(words[1], 32, "%llu", (unsigned long long)write->number);
        return 2;
    }
    (void)snprintf(words[0], 32, "n%zu-%llu", write->node, (unsigned long long)write->number);
    if (strcmp(kind, "log") == 0)
        *verb = "append";
    if (strcmp(kind, "counter") == 0) {
        *verb = "add";
        (void)snprintf(words[0], 32, "1");
    }
    if (strcmp(kind, "set") == 0) {
        *verb = dice_below(&self->dice, 2) ? "add" : "remove";
        (void)snprintf(words[0], 32, "e%llu", (unsigned long long)draw);
    }
    return 1;
}

/* Each start of a node that writes to one is a replica more, for good: only nodes that are never
 * ended do. */
static bool has_replicas(const char *kind)
{
    return strcmp(kind, "counter") == 0 || strcmp(kind, "set") == 0;
}

void load_write(struct load *self)
{
    size_t node = dice_below(&self->dice, LOAD_NODES);
    size_t number = dice_below(&self->dice, LOAD_CONTRACTS);
    struct load_contract *contract = &self->contracts[number];
    if (has_replicas(contract->kind))
        node %= CHURN_SPARED;
    struct weir_bytes operands[2];
    char words[2][32];
    const char *verb;
    if (!runs(self, node) || self->open >= OPEN_MAX_HERE)
        return;
    struct write *write = (struct write *)malloc(sizeof *write);
    assert_non_null(write);
    *write = (struct write){self, number, node, ++contract->sent[node]};
    size_t count = words_of(self, write, &verb, words);
    for (size_t i = 0; i < count; i++)
        operands[i] = weir_text(words[i]);
    self->sent++;
    self->open++;
    weir_t *client = self->network->nodes[node].client;
    if (weir_edit_async(client, contract->key, verb, operands, count, on_written, write) != 0)
        fail_msg("edit: %s", weir_error(client));
}

/* --- the end --------------------------------------------------------------------------------- */

static void hex_of(const uint8_t bytes[32], char text[65])
{
    for (size_t i = 0; i < 32; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

bool load_is_equal(struct load *self)
{
    if (!network_is_equal(self->network, LOAD_CONTRACTS))
        return false;
    json_t *prints = network_prints(self->network, 0);
    bool equal = prints != NULL;
    for (size_t i = 0; i < LOAD_CONTRACTS && equal; i++) {
        char key[WEIR_KEY_TEXT_MAX], after[65];
        weir_key_print(self->contracts[i].key, key);
        const char *print = json_string_value(json_object_get(prints, key));
        for (size_t n = 0; n < LOAD_NODES; n++) {
            const struct follower *follower = &self->contracts[i].followers[n];
            hex_of(follower->after, after);
            equal = equal && follower->told && !follower->ended && print && !strcmp(print, after);
        }
    }
    json_decref(prints);
    return equal;
}

void load_tell_differences(struct load *self)
{
    json_t *prints[LOAD_NODES];
    size_t told = 0;
    for (size_t n = 0; n < LOAD_NODES; n++)
        prints[n] = network_prints(self->network, n);
    for (size_t i = 0; i < LOAD_CONTRACTS && told < DIFFERENCES_TOLD; i++) {
        char key[WEIR_KEY_TEXT_MAX], line[LOAD_NODES * 32] = "", after[65];
        bool differ = false;
        size_t size = 0;
        weir_key_print(self->contracts[i].key, key);
        const char *first = json_string_value(json_object_get(prints[0], key));
        for (size_t n = 0; n < LOAD_NODES; n++) {
            const struct follower *follower = &self->contracts[i].followers[n];
            const char *print = json_string_value(json_object_get(prints[n], key));
            hex_of(follower->after, after);
            differ |= !first || !print || strcmp(first, print) != 0 || strcmp(first, after) != 0;
            size += (size_t)snprintf(line + size, sizeof line - size, "  %.8s/%.8s%s",
                                     print ? print : "none", after, follower->ended ? "!" : "");
        }
        told += differ;
        if (differ)
            (void)printf("%s %s (host/follower):%s\n", self->contracts[i].kind, key, line);
    }
    for (size_t n = 0; n < LOAD_NODES; n++)
        json_decref(prints[n]);
}

struct reading {
    uint64_t fields[LOAD_NODES];
    uint64_t number;
};

static int read_item(void *argument, const struct weir_item *item)
{
    struct reading *reading = (struct reading *)argument;
    char name[8] = {0}, value[24] = {0};
    reading->number = (uint64_t)item->number;
    if (item->name.size == 2 && item->value.size < sizeof value) {
        memcpy(name, item->name.data, item->name.size);
        memcpy(value, item->value.data, item->value.size);
        size_t node = (size_t)(name[1] - '0');
        if (node < LOAD_NODES)
            reading->fields[node] = strtoull(value, NULL, 10);
    }
    return 0;
}

static struct reading read_contract(struct load *self, size_t number)
{
    struct reading reading = {0};
    const struct weir_reply *reply;
    weir_contract_t *contract;
    weir_t *client = self->network->nodes[number % LOAD_NODES].client;
    if (weir_get(client, self->contracts[number].key, &reply) != 0)
        fail_msg("get: %s", weir_error(client));
    assert_int_equal(weir_contract_new(reply->kind, reply->params, &contract, NULL), 0);
    assert_int_equal(weir_items(contract, reply->state, read_item, &reading, NULL), 0);
    weir_contract_destroy(&contract);
    return reading;
}

void load_check(struct load *self)
{
    for (size_t i = 0; i < LOAD_CONTRACTS; i++) {
        const struct load_contract *contract = &self->contracts[i];
        struct reading reading = read_contract(self, i);
        uint64_t sent = 0, acked = 0;
        for (size_t n = 0; n < LOAD_NODES; n++) {
            sent += contract->sent[n];
            acked += contract->acked[n];
            if (strcmp(contract->kind, "map") == 0)
                assert_in_range(reading.fields[n], contract->acked[n], contract->sent[n]);
        }
        if (strcmp(contract->kind, "counter") == 0)
            assert_in_range(reading.number, acked, sent);
    }
}
