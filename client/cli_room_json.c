/* A room as programs read it. */
#include "client/cli_room.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

void room_json_key(FILE *out, const uint8_t *key)
{
    char text[WEIR_KEY_TEXT_MAX];
    if (!key) {
        fputs("null", out);
        return;
    }
    weir_key_print(key, text);
    fprintf(out, "\"%s\"", text);
}

static const char *truth(int yes)
{
    return yes ? "true" : "false";
}

static void named_key(FILE *out, const char *name, const uint8_t *key)
{
    fprintf(out, ",\"%s\":", name);
    room_json_key(out, key);
}

static void named_text(FILE *out, const char *name, struct weir_bytes text)
{
    fprintf(out, ",\"%s\":", name);
    print_json_bytes(out, text);
}

/* The fields that begin whatever was written: its name, when, who. */
static void head(FILE *out, const weir_room_t *room, const uint8_t *spot, uint64_t time_ms,
                 const uint8_t *author)
{
    char name[WEIR_SPOT_TEXT];
    weir_room_spot_name(spot, name);
    fprintf(out, "{\"message\":\"%s\",\"time\":%" PRIu64, name, time_ms);
    named_key(out, "author", author);
    named_text(out, "nickname", weir_room_name_of(room, author));
}

/* --- messages -------------------------------------------------------------------------------- */

static const char *content_name(enum weir_room_content content)
{
    switch (content) {
    case WEIR_ROOM_TEXT:
        return "text";
    case WEIR_ROOM_REPLY:
        return "reply";
    case WEIR_ROOM_JOIN:
        return "join";
    case WEIR_ROOM_LEAVE:
        return "leave";
    }
    return "other";
}

static void reactions(FILE *out, const weir_room_t *room, size_t i, size_t count)
{
    fputs(",\"reactions\":[", out);
    for (size_t r = 0; r < count; r++) {
        struct weir_room_reaction reaction;
        weir_room_reaction(room, i, r, &reaction);
        fprintf(out, "%s{\"text\":", r ? "," : "");
        print_json_bytes(out, reaction.text);
        fprintf(out, ",\"count\":%zu,\"mine\":%s,\"authors\":[", reaction.count,
                truth(reaction.mine));
        for (size_t a = 0; a < reaction.count; a++) {
            fputs(a ? "," : "", out);
            room_json_key(out, weir_room_reaction_author(room, i, r, a));
        }
        fputs("]}", out);
    }
    fputc(']', out);
}

void room_json_message(FILE *out, const weir_room_t *room, size_t i)
{
    struct weir_room_message message;
    char answered[WEIR_SPOT_TEXT];
    weir_room_message(room, i, &message);
    head(out, room, message.spot, message.time_ms, message.author);
    fprintf(out, ",\"content\":\"%s\"", content_name(message.content));
    named_text(out, "text", message.text);
    if (message.reply_to) {
        weir_room_spot_name(message.reply_to, answered);
        fprintf(out, ",\"reply_to\":\"%s\"", answered);
    }
    fprintf(out, ",\"edited\":%s,\"deleted\":%s,\"sealed\":%s", truth(message.edited),
            truth(message.deleted), truth(message.sealed));
    reactions(out, room, i, message.reaction_count);
    fputc('}', out);
}

void room_json_direct(FILE *out, const weir_room_t *room, const uint8_t *with)
{
    bool some = false;
    fputc('[', out);
    for (size_t i = 0; i < weir_room_direct_count(room); i++) {
        struct weir_room_direct_message message;
        weir_room_direct_message(room, i, &message);
        if (!room_direct_is_with(&message, with))
            continue;
        fputs(some ? "," : "", out);
        head(out, room, message.spot, message.time_ms, message.author);
        named_key(out, "recipient", message.recipient);
        named_text(out, "text", message.text);
        fputc('}', out);
        some = true;
    }
    fputc(']', out);
}

/* --- people ---------------------------------------------------------------------------------- */

