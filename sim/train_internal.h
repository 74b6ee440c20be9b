/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside of training. In reading order: train.c (epochs), train_options.c (settings, schedule), train_data.c (the framed set in memory), augment.c,
 * train_plan.c (a network as stages, where its weights stand), train_pass.c (a batch forward and backward), train_input.c (spikes into sparse rows),
 * train_synapse.c, train_dense.c, train_recurrent.c, train_neuron.c, train_lanes.c, train_pool.c, train_loss.c (every forward beside its backward),
 * train_adam.c, train_quantise.c,
 * train_checkpoint.c; train_kernels.h has the inner loops.
 *
 * Shapes. T time steps; activations of one sample are [T][y][x][channel] with channels padded to TRAIN_ALIGN by lanes that stay zero. A stage is a
 * linear or conv2d layer with the pools before it. Linear is a convolution of one pixel.
 * Weights of a stage stand in panels of TRAIN_LANES outputs: [panel][ky][kx * in.channels + channel][lane], so that an input spike adds contiguous
 * rows, and the spikes of a kernel row of pixels meet contiguous weights.
 *
 * Why results do not depend on threads: a task owns what it writes. Forward and input gradients are written per (sample, panel); a weight gradient is
 * summed by the one task that owns it, over the samples in their order. Nothing is reduced across threads.
 */
#ifndef SNNSIM_SIM_TRAIN_INTERNAL_H
#define SNNSIM_SIM_TRAIN_INTERNAL_H

#include "augment.h"
#include "train_kernels.h"

#include <snnsim/digest.h>
#include <snnsim/train.h>

#define TRAIN_ALIGN 16 /* floats: one 64-byte cache line, one AVX-512 register */
#define TRAIN_LANES 64 /* outputs of a panel: four such registers of sums */
#define TRAIN_BLOCK 16 /* samples in flight; a larger batch is summed block by block (no effect on results) */
#define TRAIN_BLOCK_BYTES ((size_t)2 << 30) /* fewer samples in flight where they would need more memory */
#define TRAIN_COLS ((size_t)8 << 20)        /* floats of unrolled input (im2col) at a time, per thread */
/* Share of nonzero entries above which CBLAS is quicker than sparse rows (measured, see train_synapse.c). */
#define TRAIN_DENSE 0.65

/* ---- the plan ---- */

typedef struct {
    snn_layer_type type;
    uint32_t kernel, stride;
    snn_shape in, out;
    uint32_t pitch; /* padded channels */
} train_pool;

typedef struct {
    const snn_layer *layer;
    train_neuron neuron;
    snn_shape source;      /* output of the stage before (stage 0: the network's input), before pools */
    uint32_t source_pitch; /* its padded channels */
    int pools;
    train_pool *pool; /* [pools] in order */
    snn_shape pooled; /* after the pools */
    bool listed;      /* reads the network's input list as it is: linear at the very start */

    train_geometry grid; /* input and output pixels; linear: one pixel of all inputs */
    uint32_t outputs;    /* output channels */
    uint32_t in_pitch, out_pitch;
    uint32_t panels, in_panels;
    float factor;      /* 1/kernel^2 of average pools before this layer: applied to its sums */
    size_t fan;        /* weights of one output: kernel^2 * in.channels */
    size_t w, weights; /* first parameter, number with padding lanes */
    size_t wt;         /* first float of the transposed weights */
    bool has_wt;       /* input gradients can run sparse (not stage 0, stride 1) */
    size_t b;          /* first bias [out_pitch] */
    bool has_bias;
    bool recurrent;
    size_t r,
        recurrent_weights; /* the recurrent ones [panel][outputs][lane]: first parameter, number with padding lanes */
    size_t rt;             /* first float of their transpose */
    float *lanes;          /* memory of neuron.lanes */
} train_stage;

/* One weight gradient: stage, panel, kernel row; or one of these instead of the row. */
enum { TRAIN_BIAS = -1, TRAIN_RECURRENT = -2 };
typedef struct {
    int stage, panel, ky;
    double cost;
} train_task;

