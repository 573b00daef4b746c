/* weir room log --follow */
#include "client/cli_room.h"
#include "client/cli_room_news.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    DIGEST_BYTES = 16,
    PRINTED_MAX = 16384,    /* more than a room has; then the oldest are forgotten */
    SHARE_EVERY_MS = 60000, /* copies of a private room's key for who has none … */
    SHARE_SPREAD_MS = 5000  /* … and soon after somebody came, not all members at once */
};

/* What was printed of a message, so that only what is new is printed again. */
struct printed {
    uint8_t spot[WEIR_SPOT_BYTES];
    uint8_t digest[DIGEST_BYTES];
    bool sealed;
};

struct follower {
    struct room_cli *room;
    struct room_lines *lines;
    uint64_t since_ms;
    struct printed *printed; /* in order of their spots */
    size_t count, capacity;
    struct room_people people;
    uint64_t share_at_ms;
    bool ended;
    int code; /* exit code once it has ended */
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

/* A message as JSON, in new text; NULL without memory. */
static char *json_of(const weir_room_t *room, size_t i, size_t *size)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, size);
    if (!out)
        return NULL;
    room_json_message(out, room, i);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

static void print_message(struct follower *self, size_t i, const char *json)
{
    if (cli_has(self->room->cli, OPTION_json))
        puts(json);
    else
        room_line_message(self->lines, i);
}

/* Where a spot is among the printed, or belongs. */
static size_t place_of(const struct follower *self, const uint8_t *spot, bool *found)
{
    size_t low = 0, high = self->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(self->printed[middle].spot, spot, WEIR_SPOT_BYTES) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = low < self->count && memcmp(self->printed[low].spot, spot, WEIR_SPOT_BYTES) == 0;
    return low;
}

/* Notes what a message says now. 1 when it is not what was printed; 0, or an error. */
static int note(struct follower *self, const struct weir_room_message *message, const char *json,
                size_t size)
{
    const uint8_t *spot = message->spot;
    uint8_t digest[DIGEST_BYTES];
    bool found;
    size_t at = place_of(self, spot, &found);
    crypto_generichash(digest, sizeof digest, (const uint8_t *)json, size, NULL, 0);
    if (found && memcmp(self->printed[at].digest, digest, sizeof digest) == 0)
        return 0;
    if (!found && self->count == PRINTED_MAX) {
        memmove(self->printed, self->printed + 1, --self->count * sizeof self->printed[0]);
        at -= at > 0;
    }
    if (!found && self->count == self->capacity) {
        size_t capacity = self->capacity ? self->capacity * 2 : 64;
        struct printed *more = reallocarray(self->printed, capacity, sizeof *more);
        if (!more)
            return WEIR_NO_MEMORY;
        self->printed = more;
        self->capacity = capacity;
    }
    struct printed *to = &self->printed[at];
    if (!found) {
        memmove(to + 1, to, (self->count++ - at) * sizeof *to);
        memcpy(to->spot, spot, WEIR_SPOT_BYTES);
    }
    memcpy(to->digest, digest, sizeof digest);
    to->sealed = message->sealed;
    return 1;
}

/* A message that counts no more: programs are told, people see it in the next look. */
static void forget(struct follower *self, const uint8_t *spot)
{
    char name[WEIR_SPOT_TEXT];
    bool found;
    size_t at = place_of(self, spot, &found);
    if (!found)
        return;
    memmove(&self->printed[at], &self->printed[at + 1],
            (--self->count - at) * sizeof self->printed[0]);
    weir_room_spot_name(spot, name);
    if (cli_has(self->room->cli, OPTION_json))
        printf("{\"message\":\"%s\",\"gone\":true}\n", name);
}

/* `all`: what is older than --since is known to be passed over. */
static int show(struct follower *self, const uint8_t *spot, bool all)
{
    struct weir_room_message message;
    size_t i, size = 0;
    if (weir_room_find_spot(self->room->room, spot, &i)) {
        forget(self, spot);
        return 0;
    }
    weir_room_message(self->room->room, i, &message);
    char *json = json_of(self->room->room, i, &size);
    int rc = json ? note(self, &message, json, size) : WEIR_NO_MEMORY;
    if (rc > 0 && !(all && message.time_ms < self->since_ms))
        print_message(self, i, json);
    free(json);
    return rc < 0 ? rc : 0;
}

/* Membership, bans and keys decide what counts and what opens: messages that were not printed yet,
 * and those that were sealed. A name alone prints nothing again. */
static int show_uncovered(struct follower *self)
{
    const weir_room_t *room = self->room->room;
    int rc = 0;
    for (size_t i = 0; !rc && i < weir_room_message_count(room); i++) {
        struct weir_room_message message;
        bool found;
        weir_room_message(room, i, &message);
        size_t at = place_of(self, message.spot, &found);
        if (!found || (self->printed[at].sealed && !message.sealed))
            rc = show(self, message.spot, true);
    }
    return rc;
}

