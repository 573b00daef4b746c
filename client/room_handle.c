/* room_handle: how one comes by a room: created, joined, opened from a card; and the card. */
#include "client/room.h"
#include "contracts/merge.h"

#include <sodium.h>
#include <stdlib.h>

static struct reason *inner_reason(struct weir_reason *why)
{
    return (struct reason *)why;
}

void weir_room_destroy(weir_room_t **room)
{
    weir_room_t *self = *room;
    *room = NULL;
    if (!self)
        return;
    if (self->followed_by)
        (void)weir_room_unfollow(self->followed_by, self);
    room_let_go(self);
    room_free_letters(self);
    room_view_destroy(&self->view);
    room_view_destroy(&self->ahead);
    if (self->keys)
        sodium_memzero(self->keys, self->key_count * sizeof *self->keys);
    free(self->keys);
    for (size_t i = 0; i < self->invitation_count; i++)
        sodium_free(self->invitations[i].seed);
    buffer_free(&self->chain);
    buffer_free(&self->queued);
    buffer_free(&self->pending);
    weir_contract_destroy(&self->contract);
    free(self);
}

/* A room without a chain. ERR_BAD_REQUEST where the parameters are no room's. */
static int room_new(const weir_signer_t *me, struct slice params, weir_room_t **room,
                    struct reason *why)
{
    weir_room_t *self = calloc(1, sizeof *self);
    if (!self)
        return fail(why, ERR_NO_MEMORY, "no memory for a room");
    self->me = me;
    int rc =
        weir_contract_new("room", slice_bytes(params), &self->contract, (struct weir_reason *)why);
    if (!rc) {
        self->view = room_view_new(room_contract(self), ROOM_VIEW_WHOLE);
        rc = self->view ? 0 : fail(why, ERR_NO_MEMORY, "no memory for a room's view");
    }
    if (rc) {
        weir_room_destroy(&self);
        return rc == ERR_NO_MEMORY ? rc : ERR_BAD_REQUEST;
    }
    *room = self;
    return 0;
}

/* Hands a room over that was begun with rc, or destroys it and tells why. */
static int hand_over(weir_room_t *self, int rc, weir_room_t **room, struct reason *why)
{
    if (rc) {
        if (why)
            *why = self->reason;
        weir_room_destroy(&self);
        return rc;
    }
    *room = self;
    return 0;
}

/* --- created --------------------------------------------------------------------------------- */

static void room_params(const weir_signer_t *me, struct buffer *params)
{
    uint8_t salt[ROOM_SALT_BYTES];
    randombytes_buf(salt, sizeof salt);
    entry_append(params, slice_text("owner"), slice_of(me->public_key, WRITER_KEY_BYTES));
    entry_append(params, slice_text("salt"), slice_of(salt, sizeof salt));
}

static int queue_first(weir_room_t *self, struct room_writing *write, const void *arg)
{
    const struct weir_room_settings *settings = arg;
    int rc = settings->is_private ? room_queue_rotation(self, write) : 0;
    return rc ? rc : room_queue_config(self, write, settings);
}

int weir_room_create(const weir_signer_t *me, const struct weir_room_settings *settings,
                     weir_room_t **room, struct weir_reason *why)
{
    static const struct weir_room_settings defaults;
    struct buffer params = {0};
    weir_room_t *self;
    room_params(me, &params);
    int rc = buffer_failed(&params) ? fail(inner_reason(why), ERR_NO_MEMORY, "no memory for a room")
                                    : room_new(me, buffer_slice(&params), &self, inner_reason(why));
    buffer_free(&params);
    if (rc)
        return rc;
    settings = settings ? settings : &defaults;
    self->is_new = true;
    self->said_private = settings->is_private;
    return hand_over(self, room_write(self, queue_first, settings), room, inner_reason(why));
}

/* --- joined ---------------------------------------------------------------------------------- */

