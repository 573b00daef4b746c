#include "store/failure.h"

#include <errno.h>
#include <lmdb.h>

static const struct {
    int foreign, ours;
    const char *advice;
} rows[] = {
    {ENOSPC, ERR_STORE_FULL, "; make room on the disk"},
    {EDQUOT, ERR_STORE_FULL, "; raise the quota"},
    {EFBIG, ERR_STORE_FULL, "; the file system allows no larger file"},
    {ENOMEM, ERR_NO_MEMORY, ""},
    {EACCES, ERR_IO, "; check who owns it"},
    {EROFS, ERR_IO, "; the file system is read-only"},
    {EMFILE, ERR_IO, "; raise the limit of open files"},
    {MDB_MAP_FULL, ERR_AGAIN, ""},
    {MDB_TXN_FULL, ERR_AGAIN, ""},
    {MDB_INVALID, ERR_DAMAGED, "; restore it from a backup"},
    {MDB_CORRUPTED, ERR_DAMAGED, "; restore it from a backup"},
    {MDB_PAGE_NOTFOUND, ERR_DAMAGED, "; restore it from a backup"},
    {MDB_BAD_TXN, ERR_IO, ""},
    {MDB_VERSION_MISMATCH, ERR_NEWER_FORMAT, "; it was written by another LMDB"},
};

int store_failure(struct reason *why, int code, const char *doing, const char *path)
{
    int ours = ERR_IO;
    const char *advice = "";
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].foreign == code) {
            ours = rows[i].ours;
            advice = rows[i].advice;
        }
    return fail(why, ours, "cannot %s %s: %s%s", doing, path, mdb_strerror(code), advice);
}
