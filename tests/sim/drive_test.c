/* The simulator's disks lose what a loss of power may take, and nothing else. */
#include "tests/sim/drive.h"

#include "tests/support/scratch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* cmocka wants these before it */
#include <cmocka.h>

enum { SECTOR = 512, SECTORS = 16, TRIES = 200 };

struct rig {
    char root[SCRATCH_PATH_MAX], dir[SCRATCH_PATH_MAX + 8], pool[SCRATCH_PATH_MAX + 8];
    drive_t *drive;
    int cuts;
};

static void on_cut(void *owner)
{
    ((struct rig *)owner)->cuts++;
}

static void open_drive(struct rig *self, uint64_t seed)
{
    scratch_make(self->root);
    (void)snprintf(self->dir, sizeof self->dir, "%s/data", self->root);
    (void)snprintf(self->pool, sizeof self->pool, "%s/pool", self->root);
    assert_int_equal(mkdir(self->dir, 0700), 0);
    assert_int_equal(mkdir(self->pool, 0700), 0);
    self->cuts = 0;
    self->drive = drive_new(&(struct drive_options){
        .dir = self->dir, .pool = self->pool, .seed = seed, .owner = self, .on_cut = on_cut});
}

static void close_drive(struct rig *self)
{
    drive_destroy(&self->drive);
    scratch_remove(self->root);
}

static const char *path_of(const struct rig *self, const char *name)
{
    static char paths[2][200];
    static int turn;
    turn = 1 - turn;
    (void)snprintf(paths[turn], sizeof paths[turn], "%s/%s", self->dir, name);
    return paths[turn];
}

static int make(const struct rig *self, const char *name, int flags)
{
    int fd = open(path_of(self, name), O_RDWR | O_CREAT | O_CLOEXEC | flags, 0600);
    assert_true(fd >= 0);
    return fd;
}

/* Fills sectors with a letter each. */
static void put(int fd, size_t first, size_t count, char letter)
{
    char bytes[SECTOR * SECTORS];
    memset(bytes, letter, count * SECTOR);
    assert_int_equal(pwrite(fd, bytes, count * SECTOR, (off_t)(first * SECTOR)), count * SECTOR);
}

