#include "tests/crash/loads.h"

#include "tests/unit/store_fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { BATCHES = 700, BATCH_MAX = 12, VALUE_MAX = 6000, FIELDS = 120 };

/* Now and then the logs get so many entries that to fold them takes several transactions; and soon
 * after they are dropped, which takes several as well, and the first is gone before the last. */
enum { MANY_EVERY = 300, MANY_AT = 120, MANY = 2200, MANY_BATCH = 440, DROP_MANY_AT = 130 };

struct load {
    struct trace *trace;
    store_t *store;
    struct store_options options;
    struct subject subjects[CLAIMS_CONTRACTS];
    struct blob *records[MANY_BATCH];
    uint64_t numbers[MANY_BATCH]; /* told when the batch is flushed */
    size_t count;
    uint64_t now_ms;
    struct reason why;

    pthread_t thread; /* the checkpoint's */
    fold_t *fold;     /* lent; NULL: none */
    struct fold_result result;
    int folded;
    _Atomic bool done;
};

static void must(struct load *self, int rc)
{
    if (rc == 0)
        return;
    (void)fprintf(stderr, "%s: %s\n", error_name(rc), self->why.text);
    abort();
}

/* --- folds ------------------------------------------------------------------------------- */

static void *fold_thread(void *arg)
{
    struct load *self = (struct load *)arg;
    struct reason why;
    self->folded = fold_run(self->fold, &self->result, &why);
    self->done = true;
    return NULL;
}

static void fold_begin(struct load *self)
{
    if (self->fold || !(self->fold = store_freeze(self->store)))
        return;
    self->done = false;
    if (pthread_create(&self->thread, NULL, fold_thread, self))
        abort();
}

static void fold_end(struct load *self)
{
    if (!self->fold)
        return;
    (void)pthread_join(self->thread, NULL);
    bool done = self->folded == 0;
    if (!done && self->folded != ERR_AGAIN)
        abort();
    store_thaw(self->store, self->fold, done, &self->result);
    if (done) {
        fold_destroy(&self->fold);
        log_recycle(store_log(self->store), self->result.seq);
    }
    self->fold = NULL;
}

/* --- changes ----------------------------------------------------------------------------- */

static void take(struct load *self, const struct store_change *change, uint64_t number)
{
    if (!change->record)
        abort(); /* each of them changes something */
    self->records[self->count] = change->record;
    self->numbers[self->count++] = number;
}

static bool is_known(struct load *self, uint32_t contract)
{
    const struct held *held;
    return store_find(self->store, &self->subjects[contract].contract.key, &held, &self->why) == 0;
}

static void make(struct load *self, uint32_t contract)
{
    struct store_change change;
    uint64_t number = claims_ask(self->trace, (struct asked){ASKED_MAKE, contract, 0, 0});
    must(self, store_merge(self->store, &self->subjects[contract].contract, true, slice_of(NULL, 0),
                           &change, &self->why));
    if (change.record)
        take(self, &change, number);
}

static void edit(struct load *self, struct asked asked, const char *verb,
                 const struct slice *operands, size_t count, uint64_t number)
{
    struct store_change change;
    struct editor editor = {.now_ms = ++self->now_ms};
    memset(editor.replica, 'e', sizeof editor.replica);
    must(self, store_edit(self->store, &self->subjects[asked.contract].contract.key, &editor,
                          slice_text(verb), operands, count, &change, &self->why));
    take(self, &change, number);
}

static void set_or_append(struct load *self, uint32_t contract, bool set)
{
    static uint8_t value[VALUE_MAX];
    size_t field = random_below(FIELDS);
    size_t size = CLAIMS_NUMBER_BYTES + random_below(random_below(4) && set ? 900
                                                     : set                  ? VALUE_MAX - 100
                                                                            : 60);
    struct asked asked = {set ? ASKED_SET : ASKED_APPEND, contract, (uint32_t)field, 0};
    uint64_t number = claims_ask(self->trace, asked);
    claims_value(number, value, size);
    struct claims_text name = claims_field(field);
    struct slice operands[2] = {slice_text(name.text), slice_of(value, size)};
    edit(self, asked, set ? "set" : "append", operands + !set, set ? 2 : 1, number);
}