/* Behind those that are kept; past the most that are, the oldest are not. */
static int keep_seed(weir_room_t *self, const uint8_t *seed)
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    struct room_invitation *to = &self->invitations[self->invitation_count];
    for (size_t i = 0; i < self->invitation_count; i++)
        if (sodium_memcmp(self->invitations[i].seed, seed, ROOM_SEED_BYTES) == 0)
            return 0;
    if (self->invitation_count == ROOM_SEEDS_MAX)
        return 0;
    to->seed = sodium_malloc(ROOM_SEED_BYTES);
    if (!to->seed)
        return fail(&self->reason, ERR_NO_MEMORY, "no memory for an invitation");
    memcpy(to->seed, seed, ROOM_SEED_BYTES);
    crypto_sign_seed_keypair(to->key, secret, seed);
    sodium_memzero(secret, sizeof secret);
    self->invitation_count++;
    return 0;
}

static int keep_seeds(weir_room_t *self, const struct room_code *code)
{
    int rc = code->seed ? keep_seed(self, code->seed) : 0;
    for (size_t at = 0; !rc && at < code->more.size; at += ROOM_SEED_BYTES)
        rc = keep_seed(self, code->more.data + at);
    return rc;
}

/* What is written with a chain is dated after it. */
static void see_chain(weir_room_t *self, struct slice chain)
{
    for (size_t i = 0; i < room_links(chain); i++)
        room_see_stamp(self, get_u64(room_link(chain, i) + WRITER_KEY_BYTES));
}

/* The place of a key in a chain, the chain's length when it is not in it. */
static size_t place_in(struct slice chain, const uint8_t *key)
{
    size_t i = 0;
    while (i < room_links(chain) && !room_same_key(room_link(chain, i), key))
        i++;
    return i;
}

/* The chain to `me`: the invitation's and a link by its key. Who stands in the invitation's chain
 * already, or above it, needs none of what follows. */
static int extend_chain(weir_room_t *self, struct slice chain)
{
    uint8_t public_key[WRITER_KEY_BYTES], secret[crypto_sign_SECRETKEYBYTES];
    size_t place = place_in(chain, self->me->public_key), links = room_links(chain);
    uint64_t stamp;
    see_chain(self, chain);
    if (room_is_owner(self))
        return 0;
    if (place < links) {
        buffer_append(&self->chain, chain.data, (place + 1) * ROOM_LINK_BYTES);
        return buffer_failed(&self->chain) ? ERR_NO_MEMORY : 0;
    }
    if (links == ROOM_LINKS_MAX ||
        !room_same_key(room_link(chain, links - 1), self->invitations[0].key))
        return fail(&self->reason, ERR_BAD_REQUEST, "the invitation's links do not lead to it");
    int rc = room_stamp(self, 0, &stamp);
    if (rc)
        return rc;
    crypto_sign_seed_keypair(public_key, secret, self->invitations[0].seed);
    struct room_author inviter = {room_contract(self), secret, chain};
    room_write_link(&inviter, self->me->public_key, stamp, &self->chain);
    sodium_memzero(secret, sizeof secret);
    return buffer_failed(&self->chain) ? ERR_NO_MEMORY : 0;
}

/* The owner is in the room anyway. What is queued proves the whole chain. */
static int queue_join(weir_room_t *self)
{
    struct room_writing write;
    struct buffer delta = {0};
    if (room_is_owner(self))
        return 0;
    int rc = room_begin(self, &write); /* that it is a member */
    if (!rc)
        rc = room_queue_plain(self, &write, ROOM_JOIN);
    if (!rc)
        rc = room_pending(self, &delta);
    if (!rc)
        rc = contract_check(room_contract(self), NULL, buffer_slice(&delta), NULL, &self->reason);
    buffer_free(&delta);
    if (rc == ERR_BAD_STATE)
        rc = fail(&self->reason, ERR_BAD_REQUEST,
                  "nobody in the room gave this invitation: it does not verify");
    self->joins = true;
    return room_end(self, &write, rc);
}

static int join(const struct room_code *code, const weir_signer_t *me, weir_room_t **room,
                struct reason *why)
{
    weir_room_t *self;
    int rc = room_new(me, code->params, &self, why);
    if (rc)
        return rc;
    self->said_private = code->is_private;
    rc = keep_seed(self, code->seed);
    if (!rc)
        rc = extend_chain(self, code->chain);
    if (!rc)
        rc = queue_join(self);
    return hand_over(self, rc, room, why);
}

int weir_room_join(const char *invitation, const weir_signer_t *me, weir_room_t **room,
                   struct weir_reason *why)
{
    uint8_t bytes[ROOM_INVITATION_BYTES_MAX];
    struct room_code code;
    int rc = room_invitation_read(invitation, bytes, &code, inner_reason(why));
    if (!rc)
        rc = join(&code, me, room, inner_reason(why));
    sodium_memzero(bytes, sizeof bytes);
    return rc;
}

