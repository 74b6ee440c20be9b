#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs the unit tests of a build with COV=1 and prints the line coverage of base, datasets, sim, hw and crypto, file by file; exit status 1 when a test fails or
# a folder is below the limit. BUILD: the build; LIMIT: least coverage in per cent (85).
set -uo pipefail
limit=${LIMIT:-85}
find "$BUILD" -name '*.gcda' -delete
status=0
bash tests/run.sh unit/ || status=1
echo
for folder in base datasets sim hw crypto; do
    [ -n "$(find "$folder" -name '*.c' -print -quit)" ] || continue
    table=$(gcovr --root . --filter "$folder/" --sort-percentage "$BUILD" 2>/dev/null)
    awk 'NF >= 4 && $1 ~ /\.c$/ { printf "  %-34s %5d lines %5d run %6s\n", $1, $2, $3, $4 }' <<<"$table"
    share=$(awk '$1 == "TOTAL" { sub("%", "", $4); print $4 }' <<<"$table")
    if [ "${share:-0}" -ge "$limit" ]; then
        echo "$folder: ${share} % of lines (at least $limit %)"
    else
        echo "$folder: ${share:-0} % of lines, BELOW $limit %"
        status=1
    fi
done
exit "$status"
