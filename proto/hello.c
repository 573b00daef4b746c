#include "proto/hello.h"

CODEC_LAYOUT(hello, HELLO_FIELDS)
CODEC_LAYOUT(verdict, VERDICT_FIELDS)

static const struct {
    const char *name, *text;
} refusals[REFUSAL_COUNT] = {
#define X(name, code, text) [code] = {#name, text},
    REFUSALS(X)
#undef X
};

bool hello_is_address(struct slice text)
{
    size_t colon = text.size, port = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] <= ' ' || text.data[i] > '~')
            return false;
        if (text.data[i] == ':')
            colon = i;
    }
    if (colon == 0 || colon >= text.size - 1 || text.size - colon > sizeof "65535")
        return false;
    for (size_t i = colon + 1; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        port = 10 * port + (size_t)(text.data[i] - '0');
    }
    return port > 0 && port <= UINT16_MAX;
}

bool hello_is_any_host(struct slice address)
{
    static const char *const any[] = {"0.0.0.0:", "[::]:"};
    for (size_t i = 0; i < sizeof any / sizeof any[0]; i++)
        if (address.size >= strlen(any[i]) && memcmp(address.data, any[i], strlen(any[i])) == 0)
            return true;
    return false;
}

bool hello_is_well_formed(const struct hello *hello)
{
    return hello->version_min <= hello->version_max && hello->role <= ROLE_gateway &&
           (hello->address.size == 0 || hello_is_address(hello->address));
}

const char *refusal_name(enum refusal refusal)
{
    return refusals[refusal].name;
}

const char *refusal_text(enum refusal refusal)
{
    return refusals[refusal].text;
}
