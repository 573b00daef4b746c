#!/bin/bash
# make bench-net: what goes between nodes, on this machine over loopback, each figure beside the limit
# measured in the same run: Redis with one replica, LMDB itself, libsodium, a node alone.
#
#   BENCH_ROUNDS=5      rounds; every figure is the median of them
#   BENCH_SECONDS=1.5   measured a figure and round
#   BENCH_ONLY=REGEX    only the sections whose names match (see `sections` and `last_sections`)
#   BENCH_PORT=17600    first of the ports used;  BENCH_DIR=build/bench/net  data, on a real disk
#   BENCH_IDLE=200      connections of the section `idle`, each from a node of its own
#
# Prints `name: value unit`, one a line; lines with # tell the conditions. Progress goes to stderr.
# The exit code is 1 when a figure could not be measured (never because a target was missed).
set -u
cd "$(dirname "$0")/.." || exit 1

BUILD=$(cd "${BUILD:-build}" && pwd) || exit 1
ROUNDS=${BENCH_ROUNDS:-5}
SECONDS_EACH=${BENCH_SECONDS:-1.5}
ONLY=${BENCH_ONLY:-.}
PORT=${BENCH_PORT:-17600}
DIR=${BENCH_DIR:-$BUILD/bench/net}
IDLE=${BENCH_IDLE:-200}

UPDATES=40000 # of `sustained`, 1 KiB each
# 48 MiB: an entry is 5 bytes of sizes, 8 of its name, 17 of stamps, and the value
LARGE_ENTRIES=49152 LARGE_ENTRY=1024 LARGE_VALUE=994
CUT_FIELDS=100000
HOP_SAMPLES=60 APPENDS=200

# shellcheck source=bench/servers.sh
. bench/servers.sh

sections=(notify sustained bulk hops after_cut append)
last_sections=(parts idle sim)

# --- nodes -----------------------------------------------------------------------------------------

declare -A ports # of clients, by node
next_port=$PORT

# node NAME OPTIONS…: a node of its own data
node() {
    local name=$1
    shift
    ports[$name]=$((next_port++))
    start "$name" '^ready' "$WEIR" node --data "$DIR/$name" \
        --client "tcp://127.0.0.1:${ports[$name]}" --max-state 200M --log-level warn "$@"
}

forget() { # NAME: with its data
    stop "$1"
    rm -rf "${DIR:?}/$1"
}

word() { sed -n "s/^ready.* $2=\([^ ]*\).*/\1/p" "$DIR/$1.log"; }
peer() { echo "$(word "$1" id)@$(word "$1" peers)"; } # as others dial it
client() { echo "tcp://127.0.0.1:${ports[$1]}"; }

load() { # NODE OPTIONS…
    local name=$1
    shift
    "$PROGRAMS/load" --server weir --port "${ports[$name]}" --pid "${pids[$name]}" "$@"
}

# What is still to be folded into LMDB is not left for the next measurement.
settle() {
    local name
    for name; do load "$name" --quiet 60; done
}

pair() { # A B WHAT…: A first
    local a=$1 b=$2
    shift 2
    "$PROGRAMS/net_pair" "$(client "$a")" "$(client "$b")" "$@"
}

# --- sections --------------------------------------------------------------------------------------

# From an update at A (durable there) to a subscriber at B, told when it is durable there too.
notify_weir() {
    measure weir_notify "$PROGRAMS/notify_bench" weir "${ports[a]}" 1 "$SECONDS_EACH" "${pids[a]}" \
        "${ports[b]}"
    settle a b
}
notify_redis() {
    measure redis_notify "$PROGRAMS/notify_bench" redis $((PORT + 90)) 1 "$SECONDS_EACH" \
        "${pids[redis]}" $((PORT + 91))
}
notify() { in_turn notify_weir notify_redis; }

# 64 clients at A, each field written once; B must have them all, and the time until it has counts.
sustain() { # NAME NODE: its rate is kept when nobody follows, else see sustained_pair
    load "$2" --objects $UPDATES --batch 1 --map "sustained-$round" --group fill:64:1
}
sustained_alone() {
    measure sustained_alone sustain alone alone
    settle alone
}
sustained_pair() {
    measure sustained_a sustain a a
    measure sustained_b pair a b equal "sustained-$round"
    keep sustained.per_s "$(awk -v r="$round" -v n=$UPDATES '$1 == r && \
        ($2 == "sustained_a.seconds" || $2 == "sustained_b.wait_s") {s += $3}
        END {print s ? n / s : 0}' "$RESULTS")"
    settle a b
}
sustained() { in_turn sustained_alone sustained_pair; }

