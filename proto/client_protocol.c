#include "proto/client_protocol.h"

const struct verb_row client_verbs[VERB_COUNT] = {
#define V(name, least, most, sizes, doc) {#name, least, most, sizes, doc},
    CLIENT_VERBS(V)
#undef V
};

enum { FRAMES_BEFORE_ARGUMENTS = 3 };

enum verb client_verb_find(struct slice name)
{
    for (int v = 0; v < VERB_COUNT; v++)
        if (slice_is(name, client_verbs[v].name))
            return (enum verb)v;
    return VERB_COUNT;
}

bool client_request_id(const struct slice *frames, size_t count, struct slice *id)
{
    if (count < 2 || !slice_is(frames[0], CLIENT_PROTOCOL_NAME))
        return false;
    if (frames[1].size < 1 || frames[1].size > REQUEST_ID_BYTES_MAX)
        return false;
    *id = frames[1];
    return true;
}

struct size_rule {
    char letter;
    size_t least, most;
    const char *what;
};

/* Is the argument's size one that its letter allows? */
static int check_size(char letter, struct slice arg, uint64_t state_bytes_max, struct reason *why)
{
    static const struct size_rule rules[] = {
        {'k', 32, 32, "contract key"},
        {'n', 1, KIND_NAME_BYTES_MAX, "kind"},
        {'p', 0, PARAMS_BYTES_MAX, "parameters"},
        {'s', 0, SIZE_MAX, "state"},
        {'e', 0, ENTRY_KEY_BYTES_MAX, "entry key"},
        {'f', 0, 32, "fingerprint"},
        {'w', 1, 32, "operation"},
        {'o', 0, ENTRY_VALUE_BYTES_MAX, "operand"},
        {'t', 1, 4096, "text"},
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const struct size_rule *r = &rules[i];
        if (r->letter != letter)
            continue;
        size_t most =
            letter == 's' && state_bytes_max < SIZE_MAX ? (size_t)state_bytes_max : r->most;
        if (arg.size > most && r->most != r->least)
            return fail(why, ERR_TOO_LARGE, "%s of %zu bytes: at most %zu", r->what, arg.size,
                        most);
        if (arg.size < r->least || arg.size > most || (letter == 'f' && arg.size % 32))
            return fail(why, ERR_BAD_REQUEST, "%s of %zu bytes: %s%zu are wanted", r->what,
                        arg.size, letter == 'f' ? "0 or " : "", letter == 'f' ? most : r->least);
        return 0;
    }
    return fail(why, ERR_INTERNAL, "no rule for argument '%c'", letter);
}

int client_request_check(const struct slice *frames, size_t count, uint64_t state_bytes_max,
                         enum verb *verb, struct reason *why)
{
    struct slice id;
    if (count < 1 || !slice_is(frames[0], CLIENT_PROTOCOL_NAME))
        return fail(why, ERR_BAD_REQUEST, "the first frame must be " CLIENT_PROTOCOL_NAME);
    if (!client_request_id(frames, count, &id))
        return fail(why, ERR_BAD_REQUEST, "the second frame must be a request id of 1 to %u bytes",
                    REQUEST_ID_BYTES_MAX);
    if (count < FRAMES_BEFORE_ARGUMENTS)
        return fail(why, ERR_BAD_REQUEST, "the third frame must be a verb");
    enum verb found = client_verb_find(frames[2]);
    if (found == VERB_COUNT)
        return fail(why, ERR_BAD_REQUEST, "there is no such verb; %s …",
                    "PUT GET UPDATE EDIT SUBSCRIBE");
    const struct verb_row *row = &client_verbs[found];
    size_t args = count - FRAMES_BEFORE_ARGUMENTS;
    if (args < row->args_min || args > row->args_max)
        return fail(why, ERR_BAD_REQUEST, "%s takes %s; %zu arguments came", row->name,
                    row->args_max ? row->doc : "no arguments", args);
    if (found == VERB_GET && args == 2)
        return fail(why, ERR_BAD_REQUEST, "GET takes a key alone or a key with first and last");
    size_t letters = strlen(row->sizes);
    for (size_t i = 0; i < args; i++) {
        char letter = row->sizes[i < letters ? i : letters - 1];
        int rc = check_size(letter, frames[FRAMES_BEFORE_ARGUMENTS + i], state_bytes_max, why);
        if (rc)
            return rc;
    }
    *verb = found;
    return 0;
}
