#include "tests/crash/client_load.h"

#include "tests/unit/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>

enum { VALUE_MAX = 16384, APPENDED_MAX = 60 };

/* What a reply is matched with. */
struct told {
    struct trace *trace;
    uint64_t number;
};

static void on_done(weir_t *w, const struct weir_reply *reply, void *arg)
{
    struct told *told = (struct told *)arg;
    (void)w;
    if (reply->code == 0)
        claims_tell(told->trace, told->number);
    free(told);
}

static struct told *told_of(const struct client_load *self, uint64_t number)
{
    struct told *told = (struct told *)malloc(sizeof *told);
    if (!told)
        abort();
    *told = (struct told){self->trace, number};
    return told;
}

/* What was not sent is not answered either. */
static int sent(int rc, struct told *told)
{
    if (rc)
        free(told);
    return rc;
}

static int put(struct client_load *self, uint32_t i)
{
    weir_params_t *params = weir_params_new();
    weir_contract_t *contract = NULL;
    struct weir_bytes none = {NULL, 0};
    int rc = weir_params_set(params, "name", claims_name(i).text, NULL);
    if (rc == 0)
        rc = weir_contract_new(claims_kind(i), weir_params_bytes(params), &contract, NULL);
    if (rc == 0) {
        struct told *told =
            told_of(self, claims_ask(self->trace, (struct asked){ASKED_MAKE, i, 0, 0}));
        memcpy(self->keys[i], weir_contract_key(contract), WEIR_KEY_BYTES);
        rc = sent(
            weir_put_async(self->w, claims_kind(i), weir_params_bytes(params), none, on_done, told),
            told);
    }
    weir_contract_destroy(&contract);
    weir_params_destroy(&params);
    return rc;
}

int client_load_open(struct client_load *self, const char *endpoint, unsigned window)
{
    struct weir_options options = {.endpoint = endpoint, .window = window};
    self->w = weir_new(&options);
    int rc = self->w ? 0 : WEIR_NO_MEMORY;
    for (uint32_t i = 0; rc == 0 && i < CLAIMS_CONTRACTS; i++)
        rc = put(self, i);
    return rc;
}

void client_load_close(struct client_load *self)
{
    weir_destroy(&self->w);
}

static int edit(struct client_load *self, struct asked asked, uint64_t number, const char *verb,
                const struct weir_bytes *operands, size_t count)
{
    struct told *told = told_of(self, number);
    return sent(
        weir_edit_async(self->w, self->keys[asked.contract], verb, operands, count, on_done, told),
        told);
}

static int set_or_append(struct client_load *self, uint32_t contract, bool set, size_t *bytes)
{
    static uint8_t value[VALUE_MAX];
    size_t field = random_below(self->fields);
    struct asked asked = {set ? ASKED_SET : ASKED_APPEND, contract, (uint32_t)field, 0};
    uint64_t number = claims_ask(self->trace, asked);
    *bytes = CLAIMS_NUMBER_BYTES +
             random_below((set ? self->value_max : APPENDED_MAX) - CLAIMS_NUMBER_BYTES);
    claims_value(number, value, *bytes);
    struct claims_text name = claims_field(field);
    struct weir_bytes operands[2] = {weir_text(name.text), {value, *bytes}};
    return edit(self, asked, number, set ? "set" : "append", operands + !set, set ? 2 : 1);
}

int client_load_ask(struct client_load *self, size_t *bytes)
{
    uint32_t contract = (uint32_t)random_below(2 * CLAIMS_CONTRACTS);
    contract = contract < CLAIMS_CONTRACTS ? contract : contract % CLAIMS_MAPS;
    *bytes = 0;
    if (contract < CLAIMS_MAPS + CLAIMS_LOGS)
        return set_or_append(self, contract, contract < CLAIMS_MAPS, bytes);
    struct weir_bytes one = weir_text("1");
    struct asked asked = {ASKED_ADD, contract, 0, 1};
    return edit(self, asked, claims_ask(self->trace, asked), "add", &one, 1);
}
