#include "store/log.h"
#include "tests/sim/play.h"

#include "contracts/entries.h"
#include "contracts/view.h"

#include <stdlib.h>

/* --- what a node has --------------------------------------------------------------------- */

/* As the trace has it. */
static unsigned name_of(const struct play *self, size_t contract)
{
    return trace_log_contract(&self->contracts[contract].contract.key);
}

/* The state of a contract as the node's store shows it; false: the node does not have it. */
static bool state_at(struct play *self, size_t node, size_t contract, struct reading *reading)
{
    struct slice open = {NULL, 0};
    read_job_t *job = NULL;
    struct reason why;
    int rc = store_read(stage_store(world_stage(self->world, node)),
                        &self->contracts[contract].contract.key, open, open, reading, &job, &why);
    if (rc == 0 && job) {
        while ((rc = read_step(job, reading, &why)) == ERR_AGAIN)
            ;
        read_job_destroy(&job);
    }
    if (rc != 0 && rc != ERR_NOT_FOUND)
        play_fail(self, "n%zu could not read k%04x: %s", node, name_of(self, contract), why.text);
    return rc == 0;
}

static struct slice bytes_of(const struct reading *reading)
{
    return slice_after(blob_slice(reading->bytes), reading->params_bytes);
}

static bool contains(struct slice state, const char *token)
{
    return state.size && memmem(state.data, state.size, token, strlen(token));
}

static int take_number(void *self, const struct view_item *item)
{
    *(int64_t *)self = item->number;
    return 0;
}

static bool is_kept(const struct play *self, const struct played_op *op)
{
    return op->acknowledged && !op->waived && self->contracts[op->contract].keeps;
}

/* Would what was read be there after a loss of power? */
static bool is_flushed(const struct play *self, size_t node, const struct reading *reading)
{
    store_t *store = stage_store(world_stage(self->world, node));
    return reading->seq <= log_synced(store_log(store));
}

/* Does any node but this one, of those that run, have these bytes in its state, for good? */
static bool is_elsewhere(struct play *self, size_t contract, struct slice bytes, size_t leaves)
{
    bool found = false;
    for (size_t node = 0; node < self->nodes_count && !found; node++) {
        struct reading reading;
        if (node == leaves || !world_is_up(self->world, node) ||
            !state_at(self, node, contract, &reading))
            continue;
        struct slice state = bytes_of(&reading);
        found = is_flushed(self, node, &reading) && state.size &&
                memmem(state.data, state.size, bytes.data, bytes.size);
        blob_release(&reading.bytes);
    }
    return found;
}

/* A counter does not show what each operation brought: then it is all that the leaving node has. */
static bool all_is_elsewhere(struct play *self, size_t contract, size_t leaves)
{
    struct reading reading;
    bool all = true;
    if (!state_at(self, leaves, contract, &reading))
        return true;
    struct entry entry;
    for (struct slice rest = bytes_of(&reading); rest.size && all;) {
        const uint8_t *first = rest.data;
        all = entry_take(&rest, &entry) == NULL &&
              is_elsewhere(self, contract, slice_of(first, (size_t)(rest.data - first)), leaves);
    }
    blob_release(&reading.bytes);
    return all;
}

bool claims_had_elsewhere(struct play *self, const struct played_op *op, size_t leaves)
{
    if (self->contracts[op->contract].keeps)
        return is_elsewhere(self, op->contract, slice_text(op->token), leaves);
    return all_is_elsewhere(self, op->contract, leaves);
}

