/* chat_complete: what Tab does: the word before the cursor becomes the first of those that begin
 * so, with every further Tab the next one, and after the last what was typed. Letters of ASCII
 * match in either case. Which words there are is the caller's to know. */
#ifndef WEIR_CLIENT_CHAT_COMPLETE_H
#define WEIR_CLIENT_CHAT_COMPLETE_H

#include "client/chat_input.h"

/* What may stand at a place. */
enum chat_word {
    CHAT_WORD_NONE,
    CHAT_WORD_COMMAND,
    CHAT_WORD_ROOM,
    CHAT_WORD_MEMBER,
    CHAT_WORD_BANNED,
    CHAT_WORD_EMOJI,
    CHAT_WORD_SETTING,
};

/* Zero-initialised: no completion is under way. */
struct chat_complete {
    struct buffer *words; /* those that fit, sorted; once ready, behind them what was typed */
    size_t count, at;
    bool ready;
    size_t start;
    enum chat_word what;
};

/* What the word before the cursor is, and where it starts: the name of a command, the first
 * argument of one (client/chat_commands.h knows of what), else a member. */
enum chat_word chat_complete_what(const struct chat_input *input, size_t *start);

/* Begins anew for the word before the cursor; the words follow by _offer. */
void chat_complete_begin(struct chat_complete *self, const struct chat_input *input);
/* A word there is: taken if it begins as the one before the cursor. */
void chat_complete_offer(struct chat_complete *self, const struct chat_input *input,
                         struct slice word);
/* Puts in the next one (step 1) or the one before (-1). False: there is none, or no room for it. A
 * single one is put in at once and for good. */
bool chat_complete_step(struct chat_complete *self, struct chat_input *input, int step);
/* Over: another key was pressed. */
void chat_complete_end(struct chat_complete *self);

static inline bool chat_complete_open(const struct chat_complete *self)
{
    return self->count > 0;
}

#endif
