#include "tests/crash/claims.h"

#include "contracts/view.h"
#include "tests/unit/store_fixture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

const char *claims_kind(size_t contract)
{
    return contract < CLAIMS_MAPS                 ? "map"
           : contract < CLAIMS_MAPS + CLAIMS_LOGS ? "log"
                                                  : "counter";
}

struct claims_text claims_name(size_t contract)
{
    struct claims_text name;
    (void)snprintf(name.text, sizeof name.text, "crash %zu", contract);
    return name;
}

struct claims_text claims_field(size_t field)
{
    struct claims_text name;
    (void)snprintf(name.text, sizeof name.text, "f%03zu", field);
    return name;
}

uint64_t claims_ask(struct trace *trace, struct asked asked)
{
    struct iovec part = {&asked, sizeof asked};
    uint64_t number = trace_number(trace);
    (void)trace_append(trace, TRACE_ASK, "", number, &part, 1);
    return number;
}

void claims_tell(struct trace *trace, uint64_t number)
{
    (void)trace_note(trace, TRACE_TELL, "", number);
}

void claims_value(uint64_t number, uint8_t *value, size_t size)
{
    char text[CLAIMS_NUMBER_BYTES + 1];
    (void)snprintf(text, sizeof text, "%0*" PRIu64, CLAIMS_NUMBER_BYTES, number);
    memcpy(value, text, CLAIMS_NUMBER_BYTES);
    memset(value + CLAIMS_NUMBER_BYTES, 'v', size - CLAIMS_NUMBER_BYTES);
}

/* --- reading them ------------------------------------------------------------------------ */

struct claim {
    struct asked asked;
    uint64_t asked_at, told_at; /* places; told_at UINT64_MAX: never */
};

struct claims {
    struct subject subjects[CLAIMS_CONTRACTS];
    struct claim *rows; /* by number; row 0 is none */
    size_t count, capacity;
};

static void take(struct claims *self, const struct trace_event *event, uint64_t place)
{
    if (event->at >= self->capacity) {
        self->capacity = 2 * self->capacity + 1024;
        self->rows = (struct claim *)realloc(self->rows, self->capacity * sizeof self->rows[0]);
    }
    if (!self->rows || event->at != (event->type == TRACE_ASK ? self->count : event->at))
        abort();
    if (event->type == TRACE_TELL) {
        self->rows[event->at].told_at = place;
        return;
    }
    struct claim *row = &self->rows[self->count++];
    memcpy(&row->asked, trace_data(event), sizeof row->asked);
    row->asked_at = place;
    row->told_at = UINT64_MAX;
}

struct claims *claims_read(const struct trace *trace)
{
    struct claims *self = (struct claims *)calloc(1, sizeof *self);
    if (!self)
        abort();
    self->count = 1;
    for (size_t i = 0; i < CLAIMS_CONTRACTS; i++)
        subject_init(&self->subjects[i], claims_kind(i), claims_name(i).text, 0);
    for (uint64_t place = trace_first();;) {
        const struct trace_event *event = trace_at(trace, place);
        if (event->type == TRACE_END)
            return self;
        if (event->type == TRACE_ASK || event->type == TRACE_TELL)
            take(self, event, place);
        place += event->bytes;
    }
}

void claims_destroy(struct claims **self)
{
    if (!*self)
        return;
    for (size_t i = 0; i < CLAIMS_CONTRACTS; i++)
        subject_free(&(*self)->subjects[i]);
    free((*self)->rows);
    free(*self);
    *self = NULL;
}

size_t claims_told_before(const struct claims *self, uint64_t place)
{
    size_t told = 0;
    for (size_t i = 1; i < self->count; i++)
        told += self->rows[i].told_at < place;
    return told;
}

/* --- what a store must have -------------------------------------------------------------- */

/* What was asked for and told of one contract. A drop takes what has a lower number than its own.
 */
struct wanted {
    const struct claims *claims;
    uint64_t place;
    size_t contract;
    uint64_t asked, told;           /* the newest */
    uint64_t drop_asked, drop_told; /* the newest drops */
    uint64_t sum_asked, sum_told;
    uint64_t fields[CLAIMS_FIELDS]; /* the newest told */
    uint8_t *seen;                  /* by number: an entry of a log is there */
    uint64_t found[CLAIMS_FIELDS];
    struct reason *why;
};

static void want(struct wanted *self, const struct claim *claim, uint64_t number)
{
    bool told = claim->told_at < self->place;
    self->asked = number;
    self->told = told ? number : self->told;
    switch ((enum asked_verb)claim->asked.verb) {
    case ASKED_DROP:
        self->drop_asked = number;
        self->drop_told = told ? number : self->drop_told;
        break;
    case ASKED_ADD:
        self->sum_asked += claim->asked.amount;
        self->sum_told += told ? claim->asked.amount : 0;
        break;
    case ASKED_SET:
        if (told)
            self->fields[claim->asked.field] = number;
        break;
    case ASKED_MAKE:
    case ASKED_APPEND:
        break;
    }
}

