#include "base/base58.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* From the Base58 draft (draft-msporny-base58) and Bitcoin's test vectors. */
static const struct {
    const char *bytes, *text;
    size_t size;
} vectors[] = {
    {"", "", 0},
    {"Hello World!", "2NEpo7TZRRrLZSi2U", 12},
    {"The quick brown fox jumps over the lazy dog.",
     "USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z", 44},
    {"\0\0\x28\x7f\xb4\xcd", "11233QC4", 6},
    {"\0\0\0\0\0\0\0\0\0\0", "1111111111", 10},
    {"\x61", "2g", 1},
    {"\x51\x6b\x6f\xcd\x0f", "ABnLTmg", 5},
    {"\x00\xeb\x15\x23\x1d\xfc\xeb\x60\x92\x58\x86\xb6\x7d\x06\x52\x99\x92\x59\x15\xae\xb1\x72\xc0"
     "\x66\x47",
     "1NS17iag9jJgTHD1VXjvLCEnZuQ3rJDE9L", 25},
};

static void known_bytes_give_known_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        char text[BASE58_TEXT_MAX];
        base58_encode((const uint8_t *)vectors[i].bytes, vectors[i].size, text);
        assert_string_equal(text, vectors[i].text);
    }
}

static void known_text_gives_known_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        uint8_t bytes[BASE58_BYTES_MAX];
        assert_int_equal(base58_decode(slice_text(vectors[i].text), bytes, vectors[i].size), 0);
        assert_memory_equal(bytes, vectors[i].bytes, vectors[i].size);
    }
}

static void the_largest_value_goes_there_and_back(void **state)
{
    (void)state;
    uint8_t bytes[BASE58_BYTES_MAX], back[BASE58_BYTES_MAX];
    char text[BASE58_TEXT_MAX];
    memset(bytes, 255, sizeof bytes);
    base58_encode(bytes, sizeof bytes, text);
    assert_int_equal(base58_decode(slice_text(text), back, sizeof back), 0);
    assert_memory_equal(bytes, back, sizeof bytes);
}

static void bad_text_is_refused_and_the_output_untouched(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "2NEpo7TZRRrLZSi20",
        "2NEpo7TZRRrLZSi2O",
        "2NEpo7TZRRrLZSi2I",
        "2NEpo7TZRRrLZSi2l",
        "2NEpo7TZRRrLZSi2 ",
        "2NEpo7TZRRrLZSi2\xff",
        "2NEpo7TZRRrLZSi",    /* a byte short */
        "2NEpo7TZRRrLZSi2UU", /* a digit long */
        "12NEpo7TZRRrLZSi2U", /* a zero byte more */
        "",
        "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
        "111111111111111111111111111111111111111111111111111111111111111111111111",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uint8_t bytes[12] = "untouched 12";
        assert_int_equal(base58_decode(slice_text(texts[i]), bytes, sizeof bytes), ERR_BAD_REQUEST);
        assert_memory_equal(bytes, "untouched 12", sizeof bytes);
    }
    uint8_t bytes[12];
    assert_int_equal(base58_decode(slice_of("2NEpo7TZ\0RrLZSi2U", 17), bytes, 12), ERR_BAD_REQUEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_bytes_give_known_text),
        cmocka_unit_test(known_text_gives_known_bytes),
        cmocka_unit_test(the_largest_value_goes_there_and_back),
        cmocka_unit_test(bad_text_is_refused_and_the_output_untouched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
