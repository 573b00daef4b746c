/* The messages between nodes: their bytes are those of docs/vectors/peer_messages.txt, their fields
 * those that docs/protocol.md lists. */
#include "proto/peer_protocol.h"
#include "tests/support/document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Each field of a sample is told from the others: numbers count up over all fields, bytes repeat
 * the number. */
static void fill(const struct layout *layout, void *message, uint8_t store[8][256])
{
    for (size_t i = 0; i < layout->count; i++) {
        const struct field *field = &layout->fields[i];
        uint8_t *at = (uint8_t *)message + field->offset, mark = (uint8_t)(0x11 * (i + 1));
        uint64_t number = 0x0101010101010101u * mark;
        struct slice bytes = slice_of(store[i], field->bytes_max < 5 ? field->bytes_max : 5);
        memset(store[i], mark, sizeof store[i]);
        switch (field->kind) {
        case FIELD_u8:
            *at = mark;
            break;
        case FIELD_u16:
            memcpy(at, &number, 2);
            break;
        case FIELD_u32:
            memcpy(at, &number, 4);
            break;
        case FIELD_u64:
            memcpy(at, &number, 8);
            break;
        case FIELD_fixed:
            memset(at, mark, field->bytes_max);
            break;
        case FIELD_bytes:
            memcpy(at, &bytes, sizeof bytes);
            break;
        }
    }
}

static void line_of(enum peer_kind kind, char line[2048])
{
    union peer_any message;
    uint8_t store[8][256];
    struct buffer out = {0};
    memset(&message, 0, sizeof message);
    fill(peer_kinds[kind].layout, &message, store);
    assert_int_equal(peer_encode(kind, &message, &out), 0);
    int at = snprintf(line, 2048, "%s ", peer_kinds[kind].name);
    for (size_t i = 0; i < out.size; i++)
        at += snprintf(line + at, 2048 - (size_t)at, "%02x", out.data[i]);
    (void)snprintf(line + at, 2048 - (size_t)at, "\n");
    buffer_free(&out);
}

static void each_message_has_its_bytes(void **state)
{
    (void)state;
    char *vectors = document_read("docs/vectors/peer_messages.txt");
    assert_non_null(vectors);
    for (int kind = 0; kind < PEER_KIND_COUNT; kind++) {
        char line[2048];
        line_of((enum peer_kind)kind, line);
        if (!strstr(vectors, line))
            fail_msg("not in docs/vectors/peer_messages.txt: %s", line);
    }
    free(vectors);
}

static void what_is_encoded_is_decoded(void **state)
{
    (void)state;
    for (int kind = 0; kind < PEER_KIND_COUNT; kind++) {
        union peer_any sent, got;
        uint8_t store[8][256];
        struct buffer out = {0};
        enum peer_kind found;
        memset(&sent, 0, sizeof sent);
        fill(peer_kinds[kind].layout, &sent, store);
        assert_int_equal(peer_encode((enum peer_kind)kind, &sent, &out), 0);
        assert_int_equal(peer_decode(buffer_slice(&out), &found, &got, NULL), 0);
        assert_int_equal(found, kind);
        assert_true(codec_equal(peer_kinds[kind].layout, &sent, &got));
        for (size_t size = 0; size < out.size; size++)
            assert_int_equal(peer_decode(slice_of(out.data, size), &found, &got, NULL),
                             ERR_BAD_REQUEST);
        buffer_append_u8(&out, 0);
        assert_int_equal(peer_decode(buffer_slice(&out), &found, &got, NULL), ERR_BAD_REQUEST);
        buffer_free(&out);
    }
}

static void a_kind_that_is_not_in_the_list_is_refused(void **state)
{
    (void)state;
    uint8_t kinds[] = {PEER_KIND_COUNT, 255};
    union peer_any message;
    enum peer_kind kind;
    for (size_t i = 0; i < sizeof kinds; i++)
        assert_int_equal(peer_decode(slice_of(&kinds[i], 1), &kind, &message, NULL),
                         ERR_BAD_REQUEST);
}

/* A heading with the number of the kind, then a row for each field. */
static void the_document_lists_each_field(void **state)
{
    (void)state;
    char *doc = document_read("docs/protocol.md");
    assert_non_null(doc);
    for (int kind = 0; kind < PEER_KIND_COUNT; kind++) {
        const struct layout *layout = peer_kinds[kind].layout;
        char row[FIELD_ROW_MAX];
        (void)snprintf(row, sizeof row, "\n**`%s`** (%d)", peer_kinds[kind].name, kind);
        const char *at = strstr(doc, row);
        if (!at)
            fail_msg("docs/protocol.md does not have: %s", row + 1);
        for (size_t i = 0; i < layout->count; i++) {
            document_field_row(&layout->fields[i], row);
            at = strstr(at, row);
            if (!at)
                fail_msg("docs/protocol.md, %s, does not have: %s", peer_kinds[kind].name, row + 1);
        }
    }
    free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_message_has_its_bytes),
        cmocka_unit_test(what_is_encoded_is_decoded),
        cmocka_unit_test(a_kind_that_is_not_in_the_list_is_refused),
        cmocka_unit_test(the_document_lists_each_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
