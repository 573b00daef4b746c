#include "contracts/room_standing.h"

#include <stdlib.h>

static bool is_owner(const struct room_standing *self, const uint8_t *key)
{
    return memcmp(self->contract->owner, key, WRITER_KEY_BYTES) == 0;
}

bool room_standing_moderates(const struct room_standing *self, const uint8_t *key)
{
    return is_owner(self, key) || room_bans_moderator(&self->bans, key);
}

/* --- members --------------------------------------------------------------------------------- */

static int by_key(const void *a, const void *b)
{
    return memcmp(((const struct standing_member *)a)->shown.key,
                  ((const struct standing_member *)b)->shown.key, WRITER_KEY_BYTES);
}

const struct standing_member *room_standing_find(const struct room_standing *self,
                                                 const uint8_t *key)
{
    struct standing_member wanted = {.shown = {.key = key}};
    if (!self->entry_count)
        return NULL;
    return (const struct standing_member *)bsearch(&wanted, self->entries, self->entry_count,
                                                   sizeof wanted, by_key);
}

bool room_standing_has(const struct room_standing *self, const uint8_t *author, struct slice chain)
{
    const struct standing_member *member =
        is_owner(self, author) ? NULL : room_standing_find(self, author);
    if (is_owner(self, author))
        return true;
    if (member)
        return member->counts;
    return self->of == ROOM_VIEW_PART && !room_bans_out(&self->bans, chain);
}

/* Shorter chains first, then the earlier invited. */
static int by_seniority(const void *a, const void *b)
{
    const struct standing_member *x = *(const struct standing_member *const *)a,
                                 *y = *(const struct standing_member *const *)b;
    if (x->chain.size != y->chain.size)
        return x->chain.size < y->chain.size ? -1 : 1;
    if (x->shown.invited != y->shown.invited)
        return x->shown.invited < y->shown.invited ? -1 : 1;
    return by_key(x, y);
}

static int choose_members(struct room_standing *self)
{
    struct standing_member **list =
        (struct standing_member **)calloc(self->entry_count + 1, sizeof *list);
    self->members = (const struct room_member **)calloc(self->entry_count + 1, sizeof(void *));
    size_t count = 0;
    if (!list || !self->members) {
        free(list);
        return ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < self->entry_count; i++) {
        struct standing_member *member = &self->entries[i];
        member->out = room_bans_out(&self->bans, member->chain);
        member->counts = !member->here && !member->out;
        member->shown.moderator = room_bans_moderator(&self->bans, member->shown.key);
        if (member->here && !member->out && !is_owner(self, member->shown.key))
            list[count++] = member;
    }
    if (count)
        qsort(list, count, sizeof(void *), by_seniority);
    self->members[self->member_count++] = &self->owner;
    for (size_t i = 0; i < count && i < self->config.members; i++) {
        list[i]->counts = true;
        self->members[self->member_count++] = &list[i]->shown;
    }
    free(list);
    return 0;
}

static int choose_shown_bans(struct room_standing *self)
{
    self->shown = (struct room_ban *)calloc(self->bans.count + 1, sizeof *self->shown);
    if (!self->shown)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < self->bans.count; i++) {
        const struct room_ban *ban = &self->bans.list[i];
        const struct standing_member *target = room_standing_find(self, ban->target);
        if (room_bans_in_force(&self->bans, ban, target ? target->chain : slice_of(NULL, 0)))
            self->shown[self->shown_count++] = *ban;
    }
    return 0;
}

static bool is_banned(const struct room_standing *self, const uint8_t *key)
{
    for (size_t i = 0; i < self->shown_count; i++)
        if (memcmp(self->shown[i].target, key, WRITER_KEY_BYTES) == 0)
            return true;
    return false;
}

enum room_place room_standing_place(const struct room_standing *self, const uint8_t *key)
{
    const struct standing_member *member = room_standing_find(self, key);
    if (is_owner(self, key))
        return ROOM_IN;
    if (is_banned(self, key))
        return ROOM_BANNED;
    if (!member)
        return ROOM_STRANGER;
    if (member->out)
        return ROOM_CUT_OFF;
    if (!member->here)
        return ROOM_LEFT_IT;
    return member->counts ? ROOM_IN : ROOM_CROWDED;
}

