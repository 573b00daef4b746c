#!/bin/bash
# demo-chat: a group chat on three nodes of this machine. Five people, ada, ben, cleo, dan and eve,
# talk for CHAT_SECONDS (120): invited two levels deep, with an edit, reactions and a deletion; and
# in a second, private room, whose key is rotated. Node 2, with cleo and dan, is cut off meanwhile,
# and while it is, dan is banned. When it is back all five must see the same of the public room, the
# four who are left in the private one the same of that, and dan nothing that was said there after
# he went; else the demo exits with 1. Where root runs this, node 2 has a network namespace of its
# own, and its cable is pulled; else (or with CHAT_CUT=disconnect) its operator disconnects it.
set -eu
cd "$(dirname "$0")/.."
build=${BUILD:-build}
name=demo-chat
# shellcheck source=scripts/demo-nodes.sh
. scripts/demo-nodes.sh
chat_ms=$((${CHAT_SECONDS:-120} * 1000))
STEPS=50 # of the talk, evenly over its time
declare -A node_of=([ada]=0 [ben]=1 [cleo]=2 [dan]=2 [eve]=1)

# --- the cable of node 2 -------------------------------------------------------------------------

tag=wd$$
lay_cable() {
    [ "${CHAT_CUT:-}" != disconnect ] && [ "$(id -u)" = 0 ] && ip netns add $tag-hub 2>/dev/null || return 1
    ip netns add $tag-far
    ip link add $tag-a netns $tag-hub type veth peer name $tag-b netns $tag-far || return 1
    ip -n $tag-hub addr add 10.77.0.1/24 dev $tag-a
    ip -n $tag-far addr add 10.77.0.2/24 dev $tag-b
    ip -n $tag-hub link set lo up && ip -n $tag-hub link set $tag-a up
    ip -n $tag-far link set lo up && ip -n $tag-far link set $tag-b up
    for n in 0 1; do hosts[$n]=10.77.0.1 inside[$n]="ip netns exec $tag-hub"; done
    hosts[2]=10.77.0.2 inside[2]="ip netns exec $tag-far"
}
take_cable() {
    ip netns del $tag-hub 2>/dev/null || true
    ip netns del $tag-far 2>/dev/null || true
}
cut_off() {
    if [ -n "$cable" ]; then
        ip -n $tag-far link set $tag-b down
    else
        for n in 0 1; do at 2 weir disconnect "$(word $n id)" >/dev/null; done
        within "node 2 is cut off" eval '[ "$(live 2)" = 0 ]'
    fi
}
cut_back() {
    if [ -n "$cable" ]; then
        ip -n $tag-far link set $tag-b up
    else
        for n in 0 1; do at 2 weir connect "$(peer $n)" >/dev/null; done
    fi
}

# --- people --------------------------------------------------------------------------------------

