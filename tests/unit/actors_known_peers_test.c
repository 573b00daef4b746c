/* DATA/peers: what is written is read again; what is not a peer is passed over. */
#include "actors/known_peers.h"
#include "base/base58.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64], path[80];

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof dir, "/tmp/weir-known-XXXXXX");
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/peers", dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(dir); /* nothing else was left in it */
}

static known_peers_t *open_peers(void)
{
    known_peers_t *known = NULL;
    struct reason why;
    assert_int_equal(known_peers_open(dir, &known, &why), 0);
    return known;
}

static void write_text(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void a_new_node_knows_nobody(void **state)
{
    size_t count = 7;
    (void)state;
    known_peers_t *known = open_peers();
    (void)known_peers_list(known, &count);
    assert_int_equal(count, 0);
    known_peers_close(&known);
}

static void what_is_written_is_read_by_the_next_run(void **state)
{
    struct peer_node nodes[3] = {{{1}, 0, slice_text("one.example:31337")},
                                 {{2}, 1, slice_text("")}, /* cannot be dialled: left out */
                                 {{3}, 0, slice_text("[2001:db8::3]:1")}};
    size_t count;
    struct reason why;
    (void)state;
    known_peers_t *known = open_peers();
    assert_int_equal(known_peers_write(known, nodes, 1, &why), 0);
    assert_int_equal(known_peers_write(known, nodes, 3, &why), 0);
    known_peers_close(&known);
    known = open_peers();
    const struct peer_node *read = known_peers_list(known, &count);
    assert_int_equal(count, 2);
    assert_memory_equal(read[0].id, nodes[0].id, 32);
    assert_true(slice_equal(read[0].address, nodes[0].address));
    assert_memory_equal(read[1].id, nodes[2].id, 32);
    assert_true(slice_equal(read[1].address, nodes[2].address));
    known_peers_close(&known);
}

static void lines_that_are_no_peers_are_passed_over(void **state)
{
    char text[4096], id[BASE58_TEXT_MAX];
    const uint8_t bytes[32] = {9, 9};
    size_t count;
    (void)state;
    base58_encode(bytes, sizeof bytes, id);
    (void)snprintf(text, sizeof text,
                   "\n@\nhello\n%s@\n%s@host\n%s@host:0\nx%s@host:1\n%02000d\n"
                   "%s@host:7\r\n%s@last:8",
                   id, id, id, id, 0, id, id);
    write_text(text);
    known_peers_t *known = open_peers();
    const struct peer_node *read = known_peers_list(known, &count);
    assert_int_equal(count, 2);
    assert_true(slice_is(read[0].address, "host:7"));
    assert_true(slice_is(read[1].address, "last:8"));
    known_peers_close(&known);
}

static void a_long_file_is_read_up_to_the_limit(void **state)
{
    char id[BASE58_TEXT_MAX];
    const uint8_t bytes[32] = {9, 9};
    size_t count;
    (void)state;
    base58_encode(bytes, sizeof bytes, id);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (unsigned i = 1; i <= 3 * KNOWN_PEERS_MAX; i++)
        assert_true(fprintf(file, "%s@host:%u\n", id, i) > 0);
    assert_int_equal(fclose(file), 0);
    known_peers_t *known = open_peers();
    (void)known_peers_list(known, &count);
    assert_int_equal(count, KNOWN_PEERS_MAX);
    known_peers_close(&known);
}

static void a_file_that_cannot_be_written_stays_as_it_was(void **state)
{
    struct peer_node node = {{1}, 0, slice_text("one.example:31337")};
    struct reason why = {""};
    char moved[96];
    (void)state;
    known_peers_t *known = open_peers();
    (void)snprintf(moved, sizeof moved, "%s.moved", dir);
    assert_int_equal(rename(dir, moved), 0);
    assert_int_equal(known_peers_write(known, &node, 1, &why), ERR_IO);
    assert_non_null(strstr(why.text, "/peers: "));
    assert_int_equal(rename(moved, dir), 0);
    known_peers_close(&known);
}

/* The disk is full when it is written. */
static void a_list_that_is_not_written_whole_leaves_the_old_one(void **state)
{
    struct peer_node node = {{1}, 0, slice_text("one.example:31337")};
    struct peer_node other = {{2}, 0, slice_text("two.example:31337")};
    struct reason why = {""};
    char fresh[96];
    size_t count;
    (void)state;
    known_peers_t *known = open_peers();
    assert_int_equal(known_peers_write(known, &node, 1, &why), 0);
    (void)snprintf(fresh, sizeof fresh, "%s/peers.new", dir);
    assert_int_equal(symlink("/dev/full", fresh), 0);
    assert_int_equal(known_peers_write(known, &other, 1, &why), ERR_IO);
    known_peers_close(&known);
    known = open_peers();
    const struct peer_node *read = known_peers_list(known, &count);
    assert_int_equal(count, 1);
    assert_true(slice_is(read->address, "one.example:31337"));
    known_peers_close(&known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_node_knows_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_written_is_read_by_the_next_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lines_that_are_no_peers_are_passed_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_long_file_is_read_up_to_the_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_be_written_stays_as_it_was, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_list_that_is_not_written_whole_leaves_the_old_one, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
