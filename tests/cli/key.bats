#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# snnsim key show and seal, snnsim decrypt: passphrases from everywhere, refusals with their reasons, and what stands in the files.
load helpers

# net.key: 60 random bits of tiny.h5 in clear; sealed.key: the same, passphrase "open sesame".
setup_file() {
    tiny_recorded || return 1
    TOOLS=${BUILD:-$(dirname "$SNNSIM")}/tools
    "$TOOLS/encrypt_random" tiny.h5 60 1234567890123 enc.h5 net.key || return 1
    "$TOOLS/encrypt_random" tiny.h5 60 9 other.h5 other.key || return 1
    "$SNNSIM" key seal net.key -o sealed.key --kdf interactive --new-passphrase-fd 0 <<<"open sesame"
}

setup() {
    cd "$BATS_FILE_TMPDIR" || return 1
    umask 077
    unset SNNSIM_PASSPHRASE
}

# As go, without a terminal to ask on.
away() {
    run --separate-stderr setsid -w "$SNNSIM" "$@" </dev/null
}
# An expression over d, the JSON on stdout.
json() {
    "$PYTHON" -c 'import json, sys
d = json.loads(sys.argv[2])
v = eval(sys.argv[1])
print(*(v if isinstance(v, tuple) else (v,)))' "$1" "$output"
}
mode() { stat -c %a "$1"; }
same_content() { # JSON of key show on stdout against the reader in Python: FILE [PASSPHRASE]
    "$PYTHON" "$ROOT/tests/golden/read_key.py" "$@" >expected.json &&
        "$PYTHON" -c 'import json, sys
shown = json.loads(sys.argv[1])["content"]
expected = json.load(open("expected.json"))
assert shown == expected, (shown, expected)' "$output"
}

@test "key show of a key in clear" {
    away key show net.key
    expect 0
    [ -z "$stderr" ]
    [ "${lines[0]}" = "net.key: key of version 2, 4272 bytes" ]
    [ "${lines[1]}" = "  sealed     no: whoever reads the file has the key" ]
    [ "${lines[3]}" = "  bits       60" ]
    [[ ${lines[4]} == "  conv1      "*" in 72 weights of 8 bits, sign_magnitude" ]]
    [[ $output != *1234567890123* && $output != *"layer,index,bit"* ]]
}

