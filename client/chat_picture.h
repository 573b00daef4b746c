/* chat_picture: the picture that client/chat_draw.c and client/chat_frame.c draw, and its measures.
 */
#ifndef WEIR_CLIENT_CHAT_PICTURE_H
#define WEIR_CLIENT_CHAT_PICTURE_H

#include "client/chat.h"
#include "client/chat_screen.h"

enum {
    CHAT_TITLE_FROM = 10,   /* rows */
    CHAT_ROOMS_FROM = 72,   /* columns */
    CHAT_MEMBERS_FROM = 96, /* columns */
};

struct picture {
    struct chat *chat;
    size_t rows, columns;
    size_t top, body;   /* the first row of messages, and how many */
    size_t left, right; /* columns of rooms and members, 0: none */
    size_t input_rows;
    struct chat_input_view input;
    struct buffer shown; /* the input as it is shown */
};

/* A bar over the whole width; pieces are put in from the left. */
struct bar {
    size_t row, at, end;
};
struct bar chat_bar(const struct picture *p, size_t row);
void chat_bar_put(struct bar *self, unsigned style, struct slice text);

void chat_draw_title(const struct picture *p);
void chat_draw_rooms(const struct picture *p);
void chat_draw_members(const struct picture *p);
void chat_draw_status(const struct picture *p);

#endif
