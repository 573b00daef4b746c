/* link_bench: two transports over one TCP connection of the loopback, a thread each; what comes is
 * freed at once, nothing is stored. Beside each figure its limit, measured in the same run on one
 * core: libsodium's crypto_secretstream (seal and open, nothing around them), and the X25519
 * multiplications that an answerer cannot avoid.
 *
 *   link SIZE               messages of SIZE through sockets, lanes, sealing and opening
 *   link SIZE, a core       the same by the CPU time of the busier of the two threads
 *   handshakes answered     by the CPU time of the answering end
 *
 *   link_bench [SECONDS] */
#include "actors/peer_tcp.h"
#include "actors/transport.h"
#include "bench/common/arguments.h"
#include "bench/common/clock.h"
#include "bench/common/die.h"

#include <poll.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { QUEUE_BYTES = 512 << 10, DIALS_AT_ONCE = 16, MULTIPLICATIONS = 2000 };

struct node {
    struct handshake_config config;
    peer_tcp_t *tcp;
    transport_t *transport;
    struct outbox out;
    peer_t live;
    struct peer_traffic *traffic;
    size_t message_bytes; /* of those sent; 0: sends none */
    uint64_t bytes, messages, opened, closed;
    uint64_t cpu_ns;
};

static struct node nodes[2];
static atomic_bool over;
static struct now now;

static void node_new(struct node *self, uint8_t secret, const char *listen)
{
    struct reason why = {""};
    self->config = (struct handshake_config){
        .network = slice_text("bench"), .version_min = 1, .version_max = 1};
    memset(self->config.secret_key, secret, sizeof self->config.secret_key);
    (void)crypto_scalarmult_base(self->config.public_key, self->config.secret_key);
    if (peer_tcp_new(listen, &self->tcp, &why))
        die("%s", why.text);
    const struct transport_options options = {.wire = peer_tcp_wire(self->tcp),
                                              .config = self->config};
    self->transport = transport_new(&options);
    if (!self->transport)
        die("no memory");
    self->out.from = ACTOR_transport;
}

static void node_free(struct node *self)
{
    mail_free(&self->out.mail);
    peer_traffic_release(&self->traffic);
    transport_destroy(&self->transport);
    peer_tcp_destroy(&self->tcp);
    *self = (struct node){.tcp = NULL};
}

static void give(struct node *self, enum actor_id from, enum message_kind kind,
                 struct message *message)
{
    if (!message)
        die("no memory");
    message->kind = (uint8_t)kind;
    message->from = (uint8_t)from;
    transport_spec.receive(self->transport, message, now, &self->out);
}

static void dial(struct node *self, const struct node *to)
{
    static peer_t number;
    struct dial *dial = message_new(sizeof *dial);
    if (!dial)
        die("no memory");
    dial->number = number += 2;
    memcpy(dial->id.bytes, to->config.public_key, NODE_ID_BYTES);
    (void)snprintf(dial->address, sizeof dial->address, "%s", peer_tcp_bound(to->tcp));
    give(self, ACTOR_connections, MESSAGE_DIAL, &dial->head);
}

static void on_opened(struct node *self, struct opened *opened, bool stay)
{
    struct peer_order *order = message_new(sizeof *order);
    if (!order)
        die("no memory");
    self->opened++;
    self->live = order->number = opened->number;
    order->reason = CLOSE_removed;
    if (stay) {
        self->traffic = opened->traffic;
        opened->traffic = NULL;
    }
    give(self, ACTOR_connections, stay ? MESSAGE_ADMIT : MESSAGE_HANG_UP, &order->head);
}

/* What transport sent to others. */
static void take(struct node *self, bool stay)
{
    for (struct message *m = mail_pop(&self->out.mail); m; m = mail_pop(&self->out.mail)) {
        if (m->kind == MESSAGE_OPENED) {
            on_opened(self, (struct opened *)m, stay);
        } else if (m->kind == MESSAGE_CLOSED) {
            self->closed++;
        } else if (m->kind == MESSAGE_PEER_MAIL) {
            self->bytes += ((struct peer_mail *)m)->body.delta.entries.size;
            self->messages++;
        }
        message_free(&m);
    }
}

static bool send_some(struct node *self)
{
    static uint8_t noise[64 << 10];
    bool any = false;
    while (self->message_bytes && self->traffic && self->traffic->queue < QUEUE_BYTES) {
        struct peer_delta delta = {.entries = slice_of(noise, self->message_bytes)};
        struct peer_send *send = peer_send_new(
            self->live, self->message_bytes > 8192 ? LANE_bulk : LANE_small, PEER_DELTA, &delta);
        give(self, ACTOR_sync, MESSAGE_PEER_SEND, send ? &send->head : NULL);
        any = true;
    }
    return any;
}

/* As the runner's turn. */
static void turn(struct node *self, bool stay)
{
    const struct peer_wire *wire = peer_tcp_wire(self->tcp);
    bool busy = transport_spec.pump(self->transport, now, &self->out);
    take(self, stay);
    if (transport_spec.deadline_ms(self->transport) <= now.ms) {
        transport_spec.tick(self->transport, now, &self->out);
        busy = true;
    }
    busy |= send_some(self);
    transport_spec.turn_end(self->transport, now, &self->out);
    take(self, stay);
    struct pollfd fd = {.fd = wire->descriptor(wire->self), .events = POLLIN};
    if (!busy)
        (void)poll(&fd, 1, 1);
}

