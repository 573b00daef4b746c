/* A node whose data is damaged while it is down: `weir check` names the contract, the node serves
 * the others and not this one, and has it whole again from a peer within HEAL_MS, whichever of the
 * two is nearer to its key. */
#include "base/base58.h"
#include "tests/support/network.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { SETTLE_MS = 30000, HEAL_MS = 30000, FOLD_MS = 30000 };

static struct network network;
static uint8_t hurt[32], healthy[32];
static char hurt_text[BASE58_TEXT_MAX];

static int end_network(void **state)
{
    (void)state;
    network_end(&network);
    return 0;
}

static void put_map(const char *name, uint8_t key[32])
{
    const struct weir_reply *reply;
    weir_params_t *params = weir_params_new();
    struct weir_bytes none = {0};
    assert_int_equal(weir_params_set(params, "name", name, NULL), 0);
    assert_int_equal(
        weir_put(network.nodes[0].client, "map", weir_params_bytes(params), none, &reply), 0);
    memcpy(key, reply->key, 32);
    weir_params_destroy(&params);
}

static int set(size_t node, const uint8_t key[32], const char *name, const char *value)
{
    return weir_map_set(network.nodes[node].client, key, weir_text(name), weir_text(value));
}

static bool print_of(size_t node, const uint8_t key[32], uint8_t fingerprint[32])
{
    const struct weir_reply *reply;
    if (weir_get(network.nodes[node].client, key, &reply) != 0)
        return false;
    memcpy(fingerprint, reply->fingerprint, 32);
    return true;
}

static bool are_equal(const uint8_t key[32], int within_ms)
{
    uint8_t a[32], b[32];
    int64_t until = network_now_ms() + within_ms;
    do {
        if (print_of(0, key, a) && print_of(1, key, b) && memcmp(a, b, sizeof a) == 0)
            return true;
        network_pause_ms(20);
    } while (network_now_ms() < until);
    return false;
}

/* --- damage ------------------------------------------------------------------------------ */

/* Where the text is in LMDB's file; -1: it is not. */
static off_t find_in_file(const char *path, const char *text)
{
    struct stat facts;
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &facts), 0);
    char *bytes = (char *)malloc((size_t)facts.st_size);
    assert_non_null(bytes);
    ssize_t n = read(fd, bytes, (size_t)facts.st_size);
    (void)close(fd);
    const char *found = n > 0 ? (const char *)memmem(bytes, (size_t)n, text, strlen(text)) : NULL;
    off_t at = found ? (off_t)(found - bytes) : -1;
    free(bytes);
    return at;
}

static void path_of(size_t node, char path[96])
{
    (void)snprintf(path, 96, "%s/state.mdb", network.nodes[node].data);
}

static void wait_for_fold(size_t node, const char *text)
{
    char path[96];
    int64_t until = network_now_ms() + FOLD_MS;
    path_of(node, path);
    /* Its page may be in the file and its tree not yet: a kill then leaves it to the log. */
    while (!network_is_folded(&network, node) || find_in_file(path, text) < 0) {
        assert_true(network_now_ms() < until);
        network_pause_ms(50);
    }
}

static void flip(size_t node, const char *text)
{
    char path[96];
    path_of(node, path);
    int fd = open(path, O_WRONLY);
    for (off_t at; (at = find_in_file(path, text)) >= 0;)
        assert_int_equal(pwrite(fd, "?", 1, at), 1);
    (void)close(fd);
}

/* What `weir check` prints of the node's data; it exits with 1. */
static void check_names(size_t node, const char *key)
{
    char command[256], printed[8192];
    const char *weir = getenv("WEIR");
    (void)snprintf(command, sizeof command, "%s check %s 2>&1", weir ? weir : "build/weir",
                   network.nodes[node].data);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    size_t n = fread(printed, 1, sizeof printed - 1, out);
    printed[n] = 0;
    int status = pclose(out);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    if (!strstr(printed, key))
        fail_msg("%s", printed);
}

/* The damaged node alone: it names what it does not serve. */
static void assert_others_go_on(size_t node)
{
    const struct weir_reply *reply;
    weir_t *client = network.nodes[node].client;
    assert_int_not_equal(weir_get(client, hurt, &reply), 0);
    assert_non_null(strstr(weir_error(client), hurt_text));
    assert_true(set(node, hurt, "more", "x") < 0);
    assert_non_null(strstr(weir_error(client), hurt_text));
    assert_int_equal(set(node, healthy, "alone", node ? "one" : "two"), 1);
}

static void damage_and_heal(size_t node, const char *mark)
{
    size_t other = 1 - node;
    uint8_t before[32], after[32];
    assert_int_equal(set(node, hurt, "mark", mark), 1);
    assert_true(are_equal(hurt, SETTLE_MS));
    wait_for_fold(node, mark);
    assert_true(print_of(other, hurt, before));
    network_node_kill(&network, node);
    network_node_kill(&network, other);
    flip(node, mark);
    check_names(node, hurt_text);
    network_node_start(&network, node, NULL);
    assert_others_go_on(node);
    network_node_start(&network, other, NULL);
    int64_t start = network_now_ms();
    while (!print_of(node, hurt, after)) {
        assert_true(network_now_ms() - start < HEAL_MS);
        network_pause_ms(20);
    }
    print_message("node %zu: whole again after %lld ms\n", node,
                  (long long)(network_now_ms() - start));
    assert_memory_equal(before, after, sizeof before);
    assert_int_equal(set(node, hurt, "more", mark), 1); /* and can be written to */
    assert_true(are_equal(hurt, SETTLE_MS));
    assert_true(are_equal(healthy, SETTLE_MS));
}

static void a_damaged_contract_is_healed_from_a_peer(void **state)
{
    (void)state;
    network_start(&network, 2, NULL);
    assert_true(network_settles(&network, 1, SETTLE_MS));
    put_map("hurt", hurt);
    put_map("healthy", healthy);
    base58_encode(hurt, sizeof hurt, hurt_text);
    for (unsigned i = 0; i < 30; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "field %u", i);
        assert_int_equal(set(i % 2, hurt, name, "a value"), 1);
        assert_int_equal(set(i % 2, healthy, name, "a value"), 1);
    }
    damage_and_heal(0, "MARK-ZERO");
    damage_and_heal(1, "MARK-ONE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_damaged_contract_is_healed_from_a_peer, end_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
