#!/bin/bash
# Six nodes, three of them written to; one lives in a network namespace of its own and is cut off by
# a packet filter for CUT_SECONDS. Written to on both sides meanwhile, all have equal bytes within
# HEAL_SECONDS after the filter is gone, and a few times what asking them all takes then.
# Takes the binary from $WEIR.
set -u
weir=$(realpath "${WEIR:-build/weir}")
cut=${CUT_SECONDS:-10} heal=${HEAL_SECONDS:-10}
# Namespaces need root, or a user namespace in which we are.
if [ "$(id -u)" != 0 ] && [ -z "${IN_NAMESPACE:-}" ]; then
    IN_NAMESPACE=1 exec unshare --map-root-user --net --mount -- bash "$0" "$@"
fi
scratch=$(mktemp -d /tmp/weir-cut-XXXXXX)
tag=w$$
hub=$tag-hub far=$tag-far
pids=()
# shellcheck source=tests/integration/claims.sh
. "$(dirname "$0")/claims.sh"

finish() {
    for pid in "${pids[@]}"; do kill -9 "$pid" 2>/dev/null; done
    ip netns del "$hub" 2>/dev/null
    ip netns del "$far" 2>/dev/null
    rm -rf "$scratch"
}
trap finish EXIT

make_network() {
    ip netns add "$hub" && ip netns add "$far" || return 1
    ip link add "$tag-a" netns "$hub" type veth peer name "$tag-b" netns "$far" || return 1
    ip -n "$hub" addr add 10.77.0.1/24 dev "$tag-a"
    ip -n "$far" addr add 10.77.0.2/24 dev "$tag-b"
    local space
    for space in "$hub" "$far"; do ip -n "$space" link set lo up; done
    ip -n "$hub" link set "$tag-a" up && ip -n "$far" link set "$tag-b" up
}

start() { # NUMBER NAMESPACE HOST OPTIONS…
    local number=$1 space=$2 host=$3
    shift 3
    ip netns exec "$space" "$weir" node --data "$scratch/$number" --client tcp://127.0.0.1:0 \
        --listen "$host:0" "$@" >"$scratch/$number.ready" 2>"$scratch/$number.log" &
    pids+=($!)
    ready "$scratch/$number.ready" $!
}

word() { grep -o " $2=[^ ]*" "$scratch/$1.ready" | cut -d= -f2; }
at() { # NUMBER COMMAND…: weir at that node, over its socket file: no filter is between
    local number=$1
    shift
    timeout 20 "$weir" "$@" --node "ipc://$scratch/$number/weir.sock"
}
live() { at "$1" peers --json | grep -o '"state": *"live"' | wc -l; }
all_live() { for n in 0 1 2 3 4 5; do [ "$(live $n)" = 5 ] || return 1; done; }
within() { # SECONDS COMMAND…: repeated until it succeeds
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}
write() { at "$1" map set "$key" "$2" "$3"; }
state() { at "$1" get "$key" --raw | sha256sum; }
equal() {
    local first n
    first=$(state 0)
    for n in 1 2 3 4 5; do [ "$(state $n)" = "$first" ] || return 1; done
}
fields() { at "$1" get "$key" --json | grep -o '"f[0-9]*-[0-9]*"' | sort -u | wc -l; }

filter_on() {
    ip netns exec "$far" nft -f - <<'END'
table inet cut {
    chain in { type filter hook input priority 0; policy accept; iifname != "lo" drop; }
    chain out { type filter hook output priority 0; policy accept; oifname != "lo" drop; }
}
END
}
filter_off() { ip netns exec "$far" nft delete table inet cut; }

claim "two namespaces, joined by a cable" make_network
claim "a gateway starts" start 0 "$hub" 10.77.0.1 --role gateway
gateway="$(word 0 id)@$(word 0 peers)"
for n in 1 2 3 4; do claim "node $n starts" start $n "$hub" 10.77.0.1 --gateway "$gateway"; done
claim "node 5 starts in a namespace of its own" start 5 "$far" 10.77.0.2 --gateway "$gateway"
claim "they are a full mesh" within 60 all_live

key=$(at 1 put map --param name=cut)
claim "a contract is put" test -n "$key"
for n in 1 2 5; do claim "node $n writes" write $n "f$n-0" before; done
claim "all are equal before the cut" within 60 equal
from=$SECONDS
equal
asking=$((SECONDS - from))

claim "the filter goes on" filter_on
end=$((SECONDS + cut)) round=0
while [ $SECONDS -lt $end ]; do
    round=$((round + 1))
    for n in 1 2 5; do write $n "f$n-$round" cut >/dev/null || echo "# a write at node $n failed"; done
    sleep 0.3
done
claim "the two sides differ meanwhile" test "$(state 0)" != "$(state 5)"
claim "the filter goes off" filter_off
claim "equal bytes at all within $heal s" within $((heal + 3 * asking)) equal
claim "nothing that was written is missing" test "$(fields 5)" = $((3 * (round + 1)))
exit $failed