typedef struct {
    const snn_net *net;
    int steps, stages;
    train_stage *stage;
    size_t parameters, weights; /* floats; weights come first, then biases */
    size_t transposed;          /* floats */
    int tasks;
    train_task *task;   /* most costly first */
    size_t widest;      /* floats of one time step of any plane */
    size_t gradient;    /* floats of the largest input gradient of a sample */
    size_t cols;        /* floats of the largest im2col chunk */
    size_t delta_rows;  /* of the largest sparse output gradient: pixels */
    size_t delta_items; /* and entries */
    uint32_t recurrent; /* neurons of the largest recurrent layer */
    const train_kernels *kernels;
    const snn_train_options *options;
} train_plan;

bool snn_train_plan(train_plan *p, const snn_net *net, int steps, const snn_train_options *o, snn_error *err);
void snn_train_plan_free(train_plan *p);
static inline uint32_t snn_train_round(uint32_t n) {
    return (n + TRAIN_ALIGN - 1) / TRAIN_ALIGN * TRAIN_ALIGN;
}
/* Lanes of a panel of `pitch` outputs in all. */
static inline uint32_t snn_train_width(uint32_t pitch, uint32_t panel) {
    uint32_t left = pitch - panel * TRAIN_LANES;
    return left < TRAIN_LANES ? left : TRAIN_LANES;
}
/* First weight of a panel, relative to the stage's first. */
static inline size_t snn_train_panel(const train_stage *s, uint32_t panel) {
    return (size_t)panel * TRAIN_LANES * s->fan;
}
/* Tensors in PyTorch's order and biases of a network, to and from parameters. */
void snn_train_pack(const train_plan *p, const snn_weights *w, const snn_net *biases, float *parameters);
void snn_train_unpack(const train_plan *p, const float *parameters, snn_weights *w, snn_net *biases);

/* ---- the optimiser ---- */

typedef struct {
    double rate, weight_decay, beta1, beta2, epsilon;
    uint64_t step; /* 1.. */
    double clip;
} train_adam;

/* An update under way. */
typedef struct {
    train_adam_step weights, biases;
    float *w, *m, *v; /* [parameters] */
} train_update;

/* ---- a batch ---- */

typedef struct {
    train_csr in;    /* what the synapses read */
    bool dense;      /* CBLAS is quicker */
    float *v;        /* [T][pixels][out_pitch] currents, then membranes, then gradients of the sums */
    uint8_t *active; /* [T][pixels][panels] is any gradient of the row nonzero? */
    train_csr own;   /* recurrent: row t holds the layer's spikes of step t - 1 */
    float *barrier;  /* alif: [T][pixels][out_pitch] its threshold of each step; NULL for others */
    float *
        bias_sum; /* by lanes: [pixels][out_pitch] gradient of biases that are no part of the current; NULL for others */
    float *
        push; /* hidden, with a rate_weight: [pixels][out_pitch] spikes counted, then the penalty's gradient; NULL for others */
    double penalty; /* for firing too little or too much */
    uint32_t **
        arg; /* per pool: [T][pixels][pitch] which element of the window was the (first) maximum; NULL: not max */
} train_layer_state;

typedef struct {
    train_layer_state *layer; /* [stages] */
    train_csr delta;          /* gradient of the sums of the stage at hand */
    bool delta_dense;
    float *dx;    /* [T][pixels][in_pitch] gradient with respect to what a stage reads */
    double *sum;  /* [classes] spikes (li: membrane, or its softmax) summed over time */
    float *share; /* [classes] softmax of a step */
    float *dout;  /* [classes] gradient of the loss with respect to each of them */
    double loss;
    int predicted;
    size_t sample; /* number in the data set */
    int label;
    uint64_t stream; /* augmentation: index of the random stream */
} train_sample;