static void want_all(struct wanted *self)
{
    const struct claims *claims = self->claims;
    for (size_t i = 1; i < claims->count && claims->rows[i].asked_at < self->place; i++)
        if (claims->rows[i].asked.contract == self->contract)
            want(self, &claims->rows[i], i);
}

static int wrong(const struct wanted *self, const char *what, uint64_t number)
{
    return (fail)(self->why, ERR_DAMAGED, "%s %zu: %s, number %" PRIu64,
                  claims_kind(self->contract), self->contract, what, number);
}

static bool was_asked(const struct wanted *self, uint64_t number, enum asked_verb verb)
{
    const struct claim *row = &self->claims->rows[number];
    return number && number <= self->asked && row->asked.verb == verb &&
           row->asked.contract == self->contract;
}

static uint64_t number_of(struct slice value)
{
    char text[CLAIMS_NUMBER_BYTES + 1] = {0};
    if (value.size < CLAIMS_NUMBER_BYTES)
        return 0;
    memcpy(text, value.data, CLAIMS_NUMBER_BYTES);
    return strtoull(text, NULL, 10);
}

static int on_item(void *arg, const struct view_item *item)
{
    struct wanted *self = (struct wanted *)arg;
    const char *kind = claims_kind(self->contract);
    if (strcmp(kind, "counter") == 0) {
        uint64_t sum = (uint64_t)item->number;
        return sum < self->sum_told    ? wrong(self, "it counts less than was told", sum)
               : sum > self->sum_asked ? wrong(self, "it counts more than was asked for", sum)
                                       : 0;
    }
    bool map = strcmp(kind, "map") == 0;
    uint64_t number = number_of(item->value);
    if (!was_asked(self, number, map ? ASKED_SET : ASKED_APPEND))
        return wrong(self, "what nobody asked for is there", number);
    if (number < self->drop_told)
        return wrong(self, "what was dropped is there", number);
    self->seen[number] = 1;
    if (map)
        self->found[self->claims->rows[number].asked.field] = number;
    return 0;
}

static int look(struct wanted *self, store_t *store)
{
    const struct contract *contract = &self->claims->subjects[self->contract].contract;
    struct reading reading = {0};
    read_job_t *job = NULL;
    struct slice open_end = slice_of(NULL, 0);
    int rc = store_read(store, &contract->key, open_end, open_end, &reading, &job, self->why);
    for (bool more = rc == 0 && job; more; more = rc == ERR_AGAIN)
        rc = read_step(job, &reading, self->why);
    read_job_destroy(&job);
    if (rc)
        return rc;
    struct slice state = slice_after(blob_slice(reading.bytes), reading.params_bytes);
    rc = view_items(contract, state, on_item, self, self->why);
    blob_release(&reading.bytes);
    return rc;
}

/* Is all there that was told, and that no drop may have taken? */
static int compare(const struct wanted *self)
{
    for (size_t i = 0; i < CLAIMS_FIELDS; i++)
        if (self->fields[i] > self->drop_asked && self->found[i] < self->fields[i])
            return wrong(self, "a field that was told to be set is not", self->fields[i]);
    for (uint64_t n = self->drop_asked + 1; n <= self->asked; n++) {
        const struct claim *row = &self->claims->rows[n];
        if (row->asked.contract == self->contract && row->asked.verb == ASKED_APPEND &&
            row->told_at < self->place && !self->seen[n])
            return wrong(self, "an entry that was told to be appended is not", n);
    }
    return 0;
}

static int hold_contract(struct wanted *self, store_t *store)
{
    want_all(self);
    int rc = look(self, store);
    if (rc == ERR_NOT_FOUND)
        return self->told > self->drop_asked
                   ? wrong(self, "what was told to be made is not there", self->told)
                   : 0;
    return rc ? rc : compare(self);
}

int claims_hold(const struct claims *self, uint64_t place, store_t *store, struct reason *why)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < CLAIMS_CONTRACTS; i++) {
        struct wanted *wanted = (struct wanted *)calloc(1, sizeof *wanted);
        uint8_t *seen = (uint8_t *)calloc(self->count + 1, 1);
        if (!wanted || !seen)
            abort();
        *wanted = (struct wanted){
            .claims = self, .place = place, .contract = i, .seen = seen, .why = why};
        rc = hold_contract(wanted, store);
        free(seen);
        free(wanted);
    }
    return rc;
}
