/* fields: numbered fields that a test sets in a map at a node, and which of them it acknowledged.
 */
#ifndef WEIR_TESTS_SUPPORT_FIELDS_H
#define WEIR_TESTS_SUPPORT_FIELDS_H

#include "client/weir.h"

#include <stdbool.h>

enum { FIELDS_MAX = 20000, FIELD_BYTES_MAX = 2000 };

struct fields {
    uint8_t key[WEIR_KEY_BYTES];
    bool acknowledged[FIELDS_MAX];
};

struct field_name {
    char text[16];
};
struct field_name field_name(unsigned number);

/* What a field is set to, of so many bytes. */
struct weir_bytes field_value(size_t bytes);

/* Puts an empty map. */
void fields_put(struct fields *self, weir_t *client);

/* Sets a field, and takes note of it. 0 or the node's code. */
int fields_set(struct fields *self, weir_t *client, unsigned number, size_t bytes);

/* Fails the test unless all that was acknowledged is read. */
void fields_assert_read(const struct fields *self, weir_t *client);

#endif
