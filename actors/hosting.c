#include "actors/hosting_state.h"

#include <stdlib.h>

hosting_t *hosting_new(const struct hosting_options *options)
{
    hosting_t *self = (hosting_t *)calloc(1, sizeof *self);
    if (!self)
        return NULL;
    self->networked = options->networked;
    self->refresh_at_ms = NEVER;
    ring_view_init(&self->view, &options->id);
    self->view.leaf = options->leaf;
    holding_table_init(&self->table);
    return self;
}

void hosting_destroy(hosting_t **pointer)
{
    hosting_t *self = *pointer;
    if (!self)
        return;
    *pointer = NULL;
    holding_table_free(&self->table);
    ring_view_free(&self->view);
    free(self);
}

bool hosting_wants_itself(const struct holding *row)
{
    return row->waiting.first || row->placed || row->needed || row->damaged ||
           row->presence == PRESENCE_stored;
}

bool hosting_wants(const struct holding *row)
{
    bool asked = hosting_wants_itself(row);
    for (size_t i = 0; i < row->children_count && !asked; i++)
        asked = row->children[i].asks;
    return asked;
}

bool hosting_is_root(const hosting_t *self, const struct holding *row)
{
    return ring_next(&self->view, row->place, NULL, 0) == NULL;
}

uint32_t hosting_count(const hosting_t *self, const struct holding *row)
{
    if (hosting_is_root(self, row))
        return 1 + children_copies(row);
    uint32_t others = row->hosts ? row->hosts : row->state == FEED_live;
    return row->placed && others > 1 ? others : others + 1; /* the root has counted a copy */
}

void hosting_follow(const struct holding *row, peer_t number, bool on,
                    const struct reading *reading, struct outbox *out)
{
    struct follow *follow = (struct follow *)message_new(sizeof *follow);
    if (!follow)
        return; /* the next comparison of fingerprints makes up for it */
    follow->number = number;
    follow->key = row->key;
    follow->on = on;
    if (reading) {
        follow->kind = reading->kind;
        follow->params = blob_hold(reading->bytes);
    }
    send_to(out, ACTOR_subscribe, MESSAGE_FOLLOW, &follow->head);
}

/* --- peers ------------------------------------------------------------------------------- */

static void on_live(hosting_t *self, const struct peer_live *live, struct now now,
                    struct outbox *out)
{
    if (ring_view_add(&self->view, live->number, &live->id, live->leaf) != 0)
        return; /* without memory it is not used */
    while (moves_arrived(&self->moves, &live->id))
        ; /* all rows are looked at below */
    self->networked = true;
    stored_list(self, out);
    if (self->refresh_at_ms == NEVER)
        self->refresh_at_ms = now.ms + REFRESH_EVERY_MS;
    struct holding *row, *next;
    HASH_ITER (hh, self->table.rows, row, next) {
        feed_choose(self, row, now, out);
        holding_remove_idle(&self->table, row);
    }
}

static void on_gone(hosting_t *self, const struct peer_order *gone, struct now now,
                    struct outbox *out)
{
    (void)moves_note(&self->moves, &self->view, gone, now.ms);
    ring_view_remove(&self->view, gone->number);
    struct holding *row, *next;
    HASH_ITER (hh, self->table.rows, row, next) {
        /* subscribe may have heard of its going before a FOLLOW that was on its way */
        if (row->feed == gone->number || holding_child(row, gone->number))
            hosting_follow(row, gone->number, false, NULL, out);
        if (row->placed == gone->number)
            row->placed = 0; /* the next root asks for its own copies */
        holding_child_remove(row, gone->number);
        if (row->feed == gone->number)
            feed_gone(self, row, now, out);
        else if (row->state == FEED_none)
            feed_choose(self, row, now, out);
        holding_remove_idle(&self->table, row);
    }
    if (self->view.count == 0)
        self->refresh_at_ms = NEVER;
}

/* A feed that says nothing holds up what changes here and elsewhere: the next best takes its place
 * meanwhile, and when it is heard again it is joined anew, also where it was given up as one that
 * does not answer. Convergence is by merging, so it does not matter whom a change goes by. Children
 * stay: what is for them waits. */
static void on_silent(hosting_t *self, const struct peer_silent *silent, struct now now,
                      struct outbox *out)
{
    struct holding *row, *next;
    ring_view_silence(&self->view, silent->number, silent->silent);
    HASH_ITER (hh, self->table.rows, row, next) {
        if (!silent->silent)
            (void)feed_may_be_asked(row, silent->number);
        if (row->feed == silent->number || !silent->silent)
            feed_choose(self, row, now, out);
        holding_remove_idle(&self->table, row);
    }
}

static void on_mail(hosting_t *self, struct peer_mail *mail, struct now now, struct outbox *out)
{
    struct message *message = &mail->head;
    if (mail->kind == PEER_JOIN) {
        children_on_join(self, mail, now, out);
        return;
    }
    if (mail->kind == PEER_JOINED) {
        feed_on_joined(self, mail, now, out);
        return;
    }
    if (mail->kind == PEER_LEAVE)
        children_on_leave(self, mail, now, out);
    else if (mail->kind == PEER_HOST)
        children_on_host(self, mail, now, out);
    message_free(&message);
}

