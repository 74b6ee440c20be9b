#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Verilates the tile with one set of parameters into a shared object for `snnsim hw cosim`, and prints the object's path.
#   cosim.sh [-c CACHE | -o FILE.so] [-t TOP.v] [-s TILE.v] PARAMETER=VALUE...
# Parameters: DECRYPTOR=dec_cam (module) and those of the tile (README.md): ADDR LANES BITS KEYABLE KEYS WAYS GATED STORE ENCODING WORDS QUEUE [COUNT LINE].
#   -c  folder of objects that were made before; one with the same parameters and the same Verilog is used again (default: $SNNSIM_RTL_CACHE)
#   -t  a file with a decryptor of one's own: its first module takes the place of DECRYPTOR (also $RTL_TOP)
#   -s  a tile that is one file, parameters put in already: the netlist of a mutation test; MUTANTS=N says how many changes it can select
# $VERILATOR_FLAGS adds to what is used, $CXX and $CXXFLAGS (-O3) replace it. Exit status 3: Verilator or a C++ compiler is missing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
fail() {
    echo "cosim.sh: $1" >&2
    exit "${2:-2}"
}

cache=${SNNSIM_RTL_CACHE:-} out='' top=${RTL_TOP:-} single='' mutants=0
while getopts c:o:t:s: option; do
    case $option in
        c) cache=$OPTARG ;;
        o) out=$OPTARG ;;
        t) top=$OPTARG ;;
        s) single=$OPTARG ;;
        *) fail "usage: cosim.sh [-c CACHE | -o FILE.so] [-t TOP.v] [-s TILE.v] PARAMETER=VALUE..." ;;
    esac
done
shift $((OPTIND - 1))

