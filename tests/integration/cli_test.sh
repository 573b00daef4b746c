#!/bin/bash
# The command line against a real node, as a script uses it. WEIR: the binary.
set -u
. tests/integration/cli.sh

start_node "$dir/data" "$dir/node" --client tcp://127.0.0.1:0
export WEIR_NODE=$endpoint
port=${ready##*client=*tcp://127.0.0.1:}
port=${port%%[, ]*}
zeros=$(printf '1%.0s' $(seq 32))

# --- values of every kind ------------------------------------------------------------------------
c=$("$WEIR" put counter --param name=c)
is "putting again gives the same key" "$c" "$("$WEIR" put counter --param name=c)"
is "a counter starts at 0" 0 "$("$WEIR" get "$c")"
is "adding changes" changed "$("$WEIR" counter add "$c" 5)"
is "subtracting changes" changed "$("$WEIR" counter add "$c" -7)"
is "a counter is its number" "-2" "$("$WEIR" get "$c")"
is "json of a counter" '{"value":-2}' "$("$WEIR" get "$c" --json)"
big=$("$WEIR" put counter --param name=big)
"$WEIR" counter add "$big" 9223372036854775807 >/dev/null
is "a counter is exact to 64 bits" '{"value":9223372036854775807}' "$("$WEIR" get --json "$big")"

r=$("$WEIR" put register --param name=r)
is "a register never written prints nothing" "" "$("$WEIR" get "$r")"
is "json of a register never written" '{"value":null}' "$("$WEIR" get "$r" --json)"
"$WEIR" register set "$r" 'some "text"' >/dev/null
is "a register is its value" 'some "text"' "$("$WEIR" get "$r")"
is "json of a register" '{"value":"some \"text\""}' "$("$WEIR" get "$r" --json)"
"$WEIR" register set "$r" $'\xff\xfe' >/dev/null
is "json of bytes that are not UTF-8" '{"value":{"base64":"//4="}}' "$("$WEIR" get "$r" --json)"

m=$("$WEIR" put multi-register --param name=m)
"$WEIR" register set "$m" x >/dev/null
is "json of a multi-register" '{"values":["x"]}' "$("$WEIR" get "$m" --json)"

s=$("$WEIR" put set --param name=s)
is "adding elements changes" changed "$("$WEIR" set add "$s" pear apple fig)"
"$WEIR" set remove "$s" fig >/dev/null
is "taking away what is not there is no change" unchanged "$("$WEIR" set remove "$s" plum)"
is "a set is its elements in byte order" $'apple\npear' "$("$WEIR" get "$s")"
is "json of a set" '["apple","pear"]' "$("$WEIR" get "$s" --json)"

p=$("$WEIR" put map --param name=p)
"$WEIR" map set "$p" colour green >/dev/null
is "map load counts lines" 3 "$(printf 'a\t1\nb\t2\nno newline\tat the end' | "$WEIR" map load "$p" -)"
"$WEIR" map remove "$p" a >/dev/null
is "a map is fields and values" $'b\t2\ncolour\tgreen\nno newline\tat the end' "$("$WEIR" get "$p")"
is "json of a map" '{"b":"2","colour":"green","no newline":"at the end"}' "$("$WEIR" get "$p" --json)"

l=$("$WEIR" put log --param name=l --param newest=3)
before=$(date +%s%3N)
"$WEIR" log append "$l" one two three >/dev/null
"$WEIR" log append "$l" four >/dev/null
after=$(date +%s%3N)
is "a log keeps the newest" $'two\nthree\nfour' "$("$WEIR" get "$l" | cut -f2)"
is "times of a log are ISO" 3 \
    "$("$WEIR" get "$l" | grep -cE $'^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z\t')"
json=$("$WEIR" get "$l" --json)
is "json of a log" '[{"time":T,"data":"two"},{"time":T,"data":"three"},{"time":T,"data":"four"}]' \
    "$(sed -E 's/"time":[0-9]+/"time":T/g' <<<"$json")"
time=$(grep -oE '[0-9]{13}' <<<"$json" | tail -1)
is "times of a log are of now" yes "$([ "$time" -ge "$before" ] && [ "$time" -le "$after" ] && echo yes)"

# --- on a terminal ---------------------------------------------------------------------------------
on_terminal() { script -qec "$WEIR $*" /dev/null </dev/null | tr -d '\r'; }
wild=$("$WEIR" put register --param name=wild)
"$WEIR" register set "$wild" $'bell\a \033[31mred\177 \302\233 two\tlines\nend' >/dev/null
is "a terminal gets no controls of others, but lines and tabs" $'bell\\x07 \\x1b[31mred\\x7f \\x9b two\tlines\nend' \
    "$(on_terminal get "$wild")"
is "what is no terminal gets the bytes" $'bell\a \033[31mred\177 \302\233 two\tlines\nend' "$("$WEIR" get "$wild")"
wilds=$("$WEIR" put map --param $'name=C1 \302\233')
"$WEIR" map set "$wilds" $'k\033' $'v\b' >/dev/null
is "names of fields too" $'k\\x1b\tv\\x08' "$(on_terminal get "$wilds")"
is "and what is followed" $'k\\x1b\tv\\x08' "$(on_terminal subscribe "$wilds" --count 0)"
is "in JSON they are escaped everywhere" 1 "$("$WEIR" contracts --json | grep -c '"name":"C1 \\u009b"')"

# --- bytes -----------------------------------------------------------------------------------------
"$WEIR" get "$s" --raw >"$dir/state"
is "json of a change has the fingerprint" '{"changed":false,"fingerprint":"F"}' \
    "$("$WEIR" update "$s" --delta "$dir/state" --json | sed -E 's/[0-9a-f]{64}/F/')"
is "a state is merged with itself without change" unchanged "$("$WEIR" update "$s" --delta - <"$dir/state")"
s2=$("$WEIR" put set --param name=s2 --state "$dir/state")
is "a state is put as bytes" '["apple","pear"]' "$("$WEIR" get "$s2" --json)"
s3=$("$WEIR" put set --param name=s3 --state - <"$dir/state")
"$WEIR" get "$s3" --raw | cmp -s - "$dir/state"
is "bytes come back as they were" 0 $?
is "json of put" "{\"key\":\"$s3\",\"fingerprint\":\"F\",\"hosts\":1}" \
    "$("$WEIR" put set --param name=s3 --json | sed -E 's/[0-9a-f]{64}/F/')"

# --- standard input --------------------------------------------------------------------------------
is "10,000 lines are added" 10000 "$(seq 1 10000 | "$WEIR" set add "$s2" -)"
is "and are there" 10002 "$("$WEIR" get "$s2" | wc -l)"
is "10,000 entries are appended in order" "$(seq 1 10000 | md5sum)" \
    "$(big=$("$WEIR" put log --param name=big); seq 1 10000 | "$WEIR" log append "$big" - >/dev/null
       "$WEIR" get "$big" | cut -f2 | md5sum)"
