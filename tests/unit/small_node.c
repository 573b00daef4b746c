#include "tests/unit/small_node.h"

#include "actors/checkpoint.h"
#include "actors/journal.h"
#include "tests/unit/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>

enum { SEGMENT_BYTES = 8 << 20 };

void small_node_add(struct small_node *self, const struct actor_spec *spec, void *actor)
{
    self->actors[spec->id].spec = spec;
    self->actors[spec->id].self = actor;
}

void small_node_open(struct small_node *self)
{
    small_node_open_limited(self, UINT64_MAX, STATE_BYTES_MAX);
}

void small_node_open_limited(struct small_node *self, uint64_t store_bytes_max,
                             uint64_t state_bytes_max)
{
    struct reason why;
    memset(self, 0, sizeof *self);
    scratch_make(self->dir);
    self->now = (struct now){.ms = 1000, .wall_ms = 1700000000000};
    struct store_options store = {.data_dir = self->dir,
                                  .store_bytes_max = store_bytes_max,
                                  .state_bytes_max = state_bytes_max,
                                  .log_segment_bytes = SEGMENT_BYTES};
    if (store_open(&store, &self->store, &why) != 0)
        fail_msg("%s", why.text);
    struct storage_options storage = {.store = self->store,
                                      .progress = &self->progress,
                                      .state_bytes_max = state_bytes_max,
                                      .replica = {1, 2, 3, 4, 5, 6, 7, 8}};
    self->storage = storage_new(&storage);
    small_node_add(self, &storage_spec, self->storage);
    small_node_add(self, &journal_spec, journal_new(store_log(self->store), true));
    small_node_add(self, &checkpoint_spec, NULL);
}

void small_node_close(struct small_node *self)
{
    journal_t *journal = (journal_t *)self->actors[ACTOR_journal].self;
    for (int a = 0; a < ACTOR_COUNT; a++)
        mail_free(&self->actors[a].mail);
    mail_free(&self->queue);
    journal_destroy(&journal);
    storage_destroy(&self->storage);
    store_close(&self->store);
    scratch_remove(self->dir);
}

void small_node_send(struct small_node *self, enum actor_id from, enum actor_id to,
                     enum message_kind kind, struct message *message)
{
    self->outbox.from = from;
    send_to(&self->outbox, to, kind, message);
    mail_move(&self->queue, &self->outbox.mail);
}

static bool handle_queue(struct small_node *self)
{
    bool moved = false;
    for (struct message *m = mail_pop(&self->queue); m; m = mail_pop(&self->queue)) {
        struct small_actor *actor = &self->actors[m->to];
        if (!actor->spec || actor->paused) {
            mail_push(&actor->mail, m);
            continue;
        }
        self->outbox.from = actor->spec->id;
        actor->spec->receive(actor->self, m, self->now, &self->outbox);
        mail_move(&self->queue, &self->outbox.mail);
        moved = true;
    }
    return moved;
}

static bool turn_of(struct small_node *self, const struct small_actor *actor)
{
    bool again = false;
    self->outbox.from = actor->spec->id;
    if (actor->spec->tick && actor->spec->deadline_ms(actor->self) <= self->now.ms) {
        actor->spec->tick(actor->self, self->now, &self->outbox);
        again = actor->spec->deadline_ms(actor->self) == 0;
    }
    if (actor->spec->turn_end)
        actor->spec->turn_end(actor->self, self->now, &self->outbox);
    mail_move(&self->queue, &self->outbox.mail);
    return again;
}

bool small_node_step(struct small_node *self)
{
    bool moved = handle_queue(self);
    for (int a = 0; a < ACTOR_COUNT; a++)
        if (self->actors[a].spec && !self->actors[a].paused)
            moved |= turn_of(self, &self->actors[a]);
    return moved || self->queue.first;
}

void small_node_run(struct small_node *self)
{
    while (small_node_step(self))
        ;
}

void small_node_advance_ms(struct small_node *self, uint64_t ms)
{
    self->now.ms += ms;
    self->now.wall_ms += ms;
    small_node_run(self);
}

void small_node_pause(struct small_node *self, enum actor_id actor, bool paused)
{
    self->actors[actor].paused = paused;
    if (!paused)
        mail_move(&self->queue, &self->actors[actor].mail);
}

struct message *small_node_take(struct small_node *self, enum actor_id actor,
                                enum message_kind kind)
{
    struct message *message = mail_pop(&self->actors[actor].mail);
    if (!message)
        fail_msg("%s got nothing; %s was expected", actor_names[actor], message_rows[kind].name);
    if (message->kind != kind)
        fail_msg("%s got %s; %s was expected", actor_names[actor], message_rows[message->kind].name,
                 message_rows[kind].name);
    return message;
}

void small_node_put(struct small_node *self, const struct contract *contract, struct slice delta,
                    peer_t origin)
{
    struct slice args[3] = {slice_text(contract->kind->name), contract->params, delta};
    struct request *put = request_new(ACTOR_put, VERB_PUT, &contract->key, args, 3);
    put->contract = *contract;
    put->origin = origin;
    small_node_send(self, ACTOR_put, ACTOR_storage, MESSAGE_MERGE, &put->head);
    small_node_run(self);
    struct message *merged = small_node_take(self, ACTOR_put, MESSAGE_MERGED);
    assert_int_equal(((struct request *)merged)->code, 0);
    message_free(&merged);
}

static struct request *about(struct small_node *self, const struct contract_key *key)
{
    struct request *ask = request_new(ACTOR_hosting, VERB_GET, key, NULL, 0);
    small_node_send(self, ACTOR_hosting, ACTOR_storage, MESSAGE_ABOUT, &ask->head);
    small_node_run(self);
    return (struct request *)small_node_take(self, ACTOR_hosting, MESSAGE_ABOUT_DONE);
}

struct fingerprint small_node_fingerprint(struct small_node *self, const struct contract_key *key)
{
    struct request *told = about(self, key);
    struct message *message = &told->head;
    struct fingerprint print = told->reading.fingerprint;
    assert_int_equal(told->code, 0);
    message_free(&message);
    return print;
}

bool small_node_has(struct small_node *self, const struct contract_key *key)
{
    struct request *told = about(self, key);
    struct message *message = &told->head;
    int code = told->code;
    message_free(&message);
    assert_true(code == 0 || code == ERR_NOT_FOUND);
    return code == 0;
}

void small_node_put_fields(struct small_node *self, const struct contract *map, unsigned from,
                           unsigned count, size_t bytes)
{
    struct buffer delta = {0};
    uint8_t *data = (uint8_t *)calloc(1, bytes + 1);
    assert_non_null(data);
    for (unsigned i = from; i < from + count; i++) {
        char field[16];
        (void)snprintf(field, sizeof field, "f%06u", i);
        map_entry(&delta, field, 1, slice_of(data, bytes));
    }
    small_node_put(self, map, buffer_slice(&delta), 0);
    buffer_free(&delta);
    free(data);
}
