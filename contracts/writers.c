#include "contracts/writers.h"

#include <sodium/crypto_sign.h>

static const char entry_label[] = "weir entry 1";

struct slice writers_inner(const struct contract *contract, struct slice value)
{
    if (!contract_signed(contract) || value.size < WRITER_TRAILER_BYTES)
        return value;
    return slice_of(value.data, value.size - WRITER_TRAILER_BYTES);
}

const uint8_t *writers_who(const struct contract *contract, struct slice value)
{
    if (!contract_signed(contract) || value.size < WRITER_TRAILER_BYTES)
        return NULL;
    return value.data + value.size - WRITER_TRAILER_BYTES;
}

/* Ed25519 takes its message in one piece. */
static void signed_bytes(const struct contract *contract, struct slice key, struct slice inner,
                         struct buffer *out)
{
    buffer_clear(out);
    buffer_append(out, entry_label, sizeof entry_label - 1);
    buffer_append(out, contract->key.bytes, sizeof contract->key.bytes);
    entry_append(out, key, inner); /* u8 key size · key · u32 inner size · inner */
}

int writers_verify(const struct contract *contract, struct slice key, struct slice value,
                   struct reason *why)
{
    const uint8_t *writer = writers_who(contract, value);
    if (!writer)
        return fail(why, ERR_BAD_STATE, "it carries no writer and signature");
    if (!contract_has_writer(contract, writer))
        return fail(why, ERR_BAD_STATE, "its writer is not among the contract's writers");
    struct buffer message = {0};
    signed_bytes(contract, key, writers_inner(contract, value), &message);
    int rc = buffer_failed(&message) ? fail(why, ERR_NO_MEMORY, "no memory to verify it") : 0;
    if (!rc && crypto_sign_verify_detached(writer + WRITER_KEY_BYTES, message.data, message.size,
                                           writer) != 0)
        rc = fail(why, ERR_BAD_STATE, "its signature does not verify");
    buffer_free(&message);
    return rc;
}

static int sign_entry(const struct contract *contract, const uint8_t secret[64],
                      const struct entry *entry, struct buffer *message, struct buffer *value)
{
    uint8_t writer[WRITER_KEY_BYTES], signature[SIGNATURE_BYTES];
    crypto_sign_ed25519_sk_to_pk(writer, secret);
    signed_bytes(contract, entry->key, entry->value, message);
    if (buffer_failed(message))
        return ERR_NO_MEMORY;
    (void)crypto_sign_detached(signature, NULL, message->data, message->size, secret);
    buffer_clear(value);
    buffer_append_slice(value, entry->value);
    buffer_append(value, writer, sizeof writer);
    buffer_append(value, signature, sizeof signature);
    return buffer_failed(value) ? ERR_NO_MEMORY : 0;
}

int writers_sign(const struct contract *contract, const uint8_t secret[64], struct slice delta,
                 struct buffer *out, struct reason *why)
{
    uint8_t writer[WRITER_KEY_BYTES];
    crypto_sign_ed25519_sk_to_pk(writer, secret);
    if (!contract_has_writer(contract, writer))
        return fail(why, ERR_DENIED, "this key is not among the contract's writers");
    struct buffer message = {0}, value = {0}, made = {0};
    struct entries walk = entries_of(delta);
    struct entry entry;
    int rc;
    while ((rc = entries_next(&walk, &entry, why)) > 0) {
        rc = sign_entry(contract, secret, &entry, &message, &value);
        if (rc)
            break;
        entry_append(&made, entry.key, buffer_slice(&value));
    }
    if (!rc) {
        buffer_append_slice(out, buffer_slice(&made));
        rc = buffer_failed(&made) || buffer_failed(out) ? ERR_NO_MEMORY : 0;
    }
    buffer_free(&message);
    buffer_free(&value);
    buffer_free(&made);
    return rc == ERR_NO_MEMORY ? fail(why, rc, "no memory to sign the delta") : rc;
}
