#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The whole line in about a minute: run the gesture network, encrypt it, and put it on modelled RRAM chips plain, stolen and with its key. What `make demo` runs.
#
#     demo.sh [FOLDER]
#
# Model and key go to a folder of their own below FOLDER (default: that for temporary files), which is removed at the end. SNNSIM names the program.
# No data is needed: recordings come from the synthetic camera.
set -euo pipefail
snnsim=${SNNSIM:-snnsim}
mkdir -p "${1:-${TMPDIR:-/tmp}}"
folder=$(mktemp -d "${1:-${TMPDIR:-/tmp}}/XXXXXX")
trap 'rm -rf "$folder"' EXIT

step() { # SENTENCE
    printf '\n== %s\n' "$1"
}
try() { # ARGUMENT...: shows the command and runs it
    printf '   snnsim %s\n' "${*//$folder\//}"
    "$snnsim" "$@"
}

step "The network as it was trained, on unseen gestures of a modelled event camera."
try run gesture.cfg

# A quick search, for a demonstration: one recording of each class, of which two may stay right and nine must be wrong by twelve output spikes (there are fifteen steps), so that this holds for other recordings, too; and a given seed,
# so that everybody sees the same. A real key takes its seed from the system, and its search minutes (docs/encryption.md). Keyed are signs, at most four in a row word: what the decryptor has places for.
step "Encrypt it: a search finds the few signs of the first layer's weights whose inversion ruins it; the key is their list. A quick search, ten to twenty seconds."
encrypt=(encrypt gesture.cfg -o "$folder/enc.h5" --key "$folder/net.key" --clear --quiet --set encrypt.layers=conv1 --set encrypt.samples=1 --set encrypt.target=0.19 --set encrypt.margin=12
    --set encrypt.variation=0 --set encrypt.seed=1 --set hw.decryptor.ways=4 --set run.limit=1)
try "${encrypt[@]}"
try key show "$folder/net.key" | sed -n 1,5p

step "Put it into the cells of RRAM chips, wait a day, read it: as it was, as a thief reads it, and with the key in the decryptor."
try hw line gesture.cfg --model "$folder/enc.h5" --key "$folder/net.key" --decryptor cam --samples 88 --set hw.decryptor.ways=4 \
    --set hw.device=neurram --set hw.chips=4 --set hw.time=86400