bulk_lmdb() {
    rm -rf "$DIR/lmdb"
    measure lmdb "$PROGRAMS/lmdb_limit" "$DIR/lmdb" $LARGE_ENTRIES $LARGE_ENTRY
}
bulk_to() { # NAME SMALL…: to a node that knows nothing yet
    local name=$1
    shift
    node bulk_b --listen 127.0.0.1:0
    measure "$name" "$PROGRAMS/net_bulk" "$(client bulk)" "$(client bulk_b)" "$(peer bulk)" large "$@"
    forget bulk_b
}
bulk_alone() { bulk_to bulk; }
bulk_beside() { bulk_to bulk_beside small; }
# What one small sync takes of the disk while LMDB alone takes the same entries, over and over; a
# small update beside the state waits for two, at A and then at B.
bulk_disk() {
    touch "$DIR/writing"
    while [ -e "$DIR/writing" ] && rm -rf "$DIR/lmdb"; do
        "$PROGRAMS/lmdb_limit" "$DIR/lmdb" $LARGE_ENTRIES $LARGE_ENTRY >/dev/null || break
    done &
    measure disk_beside_lmdb "$PROGRAMS/disk_limit" "$DIR/disk" 4096 "$SECONDS_EACH"
    rm "$DIR/writing"
    wait $!
}
bulk() { in_turn bulk_lmdb bulk_alone bulk_beside bulk_disk; }

hops() {
    local name line=()
    for name in h0 h1 h2 h3 h4; do line+=("$(word $name id)@$(client $name)"); done
    measure get "$PROGRAMS/net_get" $HOP_SAMPLES "${line[@]}"
}

after_cut() {
    local differ
    for differ in 100 0; do
        measure cut_$differ pair cut_a cut_b cut "$(peer cut_a)" cut $CUT_FIELDS $differ
    done
    settle cut_a cut_b
}

append() { measure append pair a b append $APPENDS; }

# --- sections of the end ---------------------------------------------------------------------------

parts() {
    keep_lines seal "$PROGRAMS/seal_bench"
    keep_lines link "$PROGRAMS/link_bench"
    keep_lines sync "$PROGRAMS/sync_bench"
}

# Nodes that cannot be dialled, so that each has one connection: to the node measured.
idle() {
    local i
    node idle --listen 127.0.0.1:0 --role gateway --max-peers $((IDLE + 10))
    sleep 1
    rss idle_before.mb idle
    for ((i = 0; i < IDLE; i++)); do
        "$WEIR" node --data "$DIR/crowd/$i" --client "ipc://$DIR/crowd/$i/client" --listen none \
            --gateway "$(peer idle)" --log-level error >"$DIR/crowd.log" 2>&1 &
        pids[crowd_$i]=$!
    done
    if "$PROGRAMS/net_pair" "$(client idle)" "$(client idle)" live "$IDLE" >/dev/null; then
        sleep 12 # a ping and its answer on each
        rss idle_after.mb idle
        keep idle_more.mib "$(awk '$2 == "idle_before.mb" {a = $3} $2 == "idle_after.mb" {b = $3}
            END {print (b - a) / 1.048576}' "$RESULTS")"
    else
        echo idle >>"$FAILURES"
    fi
    for ((i = 0; i < IDLE; i++)); do kill -KILL "${pids[crowd_$i]}"; done 2>/dev/null
    for ((i = 0; i < IDLE; i++)); do stop crowd_$i; done 2>/dev/null
    forget idle
}

sim() {
    [ -x "$BUILD/tests/sim/sim" ] && keep_lines sim "$BUILD/tests/sim/sim" --seeds 20
}

# --- the run ---------------------------------------------------------------------------------------

set_up_pair() {
    node a --listen 127.0.0.1:0 --role gateway
    node b --listen 127.0.0.1:0 --gateway "$(peer a)"
    node alone --listen none
    pair a b live 1
    start_redis redis $((PORT + 90))
    start_redis replica $((PORT + 91)) --replicaof 127.0.0.1 $((PORT + 90))
    for _ in {1..500}; do
        redis-cli -p $((PORT + 91)) info replication | grep -q 'master_link_status:up' && return
        sleep 0.02
    done
    echo "bench: the replica does not find its master" >&2
    exit 1
}

set_up_bulk() {
    node bulk --listen 127.0.0.1:0 --role gateway
    fill load bulk --map large --objects $LARGE_ENTRIES --value $LARGE_VALUE --batch 96 --group fill:4:1
    fill load bulk --map small --objects 1000 --value 256 --group fill:4:1
    settle bulk
}

set_up_hops() {
    local i
    node h0 --listen 127.0.0.1:0 --role gateway
    for i in 1 2 3 4; do node h$i --listen 127.0.0.1:0 --gateway "$(peer h0)"; done
    for i in 1 2 3 4; do pair h0 h$i live 4; done
}

set_up_cut() {
    node cut_a --listen 127.0.0.1:0 --role gateway
    node cut_b --listen none --gateway "$(peer cut_a)"
    pair cut_a cut_b live 1
    fill load cut_a --map cut --objects $CUT_FIELDS --value 8 --group fill:4:1
    pair cut_a cut_b equal cut >/dev/null
    settle cut_a cut_b
}

run_sections() {
    any_wanted notify sustained append && set_up_pair
    wanted bulk && set_up_bulk
    wanted hops && set_up_hops
    wanted after_cut && set_up_cut
    for ((round = 1; round <= ROUNDS; round++)); do
        run_wanted "round $round of $ROUNDS: " "${sections[@]}"
    done
    round=0
    run_wanted "" "${last_sections[@]}"
}

run_sections
report bench/figures-net.txt
[ ! -s "$FAILURES" ]
