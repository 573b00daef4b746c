#include "contracts/contract.h"

#include "contracts/entries.h"
#include "contracts/kind.h"
#include "contracts/rows.h"

#include <sodium/crypto_generichash.h>

static const char key_label[] = "weir contract 1";

static int read_name(struct contract *self, struct slice value, struct reason *why)
{
    (void)self;
    if (value.size > NAME_BYTES_MAX)
        return fail(why, ERR_BAD_PARAMS, "name: %zu bytes, the most is %u", value.size,
                    NAME_BYTES_MAX);
    return 0;
}

static int read_writers(struct contract *self, struct slice value, struct reason *why)
{
    size_t count = value.size / WRITER_KEY_BYTES;
    if (value.size % WRITER_KEY_BYTES || count < 1 || count > WRITERS_MAX)
        return fail(why, ERR_BAD_PARAMS,
                    "writers: %zu bytes; wanted 1 to %u public keys of %d bytes each", value.size,
                    WRITERS_MAX, WRITER_KEY_BYTES);
    for (size_t i = 1; i < count; i++) {
        const uint8_t *key = value.data + i * WRITER_KEY_BYTES;
        if (memcmp(key - WRITER_KEY_BYTES, key, WRITER_KEY_BYTES) >= 0)
            return fail(why, ERR_BAD_PARAMS, "writers: key %zu is not greater than the one before",
                        i + 1);
    }
    self->writers = value;
    return 0;
}

static int read_newest(struct contract *self, struct slice value, struct reason *why)
{
    if (value.size != 8)
        return fail(why, ERR_BAD_PARAMS, "newest: %zu bytes; wanted a number of 8 bytes",
                    value.size);
    self->newest = get_u64(value.data);
    return 0;
}

static int read_owner(struct contract *self, struct slice value, struct reason *why)
{
    if (value.size != WRITER_KEY_BYTES)
        return fail(why, ERR_BAD_PARAMS, "owner: %zu bytes; wanted a public key of %d bytes",
                    value.size, WRITER_KEY_BYTES);
    self->owner = value.data;
    return 0;
}

static int read_salt(struct contract *self, struct slice value, struct reason *why)
{
    (void)self;
    if (value.size != ROOM_SALT_BYTES)
        return fail(why, ERR_BAD_PARAMS, "salt: %zu bytes; wanted %d", value.size, ROOM_SALT_BYTES);
    return 0;
}

/* Every parameter there is; a kind takes those that its `params` name, and the common ones. */
static const struct {
    const char *name;
    bool common;
    int (*read)(struct contract *self, struct slice value, struct reason *why);
} param_rows[] = {
    {"name", true, read_name},  {"newest", false, read_newest},  {"owner", false, read_owner},
    {"salt", false, read_salt}, {"writers", true, read_writers},
};

static bool kind_takes(const struct kind *kind, const char *name, bool common)
{
    if (common && !(kind->prove && strcmp(name, "writers") == 0)) /* it has its own rule */
        return true;
    for (const char *const *known = kind->params; *known; known++)
        if (strcmp(*known, name) == 0)
            return true;
    return false;
}

static int read_param(struct contract *self, const struct entry *param, struct reason *why)
{
    for (size_t i = 0; i < sizeof param_rows / sizeof param_rows[0]; i++)
        if (slice_is(param->key, param_rows[i].name) &&
            kind_takes(self->kind, param_rows[i].name, param_rows[i].common))
            return param_rows[i].read(self, param->value, why);
    return fail(why, ERR_BAD_PARAMS, "a %s takes no parameter '%.*s'", self->kind->name,
                (int)param->key.size, (const char *)param->key.data);
}

static struct contract_key key_of(const struct kind *kind, struct slice params)
{
    uint8_t label_bytes = sizeof key_label - 1, kind_bytes = (uint8_t)strlen(kind->name);
    uint8_t params_bytes[4];
    put_u32(params_bytes, (uint32_t)params.size);
    struct contract_key key;
    crypto_generichash_state hash;
    crypto_generichash_init(&hash, NULL, 0, sizeof key.bytes);
    crypto_generichash_update(&hash, &label_bytes, 1);
    crypto_generichash_update(&hash, (const uint8_t *)key_label, label_bytes);
    crypto_generichash_update(&hash, &kind_bytes, 1);
    crypto_generichash_update(&hash, (const uint8_t *)kind->name, kind_bytes);
    crypto_generichash_update(&hash, params_bytes, sizeof params_bytes);
    if (params.size)
        crypto_generichash_update(&hash, params.data, params.size);
    crypto_generichash_final(&hash, key.bytes, sizeof key.bytes);
    return key;
}

int contract_init(struct contract *self, struct slice kind_name, struct slice params,
                  struct reason *why)
{
    struct contract made = {.params = params, .newest = UINT64_MAX};
    made.kind = kind_find(kind_name);
    if (!made.kind)
        return fail(why, ERR_BAD_KIND, "there is no contract kind '%.*s'",
                    (int)(kind_name.size < 64 ? kind_name.size : 64), (const char *)kind_name.data);
    if (params.size > PARAMS_BYTES_MAX)
        return fail(why, ERR_BAD_PARAMS, "parameters of %zu bytes, the most is %u", params.size,
                    PARAMS_BYTES_MAX);
    struct entries walk = entries_of(params);
    struct entry param;
    struct reason fault;
    int more;
    while ((more = entries_next(&walk, &param, &fault)) > 0) {
        int rc = read_param(&made, &param, why);
        if (rc)
            return rc;
    }
    if (more < 0)
        return fail(why, ERR_BAD_PARAMS, "parameters: %s", fault.text);
    int rc = made.kind->finish_params ? made.kind->finish_params(&made, why) : 0;
    if (rc)
        return rc;
    made.key = key_of(made.kind, params);
    *self = made;
    return 0;
}

struct contract contract_with_params(const struct contract *self, const uint8_t *params)
{
    struct contract copy = *self;
    copy.params.data = params;
    if (self->writers.size)
        copy.writers.data = params + (self->writers.data - self->params.data);
    if (self->owner)
        copy.owner = params + (self->owner - self->params.data);
    return copy;
}

struct slice contract_param(const struct contract *self, const char *name)
{
    struct entries walk = entries_of(self->params);
    struct entry param;
    while (entries_next(&walk, &param, NULL) > 0)
        if (slice_is(param.key, name))
            return param.value;
    return slice_of(NULL, 0);
}

bool contract_signed(const struct contract *self)
{
    return self->writers.size != 0 || self->kind->prove != NULL;
}

bool contract_has_writer(const struct contract *self, const uint8_t writer[WRITER_KEY_BYTES])
{
    if (self->kind->prove)
        return true;
    return rows_find(self->writers, WRITER_KEY_BYTES, writer) != NULL;
}
