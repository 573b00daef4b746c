/* get_world: the actor get, alone, and those who ask it: a client, and the farthest peer. */
#ifndef WEIR_TESTS_GET_WORLD_H
#define WEIR_TESTS_GET_WORLD_H

#include "tests/support/solo.h"

enum { ASKER = SOLO_PEERS, ASKER_TX = 4711 };

extern struct solo get_world;
extern const struct fingerprint printed; /* of what there is elsewhere */

/* For cmocka. */
int get_world_start(void **state);
int get_world_end(void **state);

/* --- a client's GET ---------------------------------------------------------------------- */

void start_get(void);
/* One that hosting answers with code. */
void get_hosted(int code);
/* Takes the READ and gives it back with code. */
void read_answers(int code);
void merge_answers(struct request *merge, int code);

/* The GET that a peer was sent, and what the peer says. */
struct peer_get asked(peer_t peer);
struct peer_piece piece_of(uint64_t tx, const void *entries, size_t size);
void give_piece(peer_t from, uint64_t tx);
void give_got(peer_t from, uint64_t tx, int code);

/* --- a peer's GET ------------------------------------------------------------------------ */

void give_get(peer_t from, uint8_t hops, uint32_t deadline_ms);
/* The asker's, which hosting answers with code. */
void peer_get_hosted(uint8_t hops, int code);
/* Takes the WALK and gives a part of so many bytes back. */
void walk_gives(size_t bytes, bool end);
/* The asker got a PIECE of so many bytes, the end, in this lane. */
void asker_got_piece(size_t bytes, enum lane lane);
void asker_got_end(int code, enum lane lane);
void nothing_is_open(void);

#endif
