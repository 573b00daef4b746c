/* The command line's reading and printing, without a node. */
#include "client/cli.h"
#include "tests/property/rooms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { WORDS_MAX = 16 };

/* Splits at blanks and reads. What it complains of goes nowhere. */
static int parse(struct cli *cli, const char *line)
{
    static char copy[512], *argv[WORDS_MAX + 1];
    char *rest;
    int argc = 0;
    snprintf(copy, sizeof copy, "weir %s", line);
    for (char *word = strtok_r(copy, " ", &rest); word && argc < WORDS_MAX;
         word = strtok_r(NULL, " ", &rest))
        argv[argc++] = word;
    argv[argc] = NULL;
    *cli = (struct cli){0};
    FILE *errors = stderr;
    stderr = fopen("/dev/null", "w");
    int rc = cli_parse(cli, argc, argv);
    fclose(stderr);
    stderr = errors;
    return rc;
}

static void release(struct cli *cli)
{
    free((void *)cli->words);
    free((void *)cli->params);
}

static void options_stand_anywhere(void **state)
{
    (void)state;
    static const char *const lines[] = {"get KEY --json --node X", "--json --node X get KEY",
                                        "get --node=X KEY --json", "--node=X get --json KEY"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct cli cli;
        assert_int_equal(parse(&cli, lines[i]), 0);
        assert_string_equal(cli.command->name, "get");
        assert_string_equal(cli_value(&cli, OPTION_node), "X");
        assert_true(cli_has(&cli, OPTION_json));
        assert_int_equal(cli.arg_count, 1);
        assert_string_equal(cli.args[0], "KEY");
        release(&cli);
    }
}

static void what_is_no_command_line_is_usage(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "gett KEY",            /* no such command */
        "set KEY a",           /* half a command */
        "get",                 /* too few */
        "get KEY more",        /* too many */
        "get KEY --jso",       /* an abbreviation */
        "get KEY --json=1",    /* a value that is not wanted */
        "get KEY --node",      /* a value that is missing */
        "get KEY --delta f",   /* another command's option */
        "status --signer f",   /* the same */
        "get KEY -j",          /* no short options */
        "map set KEY field",   /* too few */
        "counter add KEY 1 2", /* too many */
        "keys new --node x",   /* asks no node */
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct cli cli;
        assert_int_equal(parse(&cli, lines[i]), EXIT_USAGE);
        release(&cli);
    }
}

static void numbers_and_a_dash_are_arguments(void **state)
{
    (void)state;
    struct cli cli;
    assert_int_equal(parse(&cli, "counter add KEY -5 --json"), 0);
    assert_string_equal(cli.args[1], "-5");
    release(&cli);
    assert_int_equal(parse(&cli, "set add KEY -"), 0);
    assert_string_equal(cli.args[1], "-");
    release(&cli);
    assert_int_equal(parse(&cli, "register set --json -- KEY --json"), 0);
    assert_string_equal(cli.args[1], "--json");
    release(&cli);
}

static void parameters_are_kept_in_order(void **state)
{
    (void)state;
    struct cli cli;
    assert_int_equal(parse(&cli, "put --param name=a log --param=newest=5"), 0);
    assert_int_equal(cli.param_count, 2);
    assert_string_equal(cli.params[0], "name=a");
    assert_string_equal(cli.params[1], "newest=5");
    release(&cli);
}

static void the_node_reads_its_own_options(void **state)
{
    (void)state;
    struct cli cli;
    assert_int_equal(parse(&cli, "node --data x --whatever"), 0);
    assert_int_equal(cli.node_at, 1);
    assert_int_equal(cli.arg_count, 0);
    release(&cli);
}

static void every_command_has_help(void **state)
{
    (void)state;
    char *text;
    size_t size;
    for (const struct command *c = cli_commands; c->name; c++) {
        FILE *out = open_memstream(&text, &size);
        cli_help(out, c);
        fclose(out);
        assert_non_null(strstr(text, c->name));
        assert_non_null(strstr(text, c->doc));
        assert_true(c->most < 0 || c->most >= c->least);
        assert_non_null(c->run);
        free(text);
    }
}

/* --- values ---------------------------------------------------------------------------------- */

static weir_contract_t *contract_of(const char *kind)
{
    weir_contract_t *contract = NULL;
    assert_int_equal(weir_contract_new(kind, weir_text(""), &contract, NULL), 0);
    return contract;
}

/* Steps are verb, operands…, NULL; two NULLs end. Returns the merged state. */
static weir_state_t *state_of(const weir_contract_t *contract, const char *const *steps)
{
    weir_state_t *held = weir_state_new(contract);
    while (*steps) {
        struct weir_bytes operands[8], bytes;
        const char *verb = *steps++;
        size_t count = 0, size;
        uint8_t *delta = NULL;
        for (; *steps; steps++)
            operands[count++] = weir_text(*steps);
        steps++;
        assert_int_equal(weir_state_bytes(held, &bytes), 0);
        assert_int_equal(weir_delta(contract, bytes, (const uint8_t *)"replica1", 1700000000123,
                                    NULL, verb, operands, count, &delta, &size, NULL),
                         0);
        assert_int_equal(weir_state_merge(held, (struct weir_bytes){delta, size}, NULL), 0);
        weir_free(delta);
    }
    return held;
}

