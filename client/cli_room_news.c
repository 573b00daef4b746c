#include "client/cli_room_news.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* --- as it is -------------------------------------------------------------------------------- */

static int by_key(const void *a, const void *b)
{
    return memcmp(a, b, WEIR_KEY_BYTES);
}

static int by_ban(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct room_people_ban));
}

void room_people_free(struct room_people *self)
{
    free(self->members);
    free(self->bans);
    free(self->out);
    *self = (struct room_people){0};
}

static bool has_key(const uint8_t *keys, size_t count, const uint8_t *key)
{
    return bsearch(key, keys, count, WEIR_KEY_BYTES, by_key) != NULL;
}

/* Of these keys, those that are out, for what somebody else did. */
static void take_out(weir_room_t *room, const uint8_t *keys, size_t count, struct room_people *now)
{
    for (size_t i = 0; i < count; i++) {
        const uint8_t *key = keys + i * WEIR_KEY_BYTES;
        enum weir_room_standing standing;
        if (weir_room_standing(room, key, &standing) == 0 &&
            (standing == WEIR_ROOM_CUT_OFF || standing == WEIR_ROOM_CROWDED))
            memcpy(now->out + now->out_count++ * WEIR_KEY_BYTES, key, WEIR_KEY_BYTES);
    }
}

static int take(weir_room_t *room, const struct room_people *before, struct room_people *now)
{
    size_t members = weir_room_member_count(room), bans = weir_room_ban_count(room);
    size_t out = before->member_count + before->out_count;
    *now = (struct room_people){.known = true,
                                .members = calloc(members + 1, WEIR_KEY_BYTES),
                                .bans = calloc(bans + 1, sizeof *now->bans),
                                .out = calloc(out + 1, WEIR_KEY_BYTES)};
    if (!now->members || !now->bans || !now->out) {
        room_people_free(now);
        return WEIR_NO_MEMORY;
    }
    for (size_t i = 0; i < members; i++) {
        struct weir_room_member member;
        weir_room_member(room, i, &member);
        memcpy(now->members + now->member_count++ * WEIR_KEY_BYTES, member.key, WEIR_KEY_BYTES);
    }
    for (size_t i = 0; i < bans; i++) {
        struct weir_room_ban ban;
        weir_room_banned(room, i, &ban);
        memcpy(now->bans[now->ban_count].target, ban.target, WEIR_KEY_BYTES);
        memcpy(now->bans[now->ban_count++].author, ban.author, WEIR_KEY_BYTES);
    }
    take_out(room, before->members, before->member_count, now);
    take_out(room, before->out, before->out_count, now);
    qsort(now->out, now->out_count, WEIR_KEY_BYTES, by_key);
    qsort(now->members, members, WEIR_KEY_BYTES, by_key);
    qsort(now->bans, bans, sizeof *now->bans, by_ban);
    return 0;
}

/* --- what is not as it was ------------------------------------------------------------------- */

static bool has_member(const struct room_people *self, const uint8_t *key)
{
    return has_key(self->members, self->member_count, key);
}

static bool has_ban(const struct room_people *self, const struct room_people_ban *ban)
{
    return bsearch(ban, self->bans, self->ban_count, sizeof *ban, by_ban) != NULL;
}

static void tell_banned(const struct room_people *before, const struct room_people *now,
                        room_news_fn *tell, void *arg)
{
    for (size_t i = 0; i < now->ban_count; i++) {
        const struct room_people_ban *ban = &now->bans[i];
        if (!has_ban(before, ban))
            tell(arg, &(struct room_news){ROOM_NEWS_BANNED, ban->target, ban->author, unix_ms()});
    }
}

/* Who is let in again: not who is out still, for another ban. */
static void tell_lifted(const struct room_people *before, const struct room_people *now,
                        weir_room_t *room, room_news_fn *tell, void *arg)
{
    for (size_t i = 0; i < before->ban_count; i++) {
        const struct room_people_ban *ban = &before->bans[i];
        enum weir_room_standing standing;
        if (!has_ban(now, ban) && weir_room_standing(room, ban->target, &standing) == 0 &&
            standing != WEIR_ROOM_BANNED && standing != WEIR_ROOM_CUT_OFF)
            tell(arg, &(struct room_news){ROOM_NEWS_LIFTED, ban->target, ban->author, unix_ms()});
    }
}

