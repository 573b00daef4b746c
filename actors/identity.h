/* identity: a node's own key pair (X25519), kept in DATA/node.key with mode 0600. The node's id is
 * the public key, written in base58; peers know a node by it and nothing else. */
#ifndef WEIR_ACTORS_IDENTITY_H
#define WEIR_ACTORS_IDENTITY_H

#include "base/base58.h"
#include "base/errors.h"

struct identity {
    uint8_t public_key[32];
    uint8_t secret_key[32];
    char id[BASE58_TEXT_MAX];
};

/* Reads the key file, or makes it. ERR_IO, ERR_DAMAGED with a sentence. The caller wipes it with
 * identity_wipe. */
MUST_USE int identity_load(const char *data_dir, struct identity *self, struct reason *why);
void identity_wipe(struct identity *self);

#endif
