#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# snnsim run with chips: every way of reading, the same results for any number of threads, files, refusals.
load helpers

setup_file() { tiny_recorded; }

setup() { cd "$BATS_FILE_TMPDIR" || return 1; }

# Ways to read; several bits per cell and differential pairs included.
MODES=(
    "--set hw.device=ideal"
    "--set hw.device=ideal --set hw.cell_error=0.01"
    "--set hw.device=ideal --set hw.read_error=0.002 --set hw.array=64x128"
    "--set hw.device=harsh --set hw.repair.spare_rows=4 --set hw.repair.spare_columns=8 --set hw.repair.msb_placement=true"
    "--set hw.device=harsh --set hw.repair.secded=32"
    "--set hw.device=neurram --set hw.cell_bits=2 --set hw.time=86400"
    "--set hw.device=neurram --set hw.readout=analog"
    "--set hw.device=neurram --set hw.readout=analog --set hw.weights=differential --set hw.analog.adc_bits=6 --set hw.analog.parallel_rows=16"
    "--set hw.device=cmo --set hw.readout=analog --set hw.time=100"
    "--set hw.device=harsh --set hw.cell_bits=1 --set hw.time=10"
)
# Sanitizers look for what no comparison shows, and unit tests take them through each mode.
[ -z "${SAN:-}" ] || MODES=("${MODES[@]:2:3}" "${MODES[@]:7:2}")

@test "an ideal chip is the plain network, spike for spike" {
    "$SNNSIM" run tiny.cfg --quiet --out plain
    for more in "" "--set hw.array=16x8" "--set hw.array=1000x4096" "--set run.arithmetic=fixed"; do
        # shellcheck disable=SC2086
        "$SNNSIM" run tiny.cfg --quiet --out ideal --set hw.device=ideal --set hw.chips=3 $more
        # shellcheck disable=SC2086
        "$SNNSIM" run tiny.cfg --quiet --out same ${more/--set hw.array=*/}
        plain=$(value same/report.json digests.output_spikes)
        [ "$(value ideal/report.json hardware.ideal.digest)" = "$plain" ]
        [ "$(cut -d, -f23 ideal/chips.csv | tail -n +2 | sort -u)" = "$plain" ]
        [ "$(value ideal/report.json hardware.accuracy.mean)" = "$(value same/report.json metrics.accuracy.value)" ]
        [ "$(value ideal/report.json hardware.accuracy.sd)" = 0.0 ]
        [ "$(value ideal/report.json hardware.readout.wrong_bits)" = 0 ]
        for chip in 0 1 2; do
            diff <(tail -n +2 same/predictions.csv) <(sed -n "s/^$chip,//p" ideal/predictions.csv)
        done
    done
}

@test "every way of reading gives the same for any number of threads" {
    for mode in "${MODES[@]}"; do
        for threads in 1 3; do
            # shellcheck disable=SC2086
            "$SNNSIM" run tiny.cfg --quiet --out "m$threads" --threads $threads --set hw.chips=3 $mode
            for file in predictions.csv confusion.csv chips.csv; do
                cmp m1/$file "m$threads/$file" || { echo "$mode, $threads threads"; false; }
            done
            "$PYTHON" - "$threads" <<'PY' || { echo "$mode, $threads threads"; false; }
import json, sys
a, b = (json.load(open(f'm{t}/report.json')) for t in (1, sys.argv[1]))
for section in ('digests', 'metrics', 'layers', 'neurobench'):
    assert a[section] == b[section], section
for h in (a['hardware'], b['hardware']):
    del h['timing']
assert a['hardware'] == b['hardware']
PY
        done
    done
}

# Noise that is frozen within a sample is kept in workspaces, which must not carry it from chip to chip.
@test "a chip is the same in whatever run it stands" {
    for mode in "${MODES[@]}"; do
        # shellcheck disable=SC2206
        set=(--quiet --limit 1 --threads 1 $mode)
        "$SNNSIM" run tiny.cfg "${set[@]}" --out five --set hw.chips=5
        for chip in 0 3 4; do
            "$SNNSIM" run tiny.cfg "${set[@]}" --out one --set hw.first_chip=$chip
            diff <(sed -n $((chip + 2))p five/chips.csv) <(sed -n 2p one/chips.csv) || { echo "$mode"; false; }
            diff <(grep "^$chip," five/predictions.csv) <(tail -n +2 one/predictions.csv)
        done
    done
    "$SNNSIM" run tiny.cfg "${set[@]}" --out other --set hw.chips=5 --seed 2
    run ! cmp -s five/chips.csv other/chips.csv
}

