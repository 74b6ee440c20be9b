#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# snnsim run: reports, files, reproducibility, and that nothing is left behind when it fails.
load helpers

setup_file() { tiny_model; }

setup() { cd "$BATS_FILE_TMPDIR" || return 1; }

teardown() {
    ! mountpoint -q "$BATS_FILE_TMPDIR/disk" || umount "$BATS_FILE_TMPDIR/disk"
}

@test "the summary names what matters" {
    go run tiny.cfg
    expect 0
    [ -z "$stderr" ]
    for word in "data set    dvs128_gesture (synthetic camera), test part: 11 samples of 11 classes, 5 steps of 2x16x16" \
        "model       tiny.h5: 2.89 k weights of 8 bit" "accuracy" "balanced" "by step" "NeuroBench  footprint" \
        "effective ACs" "read " "frame " "simulate " "samples/s" "seed 1, float arithmetic" "digest      "; do
        [[ $output == *"$word"* ]] || { echo "no '$word' in: $output"; false; }
    done
    [[ $output =~ conv1\ +conv2d\ +1024\ +[0-9.]+ ]]
    [[ $output =~ pool1\ +pool_max\ +256\  ]]
    [[ $output != *warning* ]]
}

@test "--quiet prints nothing" {
    go run tiny.cfg --quiet --out quiet --trace fc1
    expect 0
    [ -z "$output" ] && [ -z "$stderr" ]
    [ -s quiet/report.json ]
}

@test "--json prints the report and nothing else" {
    go run tiny.cfg --json --out json
    expect 0
    [ -z "$stderr" ]
    "$PYTHON" -m json.tool <<<"$output" >/dev/null
    [ "$output" = "$(cat json/report.json)" ]
    run ! grep -qiE '\b(nan|inf)' json/report.json
    [ "$(value json/report.json schema)" = 1 ]
    [ "$(value json/report.json version)" = "$("$SNNSIM" --version | sed -n '1s/snnsim //p')" ]
    [ "$(value json/report.json command_line)" = "['snnsim', 'run', 'tiny.cfg', '--json', '--out', 'json']" ]
    [ "$(value json/report.json metrics.samples)" = 11 ]
    [ "$(value json/report.json dataset.steps)" = 5 ]
    [ "$(value json/report.json run.seed)" = 1 ]
    [ "$(value json/report.json layers.0.name)" = conv1 ]
    [ "$(value json/report.json layers.0.neurons)" = 1024 ]
    [ "$(value json/report.json neurobench.dense_operations)" = 98720.0 ] # 5 x (2 x 4 x 46 x 46 + 256 x 11)
    [ "$(value json/report.json neurobench.footprint_bytes)" = 7036 ]     # 72 + 2816 + 2 x 4 + (1024 + 11) x 4
    [ "$(value json/report.json model.digest)" = "$(value json/report.json digests.weights)" ]
    [[ $(value json/report.json config.text) == *'epochs = 8;'* ]]
}

@test "the command line decides over the config, and the report says so" {
    "$SNNSIM" run tiny.cfg --quiet --out set --seed 7 --set seed=5 --set run.arithmetic=fixed --threads 1 --limit 4
    [ "$(value set/report.json run.seed)" = 7 ]
    [ "$(value set/report.json run.arithmetic)" = fixed ]
    [ "$(value set/report.json run.threads)" = 1 ]
    [ "$(value set/report.json metrics.samples)" = 4 ]
    [[ $(value set/report.json config.text) == *'arithmetic = "fixed"'* ]]
}

@test "predictions and confusion agree with the report" {
    "$SNNSIM" run tiny.cfg --quiet --out tables
    [ "$(head -n 1 tables/predictions.csv)" = "sample,label,predicted,out0,out1,out2,out3,out4,out5,out6,out7,out8,out9,out10" ]
    [ "$(wc -l <tables/predictions.csv)" -eq 12 ]
    [ "$(wc -l <tables/confusion.csv)" -eq 12 ]
    "$PYTHON" - <<'PY'
import csv, json
report = json.load(open('tables/report.json'))
rows = list(csv.DictReader(open('tables/predictions.csv')))
n = report['dataset']['classes']
confusion = [[0] * n for _ in range(n)]
for r in rows:
    out = [float(r[f'out{c}']) for c in range(n)]
    assert out.index(max(out)) == int(r['predicted']), r
    confusion[int(r['label'])][int(r['predicted'])] += 1
assert confusion == report['metrics']['confusion'], confusion
assert sum(confusion[c][c] for c in range(n)) == report['metrics']['correct']
table = list(csv.reader(open('tables/confusion.csv')))
assert table[0] == ['label'] + report['dataset']['class_names'], table[0]
assert [[int(v) for v in r[1:]] for r in table[1:]] == confusion
assert [r[0] for r in table[1:]] == report['dataset']['class_names']
spikes = sum(float(r[f'out{c}']) for r in rows for c in range(n))
assert spikes > 0 and abs(report['layers'][-1]['spikes_per_sample'] * len(rows) - spikes) < 1e-6
t = report['timing']
assert abs(t['wall_seconds'] - sum(t[k + '_seconds'] for k in ('read', 'frame', 'simulate', 'other'))) < 1e-6
PY
}

