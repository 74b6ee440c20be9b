#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# snnsim encrypt and run --key: files, report, what the key gives back, secrets that stay secret, interruption and resuming, goals that are missed, misuse.
load helpers

setup_file() { quick_model; }

setup() {
    cd "$BATS_FILE_TMPDIR" || return 1
    unset SNNSIM_PASSPHRASE
    ONE=(--set encrypt.layers=fc2 --set encrypt.search=greedy --set encrypt.samples=2 --set encrypt.variation=0 --threads 1 --clear)
    # A second or more, for who wants to interrupt it; sanitizers make ten of one.
    LONG=(--set encrypt.layers=fc1 --set encrypt.target="$([ -z "${SAN:-}" ] && echo 0.45 || echo 0.7)")
}

# encrypt NAME OPTION...: NAME.h5 and NAME.key, of the last layer, in clear
encrypt() {
    go encrypt quick.cfg -o "$1.h5" --key "$1.key" "${ONE[@]}" "${@:2}"
}

# absent TEXT FILE-OR-FOLDER...: it stands in none of them
absent() {
    if grep -rqaF -- "$@"; then grep -rnaF -- "$@"; return 1; fi
}

differ() {
    if cmp -s "$1" "$2"; then echo "$1 and $2 are the same"; return 1; fi
}

digest() { # RUN OPTIONS...: of the output spikes
    "$SNNSIM" run quick.cfg --json "$@" >run.json && value run.json digests.output_spikes
}

@test "writes model and key, and says what they are worth" {
    encrypt a --out a
    expect 0
    [[ $stderr == "snnsim: warning: a.key is written in clear"* ]]
    [ "$(stat -c %a a.key)" = 600 ]
    [ "$(stat -c %a a.h5)" = 644 ]
    [ ! -e a.key.search ]
    [[ $output == *"found "*" bits leave "*" of 22 right (plain: 22)"* ]]
    [[ $output == *"test part "* && $output == *"rest of training "* && $output == *"without key %"* ]]
    [[ $output == *"try it      snnsim run quick.cfg --model a.h5 --key a.key"* ]]
    [ "$(find a -type f -printf '%f\n' | sort | tr '\n' ' ')" = "front.csv report.json " ]
    [ "$(value a/report.json command)" = encrypt ]
    [ "$(value a/report.json result.met)" = True ]
    [ "$(value a/report.json result.minimal)" = True ]
    [ "$(value a/report.json subset.samples)" = 22 ]
    [ "$(value a/report.json unseen.test.samples)" = 44 ]
    [ "$(value a/report.json unseen.training.samples)" = 66 ]
    [ "$(value a/report.json unseen.all.samples)" = 110 ]
    [ "$(value a/report.json search.seed)" = system ]
    [ "$(value a/report.json files.sealed)" = False ]
    [ "$(value a/report.json variation)" = None ]
}

@test "the target is rounded down to whole samples, and says so" {
    encrypt rounded --set encrypt.target=0.15
    expect 0
    [[ $output == *"goal        at most 3 of 22 samples right (13.64 %; asked for 15 %)"* ]]
    [[ $output == *"the target of 15 % was rounded down to 3 of 22 samples (13.64 %)"* ]]
}

@test "the goal counts recordings and variants; variants of nothing are warned of" {
    encrypt varied --set encrypt.variants=2 --set train.shift=1 --out varied
    expect 0
    [ "$(value varied/report.json goal.of_recordings)" = 22 ]
    [ "$(value varied/report.json goal.of_variants)" = 44 ]
    [ "$(value varied/report.json subset.samples)" = 66 ]
    [[ $output == *"of 66 samples right"*"; 22 of these are recordings, 44 variants of them"* ]]
    [ "$(value varied/report.json search.prune)" = True ]
    [[ $output != *"encrypt.variants does nothing"* ]]
    encrypt same --set encrypt.variants=2 --out same
    expect 0
    [ "$(value same/report.json goal.of_variants)" = 0 ]
    [[ $output == *"warning     encrypt.variants does nothing, as there is no augmentation"* ]]
    encrypt none --set encrypt.variants=0
    [[ $output != *"encrypt.variants does nothing"* ]]
}

