#include "client/room_code.h"

#include <ctype.h>
#include <sodium.h>
#include <stdlib.h>

static const char invitation_head[] = "weir-room:";
static const char invitation_label[] = "weir room invitation 1", card_label[] = "weir room card 1";

enum { VERSION = 1, CHECK_BYTES = 4, HEAD_BYTES = 2 };
enum { PRIVATE_FLAG = 1, SEED_FLAG = 2, ME_FLAG = 4, MORE_FLAG = 8 };
enum {
    TEXT_BYTES_MAX =
        sizeof invitation_head + sodium_base64_ENCODED_LEN(ROOM_INVITATION_BYTES_MAX,
                                                           sodium_base64_VARIANT_URLSAFE_NO_PADDING)
};

static void check_of(struct slice bytes, const char *label, uint8_t check[CHECK_BYTES])
{
    uint8_t hash[crypto_generichash_BYTES_MIN];
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof hash);
    crypto_generichash_update(&state, (const uint8_t *)label, strlen(label));
    crypto_generichash_update(&state, bytes.data, bytes.size);
    crypto_generichash_final(&state, hash, sizeof hash);
    memcpy(check, hash, CHECK_BYTES);
}

static int write_code(const struct room_code *code, const char *label, struct buffer *out)
{
    uint8_t size[2], check[CHECK_BYTES];
    size_t links = room_links(code->chain);
    if (code->params.size > ROOM_PARAMS_MAX || links > ROOM_LINKS_MAX)
        return ERR_TOO_LARGE;
    put_u16(size, (uint16_t)code->params.size);
    buffer_append_u8(out, VERSION);
    buffer_append_u8(out, (uint8_t)((code->is_private ? PRIVATE_FLAG : 0) |
                                    (code->seed ? SEED_FLAG : 0) | (code->me ? ME_FLAG : 0) |
                                    (code->more.size ? MORE_FLAG : 0)));
    buffer_append(out, code->me, code->me ? WRITER_KEY_BYTES : 0);
    buffer_append(out, size, sizeof size);
    buffer_append_slice(out, code->params);
    buffer_append_u8(out, (uint8_t)links);
    buffer_append_slice(out, code->chain);
    buffer_append(out, code->seed, code->seed ? ROOM_SEED_BYTES : 0);
    if (code->more.size)
        buffer_append_u8(out, (uint8_t)(code->more.size / ROOM_SEED_BYTES));
    buffer_append_slice(out, code->more);
    check_of(buffer_slice(out), label, check);
    buffer_append(out, check, sizeof check);
    return buffer_failed(out) ? ERR_NO_MEMORY : 0;
}

/* Takes n bytes off the front; NULL when there are fewer. */
static const uint8_t *take(struct slice *rest, size_t n)
{
    const uint8_t *at = rest->data;
    if (rest->size < n)
        return NULL;
    *rest = slice_after(*rest, n);
    return at;
}

/* Further seeds stand behind a first one. */
static bool take_more(struct slice *rest, unsigned flags, struct slice *more)
{
    *more = slice_of(NULL, 0);
    if (!(flags & MORE_FLAG))
        return true;
    const uint8_t *count = flags & SEED_FLAG ? take(rest, 1) : NULL;
    if (!count || *count == 0 || *count >= ROOM_SEEDS_MAX)
        return false;
    const uint8_t *seeds = take(rest, *count * (size_t)ROOM_SEED_BYTES);
    *more = slice_of(seeds, *count * (size_t)ROOM_SEED_BYTES);
    return seeds != NULL;
}

/* All but the check; false when it is no code. */
static bool read_fields(struct slice rest, struct room_code *code)
{
    const uint8_t *head = take(&rest, HEAD_BYTES);
    if (!head || head[0] != VERSION || head[1] >= MORE_FLAG << 1)
        return false;
    unsigned flags = head[1];
    const uint8_t *me = flags & ME_FLAG ? take(&rest, WRITER_KEY_BYTES) : NULL;
    const uint8_t *size = take(&rest, 2);
    size_t params_bytes = size ? get_u16(size) : SIZE_MAX;
    const uint8_t *params = params_bytes <= ROOM_PARAMS_MAX ? take(&rest, params_bytes) : NULL;
    const uint8_t *count = params ? take(&rest, 1) : NULL;
    size_t chain_bytes = count && *count <= ROOM_LINKS_MAX ? *count * (size_t)ROOM_LINK_BYTES : 0;
    if (!count || *count > ROOM_LINKS_MAX || (flags & ME_FLAG && !me))
        return false;
    const uint8_t *chain = take(&rest, chain_bytes);
    const uint8_t *seed = chain && flags & SEED_FLAG ? take(&rest, ROOM_SEED_BYTES) : NULL;
    struct slice more;
    if (!chain || (flags & SEED_FLAG && !seed) || !take_more(&rest, flags, &more) || rest.size)
        return false;
    *code = (struct room_code){.is_private = flags & PRIVATE_FLAG,
                               .me = me,
                               .params = slice_of(params, params_bytes),
                               .chain = slice_of(chain, chain_bytes),
                               .seed = seed,
                               .more = more};
    return true;
}

