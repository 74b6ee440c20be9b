#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# snnsim sweep: the grid, its table, going on after any interruption, refusals.
load helpers

setup_file() { tiny_recorded; }

setup() { cd "$BATS_FILE_TMPDIR" || return 1; }

teardown() {
    ! mountpoint -q "$BATS_FILE_TMPDIR/disk" || umount "$BATS_FILE_TMPDIR/disk"
}

# The table without its last column, seconds.
timeless() { sed 's/,[^,]*$//' "$1"; }

# column FILE NAME: its values, one a line.
column() {
    "$PYTHON" -c 'import csv, sys
for row in csv.DictReader(open(sys.argv[1])): print(row[sys.argv[2]])' "$1" "$2"
}

@test "rows are what snnsim run finds at each point, in order" {
    "$SNNSIM" sweep tiny.cfg --quiet --set hw.chips=2 --over hw.device=,harsh --over run.arithmetic=float,fixed -o rows.csv
    [ "$(head -n 1 rows.csv | cut -d, -f1-4)" = "hw.device,run.arithmetic,chips,samples" ]
    [ "$(timeless rows.csv | tail -n +2 | cut -d, -f1-4)" = $',float,0,11\n,fixed,0,11\nharsh,float,2,11\nharsh,fixed,2,11' ]
    mapfile -t digest < <(column rows.csv digest)
    i=0
    for device in "" harsh; do
        for arithmetic in float fixed; do
            "$SNNSIM" run tiny.cfg --quiet --out point --set hw.chips=2 --set "hw.device=$device" --set run.arithmetic=$arithmetic
            [ "$(value point/report.json digests.output_spikes)" = "${digest[$i]}" ]
            i=$((i + 1))
        done
    done
    "$PYTHON" - <<'PY'
import csv, json
h = json.load(open('point/report.json'))
r = list(csv.DictReader(open('rows.csv')))[-1]
near = lambda a, b: abs(float(a) - b) <= 1e-8 * max(abs(b), 1e-300)
hw = h['hardware']
a = hw['accuracy']
for name, value in (('accuracy', a['mean']), ('accuracy_sd', a['sd']), ('accuracy_worst', a['worst']), ('accuracy_q05', a['quantile_05']),
                    ('accuracy_q25', a['quantile_25']), ('accuracy_median', a['median']), ('accuracy_q75', a['quantile_75']),
                    ('accuracy_q95', a['quantile_95']), ('accuracy_best', a['best']), ('balanced_accuracy', h['metrics']['balanced_accuracy']['value']),
                    ('bit_error_rate', hw['readout']['bit_error_rate']), ('read_error_rate', hw['readout']['read_error_rate']),
                    ('pulses_per_cell', hw['programming']['pulses'] / hw['programming']['cells']), ('energy_pj', hw['ledger']['energy_pj']),
                    ('energy_sourced_pj', hw['ledger']['energy_sourced_pj']), ('latency_ns', hw['ledger']['latency_ns']),
                    ('area_um2', hw['ledger']['area_um2']), ('programming_pj', hw['ledger']['programming_pj'])):
    assert near(r[name] or 0, value), (name, r[name], value)
assert float(r['seconds']) > 0
PY
}

@test "data, model and quantisation may differ from point to point" {
    cp tiny.h5 second.h5
    "$SNNSIM" sweep tiny.cfg --quiet --over model.path=tiny.h5,second.h5 --over dataset.bins=5,4 --over run.limit=0,3 --over quant.bits=8,3 -o data.csv
    [ "$(wc -l <data.csv)" -eq 17 ]
    i=0
    mapfile -t digest < <(column data.csv digest)
    for bins in 5 4; do
        for limit in 0 3; do
            "$SNNSIM" run tiny.cfg --quiet --out point --set dataset.bins=$bins --limit $limit
            [ "$(value point/report.json digests.output_spikes)" = "${digest[$i]}" ]
            [ "${digest[$((i + 1))]}" != "${digest[$i]}" ] # 3 bit
            [ "${digest[$((i + 8))]}" = "${digest[$i]}" ]  # the other file
            i=$((i + 2))
        done
    done
}

