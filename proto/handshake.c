#include "proto/handshake.h"

#include "proto/noise.h"

#include <sodium.h>
#include <stdlib.h>

static const char key_label[] = "WEIR session key 1";

/*  dialled ─ second message read ─▶ done        waiting ─ first message read ─▶ done
 *     └───────── refused ─────────▶ over            └────────── refused ──────▶ over  */
enum handshake_state { HANDSHAKE_dialled, HANDSHAKE_waiting, HANDSHAKE_done, HANDSHAKE_over };

struct handshake {
    const struct handshake_config *config;
    enum handshake_state state;
    enum refusal refusal;
    struct noise noise;
    uint8_t inbound_key[32];
    struct handshake_result result;
};

/* --- what is said ---------------------------------------------------------------------------- */

static struct hello own_hello(const handshake_t *self)
{
    struct hello hello = {.network = self->config->network,
                          .version_min = self->config->version_min,
                          .version_max = self->config->version_max,
                          .role = (uint8_t)self->config->role,
                          .address = self->config->address};
    memcpy(hello.inbound_key, self->inbound_key, sizeof hello.inbound_key);
    return hello;
}

/* Both ends judge by the same rules. */
static enum refusal judge(const handshake_t *self, const struct hello *hello)
{
    const struct handshake_config *own = self->config;
    if (!hello_is_well_formed(hello))
        return REFUSAL_malformed;
    if (!slice_equal(hello->network, own->network))
        return REFUSAL_network;
    if (hello->version_min > own->version_max || hello->version_max < own->version_min)
        return REFUSAL_version;
    if (memcmp(self->noise.remote_static, own->public_key, sizeof own->public_key) == 0)
        return REFUSAL_yourself;
    return REFUSAL_none;
}

static int refuse(handshake_t *self, enum refusal refusal, struct reason *why)
{
    int code = refusal == REFUSAL_malformed ? ERR_BAD_REQUEST : ERR_DENIED;
    self->state = HANDSHAKE_over;
    self->refusal = refusal;
    return fail(why, code, "refused: %s", refusal_text(refusal));
}

/* The answerer's refusal, as it told it. */
static int be_refused(handshake_t *self, uint8_t code, struct reason *why)
{
    self->state = HANDSHAKE_over;
    self->refusal = code <= REFUSAL_LAST_ON_WIRE ? (enum refusal)code : REFUSAL_unknown;
    return fail(why, ERR_DENIED, "the peer refuses: %s", refusal_text(self->refusal));
}

/* The message did not open; its sentence stands already. */
static int give_up(handshake_t *self, int code)
{
    self->state = HANDSHAKE_over;
    self->refusal = code == ERR_BAD_REQUEST ? REFUSAL_malformed : REFUSAL_unsealed;
    return code;
}

/* --- the session's keys ---------------------------------------------------------------------- */

/* BLAKE2b-256 under the chaining key: secret, fresh, and of this handshake alone. */
static void session_key(const struct noise *noise, const uint8_t inbound_key[32], uint8_t key[32])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, noise->chaining_key, sizeof noise->chaining_key, 32);
    crypto_generichash_update(&state, (const uint8_t *)key_label, sizeof key_label - 1);
    crypto_generichash_update(&state, inbound_key, 32);
    crypto_generichash_update(&state, noise->hash, sizeof noise->hash);
    crypto_generichash_final(&state, key, 32);
    sodium_memzero(&state, sizeof state);
}

/* Whether we are the client of a gateway connection. */
static bool is_client(const handshake_t *self, enum peer_role far)
{
    if (self->config->role == far)
        return self->result.initiator;
    return self->config->role == ROLE_peer;
}

static void derive_keys(handshake_t *self, const struct hello *far)
{
    const uint8_t *send = far->inbound_key, *receive = self->inbound_key; /* lesson K2 */
    if (self->config->role == ROLE_gateway || far->role == ROLE_gateway)
        send = receive = is_client(self, (enum peer_role)far->role) ? self->inbound_key
                                                                    : far->inbound_key; /* K1 */
    session_key(&self->noise, send, self->result.send_key);
    session_key(&self->noise, receive, self->result.receive_key);
}

