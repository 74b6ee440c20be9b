#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Networks for Loihi and of SpikingDSE from the command line: imported, run with the configs that have section dataset only, encrypted; what is asked for wrongly.
load helpers

setup() {
    cd "$BATS_FILE_TMPDIR" || return 1
    DATA=$(cd "$ROOT" && realpath -m "${SNNSIM_DATA:-../shared/data}") # run.sh gives it relative to the root
    MODELS=$DATA/models
}

need_data() { [ -d "$MODELS" ] || skip "no data"; }

published() { # SOURCE CONFIG EXPECTED [RUN OPTION...]
    go model import "$MODELS/$1" -o m.h5
    expect 0
    SNNSIM_DATA=$DATA go run "$ROOT/configs/$2" --model m.h5 "${@:4}"
    expect 0
    [[ $output == *"$3"* ]]
}

@test "SLAYER's N-MNIST network needs a data set only" {
    need_data
    published slayer_loihi_nmnist nmnist_loihi.cfg "50 of 50"
    go model show m.h5
    [[ $output == *"twos_complement"* && $output == *"SLAYER Loihi text weights"* ]]
}

@test "so does its gesture network" {
    need_data
    published slayer_loihi_ibmgesture gesture_loihi.cfg "7 of 7"
}

@test "so does the Braille network" {
    need_data
    # The first 400: what the published predictions say.
    right=$(head -401 "$MODELS/loihi_braille_th10/expected_predictions.csv" | awk -F, 'NR > 1 && $2 == $3' | wc -l)
    published loihi_braille_th10/netLoihi_rec_th10.net braille_loihi.cfg "$right of 400" --limit 400
}

@test "so does SpikingDSE's network" {
    need_data
    published spikingdse_shd/weights shd_spikingdse.cfg "756 of 1000"
}

@test "layers and timing can be said" {
    need_data
    go model import "$MODELS/slayer_loihi_nmnist" --layers 34x34x2-512-10 -o said.h5
    expect 0
    go model import "$MODELS/slayer_loihi_nmnist" -o guessed.h5
    expect 0
    go model diff said.h5 guessed.h5
    expect 0
    go model import "$MODELS/slayer_loihi_nmnist" --layers 34x34x2-511-10 -o wrong.h5
    expect 3
    # shellcheck disable=SC2154 # stderr is set by run
    [[ $stderr == *"NMNISTFc1.txt: holds 1183744 weights, but its layer of 2312 inputs has 1181432"* ]]
    go model import "$MODELS/slayer_loihi_nmnist" --layers 34x34x2-512b -o wrong.h5
    expect 2
    go model import "$MODELS/lava_dl_tinynet/tiny.net" --timing chip -o wrong.h5
    expect 2
    [ ! -e wrong.h5 ]
}

@test "folders that are no network say so" {
    need_data
    go model import "$MODELS/lava_dl_dense" -o none.h5
    expect 3
    # shellcheck disable=SC2154 # stderr is set by run
    [[ $stderr == *"weights of NumPy say no network"* ]]
    go model import "$MODELS/lava_dl_dense/weight.npy" -o none.h5
    expect 3
    [[ $stderr == *"weights of NumPy say no network"* ]]
    go model import "$MODELS/spikingdse_shd/traces" -o none.h5
    expect 3
    [[ $stderr == *"is no network that snnsim knows"* ]]
    [ ! -e none.h5 ]
}

@test "a published network can be encrypted, and comes back with its key" {
    need_data
    go model import "$MODELS/slayer_loihi_nmnist" -o plain.h5
    expect 0
    # A goal that a few bits meet: 9 of 10 right.
    SNNSIM_DATA=$DATA go encrypt "$ROOT/configs/nmnist_loihi.cfg" --model plain.h5 -o enc.h5 --key net.key --clear --limit 20 --set encrypt.layers=fc2 --set encrypt.search=saliency \
        --set encrypt.bits=0 --set encrypt.samples=1 --set encrypt.target=0.9 --set encrypt.variation=0 --set encrypt.prune=false
    expect 0
    go decrypt enc.h5 --key net.key -o back.h5
    expect 0
    go model diff plain.h5 back.h5
    expect 0
    go model diff plain.h5 enc.h5
    expect 4
}