/* --- reading --------------------------------------------------------------------------------- */

void room_standing_init(struct room_standing *self, const struct contract *contract,
                        enum room_view_of of)
{
    *self = (struct room_standing){.contract = contract, .of = of, .config = room_config_default()};
    self->owner = (struct room_member){.key = contract->owner};
}

void room_standing_free(struct room_standing *self)
{
    buffer_free(&self->bytes);
    buffer_free(&self->opened);
    free(self->entries);
    free(self->members);
    room_bans_free(&self->bans);
    free(self->shown);
    free(self->grants);
}

/* Copies the entries of all sections but the timed ones. */
static int copy_registers(const struct state_reader *state, struct buffer *out)
{
    static const uint8_t after_direct[] = {ROOM_DIRECT + 1}, after_messages[] = {ROOM_MESSAGE + 1};
    struct entry entry;
    uint8_t last[ENTRY_KEY_BYTES_MAX];
    struct slice from = slice_of(NULL, 0);
    bool past = false;
    int rc;
    while ((rc = state->seek(state->self, from, past, &entry)) == 0) {
        past = entry.key.data[0] != ROOM_DIRECT && entry.key.data[0] != ROOM_MESSAGE;
        if (past) {
            entry_append(out, entry.key, entry.value);
            memcpy(last, entry.key.data, entry.key.size);
            from = slice_of(last, entry.key.size);
        } else {
            from = slice_of(entry.key.data[0] == ROOM_DIRECT ? after_direct : after_messages, 1);
        }
    }
    if (rc != ERR_NOT_FOUND)
        return rc;
    return buffer_failed(out) ? ERR_NO_MEMORY : 0;
}

struct reading {
    struct room_standing *self;
    const struct room_keyring *keys;
    struct room_ban_entry *bans;
    size_t ban_count;
    struct standing_nickname {
        const uint8_t *key;
        struct room_text text;
    } * nicknames; /* by key, as the entries are */
    size_t nickname_count;
};

static void take_member(struct room_standing *self, const struct room_record *record)
{
    size_t links = room_links(record->chain);
    const uint8_t *last = links ? room_link(record->chain, links - 1) : NULL;
    self->entries[self->entry_count++] = (struct standing_member){
        .chain = record->chain,
        .here = record->on,
        .shown = {.key = record->author,
                  .inviter = links > 1 ? room_link(record->chain, links - 2)
                             : links   ? self->contract->owner
                                       : NULL,
                  .invited = last ? get_u64(last + WRITER_KEY_BYTES) : 0}};
}

static void take_record(struct reading *reading, const struct room_record *record)
{
    struct room_standing *self = reading->self;
    switch (record->section) {
    case ROOM_BAN:
        if (record->on)
            reading->bans[reading->ban_count++] = (struct room_ban_entry){
                .ban = {record->subject, record->author, record->stamp}, .id = record->id};
        break;
    case ROOM_CONFIG:
        if (room_config_read(record->body, &self->config, NULL))
            self->config = room_config_default();
        break;
    case ROOM_INFO:
        reading->nicknames[reading->nickname_count++] =
            (struct standing_nickname){record->author, record->text};
        break;
    case ROOM_KEYS:
        self->grants[self->grant_count++] =
            (struct room_grant){.number = record->key_number,
                                .key_id = record->body.data,
                                .author = record->author,
                                .copies = slice_after(record->body, ROOM_KEY_ID_BYTES + 2)};
        break;
    case ROOM_MEMBER:
        take_member(self, record);
        break;
    case ROOM_UPGRADE:
        self->upgrade = record->body.data;
        break;
    case ROOM_DIRECT:
    case ROOM_MESSAGE:
        break;
    }
}

