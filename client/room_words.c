/* room_words: what people write: messages, what is done to messages, direct messages. */
#include "base/utf8.h"
#include "client/room.h"

#include <sodium.h>

/* --- texts ----------------------------------------------------------------------------------- */

static int check_text(weir_room_t *self, struct slice text, size_t max, const char *what)
{
    if (text.size > max)
        return fail(&self->reason, ERR_TOO_LARGE, "a %s of %zu bytes: this room takes at most %zu",
                    what, text.size, max);
    if (!utf8_is(text))
        return fail(&self->reason, ERR_BAD_REQUEST, "the %s is no text: its bytes are not UTF-8",
                    what);
    return 0;
}

int room_words(weir_room_t *self, const struct room_writing *write, struct weir_bytes text,
               size_t max, const char *what, struct room_saying *saying)
{
    *saying = (struct room_saying){.words = {.plain = bytes_slice(text)}};
    int rc = check_text(self, saying->words.plain, max, what);
    if (rc || !(write->becomes_private || room_is_private(self, write->now)))
        return rc;
    saying->words.key = room_sealing_key(self, write->now);
    if (!saying->words.key)
        return fail(&self->reason, ERR_DENIED,
                    "the key of this private room is not here yet: a member must share it");
    saying->words.nonce = saying->nonce;
    randombytes_buf(saying->nonce, sizeof saying->nonce);
    return 0;
}

/* --- messages -------------------------------------------------------------------------------- */

/* What is known of a message that another speaks about. */
struct target {
    const uint8_t *spot;
    uint8_t author[WRITER_KEY_BYTES];
    enum room_content content;
    bool deleted;
};

static bool find_pending(const weir_room_t *self, const uint8_t *spot, struct target *target)
{
    struct room_pending_walk walk = room_pending_walk(self);
    struct room_record record;
    struct entry entry;
    while (room_pending_next(self, &walk, &entry))
        if (entry.key.data[0] == ROOM_MESSAGE &&
            memcmp(entry.key.data + 1, spot, ROOM_SPOT_BYTES) == 0 &&
            room_record_read(room_contract(self), entry.key, entry.value, &record, NULL) == 0) {
            target->content = record.content;
            memcpy(target->author, record.author, sizeof target->author);
            return true;
        }
    return false;
}

static int find_target(weir_room_t *self, const uint8_t *spot, struct target *target)
{
    size_t i;
    *target = (struct target){.spot = spot};
    if (weir_room_find_spot(self, spot, &i) == 0) {
        const struct room_message *message = room_view_message(self->view, i);
        memcpy(target->author, message->author, sizeof target->author);
        target->content = message->content;
        target->deleted = message->deleted;
        return 0;
    }
    if (find_pending(self, spot, target))
        return 0;
    return fail(&self->reason, ERR_NOT_FOUND, "there is no such message among those shown here");
}

static void look_at_action(const weir_room_t *self, const struct entry *entry, const uint8_t *spot,
                           uint64_t *last)
{
    struct room_record record;
    if (entry->key.data[0] == ROOM_MESSAGE &&
        room_record_read(room_contract(self), entry->key, entry->value, &record, NULL) == 0 &&
        record.target && memcmp(record.target, spot, ROOM_SPOT_BYTES) == 0 &&
        room_same_key(record.author, self->me->public_key) && record.stamp > *last)
        *last = record.stamp;
}

/* The stamp of the last thing that `me` did to a message, and no less than the message's own. */
static uint64_t last_action(const weir_room_t *self, const uint8_t *spot)
{
    uint64_t last = get_u64(spot);
    uint8_t from[1 + ROOM_SPOT_BYTES] = {ROOM_MESSAGE};
    struct room_pending_walk walk = room_pending_walk(self);
    struct state_reader state = room_view_reader(self->view);
    struct entry entry;
    memcpy(from + 1, spot, ROOM_SPOT_BYTES);
    while (state.seek(state.self, slice_of(from, sizeof from), true, &entry) == 0 &&
           entry.key.data[0] == ROOM_MESSAGE) {
        look_at_action(self, &entry, spot, &last);
        memcpy(from, entry.key.data, sizeof from);
    }
    while (room_pending_next(self, &walk, &entry))
        look_at_action(self, &entry, spot, &last);
    return last;
}

/* The stamp of what speaks about a message: as any other, but where that is dated ahead of our
 * clock just after it, and after what `me` did to it before. Of those further ahead than nodes take
 * only a deletion may be dated so (contracts/dates.h). */
static int action_stamp(weir_room_t *self, enum room_content content, const uint8_t *spot,
                        uint64_t *stamp)
{
    uint64_t target = get_u64(spot);
    if (content == ROOM_DELETE && room_is_ahead(target))
        return sequence_next(target, stamp, &self->reason);
    int rc = room_stamp(self, 0, stamp);
    if (!rc && *stamp <= target)
        rc = room_stamp(self, last_action(self, spot), stamp);
    return rc;
}

