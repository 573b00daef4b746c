#include "contracts/room_view.h"

#include "contracts/room_posts.h"
#include "contracts/state.h"

#include <stdlib.h>

struct room_view {
    const struct contract *contract;
    state_t *state; /* registers and caps are the merge's work */
    struct room_keyring keys;
    struct room_standing standing;
    struct room_posts messages; /* all, by time */
    struct room_posts actions;  /* of these, what speaks about others, by what */
    struct room_posts directs;
    struct room_posts shown, shown_directs;
};

room_view_t *room_view_new(const struct contract *contract, enum room_view_of of)
{
    room_view_t *self = (room_view_t *)calloc(1, sizeof *self);
    if (!self)
        return NULL;
    self->contract = contract;
    self->actions.by_target = true;
    room_standing_init(&self->standing, contract, of);
    self->state = state_new(contract);
    struct state_reader empty = {0};
    if (self->state)
        empty = state_reader(self->state);
    if (!self->state || room_standing_read(&self->standing, &empty, &self->keys))
        room_view_destroy(&self);
    return self;
}

static void free_posts(room_view_t *self)
{
    self->actions.count = 0; /* they are messages too */
    room_posts_clear(&self->messages);
    room_posts_clear(&self->directs);
}

void room_view_destroy(room_view_t **self)
{
    room_view_t *view = *self;
    *self = NULL;
    if (!view)
        return;
    free_posts(view);
    free(view->messages.list);
    free(view->actions.list);
    free(view->directs.list);
    free(view->shown.list);
    free(view->shown_directs.list);
    room_standing_free(&view->standing);
    room_keyring_free(&view->keys);
    state_destroy(&view->state);
    free(view);
}

/* --- keeping it up --------------------------------------------------------------------------- */

static bool is_timed(struct slice key)
{
    return key.data[0] == ROOM_MESSAGE || key.data[0] == ROOM_DIRECT;
}

static bool is_action(const struct room_post *post)
{
    return post->record.section == ROOM_MESSAGE && !room_post_is_root(post);
}

static struct room_posts *list_of(room_view_t *self, struct slice key)
{
    return key.data[0] == ROOM_DIRECT ? &self->directs : &self->messages;
}

static int add_post(room_view_t *self, struct slice key, struct slice value)
{
    struct room_post *post = room_post_new(self->contract, &self->keys, key, value);
    if (!post)
        return ERR_NO_MEMORY;
    post->in = room_standing_has(&self->standing, post->record.author, post->record.chain);
    int rc = room_posts_insert(list_of(self, key), post);
    if (rc) {
        room_post_free(post);
        return rc;
    }
    return is_action(post) ? room_posts_insert(&self->actions, post) : 0;
}

static void remove_post(room_view_t *self, struct slice key)
{
    struct room_posts *list = list_of(self, key);
    struct room_post *post = room_posts_find(list, NULL, key.data + 1);
    if (!post)
        return;
    room_posts_remove(list, post);
    if (is_action(post))
        room_posts_remove(&self->actions, post);
    room_post_free(post);
}

/* What a post that came or went changes: itself, or what it speaks about. */
static int resolve_at(room_view_t *self, const uint8_t *spot)
{
    struct room_post *post = room_posts_find(&self->messages, NULL, spot);
    if (!post)
        return 0;
    if (is_action(post))
        post = room_posts_find(&self->messages, NULL, post->record.target);
    return post && room_post_is_root(post)
               ? room_post_resolve(post, &self->actions, &self->standing)
               : 0;
}

static void place_authors(const room_view_t *self, struct room_posts *posts)
{
    for (size_t i = 0; i < posts->count; i++) {
        struct room_post *post = posts->list[i];
        post->in = room_standing_has(&self->standing, post->record.author, post->record.chain);
    }
}

static int resolve_all(room_view_t *self)
{
    struct state_reader reader = state_reader(self->state);
    int rc = room_standing_read(&self->standing, &reader, &self->keys);
    place_authors(self, &self->directs);
    place_authors(self, &self->messages);
    for (size_t i = 0; !rc && i < self->messages.count; i++)
        if (room_post_is_root(self->messages.list[i]))
            rc = room_post_resolve(self->messages.list[i], &self->actions, &self->standing);
    return rc;
}

/* The newest messages that count, and the direct ones. */
static int choose_shown(room_view_t *self)
{
    size_t most = self->standing.config.messages, first = self->messages.count, count = 0;
    while (first && count < most)
        count += room_post_counts(self->messages.list[--first], &self->standing);
    int rc = room_posts_reserve(&self->shown, count);
    if (!rc)
        rc = room_posts_reserve(&self->shown_directs, self->directs.count);
    if (rc)
        return rc;
    self->shown.count = self->shown_directs.count = 0;
    for (size_t i = first; i < self->messages.count && count; i++)
        if (room_post_counts(self->messages.list[i], &self->standing))
            self->shown.list[self->shown.count++] = self->messages.list[i];
    for (size_t i = 0; i < self->directs.count; i++)
        if (self->directs.list[i]->in)
            self->shown_directs.list[self->shown_directs.count++] = self->directs.list[i];
    return 0;
}

/* What a dropped action spoke about is older, so the cap dropped it before. */
static int take_change(room_view_t *self, const struct change *change)
{
    if (change->before.data)
        remove_post(self, change->key);
    return change->after.data ? add_post(self, change->key, change->after) : 0;
}

