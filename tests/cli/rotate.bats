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
    [[ $output == *"rotation    $old old bits, $new new ones, none in common"* ]]
    [ -s old.h5 ] && [ -s old.key ]
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
    "$SNNSIM" key rotate quick.cfg --model old.h5 --key old.key -o r1.h5 --new-key r1.key "${SEARCH[@]}" --clear --set encrypt.layers=fc1 \
        --set encrypt.seed=9 --quiet
    "$SNNSIM" key rotate quick.cfg --model old.h5 --key old.key -o r2.h5 --new-key r2.key "${SEARCH[@]}" --clear --set encrypt.layers=fc1 \
        --set encrypt.seed=9 --quiet 2>stopped &
    pid=$!
    for _ in $(seq 500); do [ -s r2.key.search ] && break; sleep 0.02; done
    kill -INT $pid
    code=0
    wait $pid || code=$?
    [ "$code" -eq 130 ]
    rotate r2 --clear --set encrypt.layers=fc1 --resume
    expect 0
    cmp r1.h5 r2.h5
    cmp r1.key r2.key
}
