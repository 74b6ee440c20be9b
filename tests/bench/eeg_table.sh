#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The tables of docs/eeg.md: encoders, bands and other choices on EEGMMIDB, each run left out in turn, five or three seeds. SNNSIM names the program (build/snnsim). About 10 minutes.
set -euo pipefail
cd "$(dirname "$0")/../.."
row() { # WHAT FOLDS KEY=VALUE...: one line, accuracy of the 8-bit models
    local what=$1 folds=$2 sets=()
    shift 2
    for set in dataset.eeg.test_runs=[] run.threads=1 "$@"; do sets+=(--set "$set"); done
    printf '%-42s %s\n' "$what" "$(/usr/bin/python3 tests/bench/cross_validate.py configs/eegmmidb.cfg --folds "$folds" --seeds "$seeds" "${sets[@]}" | tail -n 1)"
}
eeg=dataset.eeg seeds=5
row "13-30 Hz, rate" 4
row "13-30 Hz, delta 0.5" 4 "$eeg.encoder=delta" "$eeg.threshold=0.5"
row "13-30 Hz, step_forward 0.5" 4 "$eeg.encoder=step_forward" "$eeg.threshold=0.5"
seeds=3
row "13-30 Hz, rate, left or right fist" 4 "$eeg.rest=none" "network.layers[1].outputs=2"
row "8-12 Hz, rate" 4 "$eeg.filter_low=8.0" "$eeg.filter_high=12.0"
row "8-30 Hz, rate" 4 "$eeg.filter_low=8.0" "$eeg.filter_high=30.0"
row "13-30 Hz, rate, reference as recorded" 4 "$eeg.reference=none"
row "13-30 Hz, rate, normalised by rest" 4 "$eeg.normalise=rest"
row "13-30 Hz, rate, every other rest" 4 "$eeg.rest=half"
row "both fists, both feet or rest" 4 "$eeg.task=fists_feet"
row "13-30 Hz, rate, zero phase" 4 "$eeg.zero_phase=true"
row "8-12 Hz, delta 0.5" 4 "$eeg.filter_low=8.0" "$eeg.filter_high=12.0" "$eeg.encoder=delta" "$eeg.threshold=0.5"
row "8-30 Hz, delta 0.5" 4 "$eeg.filter_low=8.0" "$eeg.filter_high=30.0" "$eeg.encoder=delta" "$eeg.threshold=0.5"
row "8-12 Hz, step_forward 0.5" 4 "$eeg.filter_low=8.0" "$eeg.filter_high=12.0" "$eeg.encoder=step_forward" "$eeg.threshold=0.5"
row "8-30 Hz, step_forward 0.5" 4 "$eeg.filter_low=8.0" "$eeg.filter_high=30.0" "$eeg.encoder=step_forward" "$eeg.threshold=0.5"
row "13-30 Hz, rate, executed only" 2 "$eeg.movement=executed"
row "13-30 Hz, rate, imagined only" 2 "$eeg.movement=imagined"
