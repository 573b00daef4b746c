#!/bin/bash
# Clients from elsewhere: an address that is not loopback asks for CURVE and a listed key, while loopback
# beside it does not. Takes the binary from $WEIR.
set -u
weir=${WEIR:-build/weir}
scratch=$(mktemp -d /tmp/weir-curve-XXXXXX)
node=
# shellcheck source=tests/integration/claims.sh
. "$(dirname "$0")/claims.sh"
trap '[ -n "$node" ] && kill -9 $node 2>/dev/null; rm -rf "$scratch"' EXIT

ends_with() { # CODE COMMAND…
    local code=$1
    shift
    "$@"
    local got=$?
    echo "exit code $got"
    [ $got = "$code" ]
}

mkdir "$scratch/clients"
claim "a client makes its pair" "$weir" keys new --curve "$scratch/ada"
claim "a stranger makes one too" "$weir" keys new --curve "$scratch/eve"
cp "$scratch/ada" "$scratch/clients/"

"$weir" node --data "$scratch/data" --listen none --client tcp://127.0.0.1:0 --client tcp://0.0.0.0:0 \
    --client-keys "$scratch/clients" >"$scratch/out" 2>"$scratch/log" &
node=$!
claim "the node starts" ready "$scratch/out" $node
inner=$(grep -o 'tcp://127.0.0.1:[0-9]*' "$scratch/out")
outer=tcp://127.0.0.1:$(grep -o 'tcp://0.0.0.0:[0-9]*' "$scratch/out" | grep -o '[0-9]*$')
server=$scratch/data/curve.key
remote=(--node "$outer" --timeout 60) # only a fault takes that long …
unheard=(--node "$outer" --timeout 3) # … but for who gets no answer

claim "the secret part of the node's key is for its owner alone" \
    [ "$(stat -c %a "$scratch/data/curve.key_secret")" = 600 ]
claim "loopback asks for no key" "$weir" status --node "$inner"
claim "a listed key with the node's key is served" \
    "$weir" put counter "${remote[@]}" --server-key "$server" --client-key "$scratch/ada"
claim "no key at all gets no answer" ends_with 7 "$weir" status "${unheard[@]}"
claim "a key that is not listed is refused" \
    ends_with 1 "$weir" status "${remote[@]}" --server-key "$server" --client-key "$scratch/eve"
claim "a wrong server key gets no answer" \
    ends_with 7 "$weir" status "${unheard[@]}" --server-key "$scratch/eve" --client-key "$scratch/ada"
kill -TERM $node && wait $node
node=
exit $failed
