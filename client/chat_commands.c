#include "client/chat_commands.h"

#include <stdio.h>

/* {name, arguments, doc, first argument, needs arguments, needs a room, function} */
const struct chat_command chat_commands[] = {
    {"help", "", "show this", CHAT_WORD_NONE, false, false, chat_do_help},
    {"create", "[private] NAME", "make a room; a private one is sealed for its members",
     CHAT_WORD_NONE, true, false, chat_do_create},
    {"join", "INVITATION", "enter a room", CHAT_WORD_NONE, true, false, chat_do_join},
    {"invite", "[FILE]", "an invitation to this room, to be given to whom you want in it",
     CHAT_WORD_NONE, false, true, chat_do_invite},
    {"room", "NAME", "go to another room", CHAT_WORD_ROOM, true, false, chat_do_room},
    {"reply", "[TEXT]", "answer the chosen message, else the last one", CHAT_WORD_MEMBER, false,
     true, chat_do_reply},
    {"edit", "[TEXT]", "say what the chosen message, else your last one, should have said",
     CHAT_WORD_MEMBER, false, true, chat_do_edit},
    {"delete", "", "take the chosen message away, else your last one", CHAT_WORD_NONE, false, true,
     chat_do_delete},
    {"react", "EMOJI", "react to the chosen message, else the last; again takes it back",
     CHAT_WORD_EMOJI, true, true, chat_do_react},
    {"dm", "MEMBER TEXT", "write to one member alone", CHAT_WORD_MEMBER, true, true, chat_do_dm},
    {"nick", "NAME", "what you are called in this room", CHAT_WORD_NONE, true, true, chat_do_nick},
    {"members", "", "who is here, and who invited whom", CHAT_WORD_NONE, false, true,
     chat_do_members},
    {"ban", "MEMBER", "put someone, and all whom they invited, out of the room", CHAT_WORD_MEMBER,
     true, true, chat_do_ban},
    {"unban", "MEMBER", "lift your ban", CHAT_WORD_BANNED, true, true, chat_do_unban},
    {"topic", "[TEXT]", "what the room is for", CHAT_WORD_NONE, false, true, chat_do_topic},
    {"config", "[SETTING VALUE]", "show or change the room's settings, as its owner",
     CHAT_WORD_SETTING, false, true, chat_do_config},
    {"rotate", "", "a new key for a private room", CHAT_WORD_NONE, false, true, chat_do_rotate},
    {"leave", "", "leave this room for good", CHAT_WORD_NONE, false, true, chat_do_leave},
    {"export", "FILE", "write this room's messages to a new file", CHAT_WORD_NONE, true, true,
     chat_do_export},
    {"quit", "", "end", CHAT_WORD_NONE, false, false, chat_do_quit},
    {0},
};

static const struct {
    const char *keys, *doc;
} keys[] = {
    {"Enter", "send; Alt-Enter or Ctrl-J: a new line"},
    {"Tab", "complete /commands, names, rooms"},
    {"Up, Down", "in an empty line: choose a message; Enter answers it, Esc lets it go"},
    {"Alt-E, Alt-D", "edit, delete the chosen message, else your last one"},
    {"Alt-R, Alt-A", "answer it; react to it"},
    {"Page Up, Page Down", "go through the messages; End: to the newest"},
    {"Ctrl-N, Ctrl-P", "next, previous room; Alt-1 to Alt-9: that one"},
    {"Alt-P, Alt-N", "what you wrote before"},
    {"Ctrl-A E K U W Y", "as in a shell"},
    {"Ctrl-L", "draw the screen anew"},
    {"Ctrl-C, Ctrl-D", "end"},
};

const struct chat_command *chat_command_find(struct slice name)
{
    for (const struct chat_command *c = chat_commands; c->name; c++)
        if (slice_is(name, c->name))
            return c;
    return NULL;
}

/* --- reading a line -------------------------------------------------------------------------- */

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\n';
}

