#!/bin/bash
# `weir node`: its options, where they come from, and what it refuses. Takes the binary from $WEIR.
set -u
weir=${WEIR:-build/weir}
scratch=$(mktemp -d /tmp/weir-options-XXXXXX)
node=
# shellcheck source=tests/integration/claims.sh
. "$(dirname "$0")/claims.sh"

start() { # OPTIONS…: a node on a free port; $endpoint is where it serves
    : >"$scratch/out"
    "$weir" node --listen none "$@" >"$scratch/out" 2>"$scratch/log" &
    node=$!
    ready "$scratch/out" $node || return 1
    endpoint=$(grep -o 'tcp://[^, ]*' "$scratch/out" | head -n 1)
}

stop() {
    kill -TERM "$node" && wait "$node"
    node=
}
trap '[ -n "$node" ] && kill -9 $node 2>/dev/null; rm -rf "$scratch"' EXIT

refused() { # CODE WORDS OPTIONS…: exits at once with the code, says the words, prints nothing
    local code=$1 words=$2
    shift 2
    timeout -k 1 120 "$weir" node "$@" >"$scratch/out" 2>"$scratch/log"
    local got=$?
    cat "$scratch/log"
    [ $got = "$code" ] && [ ! -s "$scratch/out" ] && grep -q -- "$words" "$scratch/log"
}

ends_with() { # CODE WORDS COMMAND…: ends with the code and says the words
    local code=$1 words=$2
    shift 2
    "$@" >"$scratch/said" 2>&1
    local got=$?
    echo "exit code $got: $(cat "$scratch/said")"
    [ $got = "$code" ] && grep -q -- "$words" "$scratch/said"
}

status_has() { "$weir" status --json --node "$endpoint" | tee /dev/stderr | grep -q -- "$1"; }

any="--client tcp://127.0.0.1:0"

nobody=11111111111111111111111111111111
for row in "--listen bogus|HOST:PORT" "--role king|peer or gateway" "--gateway x|ID@HOST:PORT" \
    "--listen no.such.name.invalid:1|--listen no.such.name.invalid:1" "--client banana|tcp://ADDRESS:PORT" \
    "--client inproc://x|ipc://PATH" "--client ipc://|ipc://PATH" "--client tcp://:1|tcp://ADDRESS:PORT" \
    "--advertise 0.0.0.0:1|others can dial" "--advertise [::]:1|others can dial" \
    "--advertise x:0|others can dial" "--advertise banana|HOST:PORT" "--gateway nonsense@x:1|ID@HOST:PORT" \
    "--gateway $nobody@x:0|ID@HOST:PORT" "--gateway $nobody@banana|ID@HOST:PORT" \
    "--max-peers many|number" "--client tcp://127.0.0.1:99999|65535" "--durability maybe|full or relaxed" \
    "--max-state 0|size" "--max-store lots|size" "--log-level loud|error, warn" "--nonsense|no such option" \
    "stray|options only" "--data|missing"; do
    # shellcheck disable=SC2086
    claim "refused as usage: ${row%|*}" refused 2 "${row#*|}" --data "$scratch/none" ${row%|*}
done
claim "a refused start leaves no data behind" test ! -e "$scratch/none"

homeless() { # HOME or none: refused, in a folder where data would be found
    (
        weir=$(realpath "$weir")
        cd "$scratch" || exit
        unset XDG_DATA_HOME HOME
        [ "$1" = none ] || export HOME=$1
        # shellcheck disable=SC2086
        refused 2 "no home folder.*--data" $any
    )
}
for home in none "" somewhere; do
    claim "without a home folder (HOME: $home) a folder for the data is wanted" homeless "$home"
done
claim "and nothing is made where one happens to be" test ! -e "$scratch/.local" -a ! -e "$scratch/somewhere"

mkdir "$scratch/mine" && touch "$scratch/mine/letter.txt"
claim "a directory with other things in it is not used" \
    refused 1 "other files" --data "$scratch/mine" $any
mkdir -p "$scratch/begun/log" && touch "$scratch/begun/lock" "$scratch/begun/format.new"
claim "what a killed first start left is not other things" start --data "$scratch/begun" $any
claim "that node ends" stop
claim "clients from elsewhere need CURVE" \
    refused 1 "client-keys" --data "$scratch/data" --client tcp://0.0.0.0:0
claim "a directory of client keys must be there" \
    refused 1 "no such directory" --data "$scratch/data" --client tcp://0.0.0.0:0 --client-keys /nonexist

claim "a node starts" start --data "$scratch/data" $any
claim "a second process on the same data is told who uses it" \
    refused 1 "pid $node" --data "$scratch/data" $any
claim "a node that nobody can reach is told nothing of it" bash -c "! grep -q 'nobody can reach' '$scratch/log'"
claim "durability is full where nothing else is said" status_has '"durability":"full"'
claim "SIGTERM ends it with 0" stop