@test "report, chips.csv and predictions.csv agree" {
    need_numpy
    "$SNNSIM" run tiny.cfg --quiet --out agree --set hw.device=harsh --set hw.chips=7
    "$PYTHON" - <<'PY'
import csv, hashlib, json, numpy as np
report = json.load(open('agree/report.json'))
h = report['hardware']
chips = list(csv.DictReader(open('agree/chips.csv')))
predictions = list(csv.DictReader(open('agree/predictions.csv')))
assert h['chips'] == len(chips) == 7 and h['samples_per_chip'] == 11 and len(predictions) == 77
assert [int(p['chip']) for p in predictions] == [c for c in range(7) for _ in range(11)]
accuracy = np.array([float(c['accuracy']) for c in chips])
near = lambda a, b: abs(a - b) < 1e-8
a = h['accuracy']
assert near(a['mean'], accuracy.mean()) and near(a['sd'], accuracy.std(ddof=1)), (a, accuracy)
assert near(a['worst'], accuracy.min()) and near(a['best'], accuracy.max())
for name, q in (('quantile_05', .05), ('quantile_25', .25), ('median', .5), ('quantile_75', .75), ('quantile_95', .95)):
    assert near(a[name], np.quantile(accuracy, q)), name
for c in chips:
    own = [p for p in predictions if p['chip'] == c['chip']]
    assert int(c['correct']) == sum(p['label'] == p['predicted'] for p in own)
    assert near(float(c['accuracy']), int(c['correct']) / 11)
d = hashlib.blake2b(b''.join(bytes.fromhex(c['digest']) for c in chips), digest_size=32).hexdigest()
assert report['digests']['output_spikes'] == d
for section, names in (('readout', ('bits', 'wrong_bits', 'wrong_cells', 'weak_cells')),
                       ('programming', ('cells', 'pulses', 'unverified', 'worn', 'stuck_hrs', 'stuck_lrs'))):
    for n in names:
        assert h[section][n] == sum(int(c[n]) for c in chips), n
r = h['readout']
assert r['wrong_bits'] > 0 and near(r['bit_error_rate'], r['wrong_bits'] / r['bits'])
assert near(r['read_error_rate'], np.mean([float(c['read_error_rate']) for c in chips]))
assert r['bits'] == 7 * 8 * (72 + 2816) and h['map']['weight_cells'] == 8 * (72 + 2816)
assert report['metrics']['samples'] == 77 and report['metrics']['correct'] == sum(int(c['correct']) for c in chips)
assert sum(map(sum, report['metrics']['confusion'])) == 77
rows = [x for x in h['ledger']['rows'] if x['quantity'] == 'energy' and x['per_inference']]
assert rows and near(sum(x['total'] for x in rows) / h['ledger']['energy_pj'], 1)
assert near(sum(x['total'] for x in rows if not x['assumption']) / max(h['ledger']['energy_sourced_pj'], 1e-30), 1)
PY
}

@test "the summary names what matters" {
    go run tiny.cfg --set hw.device=harsh --set hw.chips=2
    expect 0
    [ -z "$stderr" ]
    for word in "test part: 11 samples" "device      harsh: " "effects     programming" "map         " "cells       23.1 k programmed per chip" \
        "bit errors  " "chips       2, each with the same 11 samples" "accuracy    mean " "quantiles 5:" "plain       " "energy      " "latency     " \
        "area        " "of other    program "; do
        [[ $output == *"$word"* ]] || { echo "no '$word' in: $output"; false; }
    done
    go run tiny.cfg --set hw.device=neurram --set hw.readout=analog
    expect 0
    [[ $output == *"converters  "*"conversions per inference"* ]]
    [[ $output != *"bit errors"* ]]
}

@test "--json prints the report and nothing else" {
    go run tiny.cfg --json --out json --set hw.device=harsh --explain energy
    expect 0
    [ -z "$stderr" ]
    [ "$output" = "$(cat json/report.json)" ]
    run ! grep -qiE '\b(nan|inf)' json/report.json
    [ "$(value json/report.json hardware.device.name)" = harsh ]
    [ "$(value json/report.json hardware.readout_mode)" = digital ]
    [[ $(value json/report.json hardware.device.effects) == *"'stuck'"* ]]
}

