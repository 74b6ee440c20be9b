#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Column currents of crossbars with wire resistance: ngspice's beside ours, on random arrays (ngspice.py).
set -uo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! command -v ngspice >/dev/null; then
    echo 1..1
    if [ "${CI:-}" = true ]; then
        echo "not ok 1 - ngspice is missing"
    else
        echo "ok 1 - crossbars beside ngspice # SKIP no ngspice"
    fi
    exit 0
fi
/usr/bin/python3 "$(dirname "$0")/ngspice.py" "$BUILD/tools/circuit_currents" "$work"