typedef struct {
    float *plane[2];    /* [widest] */
    float *carry;       /* [widest] gradient of the next step's membrane */
    float *state;       /* [widest] current or adaptation of the step at hand */
    float *last;        /* [widest] alif: its spikes of the step before */
    float *carry_state; /* [widest] gradient of the next step's state */
    float *zero;        /* [widest] zeros */
    float *own;         /* [widest] gradient of spikes from more than one source */
    train_csr row;      /* one step of a recurrent layer */
    float *cols;        /* im2col */
    snn_spikes spikes;
    augment_scratch augment;
    bool failed;
    snn_error err;
} train_scratch;

typedef struct {
    const train_plan *plan;
    int capacity, threads;
    train_sample *sample;   /* [capacity] */
    train_scratch *scratch; /* [threads] */
    int samples;            /* in flight */
    const float *w;         /* weights to run with: float or quantised; biases behind them */
    const float *wt;        /* transposed weights */
    float *g;               /* gradient of all parameters */
    double weight;          /* of each sample in the loss: 1 / batch */
    const augment *augment; /* NULL: none */
    const snn_spikes *data; /* [..] the set that train_sample.sample numbers */
    const train_update *
        update; /* apply to each gradient as soon as it is whole; NULL: leave the gradients for snn_train_adam */
    int diverged; /* the update met a number that is not finite */
} train_block;

bool snn_train_block_new(train_block *b, const train_plan *p, int capacity, int threads, snn_error *err);
void snn_train_block_free(train_block *b);
/* Runs b->samples samples. backward: also adds to b->g, which is cleared first when `first`. Inside: one parallel region. */
bool snn_train_block_run(train_block *b, bool backward, bool first, snn_error *err);

/* ---- its steps ---- */

/* Input list -> sparse rows of stage 0. */
void snn_train_input(const train_plan *p, const snn_spikes *x, train_layer_state *l, train_scratch *scratch);
/* Step t of what a stage's source put out, through its pools, into sparse rows. plane and other are overwritten. */
void snn_train_read_plane(const train_plan *p, const train_stage *st, train_layer_state *l, int t,
                          float *plane, float *other);
/* Sparse or dense: by the share of nonzero entries. */
void snn_train_choose(const train_plan *p, const train_stage *st, train_layer_state *l);
/* Appends step t of a plane [pixels][pitch] with `channels` real channels; columns count from 0 in every line of pixels. */
void snn_train_rows(const train_kernels *k, train_csr *csr, int t, uint32_t pixels, uint32_t line,
                    uint32_t channels, uint32_t pitch, const float *plane);
bool snn_train_csr_new(train_csr *c, int steps, size_t rows, size_t entries, snn_error *err);
void snn_train_csr_free(train_csr *c);

/* currents of (sample, panel) into layer->v; in dense mode panel 0 does all panels. */
void snn_train_synapse_forward(const train_plan *p, const train_stage *st, const float *w,
                               train_layer_state *l, uint32_t panel, float *cols);
/* dx of (sample, input panel). */
void snn_train_synapse_input_gradient(const train_plan *p, const train_stage *st, const float *w,
                                      const float *wt, const train_layer_state *l, train_sample *s,
                                      uint32_t panel, float *cols);
/* Adds one sample to a task's gradient. */
void snn_train_synapse_weight_gradient(const train_plan *p, const train_stage *st, const train_layer_state *l,
                                       uint32_t panel, int ky, float *g, float *cols);
void snn_train_bias_gradient(const train_plan *p, const train_stage *st, const train_layer_state *l,
                             float *g);
/* ---- recurrent synapses (train_recurrent.c): the row of step t holds the spikes of step t - 1 ---- */

/* Appends row t: the spikes s [out_pitch] of the step before it. */
void snn_train_recurrent_keep(const train_plan *p, const train_stage *st, train_layer_state *l, int t,
                              const float *s);
/* Adds row t's share to the sums of step t. */
void snn_train_recurrent_forward(const train_plan *p, const train_stage *st, const float *w,
                                 train_layer_state *l, int t, train_scratch *scratch);
