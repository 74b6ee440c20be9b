#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Ranks of MPI (make MPI=1): a search comes to the same result on 1, 2 and 3 ranks as without MPI; errors end all of them with the right exit code and one message; an interrupted
# search goes on with another number of ranks. Builds into $BUILD-mpi.
set -uo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0
verdict() { # STATUS WHAT [DETAIL]
    n=$((n + 1))
    [ "$1" -eq 0 ] && echo "ok $n - $2" || echo "not ok $n - $2"
    [ -z "${3:-}" ] || echo "# ${3//$'\n'/$'\n'# }"
}
if ! command -v mpicc >/dev/null || ! command -v mpirun >/dev/null; then
    [ "${CI:-}" = true ] && verdict 1 "mpicc or mpirun is missing" || echo "ok 1 - ranks # SKIP mpicc or mpirun is not installed"
    echo "1..1"
    exit
fi
build=${BUILD:?}-mpi
if ! out=$(make -s "-j$(nproc)" MPI=1 BUILD="$build" OBJECTS_FROM="$BUILD" "$build/snnsim" "$build/tools/ranks" 2>&1); then
    verdict 1 "make MPI=1 builds" "$out"
    echo "1..$n"
    exit 1
fi
verdict 0 "make MPI=1 builds"

# As root, with more ranks than cores, and without mpirun's own words about exit codes.
ranks() { # N COMMAND...
    local count=$1
    shift
    timeout -k 5 120 mpirun --allow-run-as-root --oversubscribe --quiet -n "$count" "$@"
}
ends() { # WHAT CODE TEXT GOT-CODE OUTPUT: right exit code, and the text in one line only
    local lines
    lines=$(grep -cF -- "$3" <<<"$5")
    [ "$4" -eq "$2" ] && [ "$lines" -eq 1 ]
    verdict $? "$1" "$([ "$4" -eq "$2" ] && [ "$lines" -eq 1 ] || echo "exit code $4, expected $2; '$3' in $lines lines of: $5")"
}

# ---- ranks themselves ----

for count in 1 2 3 5; do
    out=$(ranks "$count" "$build/tools/ranks" 2>&1)
    ends "$count ranks share and agree" 0 "$count ranks agree" $? "$out"
done
for who in 0 2; do
    out=$(ranks 3 "$build/tools/ranks" fail "$who" 2>&1)
    ends "all end when rank $who fails" 3 "rank $who met bad data" $? "$out"
done
out=$(ranks 2 "$build/tools/ranks" alone 1 2>&1)
ends "rank 1 leaves, and the others are ended" 4 "rank 1 left" $? "$out"

# ---- a search ----

# The synthetic camera's gestures need no data. The seed is given so that results can be compared, the passphrase stretched as lightly as can be.
arguments() { # FOLDER
    printf '%s\n' encrypt gesture.cfg -o "$1/enc.h5" --key "$1/net.key" --out "$1" --kdf interactive --threads 1 \
        --set dataset.camera.seconds=0.3 --set dataset.camera.train_subjects=2 --set dataset.camera.test_subjects=1 --set dataset.camera.takes=1 \
        --set encrypt.samples=1 --set encrypt.variants=0 --set encrypt.layers=fc2 --set encrypt.target=0.3 --set encrypt.variation=1 --set encrypt.seed=77
}
encrypt() { # RANKS (0: without MPI) FOLDER OPTIONS...
    local count=$1 folder=$2 line
    shift 2
    mkdir -p "$folder"
    mapfile -t line < <(arguments "$folder")
    if [ "$count" -eq 0 ]; then
        SNNSIM_PASSPHRASE="test" "$SNNSIM" "${line[@]}" "$@"
    else
        SNNSIM_PASSPHRASE="test" ranks "$count" -x SNNSIM_PASSPHRASE "$build/snnsim" "${line[@]}" "$@"
    fi
}
# What must be the same: the encrypted model's bytes, the key's positions, the front, the number of evaluations.
result() { # FOLDER
    sha256sum <"$1/enc.h5" && sha256sum <"$1/front.csv" && grep '"evaluations"' "$1/report.json" &&
        SNNSIM_PASSPHRASE="test" "$SNNSIM" key show "$1/net.key" --positions --json 2>/dev/null | grep -v '"file"' | sha256sum
}
same() { # WHAT FOLDER OUTPUT
    local got
    got=$(result "$2" 2>&1)
    [ "$got" = "$expected" ]
    verdict $? "$1" "$([ "$got" = "$expected" ] || echo "expected $expected, got $got, from: $3")"
}

