#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# snnsim hw run and hw compare: a small network through every decryptor; energies from files of synthesis; what cannot be provisioned.
load helpers

setup_file() {
    quick_model
    "$SNNSIM" encrypt quick.cfg --clear --quiet -o enc.h5 --key net.key --set encrypt.search=random --set encrypt.layers=fc2 --set encrypt.samples=1 --set encrypt.variants=0 \
        --set encrypt.variation=0 --set encrypt.target=0.5 --set encrypt.seed=3 --set hw.decryptor.ways=3 2>/dev/null
    mkdir -p results
    "$PYTHON" - <<'PY'
import json
base = {"ADDR": 12, "LANES": 128, "BITS": 8, "KEYABLE": 1, "WAYS": 3, "GATED": 1, "STORE": 1, "K": 0}
def design(name, kind, keys, pj, leak, area):
    return {"design": name, "module": "dec_" + kind, "parameters": {**base, "KEYS": keys, "K": keys}, "clock_ns": 10.0, "area_um2": area, "kGE": area / 10, "timing": {"slack_ns": 1.0},
            "energy": [{"stimulus": "random", "seed": 1, "reads": 100, "keyed": 0, "cycles_per_read": 1, "pJ_per_read": pj, "leakage_uW": leak}]}
results = [design("pass", "pass", 3, 10.0, 1.0, 100), design("cam", "cam", 3 * 2000, 12.0, 3.0, 500), design("table", "table", 3 * 2048, 13.0, 4.0, 600), design("aes", "aes", 3, 810.0, 51.0, 2000)]
json.dump({"library": "made_up", "corner": "none", "results": results}, open("results/made_up.json", "w"))
PY
}

setup() {
    cd "$BATS_FILE_TMPDIR" || return 1
    export SNNSIM_SYNTHESIS=$BATS_FILE_TMPDIR/results
}

json() { # EXPRESSION of j, the JSON in $output, and l, its first library
    # shellcheck disable=SC2154 # output is set by run
    "$PYTHON" -c 'import json, sys; j = json.load(sys.stdin); l = (j.get("libraries") or [{}])[0]; print(eval(sys.argv[1]))' "$1" <<<"$output"
}
hw_run() { go hw run quick.cfg --model enc.h5 --key net.key --set hw.decryptor.ways=3 --samples 4 --json "$@"; }

@test "every decryptor: the plain network's predictions, no added cycles but for aes" {
    go hw run quick.cfg --samples 4 --json --decryptor pass
    expect 0
    plain=$(json 'j["accuracy"], j["total"]["tile"]["reads"], j["total"]["tile"]["cycles"]')
    for decryptor in cam table prince xor; do
        hw_run --decryptor $decryptor
        expect 0
        [ "$(json 'j["accuracy"], j["total"]["tile"]["reads"], j["total"]["tile"]["cycles"]')" = "$plain" ]
        [ "$(json 'j["added_cycles"], j["decryptor"]["kind"]')" = "(0, '$decryptor')" ]
        [ "$(json 'j["total"]["tile"]["keyed_reads"] > 0')" = True ]
    done
    hw_run --decryptor aes
    expect 0
    # a row word of 1024 bits: 8 blocks of 11 cycles, in which the pipeline stands still
    [ "$(json 'j["added_cycles"] > 0.9 * 88 * j["total"]["tile"]["reads"]')" = True ]
    [ "$(json 'j["total"]["tile"]["decryptor_hold_cycles"] == 88 * j["total"]["tile"]["reads"]')" = True ]
}

@test "the search kept to hw.decryptor.ways; fill and layers are told" {
    hw_run --decryptor cam
    expect 0
    [ "$(json 'j["decryptor"]["most_keyed_bits_of_a_row"] <= 3')" = True ]
    [ "$(json 'sum(j["decryptor"]["fill"]) == j["decryptor"]["keys"] > 0')" = True ]
    [ "$(json '[l["name"] for l in j["layers"]]')" = "['fc1', 'fc2']" ]
    [ "$(json 'sum(l["tile"]["cycles"] for l in j["layers"]) == j["total"]["tile"]["cycles"]')" = True ]
    go hw run quick.cfg --model enc.h5 --key net.key --decryptor cam --samples 1 --set hw.decryptor.ways=3
    expect 0
    [[ $output == *"decryptor  cam: "*" keyed bits in "*", slots "*"at most "*" of a row word"* ]]
    [[ $output == *"made_up (none), 10 ns: cam against pass"* ]]
}

@test "stolen: the encrypted weights run as they are" {
    hw_run --decryptor pass
    expect 0
    [ "$(json 'j["total"]["tile"]["keyed_reads"]')" = 0 ]
    stolen=$(json 'j["accuracy"]')
    go run quick.cfg --model enc.h5 --limit 4 --json --set run.arithmetic=fixed
    expect 0
    [ "$(json '[v["correct"] / v["samples"] for v in j.values() if isinstance(v, dict) and "correct" in v][0]')" = "$stolen" ]
}

@test "row addresses read, one per line" {
    hw_run --decryptor table --rows rows.txt
    expect 0
    [ "$(wc -l <rows.txt)" -eq "$(json 'j["total"]["tile"]["reads"]')" ]
    run grep -v '^[0-9]*$' rows.txt
    [ -z "$output" ]
    go hw run quick.cfg --samples 1 --rows /nowhere/rows.txt
    expect 1
}

