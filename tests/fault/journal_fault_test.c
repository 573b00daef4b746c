/* The journal over a log whose calls fail, or without memory: what it tells storage, which answers
 * clients by it. */
/* link: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc */
#include "actors/journal.h"
#include "store/segment.h"
#include "tests/fault/faults.h"
#include "tests/support/failing_memory.h"
#include "tests/support/solo.h"
#include "tests/unit/store_fixture.h"

#include <stdlib.h>

static struct solo world;
static struct rig rig;
static struct subject map;
static uint64_t last_seq, stamp;

static int set_up(void **state)
{
    (void)state;
    rig_open(&rig);
    subject_init(&map, "map", "m", 0);
    solo_init(&world, &journal_spec);
    world.actor = journal_new(store_log(rig.store), true);
    return world.actor ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    (void)faults_end();
    journal_destroy((journal_t **)&world.actor);
    solo_free(&world);
    subject_free(&map);
    rig_close(&rig, true);
    return 0;
}

/* A turn with one more change in it. */
static void append_one(void)
{
    struct append *append = (struct append *)message_new(sizeof *append);
    struct store_change change;
    struct buffer delta = map_delta("f", ++stamp, slice_text("x"));
    assert_int_equal(
        store_merge(rig.store, &map.contract, true, buffer_slice(&delta), &change, &rig.why), 0);
    append->records = (struct blob **)malloc(sizeof(struct blob *));
    append->records[0] = change.record;
    append->count = append->capacity = 1;
    append->last_seq = last_seq = change.seq;
    buffer_free(&delta);
    solo_give(&world, ACTOR_storage, MESSAGE_APPEND, &append->head);
}

/* The turn ends: how far is flushed, and with which code? */
static void expect_flushed(uint64_t seq, int code)
{
    world.spec->turn_end(world.actor, world.now, &world.outbox);
    struct flushed *flushed = (struct flushed *)solo_take(&world, MESSAGE_FLUSHED);
    struct message *message = &flushed->head;
    assert_int_equal(flushed->code, code);
    if (code == 0)
        assert_int_equal(flushed->seq, seq);
    message_free(&message);
}

static void a_flush_is_told_when_it_is_done(void **state)
{
    (void)state;
    append_one();
    append_one();
    expect_flushed(last_seq, 0);
    assert_int_equal(log_synced(store_log(rig.store)), last_seq);
}

/* The write, or the sync. */
static void a_flush_that_fails_is_told_and_so_are_all_after_it(void **state)
{
    (void)state;
    append_one();
    faults_plan(2, FAIL_EIO);
    expect_flushed(0, ERR_IO);
    (void)faults_end();
    append_one();
    expect_flushed(0, ERR_IO);
    assert_int_equal(log_synced(store_log(rig.store)), 0);
}

static void a_full_disk_is_waited_out_and_nothing_told_before(void **state)
{
    (void)state;
    append_one();
    faults_plan(1, FAIL_FULL);
    expect_flushed(0, 0);
    append_one();
    expect_flushed(0, 0);
    (void)faults_end();
    expect_flushed(last_seq, 0);
    assert_int_equal(log_synced(store_log(rig.store)), last_seq);
}

/* Without a turn of its own it would wait for the next change, and its client with it. */
static void without_memory_to_tell_of_it_a_flush_is_tried_again_until_there_is(void **state)
{
    (void)state;
    append_one();
    for (unsigned turn = 0; turn < 2 * LOG_SEGMENT_BYTES / SEGMENT_FILL_BYTES + 10; turn++) {
        failing_memory_none();
        world.spec->turn_end(world.actor, world.now, &world.outbox);
        uint64_t next_ms = world.spec->deadline_ms(world.actor);
        world.now.ms = next_ms > world.now.ms ? next_ms : world.now.ms;
        world.spec->tick(world.actor, world.now, &world.outbox);
        (void)failing_memory_end();
        assert_true(next_ms != NEVER);
    }
    solo_expect_nothing(&world);
    expect_flushed(last_seq, 0);
}

int main(void)
{
#define WITH_A_LOG(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_A_LOG(a_flush_is_told_when_it_is_done),
        WITH_A_LOG(a_flush_that_fails_is_told_and_so_are_all_after_it),
        WITH_A_LOG(a_full_disk_is_waited_out_and_nothing_told_before),
        WITH_A_LOG(without_memory_to_tell_of_it_a_flush_is_tried_again_until_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
