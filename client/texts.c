/* texts: codes, keys and parameters as people read and write them. */
#include "base/base58.h"
#include "base/version.h"
#include "client/handle.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>

/* --- errors ---------------------------------------------------------------------------------- */

#define SAME(code) _Static_assert((int)WEIR_##code == (int)ERR_##code, "weir.h and errors.h");
SAME(BAD_REQUEST)
SAME(BAD_KIND)
SAME(BAD_PARAMS)
SAME(BAD_STATE)
SAME(NOT_FOUND)
SAME(NO_LIVE_PEER)
SAME(TIMEOUT)
SAME(TOO_LARGE)
SAME(BUSY)
SAME(STORE_FULL)
SAME(DENIED)
SAME(INTERNAL)
SAME(NO_NODE)
SAME(LOST)
SAME(NO_MEMORY)
SAME(IO)
SAME(AGAIN)
_Static_assert(WEIR_ENTRY_VALUE_MAX == ENTRY_VALUE_BYTES_MAX, "weir.h and limits.h");
_Static_assert(WEIR_EDIT_OPERANDS_MAX + 2 <= EDIT_OPERANDS_MAX, "weir.h and limits.h");
_Static_assert(WEIR_KEY_TEXT_MAX == BASE58_TEXT_MAX, "weir.h and base58.h");

const char *weir_error_name(int code)
{
    return error_name(code);
}

const char *weir_error_text(int code)
{
    return error_text(code);
}

const char *weir_version(void)
{
    return WEIR_VERSION;
}

/* --- bytes and keys -------------------------------------------------------------------------- */

struct weir_bytes weir_text(const char *text)
{
    return slice_bytes(slice_text(text));
}

void weir_key_print(const uint8_t key[WEIR_KEY_BYTES], char text[WEIR_KEY_TEXT_MAX])
{
    base58_encode(key, WEIR_KEY_BYTES, text);
}

int weir_key_parse(const char *text, uint8_t key[WEIR_KEY_BYTES])
{
    return base58_decode(slice_text(text), key, WEIR_KEY_BYTES);
}

void weir_free(void *bytes)
{
    free(bytes);
}

/* --- parameters ------------------------------------------------------------------------------ */

struct weir_params {
    struct buffer name, writers; /* writers ascending, 32 bytes each */
    uint64_t newest;
    uint8_t owner[WRITER_KEY_BYTES], salt[ROOM_SALT_BYTES];
    bool has_name, has_newest, has_owner, has_salt;
    struct buffer encoded;
};

weir_params_t *weir_params_new(void)
{
    return calloc(1, sizeof(weir_params_t));
}

void weir_params_destroy(weir_params_t **params)
{
    weir_params_t *self = *params;
    if (self) {
        buffer_free(&self->name);
        buffer_free(&self->writers);
        buffer_free(&self->encoded);
        free(self);
    }
    *params = NULL;
}

int weir_params_add_writer(weir_params_t *self, const uint8_t writer[WEIR_KEY_BYTES])
{
    size_t at = 0;
    for (; at < self->writers.size; at += WRITER_KEY_BYTES) {
        int order = memcmp(self->writers.data + at, writer, WRITER_KEY_BYTES);
        if (order == 0)
            return 0;
        if (order > 0)
            break;
    }
    if (self->writers.size == WRITERS_MAX * WRITER_KEY_BYTES)
        return ERR_TOO_LARGE;
    size_t behind = self->writers.size - at;
    if (!buffer_grow(&self->writers, WRITER_KEY_BYTES))
        return ERR_NO_MEMORY;
    memmove(self->writers.data + at + WRITER_KEY_BYTES, self->writers.data + at, behind);
    memcpy(self->writers.data + at, writer, WRITER_KEY_BYTES);
    return 0;
}

static int set_name(weir_params_t *self, const char *text, struct reason *why)
{
    if (strlen(text) > NAME_BYTES_MAX)
        return fail(why, ERR_TOO_LARGE, "a name of %zu bytes: at most %u", strlen(text),
                    NAME_BYTES_MAX);
    buffer_clear(&self->name);
    buffer_append_slice(&self->name, slice_text(text));
    self->has_name = true;
    return 0;
}

static int set_writers(weir_params_t *self, const char *text, struct reason *why)
{
    while (*text) {
        size_t size = strcspn(text, ",");
        uint8_t writer[WRITER_KEY_BYTES];
        if (base58_decode(slice_of(text, size), writer, sizeof writer))
            return fail(why, ERR_BAD_PARAMS, "writer %.*s is not a public key in base58",
                        size < 100 ? (int)size : 100, text);
        int rc = weir_params_add_writer(self, writer);
        if (rc)
            return fail(why, rc, "more than %u writers", WRITERS_MAX);
        text += size + (text[size] == ',');
    }
    return self->writers.size ? 0 : fail(why, ERR_BAD_PARAMS, "writers= names no public key");
}

static int set_newest(weir_params_t *self, const char *text, struct reason *why)
{
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno)
        return fail(why, ERR_BAD_PARAMS, "newest=%.40s is not a number of entries", text);
    self->newest = n;
    self->has_newest = true;
    return 0;
}

static int set_owner(weir_params_t *self, const char *text, struct reason *why)
{
    if (base58_decode(slice_text(text), self->owner, sizeof self->owner))
        return fail(why, ERR_BAD_PARAMS, "owner=%.100s is not a public key in base58", text);
    self->has_owner = true;
    return 0;
}

static int set_salt(weir_params_t *self, const char *text, struct reason *why)
{
    uint8_t salt[ROOM_SALT_BYTES];
    size_t size;
    if (sodium_hex2bin(salt, sizeof salt, text, strlen(text), NULL, &size, NULL) ||
        size != sizeof salt)
        return fail(why, ERR_BAD_PARAMS, "salt=%.40s is not %u hexadecimal digits", text,
                    2 * ROOM_SALT_BYTES);
    memcpy(self->salt, salt, sizeof salt);
    self->has_salt = true;
    return 0;
}

int weir_params_set(weir_params_t *params, const char *name, const char *text,
                    struct weir_reason *why)
{
    static const struct {
        const char *name;
        int (*set)(weir_params_t *, const char *, struct reason *);
    } rows[] = {{"name", set_name},
                {"writers", set_writers},
                {"newest", set_newest},
                {"owner", set_owner},
                {"salt", set_salt}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(name, rows[i].name) == 0)
            return rows[i].set(params, text, (struct reason *)why);
    return fail((struct reason *)why, ERR_BAD_PARAMS,
                "there is no parameter %.40s; there are name, writers, newest, owner and salt",
                name);
}

struct weir_bytes weir_params_bytes(weir_params_t *self)
{
    uint8_t newest[8];
    buffer_clear(&self->encoded);
    if (self->has_name)
        entry_append(&self->encoded, slice_text("name"), buffer_slice(&self->name));
    put_u64(newest, self->newest);
    if (self->has_newest)
        entry_append(&self->encoded, slice_text("newest"), slice_of(newest, sizeof newest));
    if (self->has_owner)
        entry_append(&self->encoded, slice_text("owner"),
                     slice_of(self->owner, sizeof self->owner));
    if (self->has_salt)
        entry_append(&self->encoded, slice_text("salt"), slice_of(self->salt, sizeof self->salt));
    if (self->writers.size)
        entry_append(&self->encoded, slice_text("writers"), buffer_slice(&self->writers));
    return slice_bytes(buffer_slice(&self->encoded));
}
