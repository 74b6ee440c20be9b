#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# snnsim train: the files it writes, reproducibility, interruption and resuming.
load helpers

setup_file() { tiny_folder; }

setup() { cd "$BATS_FILE_TMPDIR" || return 1; }

@test "writes a model and its curve, and no checkpoint is left" {
    mkdir first
    go train tiny.cfg --model first/m.h5 --threads 1
    expect 0
    [ -z "$stderr" ]
    [ "$(find first -type f -printf '%f\n' | sort | tr '\n' ' ')" = "m.h5 m.h5.training.csv " ]
    [ "$(head -n 1 first/m.h5.training.csv)" = "epoch,quantised,learning_rate,loss,accuracy,validation_loss,validation_accuracy,seconds,best" ]
    [ "$(cut -d, -f1,2 first/m.h5.training.csv | sed 1d | tr '\n' ' ')" = "1,0 2,0 3,0 4,0 5,0 6,0 7,0 8,0 9,1 10,1 " ]
    [ "$(grep -c '^epoch ' <<<"$output")" -eq 10 ]
    [[ $output == *"wrote first/m.h5: 8 bit, epoch 10 of 10, trained in "* ]]
    [[ $output == *"try it: snnsim run tiny.cfg --model first/m.h5" ]]
    go run tiny.cfg --model first/m.h5
    expect 0
}

@test "without --model the config says where" {
    go train tiny.cfg --quiet --set train.epochs=1 --set train.quant_epochs=0 --set 'model.path="named.h5"'
    expect 0
    [ -z "$output$stderr" ]
    [ -s named.h5 ] && [ -s named.h5.training.csv ]
    go train tiny.cfg --set 'model.path=""'
    expect 2
    complains "set model.path or use --model FILE"
}

@test "the same seed gives the same file, another one another" {
    for name in a b c; do
        "$SNNSIM" train tiny.cfg --quiet --model $name.h5 --seed "$([ $name = c ] && echo 2 || echo 1)"
    done
    cmp a.h5 b.h5
    go model diff a.h5 c.h5
    expect 4
}

@test "the same weights for 1, 2 and 3 threads" {
    for threads in 1 2 3; do
        "$SNNSIM" train tiny.cfg --quiet --model "threads$threads.h5" --threads $threads
        go model diff threads1.h5 "threads$threads.h5"
        expect 0
    done
}

@test "a validation share shows in the curve" {
    go train tiny.cfg --model v.h5 --set train.validation=0.5 --set train.epochs=2 --set train.quant_epochs=0
    expect 0
    [[ $output == *"validation "* ]]
    while IFS=, read -r _ _ _ _ _ loss accuracy _; do
        [ -n "$loss" ] && [ -n "$accuracy" ]
    done < <(sed 1d v.h5.training.csv)
}

@test "--from starts from a model: no epochs give it back, another network is refused" {
    go train tiny.cfg --quiet --model start.h5
    expect 0
    go train tiny.cfg --quiet --from start.h5 --model same.h5 --set train.epochs=0 --set train.quant_epochs=0
    expect 0
    go model diff start.h5 same.h5
    expect 0
    go train tiny.cfg --quiet --from start.h5 --model other.h5 --set network.neuron.decay=0.5
    expect 3
    complains "--from start.h5: not the network of tiny.cfg"
    [ ! -e other.h5 ]
}

@test "--float keeps the float weights, and quantising them gives the model" {
    go train tiny.cfg --quiet --model q.h5 --float f.h5 --set train.quant_epochs=0
    expect 0
    go model quantise tiny.cfg f.h5 -o again.h5
    expect 0
    go model diff q.h5 again.h5
    expect 0
    go run tiny.cfg --model f.h5
    expect 0
    [[ $output == *"weights of 32 bit (float)"* ]]
    go run tiny.cfg --model f.h5 --set run.arithmetic=fixed
    [ "$status" -ne 0 ]
    complains "f.h5"
}

@test "interrupted, it saves and goes on to the same bits" {
    course=(--threads 1 --set train.epochs=800 --set train.quant_epochs=3 --set train.validation=0.5)
    "$SNNSIM" train tiny.cfg --quiet --model i.h5 "${course[@]}" 2>i.log 3>&- &
    job=$!
    for _ in $(seq 1000); do # until the first epoch is done; all of them take more than a second
        [ ! -e i.h5.checkpoint ] || break
        sleep 0.01
    done
    kill -INT $job
    code=0
    wait $job || code=$?
    [ $code -eq 130 ] || { echo "exit code $code"; cat i.log; false; }
    [ "$(cat i.log)" = "snnsim: interrupted; saved to i.h5.checkpoint; continue with --resume" ]
    [ ! -e i.h5 ]
    [ "$(wc -l <i.h5.training.csv)" -lt 800 ]
    go train tiny.cfg --quiet --model i.h5 --resume "${course[@]}"
    expect 0
    [ ! -e i.h5.checkpoint ]
    "$SNNSIM" train tiny.cfg --quiet --model whole.h5 "${course[@]}"
    cmp whole.h5 i.h5
    diff <(cut -d, -f1-7,9 whole.h5.training.csv) <(cut -d, -f1-7,9 i.h5.training.csv)
}

@test "a checkpoint goes on only with its own settings" {
    timeout -s INT 1 "$SNNSIM" train tiny.cfg --quiet --model s.h5 --set train.epochs=100000 || true
    [ -s s.h5.checkpoint ]
    before=$(cksum <s.h5.checkpoint)
    go train tiny.cfg --quiet --model s.h5 --resume --set train.epochs=100000 --set train.learning_rate=0.1
    [ "$status" -eq 2 ] || expect 3
    complains checkpoint
    [ "$before" = "$(cksum <s.h5.checkpoint)" ]
    [ ! -e s.h5 ]
}

@test "nothing to resume" {
    go train tiny.cfg --resume --model fresh.h5
    expect 2
    [ "$stderr" = "snnsim: --resume: there is no checkpoint fresh.h5.checkpoint" ]
    echo rubbish >fresh.h5.checkpoint
    go train tiny.cfg --resume --model fresh.h5
    expect 3
    complains "fresh.h5.checkpoint"
    [ "$(cat fresh.h5.checkpoint)" = rubbish ]
}

@test "an unwritable place is found before training" {
    touch file
    for model in file/m.h5 no-such-folder/m.h5 /proc/m.h5; do
        go train tiny.cfg --model $model
        expect 1
        complains "$model"
    done
    go train tiny.cfg --model ok.h5 --float no-such-folder/f.h5
    expect 1
    [ ! -e ok.h5 ]
}

@test "a config without a network" {
    sed '/^network/,/^};/d' tiny.cfg >bare.cfg
    go train bare.cfg --model bare.h5
    expect 2
    [ "$stderr" = "snnsim: bare.cfg: there is no network.layers to train" ]
}
