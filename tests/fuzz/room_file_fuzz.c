/* A room's file in a book. First byte 0: the file as it is; else its lines, given their sum, so
 * that what stands behind it is reached. What is read is written as it was read. */
#include "client/room_book_file.h"

#include "base/buffer.h"
#include "tests/fuzz/file.h"
#include "tests/fuzz/must.h"

#include <sodium.h>
#include <unistd.h>

static void append_sum(struct buffer *text)
{
    uint8_t sum[16];
    char line[4 + 2 * sizeof sum + 2] = "sum ";
    crypto_generichash(sum, sizeof sum, text->data, text->size, NULL, 0);
    sodium_bin2hex(line + 4, sizeof line - 4, sum, sizeof sum);
    line[4 + 2 * sizeof sum] = '\n';
    buffer_append(text, line, sizeof line - 1);
}

static void write_again(const struct room_file *file)
{
    struct room_file again = {0};
    struct reason why = {""};
    char path[PATH_ROOM], key[WEIR_KEY_TEXT_MAX];
    MUST(room_file_write(file_folder(), file, &why) == 0);
    weir_key_print(file->entry.key, key);
    (void)snprintf(path, sizeof path, "%s/%s" ROOM_FILE_SUFFIX, file_folder(), key);
    MUST(room_file_read(path, &again, &why) == 0);
    MUST(memcmp(again.entry.key, file->entry.key, sizeof again.entry.key) == 0);
    MUST(memcmp(again.entry.read, file->entry.read, sizeof again.entry.read) == 0);
    MUST(strcmp(again.entry.name, file->entry.name) == 0);
    MUST(slice_equal(slice_of(again.card, again.card_size), slice_of(file->card, file->card_size)));
    room_file_free(&again);
    (void)unlink(path);
}

static void read_file(struct slice text)
{
    struct room_file file = {0};
    struct reason why = {""};
    char path[64];
    int fd = file_of(text, path);
    int rc = room_file_read(path, &file, &why);
    (void)close(fd);
    if (rc) {
        MUST((rc == ERR_BAD_REQUEST || rc == ERR_IO) && why.text[0] && !file.card);
        return;
    }
    MUST(room_file_name_is_good(file.entry.name) && file.card_size > 0);
    write_again(&file);
    room_file_free(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer text = {0};
    if (size < 1)
        return 0;
    buffer_append(&text, data + 1, size - 1);
    if (data[0])
        append_sum(&text);
    read_file(buffer_slice(&text));
    buffer_free(&text);
    return 0;
}