@test "--explain derives energy, latency and area" {
    for what in energy latency area; do
        go run tiny.cfg --set hw.device=neurram --explain $what
        expect 0
        [[ ${output,,} == *$'\n'"$what"*"array"*"without assumptions"* ]]
    done
    go run tiny.cfg --set hw.device=neurram --explain power
    expect 2
    complains "--explain power: expected energy, latency or area"
    go run tiny.cfg --explain energy
    expect 2
    complains "run: --explain needs a chip: set hw.device"
    go run tiny.cfg --set hw.device=neurram --explain energy --set run.operations=false
    expect 2
    complains "run.operations: --explain needs the counts of operations"
    # without counts there is no ledger, but everything else
    "$SNNSIM" run tiny.cfg --quiet --out uncounted --set hw.device=neurram --set run.operations=false
    [ "$(value uncounted/report.json hardware.ledger)" = None ]
}

@test "what cannot be is refused in one sentence" {
    # exit code | settings | part of the sentence
    while IFS='|' read -r code settings sentence; do
        # shellcheck disable=SC2086
        go run tiny.cfg --out refused $settings
        expect "$code" || { echo "$settings"; false; }
        complains "$sentence"
        is_empty refused
    done <<'TABLE'
2|--set hw.device=no-such|no-such
2|--set hw.devic=ideal|did you mean 'hw.device'?
2|--set hw.device=ideal --set hw.chips=0|hw.chips
2|--set hw.device=ideal --set hw.array=256|hw.array
2|--set hw.device=ideal --set hw.chips=2 --trace fc1|run: --trace shows a single chip, but hw.chips is 2
2|--chip x.h5|run: --chip needs a chip: set hw.device
2|--set hw.device=ideal --set hw.readout=analog --set hw.repair.secded=32|hw.repair.secded
2|--set hw.device=ideal --set hw.weights=differential|differential
2|--set hw.device=neurram --set hw.read_error=0.1|hw.read_error
2|--set hw.chips=3|--set: hw.chips: is given but would do nothing: it needs a chip: name its cells in hw.device
2|--set cell.levels=4|--set: cell.levels: is given but would do nothing: it needs a chip
2|--set hw.device=ideal --set hw.temperature=350|hw.temperature: is given but would do nothing: it needs effect relaxation
2|--set hw.device=ideal --set hw.reads_before=9|hw.reads_before: is given but would do nothing
2|--set hw.device=neurram --set hw.verify_pulses=9|hw.verify_pulses: is given but would do nothing: it needs hw.verify_window above 0
2|--set hw.device=ideal --set hw.analog.adc_bits=4|hw.analog.adc_bits: is given but would do nothing: it needs hw.readout = "analog"
2|--set hw.device=ideal --set hw.repair.spare_rows=4|hw.repair.spare_rows: is given but would do nothing: it needs stuck cells
2|--set hw.device=ideal --set hw.gray=false|hw.gray: is given but would do nothing
2|--set hw.device=ideal --chip x.h5 --set hw.first_chip=3|hw.first_chip: is given but would do nothing
2|--set hw.device=neurram --set hw.readout=analog --set hw.reference=0.4|hw.reference: is given but would do nothing
2|--set hw.device=neurram --set hw.readout=analog --set hw.without=relaxation --set hw.temperature=77|hw.temperature: 77 K: resistances of wires are known from 200 to 500 K
TABLE
}

@test "a time that changes nothing is a warning" {
    for device in ideal harsh; do
        "$SNNSIM" run tiny.cfg --quiet --out idle --set hw.device=$device --set hw.time=86400
        [ "$(value idle/report.json warnings.0)" = "hw.time (86400 s) changes nothing: neither retention nor 1/f noise of $device acts" ]
        "$SNNSIM" run tiny.cfg --quiet --out idle --set hw.device=$device
        [ "$(value idle/report.json warnings)" = "[]" ]
    done
    "$SNNSIM" run tiny.cfg --quiet --out idle --set hw.device=neurram --set hw.time=86400
    [ "$(value idle/report.json warnings)" = "[]" ]
    # an empty device that is given says that there is no chip
    "$SNNSIM" run tiny.cfg --quiet --out idle --set hw.device= --set hw.time=86400
}

