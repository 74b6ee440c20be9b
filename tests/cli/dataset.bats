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

# braille.cfg and a pickle as Python writes it: 4 letters, taxel k of letter k fires ON at 0.25 s and OFF at 1.0 s.
braille() {
    "$PYTHON" - <<'PY'
import pickle
def events(k):
    return [[[0.25] if t == k else [], [1.0] if t == k else []] for t in range(12)]
pickle.dump([{"letter": l, "events": events(k)} for k, l in enumerate(["A", "Space", "Z", "A"] * 3)], open("data_braille_letters_th_5.pkl", "wb"), 3)
PY
    cat >braille.cfg <<'CFG'
dataset = { name = "braille"; path = "data_braille_letters_th_5.pkl"; folds = 3; bins = 270; bin_us = 5000; from_zero = true; rounding = "nearest"; };
CFG
}

@test "Braille letters: classes, folds, a raster" {
    braille
    go dataset show braille.cfg
    expect 0
    [[ $output == *"data set   braille (./data_braille_letters_th_5.pkl)"* ]]
    [[ $output == *"input      270 steps of 1x1x24"*", 5000 us each"* ]]
    [[ $output =~ all\ +8\ +4 ]]
    [[ $output =~ "duration (s)"\ +0.75\ +0.75\ +0.75 ]]
    [[ $output =~ "share of ON events"\ +0.5\ +0.5\ +0.5 ]]
    go dataset show braille.cfg --sample 2 --set 'dataset.split="all"'
    expect 0
    [ "${#lines[@]}" -eq 14 ] # head, 12 taxels, foot
    [ "${lines[0]}" = "sample 2: data_braille_letters_th_5.pkl:2, class 26 (Z), 2 inputs in 270 steps" ]
    # bin 50 of 270 in column 18 of 100, bin 200 in column 74
    [ "${lines[3]}" = "    2 |$(printf '%18s+%55s-%25s' '' '' '')|" ]
    [ "$(grep -c '[+-]' <<<"$output")" -eq 1 ]
    [ "${lines[13]}" = "      step 0$(printf '%95s' 269)" ]
    go dataset show braille.cfg --set dataset.folds=0
    expect 0
    [[ $output == *"no test part: "*"Braille letters have no official test part"* ]]
    go dataset verify braille.cfg
    expect 4
    [[ $output == *"Space: 3 trials, the official release has 200"* ]]
    [[ $output == *"12 trials, the official release has 5400"* ]]
}

