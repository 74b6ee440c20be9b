/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figures over the chips of a Monte Carlo run. */
#include "chips_internal.h"

#include <math.h>
#include <stdlib.h>

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Linear interpolation between the order statistics, as numpy.quantile. */
static double quantile(const double *sorted, size_t n, double share) {
    double at = share * (double)(n - 1);
    size_t low = (size_t)at;
    if (low + 1 >= n)
        return sorted[n - 1];
    return sorted[low] + (at - (double)low) * (sorted[low + 1] - sorted[low]);
}

static bool accuracy(snn_chips_result *out, snn_error *err) {
    static const double share[5] = {0.05, 0.25, 0.5, 0.75, 0.95};
    const size_t n = out->chips;
    double *sorted = snn_alloc(n, sizeof *sorted, "chips", err), sum = 0, squares = 0;
    if (!sorted)
        return false;
    for (size_t i = 0; i < n;
         i++) { /* differences from the first chip: the spread of equal chips is exactly 0 */
        double d = out->chip[i].accuracy - out->chip[0].accuracy;
        sorted[i] = out->chip[i].accuracy;
        sum += d;
        squares += d * d;
    }
    out->mean = out->chip[0].accuracy + sum / (double)n;
    double variance = n > 1 ? (squares - sum * sum / (double)n) / (double)(n - 1) : 0;
    out->sd = variance > 0 ? sqrt(variance) : 0;
    qsort(sorted, n, sizeof *sorted, ascending);
    out->worst = sorted[0];
    out->best = sorted[n - 1];
    for (int q = 0; q < 5; q++)
        out->quantile[q] = quantile(sorted, n, share[q]);
    free(sorted);
    return true;
}

static void add_program(snn_program_stats *to, const snn_program_stats *from) {
    to->cells += from->cells;
    to->pulses += from->pulses;
    to->row_pulses += from->row_pulses;
    to->unverified += from->unverified;
    to->worn += from->worn;
    to->stuck_hrs += from->stuck_hrs;
    to->stuck_lrs += from->stuck_lrs;
    to->rows_replaced += from->rows_replaced;
    to->columns_replaced += from->columns_replaced;
    to->lanes_permuted += from->lanes_permuted;
}

static void add_readout(snn_readout_stats *to, const snn_readout_stats *from) {
    to->bits += from->bits;
    to->wrong_bits += from->wrong_bits;
    to->wrong_cells += from->wrong_cells;
    to->corrected += from->corrected;
    to->uncorrectable += from->uncorrectable;
    to->read_error_rate += from->read_error_rate;
    to->weak_cells += from->weak_cells;
}

bool snn_chips_statistics(snn_chips_result *out, snn_error *err) {
    if (!out->chips)
        return true;
    for (uint32_t i = 0; i < out->chips; i++) {
        add_program(&out->program, &out->chip[i].program);
        add_readout(&out->readout, &out->chip[i].readout);
        snn_analog_stats_add(&out->analog, &out->chip[i].analog);
    }
    out->readout.read_error_rate /= out->chips;
    if (out->readout.bits)
        out->bit_error_rate = (double)out->readout.wrong_bits / (double)out->readout.bits;
    return accuracy(out, err);
}

void snn_chips_free(snn_chips_result *r) {
    free(r->chip);
    snn_metrics_free(r->metrics);
    snn_metrics_free(r->ideal.metrics);
    *r = (snn_chips_result){0};
}