claim "a key that is its owner's alone is no matter" bash -c "! grep -q chmod '$scratch/log'"
chmod 644 "$scratch/data/node.key"
claim "with a key that others may read a node starts" start --data "$scratch/data" $any
claim "and tells it" grep -q ' warn .*node.key is open to others; run chmod 600 on it' "$scratch/log"
stop
chmod 600 "$scratch/data/node.key"
claim "a gateway that nobody can reach starts" start --data "$scratch/data" $any --role gateway
claim "and is warned" grep -q ' warn .*a gateway that nobody can reach: --role gateway with --listen none' "$scratch/log"
stop

cat >"$scratch/weir.conf" <<'CONF'
durability = relaxed
max-state = 100K
log-json = yes
CONF
claim "a config file is read" start --data "$scratch/data" $any --config "$scratch/weir.conf"
claim "relaxed durability is told" status_has '"durability":"relaxed"'
claim "log lines are JSON" grep -q '^{"time":".*"level":"info"' "$scratch/log"
head -c 200000 /dev/zero >"$scratch/large"
claim "max-state is held (exit code 6)" \
    ends_with 6 "the most is 102400\|at most 102400" "$weir" put log --state "$scratch/large" --node "$endpoint"
many=$("$weir" put map --param name=many --node "$endpoint")
seq 10000 | sed 's/.*/&\t&/' >"$scratch/many"
claim "… of what comes bit by bit too" \
    ends_with 6 "102400" sh -c "'$weir' map load $many - --node '$endpoint' <'$scratch/many'"
stop

export WEIR_DURABILITY=relaxed
claim "the environment is read" start --data "$scratch/data" $any
claim "… and counts" status_has '"durability":"relaxed"'
stop
claim "too few open files are refused by name" \
    bash -c "ulimit -n 100 && $(declare -f refused) && weir=$weir scratch=$scratch refused 1 'ulimit -n' --data $scratch/few $any"
claim "… before anything is made" test ! -e "$scratch/few"
echo 'durability = full' >"$scratch/weir.conf"
claim "the config file weighs more than the environment" \
    start --data "$scratch/data" $any --config "$scratch/weir.conf"
claim "… as status shows" status_has '"durability":"full"'
stop
claim "the command line weighs more than the config file" \
    start --data "$scratch/data" $any --config "$scratch/weir.conf" --durability relaxed
claim "… as status shows" status_has '"durability":"relaxed"'
stop
unset WEIR_DURABILITY
echo 'colour = blue' >"$scratch/weir.conf"
claim "an unknown option in the config file is refused" \
    refused 2 "colour" --data "$scratch/data" $any --config "$scratch/weir.conf"

written() { printf '%b' "$1" >"$scratch/weir.conf"; }
for row in 'durability full|: line 1: .*each line is NAME = VALUE' 'role = peer\n  network = x|: line 2: .*each line is NAME = VALUE' \
    'role = peer\n    network = x|blanks before what follows role' 'durability = perhaps|weir.conf: durability = perhaps: full or relaxed' \
    'max-store = many|weir.conf: max-store = many: a size' 'role = peer\nrole = peer|weir.conf: role: given twice' \
    'log-json = perhaps|weir.conf: log-json = perhaps: yes or no'; do
    code=2
    case $row in *'line '[12]*) code=1 ;; esac
    written "${row%|*}"
    claim "a config file with ${row%|*} is told by its place" \
        refused $code "${row#*|}" --data "$scratch/data" $any --config "$scratch/weir.conf"
done
claim "a config file that is none is told as that" refused 1 "No such file" --config "$scratch/none.conf" $any
claim "… and a folder" refused 1 "is no file" --config "$scratch" $any
written 'log-json = no'
claim "what is set to no is off" start --data "$scratch/data" $any --config "$scratch/weir.conf"
claim "… as the log shows" grep -q ' info ' "$scratch/log"
stop
export WEIR_DURABILITY=perhaps
claim "a wrong value of the environment is told by its variable" \
    refused 2 "WEIR_DURABILITY=perhaps: full or relaxed" --data "$scratch/data" $any
unset WEIR_DURABILITY

claim "a small store starts" start --data "$scratch/small" $any --max-store 1M
key=$("$weir" put map --node "$endpoint")
head -c 20000 /dev/zero | tr '\0' x >"$scratch/value"
code=0
for i in {1..100}; do
    "$weir" map set "$key" "f$i" "$(cat "$scratch/value")" --node "$endpoint" >/dev/null 2>"$scratch/refusal" || {
        code=$?
        break
    }
done
claim "a full store refuses with STORE_FULL (exit code 1)" test $code = 1
claim "… and says so" grep -q 'max-store' "$scratch/refusal"
claim "… once" test "$(grep -o 'max-store' "$scratch/refusal" | wc -l)" = 1
claim "… and in its log, once" test "$(grep -c ' warn  changes are refused: the store.s limit is reached; raise its --max-store$' "$scratch/log")" = 1
claim "… and what was before it is read" \
    bash -c "[ \$($weir get $key --node $endpoint | wc -l) = $((i - 1)) ]"
stop
exit $failed
