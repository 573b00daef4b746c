/* What is written: texts, and what the commands about messages do. */
#include "client/chat.h"

#include "base/limits.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct weir_bytes bytes_of(struct slice text)
{
    return (struct weir_bytes){text.data, text.size};
}

void chat_do_queued(struct chat *chat, int rc)
{
    struct chat_room *room = chat_current(chat);
    chat->asked_to_quit = false;
    if (rc < 0)
        chat_note(chat, true, "%s", weir_room_error(room->room));
    else
        chat_room_queued(room, NULL, NULL, slice_of(NULL, 0), chat->connected);
}

/* --- which message --------------------------------------------------------------------------- */

static bool is_mine(const struct chat_room *room, const struct weir_room_message *m)
{
    return memcmp(m->author, weir_room_me(room->room), WEIR_KEY_BYTES) == 0;
}

/* The last text, own or of others. */
static bool last_text(const struct chat_room *room, bool own, struct weir_room_message *m)
{
    for (size_t i = weir_room_message_count(room->room); i-- > 0;) {
        weir_room_message(room->room, i, m);
        bool said = m->content == WEIR_ROOM_TEXT || m->content == WEIR_ROOM_REPLY;
        if (said && !m->deleted && is_mine(room, m) == own)
            return true;
    }
    return false;
}

/* The chosen message; else the last own one, or the last one, of others if there is one. False:
 * there is none, and that is told. */
static bool find_message(struct chat *chat, bool own, struct weir_room_message *m)
{
    const struct chat_room *room = chat_current(chat);
    const uint8_t *chosen = chat_flow_chosen(room->flow);
    size_t i;
    if (chosen && weir_room_find_spot(room->room, chosen, &i) == 0) {
        weir_room_message(room->room, i, m);
        return true;
    }
    if (chosen) {
        chat_note(chat, true, "that works with messages of the room that the node has");
        return false;
    }
    if (last_text(room, own, m) || (!own && last_text(room, true, m)))
        return true;
    chat_note(chat, true, own ? "there is no message of yours" : "there is no message");
    return false;
}

/* --- saying ---------------------------------------------------------------------------------- */

void chat_stop_mode(struct chat *chat)
{
    if (chat->mode == CHAT_MODE_EDIT)
        chat_input_set(&chat->input, slice_of(NULL, 0));
    chat->mode = CHAT_MODE_SAY;
}

/* False: not queued; the text is still needed. */
static bool say(struct chat *chat, struct slice text, const uint8_t *reply_to)
{
    struct chat_room *room = chat_current(chat);
    uint8_t spot[WEIR_SPOT_BYTES];
    int rc = reply_to ? weir_room_reply(room->room, reply_to, bytes_of(text), spot)
                      : weir_room_say(room->room, bytes_of(text), spot);
    if (rc) {
        chat_note(chat, true, "%s", weir_room_error(room->room));
        return false;
    }
    chat->asked_to_quit = false;
    chat_room_queued(room, spot, reply_to, text, chat->connected);
    chat_flow_choose_none(room->flow);
    chat_flow_to_end(room->flow);
    return true;
}

static bool say_in_mode(struct chat *chat, struct slice text)
{
    struct chat_room *room = chat_current(chat);
    if (chat->mode == CHAT_MODE_REPLY)
        return say(chat, text, chat->target);
    if (chat->mode == CHAT_MODE_SAY)
        return say(chat, text, NULL);
    int rc = weir_room_edit(room->room, chat->target, bytes_of(text));
    chat_do_queued(chat, rc);
    chat_flow_choose_none(room->flow);
    return rc == 0;
}

static void run(struct chat *chat, const struct chat_command *command, struct slice args)
{
    if (command->needs_room && !chat_current(chat))
        chat_note(chat, true, "there is no room here; /create NAME or /join INVITATION");
    else if (command->needs_args && args.size == 0)
        chat_note(chat, true, "usage: /%s %s: %s", command->name, command->args, command->doc);
    else
        command->run(chat, args);
}

