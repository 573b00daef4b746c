/* What edits mean when replicas make them at once: random histories of edits, exchanges of states
 * and restarts from old copies on three replicas, held against models that keep every event. Clocks
 * jump back and forth and are often equal. SEED repeats a run. */
#include "tests/property/cases.h"

#include "contracts/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

enum { CASES = 10000, REPLICAS = 3, STEPS = 16, NAMES = 3, ITEMS_MAX = 64 };

/* A set of events, one bit each. */
typedef uint64_t events_t;

struct replica {
    state_t *state;
    struct editor editor;
    events_t seen; /* additions and writes that reached it */
    events_t gone; /* of these, the ones that a removal or a later write took away */
    struct buffer copy;
    events_t copy_seen, copy_gone;
};

struct history {
    const struct contract *contract;
    struct random random;
    uint64_t number;
    struct replica replicas[REPLICAS];
    unsigned events;
    events_t of_name[NAMES];
    int64_t numbers[STEPS];
    uint64_t restarts;
    struct buffer bytes; /* what `items` borrow from */
    struct view_item items[ITEMS_MAX];
    size_t item_count;
};

static const char *const names[NAMES] = {"a", "ab", "c"};

static void claim(const struct history *self, bool holds, const char *what)
{
    if (!holds)
        fail_msg("%s: case %llu of SEED=%llu: %s", self->contract->kind->name,
                 (unsigned long long)self->number, (unsigned long long)seed_of_run(), what);
}

static bool is_kind(const struct history *self, const char *name)
{
    return strcmp(self->contract->kind->name, name) == 0;
}

static int take_item(void *me, const struct view_item *item)
{
    struct history *self = (struct history *)me;
    assert_true(self->item_count < ITEMS_MAX);
    if (!item->removed)
        self->items[self->item_count++] = *item;
    return 0;
}

static void look(struct history *self, const struct replica *replica)
{
    self->item_count = 0;
    buffer_clear(&self->bytes);
    assert_int_equal(state_encode(replica->state, &self->bytes), 0);
    assert_int_equal(view_items(self->contract, buffer_slice(&self->bytes), take_item, self, NULL),
                     0);
}

/* The event whose value this is: values are `v` and the event's number. */
static events_t event_of(struct slice value)
{
    unsigned number = 0;
    for (size_t i = 1; i < value.size; i++)
        number = number * 10 + value.data[i] - '0';
    return (events_t)1 << number;
}

static void check_counter(struct history *self, const struct replica *replica)
{
    int64_t sum = 0;
    for (unsigned i = 0; i < self->events; i++)
        sum += replica->seen >> i & 1 ? self->numbers[i] : 0;
    claim(self, self->item_count == 1 && self->items[0].number == sum,
          "every addition counts once");
}

static void check_set(struct history *self, const struct replica *replica)
{
    size_t at = 0;
    for (size_t name = 0; name < NAMES; name++) {
        bool present = replica->seen & ~replica->gone & self->of_name[name];
        bool shown = at < self->item_count && slice_is(self->items[at].value, names[name]);
        claim(self, present == shown, "an element is in when an addition is left unremoved");
        at += shown;
    }
    claim(self, at == self->item_count, "a set has nothing else");
}

static void check_multi_register(struct history *self, const struct replica *replica)
{
    events_t shown = 0;
    for (size_t i = 0; i < self->item_count; i++)
        shown |= event_of(self->items[i].value);
    claim(self, shown == (replica->seen & ~replica->gone), "values that no write saw are kept");
}

static void check_log(struct history *self, const struct replica *replica)
{
    events_t shown = 0;
    for (size_t i = 0; i < self->item_count; i++) {
        shown |= event_of(self->items[i].value);
        claim(self, i == 0 || self->items[i - 1].time_ms <= self->items[i].time_ms, "time order");
    }
    claim(self, shown == replica->seen, "every append is there");
    claim(self, (size_t)__builtin_popcountll(shown) == self->item_count, "and there once");
}

static void check(struct history *self, const struct replica *replica)
{
    look(self, replica);
    if (is_kind(self, "counter"))
        check_counter(self, replica);
    else if (is_kind(self, "set"))
        check_set(self, replica);
    else if (is_kind(self, "multi-register"))
        check_multi_register(self, replica);
    else if (is_kind(self, "log"))
        check_log(self, replica);
}

/* An edit shows where it was made, whatever the clock says. */
static void check_own(struct history *self, const char *verb, struct slice name, struct slice value)
{
    struct slice shown = slice_of(NULL, 0);
    for (size_t i = 0; i < self->item_count; i++)
        if (is_kind(self, "register") || is_kind(self, "log") ||
            slice_equal(self->items[i].name, name))
            shown = self->items[i].value; /* of a log the last */
    if (strcmp(verb, "remove") == 0)
        claim(self, !is_kind(self, "map") || !shown.data, "a field removed is not shown");
    else if (is_kind(self, "register") || is_kind(self, "log") || is_kind(self, "map"))
        claim(self, slice_equal(shown, value), "what was written is shown, and last");
}

static void merge_into(struct history *self, struct replica *replica, struct slice delta)
{
    struct reason why;
    if (state_merge(replica->state, delta, NULL, &why))
        claim(self, false, why.text);
}

