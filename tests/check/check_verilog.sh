#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The Verilog: lint, benches in Icarus, known answers of the ciphers, proofs in Yosys; and that a broken circuit fails them.
set -uo pipefail
cd "$(dirname "$0")/../../verilog" || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LC_ALL=C
OSU=/usr/share/qflow/tech/osu018/osu018_stdcells.lib

n=0
verdict() { # STATUS WHAT [FILE]
    n=$((n + 1))
    if [ "$1" = 0 ]; then
        echo "ok $n - $2"
    else
        echo "not ok $n - $2"
        [ -z "${3:-}" ] || tail -n 20 "$3" | cut -c1-400 | sed 's/^/# /'
    fi
}
missing() { # WHAT TOOL
    n=$((n + 1))
    if [ "${CI:-}" = true ]; then
        echo "not ok $n - $1: $2 is missing"
    else
        echo "# SKIPPED: $1 ($2 is missing)" >&2
        echo "ok $n - $1 # SKIP SKIPPED, $2 is missing"
    fi
}
have() { # WHAT TOOL...: says so when one is missing
    local what=$1 tool
    shift
    for tool in "$@"; do
        command -v "$tool" >/dev/null || { missing "$what" "$tool"; return 1; }
    done
}

# ---- lint ----
if have "lint" verilator; then
    bash ../tests/lint/verilog.sh >"$work/lint" 2>&1
    verdict $? "no warnings from Verilator, every top and every decryptor" "$work/lint"
fi

# ---- benches: a bench prints PASS as its last line ----
bench() { # WHAT BENCH ARGUMENT OPTION...: runs it; output in $work/out
    local what=$1 top=$2 argument=$3
    shift 3
    iverilog -g2005 -Wno-timescale "$@" -y rtl -o "$work/bench" "tb/$top.v" tb/model_prince.v tb/model_aes.v -s "$top" >"$work/out" 2>&1 &&
        timeout 120 vvp -n "$work/bench" "$argument" >>"$work/out" 2>&1 && [ "$(tail -n 1 "$work/out")" = PASS ]
    verdict $? "$what" "$work/out"
}
kinds=(pass:0:52 cam:1:52 table:2:64 prince:3:52 xor:5:52 aes:4:52)
benches() {
    bench "PRINCE: the paper's five vectors, random blocks" tb_prince +x
    bench "AES-128: FIPS 197 appendices B and C.1, random blocks, 11 cycles a block" tb_aes128 +x
    local kind name number keys reads
    for kind in "${kinds[@]}"; do
        IFS=: read -r name number keys <<<"$kind"
        reads=$([ "$name" = aes ] && echo 16 || echo 200)
        bench "reads through dec_$name, 128 lanes of 8 bit, latches" tb_readout "+reads=$reads" -DDECRYPTOR="dec_$name" -DKIND="$number" -DKEYS="$keys"
        [ "$name" = aes ] || grep '^stamps' "$work/out" >>"$work/stamps"
        bench "reads through dec_$name, 2 of 4 bits keyed, flip-flops, clocked masks" tb_readout "+reads=$reads" -DDECRYPTOR="dec_$name" -DKIND="$number" -DKEYS="$keys" \
            -Ptb_readout.LANES=16 -Ptb_readout.BITS=4 -Ptb_readout.KEYABLE=2 -Ptb_readout.ADDR=11 -Ptb_readout.STORE=0 -Ptb_readout.GATED=0
    done
    [ "$(wc -l <"$work/stamps")" = 5 ] && [ "$(sort -u "$work/stamps" | wc -l)" = 1 ]
    verdict $? "the same cycle stamps through pass, cam, table, prince and xor" "$work/stamps"
    # Another position's decryption is an error: the bench must see it.
    sed 's/position\[m\*POSITION+:POSITION\] | (/position[m*POSITION+:POSITION] ^ (/; s/hit\[m\] | match/match/' rtl/mask_cam.v >"$work/mask_cam.v"
    iverilog -g2005 -Wno-timescale -DDECRYPTOR=dec_cam -DKIND=1 -Ptb_readout.LANES=16 -o "$work/bench" tb/tb_readout.v tb/model_prince.v tb/model_aes.v "$work/mask_cam.v" -y rtl 2>"$work/out" &&
        vvp -n "$work/bench" +reads=100 >>"$work/out" && [ "$(tail -n 1 "$work/out")" = FAIL ]
    verdict $? "the bench notices a wrong mask" "$work/out"

    for kind in pass:0:12:8:0 cam:1:12:8:1 cam:1:12:4:2 table:0:16:3:1 pass:0:12:1:0 aes:4:12:8:0 xor:5:12:5:2; do
        IFS=: read -r name number keys bits encoding <<<"$kind"
        bench "a tile with dec_$name, $bits bit, encoding $encoding" tb_tile "+layers=$([ "$name" = aes ] && echo 3 || echo 12)" -DSNN_OBSERVE -DDECRYPTOR="dec_$name" -DKIND="$number" \
            -DBITS="$bits" -DENCODING="$encoding" -Ptb_tile.KEYS="$keys"
    done
}
if have "benches" iverilog vvp; then benches; fi

