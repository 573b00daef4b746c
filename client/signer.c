/* signer: key files.
 *
 *   weir-writer-key 1          a writer's Ed25519 pair: the public key, and the seed (32 bytes)
 *   public BASE58              from which RFC 8032 derives the secret
 *   secret BASE58
 *
 * and czmq's zcert files (ZPL) for CURVE: FILE with the public key, for the node, and FILE_secret
 * with both. What holds a secret has mode 0600; nothing is overwritten. */
#include "base/base58.h"
#include "client/handle.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_FILE_BYTES_MAX = 4096 };

#define KEY_FILE_TITLE "weir-writer-key 1\n"

static struct weir_signer *signer_from_seed(const uint8_t seed[32])
{
    if (sodium_init() < 0)
        return NULL;
    struct weir_signer *self = calloc(1, sizeof *self);
    if (self)
        self->secret = sodium_malloc(crypto_sign_SECRETKEYBYTES);
    if (!self || !self->secret) {
        free(self);
        return NULL;
    }
    crypto_sign_seed_keypair(self->public_key, self->secret, seed);
    sodium_mprotect_readonly(self->secret);
    return self;
}

weir_signer_t *weir_signer_new(void)
{
    uint8_t seed[32];
    if (sodium_init() < 0)
        return NULL;
    randombytes_buf(seed, sizeof seed);
    weir_signer_t *self = signer_from_seed(seed);
    sodium_memzero(seed, sizeof seed);
    return self;
}

void weir_signer_destroy(weir_signer_t **signer)
{
    if (*signer) {
        sodium_free((*signer)->secret);
        free(*signer);
    }
    *signer = NULL;
}

const uint8_t *weir_signer_public(const weir_signer_t *signer)
{
    return signer->public_key;
}

/* --- files ----------------------------------------------------------------------------------- */

/* Writes a new file that its owner alone may read. */
static int write_secret(const char *path, const char *text, struct reason *why)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(why, ERR_IO, "%s cannot be made: %s", path, strerror(errno));
    size_t size = strlen(text);
    bool good = write(fd, text, size) == (ssize_t)size && fsync(fd) == 0;
    int error = errno;
    good = close(fd) == 0 && good;
    if (good)
        return 0;
    unlink(path);
    return fail(why, ERR_IO, "%s cannot be written: %s", path, strerror(error));
}

/* Reads a file that its owner alone may read, terminated. */
static int read_secret(const char *path, char text[KEY_FILE_BYTES_MAX], struct reason *why)
{
    struct stat stat;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, text, KEY_FILE_BYTES_MAX - 1);
    int rc = 0;
    if (size < 0 || fstat(fd, &stat))
        rc = fail(why, ERR_IO, "%s cannot be read: %s", path, strerror(errno));
    else if (stat.st_mode & (S_IRWXG | S_IRWXO))
        rc = fail(why, ERR_DENIED, "%s is open to others; run chmod 600 on it", path);
    if (fd >= 0)
        close(fd);
    if (!rc)
        text[size] = 0;
    return rc;
}

int weir_signer_save(const weir_signer_t *signer, const char *path, struct weir_reason *why)
{
    char text[KEY_FILE_BYTES_MAX], public_text[BASE58_TEXT_MAX], secret_text[BASE58_TEXT_MAX];
    uint8_t seed[32];
    crypto_sign_ed25519_sk_to_seed(seed, signer->secret);
    base58_encode(signer->public_key, sizeof signer->public_key, public_text);
    base58_encode(seed, sizeof seed, secret_text);
    snprintf(text, sizeof text, KEY_FILE_TITLE "public %s\nsecret %s\n", public_text, secret_text);
    int rc = write_secret(path, text, (struct reason *)why);
    sodium_memzero(text, sizeof text);
    sodium_memzero(secret_text, sizeof secret_text);
    sodium_memzero(seed, sizeof seed);
    return rc;
}

/* The word after `name` at a line's start; empty when there is none. */
static struct slice word_after(const char *text, const char *name)
{
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, strlen(name)) == 0) {
            const char *word = line + strlen(name);
            return slice_of(word, strcspn(word, "\r\n"));
        }
    }
    return slice_of(NULL, 0);
}

static int parse_key_file(const char *text, weir_signer_t **signer)
{
    uint8_t seed[32], public_key[WRITER_KEY_BYTES];
    weir_signer_t *self = NULL;
    int rc = ERR_BAD_REQUEST;
    if (strncmp(text, KEY_FILE_TITLE, strlen(KEY_FILE_TITLE)) == 0 &&
        base58_decode(word_after(text, "secret "), seed, sizeof seed) == 0 &&
        base58_decode(word_after(text, "public "), public_key, sizeof public_key) == 0) {
        self = signer_from_seed(seed);
        rc = self ? 0 : ERR_NO_MEMORY;
        if (self && memcmp(public_key, self->public_key, sizeof public_key))
            rc = ERR_BAD_REQUEST;
    }
    sodium_memzero(seed, sizeof seed);
    if (rc)
        weir_signer_destroy(&self);
    else
        *signer = self;
    return rc;
}

