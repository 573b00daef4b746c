/* The exchanges of docs/protocol.md, sent to a node over a plain DEALER socket: what comes back is
 * what the document says, frame for frame and byte for byte. */
#include "base/slice.h"
#include "tests/support/document.h"
#include "tests/support/process.h"

#include <czmq.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { ANSWER_MS_MAX = 60000, EXPECTED_MAX = 2 }; /* only a fault takes that long */

struct session {
    char data[64];
    struct process process;
    zsock_t *socket;
};

static int start(void **state)
{
    static struct session session;
    data_dir_new(session.data);
    process_start(&session.process, session.data, NULL);
    session.socket = zsock_new_dealer(session.process.endpoint);
    if (!session.socket)
        return -1;
    zsock_set_rcvtimeo(session.socket, ANSWER_MS_MAX);
    *state = &session;
    return 0;
}

static int stop(void **state)
{
    struct session *session = *state;
    zsock_destroy(&session->socket);
    int status = process_stop(&session->process);
    data_dir_remove(session->data);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static void send_frames(zsock_t *socket, const struct buffer *frames, size_t count)
{
    zmsg_t *message = zmsg_new();
    for (size_t i = 0; i < count; i++)
        zmsg_addmem(message, frames[i].data, frames[i].size);
    assert_int_equal(zmsg_send(&message, socket), 0);
}

/* The frames as the document writes them. */
static void print_frames(zmsg_t *message, char text[LINE_BYTES_MAX])
{
    size_t used = 0;
    text[0] = 0;
    for (zframe_t *f = zmsg_first(message); f; f = zmsg_next(message)) {
        const uint8_t *data = zframe_data(f);
        if (used && used < LINE_BYTES_MAX - 1)
            used += (size_t)snprintf(text + used, LINE_BYTES_MAX - used, ",");
        for (size_t i = 0; i < zframe_size(f) && used < LINE_BYTES_MAX - 3; i++)
            used += (size_t)snprintf(text + used, LINE_BYTES_MAX - used, "%02x", data[i]);
    }
}

/* A reply and a notification may come in either order. */
static void expect(zsock_t *socket, char wanted[EXPECTED_MAX][LINE_BYTES_MAX], size_t count,
                   const char *line)
{
    bool came[EXPECTED_MAX] = {false};
    for (size_t i = 0; i < count; i++) {
        char text[LINE_BYTES_MAX];
        zmsg_t *message = zmsg_recv(socket);
        if (!message)
            fail_msg("nothing came for: %s", line);
        print_frames(message, text);
        zmsg_destroy(&message);
        size_t j = 0;
        while (j < count && (came[j] || strcmp(text, wanted[j]) != 0))
            j++;
        if (j == count)
            fail_msg("%s came for: %s", text, line);
        came[j] = true;
    }
}

static size_t exchanges;

static void exchange(void *self, const char *line)
{
    zsock_t *socket = (zsock_t *)self;
    char wanted[EXPECTED_MAX][LINE_BYTES_MAX];
    struct buffer frames[LIST_MAX];
    if (strncmp(line, "exchange ", 9) != 0)
        return;
    size_t count = line_list(line, "send", frames), expected = 1;
    line_word(line, "receive", wanted[0]);
    if (strstr(line, " notify="))
        line_word(line, "notify", wanted[expected++]);
    send_frames(socket, frames, count);
    expect(socket, wanted, expected, line);
    line_list_free(frames, count);
    exchanges++;
}

static void a_node_answers_the_documents_exchanges_byte_for_byte(void **state)
{
    struct session *session = *state;
    char *document = document_read("docs/protocol.md");
    assert_non_null(document);
    document_lines(document, exchange, session->socket);
    free(document);
    assert_true(exchanges >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_answers_the_documents_exchanges_byte_for_byte),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