typedef int print_fn(FILE *, const weir_contract_t *, struct weir_bytes, struct weir_reason *);

static void expect(const char *kind, const char *const *steps, print_fn *print, const char *wanted)
{
    weir_contract_t *contract = contract_of(kind);
    weir_state_t *held = state_of(contract, steps);
    struct weir_bytes bytes;
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_int_equal(weir_state_bytes(held, &bytes), 0);
    assert_int_equal(print(out, contract, bytes, NULL), 0);
    fclose(out);
    assert_string_equal(text, wanted);
    free(text);
    weir_state_destroy(&held);
    weir_contract_destroy(&contract);
}

#define STEPS(...)                                                                                 \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL, NULL                                                                    \
    }
#define NOTHING                                                                                    \
    (const char *const[])                                                                          \
    {                                                                                              \
        NULL                                                                                       \
    }

static void json_of_values_is_as_scripts_expect(void **state)
{
    (void)state;
    expect("counter", NOTHING, print_json_value, "{\"value\":0}");
    expect("counter", STEPS("add", "9223372036854775807"), print_json_value,
           "{\"value\":9223372036854775807}");
    expect("counter", STEPS("add", "-3"), print_json_value, "{\"value\":-3}");
    expect("register", NOTHING, print_json_value, "{\"value\":null}");
    expect("register", STEPS("set", "say \"hi\"\n"), print_json_value,
           "{\"value\":\"say \\\"hi\\\"\\n\"}");
    expect("multi-register", NOTHING, print_json_value, "{\"values\":[]}");
    expect("multi-register", STEPS("set", "é"), print_json_value, "{\"values\":[\"é\"]}");
    expect("set", NOTHING, print_json_value, "[]");
    expect("set", STEPS("add", "b", "a", "\xff"), print_json_value,
           "[\"a\",\"b\",{\"base64\":\"/w==\"}]");
    expect("set", STEPS("add", "b", "a", NULL, "remove", "a"), print_json_value, "[\"b\"]");
    expect("map", NOTHING, print_json_value, "{}");
    expect("map", STEPS("set", "g", "2", "f", "1"), print_json_value, "{\"f\":\"1\",\"g\":\"2\"}");
    expect("map", STEPS("set", "\xfe", "\xff\xff"), print_json_value,
           "{\"base64:/g==\":{\"base64\":\"//8=\"}}");
    expect("log", NOTHING, print_json_value, "[]");
    expect("log", STEPS("append", "one", "two"), print_json_value,
           "[{\"time\":1700000000123,\"data\":\"one\"},{\"time\":1700000000123,\"data\":\"two\"}]");
}

static void text_of_values_is_a_line_an_item(void **state)
{
    (void)state;
    expect("counter", STEPS("add", "-3"), print_text_value, "-3\n");
    expect("register", NOTHING, print_text_value, "");
    expect("register", STEPS("set", "x"), print_text_value, "x\n");
    expect("set", STEPS("add", "b", "a"), print_text_value, "a\nb\n");
    expect("map", STEPS("set", "f", "1", "g", "2"), print_text_value, "f\t1\ng\t2\n");
    expect("log", STEPS("append", "x"), print_text_value, "2023-11-14T22:13:20.123Z\tx\n");
}

static void a_delta_is_one_line_and_shows_what_it_takes_away(void **state)
{
    (void)state;
    expect("set", STEPS("add", "b", "a", NULL, "remove", "a"), print_text_delta, "-a\tb\n");
    expect("map", STEPS("set", "f", "1", "g", "2", NULL, "remove", "f"), print_text_delta,
           "-f\tg\t2\n");
    expect("register", STEPS("set", "two\nlines\r"), print_text_delta, "two\\nlines\\r\n");
    expect("set", STEPS("add", "b", "a", NULL, "remove", "a", "b"), print_json_removed,
           ",\"removed\":[\"a\",\"b\"]");
    expect("set", STEPS("add", "b"), print_json_removed, "");
}

