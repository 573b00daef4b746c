/* Lanes: what the frames of a record are, which message goes first, and that credit bounds what a
 * receiver holds without stopping anything else. */
#include "proto/lanes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <cmocka.h>

static uint8_t record[RECORD_PLAIN_BYTES_MAX];

struct item {
    struct lane_item lane;
    enum lane in;
    uint32_t number;
};

static uint8_t byte_at(uint32_t number, size_t at)
{
    return (uint8_t)(number * 7 + at * 31 + (at >> 8));
}

static struct lane_item *queue(struct lanes *lanes, enum lane lane, uint32_t number, size_t size)
{
    struct item *item = (struct item *)calloc(1, sizeof *item);
    assert_non_null(item);
    *item = (struct item){.lane.bytes = blob_new(size), .in = lane, .number = number};
    assert_non_null(item->lane.bytes);
    for (size_t i = 0; i < size; i++)
        item->lane.bytes->data[i] = byte_at(number, i);
    lanes_queue(lanes, lane, &item->lane);
    return &item->lane;
}

static size_t free_items(struct lane_item *chain)
{
    size_t count = 0;
    for (struct lane_item *next; chain; chain = next, count++) {
        next = chain->next;
        blob_release(&chain->bytes);
        free(chain);
    }
    return count;
}

static void lanes_end(struct lanes *lanes)
{
    (void)free_items(lanes_take_back(lanes));
    lanes_free(lanes);
}

static size_t fill(struct lanes *lanes, size_t *sent)
{
    struct lane_item *done = NULL;
    size_t size = lanes_fill(lanes, record, sizeof record, &done), count = free_items(done);
    if (sent)
        *sent = count;
    return size;
}

/* How many payload bytes of a lane stand in the first `size` bytes of the record. */
static size_t bytes_of_lane(size_t size, enum lane lane)
{
    size_t bytes = 0;
    for (size_t at = 0; at < size;) {
        size_t piece = get_u16(record + at + 1);
        if ((record[at] & ~LANE_LAST) == (unsigned)lane)
            bytes += piece;
        at += LANE_HEAD_BYTES + piece;
    }
    return bytes;
}

/* The example of docs/protocol.md, section 10. */
static void a_record_has_these_bytes(void **unused)
{
    (void)unused;
    static const uint8_t golden[] = {0x83, 0, 5,  2,    0, 4, 0,    0,  0x80, 0,
                                     2,    5, 36, 0x82, 0, 3, 0xff, 30, 61};
    struct lanes lanes;
    lanes_init(&lanes);
    lanes.in[LANE_bulk].used = 256 << 10;
    lanes_done(&lanes, LANE_bulk, 256 << 10);
    queue(&lanes, LANE_bulk, 73, 3);
    queue(&lanes, LANE_control, 110, 2);
    lanes.out[LANE_control].first->bytes->data[0] = 5;
    lanes.out[LANE_control].first->bytes->data[1] = 36;
    lanes.out[LANE_bulk].first->bytes->data[1] = 30;
    lanes.out[LANE_bulk].first->bytes->data[2] = 61;
    assert_int_equal(fill(&lanes, NULL), sizeof golden);
    assert_memory_equal(record, golden, sizeof golden);
    assert_false(lanes_ready(&lanes));
    assert_int_equal(fill(&lanes, NULL), 0);
    lanes_end(&lanes);
}

/* Between two records a receiver may be done with several times what it tells at once. */
static void grants_that_wait_to_be_told_add_up(void **unused)
{
    (void)unused;
    struct lanes lanes;
    lanes_init(&lanes);
    lanes.in[LANE_small].used = 3 * LANE_GRANT_BYTES;
    for (int i = 0; i < 3; i++)
        lanes_done(&lanes, LANE_small, LANE_GRANT_BYTES);
    assert_int_equal(fill(&lanes, NULL), LANE_HEAD_BYTES + LANE_CREDIT_BYTES);
    assert_int_equal(record[0], LANE_CREDIT);
    assert_int_equal(record[LANE_HEAD_BYTES], LANE_small);
    assert_int_equal(get_u32(record + LANE_HEAD_BYTES + 1), 3 * LANE_GRANT_BYTES);
    lanes_end(&lanes);
}

static void control_goes_before_small_before_bulk(void **unused)
{
    (void)unused;
    struct lanes lanes;
    lanes_init(&lanes);
    queue(&lanes, LANE_bulk, 1, 100);
    queue(&lanes, LANE_small, 2, 100);
    queue(&lanes, LANE_control, 3, 100);
    assert_int_equal(fill(&lanes, NULL), 3 * (LANE_HEAD_BYTES + 100));
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(record[i * (LANE_HEAD_BYTES + 100)], LANE_LAST | i);
    lanes_end(&lanes);
}

