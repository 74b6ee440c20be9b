#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs libFuzzer on each target for the given time: run.sh BUILD SECONDS [TARGET]. The corpus grows in BUILD/corpus/<name> and starts from
# tests/fuzz/seeds/<name>; what crashes, leaks or hangs is kept in BUILD/crashes/<name>-*. Exit status 1 when there is such a finding.
set -uo pipefail
build=$1 seconds=$2 only=${3:-}
mkdir -p "$build/crashes"
# Bad input must cost neither unbounded memory nor time.
options=(-max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 -verbosity=1)
export ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1
export UBSAN_OPTIONS=print_stacktrace=1
export LSAN_OPTIONS=suppressions=$PWD/tests/check/lsan.supp:print_suppressions=0
export OMP_NUM_THREADS=1
found=0 ran=0
for source in tests/fuzz/fuzz_*.c; do
    name=$(basename "$source" .c)
    name=${name#fuzz_}
    [ -z "$only" ] || [ "$only" = "$name" ] || continue
    ran=$((ran + 1))
    corpus=$build/corpus/$name seeds=tests/fuzz/seeds/$name log=$build/fuzz-$name.log
    mkdir -p "$corpus"
    dictionary=()
    [ -f "tests/fuzz/$name.dict" ] && dictionary=(-dict="tests/fuzz/$name.dict")
    if "$build/fuzz/fuzz_$name" "${options[@]}" "${dictionary[@]}" -artifact_prefix="$build/crashes/$name-" \
        "$corpus" "$seeds" </dev/null >"$log" 2>&1; then
        verdict="no finding"
    else
        verdict="FOUND (see $log)"
        found=1
    fi
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    covered=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
    printf '%-14s %5d s, %10s executions, %6s edges covered: %s\n' "$name" "$seconds" "${executions:-?}" "${covered:-?}" "$verdict"
done
[ "$ran" -gt 0 ] || { echo "no fuzz target named '$only'" >&2; exit 2; }
exit "$found"
