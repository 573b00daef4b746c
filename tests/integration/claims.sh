# claims: for scripts that test by claims, one after the other; sourced. Before it: $scratch, a folder.
# In the end: `exit $failed`.
# shellcheck shell=bash disable=SC2034,SC2154
failed=0
export WEIR_TIMEOUT=60 # only a fault takes that long

claim() { # NAME COMMAND…
    local name=$1
    shift
    if "$@" >"$scratch/claim" 2>&1; then echo "ok - $name"; else
        echo "not ok - $name"
        sed 's/^/# /' "$scratch/claim"
        failed=1
    fi
}

ready() { # FILE PID: the node that writes FILE says that it is ready, before it ends; only a fault takes 60 s
    local end=$((SECONDS + 60))
    while [ $SECONDS -lt $end ]; do
        grep -q '^ready' "$1" && return 0
        kill -0 "$2" 2>/dev/null || return 1
        sleep 0.02
    done
    return 1
}
