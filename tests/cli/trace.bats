#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# snnsim run --trace, and a whole run against the same network in NumPy.
load helpers

setup_file() { tiny_recorded; }

setup() { cd "$BATS_FILE_TMPDIR" || return 1; }

@test "the size of a trace is announced" {
    go run tiny.cfg --out out --trace conv1 --trace pool1 --trace conv1
    expect 0
    # shellcheck disable=SC2154 # stderr is set by run
    [ "$stderr" = "trace conv1: 282 kB
trace pool1: 14.1 kB" ]
}

@test "an unknown layer names the layers" {
    go run tiny.cfg --out unknown --trace conv9
    expect 2
    [ "$stderr" = "snnsim: --trace: there is no layer 'conv9'; the layers are: conv1, pool1, flat, fc1" ]
    is_empty unknown
}

@test "a flatten layer has nothing to trace" {
    go run tiny.cfg --quiet --out flat --trace flat
    expect 2
    complains "layer flat only flattens"
    is_empty flat
}

@test "shapes and types" {
    need_numpy
    for arithmetic in float fixed; do
        "$SNNSIM" run tiny.cfg --quiet --out shapes --trace conv1 --trace pool1 --trace fc1 --limit 3 --set run.arithmetic=$arithmetic
        [ ! -e shapes/pool1_membrane.npy ]
        "$PYTHON" - $arithmetic <<'PY'
import sys, numpy as np
for name, n in (('conv1', 1024), ('pool1', 256), ('fc1', 11)):
    s = np.load(f'shapes/{name}_spikes.npy')
    assert s.shape == (3, 5, n) and s.dtype == np.uint8 and s.max() == 1, (name, s.shape, s.dtype)
    if name != 'pool1':
        v = np.load(f'shapes/{name}_membrane.npy')
        assert v.shape == s.shape and v.dtype == (np.float32 if sys.argv[1] == 'float' else np.int32)
        if sys.argv[1] == 'float':
            assert ((v > np.float32(0.1)) == (s != 0)).all()
PY
    done
}

@test "a whole run equals NumPy" {
    need_numpy
    "$PYTHON" "$ROOT/tests/cli/check_run.py" "$SNNSIM" tiny.cfg tiny.h5
}
