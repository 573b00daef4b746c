#!/bin/bash
# `weir chat` as people use it: keys are sent to terminals of tmux, and what they show is compared.
# WEIR: the binary.
set -u
WEIR=$(realpath "${WEIR:-build/weir}")
dir=$(mktemp -d /tmp/weir-chat-XXXXXX)
failed=0 node= ready=
export TMUX_TMPDIR=$dir TZ=UTC LC_ALL=C.UTF-8
unset TMUX NO_COLOR WEIR_IDENTITY
tmux() { command tmux -L chat -f /dev/null "$@"; }
cleanup() {
    tmux kill-server 2>/dev/null
    [ -z "$node" ] || { kill "$node" && wait "$node"; } 2>/dev/null
    rm -rf "$dir"
}
trap cleanup EXIT

# start_node [OPTION…]: what it says when it is ready is in $ready.
start_node() {
    mkfifo "$dir/ready"
    "$WEIR" node --data "$dir/data" --listen none --client "ipc://$dir/node.sock" "$@" \
        >"$dir/ready" 2>>"$dir/node.err" &
    node=$!
    read -r -t 60 ready <"$dir/ready" || { echo "not ok - a node starts"; cat "$dir/node.err"; exit 1; }
    rm "$dir/ready"
}
stop_node() {
    kill "$node" && wait "$node"
    node=
}
export WEIR_NODE=ipc://$dir/node.sock

