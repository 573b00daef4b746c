#!/bin/bash
# The planted bugs do not rot: every patch applies to the tree as it is, and names tests that there
# are. (`make mutants` builds and runs them.)
set -u
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
. tests/integration/claims.sh

patches=(tests/mutants/*.patch)

# Each on the files as they are.
apply_alone() {
    local patch file wrong=0
    for patch in "${patches[@]}"; do
        file=$(sed -n 's|^+++ b/||p' "$patch")
        if ! patch -p1 -F0 -s --dry-run <"$patch" >"$scratch/said" 2>&1; then
            echo "$patch does not apply to $file: $(tail -n 1 "$scratch/said")"
            echo "see 'To refresh a patch' in tests/README.md"
            wrong=1
        fi
    done
    return $wrong
}

# What a patch takes away, with the lines around it if it has any, stands once in the file: without
# that it could slip to another place when lines move.
have_one_place() {
    local patch file wrong=0
    for patch in "${patches[@]}"; do
        file=$(sed -n 's|^+++ b/||p' "$patch")
        sed -n '/^@@/,$ { /^@@/d; s/^[- ]//p }' "$patch" >"$scratch/old"
        awk 'NR == FNR { old[++n] = $0; next }
            { line[++m] = $0 }
            END {
                for (i = 1; i + n - 1 <= m; i++) {
                    for (j = 1; j <= n && line[i + j - 1] == old[j]; j++) continue
                    found += j > n
                }
                exit found != 1 || n == 0
            }' "$scratch/old" "$file" && continue
        echo "$patch: its lines stand not once in $file; give it a line around them (git diff -U1)"
        wrong=1
    done
    return $wrong
}

name_their_tests() {
    local patch test tests wrong=0
    for patch in "${patches[@]}"; do
        tests=$(sed -n 's/^tests: *//p; /^--- /q' "$patch")
        for test in $tests; do
            [ -f "tests/$test" ] || [ -f "tests/$test.c" ] ||
                { [ "$test" != "${test%_replay}" ] && [ -f "tests/${test%_replay}_fuzz.c" ]; } ||
                { echo "$patch: there is no tests/$test" && wrong=1; }
        done
        [ -n "$tests" ] || { echo "$patch names no test" && wrong=1; }
    done
    return $wrong
}

say_what_they_break() {
    local patch key wrong=0
    for patch in "${patches[@]}"; do
        for key in breaks rule; do
            grep -q "^$key: ." "$patch" || { echo "$patch has no line '$key: …'" && wrong=1; }
        done
    done
    return $wrong
}

spread() {
    local room wrong=0
    [ ${#patches[@]} -ge 45 ] || { echo "${#patches[@]} patches, wanted 45" && wrong=1; }
    for room in base proto contracts store actors client main; do
        grep -lq "^+++ b/$room/" "${patches[@]}" || { echo "none in $room/" && wrong=1; }
    done
    return $wrong
}

claim "every planted bug applies to the tree" apply_alone
claim "every planted bug has one place to go to" have_one_place
claim "every planted bug names tests that there are" name_their_tests
claim "every planted bug says what it breaks and which rule" say_what_they_break
claim "planted bugs are 45 at least, and in every room" spread
exit $failed