is "no lines are no change" 0 "$("$WEIR" set add "$s2" - </dev/null)"
is "json of a load" '{"count":2}' "$(printf 'a\nb\n' | "$WEIR" set add "$s2" - --json)"
printf 'x\t1\nno tab here\n' | "$WEIR" map load "$p" - >"$dir/out" 2>"$dir/err"
is "a line without a tab is refused, and what is in is told" \
    "6 line 2: there is no tab; a line is FIELD<TAB>VALUE; 1 lines before it are in" \
    "$? $(cut -d' ' -f4- "$dir/err")"
is "what came before it is in" 1 "$("$WEIR" get "$p" | grep -c $'^x\t1$')"
part=$("$WEIR" put map --param name=part)
{ seq 9000 | sed 's/.*/f&\t&/'; printf '%0400d\tlong\n' 1; seq 9002 9700 | sed 's/.*/f&\t&/'; } |
    "$WEIR" map load "$part" - >"$dir/out" 2>"$dir/err"
is "a line refused after batches went in is named" "6 weir: map load: line 9001: 9000 lines before it are in" \
    "$? $(sed -E 's/(line 9001:) [^;]*;/\1/; s/ in, and .*/ in/' "$dir/err")"
is "and those are in" 9000 "$("$WEIR" get "$part" | cut -f2 | awk '$1 <= 9000' | sort -n | uniq | wc -l)"
exits "no lines for an unknown contract are 3" 3 "weir contracts" "$WEIR" set add "$zeros" -
exits "no lines for another kind are 6" 6 "is a counter, not a map" "$WEIR" map load "$c" -

