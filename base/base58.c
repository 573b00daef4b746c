#include "base/base58.h"

static const char alphabet[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

void base58_encode(const uint8_t *bytes, size_t size, char text[BASE58_TEXT_MAX])
{
    uint8_t digits[BASE58_TEXT_MAX] = {0};
    size_t count = 0, zeros = 0;
    while (zeros < size && bytes[zeros] == 0)
        zeros++;
    for (size_t i = zeros; i < size; i++) {
        unsigned carry = bytes[i];
        for (size_t j = 0; j < count; j++) {
            carry += (unsigned)digits[j] << 8;
            digits[j] = (uint8_t)(carry % 58);
            carry /= 58;
        }
        for (; carry; carry /= 58)
            digits[count++] = (uint8_t)(carry % 58);
    }
    size_t at = 0;
    for (size_t i = 0; i < zeros; i++)
        text[at++] = alphabet[0];
    while (count)
        text[at++] = alphabet[digits[--count]];
    text[at] = 0;
}

int base58_decode(struct slice text, uint8_t *bytes, size_t size)
{
    uint8_t out[BASE58_BYTES_MAX + 1] = {0}; /* least significant byte first */
    size_t count = 0, zeros = 0;
    if (text.size >= BASE58_TEXT_MAX || size > BASE58_BYTES_MAX)
        return ERR_BAD_REQUEST;
    while (zeros < text.size && text.data[zeros] == (uint8_t)alphabet[0])
        zeros++;
    for (size_t i = zeros; i < text.size; i++) {
        const char *digit = text.data[i] ? strchr(alphabet, text.data[i]) : NULL;
        if (!digit)
            return ERR_BAD_REQUEST;
        unsigned carry = (unsigned)(digit - alphabet);
        for (size_t j = 0; j < count; j++) {
            carry += (unsigned)out[j] * 58;
            out[j] = (uint8_t)carry;
            carry >>= 8;
        }
        if (carry) {
            if (count == BASE58_BYTES_MAX)
                return ERR_BAD_REQUEST;
            out[count++] = (uint8_t)carry;
        }
    }
    if (zeros + count != size)
        return ERR_BAD_REQUEST;
    memset(bytes, 0, zeros);
    for (size_t i = 0; i < count; i++)
        bytes[zeros + i] = out[count - 1 - i];
    return 0;
}
