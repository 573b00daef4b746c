#!/bin/bash
# make bench: weir beside Redis and beside the limits of its parts, on this machine, in one run.
#
#   BENCH_ROUNDS=5      rounds; every figure is the median of them
#   BENCH_SECONDS=1.5   measured a figure and round
#   BENCH_SUSTAINED=60  seconds of the one long run
#   BENCH_ONLY=REGEX    only the sections whose names match (see `sections` and `last_sections`)
#   BENCH_PORT=17500    first of the ports used;  BENCH_DIR=build/bench/run  data, on a real disk
#
# Prints `name: value unit`, one a line; lines with # tell the conditions. Progress goes to stderr.
# The exit code is 1 when a figure could not be measured (never because a target was missed).
set -u
cd "$(dirname "$0")/.." || exit 1

BUILD=$(cd "${BUILD:-build}" && pwd) || exit 1
ROUNDS=${BENCH_ROUNDS:-5}
SECONDS_EACH=${BENCH_SECONDS:-1.5}
SUSTAINED=${BENCH_SUSTAINED:-60}
ONLY=${BENCH_ONLY:-.}
PORT=${BENCH_PORT:-17500}
DIR=${BENCH_DIR:-$BUILD/bench/run}
OBJECTS=100000
ROOMS=1000 # hosted

# shellcheck source=bench/servers.sh
. bench/servers.sh

sections=(disk durable_64 durable_16 durable_1 durable_64x16 get_64 get_1 get_beside_16
    notify_1 notify_100 get_10m small fresh lib)
last_sections=(sustained merge rooms)

# --- servers ---------------------------------------------------------------------------------------

# A map of 100,000 fields of 1 KiB is over the default of --max-state.
weir_command() { # DATA PORT: an argument a line
    printf '%s\n' "$WEIR" node --data "$1" --client "tcp://127.0.0.1:$2" --listen none \
        --max-state 200M
}

start_weir() { # NAME PORT
    local command
    mapfile -t command < <(weir_command "$DIR/$1" "$2")
    start "$1" '^ready' "${command[@]}"
}

# --- measuring -------------------------------------------------------------------------------------

load() { # SERVER PORT-OFFSET NAME-OF-PROCESS OPTIONS…
    local server=$1 port=$((PORT + $2)) pid=${pids[$3]}
    shift 3
    "$PROGRAMS/load" --server "$server" --port "$port" --pid "$pid" --seconds "$SECONDS_EACH" "$@"
}
weir() { load weir 0 weir "$@"; }
redis() { load redis 1 redis "$@"; }
echo_1k() { load echo 2 echo_1k "$@"; }
echo_10m() { load echo 3 echo_10m "$@"; }

# What a server put off (weir's fold, Redis's rewriting) is not left for the next measurement.
settle() {
    weir --quiet 60 && redis --quiet 60
}

after_each=settle # of in_turn

# --- sections --------------------------------------------------------------------------------------

disk() {
    measure disk_4k "$PROGRAMS/disk_limit" "$DIR/disk" 4096 "$SECONDS_EACH"
    measure disk_64k "$PROGRAMS/disk_limit" "$DIR/disk" 65536 "$SECONDS_EACH"
}

durable() { # NAME CLIENTS:OPEN
    in_turn "measure weir_map_$1 weir --group set_field:$2" \
        "measure weir_contracts_$1 weir --group set_contract:$2" \
        "measure redis_set_$1 redis --group set_field:$2"
}
durable_64() { durable 64 64:1; }
durable_16() { durable 16 16:1; }
durable_1() { durable 1 1:1; }
durable_64x16() { durable 64x16 64:16; }

get() { # CLIENTS
    in_turn "measure weir_get_$1 weir --group get:$1:1" \
        "measure redis_get_$1 redis --group get:$1:1" \
        "measure echo_get_$1 echo_1k --group get:$1:1"
}
get_64() { get 64; }
get_1() { get 1; }
get_beside_16() {
    in_turn "measure weir_beside weir --group get:1:1 --group set_field:16:1" \
        "measure redis_beside redis --group get:1:1 --group set_field:16:1"
}