# --- the kind of the words -------------------------------------------------------------------------
exits "a counter is not edited as a set" 6 "weir: set add: $c is a counter, not a set" "$WEIR" set add "$c" 5
is "nor changed by it" "-2" "$("$WEIR" get "$c")"
exits "a set is not edited as a map" 6 "$s is a set, not a map" "$WEIR" map remove "$s" apple
exits "a map is not edited as a register" 6 "$p is a map, not a register" "$WEIR" register set "$p" x
exits "a set is not edited as a log" 6 "$s is a set, not a log" "$WEIR" log append "$s" x
exits "a register is not edited as a counter" 6 "$r is a register, not a counter" "$WEIR" counter add "$r" 1
fields=$("$WEIR" put map --param name=fields)
"$WEIR" map set "$fields" $'\xff' bytes >/dev/null
"$WEIR" map set "$fields" base64:/w== text >/dev/null
is "json of a map has no name twice" '{"base64:YmFzZTY0Oi93PT0=":"text","base64:/w==":"bytes"}' \
    "$("$WEIR" get "$fields" --json)"

# --- listed writers --------------------------------------------------------------------------------
ada=$("$WEIR" keys new "$dir/ada")
bob=$("$WEIR" keys new "$dir/bob")
eve=$("$WEIR" keys new "$dir/eve")
is "a key file shows its public key" "$ada" "$("$WEIR" keys show "$dir/ada")"
is "json of a key" "{\"public\":\"$ada\",\"file\":\"$dir/ada\"}" "$("$WEIR" keys show "$dir/ada" --json)"
is "a key file is its owner's" 600 "$(stat -c %a "$dir/ada")"
export XDG_CONFIG_HOME=$dir/config
exits "where there is none it is told how to make one" 1 "writer.key cannot be read: No such file or directory; \`weir keys new\` makes one" "$WEIR" keys show
"$WEIR" room list 2>"$dir/err"
is "and who is nobody yet, how to be somebody" "3 make one" "$? $(grep -o 'make one$' "$dir/err")"
exits "for what is no invitation nobody is made" 6 "this is no invitation" "$WEIR" room join nonsense
is "… at all" 3 "$("$WEIR" room list 2>/dev/null; echo $?)"
key=$("$WEIR" keys new 2>"$dir/err")
is "where they are is told" "weir: keys new: the key pair is in $dir/config/weir/writer.key" "$(cat "$dir/err")"
is "keys have a place of their own" "$key" "$("$WEIR" keys show)"
for home in "-u HOME" HOME= HOME=somewhere; do
    # shellcheck disable=SC2086
    exits "without a home folder ($home) a key file is to be named" 2 "no home folder" \
        env -u XDG_CONFIG_HOME $home "$WEIR" keys new
    # shellcheck disable=SC2086
    exits "and a room has nowhere to be kept" 1 "no home folder" env -u XDG_CONFIG_HOME $home "$WEIR" room list
done
for kind in counter register multi-register set map log; do
    k=$("$WEIR" put $kind --param "name=signed" --param "writers=$ada,$bob")
    case $kind in
    counter) set -- counter add "$k" 2 ;;
    set) set -- set add "$k" same ;;
    map) set -- map set "$k" field same ;;
    log) set -- log append "$k" same ;;
    *) set -- register set "$k" same ;;
    esac
    is "two writers of a signed $kind" "changed changed" \
        "$("$WEIR" "$@" --signer "$dir/ada") $("$WEIR" "$@" --signer "$dir/bob")"
    exits "a signed $kind takes no unsigned edit" 1 "--signer FILE" "$WEIR" "$@"
    exits "a signed $kind takes nobody else's" 1 "" "$WEIR" "$@" --signer "$dir/eve"
