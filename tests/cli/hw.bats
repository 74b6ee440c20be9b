#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# snnsim hw: map, program, device, support, efficiency.
load helpers

setup_file() {
    tiny_recorded
}

setup() { cd "$BATS_FILE_TMPDIR" || return 1; }

# conv1: 2 x 3 x 3 -> 4; fc1: 4 x 8 x 8 -> 11; 8 bits
@test "map prints the table" {
    go hw map tiny.cfg --set hw.array=64x32
    expect 0
    [ "${lines[0]}" = "arrays of 64 rows x 32 columns, 1 weight bit per cell" ]
    [[ ${lines[2]} =~ ^\ \ conv1\ +72\ +8\ sign_magnitude\ +8\ +4\ +1\ x\ 1\ +0\ +576\ +28.1%$ ]]
    [[ ${lines[3]} =~ ^\ \ fc1\ +2816\ +8\ sign_magnitude\ +8\ +4\ +4\ x\ 3\ +1\ +22528\ +91.7%$ ]]
    [ "${lines[4]}" = "13 arrays, 23104 cells hold weights, 26624 cells in all (86.8% used)" ]
}

@test "map follows the model, or without one the section quant" {
    go hw map tiny.cfg --set quant.bits=4
    expect 0
    [[ $output == *" 8 sign_magnitude"* ]]
    go hw map tiny.cfg --set model.path= --set quant.bits=4 --set quant.encoding=twos_complement
    expect 0
    [[ $output == *" 4 twos_complement"* ]]
    go hw map tiny.cfg --set model.path= --model tiny.h5 --set hw.cell_bits=3 --set hw.gray=false
    expect 0
    [ "${lines[0]}" = "arrays of 256 rows x 1024 columns, 3 weight bits per cell (levels in binary)" ]
    go hw map tiny.cfg --set hw.readout=analog
    expect 0
    [[ $output == *" 8 twos_complement"* ]] # currents add up
    go hw map tiny.cfg --model no-such.h5
    expect 3
    complains "there is no model no-such.h5"
}

