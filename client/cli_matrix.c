/* weir peers --matrix: who is connected to whom, and which side dialled. */
#include "client/cli.h"

#include <jansson.h>
#include <string.h>

enum { SHORT_ID = 8 };

static const char *id_of(const json_t *object)
{
    const char *id = json_string_value(json_object_get(object, "id"));
    return id ? id : "?";
}

/* What the row's node says of its connection to this id. */
static char cell(const json_t *row, const char *id)
{
    size_t i;
    const json_t *peer;
    json_array_foreach (json_object_get(row, "live"), i, peer) {
        if (strcmp(id_of(peer), id) == 0)
            return json_is_true(json_object_get(peer, "dialled")) ? '>' : '<';
    }
    return '.';
}

/* Ids are base58: letters and digits. Anything else is not put on a terminal. */
static void print_short(const char *id)
{
    char text[SHORT_ID + 1];
    size_t i = 0;
    for (; i < SHORT_ID && id[i]; i++) {
        bool plain = (id[i] >= '0' && id[i] <= '9') || (id[i] >= 'A' && id[i] <= 'Z') ||
                     (id[i] >= 'a' && id[i] <= 'z');
        text[i] = plain ? id[i] : '?';
    }
    text[i] = 0;
    printf("%-*s", SHORT_ID, text);
}

/* A row a node; the columns are the same nodes, by number. */
static void print_square(const json_t *rows)
{
    size_t count = json_array_size(rows);
    printf("%4s %-*s", "", SHORT_ID, "id");
    for (size_t c = 0; c < count; c++)
        printf(" %3zu", c + 1);
    putchar('\n');
    for (size_t r = 0; r < count; r++) {
        const json_t *row = json_array_get(rows, r);
        printf("%4zu ", r + 1);
        print_short(id_of(row));
        for (size_t c = 0; c < count; c++)
            printf(" %3c", c == r ? '-' : cell(row, id_of(json_array_get(rows, c))));
        putchar('\n');
    }
}

static void print_counts(json_t *matrix)
{
    const char *name;
    const json_t *value;
    json_object_foreach (matrix, name, value) {
        if (json_is_integer(value))
            printf("%s: %lld\n", name, (long long)json_integer_value(value));
    }
    json_t *closed = json_object_get(matrix, "closed");
    json_object_foreach (closed, name, value) {
        printf("closed.%s: %lld\n", name, (long long)json_integer_value(value));
    }
}

int cli_print_matrix(struct weir_bytes json, bool as_json)
{
    json_t *matrix = json_loadb(json.data, json.size, 0, NULL);
    const json_t *rows = json_object_get(matrix, "peers");
    bool good = json_is_array(rows);
    if (good && as_json) {
        fwrite(json.data, 1, json.size, stdout);
        putchar('\n');
    } else if (good) {
        print_square(rows);
        print_counts(matrix);
    }
    json_decref(matrix);
    if (!good)
        return cli_fail(&(struct cli){0}, WEIR_INTERNAL, "the node's reply is no matrix");
    return cli_flush(&(struct cli){0});
}