static int take_changes(room_view_t *self)
{
    size_t count;
    const struct change *changes = state_changes(self->state, &count);
    bool all = false;
    int rc = 0;
    for (size_t i = 0; i < count; i++)
        all |= !is_timed(changes[i].key);
    for (size_t i = 0; i < count && !rc; i++)
        if (is_timed(changes[i].key))
            rc = take_change(self, &changes[i]);
    for (size_t i = 0; i < count && !rc && !all; i++)
        if (changes[i].after.data && changes[i].key.data[0] == ROOM_MESSAGE)
            rc = resolve_at(self, changes[i].key.data + 1);
    if (!rc && all)
        rc = resolve_all(self);
    return rc ? rc : choose_shown(self);
}

int room_view_apply(room_view_t *self, struct slice delta, struct reason *why)
{
    struct entries walk = entries_of(delta);
    struct entry entry;
    int more = 1;
    while (more > 0)
        more = contract_next(self->contract, &walk, &entry, why);
    if (more)
        return more;
    size_t changed = 0;
    int rc = state_join(self->state, delta, &changed);
    if (!rc && changed)
        rc = take_changes(self);
    return rc ? fail(why, rc, "no memory for the view of a room") : 0;
}

/* Reads all that is sealed anew, with the keys that there are now. */
static int reopen(room_view_t *self)
{
    struct state_reader reader = state_reader(self->state);
    struct entry entry;
    uint8_t last[ENTRY_KEY_BYTES_MAX];
    struct slice from = slice_of(NULL, 0);
    free_posts(self);
    int rc = 0;
    while (!rc && (rc = reader.seek(reader.self, from, from.size != 0, &entry)) == 0) {
        memcpy(last, entry.key.data, entry.key.size);
        from = slice_of(last, entry.key.size);
        if (is_timed(entry.key))
            rc = add_post(self, entry.key, entry.value);
    }
    if (rc == ERR_NOT_FOUND)
        rc = resolve_all(self);
    return rc ? rc : choose_shown(self);
}

int room_view_add_keys(room_view_t *self, const uint8_t *keys, size_t count)
{
    int rc = room_keyring_add(&self->keys, self->contract, keys, count);
    return rc ? rc : reopen(self);
}

int room_view_add_key(room_view_t *self, const uint8_t key[ROOM_KEY_BYTES])
{
    return room_view_add_keys(self, key, 1);
}

/* --- asking ---------------------------------------------------------------------------------- */

const struct room_config *room_view_config(const room_view_t *self)
{
    return &self->standing.config;
}

struct slice room_view_name(const room_view_t *self)
{
    return self->standing.name;
}

struct slice room_view_description(const room_view_t *self)
{
    return self->standing.description;
}

size_t room_view_member_count(const room_view_t *self)
{
    return self->standing.member_count;
}

const struct room_member *room_view_member(const room_view_t *self, size_t i)
{
    return self->standing.members[i];
}

const struct room_member *room_view_find_member(const room_view_t *self, const uint8_t *key)
{
    if (memcmp(key, self->contract->owner, WRITER_KEY_BYTES) == 0)
        return &self->standing.owner;
    const struct standing_member *member = room_standing_find(&self->standing, key);
    return member && member->here && member->counts ? &member->shown : NULL;
}

struct slice room_view_nickname(const room_view_t *self, const uint8_t *key)
{
    if (memcmp(key, self->contract->owner, WRITER_KEY_BYTES) == 0)
        return self->standing.owner.nickname;
    const struct standing_member *member = room_standing_find(&self->standing, key);
    return member ? member->shown.nickname : slice_of(NULL, 0);
}

enum room_place room_view_place(const room_view_t *self, const uint8_t *key)
{
    return room_standing_place(&self->standing, key);
}

size_t room_view_ban_count(const room_view_t *self)
{
    return self->standing.shown_count;
}

const struct room_ban *room_view_ban(const room_view_t *self, size_t i)
{
    return &self->standing.shown[i];
}

size_t room_view_message_count(const room_view_t *self)
{
    return self->shown.count;
}

const struct room_message *room_view_message(const room_view_t *self, size_t i)
{
    return &self->shown.list[i]->message;
}

size_t room_view_direct_count(const room_view_t *self)
{
    return self->shown_directs.count;
}

const struct room_direct *room_view_direct(const room_view_t *self, size_t i)
{
    return &self->shown_directs.list[i]->direct;
}

size_t room_view_grant_count(const room_view_t *self)
{
    return self->standing.grant_count;
}

const struct room_grant *room_view_grant(const room_view_t *self, size_t i)
{
    return &self->standing.grants[i];
}

const struct room_grant *room_view_key_in_use(const room_view_t *self)
{
    for (size_t i = self->standing.grant_count; i; i--)
        if (self->standing.grants[i - 1].trusted)
            return &self->standing.grants[i - 1];
    return NULL;
}

const uint8_t *room_view_upgrade(const room_view_t *self)
{
    return self->standing.upgrade;
}

struct state_reader room_view_reader(const room_view_t *self)
{
    return state_reader(self->state);
}

struct slice room_view_registers(const room_view_t *self)
{
    return buffer_slice(&self->standing.bytes);
}
