#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# snnsim key rotate: a new version that shares no bit with the old one, what both together tell, and that nothing old is lost.
load helpers

setup_file() {
    quick_model
    "$SNNSIM" encrypt quick.cfg -o old.h5 --key old.key "${SEARCH[@]}" --clear --quiet
}

SEARCH=(--set encrypt.layers=fc2 --set encrypt.search=greedy --set encrypt.samples=2 --set encrypt.variation=0 --threads 1)

setup() {
    cd "$BATS_FILE_TMPDIR" || return 1
    unset SNNSIM_PASSPHRASE
}

rotate() { # NAME OPTION...
    go key rotate quick.cfg --model old.h5 --key old.key -o "$1.h5" --new-key "$1.key" "${SEARCH[@]}" "${@:2}"
}

bits_that_differ() { # A B: of all weight bits, by the codes that both export
    "$SNNSIM" model export "$1" --npy a
    "$SNNSIM" model export "$2" --npy b
    "$PYTHON" -c 'import numpy
n = 0
for layer in ("fc1", "fc2"):
    a, b = (numpy.load(f"{d}/{layer}.npy").astype(int) for d in "ab")
    assert (abs(a) == abs(b)).all()
    n += (a != b).sum()
print(n)'
}

@test "the new version decrypts to the same network, shares no bit, and says what both tell" {
    need_numpy
    rotate new --clear --out new
    expect 0
    "$SNNSIM" run quick.cfg --json >plain.json
    "$SNNSIM" run quick.cfg --json --model new.h5 --key new.key >key.json
    [ "$(value plain.json digests.output_spikes)" = "$(value key.json digests.output_spikes)" ]
    old=$(value new/report.json rotation.old_bits)
    new=$(value new/report.json rotation.new_bits)
    [ "$(value new/report.json command)" = "key rotate" ]
    [ "$(value new/report.json rotation.shared_bits)" = 0 ]
    [ "$(value new/report.json rotation.bits_that_differ)" = $((old + new)) ]
    [ "$(value new/report.json result.bits)" = "$new" ]
    [ "$(bits_that_differ old.h5 quick.h5)" = "$old" ]
    [ "$(bits_that_differ new.h5 quick.h5)" = "$new" ]
    [ "$(bits_that_differ old.h5 new.h5)" = $((old + new)) ]
    "$PYTHON" -c 'import math, sys
k, n, left = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
assert abs(math.log2(math.comb(k + n, k)) - left) < 1e-6' "$old" "$new" "$(value new/report.json rotation.entropy_left_bits)"
    [[ $output == *"rotation    $old old bits, $new new ones, 0 in common with any earlier key"* ]]
    [ -s old.h5 ] && [ -s old.key ]
}

@test "a third version shares no bit with the first either, and rotating twice is warned of" {
    need_numpy
    [ "$(value new/report.json warnings)" = "[]" ] || [[ $(value new/report.json warnings) != *"three versions"* ]]
    go key rotate quick.cfg --model new.h5 --key new.key -o third.h5 --new-key third.key "${SEARCH[@]}" --clear --out third
    expect 0
    [[ $output == *"warning     this is version 3 of the model: who has three versions finds the plain network and the keys"* ]]
    [[ $(value third/report.json warnings) == *"retrain or quantise anew"* ]]
    old=$(value new/report.json rotation.old_bits)
    new=$(value new/report.json rotation.new_bits)
    third=$(value third/report.json rotation.new_bits)
    [ "$(value third/report.json rotation.earlier_keys)" = 1 ]
    [ "$(value third/report.json rotation.retired_bits)" = $((old + new)) ]
    [ "$(value third/report.json rotation.shared_bits)" = 0 ]
    [ "$(bits_that_differ third.h5 old.h5)" = $((old + third)) ]
    [ "$(bits_that_differ third.h5 new.h5)" = $((new + third)) ]
    "$SNNSIM" key show third.key --positions --json >third.json
    "$SNNSIM" key show old.key --positions --json >old.json
    "$SNNSIM" key show new.key --positions --json >new.json
    "$PYTHON" -c 'import json
key = {n: json.load(open(n + ".json"))["content"] for n in ("old", "new", "third")}
place = lambda list: {(p["layer"], p["index"], p["bit"]) for p in list}
assert key["third"]["earlier_keys"] == 2
assert place(key["third"]["retired"]) == place(key["old"]["positions"]) | place(key["new"]["positions"])
assert not place(key["third"]["retired"]) & place(key["third"]["positions"])'
    "$PYTHON" "$ROOT/tests/golden/read_key.py" third.key >expected.json
    "$PYTHON" -c 'import json; assert json.load(open("third.json"))["content"] == json.load(open("expected.json"))'
    # what the warning says: each bit as two of three versions have it
    for f in old new third; do "$SNNSIM" model export $f.h5 --npy m_$f; done
    "$SNNSIM" model export quick.h5 --npy m_plain
    "$PYTHON" -c 'import numpy
for layer in ("fc1", "fc2"):
    a, b, c, plain = (numpy.load(f"m_{d}/{layer}.npy") for d in ("old", "new", "third", "plain"))
    assert (numpy.where(a == b, a, c) == plain).all()'
}

