/* codec: one list of fields gives a message its struct and its encoding.
 *
 *   #define PING_FIELDS(F, M) F (M, u64, sent_us, 0, "clock of the sender") F (M, bytes, note, 64,
 * "…") CODEC_STRUCT (ping, PING_FIELDS)          in the header: struct ping, extern const struct
 * layout CODEC_LAYOUT (ping, PING_FIELDS)          in one file: ping_layout
 *
 * Field kinds: u8 u16 u32 u64 (big-endian), fixed (max bytes, exactly), bytes (u32 length, at most
 * max). One encoding a value: fields in order, nothing between them, nothing after them.
 *
 * The loops here are the only encode, decode, equal and print in the project. */
#ifndef WEIR_BASE_CODEC_H
#define WEIR_BASE_CODEC_H

#include "base/buffer.h"
#include "base/errors.h"

enum field_kind { FIELD_u8, FIELD_u16, FIELD_u32, FIELD_u64, FIELD_fixed, FIELD_bytes };

struct field {
    const char *name;
    enum field_kind kind;
    size_t offset;    /* in the struct */
    size_t bytes_max; /* of fixed (exactly) and bytes (at most) */
    const char *doc;
};

struct layout {
    const char *name;
    const struct field *fields;
    size_t count;
    size_t struct_bytes;
};

#define CODEC_MEMBER_u8(name, max)    uint8_t name;
#define CODEC_MEMBER_u16(name, max)   uint16_t name;
#define CODEC_MEMBER_u32(name, max)   uint32_t name;
#define CODEC_MEMBER_u64(name, max)   uint64_t name;
#define CODEC_MEMBER_fixed(name, max) uint8_t name[max];
#define CODEC_MEMBER_bytes(name, max) struct slice name;

#define CODEC_MEMBER(M, kind, name, max, doc) CODEC_MEMBER_##kind(name, max)
#define CODEC_ROW(M, kind, name, max, doc)                                                         \
    {#name, FIELD_##kind, offsetof(struct M, name), (size_t)(max), doc},

#define CODEC_STRUCT(M, LIST)                                                                      \
    struct M {                                                                                     \
        LIST(CODEC_MEMBER, M)                                                                      \
    };                                                                                             \
    extern const struct layout M##_layout;

#define CODEC_LAYOUT(M, LIST)                                                                      \
    static const struct field M##_fields[] = {LIST(CODEC_ROW, M)};                                 \
    const struct layout M##_layout = {#M, M##_fields, sizeof M##_fields / sizeof M##_fields[0],    \
                                      sizeof(struct M)};

/* Appends the encoding of message (a struct of this layout). ERR_TOO_LARGE when a bytes field is
 * over its limit (nothing is appended), ERR_NO_MEMORY. */
MUST_USE int codec_encode(const struct layout *layout, const void *message, struct buffer *out);

/* Size of the encoding. */
size_t codec_size(const struct layout *layout, const void *message);

/* Reads one message that fills the input. Byte fields borrow from the input. ERR_BAD_REQUEST (with
 * the field named in why) for short, trailing or over-long bytes; message is untouched then. */
MUST_USE int codec_decode(const struct layout *layout, struct slice in, void *message,
                          struct reason *why);

/* The same for a message at the start of the input; *used tells how many bytes it took. */
MUST_USE int codec_decode_prefix(const struct layout *layout, struct slice in, void *message,
                                 size_t *used, struct reason *why);

bool codec_equal(const struct layout *layout, const void *a, const void *b);

/* Appends `name{field=value field=hex…}` for traces; long bytes are cut to their first 16. */
void codec_print(const struct layout *layout, const void *message, struct buffer *out);

#endif
