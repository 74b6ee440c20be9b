#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The tables of docs/eeg.md: encoders, bands and other choices on EEGMMIDB, each run left out in turn, five seeds. SNNSIM names the program (build/snnsim). About 10 minutes.
set -euo pipefail
cd "$(dirname "$0")/../.."
seeds=${SEEDS:-5}
row() { # WHAT FOLDS KEY=VALUE...: one line, accuracy of the 8-bit models
    local what=$1 folds=$2 sets=()
    shift 2
    for set in dataset.eeg.test_runs=[] run.threads=1 "$@"; do sets+=(--set "$set"); done
    printf '%-42s %s\n' "$what" "$(/usr/bin/python3 tests/bench/cross_validate.py configs/eegmmidb.cfg --folds "$folds" --seeds "$seeds" "${sets[@]}" | tail -n 1)"
}
eeg=dataset.eeg
for band in "8 12" "13 30" "8 30"; do
    read -r low high <<<"$band"
    edges=("$eeg.filter_low=$low.0" "$eeg.filter_high=$high.0")
    row "$low-$high Hz, rate" 4 "${edges[@]}"
    row "$low-$high Hz, delta 0.5" 4 "${edges[@]}" "$eeg.encoder=delta" "$eeg.threshold=0.5"
    row "$low-$high Hz, step_forward 0.5" 4 "${edges[@]}" "$eeg.encoder=step_forward" "$eeg.threshold=0.5"
done
row "13-30 Hz, rate, reference as recorded" 4 "$eeg.reference=none"
row "13-30 Hz, rate, normalised by rest" 4 "$eeg.normalise=rest"
row "13-30 Hz, rate, zero phase" 4 "$eeg.zero_phase=true"
row "13-30 Hz, rate, every other rest" 4 "$eeg.rest=half"
row "13-30 Hz, rate, left or right fist" 4 "$eeg.rest=none" "network.layers[1].outputs=2"
row "13-30 Hz, rate, executed only" 2 "$eeg.movement=executed"
row "13-30 Hz, rate, imagined only" 2 "$eeg.movement=imagined"
row "both fists, both feet or rest" 4 "$eeg.task=fists_feet"
