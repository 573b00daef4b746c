/* One connections actor with messages made by hand: whom it lets in, whom it keeps, whom it
 * refuses, and what it remembers. */
#include "tests/unit/connections_one.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static uint64_t seed;

/* For edits that were sent meanwhile over the old one (decision 0032). */
static void who_waits_to_be_let_in_is_open_since_it_came(void **state)
{
    struct one one;
    (void)state;
    one_start(&one, seed++, (struct connections_options){.address = "here:1"});
    peer_t old = one_opens(&one, id_with(100, 0), 0);
    mail_free(&one.out.mail);
    one_pass(&one, 1000);
    uint64_t opened_ms = one.now.ms;
    peer_t number = one_opens(&one, id_with(100, 0), 0);
    one_pass(&one, PROBE_MS / 2);
    assert_null(one_take(&one, MESSAGE_PEER_LIVE));
    one_closes(&one, old, CLOSE_reset);
    struct message *message = one_take(&one, MESSAGE_PEER_LIVE);
    assert_non_null(message);
    assert_int_equal(((const struct peer_live *)message)->number, number);
    assert_int_equal(((const struct peer_live *)message)->opened_ms, opened_ms);
    message_free(&message);
    one_end(&one);
}

static void it_does_not_connect_to_itself(void **state) /* lesson D5 */
{
    struct one one;
    struct peer_node self = {.address = slice_text("elsewhere:1")};
    struct node_id id = id_with(128, 0);
    (void)state;
    memcpy(self.id, id.bytes, sizeof self.id);
    one_start(&one, seed++,
              (struct connections_options){.address = "here:1",
                                           .gateways = &self,
                                           .gateway_count = 1,
                                           .known = &self,
                                           .known_count = 1});
    assert_int_equal(one_verdict(&one, one_opens(&one, id, 0)), CLOSE_refused);
    for (int i = 0; i < 100; i++)
        one_pass(&one, 1000);
    assert_null(one_take(&one, MESSAGE_DIAL));
    one_end(&one);
}

static void a_crowd_does_not_push_out_gateways(void **state) /* lesson D8 */
{
    struct one one;
    struct peer_node gateway = {.role = 1, .address = slice_text("gate:1")};
    struct node_id id = id_with(1, 1);
    (void)state;
    memcpy(gateway.id, id.bytes, sizeof gateway.id);
    one_start(&one, seed++,
              (struct connections_options){
                  .address = "here:1", .gateways = &gateway, .gateway_count = 1, .peers_max = 64});
    unsigned admitted = 0;
    for (unsigned n = 0; n < 200; n++)
        admitted += one_verdict(&one, one_opens(&one, id_with(200, n), 0)) == CLOSE_REASON_COUNT;
    assert_in_range(admitted, 64, 64 + 2 * NEAR_A_SIDE * 10); /* nearer ones take a place */
    assert_true(one.actor->view.count <= 64);
    assert_int_equal(one_verdict(&one, one_opens(&one, id, 1)), CLOSE_REASON_COUNT);
    assert_int_equal(one.actor->view.count, 65);
    one_end(&one);
}

static void who_listens_everywhere_is_known_by_the_host_it_comes_from(void **state)
{
    struct one one;
    struct node_id id = id_with(200, 1);
    (void)state;
    one_start(&one, seed++, (struct connections_options){.address = "here:1"});
    (void)one_opens(&one, id, 0);
    assert_string_equal(peers_find(&one.actor->peers, &id)->address, "192.0.2.7:31337");
    one_end(&one);
}

static void who_breaks_rules_is_refused_for_a_minute(void **state)
{
    struct one one;
    struct node_id id = id_with(200, 1);
    (void)state;
    one_start(&one, seed++, (struct connections_options){.address = "here:1"});
    peer_t number = one_opens(&one, id, 0);
    assert_int_equal(one_verdict(&one, number), CLOSE_REASON_COUNT);
    for (unsigned i = 0; i < BLAMES_MAX; i++) {
        struct peer_order *blame = (struct peer_order *)message_new(sizeof *blame);
        assert_null(one_take(&one, MESSAGE_HANG_UP));
        blame->number = number;
        one_get(&one, MESSAGE_BLAME, &blame->head);
    }
    assert_int_equal(one_verdict(&one, number), CLOSE_misbehaved);
    one_pass(&one, SHUNNED_MS - 1);
    assert_int_equal(one_verdict(&one, one_opens(&one, id, 0)), CLOSE_misbehaved);
    one_pass(&one, 1);
    assert_int_equal(one_verdict(&one, one_opens(&one, id, 0)), CLOSE_REASON_COUNT);
    one_end(&one);
}

