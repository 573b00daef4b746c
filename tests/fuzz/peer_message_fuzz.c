/* Decoding a message of a peer: what is accepted encodes to the same bytes. What is connections' to
 * handle is then given to one, from a peer that is live. */
#include "actors/connections.h"
#include "tests/fuzz/must.h"

static void handle(connections_t *self, enum message_kind kind, struct message *message,
                   struct now now)
{
    struct outbox out = {.from = ACTOR_connections};
    message->kind = (uint8_t)kind;
    connections_spec.receive(self, message, now, &out);
    for (int i = 0; i < 4; i++, now.ms += 2500)
        if (connections_spec.deadline_ms(self) <= now.ms)
            connections_spec.tick(self, now, &out);
    mail_free(&out.mail);
}

static void give(enum peer_kind kind, const union peer_any *body)
{
    const struct connections_options options = {.id = {{5}}, .address = "here:1", .seed = 7};
    connections_t *self = connections_new(&options);
    struct opened *opened = (struct opened *)message_new(sizeof *opened);
    struct peer_mail *mail = (struct peer_mail *)message_new(sizeof *mail);
    struct now now = {.ms = 1000, .us = 1000000};
    MUST(self && opened && mail);
    opened->number = mail->number = 1;
    opened->id.bytes[0] = 9;
    opened->inbound = true;
    opened->traffic = peer_traffic_new();
    MUST(opened->traffic);
    handle(self, MESSAGE_OPENED, &opened->head, now);
    mail->kind = kind;
    mail->body = *body; /* borrows from the input */
    handle(self, MESSAGE_PEER_MAIL, &mail->head, now);
    connections_destroy(&self);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum peer_kind kind = PEER_KIND_COUNT;
    union peer_any body, again;
    struct reason why = {""};
    int rc = peer_decode(slice_of(data, size), &kind, &body, &why);
    if (rc) {
        MUST(rc == ERR_BAD_REQUEST && why.text[0] && kind == PEER_KIND_COUNT);
        return 0;
    }
    const struct layout *layout = peer_kinds[kind].layout;
    struct buffer bytes = {0}, text = {0};
    MUST(kind == data[0] && codec_size(layout, &body) == size - 1);
    MUST(peer_encode(kind, &body, &bytes) == 0);
    MUST(slice_equal(buffer_slice(&bytes), slice_of(data, size)));
    MUST(peer_decode(buffer_slice(&bytes), &kind, &again, &why) == 0);
    MUST(codec_equal(layout, &body, &again));
    codec_print(layout, &body, &text);
    MUST(text.size > 0 && text.data[text.size - 1] == '}');
    if (kind <= PEER_MATRIX)
        give(kind, &body);
    buffer_free(&bytes);
    buffer_free(&text);
    return 0;
}
