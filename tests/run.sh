#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs every test suite of a finished build and ends in `N passed, N failed[, N skipped]`; exit status 1 when one failed.
#   tests/run.sh [NAME...]      only the suites whose name contains one of the given words
# Suites: unit/test_x (cmocka programs), replay/fuzz_x (fuzz targets over their seeds), cli/x (bats), check/x (scripts that print TAP).
# Environment: BUILD (build), SAN (set: the build is sanitized; checks that build again are left out), JOBS, TIMEOUT in seconds,
# SNNSIM_DATA (recordings), CI (true: a missing tool fails instead of being skipped).
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
export LC_ALL=C

export BUILD=${BUILD:-build} TIMEOUT=${TIMEOUT:-300} SNNSIM_DATA=${SNNSIM_DATA:-../shared/data}
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
export SNNSIM=$BUILD/snnsim
# Suites run side by side: threads that wait by spinning would take the processors from each other.
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}
LOGS=$BUILD/test-logs
if [ -n "${SAN:-}" ]; then
    # Absurd sizes must come back as NULL, as they do without the sanitizer.
    export ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1:detect_stack_use_after_return=1
    export UBSAN_OPTIONS=print_stacktrace=1
    export LSAN_OPTIONS=suppressions=$PWD/tests/check/lsan.supp:print_suppressions=0
    TIMEOUT=$((TIMEOUT * 3))
fi

# ---- counting: each prints "passed failed skipped" ----

count_xml() { # FILE: cmocka's XML, one <testsuite> for each group
    awk '/<testsuite / { n = f = e = s = 0
             for (i = 1; i <= NF; i++) { split($i, a, "\""); if ($i ~ /^tests=/) n = a[2]; if ($i ~ /^failures=/) f = a[2]
                                         if ($i ~ /^errors=/) e = a[2]; if ($i ~ /^skipped=/) s = a[2] }
             passed += n - f - e - s; failed += f + e; skipped += s }
         END { print passed + 0, failed + 0, skipped + 0 }' "$1" 2>/dev/null || echo 0 0 0
}

count_tap() { # FILE: tests that a plan (1..N) announced but that never reported have failed
    awk '/^1\.\.[0-9]+/ { plan = substr($1, 4) }
         /^ok/ { if (tolower($0) ~ /# skip/) skipped++; else passed++ }
         /^not ok/ { failed++ }
         END { seen = passed + failed + skipped; if (plan > seen) failed += plan - seen
               print passed + 0, failed + 0, skipped + 0 }' "$1"
}

# ---- one suite: `run.sh --one KIND/NAME` ----

run_one() {
    local suite=$1 kind=${1%%/*} name=${1#*/} log xml status start passed failed skipped
    log=$LOGS/$kind-$name.log xml=$LOGS/$kind-$name.xml start=$EPOCHREALTIME
    rm -f "$log" "$xml"
    local limit=(timeout -k 10 "$TIMEOUT")
    case $kind in
        unit) CMOCKA_MESSAGE_OUTPUT=XML CMOCKA_XML_FILE=$xml "${limit[@]}" "$BUILD/tests/$name" ;;
        replay) "${limit[@]}" "$BUILD/replay/$name" "tests/fuzz/seeds/${name#fuzz_}" ;;
        cli) "${limit[@]}" bats --tap "tests/cli/$name.bats" ;;
        check) timeout -k 10 $((TIMEOUT * 4)) bash "tests/check/check_$name.sh" ;;
    esac </dev/null >"$log" 2>&1
    status=$?
    if [ "$kind" = unit ]; then
        read -r passed failed skipped < <(count_xml "$xml")
        [ "$failed" -eq 0 ] || cat "$xml" >>"$log"
    else
        read -r passed failed skipped < <(count_tap "$log")
    fi
    # A program that died, hung or had nothing to say has failed, whatever it reported before.
    [ "$status" -ne 124 ] || echo "(stopped after $TIMEOUT s)" >>"$log"
    if [ "$failed" -eq 0 ] && { [ "$status" -ne 0 ] || [ $((passed + skipped)) -eq 0 ]; }; then
        echo "(exit status $status)" >>"$log"
        failed=1
    fi
    local us=$(((${EPOCHREALTIME/./} - ${start/./}) / 100000))
    echo "$passed $failed $skipped" >"$LOGS/$kind-$name.count"
    printf '%-34s %4d passed, %d failed%s  (%d.%d s)\n' "$suite" "$passed" "$failed" \
        "$([ "$skipped" -eq 0 ] || echo ", $skipped skipped")" $((us / 10)) $((us % 10))
}

if [ "${1:-}" = --one ]; then
    run_one "$2"
    exit 0
fi

# ---- all suites ----

rm -rf "$LOGS"
mkdir -p "$LOGS"
suites=()
add() { # KIND FILE PREFIX SUFFIX
    local name
    name=$(basename "$2")
    name=${name#"$3"}
    suites+=("$1/${name%"$4"}")
}
shopt -s nullglob
# Slow ones first, so that the jobs end together.
[ -n "${SAN:-}" ] || for f in tests/check/check_*.sh; do add check "$f" check_ .sh; done
for f in tests/cli/*.bats; do add cli "$f" "" .bats; done
for f in tests/unit/test_*.c; do add unit "$f" "" .c; done
for f in tests/fuzz/fuzz_*.c; do add replay "$f" "" .c; done
if [ $# -gt 0 ]; then
    wanted=$(printf '%s\n' "${suites[@]}" | grep -F "$(printf '%s\n' "$@")")
    mapfile -t suites <<<"$wanted"
fi

printf '%s\n' "${suites[@]}" | xargs -P "${JOBS:-$(nproc)}" -n 1 bash "$0" --one

total=(0 0 0)
for suite in "${suites[@]}"; do
    log=$LOGS/${suite/\//-}
    read -r passed failed skipped <"$log.count" || { passed=0 failed=1 skipped=0; }
    total=($((total[0] + passed)) $((total[1] + failed)) $((total[2] + skipped)))
    if [ "$failed" -gt 0 ]; then
        printf '\n---- %s failed; the end of %s:\n' "$suite" "$log.log"
        grep -vE '^ok |<testcase|</testcase' "$log.log" | tail -n 60
    fi
done
echo
printf '%d passed, %d failed%s\n' "${total[0]}" "${total[1]}" "$([ "${total[2]}" -eq 0 ] || echo ", ${total[2]} skipped")"
[ "${total[1]}" -eq 0 ]
