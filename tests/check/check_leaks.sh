#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Nothing secret leaks: the passphrase stands nowhere in the memory of `snnsim run --key` (what a core dump would hold), and neither key positions nor the seed nor the plain weights' digest in
# reports, logs, names of files and the encrypted model. Every search is shown to find what is there.
set -uo pipefail
work=$(mktemp -d)
pid=
cleanup() {
    [ -z "$pid" ] || kill -9 "$pid" 2>/dev/null
    rm -rf "$work"
}
trap cleanup EXIT
python=/usr/bin/python3
checks=$PWD/tests/check
tools=$BUILD/tools
n=0
verdict() { # STATUS WHAT [DETAIL]
    n=$((n + 1))
    [ "$1" -eq 0 ] && echo "ok $n - $2" || echo "not ok $n - $2"
    [ -z "${3:-}" ] || echo "# ${3//$'\n'/$'\n'# }"
}
random_text() { head -c 24 /dev/urandom | base64 | tr '/+' 'xy'; }

# The synthetic camera's gestures, and the model that comes with the sources.
small=(--set dataset.camera.seconds=0.3 --set dataset.camera.train_subjects=2 --set dataset.camera.test_subjects=1 --set dataset.camera.takes=1)
passphrase=$(random_text)
unset SNNSIM_PASSPHRASE
umask 077
"$tools/encrypt_random" models/gesture.h5 300 987654321987654 "$work/enc.h5" "$work/clear.key" &&
    "$SNNSIM" key seal "$work/clear.key" -o "$work/sealed.key" --kdf interactive --new-passphrase-fd 0 <<<"$passphrase"
verdict $? "an encrypted model and a sealed key"

# ---- memory ----

# Where the passphrase and the control are found in the memory of $pid: two lines, or the reason why nobody may look.
search_memory() {
    printf '%s\n' "$passphrase" "$control" | "$python" "$checks/search_memory.py" "$pid" 2>&1
}
wait_until() { # COMMAND...: at most 30 s
    for _ in {1..600}; do
        "$@" && return
        kill -0 "$pid" 2>/dev/null || return 1
        sleep 0.05
    done
    return 1
}
# What a search in memory came to: the control is there, the passphrase is (yes) or is not.
judge_memory() { # WHAT EXPECTED
    local found
    found=$(search_memory)
    if [ $? -eq 3 ]; then
        n=$((n + 1))
        echo "ok $n - $1 # SKIP this user may not look into the process, nor may others of its kind"
        return
    fi
    case $2:$found in
        yes:"1 "[!-]*"2 "[!-]*) verdict 0 "$1" ;;
        no:"1 -"*"2 "[!-]*) verdict 0 "$1" ;;
        *) verdict 1 "$1" "$found" ;;
    esac
}
# A sleeper: in a system call that waits for a pipe, not running.
sleeps() { [[ $(cut -d' ' -f3 "/proc/$pid/stat" 2>/dev/null) == S ]]; }
blocked_on_pipe() { # that all threads of it sleep twice in a row, and the pipe is what it waits for
    sleeps && sleep 0.2 && sleeps && [[ $(cat "/proc/$pid/wchan" 2>/dev/null) == *pipe* || $(cat "/proc/$pid/syscall" 2>/dev/null) == "1 "* ]]
}

# While half a new passphrase has been typed, it is in memory: the search must find it.
control=$(random_text)
mkfifo "$work/half"
CONTROL=$control "$SNNSIM" key seal "$work/clear.key" -o "$work/other.key" --new-passphrase-fd 7 7<"$work/half" >/dev/null 2>&1 &
pid=$!
exec 8>"$work/half"
printf '%s' "$passphrase" >&8
reads() { [[ $(cat "/proc/$pid/syscall" 2>/dev/null) == "0 0x7 "* ]]; }
if [ -r "/proc/$pid/syscall" ]; then wait_until reads; else sleep 2; fi
judge_memory "the search finds a passphrase while it is read" yes
exec 8>&-
wait "$pid"
pid=

# At its end the run waits for a pipe that is full; by then, all that it ever did with the passphrase is done.
# In its middle it is stopped when the first predictions are on the disk: the key is in use.
mkfifo "$work/full"
exec 8<>"$work/full"
head -c 65536 /dev/zero >&8
predictions() { compgen -G "$work/out/*predictions.csv*" >/dev/null && [ -n "$(find "$work/out" -name '*predictions.csv*' -size +0)" ]; }
run_with() { # WHAT fd|environment
    local how=$2
    control=$(random_text)
    rm -rf "$work/out"
    local run=("$SNNSIM" run gesture.cfg --model "$work/enc.h5" --key "$work/sealed.key" --out "$work/out" "${small[@]}" --set dataset.camera.seconds=1.5)
    if [ "$how" = fd ]; then
        CONTROL=$control "${run[@]}" --passphrase-fd 6 6<<<"$passphrase" >&8 2>"$work/err" &
    else
        CONTROL=$control SNNSIM_PASSPHRASE=$passphrase "${run[@]}" >&8 2>"$work/err" &
    fi
    pid=$!
    wait_until predictions || wait_until sleeps
    kill -STOP "$pid"
    judge_memory "$1, while it runs" no
    kill -CONT "$pid"
    wait_until blocked_on_pipe
    judge_memory "$1, at its end" no
    kill -9 "$pid"
    wait "$pid" 2>/dev/null
    pid=
    [ ! -s "$work/err" ]
    verdict $? "$1: nothing on stderr" "$(head -c 300 "$work/err")"
}
run_with "run --key with the passphrase from a file descriptor" fd
run_with "run --key with the passphrase from the environment" environment
exec 8>&-

