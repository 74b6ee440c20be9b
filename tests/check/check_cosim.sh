#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Co-simulation: the Verilated tile agrees with its C model for every decryptor, zero added cycles where they are promised; wrong keys, planted bugs and changed gates are noticed.
# Circuits are kept in $BUILD/rtl, so that only changed Verilog is made again.
set -uo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LC_ALL=C CXXFLAGS=-O1 SNNSIM_RTL_CACHE=${BUILD:?}/rtl SNNSIM_VERILOG=$PWD/verilog SNNSIM_DEVICES=$PWD/hw/devices
unset RTL_TOP
tests=12
echo 1..$tests
for tool in verilator g++ yosys; do
    command -v $tool >/dev/null && continue
    echo "# SKIPPED: co-simulation ($tool is missing)" >&2
    for i in $(seq $tests); do
        [ "${CI:-}" = true ] && echo "not ok $i - $tool is missing" || echo "ok $i - co-simulation # SKIP SKIPPED, $tool is missing"
    done
    exit 0
done

# A network of two linear layers on 8 lanes, from the synthetic camera.
cat >"$work/small.cfg" <<'CFG'
dataset = { name = "dvs128_gesture"; bins = 4; downsample = 8; camera = { train_subjects = 2; test_subjects = 1; takes = 1; seconds = 0.2; }; };
network = { layers = ( { name = "fc1"; type = "linear"; outputs = 20; }, { name = "fc2"; type = "linear"; outputs = 11; } ); neuron = { threshold = 0.1; }; };
train = { epochs = 2; quant_epochs = 1; batch = 4; };
hw = { array = "256x64"; };
model = { path = "small.h5"; };
CFG
{ cd "$work" && "$SNNSIM" dataset make small.cfg -o recordings >/dev/null && sed -i 's|name = "dvs128_gesture";|& path = "recordings";|' small.cfg &&
    "$SNNSIM" train small.cfg --quiet --threads 1 && "$BUILD/tools/encrypt_random" small.h5 16 3 enc.h5 net.key 1 && cd - >/dev/null; } || exit 1

cosim() { # NAME OPTION...: report in $work/NAME.json, status in $status
    (cd "$work" && "$SNNSIM" hw cosim small.cfg --model enc.h5 --key net.key --json --samples 2 --reads 3000 "${@:2}") >"$work/$1.json" 2>"$work/$1.err"
    echo $? >"$work/$1.status"
}
field() { # NAME PYTHON: of report r
    /usr/bin/python3 -c "import json, sys; r = json.load(open(sys.argv[1])); print($2)" "$work/$1.json" 2>/dev/null
}
n=0
verdict() { # WHAT NAME TEST...
    n=$((n + 1))
    if "${@:3}"; then
        echo "ok $n - $1"
    else
        echo "not ok $n - $1"
        tail -n 5 "$work/$2.err" | sed 's/^/# /'
        head -c 2000 "$work/$2.json" | sed 's/^/# /'
    fi
}
status() { [ "$(cat "$work/$1.status")" = "$2" ]; }
agrees() { # NAME: without a difference, every decrypted word right, as many cycles as pass-through in every read
    status "$1" 0 && [ "$(field "$1" 'r["difference"], r["wrong_words"], r["added_cycles"], r["same_stamps"], r["samples"], r["drawn_reads"]["reads"]')" = "None 0 0 True 2 3000" ]
}

