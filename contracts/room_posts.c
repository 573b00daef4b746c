#include "contracts/room_posts.h"

#include <stdlib.h>

/* --- posts ----------------------------------------------------------------------------------- */

struct room_post *room_post_new(const struct contract *contract, const struct room_keyring *keys,
                                struct slice key, struct slice value)
{
    struct room_post *post =
        (struct room_post *)calloc(1, sizeof *post + key.size + 2 * value.size);
    if (!post)
        return NULL;
    uint8_t *at = post->bytes + key.size, *opened = at + value.size;
    memcpy(post->bytes, key.data, key.size);
    memcpy(at, value.data, value.size);
    struct room_record *record = &post->record;
    if (room_record_read(contract, slice_of(post->bytes, key.size), slice_of(at, value.size),
                         record, NULL)) {
        free(post);
        return NULL;
    }
    const uint8_t *spot = post->bytes + 1;
    post->message =
        (struct room_message){.spot = spot, .author = record->author, .content = record->content};
    if (record->section == ROOM_DIRECT)
        post->direct = (struct room_direct){
            spot, record->author, record->subject, record->body.data + WRITER_KEY_BYTES,
            slice_after(record->body, WRITER_KEY_BYTES + ROOM_NONCE_BYTES)};
    post->readable =
        record->text.bytes.data != NULL &&
        room_keyring_read(keys, contract, record->author, &record->text, opened, &post->plain);
    return post;
}

void room_post_free(struct room_post *post)
{
    if (post)
        free(post->reactions);
    free(post);
}

bool room_post_is_root(const struct room_post *post)
{
    enum room_content content = post->record.content;
    return content == ROOM_TEXT || content == ROOM_REPLY || content == ROOM_JOIN ||
           content == ROOM_LEAVE;
}

static bool fits(const struct room_post *post, const struct room_standing *standing)
{
    return !post->record.text.bytes.data ||
           room_text_size(&post->record.text) <= standing->config.message_bytes;
}

bool room_post_counts(const struct room_post *post, const struct room_standing *standing)
{
    return post->in && room_post_is_root(post) && fits(post, standing);
}

/* --- lists ----------------------------------------------------------------------------------- */

