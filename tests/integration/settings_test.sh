#!/bin/bash
# What is set for a long run and is nonsense is refused with a sentence, and nothing is run: neither by
# make, before it builds anything, nor by the programs themselves.
set -u
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
. tests/integration/claims.sh

# Who calls this may be a make with settings of its own.
unset MAKEFLAGS MFLAGS MAKELEVEL
here=${BUILD:-build}

refused() { # SENTENCE COMMAND…
    local sentence=$1
    shift
    timeout -k 5 60 "$@" >"$scratch/said" 2>&1 && echo "$* went on" && return 1
    grep -q -- "$sentence" "$scratch/said" || { tail -n 3 "$scratch/said" && return 1; }
}

makes_refuse() {
    local setting
    for setting in "closes CLOSES=x" "crash IMAGES=-1" "crash SEED=one" "fuzz SECONDS=1h" "fuzz JOBS=two" \
        "soak MINUTES=x" "floods SECONDS=x" "floods CONNECTIONS=10k" "netfaults ROUNDS=few" "mutants JOBS=two"; do
        # shellcheck disable=SC2086
        refused "${setting#* }: wanted a number" make $setting || return 1
    done
}

programs_refuse() {
    refused "CLOSES=0: wanted a whole number from 1 to" env CLOSES=0 "$here/tests/integration/closes_test" &&
        refused "FLOOD_SECONDS=x: wanted a whole number" env FLOOD_SECONDS=x "$here/tests/integration/floods_test" &&
        refused "IMAGES=1e3: wanted a whole number" env IMAGES=1e3 "$here/tests/crash/crash_images_test" &&
        refused "MINUTES=1h: wanted a number" env MINUTES=1h "$here/tests/soak/soak_test" &&
        refused "SEED=-1: wanted a whole number" env SEED=-1 "$here/tests/net/faults_test" &&
        refused "KILLS=some: wanted all" env KILLS=some "$here/tests/integration/kill_at_call_test"
}

claim "make refuses a setting that is no number" makes_refuse
claim "make fuzz refuses a target that there is not" refused "TARGETS=nonsense: there is no such target; there are: .*merge" \
    make fuzz TARGETS="merge nonsense"
claim "a test refuses a setting that it cannot run with" programs_refuse
exit $failed