@test "the report's figures are those of runs" {
    need_numpy
    encrypt f --out f
    expect 0
    for part in test train; do
        "$SNNSIM" run quick.cfg --set dataset.split=$part --quiet --out plain_$part
        "$SNNSIM" run quick.cfg --set dataset.split=$part --quiet --model f.h5 --out thief_$part
    done
    "$PYTHON" "$BATS_TEST_DIRNAME/check_encrypt.py" f plain_test thief_test plain_train thief_train
}

@test "a run with the key equals the plain run spike for spike, on chips too" {
    encrypt k
    expect 0
    plain=$(digest)
    [ "$(digest --model k.h5 --key k.key)" = "$plain" ]
    [ "$(digest --model k.h5)" != "$plain" ]
    [ "$(value run.json run.key)" = False ]
    digest --model k.h5 --key k.key --set run.arithmetic=fixed >fixed_key
    [ "$(digest --set run.arithmetic=fixed)" = "$(cat fixed_key)" ]
    chip=(--set hw.device=ideal --set hw.chips=1)
    [ "$(digest --model k.h5 --key k.key "${chip[@]}")" = "$(digest "${chip[@]}")" ]
    "$SNNSIM" run quick.cfg --model k.h5 --key k.key "${chip[@]}" --out chip --trace fc1 --quiet
    "$SNNSIM" run quick.cfg --out plain --trace fc1 --quiet
    cmp chip/fc1_spikes.npy plain/fc1_spikes.npy
    [ "$(value chip/report.json hardware.plain.digest 2>/dev/null || value chip/report.json digests.output_spikes)" != "" ]
    go run quick.cfg --model k.h5 --key k.key
    [[ $output == *"key         used"* ]]
}

@test "a sweep with the key gives what a sweep of the plain model gives" {
    encrypt sw
    expect 0
    export SNNSIM_DEVICES=$ROOT/hw/devices
    over=(--over "hw.device=ideal,neurram" --set hw.chips=2 --limit 11)
    figures() { "$SNNSIM" sweep quick.cfg "$@" | cut -d, -f1-10; }
    [ "$(figures "${over[@]}" --model sw.h5 --key sw.key)" = "$(figures "${over[@]}")" ]
    [ "$(figures "${over[@]}" --model sw.h5)" != "$(figures "${over[@]}")" ]
    bins=(--over "run.arithmetic=float,fixed" --limit 11)
    [ "$(figures "${bins[@]}" --model sw.h5 --key sw.key)" = "$(figures "${bins[@]}")" ]
    go sweep quick.cfg --over quant.bits=4,8 --model sw.h5 --key sw.key
    expect 2
    complains "--key belongs to the codes of the model"
    go sweep quick.cfg "${bins[@]}" --key sw.key
    expect 3
    go sweep quick.cfg "${bins[@]}" --passphrase-fd 3
    expect 2
    # a table of the thief's is not taken for one with the key
    "$SNNSIM" sweep quick.cfg "${bins[@]}" --model sw.h5 -o table.csv --quiet
    go sweep quick.cfg "${bins[@]}" --model sw.h5 --key sw.key -o table.csv
    expect 2
}

@test "the key is sealed with a passphrase from descriptor or environment" {
    run --separate-stderr "$SNNSIM" encrypt quick.cfg -o s.h5 --key s.key "${ONE[@]/--clear/--kdf}" interactive --passphrase-fd 4 --json 4<<<"open sesame"
    expect 0
    [ -z "$stderr" ]
    [ "$(value <(cat <<<"$output") files.sealed)" = True ]
    [ "$(value <(cat <<<"$output") files.kdf)" = interactive ]
    plain=$(digest)
    [ "$(SNNSIM_PASSPHRASE="open sesame" digest --model s.h5 --key s.key)" = "$plain" ]
    run --separate-stderr "$SNNSIM" run quick.cfg --model s.h5 --key s.key --passphrase-fd 4 4<<<"open sesam"
    expect 3
    complains "s.key"
    go run quick.cfg --model s.h5 --key s.key </dev/null
    expect 2
}

