#include "contracts/fingerprint.h"

#include "contracts/entries.h"

#include <sodium/crypto_generichash.h>
#include <sodium/crypto_stream_chacha20.h>

enum { SUM_WORDS = FINGERPRINT_SUM_BYTES / 8 };

static const char fingerprint_label[] = "weir fingerprint 1";

/* The entry's 2048-bit number. Words are the machine's, which is little-endian as the sum is. */
static void expand(struct slice key, struct slice value, uint64_t words[SUM_WORDS])
{
    static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
    uint8_t head[ENTRY_HEAD_BYTES_MAX], hash[crypto_stream_chacha20_KEYBYTES];
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof hash);
    crypto_generichash_update(&state, head, entry_head(head, key, value));
    if (value.size)
        crypto_generichash_update(&state, value.data, value.size);
    crypto_generichash_final(&state, hash, sizeof hash);
    crypto_stream_chacha20((uint8_t *)words, FINGERPRINT_SUM_BYTES, nonce, hash);
}

void summary_add(struct summary *self, struct slice key, struct slice value)
{
    uint64_t words[SUM_WORDS];
    expand(key, value, words);
    bool carry = false;
    for (size_t i = 0; i < SUM_WORDS; i++) {
        uint64_t sum;
        bool over = __builtin_add_overflow(self->sum[i], words[i], &sum);
        carry = over | __builtin_add_overflow(sum, (uint64_t)carry, &self->sum[i]);
    }
    self->count++;
    self->state_bytes += entry_size(key, value);
}

void summary_remove(struct summary *self, struct slice key, struct slice value)
{
    uint64_t words[SUM_WORDS];
    expand(key, value, words);
    bool borrow = false;
    for (size_t i = 0; i < SUM_WORDS; i++) {
        uint64_t rest;
        bool under = __builtin_sub_overflow(self->sum[i], words[i], &rest);
        borrow = under | __builtin_sub_overflow(rest, (uint64_t)borrow, &self->sum[i]);
    }
    self->count--;
    self->state_bytes -= entry_size(key, value);
}

bool summary_equal(const struct summary *a, const struct summary *b)
{
    return a->count == b->count && a->state_bytes == b->state_bytes &&
           memcmp(a->sum, b->sum, sizeof a->sum) == 0;
}

void summary_sum_write(const struct summary *self, uint8_t bytes[FINGERPRINT_SUM_BYTES])
{
    memcpy(bytes, self->sum, FINGERPRINT_SUM_BYTES);
}

void summary_sum_read(struct summary *self, const uint8_t bytes[FINGERPRINT_SUM_BYTES])
{
    memcpy(self->sum, bytes, FINGERPRINT_SUM_BYTES);
}

struct fingerprint summary_fingerprint(const struct summary *self)
{
    struct fingerprint fingerprint;
    uint8_t count[8];
    put_u64(count, self->count);
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof fingerprint.bytes);
    crypto_generichash_update(&state, (const uint8_t *)fingerprint_label,
                              sizeof fingerprint_label - 1);
    crypto_generichash_update(&state, count, sizeof count);
    crypto_generichash_update(&state, (const uint8_t *)self->sum, sizeof self->sum);
    crypto_generichash_final(&state, fingerprint.bytes, sizeof fingerprint.bytes);
    return fingerprint;
}
