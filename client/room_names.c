#include "client/room_names.h"

#include "client/room_names_look.h"
#include "client/safe_text.h"

#include <stdlib.h>
#include <string.h>

enum {
    NICKNAME_ROOM = 64,
    LETTERS_LEAST = 4, /* of a key, as people may type them */
    LETTERS_ALONE = 8,
    NAME_ROOM = NICKNAME_ROOM + 1 + 48
};

struct person {
    uint8_t key[WEIR_KEY_BYTES];
    char letters[WEIR_KEY_TEXT_MAX]; /* the key's */
    char nickname[NICKNAME_ROOM];
    char look[NICKNAME_ROOM]; /* the nickname's, client/room_names_look.h */
    char name[NAME_ROOM];
};

struct room_names {
    struct person *people; /* in order of their keys */
    size_t count;
};

/* --- who there is ---------------------------------------------------------------------------- */

static void add(struct room_names *self, const uint8_t *key)
{
    memcpy(self->people[self->count++].key, key, WEIR_KEY_BYTES);
}

static void collect(struct room_names *self, const weir_room_t *room)
{
    struct weir_room_info info;
    struct weir_room_member member;
    struct weir_room_message message;
    struct weir_room_ban ban;
    struct weir_room_direct_message direct;
    weir_room_info(room, &info);
    add(self, info.owner);
    add(self, weir_room_me(room));
    for (size_t i = 0; i < info.moderator_count; i++)
        add(self, info.moderators + i * WEIR_KEY_BYTES);
    for (size_t i = 0; i < weir_room_member_count(room); i++) {
        weir_room_member(room, i, &member);
        add(self, member.key);
    }
    for (size_t i = 0; i < weir_room_message_count(room); i++) {
        weir_room_message(room, i, &message);
        add(self, message.author);
    }
    for (size_t i = 0; i < weir_room_ban_count(room); i++) {
        weir_room_banned(room, i, &ban);
        add(self, ban.target);
        add(self, ban.author);
    }
    for (size_t i = 0; i < weir_room_direct_count(room); i++) {
        weir_room_direct_message(room, i, &direct);
        add(self, direct.author);
        add(self, direct.recipient);
    }
}

static size_t at_most(const weir_room_t *room)
{
    struct weir_room_info info;
    weir_room_info(room, &info);
    return 2 + info.moderator_count + weir_room_member_count(room) + weir_room_message_count(room) +
           2 * weir_room_ban_count(room) + 2 * weir_room_direct_count(room);
}

static int by_key(const void *a, const void *b)
{
    return memcmp(((const struct person *)a)->key, ((const struct person *)b)->key, WEIR_KEY_BYTES);
}

static void sort_and_unite(struct room_names *self)
{
    size_t kept = 0;
    qsort(self->people, self->count, sizeof self->people[0], by_key);
    for (size_t i = 0; i < self->count; i++)
        if (kept == 0 || by_key(&self->people[kept - 1], &self->people[i]) != 0)
            self->people[kept++] = self->people[i];
    self->count = kept;
}

/* --- what they are called -------------------------------------------------------------------- */

static int by_look(const void *a, const void *b)
{
    const struct person *x = a, *y = b;
    int order = strcmp(x->look, y->look);
    return order ? order : strcmp(x->letters, y->letters);
}

/* How many letters two keys begin with in common, when those people look the same; else 0. */
static size_t common(const struct person *a, const struct person *b)
{
    size_t n = 0;
    if (!b || strcmp(a->look, b->look) != 0)
        return 0;
    while (a->letters[n] && a->letters[n] == b->letters[n])
        n++;
    return n;
}

static void call(struct person *person, const struct person *before, const struct person *after)
{
    bool alone = !(before && strcmp(before->look, person->look) == 0) &&
                 !(after && strcmp(after->look, person->look) == 0);
    size_t least = *person->look ? LETTERS_LEAST : LETTERS_ALONE;
    size_t a = common(person, before), b = common(person, after), shared = a > b ? a : b;
    size_t letters = shared + 1 > least ? shared + 1 : least;
    if (alone && *person->look && !strchr(person->nickname, '~') &&
        !room_names_deceives(person->nickname))
        letters = 0;
    snprintf(person->name, sizeof person->name, "%s%s%.*s", person->nickname, letters ? "~" : "",
             (int)letters, person->letters);
}

