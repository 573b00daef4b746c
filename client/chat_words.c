/* The words that Tab may put in: of what kind, client/chat_complete.h knows. */
#include "client/chat.h"

static void offer_text(struct chat *chat, const char *text)
{
    chat_complete_offer(&chat->complete, &chat->input, slice_text(text));
}

static void offer_person(struct chat *chat, const uint8_t *key)
{
    chat_complete_offer(&chat->complete, &chat->input, chat_room_name(chat_current(chat), key));
}

static void offer_members(struct chat *chat, bool banned)
{
    const struct chat_room *room = chat_current(chat);
    for (size_t i = 0; room && !banned && i < weir_room_member_count(room->room); i++) {
        struct weir_room_member m;
        weir_room_member(room->room, i, &m);
        if (memcmp(m.key, weir_room_me(room->room), WEIR_KEY_BYTES) != 0)
            offer_person(chat, m.key);
    }
    for (size_t i = 0; room && banned && i < weir_room_ban_count(room->room); i++) {
        struct weir_room_ban b;
        weir_room_banned(room->room, i, &b);
        offer_person(chat, b.target);
    }
}

void chat_offer_words(struct chat *chat)
{
    switch (chat->complete.what) {
    case CHAT_WORD_NONE:
        break;
    case CHAT_WORD_COMMAND:
        for (const struct chat_command *c = chat_commands; c->name; c++)
            offer_text(chat, c->name);
        break;
    case CHAT_WORD_ROOM:
        for (size_t i = 0; i < chat->room_count; i++)
            offer_text(chat, chat->rooms[i]->name);
        break;
    case CHAT_WORD_MEMBER:
    case CHAT_WORD_BANNED:
        offer_members(chat, chat->complete.what == CHAT_WORD_BANNED);
        break;
    case CHAT_WORD_EMOJI:
        for (const struct chat_emoji *e = chat_emoji; e->name; e++)
            offer_text(chat, e->name);
        break;
    case CHAT_WORD_SETTING:
        for (size_t i = 0; chat_setting(i); i++)
            offer_text(chat, chat_setting(i));
        break;
    }
}
