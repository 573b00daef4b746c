#include "actors/transactions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct request *request_of(client_t client)
{
    struct request *request = (struct request *)message_new(sizeof *request);
    assert_non_null(request);
    request->client = client;
    request->id_size = 1;
    request->admitted_bytes = 10;
    return request;
}

static void a_transaction_closes_once(void **state)
{
    struct transactions table;
    struct request *request = request_of(1);
    (void)state;
    transactions_init(&table);
    assert_true(transactions_open(&table, request, 0));
    assert_true(transactions_close(&table, request));
    assert_false(transactions_close(&table, request));
    assert_int_equal(table.open, 0);
    free(request);
    transactions_free(&table);
}

static void a_number_is_not_another_transactions_number_again(void **state)
{
    struct transactions table;
    struct request *first = request_of(1), *second = request_of(2);
    (void)state;
    transactions_init(&table);
    assert_true(transactions_open(&table, first, 0));
    assert_true(transactions_close(&table, first));
    assert_true(transactions_open(&table, second, 0)); /* in the same row */
    assert_false(transactions_close(&table, first));
    assert_true(transactions_close(&table, second));
    free(first);
    free(second);
    transactions_free(&table);
}

static void those_whose_time_is_up_are_answered_oldest_first(void **state)
{
    struct transactions table;
    struct outbox out = {.from = ACTOR_get};
    struct request *requests[3];
    (void)state;
    transactions_init(&table);
    for (uint64_t i = 0; i < 3; i++) {
        requests[i] = request_of(i);
        assert_true(transactions_open(&table, requests[i], i * 10));
    }
    assert_true(transactions_close(&table, requests[1]));
    assert_int_equal(transactions_deadline_ms(&table), OPERATION_TIMEOUT_MS);
    transactions_expire(&table, OPERATION_TIMEOUT_MS + 20, &out);
    for (uint64_t i = 0; i < 3; i += 2) {
        struct message *message = mail_pop(&out.mail);
        const struct request *reply = (const struct request *)message;
        assert_non_null(message);
        assert_int_equal(reply->client, i);
        assert_int_equal(reply->code, ERR_TIMEOUT);
        assert_int_equal(reply->admitted_bytes, 10);
        message_free(&message);
    }
    assert_null(out.mail.first);
    assert_int_equal(transactions_deadline_ms(&table), NEVER);
    for (int i = 0; i < 3; i++)
        free(requests[i]);
    transactions_free(&table);
}

static void the_table_is_capped(void **state)
{
    struct transactions table;
    struct request *request = request_of(1);
    size_t opened = 0;
    (void)state;
    transactions_init(&table);
    while (opened <= 4 * OPEN_MAX && transactions_open(&table, request, 0))
        opened++;
    assert_in_range(opened, OPEN_MAX, 2 * OPEN_MAX);
    free(request);
    transactions_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_transaction_closes_once),
        cmocka_unit_test(a_number_is_not_another_transactions_number_again),
        cmocka_unit_test(those_whose_time_is_up_are_answered_oldest_first),
        cmocka_unit_test(the_table_is_capped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
