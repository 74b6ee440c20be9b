#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Does a changed gate change nothing that anyone can see? Tile and changed tile, with the same inputs and the same contents at power-up, as one sequential circuit, whose only output says that
# they differ; ABC must prove that it never does, by signal correspondence (scorr) and property-directed reachability (pdr), which finds the invariants that it needs.
#   prove_rtl.sh FOLDER KIND NUMBER     change NUMBER of FOLDER/KIND.list, of the netlist FOLDER/KIND.il, that rtl.sh has made there; FOLDER/parameters: of the tile
# Prints `KIND NUMBER proven`, `refuted` (there are inputs that show the difference) or `open`. Exit status 1: it could not be asked.
# So that it is quick: arithmetic of lanes stands for itself, once, with inputs that must agree and any outputs, unless the change is in it; then registers of the lanes do (they have an
# ungated clock), and the rest of that lane is proven with everything else. What is assumed of the surroundings says env.v.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$1 kind=$2 number=$3
name=$work/$kind-$number
change=$(sed -n "${number}p" "$work/$kind.list" | sed -E 's/ -ctrl [^ ]+ [0-9]+ [0-9]+//')
seconds=${PROOF_SECONDS:-200}
short=32 # steps, four a cycle: reset, an event through all stages

# shellcheck disable=SC2016 # cell types
registers='env/u_tile.g_lane* t:$dff t:$_DFF_P_ %u %i'
set_of='' # parameters of env.v
while read -r p; do
    case ${p%%=*} in ADDR | LANES | BITS | COUNT | LINE) set_of+=" -set ${p%%=*} ${p#*=}" ;; esac
done <"$work/parameters"

circuit() { # gold | gate, CHANGE, CUT: cells that become outputs and inputs
    echo "read_rtlil $work/$kind.il; $2; read_verilog $here/env.v; chparam$set_of env; hierarchy -top env; proc -noopt; cd tile; dffunmap; autoname; cd ..; flatten
        select -set cut $3; expose -evert @cut; techmap -autoproc -map $here/steps.v; read_verilog $here/power.v; hierarchy -top env; proc -noopt; flatten; expose -evert t:power_up
        opt_expr; opt_merge; setundef -undriven -zero; rename env $1; design -stash $1"
}

abc() { timeout $((seconds + 200)) yosys-abc -c "$1" 2>&1 || true; }
decided() { grep -q -e '^Property proved' -e 'was asserted in frame' "$name.log"; }

ask() { # CUT: verdict
    yosys -q -p "$(circuit gold '' "$1"); $(circuit gate "$change" "$1")
        design -copy-from gold -as gold gold; design -copy-from gate -as gate gate; miter -equiv -flatten gold gate miter; hierarchy -top miter
        opt -full; simplemap; techmap; opt -fast; dffunmap; setundef -undriven -zero; aigmap; write_aiger -zinit $name.aig" >"$name.log" 2>&1 || return 1
    # What is equal in both goes first; then quick proofs, short ways to a difference (refuting is what pdr is slow at), long proofs.
    abc "read_aiger $name.aig; scleanup; scorr; write_aiger $name.rest.aig; pdr -T 20" >"$name.log"
    decided || abc "read_aiger $name.rest.aig; bmc3 -F $short -T 40" >"$name.log"
    decided || abc "read_aiger $name.rest.aig; pdr -T $seconds" >"$name.log"
    rm -f "$name.aig" "$name.rest.aig"
    if grep -q 'was asserted in frame' "$name.log"; then
        echo refuted
    elif grep -q '^Property proved' "$name.log"; then
        echo proven
    else
        echo open
    fi
}

lane=$(sed -nE 's/.* -cell g_lane\[([0-9]+)\].*/\1/p' <<<"$change")
if [ -z "$lane" ]; then
    verdict=$(ask 'env/c:u_tile.g_lane*')
else
    verdict=$(ask "env/c:u_tile.g_lane* env/c:u_tile.g_lane?$lane?* %d $registers %u")
fi
# Only one way of cutting has been looked at: another may do, or show that the difference is none.
[ "$verdict" = proven ] || verdict=$(ask "$registers")
echo "$kind $number $verdict"