/* STATUS: on its way from transport to storage. */
static void on_ask(const hosting_t *self, struct request *request, struct outbox *out)
{
    request->hosting = (struct hosting_report){.contracts = HASH_COUNT(self->table.rows),
                                               .of_peers = self->table.of_peers,
                                               .refused = self->table.refused};
    send_to(out, ACTOR_storage, MESSAGE_ASK, &request->head);
}

/* --- as an actor ------------------------------------------------------------------------- */

static void receive(void *actor, struct message *message, struct now now, struct outbox *out)
{
    hosting_t *self = (hosting_t *)actor;
    switch ((enum message_kind)message->kind) {
    case MESSAGE_HOST:
        requests_on_host(self, (struct request *)message, now, out);
        return;
    case MESSAGE_ASK:
        on_ask(self, (struct request *)message, out);
        return;
    case MESSAGE_HELD:
        stored_on_held(self, (struct holdings *)message, now, out);
        return;
    case MESSAGE_PEER_MAIL:
        on_mail(self, (struct peer_mail *)message, now, out);
        return;
    case MESSAGE_ABOUT_DONE:
        stored_on_about_done(self, (struct request *)message, now, out);
        break;
    case MESSAGE_MERGED:
        stored_on_created(self, (const struct request *)message, now, out);
        break;
    case MESSAGE_CROWDED:
        evict_begin(self, now, out);
        break;
    case MESSAGE_DROPPED:
        evict_on_dropped(self, (const struct request *)message, now, out);
        break;
    case MESSAGE_KEPT:
        requests_on_kept(self, (const struct watch *)message, now, out);
        break;
    case MESSAGE_NEEDED:
        requests_on_needed(self, (const struct watch *)message);
        break;
    case MESSAGE_SYNCED:
        feed_on_synced(self, (const struct sync_order *)message, now, out);
        break;
    case MESSAGE_FILLED:
        children_on_filled(self, (const struct sync_order *)message, now, out);
        break;
    case MESSAGE_STRAY:
        feed_on_stray(self, (const struct sync_order *)message, out);
        break;
    case MESSAGE_PEER_LIVE:
        on_live(self, (const struct peer_live *)message, now, out);
        break;
    case MESSAGE_PEER_SILENT:
        on_silent(self, (const struct peer_silent *)message, now, out);
        break;
    case MESSAGE_PEER_GONE:
        on_gone(self, (const struct peer_order *)message, now, out);
        break;
    default:
        break; /* send_to asserts that nothing else comes */
    }
    message_free(&message);
}

static uint64_t deadline_ms(const void *actor)
{
    const hosting_t *self = (const hosting_t *)actor;
    uint64_t moves = moves_deadline_ms(&self->moves);
    uint64_t rows =
        self->table.next_ms < self->refresh_at_ms ? self->table.next_ms : self->refresh_at_ms;
    return rows < moves ? rows : moves;
}

/* Who was waited for did not come back: what took its feed from there does without it. */
static void end_moves(hosting_t *self, struct now now, struct outbox *out)
{
    struct holding *row, *next;
    while (moves_lost(&self->moves, now.ms))
        ;
    HASH_ITER (hh, self->table.rows, row, next) {
        if (row->state == FEED_none)
            feed_choose(self, row, now, out);
        holding_remove_idle(&self->table, row);
    }
}

/* One contract after the other compares its fingerprint with its feed's, and a root asks again for
 * copies that it lacks: what a fault of any kind left different is found within REFRESH_EVERY_MS or
 * so. */
static void refresh(hosting_t *self, struct now now, struct outbox *out)
{
    struct holding_table *table = &self->table;
    size_t count = HASH_COUNT(table->rows);
    uint64_t step = count ? REFRESH_EVERY_MS / count : REFRESH_EVERY_MS;
    self->refresh_at_ms = now.ms + (step > REFRESH_STEP_MS ? step : REFRESH_STEP_MS);
    struct holding *row = table->refresh_next ? table->refresh_next : table->rows;
    if (!row)
        return;
    table->refresh_next = (struct holding *)row->hh.next;
    if (row->state == FEED_none)
        children_remind(self, row, out);
    if (row->state != FEED_live)
        return;
    hosting_compare_anew(row);
    row->join_wanted = true;
    hosting_ask(self, row, out);
}

static void tick(void *actor, struct now now, struct outbox *out)
{
    hosting_t *self = (hosting_t *)actor;
    struct holding_table *table = &self->table;
    if (now.ms >= moves_deadline_ms(&self->moves))
        end_moves(self, now, out);
    if (now.ms >= self->refresh_at_ms)
        refresh(self, now, out);
    if (now.ms < table->next_ms)
        return;
    for (struct holding *row = table->busy, *next; row; row = next) {
        next = row->busy_next;
        if (row->due_ms <= now.ms) {
            holding_not_due(table, row);
            feed_on_due(self, row, now, out);
        }
    }
    table->next_ms = NEVER;
    for (const struct holding *row = table->busy; row; row = row->busy_next)
        if (row->due_ms < table->next_ms)
            table->next_ms = row->due_ms;
}

const struct actor_spec hosting_spec = {
    .id = ACTOR_hosting,
    .receive = receive,
    .deadline_ms = deadline_ms,
    .tick = tick,
};
