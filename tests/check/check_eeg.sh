#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The EEG reader beside its twin in NumPy and SciPy (tests/golden/eeg_twin.py): filters, signals and every event, with one run of EEGMMIDB.
set -uo pipefail
data=${SNNSIM_DATA:-../shared/data}/eegmmidb
settings=7
echo "1..$settings"
skip() { for ((i = 1; i <= settings; i++)); do echo "$1 $i - EEG beside its twin${2:+ # SKIP $2}"; done; }
if ! /usr/bin/python3 -c 'import numpy, scipy' 2>/dev/null; then
    if [ "${CI:-}" = true ]; then skip "not ok"; else skip ok "no SciPy"; fi
    exit 0
fi
if [ ! -f "$data/S001/S001R03.edf" ]; then
    skip ok "no recordings in $data"
    exit 0
fi
n=0
while read -r line; do
    n=$((n + 1))
    case $line in
        ok:*) echo "ok $n - ${line#ok: }" ;;
        *) echo "not ok $n - $line" ;;
    esac
done < <(OPENBLAS_NUM_THREADS=1 /usr/bin/python3 -W ignore tests/golden/eeg_twin.py "${BUILD:?}/tools/eeg_dump" "$data" 3 2>&1)
