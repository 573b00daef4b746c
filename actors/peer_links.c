#include "actors/peer_links.h"

#include <stdlib.h>
#include <utlist.h>

struct peer_link *links_of(const struct peer_links *self, int connection)
{
    return connection >= 0 && (size_t)connection < self->connections
               ? self->by_connection[connection]
               : NULL;
}

struct peer_link *links_find(const struct peer_links *self, peer_t number)
{
    struct peer_link *link;
    HASH_FIND(hh, self->by_number, &number, sizeof number, link);
    return link;
}

/* Room for the wire's number, which is about as large as the number of connections. */
static bool make_room(struct peer_links *self, size_t connection)
{
    size_t wanted = connection + 64;
    if (connection < self->connections)
        return true;
    struct peer_link **grown =
        (struct peer_link **)realloc((void *)self->by_connection, wanted * sizeof *grown);
    if (!grown)
        return false;
    for (size_t i = self->connections; i < wanted; i++)
        grown[i] = NULL;
    self->by_connection = grown;
    self->connections = wanted;
    return true;
}

struct peer_link *links_add(struct peer_links *self, int connection)
{
    struct peer_link *link = (struct peer_link *)calloc(1, sizeof *link);
    if (!link || !make_room(self, (size_t)connection)) {
        free(link);
        return NULL;
    }
    link->connection = connection;
    link->told_last = &link->told;
    self->by_connection[connection] = link;
    self->count++;
    return link;
}

bool links_name(struct peer_links *self, struct peer_link *link, peer_t number)
{
    link->number = number;
    HASH_ADD(hh, self->by_number, number, sizeof link->number, link);
    if (HASH_TOOK(hh, link))
        return true;
    link->number = 0;
    return false;
}

int link_equip(struct peer_link *self, struct owed *mail_of_all)
{
    lanes_init(&self->lanes);
    self->traffic = peer_traffic_new();
    self->unfinished = owed_new_within(mail_of_all);
    bool whole = self->traffic && self->unfinished;
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        self->windows[lane] = owed_new_within(mail_of_all);
        whole = whole && self->windows[lane];
    }
    return whole ? 0 : ERR_NO_MEMORY;
}

void link_count_unfinished(struct peer_link *self, uint64_t bytes)
{
    uint64_t was = owed_bytes(self->unfinished);
    if (bytes > was)
        owed_add(self->unfinished, bytes - was);
    else if (bytes < was)
        owed_take(self->unfinished, was - bytes);
}

uint64_t link_mail(const struct peer_link *self)
{
    uint64_t bytes = 0;
    for (int lane = 0; lane < LANE_COUNT; lane++)
        bytes += owed_bytes(self->windows[lane]);
    return bytes;
}

struct lane_item *link_take_back(struct peer_link *self)
{
    *self->told_last = lanes_take_back(&self->lanes);
    struct lane_item *all = self->told;
    self->told = NULL;
    self->told_last = &self->told;
    return all;
}

size_t link_unwritten(const struct peer_link *self)
{
    return self->out.size - self->out_from;
}

void links_remove(struct peer_links *self, struct peer_link **pointer)
{
    struct peer_link *link = *pointer;
    *pointer = NULL;
    links_ready(self, link, false);
    links_unsent(self, link, false);
    links_owing(self, link, false);
    links_timed(self, link, false);
    if (link->number)
        HASH_DEL(self->by_number, link);
    self->by_connection[link->connection] = NULL;
    self->count--;
    handshake_destroy(&link->handshake);
    session_destroy(&link->session);
    peer_traffic_release(&link->traffic);
    for (int lane = 0; lane < LANE_COUNT; lane++)
        owed_release(&link->windows[lane]);
    link_count_unfinished(link, 0);
    owed_release(&link->unfinished);
    lanes_free(&link->lanes);
    free(link->closed);
    buffer_free(&link->in);
    buffer_free(&link->first);
    buffer_free(&link->out);
    free(link);
}

void links_free(struct peer_links *self)
{
    free((void *)self->by_connection);
    *self = (struct peer_links){0};
}

#define LIST_DEFINE(list)                                                                          \
    void links_##list(struct peer_links *self, struct peer_link *link, bool listed)                \
    {                                                                                              \
        if (link->list##_listed == listed)                                                         \
            return;                                                                                \
        link->list##_listed = listed;                                                              \
        if (listed)                                                                                \
            DL_APPEND2(self->list, link, list##_previous, list##_next);                            \
        else                                                                                       \
            DL_DELETE2(self->list, link, list##_previous, list##_next);                            \
    }
LIST_DEFINE(ready)
LIST_DEFINE(unsent)
LIST_DEFINE(owing)
LIST_DEFINE(timed)

/* --- reasons ----------------------------------------------------------------------------- */

/* What one node may tell another of why it hangs up. */
#define FOR_PEERS                                                                                  \
    (1u << CLOSE_duplicate | 1u << CLOSE_full | 1u << CLOSE_removed | 1u << CLOSE_refused |        \
     1u << CLOSE_misbehaved | 1u << CLOSE_silent)

enum close_reason goodbye_reason(struct slice text)
{
    const uint8_t *colon =
        text.size ? (const uint8_t *)memchr(text.data, ':', text.size) : text.data;
    struct slice name = slice_of(text.data, colon ? (size_t)(colon - text.data) : text.size);
    for (int r = 0; r < CLOSE_REASON_COUNT; r++)
        if ((FOR_PEERS >> r & 1u) && slice_is(name, close_reasons[r].name))
            return (enum close_reason)r;
    return CLOSE_goodbye;
}
