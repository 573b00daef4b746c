#include "tests/sim/trace_log.h"

#include <stdlib.h>
#include <string.h>

void trace_log_init(struct trace_log *self, FILE *echo)
{
    *self = (struct trace_log){.hash = 0xcbf29ce484222325u, .echo = echo};
    self->rows = (struct trace_row *)calloc(TRACE_LOG_ROWS, sizeof self->rows[0]);
    if (!self->rows)
        abort();
}

void trace_log_free(struct trace_log *self)
{
    free(self->rows);
    self->rows = NULL;
}

/* What tells this message from others of its kind. */
static uint64_t detail_of(const struct message *message)
{
    const struct peer_mail *mail = (const struct peer_mail *)message;
    switch ((enum message_kind)message->kind) {
    case MESSAGE_PEER_MAIL:
        return mail->number << 8 | mail->kind;
    case MESSAGE_PEER_SEND:
    case MESSAGE_PEER_SENT: {
        const struct peer_send *send = (const struct peer_send *)message;
        bool encoded = send->bytes && send->bytes->size; /* gone once it was sent */
        return send->number << 8 | (encoded ? send->bytes->data[0] : 0);
    }
    case MESSAGE_DIAL:
        return ((const struct dial *)message)->number;
    case MESSAGE_OPENED:
        return ((const struct opened *)message)->number;
    case MESSAGE_PEER_LIVE:
        return ((const struct peer_live *)message)->number;
    case MESSAGE_CLOSED:
        return ((const struct closed *)message)->number << 8 |
               ((const struct closed *)message)->reason;
    case MESSAGE_ADMIT:
    case MESSAGE_HANG_UP:
    case MESSAGE_PEER_GONE:
    case MESSAGE_BLAME:
        return ((const struct peer_order *)message)->number << 8 |
               ((const struct peer_order *)message)->reason;
    case MESSAGE_REPLY:
    case MESSAGE_MERGED:
    case MESSAGE_READ_DONE:
    case MESSAGE_HOSTED:
        return (uint64_t)(int64_t) - ((const struct request *)message)->code;
    default:
        return 0;
    }
}

uint16_t trace_log_contract(const struct contract_key *key)
{
    return (uint16_t)(key->bytes[0] << 8 | key->bytes[1]);
}

/* Of what a peer sent; those about a contract tell it by a field `key`. */
static uint16_t contract_of_mail(const struct peer_mail *mail)
{
    const union peer_any *body = &mail->body;
    const uint8_t *key = NULL;
    switch (mail->kind) {
    case PEER_GET:
        key = body->get.key;
        break;
    case PEER_UPDATE:
        key = body->update.key;
        break;
    case PEER_JOIN:
        key = body->join.key;
        break;
    case PEER_JOINED:
        key = body->joined.key;
        break;
    case PEER_LEAVE:
        key = body->leave.key;
        break;
    case PEER_HOST:
        key = body->host.key;
        break;
    case PEER_DELTA:
        key = body->delta.key;
        break;
    case PEER_SYNC:
        key = body->sync.key;
        break;
    default:
        return 0;
    }
    return (uint16_t)(key[0] << 8 | key[1]);
}

static uint16_t contract_of(const struct message *message)
{
    switch ((enum message_kind)message->kind) {
    case MESSAGE_PEER_MAIL:
        return contract_of_mail((const struct peer_mail *)message);
    case MESSAGE_CHANGED:
        return trace_log_contract(&((const struct changed *)message)->key);
    case MESSAGE_NOTIFY:
    case MESSAGE_NOTIFY_BACK:
        return trace_log_contract(&((const struct notify *)message)->key);
    case MESSAGE_WATCH:
    case MESSAGE_NEEDED:
        return trace_log_contract(&((const struct watch *)message)->key);
    case MESSAGE_FOLLOW:
    case MESSAGE_FELL_BEHIND:
        return trace_log_contract(&((const struct follow *)message)->key);
    case MESSAGE_SYNC:
    case MESSAGE_SYNCED:
    case MESSAGE_FILLED:
    case MESSAGE_STRAY:
        return trace_log_contract(&((const struct sync_order *)message)->key);
    case MESSAGE_WALK:
    case MESSAGE_WALKED:
        return trace_log_contract(&((const struct walk *)message)->key);
    case MESSAGE_MERGE:
    case MESSAGE_MERGED:
    case MESSAGE_READ:
    case MESSAGE_READ_DONE:
    case MESSAGE_HOST:
    case MESSAGE_HOSTED:
    case MESSAGE_ABOUT:
    case MESSAGE_ABOUT_DONE:
    case MESSAGE_DROP:
    case MESSAGE_DROPPED:
    case MESSAGE_REPLY:
        return trace_log_contract(&((const struct request *)message)->key);
    default:
        return 0;
    }
}

