/* cli_room_news: what changed about who is in a room, for who follows it. That somebody came or
 * left is a message of theirs; that somebody was put out is told here. */
#ifndef WEIR_CLIENT_CLI_ROOM_NEWS_H
#define WEIR_CLIENT_CLI_ROOM_NEWS_H

#include "client/cli_room.h"

enum room_news_kind {
    ROOM_NEWS_BANNED,
    ROOM_NEWS_LIFTED,  /* no longer banned: by's ban was lifted, or by may not ban now */
    ROOM_NEWS_OUT,     /* with somebody by whose invitation they came */
    ROOM_NEWS_CROWDED, /* the owner made the room smaller */
    ROOM_NEWS_BACK,    /* who was out, for one of these two, is not any more */
};

struct room_news {
    enum room_news_kind kind;
    const uint8_t *who, *by; /* by: whose ban it is, or was; NULL: nobody's */
    uint64_t time_ms;
};
typedef void room_news_fn(void *arg, const struct room_news *news);

struct room_people_ban {
    uint8_t target[WEIR_KEY_BYTES], author[WEIR_KEY_BYTES];
};

/* Who is in a room, and who is banned, as it was looked at last. Zero-initialised: it was not. */
struct room_people {
    bool known;
    uint8_t *members; /* keys side by side, sorted */
    size_t member_count;
    struct room_people_ban *bans; /* sorted */
    size_t ban_count;
    uint8_t *out; /* keys, sorted: who is out since it was looked at, and not banned itself */
    size_t out_count;
};

/* Looks again, and tells what is not as it was; the first time nothing. WEIR_NO_MEMORY. */
int room_people_look(struct room_people *self, weir_room_t *room, room_news_fn *tell, void *arg);
void room_people_free(struct room_people *self);

/* A line of the log, by the names from before, since who is out may be nobody's now; from who is
 * back on, of whom is told last, by those of now. An object of its JSON, and a line end. */
void room_line_news(struct room_lines *lines, const struct room_news *news);
void room_json_news(FILE *out, const weir_room_t *room, const struct room_news *news);

#endif