# as WHO COMMAND…: that person, with what that person keeps, at that person's node
as() {
    local who=$1
    shift
    XDG_CONFIG_HOME=$data/home WEIR_IDENTITY=$who at "${node_of[$who]}" "$@"
}
steps=0
# does WHO VERB ARGUMENT…: `weir room VERB ARGUMENT…`, shown, when its time has come; what it prints in $out
does() {
    local who=$1 due shown
    shift
    due=$((began + chat_ms * steps / STEPS - $(now_ms)))
    steps=$((steps + 1))
    [ $due -le 0 ] || sleep "$((due / 1000)).$(printf %03d $((due % 1000)))"
    shown=$(printf ' %q' "$@")
    [ ${#shown} -le 80 ] || shown="${shown:0:60}…"
    printf '%-4s (node %s)$ weir room%s\n' "$who" "${node_of[$who]}" "$shown"
    out=$(as "$who" weir room "$@") || fail "$who could not: weir room $*"
    [ -z "$out" ] || sed -E 's/^(.{60}).*/\1…/; s/^/    /' <<<"$out"
}
# sees WHO ROOM TEXT: is it in that person's view of the room?
sees() { as "$1" weir room export "$2" | grep -qF -- "$3"; }
awaits() { within "$1 sees \"$3\" in $2" sees "$1" "$2" "$3"; }

# What the view of a room is to all who are in it: what is of one person alone is left out.
view() { # WHO ROOM
    as "$1" weir room export "$2" |
        sed -E -e 's/"me":"[^"]*",//; s/"(me|mine)":(true|false)(,?)/\3/g; s/,,/,/g; s/,"direct":\[.*//' \
            >"$data/view.$1"
}
same_view() { # ROOM WHO…
    local room=$1 first=$2 who
    shift
    for who; do
        view "$who" "$room"
        cmp -s "$data/view.$first" "$data/view.$who" || return 1
    done
}
count() { grep -o "\"$2\":" "$data/view.$1" | wc -l; } # WHO NAME
tell_views() { # ROOM MEMBERS WHO…: waits until they are the same
    local room=$1 members=$2 who
    shift 2
    within "all have the same view of $room" same_view "$room" "$@"
    for who; do
        printf '  %-4s at node %s: %s has %2d messages, %d members; the view is %.16s\n' "$who" \
            "${node_of[$who]}" "$room" "$(count "$who" message)" "$(count "$who" invited)" \
            "$(sha256sum <"$data/view.$who")"
        [ "$(count "$who" invited)" = "$members" ] || fail "$room has not $members members"
    done
}
holds() { sees "$1" "$2" "$3" || fail "$1's view of $2 has no $3"; }
lacks() { ! sees "$1" "$2" "$3" || fail "$1's view of $2 has $3, and must not"; }

# --- three nodes ---------------------------------------------------------------------------------

cable=
trap 'end_nodes; take_cable' EXIT
if lay_cable; then
    cable=yes
    say "three nodes; node 2 in a network namespace of its own, at the end of a cable"
else
    take_cable
    hosts=() inside=()
    say "three nodes"
fi
start 0 --role gateway
start_peer 1
start_peer 2
within "each node is connected to the two others" all_live 2
began=$(now_ms)

say "a room, by invitations: ada asked ben and cleo in, ben asked eve, cleo asked dan"
does ada create garden --description "what grows"
does ada nick garden Ada
enters() { # WHO BY ROOM NICKNAME
    does "$2" invite "$3"
    does "$1" join "$out"
    does "$1" nick "$3" "$4"
}
enters ben ada garden Ben
enters cleo ada garden Cleo
enters eve ben garden Eve
enters dan cleo garden Dan
for who in ada ben cleo dan eve; do awaits $who garden '"Dan"'; done

say "they talk"
does ada say garden "what do we plant first?"
first=$out
awaits dan garden "plant first"
does dan reply garden "$first" "gravel."
awaits eve garden gravel
does eve reply garden "$first" "beens, I would say"
beans=$out
does eve edit garden "$beans" "beans, I would say"
awaits cleo garden "beans, I"
does cleo react garden "$beans" 👍
awaits ada garden 👍
does ada react garden "$beans" 👍
does ben react garden "$first" 🌱
awaits cleo garden 🌱
does cleo say garden "I have twelve of them in pots"
does dan say garden "buy my gravel, http://gravel.example"
does ben say garden "ruhbarb"
does ben delete garden "$out"
does ada dm garden Ben "is dan one of yours?"

say "a private room for four of them, and dan: its key is theirs alone"
does ada create kitchen --private
does ada nick kitchen Ada
enters ben ada kitchen Ben
enters cleo ada kitchen Cleo
enters eve ben kitchen Eve
enters dan cleo kitchen Dan
does ada say kitchen "soup on friday?"
for who in ben cleo dan eve; do awaits $who kitchen "soup on friday"; done

say "node 2 is cut off, with cleo and dan; dan is banned, which they do not know"
cut_off
does ada ban garden Dan
does ada ban kitchen Dan
does dan say garden "gravel, twenty per cent off"
does cleo say garden "the first beans have come up"
does ben say garden "it rains here"
does ada rotate kitchen
does ada say kitchen "friday it is, without dan"
does eve reply garden "$beans" "told you"
lacks eve garden "come up"
lacks cleo garden "it rains"

say "and is back"
cut_back
from=$(now_ms)
within "node 2 is connected to both others" all_live 2
awaits eve garden "come up"
awaits cleo garden "it rains"
awaits cleo kitchen "friday it is"
took "$from"
does cleo say kitchen "I bring beans"
awaits ada kitchen "bring beans"

# --- the end -------------------------------------------------------------------------------------

say "what each of the five has of the public room, and each of the four of the private one"
tell_views garden 4 ada ben cleo dan eve
tell_views kitchen 4 ada ben cleo eve
holds dan garden '"text":"beans, I would say","reply_to":'
holds dan garden '"edited":true'
holds dan garden '"text":"👍","count":2'
holds dan garden '"deleted":true'
lacks dan garden ruhbarb
lacks ada garden '"Dan"'
lacks cleo garden "per cent off"
for who in ada ben cleo eve; do lacks $who garden gravel; done
within "dan knows that he is banned" eval '! sees dan kitchen "\"nickname\":\"Dan\",\"role\""'
lacks dan kitchen "friday it is"
lacks dan kitchen "bring beans"
holds ben garden "is dan one of yours?"
lacks eve garden "is dan one of yours?"
echo "  dan, who is out, reads the public room; of the private one nothing that came after the ban"

say "the public room, as eve has it"
as eve weir room log garden
as eve weir room members garden
say "the private room, as cleo has it, and as dan has it"
as cleo weir room log kitchen
echo
as dan weir room log kitchen
for n in 0 1 2; do stop $n TERM; done
printf '\nthe same view for all, at the end'
took "$began"
