/* weir subscribe */
#include "client/cli.h"

#include <limits.h>
#include <string.h>

struct follow {
    struct cli *cli;
    long left;           /* notifications to print */
    weir_state_t *state; /* counters: a delta names one writer's part, people want the sum */
    int code;            /* exit code once it is over; -1 before */
};

static void print_raw(const struct follow *self, struct weir_bytes bytes)
{
    if (cli_has(self->cli, OPTION_json))
        fputs("{\"base64\":\"", stdout);
    print_base64(stdout, bytes);
    if (cli_has(self->cli, OPTION_json))
        fputs("\"}", stdout);
}

static void print_fingerprint(const char *name, const uint8_t *fingerprint)
{
    printf("\"%s\":\"", name);
    if (fingerprint)
        print_hex(stdout, fingerprint, WEIR_KEY_BYTES);
    fputs("\",", stdout);
}

static int print_json_event(const struct follow *self, const struct weir_event *event,
                            struct weir_reason *why)
{
    char key[WEIR_KEY_TEXT_MAX];
    weir_key_print(event->key, key);
    printf("{\"key\":\"%s\",", key);
    print_fingerprint("before", event->before);
    print_fingerprint("after", event->after);
    fputs("\"delta\":", stdout);
    int rc = 0;
    if (cli_has(self->cli, OPTION_raw))
        print_raw(self, event->delta);
    else
        rc = print_json_value(stdout, event->contract, event->delta, why);
    if (!rc && !cli_has(self->cli, OPTION_raw))
        rc = print_json_removed(stdout, event->contract, event->delta, why);
    fputs("}\n", stdout);
    return rc;
}

static int print_first(const struct follow *self, const struct weir_event *event,
                       struct weir_reason *why)
{
    if (cli_has(self->cli, OPTION_raw))
        print_raw(self, event->delta);
    else if (!cli_has(self->cli, OPTION_json))
        return print_text_value(stdout, event->contract, event->delta, why);
    int rc = 0;
    if (!cli_has(self->cli, OPTION_raw))
        rc = print_json_value(stdout, event->contract, event->delta, why);
    putchar('\n');
    return rc;
}

static bool is_counter(const weir_contract_t *contract)
{
    return strcmp(weir_contract_kind(contract), "counter") == 0;
}

/* Merges the event into what is known and prints the sum. */
static int print_sum(struct follow *self, const struct weir_event *event, struct weir_reason *why)
{
    struct weir_bytes whole = {0};
    int rc = weir_state_merge(self->state, event->delta, why);
    if (!rc)
        rc = weir_state_bytes(self->state, &whole);
    return rc ? rc : print_text_value(stdout, event->contract, whole, why);
}

static int print_text_event(struct follow *self, const struct weir_event *event,
                            struct weir_reason *why)
{
    if (cli_has(self->cli, OPTION_raw)) {
        print_raw(self, event->delta);
        putchar('\n');
        return 0;
    }
    return self->state ? print_sum(self, event, why)
                       : print_text_delta(stdout, event->contract, event->delta, why);
}

static int begin(struct follow *self, const struct weir_event *event, struct weir_reason *why)
{
    bool text = !cli_has(self->cli, OPTION_json) && !cli_has(self->cli, OPTION_raw);
    if (text && is_counter(event->contract)) {
        self->state = weir_state_new(event->contract);
        if (!self->state)
            return WEIR_NO_MEMORY;
        return print_sum(self, event, why);
    }
    return print_first(self, event, why);
}

static int print_event(struct follow *self, const struct weir_event *event, struct weir_reason *why)
{
    if (event->kind == WEIR_EVENT_STATE)
        return begin(self, event, why);
    self->left--;
    return cli_has(self->cli, OPTION_json) ? print_json_event(self, event, why)
                                           : print_text_event(self, event, why);
}

static void on_event(weir_t *w, const struct weir_event *event, void *arg)
{
    struct follow *self = arg;
    struct weir_reason why = {""};
    (void)w;
    if (self->code >= 0)
        return;
    if (event->kind == WEIR_EVENT_ENDED) {
        self->code = cli_fail(self->cli, event->code, event->sentence);
        return;
    }
    int rc = print_event(self, event, &why);
    int flushed = cli_flush(self->cli);
    if (rc)
        self->code = cli_fail(self->cli, rc, why.text);
    else if (flushed || self->left == 0)
        self->code = flushed;
}

int cli_subscribe(struct cli *cli)
{
    uint8_t key[WEIR_KEY_BYTES];
    struct follow follow = {.cli = cli, .code = -1};
    int rc = cli_key(cli, 0, key);
    if (!rc)
        rc = cli_number(cli, OPTION_count, 0, LONG_MAX, LONG_MAX, &follow.left);
    if (!rc)
        rc = cli_connect(cli);
    if (rc)
        return rc;
    rc = weir_subscribe(cli->w, key, NULL, on_event, &follow);
    while (!rc && follow.code < 0) {
        int stepped = weir_step(cli->w, -1);
        rc = stepped < 0 ? stepped : 0;
    }
    if (rc)
        follow.code = cli_fail_node(cli, rc);
    weir_state_destroy(&follow.state);
    return follow.code;
}
