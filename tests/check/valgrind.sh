#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# One small run of the program under valgrind's memcheck; exit status 1 on an invalid access, an uninitialised value or a definite leak.
# AVX-512 is unknown to valgrind, so it runs the AVX2 kernels and then the plain ones.
set -euo pipefail
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
for simd in avx2 plain; do
    [ "$simd" = plain ] || grep -qw avx2 /proc/cpuinfo || continue
    OPENBLAS_CORETYPE=Haswell OMP_NUM_THREADS=1 valgrind --quiet --error-exitcode=9 --leak-check=full --show-leak-kinds=definite \
        --errors-for-leak-kinds=definite --suppressions=tests/check/valgrind.supp \
        "$BUILD/snnsim" run gesture.cfg --limit "${LIMIT:-2}" --threads 1 --seed 1 --set "run.simd=$simd" --set dataset.camera.seconds=0.2 --out "$out/$simd" --quiet
    echo "valgrind ($simd): no findings"
done