void claims_answered(struct play *self, struct played_op *op)
{
    struct reading reading;
    bool here = false, flushed = false, elsewhere = false, down = false;
    if (!self->contracts[op->contract].keeps)
        return;
    for (size_t node = 0; node < self->nodes_count; node++) {
        if (!world_is_up(self->world, node)) {
            down = true;
            continue;
        }
        if (!state_at(self, node, op->contract, &reading))
            continue;
        bool found = contains(bytes_of(&reading), op->token);
        if (found && node == op->node) {
            here = true;
            flushed = is_flushed(self, node, &reading);
        }
        elsewhere |= found && node != op->node;
        blob_release(&reading.bytes);
    }
    if (!here && !elsewhere && !down)
        play_fail(self, "n%zu acknowledged %s, which nobody has", op->node, op->token);
    /* What is not flushed here may have come meanwhile, and the answer was another's. */
    op->had_it |= here && (flushed || (!elsewhere && !down));
}

/* Nothing that a kill or a loss of power does is damage. */
static void claim_undamaged(struct play *self, size_t node)
{
    store_t *store = stage_store(world_stage(self->world, node));
    struct store_stats stats;
    store_stats(store, &stats);
    if (stats.damaged || stats.marked)
        play_fail(self, "n%zu finds %llu records and %llu contracts damaged", node,
                  (unsigned long long)stats.damaged, (unsigned long long)stats.marked);
    if (*store_repaired(store))
        play_fail(self, "n%zu repaired its data: %s", node, store_repaired(store));
}

void claims_started(struct play *self, size_t node)
{
    claim_undamaged(self, node);
    for (size_t contract = 0; contract < self->contracts_count; contract++) {
        struct reading reading;
        if (!self->contracts[contract].keeps || !state_at(self, node, contract, &reading))
            continue;
        for (const struct played_op *op = self->ops; op; op = op->next)
            if (op->contract == contract && op->had_it && op->node == node && is_kept(self, op) &&
                !contains(bytes_of(&reading), op->token))
                play_fail(self, "n%zu acknowledged %s and does not have it", node, op->token);
        blob_release(&reading.bytes);
    }
}

void claims_in_time(struct play *self)
{
    uint64_t now = world_us(self->world), most = OPERATION_TIMEOUT_MS + OPERATION_SLACK_MS;
    for (const struct played_op *op = self->ops; op; op = op->next) {
        const struct played_node *node = &self->nodes[op->node];
        bool stood = node->stood_until_us > op->asked_us; /* the node was paused meanwhile */
        uint64_t from = stood ? node->stood_until_us : op->asked_us;
        if (!op->done && op->life == node->life && world_is_up(self->world, op->node) &&
            !world_is_paused(self->world, op->node) && !node->slow && now - from > most * 1000)
            play_fail(self, "n%zu has not answered %s #%llu", op->node, client_verbs[op->verb].name,
                      (unsigned long long)op->number);
    }
}

/* --- at rest ----------------------------------------------------------------------------- */

static bool has_all(struct play *self, size_t node, size_t contract, struct slice state, char *why,
                    size_t size)
{
    const struct played_contract *c = &self->contracts[contract];
    uint64_t added = 0;
    for (const struct played_op *op = self->ops; op; op = op->next) {
        added += op->contract == contract && (op->acknowledged || op->asked_well) && !op->waived &&
                 !op->former;
        if (op->contract == contract && is_kept(self, op) && !contains(state, op->token)) {
            (void)snprintf(why, size, "n%zu lacks %s of k%04x, acknowledged by n%zu", node,
                           op->token, name_of(self, contract), op->node);
            return false;
        }
    }
    int64_t number = 0;
    if (!c->counts || view_items(&c->contract, state, take_number, &number, NULL) != 0 ||
        ((uint64_t)number >= added && (uint64_t)number <= c->attempted))
        return true;
    (void)snprintf(why, size, "k%04x counts %lld at n%zu; %llu were acknowledged, %llu tried",
                   name_of(self, contract), (long long)number, node, (unsigned long long)added,
                   (unsigned long long)c->attempted);
    return false;
}