notify() { # SUBSCRIBERS
    in_turn \
        "measure weir_notify_$1 $PROGRAMS/notify_bench weir $PORT $1 $SECONDS_EACH ${pids[weir]}" \
        "measure redis_notify_$1 $PROGRAMS/notify_bench redis $((PORT + 1)) $1 $SECONDS_EACH ${pids[redis]}"
}
notify_1() { notify 1; }
notify_100() { notify 100; }

TEN_MIB="--map bench-10m --objects 10000 --value 1019" # entries of 1049 bytes
get_10m() {
    in_turn "measure weir_get_10m weir $TEN_MIB --group get_map:1:1" \
        "measure echo_get_10m echo_10m $TEN_MIB --group get_map:1:1"
}

# One small update to states of three sizes (entries of 50 bytes), each on its own, with the fold
# that follows it; and 1000 of them in a row. Bytes are those that the node hands to the kernel in
# writes (it writes nothing through a map); /proc/PID/io's write_bytes counts whole folios of the
# page cache as written, up to 1 MiB for 4 KiB. The disk's own count has all processes in it.
declare -A small_entries=([1k]=20 [1m]=20000 [48m]=1000000)
DISK=/sys/class/block/$(basename "$(df --output=source "$DIR" | tail -n 1)")/stat
small_weir() { load weir 4 weir_small --value 20 "$@"; }
written() { awk '/^wchar/ {print $2}' "/proc/${pids[$1]}/io"; } # PROCESS
disk_written() { awk '{print $7}' "$DISK" 2>/dev/null; } # sectors

small_update() { # SIZE COUNT NAME
    local before disk_before
    before=$(written weir_small) disk_before=$(disk_written)
    measure "$3" small_weir --map "small-$1" --objects "${small_entries[$1]}" --count "$2" \
        --group set_field:1:1
    small_weir --quiet 60
    keep "$3.bytes" $((($(written weir_small) - before) / $2))
    [ -n "$disk_before" ] && keep "$3.disk_bytes" $((($(disk_written) - disk_before) * 512 / $2))
}

small() {
    local size
    for size in 1k 1m 48m; do
        small_update $size 1 small_one_$size
        small_update $size 1000 small_row_$size
    done
}

# New servers: memory without and with data, and start times.
start_ms() { # NAME SIGNAL DATA
    local command
    mapfile -t command < <(weir_command "$3" $((PORT + 5)))
    measure "$1" "$PROGRAMS/start_bench" "$2" "${command[@]}" 2>>"$DIR/$1.log"
}

fresh_redis() {
    start_redis redis_fresh $((PORT + 6))
    sleep 0.5
    rss redis_idle.mb redis_fresh
    load redis 6 redis_fresh --group create:16:4 >/dev/null
    rss redis_contracts.mb redis_fresh
    stop redis_fresh
}

fresh_weir() {
    start_ms start_empty 15 "$DIR/empty"
    start_weir weir_fresh $((PORT + 5))
    sleep 0.5
    rss weir_idle.mb weir_fresh
    load weir 5 weir_fresh --group create:16:4 >/dev/null && load weir 5 weir_fresh --quiet 60
    sleep 1.5
    rss weir_contracts.mb weir_fresh
    stop weir_fresh
    start_ms start_contracts 15 "$DIR/weir_fresh"
}

# SIGKILL in the middle of the heaviest load; the first start after it is killed at once, so that
# the second finds the same log and can tell how much was in it.
fresh_killed() {
    start_weir weir_fresh $((PORT + 5))
    load weir 5 weir_fresh --seconds 20 --group set_field:64:16 >/dev/null 2>&1 &
    local writers=$!
    sleep 2.5
    stop weir_fresh KILL
    wait $writers
    start_ms start_killed 9 "$DIR/weir_fresh"
    start_weir weir_fresh $((PORT + 5))
    measure start_killed load weir 5 weir_fresh --left
    stop weir_fresh
}

