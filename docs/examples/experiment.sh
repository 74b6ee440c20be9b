#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A whole experiment: train, encrypt under three seeds, run without and with the key, tables ready to plot.
#
#     experiment.sh CONFIG FOLDER [ENCRYPT-OPTION]...
#     experiment.sh gesture.cfg results --model gesture.h5 --set encrypt.layers=conv1
#
# Without --model a network is trained first (FOLDER/plain.h5; kept for the next time). FOLDER/experiment.csv gets a line for each seed, FOLDER/front.csv the
# damage for each number of bits. SNNSIM names the program, SEEDS the seeds (1 2 3): of an experiment they need not be secret, of a product they must be. Keys are
# sealed when SNNSIM_PASSPHRASE is set. Exit code 4 when a seed missed its goal.
set -euo pipefail
if [ $# -lt 2 ]; then
    sed -n '/^#     /s/^#     /usage: /p' "$0" >&2
    exit 2
fi
snnsim=${SNNSIM:-snnsim}
config=$1 folder=$2
shift 2
mkdir -p "$folder"

model=
for ((i = 1; i <= $#; i++)); do
    case ${!i} in
        --model) j=$((i + 1)) && model=${!j} ;;
        --model=*) model=${!i#--model=} ;;
    esac
done
if [ -z "$model" ]; then
    model=$folder/plain.h5
    [ -e "$model" ] || "$snnsim" train "$config" --model "$model" --quiet
    set -- "$@" --model "$model"
fi
[ -n "${SNNSIM_PASSPHRASE:-}" ] || set -- "$@" --clear

# Fields of the table that a run prints for people: its accuracy in percent and the digest of its output spikes.
run() { # OPTION...
    "$snnsim" run "$config" "$@" | awk '/^accuracy / {a = $2} /^digest / {d = $2} END {print a, d}'
}

read -r plain plain_digest <<<"$(run --model "$model")"
missed=0
echo "seed,met,bits,plain_accuracy,accuracy_without_key,accuracy_with_key,same_spikes" >"$folder/experiment.csv"
echo "seed,bits,right,share_right,correct,accuracy" >"$folder/front.csv"
for seed in ${SEEDS:-1 2 3}; do
    name=$folder/seed$seed
    rm -f "$name.h5" "$name.key" # an experiment may be repeated; a key is never overwritten
    code=0
    "$snnsim" encrypt "$config" -o "$name.h5" --key "$name.key" --out "$name" --set encrypt.seed="$seed" --quiet "$@" || code=$?
    case $code in 0 | 4) ;; *) exit "$code" ;; esac
    sed -n "2,\$s/^/$seed,/p" "$name/front.csv" >>"$folder/front.csv"
    bits=$(tail -n 1 "$name/front.csv" | cut -d, -f1)
    if [ "$code" -eq 4 ]; then
        missed=4
        echo "$seed,0,$bits,$plain,,," >>"$folder/experiment.csv"
        continue
    fi
    read -r without _ <<<"$(run --model "$name.h5")"
    read -r with digest <<<"$(run --model "$name.h5" --key "$name.key")"
    same=0
    [ "$digest" != "$plain_digest" ] || same=1
    echo "$seed,1,$bits,$plain,$without,$with,$same" >>"$folder/experiment.csv"
done
cat "$folder/experiment.csv"
exit "$missed"