@test "how values are written" {
    "$SNNSIM" sweep tiny.cfg --quiet --limit 1 --set hw.device=harsh -o values.csv \
        --over 'hw.effects=[stuck,programming],all' --over 'hw.effects=["stuck"]' --over hw.time=1:100:log3 --over hw.chips=1:3:lin2
    [ "$(column values.csv hw.effects | uniq)" = $'[stuck,programming]\nall\n["stuck"]' ]
    [ "$(column values.csv hw.time | head -n 6 | uniq)" = $'1\n10\n100' ]
    [ "$(column values.csv chips | head -n 2)" = $'1\n3' ]
    [ "$(wc -l <values.csv)" -eq 19 ]
    "$SNNSIM" sweep tiny.cfg --quiet --limit 1 --set hw.device=ideal -o ranges.csv --over hw.cell_error=0,1e-6:1e-2:log5,0.25:0.5:lin3
    [ "$(column ranges.csv hw.cell_error | paste -sd ' ')" = "0 1e-06 1e-05 0.0001 0.001 0.01 0.25 0.375 0.5" ]
}

@test "misuse gives one sentence" {
    while IFS='|' read -r arguments sentence; do
        eval "go sweep $arguments"
        expect 2 || { echo "$arguments"; false; }
        complains "$sentence"
        [ -z "$output" ]
    done <<'TABLE'
|sweep: CONFIG is missing
tiny.cfg|sweep: --over KEY=VALUE,... is missing
tiny.cfg --over hw.time|--over 'hw.time': expected KEY=VALUE,VALUE,...
tiny.cfg --over =1|--over '=1': expected KEY=VALUE,VALUE,...
tiny.cfg --over hw.tim=1|--over: unknown key 'hw.tim' (did you mean 'hw.time'?)
tiny.cfg --set hw.device=ideal --over hw.time=1,x|--over: hw.time: expected a number, found the text "x"
tiny.cfg --over hw.chips=1,0|hw.chips
tiny.cfg --over hw.device=ideal,foo|--over: hw.device: 'foo' is
tiny.cfg --over train.epochs=1,2|--over train.epochs: has no effect on the run of a trained model
tiny.cfg --over 'hw.effects=[stuck'|a bracket or quote is not closed
tiny.cfg --over 'hw.device="ideal'|a bracket or quote is not closed
tiny.cfg --over hw.time=1:2:log1|expected FIRST:LAST:lin or log
tiny.cfg --over hw.time=0:2:log3|a logarithmic range needs positive ends
tiny.cfg --over hw.time=1:2:lin2000000|expected FIRST:LAST:lin or log
tiny.cfg --over hw.time=1:2:lin2000 --over seed=1:2000:lin2000|the grid has more than 1000000 points
tiny.cfg --over hw.time=1 -o ''|-o: the name of the file is empty
tiny.cfg --over hw.time=1 --set hw.device=ideal --over hw.readout=digital,analog --set hw.repair.secded=32|hw.time=1 hw.readout=analog
tiny.cfg --over hw.device=neurram,ideal --set hw.verify_window=1|hw.verify_window: is given but would do nothing
tiny.cfg --over hw.time=1|hw.time: is given but would do nothing: it needs a chip
TABLE
    go sweep tiny.cfg --over model.path=tiny.h5,no-such.h5
    expect 3
    complains "no-such.h5"
}

