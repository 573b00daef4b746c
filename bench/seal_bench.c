/* seal_bench: proto/ alone, in memory, on one core: records of a session beside libsodium's
 * crypto_secretstream, and handshakes beside the X25519 multiplications that they are made of. The
 * median of RUNS runs; each figure stands beside its limit, measured in turn with it.
 *
 *   secretstream SIZE          seal and open, nothing around them
 *   session SIZE               the same through session_seal and session_open, in records
 *   session SIZE packed        1 KiB frames put together by the caller until a record is full
 *   x25519, x25519 base        multiplications of a point, of the base point
 *   handshakes x25519 allows   four of the one and one of the other: what an answerer cannot avoid
 *   handshakes answered        handshake_answer, handshake_read_first, and the result's keys */
#include "bench/common/clock.h"
#include "bench/common/die.h"
#include "proto/handshake.h"
#include "proto/session.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum { RUNS = 9, RUN_BYTES = 64 << 20, MULTIPLICATIONS = 2000, HANDSHAKES = 500 };

static uint8_t noise[64 << 10], opened[RECORD_PLAIN_BYTES_MAX];

struct figure {
    const char *name, *unit;
    double (*run)(void);
    double rates[RUNS];
};

/* CPU time: what other processes take of the core is not counted. */
static uint64_t cpu_ns(void)
{
    return clock_of(CLOCK_PROCESS_CPUTIME_ID);
}

/* --- records --------------------------------------------------------------------------------- */

static double gb_per_s(uint64_t began)
{
    return RUN_BYTES / (double)(cpu_ns() - began);
}

static double run_stream(size_t bytes)
{
    static uint8_t sealed[sizeof noise + RECORD_OVERHEAD_BYTES], plain[sizeof noise];
    crypto_secretstream_xchacha20poly1305_state push, pull;
    uint8_t key[SESSION_KEY_BYTES] = {1}, header[SESSION_HEADER_BYTES], tag;
    unsigned long long size;
    crypto_secretstream_xchacha20poly1305_init_push(&push, header, key);
    if (crypto_secretstream_xchacha20poly1305_init_pull(&pull, header, key))
        die("a header is refused");
    uint64_t began = cpu_ns();
    for (size_t done = 0; done < RUN_BYTES; done += bytes) {
        crypto_secretstream_xchacha20poly1305_push(&push, sealed, &size, noise, bytes, NULL, 0, 0);
        if (crypto_secretstream_xchacha20poly1305_pull(&pull, plain, NULL, &tag, sealed, size, NULL,
                                                       0))
            die("a record does not open");
    }
    return gb_per_s(began);
}

/* Writes of so many bytes, in records of at most `record` each. */
static double run_session(size_t bytes, size_t record)
{
    uint8_t key[SESSION_KEY_BYTES] = {1}, header[SESSION_HEADER_BYTES] = {2};
    session_t *from = session_new(true, key, key, header),
              *to = session_new(false, key, key, header);
    struct buffer wire = {0};
    if (!from || !to)
        die("no memory");
    uint64_t began = cpu_ns();
    for (size_t done = 0; done < RUN_BYTES; done += bytes) {
        buffer_clear(&wire);
        for (size_t at = 0; at < bytes; at += record)
            if (session_seal(from, slice_of(noise + at, record < bytes ? record : bytes), false,
                             &wire))
                die("a record is not sealed");
        for (size_t at = 0; at < wire.size;) {
            size_t size = get_u16(wire.data + at);
            struct slice plain;
            bool last;
            if (session_open(to, slice_of(wire.data + at + RECORD_PREFIX_BYTES, size), opened,
                             &plain, &last, NULL))
                die("a record does not open");
            at += RECORD_PREFIX_BYTES + size;
        }
    }
    double rate = gb_per_s(began);
    session_destroy(&from);
    session_destroy(&to);
    buffer_free(&wire);
    return rate;
}

static double stream_1k(void)
{
    return run_stream(1 << 10);
}

static double session_1k(void)
{
    return run_session(1 << 10, RECORD_PLAIN_BYTES_MAX);
}

static double session_1k_packed(void)
{
    return run_session(RECORD_PLAIN_BYTES_MAX, RECORD_PLAIN_BYTES_MAX);
}