static int read_code(struct slice bytes, const char *label, const char *what,
                     struct room_code *code, struct reason *why)
{
    uint8_t check[CHECK_BYTES];
    if (bytes.size < HEAD_BYTES + CHECK_BYTES)
        return fail(why, ERR_BAD_REQUEST, "this is no %s: it is cut short", what);
    struct slice fields = slice_of(bytes.data, bytes.size - CHECK_BYTES);
    check_of(fields, label, check);
    if (memcmp(check, fields.data + fields.size, sizeof check) != 0)
        return fail(why, ERR_BAD_REQUEST, "the %s has a typing error, or is not whole", what);
    if (fields.data[0] != VERSION)
        return fail(why, ERR_BAD_REQUEST, "a newer weir made the %s", what);
    if (!read_fields(fields, code))
        return fail(why, ERR_BAD_REQUEST, "this is no %s", what);
    return 0;
}

/* --- cards ----------------------------------------------------------------------------------- */

int room_card_write(const struct room_code *code, struct buffer *out)
{
    return write_code(code, card_label, out);
}

int room_card_read(struct slice bytes, struct room_code *code, struct reason *why)
{
    struct room_code read;
    int rc = read_code(bytes, card_label, "room's card", &read, why);
    if (!rc && !read.me)
        rc = fail(why, ERR_BAD_REQUEST, "the room's card does not say whose it is");
    if (!rc)
        *code = read;
    return rc;
}

/* --- invitations ----------------------------------------------------------------------------- */

int room_invitation_print(const struct room_code *code, char **text)
{
    const size_t head = sizeof invitation_head - 1;
    struct buffer bytes = {0};
    buffer_reserve(&bytes, ROOM_INVITATION_BYTES_MAX); /* no copy of the seed is left behind */
    int rc = write_code(code, invitation_label, &bytes);
    size_t max = sodium_base64_encoded_len(bytes.size, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    char *made = rc ? NULL : (char *)malloc(head + max);
    if (!rc && !made)
        rc = ERR_NO_MEMORY;
    if (!rc) {
        memcpy(made, invitation_head, head);
        sodium_bin2base64(made + head, max, bytes.data, bytes.size,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING);
        *text = made;
    }
    if (bytes.data)
        sodium_memzero(bytes.data, bytes.capacity);
    buffer_free(&bytes);
    return rc;
}

/* The text without white space, which mails and terminals put in. False when it is too long. */
static bool squeeze(const char *text, char out[TEXT_BYTES_MAX])
{
    size_t size = 0;
    for (; *text; text++) {
        if (isspace((unsigned char)*text))
            continue;
        if (size == TEXT_BYTES_MAX - 1)
            return false;
        out[size++] = *text;
    }
    out[size] = 0;
    return true;
}

int room_invitation_read(const char *text, uint8_t bytes[ROOM_INVITATION_BYTES_MAX],
                         struct room_code *code, struct reason *why)
{
    const size_t head = sizeof invitation_head - 1;
    char squeezed[TEXT_BYTES_MAX];
    struct room_code read;
    size_t size = 0;
    int rc = 0;
    if (!squeeze(text, squeezed))
        return fail(why, ERR_BAD_REQUEST, "this is no invitation: it is too long");
    if (strncmp(squeezed, invitation_head, head) != 0)
        rc = fail(why, ERR_BAD_REQUEST, "this is no invitation: it does not begin with %s",
                  invitation_head);
    else if (sodium_base642bin(bytes, ROOM_INVITATION_BYTES_MAX, squeezed + head,
                               strlen(squeezed + head), NULL, &size, NULL,
                               sodium_base64_VARIANT_URLSAFE_NO_PADDING))
        rc = fail(why, ERR_BAD_REQUEST, "the invitation has a typing error, or is not whole");
    if (!rc)
        rc = read_code(slice_of(bytes, size), invitation_label, "invitation", &read, why);
    if (!rc && (read.me || !read.seed || read.more.size || !read.chain.size))
        rc = fail(why, ERR_BAD_REQUEST, "this is no invitation: it leads to nobody");
    sodium_memzero(squeezed, sizeof squeezed);
    if (!rc)
        *code = read;
    return rc;
}