/* --- a stream -------------------------------------------------------------------------------- */

static void *receive_all(void *argument)
{
    struct node *self = argument;
    while (!atomic_load(&over))
        turn(self, true);
    self->cpu_ns = clock_of(CLOCK_THREAD_CPUTIME_ID);
    return NULL;
}

static double run_stream(size_t bytes)
{
    enum { RUN = 64 << 20 };
    static uint8_t plain[64 << 10], sealed[sizeof plain + 17], opened[sizeof plain];
    crypto_secretstream_xchacha20poly1305_state push, pull;
    uint8_t key[32] = {1}, header[24];
    unsigned char tag;
    (void)crypto_secretstream_xchacha20poly1305_init_push(&push, header, key);
    (void)crypto_secretstream_xchacha20poly1305_init_pull(&pull, header, key);
    uint64_t began = clock_of(CLOCK_THREAD_CPUTIME_ID);
    for (size_t done = 0; done < RUN; done += bytes) {
        (void)crypto_secretstream_xchacha20poly1305_push(&push, sealed, NULL, plain, bytes, NULL, 0,
                                                         0);
        if (crypto_secretstream_xchacha20poly1305_pull(&pull, opened, NULL, &tag, sealed,
                                                       bytes + 17, NULL, 0))
            die("a record does not open");
    }
    /* of one of the two, as each end of a connection does one of them */
    return 2.0 * RUN / (double)(clock_of(CLOCK_THREAD_CPUTIME_ID) - began);
}

static void bench_link(const char *name, size_t bytes, double seconds)
{
    pthread_t thread;
    double limit = run_stream(bytes);
    node_new(&nodes[0], 1, NULL);
    node_new(&nodes[1], 2, "127.0.0.1:0");
    atomic_store(&over, false);
    dial(&nodes[0], &nodes[1]);
    uint64_t cpu = clock_of(CLOCK_THREAD_CPUTIME_ID), began = now_ns(), spent = 0;
    if (pthread_create(&thread, NULL, receive_all, &nodes[1]) != 0)
        die("no thread");
    nodes[0].message_bytes = bytes;
    while ((double)(spent = now_ns() - began) < seconds * 1e9)
        turn(&nodes[0], true);
    cpu = clock_of(CLOCK_THREAD_CPUTIME_ID) - cpu;
    atomic_store(&over, true);
    (void)pthread_join(thread, NULL);
    uint64_t busier = cpu > nodes[1].cpu_ns ? cpu : nodes[1].cpu_ns;
    printf("link %s: %.3f GB/s\n", name, (double)nodes[1].bytes / (double)spent);
    printf("link %s, a core: %.3f GB/s\n", name, (double)nodes[1].bytes / (double)busier);
    printf("secretstream %s, one way: %.3f GB/s\n", name, limit);
    printf("secretstream %s, seal and open: %.3f GB/s\n", name, limit / 2);
    node_free(&nodes[0]);
    node_free(&nodes[1]);
}

/* --- handshakes ------------------------------------------------------------------------------ */

/* What an answerer cannot avoid: a key pair, and four multiplications of points. */
static double handshakes_allowed(void)
{
    uint8_t point[32], scalar[32] = {7};
    (void)crypto_scalarmult_base(point, scalar);
    uint64_t began = clock_of(CLOCK_THREAD_CPUTIME_ID);
    for (int i = 0; i < MULTIPLICATIONS; i++)
        if (crypto_scalarmult(point, scalar, point))
            die("x25519");
    uint64_t point_ns = clock_of(CLOCK_THREAD_CPUTIME_ID) - began;
    began = clock_of(CLOCK_THREAD_CPUTIME_ID);
    for (int i = 0; i < MULTIPLICATIONS; i++)
        (void)crypto_scalarmult_base(scalar, scalar);
    uint64_t base_ns = clock_of(CLOCK_THREAD_CPUTIME_ID) - began;
    return 1e9 * MULTIPLICATIONS / (4.0 * (double)point_ns + (double)base_ns);
}

/* Both in one thread, in turns: a second one would share the core's units with the first, as the
 * limit does not. */
static void bench_handshakes(double seconds)
{
    double allowed = handshakes_allowed();
    uint64_t cpu = 0, dialled = 0, began = now_ns();
    node_new(&nodes[0], 1, NULL);
    node_new(&nodes[1], 2, "127.0.0.1:0");
    while ((double)(now_ns() - began) < seconds * 1e9) {
        for (; dialled - nodes[0].closed < DIALS_AT_ONCE; dialled++)
            dial(&nodes[0], &nodes[1]);
        turn(&nodes[0], false);
        uint64_t before = clock_of(CLOCK_THREAD_CPUTIME_ID);
        turn(&nodes[1], false);
        cpu += clock_of(CLOCK_THREAD_CPUTIME_ID) - before;
    }
    printf("handshakes answered: %.0f 1/s\n", (double)nodes[1].opened / ((double)cpu / 1e9));
    printf("handshakes x25519 allows: %.0f 1/s\n", allowed);
    node_free(&nodes[0]);
    node_free(&nodes[1]);
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? argument_seconds(argv[1]) : 2;
    if (sodium_init() < 0)
        die("libsodium");
    now.ms = now_ns() / 1000000;
    bench_link("1 KiB", 1 << 10, seconds);
    bench_link("64 KiB", 64 << 10, seconds);
    bench_handshakes(seconds);
    return 0;
}
