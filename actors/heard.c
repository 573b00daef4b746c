#include "actors/heard.h"

#include "base/limits.h"

#include <stdlib.h>

void heard_init(struct heard *self, uint64_t since_ms)
{
    *self = (struct heard){.since_ms = since_ms};
}

void heard_free(struct heard *self)
{
    free(self->edits);
    *self = (struct heard){0};
}

static size_t kept(const struct heard *self)
{
    return self->count < EDITS_HEARD_MAX ? self->count : EDITS_HEARD_MAX;
}

/* What was heard until then is not known. */
static void forget(struct heard *self, uint64_t until_ms)
{
    self->since_ms = until_ms + 1;
    self->forgot = true;
}

uint64_t heard_note(struct heard *self, place_t asker, uint64_t tx, uint64_t relay, uint64_t now_ms)
{
    if (!self->edits)
        self->edits = (struct heard_edit *)calloc(EDITS_HEARD_MAX, sizeof *self->edits);
    if (!self->edits) {
        forget(self, now_ms);
        return 0;
    }
    struct heard_edit *edit = &self->edits[self->count % EDITS_HEARD_MAX];
    if (self->count >= EDITS_HEARD_MAX && edit->heard_ms >= self->since_ms)
        forget(self, edit->heard_ms);
    *edit = (struct heard_edit){.asker = asker, .tx = tx, .relay = relay, .heard_ms = now_ms};
    return ++self->count;
}

void heard_done(struct heard *self, uint64_t number, int code, const struct store_change *change)
{
    if (!number || self->count - number >= EDITS_HEARD_MAX)
        return;
    struct heard_edit *edit = &self->edits[(number - 1) % EDITS_HEARD_MAX];
    edit->done = true;
    edit->code = code;
    edit->changed = change && change->changed > 0;
    if (change)
        edit->after = change->after;
}

const struct heard_edit *heard_find(const struct heard *self, place_t asker, uint64_t tx)
{
    for (size_t i = 0, count = kept(self); i < count; i++)
        if (self->edits[i].asker == asker && self->edits[i].tx == tx)
            return &self->edits[i];
    return NULL;
}

bool heard_would_know(const struct heard *self, uint64_t ago_ms, bool this_run, uint64_t now_ms)
{
    if (this_run && !self->forgot)
        return true;
    return ago_ms + EDIT_ON_ITS_WAY_MS <= now_ms &&
           now_ms - ago_ms - EDIT_ON_ITS_WAY_MS >= self->since_ms;
}
