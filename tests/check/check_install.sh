#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Installs into an empty folder, builds a program against what was installed, runs the installed program, and uninstalls again.
set -uo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0
expect() { # WHAT COMMAND...
    local what=$1 out
    shift
    n=$((n + 1))
    if out=$("$@" 2>&1); then
        echo "ok $n - $what"
    else
        echo "not ok $n - $what"
        echo "# ${out//$'\n'/$'\n'# }"
    fi
}
echo 1..7
prefix=$work/usr
# PREFIX is compiled in, so this is a build of its own; only the files that see PREFIX are compiled again in a copy of the objects.
cp -a "$BUILD" "$work/build"
expect "make install" make -s BUILD="$work/build" PREFIX="$prefix" install
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig LD_LIBRARY_PATH=$prefix/lib
cat >"$work/user.c" <<'C'
#include <snnsim/snnsim.h>
#include <stdio.h>
#include <string.h>
int main(void) {
    snn_error err = {0};
    snn_config *config = snn_config_load("gesture.cfg", &err);
    if (!config)
        return puts(err.text), 1;
    int bins = (int)snn_config_int(config, "dataset.bins");
    snn_config_free(config);
    return bins == 15 ? 0 : 1;
}
C
link() { # FLAGS: builds and runs the user's program outside of the tree
    local flags
    read -ra flags <<<"$*"
    gcc -std=c11 -Wall -Wextra -Werror -o "$work/user" "$work/user.c" "${flags[@]}" && (cd "$work" && ./user)
}
expect "a program links the shared library through pkg-config" link "$(pkg-config --cflags --libs snnsim)"
# The libraries that libsnnsim itself needs stay shared (`--static` would ask for theirs too, down to Fortran's).
read -ra private <<<"$(pkg-config --print-requires-private snnsim | tr '\n' ' ')"
own=$(sed -n 's/^Libs.private: //p' "$prefix/lib/pkgconfig/snnsim.pc")
expect "a program links the static library" \
    link "$(pkg-config --cflags snnsim) $prefix/lib/libsnnsim.a $(pkg-config --libs "${private[@]}") $own"
soname() { [ "$(objdump -p "$prefix/lib/libsnnsim.so" | awk '/SONAME/ { print $2 }')" = libsnnsim.so.0 ]; }
expect "the shared library has its soname" soname
elsewhere() { cd "$work" && "$prefix/bin/snnsim" run gesture.cfg --limit 1 --set dataset.camera.seconds=0.1 --quiet; }
expect "the installed program finds its config and model" elsewhere
staged() {
    make -s BUILD="$work/build" PREFIX="$prefix" DESTDIR="$work/stage" install && [ -x "$work/stage$prefix/bin/snnsim" ]
}
expect "DESTDIR stages the installation" staged
gone() {
    make -s BUILD="$work/build" PREFIX="$prefix" uninstall && [ -z "$(find "$prefix" -name '*snnsim*')" ]
}
expect "make uninstall leaves nothing" gone
