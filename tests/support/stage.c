#include "tests/support/stage.h"

#include "store/store_state.h"

#include <stdio.h>
#include <stdlib.h>

enum { SPINS_MAX = 1000000 };

/* What was sent to another worker in one turn. */
struct chain {
    struct chain *next;
    uint64_t due_us;
    struct mail mail;
};

/* A worker as a thread that may be slow. */
struct pace {
    uint64_t turn_us; /* 0: it is not */
    uint64_t free_us; /* when its turn is over */
    bool worked;      /* in this run */
    struct mail held; /* came meanwhile */
};

struct stage {
    struct stage_options options;
    store_t *store;
    struct cast cast;
    struct mail paused[ACTOR_COUNT];
    bool is_paused[ACTOR_COUNT];
    struct mail queue;
    struct chain *chains[WORKER_COUNT], *chains_last[WORKER_COUNT];
    struct pace paces[WORKER_COUNT];
    struct outbox outbox;
    struct now now;
    uint64_t us, handled;
    uint32_t turned; /* actors of slow workers that had their turn in this run */
    bool halted;
};

/* --- between workers --------------------------------------------------------------------- */

static struct chain *chain_due(struct stage *self, enum worker_id worker)
{
    uint64_t due_us = self->us + self->options.delay_us(self->options.watcher, worker);
    struct chain *last = self->chains_last[worker];
    if (last && last->due_us >= due_us)
        return last;
    struct chain *chain = (struct chain *)calloc(1, sizeof *chain);
    if (!chain)
        abort();
    chain->due_us = due_us;
    if (last)
        last->next = chain;
    else
        self->chains[worker] = chain;
    self->chains_last[worker] = chain;
    return chain;
}

/* The messages of one turn to one worker leave together. */
static void sort_outbox(struct stage *self)
{
    struct chain *chains[WORKER_COUNT] = {NULL};
    if (!self->options.delay_us) {
        mail_move(&self->queue, &self->outbox.mail);
        return;
    }
    for (struct message *m = mail_pop(&self->outbox.mail); m; m = mail_pop(&self->outbox.mail)) {
        enum worker_id to = placement[m->to];
        if (to == placement[m->from]) {
            mail_push(&self->queue, m);
            continue;
        }
        if (!chains[to])
            chains[to] = chain_due(self, to);
        mail_push(&chains[to]->mail, m);
    }
}

static bool take_due(struct stage *self)
{
    bool took = false;
    for (int w = 0; w < WORKER_COUNT; w++) {
        struct chain *chain = self->chains[w];
        while (chain && chain->due_us <= self->us) {
            mail_move(&self->queue, &chain->mail);
            self->chains[w] = chain->next;
            if (!chain->next)
                self->chains_last[w] = NULL;
            free(chain);
            chain = self->chains[w];
            took = true;
        }
    }
    return took;
}

static void free_chains(struct stage *self)
{
    for (int w = 0; w < WORKER_COUNT; w++)
        for (struct chain *chain = self->chains[w], *next; chain; chain = next) {
            next = chain->next;
            mail_free(&chain->mail);
            free(chain);
        }
}

/* --- delivery ---------------------------------------------------------------------------- */

static bool is_busy(const struct stage *self, const struct pace *pace)
{
    return pace->turn_us && (pace->worked || pace->free_us > self->us);
}

static void handle(struct stage *self, struct message *message)
{
    const struct hosted *actor = &self->cast.actors[message->to];
    struct pace *pace = &self->paces[placement[message->to]];
    if (self->is_paused[message->to]) {
        mail_push(&self->paused[message->to], message);
        return;
    }
    if (self->options.watch)
        self->options.watch(self->options.watcher, message);
    self->outbox.from = actor->spec->id;
    actor->spec->receive(actor->self, message, self->now, &self->outbox);
    sort_outbox(self);
    self->handled++;
    pace->worked = true;
}