/* The plain form of a text, empty when it is sealed or over its cap. */
static struct slice plain_of(struct reading *reading, const uint8_t *author,
                             const struct room_text *text, size_t max)
{
    struct room_standing *self = reading->self;
    struct slice plain = slice_of(NULL, 0);
    if (!text->bytes.data || room_text_size(text) > max)
        return plain;
    uint8_t *at = self->opened.data + self->opened.size; /* reserved by read_entries */
    if (room_keyring_read(reading->keys, self->contract, author, text, at, &plain) && text->sealed)
        self->opened.size += plain.size;
    return plain;
}

static void name_members(struct reading *reading)
{
    struct room_standing *self = reading->self;
    size_t max = self->config.nickname_bytes;
    for (size_t i = 0; i < reading->nickname_count; i++) {
        const struct standing_nickname *one = &reading->nicknames[i];
        struct standing_member wanted = {.shown = {.key = one->key}};
        struct standing_member *member =
            self->entry_count
                ? (struct standing_member *)bsearch(&wanted, self->entries, self->entry_count,
                                                    sizeof wanted, by_key)
                : NULL;
        if (is_owner(self, one->key))
            self->owner.nickname = plain_of(reading, one->key, &one->text, max);
        else if (member)
            member->shown.nickname = plain_of(reading, one->key, &one->text, max);
    }
    self->name = plain_of(reading, self->contract->owner, &self->config.name, ROOM_NAME_BYTES_MAX);
    self->description = plain_of(reading, self->contract->owner, &self->config.description,
                                 ROOM_DESCRIPTION_BYTES_MAX);
}

static int by_number(const void *a, const void *b)
{
    const struct room_grant *x = (const struct room_grant *)a, *y = (const struct room_grant *)b;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    int order = memcmp(x->key_id, y->key_id, ROOM_KEY_ID_BYTES);
    return order ? order : memcmp(x->author, y->author, WRITER_KEY_BYTES);
}

/* Also of those who are out: what others wrote is sealed under keys that a moderator made before it
 * was banned. */
static void choose_grants(struct room_standing *self)
{
    for (size_t i = 0; i < self->grant_count; i++)
        self->grants[i].trusted = room_standing_moderates(self, self->grants[i].author);
    if (self->grant_count)
        qsort(self->grants, self->grant_count, sizeof *self->grants, by_number);
}

static int read_entries(struct reading *reading)
{
    struct room_standing *self = reading->self;
    struct entries walk = entries_of(buffer_slice(&self->bytes));
    struct entry entry;
    size_t count = 0;
    while (entries_next(&walk, &entry, NULL) == 1)
        count++;
    reading->bans = (struct room_ban_entry *)calloc(count + 1, sizeof *reading->bans);
    reading->nicknames = (struct standing_nickname *)calloc(count + 1, sizeof *reading->nicknames);
    self->entries = (struct standing_member *)calloc(count + 1, sizeof *self->entries);
    self->grants = (struct room_grant *)calloc(count + 1, sizeof *self->grants);
    buffer_reserve(&self->opened, self->bytes.size + 1); /* opened texts are shorter */
    if (!reading->bans || !reading->nicknames || !self->entries || !self->grants ||
        buffer_failed(&self->opened))
        return ERR_NO_MEMORY;
    walk = entries_of(buffer_slice(&self->bytes));
    while (entries_next(&walk, &entry, NULL) == 1) {
        struct room_record record;
        if (room_record_read(self->contract, entry.key, entry.value, &record, NULL) == 0)
            take_record(reading, &record);
    }
    return 0;
}

int room_standing_read(struct room_standing *self, const struct state_reader *state,
                       const struct room_keyring *keys)
{
    const struct contract *contract = self->contract;
    enum room_view_of of = self->of;
    struct reading reading = {.self = self, .keys = keys};
    room_standing_free(self);
    room_standing_init(self, contract, of);
    int rc = copy_registers(state, &self->bytes);
    if (!rc)
        rc = read_entries(&reading);
    if (!rc)
        rc = room_bans_choose(&self->bans, contract->owner, &self->config, reading.bans,
                              reading.ban_count);
    if (!rc)
        rc = choose_members(self);
    if (!rc)
        rc = choose_shown_bans(self);
    if (!rc) {
        name_members(&reading);
        choose_grants(self);
    }
    free(reading.bans);
    free(reading.nicknames);
    return rc;
}
