#include "actors/report.h"

#include "base/base58.h"
#include "base/version.h"

#include <jansson.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

static void hex(const uint8_t *bytes, size_t size, char *text)
{
    for (size_t i = 0; i < size; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

/* JSON integers are signed; figures beyond 2^63 ("no limit") do not occur in what is shown. */
static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static char *text_of(json_t *object)
{
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    return text;
}

void report_answer(struct request *request, char *text)
{
    request->json = text ? blob_adopt((uint8_t *)text, strlen(text)) : NULL;
    request->code = request->json ? 0 : fail(&request->why, ERR_INTERNAL, "out of memory");
}

void report_contract(const struct held *held, struct buffer *out)
{
    char key[BASE58_TEXT_MAX], fingerprint[2 * FINGERPRINT_BYTES + 1];
    base58_encode(held->contract.key.bytes, CONTRACT_KEY_BYTES, key);
    hex(held->fingerprint.bytes, FINGERPRINT_BYTES, fingerprint);
    struct slice name = contract_param(&held->contract, "name");
    json_t *name_text = json_stringn((const char *)name.data, name.size);
    json_t *object =
        json_pack("{s:s, s:s, s:o, s:o, s:o, s:b, s:s}", "key", key, "kind",
                  held->contract.kind->name, "name", name_text ? name_text : json_null(), "entries",
                  number(held->summary.count), "bytes", number(held->summary.state_bytes), "signed",
                  contract_signed(&held->contract), "fingerprint", fingerprint);
    char *text = text_of(object);
    if (text)
        buffer_append_slice(out, slice_text(text));
    else
        out->failed = true;
    free(text);
}

/* A figure of an object: its name and value, so that a list of them reads as a table. */
struct figure {
    const char *name;
    uint64_t value;
};

static json_t *object_of(const struct figure *figures, size_t count)
{
    json_t *object = json_object();
    for (size_t i = 0; i < count; i++)
        (void)json_object_set_new(object, figures[i].name, number(figures[i].value));
    return object;
}

static json_t *store_object(const struct storage_report *storage)
{
    const struct store_stats *s = &storage->stats;
    const struct figure figures[] = {
        {"contracts", s->contracts},
        {"entries", s->entries},
        {"used_bytes", s->used_bytes},
        {"map_bytes", s->map_bytes},
        {"log_bytes", storage->log_bytes},
        {"log_segments", s->log_segments},
        {"unfolded_bytes", s->unfolded_bytes},
        {"replayed", s->replayed},
        {"damaged", s->damaged},
        {"damaged_contracts", s->marked},
    };
    return object_of(figures, sizeof figures / sizeof figures[0]);
}

static json_t *clients_object(const struct client_counters *c)
{
    const struct figure figures[] = {
        {"connected", c->connected}, {"open", c->open},
        {"requests", c->requests},   {"replies", c->replies},
        {"refused", c->refused},     {"notifications", c->notifications},
        {"discarded", c->discarded}, {"turned_away", c->turned_away},
    };
    return object_of(figures, sizeof figures / sizeof figures[0]);
}

static json_t *work_object(const struct storage_report *storage)
{
    if (!storage->work)
        return json_null();
    return json_pack("{s:s, s:o, s:o}", "what", storage->work, "done", number(storage->work_done),
                     "all", number(storage->work_all));
}

/* What was allocated and not freed. What malloc holds beyond it is for the next peak. */
static uint64_t heap_used_kib(void)
{
    struct mallinfo2 info = mallinfo2();
    return (info.uordblks + info.hblkhd) / 1024;
}

/* Peak, in KiB; what it is now is the system's to tell (ps). */
static uint64_t memory_peak_kib(void)
{
    struct rusage usage = {0};
    (void)getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)usage.ru_maxrss;
}

static json_t *hosting_object(const struct hosting_report *hosting)
{
    const struct figure figures[] = {
        {"contracts", hosting->contracts},
        {"of_peers", hosting->of_peers},
        {"refused", hosting->refused},
    };
    return object_of(figures, sizeof figures / sizeof figures[0]);
}

/* What ended how often is told by reason, where it happened at all. */
static json_t *connections_object(const struct peers_report *p, const struct transport_counters *s)
{
    static const char *const closed_names[CLOSE_REASON_COUNT] = {
#define R(name, text) "closed_" #name,
        CLOSE_REASONS(R)
#undef R
    };
    const struct figure figures[] = {
        {"live", p->live},
        {"known", p->known},
        {"dials", p->dials},
        {"opened", p->opened},
        {"failed", p->failed},
        {"silences", p->silences},
        {"strangers", s->accepted},
        {"strangers_turned_away", s->turned_away},
        {"strangers_slow", s->slow},
        {"strangers_broken", s->broken},
        {"strangers_refused", s->refused},
        {"connects_refused", p->connects_refused},
        {"heavy_not_read", s->heavy},
        {"unfinished_hung_up", s->unfinished},
    };
    json_t *object = object_of(figures, sizeof figures / sizeof figures[0]);
    for (int r = 0; r < CLOSE_REASON_COUNT; r++)
        if (p->closed[r])
            (void)json_object_set_new(object, closed_names[r], number(p->closed[r]));
    return object;
}

char *report_status(const struct request *request, const struct client_counters *clients,
                    const struct node_facts *facts, uint64_t uptime_ms)
{
    const struct storage_report *storage = &request->report;
    const struct peers_report *peers = &request->peers;
    const struct figure figures[] = {
        {"uptime_ms", uptime_ms},
        {"memory_peak_kib", memory_peak_kib()},
        {"heap_used_kib", heap_used_kib()},
        {"waiting_for_fold", storage->waiting_for_fold},
        {"waiting_for_room", storage->waiting_for_room},
        {"large_operations", storage->jobs},
        {"watched", storage->watched},
        {"peers", peers->live},
    };
    json_t *status =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "id",
                  facts->id, "version", WEIR_VERSION, "role", facts->role, "network",
                  facts->network, "listen", facts->listen, "advertised", facts->advertised,
                  "durability", storage->relaxed ? "relaxed" : "full", "fault", storage->fault.text,
                  "store", store_object(storage), "clients", clients_object(clients), "connections",
                  connections_object(peers, &request->strangers), "hosting",
                  hosting_object(&request->hosting), "work", work_object(storage));
    json_t *more = object_of(figures, sizeof figures / sizeof figures[0]);
    if (status)
        (void)json_object_update_missing(status, more);
    json_decref(more);
    return text_of(status);
}

static json_t *named_list(const struct check_report *report)
{
    json_t *list = json_array();
    for (size_t i = 0; i < report->named_count; i++) {
        char key[BASE58_TEXT_MAX];
        base58_encode(report->named[i].bytes, CONTRACT_KEY_BYTES, key);
        (void)json_array_append_new(list, json_string(key));
    }
    return list;
}

char *report_check(const struct check_report *report)
{
    return text_of(json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:o}", "contracts",
                             number(report->contracts), "entries", number(report->entries), "bytes",
                             number(report->bytes), "records", number(report->records), "damaged",
                             number(report->damaged), "first", report->first.text, "named",
                             named_list(report)));
}

char *report_backup(const char *dir, uint64_t bytes)
{
    return text_of(json_pack("{s:s, s:o}", "dir", dir, "bytes", number(bytes)));
}