@test "energy comes from the files of synthesis, and is unknown without them" {
    hw_run --decryptor cam
    expect 0
    [ "$(json 'j["total"]["per_inference"][0]["library"], round(j["total"]["per_inference"][0]["added_pJ"] / (2.0 * j["total"]["tile"]["reads"] / 4), 9)')" = "('made_up', 1.0)" ]
    [ "$(json 'round(j["total"]["per_inference"][0]["time_ns"] / (10 * j["total"]["tile"]["cycles"] / 4), 9)')" = 1.0 ]
    SNNSIM_SYNTHESIS=/nowhere hw_run --decryptor cam
    expect 0
    [ "$(json 'j["total"]["per_inference"], j["total"]["array_pJ_per_inference"]')" = "([], None)" ]
    hw_run --decryptor cam --set hw.device=neurram
    expect 0
    [ "$(json 'j["total"]["array_pJ_per_inference"] > 0')" = True ]
    go hw run quick.cfg --library sky --samples 1
    expect 2
    complains "--library sky: there are no results of synthesis for it"
}

@test "compare: four accountings, the paper's ranges, area, rewriting" {
    go hw compare quick.cfg --model enc.h5 --key net.key --set hw.decryptor.ways=3 --samples 4 --json --set hw.device=neurram
    expect 0
    [ "$(json '[a["accounting"] for a in l["alternatives"]]')" = "['aes_per_inference', 'aes_per_row', 'aes_per_row_msb', 'aes_per_power_up', 'prince_msb']" ]
    # AES on each row read: 800 pJ; the table adds 3 pJ
    [ "$(json 'round(l["alternatives"][1]["ratio"], 6), l["alternatives"][1]["in_paper_energy_range"], l["alternatives"][4]["known"]')" = "(266.666667, True, False)" ]
    [ "$(json 'round(l["alternatives"][3]["break_even_inferences"] / l["alternatives"][0]["ratio"], 9)')" = 1.0 ]
    [ "$(json 'l["area"]["one_shared_um2"], l["area"]["one_per_array_um2"] == 500 * l["area"]["arrays"]')" = "(500.0, True)" ]
    [ "$(json 'j["rewrite"]["assumption"], j["rewrite"]["aes_cells"] * 2 == j["inference"]["weight_bits"]')" = "(True, True)" ]
    go hw compare quick.cfg --model enc.h5 --key net.key --set hw.decryptor.ways=3 --samples 1
    expect 0
    [[ $output == *"ASSUMPTION"* && $output == *"AES, all weights, each inference"* && $output == *"The paper names x59 to x6780"* && $output == *"neither: a decryptor that adds no cycle"* ]]
    # cells of 3, 3 and 2 bits: 7/8, 7/8 and 3/4 of them change
    go hw compare quick.cfg --samples 1 --json --set hw.device=neurram --set hw.cell_bits=3
    expect 0
    [ "$(json 'j["rewrite"]["aes_cells"] == j["inference"]["weight_bits"] / 8 * 2.5')" = True ]
    SNNSIM_SYNTHESIS=/nowhere go hw compare quick.cfg --samples 1
    expect 0
    [[ $output == *"No library was synthesised"* ]]
    # device ideal says nothing of writing
    [[ $output =~ "AES, all bits "[^$'\n']*" cells      not known       not known   (half" && $output != *nan* ]]
    go hw compare quick.cfg --samples 1 --decryptor aes
    expect 2
    complains "decryptor aes is a baseline itself"
}

@test "a key that the decryptor cannot take: exit code 4" {
    go hw run quick.cfg --model enc.h5 --key net.key --samples 1 --set hw.decryptor.keys=3 --set hw.decryptor.ways=3 --decryptor cam
    expect 4
    complains "keyed bits, the decryptor's key store has 3 entries"
    "$SNNSIM" encrypt quick.cfg --clear --quiet -o free.h5 --key free.key --set encrypt.search=random --set encrypt.layers=fc2 --set encrypt.bits=2 --set encrypt.any_value=true \
        --set encrypt.samples=1 --set encrypt.variants=0 --set encrypt.variation=0 --set encrypt.target=0.5 --set encrypt.seed=4 --set encrypt.prune=false 2>/dev/null
    go hw run quick.cfg --model free.h5 --key free.key --samples 1 --set hw.decryptor.ways=1
    expect 4
    # shellcheck disable=SC2154 # stderr is set by run
    [[ $stderr =~ "row word "[0-9]+" has "[0-9]+" keyed bits, the decryptor takes 1 of a row word" ]]
    go hw run quick.cfg --model free.h5 --key free.key --samples 1 --set hw.decryptor.keyable=1 --set hw.decryptor.ways=64
    expect 4
    complains "the decryptor keys the 1 most significant bits of a weight only"
}

@test "reports in JSON name files whose names are no text" {
    # é as Latin-1
    cp enc.h5 $'mod\xe9le.h5'
    for command in run compare line fault; do
        go hw $command quick.cfg --model $'mod\xe9le.h5' --key net.key --set hw.decryptor.ways=3 --samples 1 --json
        expect 0
        [ "$(json 'j["model"], j["command"]')" = "('mod?le.h5', 'hw $command')" ]
    done
}

@test "misuse" {
    go hw run quick.cfg --set hw.device=neurram --set hw.readout=analog
    expect 2
    complains "no row words that a decryptor could open"
    go hw run quick.cfg --decryptor des
    expect 2
    complains "there is no decryptor 'des'"
    go hw run quick.cfg --passphrase-fd 3
    expect 2
    go hw run quick.cfg --key net.key --samples 1
    expect 3
    go hw run quick.cfg --samples 1 --set hw.decryptor.queue=17
    expect 2
    complains "queue cannot have 17 entries"
}
