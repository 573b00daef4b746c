#!/bin/bash
# The examples of docs/ and the completion, as they are, against a real node.
set -u
WEIR=${WEIR:-build/weir} BUILD=$(realpath "${BUILD:-build}")
export WEIR_TIMEOUT=60 # only a fault takes that long
dir=$(mktemp -d /tmp/weir-test-XXXXXX)
failed=0
mkfifo "$dir/ready"
"$WEIR" node --data "$dir/data" --listen none --client tcp://127.0.0.1:0 >"$dir/ready" 2>"$dir/err" &
node=$!
trap 'kill $node; wait $node; rm -rf "$dir"' EXIT
read -r -t 60 ready <"$dir/ready" || { echo "not ok - a node starts"; exit 1; }
WEIR_NODE=$(grep -oE 'tcp://127\.0\.0\.1:[0-9]+' <<<"$ready")
export WEIR_NODE

is() { # is CLAIM WANTED GOT
    if [ "$2" = "$3" ]; then
        echo "ok - $1"
    else
        printf 'not ok - %s\n  wanted: %s\n  got:    %s\n' "$1" "$2" "$3"
        failed=1
    fi
}

is "the board shows the note that was written" $'the board:\nchanged:\n  hello: world' "$("$BUILD/examples/board")"
is "and the one after it" $'the board:\n  hello: world\nchanged:\n  milk: buy two' \
    "$("$BUILD/examples/board" milk "buy two")"
is "what an app wrote the command line reads" '{"hello":"world","milk":"buy two"}' \
    "$("$WEIR" get "$("$WEIR" put map --param name=board)" --json)"
is "10,000 additions are all counted" "the counter stands at 10000" "$("$BUILD/examples/count")"
is "each time" "the counter stands at 20000" "$("$BUILD/examples/count")"
out=$(WEIR_NODE=tcp://127.0.0.1:1 "$BUILD/examples/board" 2>&1)
is "an example without a node says so" "1 board: no node answers at tcp://127.0.0.1:1" "$? $out"
is "an example fits on a screen, the bot in 100 lines" "" "$(wc -l docs/examples/*.c |
    awk '$1 > ($2 ~ /room_bot/ ? 100 : 60) && $2 != "total" { print $2 }')"

# --- a bot in a room ---------------------------------------------------------------------------------
export XDG_CONFIG_HOME=$dir/home
bot=
trap 'kill $bot $node; wait; rm -rf "$dir"' EXIT
start_bot() { # INVITATION: it keeps its key and card in the folder that it runs in
    (cd "$dir" && exec "$BUILD/examples/room_bot" "$@" 2>>bot.err) &
    bot=$!
}
answers() { "$WEIR" room log garden | grep -oE 'bot  \[.*: !time\] it is [0-9]{2}(:[0-9]{2}){2} UTC' | wc -l; }
members() { "$WEIR" room members garden --json | grep -o '"nickname":"bot"' | wc -l; }
within() { # COMMAND…: repeated until it succeeds, while the bot lives
    local end=$((SECONDS + 60))
    until "$@"; do [ $SECONDS -lt $end ] && kill -0 $bot 2>/dev/null || return 1; done
}
"$WEIR" room create garden >"$dir/out" 2>&1
start_bot "$("$WEIR" room invite garden)"
is "a bot enters by an invitation" 0 "$(within eval '[ "$(members)" = 1 ]'; echo $?)"
"$WEIR" room say garden "is it late?" >"$dir/out"
"$WEIR" room say garden '!time' >"$dir/out"
is "and answers a question" 0 "$(within eval '[ "$(answers)" = 1 ]'; echo $?)"
"$WEIR" room react garden "$(cat "$dir/out")" 👍
kill $bot
wait $bot
start_bot
"$WEIR" room say garden '!time' >"$dir/out"
is "started again it is the same member" 0 "$(within eval '[ "$(answers)" = 2 ]'; echo $?)"
is "once, and answers each question once" "1 2" "$(members) $(answers)"
mkdir "$dir/elsewhere"
is "without an invitation it says what is missing" "room_bot: this is no invitation: …" \
    "$(cd "$dir/elsewhere" && "$BUILD/examples/room_bot" 2>&1 | sed 's/\(invitation: \).*/\1…/')"

# --- completion --------------------------------------------------------------------------------------
PATH=$(dirname "$WEIR"):$PATH
# shellcheck source=/dev/null
. docs/completion/weir
complete_line() { # complete_line WORD…: what the last word may become
    # shellcheck disable=SC2034
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    _weir
    printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd' '
}
is "completion knows the commands" "counter" "$(complete_line weir cou)"
is "each once" "map" "$(complete_line weir ma)"
is "and their second words" "load remove set" "$(complete_line weir map "")"
is "and the kinds" "register" "$(complete_line weir put reg)"
is "and a command's options" "--signer= --server-key=" "$(complete_line weir map set --s | tr ' ' '\n' | sort -r | paste -sd' ')"
is "and no other command's" "" "$(complete_line weir get --sig)"
key=$("$WEIR" put counter)
is "and the keys that the node hosts" "$key" "$(complete_line weir counter add "${key:0:6}")"
is "and files" "$dir/data" "$(complete_line weir map set k f v --signer "$dir/da")"

# --- man pages ---------------------------------------------------------------------------------------
plain() { sed -e 's/\\f[BIPR]//g' -e 's/\\-/-/g' -e 's/["\\]//g' "$@"; }
names() { # WORDS: does the page that is theirs? weir-room(1) has them without `room`
    case $1 in
    room\ *) plain docs/man/weir-room.1 | grep -qE "(^|[^a-z])${1#room }([^a-z]|\$)" ;;
    *) plain docs/man/weir.1 | grep -qE "(^|[^a-z])$1([^a-z]|\$)" ;;
    esac
}
is "a man page names every command" "" "$("$WEIR" help --words | while read -r words; do
    names "$words" || echo "$words"; done)"
is "and every option" "" "$("$WEIR" help --words | while read -r words; do
    # shellcheck disable=SC2086
    "$WEIR" help --words $words; done | sort -u | tr -d = | while read -r option; do
    plain docs/man/weir.1 docs/man/weir-room.1 | grep -qE -- "$option([^a-z-]|\$)" || echo "$option"; done)"
is "and every exit code" 8 "$(sed -n '/EXIT STATUS/,/EXAMPLES/p' docs/man/weir.1 | grep -cE '^\.B [0-7]$')"
is "the library's page names every function, and no other" \
    "$(grep -oE 'WEIR_API [a-z].*\bweir_[a-z_]+\(' client/weir.h client/weir_room.h | grep -oE 'weir_[a-z_]+\(' | tr -d '(' | sort -u | paste -sd' ')" \
    "$(grep -oE '^\.BR weir_[a-z_]+' docs/man/libweir.3 | cut -d' ' -f2 | grep -vx weir_t | sort -u | paste -sd' ')"
if command -v man >/dev/null; then
    is "the pages have no faults of form" "" \
        "$(for page in docs/man/*.[1-8]; do LC_ALL=C.UTF-8 MANROFFSEQ=t man --warnings -l "$page" 2>&1 >/dev/null; done)"
fi

exit $failed