static void a_ping_waits_for_one_record_of_fifty_mebibytes(void **unused)
{
    (void)unused;
    struct lanes lanes;
    size_t bulk = 0, records = 0;
    lanes_init(&lanes);
    for (uint32_t i = 0; i < 800; i++)
        queue(&lanes, LANE_bulk, i, 64 << 10);
    while (lanes.waiting_bytes) {
        size_t sent;
        if (records % 100 == 50)
            queue(&lanes, LANE_control, 5, 9);
        size_t size = fill(&lanes, &sent);
        assert_int_equal(bytes_of_lane(size, LANE_control), records % 100 == 50 ? 9 : 0);
        bulk += bytes_of_lane(size, LANE_bulk);
        records++;
        lanes.out[LANE_bulk].credit = LANE_WINDOW_BYTES; /* a receiver that is done at once */
    }
    assert_int_equal(bulk, 50 << 20);
    assert_true(records < (50 << 20) / 16000);
    lanes_end(&lanes);
}

static void a_lane_that_waits_has_a_share_of_each_record(void **unused)
{
    (void)unused;
    struct lanes lanes;
    lanes_init(&lanes);
    for (uint32_t i = 0; i < 100; i++)
        queue(&lanes, LANE_control, i, 1000);
    queue(&lanes, LANE_small, 0, 100000);
    queue(&lanes, LANE_bulk, 0, 100000);
    size_t size = fill(&lanes, NULL);
    assert_true(size > RECORD_PLAIN_BYTES_MAX - LANE_PIECE_BYTES_MIN);
    assert_true(bytes_of_lane(size, LANE_control) >= 7000);
    assert_true(bytes_of_lane(size, LANE_small) >= 4000);
    assert_true(bytes_of_lane(size, LANE_bulk) >= 4000);
    lanes_end(&lanes);
}

/* --- credit ------------------------------------------------------------------------------ */

static int take(struct lanes *lanes, size_t size, struct lane_message *message, struct slice *rest)
{
    struct reason why = {""};
    *rest = slice_of(record, size);
    int rc = lanes_take(lanes, rest, message, &why);
    if (rc < 0)
        fail_msg("%s", why.text);
    return rc;
}

/* lesson C3 */
static void without_credit_a_lane_waits_and_the_others_go_on(void **unused)
{
    (void)unused;
    struct lanes from, to;
    struct lane_message message;
    struct slice rest;
    uint64_t held = 0;
    size_t size;
    lanes_init(&from);
    lanes_init(&to);
    for (uint32_t i = 0; i < 100; i++)
        queue(&from, LANE_bulk, i, 64 << 10);
    while ((size = fill(&from, NULL)) > 0) /* the receiver is done with nothing */
        for (int rc = take(&to, size, &message, &rest); rc;
             rc = lanes_take(&to, &rest, &message, NULL)) {
            free(message.owned);
            held += message.cost;
        }
    assert_true(lanes_held(&to, LANE_bulk) <= LANE_WINDOW_BYTES);
    assert_true(lanes_held(&to, LANE_bulk) > LANE_WINDOW_BYTES - 1024);
    assert_false(lanes_ready(&from));
    queue(&from, LANE_small, 7, 200);
    queue(&from, LANE_control, 8, 9);
    assert_true(lanes_ready(&from));
    size = fill(&from, NULL);
    assert_int_equal(size, 2 * LANE_HEAD_BYTES + 209);
    assert_int_equal(take(&to, size, &message, &rest), 1);
    assert_int_equal(message.lane, LANE_control);
    lanes_done(&to, LANE_bulk, held);
    size = fill(&to, NULL); /* a frame of credit */
    assert_int_equal(size, LANE_HEAD_BYTES + LANE_CREDIT_BYTES);
    assert_int_equal(take(&from, size, &message, &rest), 0);
    assert_true(lanes_ready(&from));
    lanes_end(&from);
    lanes_end(&to);
}

