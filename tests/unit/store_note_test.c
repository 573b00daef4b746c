/* What a clean stop notes of LMDB's file, and when a start believes it (decision 0023). */
#include "store/note.h"

#include "tests/unit/store_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static struct rig rig;
static struct subject map;

static int setup(void **state)
{
    (void)state;
    rig_open(&rig);
    subject_init(&map, "map", "noted", 0);
    rig_set(&rig, &map.contract, "a", 1, "1");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_close(&rig, true);
    subject_free(&map);
    return 0;
}

static void go_on(void)
{
    assert_int_equal(store_open(&rig.options, &rig.store, &rig.why), 0);
    assert_map(&rig, &map.contract, "a=1 ");
}

static int open_state(void)
{
    char path[96];
    (void)snprintf(path, sizeof path, "%s/state.mdb", rig.dir);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    return fd;
}

static void a_clean_stop_is_believed(void **state)
{
    (void)state;
    assert_false(note_fits(rig.dir)); /* a first start */
    store_close(&rig.store);
    assert_true(note_fits(rig.dir));
    go_on();
    rig_set(&rig, &map.contract, "a", 2, "1");
    store_close(&rig.store);
    assert_true(note_fits(rig.dir));
    go_on();
}

static void a_file_that_was_written_to_is_not_believed(void **state)
{
    uint8_t byte;
    (void)state;
    store_close(&rig.store);
    int fd = open_state();
    assert_int_equal(pread(fd, &byte, 1, 5000), 1);
    assert_int_equal(pwrite(fd, &byte, 1, 5000), 1);
    close(fd);
    assert_false(note_fits(rig.dir));
    go_on();
}

static void a_copy_is_not_believed(void **state)
{
    char copy[64];
    (void)state;
    store_close(&rig.store);
    rig_copy(&rig, copy);
    assert_false(note_fits(copy));
    remove_dir(copy);
    go_on();
}

static void once_damage_was_met_nothing_is_noted(void **state)
{
    (void)state;
    store_close(&rig.store);
    go_on();
    db_doubt(rig.store->db);
    store_close(&rig.store);
    assert_false(note_fits(rig.dir));
    go_on();
}

int main(void)
{
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CLAIM(a_clean_stop_is_believed),
        CLAIM(a_file_that_was_written_to_is_not_believed),
        CLAIM(a_copy_is_not_believed),
        CLAIM(once_damage_was_met_nothing_is_noted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
