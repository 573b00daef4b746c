#include "tests/support/sync_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { MESSAGES_MAX = 64 };

/* Keys ascend over all steps of a walk; every delta is canonical. Returns the last key in keys. */
static void check_delta(struct sync_pair *self, struct slice delta, struct buffer *last, bool *any)
{
    struct entries walk = entries_of(delta);
    struct entry entry;
    int more;
    while ((more = entries_next(&walk, &entry, NULL)) > 0) {
        assert_true(!*any || slice_compare(buffer_slice(last), entry.key) < 0);
        buffer_clear(last);
        buffer_append_slice(last, entry.key);
        *any = true;
        self->entries++;
    }
    assert_int_equal(more, 0);
    self->entry_bytes += delta.size;
}

static void merge(struct sync_pair *self, int side, struct slice delta)
{
    if (self->valid)
        assert_int_equal(contract_check(self->contract, NULL, delta, NULL, NULL), 0);
    assert_int_equal(state_join(self->sides[side], delta, NULL), 0);
}

struct slice sync_pair_message(struct sync_pair *self, int side, sync_walk_t *walk)
{
    size_t budget = self->budget ? self->budget : SIZE_MAX;
    size_t most = self->entries_bytes_max ? self->entries_bytes_max : SIZE_MAX;
    struct buffer entries = {0}, last = {0};
    bool any = false;
    struct reason why = {""};
    int rc = ERR_AGAIN;
    while (rc == ERR_AGAIN) {
        struct state_reader reader = state_reader(self->sides[side]);
        uint64_t before = self->entries;
        buffer_clear(&entries);
        rc = sync_walk_step(walk, &reader, budget, most, &entries, &why);
        if (rc && rc != ERR_AGAIN)
            fail_msg("step: %d %s", rc, why.text);
        check_delta(self, buffer_slice(&entries), &last, &any);
        assert_true(entries.size <= most || self->entries == before + 1);
        assert_true(budget == SIZE_MAX || self->entries - before <= budget);
        merge(self, !side, buffer_slice(&entries));
        self->steps++;
    }
    struct slice body = sync_walk_body(walk);
    assert_true(body.size <= SYNC_BODY_BYTES_MAX);
    self->messages += body.size > 0 || any;
    self->body_bytes += body.size;
    if (body.size > self->largest_body)
        self->largest_body = body.size;
    buffer_free(&entries);
    buffer_free(&last);
    return body;
}

void sync_pair_run(struct sync_pair *self)
{
    unsigned most = self->messages_max ? self->messages_max : MESSAGES_MAX;
    sync_walk_t *walk = sync_walk_begin(self->salt);
    int side = 0;
    self->messages = 0;
    self->body_bytes = self->largest_body = self->entry_bytes = 0;
    self->entries = self->steps = 0;
    for (;; side = !side) {
        assert_non_null(walk);
        if (self->meanwhile)
            self->meanwhile(self, side);
        struct slice body = sync_pair_message(self, side, walk);
        if (body.size == 0)
            break;
        if (self->messages > most)
            fail_msg("no end after %u messages", self->messages);
        struct reason why = {""};
        int rc = 0;
        sync_walk_t *answer = sync_walk_answer(self->salt, body, &rc, &why);
        if (!answer)
            fail_msg("answer: %d %s", rc, why.text);
        sync_walk_destroy(&walk);
        walk = answer;
    }
    sync_walk_destroy(&walk);
}

bool sync_pair_equal(const struct sync_pair *self)
{
    struct buffer bytes[2] = {{0}};
    for (int i = 0; i < 2; i++)
        assert_int_equal(state_encode(self->sides[i], &bytes[i]), 0);
    bool equal = slice_equal(buffer_slice(&bytes[0]), buffer_slice(&bytes[1]));
    buffer_free(&bytes[0]);
    buffer_free(&bytes[1]);
    return equal;
}
