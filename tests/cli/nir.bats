#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Networks of other programs from the command line: NIR graphs in, run with a config that has section dataset only, and out again; what an independent simulator makes of exports.
load helpers

setup() {
    cd "$BATS_FILE_TMPDIR" || return 1
    DATA=$(cd "$ROOT" && realpath -m "${SNNSIM_DATA:-../shared/data}") # run.sh gives it relative to the root
    MODELS=$DATA/models
    CHECK=$ROOT/tests/golden/check_nir.py
}

need_data() { [ -d "$MODELS" ] || skip "no data"; }

@test "a network of sinabs needs a data set only" {
    need_data
    go model import "$MODELS/nir_nmnist_cnn/cnn_sinabs.nir" --reset subtract --at-threshold -o cnn.h5
    expect 0
    SNNSIM_DATA=$DATA go run "$ROOT/configs/nmnist_nir.cfg" --model cnn.h5 --out cnn
    expect 0
    [[ $output == *"48 of 50"* ]]
    "$PYTHON" - "$MODELS/nir_nmnist_cnn/expected_output_counts.csv" cnn/predictions.csv <<'PY'
import csv, sys
a, b = [[[int(float(r[f"out{i}"])) for i in range(10)] for r in csv.DictReader(open(p))] for p in sys.argv[1:]]
assert a == b and len(a) == 50
PY
    SNNSIM_DATA=$DATA go run "$ROOT/configs/nmnist_nir.cfg" --model no-such.h5
    expect 3
}

@test "so does one of snnTorch" {
    need_data
    go model import "$MODELS/nir_braille/braille_noDelay_bias_zero.nir" -o braille.h5
    expect 0
    for k in 0:271 1:267; do
        SNNSIM_DATA=$DATA go run "$ROOT/configs/braille_nir.cfg" --model braille.h5 --set "dataset.path=$DATA/braille/letters7_th1/ds_val_${k%:*}.pt"
        expect 0
        [[ $output == *"${k#*:} of 280"* ]]
    done
}

@test "NIR files come back bit by bit" {
    need_data
    for file in nir_braille/braille_noDelay_bias_zero nir_nmnist_cnn/cnn_sinabs nir_lif/lif_norse; do
        go model import "$MODELS/$file.nir" -o m.h5 --reset subtract
        expect 0
        go model export m.h5 --nir back.nir
        expect 0
        "$PYTHON" "$CHECK" --same "$MODELS/$file.nir" back.nir
    done
    "$PYTHON" -c 'import h5py
f = h5py.File("back.nir", "r+"); f["node/nodes/1/tau"][...] *= 1.0000001'
    run ! "$PYTHON" "$CHECK" --same "$MODELS/nir_lif/lif_norse.nir" back.nir
}

@test "quantised, an imported model keeps its nodes" {
    need_data
    go model import "$MODELS/nir_braille/braille_noDelay_bias_zero.nir" -o m.h5
    expect 0
    echo 'quant = { bits = 8; };' >quant.cfg
    go model quantise quant.cfg m.h5 -o q.h5
    expect 0
    go model export q.h5 --nir q.nir
    expect 0
    "$PYTHON" - "$MODELS/nir_braille/braille_noDelay_bias_zero.nir" q.nir <<'PY'
import h5py, sys, numpy as np
a, b = [h5py.File(p) for p in sys.argv[1:]]
assert sorted(a["node/nodes"]) == sorted(b["node/nodes"])
x, y = [f["node/nodes/lif1.w_rec/weight"][()] for f in (a, b)]
assert x.dtype == y.dtype and 0 < np.abs(x - y).max() < np.abs(x).max() / 100
assert np.array_equal(a["node/nodes/lif1.lif/tau_mem"][()], b["node/nodes/lif1.lif/tau_mem"][()])
PY
}

