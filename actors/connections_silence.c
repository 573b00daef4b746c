/* Who was told something and says nothing may have stopped, or be cut off, which pings tell only
 * after a while. It is asked for a sign of life soon, and when none comes it is silent: as live as
 * before, but others take its place where they can, until it is heard (lesson L3). */
#include "actors/connections_state.h"

#include "base/base58.h"
#include "base/trace.h"

void silence_ask(const struct link *link, struct now now, struct outbox *out)
{
    const struct peer_ping ping = {.sent_us = now.us};
    (void)peer_tell(out, link->number, LANE_control, PEER_PING, &ping);
}

static void log_silence(const struct peer *peer, bool silent)
{
    char id[BASE58_TEXT_MAX];
    base58_encode(peer->id.bytes, sizeof peer->id.bytes, id);
    trace(TRACE_info, "peer %s %s", id,
          silent ? "says nothing: others take its place until it does" : "is heard again");
}

/* Those who choose among peers hear of it, all of them or none. */
static void tell_silent(connections_t *self, struct link *link, bool silent, struct outbox *out)
{
    struct mail mail = {0};
    for (int a = 0; a < ACTOR_COUNT && link->peer->silent != silent; a++) {
        if (!(message_rows[MESSAGE_PEER_SILENT].to >> a & 1))
            continue;
        struct peer_silent *told = (struct peer_silent *)message_new(sizeof *told);
        if (!told) {
            for (struct message *m = mail_pop(&mail); m; m = mail_pop(&mail))
                free(m); /* no message yet */
            return;      /* told at the next look, or when it is gone */
        }
        told->number = link->number;
        told->silent = silent;
        told->head.to = (uint8_t)a;
        mail_push(&mail, &told->head);
    }
    if (link->peer->silent != silent)
        log_silence(link->peer, silent);
    self->counters.silences += silent && !link->peer->silent;
    link->peer->silent = silent;
    for (struct message *m = mail_pop(&mail); m; m = mail_pop(&mail))
        send_to(out, (enum actor_id)m->to, MESSAGE_PEER_SILENT, m);
}

/* Who falls silent soon after it was heard again may do so on and on, as one that answers every few
 * seconds: each time all would leave it and come back. So it has to go without a doubt for a while,
 * longer each time; the first time it is believed at once. */
static void grow_silent(connections_t *self, struct link *link, struct now now, struct outbox *out)
{
    struct peer *peer = link->peer;
    bool again = peer->back_ms && now.ms < peer->back_ms + RELAPSE_MS;
    tell_silent(self, link, true, out);
    if (!peer->silent)
        return;
    peer->steady_ms = 0;
    peer->relapses = again ? peer->relapses + (peer->relapses < RELAPSES_MAX) : 0;
}

static void hear(connections_t *self, struct link *link, struct now now, struct outbox *out)
{
    struct peer *peer = link->peer;
    if (!peer->silent)
        return;
    if (!peer->steady_ms)
        peer->steady_ms = now.ms;
    uint64_t back_ms =
        peer->steady_ms + (peer->relapses ? (uint64_t)STEADY_MS << (peer->relapses - 1) : 0);
    if (now.ms < back_ms) {
        connections_look(self, back_ms);
        return;
    }
    tell_silent(self, link, false, out);
    if (!peer->silent)
        peer->back_ms = now.ms;
}

/* Others may only wait for what it would tell them, and tell it nothing themselves: they are to see
 * for themselves. */
static void tell_doubt(const connections_t *self, const struct link *link, struct outbox *out)
{
    struct peer_doubt doubted;
    memcpy(doubted.id, link->peer->id.bytes, sizeof doubted.id);
    for (size_t i = 0; i < self->view.count; i++)
        if (!gossip_live_at(self, i)->silent)
            (void)peer_tell(out, self->view.peers[i].number, LANE_control, PEER_DOUBT, &doubted);
}

void silence_look(connections_t *self, struct link *link, struct now now, struct outbox *out)
{
    struct peer *peer = link->peer;
    struct peer_traffic *traffic = link->traffic;
    uint64_t since = traffic->awaits_ms;
    bool owes = peer->relapses && now.ms >= since + DOUBT_MS; /* an answer, again */
    if (!since || (traffic->heard_ms > peer->doubted_ms && !owes))
        hear(self, link, now, out);
    if (!since) {
        traffic->watched = false;
        return;
    }
    if (peer->still_ms > since) /* not read meanwhile: it may have answered */
        since = peer->still_ms;
    uint64_t next = since + DOUBT_MS;
    if (peer->doubted_ms < since && now.ms >= next) {
        silence_ask(link, now, out);
        peer->doubted_ms = now.ms;
    }
    if (peer->doubted_ms >= since)
        next = peer->doubted_ms + DOUBT_ANSWER_MS;
    if (now.ms < next) {
        connections_look(self, next);
    } else if (!peer->silent) {
        grow_silent(self, link, now, out);
        if (peer->silent)
            tell_doubt(self, link, out);
    } else {
        peer->steady_ms = 0;
    }
}

void silence_told(connections_t *self, const struct peer_doubt *doubted, struct now now,
                  struct outbox *out)
{
    struct node_id id;
    memcpy(id.bytes, doubted->id, sizeof id.bytes);
    struct peer *peer = peers_find(&self->peers, &id);
    struct link *link = peer ? peer_link_in(peer, PEER_live) : NULL;
    if (!link || link->traffic->awaits_ms || now.ms < link->traffic->heard_ms + DOUBT_MS)
        return; /* it is looked after already, or was heard */
    link->traffic->awaits_ms = now.ms - DOUBT_MS;
    link->traffic->watched = true;
    silence_look(self, link, now, out);
}