@test "a wrong key, a wrong model and a changed model are refused" {
    encrypt w1
    "${BUILD:-$(dirname "$SNNSIM")}/tools/encrypt_random" quick.h5 40 3 w2.h5 w2.key 1 # two searches may come to the same bits
    go run quick.cfg --model w1.h5 --key w2.key
    expect 3
    complains "w1.h5 with key w2.key"
    go run quick.cfg --key w1.key
    expect 3
    complains "these weights are not encrypted"
    go run quick.cfg --model w1.h5 --key w2.key --set hw.device=ideal
    expect 3
    go run quick.cfg --model w1.h5 --passphrase-fd 3
    expect 2
    complains "run: --passphrase-fd needs --key FILE"
    go run quick.cfg --model w1.h5 --key missing.key
    expect 3
    go run quick.cfg --model w1.h5 --key ""
    expect 2
    complains "--key: the name of the file is empty"
}

@test "the same seed gives the same bits for any number of threads; seeds of the system differ" {
    for threads in 1 2 3; do
        encrypt "t$threads" --set encrypt.seed=5 --set encrypt.search=random --threads $threads
        expect 0
        cmp t1.h5 "t$threads.h5"
        cmp t1.key "t$threads.key"
    done
    encrypt u1 --set encrypt.search=random
    encrypt u2 --set encrypt.search=random
    differ u1.h5 u2.h5
}

@test "the seed stands neither in the report nor in the model" {
    seed=7310954861
    cat quick.cfg - >seeded.cfg <<<"encrypt = { seed = ${seed}L; };"
    go encrypt seeded.cfg -o seed1.h5 --key seed1.key "${ONE[@]}" --out seed1
    expect 0
    said=$output
    encrypt seed2 --set encrypt.seed=$seed --out seed2
    expect 0
    echo "$said$output$stderr" >said
    absent "$seed" said seed1 seed2 seed1.h5 seed2.h5
    grep -q 'encrypt.seed=(secret)' seed2/report.json
    [ "$(value seed2/report.json search.seed)" = given ]
    # a run with the same config does not tell it either, and its report says nothing of the key
    "$SNNSIM" run seeded.cfg --model seed1.h5 --key seed1.key --quiet --out seed3
    absent "$seed" seed3
    cmp seed1.h5 seed2.h5
}

@test "a key is never overwritten, nor the plain model" {
    encrypt o
    expect 0
    cp o.key before
    encrypt o
    expect 2
    complains "o.key: the file exists, and a key is never overwritten"
    cmp o.key before
    go encrypt quick.cfg -o quick.h5 --key p.key "${ONE[@]}"
    expect 2
    complains "-o quick.h5: is the plain model"
    [ ! -e p.key ]
    mkdir -p models
    cp quick.h5 models/bare.h5
    go encrypt quick.cfg --model bare.h5 -o models/bare.h5 --key p.key "${ONE[@]}"
    expect 2
    complains "-o models/bare.h5: is the plain model"
    go encrypt quick.cfg -o quick.cfg --key p.key "${ONE[@]}"
    expect 2
    complains "quick.cfg: is no model"
    go encrypt quick.cfg -o p.h5 --key p.h5 "${ONE[@]}"
    expect 2
    complains "model and key cannot be the same file"
    encrypt p --checkpoint p.key
    expect 2
    complains "--checkpoint p.key: is another file of this command"
    go encrypt quick.cfg -o nowhere/p.h5 --key p.key "${ONE[@]}"
    expect 1
    complains "nowhere"
    [ ! -e p.key ]
    go encrypt quick.cfg -o p.h5 --key nowhere/p.key "${ONE[@]}"
    expect 1
    [ ! -e p.h5 ]
}

@test "a checkpoint is not written over by mistake, nor is what is none" {
    cp quick.cfg precious.txt
    encrypt c --checkpoint precious.txt
    expect 3
    complains "precious.txt"
    complains "is not a checkpoint of snnsim's bit search"
    cmp precious.txt quick.cfg
    encrypt c --checkpoint /dev/zero
    expect 3
    complains "/dev/zero: is not a regular file"
    encrypt c --set encrypt.evaluations=1
    expect 4
    [ -s c.key.search ]
    cp c.key.search before.search
    encrypt c
    expect 2
    complains "c.key.search: holds a search that has not ended; continue it with --resume, or remove the file"
    cmp c.key.search before.search
    [ ! -e c.key ] && [ ! -e c.h5 ]
}

