/* claims: what clients asked for and were told, and whether a store has it.
 *
 * A load works on a fixed set of contracts: maps, logs and counters. Each thing asked for has a
 * number, one more than that before; the numbers of one contract are the order in which the node
 * does them. The value of a field and an entry of a log begin with the number, so that what is
 * found tells what it is. */
#ifndef CLAIMS_H
#define CLAIMS_H

#include "store/store.h"
#include "tests/crash/trace.h"

enum {
    CLAIMS_CONTRACTS = 8, /* 4 maps, 2 logs, 2 counters */
    CLAIMS_MAPS = 4,
    CLAIMS_LOGS = 2,
    CLAIMS_FIELDS = 512, /* of a map */
    CLAIMS_NUMBER_BYTES = 20
};

enum asked_verb { ASKED_MAKE, ASKED_SET, ASKED_APPEND, ASKED_ADD, ASKED_DROP };

struct asked {
    uint32_t verb, contract;
    uint32_t field;  /* SET */
    uint32_t amount; /* ADD */
};

/* The kind of a contract of the set, its name parameter, and a field's name. */
const char *claims_kind(size_t contract);
struct claims_text {
    char text[32];
};
struct claims_text claims_name(size_t contract);
struct claims_text claims_field(size_t field);

/* Notes in the trace that it is asked for; returns its number. And that it is done, as was told. */
uint64_t claims_ask(struct trace *trace, struct asked asked);
void claims_tell(struct trace *trace, uint64_t number);

/* The value of a SET or APPEND with that number: that many bytes, at least CLAIMS_NUMBER_BYTES. */
void claims_value(uint64_t number, uint8_t *value, size_t size);

/* All that a trace says. */
struct claims;
struct claims *claims_read(const struct trace *trace);
void claims_destroy(struct claims **self);
size_t claims_told_before(const struct claims *self, uint64_t place);

/* Does the store have all that was told before that place of the trace, and nothing that was not
 * asked for before it? ERR_DAMAGED with a sentence when not. */
MUST_USE int claims_hold(const struct claims *self, uint64_t place, store_t *store,
                         struct reason *why);

#endif
