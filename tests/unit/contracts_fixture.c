#include "tests/unit/contracts_fixture.h"

#include "contracts/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { WORDS_MAX = 16 };

void fixture_open(struct fixture *self, const char *kind, struct slice params)
{
    *self = (struct fixture){0};
    buffer_append_slice(&self->params, params);
    if (contract_init(&self->contract, slice_text(kind), buffer_slice(&self->params), &self->why))
        fail_msg("%s: %s", kind, self->why.text);
    self->state = state_new(&self->contract);
    assert_non_null(self->state);
}

void fixture_close(struct fixture *self)
{
    state_destroy(&self->state);
    buffer_free(&self->params);
}

int fixture_delta(struct fixture *self, char replica, uint64_t now_ms, const char *words,
                  struct buffer *delta)
{
    char text[256], *rest = NULL;
    struct slice operands[WORDS_MAX] = {{0}};
    size_t count = 0;
    struct editor editor = {.now_ms = now_ms};
    struct state_reader reader = state_reader(self->state);
    memset(editor.replica, replica, sizeof editor.replica);
    (void)snprintf(text, sizeof text, "%s", words);
    const char *verb = strtok_r(text, " ", &rest);
    for (char *word = strtok_r(NULL, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        operands[count++] = slice_text(word);
    return kind_edit(&self->contract, &reader, &editor, slice_text(verb), operands, count, delta,
                     &self->why);
}

void fixture_edit(struct fixture *self, char replica, uint64_t now_ms, const char *words)
{
    struct buffer delta = {0};
    if (fixture_delta(self, replica, now_ms, words, &delta))
        fail_msg("%s: %s", words, self->why.text);
    (void)fixture_merge(self, buffer_slice(&delta));
    buffer_free(&delta);
}

size_t fixture_merge(struct fixture *self, struct slice delta)
{
    size_t changed = 0;
    if (state_merge(self->state, delta, &changed, &self->why))
        fail_msg("merge: %s", self->why.text);
    return changed;
}

static int show_item(void *me, const struct view_item *item)
{
    struct fixture *self = (struct fixture *)me;
    size_t used = strlen(self->shown);
    char *at = self->shown + used;
    size_t room = sizeof self->shown - used;
    const char *gap = used ? " " : "", *mark = item->removed ? "!" : "";
    if (!item->value.data)
        (void)snprintf(at, room, "%s%lld", gap, (long long)item->number);
    else
        (void)snprintf(at, room, "%s%s%.*s%s%.*s", gap, mark, (int)item->name.size,
                       item->name.size ? (const char *)item->name.data : "",
                       item->name.size && !item->removed ? "=" : "", (int)item->value.size,
                       (const char *)item->value.data);
    return 0;
}

const char *fixture_show_bytes(struct fixture *self, struct slice state)
{
    self->shown[0] = 0;
    if (view_items(&self->contract, state, show_item, self, &self->why))
        fail_msg("view: %s", self->why.text);
    return self->shown;
}

struct buffer fixture_bytes(struct fixture *self)
{
    struct buffer bytes = {0};
    assert_int_equal(state_encode(self->state, &bytes), 0);
    return bytes;
}

const char *fixture_show(struct fixture *self)
{
    struct buffer bytes = fixture_bytes(self);
    (void)fixture_show_bytes(self, buffer_slice(&bytes));
    buffer_free(&bytes);
    return self->shown;
}