static bool handle_queue(struct stage *self)
{
    bool moved = false;
    while (!self->halted) {
        struct message *message = mail_pop(&self->queue);
        struct pace *pace = message ? &self->paces[placement[message->to]] : NULL;
        if (!message)
            break;
        if (pace->held.first || is_busy(self, pace)) {
            mail_push(&pace->held, message);
            continue;
        }
        handle(self, message);
        moved = true;
    }
    return moved;
}

/* What waited for a worker. */
static bool take_held(struct stage *self)
{
    bool took = false;
    for (int w = 0; w < WORKER_COUNT && !self->halted; w++) {
        struct pace *pace = &self->paces[w];
        while (pace->held.first && !is_busy(self, pace) && !self->halted) {
            handle(self, mail_pop(&pace->held));
            took = true;
        }
    }
    return took;
}

/* A slow worker has one turn in a run, and none while it is busy with the last. */
static bool may_turn(struct stage *self, enum actor_id id)
{
    const struct pace *pace = &self->paces[placement[id]];
    if (!pace->turn_us)
        return true;
    if (pace->free_us > self->us || self->turned & 1u << id)
        return false;
    self->turned |= 1u << id;
    return true;
}

/* What an actor does of itself in a turn. */
static bool turn_of(struct stage *self, enum actor_id id)
{
    const struct hosted *actor = &self->cast.actors[id];
    const struct actor_spec *spec = actor->spec;
    struct pace *pace = &self->paces[placement[id]];
    bool moved = false;
    if (!spec || self->is_paused[id] || self->halted || !may_turn(self, id))
        return false;
    self->outbox.from = id;
    if (spec->pump && spec->wants_input(actor->self))
        moved |= spec->pump(actor->self, self->now, &self->outbox);
    if (spec->tick && spec->deadline_ms(actor->self) <= self->now.ms) {
        spec->tick(actor->self, self->now, &self->outbox);
        moved |= spec->deadline_ms(actor->self) == 0; /* at once again */
    }
    pace->worked |= moved;
    if (spec->turn_end)
        spec->turn_end(actor->self, self->now, &self->outbox);
    sort_outbox(self);
    return handle_queue(self) || moved;
}

static void set_clock(struct stage *self, uint64_t us)
{
    self->us = us;
    self->now.ms = (uint64_t)((int64_t)(us / 1000) + self->options.clock_ms);
    self->now.wall_ms = (uint64_t)((int64_t)(us / 1000) + self->options.wall_ms);
}

static void begin_turns(struct stage *self)
{
    self->turned = 0;
    for (int w = 0; w < WORKER_COUNT; w++)
        self->paces[w].worked = false;
}

static void end_turns(struct stage *self)
{
    for (int w = 0; w < WORKER_COUNT; w++)
        if (self->paces[w].worked && self->paces[w].turn_us)
            self->paces[w].free_us = self->us + self->paces[w].turn_us;
}

void stage_run(stage_t *self, uint64_t us)
{
    unsigned spins = 0;
    set_clock(self, us);
    begin_turns(self);
    for (bool moved = true; moved && !self->halted;) {
        int last = 0;
        moved = take_held(self);
        if (take_due(self))
            moved |= handle_queue(self);
        for (int a = 0; a < ACTOR_COUNT; a++)
            if (turn_of(self, (enum actor_id)a)) {
                moved = true;
                last = a;
            }
        if (spins++ > SPINS_MAX) {
            (void)fprintf(stderr, "%s never comes to rest\n", actor_names[last]);
            abort();
        }
    }
    end_turns(self);
}

/* When a slow worker has a turn again that it needs; NEVER. */
static uint64_t turn_us(const struct stage *self, const struct pace *pace)
{
    bool waits = pace->turn_us && pace->free_us > self->us;
    return waits || pace->held.first ? pace->free_us : NEVER;
}

