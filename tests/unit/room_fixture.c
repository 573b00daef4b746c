#include "tests/unit/room_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

int room_set_up(void **state)
{
    struct room_fixture *f = (struct room_fixture *)calloc(1, sizeof *f);
    room_open(f, UINT64_MAX);
    *state = f;
    return 0;
}

int room_tear_down(void **state)
{
    room_close((struct room_fixture *)*state);
    free(*state);
    return 0;
}

struct room_author room_as(const struct room_fixture *self, size_t who)
{
    return person_as_author(&self->people[who], &self->contract, 0);
}

static void must(struct room_fixture *self, int rc)
{
    if (rc)
        fail_msg("%s: %s", error_name(rc), self->why.text);
}

static void invite(struct room_fixture *self, size_t inviter, size_t who)
{
    struct room_author author = room_as(self, inviter);
    room_write_link(&author, self->people[who].key, who, &self->people[who].chains[0]);
}

void room_open(struct room_fixture *self, uint64_t newest)
{
    *self = (struct room_fixture){0};
    for (size_t i = 0; i < ROOM_PEOPLE; i++)
        person_make(&self->people[i], (uint8_t)i);
    room_params(self->people[0].key, 1, newest, &self->params);
    must(self, contract_init(&self->contract, slice_text("room"), buffer_slice(&self->params),
                             &self->why));
    self->state = state_new(&self->contract);
    self->view = room_view_new(&self->contract, ROOM_VIEW_WHOLE);
    assert_non_null(self->view);
    invite(self, 0, 1);
    invite(self, 1, 2);
    invite(self, 2, 3);
    invite(self, 0, 4);
    for (size_t i = 1; i < 5; i++)
        room_join(self, i, 10, true);
}

void room_close(struct room_fixture *self)
{
    for (size_t i = 0; i < ROOM_PEOPLE; i++)
        buffer_free(&self->people[i].chains[0]);
    buffer_free(&self->params);
    buffer_free(&self->delta);
    state_destroy(&self->state);
    room_view_destroy(&self->view);
}

void room_take(struct room_fixture *self)
{
    must(self, state_merge(self->state, buffer_slice(&self->delta), NULL, &self->why));
    must(self, room_view_apply(self->view, buffer_slice(&self->delta), &self->why));
    buffer_clear(&self->delta);
}

struct spot room_speak(struct room_fixture *self, size_t who, uint64_t stamp,
                       enum room_content content, struct spot target, const char *text)
{
    struct room_author author = room_as(self, who);
    struct room_words words = {.plain = slice_text(text ? text : "")};
    struct spot made;
    bool speaks = content >= ROOM_REPLY && content <= ROOM_UNREACT;
    must(self, room_write_message(&author, stamp, content, speaks ? target.bytes : NULL,
                                  text ? &words : NULL, made.bytes, &self->delta, &self->why));
    room_take(self);
    return made;
}

struct spot room_say(struct room_fixture *self, size_t who, uint64_t stamp, const char *text)
{
    return room_speak(self, who, stamp, ROOM_TEXT, (struct spot){{0}}, text);
}

void room_ban(struct room_fixture *self, size_t who, uint64_t stamp, size_t target, bool in_force)
{
    struct room_author author = room_as(self, who);
    must(self, room_write_ban(&author, stamp, self->people[target].key, in_force, &self->delta,
                              &self->why));
    room_take(self);
}

void room_nick(struct room_fixture *self, size_t who, uint64_t stamp, const char *name)
{
    struct room_author author = room_as(self, who);
    struct room_words words = {.plain = slice_text(name)};
    must(self, room_write_nickname(&author, stamp, &words, &self->delta, &self->why));
    room_take(self);
}

void room_join(struct room_fixture *self, size_t who, uint64_t stamp, bool here)
{
    struct room_author author = room_as(self, who);
    must(self, room_write_member(&author, stamp, here, &self->delta, &self->why));
    room_take(self);
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, WRITER_KEY_BYTES);
}

void room_configure(struct room_fixture *self, uint64_t stamp, const char *moderators,
                    void (*change)(struct room_settings *settings))
{
    struct room_author author = room_as(self, 0);
    struct room_settings settings = {.config = room_config_default()};
    uint8_t keys[ROOM_PEOPLE * WRITER_KEY_BYTES];
    size_t count = strlen(moderators);
    for (size_t i = 0; i < count; i++)
        memcpy(keys + i * WRITER_KEY_BYTES, self->people[moderators[i] - '0'].key,
               WRITER_KEY_BYTES);
    if (count)
        qsort(keys, count, WRITER_KEY_BYTES, by_bytes);
    settings.config.moderators = slice_of(keys, count * WRITER_KEY_BYTES);
    if (change)
        change(&settings);
    must(self, room_write_config(&author, stamp, &settings, &self->delta, &self->why));
    room_take(self);
}

static char digit_of(const struct room_fixture *self, const uint8_t *key)
{
    for (size_t i = 0; i < ROOM_PEOPLE; i++)
        if (memcmp(self->people[i].key, key, WRITER_KEY_BYTES) == 0)
            return (char)('0' + i);
    return '?';
}

const char *room_members(struct room_fixture *self)
{
    size_t used = 0;
    for (size_t i = 0; i < room_view_member_count(self->view); i++)
        self->shown[used++] = digit_of(self, room_view_member(self->view, i)->key);
    self->shown[used] = 0;
    return self->shown;
}

static void add(struct room_fixture *self, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(struct room_fixture *self, const char *format, ...)
{
    size_t used = strlen(self->shown);
    va_list values;
    va_start(values, format);
    (void)vsnprintf(self->shown + used, sizeof self->shown - used, format, values);
    va_end(values);
}

static void add_reactions(struct room_fixture *self, const struct room_message *message)
{
    for (size_t i = 0; i < message->reaction_count; i++) {
        const struct room_reaction *reaction = &message->reactions[i];
        add(self, "%s%.*s:", i ? " " : "[", (int)reaction->text.size,
            (const char *)reaction->text.data);
        for (size_t j = 0; j < reaction->count; j++)
            add(self, "%c", digit_of(self, reaction->authors[j]));
    }
    if (message->reaction_count)
        add(self, "]");
}

const char *room_messages(struct room_fixture *self)
{
    self->shown[0] = 0;
    for (size_t i = 0; i < room_view_message_count(self->view); i++) {
        const struct room_message *message = room_view_message(self->view, i);
        add(self, "%s%.*s%s%s%s", i ? " " : "", (int)message->text.size,
            (const char *)message->text.data, message->edited ? "*" : "",
            message->deleted ? "-" : "", message->sealed ? "?" : "");
        add_reactions(self, message);
    }
    return self->shown;
}

void room_refuses(struct room_fixture *self, struct slice delta, const char *says)
{
    size_t changed = 77;
    struct summary before = *state_summary(self->state);
    self->why.text[0] = 0;
    assert_int_equal(state_merge(self->state, delta, &changed, &self->why), ERR_BAD_STATE);
    if (!strstr(self->why.text, says))
        fail_msg("'%s', wanted '%s'", self->why.text, says);
    assert_int_equal(strncmp(self->why.text, "entry ", 6), 0);
    assert_int_equal(changed, 77);
    assert_true(summary_equal(&before, state_summary(self->state)));
}
