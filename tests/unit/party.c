#include "tests/unit/party.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

void party_open(struct party *self, const struct weir_room_settings *settings)
{
    *self = (struct party){0};
    for (size_t i = 0; i < PARTY_MAX; i++)
        self->signers[i] = weir_signer_new();
    assert_int_equal(weir_room_create(self->signers[0], settings, &self->rooms[0], NULL), 0);
    assert_int_equal(weir_contract_new("room",
                                       weir_contract_params(weir_room_contract(self->rooms[0])),
                                       &self->contract, NULL),
                     0);
    self->state = state_new(&self->contract->contract);
    party_exchange(self);
}

void party_close(struct party *self)
{
    state_destroy(&self->state);
    weir_contract_destroy(&self->contract);
    for (size_t i = 0; i < PARTY_MAX; i++)
        weir_room_destroy(&self->rooms[i]);
    for (size_t i = 0; i < PARTY_MAX; i++)
        weir_signer_destroy(&self->signers[i]);
}

const uint8_t *party_key(const struct party *self, size_t who)
{
    return weir_signer_public(self->signers[who]);
}

static void give(struct party *self, size_t to)
{
    struct buffer whole = {0};
    assert_int_equal(state_encode(self->state, &whole), 0);
    if (weir_room_apply(self->rooms[to], slice_bytes(buffer_slice(&whole))))
        fail_msg("%s", weir_room_error(self->rooms[to]));
    buffer_free(&whole);
}

static void take(struct party *self, size_t from)
{
    struct weir_bytes delta = weir_room_pending(self->rooms[from]);
    if (state_merge(self->state, bytes_slice(delta), NULL, &self->why))
        fail_msg("%s", self->why.text);
    weir_room_forget_pending(self->rooms[from]);
}

/* Twice: what someone got may make it write, such as a copy of a key for itself. */
void party_exchange(struct party *self)
{
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < PARTY_MAX; i++)
            if (self->rooms[i])
                take(self, i);
        for (size_t i = 0; i < PARTY_MAX; i++)
            if (self->rooms[i])
                give(self, i);
    }
}

/* Who has not read the room dates by the clock alone: after all others from the next ms on. */
static void let_the_clock_tick(void)
{
    struct timespec from, now;
    clock_gettime(CLOCK_REALTIME, &from);
    do
        clock_gettime(CLOCK_REALTIME, &now);
    while (now.tv_sec == from.tv_sec && now.tv_nsec / 1000000 == from.tv_nsec / 1000000);
}

void party_join(struct party *self, size_t guest, const char *invitation)
{
    let_the_clock_tick();
    if (weir_room_join(invitation, self->signers[guest], &self->rooms[guest],
                       (struct weir_reason *)&self->why))
        fail_msg("%s", self->why.text);
}

void party_invite(struct party *self, size_t who, size_t guest)
{
    char *text;
    if (weir_room_invite(self->rooms[who], &text))
        fail_msg("%s", weir_room_error(self->rooms[who]));
    party_exchange(self);
    party_join(self, guest, text);
    weir_free(text);
    party_exchange(self);
}

struct party_spot party_say(struct party *self, size_t who, const char *text)
{
    struct party_spot spot;
    if (weir_room_say(self->rooms[who], weir_text(text), spot.bytes))
        fail_msg("%s", weir_room_error(self->rooms[who]));
    party_exchange(self);
    return spot;
}

struct party_spot party_say_at(struct party *self, size_t who, uint64_t stamp, const char *text)
{
    weir_room_t *room = self->rooms[who];
    struct room_author author = {room_contract(room), self->signers[who]->secret,
                                 buffer_slice(&room->chain)};
    struct room_words words = {.plain = slice_text(text)};
    struct buffer delta = {0};
    struct party_spot spot;
    assert_int_equal(
        room_write_message(&author, stamp, ROOM_TEXT, NULL, &words, spot.bytes, &delta, &self->why),
        0);
    assert_int_equal(state_merge(self->state, buffer_slice(&delta), NULL, &self->why), 0);
    buffer_free(&delta);
    party_exchange(self);
    return spot;
}

/* --- shown ----------------------------------------------------------------------------------- */

static void add(struct party *self, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct party *self, const char *format, ...)
{
    size_t used = strlen(self->shown);
    va_list values;
    va_start(values, format);
    (void)vsnprintf(self->shown + used, sizeof self->shown - used, format, values);
    va_end(values);
}

static void add_message(struct party *self, size_t who, size_t i)
{
    struct weir_room_message message;
    struct weir_room_reaction reaction;
    weir_room_message(self->rooms[who], i, &message);
    if (message.content == WEIR_ROOM_JOIN || message.content == WEIR_ROOM_LEAVE)
        add(self, message.content == WEIR_ROOM_JOIN ? "(joins)" : "(leaves)");
    add(self, "%.*s%s%s%s", (int)message.text.size, (const char *)message.text.data,
        message.edited ? "*" : "", message.deleted ? "-" : "", message.sealed ? "?" : "");
    for (size_t r = 0; r < message.reaction_count; r++) {
        weir_room_reaction(self->rooms[who], i, r, &reaction);
        add(self, "%s%.*s%zu", r ? " " : "[", (int)reaction.text.size,
            (const char *)reaction.text.data, reaction.count);
    }
    add(self, "%s ", message.reaction_count ? "]" : "");
}

const char *party_messages(struct party *self, size_t who)
{
    self->shown[0] = 0;
    for (size_t i = 0; i < weir_room_message_count(self->rooms[who]); i++)
        add_message(self, who, i);
    size_t used = strlen(self->shown);
    if (used)
        self->shown[used - 1] = 0;
    return self->shown;
}

const char *party_members(struct party *self, size_t who)
{
    self->shown[0] = 0;
    for (size_t i = 0; i < weir_room_member_count(self->rooms[who]); i++) {
        struct weir_room_member member;
        char digit = '?';
        weir_room_member(self->rooms[who], i, &member);
        for (size_t p = 0; p < PARTY_MAX; p++)
            if (room_same_key(member.key, party_key(self, p)))
                digit = (char)('0' + p);
        add(self, "%c", digit);
    }
    return self->shown;
}

void party_agrees(struct party *self)
{
    char *first = NULL, *other;
    size_t size;
    assert_int_equal(weir_room_print(self->rooms[0], &first, &size), 0);
    for (size_t i = 1; i < PARTY_MAX; i++) {
        if (!self->rooms[i])
            continue;
        assert_int_equal(weir_room_print(self->rooms[i], &other, &size), 0);
        assert_string_equal(first, other);
        weir_free(other);
    }
    weir_free(first);
}