/* With the nicknames that they gave themselves, or what `names` calls them. */
static void members(FILE *out, const weir_room_t *room, const room_names_t *names)
{
    const uint8_t *me = weir_room_me(room);
    fputc('[', out);
    for (size_t i = 0; i < weir_room_member_count(room); i++) {
        struct weir_room_member member;
        weir_room_member(room, i, &member);
        fputs(i ? ",{\"key\":" : "{\"key\":", out);
        room_json_key(out, member.key);
        named_text(out, "nickname",
                   names ? weir_text(room_names_of(names, member.key)) : member.nickname);
        fprintf(out, ",\"role\":\"%s\"",
                !member.inviter    ? "owner"
                : member.moderator ? "moderator"
                                   : "member");
        named_key(out, "inviter", member.inviter);
        fprintf(out, ",\"invited\":%" PRIu64 ",\"me\":%s}", member.invited_ms,
                truth(memcmp(member.key, me, WEIR_KEY_BYTES) == 0));
    }
    fputc(']', out);
}

void room_json_members(FILE *out, const weir_room_t *room)
{
    members(out, room, NULL);
}

void room_table_members(FILE *out, const weir_room_t *room)
{
    room_names_t *names = room_names_new(room);
    if (names)
        members(out, room, names);
    room_names_destroy(&names);
}

static void bans(FILE *out, const weir_room_t *room, bool named)
{
    fputc('[', out);
    for (size_t i = 0; i < weir_room_ban_count(room); i++) {
        struct weir_room_ban ban;
        weir_room_banned(room, i, &ban);
        fputs(i ? ",{\"target\":" : "{\"target\":", out);
        room_json_key(out, ban.target);
        if (named)
            named_text(out, "nickname", weir_room_name_of(room, ban.target));
        named_key(out, "author", ban.author);
        fprintf(out, ",\"time\":%" PRIu64 "}", ban.time_ms);
    }
    fputc(']', out);
}

void room_json_bans(FILE *out, const weir_room_t *room)
{
    bans(out, room, false);
}

void room_json_banned(FILE *out, const weir_room_t *room)
{
    bans(out, room, true);
}

static void named_when(FILE *out, uint64_t time_ms)
{
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm tm;
    char text[32] = "";
    if (localtime_r(&seconds, &tm))
        strftime(text, sizeof text, "%Y-%m-%d %H:%M", &tm);
    named_text(out, "when", weir_text(text));
}

void room_table_bans(FILE *out, const weir_room_t *room)
{
    room_names_t *names = room_names_new(room);
    if (!names)
        return;
    fputc('[', out);
    for (size_t i = 0; i < weir_room_ban_count(room); i++) {
        struct weir_room_ban ban;
        weir_room_banned(room, i, &ban);
        fputs(i ? ",{\"nickname\":" : "{\"nickname\":", out);
        print_json_bytes(out, weir_text(room_names_of(names, ban.target)));
        named_key(out, "key", ban.target);
        named_text(out, "by", weir_text(room_names_of(names, ban.author)));
        named_when(out, ban.time_ms);
        fputc('}', out);
    }
    fputc(']', out);
    room_names_destroy(&names);
}

void room_json_config(FILE *out, const weir_room_t *room)
{
    struct weir_room_info info;
    weir_room_info(room, &info);
    fputs("{\"name\":", out);
    print_json_bytes(out, info.name);
    named_text(out, "description", info.description);
    fprintf(out,
            ",\"private\":%s,\"readable\":%s,\"messages\":%u,\"members\":%u,\"message_bytes\":%u,"
            "\"nickname_bytes\":%u,\"bans\":%u",
            truth(info.is_private), truth(info.readable), info.messages, info.members,
            info.message_bytes, info.nickname_bytes, info.bans);
    named_key(out, "owner", info.owner);
    fputs(",\"moderators\":[", out);
    for (size_t i = 0; i < info.moderator_count; i++) {
        fputs(i ? "," : "", out);
        room_json_key(out, info.moderators + i * WEIR_KEY_BYTES);
    }
    fputc(']', out);
    named_key(out, "upgrade", info.upgrade);
    fputc('}', out);
}
