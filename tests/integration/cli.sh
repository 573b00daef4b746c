# What tests of the command line share, to be sourced: nodes, claims, followers. WEIR: the binary.
# shellcheck shell=bash
WEIR=${WEIR:-build/weir}
export WEIR_TIMEOUT=60 # only a fault takes that long
dir=$(mktemp -d /tmp/weir-test-XXXXXX)
nodes=() followers=() failed=0
cleanup() {
    kill "${followers[@]}" 2>/dev/null
    kill -TERM "${nodes[@]}" 2>/dev/null
    wait "${nodes[@]}" 2>/dev/null
    rm -rf "$dir"
}
trap cleanup EXIT

# start_node DATA OUT [options…]: waits for the ready line, of which it sets ready, id and endpoint.
start_node() {
    local data=$1 out=$2 listen=(--listen none)
    shift 2
    case " $* " in *" --listen "*) listen=() ;; esac
    mkfifo "$out.fifo"
    "$WEIR" node --data "$data" "${listen[@]}" "$@" >"$out.fifo" 2>"$out.err" &
    nodes+=($!)
    read -r -t 60 ready <"$out.fifo" || { echo "not ok - a node starts"; cat "$out.err"; exit 1; }
    rm "$out.fifo"
    endpoint=${ready#*client=}
    endpoint=${endpoint%%[, ]*}
    id=${ready#*id=}
    # shellcheck disable=SC2034 # for whoever sources this
    id=${id%% *}
}

# The node started last ends.
stop_node() {
    kill -TERM "${nodes[-1]}"
    wait "${nodes[-1]}"
    unset 'nodes[-1]'
}

# is CLAIM WANTED GOT
is() {
    if [ "$2" = "$3" ]; then
        echo "ok - $1"
    else
        printf 'not ok - %s\n  wanted: %s\n  got:    %s\n' "$1" "$2" "$3"
        failed=1
    fi
}

# soon CLAIM WANTED COMMAND…: what it prints, before long; only a fault takes 60 s
soon() {
    local claim=$1 wanted=$2 got end=$((SECONDS + 60))
    shift 2
    while [ $SECONDS -lt $end ]; do
        got=$("$@")
        [ "$got" = "$wanted" ] && break
        sleep 0.02
    done
    is "$claim" "$wanted" "$got"
}

# exits CLAIM CODE PART COMMAND…: the exit code, nothing on stdout, one line on stderr with PART.
exits() {
    local claim=$1 code=$2 part=$3 got out err
    shift 3
    out=$("$@" 2>"$dir/err" </dev/null)
    got=$?
    err=$(cat "$dir/err")
    case $err in *"$part"*) part=yes ;; esac
    is "$claim" "$code yes - 1 weir:" "$got $part -$out $(wc -l <"$dir/err") ${err%% *}"
}

# follow_command COMMAND…: in the background, into a pipe that is read with `line`.
follow_command() {
    exec 3< <(exec "$@")
    followers+=($!)
}
line() { IFS= read -r -t 60 text <&3; echo "$text"; }
