#include "client/chat.h"

#include "base/limits.h"
#include "client/chat_screen.h"
#include "client/cli_room.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { TICK_MS = 250, IDLE_MS = 5000, KEYS_A_TURN = 4096 };

void chat_note(struct chat *chat, bool bad, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(chat->note, sizeof chat->note, format, args);
    va_end(args);
    chat->note_bad = bad;
    chat->noted_at_ms = monotonic_ms();
    chat->dirty = true;
}

void chat_drop_note(struct chat *chat, uint64_t age_ms)
{
    if (*chat->note && monotonic_ms() - chat->noted_at_ms >= age_ms)
        chat_note(chat, false, "%s", "");
}

/* --- a page ---------------------------------------------------------------------------------- */

void chat_page_open(struct chat *chat, const char *title)
{
    chat->page.open = true;
    chat->page.top = 0;
    buffer_clear(&chat->page.text);
    snprintf(chat->page.title, sizeof chat->page.title, "%s", title);
}

void chat_page_add(struct chat *chat, struct slice text)
{
    chat_text_clean(text, CHAT_LINES_KEPT, &chat->page.text);
}
/* --- time ------------------------------------------------------------------------------------ */

static void on_status(weir_t *w, const struct weir_reply *reply, void *arg)
{
    (void)w, (void)reply, (void)arg;
}

/* Whether a node refused our key is told to who asks for something, and rooms ask only once there
 * is a node. */
static void look_for_denial(struct chat *chat)
{
    bool denied = false;
    if (!chat->connected && weir_open(chat->w) == 0)
        denied = weir_status_async(chat->w, on_status, NULL) == WEIR_DENIED;
    chat->dirty = chat->dirty || denied != chat->denied;
    chat->denied = denied;
}

static void tick(struct chat *chat)
{
    uint64_t now = unix_ms();
    bool connected = weir_connected(chat->w) != 0;
    chat->dirty = chat->dirty || connected != chat->connected;
    chat->connected = connected;
    look_for_denial(chat);
    chat_drop_note(chat, CHAT_NOTE_MS_MAX);
    chat_rooms_tick(chat, now);
    if (now >= chat->save_at_ms) {
        chat->save_at_ms = now + CHAT_SAVE_MS;
        chat_rooms_save(chat);
    }
    if (chat->end_by_ms && !chat_has_waiting(chat)) {
        chat->quit = true;
    } else if (chat->end_by_ms && now >= chat->end_by_ms) {
        chat->end_by_ms = 0;
        chat_ask_to_quit(chat);
    }
}

/* --- the loop -------------------------------------------------------------------------------- */