static void accept(handshake_t *self, const struct hello *far)
{
    struct handshake_result *result = &self->result;
    uint16_t own_max = self->config->version_max;
    memcpy(result->peer, self->noise.remote_static, sizeof result->peer);
    result->role = (enum peer_role)far->role;
    result->version = far->version_max < own_max ? far->version_max : own_max;
    result->address_size = far->address.size;
    if (far->address.size)
        memcpy(result->address, far->address.data, far->address.size);
    derive_keys(self, far);
    self->state = HANDSHAKE_done;
}

/* --- dialling -------------------------------------------------------------------------------- */

static handshake_t *handshake_new(const struct handshake_config *config, const uint8_t *responder,
                                  const uint8_t random[HANDSHAKE_RANDOM_BYTES])
{
    handshake_t *self = (handshake_t *)calloc(1, sizeof *self);
    if (!self)
        return NULL;
    struct noise_keys keys = {config->secret_key, config->public_key, random};
    noise_start(&self->noise, &keys, responder, slice_text(HANDSHAKE_PROLOGUE));
    self->config = config;
    memcpy(self->inbound_key, random + 32, sizeof self->inbound_key);
    memcpy(self->result.stream_header, random + 64, sizeof self->result.stream_header);
    return self;
}

/* Appends the length, and room for a message of so many bytes. */
static uint8_t *add_message(struct buffer *out, size_t bytes)
{
    uint8_t *at = buffer_grow(out, HANDSHAKE_PREFIX_BYTES + bytes);
    if (!at)
        return NULL;
    put_u16(at, (uint16_t)bytes);
    return at + HANDSHAKE_PREFIX_BYTES;
}

/* Hello and, in an answer, verdict. The inbound key in it is a secret: reserved whole, so that no
 * copy is left behind by growing. */
static int encode_payload(const handshake_t *self, const struct verdict *verdict,
                          struct buffer *payload)
{
    struct hello hello = own_hello(self);
    buffer_reserve(payload, HANDSHAKE_BYTES_MAX);
    int rc = codec_encode(&hello_layout, &hello, payload);
    if (rc == 0 && verdict)
        rc = codec_encode(&verdict_layout, verdict, payload);
    sodium_memzero(&hello, sizeof hello);
    return rc;
}

static void wipe_payload(struct buffer *payload)
{
    sodium_memzero(payload->data, payload->size);
    buffer_free(payload);
}

static int write_first(handshake_t *self, struct buffer *out, struct reason *why)
{
    struct buffer payload = {0};
    size_t before = out->size;
    int rc = encode_payload(self, NULL, &payload);
    uint8_t *message = rc ? NULL : add_message(out, payload.size + NOISE_FIRST_OVERHEAD);
    if (rc == 0)
        rc = message ? noise_write_first(&self->noise, buffer_slice(&payload), message)
                     : ERR_NO_MEMORY;
    if (rc && message)
        out->size = before;
    wipe_payload(&payload);
    if (rc == ERR_DENIED)
        return fail(why, rc, "the key to dial is a point of small order, and nobody's");
    return rc ? fail(why, rc, "the first message: %s", error_text(rc)) : 0;
}

handshake_t *handshake_dial(const struct handshake_config *config, const uint8_t peer[32],
                            const uint8_t random[HANDSHAKE_RANDOM_BYTES], struct buffer *out,
                            struct reason *why)
{
    if (memcmp(peer, config->public_key, 32) == 0) { /* lesson D5 */
        (void)fail(why, ERR_DENIED, "refused: %s", refusal_text(REFUSAL_yourself));
        return NULL;
    }
    handshake_t *self = handshake_new(config, peer, random);
    if (!self) {
        (void)fail(why, ERR_NO_MEMORY, "%s", error_text(ERR_NO_MEMORY));
        return NULL;
    }
    self->result.initiator = true;
    self->state = HANDSHAKE_dialled;
    if (write_first(self, out, why))
        handshake_destroy(&self);
    return self;
}

