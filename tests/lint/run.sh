#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Static checks. Each prints one line, `ok` or `FAILED` with its findings before it; exit status 1 when one failed.
# A missing tool fails when CI=true and is skipped otherwise.
# shellcheck disable=SC2317  # functions are called through check()
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
export LC_ALL=C
status=0

check() { # NAME TOOL COMMAND...
    local name=$1 tool=$2 out start=$SECONDS
    shift 2
    if ! command -v "$tool" >/dev/null; then
        [ "${CI:-}" = true ] && status=1
        echo "$name: $tool is missing $([ "${CI:-}" = true ] && echo "(FAILED)" || echo "(skipped)")"
    elif out=$("$@" 2>&1); then
        echo "$name: ok ($((SECONDS - start)) s)"
    else
        printf '%s\n%s: FAILED\n' "$out" "$name"
        status=1
    fi
}

list() { find "$@" 2>/dev/null | sort; }
mapfile -t sources < <(list base datasets sim hw crypto cli -name '*.c')
mapfile -t units < <(list tests/unit tests/fuzz tests/check tests/bench -name '*.c')
mapfile -t headers < <(list include base datasets sim hw crypto cli tests -name '*.h')
mapfile -t scripts < <(list tests -name '*.sh' -o -name '*.bash'; list .ci -type f -perm -u+x)
mapfile -t bats < <(list tests -name '*.bats')

formatting() { # names the files only: `make format` repairs them
    local bad
    mapfile -t bad < <(clang-format --dry-run "${sources[@]}" "${units[@]}" "${headers[@]}" 2>&1 | sed -n 's/^\([^:]*\):[0-9]*:[0-9]*: warning:.*/\1/p' | sort -u)
    [ ${#bad[@]} -eq 0 ] || { printf '%s is not formatted (make format)\n' "${bad[@]}"; return 1; }
}
check "formatting" clang-format formatting

tidy_all() { printf '%s\n' "${sources[@]}" | xargs -P "$(nproc)" -n 1 bash tests/lint/tidy.sh; }
check "clang-tidy" clang-tidy tidy_all

# Without its library definitions cppcheck knows nothing about OpenMP, HDF5 and the like; it looks for real defects only.
check "cppcheck" cppcheck cppcheck --std=c11 --language=c --quiet --error-exitcode=1 --inline-suppr -j "$(nproc)" -Iinclude -D_GNU_SOURCE \
    --enable=warning,performance,portability --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches \
    --suppressions-list=tests/lint/cppcheck.supp "${sources[@]}"

check "shellcheck" shellcheck shellcheck "${scripts[@]}"
[ ${#bats[@]} -eq 0 ] || check "shellcheck (bats)" shellcheck shellcheck --shell=bats "${bats[@]}"
check "verilator" verilator bash tests/lint/verilog.sh
exit "$status"
