#!/bin/bash
# The README's session, as it stands there, on a fresh node: every command is run and has to print
# what the README shows. Digits match any digits (versions and counts depend on the machine), and …
# matches anything.
set -u
readme=$PWD/README.md
dir=$(mktemp -d)
node=
trap '[ -z "$node" ] || kill "$node"; wait 2>/dev/null; rm -rf "$dir"' EXIT
mkdir "$dir/build" && ln -s "$WEIR" "$dir/build/weir" && cd "$dir" || exit 1

mkfifo ready
"$WEIR" node --data data --client tcp://127.0.0.1:0 --listen none >ready 2>node.log &
node=$!
read -r line <ready
WEIR_NODE=$(sed -n 's/.*\(tcp:[^, ]*\).*/\1/p' <<<"$line")
export WEIR_NODE

# block N FOLLOWER: the N-th console block with or without that word, as FILE of lines.
block() {
    awk -v n="$1" -v head="$2" '
        $0 == head { if (++seen == n) { on = 1; next } }
        /^```$/ { on = 0 }
        on' "$readme"
}
# What was printed against what is written, line by line.
matches() { # WRITTEN PRINTED
    local written printed
    [ "$(wc -l <"$1")" = "$(wc -l <"$2")" ] || return 1
    while IFS= read -r written <&3 && IFS= read -r printed <&4; do
        written=$(sed 's/[0-9]\+/9/g' <<<"$written")
        printed=$(sed 's/[0-9]\+/9/g' <<<"$printed")
        # columns are as wide as what is in them
        written=$(tr -s ' ' <<<"$written") printed=$(tr -s ' ' <<<"$printed")
        case $written in
        *…*) [[ $printed == "${written%%…*}"* ]] || return 1 ;;
        *) [ "$written" = "$printed" ] || return 1 ;;
        esac
    done 3<"$1" 4<"$2"
}
failed=0
# session HEAD N: runs the commands of a block in this shell's place and compares.
session() {
    block "$2" "$1" >written
    : >expected && : >commands
    while IFS= read -r line; do
        case $line in
        '$ '*) echo "${line#\$ }" >>commands ;;
        *) echo "$line" >>expected ;;
        esac
    done <written
    # One shell for all blocks would lose its variables at the first `exit`; so they are kept in a file.
    bash -c '[ ! -f vars ] || . ./vars; . ./commands; declare -p > vars.new 2>/dev/null
        grep -E "^declare -[-x]+ (PATH|[a-z]+)=" vars.new > vars' >printed 2>&1
    if [ -s commands ] && matches expected printed; then
        echo "ok - README: $3"
    else
        echo "not ok - README: $3"
        diff expected printed
        failed=1
    fi
}

session '```console' 1 "a counter"
session '```console' 2 "packages and words"
# The follower is there when the node watches its log.
block 1 '```console follower' | sed -n 's/^\$ //p' >follow.commands
block 1 '```console follower' | grep -v '^\$ ' >follow.expected
(PATH=$dir/build:$PATH && . ./follow.commands) >follow.printed 2>&1 &
follower=$!
until "$WEIR" status --json | grep -q '"watched": *1'; do :; done
session '```console' 3 "appending to a log"
wait "$follower"
if matches follow.expected follow.printed; then
    echo "ok - README: following a log"
else
    echo "not ok - README: following a log"
    diff follow.expected follow.printed
    failed=1
fi
session '```console' 4 "listed writers"

root=$(dirname "$readme")
block 1 '```c' >app.c
# shellcheck disable=SC2046,SC2086
if ${CC:-cc} -std=c11 -Wall -Wextra -Werror ${SANITIZE:-} -I"$root/client" -o app app.c "$BUILD/libweir.a" \
    $(pkg-config --libs libzmq libsodium) && [ "$(./app)" = "a state of 22 bytes" ]; then
    echo "ok - README: the program"
else
    echo "not ok - README: the program"
    failed=1
fi
exit $failed
