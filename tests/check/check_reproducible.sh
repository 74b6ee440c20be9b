#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The same seed gives the same spikes: for every number of threads and SIMD level, at -O0 as at -O3, and by clang as by gcc. The golden
# traces of PyTorch are compared by the -O0 and clang builds too.
set -uo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0
verdict() { # STATUS WHAT [DETAIL]
    n=$((n + 1))
    [ "$1" -eq 0 ] && echo "ok $n - $2" || echo "not ok $n - $2"
    [ -z "${3:-}" ] || echo "# ${3//$'\n'/$'\n'# }"
}

digest() { # PROGRAM OPTIONS...: digest of all output spikes of a small run on the synthetic camera
    local program=$1 out
    shift
    if ! out=$("$program" run gesture.cfg --limit 6 --set dataset.camera.seconds=0.4 --seed 7 --json "$@" 2>&1); then
        echo "$out"
        return 1
    fi
    sed -n 's/.*"output_spikes": *"\([0-9a-f]*\)".*/\1/p' <<<"$out" | grep -E '^[0-9a-f]{64}$'
}
same() { # WHAT PROGRAM OPTIONS...
    local what=$1 got
    shift
    got=$(digest "$@" 2>&1)
    [ "$got" = "$reference" ]
    verdict $? "$what" "$([ "$got" = "$reference" ] || echo "expected $reference, got $got")"
}

reference=$(digest "$SNNSIM" --threads 1)
verdict $? "a small run has a digest" "$reference"
for threads in 2 3 8; do same "$threads threads" "$SNNSIM" --threads "$threads"; done
for simd in plain avx2 avx512; do
    if out=$("$SNNSIM" run gesture.cfg --limit 1 --set dataset.camera.seconds=0.1 --set "run.simd=$simd" --quiet 2>&1); then
        same "SIMD level $simd" "$SNNSIM" --set "run.simd=$simd"
    else
        n=$((n + 1))
        echo "ok $n - SIMD level $simd # SKIP not on this CPU: ${out//$'\n'/ }"
    fi
done

golden() { # BUILD: the engine's tests, which hold the golden traces
    local test status=0 out
    for test in tests/unit/test_engine*.c; do
        out=$("$1/tests/$(basename "$test" .c)" 2>&1) || { status=1; echo "$out" | tail -n 20; }
    done
    return "$status"
}
another() { # WHAT MAKE-OPTIONS...: a build of its own
    local what=$1 out build=$work/$n goals=()
    shift
    for out in tests/unit/test_engine*.c; do goals+=("$build/tests/$(basename "$out" .c)"); done
    if ! out=$(make -s "-j$(nproc)" BUILD="$build" "$@" "$build/snnsim" "${goals[@]}" 2>&1); then
        verdict 1 "$what builds" "$out"
        return
    fi
    same "$what" "$build/snnsim"
    out=$(golden "$build")
    verdict $? "$what passes the engine's tests" "$out"
    rm -rf "$build"
}
another "gcc -O0" OPT=-O0
if command -v clang >/dev/null && echo '#include <omp.h>' | clang -fopenmp -E -x c - >/dev/null 2>&1; then
    another "clang -O3" CC=clang
elif [ "${CI:-}" = true ]; then
    verdict 1 "clang is missing"
else
    n=$((n + 1))
    echo "ok $n - clang -O3 # SKIP clang and libomp-dev are not installed"
fi
echo "1..$n"
