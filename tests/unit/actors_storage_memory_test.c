/* Storage, journal and checkpoint without memory: the n-th allocation fails. One update may be
 * refused, or wait; nothing else is, and none that was told is missing. */
/* link: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc */
#include "tests/support/failing_memory.h"
#include "tests/unit/small_node.h"
#include "tests/unit/store_fixture.h"

#include <stdio.h>

enum { AT_ONCE = 40 };

static struct small_node node;
static struct subject map;

static struct buffer deltas[AT_ONCE + 1];

static struct request *new_put(unsigned number)
{
    char field[16];
    (void)snprintf(field, sizeof field, "f%u", number);
    deltas[number] = map_delta(field, 1, slice_text("x"));
    struct slice args[3] = {slice_text("map"), map.contract.params, buffer_slice(&deltas[number])};
    struct request *put = request_new(ACTOR_put, VERB_PUT, &map.contract.key, args, 3);
    assert_non_null(put);
    put->contract = map.contract;
    return put;
}

static void send_put(struct request *put)
{
    small_node_send(&node, ACTOR_put, ACTOR_storage, MESSAGE_MERGE, &put->head);
    small_node_step(&node);
}

/* How many were told as done; the others were refused for want of memory. */
static unsigned take_answers(unsigned count)
{
    unsigned done = 0;
    for (unsigned i = 0; i < count; i++) {
        struct message *message = small_node_take(&node, ACTOR_put, MESSAGE_MERGED);
        const struct request *put = (const struct request *)message;
        if (put->code)
            assert_non_null(strstr(put->why.text, "memory"));
        done += put->code == 0;
        message_free(&message);
    }
    return done;
}

/* fails: there is no memory for what storage does about it. */
static void watch_key(struct contract_key key, bool on, bool fails)
{
    struct watch *watch = (struct watch *)message_new(sizeof *watch);
    assert_non_null(watch);
    watch->key = key;
    watch->on = on;
    small_node_send(&node, ACTOR_subscribe, ACTOR_storage, MESSAGE_WATCH, &watch->head);
    if (fails)
        failing_memory_begin_structs(1);
    small_node_run(&node);
    if (fails)
        assert_true(failing_memory_end());
}

static void watch(void)
{
    watch_key(map.contract.key, true, false);
}

/* False: there were fewer allocations. */
static bool run_with(unsigned n)
{
    struct request *puts[AT_ONCE + 1];
    small_node_open(&node);
    subject_init(&map, "map", "m", 0);
    watch();
    for (unsigned i = 0; i <= AT_ONCE; i++)
        puts[i] = new_put(i);
    small_node_pause(&node, ACTOR_journal, true);
    failing_memory_begin(n);
    for (unsigned i = 0; i < AT_ONCE; i++) /* an APPEND each */
        send_put(puts[i]);
    small_node_run(&node);
    small_node_pause(&node, ACTOR_journal, false);
    small_node_run(&node);
    bool reached = failing_memory_end();
    small_node_advance_ms(&node, 1000);
    unsigned done = take_answers(AT_ONCE);
    assert_true(done >= AT_ONCE - 1);
    send_put(puts[AT_ONCE]);
    small_node_advance_ms(&node, 1000);
    assert_int_equal(take_answers(1), 1);
    assert_int_equal(node.storage->fault, 0);
    const struct held *held;
    struct reason why;
    assert_int_equal(store_find(node.store, &map.contract.key, &held, &why), 0);
    assert_int_equal(held->summary.count, done + 1);
    subject_free(&map);
    mail_free(&node.actors[ACTOR_subscribe].mail);
    small_node_close(&node);
    for (unsigned i = 0; i <= AT_ONCE; i++)
        buffer_free(&deltas[i]);
    return reached;
}

static void an_update_at_most_is_refused_for_an_allocation_that_fails(void **state)
{
    (void)state;
    unsigned n = 1;
    while (run_with(n))
        n++;
    print_message("%u allocations\n", n - 1);
    assert_true(n > 3 * AT_ONCE);
}

/* Is a change of the contract told? */
static bool is_told(unsigned number)
{
    send_put(new_put(number));
    small_node_advance_ms(&node, 1000);
    assert_int_equal(take_answers(1), 1);
    buffer_free(&deltas[number]);
    bool told = node.actors[ACTOR_subscribe].mail.first != NULL;
    mail_free(&node.actors[ACTOR_subscribe].mail);
    return told;
}

static void what_is_followed_without_memory_is_told_and_nothing_else_later(void **state)
{
    struct contract_key other = {{1}}, third = {{2}};
    (void)state;
    small_node_open(&node);
    subject_init(&map, "map", "m", 0);
    watch_key(other, true, true);
    assert_false(is_told(0)); /* there is memory again */
    assert_int_equal(node.storage->watched_count, 1);
    watch_key(map.contract.key, true, true);
    assert_true(is_told(1));
    watch_key(third, true, false);
    watch_key(map.contract.key, false, false);
    watch_key(third, false, false);
    assert_false(is_told(2));
    watch_key(map.contract.key, true, true);
    watch_key(map.contract.key, false, false); /* before there was memory for it */
    assert_false(is_told(3));
    watch_key(other, false, false);
    assert_int_equal(node.storage->watched_count, 0);
    subject_free(&map);
    small_node_close(&node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_update_at_most_is_refused_for_an_allocation_that_fails),
        cmocka_unit_test(what_is_followed_without_memory_is_told_and_nothing_else_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
