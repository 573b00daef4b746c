/* What a private room and direct messages hide. First byte: which; then the key that it is tried
 * with (32 bytes), then bytes from outside. What was sealed with these bytes inside opens to them,
 * for whom it was sealed and nobody else, and not when a bit of it is another. */
#include "contracts/room_seal.h"
#include "tests/fuzz/must.h"

#include <sodium.h>
#include <stdlib.h>

enum { HEAD_BYTES = 1 + ROOM_KEY_BYTES };

static struct contract contract;
static struct person {
    uint8_t public_key[WRITER_KEY_BYTES], secret[64];
} ada, ben;
static const uint8_t nonce[ROOM_NONCE_BYTES] = {4};

static void start(void)
{
    static struct buffer params;
    static const uint8_t salt[ROOM_SALT_BYTES], seeds[2][32] = {{1}, {2}};
    MUST(sodium_init() >= 0);
    (void)crypto_sign_seed_keypair(ada.public_key, ada.secret, seeds[0]);
    (void)crypto_sign_seed_keypair(ben.public_key, ben.secret, seeds[1]);
    entry_append(&params, slice_text("owner"), slice_of(ada.public_key, WRITER_KEY_BYTES));
    entry_append(&params, slice_text("salt"), slice_of(salt, sizeof salt));
    MUST(contract_init(&contract, slice_text("room"), buffer_slice(&params), NULL) == 0);
}

static void open_from_outside(const uint8_t key[ROOM_KEY_BYTES], struct slice bytes)
{
    struct room_text text;
    struct reason why = {""};
    struct buffer plain = {0};
    uint8_t found[ROOM_KEY_BYTES];
    if (room_text_read(bytes, ROOM_TEXT_BYTES_MAX, "text", &text, &why)) {
        MUST(why.text[0]);
    } else if (text.sealed) {
        uint8_t *out = (uint8_t *)malloc(room_text_size(&text) + 1);
        MUST(out && room_text_open(&contract, key, ada.public_key, &text, out) == ERR_DENIED);
        free(out);
    }
    MUST(room_direct_open(ada.secret, key, nonce, bytes, &plain) == ERR_DENIED && !plain.size);
    struct slice copies = slice_of(bytes.data, bytes.size / ROOM_COPY_BYTES * ROOM_COPY_BYTES);
    int rc = room_copy_find(copies, ada.secret, found);
    MUST(rc == ERR_NOT_FOUND || rc == ERR_DENIED);
    buffer_free(&plain);
}

static void seal_text(const uint8_t key[ROOM_KEY_BYTES], struct slice plain)
{
    struct buffer sealed = {0};
    struct room_text text;
    room_text_seal(&contract, key, nonce, ada.public_key, plain, &sealed);
    int rc = room_text_read(buffer_slice(&sealed), ROOM_TEXT_BYTES_MAX, "text", &text, NULL);
    MUST((rc == 0) == (plain.size <= ROOM_TEXT_BYTES_MAX));
    if (rc == 0) {
        uint8_t *out = (uint8_t *)malloc(plain.size + 1);
        MUST(out && text.sealed && room_text_size(&text) == plain.size);
        MUST(room_text_open(&contract, key, ada.public_key, &text, out) == 0);
        MUST(plain.size == 0 || memcmp(out, plain.data, plain.size) == 0);
        MUST(room_text_open(&contract, key, ben.public_key, &text, out) == ERR_DENIED);
        sealed.data[plain.size * 7 % text.bytes.size + ROOM_TEXT_HEAD_BYTES] ^= 1;
        MUST(room_text_open(&contract, key, ada.public_key, &text, out) == ERR_DENIED);
        free(out);
    }
    buffer_free(&sealed);
}

static void seal_copy(const uint8_t key[ROOM_KEY_BYTES], const uint8_t *member)
{
    struct buffer copy = {0};
    uint8_t found[ROOM_KEY_BYTES];
    int rc = room_copy_seal(key, member, key, &copy); /* whatever the member's key is */
    MUST(rc == 0 || (rc == ERR_BAD_REQUEST && copy.size == 0));
    MUST(room_copy_seal(key, ben.public_key, key, &copy) == 0);
    struct slice bens = slice_after(buffer_slice(&copy), copy.size - ROOM_COPY_BYTES);
    MUST(room_copy_find(bens, ben.secret, found) == 0 && memcmp(found, key, sizeof found) == 0);
    MUST(room_copy_find(bens, ada.secret, found) == ERR_NOT_FOUND);
    buffer_free(&copy);
}

static void seal_direct(const uint8_t *anybody, struct slice plain)
{
    struct buffer sealed = {0}, opened = {0};
    int rc = room_direct_seal(ada.secret, anybody, nonce, plain, &sealed);
    MUST(rc == 0 || rc == ERR_BAD_REQUEST || rc == ERR_TOO_LARGE);
    buffer_clear(&sealed);
    rc = room_direct_seal(ada.secret, ben.public_key, nonce, plain, &sealed);
    MUST(rc == 0 || (rc == ERR_TOO_LARGE && plain.size > ROOM_TEXT_BYTES_MAX));
    if (rc == 0) {
        struct slice box = slice_after(buffer_slice(&sealed), WRITER_KEY_BYTES + ROOM_NONCE_BYTES);
        MUST(room_direct_open(ben.secret, ada.public_key, nonce, box, &opened) == 0);
        MUST(slice_equal(buffer_slice(&opened), plain));
        buffer_clear(&opened);
        MUST(room_direct_open(ada.secret, ben.public_key, nonce, box, &opened) == 0);
        sealed.data[sealed.size - 1 - plain.size * 7 % box.size] ^= 1;
        MUST(room_direct_open(ben.secret, ada.public_key, nonce, box, &opened) == ERR_DENIED);
    }
    buffer_free(&sealed);
    buffer_free(&opened);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD_BYTES)
        return 0;
    if (!contract.kind)
        start();
    const uint8_t *key = data + 1;
    struct slice rest = slice_of(data + HEAD_BYTES, size - HEAD_BYTES);
    if (data[0] % 4 == 0)
        open_from_outside(key, rest);
    else if (data[0] % 4 == 1)
        seal_text(key, rest);
    else if (data[0] % 4 == 2)
        seal_copy(key, key);
    else
        seal_direct(key, rest);
    return 0;
}
