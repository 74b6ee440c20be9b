#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# snnsim dataset: show, make, verify.
load helpers

setup_file() { tiny_model; }

setup() { cd "$BATS_FILE_TMPDIR" || return 1; }

@test "show counts classes and measures recordings" {
    go dataset show tiny.cfg
    expect 0
    [ -z "$stderr" ]
    [[ $output == *"data set   dvs128_gesture (synthetic camera)"* ]]
    [[ $output == *"sensor     128x128, 2 channels"* ]]
    [[ $output == *"input      5 steps of 2x16x16"* ]]
    [ "$(grep -cE '^ +[0-9]+  [a-z ]+ 2 +1$' <<<"$output")" -eq 11 ]
    [[ $output =~ all\ +22\ +11 ]]
    [[ $output == *"measured on 11 of 11 test recordings:"* ]]
    # 0.2 s of recording
    read -r _ _ low _ high < <(grep '^duration' <<<"$output")
    "$PYTHON" -c "import sys; low, high = map(float, sys.argv[1:]); assert 0.15 < low <= high <= 0.2, (low, high)" "$low" "$high"
    go dataset show tiny.cfg --limit 3
    [[ $output == *"measured on 3 of 11 test recordings:"* ]]
}

@test "show draws a sample" {
    go dataset show tiny.cfg --sample 4
    expect 0
    [ "${#lines[@]}" -eq 9 ] # 16 pixels: two rows for a line of text, and the head
    [[ ${lines[0]} == "sample 4: "*", class 4 (right arm counter clockwise), "*" inputs in 5 steps" ]]
    [ "$(sed 1d <<<"$output" | awk '{ print length($0) }' | sort -u)" = 50 ] # three panels and two bars
    [[ $output == *[+#-]* ]]
    go dataset show tiny.cfg --sample 11
    expect 2
    complains "--sample 11: the test part has 11 samples, numbered from 0"
    go dataset show tiny.cfg --sample 21 --set dataset.split=train
    expect 0
}

@test "what make writes reads back as the same recordings" {
    go dataset make tiny.cfg -o made
    expect 0
    [[ $output == "wrote made; "* ]]
    [ -s made/trials_to_train.txt ] && [ -s made/trials_to_test.txt ]
    "$SNNSIM" run tiny.cfg --quiet --out memory
    "$SNNSIM" run tiny.cfg --quiet --out files --set 'dataset.path="made"'
    [ "$(value memory/report.json digests.output_spikes)" = "$(value files/report.json digests.output_spikes)" ]
    [ "$(value memory/report.json dataset.events)" = "$(value files/report.json dataset.events)" ]
    go dataset show tiny.cfg --set 'dataset.path="made"'
    expect 0
    [[ $output =~ all\ +22\ +11 ]]
    go dataset make tiny.cfg -o again --quiet
    expect 0
    [ -z "$output$stderr" ]
    diff -r made again
    touch file
    go dataset make tiny.cfg -o file
    expect 1
    complains file
}

@test "verify finds what is missing and what is broken" {
    "$SNNSIM" dataset make tiny.cfg -o broken --quiet
    go dataset verify tiny.cfg --set 'dataset.path="broken"'
    expect 4 # far fewer recordings than the release has
    [ -n "$output" ]
    complains finding
    before=$(wc -l <<<"$output")
    truncate -s -5 "$(find broken -name '*.aedat' | sort | head -n 1)"
    go dataset verify tiny.cfg --set 'dataset.path="broken"'
    [ "$status" -eq 4 ] || expect 3
    [ "$status" -eq 3 ] || [ "$(wc -l <<<"$output")" -ge "$before" ]
    go run tiny.cfg --set 'dataset.path="broken"' --set dataset.split=all
    expect 3
    complains .aedat
}

@test "a data set that is not there says where to get it" {
    cp "$ROOT/configs/nmnist.cfg" .
    SNNSIM_DATA=/nowhere go dataset show nmnist.cfg
    [ "$status" -eq 2 ] || expect 3
    complains /nowhere
    go dataset show nmnist.cfg --set 'dataset.path=""'
    expect 2
    complains dataset.path
}