static int hear_answer(handshake_t *self, struct slice payload, struct reason *why)
{
    struct hello hello;
    struct verdict verdict;
    size_t used = 0;
    if (codec_decode_prefix(&hello_layout, payload, &hello, &used, NULL) ||
        codec_decode(&verdict_layout, slice_after(payload, used), &verdict, NULL))
        return refuse(self, REFUSAL_malformed, why);
    if (verdict.refusal)
        return be_refused(self, verdict.refusal, why);
    enum refusal refusal = judge(self, &hello);
    if (refusal == REFUSAL_none && verdict.observed.size && !hello_is_address(verdict.observed))
        refusal = REFUSAL_malformed;
    if (refusal)
        return refuse(self, refusal, why);
    accept(self, &hello);
    self->result.observed_size = verdict.observed.size;
    if (verdict.observed.size)
        memcpy(self->result.observed, verdict.observed.data, verdict.observed.size);
    sodium_memzero(&hello, sizeof hello);
    return 0;
}

int handshake_read_answer(handshake_t *self, struct slice message, struct reason *why)
{
    uint8_t payload[HANDSHAKE_BYTES_MAX];
    if (self->state != HANDSHAKE_dialled)
        return fail(why, ERR_DENIED, "no answer is waited for");
    if (message.size > HANDSHAKE_BYTES_MAX)
        return refuse(self, REFUSAL_malformed, why);
    int rc = noise_read_second(&self->noise, message, payload, why);
    if (rc)
        return give_up(self, rc);
    rc = hear_answer(self, slice_of(payload, message.size - NOISE_SECOND_OVERHEAD), why);
    sodium_memzero(payload, sizeof payload);
    return rc;
}

/* --- answering ------------------------------------------------------------------------------- */

handshake_t *handshake_answer(const struct handshake_config *config,
                              const uint8_t random[HANDSHAKE_RANDOM_BYTES])
{
    handshake_t *self = handshake_new(config, config->public_key, random);
    if (self)
        self->state = HANDSHAKE_waiting;
    return self;
}

static int write_second(handshake_t *self, enum refusal refusal, struct slice observed,
                        struct buffer *answer)
{
    struct verdict verdict = {.refusal = (uint8_t)refusal, .observed = observed};
    struct buffer payload = {0};
    size_t before = answer->size;
    int rc = encode_payload(self, &verdict, &payload);
    uint8_t *message = rc ? NULL : add_message(answer, payload.size + NOISE_SECOND_OVERHEAD);
    if (rc == 0)
        rc = message ? noise_write_second(&self->noise, buffer_slice(&payload), message)
                     : ERR_NO_MEMORY;
    if (rc && message)
        answer->size = before;
    wipe_payload(&payload);
    return rc;
}

static int hear_hello(handshake_t *self, struct slice payload, struct slice observed,
                      struct buffer *answer, struct reason *why)
{
    struct hello hello;
    enum refusal refusal = codec_decode(&hello_layout, payload, &hello, NULL) ? REFUSAL_malformed
                                                                              : judge(self, &hello);
    int rc = write_second(self, refusal, observed, answer);
    if (rc) {
        self->state = HANDSHAKE_over;
        return fail(why, rc, "the answer: %s", error_text(rc));
    }
    if (refusal)
        return refuse(self, refusal, why);
    accept(self, &hello);
    sodium_memzero(&hello, sizeof hello);
    return 0;
}

int handshake_read_first(handshake_t *self, struct slice message, struct slice observed,
                         struct buffer *answer, struct reason *why)
{
    uint8_t payload[HANDSHAKE_BYTES_MAX];
    if (self->state != HANDSHAKE_waiting)
        return fail(why, ERR_DENIED, "no first message is waited for");
    if (message.size > HANDSHAKE_BYTES_MAX)
        return refuse(self, REFUSAL_malformed, why);
    int rc = noise_read_first(&self->noise, message, payload, why);
    if (rc)
        return give_up(self, rc);
    rc = hear_hello(self, slice_of(payload, message.size - NOISE_FIRST_OVERHEAD), observed, answer,
                    why);
    sodium_memzero(payload, sizeof payload);
    return rc;
}

/* --- afterwards ------------------------------------------------------------------------------ */

const struct handshake_result *handshake_result(const handshake_t *self)
{
    return self->state == HANDSHAKE_done ? &self->result : NULL;
}

enum refusal handshake_refusal(const handshake_t *self)
{
    return self->refusal;
}

uint32_t handshake_seals(const handshake_t *self)
{
    return self->noise.seals;
}

void handshake_destroy(handshake_t **self)
{
    if (!*self)
        return;
    sodium_memzero(*self, sizeof **self);
    free(*self);
    *self = NULL;
}