static double stream_64k(void)
{
    return run_stream(64 << 10);
}

static double session_64k(void)
{
    return run_session(64 << 10, RECORD_PLAIN_BYTES_MAX);
}

/* --- handshakes ------------------------------------------------------------------------------ */

static double per_s(uint64_t began, size_t count)
{
    return (double)count * 1e9 / (double)(cpu_ns() - began);
}

static double multiply(void)
{
    uint8_t secret[32] = {5}, point[32];
    crypto_scalarmult_base(point, secret);
    uint64_t began = cpu_ns();
    for (size_t i = 0; i < MULTIPLICATIONS; i++)
        if (crypto_scalarmult(point, secret, point))
            die("a point of small order");
    return per_s(began, MULTIPLICATIONS);
}

static double multiply_base(void)
{
    uint8_t secret[32] = {5};
    uint64_t began = cpu_ns();
    for (size_t i = 0; i < MULTIPLICATIONS; i++)
        crypto_scalarmult_base(secret, secret);
    return per_s(began, MULTIPLICATIONS);
}

/* What an answerer cannot avoid: es, ss, ee, se and a key pair. */
static double allowed(void)
{
    return 1 / (4 / multiply() + 1 / multiply_base());
}

static double answered(void)
{
    struct handshake_config config[2] = {{.version_max = 1, .network = slice_text("bench")},
                                         {.version_max = 1, .network = slice_text("bench")}};
    uint8_t random[HANDSHAKE_RANDOM_BYTES] = {7};
    struct buffer first = {0}, answer = {0};
    struct reason why = {""};
    for (size_t i = 0; i < 2; i++) {
        memset(config[i].secret_key, (int)i + 1, sizeof config[i].secret_key);
        crypto_scalarmult_base(config[i].public_key, config[i].secret_key);
    }
    handshake_t *dialled = handshake_dial(&config[0], config[1].public_key, random, &first, &why);
    if (!dialled)
        die("%s", why.text);
    struct slice message = slice_after(buffer_slice(&first), HANDSHAKE_PREFIX_BYTES);
    uint64_t began = cpu_ns();
    for (size_t i = 0; i < HANDSHAKES; i++) {
        put_u64(random, i);
        buffer_clear(&answer);
        handshake_t *end = handshake_answer(&config[1], random);
        if (!end ||
            handshake_read_first(end, message, slice_text("192.0.2.1:1024"), &answer, &why) ||
            !handshake_result(end))
            die("%s", why.text);
        handshake_destroy(&end);
    }
    double rate = per_s(began, HANDSHAKES);
    handshake_destroy(&dialled);
    buffer_free(&first);
    buffer_free(&answer);
    return rate;
}

/* --- all of them ----------------------------------------------------------------------------- */

static struct figure figures[] = {
    {.name = "secretstream 1 KiB", .unit = "GB_per_s", .run = stream_1k},
    {.name = "session 1 KiB", .unit = "GB_per_s", .run = session_1k},
    {.name = "session 1 KiB packed", .unit = "GB_per_s", .run = session_1k_packed},
    {.name = "secretstream 64 KiB", .unit = "GB_per_s", .run = stream_64k},
    {.name = "session 64 KiB", .unit = "GB_per_s", .run = session_64k},
    {.name = "x25519", .unit = "per_s", .run = multiply},
    {.name = "x25519 base", .unit = "per_s", .run = multiply_base},
    {.name = "handshakes x25519 allows", .unit = "per_s", .run = allowed},
    {.name = "handshakes answered", .unit = "per_s", .run = answered},
};
enum { FIGURES = sizeof figures / sizeof figures[0] };

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(void)
{
    if (sodium_init() < 0)
        die("libsodium does not start");
    randombytes_buf(noise, sizeof noise);
    for (size_t run = 0; run < RUNS; run++)
        for (size_t i = 0; i < FIGURES; i++)
            figures[i].rates[run] = figures[i].run();
    for (size_t i = 0; i < FIGURES; i++) {
        qsort(figures[i].rates, RUNS, sizeof figures[i].rates[0], by_size);
        double median = figures[i].rates[RUNS / 2];
        printf("%s: %.*f %s\n", figures[i].name, median < 1000 ? 3 : 0, median, figures[i].unit);
    }
    return 0;
}