# ---- proofs ----
prove() { # TABLE|CAM FOLDER: proves the masks in FOLDER; status 0 when proven, 1 when refuted, 2 otherwise
    timeout 120 yosys -q -l "$work/proof" -p "read_verilog $2/mask_cam.v $2/mask_table.v $2/mask_decode.v $2/table_index.v tb/spec_$1.v tb/prove_$1.v; chparam $3 prove_$1;
        hierarchy -top prove_$1; proc; flatten; opt; techmap; opt; abc -fast -g AND,XOR; sat -verify -prove wrong_o 0 -timeout 100" >"$work/out" 2>&1 && return 0
    grep -q 'proof did fail' "$work/proof" "$work/out" && return 1
    return 2
}
mutants() { # changes of one line that the proofs must refute: FILE~KIND~FROM~TO
    cat <<'END'
mask_cam.v~cam~== {1'b1, addr_i}~== {1'b0, addr_i}
mask_cam.v~cam~== {1'b1, addr_i}~== {1'b1, addr_i ^ 1'b1}
mask_cam.v~cam~entries_i\[(n\*WAYS+m)\*ENTRY+:POSITION\] & {POSITION{match}}~entries_i[(n*WAYS+m)*ENTRY+:POSITION]
mask_cam.v~cam~hit\[m\] | match~match
mask_cam.v~cam~n < DEPTH~n < DEPTH - 1
mask_decode.v~cam~== l\[LOW-1:0\]~== (l[LOW-1:0] ^ 1'b1)
mask_decode.v~cam~= mask\[h\*SPAN+:SPAN\] |~=
mask_decode.v~cam~lines = lines | high~lines = high
mask_decode.v~table~hit_i\[m\] &~hit_i[0] \&
mask_table.v~table~{1'b1, tag_i}~{1'b0, tag_i}
mask_table.v~table~== s\[INDEX-1:0\]~== (s[INDEX-1:0] ^ 1'b1)
mask_table.v~table~at = at |~at =
table_index.v~table~addr_i\[i\] ^ (^~(^
table_index.v~table~(m\*INDEX+i)\*TAG+:TAG\]~i*TAG+:TAG]
END
}
# Read-outs at small parameters; latches and clock gates become logic of one clock for the comparison.
small() { # DECRYPTOR KEYS: Yosys commands that read it
    echo "read_verilog -DDECRYPTOR=$1 rtl/*.v; chparam -set ADDR 5 -set LANES 4 -set BITS 2 -set KEYABLE 1 -set KEYS $2 -set WAYS 2 -set STORE 1 readout; hierarchy -top readout"
}
map() { # DECRYPTOR KEYS: maps it to a small library
    cat >"$work/latch.v" <<'END'
module \$_DLATCH_P_ (input E, input D, output Q);
  LATCH _TECHMAP_REPLACE_ (.CLK(E), .D(D), .Q(Q));
endmodule
END
    timeout 120 yosys -q -p "$(small "$1" "$2"); proc; flatten; opt -full; rename readout gate; synth -top gate; dfflegalize -cell \$_DLATCH_P_ x -cell \$_DFF_P_ x -cell \$_DFF_PN?_ x;
        techmap -map $work/latch.v; dfflibmap -liberty $OSU; abc -liberty $OSU; opt_clean; write_verilog -noattr $work/$1.v" >"$work/out" 2>&1
}
equivalent() { # DECRYPTOR KEYS NETLIST
    timeout 120 yosys -q -p "$(small "$1" "$2"); proc; flatten; opt -full; rename readout gold; design -stash gold;
        read_liberty -ignore_miss_func -ignore_miss_data_latch $OSU; read_verilog $3; hierarchy -top gate; proc; flatten; opt_clean; design -stash gate;
        design -copy-from gold -as gold gold; design -copy-from gate -as gate gate; clk2fflogic gold; clk2fflogic gate; equiv_make gold gate both; hierarchy -top both;
        equiv_simple -undef; equiv_induct -undef; equiv_status -assert" >"$work/out" 2>&1
}
proofs() {
    local file kind from to survived=""
    prove cam rtl "-set ADDR 6 -set KEYS 12 -set WAYS 3"
    verdict $? "mask_cam is its specification" "$work/out"
    prove table rtl "-set ADDR 6 -set WAYS 2 -set SETS 4"
    verdict $? "table_index and mask_table are their specification" "$work/out"
    while IFS='~' read -r file kind from to; do
        rm -rf "$work/rtl"
        mkdir "$work/rtl"
        cp rtl/mask_cam.v rtl/mask_table.v rtl/mask_decode.v rtl/table_index.v "$work/rtl"
        sed -i "s~$from~$to~" "$work/rtl/$file"
        cmp -s "rtl/$file" "$work/rtl/$file" && survived+="$file: '$from' is not in it"$'\n'
        prove "$kind" "$work/rtl" "$([ "$kind" = cam ] && echo "-set ADDR 4 -set KEYS 8 -set WAYS 4" || echo "-set ADDR 5 -set WAYS 2 -set SETS 4")"
        [ $? = 1 ] || survived+="$file: '$from' -> '$to' was not refuted"$'\n'
    done < <(mutants)
    printf '%s' "$survived" >"$work/survived"
    [ -z "$survived" ]
    verdict $? "the proofs refute broken masks" "$work/survived"

    if [ ! -f "$OSU" ]; then
        missing "netlists beside their Verilog" "the library of qflow-tech-osu018"
        return
    fi
    map dec_cam 4 && equivalent dec_cam 4 "$work/dec_cam.v"
    verdict $? "dec_cam mapped to OSU 180 nm is dec_cam" "$work/out"
    sed '0,/XOR2X1/s//XNOR2X1/' "$work/dec_cam.v" >"$work/broken.v"
    ! equivalent dec_cam 4 "$work/broken.v" && grep -q 'Found [0-9]* unproven' "$work/out"
    verdict $? "a broken netlist is refuted" "$work/out"
    map dec_table 8 && equivalent dec_table 8 "$work/dec_table.v"
    verdict $? "dec_table mapped to OSU 180 nm is dec_table" "$work/out"
}
if have "proofs" yosys; then proofs; fi
echo "1..$n"