@test "the same digest and files for 1, 2, 3 and 8 threads" {
    "$SNNSIM" run tiny.cfg --quiet --out t1 --threads 1 --trace conv1
    digest=$(value t1/report.json digests.output_spikes)
    [ ${#digest} -eq 64 ]
    for threads in 2 3 8; do
        "$SNNSIM" run tiny.cfg --quiet --out "t$threads" --threads $threads --trace conv1
        [ "$(value t$threads/report.json digests.output_spikes)" = "$digest" ]
        for file in predictions.csv confusion.csv conv1_spikes.npy conv1_membrane.npy; do
            cmp t1/$file "t$threads/$file"
        done
        for field in metrics layers neurobench; do
            [ "$(value t1/report.json $field)" = "$(value t$threads/report.json $field)" ]
        done
    done
}

@test "the same digest for every SIMD level" {
    "$SNNSIM" run tiny.cfg --quiet --out auto
    digest=$(value auto/report.json digests.output_spikes)
    tried=0
    for level in plain avx2 avx512; do
        go run tiny.cfg --quiet --out "$level" --set run.simd=$level
        if [ "$status" -eq 2 ]; then # this CPU lacks it
            complains "run.simd"
            [ $level != plain ]
            continue
        fi
        expect 0
        [ "$(value $level/report.json run.simd)" = $level ]
        [ "$(value $level/report.json digests.output_spikes)" = "$digest" ]
        [ "$(value $level/report.json layers)" = "$(value auto/report.json layers)" ]
        tried=$((tried + 1))
    done
    [ $tried -ge 1 ]
}

@test "the digest is BLAKE2b of the output spikes" {
    need_numpy
    for arithmetic in float fixed; do
        "$SNNSIM" run tiny.cfg --quiet --out digest --trace fc1 --set run.arithmetic=$arithmetic
        "$PYTHON" - <<'PY'
import hashlib, json, numpy as np
s = np.load('digest/fc1_spikes.npy')
words = np.argwhere(s != 0).astype('<u4')  # (sample, step, neuron), ascending
assert hashlib.blake2b(words.tobytes(), digest_size=32).hexdigest() == json.load(open('digest/report.json'))['digests']['output_spikes']
PY
    done
}

@test "--limit takes the first samples" {
    "$SNNSIM" run tiny.cfg --quiet --out all
    for n in 1 5 11 12; do
        "$SNNSIM" run tiny.cfg --quiet --out "first$n" --limit $n
        diff <(head -n $((n + 1)) all/predictions.csv) "first$n/predictions.csv"
    done
}

@test "an unknown key names the nearest one" {
    go run tiny.cfg --set run.thread=2
    expect 2
    complains "run.threads"
    printf 'dataset = { nam = "nmnist"; };\n' >bad.cfg
    go run bad.cfg
    expect 2
    complains "bad.cfg:1"
}

@test "a missing model says how to make one" {
    go run tiny.cfg --model other.h5
    expect 3
    [ "$stderr" = "snnsim: there is no model other.h5; make it with: snnsim train tiny.cfg --model other.h5" ]
    go run tiny.cfg --set model.path=none.h5
    expect 3
    [ "$stderr" = "snnsim: there is no model none.h5; make it with: snnsim train tiny.cfg" ]
    go run tiny.cfg --set 'model.path=""'
    expect 2
    complains "set model.path or use --model FILE"
}

@test "a model of another network is refused, and no folder is made" {
    for set in 'network.layers[0].channels=5' 'network.neuron.decay=0.5' 'dataset.downsample=4'; do
        go run tiny.cfg --set "$set" --out other
        expect 3
        complains "model tiny.h5 does not fit tiny.cfg"
        is_empty other
    done
}

@test "a config without a network takes the model's" {
    sed '/^network/,/^};/d' tiny.cfg >bare.cfg
    run ! grep -q conv1 bare.cfg
    "$SNNSIM" run bare.cfg --quiet --out bare
    "$SNNSIM" run tiny.cfg --quiet --out full
    [ "$(value bare/report.json digests.output_spikes)" = "$(value full/report.json digests.output_spikes)" ]
    go run bare.cfg --set dataset.downsample=4
    expect 3
    complains "the network takes inputs of 2x16x16 but data set dvs128_gesture gives 2x32x32"
}

@test "a broken model is refused" {
    head -c 3000 tiny.h5 >cut.h5
    echo "no model" >text.h5
    : >empty.h5
    for model in cut.h5 text.h5 empty.h5; do
        go run tiny.cfg --model $model
        expect 3
        complains "$model"
    done
}

@test "data that is not there" {
    for set in 'dataset.path=no-such-folder' 'dataset.path=tiny.cfg'; do
        go run tiny.cfg --set "$set" --out nodata
        [ "$status" -eq 2 ] || [ "$status" -eq 3 ]
        complains "${set#*=}"
        is_empty nodata
    done
}

@test "a list that is a pipe is refused, not waited for" {
    mkdir -p pipe && mkfifo pipe/list.txt
    run --separate-stderr timeout -k 1 20 "$SNNSIM" run tiny.cfg --set dataset.path=pipe --set dataset.test_list=list.txt
    expect 3
    complains "pipe/list.txt: not a file"
}

@test "frames from NumPy are no camera's" {
    need_numpy
    "$PYTHON" -c "import numpy as np
np.save('frames.npy', np.ones((3, 5, 2, 16, 16), np.uint8))
np.save('labels.npy', np.arange(3))"
    go run tiny.cfg --set dataset.name=npy --set dataset.frames=frames.npy --set dataset.labels=labels.npy --set dataset.classes=11 --set dataset.downsample=1
    expect 0
    [[ $output == *"npy (current folder), test part: 3 samples"* ]]
}

@test "an unwritable folder is found before the run" {
    touch file
    for folder in file file/below /proc/no-such-folder; do
        go run tiny.cfg --out $folder
        expect 1
        complains "${folder}"
    done
    [ ! -s file ]
    [ "$(id -u)" -eq 0 ] && return
    mkdir -p locked && chmod a-w locked
    go run tiny.cfg --out locked
    expect 1
    complains locked
}

@test "an empty name is no folder" {
    go run tiny.cfg --out ''
    expect 2
    complains "--out: the name of the folder is empty"
}

@test "a write that fails leaves nothing behind" {
    # 8 KiB for each file: the membranes do not fit
    run bash -c "ulimit -f 8; exec '$SNNSIM' run tiny.cfg --quiet --out limited --trace conv1 2>&1"
    [ "$status" -eq 1 ]
    [[ $output == "snnsim: limited"*"File too large" ]]
    is_empty limited
    # what was there stays as it was
    "$SNNSIM" run tiny.cfg --quiet --out kept
    before=$(cat kept/* | cksum)
    run bash -c "ulimit -f 8; exec '$SNNSIM' run tiny.cfg --quiet --out kept --trace conv1 2>&1"
    [ "$status" -eq 1 ]
    [ "$before" = "$(cat kept/* | cksum)" ]
    [ "$(find kept -type f | wc -l)" -eq 3 ]
}

@test "a full disk leaves nothing behind" {
    [ "$(id -u)" -eq 0 ] || skip "needs root to mount a small disk"
    mkdir -p disk
    mount -t tmpfs -o size=64k tmpfs disk 2>/dev/null || skip "cannot mount"
    go run tiny.cfg --quiet --out disk/out --trace conv1
    expect 1
    complains "the traces need 282 kB, but disk/out has only"
    is_empty disk/out
    head -c 62000 /dev/zero >disk/filler
    go run tiny.cfg --quiet --out disk/out
    expect 1
    complains "disk/out"
    is_empty disk/out
}

@test "standard output that is full is an error" {
    [ -e /dev/full ] || skip "no /dev/full"
    run bash -c "'$SNNSIM' run tiny.cfg --json 2>&1 >/dev/full"
    [ "$status" -eq 1 ]
    [ "$output" = "snnsim: cannot write to standard output: No space left on device" ]
}

@test "interrupted, it exits with 130 and leaves nothing behind" {
    run timeout --preserve-status -s INT 1 "$SNNSIM" run tiny.cfg --out stopped --trace conv1 \
        --set dataset.camera.test_subjects=1000 --set dataset.camera.seconds=5
    [ "$status" -eq 130 ]
    [[ $output == *"snnsim: interrupted after "*" of 11000 samples" ]]
    is_empty stopped
}

@test "a log file gets no progress line" {
    go run tiny.cfg --set dataset.camera.seconds=2
    expect 0
    [ -z "$stderr" ]
}

@test "bare config names are looked up in configs" {
    cd "$ROOT"
    go dataset show gesture.cfg --limit 1
    expect 0
    cd "$BATS_FILE_TMPDIR"
    go dataset show gesture.cfg --limit 1
    [ "$status" -eq 0 ] || complains "gesture.cfg" # it may be installed
    SNNSIM_CONFIGS=$ROOT/configs go dataset show gesture.cfg --limit 1
    expect 0
}
