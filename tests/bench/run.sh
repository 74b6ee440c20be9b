#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# `make bench`: our benchmark, what chips and the bit search's evaluations cost, and beside it the same networks in PyTorch on this machine, if python3-torch is installed
# (tests/setup/packages.sh bench). BUILD: the build; BENCH_SECONDS: time for each figure (1).
set -uo pipefail
build=${BUILD:-build} seconds=${BENCH_SECONDS:-1} data=${SNNSIM_DATA:-../shared/data}
ours=$(mktemp) peer=$(mktemp) probe=$(mktemp)
trap 'rm -f "$ours" "$peer" "$probe"' EXIT

"$build/snnsim" bench --seconds "$seconds" | tee "$ours"
[ "${PIPESTATUS[0]}" -eq 0 ] || exit 1

# Chips, each in ratio to what it replaces: reads with errors to reads without, fast currents of a crossbar to exact ones.
if [ -d "$data/nmnist" ]; then
    echo
    echo "# N-MNIST on chips, digital read-out, 1 thread"
    for settings in "hw.device=ideal hw.read_error=1e-4" hw.device=neurosim22 hw.device=harsh; do
        # shellcheck disable=SC2086
        SNNSIM_DATA=$data SNN_ROUNDS=5 "$build/tools/read_bench" nmnist.cfg $settings || exit 1
    done
fi
if [ -d "$data/braille" ] && [ -d "$data/shd" ]; then
    echo
    echo "# reading Braille letters and SHD, 1 thread; in Python"
    for config in braille.cfg braille7.cfg shd.cfg; do
        SNNSIM_DATA=$data "$build/tools/reader_bench" $config 'dataset.split="all"' || exit 1
    done
    SNNSIM_DATA=$data "$build/tools/reader_bench" shd.cfg 'dataset.split="all"' "dataset.path=\"$data/shd/derived_h5/shd_subset.h5\"" || exit 1
    /usr/bin/python3 -c 'import numpy' 2>/dev/null && OMP_NUM_THREADS=1 /usr/bin/python3 "$(dirname "$0")/reader_peer.py" "$data"
fi
echo
echo "# currents of a crossbar with wires"
"$build/tools/circuit_table" 128 || exit 1

echo
echo "# evaluations of the bit search, 16 samples, 1 thread"
[ ! -d "$data/nmnist" ] || export SNNSIM_DATA=$data
"$build/tools/probe_bench" "$(awk -v s="$seconds" 'BEGIN { print s / 2 }')" | tee "$probe"
[ "${PIPESTATUS[0]}" -eq 0 ] || exit 1

echo
if ! /usr/bin/python3 -c 'import torch' 2>/dev/null; then
    echo "# PyTorch: skipped (no python3-torch)"
    exit 0
fi
# Debian's torch takes whatever libblas.so.3 the system's alternatives point at; this makes it OpenBLAS without changing the system.
openblas=$(pkg-config --variable=libdir openblas)
options=(--seconds "$seconds")
[ -d "$data/models/snngx_pytorch_gesture" ] && options+=(--golden "$data/models/snngx_pytorch_gesture")
for threads in 1 2; do
    [ "$threads" -le "$(nproc)" ] || continue
    OMP_NUM_THREADS=$threads LD_LIBRARY_PATH=$openblas${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} \
        /usr/bin/python3 "$(dirname "$0")/peer_torch.py" "${options[@]}" | tee -a "$peer" || exit 1
done

# Ours: `name simd threads thread(s) value unit...`, the first line of a kind is the best SIMD level. Peer: `name batch threads samples/s`.
echo
awk 'NR == FNR { if ($4 ~ /^thread/ && $6 == "samples/s" && !(($1, $3) in rate)) rate[$1, $3] = $5
                 if ($4 ~ /^thread/ && $6 == "us" && !($1 in latency)) latency[$1] = $5
                 next }
     { name = $1 == "gesture" ? "gesture-golden" : $1
       if ($2 == 1 && $3 == 1 && name in latency)
           printf "%-16s one sample alone, 1 thread:   %10.1f us, PyTorch %10.1f us: %6.1f times as fast\n", name, latency[name], 1e6 / $4, 1e6 / $4 / latency[name]
       if ($2 > 1 && (name, $3) in rate)
           printf "%-16s batch of %3d, %d thread(s):  %10.0f /s, PyTorch %10.0f /s: %6.1f times as fast\n", name, $2, $3, rate[name, $3], $4, rate[name, $3] / $4 }' \
    "$ours" "$peer"

# Probe: `probe network layer flips way value us ...`. Its peer runs the whole network; the released code takes the time in brackets (measured on another day on such a machine).
echo
awk 'BEGIN { released["nmnist/fc2"] = 8.7e3; released["nmnist/fc1"] = 93e3; released["gesture/conv1"] = 197e3 }
     NR == FNR { if ($1 ~ /^fitness:/ && $3 == 1) us[substr($1, 9)] = 1e6 / $4
                 next }
     { network = $2; sub("-golden", "", network); work = network "/" $3
       if ($1 == "probe" && $4 != "rebase" && work in us)
           printf "%-16s %-6s %4s flips: %10.2f us, PyTorch %10.0f us: %9.0f times as fast (released code %5.1f ms: %9.0f times)\n",
                  $2, $3, $4, $6, us[work], us[work] / $6, released[work] / 1e3, released[work] / $6 }' \
    "$peer" "$probe"
