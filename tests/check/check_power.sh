#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Energy of mapped netlists: snnsim hw power beside the independent calculation of tests/golden/power_reference.py, at most 2 % apart in each part; and the words of the
# mapped netlists equal to the RTL's. OSU018 from Debian's qflow-tech-osu018; without the tools it is skipped, with CI=true it fails.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
library=/usr/share/qflow/tech/osu018/osu018_stdcells.lib
missing=
for tool in yosys iverilog sta; do command -v "$tool" >/dev/null || missing+="$tool "; done
[ -r "$library" ] || missing+="qflow-tech-osu018 "
/usr/bin/python3 -c 'import numpy' 2>/dev/null || missing+="python3-numpy "
if [ -n "$missing" ]; then
    echo 1..1
    if [ "${CI:-}" = true ]; then
        echo "not ok 1 - missing: $missing"
    else
        echo "SKIPPED: energy of netlists, missing: $missing" >&2
        echo "ok 1 - energy of netlists # SKIP missing: $missing"
    fi
    exit 0
fi

/usr/bin/python3 tests/check/power.py "$SNNSIM" "$work"