/* The line goes first: /edit puts another one in its place. What failed can be had again. */
static void run_line(struct chat *chat, const struct chat_command *command, struct slice args)
{
    struct buffer copy = {0};
    buffer_append_slice(&copy, args);
    chat->mode = CHAT_MODE_SAY;
    chat_input_sent(&chat->input);
    run(chat, command, buffer_slice(&copy));
    buffer_free(&copy);
}

void chat_do_line(struct chat *chat)
{
    const struct chat_command *command = NULL;
    struct slice rest;
    bool again = chat->asked_to_leave;
    chat->note[0] = 0;
    chat->note_bad = false;
    switch (chat_command_read(chat_input_text(&chat->input), &command, &rest)) {
    case CHAT_LINE_EMPTY:
        break;
    case CHAT_LINE_UNKNOWN:
        chat_note(chat, true, "there is no command /%.*s; F1 lists them, //%.*s says it as text",
                  (int)rest.size, (const char *)rest.data, (int)rest.size, (const char *)rest.data);
        break;
    case CHAT_LINE_COMMAND:
        run_line(chat, command, rest);
        break;
    case CHAT_LINE_TEXT:
        if (!chat_current(chat)) {
            chat_note(chat, true, "there is no room here; /create NAME or /join INVITATION");
        } else if (say_in_mode(chat, rest)) {
            chat->mode = CHAT_MODE_SAY;
            chat_input_sent(&chat->input);
        }
        break;
    }
    chat->asked_to_leave = chat->asked_to_leave && !again;
}

/* --- commands about messages ----------------------------------------------------------------- */

void chat_do_reply(struct chat *chat, struct slice args)
{
    struct weir_room_message m;
    if (!find_message(chat, false, &m))
        return;
    memcpy(chat->target, m.spot, sizeof chat->target);
    if (args.size)
        say(chat, args, chat->target);
    else
        chat->mode = CHAT_MODE_REPLY;
}

/* Queued by the library, or its code. Which message it is about is told to who chose none. */
static void do_about(struct chat *chat, const struct weir_room_message *m, int rc)
{
    enum { SHOWN_COLUMNS = 24 };
    const struct chat_room *room = chat_current(chat);
    struct buffer text = {0};
    struct slice name = chat_room_name(room, m->author);
    chat_do_queued(chat, rc);
    if (rc || chat_flow_chosen(room->flow))
        return;
    chat_text_one_line(slice_of(m->text.data, m->text.size), chat_text_cut, SHOWN_COLUMNS, &text);
    chat_note(chat, false, "on the last message, of %.*s: %.*s (Up chooses another)",
              (int)name.size, (const char *)name.data, (int)text.size, (const char *)text.data);
    buffer_free(&text);
}

void chat_do_edit(struct chat *chat, struct slice args)
{
    struct weir_room_message m;
    if (!find_message(chat, true, &m))
        return;
    if (!is_mine(chat_current(chat), &m)) {
        chat_note(chat, true, "it is another's message: only who wrote it can edit it");
        return;
    }
    memcpy(chat->target, m.spot, sizeof chat->target);
    if (args.size) {
        do_about(chat, &m, weir_room_edit(chat_current(chat)->room, m.spot, bytes_of(args)));
        return;
    }
    chat->mode = CHAT_MODE_EDIT;
    chat_input_set(&chat->input, slice_of(m.text.data, m.text.size));
}

void chat_do_delete(struct chat *chat, struct slice args)
{
    struct weir_room_message m;
    (void)args;
    if (!find_message(chat, true, &m))
        return;
    do_about(chat, &m, weir_room_delete(chat_current(chat)->room, m.spot));
    chat_flow_choose_none(chat_current(chat)->flow);
}

