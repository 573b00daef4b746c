#!/bin/bash
# demo: a network of six nodes with real input, on this machine: a gateway and five peers. A map of
# every installed Debian package and its version and a set of the words of a dictionary are put at
# one, found at another, written to at three at once and followed at the rest, while one node is
# stopped and started and another one killed. At the end it shows who is connected to whom, and all
# six must have the same; else it exits with 1. Everything it makes is in a folder of its own,
# removed at the end.
set -eu
cd "$(dirname "$0")/.."
build=${BUILD:-build}
name=demo
# shellcheck source=scripts/demo-nodes.sh
. scripts/demo-nodes.sh
words=/usr/share/dict/american-english
LINES_EACH=100 # what each of the three writers adds
began=$(now_ms)

same() { # same WHAT FILE FILE: the demo shows what is true, or fails
    if ! cmp -s "$2" "$3"; then
        diff "$2" "$3" | head >&2
        fail "$1: what came back is not what went in"
    fi
    echo "  $1: $(wc -l <"$2") lines, the same that went in"
}

# --- the network ---------------------------------------------------------------------------------

say "a gateway, and five peers that join through it"
from=$(now_ms)
echo '$ weir node --data 0 --listen 127.0.0.1:0 --role gateway &'
start 0 --role gateway
echo "$line"
echo '$ weir node --data 1 --listen 127.0.0.1:0 --gateway ID@HOST:PORT &   (and 2, 3, 4, 5)'
for n in 1 2 3 4 5; do start_peer $n; done
within "each node is connected to the five others" all_live 5
took "$from"
show 3 'weir peers'

say "a map at node 1: every package installed on this machine, and its version"
packages=$(at 1 weir put map --param name=packages)
export packages
show 1 'echo $packages; dpkg-query -W | weir map load $packages -'
dpkg-query -W | LC_ALL=C sort >"$data/in"

say "a set at node 1: the words of a dictionary"
dictionary=$(at 1 weir put set --param name=words)
export dictionary words
show 1 'echo $dictionary; weir set add $dictionary - < $words'
LC_ALL=C sort -u "$words" >"$data/words"

say "both are found at node 4"
show 4 'weir get $packages | sed -n 1,3p'
at 4 weir get "$packages" | LC_ALL=C sort >"$data/out"
same packages "$data/in" "$data/out"
show 4 'weir get $dictionary | wc -l'
at 4 weir get "$dictionary" >"$data/out"
same words "$data/words" "$data/out"

say "a log: one process follows it at node 3 while another appends at node 2"
chat=$(at 2 weir put log --param name=chat)
export chat
echo 'node 3$ weir subscribe $chat --count 3 &'
at 3 weir subscribe "$chat" --count 3 >"$data/chat" &
follower=$!
others+=($follower)
followed_at_3() { at 3 weir contracts | grep -q "^$chat"; }
within "the log is followed at node 3" followed_at_3
for line in "hello" "is anyone there?" "bye"; do
    show 2 "weir log append \$chat \"$line\""
done
within "the follower has all" eval '! kill -0 $follower 2>/dev/null'
[ "$(wc -l <"$data/chat")" = 3 ] || fail "the follower did not see three lines"
sed 's/^/  /' "$data/chat"

# --- writing, following, dying -------------------------------------------------------------------

say "nodes 0, 4 and 5 follow both; nodes 1, 2 and 3 write to both at once, $LINES_EACH lines each"
follows_both() { [ -s "$data/followed.packages.$1" ] && [ -s "$data/followed.dictionary.$1" ]; }
for n in 0 4 5; do
    for contract in packages dictionary; do
        at $n weir subscribe "${!contract}" >"$data/followed.$contract.$n" 2>>"$data/log.follow" &
        others+=($!)
    done
    within "node $n is followed" follows_both $n
done

write() { # N: a word and a package each time, one after the other
    local i
    for ((i = 1; i <= LINES_EACH; i++)); do
        at "$1" weir map set "$packages" "demo-$1-$i" "by node $1" || return 1
        at "$1" weir set add "$dictionary" "demo-$1-$i" || return 1
    done >/dev/null
}
from=$(now_ms)
writers=()
for n in 1 2 3; do
    write $n &
    writers+=($!)
done
sleep 1
echo 'node 4$ kill -TERM, and started again'
stop 4 TERM
start_peer 4
echo 'node 5$ kill -KILL'
stop 5 KILL
for pid in "${writers[@]}"; do wait "$pid" || fail "a writer failed"; done
printf '%d updates at three nodes' $((6 * LINES_EACH))
took "$from"
from=$(now_ms)
echo 'node 5$ started again'
start_peer 5
within "each node is connected to the five others" all_live 5
took "$from"

# --- the end -------------------------------------------------------------------------------------

fingerprint() { at "$1" weir contracts | awk -v key="$2" '$1 == key {print $NF}'; }
equal() { # KEY: at all six
    local n first other
    first=$(fingerprint 0 "$1")
    [ -n "$first" ] || return 1
    for n in 1 2 3 4 5; do
        other=$(fingerprint $n "$1")
        [ "$first" = "$other" ] || return 1
    done
}
# Has each follower seen all that was written?
followed() { # CONTRACT
    local n
    for n in 0 4 5; do
        [ "$(grep -o 'demo-[123]-[0-9]*' "$data/followed.$1.$n" | sort -u | wc -l)" = \
            $((3 * LINES_EACH)) ] || return 1
    done
}

say "until all six have the same"
from=$(now_ms)
for n in 0 1 2 3 4 5; do # who does not host it asks, and hosts it from then on
    at $n weir get "$packages" >"$data/out.$n"
    at $n weir get "$dictionary" >/dev/null
done
within "all have the same packages" equal "$packages"
within "all have the same words" equal "$dictionary"
took "$from"
for n in 0 1 2 3 4 5; do
    printf 'node %s: packages %s  words %s\n' $n "$(fingerprint $n "$packages")" "$(fingerprint $n "$dictionary")"
done
{
    cat "$data/words"
    for n in 1 2 3; do seq -f "demo-$n-%.0f" $LINES_EACH; done
} | LC_ALL=C sort -u >"$data/in"
at 5 weir get "$dictionary" >"$data/out"
same "words, at the node that was killed" "$data/in" "$data/out"
for contract in packages dictionary; do within "followers saw all of $contract" followed $contract; done
echo "  what was followed at nodes 0, 4 and 5: all $((3 * LINES_EACH)) lines of each"

say "who is connected to whom"
show 2 'weir peers --matrix'

# --- a node itself -------------------------------------------------------------------------------

say "the same from C (docs/examples), at node 2"
for example in board count; do show 2 "$build/examples/$example"; done

say "a node, and what it hosts"
show 2 'weir contracts'
say "stopping all; the data of one is checked without it"
from=$(now_ms)
for n in 0 1 2 3 4 5; do stop $n TERM; done
took "$from"
show 5 "weir check $data/5"
printf '\nall of it'
took "$began"
