#include "tests/support/solo.h"

#include "actors/operation.h"
#include "contracts/entries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* Ids made from numbers, put in the order of their nearness to the contract's key. */
static void place_ids(struct solo *self)
{
    struct node_id ids[SOLO_PEERS + 1];
    place_t key = ring_place_of_contract(self->contract.key.bytes);
    for (size_t i = 0; i <= SOLO_PEERS; i++) {
        struct node_id id = {{(uint8_t)(i + 1)}};
        size_t at = i;
        while (at && ring_is_nearer(key, &id, ring_place_of_node(&id), &ids[at - 1],
                                    ring_place_of_node(&ids[at - 1]))) {
            ids[at] = ids[at - 1];
            at--;
        }
        ids[at] = id;
    }
    for (size_t i = 0; i <= SOLO_PEERS; i++) {
        if (i < SOLO_SELF)
            self->peers[i + 1] = ids[i];
        else if (i == SOLO_SELF)
            self->id = ids[i];
        else
            self->peers[i] = ids[i];
    }
}

void solo_init(struct solo *self, const struct actor_spec *spec)
{
    struct buffer params = {0};
    *self = (struct solo){.spec = spec, .now = {.ms = 1000, .wall_ms = 1700000000000}};
    self->window = owed_new();
    assert_non_null(self->window);
    entry_append(&params, slice_text("name"), slice_text("solo"));
    assert_true(params.size <= sizeof self->params);
    memcpy(self->params, params.data, params.size);
    assert_int_equal(contract_init(&self->contract, slice_text("counter"),
                                   slice_of(self->params, params.size), NULL),
                     0);
    buffer_free(&params);
    place_ids(self);
}

static void drop_sent(struct solo *self)
{
    struct message *message = self->sent ? &self->sent->head : NULL;
    message_free(&message);
    self->sent = NULL;
}

void solo_free(struct solo *self)
{
    drop_sent(self);
    mail_free(&self->outbox.mail);
    owed_release(&self->window);
}

int solo_operation_start(struct solo *self, const struct actor_spec *spec, bool networked)
{
    solo_init(self, spec);
    struct operation_options options = {.id = self->id, .networked = networked};
    self->actor = operation_new(&options);
    return self->actor ? 0 : -1;
}

void solo_operation_end(struct solo *self)
{
    operation_destroy((operation_t **)&self->actor);
    assert_int_equal(owed_bytes(self->window), 0);
    solo_free(self);
}

void solo_give(struct solo *self, enum actor_id from, enum message_kind kind,
               struct message *message)
{
    struct outbox sender = {.from = from};
    send_to(&sender, self->spec->id, kind, message); /* checks who may send it to whom */
    self->outbox.from = self->spec->id;
    self->spec->receive(self->actor, mail_pop(&sender.mail), self->now, &self->outbox);
}

void *solo_take(struct solo *self, enum message_kind kind)
{
    struct message *message = mail_pop(&self->outbox.mail);
    if (!message)
        fail_msg("%s was expected, and nothing was sent", message_rows[kind].name);
    else if (message->kind != kind)
        fail_msg("%s was expected, and %s was sent", message_rows[kind].name,
                 message_rows[message->kind].name);
    return message;
}

void solo_expect_nothing(const struct solo *self)
{
    const struct message *message = self->outbox.mail.first;
    if (message)
        fail_msg("%s was sent, and nothing expected", message_rows[message->kind].name);
}

void solo_take_sent(struct solo *self, peer_t to, enum peer_kind kind, union peer_any *body)
{
    enum peer_kind found;
    drop_sent(self);
    self->sent = (struct peer_send *)solo_take(self, MESSAGE_PEER_SEND);
    assert_int_equal(peer_decode(blob_slice(self->sent->bytes), &found, body, NULL), 0);
    if (found != kind)
        fail_msg("%s was expected, and %s was sent to a peer", peer_kinds[kind].name,
                 peer_kinds[found].name);
    assert_int_equal(self->sent->number, to);
}

const struct peer_send *solo_sent(const struct solo *self)
{
    return self->sent;
}

struct peer_update solo_take_update(struct solo *self, peer_t peer)
{
    union peer_any body;
    solo_take_sent(self, peer, PEER_UPDATE, &body);
    return body.update;
}

const struct fingerprint solo_printed = {{7, 7, 7}};

