#!/bin/bash
# The README's session, as it stands there, on a fresh node: every command is run and has to print
# what the README shows. Digits match any digits (versions and counts depend on the machine), and …
# matches anything.
set -u
readme=$PWD/README.md
export WEIR_TIMEOUT=60 # only a fault takes that long
dir=$(mktemp -d)
node= nodes=()
trap '[ -z "$node" ] || kill "$node" "${nodes[@]}"; wait 2>/dev/null; rm -rf "$dir"' EXIT
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

# judge CLAIM: there were commands, and they printed what was expected.
judge() {
    if [ -s commands ] && matches expected printed; then
        echo "ok - README: $1"
    else
        echo "not ok - README: $1"
        diff expected printed
        failed=1
    fi
}

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
    judge "$3"
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

# --- a network: two nodes on this machine, with a port and data of their own ---

# The README names ports; these must be free, and are not of those that the system gives away.
port=$(shuf -i 20000-30000 -n 1)
while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$(shuf -i 20000-30000 -n 1); done
written_id() { block 1 "\`\`\`console $1" | sed -n 's/^ready id=\([^ ]*\) .*/\1/p'; }
gateway_written=$(written_id gateway) joins_written=$(written_id joins)
gateway_id=$gateway_written joins_id=$joins_written
here() { # what is written, with the addresses and ids of this test
    sed -e "s/192\.0\.2\.10:31337/127.0.0.1:$port/g" -e "s/$gateway_written/$gateway_id/g" \
        -e "s/$joins_written/$joins_id/g" -e "s/127\.0\.0\.1:31337/127.0.0.1:$port/g" \
        -e 's/127\.0\.0\.1:\(7511\|31338\)/127.0.0.1:0/g' \
        -e "s/${gateway_written:0:8}/${gateway_id:0:8}/g" -e "s/${joins_written:0:8}/${joins_id:0:8}/g"
}
# start_written HEAD LISTEN: a node by the command that the README has; its ready line in $line
start_written() {
    local command
    command=$(block 1 "\`\`\`console $1" | sed -n 's/^\$ //p' | here)
    mkfifo "$1.ready"
    # shellcheck disable=SC2086
    (PATH=$dir/build:$PATH WEIR_DATA=$dir/$1 WEIR_CLIENT=tcp://127.0.0.1:0 WEIR_LISTEN=$2 \
        exec $command >"$1.ready" 2>"$1.log") &
    nodes+=($!)
    read -r -t 60 line <"$1.ready"
}
# Which of the two dialled follows from their ids, which are new each time.
either_way() { sed -e "s/$joins_id  gateway/$gateway_id  gateway/" -e 's/  in  /  out  /' -e 's/ [<>]/ x/g'; }
network_session() { # HEAD NODE CLAIM
    block 1 "\`\`\`console $1" | here >written
    sed -n 's/^\$ //p' written >commands
    grep -v '^\$ ' written | either_way >expected
    (export PATH=$dir/build:$PATH WEIR_NODE=ipc://$dir/$2/weir.sock && . ./commands) 2>&1 |
        either_way >printed
    judge "$3"
}
start_written gateway "0.0.0.0:$port"
gateway_id=$(sed -n 's/^ready id=\([^ ]*\) client=.*/\1/p' <<<"$line")
start_written joins 127.0.0.1:0
joins_id=$(sed -n 's/^ready id=\([^ ]*\) client=.*/\1/p' <<<"$line")
if [ -n "$gateway_id" ] && [ -n "$joins_id" ]; then
    echo "ok - README: a gateway and a node that joins"
else
    echo "not ok - README: a gateway and a node that joins"
    cat gateway.log joins.log
    failed=1
fi
until "$WEIR" peers --json --node "ipc://$dir/joins/weir.sock" | grep -q '"rtt_us": *[0-9]'; do :; done
network_session first gateway "what one of two nodes puts"
network_session second joins "the other one finds, and who is connected"
start_written beside 127.0.0.1:0
beside=$(sed -n 's/.*\(tcp:[^, ]*\).*/\1/p' <<<"$line")
knows_both() { "$WEIR" peers --json --node "$beside" | grep -c "$gateway_id.*$joins_id\|$joins_id.*$gateway_id"; }
until [ "$(knows_both)" = 1 ]; do kill -0 "${nodes[-1]}" || break; done
if [ "$(knows_both)" = 1 ] && [ -e second/node.key ]; then
    echo "ok - README: another node on one machine"
else
    echo "not ok - README: another node on one machine"
    cat beside.log
    failed=1
fi
# --- a room: Ada at the first node, Ben at the second ---

# Invitations, messages' names and people's keys are new each time: those of the README stand for
# those of this test, in commands, and one is as good as another in what is printed.
: >given # lines of sed
names() { sed -E 's/weir-room:.*/INVITATION/; s/\b[0-9a-f]{8}\b/NAME/g'; }
room_session() { # WHO N NODE CLAIM
    local written printed
    block "$2" "\`\`\`console $1" >written
    sed -n 's/^\$ //p' written | sed -E -f given >commands
    grep -v '^\$ ' written >expected.room
    (export PATH=$dir/build:$PATH XDG_CONFIG_HOME=$dir/home.$1 WEIR_NODE=ipc://$dir/$3/weir.sock && . ./commands) >printed.room 2>&1
    names <expected.room >expected
    names <printed.room >printed
    if [ -s commands ] && matches expected printed; then
        echo "ok - README: $4"
    else
        echo "not ok - README: $4"
        diff expected.room printed.room
        failed=1
    fi
    while IFS= read -r written <&3 && IFS= read -r printed <&4; do
        case $written in
        weir-room:*) echo "s/weir-room:[^ ]*/$printed/" >>given ;;
        [0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f])
            echo "s/\\b${written:0:4}\\b/${printed:0:8}/" >>given ;;
        esac
    done 3<expected.room 4<printed.room
}
is_seen() { # WHO NODE TEXT: waits until it is there
    until XDG_CONFIG_HOME=$dir/home.$1 "$WEIR" room log garden --node "ipc://$dir/$2/weir.sock" 2>&1 | grep -qF "$3"; do :; done
}
room_session ada 1 gateway "a room, and an invitation to it"
room_session ben 1 joins "who was invited enters and says something"
is_seen ada gateway "plant first"
room_session ada 2 gateway "a reply"
room_session ada 3 gateway "which is edited"
is_seen ben joins "beans"
room_session ben 2 joins "a reaction, the log and the members"

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
