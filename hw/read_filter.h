/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside of the scan: which cells of a tensor cannot be on any list, from the words that their deviates are made of.
 *
 * A level's conductance is monotonic in each deviate (program, relax, variation), and so is what the amplifier's offset makes of it; over a box of deviates |z| <= t its extremes are
 * in corners. The largest t at which the whole box reads right with room for all noise is found by bisection for every level; a cell whose deviates are all inside the smallest
 * of these boxes is passed over. Words are compared, not deviates: a quantile ascends.
 */
#ifndef SNNSIM_HW_READ_FILTER_H
#define SNNSIM_HW_READ_FILTER_H

#include "read_internal.h"

typedef struct {
    bool all;                  /* most cells would be candidates: look at all */
    bool program, relax, vary; /* deviates that some level needs without verification */
    double
        margin; /* [uS] a cell that is farther from all references is on no list; infinite with slow noise */
    double offset; /* [uS] amplifiers with larger offsets: all of their cells are candidates */
    int streams;
    struct {
        snn_purpose purpose;
        uint32_t low, range; /* a cell is a candidate when word - low > range (unsigned) */
    } stream[4];
} snn_read_filter;

void snn_filter_make(snn_read_filter *f, const snn_read_plan *p, const snn_read_tensor *t,
                     const snn_chip_levels *levels);
static inline bool snn_filter_offset(const snn_read_filter *f, double offset) {
    return offset > f->offset || offset < -f->offset;
}
/* Is a cell that reads `sensed` right and far from all references? */
static inline bool snn_filter_safe(const snn_read_filter *f, const snn_read_class *c, int target,
                                   double sensed) {
    return (target == 0 || sensed - f->margin > c->threshold[target - 1]) &&
           (target == c->levels - 1 || sensed + f->margin < c->threshold[target]);
}
/* Sets flag[i] |= 1 for the candidates among cells first .. first + n - 1; word [n] is scratch. */
void snn_filter_row(const snn_read_filter *f, const snn_chip *chip, uint64_t first, uint32_t n,
                    uint32_t *word, uint8_t *flag);

#endif