/* --- cards ----------------------------------------------------------------------------------- */

/* Those that may be needed still, side by side; how many. */
static size_t needed_seeds(const weir_room_t *room, uint8_t seeds[ROOM_SEEDS_MAX * ROOM_SEED_BYTES])
{
    size_t count = 0;
    for (size_t i = 0; i < room->invitation_count; i++)
        if (!room_is_settled(room, &room->invitations[i]))
            memcpy(seeds + count++ * ROOM_SEED_BYTES, room->invitations[i].seed, ROOM_SEED_BYTES);
    return count;
}

int weir_room_card(const weir_room_t *room, uint8_t **card, size_t *size)
{
    uint8_t seeds[ROOM_SEEDS_MAX * ROOM_SEED_BYTES];
    struct buffer made = {0};
    size_t count = needed_seeds(room, seeds);
    struct room_code code = {.is_private = room_is_private(room, room->view),
                             .me = room->me->public_key,
                             .params = room_contract(room)->params,
                             .chain = buffer_slice(&room->chain),
                             .seed = count ? seeds : NULL};
    if (count > 1)
        code.more = slice_of(seeds + ROOM_SEED_BYTES, (count - 1) * ROOM_SEED_BYTES);
    buffer_reserve(&made, ROOM_INVITATION_BYTES_MAX); /* no copy of the seeds is left behind */
    int rc = room_card_write(&code, &made);
    sodium_memzero(seeds, sizeof seeds);
    if (!rc) {
        *size = made.size;
        *card = buffer_steal(&made);
    }
    buffer_free(&made);
    return rc;
}

static int check_chain(weir_room_t *self)
{
    struct slice chain = buffer_slice(&self->chain);
    size_t links = room_links(chain);
    if ((links == 0) != room_is_owner(self) ||
        (links && !room_same_key(room_link(chain, links - 1), self->me->public_key)))
        return fail(&self->reason, ERR_BAD_REQUEST, "the room's card does not lead to its owner");
    return 0;
}

static int open_card(const struct room_code *code, const weir_signer_t *me, weir_room_t **room,
                     struct reason *why)
{
    weir_room_t *self;
    if (!room_same_key(code->me, me->public_key))
        return fail(why, ERR_DENIED, "the room's card is another identity's");
    int rc = room_new(me, code->params, &self, why);
    if (rc)
        return rc;
    self->said_private = code->is_private;
    buffer_append_slice(&self->chain, code->chain);
    see_chain(self, code->chain);
    rc = buffer_failed(&self->chain) ? fail(&self->reason, ERR_NO_MEMORY, "no memory for a room")
                                     : check_chain(self);
    if (!rc)
        rc = keep_seeds(self, code);
    return hand_over(self, rc, room, why);
}

int weir_room_open(struct weir_bytes card, const weir_signer_t *me, weir_room_t **room,
                   struct weir_reason *why)
{
    struct room_code code;
    if (card.size > ROOM_INVITATION_BYTES_MAX)
        return fail(inner_reason(why), ERR_BAD_REQUEST, "this is no room's card: it is too long");
    int rc = room_card_read(bytes_slice(card), &code, inner_reason(why));
    return rc ? rc : open_card(&code, me, room, inner_reason(why));
}

int weir_room_remember(weir_room_t *room, struct weir_bytes card)
{
    struct room_code code;
    int rc = room_card_read(bytes_slice(card), &code, &room->reason);
    if (rc)
        return rc;
    if (!slice_equal(code.params, room_contract(room)->params))
        return fail(&room->reason, ERR_BAD_REQUEST, "the card is another room's");
    if (!room_same_key(code.me, room->me->public_key))
        return fail(&room->reason, ERR_DENIED, "the room's card is another identity's");
    return keep_seeds(room, &code);
}

/* --- what it is ------------------------------------------------------------------------------ */

const weir_contract_t *weir_room_contract(const weir_room_t *room)
{
    return room->contract;
}

const uint8_t *weir_room_me(const weir_room_t *room)
{
    return room->me->public_key;
}

const char *weir_room_error(const weir_room_t *room)
{
    return room->reason.text;
}
