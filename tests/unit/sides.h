/* sides: two nodes with real storage whose sync actors talk over a wire that the test moves by
 * hand, lane by lane, in any order that lanes allow. */
#ifndef WEIR_TESTS_SIDES_H
#define WEIR_TESTS_SIDES_H

#include "actors/sync_state.h"
#include "tests/unit/small_node.h"
#include "tests/unit/store_fixture.h"

struct side {
    struct small_node node;
    sync_t *sync;
    peer_t other; /* as this side numbers it */
    struct mail lanes[LANE_COUNT];
    struct owed *window;    /* of what this side has not freed */
    uint64_t bodies, parts; /* sent */
    uint64_t filled;        /* that hosting was told of */
    size_t parts_bytes, parts_out, parts_out_most;
};

extern struct side sides[2];
extern struct subject sides_map; /* the contract that both have, or will */

/* For cmocka; and with limits for the second side. */
int sides_set_up(void **state);
int sides_tear_down(void **state);
void sides_open_limited(uint64_t store_bytes_max, uint64_t state_bytes_max);
void sides_close(void);

/* --- the wire ---------------------------------------------------------------------------- */

/* PEER_LIVE or PEER_GONE of the other side. */
void sides_tell(struct side *side, enum message_kind kind);

/* All that is to do on both sides; what they sent goes into their lanes. */
void sides_run_both(void);
/* The first message of a lane: its sender learns that it is gone, the other side gets it. */
bool sides_move(unsigned from, enum lane lane);
/* Until nothing moves, lanes and sides by chance. */
void sides_run_wire(void);

/* Gives bytes, a message, a DELTA of one field to a side as its peer's. */
void sides_deliver_of(struct side *to, peer_t from, struct slice bytes);
void sides_deliver_body(struct side *to, enum peer_kind kind, const void *body);
void sides_send_delta(unsigned to, const char *field, const char *data);

/* --- what tests do ----------------------------------------------------------------------- */

void sides_put_entries(unsigned side, unsigned from, unsigned count, size_t bytes, uint64_t stamp);

/* Hosting orders a sync; its one answer. */
void sides_order(unsigned side);
int sides_synced(unsigned side);
void sides_assert_equal(void);
struct mail *sides_mail_of(unsigned side, enum actor_id actor);
void sides_assert_nobody_blamed(void);
void sides_take_blame(unsigned side);

#endif
