/* The last large state that was read, kept for a moment: a state of many MiB that nobody changes is
 * often fetched again, and putting it together costs far more than sending it. Equal fingerprints
 * are equal bytes, so nothing has to tell this of changes. */
#include "actors/storage.h"

static bool is_whole(const struct request *request)
{
    return request->verb != VERB_GET || request->args_count == 1;
}

void storage_keep(storage_t *self, const struct request *request, struct now now)
{
    const struct reading *reading = &request->reading;
    if (!is_whole(request) || reading->bytes->size > KEPT_STATE_BYTES_MAX)
        return;
    blob_release(&self->kept.bytes);
    self->kept = *reading;
    self->kept.bytes = blob_hold(reading->bytes);
    self->kept_key = request->key;
    self->kept_until_ms = now.ms + KEPT_STATE_MS;
}

bool storage_read_kept(storage_t *self, struct request *request, struct now now)
{
    const struct held *held;
    if (!self->kept.bytes || !is_whole(request) ||
        memcmp(&self->kept_key, &request->key, sizeof request->key) != 0 ||
        store_find(self->options.store, &request->key, &held, NULL) != 0 ||
        memcmp(&self->kept.fingerprint, &held->fingerprint, sizeof held->fingerprint) != 0)
        return false;
    request->reading = self->kept;
    request->reading.bytes = blob_hold(self->kept.bytes);
    request->reading.seq = held->seq; /* it may have changed, and changed back */
    self->kept_until_ms = now.ms + KEPT_STATE_MS;
    return true;
}

void storage_forget_kept(storage_t *self)
{
    blob_release(&self->kept.bytes);
    self->kept_until_ms = NEVER;
}