done
k=$("$WEIR" put counter --param name=signed --param "writers=$bob,$ada")
is "a signed counter adds up" 4 "$("$WEIR" get "$k")"
for _ in 1 2 3; do "$WEIR" counter add "$k" 1 --signer "$dir/ada" >/dev/null; done
is "each run of a writer counts" 7 "$("$WEIR" get "$k")"
k=$("$WEIR" put log --param name=signed --param "writers=$ada,$bob")
is "json of a signed log names the writers" "$ada $bob" \
    "$("$WEIR" get "$k" --json | grep -o '"writer":"[^"]*"' | cut -d'"' -f4 | paste -sd' ')"
k=$("$WEIR" put set --param name=signed-load --param "writers=$ada")
is "lines are signed too" "1000 1000" \
    "$(seq 1 1000 | "$WEIR" set add "$k" - --signer "$dir/ada") $("$WEIR" get "$k" | wc -l)"

# --- exit codes --------------------------------------------------------------------------------------
exits "an unknown contract is 3" 3 "weir contracts" "$WEIR" get "$zeros"
case $c in *2) nearly=${c%?}3 ;; *) nearly=${c%?}2 ;; esac
exits "so is a key with a slip at its end" 3 "weir contracts" "$WEIR" get "$nearly"
exits "no live peer is 4" 4 "peer" "$WEIR" connect "$zeros@127.0.0.1:1"
exits "a peer without an address is 2" 2 "ID@HOST:PORT" "$WEIR" connect bogus
exits "nor is one without a port" 2 "ID@HOST:PORT" "$WEIR" connect "$zeros@127.0.0.1"
exits "nor is there one to remove" 3 "weir peers" "$WEIR" disconnect 11111111111111111111111111111112
exits "a kind that is none is 6" 6 "rope" "$WEIR" put rope
exits "a parameter that is none is 6" 6 "colour" "$WEIR" put set --param colour=red
exits "a parameter of another kind is 6" 6 "newest" "$WEIR" put set --param newest=3
printf junk >"$dir/junk"
exits "a state that is none is 6" 6 "" "$WEIR" put set --param name=junk --state "$dir/junk"
exits "a delta that is none is 6" 6 "" "$WEIR" update "$s" --delta "$dir/junk"
exits "words for a number are 6" 6 '"many": ' "$WEIR" counter add "$c" many
is "a refused put leaves nothing" "" "$("$WEIR" contracts --json | grep -o '"name":"junk"')"
exits "no node is 7" 7 "weir node" "$WEIR" get "$c" --node tcp://127.0.0.1:1
exits "no socket is 7" 7 "weir node" "$WEIR" status --node "ipc://$dir/none.sock"
exits "no command is 2" 2 "frobnicate" "$WEIR" frobnicate
exits "a key that is none is 2" 2 "base58" "$WEIR" get hello
exits "an option that is none is 2" 2 "--colour" "$WEIR" get "$c" --colour
exits "a time that is none is 2" 2 "--timeout soon" "$WEIR" status --timeout soon
exits "nor is one in the environment" 2 "\$WEIR_TIMEOUT soon" env WEIR_TIMEOUT=soon "$WEIR" status
exits "an endpoint that is none is 2" 2 "endpoint" "$WEIR" status --node nowhere
exits "a file that is not there is 1" 1 "cannot be read" "$WEIR" update "$s" --delta "$dir/none"
exits "a key file is not overwritten" 1 "name another FILE" "$WEIR" keys new "$dir/ada"
coproc SILENT { exec "$WEIR" node --data "$dir/silent" --listen none --client tcp://127.0.0.1:0 2>/dev/null; }
read -r -t 60 ready <&"${SILENT[0]}"
silent=${ready#*client=}
kill -STOP "$SILENT_PID"
exits "a node that does not answer is 7" 7 "" "$WEIR" status --timeout 0.2 --node "${silent%%[, ]*}"
exits "nor by a time in the environment" 7 "" env WEIR_TIMEOUT=0.2 "$WEIR" status --node "${silent%%[, ]*}"
kill -CONT "$SILENT_PID"
kill "$SILENT_PID"
wait "$SILENT_PID" 2>/dev/null

# --- the node ---------------------------------------------------------------------------------------
is "status is lines" yes "$("$WEIR" status | grep -q '^durability: full$' && echo yes)"
is "what there is none of is a dash" 'fault: -' "$("$WEIR" status | grep '^fault:')"
is "json of status is one document" 1 "$("$WEIR" status --json | wc -l)"
connected() { "$WEIR" status --json | grep -o '"connected":[0-9]*'; }
for _ in 1 2 3; do "$WEIR" contracts >"$dir/contracts"; done
soon "status counts itself, not the calls that are done" '"connected":1' connected
exec 3<>"/dev/tcp/127.0.0.1/$port"
soon "… and whoever is connected besides" '"connected":2' connected
exec 3>&-
soon "… until that one goes" '"connected":1' connected
is "contracts are listed" yes "$("$WEIR" contracts | grep -q "^$c  *counter  *c  " && echo yes)"
is "json of contracts names them" yes "$("$WEIR" contracts --json | grep -q "\"key\":\"$c\",\"kind\":\"counter\"" && echo yes)"
is "there are no peers yet" "[]" "$("$WEIR" peers --json)"
is "the table of peers has its columns" \
    "id address direction dialled_by role state age_ms rtt_us bytes_in bytes_out queue" \
    "$("$WEIR" peers | tr -s ' ')"
is "the matrix of a node alone is its own row" "1 -" \
    "$("$WEIR" peers --matrix | sed -n 2p | tr -s ' ' | cut -d' ' -f2,4)"
is "the matrix tells how many are live" "live: 0" "$("$WEIR" peers --matrix | grep '^live')"
is "json of the matrix is the node's" yes "$("$WEIR" peers --matrix --json | grep -q '"peers":\[{"id"' && echo yes)"
exits "connecting to what is no peer is refused" 6 "base58" "$WEIR" connect nobody@localhost:1
is "a check of the running node finds no damage" "damaged: 0" "$("$WEIR" check | grep '^damaged')"
(cd "$dir" && "$WEIR" backup copy >"$dir/out")
is "a backup is made" 0 $?
is "a check of the backup finds no damage" "0 damaged: 0" "$("$WEIR" check "$dir/copy" >"$dir/out"; echo "$? $(grep '^damaged' "$dir/out")")"
exits "a backup over something is refused" 1 "absent or empty" "$WEIR" backup "$dir/copy"
exits "a backup to where nothing can be is refused" 1 "absent or empty" "$WEIR" backup /proc/none/copy
"$WEIR" put set --param "name=$(printf 'bell\a esc\033[31m line\nend')" >/dev/null
is "names cannot reach the terminal's controls" 1 \
    "$("$WEIR" contracts | grep -cF 'bell\x07 esc\x1b[31m line\x0aend')"
main=$WEIR_NODE
start_node "$dir/copy" "$dir/copied" --client tcp://127.0.0.1:0
is "a node starts on the backup" "-2" "$("$WEIR" get "$c" --node "$endpoint")"
export WEIR_NODE=$main

# --- following --------------------------------------------------------------------------------------
follow() { # follow COUNT KEY OPTIONS…: in the background, read with `line`
    follow_command "$WEIR" subscribe "$2" --count "$1" "${@:3}"
}

f=$("$WEIR" put set --param name=follow)
"$WEIR" set add "$f" first >/dev/null
follow 2 "$f" --json
is "the value comes first" '["first"]' "$(line)"
"$WEIR" set add "$f" second >/dev/null
one=$(line)
"$WEIR" set remove "$f" second >/dev/null
two=$(line)
hex='[0-9a-f]{64}'
is "a notification names key, fingerprints, delta" \
    "{\"key\":\"$f\",\"before\":\"F\",\"after\":\"F\",\"delta\":[\"second\"]}" "$(sed -E "s/$hex/F/g" <<<"$one")"
is "what is taken away is named" \
    "{\"key\":\"$f\",\"before\":\"F\",\"after\":\"F\",\"delta\":[],\"removed\":[\"second\"]}" \
    "$(sed -E "s/$hex/F/g" <<<"$two")"
is "notifications join up" "$(grep -oE "\"after\":\"$hex" <<<"$one" | cut -d'"' -f4)" \
    "$(grep -oE "\"before\":\"$hex" <<<"$two" | cut -d'"' -f4)"