/* Members who are out, though nobody banned them, and did not leave. */
static void tell_out(const struct room_people *before, const struct room_people *now,
                     weir_room_t *room, room_news_fn *tell, void *arg)
{
    for (size_t i = 0; i < now->out_count; i++) {
        const uint8_t *key = now->out + i * WEIR_KEY_BYTES;
        enum weir_room_standing standing;
        if (!has_member(before, key) || weir_room_standing(room, key, &standing))
            continue;
        enum room_news_kind kind =
            standing == WEIR_ROOM_CUT_OFF ? ROOM_NEWS_OUT : ROOM_NEWS_CROWDED;
        tell(arg, &(struct room_news){kind, key, NULL, unix_ms()});
    }
}

static bool was_lifted(const struct room_people *before, const struct room_people *now,
                       const uint8_t *target)
{
    for (size_t i = 0; i < before->ban_count; i++)
        if (memcmp(before->bans[i].target, target, WEIR_KEY_BYTES) == 0 &&
            !has_ban(now, &before->bans[i]))
            return true;
    return false;
}

/* NULL: of the owner, and of who is no member. */
static const uint8_t *inviter_of(const weir_room_t *room, const uint8_t *key)
{
    for (size_t i = 0; i < weir_room_member_count(room); i++) {
        struct weir_room_member member;
        weir_room_member(room, i, &member);
        if (memcmp(member.key, key, WEIR_KEY_BYTES) == 0)
            return member.inviter;
    }
    return NULL;
}

/* Came it by the invitation of somebody who is banned no more, or of one of theirs? Then it was out
 * before it was looked at for the first time. */
static bool is_back_with_inviter(const struct room_people *before, const struct room_people *now,
                                 const weir_room_t *room, const uint8_t *key)
{
    bool lifted = false;
    while (!lifted && (key = inviter_of(room, key)))
        lifted = was_lifted(before, now, key);
    return lifted;
}

/* Members who were out; who was banned itself is told of otherwise, and who came has said so. */
static void tell_back(const struct room_people *before, const struct room_people *now,
                      const weir_room_t *room, room_news_fn *tell, void *arg)
{
    for (size_t i = 0; i < now->member_count; i++) {
        const uint8_t *key = now->members + i * WEIR_KEY_BYTES;
        if (has_member(before, key) || was_lifted(before, now, key))
            continue;
        if (has_key(before->out, before->out_count, key) ||
            is_back_with_inviter(before, now, room, key))
            tell(arg, &(struct room_news){ROOM_NEWS_BACK, key, NULL, unix_ms()});
    }
}

int room_people_look(struct room_people *self, weir_room_t *room, room_news_fn *tell, void *arg)
{
    struct room_people now;
    int rc = take(room, self, &now);
    if (rc)
        return rc;
    if (self->known) {
        tell_banned(self, &now, tell, arg);
        tell_out(self, &now, room, tell, arg);
        tell_lifted(self, &now, room, tell, arg);
        tell_back(self, &now, room, tell, arg);
    }
    room_people_free(self);
    *self = now;
    return 0;
}

/* --- told ------------------------------------------------------------------------------------ */

void room_line_news(struct room_lines *lines, const struct room_news *news)
{
    static const char *const told[] = {[ROOM_NEWS_BANNED] = "banned by ",
                                       [ROOM_NEWS_LIFTED] = "no longer banned by ",
                                       [ROOM_NEWS_OUT] = "out, with who invited them",
                                       [ROOM_NEWS_CROWDED] = "out, the room takes fewer now",
                                       [ROOM_NEWS_BACK] = "back"};
    if (news->kind == ROOM_NEWS_BACK && room_lines_name(lines))
        return; /* who looked is told the same: no memory */
    room_line_time(lines, news->time_ms);
    fprintf(lines->out, "  --------  %s  (%s%s)\n", room_names_of(lines->names, news->who),
            told[news->kind], news->by ? room_names_of(lines->names, news->by) : "");
}

void room_json_news(FILE *out, const weir_room_t *room, const struct room_news *news)
{
    static const char *const told[] = {[ROOM_NEWS_BANNED] = "banned",
                                       [ROOM_NEWS_LIFTED] = "lifted",
                                       [ROOM_NEWS_OUT] = "out",
                                       [ROOM_NEWS_CROWDED] = "crowded",
                                       [ROOM_NEWS_BACK] = "back"};
    fputs("{\"member\":", out);
    room_json_key(out, news->who);
    fputs(",\"nickname\":", out);
    print_json_bytes(out, weir_room_name_of(room, news->who));
    fprintf(out, ",\"event\":\"%s\",\"by\":", told[news->kind]);
    room_json_key(out, news->by);
    fprintf(out, ",\"time\":%" PRIu64 "}\n", news->time_ms);
}