/* A room is signed by its members: its state is made by contracts/. */
static void a_rooms_messages_have_the_names_of_their_authors(void **state)
{
    (void)state;
    struct person owner;
    struct buffer params = {0}, entries = {0}, delta = {0};
    struct contract inner;
    weir_contract_t *contract = NULL;
    char *text;
    size_t size;
    person_make(&owner, 1);
    room_params(owner.key, 1, UINT64_MAX, &params);
    assert_int_equal(contract_init(&inner, slice_text("room"), buffer_slice(&params), NULL), 0);
    struct room_author author = person_as_author(&owner, &inner, 0);
    struct room_words name = {.plain = slice_text("ann")}, said = {.plain = slice_text("hi")};
    assert_int_equal(room_write_nickname(&author, 1, &name, &entries, NULL), 0);
    assert_int_equal(room_write_message(&author, (uint64_t)1700000000123 << 16, ROOM_TEXT, NULL,
                                        &said, NULL, &entries, NULL),
                     0);
    assert_int_equal(entries_sort(buffer_slice(&entries), &delta), 0);
    struct weir_bytes bytes = {delta.data, delta.size};
    assert_int_equal(
        weir_contract_new("room", (struct weir_bytes){params.data, params.size}, &contract, NULL),
        0);
    FILE *out = open_memstream(&text, &size);
    assert_int_equal(print_json_value(out, contract, bytes, NULL), 0);
    fputc('\n', out);
    assert_int_equal(print_text_value(out, contract, bytes, NULL), 0);
    fclose(out);
    char writer[WEIR_KEY_TEXT_MAX], wanted[512];
    weir_key_print(owner.key, writer);
    snprintf(wanted, sizeof wanted,
             "[{\"time\":1700000000123,\"name\":\"ann\",\"text\":\"hi\",\"writer\":\"%s\"}]\n"
             "2023-11-14T22:13:20.123Z\tann\thi\n",
             writer);
    assert_string_equal(text, wanted);
    free(text);
    weir_contract_destroy(&contract);
    buffer_free(&params);
    buffer_free(&entries);
    buffer_free(&delta);
}

static void a_deleted_message_brings_no_control_along(void **state)
{
    (void)state;
    struct person owner;
    struct buffer params = {0}, entries = {0}, delta = {0};
    struct contract inner;
    weir_contract_t *contract = NULL;
    uint8_t spot[ROOM_SPOT_BYTES];
    char *text;
    size_t size;
    person_make(&owner, 1);
    room_params(owner.key, 1, UINT64_MAX, &params);
    assert_int_equal(contract_init(&inner, slice_text("room"), buffer_slice(&params), NULL), 0);
    struct room_author author = person_as_author(&owner, &inner, 0);
    struct room_words name = {.plain = slice_text("\033[2Jann")},
                      said = {.plain = slice_text("hi")};
    assert_int_equal(room_write_nickname(&author, 1, &name, &entries, NULL), 0);
    assert_int_equal(room_write_message(&author, 2, ROOM_TEXT, NULL, &said, spot, &entries, NULL),
                     0);
    assert_int_equal(room_write_message(&author, 3, ROOM_DELETE, spot, NULL, NULL, &entries, NULL),
                     0);
    assert_int_equal(entries_sort(buffer_slice(&entries), &delta), 0);
    assert_int_equal(
        weir_contract_new("room", (struct weir_bytes){params.data, params.size}, &contract, NULL),
        0);
    FILE *out = open_memstream(&text, &size);
    assert_int_equal(
        print_text_delta(out, contract, (struct weir_bytes){delta.data, delta.size}, NULL), 0);
    fclose(out);
    assert_string_equal(text, "-\\x1b[2Jann\n");
    free(text);
    weir_contract_destroy(&contract);
    buffer_free(&params);
    buffer_free(&entries);
    buffer_free(&delta);
}

static void json_escapes_what_nobody_sees(void **state)
{
    (void)state;
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    print_json_bytes(out, weir_text("\xc2\xad\xe2\x80\xae\xf3\xa0\x81\xa1👍\xe2\x80\xac"));
    fclose(out);
    assert_string_equal(text, "\"\\u00ad\\u202e\\udb40\\udc61👍\\u202c\"");
    free(text);
}

static void base64_is_whole_whatever_the_size(void **state)
{
    (void)state;
    static uint8_t bytes[5000];
    for (size_t size = 0; size < 5000; size += 383) {
        char *text;
        size_t length;
        FILE *out = open_memstream(&text, &length);
        print_base64(out, (struct weir_bytes){bytes, size});
        fclose(out);
        assert_int_equal(length, (size + 2) / 3 * 4);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_stand_anywhere),
        cmocka_unit_test(what_is_no_command_line_is_usage),
        cmocka_unit_test(numbers_and_a_dash_are_arguments),
        cmocka_unit_test(parameters_are_kept_in_order),
        cmocka_unit_test(the_node_reads_its_own_options),
        cmocka_unit_test(every_command_has_help),
        cmocka_unit_test(json_of_values_is_as_scripts_expect),
        cmocka_unit_test(text_of_values_is_a_line_an_item),
        cmocka_unit_test(a_delta_is_one_line_and_shows_what_it_takes_away),
        cmocka_unit_test(a_rooms_messages_have_the_names_of_their_authors),
        cmocka_unit_test(a_deleted_message_brings_no_control_along),
        cmocka_unit_test(json_escapes_what_nobody_sees),
        cmocka_unit_test(base64_is_whole_whatever_the_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