is "it ends after that many" "" "$(line)"
follow 1 "$l"
is "a log is followed in lines" "two three four" "$(line | cut -f2) $(line | cut -f2) $(line | cut -f2)"
"$WEIR" log append "$l" five >/dev/null
is "an entry is a line" five "$(line | cut -f2)"
follow 2 "$c"
is "a counter is followed by its sum" "-2" "$(line)"
"$WEIR" counter add "$c" 3 >/dev/null
is "as it changes" 1 "$(line)"
"$WEIR" counter add "$c" 3 >/dev/null
is "and changes" 4 "$(line)"
follow 0 "$f" --raw
is "raw is base64, a line each" "$("$WEIR" get "$f" --raw | base64 -w0)" "$(line)"
exec 3<&-
exits "an unknown contract is not followed" 3 "" "$WEIR" subscribe "$zeros"

# A restart of the node: the subscription goes on, and nothing is missed.
start_node "$dir/again" "$dir/again1" --client "ipc://$dir/again.sock"
export WEIR_NODE=ipc://$dir/again.sock
again=$("$WEIR" put set --param name=again)
follow 2 "$again" --json
is "a set is followed" "[]" "$(line)"
"$WEIR" set add "$again" before >/dev/null
is "before a restart" yes "$(line | grep -q '"delta":\["before"\]' && echo yes)"
stop_node
start_node "$dir/again" "$dir/again2" --client "ipc://$dir/again.sock"
"$WEIR" set add "$again" afterwards >/dev/null
is "and after it" yes "$(line | grep -qE '"delta":\["afterwards"(,"before")?\]' && echo yes)"
exec 3<&-
export WEIR_NODE=$main

