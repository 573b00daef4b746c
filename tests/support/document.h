/* document: the ```vectors blocks of a document, for the tests that hold it to its word.
 *
 * A line is a type and then name=value words; bytes are hex, and a list of bytes has commas. */
#ifndef WEIR_TESTS_SUPPORT_DOCUMENT_H
#define WEIR_TESTS_SUPPORT_DOCUMENT_H

#include "base/buffer.h"
#include "base/codec.h"

enum { LINE_BYTES_MAX = 8192, LIST_MAX = 16 };

/* The whole text, to be freed; NULL when it cannot be read or is empty. */
char *document_read(const char *path);

/* The row of a field in a table of docs/protocol.md, with the line end before it. */
enum { FIELD_ROW_MAX = 512 };
void document_field_row(const struct field *field, char row[FIELD_ROW_MAX]);

/* The words of a line of docs/vectors/, cut out of it, at most `most`; none of a comment. */
size_t vector_words(char *line, char **words, size_t most);

/* Calls line for every line inside a vectors block, terminated. Lives for the call. */
void document_lines(const char *document, void (*line)(void *self, const char *text), void *self);

/* The words of a line. Each fails the test when the line has no word of that name, or it is not
 * what it should be. Buffers are the caller's to free. */
void line_word(const char *line, const char *name, char text[LINE_BYTES_MAX]);
struct buffer line_bytes(const char *line, const char *name);
size_t line_list(const char *line, const char *name, struct buffer list[LIST_MAX]);
void line_list_free(struct buffer *list, size_t count);

#endif