/* ds [out_pitch], the gradient of the spikes of step t, and what step t + 1 adds to it. */
const float *snn_train_recurrent_backward(const train_plan *p, const train_stage *st, const float *wt,
                                          const train_layer_state *l, int t, const float *ds,
                                          train_scratch *scratch);
/* Adds one sample to the gradient of a panel [outputs][lane]. */
void snn_train_recurrent_weight_gradient(const train_plan *p, const train_stage *st,
                                         const train_layer_state *l, uint32_t panel, float *g);
void snn_train_recurrent_transpose(const train_stage *st, const float *w, float *wt, uint32_t panel);

/* Transposed weights of all stages that need them. */
void snn_train_transpose_all(const train_plan *p, const float *w, float *wt, int threads);

/* train_dense.c: the same through im2col and CBLAS; forward and input gradient do all panels at once. */
void snn_train_dense_forward(const train_stage *st, const float *w, train_layer_state *l, float *cols);
void snn_train_dense_input_gradient(const train_stage *st, const float *w, const float *delta, float *dx,
                                    float *cols);
void snn_train_dense_weight_gradient(const train_stage *st, const train_layer_state *l, uint32_t panel,
                                     int ky, float *g, float *cols);
/* OpenBLAS to one thread (its bits depend on their number); returns what it was, for restore. */
int snn_train_blas_single(void);
void snn_train_blas_restore(int threads);
/* Steps of im2col at a time. */
int snn_train_dense_chunk(const train_stage *st, int steps);

/* One time step of a stage's neurons. v: currents in, membranes out; before: membranes of the step before (NULL: none); s: spikes out. */
void snn_train_neuron_forward(const train_plan *p, const train_stage *st, const float *bias,
                              const float *before, float *v, float *s);
/* ds: gradient with respect to the spikes (li: membrane); v: membranes in, gradient of the synaptic sums out; carry: gradient of the next step's
 * membrane in, of this step's out. */
void snn_train_neuron_backward(const train_plan *p, const train_stage *st, const float *ds, float *carry,
                               float *v);

/* ---- neurons by lanes (train_lanes.c) ---- */

bool snn_train_lanes_new(train_stage *s, snn_error *err);
/* States before the first step. */
void snn_train_lanes_begin(const train_stage *st, train_scratch *scratch);
/* Step t: sums in l->v become membranes, s: spikes out. bias [out_pitch], NULL: none. */
void snn_train_lanes_forward(const train_plan *p, const train_stage *st, train_layer_state *l, int t,
                             const float *bias, float *s, train_scratch *scratch);
/* Membranes in l->v become gradients of the sums. */
void snn_train_lanes_backward(const train_plan *p, const train_stage *st, train_layer_state *l, int t,
                              const float *bias, const float *ds, train_scratch *scratch);

/* One time step. x [in pixels][pitch] -> y [out pixels][pitch]; arg NULL: sum. */
void snn_train_pool_forward(const train_kernels *k, const train_pool *pool, const float *x, float *y,
                            uint32_t *arg);
/* dy -> dx (overwritten). dy has its own row length and pixel pitch: it may be a linear layer's input. */
void snn_train_pool_backward(const train_kernels *k, const train_pool *pool, const float *dy,
                             uint32_t dy_pitch, const uint32_t *arg, float *dx);

/* Softmax of one step's membranes v [pixels][out_pitch], added to sum [classes]; p: scratch [classes]. */
void snn_train_softmax(const train_stage *st, const float *v, float *p, double *sum);
/* Its gradient: dv [pixels][out_pitch] from dout [classes], the gradient of its sum. */
void snn_train_softmax_backward(const train_stage *st, const float *v, const float *dout, float *p,
                                float *dv);