# --- from another machine (CURVE) ----------------------------------------------------------------------
mkdir "$dir/clients"
"$WEIR" keys new --curve "$dir/clients/ada" >/dev/null
"$WEIR" keys new --curve "$dir/stranger" >/dev/null
start_node "$dir/remote" "$dir/remote.out" --client tcp://0.0.0.0:0 --client-keys "$dir/clients"
remote=(--node "tcp://127.0.0.1:$(grep -oE '0\.0\.0\.0:[0-9]+' <<<"$ready" | cut -d: -f2)")
is "a listed key opens a remote node" '{"value":0}' "$(
    k=$("$WEIR" put counter "${remote[@]}" --server-key "$dir/remote/curve.key" --client-key "$dir/clients/ada")
    WEIR_SERVER_KEY=$dir/remote/curve.key WEIR_CLIENT_KEY=$dir/clients/ada "$WEIR" get "$k" --json "${remote[@]}")"
exits "a stranger's key does not" 1 "--client-key" "$WEIR" status "${remote[@]}" \
    --server-key "$dir/remote/curve.key" --client-key "$dir/stranger"
cp "$dir/clients/ada" "$dir/alone"
exits "a pair without its secret part names what is missing" 1 \
    "$dir/alone_secret, with the secret key of the pair, is missing: copy it from where the pair was made, or make one with \`weir keys new --curve FILE\`" \
    "$WEIR" status "${remote[@]}" --server-key "$dir/remote/curve.key" --client-key "$dir/alone"
