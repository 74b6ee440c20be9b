/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The resistive network: in which order the exact solution eliminates its nodes. Nested dissection (A. George, SIAM J. Numer. Anal. 10, 1973,
 * doi:10.1137/0710032), with cuts that know the network: a cut across all word lines at one column takes the word-line nodes of that column
 * only (the bit line there falls to one side whole), and a cut across all bit lines at one row takes the bit-line nodes of that row only. So every
 * cut is as thin as the array is wide. It leaves about as few entries as METIS, in no time (docs/circuit.md).
 */
#include "circuit_internal.h"

/* Nodes of one kind in a rectangle of cells: r0 <= row < r1, c0 <= column < c1. */
typedef struct {
    int r0, r1, c0, c1;
} box;

typedef struct {
    int columns;
    long bits; /* number of the first bit-line node */
    long *next;
} order;

static bool is_empty(box b) {
    return b.r0 >= b.r1 || b.c0 >= b.c1;
}

static void put(order *o, box b, long first) {
    for (int r = b.r0; r < b.r1; r++)
        for (int c = b.c0; c < b.c1; c++)
            *o->next++ = first + (long)r * o->columns + c;
}

/* Eliminates both halves of a piece, then the cut between them. */
static void dissect(order *o, box words, box bits) {
    if (is_empty(words) ||
        is_empty(bits)) { /* lines that nothing connects: any order along them is free of fill */
        put(o, words, 0);
        put(o, bits, o->bits);
        return;
    }
    box cut, words_behind = words, bits_behind = bits;
    if (words.c1 - words.c0 >= bits.r1 - bits.r0) {
        int middle = words.c0 + (words.c1 - words.c0) / 2;
        cut = (box){words.r0, words.r1, middle, middle + 1};
        words.c1 = middle;
        words_behind.c0 = middle + 1;
        bits.c1 = bits_behind.c0 = middle + 1;
        dissect(o, words, bits);
        dissect(o, words_behind, bits_behind);
        put(o, cut, 0);
    } else {
        int middle = bits.r0 + (bits.r1 - bits.r0) / 2;
        cut = (box){middle, middle + 1, bits.c0, bits.c1};
        bits.r1 = middle;
        bits_behind.r0 = middle + 1;
        words.r1 = words_behind.r0 = middle + 1;
        dissect(o, words, bits);
        dissect(o, words_behind, bits_behind);
        put(o, cut, o->bits);
    }
}

void snn_circuit_order(int rows, int columns, long *order_out) {
    order o = {.columns = columns, .bits = (long)rows * columns, .next = order_out};
    const box all = {0, rows, 0, columns};
    dissect(&o, all, all);
}
