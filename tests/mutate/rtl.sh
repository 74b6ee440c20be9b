#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Does the co-simulation bite? Changes gates of a small tile at random (yosys mutate) and looks whether co-simulation under drawn traffic notices; what it does not notice must be proven to
# change nothing (prove_rtl.sh).
#   rtl.sh [COUNT] [SEED]     COUNT changes (default 200) by SEED (default 1), half of them of a tile with dec_cam, half with dec_table
# All changes of one tile stand in one circuit, which selects one by an input. Prints one line for each that was not caught, then the figures. Exit status 1 when one is neither caught nor proven.
# From 100 changes on the proofs are tried, too: of each tile they must refute the change that was caught first.
# Environment: ROUNDS (of drawn traffic for each, default 3000), BUILD (build; its tools/cosim_mutants), KEEP (folder that is kept, with netlists and lists), PROOF_SECONDS (prove_rtl.sh), NO_PROOF (not empty: proves nothing).
set -euo pipefail
cd "$(dirname "$0")/../.."
export LC_ALL=C
count=${1:-200} seed=${2:-1}
tool=${BUILD:-build}/tools/cosim_mutants
work=${KEEP:-$(mktemp -d)}
mkdir -p "$work"
[ -n "${KEEP:-}" ] || trap 'rm -rf "$work"' EXIT
ROUNDS=${ROUNDS:-3000}
[ -x "$tool" ] || { echo "rtl.sh: $tool is missing (make tools)" >&2; exit 2; }
command -v yosys-abc >/dev/null || { echo "rtl.sh: yosys-abc is missing (Debian: apt-get install yosys)" >&2; exit 2; }

# Small, so that few bits are out of reach: sums of six bits reach 2^26, where 64 * sum ends, within some full events.
parameters=(ADDR=5 LANES=4 BITS=6 KEYABLE=2 WAYS=2 GATED=1 ENCODING=0 WORDS=2 QUEUE=4 COUNT=16 LINE=9)
printf '%s\n' "${parameters[@]}" >"$work/parameters"
keys_of() { [ "$1" = table ] && echo 8 || echo 6; }
store_of() { [ "$1" = table ] && echo 1 || echo 0; }

make_gold() { # KIND: the tile as a flat netlist of word-level cells; adder lanes down to gates, so that sums' upper bits, which 64 * sum pushes out, are not there
    local p set=''
    for p in "${parameters[@]}" "KEYS=$(keys_of "$1")" "STORE=$(store_of "$1")"; do set+=" -set ${p%%=*} ${p#*=}"; done
    yosys -q -p "read_verilog -DSNN_OBSERVE -DDECRYPTOR=dec_$1 verilog/rtl/*.v; chparam$set tile; hierarchy -top tile; proc; flatten; memory_collect; memory_map; opt -full; wreduce; techmap c:*u_lane*; simplemap c:*u_lane*; simplemap w:*sum_q* %ci1:+[Q] t:\$dff* %i; opt -full; opt_clean -purge; autoname; check -assert; write_rtlil $work/$1.il" >"$work/$1.log" 2>&1 ||
        { tail -n 5 "$work/$1.log" >&2; return 1; }
}

make_mutants() { # KIND COUNT: one circuit with all changes, and the list
    yosys -q -p "read_rtlil $work/$1.il; mutate -list $2 -seed $seed -ctrl mutant_i 16 1 -o $work/$1.list" >>"$work/$1.log" 2>&1
    yosys -q -p "read_rtlil $work/$1.il; script $work/$1.list; opt_clean; write_verilog -noattr $work/$1.v" >>"$work/$1.log" 2>&1
    bash verilog/cosim.sh -o "$work/$1.so" -s "$work/$1.v" "DECRYPTOR=dec_$1" "${parameters[@]}" "KEYS=$(keys_of "$1")" "STORE=$(store_of "$1")" "MUTANTS=$(wc -l <"$work/$1.list")" >/dev/null
}

simulate() { # KIND: KIND.result
    "$tool" "$work/$1.so" "$1" "$ROUNDS" "$seed" >"$work/$1.result" ||
        { echo "rtl.sh: the unchanged dec_$1 is not what the C model is: $(head -n 1 "$work/$1.result")" >&2; return 1; }
}

one_kind() { make_gold "$1" && make_mutants "$1" $(((count + (${#1} == 3)) / 2)) && simulate "$1"; }
one_kind cam & cam=$!
one_kind table & table=$!
wait $cam && wait $table

# Two proofs at a time.
for kind in cam table; do
    sed -nE "s/^([1-9][0-9]*) survived .*/$kind \\1/p" "$work/$kind.result"
    [ "$count" -lt 100 ] || sed -nE "s/^([1-9][0-9]*) caught ([1-9][0-9]*): cycle.*/\\2 $kind \\1/p" "$work/$kind.result" | sort -n | head -n 1 | cut -d ' ' -f 2- | tee "$work/$kind.control"
done >"$work/asked"
: >"$work/verdicts"
[ -n "${NO_PROOF:-}" ] || xargs -P 2 -L 1 bash tests/mutate/prove_rtl.sh "$work" <"$work/asked" >"$work/verdicts" || echo "rtl.sh: a proof could not be asked ($work/*.log)" >&2

total=0 caught=0 proven=0 open=0
for kind in cam table; do
    if [ -f "$work/$kind.control" ] && ! grep -q "^$(cat "$work/$kind.control") refuted$" "$work/verdicts"; then
        echo "the proofs do not bite: change $(cat "$work/$kind.control") was caught and is not refuted"
        open=$((open + 1))
    fi
    while read -r number verdict rest; do
        [ "$number" != 0 ] || continue
        total=$((total + 1))
        if [ "$verdict" = caught ]; then
            caught=$((caught + 1))
            continue
        fi
        proof=$(sed -n "s/^$kind $number //p" "$work/verdicts")
        echo "dec_$kind $number not caught in $rest cycles, ${proof:-not asked}: $(sed -n "${number}p" "$work/$kind.list" | sed 's/ -src.*//')"
        if [ "$proof" = proven ]; then proven=$((proven + 1)); else open=$((open + 1)); fi
    done <"$work/$kind.result"
done
echo "$total changes: $caught caught, $proven proven to change nothing, $open neither"
[ "$open" -eq 0 ]