/* Spikes counted in l->push -> l->penalty and its gradient for every step's spike, times weight. */
void snn_train_rate_penalty(const train_plan *p, const train_stage *st, double weight, train_layer_state *l);
/* Loss of one sample from s->sum; fills loss, predicted and dout (times weight). */
void snn_train_loss(const snn_train_options *o, int classes, int steps, double weight, train_sample *s);

/* ---- parameters ---- */

/* Coefficients of an update; `scale`: of the gradient. */
void snn_train_adam_begin(const train_adam *a, double scale, train_update *u);
/* Updates n parameters from `first` on, all weights or all biases; false when a gradient or a new parameter is not finite. */
bool snn_train_adam_range(const train_plan *p, const train_update *u, const float *g, size_t first, size_t n);
/* One update of all of w, m, v from g; false when a gradient or a new parameter is not finite. chunk: scratch [snn_train_adam_chunks]. */
bool snn_train_adam(const train_plan *p, const train_adam *a, int threads, float *w, float *m, float *v,
                    const float *g, double *chunk);
size_t snn_train_adam_chunks(const train_plan *p);

/* Effective weights: what the codes of w stand for, padding lanes zero. Biases are copied. */
bool snn_train_effective(const train_plan *p, const snn_quantisation *q, int threads, const float *w,
                         float *effective, snn_error *err);

double snn_train_rate(const snn_train_options *o, bool quantised,
                      double progress); /* progress: epochs done in this phase */

/* ---- data ---- */

typedef struct {
    size_t samples;
    snn_spikes *x; /* [samples] */
    int *label;
    int classes, steps;
    snn_shape shape;
    uint32_t *train, *validation; /* numbers of samples */
    size_t trains, validations;
} train_data;
bool snn_train_data_load(train_data *d, const snn_dataset *data, const snn_net *net,
                         const snn_train_options *o, snn_error *err);
void snn_train_data_free(train_data *d);
/* Cuts off the validation share, stratified; allocates train and validation. */
bool snn_train_data_split(train_data *d, const snn_train_options *o, snn_error *err);

/* ---- state that a checkpoint keeps ---- */

typedef struct {
    bool kept;             /* weights are in train_state.best */
    int epoch;             /* 1..; 0: before training */
    double accuracy, loss; /* validation; -1 without */
} train_best;

typedef struct {
    bool quantised;  /* phase */
    int epoch;       /* whole epochs done, both phases */
    int phase_epoch; /* whole epochs done in this phase */
    int since_best;
    uint64_t batch; /* next batch of the epoch at hand */
    uint64_t step;  /* Adam updates done in this phase */
    double loss_sum;
    uint64_t seen, hits;
    double seconds, epoch_seconds; /* wall time so far, of the epoch at hand */
    train_best best[2];            /* float, quantised */
} train_progress;

typedef struct {
    const train_plan *plan;
    uint8_t fingerprint[SNN_DIGEST_BYTES];
    train_progress at;
    float *w, *m, *v;         /* [parameters] */
    float *best[2];           /* [parameters] float master weights of the best epoch of each phase */
    snn_train_epoch *history; /* [at.epoch] */
    size_t history_capacity;
} train_state;

bool snn_train_fingerprint(const train_plan *p, const train_data *d, const snn_weights *initial,
                           uint8_t out[SNN_DIGEST_BYTES], snn_error *err);
bool snn_train_checkpoint_save(train_state *s, const char *path, snn_error *err);
bool snn_train_checkpoint_load(train_state *s, const char *path, snn_error *err);

/* Float tensors that fit the network? DATA error. */
bool snn_train_check_weights(const snn_weights *w, const snn_net *net, snn_error *err);
/* As snn_train_gradient, for tests: with kernels of choice (NULL: the best) and gradients of the biases (a copy of net that takes them; may be NULL). */
bool snn_train_gradient_with(const snn_net *net, const snn_weights *w, const snn_train_options *o,
                             const train_kernels *kernels, const snn_spikes *x, const int *label, int samples,
                             double *loss, snn_weights *gradient, snn_net *biases, snn_error *err);

#endif