# ---- files ----

# The files of an encryption: by the default search with a seed from the system, and by a rule with one that was given.
leaks() { # WHAT FOLDER KEY
    local found
    ls -R "$2" >"$2/names.txt"
    found=$(find "$2" -type f ! -name '*.key' ! -name '*.search' -print0 | xargs -0 "$python" "$checks/search_secrets.py" "$3")
    verdict $? "$1: no positions, seed or plain digest in $(find "$2" -type f ! -name '*.key' | wc -l) files" "$found"
}
encryption() { # FOLDER OPTIONS...: sets command
    local folder=$1
    shift
    command=("$SNNSIM" encrypt gesture.cfg -o "$folder/enc.h5" --key "$folder/net.key" --kdf interactive --out "$folder/out" --json "${small[@]}"
        --set encrypt.samples=1 --set encrypt.layers=fc2 --set encrypt.variants=0 --set encrypt.target=0.5 --set encrypt.variation=1 "$@")
}
for kind in system given; do
    mkdir -p "$work/$kind"
    given=()
    [ "$kind" = system ] || given=(--set encrypt.seed=123456789123 --set encrypt.search=saliency)
    encryption "$work/$kind" "${given[@]}"
    SNNSIM_PASSPHRASE=$passphrase "${command[@]}" >"$work/$kind/stdout" 2>"$work/$kind/stderr"
    status=$?
    verdict "$status" "an encryption (seed: $kind)" "$(head -c 300 "$work/$kind/stderr")"
    SNNSIM_PASSPHRASE=$passphrase "$SNNSIM" key show "$work/$kind/net.key" --positions --json >"$work/$kind.json" 2>/dev/null
    [ "$status" -ne 0 ] || leaks "seed: $kind" "$work/$kind" "$work/$kind.json"
done
grep -q '"seed": "123456789123"' "$work/given.json"
verdict $? "the key has the seed that was given"

# The search finds what a careless program would have written.
"$SNNSIM" key show "$work/clear.key" --positions --json >"$work/clear.json" 2>/dev/null
plant() { # FORM: a report with a secret in it, on stdout
    "$python" - "$work/clear.json" "$1" <<'PLANT'
import json, struct, sys
key = json.load(open(sys.argv[1]))["content"]
seed, positions = int(key["seed"]), key["positions"]
words = struct.pack("<%dI" % len(positions), *(p["index"] for p in positions))
sys.stdout.buffer.write(b"a report\n" + {
    "nothing": b"", "mixed": " ".join("(%d)" % p["index"] for p in sorted(positions, key=lambda p: p["index"] % 7919)).encode(), "positions": json.dumps(positions, indent=2).encode(), "indices": words, "decimal": b"seed %d." % seed,
    "hexadecimal": b"seed 0x%X" % seed, "word": b"x" + struct.pack("<Q", seed), "other word": struct.pack(">Q", seed),
    "digest": b"digest: " + key["plain"].encode(), "bytes": bytes.fromhex(key["plain"])}[sys.argv[2]])
PLANT
}
for form in nothing positions mixed indices decimal hexadecimal word "other word" digest bytes; do
    expected=5
    [ "$form" != nothing ] || expected=0
    plant "$form" >"$work/planted" && "$python" "$checks/search_secrets.py" "$work/clear.json" "$work/planted" >/dev/null
    [ $? -eq "$expected" ]
    verdict $? "the search finds what is planted: $form"
done

# An interrupted search leaves a checkpoint: a secret (mode 0600), with a name that says nothing.
mkdir "$work/cut"
encryption "$work/cut" --set encrypt.seed=123456789123 --set encrypt.search=greedy --set encrypt.layers=conv1 --set encrypt.variation=0
SNNSIM_PASSPHRASE=$passphrase "${command[@]}" >"$work/cut/stdout" 2>"$work/cut/stderr" &
pid=$!
wait_until test -e "$work/cut/net.key.search"
kill -INT "$pid" 2>/dev/null
wait "$pid"
status=$?
pid=
[ "$status" -eq 130 ] && [ "$(stat -c %a "$work/cut/net.key.search")" = 600 ]
verdict $? "an interrupted search leaves its checkpoint to its owner alone" "exit code $status"
leaks "interrupted" "$work/cut" "$work/given.json"
echo "1..$n"
