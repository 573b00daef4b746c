/* disk_limit: what the disk gives at best to a durable log: overwriting a preallocated, written
 * file in order, and fdatasync after each write.
 *
 *   disk_limit FILE BYTES SECONDS        makes FILE and removes it */
#include "bench/common/arguments.h"
#include "bench/common/clock.h"
#include "bench/common/die.h"
#include "bench/common/latencies.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_BYTES = 16 << 20 };

static void write_at(int file, const void *bytes, size_t size, off_t offset)
{
    if (pwrite(file, bytes, size, offset) != (ssize_t)size)
        die("write: %s", strerror(errno));
}

static void sync_file(int file)
{
    if (fdatasync(file))
        die("fdatasync: %s", strerror(errno));
}

static int prepared_file(const char *path, const void *bytes, size_t size)
{
    int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        die("%s: %s", path, strerror(errno));
    for (off_t at = 0; at < FILE_BYTES; at += (off_t)size)
        write_at(file, bytes, size, at);
    if (fsync(file))
        die("%s: %s", path, strerror(errno));
    return file;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        die("usage: disk_limit FILE BYTES SECONDS");
    size_t size = argument_number(argv[2], FILE_BYTES);
    double seconds = argument_seconds(argv[3]);
    if (size == 0 || FILE_BYTES % size)
        die("%s is no divisor of %d bytes", argv[2], FILE_BYTES);
    uint8_t *bytes = malloc(size);
    if (!bytes)
        die("no memory");
    memset(bytes, 0x5a, size);
    int file = prepared_file(argv[1], bytes, size);
    struct latencies latencies = {0};
    uint64_t begin = now_ns(), end = begin + (uint64_t)(seconds * 1e9), now = begin;
    for (off_t at = 0; now < end; at = (at + (off_t)size) % FILE_BYTES) {
        uint64_t start = now;
        memcpy(bytes, &start, sizeof start < size ? sizeof start : size);
        write_at(file, bytes, size, at);
        sync_file(file);
        now = now_ns();
        latencies_add(&latencies, now - start);
    }
    printf("per_s %.1f\n", (double)latencies.count / ((double)(now - begin) / 1e9));
    printf("p50_us %.1f\n", latencies_us(&latencies, 0.5));
    printf("p99_us %.1f\n", latencies_us(&latencies, 0.99));
    latencies_free(&latencies);
    free(bytes);
    close(file);
    unlink(argv[1]);
    return 0;
}
