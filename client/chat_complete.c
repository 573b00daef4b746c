#include "client/chat_complete.h"

#include "client/chat_commands.h"

#include <stdlib.h>

/* The first blank at or after `at`, or the end. */
static size_t word_end(struct slice text, size_t at)
{
    while (at < text.size && text.data[at] != ' ' && text.data[at] != '\n')
        at++;
    return at;
}

static size_t word_start(struct slice text, size_t at)
{
    while (at > 0 && text.data[at - 1] != ' ' && text.data[at - 1] != '\n')
        at--;
    return at;
}

enum chat_word chat_complete_what(const struct chat_input *input, size_t *start)
{
    struct slice text = chat_input_text(input);
    bool command = text.size > 0 && text.data[0] == '/' && !(text.size > 1 && text.data[1] == '/');
    size_t name = command ? word_end(text, 0) : 0;
    *start = word_start(text, input->cursor);
    if (!command)
        return CHAT_WORD_MEMBER;
    if (input->cursor <= name) {
        *start = 1;
        return CHAT_WORD_COMMAND;
    }
    const struct chat_command *c = chat_command_find(slice_of(text.data + 1, name - 1));
    size_t first = name;
    while (first < input->cursor && text.data[first] == ' ')
        first++;
    /* Names of rooms and people may have blanks in them. */
    bool in_first = first == input->cursor || word_end(text, first) >= input->cursor ||
                    (c && c->word == CHAT_WORD_ROOM);
    if (in_first)
        *start = first;
    return c && in_first ? c->word : CHAT_WORD_MEMBER;
}

/* --- the words ------------------------------------------------------------------------------- */

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
}

static bool begins_so(struct slice word, struct slice typed)
{
    if (word.size < typed.size)
        return false;
    for (size_t i = 0; i < typed.size; i++)
        if (lower(word.data[i]) != lower(typed.data[i]))
            return false;
    return true;
}

static struct slice typed_word(const struct chat_complete *self, const struct chat_input *input)
{
    return slice_of(input->text.data + self->start, input->cursor - self->start);
}

void chat_complete_end(struct chat_complete *self)
{
    for (size_t i = 0; i < self->count; i++)
        buffer_free(&self->words[i]);
    free(self->words);
    *self = (struct chat_complete){0};
}

void chat_complete_begin(struct chat_complete *self, const struct chat_input *input)
{
    chat_complete_end(self);
    self->what = chat_complete_what(input, &self->start);
}

/* Sorted in, each once. */
static void insert(struct chat_complete *self, size_t at, struct slice word)
{
    struct buffer *words = reallocarray(self->words, self->count + 1, sizeof *words);
    if (!words)
        return; /* one word less */
    memmove(words + at + 1, words + at, (self->count - at) * sizeof *words);
    words[at] = (struct buffer){0};
    buffer_append_slice(&words[at], word);
    self->words = words;
    self->count++;
}

void chat_complete_offer(struct chat_complete *self, const struct chat_input *input,
                         struct slice word)
{
    size_t at = 0;
    if (word.size == 0 || !begins_so(word, typed_word(self, input)))
        return;
    while (at < self->count && slice_compare(buffer_slice(&self->words[at]), word) < 0)
        at++;
    if (at == self->count || !slice_equal(buffer_slice(&self->words[at]), word))
        insert(self, at, word);
}

/* A name that opens a message is who it is for. */
static const char *what_follows(const struct chat_complete *self)
{
    return self->what == CHAT_WORD_MEMBER && self->start == 0 ? ": " : " ";
}

/* Puts what was typed behind the words, to come back to; it is what stands there now. */
static bool get_ready(struct chat_complete *self, const struct chat_input *input)
{
    size_t found = self->count;
    if (found > 0)
        insert(self, found, typed_word(self, input));
    self->at = found;
    self->ready = self->count == found + 1;
    return self->ready && found > 0;
}

bool chat_complete_step(struct chat_complete *self, struct chat_input *input, int step)
{
    if (!self->ready && !get_ready(self, input)) {
        chat_complete_end(self);
        return false;
    }
    self->at = (self->at + (step < 0 ? self->count - 1 : 1)) % self->count;
    struct buffer with = {0};
    buffer_append_slice(&with, buffer_slice(&self->words[self->at]));
    if (self->at + 1 < self->count)
        buffer_append_slice(&with, slice_text(what_follows(self)));
    bool fits = chat_input_replace(input, self->start, buffer_slice(&with));
    buffer_free(&with);
    if (!fits || self->count == 2)
        chat_complete_end(self);
    return fits;
}