static bool follower_is_up_to_date(struct play *self, size_t node, size_t contract,
                                   const struct fingerprint *fingerprint, char *why, size_t size)
{
    const struct subscriber *sub = &self->nodes[node].subs[contract];
    if (!sub->follows)
        return true;
    struct fingerprint seen = summary_fingerprint(state_summary(sub->view));
    if (memcmp(&seen, fingerprint, sizeof seen) == 0)
        return true;
    (void)snprintf(why, size, "a subscriber of k%04x at n%zu has not received everything",
                   name_of(self, contract), node);
    return false;
}

static bool acknowledged(const struct play *self, size_t contract)
{
    for (const struct played_op *op = self->ops; op; op = op->next)
        if (op->contract == contract && op->acknowledged && !op->waived)
            return true;
    return false;
}

bool claims_is_hosted(struct play *self, size_t contract)
{
    for (size_t node = 0; node < self->nodes_count; node++) {
        struct reading reading;
        if (!claims_is_member(self, node) || !state_at(self, node, contract, &reading))
            continue;
        blob_release(&reading.bytes);
        return true;
    }
    return false;
}

/* Appends who has which state of it. */
static void tell_hosts(struct play *self, size_t contract, char *why, size_t size)
{
    for (size_t node = 0; node < self->nodes_count; node++) {
        struct reading reading;
        size_t used = strlen(why);
        if (!claims_is_member(self, node) || !state_at(self, node, contract, &reading))
            continue;
        (void)snprintf(why + used, size - used, " n%zu:%02x%02x", node,
                       reading.fingerprint.bytes[0], reading.fingerprint.bytes[1]);
        blob_release(&reading.bytes);
    }
}

/* All who have it have the same, with all that was acknowledged in it. */
static bool agrees(struct play *self, size_t contract, char *why, size_t size)
{
    struct blob *first = NULL;
    size_t hosts = 0, first_node = 0, members = 0;
    bool ok = true;
    for (size_t node = 0; ok && node < self->nodes_count; node++) {
        struct reading reading;
        members += claims_is_member(self, node);
        if (!claims_is_member(self, node))
            continue;
        if (!state_at(self, node, contract, &reading)) {
            ok = !self->nodes[node].subs[contract].follows;
            if (!ok)
                (void)snprintf(why, size, "n%zu has a subscriber of k%04x, and not k%04x", node,
                               name_of(self, contract), name_of(self, contract));
            continue;
        }
        if (hosts++ == 0) {
            first = blob_hold(reading.bytes);
            first_node = node;
        }
        ok = slice_equal(blob_slice(first), blob_slice(reading.bytes));
        if (!ok)
            (void)snprintf(why, size, "n%zu and n%zu differ in k%04x", first_node, node,
                           name_of(self, contract));
        ok = ok && has_all(self, node, contract, bytes_of(&reading), why, size) &&
             follower_is_up_to_date(self, node, contract, &reading.fingerprint, why, size);
        blob_release(&reading.bytes);
    }
    blob_release(&first);
    if (ok && !hosts && acknowledged(self, contract)) {
        (void)snprintf(why, size, "k%04x is nowhere", name_of(self, contract));
        return false;
    }
    size_t wanted = members < HOSTS_WANTED ? members : HOSTS_WANTED;
    if (ok && hosts && hosts < wanted) {
        (void)snprintf(why, size, "k%04x is on %zu nodes, not on %zu", name_of(self, contract),
                       hosts, wanted);
        return false;
    }
    return ok;
}

bool claims_at_rest(struct play *self, char *why, size_t size)
{
    if (!claims_is_mesh(self, false, why, size) || !claims_is_whole(self, why, size))
        return false;
    for (size_t contract = 0; contract < self->contracts_count; contract++)
        if (!agrees(self, contract, why, size)) {
            tell_hosts(self, contract, why, size);
            return false;
        }
    for (const struct played_op *op = self->ops; op; op = op->next)
        if (!op->done && op->life == self->nodes[op->node].life &&
            claims_is_member(self, op->node)) {
            (void)snprintf(why, size, "%s #%llu is open", client_verbs[op->verb].name,
                           (unsigned long long)op->number);
            return false;
        }
    return true;
}
