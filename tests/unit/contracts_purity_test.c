/* lesson M5: no clock, no random number and no fact of the node comes into contracts/: it includes
 * nothing that could tell them. (make lint also looks at what the objects call.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <glob.h>
#include <cmocka.h>

static bool may_include(const char *name)
{
    static const char *const prefixes[] = {
        "\"base/",   "\"contracts/", "<sodium/crypto_", "<sodium/utils.h>" /* memzero */,
        "<stdio.h>", "<stdlib.h>",   "<stdarg.h>",
    };
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

static size_t check_includes(const char *path)
{
    static const char directive[] = "#include ";
    char line[1024];
    size_t count = 0;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    for (; fgets(line, sizeof line, file); count++)
        if (strncmp(line, directive, sizeof directive - 1) == 0 &&
            !may_include(line + sizeof directive - 1))
            fail_msg("%s: %s", path, line);
    (void)fclose(file);
    return count;
}

static void contracts_include_no_clock_no_random_source_and_no_file(void **state)
{
    (void)state;
    glob_t files;
    size_t lines = 0;
    assert_int_equal(glob("contracts/*.[ch]", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++)
        lines += check_includes(files.gl_pathv[i]);
    assert_true(lines > 1000);
    globfree(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contracts_include_no_clock_no_random_source_and_no_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