uint64_t stage_wake_us(const stage_t *self)
{
    uint64_t wake_us = NEVER;
    for (int a = 0; a < ACTOR_COUNT; a++) {
        const struct hosted *actor = &self->cast.actors[a];
        if (!actor->spec || !actor->spec->deadline_ms || self->is_paused[a])
            continue;
        uint64_t ms = actor->spec->deadline_ms(actor->self);
        if (ms == NEVER)
            continue;
        /* one that is still due waits for the clock to move */
        ms = ms > self->now.ms ? ms : self->now.ms + 1;
        uint64_t us = (uint64_t)((int64_t)ms - self->options.clock_ms) * 1000;
        const struct pace *pace = &self->paces[placement[a]];
        us = pace->turn_us && us < pace->free_us ? pace->free_us : us;
        wake_us = us < wake_us ? us : wake_us;
    }
    for (int w = 0; w < WORKER_COUNT; w++) {
        if (self->chains[w] && self->chains[w]->due_us < wake_us)
            wake_us = self->chains[w]->due_us;
        uint64_t us = turn_us(self, &self->paces[w]);
        wake_us = us < wake_us ? us : wake_us;
    }
    return wake_us;
}

void stage_halt(stage_t *self)
{
    self->halted = true;
}

void stage_slow(stage_t *self, enum worker_id worker, uint64_t us)
{
    struct pace *pace = &self->paces[worker];
    pace->turn_us = us;
    if (!us)
        pace->free_us = self->us;
}

void stage_set_wall(stage_t *self, int64_t wall_ms)
{
    self->options.wall_ms = wall_ms;
}

void stage_send(stage_t *self, enum actor_id from, enum actor_id to, enum message_kind kind,
                struct message *message)
{
    self->outbox.from = from;
    send_to(&self->outbox, to, kind, message);
    sort_outbox(self);
}

void stage_pause(stage_t *self, enum actor_id actor, bool paused)
{
    self->is_paused[actor] = paused;
    if (!paused)
        mail_move(&self->queue, &self->paused[actor]);
}

size_t stage_waiting(const stage_t *self, enum actor_id actor)
{
    return self->paused[actor].count;
}

/* --- making ------------------------------------------------------------------------------ */

static int open_store(struct stage *self, struct reason *why)
{
    const struct store_options store = {.data_dir = self->options.dir,
                                        .store_bytes_max = UINT64_MAX,
                                        .state_bytes_max = self->options.cast.state_bytes_max,
                                        .log_segment_bytes = self->options.log_segment_bytes};
    uint64_t map_bytes = self->options.map_bytes ? self->options.map_bytes : MAP_BYTES_FIRST;
    return store_open_mapped(&store, map_bytes, &self->store, why);
}

int stage_new(const struct stage_options *options, uint64_t us, stage_t **stage, struct reason *why)
{
    struct stage *self = (struct stage *)calloc(1, sizeof *self);
    if (!self)
        return fail(why, ERR_NO_MEMORY, "out of memory");
    self->options = *options;
    set_clock(self, us);
    int rc = open_store(self, why);
    if (rc == 0) {
        self->options.cast.store = self->store;
        self->options.cast.started_ms = self->now.ms;
        rc = cast_make(&self->cast, &self->options.cast, why);
    }
    if (rc)
        stage_destroy(&self);
    else
        *stage = self;
    return rc;
}

void stage_destroy(stage_t **pointer)
{
    struct stage *self = *pointer;
    if (!self)
        return;
    *pointer = NULL;
    for (int a = 0; a < ACTOR_COUNT; a++)
        mail_free(&self->paused[a]);
    for (int w = 0; w < WORKER_COUNT; w++)
        mail_free(&self->paces[w].held);
    mail_free(&self->queue);
    free_chains(self);
    cast_free(&self->cast);
    store_close(&self->store);
    free(self);
}

store_t *stage_store(const stage_t *self)
{
    return self->store;
}

struct now stage_now(const stage_t *self)
{
    return self->now;
}

uint64_t stage_handled(const stage_t *self)
{
    return self->handled;
}
