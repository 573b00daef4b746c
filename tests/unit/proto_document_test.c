/* The tables of docs/protocol.md, section 8, are those of the code. */
#include "proto/hello.h"
#include "proto/lanes.h"
#include "tests/support/document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sodium.h>
#include <cmocka.h>

static char *doc;

static void assert_in_doc(const char *row)
{
    if (!strstr(doc, row))
        fail_msg("docs/protocol.md has no line with: %s", row);
}

static void assert_fields(const struct layout *layout)
{
    for (size_t i = 0; i < layout->count; i++) {
        char row[FIELD_ROW_MAX];
        document_field_row(&layout->fields[i], row);
        assert_in_doc(row);
    }
}

static void the_fields_of_both_payloads_are_the_codes(void **state)
{
    (void)state;
    assert_fields(&hello_layout);
    assert_fields(&verdict_layout);
    assert_int_equal(hello_layout.count, 6);
    assert_int_equal(verdict_layout.count, 2);
}

static void the_refusals_are_the_codes(void **state)
{
    (void)state;
    for (int code = 0; code <= (int)REFUSAL_LAST_ON_WIRE; code++) {
        char row[256];
        (void)snprintf(row, sizeof row, "\n| %d | `%s` | %s |", code,
                       refusal_name((enum refusal)code), refusal_text((enum refusal)code));
        assert_in_doc(row);
    }
}

static void the_limits_are_the_codes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned value;
    } limits[] = {
#define LIMIT(name) {#name, name}
        LIMIT(NETWORK_BYTES_MAX),      LIMIT(ADDRESS_TEXT_MAX),     LIMIT(HANDSHAKE_BYTES_MAX),
        LIMIT(RECORD_PLAIN_BYTES_MAX), LIMIT(LANE_PIECE_BYTES_MIN), LIMIT(CONTROL_BYTES_MAX),
        LIMIT(PEER_MESSAGE_BYTES_MAX), LIMIT(LANE_SHARE_BYTES),     LIMIT(LANE_FRAME_COST),
        LIMIT(LANE_WINDOW_BYTES),      LIMIT(LANE_GRANT_BYTES),     LIMIT(FIRST_RECORD_BYTES_MAX),
    };
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        char row[128];
        (void)snprintf(row, sizeof row, "\n| `%s` | %u |", limits[i].name, limits[i].value);
        assert_in_doc(row);
    }
}

static int read_doc(void **state)
{
    (void)state;
    doc = document_read("docs/protocol.md");
    return doc ? 0 : -1;
}

static int free_doc(void **state)
{
    (void)state;
    free(doc);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fields_of_both_payloads_are_the_codes),
        cmocka_unit_test(the_refusals_are_the_codes),
        cmocka_unit_test(the_limits_are_the_codes),
    };
    return cmocka_run_group_tests(tests, read_doc, free_doc);
}
