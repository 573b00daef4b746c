/* room: a group chat. What an entry is made of stands in contracts/room_record.h; what a room means
 * to people in contracts/room_view.h; here is what a merge needs.
 *
 * An entry is taken by its own bytes alone: it brings its author's chain of invitations. A cap on
 * all entries of a room drops the oldest messages, direct ones among them. */
#include "contracts/kind.h"
#include "contracts/proofs.h"
#include "contracts/room_view.h"
#include "contracts/view.h"
#include "contracts/writers.h"

#include <sodium/crypto_generichash.h>
#include <sodium/crypto_sign.h>

static int finish_params(struct contract *contract, struct reason *why)
{
    if (!contract->owner || !contract_param(contract, "salt").size)
        return fail(why, ERR_BAD_PARAMS,
                    "a room needs its owner's public key, `owner`, and %d random bytes, `salt`",
                    ROOM_SALT_BYTES);
    if (contract->newest == UINT64_MAX)
        contract->newest = ROOM_ENTRIES_MAX;
    if (contract->newest > ROOM_ENTRIES_MAX)
        return fail(why, ERR_BAD_PARAMS, "newest: %llu entries, the most is %u",
                    (unsigned long long)contract->newest, ROOM_ENTRIES_MAX);
    return 0;
}

/* Is its id the hash of it, in this room? Of the contract only the key is looked at. */
static bool has_its_id(const struct contract *contract, struct slice key,
                       const struct room_record *record)
{
    uint8_t id[ROOM_ID_BYTES];
    struct slice rest =
        slice_of(record->chain.data - 1, 1 + record->chain.size + record->body.size);
    room_record_id(contract, record->author, slice_of(key.data, room_head_bytes(key)),
                   record->stamp, rest, id);
    return memcmp(id, record->id, sizeof id) == 0;
}

static int check_entry(const struct contract *contract, struct slice key, struct slice value,
                       struct reason *why)
{
    struct room_record record;
    int rc = room_record_read(contract, key, value, &record, why);
    if (!rc && !has_its_id(contract, key, &record))
        rc = fail(why, ERR_BAD_STATE, "its id is not the hash of it, in this room");
    return rc;
}

/* Does it delete a message that stands right before it in time? Such a one must be written however
 * far ahead that message is dated: an action is later than its target. */
static bool follows_its_target(const struct room_record *record)
{
    struct slice body = record->body;
    if (record->section != ROOM_MESSAGE || body.size != 1 + ROOM_SPOT_BYTES ||
        body.data[0] != ROOM_DELETE)
        return false;
    uint64_t target = get_u64(body.data + 1);
    return record->stamp >= target && record->stamp - target <= CLOCK_TICKS_A_MS;
}

static int dated(const struct contract_key *contract, struct slice key, struct slice value,
                 uint64_t latest, uint64_t *stamp)
{
    struct room_record record;
    if (room_record_frame(key, value, &record, NULL))
        return ERR_NOT_FOUND;
    if (record.stamp <= latest || follows_its_target(&record))
        return 0;
    if (!has_its_id(&(struct contract){.key = *contract}, key, &record))
        return ERR_NOT_FOUND;
    *stamp = record.stamp;
    return 1;
}

/* --- the right to write ------------------------------------------------------------------ */

static bool link_verifies(const struct contract *contract, struct proofs *proofs,
                          const uint8_t *inviter, const uint8_t *link)
{
    uint8_t message[ROOM_LINK_SIGNED_BYTES], hash[PROOF_BYTES];
    const uint8_t *signature = link + WRITER_KEY_BYTES + 8;
    crypto_generichash_state state;
    room_link_signed(contract, inviter, link, get_u64(link + WRITER_KEY_BYTES), message);
    crypto_generichash_init(&state, NULL, 0, sizeof hash);
    crypto_generichash_update(&state, message, sizeof message);
    crypto_generichash_update(&state, signature, SIGNATURE_BYTES);
    crypto_generichash_final(&state, hash, sizeof hash);
    if (proofs_have(proofs, hash))
        return true;
    if (crypto_sign_verify_detached(signature, message, sizeof message, inviter) != 0)
        return false;
    proofs_add(proofs, hash);
    return true;
}

/* Does the state hold the author's member entry with this very chain? Then it was verified. */
static int is_known(const struct state_reader *state, const struct room_record *record)
{
    uint8_t key[1 + WRITER_KEY_BYTES] = {ROOM_MEMBER};
    struct slice held;
    memcpy(key + 1, record->author, WRITER_KEY_BYTES);
    int found = state ? reader_find(state, slice_of(key, sizeof key), &held) : 0;
    if (found <= 0)
        return found;
    size_t size = 1 + record->chain.size;
    return held.size > ROOM_SPOT_BYTES + size &&
           memcmp(held.data + ROOM_SPOT_BYTES, record->chain.data - 1, size) == 0;
}