fresh() {
    fresh_redis
    fresh_weir
    fresh_killed
    rm -rf "$DIR/redis_fresh" "$DIR/weir_fresh" "$DIR/empty"
}

lib() {
    [ -x "$PROGRAMS/lib_bench" ] || return
    measure lib "$PROGRAMS/lib_bench" "tcp://127.0.0.1:$PORT" "$SECONDS_EACH" "$OBJECTS"
}

sustained() {
    measure sustained weir --seconds "$SUSTAINED" --first 5 --group set_field:64:1
    settle
}

merge() {
    "$PROGRAMS/merge_bench" >"$DIR/merge" || echo merge >>"$FAILURES"
}

# Group chats of 1,000 messages and 200 members: the parts in memory; one message more at a node, on
# its own, with the fold that follows it; a client that joins; and a node that hosts many.
room_node() { # PORT-OFFSET ARGUMENTS…
    local endpoint=tcp://127.0.0.1:$((PORT + $1))
    shift
    "$PROGRAMS/room_node" "$endpoint" "$@"
}
room_quiet() { load weir 7 weir_room --quiet 60; }

room_message() { # NAME ROOM
    local before
    before=$(written weir_room)
    measure "$1" room_node 7 say "$2" 1
    room_quiet
    keep "$1.bytes" $(($(written weir_room) - before))
}

hosted_rooms() {
    "$PROGRAMS/room_store" "$DIR/weir_hosts" "$ROOMS" || return
    start_weir weir_hosts $((PORT + 8))
    room_node 8 use "$ROOMS" && load weir 8 weir_hosts --quiet 60
    keep rooms_hosted.mib "$(awk '/^RssAnon/ {print $2 / 1024}' "/proc/${pids[weir_hosts]}/status")"
    stop weir_hosts
    rm -rf "$DIR/weir_hosts"
}

rooms() {
    round=0
    keep_lines room "$PROGRAMS/room_bench"
    start_weir weir_room $((PORT + 7))
    fill room_node 7 make && room_quiet
    for round in 1 2 3; do
        room_message room_full 0
        room_message room_empty 1
        measure room_join room_node 7 join
    done
    stop weir_room
    hosted_rooms || echo hosted_rooms >>"$FAILURES"
}

# --- the run ---------------------------------------------------------------------------------------

set_up() {
    start_weir weir "$PORT"
    start_redis redis $((PORT + 1))
    start echo_1k ready "$PROGRAMS/echo" $((PORT + 2)) 1054
    start echo_10m ready "$PROGRAMS/echo" $((PORT + 3)) 10490000
    fill weir --group create:16:4
    fill weir --group fill:4:1
    fill redis --group create:16:4
    wanted get_10m && fill weir $TEN_MIB --group fill:4:1
    settle
    wanted small || return
    local size
    start_weir weir_small $((PORT + 4))
    for size in 1k 1m 48m; do
        fill small_weir --map "small-$size" --objects "${small_entries[$size]}" \
            --batch $((small_entries[$size] < 1000 ? 20 : 1000)) --group fill:4:1
    done
    small_weir --quiet 60
}

run_sections() {
    if any_wanted "${sections[@]}" sustained; then
        set_up
        for ((round = 1; round <= ROUNDS; round++)); do
            run_wanted "round $round of $ROUNDS: " "${sections[@]}"
            redis-cli -p $((PORT + 1)) bgrewriteaof >/dev/null
            settle
        done
    fi
    run_wanted "" "${last_sections[@]}"
}

run_sections
report bench/figures.txt
[ -f "$DIR/merge" ] && cat "$DIR/merge"
[ ! -s "$FAILURES" ]
