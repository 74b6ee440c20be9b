#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# docs/examples: both scripts run a whole experiment on a small network and come to the same table.
load helpers

setup_file() { quick_model; }

setup() {
    cd "$BATS_FILE_TMPDIR" || return 1
    export SNNSIM
    unset SNNSIM_PASSPHRASE
    OPTIONS=(--model quick.h5 --set encrypt.layers=fc2 --set encrypt.search=random --set encrypt.samples=2 --set encrypt.variation=0)
}

check_table() { # FILE: three seeds, each met, damaged without and whole with the key
    "$PYTHON" - "$1" <<'PYTHON'
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1])))
assert [r["seed"] for r in rows] == ["1", "2", "3"], rows
for r in rows:
    assert r["met"] == "1" and int(r["bits"]) > 0 and r["same_spikes"] == "1", r
    assert r["accuracy_with_key"] == r["plain_accuracy"], r
    assert float(r["accuracy_without_key"]) < float(r["plain_accuracy"]), r
PYTHON
}

@test "shell and Python come to the same table, again and again" {
    run --separate-stderr "$ROOT/docs/examples/experiment.sh" quick.cfg shell "${OPTIONS[@]}"
    expect 0
    check_table shell/experiment.csv
    [ "$output" = "$(cat shell/experiment.csv)" ]
    run --separate-stderr "$PYTHON" "$ROOT/docs/examples/experiment.py" quick.cfg python "${OPTIONS[@]}"
    expect 0
    cmp shell/experiment.csv python/experiment.csv
    [ "$(wc -l <shell/front.csv)" -eq "$(wc -l <python/front.csv)" ]
    [ "$(cut -d, -f1-2 shell/front.csv)" = "$(cut -d, -f1-2 python/front.csv)" ]
    cp shell/experiment.csv first.csv
    SNNSIM_PASSPHRASE=secret run --separate-stderr "$ROOT/docs/examples/experiment.sh" quick.cfg shell "${OPTIONS[@]}" --kdf interactive
    expect 0
    cmp shell/experiment.csv first.csv
}

@test "a network is trained where none is given, and a missed goal is exit code 4" {
    export SEEDS=7
    run --separate-stderr "$ROOT/docs/examples/experiment.sh" quick.cfg trained "${OPTIONS[@]:2}" --set encrypt.most_bits=1
    expect 4
    [ -s trained/plain.h5 ]
    [[ $output == *"7,0,1,"*",,," ]]
    run --separate-stderr "$PYTHON" "$ROOT/docs/examples/experiment.py" quick.cfg trained "${OPTIONS[@]:2}" --set encrypt.most_bits=1
    expect 4
    [[ $output == *"7,0,1,"*",,," ]]
    run --separate-stderr "$ROOT/docs/examples/experiment.sh" quick.cfg trained "${OPTIONS[@]:2}" --set encrypt.layers=fc9
    expect 2
    run --separate-stderr "$PYTHON" "$ROOT/docs/examples/experiment.py" quick.cfg trained "${OPTIONS[@]:2}" --set encrypt.layers=fc9
    expect 2
    run --separate-stderr "$ROOT/docs/examples/experiment.sh" quick.cfg
    expect 2
    # shellcheck disable=SC2154 # stderr is set by run
    [[ $stderr == *"usage: experiment.sh CONFIG FOLDER"* ]]
    run --separate-stderr "$PYTHON" "$ROOT/docs/examples/experiment.py"
    expect 2
    [[ $stderr == *"usage: experiment.py CONFIG FOLDER"* ]]
}
