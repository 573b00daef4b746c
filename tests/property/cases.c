#include "tests/property/cases.h"

#include "contracts/writers.h"
#include "tests/support/setting.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { POOL = 160, DELTA_MAX = 16 };

uint64_t random_bits(struct random *self)
{
    uint64_t z = self->state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

uint64_t random_below(struct random *self, uint64_t bound)
{
    return random_bits(self) % bound;
}

uint64_t seed_of_run(void)
{
    static uint64_t seed;
    static bool known;
    if (!known) {
        seed = setting_number("SEED", (uint64_t)time(NULL) * 1000003u, 0, UINT64_MAX);
        known = true;
        printf("# SEED=%llu\n", (unsigned long long)seed);
    }
    return seed;
}

/* Mostly one of few values, now and then any that is legal. */
static uint64_t random_stamp(struct random *random)
{
    uint64_t any = random_bits(random) >> 1;
    return random_below(random, 50) || !any ? 1 + random_below(random, 3) : any;
}

static void append_replica(struct random *random, struct buffer *out)
{
    buffer_append_u64(out, random_below(random, 3));
}

static void append_text(struct random *random, size_t least, struct buffer *out)
{
    size_t size = least + random_below(random, 3);
    for (size_t i = 0; i < size; i++)
        buffer_append_u8(out, (uint8_t) "\0ab"[random_below(random, 3)]);
}

static void append_tagged(struct random *random, bool with_data, struct buffer *out)
{
    uint8_t tag = (uint8_t)random_below(random, 2);
    buffer_append_u64(out, random_stamp(random));
    buffer_append_u8(out, tag);
    if (with_data && tag == 0)
        append_text(random, 0, out);
}

static void counter_entry(struct random *random, struct buffer *key, struct buffer *value)
{
    buffer_append_u8(key, random_below(random, 2) ? '+' : '-');
    append_replica(random, key);
    buffer_append_u64(value, random_stamp(random));
}

static void register_entry(struct random *random, struct buffer *key, struct buffer *value)
{
    (void)key;
    buffer_append_u64(value, random_stamp(random));
    append_replica(random, value);
    append_text(random, 0, value);
}

static void multi_register_entry(struct random *random, struct buffer *key, struct buffer *value)
{
    append_replica(random, key);
    append_tagged(random, true, value);
}

static void set_entry(struct random *random, struct buffer *key, struct buffer *value)
{
    struct buffer element = {0};
    append_text(random, 0, &element);
    buffer_append_u8(key, (uint8_t)element.size);
    buffer_append_slice(key, buffer_slice(&element));
    append_replica(random, key);
    append_tagged(random, false, value);
    buffer_free(&element);
}

static void map_entry(struct random *random, struct buffer *key, struct buffer *value)
{
    append_text(random, 1, key);
    buffer_append_u64(value, random_stamp(random));
    append_replica(random, value);
    uint8_t tag = (uint8_t)random_below(random, 2);
    buffer_append_u8(value, tag);
    if (tag)
        append_text(random, 0, value);
}

static void log_entry(struct random *random, struct buffer *key, struct buffer *value)
{
    buffer_append_u64(key, random_stamp(random));
    append_replica(random, key);
    append_text(random, 0, value);
}

static const struct {
    const char *kind;
    void (*make)(struct random *random, struct buffer *key, struct buffer *value);
} makers[] = {
    {"counter", counter_entry},
    {"register", register_entry},
    {"multi-register", multi_register_entry},
    {"set", set_entry},
    {"map", map_entry},
    {"log", log_entry},
};
enum { KINDS = sizeof makers / sizeof makers[0] };

void random_inner(const struct contract *contract, struct random *random, struct buffer *out)
{
    struct buffer key = {0}, value = {0};
    for (size_t i = 0; i < KINDS; i++)
        if (strcmp(makers[i].kind, contract->kind->name) == 0)
            makers[i].make(random, &key, &value);
    entry_append(out, buffer_slice(&key), buffer_slice(&value));
    buffer_free(&key);
    buffer_free(&value);
}

int merge_all(const struct contract *contract, const struct slice *deltas, size_t count,
              struct buffer *out)
{
    state_t *state = state_new(contract);
    int rc = state ? 0 : ERR_NO_MEMORY;
    for (size_t i = 0; !rc && i < count; i++)
        rc = state_join(state, deltas[i], NULL);
    if (!rc)
        rc = state_encode(state, out);
    state_destroy(&state);
    return rc;
}

void params_of(uint64_t newest, struct slice writers, struct buffer *out)
{
    uint8_t bytes[8];
    put_u64(bytes, newest);
    if (newest != UINT64_MAX)
        entry_append(out, slice_text("newest"), slice_of(bytes, sizeof bytes));
    if (writers.size)
        entry_append(out, slice_text("writers"), writers);
}

static void must(bool holds, const char *what)
{
    if (!holds) {
        printf("not ok - making cases: %s\n", what);
        abort();
    }
}

static void fill_pool(struct subject *self, struct random *random)
{
    size_t ends[POOL];
    for (size_t i = 0; i < POOL; i++) {
        struct buffer inner = {0};
        random_inner(&self->contract, random, &inner);
        must(!writers_sign(&self->contract, self->secrets[random_below(random, 2)],
                           buffer_slice(&inner), &self->pool, NULL),
             "sign");
        ends[i] = self->pool.size;
        buffer_free(&inner);
    }
    self->pooled = (struct entry *)calloc(POOL, sizeof *self->pooled);
    must(self->pooled != NULL, "memory");
    for (size_t i = 0; i < POOL; i++) {
        size_t start = i ? ends[i - 1] : 0;
        struct slice one = slice_of(self->pool.data + start, ends[i] - start);
        must(!contract_check(&self->contract, NULL, one, NULL, NULL), "a signed entry verifies");
        must(!entry_take(&one, &self->pooled[i]), "entry");
    }
    self->pooled_count = POOL;
}

static void make_subject(struct subject *self, const char *kind, uint64_t newest, bool is_signed,
                         struct random *random)
{
    uint8_t seed[crypto_sign_SEEDBYTES] = {0}, keys[2][WRITER_KEY_BYTES], writers[sizeof keys];
    for (uint8_t i = 0; i < 2; i++) {
        seed[0] = i;
        (void)crypto_sign_seed_keypair(keys[i], self->secrets[i], seed);
    }
    int low = memcmp(keys[0], keys[1], WRITER_KEY_BYTES) < 0 ? 0 : 1;
    memcpy(writers, keys[low], WRITER_KEY_BYTES);
    memcpy(writers + WRITER_KEY_BYTES, keys[!low], WRITER_KEY_BYTES);
    params_of(newest, slice_of(writers, is_signed ? sizeof writers : 0), &self->params);
    must(!contract_init(&self->contract, slice_text(kind), buffer_slice(&self->params), NULL),
         "contract");
    (void)snprintf(self->label, sizeof self->label, "%s%s", is_signed ? "signed " : "", kind);
    size_t used = strlen(self->label);
    if (newest != UINT64_MAX)
        (void)snprintf(self->label + used, sizeof self->label - used, " newest %llu",
                       (unsigned long long)newest);
    if (is_signed)
        fill_pool(self, random);
}

struct subject *subjects(void)
{
    static struct subject list[SUBJECTS];
    static const uint64_t caps[] = {0, 1, 3};
    if (list[0].contract.kind)
        return list;
    must(sodium_init() >= 0, "libsodium starts");
    struct random random = {seed_of_run()};
    size_t count = 0;
    for (size_t i = 0; i < KINDS; i++)
        for (int is_signed = 0; is_signed < 2; is_signed++)
            make_subject(&list[count++], makers[i].kind, UINT64_MAX, is_signed, &random);
    for (size_t i = 0; i < sizeof caps / sizeof caps[0]; i++)
        make_subject(&list[count++], "log", caps[i], false, &random);
    make_subject(&list[count++], "log", 3, true, &random);
    must(count == SUBJECTS, "number of subjects");
    return list;
}

/* The entry to put in next: out of the pool, or made into scratch. */
static struct entry draw(const struct subject *subject, struct random *random,
                         struct buffer *scratch)
{
    if (subject->pooled_count)
        return subject->pooled[random_below(random, subject->pooled_count)];
    struct entry entry;
    buffer_clear(scratch);
    random_inner(&subject->contract, random, scratch);
    struct slice rest = buffer_slice(scratch);
    must(!entry_take(&rest, &entry), "entry");
    return entry;
}

void random_delta(const struct subject *subject, struct random *random, size_t most,
                  struct buffer *out)
{
    struct buffer scratch[DELTA_MAX] = {0};
    struct entry list[DELTA_MAX];
    size_t count = 0, wanted = random_below(random, (most < DELTA_MAX ? most : DELTA_MAX) + 1);
    for (size_t i = 0; i < wanted; i++) {
        struct entry entry = draw(subject, random, &scratch[i]);
        size_t at = 0;
        while (at < count && slice_compare(list[at].key, entry.key) < 0)
            at++;
        if (at < count && slice_equal(list[at].key, entry.key))
            continue;
        memmove(&list[at + 1], &list[at], (count - at) * sizeof list[0]);
        list[at] = entry;
        count++;
    }
    for (size_t i = 0; i < count; i++)
        entry_append(out, list[i].key, list[i].value);
    for (size_t i = 0; i < DELTA_MAX; i++)
        buffer_free(&scratch[i]);
}
