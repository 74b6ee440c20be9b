#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Files that crash libhdf5 1.10: snnsim says so and goes on living. heap.nir is made by tests/golden/make_hostile_hdf5.py.
load helpers

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

@test "model import survives a file that crashes libhdf5" {
    go model import "$ROOT/tests/golden/hostile/heap.nir" -o model.h5
    expect 3
    # a sanitizer's exit is no signal; a later libhdf5 finds the damage itself
    # shellcheck disable=SC2154 # stderr is set by go
    [[ $stderr == *"heap.nir: libhdf5 "*"the file is damaged"* || $stderr == *"heap.nir: "*"cannot be read"* ]]
    [ ! -e model.h5 ]
}

@test "run refuses the same file as a model and as a data set" {
    cat >net.cfg <<'END'
dataset = { name = "shd"; path = "heap.h5"; bins = 10; };
network = { layers = ( { name = "fc"; type = "linear"; outputs = 20; } ); };
END
    cp "$ROOT/tests/golden/hostile/heap.nir" heap.h5
    go dataset show net.cfg
    expect 3
    complains heap.h5
    go run net.cfg --model heap.h5
    expect 3
    complains heap.h5
}
