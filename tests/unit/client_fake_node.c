#include "tests/unit/client_fake_node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#include <cmocka.h>

void fake_node_return(struct fake_node *self)
{
    int none = 0;
    self->context = zmq_ctx_new();
    self->router = zmq_socket(self->context, ZMQ_ROUTER);
    assert_non_null(self->router);
    zmq_setsockopt(self->router, ZMQ_LINGER, &none, sizeof none);
    assert_int_equal(zmq_bind(self->router, self->endpoint), 0);
}

void fake_node_start(struct fake_node *self)
{
    snprintf(self->dir, sizeof self->dir, "/tmp/weir-test-XXXXXX");
    assert_non_null(mkdtemp(self->dir));
    snprintf(self->endpoint, sizeof self->endpoint, "ipc://%s/weir.sock", self->dir);
    fake_node_return(self);
}

void fake_node_go(struct fake_node *self)
{
    zmq_close(self->router);
    self->router = NULL;
    zmq_ctx_term(self->context); /* waits until nothing listens any more */
}

void fake_node_end(struct fake_node *self)
{
    if (self->router)
        fake_node_go(self);
    unlink(self->endpoint + strlen("ipc://"));
    rmdir(self->dir);
}

static time_t deadline(void)
{
    return time(NULL) + FAKE_WAIT_MS_MAX / 1000;
}

static struct slice take_frame(void *router, bool *more)
{
    zmq_msg_t m;
    zmq_msg_init(&m);
    assert_true(zmq_msg_recv(&m, router, 0) >= 0);
    size_t size = zmq_msg_size(&m);
    uint8_t *copy = malloc(size + 1);
    assert_non_null(copy);
    memcpy(copy, zmq_msg_data(&m), size);
    *more = zmq_msg_more(&m);
    zmq_msg_close(&m);
    return slice_of(copy, size);
}

static void copy_out(struct slice frame, uint8_t *to, size_t room, size_t *size)
{
    assert_true(frame.size <= room);
    memcpy(to, frame.data, frame.size);
    *size = frame.size;
}

bool fake_node_is_asked(const struct fake_node *self, weir_t *w, const int *over)
{
    zmq_pollitem_t item = {self->router, 0, ZMQ_POLLIN, 0};
    for (time_t end = deadline(); zmq_poll(&item, 1, 1) == 0;) {
        if (*over)
            return false;
        assert_true(weir_step(w, 0) >= 0);
        assert_true(time(NULL) < end);
    }
    return true;
}

void fake_node_take(struct fake_node *self, weir_t *w, struct fake_request *request)
{
    const int never = 0;
    struct slice frames[FAKE_FRAMES_MAX + 4];
    size_t count = 0, verb_bytes;
    bool more = true;
    (void)fake_node_is_asked(self, w, &never);
    while (more) {
        assert_true(count < FAKE_FRAMES_MAX + 4);
        frames[count] = take_frame(self->router, &more);
        count++;
    }
    assert_true(count >= 4);
    assert_true(slice_is(frames[1], "WEIR1"));
    *request = (struct fake_request){.count = count - 4};
    copy_out(frames[0], request->peer, sizeof request->peer, &request->peer_bytes);
    copy_out(frames[2], request->id, sizeof request->id, &request->id_bytes);
    copy_out(frames[3], (uint8_t *)request->verb, sizeof request->verb - 1, &verb_bytes);
    for (size_t i = 0; i < count; i++) {
        if (i >= 4)
            request->args[i - 4] = frames[i];
        else
            free((void *)(uintptr_t)frames[i].data);
    }
}

void fake_node_expect(struct fake_node *self, weir_t *w, const char *verb,
                      struct fake_request *request)
{
    fake_node_take(self, w, request);
    assert_string_equal(request->verb, verb);
}

void fake_request_free(struct fake_request *request)
{
    for (size_t i = 0; i < request->count; i++)
        free((void *)(uintptr_t)request->args[i].data);
    request->count = 0;
}

void fake_node_reply(struct fake_node *self, const struct fake_request *to,
                     const struct slice *frames, size_t count)
{
    zmq_send(self->router, to->peer, to->peer_bytes, ZMQ_SNDMORE);
    zmq_send(self->router, "WEIR1", 5, ZMQ_SNDMORE);
    zmq_send(self->router, to->id, to->id_bytes, count ? ZMQ_SNDMORE : 0);
    for (size_t i = 0; i < count; i++)
        assert_true(zmq_send(self->router, frames[i].data, frames[i].size,
                             i + 1 < count ? ZMQ_SNDMORE : 0) >= 0);
}

void see_reply(weir_t *w, const struct weir_reply *reply, void *arg)
{
    struct seen_reply *seen = (struct seen_reply *)arg;
    (void)w;
    seen->calls++;
    seen->code = reply->code;
    seen->changed = reply->changed;
    (void)snprintf(seen->sentence, sizeof seen->sentence, "%s", reply->sentence);
}

void step_until(weir_t *w, const int *flag)
{
    for (time_t end = deadline(); !*flag;) {
        assert_true(weir_step(w, 100) >= 0);
        assert_true(time(NULL) < end);
    }
}
