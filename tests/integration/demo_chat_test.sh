#!/bin/bash
# make demo-chat, with no time between the lines: with a cable that is pulled (where root runs the
# test), and with an operator who disconnects the node.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export BUILD CHAT_SECONDS=0 WEIR_TIMEOUT=60 # only a fault takes that long
failed=0

demo() { timeout -k 5 $((${TEST_TIMEOUT:-900} - 60)) scripts/demo-chat.sh >"$dir/$1" 2>&1; }
CHAT_CUT=cable demo cable &
cable=$!
CHAT_CUT=disconnect demo disconnect &
disconnect=$!
for way in cable disconnect; do
    wait "${!way}"
    code=$?
    if [ $code = 0 ] && [ "$(grep -c 'the view is' "$dir/$way")" = 9 ]; then
        echo "ok - all five have the same view after the cut: $way"
    else
        echo "not ok - all five have the same view after the cut: $way (exit $code)"
        tail -n 30 "$dir/$way"
        failed=1
    fi
done
exit $failed
