#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Encryption on noisy chips, for docs/encryption.md: N-MNIST, four fifths of the 1000 training recordings train the network (devices.sh, part train), the other 200 are the samples. The same chips hold
# the plain network, and the encrypted one read with and without key; differences are paired (paired.py).
#   noisy_encryption.sh MODEL FOLDER [DEVICE...]     DEVICE: neurram2 neurram3 harsh (a number: bits a cell, after one day); finished runs of an earlier start are kept
# SNNSIM: the program; CHIPS: chips of each run (50); SEARCH (genetic); FITNESS_CHIPS: chips that the search measures on (10); SEED (1); BUDGET of evaluations (0: none).
set -euo pipefail
cd "$(dirname "$0")/../.."
model=$1 folder=$2 devices=${*:3}
snnsim=${SNNSIM:-build/snnsim} chips=${CHIPS:-50} search=${SEARCH:-genetic} fitness=${FITNESS_CHIPS:-10} seed=${SEED:-1} budget=${BUDGET:-0}
export SNNSIM_DATA=${SNNSIM_DATA:-../shared/data}
common=(nmnist.cfg --set dataset.folds=5 --set dataset.fold=0 --model)

settings() { # DEVICE
    case $1 in
        neurram?) printf '%s\n' --set hw.device=neurram --set hw.time=86400 --set "hw.cell_bits=${1#neurram}" ;;
        *) printf '%s\n' --set "hw.device=$1" ;;
    esac
}
encrypt() { # NAME OPTIONS...
    local name=$1
    shift
    mkdir -p "$folder/$name"
    [ -e "$folder/$name/enc.h5" ] || "$snnsim" encrypt "${common[@]}" "$model" -o "$folder/$name/enc.h5" --key "$folder/$name/net.key" --clear --out "$folder/$name" \
        --set "encrypt.search=$search" --set encrypt.layers=fc2 --set "encrypt.seed=$seed" --set encrypt.variation=0 --set "encrypt.evaluations=$budget" "$@"
}
run() { # NAME MODEL OPTIONS...
    [ -e "$folder/$1/report.json" ] || "$snnsim" run "${common[@]}" "$2" --out "$folder/$1" --quiet --set "hw.chips=$chips" "${@:3}"
}
encrypt ideal
for device in ${devices:-neurram2 neurram3 harsh}; do
    mapfile -t hw < <(settings "$device")
    encrypt "$device" "${hw[@]}" --set "encrypt.chips=$fitness"
    run "$device/plain" "$model" "${hw[@]}"
    for fit in ideal "$device"; do
        name=$device/$([ "$fit" = ideal ] && echo ideal || echo noisy)
        run "$name-key" "$folder/$fit/enc.h5" --key "$folder/$fit/net.key" "${hw[@]}"
        run "$name-thief" "$folder/$fit/enc.h5" "${hw[@]}"
    done
    (cd "$folder/$device" && /usr/bin/python3 "$OLDPWD/tests/bench/paired.py" plain ideal-key ideal-thief noisy-key noisy-thief) | tee "$folder/$device/table.txt"
done
