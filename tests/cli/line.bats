#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# snnsim hw line: the three rows of a small network against snnsim run and snnsim hw run, which compute parts of them; energies from a file of synthesis; misuse.
load helpers

setup_file() {
    quick_model
    "$SNNSIM" encrypt quick.cfg --clear --quiet -o enc.h5 --key net.key --set encrypt.search=random --set encrypt.layers=fc2 --set encrypt.samples=1 --set encrypt.variants=0 \
        --set encrypt.variation=0 --set encrypt.target=0.3 --set encrypt.seed=3 --set hw.decryptor.ways=3 2>/dev/null
    mkdir -p results
    "$PYTHON" - <<'PY'
import json
base = {"ADDR": 12, "LANES": 128, "BITS": 8, "KEYABLE": 1, "WAYS": 3, "GATED": 1, "STORE": 1, "K": 0}
def design(name, kind, keys, pj, leak, clock=10.0):
    return {"design": name, "module": "dec_" + kind, "parameters": {**base, "KEYS": keys, "K": keys}, "clock_ns": clock, "area_um2": 100, "kGE": 10, "timing": {"slack_ns": 1.0},
            "energy": [{"stimulus": "random", "seed": 1, "reads": 100, "keyed": 0, "cycles_per_read": 1, "pJ_per_read": pj, "leakage_uW": leak}]}
def save(library, results):
    json.dump({"library": library, "corner": "none", "results": results}, open("results/" + library + ".json", "w"))
save("osu018", [design("pass", "pass", 3, 10.0, 1.0), design("cam", "cam", 3 * 2000, 12.0, 3.0)])
save("slow", [design("pass", "pass", 3, 100.0, 1.0), design("cam", "cam", 3 * 2000, 150.0, 3.0, 20.0)])
save("another", [design("pass", "pass", 3, 5.0, 1.0)])
PY
}

setup() {
    cd "$BATS_FILE_TMPDIR" || return 1
    export SNNSIM_SYNTHESIS=$BATS_FILE_TMPDIR/results
}

json() { # EXPRESSION of j, the JSON in $output, and its rows p (plain), s (stolen), k (with key)
    # shellcheck disable=SC2154 # output is set by run
    "$PYTHON" -c 'import json, math, sys
j = json.load(sys.stdin)
p, s, k = j["rows"] if "rows" in j else (None, None, None)
print(eval(sys.argv[1]))' "$1" <<<"$output"
}
line() { go hw line quick.cfg --model enc.h5 --key net.key --decryptor cam --set hw.decryptor.ways=3 "$@"; }
accuracy() { # OPTION...: of snnsim run, over chips where there are some
    go run quick.cfg --json "$@"
    expect 0
    json 'j["hardware"]["accuracy"]["mean"] if j.get("hardware") else j["metrics"]["accuracy"]["value"]'
}

@test "accuracy is that of snnsim run, plain, stolen and with key" {
    plain=$(accuracy) stolen=$(accuracy --model enc.h5)
    line --json --tile-samples 1
    expect 0
    [ "$(json '[r["network"] for r in j["rows"]]')" = "['plain', 'stolen', 'with key']" ]
    [ "$(json 'p["accuracy"]["value"], s["accuracy"]["value"]')" = "($plain, $stolen)" ]
    [ "$(json 'k["accuracy"] == p["accuracy"], s["accuracy"]["value"] < p["accuracy"]["value"] - 0.1')" = "(True, True)" ]
    [ "$(json 'j["chips"], j["samples"], j["tile_samples"], j["device"]')" = "(1, 44, 1, 'ideal')" ]
    # Wilson's interval of 44 recordings
    [ "$(json '[abs((s["accuracy"]["value"] + z * z / 88 + f * z * math.sqrt(s["accuracy"]["value"] * (1 - s["accuracy"]["value"]) / 44 + z * z / 7744)) / (1 + z * z / 44) - s["accuracy"][e]) < 1e-9
        for z in [1.959963984540054] for f, e in ((1, "high"), (-1, "low"))]')" = "[True, True]" ]
}

