/* What the node tells as JSON, for people. */
#include "client/cli.h"
#include "client/safe_text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 16, CELL_BYTES_MAX = 1100 };

static int print_as_it_stands(struct weir_bytes json)
{
    print_json_safely(stdout, json);
    putchar('\n');
    return cli_flush(&(struct cli){0});
}

static int refuse(const char *why)
{
    return cli_fail(&(struct cli){0}, WEIR_INTERNAL, why);
}

static json_t *parse(struct weir_bytes json)
{
    return json_loadb(json.data, json.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
}

/* Text that is safe on a terminal. */
static void escape(const char *text, size_t size, char cell[CELL_BYTES_MAX])
{
    size_t used = 0;
    for (size_t at = 0; at < size && used + SAFE_TEXT_PIECE < CELL_BYTES_MAX;) {
        char piece[SAFE_TEXT_PIECE];
        at += safe_text_next((struct weir_bytes){text, size}, at, piece, NULL);
        used += (size_t)snprintf(cell + used, SAFE_TEXT_PIECE, "%s", piece);
    }
    cell[used] = 0;
}

/* A value that is no object, as text. */
static void cell_text(const json_t *value, char cell[CELL_BYTES_MAX])
{
    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_STRING:
        escape(json_string_value(value), json_string_length(value), cell);
        break;
    case JSON_INTEGER:
        snprintf(cell, CELL_BYTES_MAX, "%lld", (long long)json_integer_value(value));
        break;
    case JSON_REAL:
        snprintf(cell, CELL_BYTES_MAX, "%g", json_real_value(value));
        break;
    case JSON_TRUE:
        snprintf(cell, CELL_BYTES_MAX, "yes");
        break;
    case JSON_FALSE:
        snprintf(cell, CELL_BYTES_MAX, "no");
        break;
    case JSON_OBJECT:
    case JSON_ARRAY:
        if (json_dumpb(value, cell, CELL_BYTES_MAX - 1, JSON_COMPACT) >= CELL_BYTES_MAX)
            snprintf(cell, CELL_BYTES_MAX, "(long)");
        else
            cell[json_dumpb(value, NULL, 0, JSON_COMPACT)] = 0;
        break;
    case JSON_NULL:
        snprintf(cell, CELL_BYTES_MAX, "-");
        break;
    }
}

/* `name: value` a line, `-` where there is none; an object inside has its names behind a dot. */
static void print_lines(json_t *object, const char *prefix)
{
    const char *name;
    json_t *value;
    char cell[CELL_BYTES_MAX] = "", full[256];
    json_object_foreach (object, name, value) {
        snprintf(full, sizeof full, "%s%s%s", prefix, *prefix ? "." : "", name);
        if (json_is_object(value) && !*prefix) {
            print_lines(value, full);
            continue;
        }
        cell_text(value, cell);
        printf("%s: %s\n", full, *cell ? cell : "-");
    }
}

int cli_print_object(struct weir_bytes json, bool as_json)
{
    if (as_json)
        return print_as_it_stands(json);
    json_t *object = parse(json);
    if (json_is_object(object)) {
        print_lines(object, "");
    } else {
        char cell[CELL_BYTES_MAX];
        cell_text(object, cell);
        printf("%s\n", cell);
    }
    json_decref(object);
    return object ? cli_flush(&(struct cli){0}) : refuse("the node's reply is not JSON");
}

/* --- tables ---------------------------------------------------------------------------------- */

/* Columns a UTF-8 text takes on the screen, near enough. */
static size_t width_of(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += (*text & 0xc0) != 0x80;
    return n;
}

static void print_cell(const char *text, size_t width, bool last)
{
    size_t used = width_of(text);
    printf("%s%*s", text, last ? 0 : (int)(width > used ? width - used : 0) + 2, "");
}

static void measure(const json_t *rows, const char *const *columns, size_t *widths)
{
    char cell[CELL_BYTES_MAX];
    size_t i;
    const json_t *row;
    json_array_foreach (rows, i, row)
        for (size_t c = 0; columns[c]; c++) {
            cell_text(json_object_get(row, columns[c]), cell);
            if (width_of(cell) > widths[c])
                widths[c] = width_of(cell);
        }
}

int print_table(struct weir_bytes json, bool as_json, const char *const *columns)
{
    size_t widths[COLUMNS_MAX] = {0}, i;
    char cell[CELL_BYTES_MAX];
    const json_t *row;
    if (as_json)
        return print_as_it_stands(json);
    json_t *rows = parse(json);
    if (!json_is_array(rows)) {
        json_decref(rows);
        return refuse("the node's reply is not a JSON array");
    }
    for (size_t c = 0; columns[c]; c++)
        widths[c] = strlen(columns[c]);
    measure(rows, columns, widths);
    for (size_t c = 0; columns[c]; c++)
        print_cell(columns[c], widths[c], !columns[c + 1]);
    putchar('\n');
    json_array_foreach (rows, i, row) {
        for (size_t c = 0; columns[c]; c++) {
            cell_text(json_object_get(row, columns[c]), cell);
            print_cell(cell, widths[c], !columns[c + 1]);
        }
        putchar('\n');
    }
    json_decref(rows);
    return cli_flush(&(struct cli){0});
}

int cli_print_check(struct weir_bytes json, bool as_json)
{
    int code = cli_print_object(json, as_json);
    json_t *report = parse(json);
    long long damaged = json_integer_value(json_object_get(report, "damaged"));
    const char *first = json_string_value(json_object_get(report, "first"));
    if (code == 0 && damaged) {
        fprintf(stderr,
                "weir: check: %lld records are damaged, the first: %s; restore a backup, or let "
                "the contract's other hosts and clients write it again\n",
                damaged, first ? first : "not named");
        code = EXIT_FAILED;
    }
    json_decref(report);
    return code;
}