for search in saliency genetic random; do
    settings=(--set encrypt.search="$search")
    # Many small batches, which ranks that share a processor take long over: few bits, few children.
    [ "$search" != genetic ] || settings+=(--set encrypt.generations=2 --set encrypt.target=0.7 --set encrypt.variation=0)
    out=$(encrypt 0 "$work/$search" --quiet "${settings[@]}" 2>&1)
    verdict $? "$search without MPI" "$out"
    expected=$(result "$work/$search")
    for count in 1 2 3; do
        out=$(encrypt "$count" "$work/$search$count" "${settings[@]}" 2>&1)
        same "$search on $count ranks" "$work/$search$count" "$out"
    done
done
[ "$(stat -c %a "$work/random3/net.key")" = 600 ]
verdict $? "the key is for its owner only"
[ "$(grep -c '^found' <<<"$out")" -eq 1 ] && [ "$(find "$work/random3" -type f | wc -l)" -eq 4 ]
verdict $? "one rank prints and writes" "$([ "$(grep -c '^found' <<<"$out")" -eq 1 ] || echo "$out")"

# ---- interrupted ----

interrupted() { # FOLDER OPTIONS...: three ranks, of which the first is asked to stop; then two go on
    local folder=$work/$1 pid victim code out
    shift
    mkdir "$folder"
    encrypt 3 "$folder" "$@" >"$folder.log" 2>&1 &
    pid=$!
    for _ in $(seq 400); do # until it has saved something, or is over
        [ -e "$folder/net.key.search" ] || [ -e "$folder/net.key" ] && break
        sleep 0.05
    done
    victim=$(pgrep -f "^$build/snnsim encrypt.*-o $folder/" | head -n 1)
    [ -z "$victim" ] || kill -TERM "$victim"
    wait "$pid"
    code=$?
    if [ "$code" -eq 0 ]; then
        same "it was over before it could be interrupted" "$folder" "$(cat "$folder.log")"
    else
        ends "an interrupted search" 130 "continue with --resume" "$code" "$(cat "$folder.log")"
        out=$(encrypt 2 "$folder" --resume "$@" 2>&1)
        same "and goes on with two ranks" "$folder" "$out"
    fi
}
interrupted stop --set encrypt.search=random

# ---- convolutions: steps that take long, and are stopped and saved in the middle ----

conv=(--set encrypt.layers=conv1 --set dataset.bins=4 --set encrypt.target=0.7 --set encrypt.generations=1 --set encrypt.variation=0)
out=$(encrypt 0 "$work/conv" --quiet "${conv[@]}" 2>&1)
verdict $? "conv1 without MPI" "$out"
expected=$(result "$work/conv")
out=$(encrypt 2 "$work/conv2" "${conv[@]}" 2>&1)
same "conv1 on 2 ranks" "$work/conv2" "$out"
interrupted convstop "${conv[@]}"

# ---- errors ----

out=$(encrypt 3 "$work/random3" --set encrypt.search=random 2>&1)
ends "a key that is there" 2 "a key is never overwritten" $? "$out"
out=$(ranks 2 "$build/snnsim" run gesture.cfg 2>&1)
ends "a command for one process" 2 "runs as one process" $? "$out"
out=$(encrypt 3 "$work/none" --model "$work/no.h5" 2>&1)
ends "a model that is not there" 3 "there is no model" $? "$out"
out=$(mkdir "$work/full" && encrypt 2 "$work/full" --set encrypt.search=random --set encrypt.most_bits=1 2>&1)
ends "a goal that is not met" 4 "the goal was not met" $? "$out"
out=$(ranks 2 "$SNNSIM" encrypt gesture.cfg -o "$work/x.h5" --key "$work/x.key" 2>&1)
code=$?
[ "$code" -eq 2 ] && grep -q "built without MPI" <<<"$out" && [ ! -e "$work/x.key" ]
verdict $? "mpirun with a program without MPI" "$([ "$code" -eq 2 ] || echo "$out")"
echo "1..$n"
