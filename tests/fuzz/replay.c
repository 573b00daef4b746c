/* replay: runs a fuzz target over its corpus, so that `make check` repeats what fuzzing once found
 * without libFuzzer. The corpus of NAME_fuzz_replay is tests/fuzz/corpus/NAME. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input in an allocation of exactly its size, so that AddressSanitizer sees a read past it. */
static uint8_t *read_whole(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    uint8_t *data = NULL;
    if (fseek(file, 0, SEEK_END) == 0) {
        long end = ftell(file);
        rewind(file);
        *size = end > 0 ? (size_t)end : 0;
        data = malloc(*size ? *size : 1);
        if (data && fread(data, 1, *size, file) != *size) {
            free(data);
            data = NULL;
        }
    }
    fclose(file);
    return data;
}

static int replay(const char *folder, const char *name)
{
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (length < 0 || (size_t)length >= sizeof path)
        return -1;
    size_t size = 0;
    uint8_t *data = read_whole(path, &size);
    if (!data)
        return -1;
    printf("# %s\n", path); /* the last one printed is the one that broke it */
    fflush(stdout);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 0;
}

int main(int argc, char **argv)
{
    (void)argc;
    const char *slash = strrchr(argv[0], '/');
    const char *program = slash ? slash + 1 : argv[0];
    const char *end = strstr(program, "_fuzz");
    char folder[256];
    snprintf(folder, sizeof folder, "tests/fuzz/corpus/%.*s",
             end ? (int)(end - program) : (int)strlen(program), program);

    DIR *corpus = opendir(folder);
    if (!corpus) {
        printf("not ok - there is no corpus in %s\n", folder);
        return 1;
    }
    unsigned inputs = 0, unread = 0;
    for (struct dirent *row; (row = readdir(corpus));) {
        if (row->d_name[0] == '.')
            continue;
        inputs++;
        unread += replay(folder, row->d_name) != 0;
    }
    closedir(corpus);
    printf("%sok - %s: %u inputs replayed\n", inputs && !unread ? "" : "not ", folder,
           inputs - unread);
    return inputs && !unread ? 0 : 1;
}
