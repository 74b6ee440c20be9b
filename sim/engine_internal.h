/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside of the engine. In reading order: engine.c (checks a network and builds the stages), engine_pack.c (lays weights out for the kernels),
 * engine_run.c (walks a sample through the stages), engine_input.c (spike lists into what a stage reads), engine_synapse.c (synaptic sums),
 * engine_hook.c (what the chip does to them), engine_neuron.c (neurons beyond the kernels' LIF), engine_pool.c, engine_count.c (operation counts),
 * engine_readout.c, engine_result.c.
 *
 * A stage is one layer of the network (flatten has none). Between stages spikes stand in planes, one per time step of a chunk:
 * bytes [y][x][channel] with a border of zeros as wide as the next layer's padding, channels padded to SNN_PAD. The input of the network comes as
 * spike lists in C order and is read as it is by a linear layer, and bucketed by pixel for a convolution.
 * Time runs in chunks: every stage handles a few steps before the next one starts, so that weights and planes stay in the cache. A stage whose spikes are
 * needed later (delayed, or fed back) keeps the planes of its last steps: its planes are a ring of a chunk and that tail.
 *
 * A recurrent layer has a second stage behind `back`, a linear one that reads the layer's own spikes of the step before; it has weights, a hook and counts
 * of its own, and its sums are added to the first one's before the neurons see them.
 */
#ifndef SNNSIM_SIM_ENGINE_INTERNAL_H
#define SNNSIM_SIM_ENGINE_INTERNAL_H

#include "kernel.h"
#include <snnsim/engine.h>

/* Fixed arithmetic stays inside 32 bits when |sum| <= 2^23 (64 times that is 2^29), |bias| <= 2^28 and |v| <= 2^30 before each step, and a synaptic current
 * |u| <= 2^29 after each step; all are checked. */
#define SNN_FIXED_SUM (INT32_C(1) << 23)
#define SNN_FIXED_BIAS (INT32_C(1) << 28)
#define SNN_FIXED_MEMBRANE (INT32_C(1) << 30)
#define SNN_FIXED_CURRENT (INT32_C(1) << 29)

typedef struct {
    snn_shape shape;        /* without border and padding channels */
    uint32_t border;        /* pixels of zeros on each side */
    uint32_t pitch;         /* padded channels: bytes per pixel */
    uint32_t width, height; /* with border */
    size_t bytes;           /* width * height * pitch */
    uint32_t largest;       /* largest count that can occur, <= 255 */
} snn_plane;

/* Parameters of each neuron, [neurons_padded] as planes have them, for what the LIF of the kernels does not know. Of float and fixed arithmetic one half. */
typedef struct {
    float *decay, *threshold, *gain, *current_decay, *current_gain, *adapt_decay,
        *adapt_rest;      /* rest: 1 - decay */
    float *factor, *bias; /* synaptic sum -> current (of lif: times gain); bias NULL: none */
    int32_t *decay_fixed, *current_decay_fixed, *threshold_fixed, *bias_fixed;
} snn_each_neuron;

typedef struct snn_stage {
    int layer; /* index in the network */
    snn_layer_type type;
    snn_shape in, out;
    uint32_t kernel, stride, padding;
    bool from_input;        /* reads the network's input lists (directly or through pools on lists) */
    snn_plane source;       /* what it reads (geometry also for lists: entries are positions in it) */
    snn_plane target;       /* what it writes */
    int start;              /* first step in which it does anything */
    int delay;              /* steps until its spikes reach the next stage */
    int tail, ring;         /* planes of earlier steps that are needed; planes in all: chunk + tail */
    struct snn_stage *back; /* recurrent weights; NULL: none */

    /* weights */
    int tensor; /* -1: pooling */
    snn_code_type code_type;
    uint32_t outputs;  /* padded outputs of a row */
    size_t rows_count; /* input lines of the packed weights */
    size_t row_bytes;  /* of one of them */
    int8_t *rows;      /* [rows_count][outputs], see kernel.h */
    int8_t *dense;     /* [rows_count / 4][outputs][4], convolutions of planes only; else NULL */
    int16_t *rows16;   /* 16-bit codes: [rows_count][outputs] in natural order */
    float *rows_float; /* float tensors: the same */
    uint32_t *row_of;  /* [inputs of one output, in the tensor's order] their rows; NULL: row i is input i */
    int32_t magnitude; /* largest |q|, at least 1 */
    uint64_t norm;     /* largest sum of |q| over the inputs of one output, at least 1 */

    /* neurons */
    snn_neuron neuron;
    uint32_t neurons_padded; /* out.height * out.width * outputs */
    float *factor, *bias;    /* [outputs], bias NULL when the layer has none */
    int32_t *threshold_fixed, *bias_fixed;
    int32_t decay_fixed;
    bool
        single; /* `each` instead of the four above: parameters of each neuron, or neurons that the kernels do not know */
    snn_each_neuron each;

    /* hook */
    bool read, analogue; /* it corrects the sums; it replaces them */
    bool fine;           /* the neurons get sums in 1/64 weight LSB: analogue, or the recurrent ones are */
    uint32_t *
        input_index; /* planes: C order index of the positions of the plane (linear) or of its first real line (conv) */
    float *factor_fine; /* [outputs] factor / 64, for sums in 1/64 weight LSB */

    /* operation counts, per position in source (for lists: C order index): synapses, and those that are not zero */
    uint32_t *fan_out, *fan_out_nonzero;
} snn_stage;

/* What neurons keep from step to step, [neurons_padded] each. */
typedef struct {
    void *membrane; /* float or int32 */
    void *second;   /* the same; synaptic current, or average of spikes (alif) */
    uint16_t *wait; /* steps for which the membrane still stays at 0; alif: 1 after a spike */
} snn_state;

struct snn_engine {
    snn_arithmetic arithmetic;
    const snn_kernels *kernels;
    snn_hook hook; /* all zero: none */
    bool count_operations;
    snn_density density;
    snn_net *net;
    bool loaded; /* holds weights */
    uint32_t classes;
    bool membrane_readout; /* last layer is li */
    int stages;
    snn_stage *stage;
    int chunk;          /* time steps per chunk */
    int32_t sum_limit;  /* largest |sum| that the arithmetic allows */
    int32_t fine_limit; /* the same for sums in 1/64 weight LSB */
};

/* Spikes of one time step as a stage reads them: entries sorted by line, bucketed by pixel for convolutions. */
typedef struct {
    uint32_t *entry;  /* spikes: position in the line ([x][channel] for planes, the input index for linear) */
    snn_spike *count; /* the same with counts */
    size_t capacity;  /* of entry and count each */
    uint32_t *first;  /* [height * width + 1] entries of pixel p of the padded source (convolutions) */
    size_t n;
    bool counted; /* count is used instead of entry */
    const snn_spike
        *counts; /* the entries with counts: count, or the caller's own list where that serves as it is */
} snn_step_list;

/* A read error, sorted by line. */
typedef struct {
    uint32_t at; /* [x][output] of its line */
    int32_t dsum;
} snn_line_error;

struct snn_workspace {
    const snn_engine *engine;
    uint8_t **plane; /* [stages] target planes: [ring][bytes], step t at t modulo ring; border stays zero */
    uint32_t **nonzero; /* [stages][ring] nonzero bytes of each plane */
    snn_state *state;   /* [stages] NULL for pooling, and what the neurons do not have */
    int32_t *sum;       /* [widest output line] */
    float *sum_float;   /* [largest neurons_padded] currents of a whole step, float tensors only */
    int32_t *sum_back;  /* the same for what recurrent sums are added to */
    float *sum_float_back;
    void *trace_membrane; /* [largest neurons_padded] when a trace asks */
    uint8_t *trace_spikes;
    void *trace_ordered; /* the same in C order */
    size_t trace_size;
    snn_step_list list;
    snn_segment *segment; /* [largest kernel] */
    snn_spikes pooled[2]; /* input lists after pooling */
    uint64_t *pool_key;   /* scratch of list pooling */
    size_t pool_key_capacity;
    snn_spike *ordered; /* spikes of a plane, in C order or as the hook reads them */
    size_t ordered_capacity;
    uint32_t *scratch; /* [longest plane line + SNN_PAD] */
    void *hook_scratch;
    snn_sum_errors errors;
    size_t *
        line_first; /* [most output lines + 1] errors of line y: line_error[line_first[y]] up to line_error[line_first[y + 1]] */
    snn_line_error *line_error; /* sorted by line */
    size_t line_error_capacity;
    float *softmax; /* [classes] NULL: read out otherwise */
    int32_t *fine;  /* [largest output] sums of a whole step in 1/64 weight LSB, [pixel][channel] */
};

/* engine_pack.c: the first call for a stage allocates, later ones fill the same memory with other weights. */
bool snn_stage_pack(snn_stage *s, const snn_tensor *t, const snn_engine *e, bool dense, snn_error *err);
bool snn_stage_pack_neurons(snn_stage *s, const snn_layer *layer, const snn_tensor *t, float input_factor,
                            snn_arithmetic a, snn_error *err);
bool snn_stage_count_fan_out(snn_stage *s, snn_error *err);
/* theta in 1/64 of a unit, rounded down; the largest number when it can never be reached. */
int32_t snn_fixed_threshold(float theta, float unit);
/* Bias of channel c in 1/64 of a unit. Errors: DATA when it is too large. */
bool snn_fixed_bias(const snn_layer *layer, uint32_t c, float unit, int32_t *out, snn_error *err);

/* engine_input.c */
/* largest_count: of the whole sample; when no count needs splitting a linear layer reads the caller's list as it is. */
bool snn_list_reserve(snn_step_list *l, size_t need, snn_error *err);
bool snn_list_from_input(snn_step_list *l, const snn_stage *s, const snn_spike *spike, size_t n,
                         uint32_t largest_count, snn_error *err);
/* The nonzero positions of a plane; their counts follow with snn_list_add_counts. */
bool snn_list_from_plane(snn_step_list *l, const snn_stage *s, const snn_kernels *k, const uint8_t *plane,
                         snn_error *err);
bool snn_list_add_counts(snn_step_list *l, const snn_stage *s, const uint8_t *plane, snn_error *err);
/* The spikes of a source plane in C order, in w->ordered. Uses w->list as scratch. */
bool snn_input_spikes(const snn_stage *s, const snn_kernels *k, const uint8_t *plane, snn_workspace *w,
                      const snn_spike **spike, size_t *n, snn_error *err);

/* engine_synapse.c: sums of one line y of outputs: w->sum [out.width][outputs] (or w->sum_float). */
void snn_sum_line_list(const snn_engine *e, const snn_stage *s, const snn_step_list *l, uint32_t y,
                       snn_workspace *w);
void snn_sum_line_dense(const snn_engine *e, const snn_stage *s, const uint8_t *plane, uint32_t y,
                        snn_workspace *w);
void snn_sum_step_float(const snn_stage *s, const snn_spike *spike, size_t n, float *sum);

/* engine_hook.c */
bool snn_stage_hook(snn_stage *s, const snn_hook *hook, snn_error *err);
bool snn_workspace_hook(snn_workspace *w, snn_error *err);
void snn_workspace_unhook(snn_workspace *w);
/* The spikes of a source plane in the hook's order, in w->ordered. listed: w->list holds its positions already. */
bool snn_hook_input(const snn_stage *s, const snn_kernels *k, const uint8_t *plane, bool listed,
                    snn_workspace *w, const snn_spike **spike, size_t *n, snn_error *err);
/* Asks the hook about one step: sorted errors, or the sums of the whole step. */
bool snn_hook_ask(const snn_stage *s, uint64_t sample, int step, const snn_spike *spike, size_t n,
                  snn_workspace *w, snn_error *err);
/* What it said about output line y, into w->sum. */
bool snn_hook_correct_line(const snn_stage *s, uint32_t y, snn_workspace *w, snn_error *err);
bool snn_hook_sum_line(const snn_stage *s, uint32_t y, snn_workspace *w, snn_error *err);

/* engine_neuron.c */
/* Is this layer none of those that the kernels' LIF does? */
bool snn_layer_single(const snn_layer *layer);
bool snn_stage_pack_each(snn_stage *s, const snn_layer *layer, const snn_tensor *t, float input_factor,
                         snn_arithmetic a, snn_error *err);
void snn_each_free(snn_each_neuron *p);
bool snn_state_new(snn_state *state, const snn_stage *s, snn_error *err);
void snn_state_reset(const snn_state *state, const snn_stage *s);
void snn_state_free(snn_state *state);
/* The outputs of one pixel from neuron `first` on, as lif_float and lif_fixed of the kernels. current: instead of sum (float tensors). *beyond: set when a state leaves the
 * range of fixed arithmetic. */
uint32_t snn_fire_each(const snn_engine *e, const snn_stage *s, const snn_state *state, uint32_t first,
                       const int32_t *sum, const float *current, uint8_t *spike, void *membrane,
                       uint64_t *changed, bool *beyond);

/* engine_readout.c: spikes: how many there are in the plane of the last stage that is counted now. */
void snn_read_out(const snn_engine *e, const snn_stage *s, const snn_workspace *w, const uint8_t *plane,
                  uint32_t spikes, int step, snn_result *r);

/* engine_pool.c */
bool snn_pool_list(const snn_stage *s, const snn_spikes *in, snn_spikes *out, snn_workspace *w,
                   snn_error *err);
uint32_t snn_pool_plane(const snn_stage *s, const snn_kernels *k, const uint8_t *in, uint8_t *out);

/* engine_count.c */
void snn_count_list(const snn_stage *s, const snn_spike *spike, size_t n, snn_layer_activity *a);
void snn_count_plane(const snn_stage *s, const snn_kernels *k, const uint8_t *plane, uint32_t *scratch,
                     snn_layer_activity *a);

#endif
