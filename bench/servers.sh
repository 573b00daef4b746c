# shellcheck shell=bash
# servers: what bench/run.sh and bench/net.sh share: servers in the background, figures kept by
# name and round, the report. Sourced, with $BUILD, $DIR, $ROUNDS, $SECONDS_EACH and $ONLY set.

PROGRAMS=$BUILD/bench
WEIR=$BUILD/weir
round=0

rm -rf "$DIR" && mkdir -p "$DIR" || exit 1
DIR=$(cd "$DIR" && pwd)
RESULTS=$DIR/results FAILURES=$DIR/failures
: >"$RESULTS"
: >"$FAILURES"

declare -A pids # by name

# start NAME PATTERN COMMAND…: runs it in the background until its output has a line like PATTERN
start() {
    local name=$1 pattern=$2
    shift 2
    : >"$DIR/$name.log" # an earlier one's line is not this one's
    "$@" >"$DIR/$name.log" 2>&1 &
    pids[$name]=$!
    for _ in {1..1000}; do
        grep -qs "$pattern" "$DIR/$name.log" && return
        kill -0 "${pids[$name]}" 2>/dev/null || break
        sleep 0.02
    done
    echo "bench: $name does not start: $(tail -n 3 "$DIR/$name.log")" >&2
    exit 1
}

stop() { # NAME [SIGNAL]
    kill -"${2:-TERM}" "${pids[$1]}" 2>/dev/null
    wait "${pids[$1]}" 2>/dev/null
    unset "pids[$1]"
}

# Rewriting of its log is left to a call of the caller's: Redis at its best.
start_redis() { # NAME PORT OPTIONS…
    local name=$1 port=$2
    shift 2
    mkdir -p "$DIR/$name"
    start "$name" 'Ready to accept' redis-server --port "$port" --bind 127.0.0.1 \
        --dir "$DIR/$name" --appendonly yes --appendfsync always --save '' \
        --auto-aof-rewrite-percentage 0 "$@"
}

clean_up() { # logs and results stay
    local name
    for name in "${!pids[@]}"; do stop "$name"; done
    find "$DIR" -mindepth 1 -maxdepth 1 -type d -exec rm -rf {} +
}
trap clean_up EXIT
trap 'exit 1' INT TERM

# measure NAME COMMAND…: keeps the `name value` lines it prints as `round NAME.name value`
measure() {
    local name=$1
    shift
    if "$@" >"$DIR/out"; then
        sed "s/^/$round $name./" "$DIR/out" >>"$RESULTS"
    else
        echo "$name" >>"$FAILURES"
    fi
}

keep() { # NAME VALUE
    echo "$round $1 $2" >>"$RESULTS"
}

# keep_lines NAME COMMAND…: a program's own `name: value unit` lines, as NAME.name with _ for spaces
keep_lines() {
    local name=$1
    shift
    if "$@" >"$DIR/out"; then
        sed -nE 's/^([^:]*): ([0-9.]+)( .*)?$/\1\t\2/p' "$DIR/out" | tr -d , | while IFS=$'\t' read -r \
            line value; do keep "$name.${line// /_}" "$value"; done
    else
        echo "$name" >>"$FAILURES"
    fi
}

rss() { # NAME PROCESS
    keep "$1" "$(awk '/^VmRSS/ {print $2 / 1000 * 1.024}' "/proc/${pids[$2]}/status")"
}

fill() { # COMMAND…: a load that must work
    "$@" >/dev/null || exit 1
}

# Runs each argument, and $after_each behind it; another one comes first in each round.
after_each=:
in_turn() {
    local i count=$#
    for ((i = 0; i < count; i++)); do
        local at=$(((i + round) % count + 1))
        eval "${!at}"
        $after_each
    done
}

wanted() { [[ $1 =~ $ONLY ]]; }

# run_wanted WHEN SECTION…: those that are wanted, told as they begin
run_wanted() {
    local when=$1 name
    shift
    for name; do
        wanted "$name" || continue
        echo "bench: $when$name" >&2
        "$name"
    done
}

any_wanted() { # of the sections given
    local name
    for name; do wanted "$name" && return; done
    return 1
}

conditions() {
    echo "# $(date -u +%FT%TZ) · $(nproc) × $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)" \
        "· $(awk '/MemTotal/ {printf "%.0f", $2 / 1e6}' /proc/meminfo) GB · Linux $(uname -r)" \
        "· $(df --output=fstype "$DIR" | tail -n 1) · $(redis-server --version | cut -d' ' -f1-3)" \
        "· libzmq $(pkg-config --modversion libzmq)"
    echo "# $ROUNDS rounds, $SECONDS_EACH s each; medians; spread = (greatest - least) / median"
}

# report FIGURES: what was measured; exit code 1 when something could not be
report() {
    conditions
    awk -f bench/report.awk "$RESULTS" "$1"
    sort "$FAILURES" | uniq -c |
        while read -r times name; do echo "# failed $times times: $name"; done
}