static void sync_dir(const struct rig *self)
{
    int fd = open(self->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(fsync(fd), 0);
    (void)close(fd);
}

/* A file of SECTORS sectors, all of one letter, that is sure. */
static int make_sure(const struct rig *self, const char *name, char letter)
{
    int fd = make(self, name, 0);
    put(fd, 0, SECTORS, letter);
    assert_int_equal(fdatasync(fd), 0);
    sync_dir(self);
    return fd;
}

static void lose_power(struct rig *self)
{
    drive_cut(self->drive);
    drive_settle(self->drive, true);
}

/* The file's letters, one a sector; '-': no such file, '?': a sector of several. */
static void read_letters(const struct rig *self, const char *name, char letters[SECTORS + 1])
{
    char bytes[SECTOR];
    int fd = open(path_of(self, name), O_RDONLY | O_CLOEXEC);
    size_t n = 0;
    memset(letters, 0, SECTORS + 1);
    if (fd < 0)
        letters[0] = '-';
    for (; fd >= 0 && n < SECTORS && read(fd, bytes, SECTOR) == SECTOR; n++) {
        letters[n] = bytes[0] ? bytes[0] : '0';
        for (size_t i = 1; i < SECTOR; i++)
            letters[n] = bytes[i] == bytes[0] ? letters[n] : '?';
    }
    if (fd >= 0)
        (void)close(fd);
}

static void assert_letters(const struct rig *self, const char *name, const char *letters)
{
    char found[SECTORS + 1];
    read_letters(self, name, found);
    assert_string_equal(found, letters);
}

static void what_was_synced_is_there_after_a_loss_of_power(void **state)
{
    struct rig self;
    (void)state;
    for (uint64_t seed = 0; seed < TRIES; seed++) {
        open_drive(&self, seed);
        (void)close(make_sure(&self, "a", 'x'));
        lose_power(&self);
        assert_letters(&self, "a", "xxxxxxxxxxxxxxxx");
        assert_int_equal(drive_counts(self.drive).torn, 0);
        close_drive(&self);
    }
}

/* Over all seeds: each sector is old or one of the new ones, and all of that comes about. */
static void what_was_not_synced_is_there_or_not_sector_by_sector(void **state)
{
    struct rig self;
    size_t old = 0, first = 0, last = 0, mixed = 0;
    (void)state;
    for (uint64_t seed = 0; seed < TRIES; seed++) {
        char found[SECTORS + 1];
        open_drive(&self, seed);
        int fd = make_sure(&self, "a", 'x');
        put(fd, 2, 10, 'y');
        put(fd, 4, 4, 'z');
        (void)close(fd);
        lose_power(&self);
        read_letters(&self, "a", found);
        assert_int_equal(strlen(found), SECTORS);
        for (size_t i = 0; i < SECTORS; i++) {
            bool twice = i >= 4 && i < 8, once = !twice && i >= 2 && i < 12;
            assert_true(found[i] == 'x' || (found[i] == 'y' && (once || twice)) ||
                        (found[i] == 'z' && twice));
            old += found[i] == 'x' && (once || twice);
            first += found[i] == 'y' && twice;
            last += found[i] == 'z';
        }
        mixed += strchr(found + 2, 'y') && memchr(found + 2, 'x', 10);
        assert_int_equal(drive_counts(self.drive).pending, 2);
        close_drive(&self);
    }
    assert_true(old > TRIES && first > TRIES / 8 && last > TRIES && mixed > TRIES / 8);
}

static void a_kill_leaves_all_that_was_written(void **state)
{
    struct rig self;
    (void)state;
    open_drive(&self, 1);
    int fd = make(&self, "a", 0);
    put(fd, 0, SECTORS, 'x');
    drive_cut(self.drive);
    put(fd, 0, SECTORS, 'y'); /* too late */
    assert_int_equal(unlink(path_of(&self, "a")), 0);
    (void)close(fd);
    drive_settle(self.drive, false);
    assert_letters(&self, "a", "xxxxxxxxxxxxxxxx");
    close_drive(&self);
}

static void what_is_opened_for_synced_writes_is_sure_at_once(void **state)
{
    struct rig self;
    (void)state;
    for (uint64_t seed = 0; seed < TRIES; seed++) {
        open_drive(&self, seed);
        int fd = make_sure(&self, "a", 'x'), alone = make(&self, "a", O_DSYNC);
        put(fd, 0, 8, 'y');
        put(alone, 4, 8, 'z');
        (void)close(fd);
        (void)close(alone);
        lose_power(&self);
        char found[SECTORS + 1];
        read_letters(&self, "a", found);
        assert_memory_equal(found + 4, "zzzzzzzzxxxx", 12);
        close_drive(&self);
    }
}

static void a_name_is_sure_when_its_folder_was_synced(void **state)
{
    struct rig self;
    size_t there = 0, renamed = 0, gone = 0;
    (void)state;
    for (uint64_t seed = 0; seed < TRIES; seed++) {
        char found[SECTORS + 1];
        open_drive(&self, seed);
        (void)close(make_sure(&self, "a", 'x'));
        (void)close(make_sure(&self, "b", 'y'));
        int fd = make(&self, "c", 0);
        put(fd, 0, SECTORS, 'z');
        assert_int_equal(fdatasync(fd), 0);
        (void)close(fd);
        assert_int_equal(rename(path_of(&self, "c"), path_of(&self, "a")), 0);
        assert_int_equal(unlink(path_of(&self, "b")), 0);
        lose_power(&self);
        read_letters(&self, "a", found);
        assert_true(found[0] == 'x' || found[0] == 'z');
        renamed += found[0] == 'z';
        read_letters(&self, "c", found);
        there += found[0] == 'z';
        read_letters(&self, "b", found);
        gone += found[0] == '-';
        close_drive(&self);
    }
    assert_in_range(there, TRIES / 16, TRIES / 2);
    assert_in_range(renamed, TRIES / 8, TRIES * 7 / 8);
    assert_in_range(gone, TRIES / 8, TRIES * 7 / 8);
}

static void the_power_goes_in_the_call_that_was_said(void **state)
{
    struct rig self;
    (void)state;
    for (uint64_t seed = 0; seed < TRIES; seed++) {
        open_drive(&self, seed);
        int fd = make_sure(&self, "a", 'x');
        drive_cut_at(self.drive, 4);
        put(fd, 0, 4, 'p');
        assert_int_equal(fdatasync(fd), 0);
        put(fd, 4, 4, 'q');
        assert_int_equal(self.cuts, 0);
        assert_int_equal(fdatasync(fd), 0); /* in here */
        assert_int_equal(self.cuts, 1);
        put(fd, 8, 8, 'r');
        assert_int_equal(fdatasync(fd), 0);
        assert_true(drive_is_cut(self.drive));
        assert_letters(&self, "a", "ppppqqqqrrrrrrrr"); /* as the process sees it */
        (void)close(fd);
        drive_settle(self.drive, true);
        assert_false(drive_is_cut(self.drive));
        char found[SECTORS + 1];
        read_letters(&self, "a", found);
        assert_memory_equal(found, "pppp", 4);
        assert_memory_equal(found + 8, "xxxxxxxx", 8);
        close_drive(&self);
    }
}

static void a_file_that_grew_or_was_cut_has_its_length_back(void **state)
{
    struct rig self;
    size_t grown = 0, old = 0;
    (void)state;
    for (uint64_t seed = 0; seed < TRIES; seed++) {
        char found[SECTORS + 1];
        open_drive(&self, seed);
        int fd = make(&self, "a", 0);
        put(fd, 0, 4, 'x');
        assert_int_equal(fdatasync(fd), 0);
        sync_dir(&self);
        assert_int_equal(posix_fallocate(fd, 0, 8 * SECTOR), 0);
        (void)close(fd);
        (void)close(make(&self, "a", O_TRUNC));
        lose_power(&self);
        read_letters(&self, "a", found);
        if (*found)
            assert_memory_equal(found, "xxxx", 4);
        grown += strcmp(found, "xxxx0000") == 0;
        old += strcmp(found, "xxxx") == 0;
        close_drive(&self);
    }
    assert_true(old > 0 && grown > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_synced_is_there_after_a_loss_of_power),
        cmocka_unit_test(what_was_not_synced_is_there_or_not_sector_by_sector),
        cmocka_unit_test(a_kill_leaves_all_that_was_written),
        cmocka_unit_test(what_is_opened_for_synced_writes_is_sure_at_once),
        cmocka_unit_test(a_name_is_sure_when_its_folder_was_synced),
        cmocka_unit_test(the_power_goes_in_the_call_that_was_said),
        cmocka_unit_test(a_file_that_grew_or_was_cut_has_its_length_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
