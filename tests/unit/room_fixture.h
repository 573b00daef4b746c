/* room_fixture: a room with people in it, for the tests of contracts/room*. 0 is the owner, who
 * invited 1 and 4; 1 invited 2, 2 invited 3; 5 was invited by nobody. All but 5 have joined. */
#ifndef ROOM_FIXTURE_H
#define ROOM_FIXTURE_H

#include "tests/property/rooms.h"

struct spot {
    uint8_t bytes[ROOM_SPOT_BYTES];
};

struct room_fixture {
    struct buffer params;
    struct contract contract;
    struct person people[ROOM_PEOPLE];
    state_t *state;
    room_view_t *view;
    struct buffer delta; /* of the last write */
    struct reason why;
    char shown[1024];
};

void room_open(struct room_fixture *self, uint64_t newest);
void room_close(struct room_fixture *self);

/* For cmocka: *state is such a room, open, with the greatest cap. */
int room_set_up(void **state);
int room_tear_down(void **state);

struct room_author room_as(const struct room_fixture *self, size_t who);

/* Merges self->delta into state and view with all checks, which must do; empties it. */
void room_take(struct room_fixture *self);

/* Writes and takes. Stamps as given. */
struct spot room_say(struct room_fixture *self, size_t who, uint64_t stamp, const char *text);
struct spot room_speak(struct room_fixture *self, size_t who, uint64_t stamp,
                       enum room_content content, struct spot target, const char *text);
void room_ban(struct room_fixture *self, size_t who, uint64_t stamp, size_t target, bool in_force);
void room_nick(struct room_fixture *self, size_t who, uint64_t stamp, const char *name);
void room_join(struct room_fixture *self, size_t who, uint64_t stamp, bool here);

/* The defaults with these moderators (digits), caps changed by `change` (may be NULL). */
void room_configure(struct room_fixture *self, uint64_t stamp, const char *moderators,
                    void (*change)(struct room_settings *settings));

/* The members as digits, in the view's order, and the messages: `text`, `text*` edited, `-`
 * deleted, `?` sealed, `text[+1:2 …]` reactions with who; blanks between. Borrowed until the next
 * call. */
const char *room_members(struct room_fixture *self);
const char *room_messages(struct room_fixture *self);

/* Fails the test when state_merge of the delta does not refuse it with a sentence that has `says`,
 * or when anything changed. */
void room_refuses(struct room_fixture *self, struct slice delta, const char *says);

#endif