struct slice chat_trim(struct slice text)
{
    while (text.size && is_blank(text.data[text.size - 1]))
        text.size--;
    while (text.size && is_blank(text.data[0]))
        text = slice_after(text, 1);
    return text;
}

struct slice chat_first_word(struct slice text, struct slice *rest)
{
    size_t end = 0;
    text = chat_trim(text);
    if (text.size > 1 && text.data[0] == '"') {
        const uint8_t *quote = memchr(text.data + 1, '"', text.size - 1);
        if (quote) {
            end = (size_t)(quote - text.data);
            *rest = chat_trim(slice_after(text, end + 1));
            return slice_of(text.data + 1, end - 1);
        }
    }
    while (end < text.size && !is_blank(text.data[end]))
        end++;
    *rest = chat_trim(slice_after(text, end));
    return slice_of(text.data, end);
}

enum chat_line chat_command_read(struct slice line, const struct chat_command **command,
                                 struct slice *rest)
{
    struct slice name;
    *rest = line;
    if (chat_trim(line).size == 0)
        return CHAT_LINE_EMPTY;
    if (line.data[0] != '/')
        return CHAT_LINE_TEXT;
    *rest = slice_after(line, 1);
    if (line.size > 1 && line.data[1] == '/')
        return CHAT_LINE_TEXT;
    size_t end = 1;
    while (end < line.size && !is_blank(line.data[end]))
        end++;
    name = slice_of(line.data + 1, end - 1);
    *command = chat_command_find(name);
    *rest = *command ? chat_trim(slice_after(line, end)) : name;
    return *command ? CHAT_LINE_COMMAND : CHAT_LINE_UNKNOWN;
}

/* --- help ------------------------------------------------------------------------------------ */

static void help_line(struct buffer *out, const char *left, const char *args, const char *doc)
{
    char line[256];
    int used = (int)strlen(left) + (*args ? 1 : 0) + (int)strlen(args);
    int size = snprintf(line, sizeof line, "  %s%s%s%*s %s\n", left, *args ? " " : "", args,
                        used < 22 ? 22 - used : 1, "", doc);
    if (size > 0 && (size_t)size < sizeof line)
        buffer_append(out, line, (size_t)size);
}

void chat_help(struct buffer *out)
{
    buffer_append_slice(out, slice_text("Keys\n"));
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        help_line(out, keys[i].keys, "", keys[i].doc);
    buffer_append_slice(out, slice_text("\nCommands\n"));
    for (const struct chat_command *c = chat_commands; c->name; c++) {
        char name[32];
        snprintf(name, sizeof name, "/%s", c->name);
        help_line(out, name, c->args, c->doc);
    }
    buffer_append_slice(out, slice_text("\n//text says a text that begins with a slash.\n"));
}

/* --- emoji ----------------------------------------------------------------------------------- */

const struct chat_emoji chat_emoji[] = {
    {"+1", "👍"},     {"-1", "👎"},       {"heart", "❤"}, {"laugh", "😂"},  {"smile", "😀"},
    {"tada", "🎉"},   {"thanks", "🙏"},   {"clap", "👏"},  {"eyes", "👀"},   {"fire", "🔥"},
    {"rocket", "🚀"}, {"think", "🤔"}, {"sad", "😢"},   {"wow", "😮"},    {"wave", "👋"},
    {"100", "💯"},    {"yes", "✅"},      {"no", "❌"},    {"coffee", "☕"}, {"star", "⭐"},
    {NULL, NULL},
};

struct slice chat_emoji_of(struct slice text)
{
    struct slice name = text;
    if (name.size > 2 && name.data[0] == ':' && name.data[name.size - 1] == ':')
        name = slice_of(name.data + 1, name.size - 2);
    for (const struct chat_emoji *e = chat_emoji; e->name; e++)
        if (slice_is(name, e->name))
            return slice_text(e->text);
    return text;
}
