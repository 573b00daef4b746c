/* The log: how many acknowledged records are broken or gone, and of which contracts, as far as what
 * is left of them tells. */
#include "store/check_state.h"

#include "store/files.h"

#include <inttypes.h>
#include <stdlib.h>

static int by_key(const void *a, const void *b)
{
    return memcmp(((const struct suspect *)a)->key.bytes, ((const struct suspect *)b)->key.bytes,
                  CONTRACT_KEY_BYTES);
}

/* Each key once, in order. */
static int collect_suspects(struct check *self, const struct scan *scan, struct reason *why)
{
    struct suspect *suspects = (struct suspect *)calloc(scan->broken_count, sizeof(struct suspect));
    if (!suspects)
        return fail(why, ERR_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < scan->broken_count; i++)
        suspects[i].key = scan->broken[i].contract;
    qsort(suspects, scan->broken_count, sizeof suspects[0], by_key);
    size_t count = 0;
    for (size_t i = 0; i < scan->broken_count; i++)
        if (count == 0 || by_key(&suspects[i], &suspects[count - 1]) != 0)
            suspects[count++] = suspects[i];
    self->suspects = suspects;
    self->suspects_count = count;
    return 0;
}

static struct suspect *suspect_of(const struct check *self, const uint8_t key[CONTRACT_KEY_BYTES])
{
    struct suspect wanted;
    if (self->suspects_count == 0)
        return NULL;
    memcpy(wanted.key.bytes, key, CONTRACT_KEY_BYTES);
    return (struct suspect *)bsearch(&wanted, self->suspects, self->suspects_count, sizeof wanted,
                                     by_key);
}

void check_is_there(struct check *self, const uint8_t key[CONTRACT_KEY_BYTES])
{
    struct suspect *suspect = suspect_of(self, key);
    if (suspect)
        suspect->known = true;
}

static int on_whole(void *me, const struct log_record *record, struct slice bytes, uint64_t end)
{
    (void)bytes;
    (void)end;
    check_is_there((struct check *)me, record->contract);
    return 0;
}

static int on_broken(void *me, uint64_t seq, const uint8_t key[CONTRACT_KEY_BYTES])
{
    (void)me;
    (void)seq;
    (void)key;
    return 0;
}

/* A contract that is not folded yet is known by its other records alone. */
static int look_in_log(struct check *self, const struct scan *scan, struct reason *why)
{
    struct segment_list list;
    struct segment_header header;
    int rc = segment_list(scan->dir, &list, why);
    for (size_t i = 0; rc == 0 && i < list.count; i++)
        rc = segment_scan(scan->dir, list.numbers[i], scan->salt, &header, on_whole, on_broken,
                          self, why);
    return rc;
}

int check_scan(struct check *self, struct scan *scan, struct reason *why)
{
    bool found;
    uint64_t size;
    int rc = file_size(scan->dir, &found, &size, why);
    if (rc == 0 && found)
        rc = scan_all(scan, why);
    if (rc || scan->broken_count == 0)
        return rc;
    rc = collect_suspects(self, scan, why);
    return rc ? rc : look_in_log(self, scan, why);
}

/* Of what is lost, what tells a contract that there is. */
static bool name_lost(struct check *self, const struct scan *scan, uint64_t folded, uint64_t synced,
                      struct contract_key *first)
{
    bool named = false;
    for (size_t i = 0; i < scan->broken_count; i++) {
        const struct broken_record *broken = &scan->broken[i];
        const struct suspect *suspect = suspect_of(self, broken->contract.bytes);
        if (!suspect || !suspect->known || broken->seq > synced ||
            !scan_is_lost(scan, folded, broken->seq))
            continue;
        check_name(&self->report, &broken->contract);
        if (!named)
            *first = broken->contract;
        named = true;
    }
    return named;
}

void check_lost(struct check *self, const struct scan *scan, uint64_t folded, uint64_t synced)
{
    struct contract_key first;
    uint64_t lost = scan_lost(scan, folded, synced);
    self->report.records = scan->whole;
    bool named = lost && name_lost(self, scan, folded, synced, &first);
    if (lost && self->report.damaged == 0)
        (void)fail(&self->report.first, ERR_DAMAGED,
                   "%s: %" PRIu64 " acknowledged records are damaged%s%s", scan->dir, lost,
                   named ? ", one of them of " : "; whose they were cannot be told",
                   named ? name_contract(&first).text : "");
    self->report.damaged += lost;
}