@test "nothing to encrypt, and a goal that nothing can meet" {
    "$SNNSIM" train quick.cfg --quiet --threads 1 --set train.epochs=1 --model weak.h5
    encrypt n --model weak.h5 --set encrypt.target=0.9
    expect 4
    complains "there is nothing to encrypt"
    [ ! -e n.key.search ] && [ ! -e n.key ] && [ ! -e n.h5 ]
    # 12 samples, 11 classes: one class has 2 or more, but 0.1 of 12 is 1
    go encrypt quick.cfg -o n.h5 --key n.key --set encrypt.layers=fc2 --set encrypt.search=greedy --set encrypt.collapse=0.1 \
        --set encrypt.random_samples=12 --set encrypt.variation=0 --threads 1 --clear
    expect 2
    complains "encrypt.collapse: cannot be met: with 12 samples and 11 classes one class has at least 2, but only 1 are allowed"
    [ ! -e n.key.search ]
}

@test "a goal that is missed: exit 4, nothing written but the report" {
    encrypt m --set encrypt.most_bits=2 --out m
    expect 4
    complains "the goal was not met, and neither model nor key is written: the best 2 bits leave"
    [ ! -e m.h5 ] && [ ! -e m.key ] && [ ! -e m.key.search ]
    [ "$(value m/report.json result.met)" = False ]
    [ "$(value m/report.json result.bits)" = 2 ]
    [ "$(value m/report.json files.key)" = None ]
    [ "$(value m/report.json unseen.test.samples)" = 44 ]
    # a budget that ended it can be raised
    encrypt m --set encrypt.evaluations=1 --set encrypt.seed=6
    expect 4
    complains "its budget ended it after"
    [ -e m.key.search ] && [ ! -e m.key ]
    [ "$(stat -c %a m.key.search)" = 600 ]
    encrypt m --resume
    expect 0
    encrypt whole --set encrypt.seed=6
    cmp m.h5 whole.h5
    [ ! -e m.key.search ]
}

@test "a decryptor without place for the key: exit 4 with the row" {
    # no set can make every sample wrong by all of its steps
    encrypt limit --set encrypt.word_limit=1 --set encrypt.margin=8 --set encrypt.most_bits=9 --set hw.device=ideal --set hw.array=512x1024
    expect 4
    [[ $stderr == *"; row "*" of array "*" (layer fc2) has no place for more than 1 keyed bits"* ]]
    [ ! -e limit.h5 ] && [ ! -e limit.key ]
    encrypt free --set encrypt.search=random --set encrypt.seed=3
    expect 0
    go run quick.cfg --model free.h5 --key free.key --set hw.device=ideal --set encrypt.word_limit=1
    expect 4
    complains "row"
    go run quick.cfg --model free.h5 --key free.key --set hw.device=ideal --set encrypt.word_limit=88 --quiet
    expect 0
}

@test "interrupted: 130, a secret checkpoint, and --resume comes to the same files" {
    encrypt i1 "${LONG[@]}" --set encrypt.seed=3
    expect 0
    "$SNNSIM" encrypt quick.cfg -o i2.h5 --key i2.key "${ONE[@]}" "${LONG[@]}" --set encrypt.seed=3 --out i2 2>stopped &
    pid=$!
    for _ in $(seq 500); do [ -s i2.key.search ] && break; sleep 0.02; done
    kill -INT $pid
    code=0
    wait $pid || code=$?
    [ "$code" -eq 130 ]
    grep -q 'interrupted; saved to i2.key.search; continue with --resume' stopped
    [ "$(stat -c %a i2.key.search)" = 600 ]
    [ ! -e i2.h5 ] && [ ! -e i2.key ]
    is_empty i2
    # another search cannot go on from there
    encrypt i2 "${LONG[@]}" --set encrypt.seed=4 --resume
    expect 2
    complains "another encrypt.seed"
    encrypt i2 "${LONG[@]}" --set encrypt.samples=3 --resume
    expect 3
    complains "belongs to another search"
    encrypt i2 "${LONG[@]}" --resume
    expect 0
    cmp i1.h5 i2.h5
    cmp i1.key i2.key
    [ ! -e i2.key.search ]
}

