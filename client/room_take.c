/* room_take: what comes: the view is kept up by it, and what lies sealed in it is opened. */
#include "client/room.h"

#include <sodium.h>
#include <stdlib.h>

/* --- direct messages ------------------------------------------------------------------------- */

static void free_letter(struct room_letter *letter)
{
    if (letter && letter->text.data)
        sodium_memzero(letter->text.data, letter->text.size);
    if (letter)
        buffer_free(&letter->text);
    free(letter);
}

void room_free_letters(weir_room_t *self)
{
    for (size_t i = 0; i < self->letter_count; i++)
        free_letter(self->letters[i]);
    free(self->letters);
    free(self->opened);
    self->letters = NULL;
    self->opened = NULL;
    self->letter_count = self->opened_count = 0;
}

static struct room_letter *new_letter(const weir_room_t *self, const struct room_direct *direct)
{
    const uint8_t *me = self->me->public_key;
    const uint8_t *other = room_same_key(direct->author, me) ? direct->recipient : direct->author;
    struct room_letter *letter = calloc(1, sizeof *letter);
    if (!letter)
        return NULL;
    memcpy(letter->spot, direct->spot, sizeof letter->spot);
    memcpy(letter->author, direct->author, sizeof letter->author);
    memcpy(letter->recipient, direct->recipient, sizeof letter->recipient);
    letter->opens =
        room_direct_open(self->me->secret, other, direct->nonce, direct->box, &letter->text) == 0;
    if (buffer_failed(&letter->text)) {
        free_letter(letter);
        return NULL;
    }
    letter->shown =
        (struct weir_room_direct_message){.spot = letter->spot,
                                          .author = letter->author,
                                          .recipient = letter->recipient,
                                          .time_ms = clock_ms(get_u64(letter->spot)),
                                          .text = slice_bytes(buffer_slice(&letter->text))};
    return letter;
}

static bool is_mine(const weir_room_t *self, const struct room_direct *direct)
{
    const uint8_t *me = self->me->public_key;
    return room_same_key(direct->author, me) || room_same_key(direct->recipient, me);
}

/* The letter of a spot as it was opened before, or a new one. Those before it, from *old on, are
 * not in the view any more. */
static struct room_letter *next_letter(weir_room_t *self, const struct room_direct *direct,
                                       size_t *old)
{
    while (*old < self->letter_count) {
        struct room_letter *letter = self->letters[*old];
        int order = memcmp(letter->spot, direct->spot, ROOM_SPOT_BYTES);
        if (order > 0)
            break;
        self->letters[(*old)++] = NULL;
        if (order == 0)
            return letter;
        free_letter(letter);
    }
    return new_letter(self, direct);
}

/* Opening one costs 100 µs, so each is opened once. */
int room_open_letters(weir_room_t *self)
{
    size_t all = room_view_direct_count(self->view), count = 0, opened = 0, old = 0;
    struct room_letter **letters = calloc(all + 1, sizeof *letters);
    const struct room_letter **shown = calloc(all + 1, sizeof *shown);
    bool failed = !letters || !shown;
    for (size_t i = 0; i < all && !failed; i++) {
        const struct room_direct *direct = room_view_direct(self->view, i);
        if (!is_mine(self, direct))
            continue;
        letters[count] = next_letter(self, direct, &old);
        failed = !letters[count];
        if (!failed && letters[count]->opens)
            shown[opened++] = letters[count];
        count += !failed;
    }
    room_free_letters(self);
    self->letters = letters;
    self->opened = shown;
    self->letter_count = count;
    self->opened_count = opened;
    return failed ? fail(&self->reason, ERR_NO_MEMORY, "no memory for direct messages") : 0;
}

/* --- the view -------------------------------------------------------------------------------- */

struct sections {
    bool registers, directs;
};

/* Moves our clock, and tells what the delta is about. */
static struct sections look_through(weir_room_t *self, struct slice delta)
{
    struct sections found = {false, false};
    struct entries walk = entries_of(delta);
    struct room_record record;
    struct entry entry;
    while (entries_next(&walk, &entry, NULL) == 1) {
        if (room_record_read(room_contract(self), entry.key, entry.value, &record, NULL) == 0)
            room_see_stamp(self, record.stamp);
        found.registers |= !room_is_timed(entry.key);
        found.directs |= entry.key.data[0] == ROOM_DIRECT;
    }
    return found;
}

int room_take(weir_room_t *self, struct slice delta)
{
    if (self->broken)
        return fail(&self->reason, self->broken, "no memory for the room's view");
    int rc = room_view_apply(self->view, delta, &self->reason);
    if (rc) {
        self->broken = rc == ERR_NO_MEMORY ? rc : 0;
        return rc;
    }
    struct sections found = look_through(self, delta);
    if (found.registers) {
        self->ahead_stale = true;
        rc = room_drop_second_join(self);
        if (!rc)
            rc = room_join_again(self);
        if (!rc)
            rc = room_absorb_keys(self);
    }
    if (!rc && (found.registers || found.directs))
        rc = room_open_letters(self);
    return rc;
}

/* A new view with the keys that are held, in the place of a broken one. */
static int renew_view(weir_room_t *self)
{
    room_view_t *view = room_view_new(room_contract(self), ROOM_VIEW_WHOLE);
    int rc = view ? 0 : ERR_NO_MEMORY;
    for (size_t i = 0; i < self->key_count && !rc; i++)
        rc = room_view_add_key(view, self->keys[i].key);
    if (rc) {
        room_view_destroy(&view);
        return fail(&self->reason, rc, "no memory for the room's view");
    }
    room_view_destroy(&self->view);
    self->view = view;
    self->broken = 0;
    self->ahead_stale = true;
    return 0;
}

int room_take_whole(weir_room_t *self, struct slice state)
{
    int rc = self->broken ? renew_view(self) : 0;
    return rc ? rc : room_take(self, state);
}

int weir_room_apply(weir_room_t *room, struct weir_bytes delta)
{
    return room_take(room, bytes_slice(delta));
}

/* --- what a delta speaks of ------------------------------------------------------------------ */

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, ROOM_SPOT_BYTES);
}

static bool is_action(const struct room_record *record)
{
    return record->target && record->content != ROOM_REPLY;
}

int room_delta_spots(const weir_room_t *self, struct slice delta, struct buffer *spots,
                     bool *people)
{
    struct entries walk = entries_of(delta);
    struct room_record record;
    struct entry entry;
    size_t kept = 0;
    *people = false;
    while (entries_next(&walk, &entry, NULL) == 1) {
        *people |= !room_is_timed(entry.key);
        if (entry.key.data[0] == ROOM_MESSAGE &&
            room_record_read(room_contract(self), entry.key, entry.value, &record, NULL) == 0)
            buffer_append(spots, is_action(&record) ? record.target : entry.key.data + 1,
                          ROOM_SPOT_BYTES);
    }
    if (buffer_failed(spots))
        return ERR_NO_MEMORY;
    size_t count = spots->size / ROOM_SPOT_BYTES;
    if (count)
        qsort(spots->data, count, ROOM_SPOT_BYTES, by_bytes);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *spot = spots->data + i * ROOM_SPOT_BYTES;
        if (kept && by_bytes(spots->data + (kept - 1) * ROOM_SPOT_BYTES, spot) == 0)
            continue;
        memmove(spots->data + kept++ * ROOM_SPOT_BYTES, spot, ROOM_SPOT_BYTES);
    }
    spots->size = kept * ROOM_SPOT_BYTES;
    return 0;
}
