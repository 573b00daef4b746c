/* proto_fixture: two nodes, handshakes between them, and vector files of the rooms' own form. */
#ifndef WEIR_TESTS_PROTO_FIXTURE_H
#define WEIR_TESTS_PROTO_FIXTURE_H

#include "proto/handshake.h"
#include "proto/session.h"

enum { SMALL_ORDER_POINTS = 7 };
extern const uint8_t small_order_points[SMALL_ORDER_POINTS][32];

/* Calls line for every line `word hex hex` of a file that is no comment and not empty; what is not
 * there, or a -, is empty. Fails the test when the file cannot be read. */
void vectors_read(const char *path,
                  void (*line)(void *self, unsigned number, const char *word,
                               const struct slice bytes[2]),
                  void *self);

/* Nodes 0 (dials) and 1 (answers). Their secrets and randoms repeat; change config before dialling.
 */
struct pair {
    struct handshake_config config[2];
    uint8_t random[2][HANDSHAKE_RANDOM_BYTES];
    handshake_t *ends[2];
    struct buffer first, answer; /* as they stand on the wire */
    session_t *sessions[2];
};

void pair_init(struct pair *self, enum peer_role initiator, enum peer_role answerer);

/* Each step fails the test when it is refused. pair_live does them all. */
void pair_dial(struct pair *self);
void pair_open_sessions(struct pair *self); /* both handshakes are done */
void pair_live(struct pair *self);
void pair_free(struct pair *self);

/* A message or record of the wire without the length before it, which must be its own. */
struct slice without_length(const struct buffer *wire);

/* The address that the answerer sees. */
struct slice observed_address(void);

/* Seals one record, as on the wire; the caller frees it. */
struct buffer record_of(session_t *session, const char *text, bool last);

/* The record (without its length) opens as this text. */
void assert_opens(session_t *session, struct slice record, const char *text, bool is_last);

/* It is refused with these words in the reason, gives nothing, and nothing opens after it. */
void assert_never_opens(session_t *session, struct slice record, const char *words);

#endif