@test "a finished table is left as it is; more values add rows" {
    "$SNNSIM" sweep tiny.cfg --quiet --set hw.device=harsh --over hw.time=1,100 -o more.csv
    cp more.csv before.csv
    go sweep tiny.cfg --set hw.device=harsh --over hw.time=1,100 -o more.csv --threads 1
    expect 0
    [[ $output == "more.csv: 2 points, 2 of them from before, "* ]]
    cmp more.csv before.csv
    go sweep tiny.cfg --set hw.device=harsh --over hw.time=0.5,1,10,100 -o more.csv
    expect 0
    [[ $output == "more.csv: 4 points, 2 of them from before, "* ]]
    [ "$(column more.csv hw.time | paste -sd ' ')" = "0.5 1 10 100" ]
    [ "$(sed -n '3p;5p' more.csv)" = "$(sed -n '2p;3p' before.csv)" ]
}

@test "killed at any moment, a sweep goes on where it stopped" {
    set=(tiny.cfg --quiet --set hw.device=harsh --set hw.chips="$([ -z "${SAN:-}" ] && echo 150 || echo 20)" --over hw.time=1:100:log12)
    "$SNNSIM" sweep "${set[@]}" -o whole.csv
    rm -f killed.csv
    kept=0
    for delay in 0.05 1.3 0.2 1.7 0.9 1.5; do
        "$SNNSIM" sweep "${set[@]}" -o killed.csv &
        pid=$!
        sleep $delay
        kill -KILL $pid 2>/dev/null || true
        wait $pid 2>/dev/null || true
        [ ! -e killed.csv ] && continue
        # whole lines only, in the order of the grid, and never fewer than before
        [ "$(tail -c 1 killed.csv | od -An -c | tr -d ' ')" = '\n' ]
        rows=$(wc -l <killed.csv)
        diff <(timeless killed.csv) <(timeless whole.csv | head -n "$rows")
        [ "$rows" -ge "$kept" ]
        kept=$rows
    done
    "$SNNSIM" sweep "${set[@]}" -o killed.csv
    diff <(timeless killed.csv) <(timeless whole.csv)
}

@test "interrupted, it keeps what is finished" {
    set=(tiny.cfg --set hw.device=harsh --set hw.chips=100 --over hw.time=1:100:log200)
    "$SNNSIM" sweep "${set[@]}" -o stopped.csv 2>stopped.err &
    sleep 1
    kill -INT $!
    status=0
    wait $! || status=$?
    [ "$status" -eq 130 ]
    grep -qE "^snnsim: interrupted after [0-9]+ of 200 points; the same command goes on from there$" stopped.err
    n=$(sed 's/.*after \([0-9]*\) of.*/\1/' stopped.err)
    [ "$(wc -l <stopped.csv)" -eq $((n + 1)) ]
}

@test "another table is not continued, nor lost" {
    "$SNNSIM" sweep tiny.cfg --quiet --over run.limit=1,2 -o mine.csv
    cp mine.csv before.csv
    refused() { # SENTENCE ARGUMENT...
        local sentence=$1
        shift
        go sweep tiny.cfg -o mine.csv "$@"
        expect 2
        complains "$sentence"
        [[ $stderr == *"give another -o FILE, or --overwrite to start anew" ]]
        cmp mine.csv before.csv
    }
    refused "mine.csv:1: the columns are not those of this sweep" --over run.limit=1,2 --over seed=1
    refused "mine.csv:2: the row comes from other settings" --over run.limit=1,2 --seed 3
    refused "mine.csv:3: the row comes from other settings" --over run.limit=1
    head -c -20 mine.csv >cut.csv && mv cut.csv mine.csv && cp mine.csv before.csv
    refused "mine.csv:3: the line is cut off" --over run.limit=1,2
    printf '%s\n1,2,3\n' "$(head -n 1 mine.csv)" >before.csv && cp before.csv mine.csv
    refused "mine.csv:2: the line does not have the columns of this sweep" --over run.limit=1,2
    head -c 100 /dev/zero >mine.csv && cp mine.csv before.csv
    refused "mine.csv:1: is no text" --over run.limit=1,2
    : >mine.csv && : >before.csv
    refused "mine.csv:1: the columns" --over run.limit=1,2
    "$SNNSIM" sweep tiny.cfg --quiet --over run.limit=1,2 -o mine.csv --overwrite
    [ "$(wc -l <mine.csv)" -eq 3 ]
}

