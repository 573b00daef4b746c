#include "actors/report.h"

#include "base/base58.h"
#include "base/version.h"

#include <jansson.h>
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

static json_t *store_object(const struct storage_report *storage)
{
    const struct store_stats *s = &storage->stats;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "contracts",
                     number(s->contracts), "entries", number(s->entries), "used_bytes",
                     number(s->used_bytes), "map_bytes", number(s->map_bytes), "unfolded_bytes",
                     number(s->unfolded_bytes), "log_bytes", number(storage->log_bytes),
                     "log_segments", number(s->log_segments), "replayed", number(s->replayed),
                     "damaged", number(s->damaged));
}

static json_t *clients_object(const struct client_counters *c)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "connected", number(c->clients),
                     "open", number(c->open), "subscriptions", number(c->subscriptions), "requests",
                     number(c->requests), "replies", number(c->replies), "notifications",
                     number(c->notifications), "refused", number(c->refused), "discarded",
                     number(c->discarded));
}

static json_t *work_object(const struct storage_report *storage)
{
    if (!storage->work)
        return json_null();
    return json_pack("{s:s, s:o, s:o}", "what", storage->work, "done", number(storage->work_done),
                     "all", number(storage->work_all));
}

char *report_status(const struct storage_report *storage, const struct client_counters *clients,
                    const char *node_id, uint64_t uptime_ms)
{
    struct rusage usage = {0};
    (void)getrusage(RUSAGE_SELF, &usage);
    return text_of(json_pack(
        "{s:s, s:s, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i}", "id", node_id,
        "version", WEIR_VERSION, "uptime_ms", number(uptime_ms), "durability",
        storage->relaxed ? "relaxed" : "full", "fault", storage->fault.text, "store",
        store_object(storage), "clients", clients_object(clients), "work", work_object(storage),
        "waiting_for_fold", number(storage->waiting_for_fold), "waiting_for_room",
        number(storage->waiting_for_room), "large_operations", number(storage->jobs),
        "memory_peak_kib", number((uint64_t)usage.ru_maxrss), "peers", 0));
}

char *report_check(const struct check_report *report)
{
    return text_of(json_pack("{s:o, s:o, s:o, s:o, s:o, s:s}", "contracts",
                             number(report->contracts), "entries", number(report->entries), "bytes",
                             number(report->bytes), "records", number(report->records), "damaged",
                             number(report->damaged), "first", report->first.text));
}

char *report_backup(const char *dir, uint64_t bytes)
{
    return text_of(json_pack("{s:s, s:o}", "dir", dir, "bytes", number(bytes)));
}
