#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# snnsim model: show, export, import, quantise, diff.
load helpers

setup_file() {
    tiny_model && "$SNNSIM" train tiny.cfg --quiet --threads 1 --set train.quant_epochs=0 --model float-q.h5 --float float.h5
}

setup() { cd "$BATS_FILE_TMPDIR" || return 1; }

@test "show" {
    go model show tiny.h5
    expect 0
    for word in "2x16x16" conv1 pool1 fc1 sign_magnitude 2888 "snnsim train"; do
        [[ $output == *"$word"* ]] || { echo "no '$word'"; false; }
    done
    go model show float.h5
    expect 0
    go model show no-such.h5
    expect 3
    complains no-such.h5
    go model show tiny.cfg
    expect 3
    complains tiny.cfg
}

@test "export and import come back to the same weights" {
    go model export tiny.h5 --npy npy
    expect 0
    [ "$(find npy -type f -printf '%f\n' | sort | tr '\n' ' ')" = "conv1.npy fc1.npy scales.csv " ]
    scale() { sed -n "s/^$1,//p" npy/scales.csv | sed 's/.*,//'; }
    go model import tiny.cfg --npy "conv1=npy/conv1.npy:$(scale conv1)" --npy "fc1=npy/fc1.npy:$(scale fc1)" -o back.h5
    expect 0
    [ -z "$output$stderr" ]
    go model diff tiny.h5 back.h5
    expect 0
    "$SNNSIM" run tiny.cfg --quiet --out one
    "$SNNSIM" run tiny.cfg --quiet --out two --model back.h5
    [ "$(value one/report.json digests)" = "$(value two/report.json digests)" ]
}

@test "a scale for each output channel comes back too" {
    go model quantise tiny.cfg float.h5 -o channels.h5 --set quant.per_channel=true --set quant.bits=5
    expect 0
    "$SNNSIM" model export channels.h5 --npy channels
    go model import tiny.cfg --npy conv1=channels/conv1.npy:channels/conv1.scale.npy \
        --npy fc1=channels/fc1.npy:channels/fc1.scale.npy --set quant.bits=5 -o channels-back.h5
    expect 0
    go model diff channels.h5 channels-back.h5
    expect 0
}

@test "a NIR graph is still a model" {
    go model export tiny.h5 --nir nir.h5
    expect 0
    [ -z "$output$stderr" ]
    go model diff tiny.h5 nir.h5
    expect 0
    go model export tiny.h5 --nir no-such-folder/nir.h5
    expect 1
}

@test "a colon may be part of a name" {
    mkdir -p a:b
    "$SNNSIM" model export float.h5 --npy a:b
    go model import tiny.cfg --npy conv1=a:b/conv1.npy --npy fc1=a:b/fc1.npy --float -o colon.h5
    expect 0
    go model diff float.h5 colon.h5
    expect 0
}

@test "float weights come in too" {
    "$SNNSIM" model export float.h5 --npy floats
    go model import tiny.cfg --npy conv1=floats/conv1.npy --npy fc1=floats/fc1.npy --float --output kept.h5
    expect 0
    go model diff float.h5 kept.h5
    expect 0
    go model import tiny.cfg --npy conv1=floats/conv1.npy --npy fc1=floats/fc1.npy -o codes.h5
    expect 0
    go model diff float-q.h5 codes.h5
    expect 0
    go model import tiny.cfg --npy conv1=floats/conv1.npy --npy fc1=floats/fc1.npy -o four.h5 --set quant.bits=4
    expect 0
    go model diff float-q.h5 four.h5
    expect 4
}

@test "what import refuses" {
    "$SNNSIM" model export tiny.h5 --npy npy
    go model import tiny.cfg --npy conv1=npy/conv1.npy --npy fc1=npy/fc1.npy -o x.h5 # int8 without a scale
    [ "$status" -eq 2 ] || expect 3
    complains scale
    go model import tiny.cfg --npy conv1=npy/fc1.npy:1 --npy fc1=npy/fc1.npy:1 -o x.h5
    expect 3
    complains npy/fc1.npy
    go model import tiny.cfg --npy conv1=npy/conv1.npy:1 --npy fc1=tiny.cfg:1 -o x.h5
    expect 3
    complains tiny.cfg
    go model import tiny.cfg --npy conv1=npy/conv1.npy:x --npy fc1=npy/fc1.npy:1 -o x.h5
    [ "$status" -eq 2 ] || expect 3
    go model import tiny.cfg --npy conv1=npy/conv1.npy:1 --npy fc1=npy/fc1.npy:1 --npy conv9=npy/fc1.npy:1 -o x.h5
    [ "$status" -eq 2 ] || expect 3
    complains conv9
    [ ! -e x.h5 ]
    go model import tiny.cfg --npy conv1=npy/conv1.npy:1 --npy fc1=npy/fc1.npy:1 -o no-such-folder/x.h5
    expect 1
}