@test "chips: the same as snnsim run on these, and an interval of the recordings however many chips there are" {
    chips=(--set hw.device=neurram --set hw.chips=3 --set hw.time=86400 --set hw.cell_error=0.01)
    stolen=$(accuracy --model enc.h5 "${chips[@]}") key=$(accuracy --model enc.h5 --key net.key "${chips[@]}") plain=$(accuracy "${chips[@]}")
    line --json --tile-samples 1 "${chips[@]}"
    expect 0
    [ "$(json 'p["accuracy"]["value"], s["accuracy"]["value"], k["accuracy"]["value"]')" = "($plain, $stolen, $key)" ]
    [ "$(json 'j["chips"], j["seconds_after_programming"], 0.005 < k["bit_error_rate"] < 0.02, k["accuracy_sd_over_chips"] > 0, k["accuracy_worst_chip"] < k["accuracy"]["value"]')" = "(3, 86400.0, True, True, True)" ]
    [ "$(json 'k["accuracy"]["high"] - k["accuracy"]["low"] > 0.2')" = True ]
    [ "$(json 'all(r["array_pJ"] > 0 and math.isclose(r["energy_pJ"], r["array_pJ"] + r["synthesis"]["readout_pJ"] + r["synthesis"]["decryptor_pJ"]) for r in j["rows"])')" = True ]
    one=$output
    line --json --tile-samples 1 "${chips[@]}" --threads 2
    [ "$output" = "$one" ]
}

@test "cycles are those of snnsim hw run; nothing is added" {
    go hw run quick.cfg --model enc.h5 --key net.key --decryptor cam --set hw.decryptor.ways=3 --samples 2 --json
    key=$(json 'j["total"]["tile"]["cycles"] / 2, j["total"]["tile"]["keyed_reads"] / 2')
    go hw run quick.cfg --model enc.h5 --decryptor pass --samples 2 --json
    stolen=$(json 'j["total"]["tile"]["cycles"] / 2, 0.0')
    line --json --samples 4
    expect 0
    [ "$(json 'j["samples"], j["tile_samples"]')" = "(4, 2)" ]
    [ "$(json 'k["cycles"], k["keyed_reads"]')" = "$key" ]
    [ "$(json 's["cycles"], s["keyed_reads"]')" = "$stolen" ]
    [ "$(json '[r["added_cycles"] for r in j["rows"]], p["cycles"] == k["cycles"], p["reads"] == k["reads"], p["keyed_reads"]')" = "([0.0, 0.0, 0.0], True, True, 0.0)" ]
}

@test "energy comes from osu018 unless said, and a slower decryptor costs time" {
    line --json --samples 1
    expect 0
    [ "$(json 'j["library"], [(r["synthesis"]["readout_pJ"] / r["reads"], r["synthesis"]["decryptor_pJ"] / r["reads"]) for r in j["rows"]]')" = "('osu018', [(10.0, 0.0), (10.0, 0.0), (10.0, 2.0)])" ]
    # 3 uW and 1 uW over cycles of 10 ns
    [ "$(json 'all(math.isclose(r["synthesis"]["readout_leakage_pJ"] + r["synthesis"]["decryptor_leakage_pJ"], u * r["cycles"] * 10 / 1000) for r, u in ((p, 1), (s, 1), (k, 3)))')" = True ]
    # ideal cells have no read pulse
    [ "$(json '[(r["array_pJ"], r["energy_pJ"]) for r in j["rows"]]')" = "[(None, None), (None, None), (None, None)]" ]
    line --json --samples 1 --library slow
    [ "$(json 'j["library"], k["synthesis"]["misses_period"], p["synthesis"]["misses_period"], k["synthesis"]["added_time_ns"] == 10 * k["cycles"], k["added_cycles"]')" = "('slow', True, False, True, 0.0)" ]
    line --json --samples 1 --library another
    [ "$(json 'k["synthesis"], p["synthesis"]["readout_pJ"] == 5 * p["reads"]')" = "(None, True)" ]
    SNNSIM_SYNTHESIS=/nowhere line --json --samples 1
    expect 0
    [ "$(json 'j["library"], [r["synthesis"] for r in j["rows"]]')" = "(None, [None, None, None])" ]
}

