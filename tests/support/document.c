#include "tests/support/document.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

char *document_read(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    size_t room = 0;
    if (!file)
        return NULL;
    if (getdelim(&text, &room, 0, file) <= 0) { /* up to a zero byte: there is none */
        free(text);
        text = NULL;
    }
    fclose(file);
    return text;
}

void document_field_row(const struct field *field, char row[FIELD_ROW_MAX])
{
    static const char *const types[] = {"u8", "u16", "u32", "u64"};
    char type[40];
    if (field->kind == FIELD_fixed)
        (void)snprintf(type, sizeof type, "%zu bytes", field->bytes_max);
    else if (field->kind == FIELD_bytes)
        (void)snprintf(type, sizeof type, "bytes, to %zu", field->bytes_max);
    else
        (void)snprintf(type, sizeof type, "%s", types[field->kind]);
    (void)snprintf(row, FIELD_ROW_MAX, "\n| `%s` | %s | %s |", field->name, type, field->doc);
}

size_t vector_words(char *line, char **words, size_t most)
{
    char *rest = NULL;
    size_t count = 0;
    if (line[0] == '#')
        return 0;
    for (char *word = strtok_r(line, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest)) {
        assert_true(count < most);
        words[count++] = word;
    }
    return count;
}

void document_lines(const char *document, void (*line)(void *self, const char *text), void *self)
{
    bool inside = false;
    for (const char *at = document; *at;) {
        size_t size = strcspn(at, "\n");
        if (strncmp(at, "```", 3) == 0) {
            inside = strncmp(at, "```vectors", 10) == 0;
        } else if (inside && size) {
            char text[LINE_BYTES_MAX];
            assert_true(size < sizeof text);
            memcpy(text, at, size);
            text[size] = 0;
            line(self, text);
        }
        at += size + (at[size] == '\n');
    }
}

void line_word(const char *line, const char *name, char text[LINE_BYTES_MAX])
{
    char wanted[64];
    snprintf(wanted, sizeof wanted, " %s=", name);
    const char *at = strstr(line, wanted);
    if (!at)
        fail_msg("no %s= in: %s", name, line);
    at += strlen(wanted);
    size_t size = strcspn(at, " ");
    assert_true(size < LINE_BYTES_MAX);
    memcpy(text, at, size);
    text[size] = 0;
}

static struct buffer hex(const char *text)
{
    struct buffer bytes = {0};
    size_t size;
    uint8_t *room = buffer_grow(&bytes, strlen(text) / 2 + 1);
    assert_non_null(room);
    if (sodium_hex2bin(room, bytes.size, text, strlen(text), NULL, &size, NULL) != 0 ||
        size * 2 != strlen(text))
        fail_msg("not hex: %s", text);
    bytes.size = size;
    return bytes;
}

struct buffer line_bytes(const char *line, const char *name)
{
    char text[LINE_BYTES_MAX];
    line_word(line, name, text);
    return hex(text);
}

size_t line_list(const char *line, const char *name, struct buffer list[LIST_MAX])
{
    char text[LINE_BYTES_MAX], *rest = text;
    line_word(line, name, text);
    size_t count = 0;
    while (rest) {
        char *one = strsep(&rest, ",");
        assert_true(count < LIST_MAX);
        list[count++] = hex(one);
    }
    return count;
}

void line_list_free(struct buffer *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buffer_free(&list[i]);
}
