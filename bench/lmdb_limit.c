/* lmdb_limit: what LMDB itself takes for the entries of a state: one writer, keys in order, synced
 * transactions of TRANSACTION_BYTES. Prints `seconds VALUE`.
 *
 *   lmdb_limit DIR ENTRIES BYTES      DIR is made; BYTES: key and value of an entry together */
#include "bench/common/arguments.h"
#include "bench/common/clock.h"
#include "bench/common/die.h"

#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { PREFIX_BYTES = 32, NAME_BYTES = 8, VALUE_BYTES_MAX = 65536, TRANSACTION_BYTES = 8 << 20 };

static void must(int rc)
{
    if (rc)
        die("LMDB: %s", mdb_strerror(rc));
}

static void write_all(MDB_env *env, size_t entries, size_t bytes)
{
    static uint8_t value[VALUE_BYTES_MAX];
    uint64_t random = now_ns() | 1;
    size_t each = TRANSACTION_BYTES / bytes;
    for (size_t at = 0; at < entries;) {
        MDB_txn *txn;
        MDB_dbi dbi;
        must(mdb_txn_begin(env, NULL, 0, &txn));
        must(mdb_dbi_open(txn, NULL, 0, &dbi));
        for (size_t end = at + each; at < end && at < entries; at++) {
            char key[PREFIX_BYTES + NAME_BYTES + 1];
            uint64_t change = random_next(&random);
            (void)snprintf(key, sizeof key, "%0*d%0*zu", PREFIX_BYTES, 7, NAME_BYTES, at);
            memcpy(value, &change, sizeof change);
            must(mdb_put(txn, dbi, &(MDB_val){PREFIX_BYTES + NAME_BYTES, key},
                         &(MDB_val){bytes - NAME_BYTES, value}, 0));
        }
        must(mdb_txn_commit(txn));
    }
}

int main(int argc, char **argv)
{
    MDB_env *env;
    if (argc != 4)
        die("usage: lmdb_limit DIR ENTRIES BYTES");
    size_t entries = argument_number(argv[2], 10000000), bytes = argument_number(argv[3], 65536);
    if (bytes < NAME_BYTES + sizeof(uint64_t))
        die("entries of %zu bytes are too small", bytes);
    if (mkdir(argv[1], 0700))
        die("%s: %s", argv[1], strerror(errno));
    must(mdb_env_create(&env));
    must(mdb_env_set_mapsize(env, entries * (bytes + 512) * 2 + (64u << 20)));
    must(mdb_env_open(env, argv[1], 0, 0600));
    uint64_t began = now_ns();
    write_all(env, entries, bytes);
    printf("seconds %.4f\n", (double)(now_ns() - began) / 1e9);
    mdb_env_close(env);
    return 0;
}