size_t room_posts_from(const struct room_posts *self, const uint8_t *target, const uint8_t *spot)
{
    size_t from = 0, to = self->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const struct room_post *post = self->list[middle];
        int order = self->by_target ? memcmp(post->record.target, target, ROOM_SPOT_BYTES) : 0;
        if (!order)
            order = memcmp(post->message.spot, spot, ROOM_SPOT_BYTES);
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

struct room_post *room_posts_find(const struct room_posts *self, const uint8_t *target,
                                  const uint8_t *spot)
{
    size_t at = room_posts_from(self, target, spot);
    if (at == self->count || memcmp(self->list[at]->message.spot, spot, ROOM_SPOT_BYTES) != 0 ||
        (target && memcmp(self->list[at]->record.target, target, ROOM_SPOT_BYTES) != 0))
        return NULL;
    return self->list[at];
}

int room_posts_reserve(struct room_posts *self, size_t count)
{
    if (count <= self->capacity)
        return 0;
    size_t capacity = 2 * count;
    struct room_post **list = (struct room_post **)realloc(self->list, capacity * sizeof(void *));
    if (!list)
        return ERR_NO_MEMORY;
    self->list = list;
    self->capacity = capacity;
    return 0;
}

int room_posts_insert(struct room_posts *self, struct room_post *post)
{
    int rc = room_posts_reserve(self, self->count + 1);
    if (rc)
        return rc;
    size_t at = room_posts_from(self, post->record.target, post->message.spot);
    memmove(self->list + at + 1, self->list + at, (self->count - at) * sizeof(void *));
    self->list[at] = post;
    self->count++;
    return 0;
}

void room_posts_remove(struct room_posts *self, const struct room_post *post)
{
    size_t at = room_posts_from(self, post->record.target, post->message.spot);
    if (at == self->count || self->list[at] != post)
        return;
    self->count--;
    memmove(self->list + at, self->list + at + 1, (self->count - at) * sizeof(void *));
}

void room_posts_clear(struct room_posts *self)
{
    for (size_t i = 0; i < self->count; i++)
        room_post_free(self->list[i]);
    self->count = 0;
}

/* --- what was written about a post ----------------------------------------------------------- */

/* The end of the actions on a post that start at `from`. */
static size_t actions_end(const struct room_posts *actions, size_t from, const uint8_t *spot)
{
    while (from < actions->count &&
           memcmp(actions->list[from]->record.target, spot, ROOM_SPOT_BYTES) == 0)
        from++;
    return from;
}

static void apply_edit(struct room_post *post, const struct room_post *edit,
                       const struct room_standing *standing)
{
    bool is_text = post->record.content == ROOM_TEXT || post->record.content == ROOM_REPLY;
    if (!is_text || !fits(edit, standing) ||
        memcmp(edit->record.author, post->record.author, WRITER_KEY_BYTES) != 0)
        return;
    post->message.edited = true;
    post->message.sealed = !edit->readable;
    post->message.text = edit->plain;
}

static void apply_delete(struct room_post *post, const struct room_post *action,
                         const struct room_standing *standing)
{
    if (memcmp(action->record.author, post->record.author, WRITER_KEY_BYTES) == 0 ||
        room_standing_moderates(standing, action->record.author))
        post->message.deleted = true;
}

static int by_reaction(const void *a, const void *b)
{
    const struct room_post *x = *(const struct room_post *const *)a,
                           *y = *(const struct room_post *const *)b;
    int order = slice_compare(x->plain, y->plain);
    if (!order)
        order = memcmp(x->record.author, y->record.author, WRITER_KEY_BYTES);
    return order ? order : memcmp(x->message.spot, y->message.spot, ROOM_SPOT_BYTES);
}

static bool same_reaction(const struct room_post *a, const struct room_post *b)
{
    return slice_equal(a->plain, b->plain) &&
           memcmp(a->record.author, b->record.author, WRITER_KEY_BYTES) == 0;
}

/* Fills the reactions from reactions and removals in order of (text, author, time). */
static int count_reactions(struct room_post *post, struct room_post *const *list, size_t count)
{
    size_t size = count * (sizeof(struct room_reaction) + sizeof(uint8_t *));
    post->reactions = (struct room_reaction *)calloc(1, size);
    if (!post->reactions)
        return ERR_NO_MEMORY;
    const uint8_t **authors = (const uint8_t **)(void *)(post->reactions + count);
    struct room_reaction *reaction = NULL;
    for (size_t i = 0; i < count; i++) {
        bool last = i + 1 == count || !same_reaction(list[i], list[i + 1]);
        if (!last || list[i]->record.content != ROOM_REACT)
            continue;
        if (!reaction || !slice_equal(reaction->text, list[i]->plain)) {
            reaction = &post->reactions[post->message.reaction_count++];
            *reaction = (struct room_reaction){list[i]->plain, authors, 0};
        }
        *authors++ = list[i]->record.author;
        reaction->count++;
    }
    post->message.reactions = post->reactions;
    return 0;
}

static int resolve_reactions(struct room_post *post, struct room_post *const *actions,
                             size_t actions_count)
{
    size_t count = 0;
    struct room_post **list = (struct room_post **)malloc(actions_count * sizeof(void *));
    if (!list)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < actions_count; i++) {
        enum room_content content = actions[i]->record.content;
        if ((content == ROOM_REACT || content == ROOM_UNREACT) && actions[i]->in &&
            actions[i]->readable)
            list[count++] = actions[i];
    }
    int rc = 0;
    if (count) {
        qsort(list, count, sizeof(void *), by_reaction);
        rc = count_reactions(post, list, count);
    }
    free(list);
    return rc;
}

int room_post_resolve(struct room_post *post, const struct room_posts *actions,
                      const struct room_standing *standing)
{
    static const uint8_t first[ROOM_SPOT_BYTES];
    const struct room_record *record = &post->record;
    size_t from = room_posts_from(actions, post->message.spot, first);
    size_t end = actions_end(actions, from, post->message.spot);
    bool has_text = record->text.bytes.data != NULL;
    free(post->reactions);
    post->reactions = NULL;
    post->message = (struct room_message){.spot = post->message.spot,
                                          .author = record->author,
                                          .content = record->content,
                                          .reply_to = record->target,
                                          .text = post->plain,
                                          .sealed = has_text && !post->readable};
    for (size_t i = from; i < end; i++) {
        const struct room_post *action = actions->list[i];
        if (action->in && action->record.content == ROOM_EDIT)
            apply_edit(post, action, standing);
        else if (action->in && action->record.content == ROOM_DELETE)
            apply_delete(post, action, standing);
    }
    if (post->message.deleted) {
        post->message.text = slice_of(NULL, 0);
        post->message.sealed = false;
        return 0;
    }
    return from < end ? resolve_reactions(post, actions->list + from, end - from) : 0;
}
