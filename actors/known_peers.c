#include "actors/known_peers.h"

#include "base/base58.h"
#include "base/trace.h"
#include "proto/hello.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = BASE58_TEXT_MAX + PEER_ADDRESS_BYTES_MAX + 3 };

struct known_peers {
    char path[4200], fresh[4200]; /* fresh: what is renamed to path */
    struct peer_node nodes[KNOWN_PEERS_MAX];
    char addresses[KNOWN_PEERS_MAX][PEER_ADDRESS_BYTES_MAX + 1];
    size_t count;
};

/* The node of a line without its end. */
static bool read_line(known_peers_t *self, struct slice line)
{
    const uint8_t *at = line.size ? (const uint8_t *)memchr(line.data, '@', line.size) : NULL;
    struct peer_node *node = &self->nodes[self->count];
    if (!at)
        return false;
    struct slice id = slice_of(line.data, (size_t)(at - line.data));
    struct slice address = slice_after(line, id.size + 1);
    if (base58_decode(id, node->id, sizeof node->id) != 0 || !hello_is_address(address) ||
        address.size > PEER_ADDRESS_BYTES_MAX)
        return false;
    memcpy(self->addresses[self->count], address.data, address.size);
    node->address = slice_of(self->addresses[self->count], address.size);
    self->count++;
    return true;
}

static void read_file(known_peers_t *self, FILE *file)
{
    char line[LINE_MAX_BYTES];
    for (unsigned number = 1; self->count < KNOWN_PEERS_MAX && fgets(line, sizeof line, file);
         number++) {
        size_t size = strcspn(line, "\r\n");
        bool whole = line[size] != 0;
        for (int c = 0; !whole && c != EOF && c != '\n';)
            c = fgetc(file); /* the rest of a line that is too long to be one of ours */
        if (size && !read_line(self, slice_of(line, size)))
            trace(TRACE_warn, "%s: line %u is not ID@HOST:PORT and is passed over", self->path,
                  number);
    }
}

int known_peers_open(const char *data_dir, known_peers_t **self, struct reason *why)
{
    known_peers_t *made = (known_peers_t *)calloc(1, sizeof *made);
    if (!made)
        return fail(why, ERR_NO_MEMORY, "out of memory");
    (void)snprintf(made->path, sizeof made->path, "%s/peers", data_dir);
    (void)snprintf(made->fresh, sizeof made->fresh, "%s/peers.new", data_dir);
    FILE *file = fopen(made->path, "re");
    if (!file && errno != ENOENT) {
        int rc = fail(why, ERR_IO, "%s: %s", made->path, strerror(errno));
        free(made);
        return rc;
    }
    if (file) {
        read_file(made, file);
        (void)fclose(file);
    }
    *self = made;
    return 0;
}

void known_peers_close(known_peers_t **self)
{
    free(*self);
    *self = NULL;
}

const struct peer_node *known_peers_list(const known_peers_t *self, size_t *count)
{
    *count = self->count;
    return self->nodes;
}

static bool write_lines(FILE *file, const struct peer_node *nodes, size_t count)
{
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        char id[BASE58_TEXT_MAX];
        base58_encode(nodes[i].id, sizeof nodes[i].id, id);
        if (nodes[i].address.size)
            good &= fprintf(file, "%s@%.*s\n", id, (int)nodes[i].address.size,
                            (const char *)nodes[i].address.data) > 0;
    }
    return good && fflush(file) == 0 && fdatasync(fileno(file)) == 0;
}

int known_peers_write(known_peers_t *self, const struct peer_node *nodes, size_t count,
                      struct reason *why)
{
    FILE *file = fopen(self->fresh, "we");
    bool good = file && write_lines(file, nodes, count);
    int error = errno;
    if (file && fclose(file) != 0 && good) {
        good = false;
        error = errno;
    }
    if (good && rename(self->fresh, self->path) != 0) {
        good = false;
        error = errno;
    }
    if (good)
        return 0;
    (void)unlink(self->fresh);
    return fail(why, ERR_IO, "%s: %s", self->path, strerror(error));
}
