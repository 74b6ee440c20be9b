# SPDX-License-Identifier: GPL-3.0-or-later
# What the command tests share. Each file works in a folder of its own, with a small config; `tiny_model` trains its model in about a second.
bats_require_minimum_version 1.5.0
export LC_ALL=C

ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
SNNSIM=${SNNSIM:-$ROOT/build/snnsim}
case $SNNSIM in /*) ;; *) SNNSIM=$ROOT/$SNNSIM ;; esac
export SNNSIM_DEVICES=$ROOT/hw/devices
PYTHON=/usr/bin/python3

# In setup_file: a folder with tiny.cfg, the synthetic camera with two subjects for training and one for test.
tiny_folder() {
    cd "$BATS_FILE_TMPDIR" || return 1
    cat >tiny.cfg <<'CFG'
dataset = {
  name = "dvs128_gesture";
  bins = 5;
  downsample = 8;
  camera = { train_subjects = 2; test_subjects = 1; takes = 1; seconds = 0.2; };
};
network = {
  layers = (
    { name = "conv1"; type = "conv2d"; channels = 4; kernel = 3; padding = 1; },
    { name = "pool1"; type = "pool_max"; kernel = 2; },
    { name = "flat"; type = "flatten"; },
    { name = "fc1"; type = "linear"; outputs = 11; }
  );
  neuron = { threshold = 0.1; };
};
train = { epochs = 8; quant_epochs = 2; batch = 4; learning_rate = 0.003; loss = "cross_entropy"; surrogate = "triangle"; };
model = { path = "tiny.h5"; };
CFG
}

tiny_model() {
    tiny_folder && "$SNNSIM" train tiny.cfg --quiet --threads 1
}

# After tiny_folder or quick_folder: CONFIG reads the synthetic recordings from files, which is 30 times as fast as drawing them anew in each command.
recorded() { # CONFIG
    "$SNNSIM" dataset make "$1" -o recordings >/dev/null && sed -i 's|name = "dvs128_gesture";|& path = "recordings";|' "$1"
}

# As tiny_model, from files.
tiny_recorded() {
    tiny_folder && recorded tiny.cfg && "$SNNSIM" train tiny.cfg --quiet --threads 1
}

# In setup_file: quick.cfg and its model quick.h5, a network that knows something (half of the unseen synthetic recordings), from files.
quick_folder() {
    cd "$BATS_FILE_TMPDIR" || return 1
    cat >quick.cfg <<'CFG'
dataset = {
  name = "dvs128_gesture";
  bins = 8;
  downsample = 8;
  camera = { train_subjects = 4; test_subjects = 2; takes = 2; seconds = 0.2; };
};
network = {
  layers = (
    { name = "flat"; type = "flatten"; },
    { name = "fc1"; type = "linear"; outputs = 64; neuron = { gain = 0.25; }; },
    { name = "fc2"; type = "linear"; outputs = 11; }
  );
};
train = { epochs = 30; batch = 16; learning_rate = 0.003; surrogate = "arctan"; surrogate_width = 1.0; };
model = { path = "quick.h5"; };
CFG
}

quick_model() {
    quick_folder && recorded quick.cfg && "$SNNSIM" train quick.cfg --quiet --threads 1
}

# go COMMAND...: runs snnsim; $status, $output (stdout) and $stderr are set.
go() {
    run --separate-stderr "$SNNSIM" "$@"
}

# expect CODE: the exit code; prints everything when it is another one.
expect() {
    # shellcheck disable=SC2154 # status, output and stderr are set by run
    [ "$status" -eq "$1" ] && return
    # shellcheck disable=SC2154
    printf 'exit code %s, expected %s\nstdout: %s\nstderr: %s\n' "$status" "$1" "$output" "$stderr"
    return 1
}

# One sentence on stderr that contains the given text.
complains() {
    # shellcheck disable=SC2154 # stderr is set by run
    case $stderr in
        "snnsim: "*"$1"*) [ "$(wc -l <<<"$stderr")" -eq 1 ] && return ;;
    esac
    printf 'expected "snnsim: ...%s..." in one line, got: %s\n' "$1" "$stderr"
    return 1
}

# value FILE PATH: one field of a report, e.g. `value report.json digests.output_spikes`.
value() {
    "$PYTHON" -c 'import json, sys
v = json.load(open(sys.argv[1]))
for k in sys.argv[2].split("."):
    v = v[int(k)] if isinstance(v, list) else v[k]
print(v)' "$1" "$2"
}

need_numpy() {
    "$PYTHON" -c 'import numpy' 2>/dev/null || skip "no numpy"
}

# No file at all, hidden ones included.
is_empty() {
    [ ! -e "$1" ] || [ -z "$(ls -A "$1")" ] || { ls -lA "$1"; return 1; }
}
