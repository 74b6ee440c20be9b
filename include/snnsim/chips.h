/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Monte Carlo over chips: programs chips first_chip .. first_chip + chips - 1, reads each, runs the same samples on each, and hands out results in the order of chips and samples.
 * Same seed, same chips, same results for any number of threads.
 *
 * A batch of chips is programmed and read in parallel, one chip a thread; then all threads share the (chip, sample) pairs of the batch. So a single chip with many
 * samples keeps the threads as busy as many chips with few samples, and memory does not grow with the number of chips or samples.
 */
#ifndef SNNSIM_CHIPS_H
#define SNNSIM_CHIPS_H

#include <snnsim/evaluate.h>
#include <snnsim/readout.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- framed samples, for who runs the same ones many times ---- */

typedef struct snn_frames snn_frames;
#define SNN_FRAMES_BYTES ((size_t)1 << 30) /* that much is a fair share of any machine that trains networks */

/* The first `limit` samples of `data` (0: all), each framed when it is first asked for and then kept, up to `bytes` in all; further ones are framed anew each time.
 * `data` must outlive it. Thread-safe. */
snn_frames *snn_frames_new(const snn_dataset *data, size_t limit, size_t bytes, snn_error *err);
void snn_frames_free(snn_frames *f);
const snn_dataset *snn_frames_data(const snn_frames *f);
size_t snn_frames_count(const snn_frames *f);
/* *x: sample i, kept or in `own` (valid until `own` is used again). Errors: what the reader returns. */
bool snn_frames_get(snn_frames *f, size_t i, snn_dataset_buffer *buffer, snn_spikes *own,
                    const snn_spikes **x, snn_error *err);
/* Events of the samples that were framed so far, each counted once. */
typedef struct {
    uint64_t events, dropped, out_of_order, empty_samples;
} snn_frames_events;
void snn_frames_about(const snn_frames *f, snn_frames_events *out);

/* ---- the run ---- */

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
    snn_engine_options engine; /* hook is ignored */
    const snn_flips *key;      /* NULL: none */
    snn_read_path path;
    bool ideal; /* run the same samples without a chip too: stored weights (key flipped), exact sums */
    const snn_spikes *training;
    size_t trainings; /* calibration samples of analogue read-out */
} snn_chips_options;

/* The plain network on the same samples. */
typedef struct {
    snn_metrics *metrics; /* NULL: not run */
    char digest[SNN_DIGEST_HEX];
} snn_chips_ideal;

typedef struct {
    uint32_t chips;
    snn_chip_result *chip;                     /* [chips] */
    size_t samples;                            /* per chip */
    double mean, sd, worst, best, quantile[5]; /* accuracy over chips; sd of a sample (n - 1), 0 for one chip;
                                                  5, 25, 50, 75, 95 % (linear interpolation, NumPy's default) */
    double bit_error_rate;                     /* wrong_bits / bits over all chips */
    snn_program_stats program;                 /* sums over chips */
    snn_readout_stats readout;                 /* sums over chips; read_error_rate: mean */
    snn_analog_stats analog;                   /* of all chips (snn_analog_stats_add) */
    snn_metrics *metrics;                      /* over all chips and samples */
    int steps;                                 /* time steps of a sample */
    int layers;
    const snn_layer_activity *layer; /* [layers] summed over chips and samples: metrics->activity */
    char digest[SNN_DIGEST_HEX];     /* BLAKE2b-256 over the chips' digests (32 bytes each) in order */
    snn_chips_ideal ideal;
    snn_frames_events events;
    double wall_seconds, read_seconds, frame_seconds, program_seconds, readout_seconds, pack_seconds,
        simulate_seconds; /* means over threads, but wall; pack: weights into the engine */
} snn_chips_result;

/* map and o NULL: no chips, only the ideal run (options->ideal must be set). Hooks as in snn_evaluate (sample gets i = chip index * samples + sample; the ideal run is
 * not handed out; no traces). Errors: DATA when the data set does not fit the network; USAGE for a chip file with more than one chip; what its steps return;
 * INTERRUPTED. Of several failing chips or samples the first one is reported. */
bool snn_chips_run(const snn_map *map, const snn_hw_options *o, const snn_net *net, const snn_weights *stored,
                   snn_frames *frames, const snn_chips_options *options, const snn_evaluate_hooks *hooks,
                   snn_chips_result *out, snn_error *err);
void snn_chips_free(snn_chips_result *r);

#ifdef __cplusplus
}
#endif
#endif
