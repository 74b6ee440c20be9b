#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Rules about the tree that no compiler keeps: floors, licence lines, headers that stand alone, no global state, nothing borrowed.
set -uo pipefail
n=0
verdict() { # WHAT FINDINGS: fails when there are findings
    n=$((n + 1))
    if [ -z "$2" ]; then
        echo "ok $n - $1"
    else
        echo "not ok $n - $1"
        echo "# ${2//$'\n'/$'\n'# }"
    fi
}
echo 1..7
files() { # PATTERN...: tracked files, or all of them where there is no git (a tarball)
    if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
        git ls-files -- "$@"
    else
        local p
        for p in "$@"; do find . -path "./build*" -prune -o -type f -name "${p##*/}" -print; done | sed 's|^\./||'
    fi
}

# A folder includes only from the floors below it; private headers ("x.h") stay within their folder, and the program sees only the public ones.
floor_of() {
    case $1 in base) echo 0 ;; datasets) echo 1 ;; sim) echo 2 ;; hw) echo 3 ;; crypto) echo 4 ;; cli) echo 5 ;; *) echo 9 ;; esac
}
header_floor() { # public header: the floor whose folder it describes
    case $1 in
        config | cpu | digest | error | hdf5_file | output | portable_math | random | spikes | version) echo 0 ;;
        events | dataset | camera) echo 1 ;;
        net | weights | engine | probe | model | import | train | metrics | evaluate | augment) echo 2 ;;
        analog | chip | chips | cipher | circuit | compare | cosim | decryptor | device | hw | ledger | map | mask_fault | power | provision | readout | rows | synthesis | tile | tile_network) echo 3 ;;
        *) echo 4 ;;
    esac
}
findings=$(for folder in base datasets sim hw crypto; do
    for f in "$folder"/*.c "$folder"/*.h; do
        [ -f "$f" ] || continue
        while read -r header; do
            [ "$(header_floor "$header")" -le "$(floor_of "$folder")" ] || echo "$f includes snnsim/$header.h from a floor above"
        done < <(sed -n 's|^#include [<"]snnsim/\(.*\)\.h[>"].*|\1|p' "$f")
        sed -n 's|^#include "\(.*/.*\)"|\1|p' "$f" | grep -v '^snnsim/' | while read -r header; do
            [ "$(floor_of "${header%%/*}")" -le "$(floor_of "$folder")" ] || echo "$f includes $header from a floor above"
        done
    done
done)
verdict "folders include only from floors below" "$findings"
# shellcheck disable=SC2046
findings=$(grep -nE '^#include "(\.\./)*(base|datasets|sim|hw|crypto)/' cli/*.[ch] 2>/dev/null)
verdict "the program uses only the public headers" "$findings"

findings=$(files '*.c' '*.h' '*.sh' '*.bats' '*.py' '*.cfg' '*.v' Makefile .clang-format .clang-tidy .ci/run | while read -r f; do
    [ -f "$f" ] && ! head -n 5 "$f" | grep -q 'SPDX-License-Identifier: \(GPL-3.0-or-later\|Apache-2.0\)' && echo "$f has no SPDX line"
done)
verdict "every source file names its licence" "$findings"

# Each public header compiles alone, in C and in C++.
findings=$(for h in include/snnsim/*.h; do
    inc=snnsim/$(basename "$h")
    printf '#include <%s>\nint used;\n' "$inc" | gcc -std=c11 -Wall -Wextra -Wpedantic -Werror -Iinclude -x c -fsyntax-only - 2>&1 | head -n 3
    if command -v g++ >/dev/null; then
        echo "#include <$inc>" | g++ -std=c++17 -Wall -Wextra -Werror -Iinclude -x c++ -fsyntax-only - 2>&1 | head -n 3
    fi
done)
verdict "public headers stand alone in C and C++" "$findings"

# No global mutable state: the library has no writable data (relocated constants lie in .data.rel.ro), and exports only snn_ names.
# OpenMP's named critical sections are the exception: their locks are common symbols that the compiler makes. So is the lock of libhdf5, whose state is the process's (base/hdf5_file.c).
library=${BUILD:-build}/libsnnsim.a
findings=$(objdump -t "$library" 2>&1 | awk 'NF >= 5 && $(NF - 2) ~ /^(\.data|\.bss|\.tdata|\.tbss|\*COM\*)/ && $(NF - 2) !~ /^\.data\.rel\.ro/ &&
    $NF !~ /^(\.|hdf5_(lock|depth)$)/ { print $NF " is writable (" $(NF - 2) ")" }')
verdict "the library has no global mutable state" "$findings"
findings=$(nm -g --defined-only "$library" 2>&1 | awk 'NF == 3 && $3 !~ /^(snn_|\.gomp_critical_user_)/ { print $3 }' | sort -u)
verdict "the library exports only names that start with snn_" "$findings"

# A page may name several files by a pattern (`bench*.c`).
findings=$(for folder in base datasets sim hw crypto cli; do
    compgen -G "$folder/*.c" >/dev/null || continue
    mapfile -t named < <(grep -oE '[a-z0-9_*]+\.[ch]\b' "$folder/README.md" | sort -u)
    for f in "$folder"/*.c; do
        found=no
        for name in "${named[@]}"; do
            # shellcheck disable=SC2053 # a pattern is meant
            [[ ${f##*/} == $name ]] && found=yes
        done
        [ "$found" = yes ] || echo "$folder/README.md does not name ${f##*/}"
    done
    for name in "${named[@]}"; do
        compgen -G "$folder/$name" >/dev/null || echo "$folder/README.md names $name, which does not exist"
    done
done)
verdict "each folder's README names its files" "$findings"
