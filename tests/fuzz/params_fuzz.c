/* contract_init: parameters from outside. First byte: the kind, in the order of the table. */
#include "contracts/kind.h"
#include "tests/fuzz/must.h"

static size_t kind_count(void)
{
    size_t count = 0;
    while (kinds[count])
        count++;
    return count;
}

/* What was accepted says the same again, and nothing beyond its limits. */
static void check_accepted(const struct contract *contract)
{
    struct contract again;
    MUST(contract_init(&again, slice_text(contract->kind->name), contract->params, NULL) == 0);
    MUST(memcmp(&again.key, &contract->key, sizeof again.key) == 0);
    MUST(contract_param(contract, "name").size <= NAME_BYTES_MAX);
    MUST(contract_param(contract, "newest").size == 0 || contract->kind->settle);
    size_t writers = contract->writers.size / WRITER_KEY_BYTES;
    MUST(writers <= WRITERS_MAX &&
         contract_signed(contract) == (writers > 0 || contract->kind->prove));
    MUST(slice_equal(contract->writers, contract_param(contract, "writers")));
    for (size_t i = 0; i < writers; i++)
        MUST(contract_has_writer(contract, contract->writers.data + i * WRITER_KEY_BYTES));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct contract contract = {.newest = 77};
    struct reason why = {""};
    if (size < 1)
        return 0;
    struct slice kind = slice_text(kinds[data[0] % kind_count()]->name);
    int rc = contract_init(&contract, kind, slice_of(data + 1, size - 1), &why);
    if (!rc)
        check_accepted(&contract);
    else
        MUST(rc == ERR_BAD_PARAMS && why.text[0] && contract.newest == 77 && !contract.kind);
    MUST(contract_init(&contract, slice_of(data, size), slice_of(NULL, 0), &why) == ERR_BAD_KIND ||
         kind_find(slice_of(data, size)));
    return 0;
}
