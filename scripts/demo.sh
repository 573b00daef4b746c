#!/bin/bash
# demo: one node with real input: a map of every installed Debian package and its version, a set of
# the words of a dictionary, a log that one process appends to while another follows it; then the
# same from C. Everything it makes is in a folder of its own, removed at the end.
set -eu
cd "$(dirname "$0")/.."
build=${BUILD:-build}
PATH=$(cd "$build" && pwd):$PATH
words=/usr/share/dict/american-english
data=$(mktemp -d)
node=
follower=
finish() {
    [ -z "$follower" ] || kill "$follower" 2>/dev/null || true
    [ -z "$node" ] || { kill "$node" && wait "$node"; } 2>/dev/null || true
    rm -rf "$data"
}
trap finish EXIT

say() { printf '\n# %s\n' "$*"; }
# Shows a command and runs it, with the time it took.
show() {
    local from to
    printf '$ %s\n' "$*"
    from=$(date +%s%N)
    bash -o pipefail -c "$*"
    to=$(date +%s%N)
    printf '  (%d ms)\n' $(((to - from) / 1000000))
}
same() { # same WHAT FILE FILE: the demo shows what is true, or fails
    if ! cmp -s "$2" "$3"; then
        echo "demo: $1: what came back is not what went in" >&2
        diff "$2" "$3" | head >&2
        exit 1
    fi
    echo "  $1: $(wc -l <"$2") lines, the same that went in"
}

say "a node"
mkfifo "$data/ready"
echo "\$ weir node --data $data/node --client tcp://127.0.0.1:0 --listen none &"
weir node --data "$data/node" --client tcp://127.0.0.1:0 --listen none >"$data/ready" 2>"$data/log" &
node=$!
read -r ready <"$data/ready" || true
echo "$ready"
WEIR_NODE=$(sed -n 's/.* client=\([^, ]*\).*/\1/p' <<<"$ready")
export WEIR_NODE

say "a map: every package installed on this machine, and its version"
packages=$(weir put map --param name=packages)
export packages
echo "\$ packages=\$(weir put map --param name=packages); echo \$packages"
echo "$packages"
show 'dpkg-query -W | weir map load $packages -'
show 'weir get $packages | sed -n 1,3p'
dpkg-query -W | LC_ALL=C sort >"$data/in"
weir get "$packages" | LC_ALL=C sort >"$data/out"
same packages "$data/in" "$data/out"

say "a set: the words of a dictionary"
dictionary=$(weir put set --param name=words)
export dictionary words
show 'weir set add $dictionary - < $words'
LC_ALL=C sort -u "$words" >"$data/in"
weir get "$dictionary" >"$data/out"
same words "$data/in" "$data/out"
show 'weir set add $dictionary weir && weir set remove $dictionary weir'

say "a log: one process follows while another appends"
log=$(weir put log --param name=chat)
export log
echo '$ weir subscribe $log --count 3 &'
weir subscribe "$log" --count 3 >"$data/followed" &
follower=$!
# The follower counts as there when the node watches the log for it.
until weir status --json | grep -q '"watched": *1'; do :; done
for line in "hello" "is anyone there?" "bye"; do
    show "weir log append \$log \"$line\""
done
wait "$follower"
follower=
echo "what the follower saw:"
sed 's/^/  /' "$data/followed"

say "the same from C (docs/examples)"
for example in "$build"/examples/*; do
    [ -x "$example" ] && [ -f "$example" ] || continue
    show "$example"
done

say "the node itself"
show 'weir contracts'
show 'weir status'
say "stopping it; its data is checked without it"
kill "$node" && wait "$node" && node=
show "weir check $data/node"