@test "a model does not replace another kind of file" {
    "$SNNSIM" model export tiny.h5 --npy npy
    cp tiny.cfg before.cfg
    go model import tiny.cfg --npy conv1=npy/conv1.npy:1 --npy fc1=npy/fc1.npy:1 -o tiny.cfg
    expect 2
    complains "tiny.cfg: is no model"
    go model export tiny.h5 --nir npy/fc1.npy
    expect 2
    complains npy/fc1.npy
    go model quantise tiny.cfg float.h5 -o tiny.cfg
    expect 2
    go train tiny.cfg --model tiny.cfg
    expect 2
    complains tiny.cfg
    go train tiny.cfg --model new.h5 --float tiny.cfg
    expect 2
    [ ! -e new.h5 ]
    cmp tiny.cfg before.cfg
    : >empty.h5
    go model quantise tiny.cfg float.h5 -o empty.h5 # nothing is lost there
    expect 0
    tail -c +513 tiny.h5 >plain.h5 # HDF5 without our block
    for old in empty.h5 plain.h5; do
        go model quantise tiny.cfg float.h5 -o $old
        expect 0
    done
}

@test "import needs no recordings" {
    need_numpy
    "$PYTHON" -c "import numpy as np
np.save('a.npy', np.full((512, 2312), 0.01, np.float32)); np.save('b.npy', np.full((10, 512), -3, np.int8))"
    cd "$BATS_FILE_TMPDIR"
    cp "$ROOT/configs/nmnist.cfg" .
    SNNSIM_DATA=/nowhere go model import nmnist.cfg --npy fc1=a.npy --npy fc2=b.npy:2^-4 -o nmnist.h5
    expect 0
    go model show nmnist.h5
    [[ $output == *"2x34x34"* ]]
}

@test "quantise tells what it cost" {
    go model quantise tiny.cfg float.h5 -o q4.h5 --set quant.bits=4
    expect 0
    [[ ${lines[0]} == "conv1: 4 bit, 0 saturated, error 0."*" LSB rms" ]]
    [[ ${lines[1]} == "fc1: 4 bit, 0 saturated, error 0."*" LSB rms" ]]
    go run tiny.cfg --model q4.h5
    expect 0
    [[ $output == *"weights of 4 bit"* ]]
    # one bit: weights beyond the scale are cut off, and runs say so
    go model quantise tiny.cfg float.h5 -o q1.h5 --set quant.bits=1
    expect 0
    go run tiny.cfg --model q1.h5 --json
    expect 0
    [[ $output == *"beyond the largest code when the model was quantised"* ]]
    go model quantise tiny.cfg tiny.h5 -o twice.h5
    expect 3
    complains "tiny.h5: layer 'conv1': weights are codes of 8 bits already"
    [ ! -e twice.h5 ]
}

@test "codes of more than 8 bits are quantised as the floats that they stand for" {
    "$SNNSIM" model export tiny.h5 --npy codes
    "$PYTHON" - <<'PY'
import csv, numpy as np
for row in csv.DictReader(open("codes/scales.csv")):
    q = np.load(f"codes/{row['layer']}.npy")
    np.save(f"codes/{row['layer']}_wide.npy", q.astype(np.int16) * 100)
    np.save(f"codes/{row['layer']}_float.npy", q.astype(np.float32) * np.float32(100 / 64))
PY
    go model import tiny.cfg --npy conv1=codes/conv1_wide.npy:2^-6 --npy fc1=codes/fc1_wide.npy:2^-6 -o wide.h5
    expect 0
    go model import tiny.cfg --npy conv1=codes/conv1_float.npy --npy fc1=codes/fc1_float.npy --float -o values.h5
    expect 0
    go run tiny.cfg --model wide.h5 --set hw.device=ideal
    expect 3
    complains "has codes of 16 bits: cells take weights of 1 to 8 (snnsim model quantise)"
    go model quantise tiny.cfg wide.h5 -o narrow.h5 --set quant.bits=5
    expect 0
    [[ ${lines[0]} == "conv1: 5 bit, 0 saturated, error 0."*" LSB rms" ]]
    go model quantise tiny.cfg values.h5 -o narrow-values.h5 --set quant.bits=5
    go model diff narrow.h5 narrow-values.h5
    expect 0
    go model quantise tiny.cfg narrow.h5 -o twice.h5
    expect 3
    complains "narrow.h5: layer 'conv1': weights are codes of 5 bits already"
}

@test "diff" {
    go model diff tiny.h5 tiny.h5
    expect 0
    [ -z "$stderr" ]
    go model diff tiny.h5 float.h5
    expect 4
    [ "$stderr" = "snnsim: tiny.h5 and float.h5 differ" ]
    [ -n "$output" ]
    go model diff tiny.h5 no-such.h5
    expect 3
}