# Pass-through first: the others need its circuit, too. Then two at a time.
cosim pass --decryptor pass
cosim cam --decryptor cam & cosim table --decryptor table --latches &
wait
cosim prince --decryptor prince & cosim aes --decryptor aes &
wait
cosim xor --decryptor xor & cosim wrong --decryptor cam --wrong-key 5 &
wait
# The stolen network: its words are what the cells hold.
verdict "pass-through agrees cycle by cycle" pass agrees pass
verdict "associative memory agrees, no added cycles" cam agrees cam
verdict "hashed table of latches agrees, no added cycles" table agrees table
verdict "PRINCE agrees, no added cycles" prince agrees prince
verdict "fixed mask agrees, no added cycles" xor agrees xor
slow() { status aes 0 && [ "$(field aes 'r["difference"], r["wrong_words"], r["added_cycles"] > 3000, r["same_stamps"]')" = "None 0 True False" ]; }
verdict "AES agrees, and adds cycles" aes slow
keyed() { [ "$(field cam 'r["drawn_reads"]["keyed_reads"] * 2 >= r["drawn_reads"]["reads"], r["drawn_reads"]["repeats"] > 500')" = "True True" ]; }
verdict "half of the drawn reads are keyed rows, many repeats" cam keyed
wrong() { status wrong 0 && [ "$(field wrong 'r["difference"], r["wrong_words"] > 0')" = "None True" ]; }
verdict "a wrong key gives wrong words" wrong wrong

# A bug in a copy: the mask misses one of the rows' address bits.
cp -r verilog "$work/verilog"
cp hw/rtl_bridge.* "$work/verilog/"
sed -i -E 's/(spike = cfg_spiking_i & \()below\[32\]/\1~below[32]/' "$work/verilog/rtl/lif.v"
cosim bug --decryptor pass --verilog "$work/verilog" --out "$work/bug" &
# One's own decryptor, under another name.
sed 's/module dec_cam/module my_cam/' verilog/rtl/dec_cam.v >"$work/mine.v"
cosim mine --decryptor cam --top "$work/mine.v" &
wait
bug() {
    ! cmp -s verilog/rtl/lif.v "$work/verilog/rtl/lif.v" && status bug 1 && [ "$(field bug 'r["difference"]["signals"][0]["signal"]')" = obs_spikes_o ] &&
        grep -q "circuit's obs_spikes_o lane .* in stage X is 0x., the C model has 0x" "$work/bug.err" && grep -q 'obs_spikes_o' "$work/bug/cosim.vcd" &&
        [ "$(field bug "abs(int([l for l in open('$work/bug/cosim.vcd') if l[0] == '#'][-1][1:]) - r['difference']['time']) <= 10")" = True ]
}
verdict "a planted bug is found, told and in the waveforms" bug bug
own() { agrees mine && [ "$(field mine 'r["circuit"]["module"]')" = my_cam ]; }
verdict "a decryptor of one's own takes the place" mine own

# Errors in one sentence.
object=$(find "$SNNSIM_RTL_CACHE" -name 'dec_pass-*-l8-*.so' | head -n 1)
cosim other --rtl "$object" --decryptor cam --set hw.decryptor.keys=64
mkdir "$work/bin"
for tool in bash env; do ln -s "$(command -v $tool)" "$work/bin/$tool"; done
PATH=$work/bin cosim none --decryptor cam
cosim keyless --decryptor pass --wrong-key 5
(cd "$work" && "$SNNSIM" hw cosim small.cfg --json --samples 1 --decryptor cam --wrong-key 5) >/dev/null 2>"$work/nokey.err"
echo $? >"$work/nokey.status"
errors() {
    status other 3 && grep -q "has KEYS = .*, expected 64" "$work/other.err" && status none 1 &&
        status keyless 2 && grep -q 'decryptor pass has no key' "$work/keyless.err" && status nokey 2 && grep -q -- '--wrong-key needs --key FILE' "$work/nokey.err" &&
        [ "$(cat "$work/none.err")" = "snnsim: a co-simulation needs verilator (Debian: apt-get install verilator)" ]
}
verdict "another circuit, a missing Verilator and a wrong key of none are told" other errors

# A sample; proofs that the rest changes nothing take minutes (tests/mutate/rtl.sh 200).
NO_PROOF=1 ROUNDS=900 bash tests/mutate/rtl.sh 15 7 >"$work/mutants.json" 2>"$work/mutants.err"
bites() { [[ $(tail -n 1 "$work/mutants.json") =~ ^15\ changes:\ ([0-9]+)\ caught ]] && [ "${BASH_REMATCH[1]}" -ge 12 ]; }
verdict "at least 12 of 15 changed gates are caught: $(tail -n 1 "$work/mutants.json")" mutants bites
