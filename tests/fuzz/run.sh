#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs libFuzzer on each target for the given time, one target on each CPU: run.sh BUILD SECONDS [TARGET]. The corpus grows in BUILD/corpus/<name> and starts
# from tests/fuzz/seeds/<name>; what crashes, leaks or hangs is kept in BUILD/crashes/<name>-*. Exit status 1 when there is such a finding.
set -uo pipefail

one() { # BUILD SECONDS NAME
    local build=$1 seconds=$2 name=$3 verdict status=0 executions covered
    local corpus=$build/corpus/$name seeds=tests/fuzz/seeds/$name log=$build/fuzz-$name.log
    # Bad input must cost neither unbounded memory nor time.
    local options=(-max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 -verbosity=1)
    [ -f "tests/fuzz/$name.dict" ] && options+=(-dict="tests/fuzz/$name.dict")
    mkdir -p "$corpus"
    export ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 OMP_NUM_THREADS=1
    export LSAN_OPTIONS=suppressions=$PWD/tests/check/lsan.supp:print_suppressions=0
    "$build/fuzz/fuzz_$name" "${options[@]}" -artifact_prefix="$build/crashes/$name-" "$corpus" "$seeds" </dev/null >"$log" 2>&1 || status=1
    verdict="no finding"
    [ "$status" -eq 0 ] || verdict="FOUND (see $log)"
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    covered=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
    printf '%-14s %5d s, %10s executions, %6s edges covered: %s\n' "$name" "$seconds" "${executions:-?}" "${covered:-?}" "$verdict"
    return "$status"
}

if [ "$1" = --one ]; then
    shift
    one "$@"
    exit
fi
build=$1 seconds=$2 only=${3:-}
mkdir -p "$build/crashes"
names=()
for source in tests/fuzz/fuzz_*.c; do
    name=$(basename "$source" .c)
    name=${name#fuzz_}
    [ -z "$only" ] || [ "$only" = "$name" ] || continue
    names+=("$name")
done
[ ${#names[@]} -gt 0 ] || { echo "no fuzz target named '$only'" >&2; exit 2; }
printf '%s\n' "${names[@]}" | xargs -P "$(nproc)" -I{} bash "$0" --one "$build" "$seconds" {} || exit 1
