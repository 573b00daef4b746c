/* A session between two ends and a wire that does what the input says. First byte: bit 0 one key in
 * both directions. Then steps of two bytes, what and how much:
 *
 *   0 seal and deliver    1 seal and lose    2 seal a goodbye and deliver   3 deliver the last
 * again 4 reflect the last    5 flip one bit of the next   6 cut the next   7 bytes of the input
 *
 * What opens is always the record that is next, unchanged; after a refusal or a goodbye nothing
 * does. */
#include "proto/session.h"
#include "tests/fuzz/must.h"

enum { TEXT_BYTES = 64 };

struct wire {
    session_t *from, *to;
    struct buffer last;       /* the record sealed last, as on the wire */
    uint8_t text[TEXT_BYTES]; /* its plaintext */
    size_t text_bytes;
    uint64_t sealed, delivered; /* records */
    bool over;                  /* nothing may open any more */
};

static bool seal(struct wire *self, uint8_t amount, bool goodbye)
{
    self->text_bytes = amount % TEXT_BYTES;
    memset(self->text, amount, self->text_bytes);
    struct buffer record = {0};
    int rc = session_seal(self->from, slice_of(self->text, self->text_bytes), goodbye, &record);
    if (rc) {
        MUST(rc == ERR_DENIED && record.size == 0);
        return false;
    }
    buffer_free(&self->last);
    self->last = record;
    MUST(get_u16(record.data) == record.size - RECORD_PREFIX_BYTES);
    MUST(session_sealed(self->from) == ++self->sealed);
    return true;
}

/* honest: it is the record sealed last, and it is next. */
static void deliver(struct wire *self, struct slice record, bool honest, bool goodbye)
{
    static uint8_t into[RECORD_PLAIN_BYTES_MAX];
    struct slice plain;
    struct reason why = {""};
    bool last = false;
    int rc = session_open(self->to, record, into, &plain, &last, &why);
    honest = honest && !self->over;
    MUST((rc == 0) == honest);
    self->over = self->over || rc || last;
    if (rc) {
        MUST((rc == ERR_DENIED || rc == ERR_BAD_REQUEST) && why.text[0]);
        return;
    }
    MUST(slice_equal(plain, slice_of(self->text, self->text_bytes)) && last == goodbye);
    MUST(session_opened(self->to) == ++self->delivered);
}

static struct slice last_record(const struct wire *self)
{
    if (self->last.size == 0)
        return slice_of(NULL, 0);
    return slice_after(buffer_slice(&self->last), RECORD_PREFIX_BYTES);
}

static void reflect(struct wire *self)
{
    static uint8_t into[RECORD_PLAIN_BYTES_MAX];
    struct slice plain;
    bool last;
    MUST(session_open(self->from, last_record(self), into, &plain, &last, NULL) != 0);
}

static void step(struct wire *self, uint8_t what, uint8_t amount, struct slice rest)
{
    bool next = self->delivered == self->sealed; /* the record sealed now will be the next */
    switch (what % 8) {
    case 0:
    case 2:
        if (seal(self, amount, what % 8 == 2))
            deliver(self, last_record(self), next, what % 8 == 2);
        break;
    case 1:
        (void)seal(self, amount, false);
        break;
    case 3: /* one that was lost may come late, and still be the next */
        deliver(self, last_record(self), self->delivered + 1 == self->sealed, false);
        break;
    case 4:
        reflect(self);
        break;
    case 5:
        if (!seal(self, amount, false))
            break;
        self->last.data[RECORD_PREFIX_BYTES + amount % (self->last.size - RECORD_PREFIX_BYTES)] ^=
            (uint8_t)(1u << amount % 8);
        deliver(self, last_record(self), false, false);
        break;
    case 6:
        if (seal(self, amount, false))
            deliver(self, slice_of(last_record(self).data, amount % last_record(self).size), false,
                    false);
        break;
    default:
        deliver(self, rest, false, false);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t keys[2][SESSION_KEY_BYTES] = {{1}, {2}};
    static const uint8_t header[SESSION_HEADER_BYTES] = {3};
    if (size < 1)
        return 0;
    const uint8_t *back = keys[data[0] % 2];
    struct wire wire = {.from = session_new(true, keys[0], back, header),
                        .to = session_new(false, back, keys[0], header)};
    MUST(wire.from && wire.to);
    for (size_t at = 1; at + 2 <= size; at += 2)
        step(&wire, data[at], data[at + 1], slice_of(data + at + 2, size - at - 2));
    session_destroy(&wire.from);
    session_destroy(&wire.to);
    buffer_free(&wire.last);
    return 0;
}
