/* Frames of a client request. The input: one byte for --max-state, then frames, each with its size
 * in a byte before it. */
#include "proto/client_protocol.h"
#include "tests/fuzz/must.h"

enum { FRAMES_MAX = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice frames[FRAMES_MAX], id = slice_of(NULL, 0), rest = slice_of(data, size);
    size_t count = 0;
    if (size < 1)
        return 0;
    for (rest = slice_after(rest, 1); rest.size && count < FRAMES_MAX; count++) {
        size_t bytes = rest.data[0] < rest.size ? rest.data[0] : rest.size - 1;
        frames[count] = slice_of(rest.data + 1, bytes);
        rest = slice_after(rest, 1 + bytes);
    }
    enum verb verb = VERB_COUNT;
    struct reason why = {""};
    int rc = client_request_check(frames, count, data[0], &verb, &why);
    bool has_id = client_request_id(frames, count, &id);
    if (rc) {
        MUST(rc == ERR_BAD_REQUEST || rc == ERR_TOO_LARGE);
        MUST(why.text[0]);
        return 0;
    }
    MUST(verb < VERB_COUNT && slice_is(frames[2], client_verbs[verb].name));
    MUST(count - 3 >= client_verbs[verb].args_min && count - 3 <= client_verbs[verb].args_max);
    MUST(has_id && id.size >= 1 && id.size <= REQUEST_ID_BYTES_MAX && id.data == frames[1].data);
    MUST(client_verb_find(frames[2]) == verb);
    return 0;
}
