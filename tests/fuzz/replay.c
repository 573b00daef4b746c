/* replay: runs a fuzz target over its corpus, so that `make check` repeats what fuzzing once found
 * without libFuzzer, and over what the target's own mutations make of each input, the same in each
 * run. The corpus of NAME_fuzz_replay is tests/fuzz/corpus/NAME. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
__attribute__((weak)) size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max,
                                                     unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max);

enum { MUTATIONS = 16, GROWTH = 512 };

/* What libFuzzer's stands for: one byte changed, one more, or one less. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max)
{
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u; /* Numerical Recipes' generator */
    size_t at = size ? (state >> 8) % size : 0;
    if (size < size_max && state >> 31) {
        memmove(data + at + 1, data + at, size - at);
        size++;
    } else if (size > 1 && state >> 30 & 1) {
        memmove(data + at, data + at + 1, size - at - 1);
        return size - 1;
    }
    if (size)
        data[at] = (uint8_t)(state >> 16);
    return size;
}

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

/* Each starts from the last one's outcome. */
static void replay_mutations(const uint8_t *data, size_t size)
{
    size_t size_max = size + GROWTH;
    uint8_t *input = malloc(size_max);
    if (input && size)
        memcpy(input, data, size);
    for (unsigned seed = 0; input && seed < MUTATIONS; seed++) {
        size = LLVMFuzzerCustomMutator(input, size, size_max, seed);
        uint8_t *exact = malloc(size ? size : 1);
        if (exact && size)
            memcpy(exact, input, size);
        if (exact)
            LLVMFuzzerTestOneInput(exact, size);
        free(exact);
    }
    free(input);
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
    if (LLVMFuzzerCustomMutator)
        replay_mutations(data, size);
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
