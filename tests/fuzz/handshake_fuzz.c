/* Both messages of a handshake. First byte of the input: 0 the rest is a first message, 1 an
 * answer, both as they are; 2 and 3 the same, with the rest as payload that an honest peer has
 * sealed, so that it opens and is heard. Whatever comes, an end has a result or names its refusal.
 */
#include "proto/handshake.h"
#include "proto/noise.h"
#include "tests/fuzz/must.h"

#include <sodium.h>

static struct handshake_config dialler, answerer;
static const uint8_t randoms[2][HANDSHAKE_RANDOM_BYTES] = {{1, 2, 3}, {4, 5, 6}};

static void start_config(struct handshake_config *config, uint8_t byte)
{
    *config = (struct handshake_config){.version_min = 1, .version_max = 2};
    config->network = slice_text("testnet");
    config->address = slice_text("peer.example:7511");
    memset(config->secret_key, byte, sizeof config->secret_key);
    crypto_scalarmult_base(config->public_key, config->secret_key);
}

static void check_end(const handshake_t *end, int rc, const struct reason *why)
{
    const struct handshake_result *result = handshake_result(end);
    MUST(!result == (rc != 0));
    if (rc) {
        MUST(rc == ERR_DENIED || rc == ERR_BAD_REQUEST);
        MUST(why->text[0] && handshake_refusal(end) != REFUSAL_none);
        MUST(handshake_refusal(end) < REFUSAL_COUNT);
        return;
    }
    struct slice address = slice_of(result->address, result->address_size);
    MUST(handshake_refusal(end) == REFUSAL_none);
    MUST(address.size == 0 || hello_is_address(address));
    MUST(result->version >= 1 && result->version <= 2 && result->role <= ROLE_gateway);
    MUST(result->observed_size <= ADDRESS_TEXT_MAX);
}

/* An answer goes out only if the message opened, and then says what is decided. */
static void hear_first(struct slice message, bool opens)
{
    handshake_t *end = handshake_answer(&answerer, randoms[1]);
    struct buffer answer = {0};
    struct reason why = {""};
    MUST(end);
    int rc = handshake_read_first(end, message, slice_text("192.0.2.1:1"), &answer, &why);
    check_end(end, rc, &why);
    MUST(opens || rc);
    MUST((answer.size > 0) == opens);
    MUST(answer.size == 0 || get_u16(answer.data) == answer.size - HANDSHAKE_PREFIX_BYTES);
    MUST(handshake_seals(end) == opens);
    MUST(handshake_read_first(end, message, slice_text(""), &answer, &why) == ERR_DENIED);
    MUST(handshake_seals(end) == opens);
    handshake_destroy(&end);
    buffer_free(&answer);
}

static handshake_t *dial(struct buffer *first)
{
    struct reason why = {""};
    handshake_t *end = handshake_dial(&dialler, answerer.public_key, randoms[0], first, &why);
    MUST(end);
    return end;
}

static void hear_answer(struct slice message, bool opens)
{
    struct buffer first = {0};
    struct reason why = {""};
    handshake_t *end = dial(&first);
    int rc = handshake_read_answer(end, message, &why);
    check_end(end, rc, &why);
    MUST(opens || rc);
    MUST(handshake_read_answer(end, message, &why) == ERR_DENIED);
    handshake_destroy(&end);
    buffer_free(&first);
}

/* An honest Noise end of the node that config is of. */
static void start_noise(struct noise *noise, const struct handshake_config *config,
                        const uint8_t *random)
{
    struct noise_keys keys = {config->secret_key, config->public_key, random};
    noise_start(noise, &keys, answerer.public_key, slice_text(HANDSHAKE_PROLOGUE));
}

static void hear_sealed_first(struct slice payload)
{
    uint8_t message[HANDSHAKE_BYTES_MAX];
    struct noise noise;
    start_noise(&noise, &dialler, randoms[0]);
    MUST(noise_write_first(&noise, payload, message) == 0);
    hear_first(slice_of(message, payload.size + NOISE_FIRST_OVERHEAD), true);
}

static void hear_sealed_answer(struct slice payload)
{
    uint8_t message[HANDSHAKE_BYTES_MAX];
    struct buffer first = {0};
    struct noise noise;
    handshake_t *end = dial(&first);
    start_noise(&noise, &answerer, randoms[1]);
    MUST(noise_read_first(&noise, slice_after(buffer_slice(&first), HANDSHAKE_PREFIX_BYTES),
                          message, NULL) == 0);
    MUST(noise_write_second(&noise, payload, message) == 0);
    hear_answer(slice_of(message, payload.size + NOISE_SECOND_OVERHEAD), true);
    handshake_destroy(&end);
    buffer_free(&first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 4096)
        return 0;
    struct slice rest = slice_of(data + 1, size - 1);
    start_config(&dialler, 0x11);
    start_config(&answerer, 0x22);
    if (data[0] % 4 == 0)
        hear_first(rest, false);
    else if (data[0] % 4 == 1)
        hear_answer(rest, false);
    else if (rest.size > HANDSHAKE_BYTES_MAX - NOISE_FIRST_OVERHEAD)
        return 0;
    else if (data[0] % 4 == 2)
        hear_sealed_first(rest);
    else
        hear_sealed_answer(rest);
    return 0;
}
