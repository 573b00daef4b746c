/* Files of one read: first byte which, then the file. Of a node's data: its format, its key, its
 * note, its peers; of a person: a writer's key, a CURVE pair, a certificate. */
#include "actors/identity.h"
#include "actors/known_peers.h"
#include "client/handle.h"
#include "proto/hello.h"
#include "store/files.h"
#include "store/note.h"
#include "store/schema.h"
#include "tests/fuzz/file.h"
#include "tests/fuzz/must.h"

#include <unistd.h>

static void read_format(struct slice text)
{
    struct reason why = {""};
    unsigned format = 77;
    file_put("format", text);
    int rc = format_read(file_folder(), &format, &why);
    MUST(rc == 0 || ((rc == ERR_DAMAGED || rc == ERR_NEWER_FORMAT) && why.text[0]));
    MUST(rc || (format >= 1 && format <= FORMAT_VERSION));
}

static void read_identity(struct slice text)
{
    struct identity self, again;
    struct reason why = {""};
    file_put("node.key", text);
    int rc = identity_load(file_folder(), &self, &why);
    MUST(rc == 0 || (rc == ERR_DAMAGED && why.text[0]));
    if (rc == 0) {
        MUST(identity_load(file_folder(), &again, NULL) == 0 && strcmp(self.id, again.id) == 0);
        identity_wipe(&again);
    }
    identity_wipe(&self);
}

/* A note that nobody wrote fits nothing. */
static void read_note(struct slice text)
{
    file_put(STATE_FILE, slice_text("LMDB"));
    file_put("state.note", text);
    MUST(!note_fits(file_folder()));
    note_write(file_folder());
    MUST(note_fits(file_folder()));
    note_forget(file_folder());
    MUST(!note_fits(file_folder()));
}

static void read_peers(struct slice text)
{
    known_peers_t *self = NULL, *again = NULL;
    size_t count, kept;
    file_put("peers", text);
    MUST(known_peers_open(file_folder(), &self, NULL) == 0);
    const struct peer_node *nodes = known_peers_list(self, &count), *others;
    MUST(count <= KNOWN_PEERS_MAX);
    for (size_t i = 0; i < count; i++)
        MUST(hello_is_address(nodes[i].address) && nodes[i].address.size <= PEER_ADDRESS_BYTES_MAX);
    MUST(known_peers_write(self, nodes, count, NULL) == 0);
    MUST(known_peers_open(file_folder(), &again, NULL) == 0);
    others = known_peers_list(again, &kept);
    for (size_t i = 0; i < count && i < kept; i++)
        MUST(memcmp(nodes[i].id, others[i].id, sizeof nodes[i].id) == 0 &&
             slice_equal(nodes[i].address, others[i].address));
    MUST(kept == count);
    known_peers_close(&self);
    known_peers_close(&again);
}

static void read_signer(const char *path)
{
    weir_signer_t *self = NULL;
    struct weir_reason why = {""};
    int rc = weir_signer_load(path, &self, &why);
    MUST(rc == 0 || (rc < 0 && why.text[0] && !self));
    weir_signer_destroy(&self);
}

static void read_curve(const char *path)
{
    char public_key[41] = "", secret_key[41] = "";
    uint8_t key[32];
    struct reason why = {""};
    int rc = curve_load(path, public_key, secret_key, &why);
    MUST(rc == 0 ? strlen(public_key) <= 40 && strlen(secret_key) <= 40
                 : (rc == ERR_BAD_REQUEST || rc == ERR_IO || rc == ERR_DENIED) && why.text[0]);
    rc = curve_key_parse(path, key);
    MUST(rc == 0 || rc == ERR_BAD_REQUEST);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    if (size < 1)
        return 0;
    struct slice text = slice_of(data + 1, size - 1);
    int fd = file_of(text, path);
    switch (data[0] % 6) {
    case 0:
        read_format(text);
        break;
    case 1:
        read_identity(text);
        break;
    case 2:
        read_note(text);
        break;
    case 3:
        read_peers(text);
        break;
    case 4:
        read_signer(path);
        break;
    default:
        read_curve(path);
    }
    (void)close(fd);
    return 0;
}
