#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SNNGX's genetic search beside its twin in NumPy (tests/golden/snngx_twin.py): the same best individual in every generation, on small networks and, with recordings, on N-MNIST's last layer.
set -uo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
data=${SNNSIM_DATA:-../shared/data}
echo 1..3
if ! /usr/bin/python3 -c 'import numpy' 2>/dev/null; then
    for i in 1 2 3; do
        [ "${CI:-}" = true ] && echo "not ok $i - NumPy is missing" || echo "ok $i - SNNGX beside its twin # SKIP no NumPy"
    done
    exit 0
fi
n=0
compare() { # WHAT SEED GENERATIONS EPS [CONFIG]
    local out what=$1 folder
    n=$((n + 1)) folder=$work/$n
    shift
    mkdir "$folder"
    if out=$(SNNSIM_DATA=$data "${BUILD:?}/tools/snngx_trace" "$folder" "$@" 2>&1 && OPENBLAS_NUM_THREADS=1 /usr/bin/python3 tests/golden/snngx_twin.py "$folder" 2>&1); then
        echo "ok $n - $what: $out"
    else
        echo "not ok $n - $what"
        echo "# ${out//$'\n'/$'\n'# }"
    fi
}
compare "a small network, seed 1" 1 125 30
compare "a small network, a seed of 64 bit" 11400714819323198485 125 30
if [ -f "$data/nmnist/train1K.txt" ]; then
    compare "N-MNIST fc2, 16 random samples" 70 40 50 nmnist.cfg
else
    echo "ok 3 - N-MNIST fc2 # SKIP no recordings in $data/nmnist"
fi
