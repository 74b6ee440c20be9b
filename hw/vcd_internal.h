/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What vcd.c (words, changes) and vcd_header.c (declarations) share. */
#ifndef SNN_HW_VCD_INTERNAL_H
#define SNN_HW_VCD_INTERNAL_H

#include "vcd.h"

#include <zlib.h>

#define SNN_VCD_BLOCK 65536 /* bytes read at a time */
#define SNN_VCD_MAX_NAME 4096

/* A variable of the scope. Several may have one identifier. */
typedef struct {
    uint64_t id;    /* packed, see snn_vcd_id */
    uint32_t width; /* bits; their slots are slot[first ..], most significant first */
    uint32_t first;
    uint32_t next; /* the next one with this identifier, + 1; 0: none */
} snn_vcd_variable;

typedef struct {
    const char *path;
    const snn_vcd_listener *to;
    snn_error *err;
    gzFile file;
    unsigned char block[SNN_VCD_BLOCK];
    size_t at, filled;
    uint64_t line, word_line; /* of the reading position and of the word */
    char *word;               /* zero-terminated */
    size_t word_size, word_capacity;
    snn_vcd_variable *variable;
    size_t variables, variable_capacity;
    uint32_t *slot;
    size_t slots, slot_capacity;
    uint32_t *hash; /* [hash_size] variable + 1; 0: empty */
    size_t hash_size;
    double tick;
} snn_vcd;

bool snn_vcd_fail(snn_vcd *v, const char *fmt, ...) SNN_PRINTF(2, 3);
/* The next word, *end when there is none. */
bool snn_vcd_word(snn_vcd *v, bool *end);
/* As snn_vcd_word; the end of the file is an error. */
bool snn_vcd_need(snn_vcd *v, const char *what);
/* Over everything up to $end. */
bool snn_vcd_skip(snn_vcd *v);
/* An identifier as a number: 1 to 8 printable characters. */
bool snn_vcd_id(snn_vcd *v, const char *text, uint64_t *id);
/* The first variable with that identifier, NULL when none is listened to. */
const snn_vcd_variable *snn_vcd_find(const snn_vcd *v, uint64_t id);
/* Declarations up to $enddefinitions, and the table of identifiers. */
bool snn_vcd_header(snn_vcd *v);

#endif