@test "show draws an SVG" {
    braille
    go dataset show braille.cfg --sample 1 --plot letter.svg --set 'dataset.split="all"'
    expect 0
    "$PYTHON" - <<'PY'
import re, xml.dom.minidom as x
d = x.parse("letter.svg")
texts = [t.firstChild.data for t in d.getElementsByTagName("text")]
assert texts[0] == "braille 1: data_braille_letters_th_5.pkl:1, class 0 (Space)", texts
assert "time (s)" in texts and "input line" in texts and "ON" in texts and "11" in texts, texts
paths = {p.getAttribute("stroke"): p.getAttribute("d") for p in d.getElementsByTagName("path")}
# taxel 1 of 12 in rows of 33 px below 48 px; 0.25 s and 1 s of 1 s on 900 px from 64 px on
assert paths == {"#d55e00": "M289 97.5h1", "#0072b2": "M963 97.5h1"}, paths
PY
    go dataset show tiny.cfg --plot gesture.svg
    expect 0
    [[ ${lines[0]} == "sample 0: "* ]]
    "$PYTHON" - <<'PY'
import xml.dom.minidom as x
d = x.parse("gesture.svg")
texts = [t.firstChild.data for t in d.getElementsByTagName("text")]
assert "pixel" in texts and "16383" in texts, texts
assert [t for t in texts if t.startswith("steps")] == ["steps 0..0", "steps 1..1", "steps 2..2", "steps 3..3", "steps 4..4"], texts
assert len(d.getElementsByTagName("path")) == 2 + 5 * 2 * 4
PY
    go dataset show tiny.cfg --plot picture.png
    expect 2
    complains "--plot picture.png: drawings are SVG files; give a name that ends in .svg"
    go dataset show tiny.cfg --plot none/picture.svg
    expect 1
    complains none/picture.svg
    [ ! -e picture.png ]
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

@test "verify says what has no release, and reads nothing of the synthetic camera" {
    mkdir listed
    "$PYTHON" -c 'open("listed/1.bs2", "wb").write(bytes([1, 1, 0, 0, 1]))'
    printf '1\t3\n' >listed/test.txt
    go dataset verify tiny.cfg --set 'dataset.name="nmnist"' --set 'dataset.path="listed"' --set 'dataset.test_list="test.txt"'
    expect 0
    [ "${lines[0]}" = "lists are checked for their content only, not compared with the official release" ]
    [ "${lines[1]}" = "no findings" ]
    # days of recording, at once
    go dataset verify tiny.cfg --set dataset.camera.test_subjects=10000 --set dataset.camera.seconds=10
    expect 0
    [ "${lines[0]}" = "the synthetic camera's recordings are made in memory; nothing is read from disk" ]
    [ "${lines[1]}" = "no findings" ]
    [ -z "$stderr" ]
}

# All test traces of SHD, each the same with every channel in 20 s of bins: half a minute to read.
traces() {
    mkdir -p "$1"
    "$PYTHON" - "$1" <<'PY'
import os, sys
os.chdir(sys.argv[1])
with open("input_0.trace", "w") as f:
    f.write("3\n" + "".join(f"{b}," + ",".join(map(str, range(1, 700))) + "\n" for b in range(2000)))
for i in range(1, 2264):
    os.link("input_0.trace", f"input_{i}.trace")
PY
}

@test "verify shows its progress on a terminal and stops at an interrupt" {
    traces traces
    cat >traces.cfg <<'CFG'
dataset = { name = "shd"; path = "traces"; bins = 100; bin_us = 10000; from_zero = true; };
CFG
    # an interrupt when the progress line appears, so that the check is at work
    "$PYTHON" - "$SNNSIM" traces.cfg <<'PY'
import os, pty, signal, sys, time
for quiet in [False, True]:
    open("out.txt", "w").close()
    master, slave = pty.openpty()
    pid = os.fork()
    if pid == 0:
        os.dup2(slave, 2)
        null = os.open("out.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(null, 1)
        os.execv(sys.argv[1], [sys.argv[1], "dataset", "verify", sys.argv[2]] + ["--quiet"] * quiet)
    os.close(slave)
    text = b""
    if quiet: # without a line only the findings tell
        while b"binned traces" not in open("out.txt", "rb").read():
            time.sleep(0.01)
        os.kill(pid, signal.SIGINT)
    killed = quiet
    while True:
        try:
            more = os.read(master, 4096)
        except OSError:
            more = b""
        if not more:
            break
        text += more
        if not killed and b"verify  " in text:
            killed = True
            os.kill(pid, signal.SIGINT)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert status == 130, (status, text)
    assert (b"/2264  " in text and b"recordings/s" in text) != quiet, text
    assert b"snnsim: interrupted after " in text and b" of 2264 samples" in text, text
    assert b"binned traces, 2264 of 2264" in open("out.txt", "rb").read()
PY
}

@test "verify names traces that were cut at the end of a line" {
    mkdir cut
    "$PYTHON" - <<'PY'
for i, bins in enumerate([99, 50]):
    open(f"cut/input_{i}.trace", "w").write("3\n" + "".join(f"{b},{b + 1}\n" for b in range(bins)))
PY
    go dataset verify tiny.cfg --set 'dataset.name="shd"' --set 'dataset.path="cut"' --set dataset.downsample=1
    expect 4
    [[ $output == *"sample input_1.trace: 51 lines, each published trace has 100: the class and 99 bins; it may be cut off"* ]]
    [[ $output != *"input_0.trace: "* ]]
}

@test "show fails when a part is broken, not when it is absent" {
    mkdir -p half/Train/1
    "$PYTHON" -c 'open("half/Train/1/00001.bin", "wb").write(bytes([1, 1, 0, 0, 1] * 2))'
    half=(--set 'dataset.name="nmnist"' --set 'dataset.path="half"' --set dataset.downsample=1)
    go dataset show tiny.cfg "${half[@]}"
    expect 0
    [[ $output == *"no test part: half: no recordings Test/"* ]]
    mkdir -p half/Test/1
    printf 1234 >half/Test/1/00001.bin
    go dataset show tiny.cfg "${half[@]}"
    expect 3
    [[ $output == *"no test part: "*"cut off"* ]]
    [[ $output =~ all\ +1\ +0 ]]
    complains "half/Test/1/00001.bin: byte 0: the recording is cut off inside an event"
    mv half/Train half/Third
    mv half/Test half/Train
    mv half/Third half/Test
    go dataset show tiny.cfg "${half[@]}"
    expect 3
    [[ $output == *"no training part: "* ]]
    complains "half/Train/1/00001.bin: byte 0: the recording is cut off"
    # nothing but the broken part
    rm -r half/Test
    go dataset show tiny.cfg "${half[@]}"
    expect 3
    [ -z "$output" ]
    complains "half/Train/1/00001.bin: byte 0: the recording is cut off"
    rm -r half/Train
    go dataset show tiny.cfg "${half[@]}"
    expect 3
    complains "no recordings Test/"
    # a broken file, in a set without a test part
    braille
    truncate -s -1 data_braille_letters_th_5.pkl
    go dataset show braille.cfg --set dataset.folds=0
    expect 3
    complains "the pickle is cut off"
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