@test "the new key of a sealed one needs a passphrase, or --clear" {
    printf 'one\n' >one.pass
    "$SNNSIM" key seal old.key -o sealed_old.key --kdf interactive --new-passphrase-fd 3 3<one.pass
    run --separate-stderr setsid -w "$SNNSIM" key rotate quick.cfg --model old.h5 --key sealed_old.key -o z.h5 --new-key z.key "${SEARCH[@]}" \
        --passphrase-fd 3 3<one.pass </dev/null
    expect 2
    complains "key rotate: the old key is sealed, but there is no passphrase for the new one: use --new-passphrase-fd, or --clear for a key without"
    [ ! -e z.h5 ] && [ ! -e z.key ]
    run --separate-stderr setsid -w "$SNNSIM" key rotate quick.cfg --model old.h5 --key old.key -o z.h5 --new-key z.key "${SEARCH[@]}" \
        --clear --passphrase-fd 3 3<one.pass </dev/null
    expect 3
    complains "old.key: is not sealed, but a passphrase was given for it"
}

@test "the old version may be replaced, and a key never is" {
    cp old.h5 place.h5
    go key rotate quick.cfg --model place.h5 --key old.key -o place.h5 --new-key place.key "${SEARCH[@]}" --clear
    expect 0
    go run quick.cfg --model place.h5 --key place.key --quiet
    expect 0
    go run quick.cfg --model place.h5 --key old.key
    expect 3
    go key rotate quick.cfg --model old.h5 --key old.key -o x.h5 --new-key old.key "${SEARCH[@]}" --clear
    expect 2
    complains "old.key: the file exists, and a key is never overwritten"
}

@test "old and new passphrase come from two lines of one descriptor, or from one each" {
    printf 'new one\n' >new.pass
    run --separate-stderr "$SNNSIM" key rotate quick.cfg --model old.h5 --key old.key -o s1.h5 --new-key s1.key "${SEARCH[@]}" \
        --kdf interactive --quiet --new-passphrase-fd 4 4<new.pass
    expect 0
    run --separate-stderr "$SNNSIM" key rotate quick.cfg --model s1.h5 --key s1.key -o s2.h5 --new-key s2.key "${SEARCH[@]}" \
        --kdf interactive --quiet --passphrase-fd 5 --new-passphrase-fd 5 5<<<$'new one\nthird'
    expect 0
    SNNSIM_PASSPHRASE=third go run quick.cfg --model s2.h5 --key s2.key --quiet
    expect 0
    SNNSIM_PASSPHRASE="new one" go run quick.cfg --model s2.h5 --key s2.key
    expect 3
}

@test "when the goal needs the old bits: exit 4, nothing written" {
    rotate none --clear --set encrypt.most_bits=1
    expect 4
    complains "of the old key were excluded"
    [ ! -e none.h5 ] && [ ! -e none.key ]
    [[ $output != *rotation* ]]
    rotate none --clear --set encrypt.most_bits=1 --out none
    [ "$(value none/report.json rotation.new_bits)" = None ]
    [ "$(value none/report.json rotation.bits_that_differ)" = None ]
    [ "$(value none/report.json rotation.entropy_left_bits)" = None ]
}

@test "a wrong key and missing options" {
    "$SNNSIM" encrypt quick.cfg -o other.h5 --key other.key "${SEARCH[@]}" --clear --quiet --seed 5
    go key rotate quick.cfg --model old.h5 --key other.key -o x.h5 --new-key x.key "${SEARCH[@]}" --clear
    expect 3
    complains "old.h5 with other.key"
    go key rotate quick.cfg --model quick.h5 --key old.key -o x.h5 --new-key x.key "${SEARCH[@]}" --clear
    expect 3
    complains "these weights are not encrypted"
    go key rotate quick.cfg --key old.key -o x.h5 --new-key x.key
    expect 2
    complains "key rotate: --model OLD is missing"
    go key rotate quick.cfg --model old.h5 -o x.h5 --new-key x.key
    expect 2
    complains "--key OLDKEY is missing"
    go key rotate quick.cfg --model old.h5 --key old.key --new-key x.key
    expect 2
    complains "-o NEW is missing"
    go key rotate quick.cfg --model old.h5 --key old.key -o x.h5
    expect 2
    complains "--new-key NEWKEY is missing"
    [ ! -e x.h5 ] && [ ! -e x.key ]
}

@test "interrupted and resumed" {
    local long=(--set encrypt.layers=fc1 --set encrypt.target="$([ -z "${SAN:-}" ] && echo 0.5 || echo 0.7)")
    "$SNNSIM" key rotate quick.cfg --model old.h5 --key old.key -o r1.h5 --new-key r1.key "${SEARCH[@]}" --clear "${long[@]}" \
        --set encrypt.seed=9 --quiet
    "$SNNSIM" key rotate quick.cfg --model old.h5 --key old.key -o r2.h5 --new-key r2.key "${SEARCH[@]}" --clear "${long[@]}" \
        --set encrypt.seed=9 --quiet 2>stopped &
    pid=$!
    for _ in $(seq 500); do [ -s r2.key.search ] && break; sleep 0.02; done
    kill -INT $pid
    code=0
    wait $pid || code=$?
    [ "$code" -eq 130 ]
    rotate r2 --clear "${long[@]}" --resume
    expect 0
    cmp r1.h5 r2.h5
    cmp r1.key r2.key
}