cp "$dir/clients/ada_secret" "$dir/alone_secret"
chmod 644 "$dir/alone_secret"
"$WEIR" status "${remote[@]}" --server-key "$dir/remote/curve.key" --client-key "$dir/alone" 2>"$dir/err"
is "one that others may read is refused with its cure alone" \
    "weir: status: $dir/alone_secret is open to others; run chmod 600 on it" "$(cat "$dir/err")"
exits "nor no key" 7 "--server-key" "$WEIR" status "${remote[@]}" --timeout 2
exits "a server key that is none is 2" 2 "CURVE" "$WEIR" status "${remote[@]}" --server-key nonsense
exits "nor the wrong server key" 7 "--server-key" "$WEIR" status "${remote[@]}" --timeout 2 \
    --server-key "$dir/stranger" --client-key "$dir/clients/ada"

# --- bench, help, version ----------------------------------------------------------------------------
"$WEIR" bench --seconds 1 --clients 4 --pipeline 2 >"$dir/bench" 2>"$dir/err"
is "the bench ends well" 0 $?
is "its figures are name: value unit" 0 "$(grep -cvE '^[a-z0-9_]+: [0-9.]+ [a-z0-9/]+$' "$dir/bench")"
is "it tells what it leaves" 1 "$(grep -cE '^weir: bench: the map [1-9A-Za-z]+ \("weir bench: .*"\) stays' "$dir/err")"
is "its json is one document" "errors clients" "$("$WEIR" bench --json --seconds 1 --clients 2 2>/dev/null |
    python3 -c 'import json, sys; d = json.load(sys.stdin); print(*(n for n in ("errors", "clients") if d[n] in (0, 2)))')"
is "which wrote into the same map" 1 "$("$WEIR" contracts | grep -c ' weir bench: ')"
is "it met no errors" "errors: 0 count" "$(grep '^errors' "$dir/bench")"
is "the version" "weir $(sed -n 's/^#define WEIR_VERSION *"\(.*\)"/\1/p' base/version.h)" "$("$WEIR" --version)"
is "help lists every command" 0 "$("$WEIR" help --words | while read -r words; do
    "$WEIR" help | grep -q "^  weir $words " || echo "$words"; done | wc -l)"
is "each command has help" 0 "$("$WEIR" help --words | while read -r words; do
    # shellcheck disable=SC2086
    "$WEIR" help $words >/dev/null || echo "$words"; done | wc -l)"
is "help is the same by option" "$("$WEIR" help get)" "$("$WEIR" get --help)"
is "help of half a command lists its halves" 3 "$("$WEIR" help map | grep -c '^weir map ')"
is "and by option too" "$("$WEIR" help map)" "$("$WEIR" map --help)"
exits "nor has what is not there an option for it" 2 "frobnicate" "$WEIR" frobnicate --help
exits "there is no help for what is not there" 2 "frobnicate" "$WEIR" help frobnicate
for row in "staus|status" "help staus|status" "gte x|get" "log apend x|log append" "rom say x hi|room say" \
    "say x hi|room say" "rooms|room" "help map lod|map load"; do
    # shellcheck disable=SC2086
    exits "of what is nearly a command (${row%|*}) that is told" 2 "did you mean \`weir ${row#*|}\`? \`weir help" "$WEIR" ${row%|*}
done
exits "of what is near to none, where they are listed" 2 "weir: help: there is no command bogus; \`weir help\` lists them" "$WEIR" help bogus
exits "… of the same first word, too" 2 "there is no command keys make; \`weir help keys\` lists them" "$WEIR" keys make
exits "an update without its delta is usage" 2 "--delta" "$WEIR" update "$s"
exits "and its usage has it" 2 "weir update KEY --delta FILE" "$WEIR" update
is "half a command alone is usage, and says where to look" \
    'weir: map: which of its commands? see `weir help map`' "$("$WEIR" map 2>&1)"
is "no command at all is usage" "2 " "$("$WEIR" 2>/dev/null; echo $? "")"
"$WEIR" contracts >/dev/full 2>"$dir/err"
is "output that cannot be written is told" "1 weir: contracts:" "$? $(cut -d' ' -f1,2 "$dir/err")"

exit $failed
