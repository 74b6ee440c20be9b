#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes sure that the tools and libraries for the given purposes are there.
#   packages.sh PURPOSE...      with PURPOSE one of: build mpi test lint coverage fuzz mutate valgrind bench
# What is missing is looked for by what it provides (a command, a pkg-config module, a header), so that it also works on systems that
# are not Debian as long as everything is there. On Debian and its kin it is installed through apt-get, as root or with `sudo -n`;
# elsewhere, or without rights, the script says what is missing and exits 1.
set -euo pipefail

# purpose  Debian package       how to see that it is there
table='
build      gcc                  command:gcc
build      make                 command:make
build      libc6-dev            header:stdio.h
build      pkg-config           command:pkg-config
build      libopenblas-dev      module:openblas
build      libconfig-dev        module:libconfig
build      libgsl-dev           module:gsl
build      libsodium-dev        module:libsodium
build      libjansson-dev       module:jansson
build      libhdf5-dev          module:hdf5
build      zlib1g-dev           module:zlib
build      libyaml-dev          module:yaml-0.1
build      libsuitesparse-dev   header:suitesparse/cholmod.h
test       libcmocka-dev        module:cmocka
test       bats                 command:bats
test       g++                  command:g++
test       python3              command:python3
test       python3-numpy        python:numpy
test       python3-scipy        python:scipy
test       ngspice              command:ngspice
test       verilator            command:verilator
test       iverilog             command:iverilog
test       yosys                command:yosys
test       qflow-tech-osu018    file:/usr/share/qflow/tech/osu018/osu018_stdcells.lib
mpi        libopenmpi-dev       command:mpicc
mpi        openmpi-bin          command:mpirun
lint       clang-format         command:clang-format
lint       clang-tidy           command:clang-tidy
lint       cppcheck             command:cppcheck
lint       shellcheck           command:shellcheck
lint       verilator            command:verilator
coverage   gcovr                command:gcovr
fuzz       clang                command:clang
fuzz       libomp-dev           clang-header:omp.h
mutate     python3              command:python3
valgrind   valgrind             command:valgrind
bench      python3-torch        python:torch
bench      libopenblas0         module:openblas
'

present() { # KIND:NAME
    local name=${1#*:}
    case $1 in
        command:*) command -v "$name" >/dev/null 2>&1 ;;
        module:*) command -v pkg-config >/dev/null 2>&1 && pkg-config --exists "$name" ;;
        file:*) [ -f "$name" ] ;;
        header:*) command -v gcc >/dev/null 2>&1 && echo "#include <$name>" | gcc -E -x c - >/dev/null 2>&1 ;;
        clang-header:*)
            command -v clang >/dev/null 2>&1 && echo "#include <$name>" | clang -fopenmp -E -x c - >/dev/null 2>&1 ;;
        python:*) [ -x /usr/bin/python3 ] && /usr/bin/python3 -c "import $name" >/dev/null 2>&1 ;;
        *) echo "packages.sh: bad table entry $1" >&2; exit 2 ;;
    esac
}

missing() { # PURPOSE... : prints the packages that are not there
    local purpose package probe wanted
    for wanted in "$@"; do
        while read -r purpose package probe; do
            [ "$purpose" = "$wanted" ] || continue
            present "$probe" || echo "$package"
        done <<<"$table"
    done | sort -u
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo -n "$@"
    fi
}

purposes=()
for purpose in "$@"; do
    grep -q "^$purpose " <<<"$table" || { echo "packages.sh: unknown purpose '$purpose'" >&2; exit 2; }
    # Tests, fuzzing and the like need everything that a build needs.
    case $purpose in mpi | test | coverage | fuzz | valgrind | bench) purposes+=(build) ;; esac
    [ "$purpose" = test ] && purposes+=(mpi)
    [ "$purpose" = coverage ] && purposes+=(mpi test)
    [ "$purpose" = mutate ] && purposes+=(build mpi test)
    purposes+=("$purpose")
done
[ ${#purposes[@]} -gt 0 ] || { echo "usage: packages.sh PURPOSE..." >&2; exit 2; }

read -ra need <<<"$(missing "${purposes[@]}" | tr '\n' ' ')" || true
[ ${#need[@]} -gt 0 ] || exit 0

give_up() {
    {
        echo "Missing for ${*:2}: ${need[*]}"
        echo "$1"
    } >&2
    exit 1
}
command -v apt-get >/dev/null 2>&1 ||
    give_up "These are Debian's names; please install what your system calls them." "${purposes[@]}"
[ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null ||
    give_up "Please run: sudo apt-get install ${need[*]}" "${purposes[@]}"

echo "Installing: ${need[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${need[@]}")
# The package lists may be missing or outdated: fetch them once and try again.
if ! as_root "${install[@]}" </dev/null >"$log" 2>&1; then
    if ! { as_root apt-get update -q && as_root "${install[@]}"; } </dev/null >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        give_up "apt-get could not install them (see above)." "${purposes[@]}"
    fi
fi
read -ra need <<<"$(missing "${purposes[@]}" | tr '\n' ' ')" || true
[ ${#need[@]} -eq 0 ] || give_up "They were installed, but are still not found." "${purposes[@]}"
