/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Analogue read-out of a chip: the spiking rows of an array conduct at once, and converters turn the currents of its bit lines into numbers. docs/analog.md says what is modelled and why.
 *
 * readout.c makes one of these for hw.readout = "analog" and hands out its hook; everything else about the analogue way is in hw/analog_*.c (analog_internal.h).
 */
#ifndef SNNSIM_HW_ANALOG_H
#define SNNSIM_HW_ANALOG_H

#include <snnsim/readout.h>

typedef struct snn_analog snn_analog;

/* The chip must outlive it; o are the options that it was programmed with. training [n]: inputs of the network that set the converters' range, which o->analog.adc_range = 0 asks for.
 * Errors: USAGE (codes or levels that do not add up, see snn_analog_weights; nothing to calibrate on), RUNTIME (memory). */
snn_analog *snn_analog_new(const snn_chip *chip, const snn_hw_options *o, const snn_condition *when,
                           const snn_net *net, const snn_spikes *training, size_t n, snn_error *err);
void snn_analog_free(snn_analog *a); /* NULL is fine */
/* Its `sums`: thread-safe, draws keyed by (seed, chip, tensor, sample, step). Valid as long as a lives. */
const snn_hook *snn_analog_hook(const snn_analog *a);
/* What the hook did since a was made, calibration left out; of all tensors, and of one. */
void snn_analog_total(const snn_analog *a, snn_analog_stats *s);
void snn_analog_tensor_stats(const snn_analog *a, int tensor, snn_analog_stats *s);

#endif
