/* contracts_fixture: a contract with a state, edited and shown in words, for the tests of kinds. */
#ifndef CONTRACTS_FIXTURE_H
#define CONTRACTS_FIXTURE_H

#include "contracts/state.h"

struct fixture {
    struct buffer params;
    struct contract contract;
    state_t *state;
    struct reason why; /* of the last refusal */
    char shown[512];
};

/* params: encoded entries; copied. */
void fixture_open(struct fixture *self, const char *kind, struct slice params);
void fixture_close(struct fixture *self);

/* Builds the delta of an edit, `words` being a verb and its operands with blanks between them. The
 * replica's id is eight times that character. */
int fixture_delta(struct fixture *self, char replica, uint64_t now_ms, const char *words,
                  struct buffer *delta);

/* The same, and merges it. Fails the test when it is refused. */
void fixture_edit(struct fixture *self, char replica, uint64_t now_ms, const char *words);

/* Merges, which must do. Returns the number of changed entries. */
size_t fixture_merge(struct fixture *self, struct slice delta);

/* The view as text: `name=value`, `value` or a number an item, `!` before what is removed; blanks
 * between. Borrowed until the next call. */
const char *fixture_show(struct fixture *self);
const char *fixture_show_bytes(struct fixture *self, struct slice state);

/* The state's bytes, to be freed. */
struct buffer fixture_bytes(struct fixture *self);

#endif
