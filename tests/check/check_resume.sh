#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A search that is killed (SIGKILL) at any moment and resumed comes to the result that it would have come to undisturbed, and no model or key file is ever half-written.
# KILLS: how often (6); each time the search is killed at a moment of its own, resumed, and killed again until it ends by itself or has been killed four times. Half as often a search of a convolution,
# whose steps take long: it is saved in the middle of them.
set -uo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0
verdict() { # STATUS WHAT [DETAIL]
    n=$((n + 1))
    [ "$1" -eq 0 ] && echo "ok $n - $2" || echo "not ok $n - $2"
    [ -z "${3:-}" ] || echo "# ${3//$'\n'/$'\n'# }"
}
kills=${KILLS:-6}

# The synthetic camera's gestures need no data; the seed is given so that results can be compared. The passphrase is stretched as lightly as can be: it is not the subject.
encrypt() { # FOLDER OPTIONS...
    local folder=$1
    shift
    SNNSIM_PASSPHRASE="test" "$SNNSIM" encrypt gesture.cfg -o "$folder/enc.h5" --key "$folder/net.key" --kdf interactive --quiet --set dataset.camera.seconds=0.3 \
        --set dataset.camera.train_subjects=2 --set dataset.camera.test_subjects=1 --set dataset.camera.takes=1 --set encrypt.samples=1 \
        --set encrypt.variants=0 --set encrypt.variation=0 --set encrypt.seed=77 "${options[@]}" "$@"
}
# What must be the same: the encrypted model's bytes and the key's positions.
result() { # FOLDER
    sha256sum <"$1/enc.h5" && SNNSIM_PASSPHRASE="test" "$SNNSIM" key show "$1/net.key" --positions --json 2>/dev/null | grep -v '"file"' | sha256sum
}

# Files that are there after a kill must be whole, and there is never a model without its key.
whole_files() { # FOLDER
    local status=0
    if [ -e "$1/enc.h5" ]; then
        "$SNNSIM" model show "$1/enc.h5" >/dev/null || status=1
        [ -e "$1/net.key" ] || { echo "a model without a key"; status=1; }
    fi
    if [ -e "$1/net.key" ]; then
        SNNSIM_PASSPHRASE="test" "$SNNSIM" key show "$1/net.key" >/dev/null || status=1
    fi
    return "$status"
}
trial() { # FOLDER NUMBER: killed up to four times, each at a moment of its own, then left alone
    local folder=$1 i pid delay
    for i in 1 2 3 4; do
        delay=$((($2 * 7919 + i * 104729) % 1000 * micros / 1000))
        encrypt "$folder" --resume >"$folder/out" 2>&1 &
        pid=$!
        sleep "$((delay / 1000000)).$(printf %06d $((delay % 1000000)))"
        pkill -KILL -P "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
        killed=$((killed + 1))
        whole_files "$folder" || return 1
        [ ! -e "$folder/enc.h5" ] || return 0
        [ "$killed" -lt "$kills" ] || break
    done
    encrypt "$folder" --resume || return 1
}

undisturbed() {
    local start=${EPOCHREALTIME/./} out
    mkdir "$work/$layer"
    out=$(encrypt "$work/$layer" 2>&1)
    verdict $? "$layer: a search undisturbed" "$out"
    micros=$((${EPOCHREALTIME/./} - start))
    expected=$(result "$work/$layer")
    [ "$(wc -l <<<"$expected")" -eq 2 ] && [ -e "$work/$layer/net.key" ]
    verdict $? "$layer: has a result ($((micros / 1000)) ms)"
}
killing() { # KILLS
    local kills=$1 folder got left
    killed=0 trials=0
    while [ "$killed" -lt "$kills" ]; do
        trials=$((trials + 1))
        folder=$work/$layer.$trials
        mkdir "$folder"
        if ! trial "$folder" "$trials" >"$work/log" 2>&1; then
            verdict 1 "$layer: trial $trials" "$(cat "$work/log")"
            continue
        fi
        got=$(result "$folder")
        if [ "$got" != "$expected" ]; then
            verdict 1 "$layer: trial $trials comes to the undisturbed result" "expected $expected"$'\n'"got $got"
            continue
        fi
        left=$(find "$folder" -mindepth 1 ! -name enc.h5 ! -name net.key ! -name out)
        [ -z "$left" ] || echo "# left over after a kill: ${left//$'\n'/ }"
    done
    verdict 0 "$layer: $killed kills in $trials searches, each came to the undisturbed result"
}

layer=fc2
options=(--set encrypt.layers=fc2 --set encrypt.target=0.5 --set encrypt.generations=30)
undisturbed
killing "$kills"
layer=conv1
options=(--set encrypt.layers=conv1 --set encrypt.target=0.7 --set encrypt.generations=1 --set dataset.bins=4)
undisturbed
killing $(((kills + 1) / 2))
echo "1..$n"