/* The reader is gone: that is how a pipe ends what writes to it. */
static bool reader_is_gone(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO};
    return poll(&out, 1, 0) > 0 && out.revents & (POLLERR | POLLHUP | POLLNVAL);
}

static void end(struct follower *self, int code)
{
    if (!self->ended)
        self->code = code;
    self->ended = true;
}

static void tell_news(void *arg, const struct room_news *news)
{
    const struct follower *self = arg;
    if (cli_has(self->room->cli, OPTION_json))
        room_json_news(stdout, self->room->room, news);
    else
        room_line_news(self->lines, news);
}

static void on_event(weir_t *w, weir_room_t *room, const struct weir_room_event *event, void *arg)
{
    struct follower *self = arg;
    bool whole = event->kind == WEIR_EVENT_STATE;
    int rc = 0;
    (void)w;
    (void)room;
    if (self->ended)
        return;
    if (event->kind == WEIR_EVENT_ENDED) {
        end(self, room_cli_fail_why(self->room->cli, event->code, event->sentence, NULL));
        return;
    }
    self->lines->now_ms = unix_ms();
    if (event->people_changed)
        rc = room_people_look(&self->people, self->room->room, tell_news, self);
    if (!rc && event->people_changed)
        rc = room_lines_name(self->lines);
    if (event->people_changed && self->share_at_ms > self->lines->now_ms + SHARE_SPREAD_MS)
        self->share_at_ms = self->lines->now_ms + randombytes_uniform(SHARE_SPREAD_MS);
    for (size_t i = 0; !rc && i < event->spot_count; i++)
        rc = show(self, event->spots + i * WEIR_SPOT_BYTES, whole);
    if (!rc && event->people_changed && !whole)
        rc = show_uncovered(self);
    if (rc)
        end(self, cli_fail(self->room->cli, rc, NULL));
    else if (fflush(stdout) || ferror(stdout))
        end(self, reader_is_gone() ? EXIT_DONE : cli_flush(self->room->cli));
}

/* In a private room, copies of its key for members who have none. What fails is tried again. */
static void share_keys(struct follower *self)
{
    uint64_t now_ms = unix_ms();
    struct weir_room_info info;
    if (now_ms < self->share_at_ms)
        return;
    self->share_at_ms = now_ms + SHARE_EVERY_MS;
    weir_room_info(self->room->room, &info);
    if (info.is_private && info.readable && info.member &&
        weir_room_share_keys(self->room->room) > 0)
        (void)weir_room_send_async(self->room->cli->w, self->room->room, NULL, NULL);
}

/* How long there is nothing to do by time. */
static int wait_ms(const struct follower *self)
{
    uint64_t now_ms = unix_ms();
    uint64_t share = self->share_at_ms > now_ms ? self->share_at_ms - now_ms : 0;
    int wait = weir_wait_ms(self->room->cli->w);
    return wait >= 0 && (uint64_t)wait < share ? wait : (int)share;
}

/* Waits for the node, a signal, or the end of the reader, and does what there is to do. */
static void step(struct follower *self, const sigset_t *outside)
{
    weir_t *w = self->room->cli->w;
    int wait = wait_ms(self);
    struct timespec limit = {wait / 1000, wait % 1000 * 1000000};
    struct pollfd polled[] = {{.fd = weir_fd(w), .events = POLLIN}, {.fd = STDOUT_FILENO}};
    int ready = ppoll(polled, 2, &limit, outside);
    if (ready < 0 && errno != EINTR)
        end(self, cli_fail(self->room->cli, WEIR_IO, strerror(errno)));
    else if (interrupted || (ready > 0 && polled[1].revents & (POLLERR | POLLHUP | POLLNVAL)))
        end(self, EXIT_DONE);
    int stepped = self->ended ? 0 : weir_step(w, 0);
    if (stepped < 0)
        end(self, cli_fail_node(self->room->cli, stepped));
    if (!self->ended)
        share_keys(self);
}

static int follow(struct follower *self)
{
    struct sigaction on_end = {.sa_handler = on_signal}, ignore = {.sa_handler = SIG_IGN};
    sigset_t ends, outside;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, &outside); /* let in by ppoll alone */
    sigaction(SIGINT, &on_end, NULL);
    sigaction(SIGTERM, &on_end, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    int rc = weir_room_follow(self->room->cli->w, self->room->room, on_event, self);
    if (rc)
        end(self, room_cli_fail(self->room, rc, "the room is on no node yet: say something"));
    while (!self->ended)
        step(self, &outside);
    return self->code;
}

int room_cli_follow(struct room_cli *room, struct room_lines *lines, uint64_t since_ms)
{
    struct follower self = {
        .room = room, .lines = lines, .since_ms = since_ms, .share_at_ms = unix_ms()};
    int rc = follow(&self);
    weir_room_destroy(&room->room); /* it follows with what ends here */
    room_people_free(&self.people);
    free(self.printed);
    return rc;
}
