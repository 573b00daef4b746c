#include "tests/support/fake_peer.h"

#include "proto/peer_protocol.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_S = 30 }; /* only a fault takes that long */

void fake_peer_init(struct fake_peer *self)
{
    assert_true(sodium_init() >= 0);
    (void)crypto_box_keypair(self->public_key, self->secret_key);
    base58_encode(self->public_key, sizeof self->public_key, self->id);
}

static int reach(const char *address)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    struct timeval patience = {.tv_sec = PATIENCE_S};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    to.sin_port = htons((uint16_t)strtoul(strrchr(address, ':') + 1, NULL, 10));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)(const void *)&to, sizeof to), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    return fd;
}

static void write_out(int fd, struct buffer *out)
{
    assert_false(buffer_failed(out));
    assert_int_equal(send(fd, out->data, out->size, MSG_NOSIGNAL), (ssize_t)out->size);
    out->size = 0;
}

static void say(int fd, session_t *session, struct slice plain, bool last)
{
    struct buffer out = {0};
    assert_int_equal(session_seal(session, plain, last, &out), 0);
    write_out(fd, &out);
    buffer_free(&out);
}

static session_t *start_session(int fd, const handshake_t *handshake)
{
    const struct handshake_result *result = handshake_result(handshake);
    session_t *session = session_new(result->initiator, result->send_key, result->receive_key,
                                     result->stream_header);
    assert_non_null(session);
    say(fd, session, slice_of(NULL, 0), false);
    return session;
}

/* The handshake after its first message, which is appended. config is made here, and lent to it. */
static handshake_t *begin(const struct fake_peer *self, const char *node_id,
                          struct handshake_config *config, struct buffer *out)
{
    uint8_t node[32], random[HANDSHAKE_RANDOM_BYTES];
    struct reason why = {""};
    *config = (struct handshake_config){.network = slice_text("weir"),
                                        .version_min = PEER_PROTOCOL_MIN,
                                        .version_max = PEER_PROTOCOL_MAX,
                                        .role = ROLE_peer};
    memcpy(config->secret_key, self->secret_key, sizeof config->secret_key);
    memcpy(config->public_key, self->public_key, sizeof config->public_key);
    assert_int_equal(base58_decode(slice_text(node_id), node, sizeof node), 0);
    randombytes_buf(random, sizeof random);
    handshake_t *handshake = handshake_dial(config, node, random, out, &why);
    assert_non_null(handshake);
    return handshake;
}

void fake_peer_first_words(const struct fake_peer *self, const char *node_id, struct buffer *out)
{
    struct handshake_config config;
    handshake_t *handshake = begin(self, node_id, &config, out);
    handshake_destroy(&handshake);
}

int fake_peer_join(const struct fake_peer *self, const char *node_id, const char *address,
                   session_t **session)
{
    uint8_t size[2], answer[HANDSHAKE_BYTES_MAX];
    struct handshake_config config;
    struct buffer out = {0};
    struct reason why = {""};
    int fd = reach(address);
    handshake_t *handshake = begin(self, node_id, &config, &out);
    write_out(fd, &out);
    assert_int_equal(recv(fd, size, sizeof size, MSG_WAITALL), sizeof size);
    size_t length = (size_t)size[0] << 8 | size[1];
    assert_true(length <= sizeof answer);
    assert_int_equal(recv(fd, answer, length, MSG_WAITALL), (ssize_t)length);
    if (handshake_read_answer(handshake, slice_of(answer, length), &why) != 0)
        fail_msg("the node refuses: %s", why.text);
    session_t *started = start_session(fd, handshake);
    if (session)
        *session = started;
    else
        session_destroy(&started);
    handshake_destroy(&handshake);
    buffer_free(&out);
    return fd;
}

void fake_peer_say_goodbye(int fd, session_t *session)
{
    say(fd, session, slice_text("stopping: this node stops"), true);
}

void fake_peer_reset(int fd)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    (void)close(fd);
}
