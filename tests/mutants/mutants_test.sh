#!/bin/bash
# scripts/mutants itself, on a tree of one function and two tests: what it says of a bug that is
# caught, of one that is not, and of patches that are none.
set -u
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
. tests/integration/claims.sh

tree=$scratch/toy patches=$scratch/patches
mkdir -p "$tree/scripts" "$tree/tests/unit" "$patches"
cp scripts/run-tests "$tree/scripts/"
cat >"$tree/sum.c" <<'END'
int sum(int a, int b);
int sum(int a, int b)
{
    return a + b;
}
END
# test NAME CONDITION: a program that prints as cmocka does.
toy_test() {
    cat >"$tree/tests/unit/$1.c" <<END
#include <stdio.h>
int sum(int a, int b);
int main(void)
{
    int right = $2;
    printf("[ RUN      ] $1_case\n");
    printf(right ? "[  PASSED  ] 1 test(s).\n" : "[  FAILED  ] $1_case\n[  FAILED  ] 1 test(s)\n");
    return !right;
}
END
}
toy_test plus_test 'sum(2, 2) == 4'
toy_test minus_test 'sum(2, -2) == 0'
cat >"$tree/Makefile" <<'END'
TESTS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/*.c))
all examples build/weir:
$(BUILD)/tests/unit/%: tests/unit/%.c sum.c
	@mkdir -p $(@D) && cc -o $@ $^
check: $(TESTS)
	@scripts/run-tests $(BUILD) $(TESTS)
END

# plant NAME OLD NEW TESTS
plant() {
    printf 'breaks: %s\nrule: none\ntests: %s\n\n' "$1" "$4" >"$patches/$1.patch"
    (cd "$tree" && sed "s|$2|$3|" sum.c | diff -U1 --label a/sum.c --label b/sum.c sum.c -) >>"$patches/$1.patch"
}
plant caught 'a + b' 'a - b' unit/plus_test
plant caught_elsewhere 'a + b' 'b < 0 ? 1 : a + b' unit/plus_test
plant survives 'a + b' 'b + a' 'unit/plus_test unit/minus_test'
plant no_c 'a + b' 'a + ' unit/plus_test
plant rotten 'a + b' 'a - b' unit/plus_test
sed -i 's/a + b/a * b/' "$patches/rotten.patch"

# says STATUS TEXT NAME…: the runner ends so and says that.
says() {
    local wanted=$1 text=$2 status=0
    shift 2
    TREE=$tree PATCHES=$patches JOBS=1 scripts/mutants "$@" >"$scratch/said" 2>&1 || status=$?
    cat "$scratch/said"
    [ "$status" = "$wanted" ] && grep -qE "$text" "$scratch/said"
}
a_broken_tree_proves_nothing() {
    sed -i 's/a + b/a + b + 1/' "$tree/sum.c"
    says 1 'without a bug, unit/plus_test: plus_test_case' caught
    local rc=$?
    sed -i 's/a + b + 1/a + b/' "$tree/sum.c"
    return $rc
}

claim "a bug is caught, and the test that did it is named" \
    says 0 'CAUGHT +caught +unit/plus_test: plus_test_case' caught
claim "a bug that only the whole suite catches is told apart" \
    says 0 'ELSEWHERE +caught_elsewhere +unit/minus_test' caught_elsewhere
claim "a bug that survives fails the run" says 1 'SURVIVED +survives' caught survives
claim "a patch that does not compile fails the run" says 1 'BROKEN +no_c +does not compile' no_c
claim "a patch that does not apply fails the run" says 1 'BROKEN +rotten +does not apply' rotten
claim "after each bug the tree is whole again" says 1 '2 bugs .* 1 caught, .* 1 broken' rotten caught
claim "a tree whose tests fail without a bug is refused" a_broken_tree_proves_nothing
claim "a name that there is not is refused" says 2 'there is no' nobody
exit $failed
