#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The test runner itself: crashes, hangs, early exits and skipped tests must be counted for what they are.
set -uo pipefail
top=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/tests/{unit,cli,check,fuzz} "$work"/build/{tests,replay}
cp "$top/tests/run.sh" "$work/tests/"

fake_unit() { # NAME BODY
    : >"$work/tests/unit/$1.c"
    printf '#!/bin/bash\n%s\n' "$2" >"$work/build/tests/$1"
    chmod +x "$work/build/tests/$1"
}
suite() { # TESTS FAILURES SKIPPED
    echo "echo '<testsuite name=\"a b\" time=\"0.0\" tests=\"$1\" failures=\"$2\" errors=\"0\" skipped=\"$3\" >' >>\"\$CMOCKA_XML_FILE\""
}
n=0
expect() { # WHAT LINE STATUS [NAME]
    local out status
    out=$(cd "$work" && env -u SAN BUILD=build TIMEOUT=2 bash tests/run.sh ${4:+"$4"} 2>&1)
    status=$?
    n=$((n + 1))
    if [ "$(tail -n 1 <<<"$out")" = "$2" ] && [ "$status" -eq "$3" ]; then
        echo "ok $n - $1"
    else
        echo "not ok $n - $1"
        echo "# ${out//$'\n'/$'\n'# }"
        echo "# expected '$2' and status $3, got status $status"
    fi
}

echo 1..8
fake_unit test_good "$(suite 5 0 2)"
fake_unit test_two "$(suite 3 0 0); $(suite 4 0 0)"
expect "groups add up and skipped tests are told" "10 passed, 0 failed, 2 skipped" 0
expect "a name picks suites" "7 passed, 0 failed" 0 two
fake_unit test_crash "$(suite 3 0 0); kill -SEGV \$\$"
expect "a crash after good tests is one failure" "3 passed, 1 failed" 1 crash
fake_unit test_silent "exit 0"
expect "a program without a result has failed" "0 passed, 1 failed" 1 silent
fake_unit test_bad "$(suite 6 2 1); exit 2"
expect "failures count once" "3 passed, 2 failed, 1 skipped" 1 bad
fake_unit test_hang "sleep 60"
expect "a program that hangs has failed" "0 passed, 1 failed" 1 hang
printf 'echo 1..4; echo ok 1 - a; echo "ok 2 - b # SKIP no data"; exit 1\n' >"$work/tests/check/check_early.sh"
expect "a script that stops early fails what it announced" "1 passed, 2 failed, 1 skipped" 1 early
rm -f "$work"/tests/check/* "$work"/tests/unit/test_{crash,silent,bad,hang}.c
expect "what is gone is not run" "10 passed, 0 failed, 2 skipped" 0