static void the_largest_message_passes_cut_as_finely_as_may_be(void **unused)
{
    (void)unused;
    struct lanes to;
    struct lane_message message;
    struct slice rest;
    lanes_init(&to);
    for (int round = 0; round < 5; round++) {
        size_t left = PEER_MESSAGE_BYTES_MAX;
        int rc = 0;
        while (left) {
            size_t piece = left > LANE_PIECE_BYTES_MIN ? LANE_PIECE_BYTES_MIN : left;
            record[0] = piece == left ? LANE_LAST | LANE_bulk : LANE_bulk;
            put_u16(record + 1, (uint16_t)piece);
            left -= piece;
            assert_true(to.in[LANE_bulk].granted - to.in[LANE_bulk].used >=
                        piece + LANE_FRAME_COST);
            rc = take(&to, LANE_HEAD_BYTES + piece, &message, &rest);
        }
        assert_int_equal(rc, 1);
        assert_int_equal(message.bytes.size, PEER_MESSAGE_BYTES_MAX);
        assert_true(message.cost <= LANE_MESSAGE_COST_MAX);
        free(message.owned);
        lanes_done(&to, LANE_bulk, message.cost);
    }
    lanes_end(&to);
}

/* --- what comes is what was sent --------------------------------------------------------- */

static uint64_t random_state;

static uint32_t below(uint32_t bound)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random_state >> 33) % bound);
}

enum { MESSAGES = 4000 };

struct receiver {
    uint32_t next[LANE_COUNT], expected[LANE_COUNT][MESSAGES];
    size_t sizes[LANE_COUNT][MESSAGES];
    uint64_t undone[LANE_COUNT], received;
};

static void receive(struct receiver *self, const struct lane_message *message)
{
    uint32_t n = self->next[message->lane]++;
    assert_int_equal(message->bytes.size, self->sizes[message->lane][n]);
    for (size_t i = 0; i < message->bytes.size; i++)
        if (message->bytes.data[i] != byte_at(self->expected[message->lane][n], i))
            fail_msg("lane %d, message %u: byte %zu", (int)message->lane, n, i);
    self->undone[message->lane] += message->cost;
    self->received++;
    free(message->owned);
}

static size_t random_size(enum lane lane)
{
    uint32_t most = lane == LANE_control ? 300 : below(10) ? 2000 : 60000;
    return 1 +
           (below(500) ? below(most) : below(lane == LANE_control ? CONTROL_BYTES_MAX : 600000));
}

static void any_mix_of_messages_arrives_whole_and_in_order(void **unused)
{
    (void)unused;
    static struct receiver receiver;
    const char *seed = getenv("SEED");
    struct lanes from, to;
    uint32_t counts[LANE_COUNT] = {0}, queued = 0;
    if (seed)
        random_state = strtoull(seed, NULL, 0);
    else
        assert_int_equal(getrandom(&random_state, sizeof random_state, 0), sizeof random_state);
    print_message("SEED=%llu\n", (unsigned long long)random_state);
    lanes_init(&from);
    lanes_init(&to);
    while (receiver.received < MESSAGES) {
        for (uint32_t n = below(8); n && queued < MESSAGES; n--, queued++) {
            enum lane lane = (enum lane)below(LANE_COUNT);
            size_t size = random_size(lane);
            receiver.expected[lane][counts[lane]] = queued;
            receiver.sizes[lane][counts[lane]++] = size;
            queue(&from, lane, queued, size);
        }
        struct lane_message message;
        struct slice rest;
        size_t size = fill(&from, NULL);
        for (int rc = take(&to, size, &message, &rest); rc;
             rc = lanes_take(&to, &rest, &message, NULL))
            receive(&receiver, &message);
        enum lane lane = (enum lane)below(LANE_COUNT);
        lanes_done(&to, lane, receiver.undone[lane]);
        receiver.undone[lane] = 0;
        if (lanes_ready(&to))
            assert_int_equal(take(&from, fill(&to, NULL), &message, &rest), 0);
    }
    assert_int_equal(from.waiting_bytes, 0);
    lanes_end(&from);
    lanes_end(&to);
}

/* --- what is refused --------------------------------------------------------------------- */

static void what_are_no_frames_is_refused(void **unused)
{
    (void)unused;
    static const struct {
        const char *bytes, *words;
        size_t size;
    } rows[] = {
        {"\x80", "cut off", 1},
        {"\x80\0", "cut off", 2},
        {"\x80\0\2x", "cut off", 4},
        {"\x80\0\1x\x81", "cut off", 5},
        {"\x80\0\0", "too small", 3},
        {"\1\0\1x", "too small", 4},
        {"\3\0\5\1\0\0\0\1", "unknown type", 8},
        {"\x84\0\1x", "unknown type", 4},
        {"\x40\0\1x", "unknown type", 4},
        {"\x83\0\4\1\0\0\0", "names no lane", 7},
        {"\x83\0\5\0\0\0\0\1", "names no lane", 8},
        {"\x83\0\5\3\0\0\0\1", "names no lane", 8},
        {"\x83\0\5\1\0\0\0\1", "more than was used", 8},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct lanes lanes;
        struct lane_message message;
        struct reason why = {""};
        struct slice rest = slice_of(rows[i].bytes, rows[i].size);
        int rc = 1;
        lanes_init(&lanes);
        while (rc == 1)
            rc = lanes_take(&lanes, &rest, &message, &why);
        assert_int_equal(rc, ERR_BAD_REQUEST);
        if (!strstr(why.text, rows[i].words))
            fail_msg("row %zu: '%s' where '%s' was wanted", i, why.text, rows[i].words);
        lanes_end(&lanes);
    }
}

