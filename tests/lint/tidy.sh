#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# clang-tidy on one file, with the flags that the Makefile compiles it with. Prints findings only; exit status 1 when there are some.
set -uo pipefail
read -ra flags <<<"-std=c11 -Iinclude -D_GNU_SOURCE -fopenmp $(pkg-config --cflags openblas libconfig gsl libsodium jansson hdf5 | tr '\n' ' ')"
flags+=('-DSNN_CONFIG_DIR="configs"' '-DSNN_MODEL_DIR="models"')
case $1 in
    *_avx2.c) flags+=(-mavx2) ;;
    *_avx512.c) flags+=(-mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni) ;;
esac
out=$(clang-tidy --quiet "$1" -- "${flags[@]}" 2>&1) && exit 0
grep -v 'warnings\? generated\|warnings\? treated as error\|^Suppressed\|^Use -header-filter' <<<"$out"
exit 1