/* What the edit means in the models. */
static void note(struct history *self, struct replica *replica, const char *verb, size_t name)
{
    if (strcmp(verb, "remove") == 0) {
        replica->gone |= replica->seen & self->of_name[name];
        return;
    }
    if (is_kind(self, "multi-register"))
        replica->gone |= replica->seen;
    events_t event = (events_t)1 << self->events++;
    self->of_name[name] |= event;
    replica->seen |= event;
}

static void edit(struct history *self, struct replica *replica)
{
    const struct edit_verb *verb = self->contract->kind->verbs;
    if (verb[1].name && random_below(&self->random, 3) == 0)
        verb++;
    size_t name = random_below(&self->random, NAMES);
    char value[24];
    self->numbers[self->events] = (int64_t)random_below(&self->random, 9) - 4;
    if (is_kind(self, "counter"))
        (void)snprintf(value, sizeof value, "%d", (int)self->numbers[self->events]);
    else
        (void)snprintf(value, sizeof value, "v%u", self->events);
    bool named = is_kind(self, "map") || is_kind(self, "set");
    struct slice operands[] = {slice_text(names[name]), slice_text(value)};
    replica->editor.now_ms = random_below(&self->random, 3);
    struct state_reader reader = state_reader(replica->state);
    struct buffer delta = {0};
    struct reason why;
    if (kind_edit(self->contract, &reader, &replica->editor, slice_text(verb->name),
                  operands + !named, verb->operands_min, &delta, &why))
        claim(self, false, why.text);
    merge_into(self, replica, buffer_slice(&delta));
    note(self, replica, verb->name, name);
    look(self, replica);
    check_own(self, verb->name, operands[0], operands[1]);
    buffer_free(&delta);
}

static void exchange(struct history *self, const struct replica *from, struct replica *to)
{
    struct buffer bytes = {0};
    assert_int_equal(state_encode(from->state, &bytes), 0);
    merge_into(self, to, buffer_slice(&bytes));
    to->seen |= from->seen;
    to->gone |= from->gone;
    buffer_free(&bytes);
}

static void start(struct history *self, struct replica *replica)
{
    replica->state = state_new(self->contract);
    assert_non_null(replica->state);
    put_u64(replica->editor.replica, random_bits(&self->random) << 8 | self->restarts++);
}

static void keep_copy(struct replica *replica)
{
    buffer_clear(&replica->copy);
    assert_int_equal(state_encode(replica->state, &replica->copy), 0);
    replica->copy_seen = replica->seen;
    replica->copy_gone = replica->gone;
}

/* lesson M7: an old copy is restored under a fresh replica id; what others have of the forgotten
 * past must still merge with what comes now. */
static void restore_copy(struct history *self, struct replica *replica)
{
    state_destroy(&replica->state);
    start(self, replica);
    merge_into(self, replica, buffer_slice(&replica->copy));
    replica->seen = replica->copy_seen;
    replica->gone = replica->copy_gone;
}

static void step(struct history *self)
{
    struct replica *replica = &self->replicas[random_below(&self->random, REPLICAS)];
    switch (random_below(&self->random, 8)) {
    case 0:
        keep_copy(replica);
        break;
    case 1:
        restore_copy(self, replica);
        break;
    case 2:
    case 3:
        exchange(self, &self->replicas[random_below(&self->random, REPLICAS)], replica);
        break;
    default:
        edit(self, replica);
    }
    check(self, replica);
}

static void end(struct history *self)
{
    struct buffer first = {0}, other = {0};
    for (size_t round = 0; round < 2; round++)
        for (size_t i = 0; i < REPLICAS; i++)
            exchange(self, &self->replicas[i], &self->replicas[(i + 1) % REPLICAS]);
    assert_int_equal(state_encode(self->replicas[0].state, &first), 0);
    for (size_t i = 0; i < REPLICAS; i++) {
        buffer_clear(&other);
        assert_int_equal(state_encode(self->replicas[i].state, &other), 0);
        claim(self, slice_equal(buffer_slice(&first), buffer_slice(&other)), "replicas converge");
        check(self, &self->replicas[i]);
        state_destroy(&self->replicas[i].state);
        buffer_free(&self->replicas[i].copy);
    }
    buffer_free(&first);
    buffer_free(&other);
    buffer_free(&self->bytes);
}

static void histories_keep_their_meaning(void **state)
{
    const char *kind = (const char *)*state;
    struct contract contract;
    assert_int_equal(contract_init(&contract, slice_text(kind), slice_of(NULL, 0), NULL), 0);
    for (uint64_t number = 0; number < CASES; number++) {
        struct history history = {.contract = &contract, .number = number};
        history.random.state = seed_of_run() ^ (number << 8);
        for (size_t i = 0; i < REPLICAS; i++)
            start(&history, &history.replicas[i]);
        for (size_t i = 0; i < STEPS; i++)
            step(&history);
        end(&history);
    }
}

#define HISTORIES(kind, claim)                                                                     \
    {                                                                                              \
        kind ": " claim, histories_keep_their_meaning, NULL, NULL, (void *)(uintptr_t)(kind)       \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        HISTORIES("counter", "concurrent additions all count"),
        HISTORIES("register", "the last write is shown"),
        HISTORIES("multi-register", "concurrent values are kept, values seen are replaced"),
        HISTORIES("set", "an addition wins over a removal that did not see it"),
        HISTORIES("map", "the last write or removal of a field is shown"),
        HISTORIES("log", "every append is kept, after all that its writer saw"),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
