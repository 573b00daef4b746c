#include "contracts/room_config.h"

enum { HEAD_BYTES = 1 + 5 * 4 + 1 };

struct room_config room_config_default(void)
{
    return (struct room_config){.messages = ROOM_MESSAGES_DEFAULT,
                                .members = ROOM_MEMBERS_DEFAULT,
                                .message_bytes = ROOM_TEXT_BYTES_MAX,
                                .nickname_bytes = ROOM_NICKNAME_BYTES_MAX,
                                .bans = ROOM_BANS_DEFAULT};
}

int room_text_read(struct slice bytes, size_t max, const char *what, struct room_text *text,
                   struct reason *why)
{
    if (bytes.size < 1 || bytes.data[0] > 1)
        return fail(why, ERR_BAD_STATE, "its %s does not begin with 0 (plain) or 1 (sealed)", what);
    struct room_text read = {.sealed = bytes.data[0] == 1};
    size_t head = read.sealed ? ROOM_TEXT_HEAD_BYTES : 1, tag = read.sealed ? ROOM_TAG_BYTES : 0;
    if (bytes.size < head + tag)
        return fail(why, ERR_BAD_STATE, "its sealed %s is cut short", what);
    read.bytes = slice_after(bytes, head);
    if (read.bytes.size > max + tag)
        return fail(why, ERR_BAD_STATE, "its %s has %zu bytes, the most is %zu", what,
                    read.bytes.size - tag, max);
    if (read.sealed) {
        read.key_id = bytes.data + 1;
        read.nonce = bytes.data + 1 + ROOM_KEY_ID_BYTES;
    }
    *text = read;
    return 0;
}

bool room_keys_ascend(struct slice list, size_t step)
{
    for (size_t at = step; at < list.size; at += step)
        if (memcmp(list.data + at - step, list.data + at, WRITER_KEY_BYTES) >= 0)
            return false;
    return true;
}

static int read_sized_text(struct slice *rest, size_t max, const char *what, struct room_text *text,
                           struct reason *why)
{
    if (rest->size < 2 || get_u16(rest->data) > rest->size - 2)
        return fail(why, ERR_BAD_STATE, "its %s is cut short", what);
    size_t size = get_u16(rest->data);
    int rc = room_text_read(slice_of(rest->data + 2, size), max, what, text, why);
    if (!rc)
        *rest = slice_after(*rest, 2 + size);
    return rc;
}

static int read_caps(const uint8_t *body, struct room_config *config, struct reason *why)
{
    const struct {
        const char *what;
        uint32_t *value, max;
    } caps[] = {
        {"messages", &config->messages, ROOM_ENTRIES_MAX},
        {"members", &config->members, ROOM_MEMBERS_MAX},
        {"bytes of a message", &config->message_bytes, ROOM_TEXT_BYTES_MAX},
        {"bytes of a nickname", &config->nickname_bytes, ROOM_NICKNAME_BYTES_MAX},
        {"bans", &config->bans, ROOM_BANS_MAX},
    };
    for (size_t i = 0; i < sizeof caps / sizeof caps[0]; i++) {
        *caps[i].value = get_u32(body + 1 + 4 * i);
        if (*caps[i].value > caps[i].max)
            return fail(why, ERR_BAD_STATE, "it allows %u %s, the most is %u", *caps[i].value,
                        caps[i].what, caps[i].max);
    }
    return 0;
}

int room_config_read(struct slice body, struct room_config *config, struct reason *why)
{
    struct room_config read = {0};
    if (body.size < HEAD_BYTES || body.data[0] > 1)
        return fail(why, ERR_BAD_STATE, "it is no configuration");
    read.is_private = body.data[0];
    int rc = read_caps(body.data, &read, why);
    if (rc)
        return rc;
    size_t count = body.data[HEAD_BYTES - 1], size = count * WRITER_KEY_BYTES;
    struct slice rest = slice_after(body, HEAD_BYTES);
    if (count > ROOM_MODERATORS_MAX || size > rest.size)
        return fail(why, ERR_BAD_STATE, "it names %zu moderators: cut short, or over %u", count,
                    ROOM_MODERATORS_MAX);
    read.moderators = slice_of(rest.data, size);
    if (!room_keys_ascend(read.moderators, WRITER_KEY_BYTES))
        return fail(why, ERR_BAD_STATE, "its moderators are not in order, each once");
    rest = slice_after(rest, size);
    rc = read_sized_text(&rest, ROOM_NAME_BYTES_MAX, "name", &read.name, why);
    if (!rc)
        rc = read_sized_text(&rest, ROOM_DESCRIPTION_BYTES_MAX, "description", &read.description,
                             why);
    if (!rc && rest.size)
        rc = fail(why, ERR_BAD_STATE, "%zu bytes follow its description", rest.size);
    if (!rc)
        *config = read;
    return rc;
}
