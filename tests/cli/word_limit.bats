#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The decryptor's limit of keyed bits in a row word (encrypt.word_limit): searches keep to it, and what cannot be placed exits with 4; a search names the row, a run with a key does not. The layer has 11 outputs side by side in
# each of its 1024 rows.
load helpers

setup_file() {
    cd "$ROOT" || return 1
}

# Few samples of the synthetic camera; no search here takes a second.
recordings=(--quiet --set dataset.camera.seconds=0.3 --set dataset.camera.train_subjects=2 --set dataset.camera.test_subjects=1 --set dataset.camera.takes=1)

encrypt() { # NAME OPTIONS...
    go encrypt gesture.cfg --clear "${recordings[@]}" -o "$BATS_TEST_TMPDIR/$1.h5" --key "$BATS_TEST_TMPDIR/$1.key" --set encrypt.layers=fc2 --set encrypt.samples=1 \
        --set encrypt.variants=0 --set encrypt.seed=3 --set encrypt.variation=0 --set encrypt.target=0.3 "${@:2}"
}
run_with() { # NAME LIMIT OPTIONS...
    go run gesture.cfg "${recordings[@]}" --model "$BATS_TEST_TMPDIR/$1.h5" --key "$BATS_TEST_TMPDIR/$1.key" --set hw.device=ideal --set "encrypt.word_limit=$2" --limit 2 "${@:3}"
}
most_in_a_row() { # NAME: of the key's bits
    "$SNNSIM" key show "$BATS_TEST_TMPDIR/$1.key" --positions --json 2>/dev/null | "$PYTHON" -c '
import collections, json, sys
positions = json.load(sys.stdin)["content"]["positions"]
print(max(collections.Counter(p["index"] % 1024 for p in positions).values()))'
}

@test "a search keeps to the limit, and its key can be placed" {
    local chip=(--set hw.device=ideal --set hw.cell_bits=2 --set hw.array=64x32) # 8 outputs side by side
    encrypt limited --set encrypt.search=random --set encrypt.bits=2 --set encrypt.any_value=true --set encrypt.word_limit=3 "${chip[@]}"
    expect 0
    most=$("$SNNSIM" key show "$BATS_TEST_TMPDIR/limited.key" --positions --json 2>/dev/null | "$PYTHON" -c '
import collections, json, sys
positions = json.load(sys.stdin)["content"]["positions"]
print(max(collections.Counter((p["index"] % 1024, p["index"] // 1024 // 8) for p in positions).values()))')
    [ "$most" -le 3 ]
    run_with limited "$most" "${chip[@]}"
    expect 0
    [ "$most" -eq 1 ] || { run_with limited $((most - 1)) "${chip[@]}" && expect 4; }
}

@test "a key that was found without a limit: a run refuses it, and does not tell where its bits are" {
    encrypt free --set encrypt.search=random
    expect 0
    most=$(most_in_a_row free)
    [ "$most" -gt 1 ]
    run_with free "$most"
    expect 0
    run_with free $((most - 1))
    expect 4
    complains "the key does not fit the decryptor: it has more keyed bits in a row word than the $((most - 1)) of encrypt.word_limit"
    # shellcheck disable=SC2154 # stderr is set by run
    [[ ! "$stderr" =~ fc2|array|row\ [0-9] ]]
}

@test "a goal that the limit puts out of reach: exit code 4, the row, no files" {
    for search in random saliency; do
        rule=()
        [ $search = random ] || rule=(--set encrypt.rule=magnitude)
        encrypt none --set encrypt.search=$search --set encrypt.word_limit=1 "${rule[@]}"
        expect 4
        complains "no place for more than 1 keyed bits"
        # shellcheck disable=SC2154 # stderr is set by run
        [[ "$stderr" =~ row\ [0-9]+\ of\ array\ [0-9]+\ \(layer\ fc2\) ]]
        [ ! -e "$BATS_TEST_TMPDIR/none.h5" ] && [ ! -e "$BATS_TEST_TMPDIR/none.key" ]
    done
}

@test "the published algorithm knows no limit, but its result is held to it" {
    encrypt snngx --set encrypt.search=snngx --set encrypt.word_limit=1 --set encrypt.generations=2
    expect 4
    [ ! -e "$BATS_TEST_TMPDIR/snngx.key" ]
}
