/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Monte Carlo over chips: programs chips first_chip .. first_chip + chips - 1, reads each, runs the same samples on each, and hands out results in the order of chips and samples.
 * Frames are made once and kept when they fit into memory. Same seed, same chips, same results for any number of threads.
 */
#ifndef SNNSIM_CHIPS_H
#define SNNSIM_CHIPS_H

#include <snnsim/evaluate.h>
#include <snnsim/readout.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint64_t chip;
    double accuracy;
    uint64_t correct;
    snn_program_stats program;
    snn_readout_stats readout;
    snn_analog_stats analog;
    char digest[SNN_DIGEST_HEX]; /* of this chip's output spikes, as snn_evaluation.digest */
} snn_chip_result;

typedef struct {
    int threads;
    size_t limit;              /* first n samples; 0: all */
    snn_engine_options engine; /* hook is ignored */
    const snn_flips *key;      /* NULL: none */
    snn_read_path path;
    const snn_spikes *training;
    size_t trainings; /* calibration samples of analogue read-out */
} snn_chips_options;

typedef struct {
    uint32_t chips;
    snn_chip_result *chip; /* [chips] */
    size_t samples;        /* per chip */
    double mean, sd,
        quantile[5]; /* accuracy over chips: 5, 25, 50, 75, 95 % (linear interpolation, NumPy's default) */
    snn_metrics *metrics; /* over all chips and samples */
    int steps; /* time steps of a sample */
    int layers;
    snn_layer_activity *layer;   /* [layers] summed over chips and samples */
    char digest[SNN_DIGEST_HEX]; /* over the chips' digests in order */
    double wall_seconds, frame_seconds, program_seconds, readout_seconds, pack_seconds,
        simulate_seconds; /* means over threads, but wall */
} snn_chips_result;

/* Hooks as in snn_evaluate (sample gets i = chip index * samples + sample; no traces). Errors: what its steps return; INTERRUPTED. */
bool snn_chips_run(const snn_map *map, const snn_hw_options *o, const snn_net *net, const snn_weights *stored,
                   const snn_dataset *data, const snn_chips_options *options, const snn_evaluate_hooks *hooks,
                   snn_chips_result *out, snn_error *err);
void snn_chips_free(snn_chips_result *r);

#ifdef __cplusplus
}
#endif
#endif