static int watch_signals(void)
{
    static const int numbers[] = {SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGQUIT};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sigaddset(&set, numbers[i]);
    if (sigprocmask(SIG_BLOCK, &set, NULL))
        return -1;
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static void on_signals(struct chat *chat, int fd)
{
    struct signalfd_siginfo info;
    while (read(fd, &info, sizeof info) == sizeof info)
        if (info.ssi_signo == SIGWINCH)
            chat_screen_resize();
        else
            chat->quit = true;
    chat->dirty = true;
}

/* How long the poll may wait. */
static int wait_ms(struct chat *chat)
{
    int quiet = IDLE_MS, node = weir_wait_ms(chat->w);
    for (size_t i = 0; i < chat->room_count; i++)
        if (chat->rooms[i]->state != CHAT_ROOM_FOLLOWED || chat->rooms[i]->read_moved ||
            chat->rooms[i]->sending)
            quiet = TICK_MS;
    if (chat->end_by_ms)
        quiet = TICK_MS;
    return node >= 0 && node < quiet ? node : quiet;
}

static void read_keys(struct chat *chat)
{
    struct chat_key key;
    for (int n = 0; n < KEYS_A_TURN && !chat->quit && chat_screen_key(&key); n++)
        chat_on_key(chat, &key);
}

static int run(struct chat *chat, int signals)
{
    enum { TERMINAL, NODE, SIGNALS, POLLED };
    struct pollfd polled[POLLED] = {
        {.fd = STDIN_FILENO, .events = POLLIN},
        {.fd = weir_fd(chat->w), .events = POLLIN},
        {.fd = signals, .events = POLLIN},
    };
    while (!chat->quit) {
        int rc = weir_step(chat->w, 0);
        if (rc < 0)
            return rc;
        tick(chat);
        if (chat->dirty)
            chat_draw(chat);
        /* What was queued meanwhile is sent by the next step. */
        rc = poll(polled, POLLED, weir_step(chat->w, 0) > 0 ? 0 : wait_ms(chat));
        if (rc < 0 && errno != EINTR)
            return WEIR_IO;
        if (polled[SIGNALS].revents)
            on_signals(chat, signals);
        if (polled[TERMINAL].revents & (POLLHUP | POLLERR | POLLNVAL))
            chat->quit = true;
        read_keys(chat);
    }
    return 0;
}

/* --- in and out ------------------------------------------------------------------------------ */

/* Without a locale for it the terminal is taken to show UTF-8, as nearly all do. */
static void choose_locale(void)
{
    setlocale(LC_ALL, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setlocale(LC_CTYPE, "C.UTF-8");
}

static const char *node_of(const struct cli *cli)
{
    const char *env = getenv("WEIR_NODE");
    return cli_has(cli, OPTION_node) ? cli_value(cli, OPTION_node)
           : env && *env             ? env
                                     : WEIR_DEFAULT_ENDPOINT;
}

static void chat_free(struct cli *cli, struct chat *chat)
{
    chat_rooms_close(chat);
    weir_destroy(&cli->w);
    chat_rooms_free(chat);
    chat_complete_end(&chat->complete);
    chat_input_free(&chat->input);
    buffer_free(&chat->page.text);
    room_book_destroy(&chat->book);
}

static int on_terminal(struct cli *cli, struct chat *chat)
{
    struct reason why;
    int signals = watch_signals();
    int rc = signals < 0 ? WEIR_IO : chat_screen_open(&why);
    if (rc)
        return cli_fail(cli, rc, signals < 0 ? strerror(errno) : why.text);
    chat->dirty = true;
    rc = run(chat, signals);
    chat_rooms_save(chat);
    chat_screen_close();
    close(signals);
    if (rc)
        return cli_fail(cli, rc, weir_error(chat->w));
    return EXIT_DONE;
}

/* Who has nothing yet begins here; an identity that is named must be there: a new one for a slip of
 * the finger would be somebody else to all rooms. */
static int open_book(const struct cli *cli, room_book_t **book, bool *made, struct weir_reason *why)
{
    const char *identity = cli_value(cli, OPTION_identity);
    int rc = room_book_open(identity, false, NULL, book, why);
    if (rc == WEIR_NOT_FOUND && room_book_is_first(identity))
        rc = room_book_open(identity, true, made, book, why);
    if (!rc)
        return 0;
    return room_cli_fail_why(cli, rc, why->text, rc == WEIR_NOT_FOUND ? HINT_IDENTITY : NULL);
}

int cli_chat(struct cli *cli)
{
    struct chat chat = {.node = node_of(cli)};
    struct weir_reason why = {""};
    choose_locale();
    bool made = false;
    int rc = open_book(cli, &chat.book, &made, &why);
    if (rc)
        return rc;
    if (made)
        chat_note(&chat, false, "a key pair was made for %s, new on this machine",
                  room_book_identity(chat.book));
    cli->w = cli_handle(cli, (struct weir_options){.dont_wait = 1}); /* keys do not wait */
    chat.w = cli->w;
    rc = cli->w ? chat_rooms_open(&chat, cli->arg_count ? cli->args[0] : NULL, &why)
                : WEIR_NO_MEMORY;
    rc = rc ? room_cli_fail_why(cli, rc, why.text, rc == WEIR_NOT_FOUND ? HINT_NO_ROOM : NULL)
            : on_terminal(cli, &chat);
    chat_free(cli, &chat);
    return rc;
}
