/* The frames of a connection's records. The input: records, each with its size (u16) before it; one
 * whose size has its highest bit set is preceded by the receiver's being done with all it took. */
#include "proto/lanes.h"
#include "tests/fuzz/must.h"

struct held {
    uint64_t cost[LANE_COUNT];
};

static int take_record(struct lanes *lanes, struct slice record, struct held *held)
{
    struct reason why = {""};
    struct lane_message message;
    int rc;
    while ((rc = lanes_take(lanes, &record, &message, &why)) == 1) {
        size_t most =
            message.lane == LANE_control ? CONTROL_BYTES_MAX : (size_t)PEER_MESSAGE_BYTES_MAX;
        MUST(message.lane < LANE_COUNT);
        MUST(message.bytes.size > 0 && message.bytes.size <= most);
        MUST(message.cost >= message.bytes.size + LANE_FRAME_COST);
        MUST(message.cost <= LANE_MESSAGE_COST_MAX);
        held->cost[message.lane] += message.cost;
        free(message.owned);
    }
    MUST(rc == 0 ? record.size == 0 : why.text[0] != 0);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of(data, size);
    struct lanes lanes;
    struct held held = {{0}};
    uint8_t plain[RECORD_PLAIN_BYTES_MAX];
    int rc = 0;
    lanes_init(&lanes);
    while (rest.size >= 2 && rc == 0) {
        uint16_t head = get_u16(rest.data);
        size_t bytes = head & 0x7fffu;
        rest = slice_after(rest, 2);
        bytes = bytes < rest.size ? bytes : rest.size;
        for (int lane = 0; lane < LANE_COUNT && head & 0x8000u; lane++) {
            lanes_done(&lanes, (enum lane)lane, held.cost[lane]);
            held.cost[lane] = 0;
        }
        rc = take_record(&lanes, slice_of(rest.data, bytes), &held);
        rest = slice_after(rest, bytes);
        for (int lane = 0; lane < LANE_COUNT && rc == 0; lane++) {
            MUST(lanes_held(&lanes, (enum lane)lane) >= held.cost[lane]);
            MUST(!LANE_WINDOWED(lane) || lanes_held(&lanes, (enum lane)lane) <= LANE_WINDOW_BYTES);
            MUST(lanes.out[lane].credit <= LANE_WINDOW_BYTES);
        }
        struct lane_item *done = NULL;
        if (lanes_ready(&lanes)) /* credit, and nothing else */
            MUST(lanes_fill(&lanes, plain, sizeof plain, &done) > 0 && !done);
    }
    lanes_free(&lanes);
    return 0;
}