int weir_signer_load(const char *path, weir_signer_t **signer, struct weir_reason *why)
{
    char text[KEY_FILE_BYTES_MAX];
    int rc = read_secret(path, text, (struct reason *)why);
    if (rc)
        return rc;
    rc = parse_key_file(text, signer);
    sodium_memzero(text, sizeof text);
    if (rc == ERR_BAD_REQUEST)
        return fail((struct reason *)why, rc, "%s is not a writer's key file", path);
    return rc ? fail((struct reason *)why, rc, "%s", error_text(rc)) : 0;
}

/* --- CURVE ----------------------------------------------------------------------------------- */

enum { Z85_KEY = 40 };

/* Where czmq's zcert keeps the pair that belongs to a public certificate. */
static int secret_path(const char *path, char secret[4096], struct reason *why)
{
    int size = snprintf(secret, 4096, "%s_secret", path);
    return size < 0 || size >= 4096 ? fail(why, ERR_IO, "the path is too long") : 0;
}

static int write_public(const char *path, const char *text, struct reason *why)
{
    FILE *file = fopen(path, "wx");
    bool good = file && fputs(text, file) >= 0;
    good = file && fclose(file) == 0 && good;
    return good ? 0 : fail(why, ERR_IO, "%s cannot be made: %s", path, strerror(errno));
}

int weir_curve_new(const char *path, char public_key[41], struct weir_reason *why)
{
    char text[512], secret_file[4096], public_text[41], secret_text[41];
    if (zmq_curve_keypair(public_text, secret_text))
        return fail((struct reason *)why, ERR_INTERNAL, "libzmq was built without CURVE");
    int rc = secret_path(path, secret_file, (struct reason *)why);
    snprintf(text, sizeof text, "metadata\ncurve\n    public-key = \"%s\"\n", public_text);
    if (!rc)
        rc = write_public(path, text, (struct reason *)why);
    size_t used = strlen(text);
    snprintf(text + used, sizeof text - used, "    secret-key = \"%s\"\n", secret_text);
    if (!rc)
        rc = write_secret(secret_file, text, (struct reason *)why);
    sodium_memzero(text, sizeof text);
    sodium_memzero(secret_text, sizeof secret_text);
    if (!rc)
        memcpy(public_key, public_text, sizeof public_text);
    return rc;
}

/* The quoted 40 characters after `name`; false when there are none. */
static bool quoted_key(const char *text, const char *name, char key[41])
{
    const char *at = strstr(text, name);
    at = at ? strchr(at, '"') : NULL;
    if (!at || strlen(at) < Z85_KEY + 2 || at[Z85_KEY + 1] != '"')
        return false;
    memcpy(key, at + 1, Z85_KEY);
    key[Z85_KEY] = 0;
    return true;
}

/* The public key in a certificate file, which is no secret. *has_secret: the secret one stands
 * there too. */
static bool read_certificate(const char *path, char public_key[41], bool *has_secret)
{
    char text[KEY_FILE_BYTES_MAX] = "";
    FILE *file = fopen(path, "r");
    size_t size = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file)
        fclose(file);
    text[size] = 0;
    bool found = quoted_key(text, "public-key", public_key);
    *has_secret = strstr(text, "secret-key") != NULL;
    sodium_memzero(text, sizeof text);
    return found;
}

int curve_load(const char *path, char public_key[41], char secret_key[41], struct reason *why)
{
    char text[KEY_FILE_BYTES_MAX], secret_file[4096];
    bool has_secret;
    int rc = secret_path(path, secret_file, why);
    bool apart = !rc && (access(secret_file, F_OK) == 0 || errno != ENOENT);
    if (!rc && !apart && read_certificate(path, public_key, &has_secret) && !has_secret)
        rc =
            fail(why, ERR_IO,
                 "%s, with the secret key of the pair, is missing: copy it from where the pair was "
                 "made, or make one with `weir keys new --curve FILE`",
                 secret_file);
    if (!rc)
        rc = read_secret(apart ? secret_file : path, text, why);
    if (rc)
        return rc;
    if (!quoted_key(text, "public-key", public_key) || !quoted_key(text, "secret-key", secret_key))
        rc = fail(why, ERR_BAD_REQUEST, "%s is not a CURVE key file with its secret key", path);
    sodium_memzero(text, sizeof text);
    return rc;
}

int curve_key_parse(const char *text, uint8_t key[32])
{
    char public_key[Z85_KEY + 1];
    bool has_secret;
    if (strlen(text) == Z85_KEY && zmq_z85_decode(key, text))
        return 0;
    if (base58_decode(slice_text(text), key, 32) == 0)
        return 0;
    return read_certificate(text, public_key, &has_secret) && zmq_z85_decode(key, public_key)
               ? 0
               : ERR_BAD_REQUEST;
}