@test "map exports one line per array" {
    go hw map tiny.cfg --set hw.array=64x32 --csv map.csv
    expect 0
    [ -z "$output$stderr" ]
    [ "$(wc -l <map.csv)" -eq 14 ]
    [ "$(sed -n '1p;2p;3p;5p;14p' map.csv)" = "tile,tensor,first_row,rows,first_output,outputs,cells_used
0,conv1,0,18,0,4,576
1,fc1,0,64,0,4,2048
3,fc1,0,64,8,3,1536
12,fc1,192,64,8,3,1536" ]
    go hw map tiny.cfg --csv no-such-folder/map.csv
    expect 1
    complains no-such-folder/map.csv
    [ -e /dev/full ] || skip "no /dev/full"
    run bash -c "'$SNNSIM' hw map tiny.cfg 2>&1 >/dev/full"
    [ "$status" -eq 1 ]
}

@test "map finds cells and weights" {
    go hw map tiny.cfg --set hw.array=64x32 --cell fc1,2000,3 --at 8,16,27
    expect 0
    [ "${lines[0]}" = "fc1 weight 2000 (output 7, input 208), bit 3: array 11, row 16, column 27; cell number 23067" ]
    [ "${lines[1]}" = "array 8, row 16, column 27: fc1 weight 1936 (output 7, input 144), bit 3" ]
    go hw map tiny.cfg --set hw.array=64x32 --set hw.cell_bits=3 --cell 0,23,4 --at 0,5,4
    expect 0
    [ "${lines[0]}" = "conv1 weight 23 (output 1, channel 0, ky 1, kx 2), bit 4: array 0, row 5, column 4, bit 1 of that cell; cell number 164" ]
    [ "${lines[1]}" = "array 0, row 5, column 4: conv1 weight 23 (output 1, channel 0, ky 1, kx 2), bits 3 to 5" ]
    go hw map tiny.cfg --set hw.readout=analog --set hw.weights=differential --cell fc1,0,1 --at 1,0,1
    expect 0
    [ "${lines[0]}" = "fc1 weight 0 (output 0, input 0), negative cell: array 1, row 0, column 1; cell number 262145" ]
    [ "${lines[1]}" = "array 1, row 0, column 1: fc1 weight 0 (output 0, input 0), negative cell" ]
}

@test "map tells other cells apart" {
    at() { "$SNNSIM" hw map tiny.cfg --set hw.array=64x40 --set hw.repair.secded=8 --set hw.repair.spare_rows=2 --set hw.repair.spare_columns=1 --at "$1"; }
    [ "$(at 0,17,39)" = "array 0, row 17, column 39: not used" ]
    [ "$(at 0,18,0)" = "array 0, row 18, column 0: not used" ]
    [ "$(at 0,17,40)" = "array 0, row 17, column 40: check bit of a code word" ]
    [ "$(at 0,18,40)" = "array 0, row 18, column 40: not used" ]
    [ "$(at 0,17,65)" = "array 0, row 17, column 65: spare column" ]
    [ "$(at 1,64,3)" = "array 1, row 64, column 3: spare row" ]
    go hw map tiny.cfg --set hw.array=64x40 --set hw.repair.secded=8 --set hw.repair.spare_rows=2 --set hw.repair.spare_columns=1 --at 1,66,0
    expect 2
    complains "--at, ROW 66: expected a number from 0 to 65"
}

@test "program saves a chip that runs" {
    go hw program tiny.cfg --set hw.device=harsh --chip 7 --seed 5 --set hw.repair.msb_placement=true --set hw.repair.spare_rows=1 -o chip7.h5
    expect 0
    [ "${lines[0]}" = "chip 7 of seed 5, device harsh: 2 arrays" ]
    [ "${lines[1]}" = "  programmed  23104 cells with 23104 pulses" ]
    [[ ${lines[2]} =~ ^\ \ stuck\ +[0-9]+\ at\ HRS,\ [0-9]+\ at\ LRS ]]
    [[ ${lines[3]} =~ ^\ \ repaired\ +[12]\ rows\ and\ 0\ columns\ replaced,\ order\ of\ [1-9][0-9]*\ lanes\ changed$ ]]
    first=$output
    go hw program tiny.cfg --set hw.device=harsh --chip 7 --seed 5 --set hw.repair.msb_placement=true --set hw.repair.spare_rows=1 -o again.h5
    expect 0
    [ "$output" = "$first" ]
    cp chip7.h5 copy.h5
    go run tiny.cfg --set hw.device=harsh --seed 5 --set hw.repair.msb_placement=true --set hw.repair.spare_rows=1 --chip chip7.h5 --quiet
    expect 0
    go hw program tiny.cfg --set hw.device=harsh --chip 8 --seed 5 -o chip7.h5 # may be written over
    expect 0
    run cmp -s chip7.h5 copy.h5
    [ "$status" -eq 1 ]
}

@test "program refuses what it must not replace, and needs a name and a device" {
    cp tiny.cfg other.cfg
    go hw program tiny.cfg --set hw.device=ideal -o other.cfg
    expect 2
    complains "other.cfg: is no chip file, and is not replaced by one"
    cmp tiny.cfg other.cfg
    go hw program tiny.cfg --set hw.device=ideal
    expect 2
    complains "hw program: -o CHIP is missing"
    go hw program tiny.cfg -o x.h5
    expect 2
    complains "hw.device: is empty"
    go hw program tiny.cfg --set hw.device=ideal --set hw.chip_file=chip7.h5 -o x.h5
    expect 2
    complains "hw.chip_file: is a chip that is programmed already"
    go hw program tiny.cfg --set hw.device=ideal --chip x -o x.h5
    expect 2
    complains "--chip x: expected a number from 0 to 1000000000"
    go hw program tiny.cfg --set hw.device=ideal -o no-such-folder/x.h5
    expect 1
    complains no-such-folder
    [ ! -e x.h5 ]
}

@test "device prints levels and error rates" {
    cat >cell.cfg <<'CFG'
cell = { source = "made up"; g_min = 10.0; g_max = 30.0; levels = 4; program = { sigma = [2.0]; }; retention = { form = "log"; mean_per_ln = -0.5; }; };
CFG
    go hw device tiny.cfg --set hw.device=./cell.cfg --set hw.time=3600
    expect 0
    [ "${lines[0]}" = "cell: made up" ]
    [ "${lines[1]}" = "10 to 30 uS, up to 4 levels; here 1 bit per cell" ]
    [ "${lines[2]}" = "acting in digital read-out: programming, relaxation" ]
    # Phi(-5) = 2.867e-7; after a day: 0.5 ln 86400 = 5.6834 lower, Phi(-2.1583) = 0.01545 for the higher level
    [[ $output == *"as programmed"*"0     10.0000     10.0000      2.0000         2.867e-07"*"after 1 s"*"after 1 day"*"1     30.0000     24.3166      2.0000           0.01545"*"(hw.time)"* ]]
    go hw device tiny.cfg --set hw.device=./cell.cfg --set hw.readout=analog
    expect 0
    [[ $output != *"bit error rate"* ]]
    go hw device tiny.cfg --set hw.device=./cell.cfg --set hw.effects=none
    expect 0
    [[ $output == *"acting in digital read-out: nothing"* ]]
    go hw device tiny.cfg --set hw.device=no-such-device
    expect 2
    complains no-such-device
}

@test "support lists every effect in both modes" {
    go hw support
    expect 0
    [ "${#lines[@]}" -eq 36 ]
    [ "$(grep -c '^  digital  ' <<<"$output")" -eq 12 ]
    [ "$(grep -c 'not supported' <<<"$output")" -eq 3 ]
    go hw support x
    expect 2
    complains "hw support: unexpected argument 'x'"
}

@test "wrong addresses" {
    while IFS='|' read -r option value sentence; do
        go hw map tiny.cfg "$option" "$value"
        expect 2
        complains "$sentence"
        [ -z "$output" ]
    done <<'CASES'
--cell|fc1,0|--cell fc1,0: expected LAYER,INDEX,BIT
--cell|fc1,0,0,0|--cell fc1,0,0,0: expected LAYER,INDEX,BIT
--cell|,0,0|--cell ,0,0: expected LAYER,INDEX,BIT
--cell|a-name-of-more-than-thirty-one-bytes,0,0|expected LAYER,INDEX,BIT
--cell|fc9,0,0|--cell fc9: no layer with weights has that name or number (numbers 0 to 1)
--cell|2,0,0|--cell 2: no layer with weights has that name or number (numbers 0 to 1)
--cell|pool1,0,0|--cell pool1: no layer with weights
--cell|fc1,2816,0|--cell fc1,2816,0: layer 'fc1' has no weight 2816: expected 0 to 2815
--cell|fc1,0,8|--cell fc1,0,8: weights of layer 'fc1' have no bit 8: expected 0 to 7
--cell|fc1,x,8|--cell, INDEX x: expected a number from 0 to 4294967295
--cell|fc1,0,-1|--cell, BIT -1: expected a number
--at|0,0|--at 0,0: expected ARRAY,ROW,COLUMN
--at|2,0,0|--at, ARRAY 2: expected a number from 0 to 1
--at|0,256,0|--at, ROW 256: expected a number from 0 to 255
--at|0,0,1024|--at, COLUMN 1024: expected a number from 0 to 1023
CASES
    go hw map tiny.cfg --set hw.array=64*32
    expect 2
    complains "--set: hw.array: '64*32': expected ROWSxCOLUMNS, each from 1 to 65536, such as 256x1024"
    go hw map tiny.cfg --set hw.array=64x7
    expect 2
    complains "an array of 7 columns is narrower than one weight of layer 'conv1', which takes 8 cells"
    go hw
    expect 2
    complains "hw: what to do is missing (see snnsim hw --help)"
    go hw foo
    expect 2
    complains "hw: unknown action 'foo' (see snnsim hw --help)"
    go hw map
    expect 2
    complains "hw map: CONFIG is missing (see snnsim hw map --help)"
}

@test "efficiency prints the ten rows of docs/energy.md" {
    go hw efficiency
    expect 0
    [ "$(grep -c fitted <<<"$output")" -eq 2 ]
    while IFS='|' read -r _ bits phases published predicted error _; do
        [[ $bits =~ ^\ [0-9]+,\ [0-9]+\ $ ]] || continue
        echo "row: $bits $phases $published $predicted $error"
        read -r bits <<<"${bits/,/ }"
        grep -qE "^ +${bits// / +} +${phases// /} +${published// /} +${predicted// /} +$(sed 's/^ *//;s/ *$//;s/+/[+]/' <<<"$error")$" <<<"$output"
    done <"$BATS_TEST_DIRNAME/../../docs/energy.md"
}
