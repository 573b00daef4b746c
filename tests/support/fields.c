#include "tests/support/fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct field_name field_name(unsigned number)
{
    struct field_name name;
    (void)snprintf(name.text, sizeof name.text, "f%05u", number);
    return name;
}

struct weir_bytes field_value(size_t bytes)
{
    static uint8_t value[FIELD_BYTES_MAX];
    memset(value, 'v', sizeof value);
    assert_true(bytes <= sizeof value);
    return (struct weir_bytes){value, bytes};
}

void fields_put(struct fields *self, weir_t *client)
{
    const struct weir_reply *reply;
    struct weir_bytes none = {0};
    if (weir_put(client, "map", none, none, &reply))
        fail_msg("%s", weir_error(client));
    memcpy(self->key, reply->key, sizeof self->key);
}

int fields_set(struct fields *self, weir_t *client, unsigned number, size_t bytes)
{
    assert_true(number < FIELDS_MAX);
    int rc =
        weir_map_set(client, self->key, weir_text(field_name(number).text), field_value(bytes));
    self->acknowledged[number] |= rc >= 0;
    return rc < 0 ? rc : 0;
}

static int on_item(void *arg, const struct weir_item *item)
{
    unsigned number;
    char text[32];
    (void)snprintf(text, sizeof text, "%.*s", (int)item->name.size, (const char *)item->name.data);
    if (sscanf(text, "f%u", &number) == 1 && number < FIELDS_MAX)
        ((bool *)arg)[number] = true;
    return 0;
}

void fields_assert_read(const struct fields *self, weir_t *client)
{
    static bool found[FIELDS_MAX];
    const struct weir_reply *reply;
    weir_contract_t *contract = NULL;
    memset(found, 0, sizeof found);
    if (weir_get(client, self->key, &reply))
        fail_msg("%s", weir_error(client));
    assert_int_equal(weir_contract_new(reply->kind, reply->params, &contract, NULL), 0);
    assert_int_equal(weir_items(contract, reply->state, on_item, found, NULL), 0);
    weir_contract_destroy(&contract);
    for (unsigned i = 0; i < FIELDS_MAX; i++)
        if (self->acknowledged[i] && !found[i])
            fail_msg("field %u was acknowledged and is gone", i);
}