# chat WHO [ENVIRONMENT… [-- ARGUMENT…]]: a chat in a terminal of its own; when it ends that shows
# its exit code and whether the terminal's settings are what they were.
chat() {
    local who=$1 env=() args=()
    shift
    while [ $# -gt 0 ] && [ "$1" != -- ]; do env+=("$1") && shift; done
    [ $# = 0 ] || args=("${@:2}")
    cat >"$dir/$who.sh" <<END
export XDG_CONFIG_HOME=$dir/$who USER=$who ${env[*]}
before=\$(stty -g)
$WEIR chat ${args[*]}
echo "ended \$? \$([ "\$(stty -g)" = "\$before" ] && echo restored)"
exec sleep 1000
END
    tmux new-session -d -s "$who" -x 100 -y 30 "bash $dir/$who.sh"
}
keys() { tmux send-keys -t "$@"; }
say() { tmux send-keys -t "$1" -l "$2" && tmux send-keys -t "$1" Enter; }
screen() { tmux capture-pane -p -t "$1"; }

ok() {
    echo "ok - $1"
}
not_ok() {
    printf 'not ok - %s\n  wanted: %s\n' "$1" "$2"
    tmux capture-pane -p -t "$3" | sed 's/^/  | /'
    failed=1
}
# waits COMMAND…: for it to be true; only a fault reaches the deadline.
waits() {
    local deadline=$((SECONDS + 60))
    until "$@"; do
        [ $SECONDS -lt $deadline ] || return 1
        read -r -t 0.03 _ <>"$dir/never"
    done
    return 0
}
mkfifo "$dir/never"
has() { screen "$1" | grep -qE -- "$2"; }
lacks() { ! has "$@"; }
# shows CLAIM WHO PATTERN, hides CLAIM WHO PATTERN
shows() { if waits has "$2" "$3"; then ok "$1"; else not_ok "$1" "$3" "$2"; fi; }
hides() { if waits lacks "$2" "$3"; then ok "$1"; else not_ok "$1" "not $3" "$2"; fi; }
# in_colour WHO: some cell has a colour of its own.
in_colour() { tmux capture-pane -e -p -t "$1" | grep -qE $'\e\\[([0-9;]*;)?(3[0-7]|4[0-7]|38|48|9[0-7])[;m]'; }
banned() { [ "$(XDG_CONFIG_HOME=$dir/ada "$WEIR" room members garden | grep -c bob)" = 0 ]; }
chat_pid() { pgrep -P "$(tmux display -p -t "$1" '#{pane_pid}')"; }
shell_again() { [ "$(tmux display -p -t "$1" '#{alternate_on}#{cursor_flag}')" = 01 ]; }

start_node

# --- two people talk -----------------------------------------------------------------------------
chat ada
shows "who is in no room is told how to get into one" ada '/create NAME +makes one'
shows "and that there is a key pair now" ada 'a key pair was made for me'
say ada '/create garden'
shows "a room that was made is shown" ada '^▸ garden'
shows "and the node has it" ada 'Nothing has been said here yet'
shows "its owner is named and marked" ada '★ ada'
say ada 'Hello 漢字 and e'$'\u0301''mojis 🎉'
shows "what is said is shown" ada 'ada │ Hello 漢字 and e'$'\u0301''mojis'
line=$(screen ada | grep Hello)
left=${line%│*}
[ "$((${#left} + 3 - 1))" = 83 ] && ok "wide and combining characters keep the columns" ||
    not_ok "wide and combining characters keep the columns" "the border at 83, not $((${#left} + 2))" ada
say ada /invite
shows "an invitation is shown" ada '^weir-room:'
invitation=$(screen ada | sed -n '/^weir-room:/,/^ *$/p' | tr -d ' \n')
keys ada Escape
chat bob
shows "another one starts" bob 'You are in no room yet'
say bob "/join $invitation"
shows "who joins sees what was said" bob 'ada │ Hello 漢字'
shows "under the room's name" bob '^▸ garden'
shows "others see who came" ada '→ │ bob came'
shows "and who is here" ada '│   bob$'
say bob 'nice place, ada'
shows "what others say is shown" ada 'bob │ nice place, ada'

# --- about messages ------------------------------------------------------------------------------
say ada '/reply glad that you came'
shows "a reply shows what it answers" bob 'ada │ ↳ bob: nice place, ada'
shows "and what it says" bob '│ glad that you came'
say bob '/react tada'
shows "a reaction is counted" ada '│ 🎉 1'
shows "without a chosen message it is told which one it was" bob 'on the last message, of ada: glad that you'
say bob '/react'
shows "and what is wanted" bob 'usage: /react EMOJI: react to the chosen'
keys ada Up
shows "a message can be chosen" ada 'Enter answers'
keys ada -l 'half a text'
keys ada M-a
shows "a text that is under way is not written over" ada '^> half a text'
shows "and that is told" ada 'there is a text under way'
keys ada C-u Escape
hides "until it is let go" ada 'there is a text under way'
hides "and let go" ada 'Enter answers'
say bob 'there are tomatos'
shows "the next one" ada 'there are tomatos'
say bob '/edit'
shows "a text is edited in place" bob '^edit > there are tomatos'
keys bob BSpace
keys bob -l 'es'
keys bob Enter
shows "what was edited is told to be" ada 'there are tomatoes \(edited\)'
say bob 'this was a mistake'
shows "one more" ada 'this was a mistake'
keys bob Up M-d
shows "what is deleted is gone" ada '│ \(deleted\)'
hides "for good" ada 'this was a mistake'
say bob 'and this another'
shows "one more still" ada 'and this another'
say bob '/delete'
shows "without a chosen one it is told which one is deleted" bob 'on the last message, of bob: and this another'
hides "which is gone" ada 'and this another'
say bob '/dm ada only for your eyes'
shows "a direct message is marked" ada '✉ to you alone: only for your eyes'
chat beth
shows "a third one starts" beth 'You are in no room yet'
say beth "/join $invitation"
shows "a third one comes" beth '^▸ garden'
say beth '/nick bob lee'
shows "whose name begins as another's" ada 'bob lee$'
say ada '/dm bob the plan'
shows "a name alone is enough where one is meant" bob '✉ to you alone: the plan'
say ada '/dm bob lee is late'
shows "where two may be meant neither gets it" ada 'that may be 2 members'
say ada '/dm "bob" the builder is late'
shows "a name in quotes is that name" bob '✉ to you alone: the builder is late'
say beth '/nick BOB'
shows "who looks like another one is shown with a key" ada '│   BOB~[1-9A-Za-z]{4,} *$'
shows "and so is the other" ada '│   bob~[1-9A-Za-z]{4,} *$'
say bob '/nick robert the builder'
say beth '/nick Robert The Builder'
shows "with the key where names are long" ada '│   Rob.*…~[1-9A-Za-z]{4,} *$'
say beth 'which of us'
shows "what one of them says" ada 'which of us'
keys ada Up M-r
shows "who is answered has a key too" ada '^to Rob.*…~[1-9A-Za-z]{4,}>'
keys ada Escape
say bob '/nick bob'
say beth '/nick lee'
shows "until the name is another one" ada '│   bob *$'
say beth '/leave'
say beth '/leave'
shows "the third one goes" beth 'You are in no room yet'
say ada 'two'$'\n''lines'
tmux set-buffer -t ada $'pasted one\npasted two'
tmux paste-buffer -p -t ada
shows "what is pasted is not sent by itself" ada '^> pasted one'
shows "with its lines" ada '^  pasted two'
keys ada Enter
shows "but by Enter" bob '│ pasted two'

# --- other people's bytes ------------------------------------------------------------------------
title=$(tmux display -p -t bob '#{pane_title}')
XDG_CONFIG_HOME=$dir/ada "$WEIR" room say garden \
    "$(printf '\e]0;owned\a\e[2J\u202eturned')" >"$dir/out" 2>&1 || cat "$dir/out"
shows "escapes of others are shown, not obeyed" bob '│ �\]0;owned��\[2Jturned'
[ "$title" = "$(tmux display -p -t bob '#{pane_title}')" ] && ok "the terminal's title is what it was" ||
    not_ok "the terminal's title is what it was" "$title" bob

# --- writing -------------------------------------------------------------------------------------
keys ada -l '/rea'
keys ada Tab
shows "a command is completed" ada '^> /react'
keys ada C-u
keys ada -l 'bo'
keys ada Tab
shows "a name that opens a message is completed with a colon" ada '^> bob:'
keys ada C-u M-p
shows "what was written is had again" ada '^> pasted one'
keys ada C-u BSpace C-u
keys ada F1
shows "help lists the commands" ada '/create \[private\] NAME'
keys ada Escape
shows "until it is closed" ada '^▸ garden'
say ada '/nothing'
shows "an unknown command is told" ada 'there is no command /nothing'
keys ada C-u F1
shows "help is open again" ada '/create \[private\] NAME'
say ada '/nowhere'
shows "a command that is typed over it keeps its slash" ada 'there is no command /nowhere'
keys ada C-u

# --- two rooms -----------------------------------------------------------------------------------
say bob '/create private kitchen'
shows "a second room, private" bob 'private · 1 member'
say bob /invite
shows "with its own invitation" bob '^weir-room:'
invitation=$(screen bob | sed -n '/^weir-room:/,/^ *$/p' | tr -d ' \n')
keys bob Escape
say ada "/join $invitation"
shows "is joined" ada '^▸ kitchen'
say ada "/join $invitation"
shows "once" ada 'you are in kitchen already'
shows "and read" bob '→ │ ada came'
say bob 'the soup is ready'
shows "sealed messages are read by members" ada 'bob │ the soup is ready'
say ada "/invite $dir/invitation"
shows "an invitation can be written" ada 'the invitation is in'
say ada "/export $dir/export"
shows "so can what was said" ada '1 messages are in'
[ "$(stat -c %a "$dir/invitation" "$dir/export" | tr '\n' ' ')" = '600 600 ' ] &&
    ok "for nobody else to read" || not_ok "for nobody else to read" '600 600' ada
say ada "/export $dir/export"
shows "and not over another file" ada 'it cannot be written \(File exists\)'
say ada "/export $dir/$(printf 'x%.0s' $(seq 300))"
shows "nor under a name cut short" ada 'it cannot be written \(File name too long\)'
keys ada M-1
shows "rooms are changed by number" ada '^▸ garden'
say bob 'who wants some, ada?'
shows "what was not read is counted, and a mention marked" ada '^  kitchen +1!'
keys ada C-n
shows "what is new has a rule above" ada 'new since you last looked'
hides "and is read" ada '^  kitchen +1!'

# --- the screen ----------------------------------------------------------------------------------
keys ada M-1
for i in $(seq 40); do XDG_CONFIG_HOME=$dir/ada "$WEIR" room say garden "line $i of many" || break; done >"$dir/out" 2>&1
shows "the newest message is in sight" ada 'line 40 of many'
keys ada PPage
hides "pages are turned back" ada 'line 40 of many'
first_row() { screen ada | sed -n 2p; } # below the title
names_someone() { [[ $(first_row) =~ (ada|bob)\ │\  ]]; }
waits names_someone && ok "the first row in sight tells whose it is" ||
    not_ok "the first row in sight tells whose it is" 'ada │ …' ada
keys bob M-1
say bob 'news while you read'
shows "what comes meanwhile is counted" ada '↓ 1 new below'
hides "and does not move what is read" ada 'news while you read'
keys ada End
shows "the end is a key away" ada 'news while you read'
tmux resize-window -t ada -x 60 -y 12
hides "a narrow screen has no side columns" ada '▸ garden'
shows "and all the rest" ada '^[0-9:]+ +bob │ news while you read'
tmux resize-window -t ada -x 40 -y 8
shows "40 columns by 8 rows are enough" ada '^[0-9:]+ bob: news while you read'
tmux resize-window -t ada -x 30 -y 6
shows "below that it says so" ada 'too small: 30x6'
tmux resize-window -t ada -x 120 -y 40
shows "and comes back" ada '^▸ garden'
waits in_colour bob && ok "people have colours" || not_ok "people have colours" "colours" bob

# --- the node goes -------------------------------------------------------------------------------
stop_node
shows "a node that goes is told" ada 'no node, trying again'
say ada 'written while it was away'
shows "what is written meanwhile waits" ada 'written while it was away \(waiting for the node\)'
start_node
shows "and goes out when it is back" bob 'ada │ written while it was away'
hides "and waits no more" ada 'waiting for the node'

# --- what the node refuses -----------------------------------------------------------------------
keys bob M-1
shows "both are in one room" bob '^▸ garden'
kill -STOP "$(chat_pid bob)"
say ada '/ban bob'
shows "one is banned" ada 'bob is banned'
waits banned && ok "and the node knows" || not_ok "and the node knows" "bob banned" ada
say bob 'said too late'
kill -CONT "$(chat_pid bob)"
shows "who was banned before is told that the message was refused" bob 'your message was refused: you are banned from this room'
hides "and it does not wait" bob 'said too late'
say ada '/unban bob'
shows "the ban is lifted" ada 'your ban of bob is lifted'

# --- a node that is slow -------------------------------------------------------------------------
# As many requests as may be open: one more must not make the keys wait for the node.
chat dora -- --timeout 3000
shows "one more starts" dora 'You are in no room yet'
say dora '/create pond'
shows "one who talks much" dora 'Nothing has been said here yet'
kill -STOP "$node"
many=()
for i in {1..300}; do many+=("quack $i" Enter); done
keys dora "${many[@]}"
shows "may write on while the node is stopped" dora 'quack 300 \(waiting for the node\)'
keys dora F1
shows "and see what else there is" dora '/create \[private\] NAME'
keys dora Escape
kill -CONT "$node"
shows "and all goes out when it goes on" dora 'quack 300$|quack 300 +│'
hides "none waits any more" dora 'waiting for the node'
[ "$(XDG_CONFIG_HOME=$dir/dora "$WEIR" room log pond | grep -c quack)" = 300 ] && ok "none is lost" ||
    not_ok "none is lost" 300 dora
keys dora C-c
shows "and it ends" dora '^ended 0 restored'

# --- leaving -------------------------------------------------------------------------------------
say ada '/leave'
shows "an owner is told that it stays one, and of the room without it" ada 'nothing closes one'
shows "and how to have it off the machine" ada "weir room leave 'garden' --forget"
keys ada Escape
hides "until that is closed" ada 'nothing closes one'
[ "$(XDG_CONFIG_HOME=$dir/ada "$WEIR" room list | grep -c garden)" = 1 ] && ok "and keeps the room" ||
    not_ok "and keeps the room" garden ada
keys ada M-2
shows "another room" ada '^▸ kitchen'
say ada '/leave'
shows "leaving wants to be said twice" ada 'once more to leave kitchen'
keys ada M-1
shows "and is not done by going elsewhere" ada '^▸ garden'
keys ada M-2
say ada '/leave'
shows "it is asked again" ada 'once more to leave kitchen'
keys ada M-1

# --- the ways out --------------------------------------------------------------------------------
kill -STOP "$node"
say ada 'not taken yet'
keys ada C-c
shows "ending waits for what is being sent" ada 'sending what waits'
keys ada C-c
shows "and asks when that is not waited for" ada 'ending now loses it'
read -r -t 4 _ <>"$dir/never"
shows "and does not end unasked" ada 'not taken yet \(waiting'
kill -CONT "$node"
hides "what waits is sent after all" ada 'waiting for the node'
keys ada C-c
shows "Ctrl-C ends it, and the terminal is as it was" ada '^ended 0 restored'
shell_again ada && ok "with its screen and cursor" || not_ok "with its screen and cursor" 01 ada
chat carol NO_COLOR=1
shows "with NO_COLOR it runs" carol 'You are in no room yet'
in_colour carol && not_ok "and shows no colour" "no colour" carol || ok "and shows no colour"
kill -TERM "$(chat_pid carol)"
shows "SIGTERM ends it, and the terminal is as it was" carol '^ended 0 restored'
kill -SEGV "$(chat_pid bob)"
shows "so it is after a fault" bob '^ended 139 restored'
shell_again bob && ok "with its screen and cursor" || not_ok "with its screen and cursor" 01 bob
chat alone XDG_CONFIG_HOME="$dir/ada" WEIR_NODE="ipc://$dir/nowhere.sock"
shows "without a node it starts all the same" alone 'no node, trying again'
say alone 'lost'
shows "and takes what is written" alone 'lost \(waiting for the node\)'
keys alone C-c
shows "which is not lost without asking" alone 'ending now loses it'
keys alone C-c
shows "but when asked twice" alone '^ended 0 restored'
XDG_CONFIG_HOME=$dir/eve "$WEIR" room create 'a shed' >"$dir/out" 2>&1 || cat "$dir/out"
cp "$dir"/eve/weir/rooms/me/*.room "$dir/ada/weir/rooms/me/"
chat ada2 XDG_CONFIG_HOME="$dir/ada" -- kitchen
shows "a room can be named on the command line" ada2 '^▸ kitchen'
shows "and one that cannot be opened keeps nobody from the others" ada2 'a shed cannot be opened'
say ada2 '/leave'
shows "leaving wants to be said twice" ada2 'once more to leave kitchen'
say ada2 '/leave'
shows "then it is left" ada2 'you left kitchen'
mkdir "$dir/clients"
for who in clients/ada stranger; do "$WEIR" keys new --curve "$dir/$who" >"$dir/out"; done
stop_node
start_node --client tcp://0.0.0.0:0 --client-keys "$dir/clients"
chat frank WEIR_NODE="tcp://127.0.0.1:$(grep -oE '0\.0\.0\.0:[0-9]+' <<<"$ready" | cut -d: -f2)" \
    WEIR_SERVER_KEY="$dir/data/curve.key" WEIR_CLIENT_KEY="$dir/stranger"
shows "a node that does not know the key is not one that is away" frank 'does not know our key'
said=$(XDG_CONFIG_HOME=$dir/ada "$WEIR" chat --identity adda 2>&1 >/dev/null </dev/null)
case $? in 3) ok "an identity that is none is refused" ;; *) not_ok "an identity that is none is refused" 3 ada2 ;; esac
case $said in *"no identity adda"*"there is me;"*"weir room create"*) ok "with those that there are" ;;
*) not_ok "with those that there are" "me, not: $said" ada2 ;; esac
said=$(XDG_CONFIG_HOME=$dir/ada "$WEIR" chat attic 2>&1 >/dev/null </dev/null)
case $? in 3) ok "a room that is none is refused" ;; *) not_ok "a room that is none is refused" 3 ada2 ;; esac
case $said in *"no room \"attic\""*"; enter one with \`weir room join\`"*) ok "with how to enter one" ;;
*) not_ok "with how to enter one" "weir room join, not: $said" ada2 ;; esac
[ -e "$dir/ada/weir/keys/adda.key" ] && not_ok "and is not made" "no key" ada2 || ok "and is not made"
exec 2>/dev/null
XDG_CONFIG_HOME=$dir/dave "$WEIR" chat </dev/null >"$dir/out" 2>"$dir/err"
[ "$?" = 1 ] && ok "without a terminal it fails" || not_ok "without a terminal it fails" 1 ada2
exit $failed