@test "the table for people" {
    line --samples 3 --tile-samples 0 --set hw.device=neurram
    expect 0
    [[ $output == *"chips       1 of device neurram, 1 s after programming, each with the same 3 samples; 3 of them on the tile"* ]]
    [[ $output == *"circuits    osu018 (none), 10 ns: cam against pass"* ]]
    rows=$(tail -n 3 <<<"$output")
    [ "$(awk '{print $1}' <<<"$rows" | tr '\n' ' ')" = "plain stolen with " ]
    [ "$(head -n 2 <<<"$rows" | grep -c '\.[0-9] *0\.0 .*J  *[0-9.]* .*J  *- ')" -eq 2 ]
    [[ $(tail -n 1 <<<"$rows") =~ " 0.0  "[^-]*s$ ]]
    line --samples 1 --library slow
    [[ $output == *"IT MISSES THIS PERIOD"* ]]
    SNNSIM_SYNTHESIS=/nowhere line --samples 1
    [[ $output == *"no results of synthesis for this decryptor"*"not known"* ]]
    line --samples 1 --quiet
    expect 0
    [ -z "$output" ]
}

@test "misuse" {
    for options in "" "--model enc.h5" "--key net.key"; do
        # shellcheck disable=SC2086
        go hw line quick.cfg $options
        expect 2
        complains "needs --model FILE and --key FILE"
    done
    for kind in pass prince aes xor; do
        line --decryptor $kind
        expect 2
        complains "decryptor $kind does not read the key of a model"
    done
    line --set hw.device=neurram --set hw.chip_file=chip.h5
    expect 2
    complains "hw.chip_file"
    line --set hw.device=neurram --set hw.readout=analog
    expect 2
    line --library sky
    expect 2
    complains "--library sky: there are no results of synthesis for it"
    go hw line quick.cfg --model quick.h5 --key net.key
    expect 3
    line --set hw.decryptor.keys=3 --samples 1
    expect 4
    complains "keyed bits, the decryptor's key store has 3 entries"
}

@test "the demo runs the network, encrypts it and ends with the table; it leaves no files" {
    cat >stub <<'SH'
#!/bin/sh
echo "RAN $*"
SH
    chmod +x stub
    SNNSIM=./stub run --separate-stderr "$ROOT/docs/examples/demo.sh" demo
    expect 0
    [ "$(grep '^RAN' <<<"$output" | cut -d' ' -f2-3 | tr '\n' ,)" = "run gesture.cfg,encrypt gesture.cfg,key show,hw line," ]
    [[ $(grep '^RAN hw' <<<"$output") == *"--model demo/"*"/enc.h5 --key demo/"*"/net.key "* ]]
    is_empty demo
    SNNSIM=false run "$ROOT/docs/examples/demo.sh" demo
    [ "$status" -eq 1 ]
    is_empty demo
}

@test "faults: a lost entry is a key without that bit, a stuck mask bit hits its lane only" {
    go hw fault quick.cfg --model enc.h5 --key net.key --set hw.decryptor.ways=3 --json --quiet
    expect 0
    [ "$(json '[f["fault"] for f in j["faults"]] == ["stuck at 0", "stuck at 1", "entry lost"] and [f["places"] for f in j["faults"]][:2] == [128, 128]')" = True ]
    [ "$(json 'all(0 <= f["worst"] <= f["median"] <= f["best"] <= 1 and f["without_loss"] <= f["places"] for f in j["faults"])')" = True ]
    # fc2 has 10 outputs of 128 lanes, all keys are in it: lanes without keyed bits lose nothing
    [ "$(json 'j["faults"][0]["without_loss"] >= 118')" = True ]
    sound=$(json 'j["sound"]')
    go run quick.cfg --model enc.h5 --key net.key --json
    [ "$(accuracy --model enc.h5 --key net.key)" = "$sound" ]
}

@test "faults need a key, and a decryptor that reads it" {
    go hw fault quick.cfg --model enc.h5
    expect 2 "needs --model FILE and --key FILE"
    go hw fault quick.cfg --model enc.h5 --key net.key --set 'hw.decryptor.kind="prince"'
    expect 2 "does not read the key of a model"
}