@test "key show of a sealed key without its passphrase" {
    away key show sealed.key
    expect 0
    [ "$output" = "sealed.key: key of version 2, 4256 bytes
  sealed     Argon2id interactive: 2 passes over 64 MiB; XChaCha20-Poly1305
  content    sealed, and no passphrase was given" ]
    [ -z "$stderr" ]
    away key show sealed.key --head
    expect 0
    [ "${#lines[@]}" -eq 2 ]
    away key show sealed.key --json
    expect 0
    [ "$(json "d['sealed'], d['kdf'], d['content'], d['bytes'], d['version']")" = "True {'algorithm': 'argon2id', 'name': 'interactive', 'passes': 2, 'memory_bytes': 67108864} None 4256 2" ]
    away key show sealed.key --positions
    expect 2
    complains "sealed.key: is sealed and there is no passphrase: give it by --passphrase-fd, by SNNSIM_PASSPHRASE or on a terminal"
}

@test "key show --positions --json is what docs/key.md says the file holds" {
    away key show net.key --positions --json
    expect 0
    [ "$stderr" = "snnsim: note: positions and seed are the secret that net.key protects" ]
    same_content net.key
    SNNSIM_PASSPHRASE="open sesame" away key show sealed.key --positions --json
    expect 0
    same_content sealed.key "open sesame"
    run --separate-stderr "$SNNSIM" key show sealed.key --positions --json --passphrase-fd 0 <<<"open sesame"
    expect 0
    same_content sealed.key "open sesame"
    [ "$(json "d['content']['seed'], len(d['content']['positions'])")" = "1234567890123 60" ]
    away key show net.key --positions
    expect 0
    [ "$(grep -c ',' <<<"$output")" -ge 61 ]
    [[ $output == *"  seed       1234567890123"*"layer,index,bit"* ]]
}

@test "wrong passphrases are refused" {
    SNNSIM_PASSPHRASE="open sesam" away key show sealed.key
    expect 3
    complains "sealed.key: the passphrase is wrong, or the file was changed"
    [ -z "$output" ]
    SNNSIM_PASSPHRASE="" away key show sealed.key
    expect 2
    complains "the passphrase from the environment variable SNNSIM_PASSPHRASE is empty"
    away key show sealed.key --passphrase-fd 0
    expect 2
    complains "the passphrase from file descriptor 0 is empty"
    away key show sealed.key --passphrase-fd 77
    expect 2
    complains "cannot read a passphrase from file descriptor 77: Bad file descriptor"
    away key show sealed.key --passphrase-fd x
    expect 2
    away key show sealed.key --passphrase secret
    expect 2
    away key show sealed.key --head --positions
    expect 2
    complains "key show: --head needs no passphrase and shows no positions"
}

@test "key seal changes passphrases and key derivation in place" {
    cp net.key mine.key
    chmod 644 mine.key
    SNNSIM_PASSPHRASE=first away key seal mine.key --kdf interactive
    expect 0
    [ "$stderr" = "snnsim: warning: others may read mine.key; make it yours alone with: chmod 600" ]
    [ "$(mode mine.key)" = 600 ]
    SNNSIM_PASSPHRASE=first away key show mine.key --positions --json
    same_content net.key
    # old from the environment, new from a descriptor
    SNNSIM_PASSPHRASE=first run --separate-stderr "$SNNSIM" key seal mine.key --new-passphrase-fd 3 3<<<"second one"
    expect 0
    [ -z "$stderr$output" ]
    SNNSIM_PASSPHRASE="second one" away key show mine.key --json
    [ "$(json "d['kdf']['name'], d['content']['bits']")" = "moderate 60" ]
    # both from one descriptor
    run --separate-stderr "$SNNSIM" key seal mine.key --kdf interactive --passphrase-fd 0 --new-passphrase-fd 0 <<<$'second one\nthird'
    expect 0
    # old from a descriptor, new from the environment
    SNNSIM_PASSPHRASE=fourth run --separate-stderr "$SNNSIM" key seal mine.key --kdf interactive --passphrase-fd 3 3<<<third
    expect 0
    SNNSIM_PASSPHRASE=fourth away key show mine.key --positions --json
    same_content net.key
    SNNSIM_PASSPHRASE=third away key show mine.key
    expect 3
    # in clear again: the same bytes
    umask 0
    SNNSIM_PASSPHRASE=fourth away key seal mine.key --clear -o clear.key
    expect 0
    [ "$stderr" = "snnsim: warning: clear.key is written in clear: whoever reads it can decrypt; seal it with: snnsim key seal" ]
    [ "$(mode clear.key)" = 600 ]
    cmp clear.key net.key
    SNNSIM_PASSPHRASE=fourth away key show mine.key
    expect 0
}

@test "a key that cannot be sealed stays what it is" {
    cp sealed.key mine.key
    SNNSIM_PASSPHRASE=wrong run --separate-stderr "$SNNSIM" key seal mine.key --new-passphrase-fd 3 3<<<"new"
    expect 3
    SNNSIM_PASSPHRASE="open sesame" away key seal mine.key
    expect 2
    complains "key seal: there is no new passphrase: give it by --new-passphrase-fd, by SNNSIM_PASSPHRASE or on a terminal (or use --clear)"
    away key seal mine.key --clear --kdf moderate
    expect 2
    complains "key seal: --clear takes no new passphrase and no --kdf"
    away key seal mine.key --kdf hard
    expect 2
    complains "--kdf: unknown key derivation 'hard': expected interactive, moderate or sensitive"
    cp tiny.cfg precious.cfg
    SNNSIM_PASSPHRASE="open sesame" away key seal mine.key --clear -o precious.cfg
    expect 2
    complains "precious.cfg: is no key, and is not replaced by one"
    cmp precious.cfg tiny.cfg
    cmp mine.key sealed.key
    away key seal nothing.key --clear
    expect 3
    complains "nothing.key: cannot open: No such file or directory"
    away key seal tiny.h5 --clear
    expect 2
    complains "tiny.h5: is no key, and is not replaced by one"
}

@test "decrypt gives the plain model" {
    away decrypt enc.h5 --key net.key -o plain.h5
    expect 0
    digest=$("$SNNSIM" model show tiny.h5 | grep -oE '[0-9a-f]{64}' | head -n 1)
    [ "$output" = "plain.h5: the plain weights of enc.h5, digest $digest" ]
    [ -z "$stderr" ]
    [ "$(mode plain.h5)" = 600 ]
    "$SNNSIM" model diff plain.h5 tiny.h5
    rm plain.h5
    SNNSIM_PASSPHRASE="open sesame" away decrypt enc.h5 --key sealed.key -o plain.h5 --json
    expect 0
    [ "$(json "d['encrypted'], d['plain'], d['digest']")" = "enc.h5 plain.h5 $digest" ]
    "$SNNSIM" model diff plain.h5 tiny.h5
    run --separate-stderr "$SNNSIM" decrypt enc.h5 --key sealed.key -o plain2.h5 --passphrase-fd 3 3<<<"open sesame"
    expect 0
    cmp plain.h5 plain2.h5
    # spike for spike, as any model file with these weights
    [ "$("$SNNSIM" run tiny.cfg --model plain.h5 --json | grep '"output_spikes"')" = "$("$SNNSIM" run tiny.cfg --json | grep '"output_spikes"')" ]
    [ "$("$SNNSIM" run tiny.cfg --model enc.h5 --json | grep '"output_spikes"')" != "$("$SNNSIM" run tiny.cfg --json | grep '"output_spikes"')" ]
}

@test "decrypt refuses what does not belong together, with a reason" {
    refused() { # CODE SENTENCE ARGUMENT...
        local code=$1 sentence=$2
        shift 2
        rm -f refused.h5
        away decrypt "$@" -o refused.h5
        expect "$code"
        complains "$sentence"
        [ ! -e refused.h5 ]
        [ -z "$output" ]
    }
    belongs="the key does not belong to these weights: it is another model's, or the model was changed after encryption"
    refused 3 "other.h5 with net.key: $belongs" other.h5 --key net.key
    refused 3 "tiny.h5 with net.key: these weights are not encrypted: they are the plain ones of this key" tiny.h5 --key net.key
    refused 3 "the key belongs to another model: its layer of weights 1 is 'conv1', here" "$ROOT/models/nmnist.h5" --key net.key
    refused 2 "sealed.key: is sealed and there is no passphrase" enc.h5 --key sealed.key
    SNNSIM_PASSPHRASE=x refused 3 "sealed.key: the passphrase is wrong, or the file was changed" enc.h5 --key sealed.key
    head -c 4000 sealed.key >cut.key
    refused 3 "cut.key: is cut: 4000 bytes, expected 4256" enc.h5 --key cut.key
    head -c 100 net.key >cut.key
    refused 3 "cut.key: is cut: a key is longer" enc.h5 --key cut.key
    "$PYTHON" -c 'import sys
for name in "net.key", "sealed.key":
    data = bytearray(open(name, "rb").read()); data[1000] ^= 4
    open("bent_" + name, "wb").write(data)'
    refused 3 "bent_net.key: is damaged: its digest is another one" enc.h5 --key bent_net.key
    SNNSIM_PASSPHRASE="open sesame" refused 3 "bent_sealed.key: the passphrase is wrong, or the file was changed" enc.h5 --key bent_sealed.key
    refused 3 "tiny.h5: is no key of snnsim" enc.h5 --key tiny.h5
    refused 3 "none.key: cannot open: No such file or directory" enc.h5 --key none.key
    refused 2 "decrypt: --key FILE is missing (see snnsim decrypt --help)" enc.h5
    away decrypt enc.h5 --key net.key
    expect 2
    complains "decrypt: -o PLAIN is missing (see snnsim decrypt --help)"
    away decrypt enc.h5 --key net.key -o tiny.cfg
    expect 2
    complains "tiny.cfg: is no model, and is not replaced by one"
}

@test "a clear key is refused where a passphrase was given: anybody can make one" {
    for command in "run tiny.cfg --model enc.h5" "decrypt enc.h5 -o clear.h5"; do
        # shellcheck disable=SC2086 # words of a command
        SNNSIM_PASSPHRASE="open sesame" away $command --key net.key
        expect 3
        complains "net.key: is not sealed, but a passphrase was given for it: it may have been exchanged for another key"
        # shellcheck disable=SC2086
        run --separate-stderr "$SNNSIM" $command --key net.key --passphrase-fd 3 3<<<"open sesame"
        expect 3
        complains "net.key: is not sealed, but a passphrase was given"
    done
    run --separate-stderr "$SNNSIM" key show net.key --passphrase-fd 3 3<<<"open sesame"
    expect 3
    [ ! -e clear.h5 ]
}

@test "decrypt does not write over the encrypted model, whatever its name" {
    cp enc.h5 copy.h5
    ln -sf copy.h5 link.h5
    for name in copy.h5 ./copy.h5 link.h5; do
        away decrypt copy.h5 --key net.key -o "$name"
        expect 2
        complains "-o $name: is the encrypted model; the plain one must be another file"
    done
    cmp copy.h5 enc.h5
}

@test "a key whose bits were changed, with a new digest, is refused" {
    "$PYTHON" -c 'import hashlib
data = bytearray(open("net.key", "rb").read())[:-32]
at = 144 + 144 + 2 * 64 + 59 * 16 + 4   # the last bit of the last layer
data[at] = (data[at] + 1) % 8 if data[at] != 7 else 6
open("forged.key", "wb").write(data + hashlib.blake2b(data, digest_size=32).digest())'
    away decrypt enc.h5 --key forged.key -o forged.h5
    expect 3
    complains "enc.h5 with forged.key: the key's bits do not give the plain weights: the key was changed"
    [ ! -e forged.h5 ]
}

@test "the encrypted model holds neither positions nor seed nor the plain digest nor the training record" {
    "$PYTHON" "$ROOT/tests/golden/read_key.py" net.key >positions.json
    "$PYTHON" "$ROOT/tests/check/search_secrets.py" positions.json enc.h5
    # the search finds what is there
    run "$PYTHON" "$ROOT/tests/check/search_secrets.py" positions.json enc.h5 net.key
    [ "$status" -eq 5 ]
    [[ $output == *"net.key: "*"plain digest"* ]]
    [[ $output == *"net.key: "*"seed"* ]]
    [[ $output == *"net.key: "*"positions"* ]]
    run "$SNNSIM" model show enc.h5
    [[ $output != *train* ]]
    run strings -n 6 enc.h5
    [[ $output != *epochs* ]]
}

@test "where no memory can be locked, decrypt warns and works" {
    [ -z "${SAN:-}" ] || skip "the sanitizer's mlock does nothing"
    [ "$(id -u)" -eq 0 ] || skip "the limit of this user is what it is"
    command -v setpriv >/dev/null || skip "no setpriv"
    run --separate-stderr setpriv --bounding-set=-all --inh-caps=-all --reuid=0 bash -c 'ulimit -l 0; "$@"' _ "$SNNSIM" decrypt enc.h5 --key net.key -o plain3.h5
    expect 0
    [ "$stderr" = "snnsim: warning: the key cannot be locked in memory (see ulimit -l), swap space may see it" ]
}

@test "a process with a key leaves no core dump" {
    [ -z "${SAN:-}" ] || skip "the sanitizer's leak check needs to look into the process"
    mkfifo wait.fifo 2>/dev/null || true
    bash -c 'ulimit -c unlimited; exec "$@"' _ "$SNNSIM" key show sealed.key --passphrase-fd 0 <wait.fifo >/dev/null 2>&1 &
    exec 9>wait.fifo
    for _ in {1..100}; do
        limit=$(sed -n 's/^Max core file size *\([^ ]*\) .*/\1/p' "/proc/$!/limits" 2>/dev/null || true)
        [ "$limit" != 0 ] || break
        sleep 0.05
    done
    exec 9>&-
    wait $! || true
    [ "$limit" = 0 ]
}
