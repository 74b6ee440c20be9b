#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# EEGMMIDB from the command line: training and running with runs left out, what is missing, damaged files.
load helpers

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    mkdir -p eeg/S001
    PYTHONDONTWRITEBYTECODE=1 "$PYTHON" - "$ROOT/tests/fuzz" <<'PY'
import sys

sys.path.insert(0, sys.argv[1])
from make_edf_seeds import edf

tals = {4 * k: b"+%d\x154\x14T%d\x14\0" % (4 * k, t) for k, t in enumerate((0, 1, 0, 2, 0))}
for run in (3, 4, 7):
    with open(f"eeg/S001/S001R{run:02d}.edf", "wb") as f:
        f.write(edf(labels=("C3..", "Cz..", "C4.."), samples=16, records=20, tals=tals))
PY
    cat >eeg.cfg <<'CFG'
dataset = {
  name = "eegmmidb"; path = "eeg"; bins = 6; bin_us = 500000; from_zero = true;
  eeg = { test_runs = [7]; filter_low = 1.0; filter_high = 6.0; length_ms = 3000; };
};
network = { layers = ( { name = "fc1"; type = "linear"; outputs = 3; } ); };
train = { epochs = 2; batch = 4; };
model = { path = "eeg.h5"; };
CFG
    "$SNNSIM" train eeg.cfg --threads 1 >train.txt
}

setup() {
    cd "$BATS_FILE_TMPDIR" || return 1
}

@test "train says which runs are not there" {
    grep -q '^note: 3 runs are not there: S001R08, S001R11, S001R12$' train.txt
}

@test "run takes the test runs, and warns of nothing when they are there" {
    run -0 "$SNNSIM" run eeg.cfg --json
    grep -q '"samples": 5' <<<"$output"
    [[ $output != *"not there"* ]]
    run -0 "$SNNSIM" run eeg.cfg --set dataset.split=all
    [[ $output == *"3 runs are not there: S001R08, S001R11, S001R12"* ]]
}

@test "folds are whole runs" {
    run -0 "$SNNSIM" run eeg.cfg --set 'dataset.eeg.test_runs=[]' --set dataset.folds=3 --set dataset.fold=2
    run -2 "$SNNSIM" run eeg.cfg --set 'dataset.eeg.test_runs=[]' --set dataset.folds=4
    [[ $output == *"4 folds of 3 runs; epochs of EEG are dealt in whole runs, because neighbours in time must not be in both parts"* ]]
}

@test "a damaged copy is recognised" {
    mkdir -p damaged/S001
    "$PYTHON" - <<'PY'
b = open("eeg/S001/S001R07.edf", "rb").read()
b = b[:1984] + b"\n" + b[1985:]
open("damaged/S001/S001R07.edf", "wb").write(b.replace(b"\n", b"\r\n"))
PY
    run -3 "$SNNSIM" run eeg.cfg --set dataset.path=damaged
    [[ $output == *"damaged/S001/S001R07.edf: a damaged copy: every line feed"*"perl -pi -e"* ]]
    perl -pi -e 's/\r\n/\n/g' damaged/S001/S001R07.edf
    run -0 "$SNNSIM" run eeg.cfg --set dataset.path=damaged
}

@test "without a test part there is a sentence" {
    run -2 "$SNNSIM" run eeg.cfg --set 'dataset.eeg.test_runs=[]'
    [[ $output == *"EEGMMIDB has no official test part: name runs here or subjects in dataset.eeg.test_subjects, or cut folds with dataset.folds"* ]]
}
