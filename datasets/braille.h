/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parts of the Braille reader: braille.c opens, braille_letters.c and braille_pt.c know the two kinds of file. Not a public header. */
#ifndef SNNSIM_DATASETS_BRAILLE_H
#define SNNSIM_DATASETS_BRAILLE_H

#include "internal.h"
#include "pt_zip.h"

#define SNN_BRAILLE_TAXELS 12
#define SNN_BRAILLE_LETTERS 27 /* Space, A .. Z: the class order of the published networks */
#define SNN_BRAILLE_SEVEN 7    /* Space, A, E, I, O, U, Y */

extern const char *const snn_braille_letter[SNN_BRAILLE_LETTERS];

/* All trials of a pickle, parsed once. */
struct snn_braille {
    size_t trials;
    size_t *first;  /* [trials + 1] events of trial i: first[i] .. first[i+1]-1, by time and line */
    double *time;   /* s, as in the file */
    uint8_t *line;  /* 2 * taxel + (0 ON, 1 OFF) */
    int32_t *label; /* [trials] */
    size_t events, time_capacity, line_capacity, first_capacity, label_capacity;
};

/* The whole pickle in memory. DATA errors "byte N: ..." or "trial N: ...". *b is freed by the caller, also after an error. */
bool snn_braille_parse(struct snn_braille *b, const uint8_t *bytes, size_t size, snn_error *err);
/* Appends the events of trial i. Times are rounded to us; with bins of fixed width from time 0 and `nearest`, those on the border between two bins are moved by
 * 1 us to the side where NumPy's round puts them. */
bool snn_braille_events(const struct snn_braille *b, size_t i, const snn_framing *f, snn_events *out,
                        snn_error *err);
/* The us of a time in s: see snn_braille_events. */
int64_t snn_braille_us(double seconds, const snn_framing *f);

/* A TensorDataset of binned letters in a ZIP archive (torch.save). */
typedef struct {
    uint64_t samples, bins;
    uint64_t first; /* byte of the file where sample 0 begins; each has bins * 12 float32 */
    int64_t *label; /* [samples] 0 .. 6 */
} snn_braille_bins;
/* *b is freed by the caller (free its label), also after an error. DATA errors. */
bool snn_braille_bins_open(snn_braille_bins *b, const snn_source *s, snn_error *err);
/* The same out of an archive whose directory has been read. */
bool snn_braille_bins_read(snn_braille_bins *b, const snn_zip *z, const snn_source *s, snn_error *err);
/* Appends the events of one sample out of its bytes. */
bool snn_braille_bins_decode(const uint8_t *bytes, size_t size, snn_events *out, snn_error *err);

#endif
