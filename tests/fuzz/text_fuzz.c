/* Texts as they come from others, on their way to a terminal, and lines that are typed. */
#include "base/limits.h"
#include "base/utf8.h"
#include "client/chat_commands.h"
#include "client/chat_input.h"
#include "client/chat_text.h"
#include "client/room_names_look.h"
#include "client/safe_text.h"
#include "tests/fuzz/must.h"

#include <locale.h>
#include <stdlib.h>

enum { COLUMNS_MAX = 20, LINE_BYTES = 64 };

static void check_escapes(struct slice text)
{
    struct weir_bytes bytes = {text.data, text.size};
    char piece[SAFE_TEXT_PIECE], line[LINE_BYTES], look[LINE_BYTES], again[LINE_BYTES];
    bool safe = true;
    for (size_t at = 0; at < text.size;) {
        bool as_is = false;
        memset(piece, 7, sizeof piece);
        size_t used = safe_text_next(bytes, at, piece, &as_is);
        MUST(used >= 1 && used <= text.size - at && memchr(piece, 0, sizeof piece));
        MUST(!as_is || (strlen(piece) == used && memcmp(piece, text.data + at, used) == 0));
        for (const char *c = piece; *c; c++)
            MUST((unsigned char)*c >= ' ' && *c != 0x7f);
        safe &= as_is;
        at += used;
    }
    MUST(safe_text_is(bytes) == safe);
    safe_text_line(bytes, line, sizeof line);
    MUST(strlen(line) < sizeof line && safe_text_is(weir_text(line)));
    room_names_look(line, look);
    MUST(strlen(look) <= strlen(line));
    room_names_look(look, again);
    MUST(strcmp(look, again) == 0);
    (void)room_names_deceives(line);
}

static void check_wrap(struct slice clean, size_t columns)
{
    for (size_t next = 0; clean.size; clean = slice_after(clean, next)) {
        size_t bytes = chat_text_wrap(clean, columns, &next);
        MUST(bytes <= next && next >= 1 && next <= clean.size);
        MUST(chat_text_columns(slice_of(clean.data, bytes)) <= columns || columns < 2);
        MUST(chat_text_fit(clean, columns) <= clean.size);
    }
}

static void check_clean(struct slice text)
{
    struct buffer clean = {0}, again = {0}, cut = {0};
    chat_text_clean(text, CHAT_LINES_KEPT, &clean);
    chat_text_clean(buffer_slice(&clean), CHAT_LINES_KEPT, &again);
    struct slice shown = buffer_slice(&clean);
    MUST(slice_equal(shown, buffer_slice(&again)) && utf8_is(shown));
    for (size_t at = 0; at < shown.size; at = chat_text_next(shown, at)) {
        size_t next = chat_text_next(shown, at);
        MUST(next > at && next <= shown.size && chat_text_before(shown, next) == at);
        MUST(shown.data[at] == '\n' || (shown.data[at] >= ' ' && shown.data[at] != 0x7f));
    }
    for (size_t columns = 1; columns < COLUMNS_MAX; columns += 3) {
        check_wrap(shown, columns);
        buffer_clear(&again);
        chat_text_clean(text, CHAT_ONE_LINE, &again);
        MUST(!again.size || !memchr(again.data, '\n', again.size));
        buffer_clear(&cut);
        MUST(chat_text_cut(buffer_slice(&again), columns, &cut) <= columns);
        buffer_clear(&cut);
        MUST(chat_text_cut_name(buffer_slice(&again), columns, &cut) <= columns);
    }
    buffer_free(&clean);
    buffer_free(&again);
    buffer_free(&cut);
}

static void check_typed(struct slice text)
{
    const struct chat_command *command = NULL;
    struct slice rest = {0}, word;
    enum chat_line what = chat_command_read(text, &command, &rest);
    MUST((what == CHAT_LINE_COMMAND) == (command != NULL));
    MUST(rest.size <= text.size);
    word = chat_first_word(text, &rest);
    MUST(word.size + rest.size <= text.size);
    MUST(chat_trim(text).size <= text.size);
    (void)chat_emoji_of(text);
}

/* Each byte below 32 is a key, the others are typed. */
static void check_input(struct slice text)
{
    struct chat_input input = {.cursor = 0};
    struct buffer rows = {0};
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte < 8)
            (void)chat_input_move(&input, (enum chat_move)byte);
        else if (byte < 16)
            chat_input_kill(&input, (enum chat_move)(byte - 8), byte & 1);
        else if (byte == 16)
            chat_input_yank(&input);
        else if (byte == 17)
            chat_input_sent(&input);
        else if (byte < 20)
            (void)chat_input_recall(&input, byte == 18 ? -1 : 1);
        else
            (void)chat_input_insert(&input, slice_of(text.data + i, text.size - i < 3 ? 1 : 3));
        MUST(input.cursor <= input.text.size && utf8_is(chat_input_text(&input)));
        MUST(input.text.size <= CHAT_INPUT_BYTES_MAX);
    }
    struct chat_input_view view = chat_input_lay(&input, 10, &rows);
    MUST(view.rows >= 1 && view.cursor_row < view.rows && view.cursor_column <= 10);
    buffer_free(&rows);
    chat_input_free(&input);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of(data, size);
    (void)setlocale(LC_CTYPE, "C.UTF-8");
    check_escapes(text);
    check_clean(text);
    check_typed(text);
    check_input(slice_of(data, size < 200 ? size : 200));
    return 0;
}