/* A message to be written. */
struct message {
    enum room_content content;
    const uint8_t *about;          /* the spot of what it speaks about, or NULL */
    const struct weir_bytes *text; /* NULL: it has none */
    uint8_t *spot;                 /* out; may be NULL */
};

static bool has_text(const struct target *target)
{
    return target->content == ROOM_TEXT || target->content == ROOM_REPLY;
}

static int may_edit(weir_room_t *self, const struct target *target)
{
    if (!room_same_key(target->author, self->me->public_key))
        return fail(&self->reason, ERR_DENIED, "a message is edited by its author alone");
    if (!has_text(target) || target->deleted)
        return fail(&self->reason, ERR_DENIED, "the message has no text to edit");
    return 0;
}

static int may_delete(weir_room_t *self, const struct room_writing *write,
                      const struct target *target)
{
    if (room_same_key(target->author, self->me->public_key) ||
        room_moderates(self, write->now, self->me->public_key))
        return 0;
    return fail(&self->reason, ERR_DENIED,
                "a message is deleted by its author, a moderator or the owner");
}

/* Is there what the message speaks about, and may `me` say that of it? */
static int check_target(weir_room_t *self, const struct room_writing *write,
                        const struct message *message)
{
    struct target target;
    int rc = find_target(self, message->about, &target);
    if (!rc && message->content == ROOM_EDIT)
        rc = may_edit(self, &target);
    if (!rc && message->content == ROOM_DELETE)
        rc = may_delete(self, write, &target);
    return rc;
}

static int check_words(weir_room_t *self, const struct room_writing *write,
                       const struct message *message, struct room_saying *saying)
{
    bool reacts = message->content == ROOM_REACT || message->content == ROOM_UNREACT;
    size_t max = reacts ? ROOM_REACTION_BYTES_MAX : room_view_config(write->now)->message_bytes;
    if (!message->text->size)
        return fail(&self->reason, ERR_BAD_REQUEST, "there is nothing to say: the text is empty");
    return room_words(self, write, *message->text, max, reacts ? "reaction" : "message", saying);
}

static int queue_message(weir_room_t *self, struct room_writing *write, const void *arg)
{
    const struct message *message = arg;
    struct room_saying saying;
    uint64_t stamp;
    int rc = message->about ? check_target(self, write, message) : 0;
    if (!rc && message->text)
        rc = check_words(self, write, message, &saying);
    if (!rc)
        rc = message->about ? action_stamp(self, message->content, message->about, &stamp)
                            : room_stamp(self, 0, &stamp);
    return rc ? rc
              : room_write_message(&write->author, stamp, message->content, message->about,
                                   message->text ? &saying.words : NULL, message->spot,
                                   &self->queued, &self->reason);
}

int weir_room_say(weir_room_t *room, struct weir_bytes text, uint8_t *spot)
{
    return room_write(room, queue_message, &(struct message){ROOM_TEXT, NULL, &text, spot});
}

int weir_room_reply(weir_room_t *room, const uint8_t *to, struct weir_bytes text, uint8_t *spot)
{
    return room_write(room, queue_message, &(struct message){ROOM_REPLY, to, &text, spot});
}

int weir_room_edit(weir_room_t *room, const uint8_t *message, struct weir_bytes text)
{
    return room_write(room, queue_message, &(struct message){ROOM_EDIT, message, &text, NULL});
}

int weir_room_delete(weir_room_t *room, const uint8_t *message)
{
    return room_write(room, queue_message, &(struct message){ROOM_DELETE, message, NULL, NULL});
}

int weir_room_react(weir_room_t *room, const uint8_t *message, struct weir_bytes text, int remove)
{
    enum room_content content = remove ? ROOM_UNREACT : ROOM_REACT;
    return room_write(room, queue_message, &(struct message){content, message, &text, NULL});
}

/* --- direct messages ------------------------------------------------------------------------- */

struct letter {
    const uint8_t *to;
    struct slice text;
};

static int queue_direct(weir_room_t *self, struct room_writing *write, const void *arg)
{
    const struct letter *letter = arg;
    uint8_t nonce[ROOM_NONCE_BYTES];
    uint64_t stamp;
    if (!room_view_find_member(write->now, letter->to))
        return fail(&self->reason, ERR_NOT_FOUND, "who it is for is no member of this room now");
    if (!letter->text.size)
        return fail(&self->reason, ERR_BAD_REQUEST, "there is nothing to say: the text is empty");
    int rc = check_text(self, letter->text, ROOM_TEXT_BYTES_MAX, "direct message");
    if (!rc)
        rc = room_stamp(self, 0, &stamp);
    if (rc)
        return rc;
    randombytes_buf(nonce, sizeof nonce);
    return room_write_direct(&write->author, stamp, letter->to, nonce, letter->text, &self->queued,
                             &self->reason);
}

int weir_room_direct(weir_room_t *room, const uint8_t *member, struct weir_bytes text)
{
    return room_write(room, queue_direct, &(struct letter){member, bytes_slice(text)});
}