static void add(struct load *self, uint32_t contract)
{
    char text[16];
    struct asked asked = {ASKED_ADD, contract, 0, (uint32_t)(1 + random_below(9))};
    uint64_t number = claims_ask(self->trace, asked);
    (void)snprintf(text, sizeof text, "%u", asked.amount);
    struct slice operand = slice_text(text);
    edit(self, asked, "add", &operand, 1, number);
}

static void drop(struct load *self, uint32_t contract)
{
    struct store_change change;
    uint64_t number = claims_ask(self->trace, (struct asked){ASKED_DROP, contract, 0, 0});
    must(self,
         store_drop(self->store, &self->subjects[contract].contract.key, &change, &self->why));
    take(self, &change, number);
}

/* Counters are never dropped: their sums would not tell of when they are. */
static void change_one(struct load *self)
{
    uint32_t contract = (uint32_t)random_below(CLAIMS_CONTRACTS);
    bool counter = contract >= CLAIMS_MAPS + CLAIMS_LOGS;
    if (!is_known(self, contract))
        make(self, contract);
    else if (counter)
        add(self, contract);
    else if (random_below(60) == 0)
        drop(self, contract);
    else
        set_or_append(self, contract, contract < CLAIMS_MAPS);
}

static void flush(struct load *self)
{
    must(self,
         log_append(store_log(self->store), self->records, self->count, true, NULL, &self->why));
    for (size_t i = 0; i < self->count; i++) {
        claims_tell(self->trace, self->numbers[i]);
        blob_release(&self->records[i]);
    }
    self->count = 0;
    if (store_must_wait(self->store)) /* for the fold that is out, and for one more */
        fold_end(self);
    if (store_must_wait(self->store)) {
        fold_begin(self);
        fold_end(self);
    }
}

/* --- the whole --------------------------------------------------------------------------- */

static void begin(struct load *self)
{
    must(self, store_open_mapped(&self->options, STORE_LOAD_MAP_BYTES, &self->store, &self->why));
}

static void batch(struct load *self)
{
    for (size_t n = 1 + random_below(BATCH_MAX - 1); n; n--)
        change_one(self);
    flush(self);
    if (self->fold && self->done)
        fold_end(self);
    if (random_below(9) == 0)
        fold_begin(self);
    if (random_below(5) == 0)
        (void)log_prepare(store_log(self->store));
}

static void make_many(struct load *self)
{
    fold_end(self);
    for (uint32_t i = CLAIMS_MAPS; i < CLAIMS_MAPS + CLAIMS_LOGS; i++) {
        if (!is_known(self, i))
            make(self, i);
        flush(self);
        for (unsigned n = 0; n < MANY; n++) {
            set_or_append(self, i, false);
            if (self->count == MANY_BATCH)
                flush(self);
        }
    }
    fold_begin(self);
}

/* Each with a record right before that does not tell the kind of what is half gone. */
static void drop_many(struct load *self)
{
    fold_end(self);
    fold_begin(self);
    fold_end(self);
    for (uint32_t i = CLAIMS_MAPS; i < CLAIMS_MAPS + CLAIMS_LOGS; i++)
        if (is_known(self, i)) {
            set_or_append(self, i, false);
            drop(self, i);
        }
    flush(self);
    fold_begin(self);
}

void store_load(struct trace *trace, const char *data_dir, uint64_t seed)
{
    struct load *self = (struct load *)calloc(1, sizeof *self);
    if (!self)
        abort();
    random_start(seed);
    self->trace = trace;
    self->now_ms = 1000;
    self->options = (struct store_options){.data_dir = data_dir,
                                           .store_bytes_max = UINT64_MAX,
                                           .state_bytes_max = STATE_BYTES_MAX,
                                           .log_segment_bytes = STORE_LOAD_SEGMENT_BYTES};
    for (size_t i = 0; i < CLAIMS_CONTRACTS; i++)
        subject_init(&self->subjects[i], claims_kind(i), claims_name(i).text, 0);
    begin(self);
    for (unsigned i = 0; i < BATCHES; i++) {
        batch(self);
        if (i % MANY_EVERY == MANY_AT)
            make_many(self);
        if (i % MANY_EVERY == DROP_MANY_AT)
            drop_many(self);
        if (random_below(90) == 0) { /* a start in between */
            fold_end(self);
            store_close(&self->store);
            begin(self);
        }
    }
    fold_end(self);
    store_close(&self->store);
    for (size_t i = 0; i < CLAIMS_CONTRACTS; i++)
        subject_free(&self->subjects[i]);
    free(self);
}