/* Pieces without an end in one lane, until they are refused; returns with what, and the memory that
 * they took. */
static int pour(enum lane lane, size_t piece, size_t *poured)
{
    struct lanes lanes;
    struct lane_message message;
    int rc = 0;
    lanes_init(&lanes);
    record[0] = (uint8_t)lane;
    put_u16(record + 1, (uint16_t)piece);
    for (*poured = 0; rc == 0; *poured += rc ? 0 : piece) {
        struct slice rest = slice_of(record, LANE_HEAD_BYTES + piece);
        assert_true(lanes.in[lane].piece.capacity <= 2 * *poured + 64);
        rc = lanes_take(&lanes, &rest, &message, NULL);
    }
    lanes_end(&lanes);
    return rc;
}

static void a_message_without_end_stops_at_its_limit(void **unused)
{
    (void)unused;
    size_t poured;
    assert_int_equal(pour(LANE_control, 1000, &poured), ERR_TOO_LARGE);
    assert_int_equal(poured, 65000);
    assert_int_equal(pour(LANE_bulk, 16000, &poured), ERR_TOO_LARGE);
    assert_int_equal(poured, PEER_MESSAGE_BYTES_MAX / 16000 * 16000);
}

static void a_frame_beyond_its_credit_is_refused(void **unused)
{
    (void)unused;
    struct lanes lanes;
    struct lane_message message;
    struct reason why = {""};
    int rc = 1;
    size_t count = 0;
    lanes_init(&lanes);
    record[0] = LANE_LAST | LANE_small;
    put_u16(record + 1, 1000);
    for (; rc == 1; count++) {
        struct slice rest = slice_of(record, LANE_HEAD_BYTES + 1000);
        rc = lanes_take(&lanes, &rest, &message, &why);
    }
    assert_int_equal(rc, ERR_DENIED);
    assert_string_equal(why.text, "a frame beyond the credit of lane 1");
    assert_int_equal(count - 1, LANE_WINDOW_BYTES / (1000 + LANE_FRAME_COST));
    lanes_end(&lanes);
}

static void credit_is_good_to_its_last_byte_and_no_further(void **unused)
{
    (void)unused;
    for (uint64_t lacking = 0; lacking < 2; lacking++) {
        struct lanes lanes;
        struct lane_message message;
        struct reason why = {""};
        struct slice rest = slice_of(record, LANE_HEAD_BYTES + 1000);
        lanes_init(&lanes);
        lanes.in[LANE_small].used = LANE_WINDOW_BYTES - (1000 + LANE_FRAME_COST) + lacking;
        record[0] = LANE_LAST | LANE_small;
        put_u16(record + 1, 1000);
        assert_int_equal(lanes_take(&lanes, &rest, &message, &why), lacking ? ERR_DENIED : 1);
        lanes_end(&lanes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_has_these_bytes),
        cmocka_unit_test(grants_that_wait_to_be_told_add_up),
        cmocka_unit_test(control_goes_before_small_before_bulk),
        cmocka_unit_test(a_ping_waits_for_one_record_of_fifty_mebibytes),
        cmocka_unit_test(a_lane_that_waits_has_a_share_of_each_record),
        cmocka_unit_test(without_credit_a_lane_waits_and_the_others_go_on),
        cmocka_unit_test(the_largest_message_passes_cut_as_finely_as_may_be),
        cmocka_unit_test(any_mix_of_messages_arrives_whole_and_in_order),
        cmocka_unit_test(what_are_no_frames_is_refused),
        cmocka_unit_test(a_message_without_end_stops_at_its_limit),
        cmocka_unit_test(a_frame_beyond_its_credit_is_refused),
        cmocka_unit_test(credit_is_good_to_its_last_byte_and_no_further),
    };
    return cmocka_run_group_tests_name("proto_lanes", tests, NULL, NULL);
}
