# shellcheck shell=bash
# demo-nodes: what the demos share: nodes in the background, commands shown with their output and
# time, waiting for what is to come. Sourced, with $build (where the binary is) and $name (the
# demo's) set. Node 0 is the gateway. All that is made is in $data, removed at the end.

PATH=$(cd "$build" && pwd):$PATH
data=$(mktemp -d)
declare -A pids endpoints hosts inside # by node: hosts (127.0.0.1) and a command before its own
others=()                              # processes besides
PATIENCE_S=60                          # only a fault takes that long

end_nodes() {
    for pid in "${others[@]}" "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$data"
}
trap end_nodes EXIT

say() { printf '\n# %s\n' "$*"; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }
took() { printf '  (%d ms)\n' $(($(now_ms) - $1)); }
fail() {
    echo "$name: $*" >&2
    exit 1
}

# --- nodes ---------------------------------------------------------------------------------------

word() { sed -n "s/^ready.* $2=\([^ ,]*\).*/\1/p" "$data/ready.$1"; }
peer() { echo "$(word "$1" id)@$(word "$1" peers)"; } # as others dial it

# start N OPTIONS…: with the data and the ports that it had; its ready line in $line
start() {
    local n=$1 host=${hosts[$1]-127.0.0.1}
    shift
    [ -e "$data/fifo.$n" ] || mkfifo "$data/fifo.$n"
    # shellcheck disable=SC2086
    ${inside[$n]-} weir node --data "$data/$n" --client "${endpoints[$n]-tcp://127.0.0.1:0}" \
        --listen "$(word "$n" peers 2>/dev/null | grep . || echo "$host:0")" "$@" \
        >"$data/fifo.$n" 2>>"$data/log.$n" &
    pids[$n]=$!
    read -r -t $PATIENCE_S line <"$data/fifo.$n" || fail "node $n does not start: $(tail -n 1 "$data/log.$n")"
    echo "$line" >"$data/ready.$n"
    endpoints[$n]=$(sed -n 's/.*\(tcp:[^ ,]*\).*/\1/p' <<<"$line")
}
start_peer() { start "$1" --gateway "$(peer 0)"; }
stop() { # N SIGNAL
    kill -"$2" "${pids[$1]}"
    wait "${pids[$1]}" 2>/dev/null || true
    unset "pids[$1]"
}

at() { # N COMMAND…: with that node as the one to talk to
    local n=$1
    shift
    WEIR_NODE=ipc://$data/$n/weir.sock "$@"
}
# show N COMMAND: prints it and runs it, with the time it took
show() {
    local from
    printf 'node %s$ %s\n' "$1" "$2"
    from=$(now_ms)
    at "$1" bash -o pipefail -c "$2"
    took "$from"
}
within() { # WHAT COMMAND…: repeated until it succeeds
    local what=$1 end=$(($(now_ms) + PATIENCE_S * 1000))
    shift
    until "$@"; do
        [ "$(now_ms)" -lt $end ] || fail "not after $PATIENCE_S s: $what"
        sleep 0.02
    done
}
live() { at "$1" weir peers --json | grep -o '"state": *"live"' | wc -l; }
all_live() { # COUNT
    local n
    for n in "${!pids[@]}"; do [ "$(live "$n")" = "$1" ] || return 1; done
}