/* Is there a reaction of mine with this text already? */
static bool reacted(const struct chat_room *room, const struct weir_room_message *m,
                    struct slice text)
{
    size_t at;
    if (weir_room_find_spot(room->room, m->spot, &at))
        return false;
    for (size_t r = 0; r < m->reaction_count; r++) {
        struct weir_room_reaction reaction;
        weir_room_reaction(room->room, at, r, &reaction);
        if (reaction.mine && slice_equal(slice_of(reaction.text.data, reaction.text.size), text))
            return true;
    }
    return false;
}

void chat_do_react(struct chat *chat, struct slice args)
{
    struct weir_room_message m;
    struct chat_room *room = chat_current(chat);
    struct slice text = chat_emoji_of(args);
    if (!find_message(chat, false, &m))
        return;
    bool remove = reacted(room, &m, text);
    do_about(chat, &m, weir_room_react(room->room, m.spot, bytes_of(text), remove));
    chat_flow_choose_none(room->flow);
}

/* --- the rest that needs no node ------------------------------------------------------------- */

void chat_do_help(struct chat *chat, struct slice args)
{
    struct buffer text = {0};
    (void)args;
    chat_help(&text);
    chat_page_open(chat, "weir chat: keys and commands");
    chat_page_add(chat, buffer_slice(&text));
    buffer_free(&text);
}

bool chat_has_waiting(const struct chat *chat)
{
    for (size_t i = 0; i < chat->room_count; i++)
        if (chat_room_has_waiting(chat->rooms[i]))
            return true;
    return false;
}

void chat_ask_to_quit(struct chat *chat)
{
    chat->asked_to_quit = true;
    chat_note(chat, true, "ending now loses it: once more to end");
}

void chat_do_quit(struct chat *chat, struct slice args)
{
    (void)args;
    if (!chat_has_waiting(chat) || chat->asked_to_quit) {
        chat->quit = true;
    } else if (chat->connected && !chat->end_by_ms) {
        chat->end_by_ms = unix_ms() + CHAT_END_MS;
        chat_note(chat, false, "sending what waits");
    } else {
        chat_ask_to_quit(chat);
    }
}

void chat_do_room(struct chat *chat, struct slice args)
{
    for (size_t i = 0; i < chat->room_count; i++)
        if (slice_is(args, chat->rooms[i]->name)) {
            chat_go(chat, i);
            return;
        }
    chat_note(chat, true, "there is no room %.*s here", (int)args.size, (const char *)args.data);
}

static void write_line(FILE *file, const struct chat_room *room, const struct weir_room_message *m)
{
    struct buffer line = {0};
    chat_text_clean(chat_room_name(room, m->author), CHAT_ONE_LINE, &line);
    buffer_append_u8(&line, '\t');
    chat_text_clean(slice_of(m->text.data, m->text.size), CHAT_ONE_LINE, &line);
    fprintf(file, "%llu\t%.*s\n", (unsigned long long)m->time_ms, (int)line.size,
            (const char *)line.data);
    buffer_free(&line);
}

FILE *chat_create_file(const char *path)
{
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (fd >= 0 && !file)
        close(fd);
    return file;
}

static void export_to(struct chat *chat, const char *path)
{
    const struct chat_room *room = chat_current(chat);
    FILE *file = chat_create_file(path);
    size_t count = weir_room_message_count(room->room), written = 0;
    for (size_t i = 0; file && i < count; i++) {
        struct weir_room_message m;
        weir_room_message(room->room, i, &m);
        if (m.content != WEIR_ROOM_TEXT && m.content != WEIR_ROOM_REPLY)
            continue;
        write_line(file, room, &m);
        written++;
    }
    bool failed = !file || ferror(file);
    failed = (file && fclose(file)) || failed;
    if (failed)
        chat_note(chat, true, "it cannot be written (%m): %s", path);
    else
        chat_note(chat, false, "%zu messages are in %s", written, path);
}

void chat_do_export(struct chat *chat, struct slice args)
{
    char *path = chat_copy_text(args);
    if (path)
        export_to(chat, path);
    free(path);
}
