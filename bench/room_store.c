/* room_store: a node's data with many rooms of 1,000 messages and 200 members, for a node to start
 * with: 1,400 signatures a room would take a node a minute and a half. They are neither made nor
 * looked at here (zeros stand for them); all else is as a node has it.
 *
 *   room_store DIR COUNT     rooms 2, 3, … of bench/room_node.c */
/* link: -Wl,--wrap=crypto_sign_detached,--wrap=crypto_sign_verify_detached */
#include "bench/common/arguments.h"
#include "bench/common/die.h"
#include "bench/common/room_world.h"
#include "store/store.h"

#include <string.h>

enum { FIRST_HOSTED = 2, FOLD_EVERY = 32 };

/* For the linker: what the room's code calls in place of libsodium's. */
int __wrap_crypto_sign_detached(unsigned char *signature, unsigned long long *size,
                                const unsigned char *message, unsigned long long message_size,
                                const unsigned char *secret);
int __wrap_crypto_sign_verify_detached(const unsigned char *signature, const unsigned char *message,
                                       unsigned long long message_size, const unsigned char *key);

int __wrap_crypto_sign_detached(unsigned char *signature, unsigned long long *size,
                                const unsigned char *message, unsigned long long message_size,
                                const unsigned char *secret)
{
    (void)message, (void)message_size, (void)secret;
    memset(signature, 0, SIGNATURE_BYTES);
    if (size)
        *size = SIGNATURE_BYTES;
    return 0;
}

int __wrap_crypto_sign_verify_detached(const unsigned char *signature, const unsigned char *message,
                                       unsigned long long message_size, const unsigned char *key)
{
    (void)signature, (void)message, (void)message_size, (void)key;
    return 0;
}

static void must(int rc, const struct reason *why)
{
    if (rc)
        die("%s", why->text);
}

static void add_room(store_t *store, uint32_t number)
{
    struct room_world world;
    struct buffer state = {0};
    struct store_change change;
    struct reason why;
    room_world_init(&world, number);
    room_world_state(&world, ROOM_WORLD_MEMBERS, ROOM_WORLD_MESSAGES, false, &state);
    must(store_merge(store, &world.contract, true, buffer_slice(&state), &change, &why), &why);
    must(log_append(store_log(store), &change.record, 1, false, NULL, &why), &why);
    blob_release(&change.record);
    buffer_free(&state);
    room_world_free(&world);
}

static void fold(store_t *store)
{
    struct fold_result result;
    struct reason why;
    fold_t *out = store_freeze(store);
    if (!out)
        die("nothing can be folded");
    must(fold_run(out, &result, &why), &why);
    store_thaw(store, out, true, &result);
    fold_destroy(&out);
    log_recycle(store_log(store), result.seq);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        die("usage: room_store DIR COUNT");
    struct store_options options = {
        .data_dir = argv[1], .store_bytes_max = UINT64_MAX, .state_bytes_max = STATE_BYTES_MAX};
    uint32_t count = (uint32_t)argument_number(argv[2], 100000);
    store_t *store;
    struct reason why;
    must(store_open(&options, &store, &why), &why);
    for (uint32_t i = 1; i <= count; i++) {
        add_room(store, FIRST_HOSTED + i - 1);
        if (i % FOLD_EVERY == 0 || i == count)
            fold(store);
    }
    store_close(&store);
    return 0;
}