static void call_all(struct room_names *self, const weir_room_t *room)
{
    struct person *people = self->people;
    for (size_t i = 0; i < self->count; i++) {
        weir_key_print(people[i].key, people[i].letters);
        safe_text_line(weir_room_name_of(room, people[i].key), people[i].nickname, NICKNAME_ROOM);
        room_names_look(people[i].nickname, people[i].look);
    }
    qsort(people, self->count, sizeof people[0], by_look);
    for (size_t i = 0; i < self->count; i++)
        call(&people[i], i ? &people[i - 1] : NULL, i + 1 < self->count ? &people[i + 1] : NULL);
    qsort(people, self->count, sizeof people[0], by_key);
}

room_names_t *room_names_new(const weir_room_t *room)
{
    size_t most = at_most(room);
    room_names_t *self = calloc(1, sizeof *self);
    if (self)
        self->people = calloc(most, sizeof *self->people);
    if (!self || !self->people) {
        room_names_destroy(&self);
        return NULL;
    }
    collect(self, room);
    sort_and_unite(self);
    call_all(self, room);
    return self;
}

void room_names_destroy(room_names_t **names)
{
    if (*names) {
        free((*names)->people);
        free(*names);
    }
    *names = NULL;
}

const char *room_names_of(const room_names_t *names, const uint8_t *key)
{
    struct person wanted;
    memcpy(wanted.key, key, WEIR_KEY_BYTES);
    const struct person *found =
        bsearch(&wanted, names->people, names->count, sizeof wanted, by_key);
    return found ? found->name : "?";
}

/* --- who is meant ---------------------------------------------------------------------------- */

/* Who is shown by exactly that name. WEIR_NOT_FOUND, WEIR_NO_MEMORY. */
static int find_shown(const weir_room_t *room, const char *name, uint8_t key[WEIR_KEY_BYTES])
{
    room_names_t *names = room_names_new(room);
    int rc = names ? WEIR_NOT_FOUND : WEIR_NO_MEMORY;
    for (size_t i = 0; names && rc && i < names->count; i++) {
        if (strcmp(names->people[i].name, name) != 0)
            continue;
        memcpy(key, names->people[i].key, WEIR_KEY_BYTES);
        rc = 0;
    }
    room_names_destroy(&names);
    return rc;
}

/* By the beginning of a key alone: nobody by taking it as a nickname. */
static int find_by_key(weir_room_t *room, const char *letters, uint8_t key[WEIR_KEY_BYTES])
{
    char text[WEIR_KEY_TEXT_MAX];
    uint8_t found[WEIR_KEY_BYTES];
    int rc = weir_room_find_person(room, letters, found);
    if (rc)
        return rc;
    weir_key_print(found, text);
    if (strncmp(text, letters, strlen(letters)) != 0)
        return WEIR_NOT_FOUND;
    memcpy(key, found, WEIR_KEY_BYTES);
    return 0;
}

/* A nickname may be anything, ann~5Kxy too: what is shown so, and that key, come before it. */
int room_names_find(weir_room_t *room, const char *name, uint8_t key[WEIR_KEY_BYTES])
{
    const char *letters = strrchr(name, '~');
    int rc = WEIR_NOT_FOUND;
    if (letters)
        rc = find_shown(room, name, key);
    if (letters && rc == WEIR_NOT_FOUND)
        rc = find_by_key(room, letters + 1, key);
    if (rc == WEIR_NOT_FOUND)
        rc = weir_room_find_person(room, name, key);
    if (rc == WEIR_NOT_FOUND && !letters && find_shown(room, name, key) == 0)
        rc = 0;
    return rc;
}