static void print_detail(const struct trace_row *row, FILE *to)
{
    unsigned long long number = (unsigned long long)(row->detail >> 8);
    unsigned low = row->detail & 255;
    switch ((enum message_kind)row->kind) {
    case MESSAGE_PEER_MAIL:
    case MESSAGE_PEER_SEND:
    case MESSAGE_PEER_SENT:
        (void)fprintf(to, " %s #%llu", low < PEER_KIND_COUNT ? peer_kinds[low].name : "?", number);
        break;
    case MESSAGE_DIAL:
    case MESSAGE_OPENED:
    case MESSAGE_PEER_LIVE:
        (void)fprintf(to, " #%llu", (unsigned long long)row->detail);
        break;
    case MESSAGE_CLOSED:
    case MESSAGE_ADMIT:
    case MESSAGE_HANG_UP:
    case MESSAGE_PEER_GONE:
    case MESSAGE_BLAME:
        (void)fprintf(to, " #%llu %s", number,
                      low < CLOSE_REASON_COUNT ? close_reasons[low].name : "?");
        break;
    default:
        if (row->detail)
            (void)fprintf(to, " %s", error_name(-(int)row->detail));
    }
}

static void print(const struct trace_row *row, FILE *to)
{
    (void)fprintf(to, "%5llu.%06llu n%-3u ", (unsigned long long)(row->us / 1000000),
                  (unsigned long long)(row->us % 1000000), row->node);
    if (row->is_note) {
        (void)fprintf(to, "-- %s %llu\n", row->note, (unsigned long long)row->detail);
        return;
    }
    (void)fprintf(to, "%s %s->%s", message_rows[row->kind].name, actor_names[row->from],
                  actor_names[row->to]);
    if (row->contract)
        (void)fprintf(to, " k%04x", row->contract);
    print_detail(row, to);
    (void)fputc('\n', to);
}

static void mix(struct trace_log *self, uint64_t word)
{
    self->hash = (self->hash ^ word) * 0x9e3779b97f4a7c15u;
    self->hash ^= self->hash >> 29;
}

static void add(struct trace_log *self, const struct trace_row *row)
{
    mix(self, row->us);
    mix(self, row->detail);
    mix(self, row->contract);
    mix(self,
        (uint64_t)row->node << 32 | (uint64_t)row->kind << 16 | (uint64_t)row->from << 8 | row->to);
    self->rows[self->count++ % TRACE_LOG_ROWS] = *row;
    if (self->echo)
        print(row, self->echo);
}

void trace_log_message(struct trace_log *self, uint64_t us, size_t node,
                       const struct message *message)
{
    const struct trace_row row = {.us = us,
                                  .detail = detail_of(message),
                                  .node = (uint32_t)node,
                                  .contract = contract_of(message),
                                  .kind = message->kind,
                                  .from = message->from,
                                  .to = message->to};
    add(self, &row);
}

void trace_log_note(struct trace_log *self, uint64_t us, size_t node, const char *note,
                    uint64_t detail)
{
    struct trace_row row = {.us = us, .detail = detail, .node = (uint32_t)node, .is_note = true};
    (void)snprintf(row.note, sizeof row.note, "%s", note);
    for (const char *at = row.note; *at; at++)
        mix(self, (uint8_t)*at);
    add(self, &row);
}

void trace_log_print(const struct trace_log *self, size_t rows, FILE *to)
{
    uint64_t kept = self->count < TRACE_LOG_ROWS ? self->count : TRACE_LOG_ROWS;
    uint64_t first = self->count - (rows < kept ? rows : kept);
    for (uint64_t i = first; i < self->count; i++)
        print(&self->rows[i % TRACE_LOG_ROWS], to);
}
