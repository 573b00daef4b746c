#include "contracts/room_view.h"

#include <stdarg.h>
#include <stdio.h>

static void print(struct buffer *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void print(struct buffer *out, const char *format, ...)
{
    char line[256];
    va_list values;
    va_start(values, format);
    int size = vsnprintf(line, sizeof line, format, values);
    va_end(values);
    if (size > 0)
        buffer_append(out, line, (size_t)size < sizeof line ? (size_t)size : sizeof line - 1);
}

static void print_hex(struct buffer *out, const char *name, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    print(out, " %s%s", name, bytes ? "" : "-");
    uint8_t *at = bytes ? buffer_grow(out, 2 * size) : NULL;
    for (size_t i = 0; at && i < size; i++) {
        at[2 * i] = (uint8_t)digits[bytes[i] >> 4];
        at[2 * i + 1] = (uint8_t)digits[bytes[i] & 15];
    }
}

static void print_text(struct buffer *out, const char *name, struct slice text)
{
    print(out, " %s\"", name);
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c < 0x20 || c > 0x7e || c == '"' || c == '\\')
            print(out, "\\x%02x", c);
        else
            buffer_append_u8(out, c);
    }
    print(out, "\"");
}

static void print_config(const room_view_t *self, struct buffer *out)
{
    const struct room_config *config = room_view_config(self);
    print(out, "room %s messages %u members %u message_bytes %u nickname_bytes %u bans %u",
          config->is_private ? "private" : "public", config->messages, config->members,
          config->message_bytes, config->nickname_bytes, config->bans);
    print_text(out, "name ", room_view_name(self));
    print_text(out, "description ", room_view_description(self));
    print_hex(out, "upgrade ", room_view_upgrade(self), CONTRACT_KEY_BYTES);
    print(out, "\n");
}

static void print_member(const struct room_member *member, struct buffer *out)
{
    print(out, "%s", member->moderator ? "moderator" : "member");
    print_hex(out, "", member->key, WRITER_KEY_BYTES);
    print_hex(out, "by ", member->inviter, WRITER_KEY_BYTES);
    print(out, " invited %llu", (unsigned long long)member->invited);
    print_text(out, "nickname ", member->nickname);
    print(out, "\n");
}

static const char *content_name(enum room_content content)
{
    static const char *const names[] = {
        [ROOM_TEXT] = "text",     [ROOM_REPLY] = "reply", [ROOM_EDIT] = "edit",
        [ROOM_DELETE] = "delete", [ROOM_REACT] = "react", [ROOM_UNREACT] = "unreact",
        [ROOM_JOIN] = "join",     [ROOM_LEAVE] = "leave",
    };
    return names[content];
}

static void print_message(const struct room_message *message, struct buffer *out)
{
    print(out, "%s%s%s%s", content_name(message->content), message->edited ? " edited" : "",
          message->deleted ? " deleted" : "", message->sealed ? " sealed" : "");
    print_hex(out, "", message->spot, ROOM_SPOT_BYTES);
    print_hex(out, "by ", message->author, WRITER_KEY_BYTES);
    if (message->reply_to)
        print_hex(out, "to ", message->reply_to, ROOM_SPOT_BYTES);
    print_text(out, "", message->text);
    for (size_t i = 0; i < message->reaction_count; i++) {
        const struct room_reaction *reaction = &message->reactions[i];
        print(out, " %zux", reaction->count);
        print_text(out, "", reaction->text);
        for (size_t j = 0; j < reaction->count; j++)
            print_hex(out, "", reaction->authors[j], 4);
    }
    print(out, "\n");
}

static void print_rest(const room_view_t *self, struct buffer *out)
{
    for (size_t i = 0; i < room_view_direct_count(self); i++) {
        const struct room_direct *direct = room_view_direct(self, i);
        print(out, "direct");
        print_hex(out, "", direct->spot, ROOM_SPOT_BYTES);
        print_hex(out, "by ", direct->author, WRITER_KEY_BYTES);
        print_hex(out, "to ", direct->recipient, WRITER_KEY_BYTES);
        print(out, " %zu bytes\n", direct->box.size);
    }
    for (size_t i = 0; i < room_view_grant_count(self); i++) {
        const struct room_grant *grant = room_view_grant(self, i);
        print(out, "key %llu%s%s", (unsigned long long)grant->number,
              grant->trusted ? " trusted" : "",
              grant == room_view_key_in_use(self) ? " in use" : "");
        print_hex(out, "", grant->key_id, ROOM_KEY_ID_BYTES);
        print_hex(out, "by ", grant->author, WRITER_KEY_BYTES);
        print(out, " %zu copies\n", grant->copies.size / ROOM_COPY_BYTES);
    }
}

int room_view_print(const room_view_t *self, struct buffer *out)
{
    print_config(self, out);
    for (size_t i = 0; i < room_view_member_count(self); i++)
        print_member(room_view_member(self, i), out);
    for (size_t i = 0; i < room_view_ban_count(self); i++) {
        const struct room_ban *ban = room_view_ban(self, i);
        print(out, "ban");
        print_hex(out, "", ban->target, WRITER_KEY_BYTES);
        print_hex(out, "by ", ban->author, WRITER_KEY_BYTES);
        print(out, " stamp %llu\n", (unsigned long long)ban->stamp);
    }
    for (size_t i = 0; i < room_view_message_count(self); i++)
        print_message(room_view_message(self, i), out);
    print_rest(self, out);
    return buffer_failed(out) ? ERR_NO_MEMORY : 0;
}
