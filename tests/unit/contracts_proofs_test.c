/* Proofs that were verified are remembered, up to a limit, and none that was not. */
#include "contracts/proofs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* Few first bytes, so that slots are shared. */
static void hash_of(unsigned number, uint8_t hash[PROOF_BYTES])
{
    memset(hash, 1, PROOF_BYTES);
    put_u16(hash, (uint16_t)(number % 16));
    put_u32(hash + 4, number);
}

static void what_was_added_is_had_up_to_the_limit_and_nothing_else(void **state)
{
    (void)state;
    enum { MANY = 1500, REMEMBERED = 1024 };
    struct proofs proofs = {0};
    uint8_t hash[PROOF_BYTES];
    hash_of(0, hash);
    assert_false(proofs_have(&proofs, hash));
    for (unsigned i = 0; i < MANY; i++) {
        hash_of(i, hash);
        assert_false(proofs_have(&proofs, hash));
        proofs_add(&proofs, hash);
        assert_int_equal(proofs_have(&proofs, hash), i < REMEMBERED);
    }
    assert_int_equal(proofs.count, REMEMBERED);
    for (unsigned i = 0; i < MANY; i++) {
        hash_of(i, hash);
        assert_int_equal(proofs_have(&proofs, hash), i < REMEMBERED);
    }
    proofs_free(&proofs);
    assert_false(proofs_have(&proofs, hash));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_added_is_had_up_to_the_limit_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
