#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Lints the Verilog with every top, every decryptor and parameters at their edges: no warnings but those that verilog/lint.vlt waives. Prints what was found; exit status 1 then.
set -uo pipefail
cd "$(dirname "$0")/../../verilog" || exit 1
status=0
lint() { # TOP DECRYPTOR [OPTION...]
    local top=$1 decryptor=$2 out
    shift 2
    if ! out=$(verilator --lint-only -Wall -DDECRYPTOR="$decryptor" "$@" -y rtl lint.vlt "rtl/$top.v" --top-module "$top" 2>&1) || [ -n "$out" ]; then
        printf '%s with %s %s:\n%s\n' "$top" "$decryptor" "$*" "$out"
        status=1
    fi
}
small=(-GLANES=16 -GADDR=9)
for file in rtl/dec_*.v; do
    decryptor=$(basename "$file" .v)
    keys=$([ "$decryptor" = dec_table ] && echo 64 || echo 52)
    lint readout "$decryptor" -GKEYS="$keys"
    lint readout "$decryptor" -GKEYS="$keys" "${small[@]}" -GSTORE=0 -GGATED=0 -GKEYABLE=2 -GBITS=2
    lint tile "$decryptor" -GKEYS="$keys" "${small[@]}"
    lint tile "$decryptor" -GKEYS="$keys" "${small[@]}" -DSNN_OBSERVE
done
for encoding in 0 1 2; do
    lint tile dec_pass "${small[@]}" -GENCODING="$encoding" -GWORDS=1
    lint tile dec_pass "${small[@]}" -GENCODING="$encoding" -GBITS=1 -GLINE=14 -GADDR=20
done
lint readout dec_table -GKEYS=512 -GADDR=17
lint readout dec_cam -GKEYS=4 -GLANES=10
# Modules that no top reaches would go unseen.
for file in rtl/*.v; do
    module=$(basename "$file" .v)
    grep -q "^module $module " "$file" || { echo "$file does not hold module $module"; status=1; }
    [ "$module" = tile ] || [ "$module" = readout ] || [[ $module = dec_* ]] || grep -qE "^ *$module( #\(| u_)" rtl/*.v || { echo "$file: no module uses $module"; status=1; }
done
exit "$status"
