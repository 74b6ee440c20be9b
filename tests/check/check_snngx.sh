#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SNNGX's genetic search beside its twin in NumPy (tests/golden/snngx_twin.py): the same populations, and the same best individual in every generation; on small networks and, with recordings, on
# N-MNIST's last layer.
set -uo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
data=${SNNSIM_DATA:-../shared/data}
echo 1..5
if ! /usr/bin/python3 -c 'import numpy' 2>/dev/null; then
    for i in 1 2 3 4 5; do
        [ "${CI:-}" = true ] && echo "not ok $i - NumPy is missing" || echo "ok $i - SNNGX beside its twin # SKIP no NumPy"
    done
    exit 0
fi
n=0
compare() { # WHAT COMMAND...: a search in folder $work/<number>
    local out what=$1
    shift
    if out=$("$@" 2>&1); then
        echo "ok $n - $what: $out"
    else
        echo "not ok $n - $what"
        echo "# ${out//$'\n'/$'\n'# }"
    fi
}
twin() { OPENBLAS_NUM_THREADS=1 /usr/bin/python3 tests/golden/snngx_twin.py "$@"; }
best() { SNNSIM_DATA=$data "${BUILD:?}/tools/snngx_trace" "$work/$n" "$@" && twin "$work/$n"; }
everybody() { # SEED EPS POPULATION GENERATIONS
    "${BUILD:?}/tools/snngx_trajectory" "$work/$n" "$@" >"$work/$n/log" && twin "$work/$n" "$1" "$2" "$3"
}
next() { n=$((n + 1)) && mkdir "$work/$n"; }

next && compare "every individual" everybody 1 20 100 80
next && compare "every individual of an odd population, a child to spare" everybody 5 20 37 80
next && compare "a small network, seed 1" best 1 125 30
next && compare "a small network, a seed of 64 bit" best 11400714819323198485 125 30
if [ -f "$data/nmnist/train1K.txt" ]; then
    next && compare "N-MNIST fc2, 16 random samples" best 70 40 50 nmnist.cfg
else
    echo "ok 5 - N-MNIST fc2 # SKIP no recordings in $data/nmnist"
fi