@test "an independent simulator gives the spikes of a recurrent network with currents and delays" {
    "$PYTHON" - <<'PY'
import numpy as np
r = np.random.default_rng(5)
np.save("x.npy", (r.random((20, 30, 6, 1, 1)) < 0.3).astype(np.uint8))
np.save("y.npy", np.zeros(20, np.int64))
for name, shape in (("a", (9, 6)), ("a_rec", (9, 9)), ("b", (4, 9))):
    np.save(name + ".npy", r.normal(0.1, 0.4, shape).astype(np.float32))
PY
    cat >rec.cfg <<'CFG'
dataset = { name = "npy"; frames = "x.npy"; labels = "y.npy"; classes = 4; };
network = { layers = (
  { name = "a"; type = "linear"; outputs = 9; recurrent = true; delay = 3;
    neuron = { type = "cuba_lif"; decay = 0.83; current_decay = 0.61; threshold = 0.737; }; },
  { name = "b"; type = "linear"; outputs = 4; neuron = { type = "lif"; decay = 0.71; threshold = 0.419; }; } ); };
CFG
    go model import rec.cfg --npy a=a.npy --npy a_rec=a_rec.npy --npy b=b.npy --float -o rec.h5
    expect 0
    go run rec.cfg --model rec.h5 --out rec
    expect 0
    go model export rec.h5 --nir rec.nir
    expect 0
    "$PYTHON" "$CHECK" rec.nir x.npy rec/predictions.csv
    go model import rec.nir -o again.h5
    expect 0
    go run rec.cfg --model again.h5 # the same but for the last bits of decays
    expect 3
    complains "networks differ in layer 1 ('a')"
}

@test "what is no network, or a broken one, is refused in a sentence" {
    echo nonsense >nonsense
    go model import nonsense -o x.h5
    expect 3
    complains "nonsense: is no network that snnsim knows: expected a NIR graph"
    go model import no-such.nir -o x.h5
    expect 3
    complains no-such.nir
    "$PYTHON" -c 'import h5py
f = h5py.File("empty.nir", "w"); f.create_group("node")'
    go model import empty.nir -o x.h5
    expect 3
    complains "empty.nir: /node/type: is missing"
    [ ! -e x.h5 ]
    cp empty.nir same.nir
    go model import same.nir -o same.nir
    expect 2
}

@test "NumPy weights of a recurrent layer are quantised together" {
    "$PYTHON" - <<'PY'
import numpy as np
r = np.random.default_rng(6)
np.save("x.npy", (r.random((8, 10, 6, 1, 1)) < 0.3).astype(np.uint8))
np.save("y.npy", np.zeros(8, np.int64))
for name, shape, size in (("a", (9, 6), 0.4), ("a_rec", (9, 9), 9), ("b", (4, 9), 0.4)):
    np.save(name + ".npy", r.uniform(-size, size, shape).astype(np.float32))
np.save("whole.npy", np.ones((9, 9), np.int8))
PY
    cat >pair.cfg <<'CFG'
dataset = { name = "npy"; frames = "x.npy"; labels = "y.npy"; classes = 4; };
network = { layers = ( { name = "a"; type = "linear"; outputs = 9; recurrent = true; }, { name = "b"; type = "linear"; outputs = 4; } );
  neuron = { type = "lif"; decay = 0.5; threshold = 1.0; }; };
CFG
    go model import pair.cfg --npy a=a.npy --npy a_rec=a_rec.npy --npy b=b.npy -o pair.h5
    expect 0
    go run pair.cfg --model pair.h5
    expect 0
    go model import pair.cfg --npy a=a.npy --npy a_rec=a_rec.npy --npy b=b.npy --float -o float.h5
    go model quantise pair.cfg float.h5 -o same.h5
    go model diff pair.h5 same.h5
    expect 0
    go model import pair.cfg --npy a=a.npy --npy a_rec=whole.npy:1 --npy b=b.npy -o mixed.h5
    expect 3
    complains "layer a: only one of its own and its recurrent weights are float"
}
