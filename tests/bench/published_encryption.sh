#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Encrypts networks that others published (docs/published_networks.md): imports them, quantises float ones to 8 bits, searches, and prints a line of the page's table for each search.
#   published_encryption.sh SNNSIM FOLDER [NAME...]     NAME: those of the list below, all without; results stay in FOLDER (a search that is there is not run again)
set -euo pipefail
snnsim=$1 folder=$2
shift 2
models=${SNNSIM_DATA:-../shared/data}/models
seconds=${SECONDS_EACH:-180}
mkdir -p "$folder"

# name  config              model           layer  search   further settings
list='
nmnist_loihi   nmnist_loihi.cfg    nmnist_loihi    fc2         greedy   encrypt.bits=5 encrypt.eligible=0.3
nmnist_loihi   nmnist_loihi.cfg    nmnist_loihi    fc2         genetic  encrypt.bits=5 encrypt.eligible=0.3
braille_loihi  braille_loihi.cfg   braille_loihi   fc3         greedy   encrypt.bits=4 encrypt.samples=1 encrypt.eligible=0.25 dataset.split=test dataset.folds=5
braille_loihi  braille_loihi.cfg   braille_loihi   fc3         genetic  encrypt.bits=4 encrypt.samples=1 encrypt.eligible=0.25 dataset.split=test dataset.folds=5
braille_loihi  braille_loihi.cfg   braille_loihi   recurrent2  genetic  encrypt.bits=4 encrypt.samples=1 encrypt.eligible=0.05 dataset.split=test dataset.folds=5
shd_dse        shd_spikingdse.cfg  shd_dse_q8      o           greedy   encrypt.bits=2 encrypt.samples=2 dataset.folds=5
shd_dse        shd_spikingdse.cfg  shd_dse_q8      o           genetic  encrypt.bits=2 encrypt.samples=2 dataset.folds=5
shd_dse        shd_spikingdse.cfg  shd_dse_q8      h1          genetic  encrypt.bits=2 encrypt.samples=2 encrypt.eligible=0.05 dataset.folds=5
braille_nir    braille_nir.cfg     braille_nir_q8  fc2         greedy   encrypt.bits=0 dataset.split=test dataset.folds=5
braille_nir    braille_nir.cfg     braille_nir_q8  fc2         genetic  encrypt.bits=0 dataset.split=test dataset.folds=5
braille_nir    braille_nir.cfg     braille_nir_q8  fc1_rec     genetic  encrypt.bits=2 dataset.split=test dataset.folds=5
nmnist_nir     nmnist_nir.cfg      nmnist_nir_q8   11          greedy   encrypt.bits=0 encrypt.samples=10 dataset.train_list=train1K.txt
nmnist_nir     nmnist_nir.cfg      nmnist_nir_q8   11          genetic  encrypt.bits=0 encrypt.samples=10 dataset.train_list=train1K.txt
nmnist_nir     nmnist_nir.cfg      nmnist_nir_q8   0           genetic  encrypt.bits=0 encrypt.samples=4 dataset.train_list=train1K.txt
'

import() { # NAME SOURCE [OPTION...]
    local name=$1 source=$2
    shift 2
    [ -f "$folder/$name.h5" ] || "$snnsim" model import "$models/$source" "$@" -o "$folder/$name.h5"
}
quantise() { # CONFIG NAME
    [ -f "$folder/$2_q8.h5" ] || "$snnsim" model quantise "configs/$1" "$folder/$2.h5" -o "$folder/$2_q8.h5" --set quant.bits=8 >/dev/null
}
import nmnist_loihi slayer_loihi_nmnist
import braille_loihi loihi_braille_th10/netLoihi_rec_th10.net
import shd_dse spikingdse_shd/weights
import braille_nir nir_braille/braille_noDelay_bias_zero.nir
import nmnist_nir nir_nmnist_cnn/cnn_sinabs.nir --reset subtract --at-threshold
quantise shd_spikingdse.cfg shd_dse
quantise braille_nir.cfg braille_nir
quantise nmnist_nir.cfg nmnist_nir

while read -r name config model layer search settings; do
    [ -n "$name" ] || continue
    [ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
    report=$folder/$name-$layer-$search.json
    if [ ! -s "$report" ]; then
        options=()
        for s in $settings; do options+=(--set "$s"); done
        rm -f "$folder/key" "$folder/key.search"
        # A search that misses its goal ends with 4 and still tells what it came to.
        "$snnsim" encrypt "configs/$config" --model "$folder/$model.h5" -o "$folder/encrypted.h5" --key "$folder/key" --clear --json --set "encrypt.layers=[\"$layer\"]" \
            --set encrypt.search="$search" --set encrypt.variation=0 --set encrypt.seed=1 --set encrypt.seconds="$seconds" "${options[@]}" >"$report" 2>"$report.err" || [ $? -eq 4 ]
        rm -f "$folder/key" "$folder/key.search" "$folder/encrypted.h5"
    fi
    python3 - "$name" "$layer" "$search" "$report" <<'PYTHON'
import json, sys

name, layer, search, path = sys.argv[1:]
r = json.load(open(path))
x, u = r["result"], r["unseen"] and r["unseen"]["all"]


def percent(v):
    return "%.1f (%.1f to %.1f)" % tuple(100 * q for q in (v["accuracy"]["value"], v["accuracy"]["low"], v["accuracy"]["high"]))


met = "" if x["met"] else " (goal missed)"
print("| %s | %s | %s | %d%s | %.5f %% | %d of %d | %s | %s | %d, %.0f s |" % (
    name, layer, search, x["bits"], met, 100 * x["share_of_bits"], x["encrypted"]["correct"], r["subset"]["samples"],
    percent(u["plain"]) if u else "", percent(u["without_key"]) if u else "", x["evaluations"], x["seconds"]))
PYTHON
done <<<"$list"
