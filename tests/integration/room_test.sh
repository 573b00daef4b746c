#!/bin/bash
# weir room: people in rooms, at one node and at two. WEIR: the binary.
set -u
export TZ=UTC LC_ALL=C.UTF-8
. tests/integration/cli.sh

# Each person has a machine of its own.
as() {
    local who=$1
    shift
    XDG_CONFIG_HOME=$dir/home-$who "$WEIR" room "$@"
}
ann() { as ann "$@"; }
bob() { as bob "$@"; }
carol() { as carol "$@"; }
# python EXPRESSION: of the JSON document d that comes in.
python() { python3 -c "import json, sys; d = json.load(sys.stdin); print($1)"; }
# The texts of a room's messages, with commas between.
texts() { "$1" log "$2" --json | python '",".join(m["text"] for m in d if m["content"] in ("text", "reply"))'; }
# A log without what is another at each run: times and names of messages.
plain() { sed -E 's/^[0-9-]{2}:[0-9-]{2}  [0-9a-f]{8}  //; s/^-- [0-9]{4}-[0-9]{2}-[0-9]{2} --$/--/'; }

start_node "$dir/data" "$dir/node" --client tcp://127.0.0.1:0 --listen 127.0.0.1:0
export WEIR_NODE=$endpoint
here=$endpoint here_at=$id@${ready##*peers=}
here_at=${here_at%% *}

# --- in and out ------------------------------------------------------------------------------------
exits "whoever has no keys is told how to make them" 3 "weir room create" ann list
ann create lobby --description "for all" >"$dir/out" 2>"$dir/err"
is "creating prints what the room goes by" "0 lobby" "$? $(cat "$dir/out")"
is "and tells of the keys that it made" "weir: room create: made a key pair for me, new on this machine" "$(cat "$dir/err")"
is "which are their owner's alone" "600 700 700" \
    "$(stat -c %a "$dir/home-ann/weir/keys/me.key" "$dir/home-ann/weir/keys" "$dir/home-ann/weir/rooms/me" | paste -sd' ')"
key=$(ann list --json | python 'd[0]["key"]')
is "the list has name and key" "lobby	$key" "$(ann list)"
is "an invitation is one line" 1 "$(ann invite lobby | wc -l)"
invitation=$(ann invite lobby --json | python 'd["invitation"]')
is "joining prints what the room goes by" lobby "$(bob join "$invitation" 2>/dev/null)"
is "json of joining" "$key foyer" "$(carol join "$(bob invite lobby)" foyer --json 2>/dev/null | python 'd["key"], d["name"]' | tr -d "(',)")"
ann nick lobby ann && bob nick lobby bob && carol nick foyer carol
is "nicknames are given" 0 $?
is "members are listed, the owner first" "ann owner,bob member,carol member" \
    "$(ann members lobby | sed 1d | awk '{ print $1, $2 }' | paste -sd,)"
is "json of members" "owner,member,member" "$(bob members lobby --json | python '",".join(m["role"] for m in d)')"
is "oneself is marked" bob "$(bob members lobby --json | python '[m["nickname"] for m in d if m["me"]][0]')"
is "two identities of one machine are two people" zoe "$(
    ann join "$invitation" --identity zoe 2>/dev/null >&2; ann nick lobby zoe --identity zoe
    ann members lobby --identity zoe --json | python '[m["nickname"] for m in d if m["me"]][0]')"
is "the environment names an identity too" "lobby" "$(WEIR_IDENTITY=zoe ann list | cut -f1)"
ann leave lobby --forget --identity zoe
is "who left is no member" "ann,bob,carol" "$(ann members lobby --json | python '",".join(m["nickname"] for m in d)')"
is "and the room is forgotten" "" "$(ann list --identity zoe)"
exits "a line that is no invitation is refused" 6 "invitation" bob join weir-room:nonsense
exits "a room's name is one room's here" 6 "another room already" bob join "$(ann create other >/dev/null; ann invite other)" lobby
bob join "$(ann invite other)" >/dev/null
is "a room is renamed by joining again" "hall lobby" "$(bob join "$(ann invite other)" hall >/dev/null; bob list | cut -f1 | paste -sd' ')"

ann invite other | sed 's/.\{60\}/&\n/g' >"$dir/wrapped" # as a mail may have it
is "an invitation is read from standard input" "nook" "$(as nora join - nook <"$dir/wrapped" 2>/dev/null)"
exits "and one that is none refused" 6 "invitation" bob join - <<<nonsense

# A node that takes what is sent and answers nothing: ZMTP's greeting, and READY of a ROUTER.
python3 -c 'import socket
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
c = s.accept()[0]
ready = b"\x05READY\x0bSocket-Type\x00\x00\x00\x06ROUTER"
c.sendall(b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(52, b"\0") + b"\x04" + bytes([len(ready)]) + ready)
while c.recv(65536): pass' >"$dir/silent" &
soon "a silent node listens" 1 grep -c . "$dir/silent"
exits "a room that may be at a node" 5 "stays on the list as unheard" ann create unheard --node "tcp://127.0.0.1:$(cat "$dir/silent")" --timeout 1
is "is kept" 1 "$(ann list | grep -c '^unheard')"
wait $!

# --- messages ----------------------------------------------------------------------------------------
hello=$(bob say lobby hello there)
is "saying prints the message's name" 1 "$(grep -cE '^[0-9a-f]{8}$' <<<"$hello")"
answer=$(ann reply lobby "$hello" hi bob --json | python 'd["message"]')
is "json of a reply is its whole name" 40 "${#answer}"
bob edit lobby "$hello" "hello, all" && ann react lobby "$hello" 👍 && bob react lobby "${hello:0:4}" 👍 && carol react foyer "$hello" 🎉
is "edits and reactions are taken" 0 $?
slip=$(carol say "${key:0:6}" a slip)
carol delete foyer "$slip"
is "a log is as people read it" "--
bob  (came)
carol  (came)
bob  hello, all (edited)  🎉 1  👍 2
ann  [bob: hello, all] hi bob
carol  (deleted)" "$(ann log lobby | plain | grep -v '^zoe' | sed -E 's/  (🎉 1|👍 2)  (🎉 1|👍 2)$/  🎉 1  👍 2/')"
carol react foyer "$hello" 🎉 --remove
is "a reaction is taken back" "👍2" "$(ann log lobby --json | python '"".join(r["text"] + str(r["count"]) for m in d for r in m["reactions"])')"
is "the log names messages as reply takes them" "$hello" "$(ann log lobby | awk '$3 == "bob" && /hello/ { print $2; exit }')"
is "json of a message" "True False False bob text" "$(ann log lobby --json | python '*[(m["edited"], m["deleted"], m["sealed"], m["nickname"], m["content"]) for m in d if m["text"] == "hello, all"][0], sep=" "')"
is "json of a reply names what it answers" "$hello" "$(ann log lobby --json | python '[m["reply_to"] for m in d if m["content"] == "reply"][0][:8]')"
is "lines of standard input are messages" 3 "$(printf 'one\n\ntwo\nthree' | bob say lobby -)"
is "in their order" "hello, all,hi bob,,one,two,three" "$(texts ann lobby)"
is "json of lines" '{"count":250}' "$(seq 250 | ann say other - --json)"
is "all of them are there" 250 "$(ann log other --json | python 'len([m for m in d if m["content"] == "text"])')"
is "text goes on below its line" "ann  up
                 15:04  deadbeef  bob  not he" "$(ann say lobby $'up\n15:04  deadbeef  bob  not he' >/dev/null; bob log lobby | tail -n 2 | plain)"
exits "what is not one's own is not edited" 1 "" ann edit lobby "$hello" mine
exits "a message that is not there is told" 3 "weir room log" ann reply lobby 0123456789 what
exits "a name that is none as well" 6 "4 to 40" ann reply lobby zz what
exits "a text over the room's limit is refused" 6 "4000" bob say lobby "$(printf 'x%.0s' {1..4001})"
printf 'good\n%s\nnever\n' "$(printf 'x%.0s' {1..4001})" | bob say lobby - >"$dir/out" 2>"$dir/err"
is "a line that is refused is named" "6 weir: room say: line 2: 1 1" \
    "$? $(cut -d: -f1-3 "$dir/err"): $(grep -c '; 1 messages before it are in$' "$dir/err") $(ann log lobby | tail -n 1 | grep -c 'bob  good$')"

# --- since ----------------------------------------------------------------------------------------------
since() { bob log lobby --json --since "$1" | python 'len(d)'; }
all=$(bob log lobby --json | python 'len(d)')
is "since takes minutes, hours, days, a date, a time, seconds, milliseconds" "$all $all $all $all $all $all $all" \
    "$(since 10m) $(since 2h) $(since 3d) $(since "$(date -d yesterday +%F)") $(since "$(date -d '1 hour ago' +%FT%H:%M)") $(since "$(date -d '1 hour ago' +%s)") $(since "$(date -d '1 hour ago' +%s)000")"
is "what is older is left out" "0 0 0" "$(since "$(date -d '1 hour' +%s)") $(since "$(date -d tomorrow +%F)") $(since 2100-01-01T00:00)"
for bad in yesterday 10 m 10w 2026-13-01 2026-02-30 2026-11-21T25:00 2026-11-21T15:3 "" -5m 99999999999999; do
    [ "$bad" = 10 ] && continue # a Unix time
    exits "\"$bad\" is no time, and what is one is told" 2 "10m, 2h, 3d, 2026-11-21, 2026-11-21T15:30" ann log lobby --since="$bad"
done

# --- to one member ------------------------------------------------------------------------------------------
ann dm lobby bob psst && bob dm lobby ann "what?" && carol dm foyer ann "me too"
is "a direct message is for two" "ann to bob  psst,bob to ann  what?" \
    "$(bob dm lobby | sed 1d | sed -E 's/^..:..  //' | paste -sd,)"
is "with one member alone" "me too" "$(ann dm lobby carol --json | python '",".join(m["text"] for m in d)')"
is "nobody else reads it" "me too" "$(carol dm foyer --json | python '",".join(m["text"] for m in d)')"
exits "nobody of that name is told" 3 "weir room members" ann dm lobby nobody hi

# --- the configuration ----------------------------------------------------------------------------------------
is "the configuration" "name: lobby,description: for all,private: no" "$(bob config lobby | head -n 3 | paste -sd,)"
ann config lobby --name Lobby --description "" --messages 500 --members 50 --message-bytes 100 --nickname-bytes 20 --bans 7 --moderators bob
is "json of the configuration" "Lobby  500 50 100 20 7 1" \
    "$(bob config lobby --json | python 'd["name"], d["description"], d["messages"], d["members"], d["message_bytes"], d["nickname_bytes"], d["bans"], len(d["moderators"])' | tr -d "(',)")"
is "what is not named stays" "Lobby 500 1" "$(ann config lobby --messages 500; bob config lobby --json | python 'd["name"], d["messages"], len(d["moderators"])' | tr -d "(',)")"
exits "it is the owner's" 1 "owner" bob config lobby --name mine
exits "a number that is none is usage" 2 "--messages" ann config lobby --messages many
word=$(carol say foyer "bad word")
bob delete lobby "$word"
is "a moderator deletes" 0 $?
carol say foyer not yet >/dev/null
bob ban lobby carol
is "a moderator bans" "ann,bob" "$(ann members lobby --json | python '",".join(m["nickname"] for m in d)')"
exits "who is banned writes no more" 1 "member" carol say foyer hello
is "the ban is in the export, by its keys" "author target time" "$(ann export lobby | python '" ".join(sorted(d["bans"][0]))')"
bob ban lobby carol --lift
is "and lifted" 0 "$(ann export lobby | python 'len(d["bans"])')"
carol say foyer thanks >/dev/null
is "who was banned writes again" thanks "$(ann log lobby --json | python 'd[-1]["text"]')"
ann config lobby --moderators ""
exits "who is no moderator bans nobody but its guests" 1 "" carol ban foyer bob

# --- names and terminals -------------------------------------------------------------------------------------
ann config lobby --message-bytes 4000 --nickname-bytes 50
carol nick foyer bob
is "two of one name are told apart by their keys" 2 "$(ann log lobby | grep -oE '  bob~[1-9A-Za-z]{4,}  ' | sort -u | wc -l)"
apart=$(ann log lobby | grep 'thanks$' | awk '{ print $3 }')
is "and named so" "just you" "$(ann dm lobby "$apart" just you; carol dm foyer ann --json | python 'd[-1]["text"]')"
exits "the bare name is not enough" 6 "" ann dm lobby bob who
carol nick foyer "ann~$(ann members lobby --json | python 'd[0]["key"][:4]')"
is "nobody can look like that" 1 "$(ann log lobby | grep -cE '  ann~....~....  thanks$')"
controls=$'\e]0;title\a\e[2J\r\x7f\xc2\x9b31m\xe2\x80\xaeevil'
carol nick foyer "$controls" 2>/dev/null
carol say foyer "$controls" >/dev/null
evil=$(carol say foyer "$controls" --json | python 'd["message"]')
carol reply foyer "$evil" "$controls" >/dev/null
carol react foyer "$evil" "$controls" 2>/dev/null
carol dm foyer ann "$controls"
ann config lobby --name "$controls" --description "$controls"
ann join "$(ann invite lobby)" --identity guest >/dev/null 2>&1
for show in "log lobby" "log lobby --json" "members lobby" "members lobby --json" "config lobby" "config lobby --json" \
    "export lobby" "dm lobby" "dm lobby --json" "list --identity guest" "list --json --identity guest"; do
    # shellcheck disable=SC2086
    is "no control of others' texts comes out of room ${show// /_}" "evil 0" \
        "$(ann $show >"$dir/out"; grep -om1 evil "$dir/out" | head -n 1) $(LC_ALL=C grep -cP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80\xae' "$dir/out")"
done
is "nor out of get" "evil 0" \
    "$("$WEIR" get "$key" >"$dir/out"; grep -om1 evil "$dir/out" | head -n 1) $(LC_ALL=C grep -cP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80\xae' "$dir/out")"
carol nick foyer carol

# --- private rooms --------------------------------------------------------------------------------------------
ann create --private cellar >/dev/null
late=$(ann invite cellar)
bob join "$(ann invite cellar)" >/dev/null
bob nick cellar bob
bob say cellar "under the stairs" >/dev/null
is "members read a private room" "under the stairs" "$(texts ann cellar)"
cellar=$(ann list --json | python '[r["key"] for r in d if r["name"] == "cellar"][0]')
is "the node does not" 0 "$("$WEIR" get "$cellar" --raw | grep -caE 'stairs|bob|cellar')"
ann rotate cellar
is "after a rotation they go on" "under the stairs,still here" "$(bob say cellar still here >/dev/null; texts ann cellar)"
carol join "$late" den >/dev/null
is "by an older invitation one has no new key yet" True "$(carol config den --json | python 'not d["readable"]')"
ann say cellar welcome >/dev/null
is "a member who writes shares it" "welcome" "$(texts carol den | sed 's/.*,//')"
carol nick den carol
ann ban cellar carol
ann say cellar "among us" >/dev/null
is "who is banned does not read on" "sealed: its key is not here" "$(carol log den | tail -n 1 | grep -o 'sealed: its key is not here')"
is "members do" "among us" "$(texts bob cellar | sed 's/.*,//')"
exits "a public room has no key to rotate" 6 "public" ann rotate lobby
is "json of a rotation" cellar "$(ann rotate cellar --json | python 'd["name"]')"
fresh=$(ann invite cellar)
ann rotate cellar
gus() { as gus "$@"; }
den=$(gus join "$fresh" 2>/dev/null)
is "a room whose name is sealed goes by its key" "room-${cellar:0:8}" "$den"
ann say cellar "for gus" >/dev/null
is "by its name once that opens, which is told" "for gus 1 cellar" \
    "$(gus log "$den" 2>"$dir/err" | tail -n 1 | grep -o 'for gus') $(grep -c 'goes by its name now, cellar$' "$dir/err") $(gus list | cut -f1)"
is "and is found by the other one still" "for gus" "$(texts gus "$den" | sed 's/.*,//')"

# --- who is not let in, and out again -------------------------------------------------------------------------
ann create club >/dev/null
ann nick club ann
door=$(ann invite club)
bob join "$door" >/dev/null && bob nick club bob
hedge=$(bob invite club)
bob join "$(ann invite club)" >/dev/null
is "who comes again came once" 1 "$(ann log club | grep -c '(came)')"
is "nobody is banned at first" "nickname,0" "$(ann members club --banned | awk '{ print $1 }'),$(ann members club --banned --json | python 'len(d)')"
is "json of a ban" True "$(ann ban club bob --json | python 'd["banned"] and len(d["target"]) > 40')"
is "who is banned is listed, by whom and when" 1 "$(ann members club --banned | grep -cE '^bob +[1-9A-Za-z]{40,} +ann +[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}$')"
is "json of bans" "bob" "$(ann members club --banned --json | python '*[b["nickname"] for b in d if b["time"] and b["author"] != b["target"]]')"
exits "who is banned is not let in, and told by whom" 1 "you are banned from club, by ann; ask ann" bob join "$door"
exits "nor who comes by an invitation of such a one" 1 "ask another member for an invitation" carol join "$hedge"
is "of which nothing is kept" 0 "$(carol list | grep -c '^club')"
is "nor said" 0 "$(ann log club | grep -c '(came)')"
carol join "$(ann invite club)" >/dev/null && carol nick club carol
exits "another's ban is not one's own to lift" 3 "members ROOM --banned" carol ban club bob --lift
is "a ban is lifted by the name that is listed" "False 0" "$(ann ban club bob --lift --json | python 'd["banned"]') $(ann members club --banned --json | python 'len(d)')"
ann ban club bob
ann ban club "$(ann members club --banned --json | python 'd[0]["target"]')" --lift
is "or by its key" 0 "$(ann members club --banned --json | python 'len(d)')"
bob leave club --json >"$dir/out"
is "json of leaving" "club False" "$(python 'd["name"], d["forgotten"]' <"$dir/out" | tr -d "(',)")"
exits "who left says no more" 1 "you left it" bob say club hello
exits "and is told nothing alone" 3 "no member of this room now; \`weir room members\`" ann dm club bob hello
exits "and leaves no more" 1 "--forget" bob leave club
is "but may forget the room" "0 weir: room leave: club was left before; it is forgotten on this machine" \
    "$(bob leave club --forget 2>"$dir/err"; echo $? "$(cat "$dir/err")")"
is "which is gone then" 0 "$(bob list | grep -c '^club')"
bob join "$door" >/dev/null
is "who comes back came twice" 2 "$(ann log club | grep -c ' bob .*(came)')"
ann config club --members 2
exits "a room that is full lets nobody in" 1 "club is full: it takes 2 members" as nora join "$(ann invite club)"
ann ban club carol
is "who is banned may forget the room" "0 banned from; it is forgotten" "$(carol leave club --forget 2>"$dir/err"; echo $? "$(grep -o 'banned from; it is forgotten' "$dir/err")")"
exits "an owner cannot leave" 1 "--forget" ann leave club
back=$(bob invite club)
is "but may forget the room, which stays with the others" "0 club is yours, and stays" \
    "$(ann leave club --forget 2>"$dir/err"; echo $? "$(grep -o 'club is yours, and stays' "$dir/err")")"
is "and is gone here" 0 "$(ann list | grep -c '^club')"
is "until an invitation brings it back" "club owner" "$(ann join "$back") $(ann members club --json | python '[m["role"] for m in d if m["me"]][0]')"
is "json of a nickname" "annie" "$(ann nick club annie --json | python 'd["nickname"]')"
is "json of what is done to a message" "40 40 40" "$(m=$(ann say club hm --json | python 'd["message"]')
    for verb in "react club $m 👍" "edit club $m hum" "delete club $m"; do ann $verb --json | python 'len(d["message"])'; done | paste -sd' ')"
is "json of a configuration that is changed" 7 "$(ann config club --bans 7 --json | python 'd["bans"]')"

# Banned by several: all are named.
ann create yard >/dev/null && ann nick yard ann
bob join "$(ann invite yard)" >/dev/null
carol join "$(ann invite yard)" >/dev/null && carol nick yard carol
ann config yard --moderators carol
key_of_bob=$(bob members yard --json | python '[m["key"] for m in d if m["me"]][0]')
carol ban yard "$key_of_bob"
ann ban yard "$key_of_bob"
bob join "$(ann invite yard)" 2>"$dir/err"
is "who was banned by several is told by whom" "1 1" \
    "$? $(grep -cE 'banned from yard, by (ann and carol|carol and ann); ask each of them to lift that, with `weir room ban ROOM [1-9A-Za-z]{8} --lift`$' "$dir/err")"

# --- names that look like others ------------------------------------------------------------------------------
bob nick club "Annie"
is "who looks like another is marked in lists, as the other is" 2 "$(ann members club | grep -cE '^[Aa]nnie~[1-9A-Za-z]{4,} ')"
bob nick club "аda" # the first letter is Cyrillic
bob say club hi >/dev/null
is "and who mixes alphabets, in the log too" "1 1" "$(ann members club | grep -cE '^аda~[1-9A-Za-z]{4,} ') $(ann log club | grep -cE ' аda~[1-9A-Za-z]{4,}  hi$')"

# --- following --------------------------------------------------------------------------------------------
# From the last message that there is, on.
last() { bob log hall --json | python 'd[-1]["time"]'; }
follow_command env XDG_CONFIG_HOME="$dir/home-bob" "$WEIR" room log hall --follow --json --since "$(last)"
told() { line | python "$1"; }
for _ in {1..250}; do # of that millisecond
    text=$(told 'd["text"]')
    [ "$text" = 250 ] && break
done
is "a log begins with what there is" 250 "$text"
first=$(ann say other first)
is "what comes is followed, a JSON line each" "first False" "$(told 'd["text"], d["edited"]' | tr -d "(',)")"
ann edit other "$first" second
is "an edit is a line" "second True" "$(told 'd["text"], d["edited"]' | tr -d "(',)")"
bob react hall "$first" 👍
is "a reaction is a line" "second 1" "$(told 'd["text"], d["reactions"][0]["count"]' | tr -d "(',)")"
exec 3<&-

# followed ROOM…: bob's log, in the background, read with `line`; its exit code comes in $dir/code.
followed() {
    rm -f "$dir/code" "$dir/pid"
    mkfifo "$dir/pipe"
    {
        XDG_CONFIG_HOME=$dir/home-bob "$WEIR" room log "$@" --follow >"$dir/pipe" 2>"$dir/follow.err" &
        echo $! >"$dir/pid"
        wait $!
        echo $? >"$dir/code.new"
        mv "$dir/code.new" "$dir/code"
    } &
    exec 3<"$dir/pipe"
    rm "$dir/pipe"
}
code() { cat "$dir/code" 2>/dev/null; }
end_follower() { # SIGNAL
    kill "-$1" "$(cat "$dir/pid")"
    soon "$1 ends it cleanly" 0 code
    exec 3<&-
}
ann nick other ann
followed hall --since "$(last)"
is "in text as well" "-- ann second" "$(line | cut -c1-2) $(line | awk '{ print $3, $4 }')"
ann say other third >/dev/null
is "from day to day" "ann  third" "$(line | plain)"
end_follower INT
is "and without a word" "" "$(cat "$dir/follow.err")"
nora() { as nora "$@"; }
since=$(last)
nora say nook "from afar" >/dev/null
key_of_nora=$(nora members nook --json | python '[m["key"] for m in d if m["me"]][0]')
ann ban other "$key_of_nora"
followed hall --since "$since"
is "what does not count is not there" "-- ann third" "$(line | cut -c1-2) $(line | awk '{ print $3, $4 }')"
ann ban other "$key_of_nora" --lift
is "that a ban is lifted is told" "(no longer banned by ann)" "$(line | grep -o '(no longer .*)')"
is "when it is lifted what it hid comes" "from afar" "$(line | grep -o 'from afar')"
ann ban other "$key_of_nora"
is "a ban is told as well" "(banned by ann)" "$(line | grep -o '(ban.*)')"
ann ban other "$key_of_nora" --lift
line >"$dir/out"
ann nick other ann # prints nothing
ann say other fourth >/dev/null
is "and what was printed does not come again" "ann  fourth" "$(line | plain)"
end_follower INT
followed hall
is "a reader" "--" "$(line | cut -c1-2)"
exec 3<&-
soon "that goes away ends it cleanly, too" 0 code
is "and without a word, too" "" "$(cat "$dir/follow.err")"

# A restart of the node is bridged.
again=ipc://$dir/again.sock
start_node "$dir/again" "$dir/again1" --client "$again"
ann create porch --node "$again" >/dev/null
bob join "$(ann invite porch --node "$again")" --node "$again" >/dev/null
ann say porch before --node "$again" >/dev/null
followed porch --node "$again"
is "a log is followed" "-- (came) before" "$(line | cut -c1-2) $(line | awk '{ print $4 }') $(line | awk '{ print $4 }')"
stop_node
start_node "$dir/again" "$dir/again2" --client "$again"
ann say porch after --node "$again" >/dev/null
is "over a restart of the node" after "$(line | awk '{ print $4 }')"
end_follower TERM
stop_node

# A member who follows shares a private room's key.
late=$(ann invite cellar)
ann rotate cellar
dave() { as dave "$@"; }
dave join "$late" pit >/dev/null 2>&1
dave_reads() { dave config pit --json | python 'd["readable"]'; }
is "who came late has no key" False "$(dave_reads)"
followed cellar
soon "until a member who follows shares it" True dave_reads
end_follower INT

# What was printed sealed is printed again when it opens.
late=$(ann invite cellar)
ann rotate cellar
ann say cellar "in the dark" >/dev/null
as finn join "$late" cave >/dev/null 2>&1
follow_command env XDG_CONFIG_HOME="$dir/home-finn" "$WEIR" room log cave --follow --json
dark() { # EXPRESSION: True when it is, of one of the next messages
    local got
    for _ in {1..50}; do
        got=$(told "$1")
        [ "$got" = True ] && break
    done
    echo "$got"
}
is "without the key a message is sealed" True "$(dark 'd["sealed"]')"
ann say cellar light >/dev/null
is "and comes again once the key is here" True "$(dark 'd["text"] == "in the dark"')"
exec 3<&-

# --- export ------------------------------------------------------------------------------------------------
is "an export is one document of all there is" "bans configuration direct key me members messages" \
    "$(bob export lobby | python '" ".join(sorted(d))')"
is "with replies, edits, reactions and own direct messages" "True 1 2 2" "$(bob export lobby | python \
    '*[f(d) for f in (lambda d: "hi bob" in [m["text"] for m in d["messages"] if m["content"] == "reply"], lambda d: sum(m["edited"] for m in d["messages"]), lambda d: [len(r["authors"]) for m in d["messages"] for r in m["reactions"]][0], lambda d: len(d["direct"]))]')"

# --- two nodes ----------------------------------------------------------------------------------------------
ann create pact >/dev/null
ann nick pact ann
invitation=$(ann invite pact)
start_node "$dir/far" "$dir/far.out" --client tcp://127.0.0.1:0 --listen 127.0.0.1:0
far=$endpoint
erin() { WEIR_NODE=$far as erin "$@"; }
erin list >/dev/null 2>&1
erin create own >/dev/null 2>&1
exits "a room that no node here has is not entered" 3 "weir peers" erin join "$invitation"
is "nor kept" own "$(erin list | cut -f1)"
is "but one that is kept may be forgotten, and nobody is told" "0 nobody was told" \
    "$(WEIR_NODE=$far nora leave nook --forget 2>"$dir/err"; echo $? "$(grep -o 'nobody was told' "$dir/err")")"
"$WEIR" connect "$here_at" --node "$far" >/dev/null
is "once the nodes are connected it is" "0 pact" "$(erin join "$invitation" >"$dir/out"; echo $? "$(cat "$dir/out")")"
erin nick pact erin
# Apart: what is written meanwhile is merged.
"$WEIR" disconnect "${here_at%@*}" --node "$far" >/dev/null
peers() { "$WEIR" peers --json --node "$far" | python 'len(d)'; }
soon "the nodes are apart" 0 peers
ann say pact "over here" >/dev/null
is "off line one goes on" 0 "$(erin say pact "off line" >/dev/null; echo $?)"
is "each for itself" "over here - off line" "$(texts ann pact) - $(texts erin pact)"
"$WEIR" connect "$here_at" --node "$far" >/dev/null
soon "what was written off line is merged at the one" "over here,off line" texts ann pact
soon "and at the other" "over here,off line" texts erin pact
hello=$(erin say pact hello)
soon "a message goes from node to node" "over here,off line,hello" texts ann pact
ann reply pact "$hello" "hello yourself" >/dev/null
ann react pact "$hello" 👋
soon "and so do answers" "over here,off line,hello,hello yourself" texts erin pact
both() { diff <(ann export pact | view) <(erin export pact | view) >/dev/null && echo same; }
view() { python '[d["configuration"], [(m["key"], m["nickname"]) for m in d["members"]], [(m["message"], m["text"], [r["authors"] for r in m["reactions"]]) for m in d["messages"]]]'; }
soon "both see the same" same both
ann ban pact erin
members_there() { erin members pact --json | python 'len(d)'; }
soon "a ban gets there" 1 members_there
exits "and holds there" 1 "member" erin say pact hello

# --- exit codes -----------------------------------------------------------------------------------------------
exits "a room that is none lists those that are" 3 "lobby, other" ann say attic hello
exits "what is missing is usage" 2 "weir room say ROOM" ann say lobby
exits "no node is 7" 7 "weir node" ann log lobby --node tcp://127.0.0.1:1
exits "a room on no node is 3" 3 "weir peers" ann log porch
exits "an identity that makes no file is refused" 6 "slash" ann list --identity ../me
exits "an option of another command is usage" 2 "--lift" ann nick lobby x --lift
chmod 644 "$dir/home-bob/weir/keys/me.key"
exits "a key that others may read is refused" 1 "chmod 600" bob list
chmod 600 "$dir/home-bob/weir/keys/me.key"
sed -i 's/^name .*/name changed/' "$dir/home-bob/weir/rooms/me/$key.room"
is "a damaged file is no room" 3 "$(bob log lobby 2>/dev/null; echo $?)"
bob list >"$dir/out" 2>"$dir/err"
is "but named, and the others are there" "0 1 1" "$? $(grep -c "$key.room is damaged" "$dir/err") $(grep -c '^hall' "$dir/out")"
is "help of room lists its commands" 18 "$("$WEIR" help room | grep -c '^  weir room ')"
is "and of each its options" yes "$("$WEIR" help room say | grep -q -- --identity && echo yes)"

# --- completion -----------------------------------------------------------------------------------------------
mkdir "$dir/bin" && ln -s "$(realpath "$WEIR")" "$dir/bin/weir"
# completed WORDS…: what bash offers for the last one
completed() (
    PATH=$dir/bin:$PATH XDG_CONFIG_HOME=$dir/home-ann
    export PATH XDG_CONFIG_HOME
    . docs/completion/weir
    COMP_WORDS=(weir "$@") COMP_CWORD=$# COMPREPLY=()
    _weir
    echo "${COMPREPLY[@]}"
)
is "the commands of room are completed" "reply react rotate" "$(completed room r)"
is "a room's name is" "lobby" "$(completed room say lo)"
is "as the shell takes it" "two\\ words" "$(ann create "two words" >/dev/null; completed room log two)"
is "and the options of a command" "--since=" "$(completed room log --si)"

exit $failed
