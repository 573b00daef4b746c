/* Invitations and cards: first byte 0: text as someone pastes it; 1: a card; 2, 3: the fields of an
 * invitation or a card, given their check, so that what stands behind it is reached. */
#include "client/room_code.h"
#include "tests/fuzz/must.h"

#include <sodium.h>
#include <stdlib.h>

static void take_text(const char *text)
{
    static uint8_t bytes[ROOM_INVITATION_BYTES_MAX], again_bytes[ROOM_INVITATION_BYTES_MAX];
    struct room_code code, again;
    struct reason why = {""};
    char *printed;
    if (room_invitation_read(text, bytes, &code, &why)) {
        MUST(why.text[0]);
        return;
    }
    MUST(code.seed && !code.me && room_links(code.chain) <= ROOM_LINKS_MAX);
    MUST(room_invitation_print(&code, &printed) == 0);
    MUST(room_invitation_read(printed, again_bytes, &again, NULL) == 0);
    MUST(slice_equal(code.params, again.params) && slice_equal(code.chain, again.chain));
    MUST(code.is_private == again.is_private && memcmp(code.seed, again.seed, 32) == 0);
    free(printed);
}

static void take_card(struct slice bytes)
{
    struct room_code code;
    struct reason why = {""};
    struct buffer again = {0};
    if (room_card_read(bytes, &code, &why)) {
        MUST(why.text[0]);
        return;
    }
    MUST(code.me && room_card_write(&code, &again) == 0);
    MUST(slice_equal(bytes, buffer_slice(&again))); /* one way to write it */
    buffer_free(&again);
}

/* Appends the check that room_code.h tells of. */
static void append_check(struct buffer *bytes, const char *label)
{
    uint8_t hash[16];
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof hash);
    crypto_generichash_update(&state, (const uint8_t *)label, strlen(label));
    crypto_generichash_update(&state, bytes->data, bytes->size);
    crypto_generichash_final(&state, hash, sizeof hash);
    buffer_append(bytes, hash, 4);
}

static void take_fields(struct slice fields, bool card)
{
    struct buffer bytes = {0};
    char text[16 + 4 * ROOM_INVITATION_BYTES_MAX] = "weir-room:";
    buffer_append_slice(&bytes, fields);
    append_check(&bytes, card ? "weir room card 1" : "weir room invitation 1");
    if (card) {
        take_card(buffer_slice(&bytes));
    } else {
        sodium_bin2base64(text + 10, sizeof text - 10, bytes.data, bytes.size,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING);
        take_text(text);
    }
    buffer_free(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 2 * ROOM_INVITATION_BYTES_MAX)
        return 0;
    struct slice rest = slice_of(data + 1, size - 1);
    if (data[0] == 0) {
        char *text = (char *)calloc(1, size);
        MUST(text);
        memcpy(text, rest.data, rest.size);
        take_text(text);
        free(text);
    } else if (data[0] == 1) {
        take_card(rest);
    } else if (data[0] < 4) {
        take_fields(rest, data[0] == 3);
    }
    return 0;
}
