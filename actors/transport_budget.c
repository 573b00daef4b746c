/* What peers' mail takes of memory: mail that actors have not freed yet, and messages that are not
 * whole yet. Both count in one budget. The first is freed by this node's own work: when the budget
 * is exceeded, who has most of it is not read for a while. The second is freed by the peer alone,
 * when it sends the rest: past half of the budget the greediest is hung up on, so that no number of
 * peers that begin messages and never end them takes the room of others. */
#include "actors/transport_state.h"

/* While it is not read what it has begun does not grow older. */
static void set_paused(transport_t *self, struct peer_link *link, bool stuffed, bool heavy,
                       uint64_t now_ms)
{
    const struct peer_wire *wire = self->options.wire;
    bool pauses = stuffed || heavy;
    link->stuffed = stuffed;
    link->heavy = heavy;
    if (pauses == link->paused)
        return;
    link->paused = link->traffic->paused = pauses;
    wire->want_read(wire->self, link->connection, !pauses);
    if (pauses) {
        link->paused_ms = now_ms;
        return;
    }
    for (int lane = 0; lane < LANE_COUNT; lane++)
        if (link->begun_ms[lane])
            link->begun_ms[lane] += now_ms - link->paused_ms;
    link->readable = true; /* perhaps: reading tells */
    links_ready(&self->links, link, true);
}

/* The mail of all is too much: who has most of it is not read until it is less, or that one has
 * none. Who has little is left alone, so that nobody is stopped by others (lesson C5). */
static void pause_heaviest(transport_t *self, uint64_t now_ms)
{
    struct peer_link *heaviest = NULL;
    uint64_t most = LANE_GRANT_BYTES;
    for (struct peer_link *link = self->links.owing; link; link = link->owing_next) {
        uint64_t bytes = link->paused ? 0 : link_mail(link);
        if (bytes < most)
            continue;
        most = bytes;
        heaviest = link;
    }
    if (!heaviest)
        return;
    self->counters.heavy++;
    set_paused(self, heaviest, heaviest->stuffed, true, now_ms);
}

/* --- messages that are not whole ---------------------------------------------------------- */

/* Since when it has had one that is not whole yet. */
static uint64_t begun_ms(const struct peer_link *link)
{
    uint64_t first = NEVER;
    for (int lane = 0; lane < LANE_COUNT; lane++)
        if (link->begun_ms[lane] && link->begun_ms[lane] < first)
            first = link->begun_ms[lane];
    return first;
}

/* Who holds twice as much is greedier; of those about equal, who has done so for longer: a message
 * of a peer that does send the rest is young, or small. Who is not read cannot send the rest:
 * others that hold much come before it. */
static bool is_greedier(const struct peer_link *a, const struct peer_link *b)
{
    const struct peer_link *read = a->paused ? b : a;
    if (a->paused != b->paused && owed_bytes(read->unfinished) >= LANE_GRANT_BYTES)
        return read == a;
    int of_a = __builtin_clzll(owed_bytes(a->unfinished) | 1);
    int of_b = __builtin_clzll(owed_bytes(b->unfinished) | 1);
    return of_a != of_b ? of_a < of_b : begun_ms(a) < begun_ms(b);
}

static struct peer_link *greediest_of(const transport_t *self)
{
    struct peer_link *greediest = NULL;
    for (size_t c = 0; c < self->links.connections; c++) {
        struct peer_link *link = self->links.by_connection[c];
        bool holds = link && link->state == LINK_live && owed_bytes(link->unfinished);
        if (holds && (!greediest || is_greedier(link, greediest)))
            greediest = link;
    }
    return greediest;
}

static void count_unfinished(transport_t *self, struct peer_link *link, uint64_t now_ms)
{
    uint64_t bytes = 0;
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        uint64_t cost = link->lanes.in[lane].piece_cost;
        bytes += cost;
        if (!cost)
            link->begun_ms[lane] = 0;
        else if (!link->begun_ms[lane])
            link->begun_ms[lane] = now_ms ? now_ms : 1;
    }
    self->unfinished += bytes - owed_bytes(link->unfinished);
    link_count_unfinished(link, bytes);
}

/* False: the link is gone. */
static bool end_greediest(transport_t *self, const struct peer_link *link, const struct turn *turn)
{
    const struct reason why = {"it does not end the messages that it begins"};
    while (self->unfinished > self->options.mail_bytes_max / 2) {
        struct peer_link *greediest = greediest_of(self);
        if (!greediest)
            return true;
        self->counters.unfinished++;
        lanes_forget(&greediest->lanes);
        count_unfinished(self, greediest, turn->now.ms);
        bool stays = transport_goodbye(self, greediest, CLOSE_misbehaved, &why, turn);
        if (greediest == link && !stays)
            return false;
    }
    return true;
}

/* --- after each record ------------------------------------------------------------------- */

/* Marks it for looking after when its mail is freed, if there is much, or it is not read. */
static void watch_window(transport_t *self, struct peer_link *link, const struct turn *turn)
{
    bool owing = false;
    for (int lane = LANE_control + 1; lane < LANE_COUNT; lane++)
        owing |= lanes_held(&link->lanes, (enum lane)lane) >= LANE_GRANT_BYTES;
    if (owed_bytes(link->windows[LANE_control]) > CONTROL_WINDOW_BYTES)
        set_paused(self, link, true, link->heavy, turn->now.ms);
    if (!owing && !link->paused)
        return;
    links_owing(&self->links, link, true);
    if (owed_bytes(self->mail) > self->options.mail_bytes_max)
        pause_heaviest(self, turn->now.ms);
    if (self->retry_at_ms == NEVER)
        self->retry_at_ms = turn->now.ms + PEER_WINDOW_RETRY_MS;
}

bool transport_watch(transport_t *self, struct peer_link *link, const struct turn *turn)
{
    count_unfinished(self, link, turn->now.ms);
    if (!end_greediest(self, link, turn))
        return false;
    watch_window(self, link, turn);
    return true;
}

/* --- credit ------------------------------------------------------------------------------ */

static bool collect(transport_t *self, struct peer_link *link, uint64_t now_ms)
{
    bool owing = false;
    for (int l = 0; l < LANE_COUNT; l++) {
        enum lane lane = (enum lane)l;
        uint64_t held = lanes_held(&link->lanes, lane);
        uint64_t kept = link->lanes.in[lane].piece_cost + owed_bytes(link->windows[lane]);
        lanes_done(&link->lanes, lane, held - kept);
        owing |= LANE_WINDOWED(lane) && kept >= LANE_GRANT_BYTES;
    }
    bool stuffed = owed_bytes(link->windows[LANE_control]) > CONTROL_WINDOW_BYTES / 2;
    bool heavy = link_mail(link) && owed_bytes(self->mail) > self->options.mail_bytes_max / 4 * 3;
    set_paused(self, link, link->stuffed && stuffed, link->heavy && heavy, now_ms);
    if (lanes_ready(&link->lanes))
        links_unsent(&self->links, link, true);
    return owing || link->paused;
}

void transport_collect(transport_t *self, const struct turn *turn)
{
    for (struct peer_link *link = self->links.owing, *next; link; link = next) {
        next = link->owing_next;
        if (!collect(self, link, turn->now.ms))
            links_owing(&self->links, link, false);
    }
    self->retry_at_ms = self->links.owing ? turn->now.ms + PEER_WINDOW_RETRY_MS : NEVER;
}
