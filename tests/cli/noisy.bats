#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Encryption for noisy chips: a search that measures on modelled chips (encrypt.chips), what the result does on other chips with and without key, and what is refused.
load helpers

setup_file() {
    cd "$ROOT" || return 1
}

recordings=(--quiet --set dataset.camera.seconds=0.3 --set dataset.camera.train_subjects=2 --set dataset.camera.test_subjects=1 --set dataset.camera.takes=1)

encrypt() { # OPTIONS...
    go encrypt gesture.cfg --clear "${recordings[@]}" -o "$BATS_TEST_TMPDIR/enc.h5" --key "$BATS_TEST_TMPDIR/net.key" --out "$BATS_TEST_TMPDIR/out" \
        --set encrypt.layers=fc2 --set encrypt.samples=1 --set encrypt.variants=0 --set encrypt.seed=3 --set encrypt.variation=0 --set encrypt.target=0.3 "$@"
}

@test "a search on two chips, run on two others" {
    encrypt --set encrypt.search=random --set encrypt.chips=2 --set hw.device=ideal --set hw.cell_error=0.001
    expect 0
    local run=(run gesture.cfg "${recordings[@]}" --model "$BATS_TEST_TMPDIR/enc.h5" --set hw.device=ideal --set hw.cell_error=0.001 --set hw.chips=2)
    go "${run[@]}" --key "$BATS_TEST_TMPDIR/net.key" --out "$BATS_TEST_TMPDIR/key"
    expect 0
    go "${run[@]}" --out "$BATS_TEST_TMPDIR/thief"
    expect 0
    # 2 chips, 11 recordings
    right() { awk -F, 'NR > 1 { n += $3 == $4 } END { print n + 0 }' "$BATS_TEST_TMPDIR/$1/predictions.csv"; }
    echo "right with key: $(right key), without: $(right thief), of 22"
    [ "$(right key)" -ge 16 ]
    [ "$(right thief)" -le $(($(right key) - 4)) ]
}

@test "read noise takes part where it is asked for" {
    encrypt --set encrypt.search=random --set encrypt.evaluations=3 --set encrypt.chips=1 --set encrypt.read_noise=true --set hw.device=ideal --set hw.read_error=0.001 --limit 2
    expect 4
    complains "its budget ended it"
}

@test "what cannot be searched on is refused" {
    local chip=(--set encrypt.chips=2 --set hw.device=ideal)
    encrypt --set encrypt.chips=2
    expect 2 && complains "encrypt.chips: needs a chip: set hw.device"
    encrypt --set encrypt.read_noise=true
    expect 2 && complains "encrypt.read_noise: does nothing without encrypt.chips"
    encrypt "${chip[@]}" --set hw.readout=analog
    expect 2 && complains 'needs hw.readout = "digital"'
    encrypt "${chip[@]}" --set hw.cell_error=0.001 --set hw.repair.secded=64
    expect 2 && complains "SEC-DED corrects a cell by the others of its code word"
    encrypt --set encrypt.chips=1 --set hw.device=harsh --set hw.repair.msb_placement=true
    expect 2 && complains "repair depends on the stored weights"
    [ ! -e "$BATS_TEST_TMPDIR/net.key" ]
}