void solo_mail_updated(struct solo *self, peer_t from, uint64_t tx, int code)
{
    struct peer_updated updated = {.tx = tx,
                                   .code = (uint8_t)-code,
                                   .why = slice_text(code ? "they say so" : ""),
                                   .changed = code == 0};
    memcpy(updated.fingerprint, solo_printed.bytes, sizeof updated.fingerprint);
    solo_mail(self, from, PEER_UPDATED, &updated);
}

void solo_tell_sent(struct solo *self)
{
    struct peer_send *sent = self->sent;
    assert_non_null(sent);
    assert_true(sent->tell);
    self->sent = NULL;
    solo_give(self, ACTOR_transport, MESSAGE_PEER_SENT, &sent->head);
}

void solo_live_as(struct solo *self, peer_t number, peer_t who)
{
    solo_live_opened(self, number, who, self->now.ms);
}

void solo_live_opened(struct solo *self, peer_t number, peer_t who, uint64_t opened_ms)
{
    struct peer_live *live = (struct peer_live *)message_new(sizeof *live);
    assert_non_null(live);
    live->number = number;
    live->opened_ms = opened_ms;
    if (who <= SOLO_PEERS) {
        live->id = self->peers[who];
    } else {
        put_u64(live->id.bytes + 8, who);
    }
    solo_give(self, ACTOR_connections, MESSAGE_PEER_LIVE, &live->head);
}

void solo_live(struct solo *self, peer_t number)
{
    solo_live_as(self, number, number);
}

void solo_live_all(struct solo *self, peer_t first, peer_t last)
{
    for (peer_t p = first; p <= last; p++)
        solo_live(self, p);
}

void solo_gone(struct solo *self, peer_t number)
{
    solo_gone_for(self, number, CLOSE_reset);
}

void solo_gone_for(struct solo *self, peer_t number, enum close_reason reason)
{
    struct peer_order *gone = (struct peer_order *)message_new(sizeof *gone);
    assert_non_null(gone);
    gone->number = number;
    gone->reason = reason;
    gone->replaced = reason == CLOSE_duplicate;
    solo_give(self, ACTOR_connections, MESSAGE_PEER_GONE, &gone->head);
}

void solo_mail(struct solo *self, peer_t from, enum peer_kind kind, const void *body)
{
    struct peer_mail *mail = (struct peer_mail *)message_new(sizeof *mail);
    struct buffer bytes = {0};
    assert_non_null(mail);
    assert_int_equal(peer_encode(kind, body, &bytes), 0);
    size_t size = bytes.size;
    mail->bytes = blob_adopt(buffer_steal(&bytes), size);
    mail->number = from;
    mail->window = owed_hold(self->window);
    mail->counted = size;
    owed_add(self->window, size);
    assert_int_equal(peer_decode(blob_slice(mail->bytes), &mail->kind, &mail->body, NULL), 0);
    solo_give(self, ACTOR_transport, MESSAGE_PEER_MAIL, &mail->head);
}

struct request *solo_request(struct solo *self, enum verb verb, const struct slice *args,
                             size_t count)
{
    struct request *request = request_new(ACTOR_client_api, verb, &self->contract.key, args, count);
    assert_non_null(request);
    request->client = 1;
    request->id[0] = (uint8_t)++self->clients;
    request->id_size = 1;
    return request;
}

void solo_answer(struct solo *self, struct request *request, enum actor_id from,
                 enum message_kind kind, int code)
{
    request->code = code;
    if (code)
        (void)(fail)(&request->why, code, "as the test says");
    solo_give(self, from, kind, &request->head);
}

const char *solo_expect_reply(struct solo *self, int code)
{
    static struct reason why;
    struct request *reply = (struct request *)solo_take(self, MESSAGE_REPLY);
    why = reply->why;
    if (reply->code != code)
        fail_msg("the reply is %s (%s)", error_name(reply->code), why.text);
    struct message *message = &reply->head;
    message_free(&message);
    return why.text;
}

void solo_advance_ms(struct solo *self, uint64_t ms)
{
    self->now.ms += ms;
    self->now.wall_ms += ms;
    self->outbox.from = self->spec->id;
    if (solo_deadline_ms(self) <= self->now.ms)
        self->spec->tick(self->actor, self->now, &self->outbox);
}

uint64_t solo_deadline_ms(const struct solo *self)
{
    return self->spec->deadline_ms(self->actor);
}