static void the_table_is_bounded_and_keeps_whom_it_needs(void **state)
{
    struct one one;
    struct node_id id = id_with(200, 1);
    (void)state;
    one_start(&one, seed++, (struct connections_options){.address = "here:1"});
    peer_t number = one_opens(&one, id, 0);
    for (unsigned n = 0; n < 3 * PEERS_KNOWN_MAX; n++) {
        one_hears_of(&one, number, id_with(3, n), "far.example:9");
        one_pass(&one, 1);
    }
    assert_int_equal(one.actor->peers.count, PEERS_KNOWN_MAX);
    assert_non_null(peers_find(&one.actor->peers, &id));
    unsigned dials = 0;
    for (struct message *m = one_take(&one, MESSAGE_DIAL); m; m = one_take(&one, MESSAGE_DIAL)) {
        dials++;
        message_free(&m);
    }
    assert_true(dials <= DIALS_MAX);
    one_end(&one);
}

static void broken_lists_of_nodes_are_blamed_on_their_sender(void **state)
{
    struct one one;
    struct node_id id = id_with(200, 1);
    static const uint8_t junk[] = {1, 2, 3};
    static const enum peer_kind broken[] = {PEER_NEIGHBOURS, PEER_CONNECT};
    (void)state;
    one_start(&one, seed++, (struct connections_options){.address = "here:1"});
    peer_t number = one_opens(&one, id, 0);
    for (unsigned i = 0; i < 2; i++) {
        struct peer_mail *mail = (struct peer_mail *)message_new(sizeof *mail);
        mail->number = number;
        mail->kind = broken[i];
        if (mail->kind == PEER_NEIGHBOURS)
            mail->body.neighbours.nodes = slice_of(junk, sizeof junk);
        else
            mail->body.connect.joiner = slice_of(junk, sizeof junk);
        one_get(&one, MESSAGE_PEER_MAIL, &mail->head);
        assert_int_equal(peers_find(&one.actor->peers, &id)->blames, i + 1);
    }
    one_end(&one);
}

static size_t remembered_count, remembered_times;

static void remember(void *self, const struct peer_node *nodes, size_t count)
{
    (void)self;
    (void)nodes;
    remembered_count = count;
    remembered_times++;
}

static void known_peers_are_given_at_most_each_ten_seconds(void **state)
{
    struct one one;
    (void)state;
    remembered_count = remembered_times = 0;
    one_start(&one, seed++,
              (struct connections_options){.address = "here:1", .remember = remember});
    for (unsigned n = 0; n < 100; n++) {
        (void)one_opens(&one, id_with(200, n), 0);
        one_pass(&one, 100);
        one_pass(&one, 900);
    }
    assert_in_range(remembered_times, 5, 11);
    one_end(&one);
    assert_int_equal(remembered_count, KNOWN_PEERS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_waits_to_be_let_in_is_open_since_it_came),
        cmocka_unit_test(it_does_not_connect_to_itself),
        cmocka_unit_test(a_crowd_does_not_push_out_gateways),
        cmocka_unit_test(who_listens_everywhere_is_known_by_the_host_it_comes_from),
        cmocka_unit_test(who_breaks_rules_is_refused_for_a_minute),
        cmocka_unit_test(the_table_is_bounded_and_keeps_whom_it_needs),
        cmocka_unit_test(broken_lists_of_nodes_are_blamed_on_their_sender),
        cmocka_unit_test(known_peers_are_given_at_most_each_ten_seconds),
    };
    const char *given = getenv("SEED");
    seed = given ? strtoull(given, NULL, 0) : 20261;
    print_message("SEED=%llu\n", (unsigned long long)seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
