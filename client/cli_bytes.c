/* Bytes as people and as programs read them. */
#include "client/cli.h"
#include "client/safe_text.h"

#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>

void print_hex(FILE *out, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        fprintf(out, "%02x", bytes[i]);
}

void print_base64(FILE *out, struct weir_bytes bytes)
{
    enum { STEP = 3 * 256 }; /* whole groups, so that pieces join up */
    char text[sodium_base64_ENCODED_LEN(STEP, sodium_base64_VARIANT_ORIGINAL)];
    const uint8_t *data = bytes.data;
    for (size_t at = 0; at < bytes.size; at += STEP) {
        size_t n = bytes.size - at < STEP ? bytes.size - at : STEP;
        sodium_bin2base64(text, sizeof text, data + at, n, sodium_base64_VARIANT_ORIGINAL);
        fputs(text, out);
    }
}

/* An escape of safe_text as JSON has it; of what is past 16 bits a pair. */
static void print_json_escape(FILE *out, const char *piece)
{
    unsigned long past = piece[1] == 'U' ? strtoul(piece + 2, NULL, 16) - 0x10000 : 0;
    if (piece[1] == 'U')
        fprintf(out, "\\u%04lx\\u%04lx", 0xd800 | past >> 10, 0xdc00 | (past & 0x3ff));
    else
        fprintf(out, "%s%s", piece[1] == 'x' ? "\\u00" : "\\u", piece + 2);
}

/* What a terminal must not have and JSON leaves as it is (DEL, C1, marks of direction) stands in
 * strings alone, and is escaped there. */
void print_json_safely(FILE *out, struct weir_bytes json)
{
    char piece[SAFE_TEXT_PIECE];
    bool as_is;
    for (size_t at = 0; at < json.size;) {
        char c = ((const char *)json.data)[at];
        at += safe_text_next(json, at, piece, &as_is);
        if (c == '\n' || c == '\t') /* between strings */
            fputc(c, out);
        else if (as_is)
            fputs(piece, out);
        else
            print_json_escape(out, piece);
    }
}

void print_json_bytes(FILE *out, struct weir_bytes bytes)
{
    json_t *text = json_stringn(bytes.size ? bytes.data : "", bytes.size);
    char *json = text ? json_dumps(text, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    if (json) {
        print_json_safely(out, weir_text(json));
    } else {
        fputs("{\"base64\":\"", out);
        print_base64(out, bytes);
        fputs("\"}", out);
    }
    free(json);
    json_decref(text);
}