@test "a fault map is the same on every chip, saved and loaded" {
    printf '%s\n' '0 0 0 stuck_lrs' '0 0 1 stuck_hrs' '1 3 2 stuck_lrs' >faults.txt
    "$SNNSIM" run tiny.cfg --quiet --out map --set hw.device=ideal --set hw.chips=3 --set hw.fault_map=faults.txt
    [ "$(cut -d, -f16,17 map/chips.csv)" = $'stuck_hrs,stuck_lrs\n1,2\n1,2\n1,2' ]
    [ "$(cut -d, -f23 map/chips.csv | tail -n +2 | sort -u | wc -l)" -eq 1 ]
    "$SNNSIM" hw program tiny.cfg --set hw.device=ideal --set hw.fault_map=faults.txt -o map.chip >/dev/null
    "$SNNSIM" run tiny.cfg --quiet --out loaded --set hw.device=ideal --chip map.chip
    cmp loaded/chips.csv <(head -n 2 map/chips.csv)
    go run tiny.cfg --set hw.device=ideal --chip map.chip --set hw.fault_map=faults.txt
    expect 2
    complains "hw.fault_map: is given but would do nothing: it needs a chip that is programmed"
    go run tiny.cfg --set hw.device=ideal --set hw.fault_map=faults.txt --set cell.faults.stuck_hrs=0.1
    expect 2
    complains "cell.faults.stuck_hrs: is given but would do nothing"
    echo '0 0 0 stuk' >>faults.txt
    go run tiny.cfg --out refused --set hw.device=ideal --set hw.chips=3 --set hw.fault_map=faults.txt
    expect 3
    complains "faults.txt:4: expected stuck_hrs or stuck_lrs"
    is_empty refused
}

@test "a chip file stands for one chip" {
    go run tiny.cfg --set hw.device=ideal --set hw.chips=2 --chip tiny.h5
    expect 2
    complains "hw.chip_file: is one chip, but hw.chips = 2"
    go run tiny.cfg --set hw.device=ideal --chip ''
    expect 2
    complains "--chip: the name of the file is empty"
    go run tiny.cfg --set hw.device=ideal --chip no-such.h5
    [ "$status" -ne 0 ]
    complains "no-such.h5"
}

@test "a saved chip runs as the one that was programmed" {
    for mode in "${MODES[@]:3:5}"; do
        # shellcheck disable=SC2086
        "$SNNSIM" hw program tiny.cfg $mode --chip 4 -o four.chip >/dev/null
        # shellcheck disable=SC2086
        "$SNNSIM" run tiny.cfg --quiet --out saved $mode --chip four.chip
        # shellcheck disable=SC2086
        "$SNNSIM" run tiny.cfg --quiet --out made $mode --set hw.first_chip=4
        cmp saved/chips.csv made/chips.csv
        cmp saved/predictions.csv made/predictions.csv
        [ "$(sed -n '2s/,.*//p' saved/predictions.csv)" = 4 ]
    done
}

@test "traces are those of the chip" {
    need_numpy
    for mode in "${MODES[@]}"; do
        # shellcheck disable=SC2086
        "$SNNSIM" run tiny.cfg --quiet --out traced --trace fc1 --trace conv1 --set hw.first_chip=2 $mode
        "$PYTHON" - <<'PY'
import csv, hashlib, numpy as np
s = np.load('traced/fc1_spikes.npy')
digest = hashlib.blake2b(np.argwhere(s != 0).astype('<u4').tobytes(), digest_size=32).hexdigest()
assert digest == next(csv.DictReader(open('traced/chips.csv')))['digest']
assert np.load('traced/conv1_membrane.npy').shape == (11, 5, 1024)
out = [[float(r[f'out{c}']) for c in range(11)] for r in csv.DictReader(open('traced/predictions.csv'))]
assert np.array_equal(s.sum(axis=1), out)
PY
    done
}

@test "interrupted, a run leaves nothing" {
    "$SNNSIM" run tiny.cfg --out stopped --set hw.device=harsh --set hw.chips=100000 --quiet 2>stopped.err &
    sleep 0.7
    kill -INT $!
    status=0
    wait $! || status=$?
    [ "$status" -eq 130 ]
    grep -q "^snnsim: interrupted after [0-9]* of 1100011 samples$" stopped.err
    is_empty stopped
}

@test "a full standard output is an error" {
    [ -e /dev/full ] || skip "no /dev/full"
    run bash -c "'$SNNSIM' run tiny.cfg --set hw.device=ideal 2>&1 >/dev/full"
    [ "$status" -eq 1 ]
    [[ $output == "snnsim: cannot write to standard output"* ]]
}

@test "a chip of another model is refused" {
    tiny=$(mktemp -d -p .)
    "$SNNSIM" hw program tiny.cfg --set hw.device=ideal -o "$tiny/chip.h5"
    "$SNNSIM" train tiny.cfg --seed 77 --set train.epochs=1 --model "$tiny/other.h5" --quiet
    go run tiny.cfg --set hw.device=ideal --chip "$tiny/chip.h5" --model "$tiny/other.h5"
    expect 3
    complains "$tiny/chip.h5: the chip holds the weights of another model (digest "
}

@test "a converter range too small for numbers is refused" {
    go run tiny.cfg --set hw.device=ideal --set hw.readout=analog --set hw.analog.adc_range=1e-300
    expect 2
    complains "hw.analog.adc_range: 1e-300: expected 0 (calibrated) or at least 1e-06"
}