@test "a changed device is another sweep" {
    cp "$SNNSIM_DEVICES/harsh.cfg" own.cfg
    "$SNNSIM" sweep tiny.cfg --quiet --set hw.device=./own.cfg --over hw.time=1 -o device.csv
    go sweep tiny.cfg --set hw.device=./own.cfg --over hw.time=1 -o device.csv
    expect 0
    sed 's/stuck_lrs *= *[0-9.e-]*/stuck_lrs = 0.25/' "$SNNSIM_DEVICES/harsh.cfg" >own.cfg
    run ! cmp -s own.cfg "$SNNSIM_DEVICES/harsh.cfg"
    go sweep tiny.cfg --set hw.device=./own.cfg --over hw.time=1 -o device.csv
    expect 2
    complains "device.csv:2: the row comes from other settings, another model or another version"
}

@test "without -o rows go to standard output" {
    "$SNNSIM" sweep tiny.cfg --quiet --over run.limit=1,2 >stdout.csv
    "$SNNSIM" sweep tiny.cfg --quiet --over run.limit=1,2 -o file.csv
    diff <(timeless stdout.csv) <(timeless file.csv)
    [ -e /dev/full ] || skip "no /dev/full"
    run bash -c "'$SNNSIM' sweep tiny.cfg --over run.limit=1,2 2>&1 >/dev/full"
    [ "$status" -eq 1 ]
    [[ $output == "snnsim: cannot write to standard output"* ]]
}

@test "--json prints the table and nothing else" {
    go sweep tiny.cfg --json --set hw.chips=2 --over hw.device=,harsh --over 'hw.effects=[stuck,telegraph],all' -o table.csv
    expect 0
    [ -z "$stderr" ]
    "$PYTHON" - "$output" <<'PY'
import csv, json, sys
report = json.loads(sys.argv[1])
rows = list(csv.DictReader(open('table.csv')))
assert report['command'] == 'sweep' and report['points'] == 4 and report['kept'] == 0 and report['file'] == 'table.csv'
assert len(report['rows']) == len(rows) == 4
for j, c in zip(report['rows'], rows):
    assert list(j) == list(c)
    for k in c:
        assert j[k] == c[k] or (j[k] is None and c[k] == '') or float(c[k]) == j[k], (k, j[k], c[k])
assert rows[0]['hw.effects'] == '[stuck,telegraph]' and report['rows'][2]['chips'] == 2
assert report['rows'][0]['bit_error_rate'] is None and report['rows'][2]['bit_error_rate'] > 0
PY
    go sweep tiny.cfg --json --over run.limit=1,2
    expect 0
    "$PYTHON" -m json.tool <<<"$output" >/dev/null
}

@test "a table that cannot be written is found before the first point" {
    for file in /dev/full /proc/no-such/x.csv tiny.cfg/x.csv .; do
        go sweep tiny.cfg --set hw.device=harsh --set hw.chips=100000 --over hw.time=1,2 -o $file
        [ "$status" -ne 0 ]
        complains "$file"
    done
}

@test "a full disk keeps the table as it was" {
    mkdir -p disk
    mount -t tmpfs -o size=64k none disk 2>/dev/null || skip "cannot mount"
    "$SNNSIM" sweep tiny.cfg --quiet --over run.limit=1,2 -o disk/t.csv
    cp disk/t.csv before.csv
    head -c 100k /dev/zero >disk/fill 2>/dev/null || true
    go sweep tiny.cfg --over run.limit=1,2,3,4 -o disk/t.csv
    expect 1
    complains "disk/t.csv"
    cmp disk/t.csv before.csv
    rm disk/fill
    "$SNNSIM" sweep tiny.cfg --quiet --over run.limit=1,2,3,4 -o disk/t.csv
    [ "$(wc -l <disk/t.csv)" -eq 5 ]
}