@test "killed between key and model: --resume finishes, but never over another key" {
    "$SNNSIM" encrypt quick.cfg -o k2.h5 --key k2.key "${ONE[@]}" "${LONG[@]}" --set encrypt.seed=3 &
    pid=$!
    for _ in $(seq 500); do [ -s k2.key.search ] && break; sleep 0.02; done
    kill -KILL $pid
    wait $pid || true
    [ -s k2.key.search ] && [ ! -e k2.key ]
    cp k2.key.search kept
    encrypt k2 "${LONG[@]}" --resume
    expect 0
    cp kept k2.key.search
    mv k2.h5 first.h5
    encrypt k2 "${LONG[@]}" --resume
    expect 0
    cmp k2.h5 first.h5
    encrypt other
    cp kept k2.key.search
    cp other.key k2.key
    rm k2.h5
    encrypt k2 "${LONG[@]}" --resume
    expect 2
    complains "k2.key: holds another key, which is not overwritten"
    cmp other.key k2.key
    [ ! -e k2.h5 ]
    rm k2.key.search
}

@test "--resume without a checkpoint starts from the beginning, and says so" {
    encrypt n --resume
    expect 0
    [[ $stderr == *"there is no checkpoint n.key.search: the search starts from the beginning"* ]]
}

@test "variation: throw-away seeds, and a search without entropy is called one" {
    encrypt v --set encrypt.variation=3 --set encrypt.search=saliency --out v
    expect 0
    [ "$(value v/report.json variation.searches)" = 3 ]
    [ "$(value v/report.json variation.met)" = 3 ]
    [ "$(value v/report.json variation.constant)" = True ]
    [[ $output == *"all 3 searches with other seeds came to the same bits"* ]]
    encrypt x --set encrypt.variation=3 --set encrypt.search=saliency --set encrypt.target=0.6 --set encrypt.seed=4 --set encrypt.eligible=0.5 --out x
    expect 0
    [ "$(value x/report.json variation.constant)" = False ]
    [[ $output != *"came to the same bits"* ]]
    # the bound counts what could be drawn, not what was
    [ "$(value x/report.json search.pool)" -gt "$(value x/report.json search.candidates)" ]
    [ "$(value x/report.json search.pool)" = "$(value v/report.json search.candidates)" ]
    [ "$(value v/report.json result.seed_bits)" = 64 ]
    [ "$(value x/report.json result.seed_bits)" = 53 ]
}

@test "misuse" {
    go encrypt quick.cfg --key a.key
    expect 2
    complains "encrypt: -o ENCRYPTED is missing"
    go encrypt quick.cfg -o a.h5
    expect 2
    complains "encrypt: --key FILE is missing"
    encrypt z --kdf interactive
    expect 2
    complains "encrypt: --clear takes no passphrase and no --kdf"
    go encrypt quick.cfg -o z.h5 --key z.key --kdf hard
    expect 2
    complains "--kdf"
    encrypt z --set encrypt.layers=fc9
    expect 2
    complains "there is no layer 'fc9' with weights; expected all, or some of: fc1, fc2"
    encrypt z --set encrypt.samples=9
    expect 3
    complains "class hand clapping has only 8 training samples, but encrypt.samples asks for 9 of each"
    encrypt z --set encrypt.chips=2
    expect 2
    complains "encrypt.chips: needs a chip"
    encrypt z --set encrypt.target=0.999
    expect 0
    encrypt y --set encrypt.target=0.999 --set encrypt.samples=1
    [ ! -e z.key.search ]
}

@test "float weights have no bits to encrypt" {
    "$SNNSIM" train quick.cfg --quiet --model q.h5 --float float.h5 --set train.epochs=1
    encrypt z2 --model float.h5
    expect 3
    complains "float weights, which have no bits to encrypt"
}
