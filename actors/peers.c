#include "actors/peers.h"

#include <stdlib.h>

struct peer *peers_find(const struct peers *self, const struct node_id *id)
{
    struct peer *peer;
    HASH_FIND(by_id, self->by_id, id, sizeof *id, peer);
    return peer;
}

/* Is a of less use than b? Who was never live goes first, then who failed more often, then who was
 * not heard of for longer. */
static bool is_of_less_use(const struct peer *a, const struct peer *b)
{
    if (a->was_live != b->was_live)
        return !a->was_live;
    if (a->tries != b->tries)
        return a->tries > b->tries;
    return a->heard_ms < b->heard_ms;
}

/* A peer that is refused for a while is kept, so that it stays refused. */
static bool make_room(struct peers *self)
{
    struct peer *least = NULL;
    for (struct peer *p = self->by_id; p; p = (struct peer *)p->by_id.next) {
        bool may_go = !p->links && !p->gateway && !p->pinned && !p->asked && !p->shunned_until_ms;
        if (may_go && (!least || is_of_less_use(p, least)))
            least = p;
    }
    if (least)
        peers_forget(self, least);
    return least != NULL;
}

struct peer *peers_of(struct peers *self, const struct node_id *id)
{
    struct peer *peer = peers_find(self, id);
    if (peer)
        return peer;
    if (self->count >= PEERS_KNOWN_MAX && !make_room(self))
        return NULL;
    peer = (struct peer *)calloc(1, sizeof *peer);
    char *address = peer ? strdup("") : NULL;
    if (!address) {
        free(peer);
        return NULL;
    }
    peer->id = *id;
    peer->place = ring_place_of_node(id);
    peer->address = address;
    HASH_ADD(by_id, self->by_id, id, sizeof peer->id, peer);
    if (!HASH_TOOK(by_id, peer)) {
        free(address);
        free(peer);
        return NULL;
    }
    self->count++;
    return peer;
}

void peers_forget(struct peers *self, struct peer *peer)
{
    HASH_DELETE(by_id, self->by_id, peer);
    self->count--;
    free(peer->address);
    free(peer->hearsay);
    free(peer);
}

void link_drop_gone(struct link *self)
{
    for (struct message *m = mail_pop(&self->gone); m; m = mail_pop(&self->gone))
        free(m); /* no message yet */
}

static void free_link(struct link *link)
{
    link_drop_gone(link);
    peer_traffic_release(&link->traffic);
    free(link);
}

void peers_free(struct peers *self)
{
    HASH_CLEAR(by_number, self->by_number);
    for (struct peer *p = self->by_id, *next; p; p = next) {
        next = (struct peer *)p->by_id.next;
        for (struct link *link = p->links, *after; link; link = after) {
            after = link->next;
            free_link(link);
        }
        peers_forget(self, p);
    }
}

struct link *peers_link(struct peers *self, struct peer *peer, peer_t number, bool inbound)
{
    size_t count = 0;
    for (const struct link *l = peer->links; l; l = l->next)
        count++;
    struct link *link = count < LINKS_A_PEER ? (struct link *)calloc(1, sizeof *link) : NULL;
    if (!link)
        return NULL;
    link->number = number;
    HASH_ADD(by_number, self->by_number, number, sizeof link->number, link);
    if (!HASH_TOOK(by_number, link)) {
        free(link);
        return NULL;
    }
    link->inbound = inbound;
    link->peer = peer;
    link->next = peer->links;
    peer->links = link;
    return link;
}

struct link *peers_link_find(const struct peers *self, peer_t number)
{
    struct link *link;
    HASH_FIND(by_number, self->by_number, &number, sizeof number, link);
    return link;
}

void peers_unlink(struct peers *self, struct link *link)
{
    struct link **at = &link->peer->links;
    while (*at && *at != link)
        at = &(*at)->next;
    if (*at)
        *at = link->next;
    if (!link->peer->links)
        link->peer->dialled_back = false;
    HASH_DELETE(by_number, self->by_number, link);
    free_link(link);
}

struct link *peer_link_in(const struct peer *self, enum peer_state state)
{
    for (struct link *l = self->links; l; l = l->next)
        if (l->state == state)
            return l;
    return NULL;
}

enum peer_state peer_state_of(const struct peer *self)
{
    static const enum peer_state order[] = {PEER_live, PEER_handshaking, PEER_dialling,
                                            PEER_closing};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        if (peer_link_in(self, order[i]))
            return order[i];
    return PEER_absent;
}

static bool set_text(char **text, struct slice to)
{
    char *copy = (char *)calloc(1, to.size + 1);
    if (!copy)
        return false;
    if (to.size)
        memcpy(copy, to.data, to.size);
    free(*text);
    *text = copy;
    return true;
}

bool peer_set_address(struct peer *self, struct slice address)
{
    return slice_is(address, self->address) || set_text(&self->address, address);
}

bool peer_set_hearsay(struct peer *self, struct slice address)
{
    return (self->hearsay && slice_is(address, self->hearsay)) || set_text(&self->hearsay, address);
}

void peer_drop_hearsay(struct peer *self)
{
    free(self->hearsay);
    self->hearsay = NULL;
}

const char *peer_to_dial(struct peer *self)
{
    self->dials_hearsay = self->hearsay && self->tries % 2;
    return self->dials_hearsay ? self->hearsay : self->address;
}