static int prove(const struct contract *contract, const struct state_reader *state,
                 struct proofs *proofs, struct slice key, struct slice value, struct reason *why)
{
    struct room_record record;
    int rc = room_record_read(contract, key, value, &record, why);
    if (rc)
        return rc;
    int known = is_known(state, &record);
    if (known < 0)
        return fail(why, known, "the state could not be read: %s", error_text(known));
    const uint8_t *inviter = contract->owner;
    for (size_t i = 0; i < room_links(record.chain) && !known; i++) {
        const uint8_t *link = room_link(record.chain, i);
        if (!link_verifies(contract, proofs, inviter, link))
            return fail(why, ERR_BAD_STATE,
                        "its author is a stranger: invitation %zu of %zu does not verify", i + 1,
                        room_links(record.chain));
        inviter = link;
    }
    return 0;
}

/* --- the cap ----------------------------------------------------------------------------- */

/* A walk over the timed entries of one section, the oldest first. */
struct oldest {
    uint8_t last[1 + ROOM_SPOT_BYTES];
    bool there;
};

static int next_oldest(const struct state_reader *merged, struct oldest *self)
{
    struct entry entry;
    uint8_t section = self->last[0];
    int rc = merged->seek(merged->self, slice_of(self->last, sizeof self->last), true, &entry);
    self->there = !rc && entry.key.size == sizeof self->last && entry.key.data[0] == section;
    if (self->there)
        memcpy(self->last, entry.key.data, sizeof self->last);
    return rc == ERR_NOT_FOUND ? 0 : rc;
}

/* Drops the oldest messages, direct ones among them, until the whole room has no more than `newest`
 * entries. Other entries are never dropped, so their number only grows with the set, and what is
 * kept of a part contains what is kept of the whole: pruning commutes with merging (lesson M4). */
static int settle(const struct contract *contract, const struct state_reader *merged,
                  struct drops *drops)
{
    uint64_t count = merged->count(merged->self);
    if (count <= contract->newest)
        return 0;
    struct oldest direct = {.last = {ROOM_DIRECT}}, message = {.last = {ROOM_MESSAGE}};
    int rc = next_oldest(merged, &direct);
    if (!rc)
        rc = next_oldest(merged, &message);
    for (uint64_t excess = count - contract->newest; !rc && excess; excess--) {
        struct oldest *drop = &message;
        if (!message.there ||
            (direct.there && memcmp(direct.last + 1, message.last + 1, ROOM_SPOT_BYTES) < 0))
            drop = &direct;
        if (!drop->there)
            break;
        rc = drops->drop(drops->self, slice_of(drop->last, sizeof drop->last));
        if (!rc)
            rc = next_oldest(merged, drop);
    }
    return rc;
}

/* --- for people -------------------------------------------------------------------------- */

/* No EDIT: only who holds a member's secret key can write. */
static int no_edit(const struct contract *contract, const struct state_reader *state,
                   const struct editor *editor, const struct edit_verb *verb,
                   const struct slice *operands, size_t count, struct buffer *delta,
                   struct reason *why)
{
    (void)state, (void)editor, (void)verb, (void)operands, (void)count, (void)delta;
    return fail(why, ERR_BAD_KIND, "a %s takes no EDIT", contract->kind->name);
}

static int no_reads(const struct contract *contract, const struct editor *editor,
                    const struct edit_verb *verb, const struct slice *operands, size_t count,
                    range_fn *range, void *self, struct reason *why)
{
    (void)editor, (void)verb, (void)operands, (void)count, (void)range, (void)self;
    return fail(why, ERR_BAD_KIND, "a %s takes no EDIT", contract->kind->name);
}

/* Messages as they stand, with what was said last; what cannot be read without a key says so. */
static int view(const struct contract *contract, struct slice state, view_fn *item, void *self,
                struct reason *why)
{
    room_view_t *room = room_view_new(contract, ROOM_VIEW_PART);
    int rc = room ? room_view_apply(room, state, why) : ERR_NO_MEMORY;
    for (size_t i = 0; !rc && i < room_view_message_count(room); i++) {
        const struct room_message *message = room_view_message(room, i);
        struct slice text = message->text;
        if (message->content == ROOM_JOIN)
            text = slice_text("(joins)");
        else if (message->content == ROOM_LEAVE)
            text = slice_text("(leaves)");
        else if (message->sealed)
            text = slice_text("(sealed)");
        rc = item(self, &(struct view_item){.name = room_view_nickname(room, message->author),
                                            .value = text,
                                            .time_ms = clock_ms(get_u64(message->spot)),
                                            .writer = message->author,
                                            .removed = message->deleted});
    }
    room_view_destroy(&room);
    return rc;
}

static const struct edit_verb verbs[] = {{0}};
static const char *const params[] = {"newest", "owner", "salt", NULL};

extern const struct kind room_kind;
const struct kind room_kind = {
    .name = "room",
    .doc = "a group chat: members by invitation, messages, bans, private rooms",
    .params = params,
    .verbs = verbs,
    .finish_params = finish_params,
    .check_entry = check_entry,
    .prove = prove,
    .dated = dated,
    .compare = compare_bytes,
    .settle = settle,
    .edit = no_edit,
    .reads = no_reads,
    .view = view,
};