declare -A value=([DECRYPTOR]=dec_pass [COUNT]=16 [LINE]=20)
names=(ADDR LANES BITS KEYABLE KEYS WAYS GATED STORE ENCODING WORDS QUEUE COUNT LINE)
for word in "$@"; do
    name=${word%%=*}
    case " DECRYPTOR MUTANTS ${names[*]} " in
        *" $name "*) [ "$name" != "$word" ] || fail "$word: a parameter is NAME=VALUE" ;;
        *) fail "$word: the parameters are DECRYPTOR MUTANTS ${names[*]}" ;;
    esac
    if [ "$name" != DECRYPTOR ] && ! [[ ${word#*=} =~ ^[0-9]{1,9}$ ]]; then fail "$word: expected a number"; fi
    value[$name]=${word#*=}
done
[[ ${value[DECRYPTOR]} =~ ^[A-Za-z_][A-Za-z0-9_]*$ ]] || fail "DECRYPTOR=${value[DECRYPTOR]}: expected the name of a module"
for name in ADDR LANES BITS KEYABLE KEYS WAYS ENCODING WORDS QUEUE; do
    [ -n "${value[$name]:-}" ] || fail "$name is missing"
done
mutants=${value[MUTANTS]:-0}

# The bridge lies beside us where snnsim is installed, in hw where it is built.
bridge=$here
[ -f "$bridge/rtl_bridge.cpp" ] || bridge=$here/../hw
[ -f "$bridge/rtl_bridge.cpp" ] || fail "rtl_bridge.cpp is neither in $here nor in $here/../hw" 1
verilator=${VERILATOR:-verilator}
cxx=${CXX:-g++}
command -v "$verilator" >/dev/null 2>&1 || fail "Verilator is missing (Debian: apt-get install verilator)" 3
command -v "$cxx" >/dev/null 2>&1 || fail "a C++ compiler is missing (Debian: apt-get install g++)" 3

if [ -n "$single" ]; then
    sources=("$single")
else
    sources=("$here"/rtl/*.v)
fi
[ -f "${sources[0]}" ] || fail "${sources[0]}: no such file" 1
if [ -n "$top" ]; then
    [ -f "$top" ] || fail "$top: no such file"
    module=$(sed -nE 's/^[[:space:]]*module[[:space:]]+([A-Za-z_][A-Za-z0-9_]*).*/\1/p' "$top" | head -n 1)
    [ -n "$module" ] || fail "$top: holds no module"
    value[DECRYPTOR]=$module
    # Their own version of one of our modules replaces ours.
    kept=()
    for f in "${sources[@]}"; do [ "${f##*/}" = "$module.v" ] || kept+=("$f"); done
    sources=("${kept[@]}" "$top")
fi

# What the object depends on: Verilog, bridge, this script, tools, parameters.
# Verilator 5.006's data-flow pass turns vectors of lanes into chains of concatenations that cost more than all the rest.
flags=(--cc --top-module tile --prefix Vtile -O3 -fno-dfg --trace --trace-max-width 0 --x-assign unique --x-initial unique --noassert -Wno-fatal -Wno-lint -Wno-style)
parameters='' given=()
for name in "${names[@]}"; do
    [ -n "${value[$name]:-}" ] || continue
    parameters+="$name=${value[$name]} "
    [ -n "$single" ] || flags+=("-G$name=${value[$name]}")
    given+=("-DSNN_RTL_$name=${value[$name]}")
done
read -ra more <<<"${VERILATOR_FLAGS:-}"
flags+=("${more[@]}")
rtl_digest=$(cat "${sources[@]}" | sha256sum | cut -c 1-64)
digest=$({
    echo "$rtl_digest ${value[DECRYPTOR]} $parameters $mutants ${flags[*]} ${CXXFLAGS:-}"
    "$verilator" --version
    "$cxx" --version | head -n 1
    cat "$bridge/rtl_bridge.cpp" "$bridge/rtl_bridge.h" "$0"
    grep -m 1 '^flags' /proc/cpuinfo || true # code for this CPU
} | sha256sum | cut -c 1-16)
if [ -z "$out" ]; then
    [ -n "$cache" ] || cache=${XDG_CACHE_HOME:-${HOME:?}/.cache}/snnsim/rtl
    mkdir -p "$cache"
    out=$cache/${value[DECRYPTOR]}-a${value[ADDR]}-l${value[LANES]}-b${value[BITS]}-k${value[KEYS]}-w${value[WORDS]}-$digest.so
    if [ -f "$out" ]; then
        echo "$out"
        exit 0
    fi
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/snnsim-rtl.XXXXXX")
trap 'rm -rf "$work"' EXIT
complain() { # WHAT: the end of the log, then the reason
    tail -n 20 "$work/log" >&2
    fail "$1" 1
}
"$verilator" "${flags[@]}" --Mdir "$work/obj" -DSNN_OBSERVE -DDECRYPTOR="${value[DECRYPTOR]}" -I"$here/rtl" "${sources[@]}" >"$work/log" 2>&1 ||
    complain "Verilator refuses the Verilog (above)"
units=()
root=$("$verilator" --getenv VERILATOR_ROOT)
compile=("$cxx" -std=c++17 -fPIC -march=native -w -fvisibility=hidden -fno-gnu-unique -DVM_TRACE=1 -DVM_TRACE_VCD=1 -DVM_TRACE_FST=0 -DVM_COVERAGE=0 -DVM_SC=0
    -DVL_TIME_CONTEXT -isystem "$root/include" -isystem "$root/include/vltstd")
mine=("${compile[@]}" -I"$work/obj" -I"$bridge" "${given[@]}" -DSNN_RTL_MUTANTS="$mutants" "-DSNN_RTL_DECRYPTOR=\"${value[DECRYPTOR]}\""
    "-DSNN_RTL_DIGEST=\"$rtl_digest\"" '-DSNN_RTL_EXPORT=__attribute__((visibility("default")))')

# Verilator's own part is the same for all objects: it is compiled once for each folder of objects.
runtime=$work
if [ -n "$cache" ]; then
    runtime=$cache/runtime-$({ "$verilator" --version; "$cxx" --version | head -n 1; echo "${compile[*]}"; } | sha256sum | cut -c 1-16)
    mkdir -p "$runtime"
fi
jobs=()
for f in "$root"/include/verilated.cpp "$root"/include/verilated_vcd_c.cpp "$root"/include/verilated_threads.cpp; do
    name=$(basename "$f" .cpp)
    [ -f "$f" ] || continue
    units+=("$runtime/$name.o")
    [ -f "$runtime/$name.o" ] && continue
    { "${compile[@]}" -O2 -c "$f" -o "$runtime/$name.$$.o" && mv "$runtime/$name.$$.o" "$runtime/$name.o"; } >>"$work/log" 2>&1 &
    jobs+=($!)
done
for f in "$work"/obj/*.cpp "$bridge/rtl_bridge.cpp"; do
    name=$(basename "$f" .cpp)
    units+=("$work/$name.o")
    read -ra optimise <<<"${CXXFLAGS:--O3}"
    case $name in *Slow | *Trace__*) optimise=(-O0) ;; esac # what runs once, or only on the way to a waveform
    "${mine[@]}" "${optimise[@]}" -c "$f" -o "$work/$name.o" >>"$work/log" 2>&1 &
    jobs+=($!)
done
for job in "${jobs[@]}"; do wait "$job" || complain "the C++ compiler fails (above)"; done
"$cxx" -shared -o "$work/tile.so" "${units[@]}" -lpthread -latomic >"$work/log" 2>&1 || complain "linking fails (above)"
mkdir -p "$(dirname "$out")"
# Under its name only when it is whole; another process may make the same one.
cp "$work/tile.so" "$out.$$" && mv "$out.$$" "$out"
echo "$out"
