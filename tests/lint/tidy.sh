#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# clang-tidy on one file, with the flags that the Makefile compiles it with. Prints findings that tidy.waivers does not list; exit status 1 when there are some.
set -uo pipefail
read -ra flags <<<"-std=c11 -Iinclude -D_GNU_SOURCE -fopenmp $(pkg-config --cflags openblas libconfig gsl libsodium jansson hdf5 | tr '\n' ' ')"
flags+=('-DSNN_CONFIG_DIR="configs"' '-DSNN_MODEL_DIR="models"')
case $1 in
    *_avx2.c) flags+=(-mavx2) ;;
    *_avx512.c) flags+=(-mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni) ;;
    base/*) ;; # defines what analyzer.h replaces
    *) flags+=(-include tests/lint/analyzer.h) ;;
esac
out=$(clang-tidy --quiet "$1" -- "${flags[@]}" 2>&1) && exit 0
# A finding is `path:line:column: error: text [checks]` and the notes below it; a waiver is `file | check | text` (and a reason above it).
awk -v top="$PWD/" -v waivers=tests/lint/tidy.waivers '
    BEGIN { while ((getline line < waivers) > 0) if (line !~ /^#/ && split(line, w, " [|] ") == 3) { file[++n] = w[1]; check[n] = w[2]; text[n] = w[3] } }
    function waived(    i) {
        for (i = 1; i <= n; i++) if (index($0, top file[i] ":") == 1 && index($0, "[" check[i]) && index($0, text[i])) return 1
        return 0
    }
    /: (error|warning): / { shown = !waived(); if (shown) bad = 1 }
    /^[0-9]+ warnings?.* generated|warnings? treated as errors?|^Suppressed|^Use -header-filter/ { next }
    shown
    END { exit bad }' <<<"$out"
