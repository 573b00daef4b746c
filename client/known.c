/* known: kind and parameters of the contracts that were asked for lately. */
#include "client/handle.h"

const weir_contract_t *known_find(const weir_t *w, const uint8_t *key)
{
    for (size_t i = 0; i < w->known_count; i++)
        if (memcmp(weir_contract_key(w->known[i]), key, CONTRACT_KEY_BYTES) == 0)
            return w->known[i];
    return NULL;
}

const weir_contract_t *known_add(weir_t *w, const uint8_t *key, const struct weir_reply *reply)
{
    weir_contract_t *contract = NULL;
    const weir_contract_t *before = known_find(w, key);
    if (before)
        return before;
    if (weir_contract_new(reply->kind, reply->params, &contract, NULL))
        return NULL;
    if (memcmp(weir_contract_key(contract), key, CONTRACT_KEY_BYTES)) {
        weir_contract_destroy(&contract);
        return NULL;
    }
    size_t at = w->known_next;
    w->known_next = (at + 1) % KNOWN_MAX;
    if (w->known_count < KNOWN_MAX)
        w->known_count++;
    else
        weir_contract_destroy(&w->known[at]);
    w->known[at] = contract;
    return contract;
}

struct slice key_greatest(void)
{
    static const uint8_t key[ENTRY_KEY_BYTES_MAX] = {[0 ... ENTRY_KEY_BYTES_MAX - 1] = 0xff};
    return slice_of(key, sizeof key);
}

int known_ask(weir_t *w, const uint8_t *key, weir_done_fn *done, void *arg)
{
    struct slice end = key_greatest(); /* from there to there: no state comes along */
    struct slice args[] = {slice_of(key, CONTRACT_KEY_BYTES), end, end};
    struct request_options options = {.timeout_ms = w->options.timeout_ms};
    return request_open(w, VERB_GET, args, 3, &options, done, arg);
}

void known_free(weir_t *w)
{
    for (size_t i = 0; i < w->known_count; i++)
        weir_contract_destroy(&w->known[i]);
    w->known_count = 0;
}
