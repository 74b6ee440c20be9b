/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fitness probe for networks with convolutions. In reading order: probe_planes.c (an evaluation, layer by layer), probe_planes_base.c (what is kept of the unchanged network),
 * probe_planes_near.c (a layer whose weights change: only the touched output channels), probe_planes_far.c (a layer whose inputs change: sums are corrected by the rows of the inputs
 * that changed), probe_planes_pool.c, probe_planes_list.c (changed inputs as lists), probe_planes_kernels*.
 *
 * What one layer passes to the next is a signal: for each step of each sample, 64 neurons of a pixel to a word of bits; or counts, where sums were pooled and for the network's input.
 * An evaluation carries the differences to the base from signal to signal: words of changed bits. Steps of all samples stand one behind the other ("step" below counts
 * through all samples); sums stand by pixel, all steps of a sample together, so that a membrane stays in a register from its first step to its last.
 *
 * For layers that are searched sums stand a second time, by output channel: tiles of samples, in a tile all pixels of its samples are lanes of one vector. Inputs stand in the
 * same lanes, one vector for each input channel, so that a changed weight adds one shifted vector to another. To let shifts be plain offsets, lanes are as many as
 * input pixels (some are no neurons), and inputs of a strided convolution are split by the stride ("phases").
 */
#ifndef SNNSIM_SIM_PROBE_PLANES_H
#define SNNSIM_SIM_PROBE_PLANES_H

#include "engine_internal.h"
#include "probe_internal.h"
#include "probe_planes_kernels.h"

typedef struct {
    snn_shape shape;
    size_t pixels;
    uint32_t words;   /* of a pixel's bits */
    bool counted;     /* counts instead of bits */
    uint64_t *bits;   /* [steps][pixels][words] */
    uint16_t *count;  /* [steps][pixels][channels] */
    uint64_t *active; /* [samples] entries that its spikes are in a list */
} planes_signal;

/* Sums that are kept, in 16 bits; parts in which one does not fit have all of theirs in 32. */
typedef struct {
    int16_t *narrow;
    int32_t **wide; /* [parts] NULL: narrow */
    size_t parts;
} planes_sums;

/* Samples whose pixels are lanes of the same vectors. */
typedef struct {
    size_t first, samples; /* samples */
    int steps;             /* of the longest */
    uint32_t lanes;        /* multiple of 64 */
    uint32_t input_lanes;  /* at least lanes + the largest shift */
    size_t at;             /* of what is kept of a channel: [lanes / 64][steps][64] */
    size_t part;           /* of the sums of a channel: each 64 lanes are one */
    size_t input_at;       /* of an input line: [steps][input_lanes] */
} planes_tile;

/* What near needs: by output channel. */
typedef struct {
    uint32_t phases;              /* stride^2 */
    uint32_t width, sample_lanes; /* lanes of a pixel line, of a sample */
    size_t tiles, tile_samples;   /* the last tile may have fewer */
    planes_tile *tile;
    size_t lanes, input_lanes; /* of one channel, all tiles and steps */
    size_t parts;              /* of the sums of one channel */
    planes_sums sums;          /* [outputs][lanes] */
    uint64_t *bits;            /* [outputs][lanes / 64] */
    uint64_t *alive;           /* [lanes / 64] */
    uint16_t *input;           /* [lines * phases][input_lanes] */
    uint32_t *pixel;           /* [largest tile's lanes] output pixel of a lane, UINT32_MAX: none */
    uint32_t *sample;          /* the same: its sample, counted in the tile */
} planes_near;

typedef struct {
    const snn_stage *s;
    bool pool;
    uint32_t kernel_height, kernel_width, stride, padding;
    uint32_t lines;   /* inputs of one kernel tap: channels (linear layers: the whole input is one window) */
    uint32_t outputs; /* not padded */
    uint32_t blocks;  /* of 64 outputs */
    uint32_t inputs;  /* of one output */
    size_t rows;      /* input lines of the packed weights */
    uint32_t *row_of; /* [inputs of one output, in the tensor's order] their rows */
    uint8_t *rows8;   /* [blocks][rows][64] values + 128 */
    int16_t *rows16;  /* 16-bit codes */
    uint8_t position[SNN_PLANES_BLOCK]; /* of the outputs in a row of 64 */
    snn_planes_neuron neuron;
    uint32_t piece;
    bool kept; /* a searched layer comes before: sums are kept */
    planes_sums
        sums; /* [sample][pixel][steps of the sample][64 * blocks]; each pixel of a sample is a part */
    bool searched;
    planes_near near;
} planes_stage;

typedef struct {
    const snn_probe *probe;
    void *twin;         /* not NULL: the plain twin does it all */
    snn_engine *engine; /* geometry and neurons */
    const snn_planes_kernels *kernels;
    size_t samples;
    int most_steps;
    size_t *first_step; /* [samples + 1] */
    int stages;
    planes_stage *stage;   /* [stages] those behind pools of the input */
    planes_signal *signal; /* [stages + 1] signal i is read by stage i */
    uint32_t classes;
    double *out;      /* [classes][samples] of the base */
    uint64_t version; /* counts rebases */
} planes;

/* Differences of a signal to the base: of all samples; or, where a pool follows, of those that are on their way to it, so that they stay in the cache. */
typedef struct {
    bool *dirty;       /* [samples] */
    size_t origin;     /* pixel (counted through all steps) that stands first */
    uint64_t *changed; /* bits: [steps][pixels][words]; 0 where not dirty */
    uint16_t *count;   /* counts: [steps][pixels][channels], valid where moved */
    uint8_t *moved;    /* [steps][pixels]; 0 where not dirty */
} planes_difference;

/* Of pixel `at`, counted through all steps. */
static inline uint64_t *planes_changed(const planes_signal *g, const planes_difference *d, size_t at) {
    return d->changed + (at - d->origin) * g->words;
}

/* Inputs of one sample as entries of rows, by step and pixel. */
typedef struct {
    uint32_t *entry; /* item of the row, relative to the start of the input line */
    int8_t *count;
    size_t n;
    size_t entries, counts; /* capacities */
    uint32_t *first;        /* [steps][pixels + 1] */
    int32_t *before;        /* the same: sum of the counts of the step's entries before */
    uint8_t *touched;       /* [pixels] some step has an entry */
} planes_list;

/* The windows of a batch of pixels, gathered from the list. */
typedef struct {
    size_t sample;
    uint32_t pixel;
    bool anew;    /* on top of nothing, not of the base's sums */
    size_t start; /* [steps + 1] in planes_gather.start, [steps] in total */
} planes_window;

typedef struct {
    uint32_t *entry;
    int8_t *count;
    size_t entries, counts, n;
    uint32_t *start;
    int32_t *total;
    size_t starts, totals, steps; /* capacities; steps used, one more for each window */
    planes_window *window;
    size_t windows, window_capacity;
} planes_gather;

typedef struct {
    const planes *p;
    bool whole; /* differences of all signals are kept whole (rebase) */
    double *out;
    planes_difference *difference; /* [stages + 1] */
    planes_list list;
    planes_gather gather;
    uint8_t **rows8; /* [stages] own copies for changed weights, made when needed */
    int16_t **rows16;
    uint64_t *version; /* [stages] of the copies */
    int32_t *slot;     /* [most outputs] where in `extra`, -1: not touched */
    int32_t *extra;    /* what changed weights add: [outputs touched][steps][lanes] of a tile */
    size_t extra_capacity;
    int32_t *membrane, *sum, *base; /* [most steps][128] */
    uint64_t *lane_changed;         /* [lanes / 64][steps] of a tile */
    int32_t *lane_membrane;         /* [lanes / 64][steps][64] */
    snn_planes_shift *shift;        /* of one output's changed weights */
    size_t shifts;
    float factor[SNN_PLANES_BLOCK], bias[SNN_PLANES_BLOCK]; /* one neuron's parameters, 64 times */
    int32_t threshold_fixed[SNN_PLANES_BLOCK], bias_fixed[SNN_PLANES_BLOCK];
} planes_workspace;

/* Deltas of one layer. */
typedef struct {
    const snn_delta *delta;
    size_t n;
} planes_deltas;

static inline int planes_steps(const planes *p, size_t sample) {
    return (int)(p->first_step[sample + 1] - p->first_step[sample]);
}

/* First sum of a pixel: its steps stand one behind the other. */
static inline size_t planes_sum_at(const planes *p, const planes_stage *g, size_t sample, size_t pixel) {
    const size_t pixels = (size_t)g->s->out.height * g->s->out.width;
    return (p->first_step[sample] * pixels + pixel * (size_t)planes_steps(p, sample)) * g->blocks *
           SNN_PLANES_BLOCK;
}

static inline size_t planes_part(const planes_stage *g, size_t sample, size_t pixel) {
    return sample * g->s->out.height * g->s->out.width + pixel;
}

/* Where lane `lane` of a tile stands in what is kept of a channel: [lanes / 64][steps][64]. */
static inline size_t planes_lane_at(const planes_tile *tile, uint32_t lane, int step) {
    return tile->at +
           ((size_t)(lane / SNN_PLANES_BLOCK) * (size_t)tile->steps + (size_t)step) * SNN_PLANES_BLOCK +
           lane % SNN_PLANES_BLOCK;
}

/* Input line of weight `index` of an output, and its row. */
typedef struct {
    uint32_t output, line, ky, kx;
    size_t row;
} planes_weight;
planes_weight snn_planes_locate(const planes_stage *g, uint64_t index);

/* probe_planes_base.c */
/* Lays everything out, empty: sums 0, no spikes. suits: false when the plain twin must do it. */
bool snn_planes_build(planes *p, const snn_probe_setup *s, bool *suits, snn_error *err);
void snn_planes_clear(planes *p);
/* Adds dq (times sign) to the packed rows. */
void snn_planes_patch(const planes *p, int stage, planes_deltas d, int32_t sign, uint8_t *rows8,
                      int16_t *rows16);

/* probe_planes_keep.c: what is kept changes. Sums of 64 * blocks outputs of a pixel: sum [steps][64 * blocks]. */
bool snn_planes_keep_sums(planes *p, int stage, size_t sample, uint32_t pixel, uint32_t block, int blocks,
                          const int32_t *sum, snn_error *err);
/* The same of what changed weights add to a tile, as snn_planes_near_extra left it. */
bool snn_planes_keep_extra(planes *p, int stage, size_t tile, const planes_workspace *w, snn_error *err);
/* Makes the differences the base. */
void snn_planes_keep_signal(planes *p, int signal, const planes_difference *d);
/* Puts the network's input into the lanes of the first stage. */
void snn_planes_keep_input(planes *p);

/* probe_planes_list.c: entries of one sample of signal i, as stage i reads them. all: every input that is active now; else what changed. */
bool snn_planes_list_sample(const planes *p, int stage, size_t sample, bool all, planes_workspace *w,
                            snn_error *err);
bool snn_planes_list_reserve(const planes *p, planes_workspace *w, snn_error *err);
void snn_planes_list_free(planes_list *l);

/* probe_planes_near.c: weights of the stage change, inputs do not. */
double snn_planes_near_cost(const planes *p, int stage, planes_deltas d);
bool snn_planes_near_run(const planes *p, int stage, planes_deltas d, planes_workspace *w, snn_error *err);
/* w->extra: what the changed weights add to the sums of tile `tile` with the inputs of the base; slot [outputs] of each output, -1: none. */
bool snn_planes_near_extra(const planes *p, int stage, planes_deltas d, size_t tile, planes_workspace *w,
                           snn_error *err);

/* probe_planes_far.c: inputs of the stage change, and perhaps its weights. */
typedef struct {
    planes_deltas d;
    bool anew;    /* from all inputs, not from those that changed */
    bool every;   /* every pixel, not only where inputs changed */
    planes *keep; /* rebase: keeps sums there; else NULL */
} planes_far;
double snn_planes_far_cost(const planes *p, int stage);
bool snn_planes_far_run(const planes *p, int stage, const planes_far *f, planes_workspace *w, snn_error *err);

/* probe_planes_pool.c: of `n` samples. */
void snn_planes_pool_run(const planes *p, int stage, size_t first, size_t n, planes_workspace *w);
/* A stage is about to write its differences of some samples; has written them: pools behind it take them on. */
void snn_planes_pool_begin(const planes *p, int stage, size_t first, planes_workspace *w);
void snn_planes_pool_end(const planes *p, int stage, size_t first, size_t n, planes_workspace *w);
/* Forgets the differences of a signal. */
void snn_planes_forget(const planes *p, int signal, size_t first, size_t n, planes_workspace *w);

/* probe_planes.c */
/* Is this the last layer, and read out by its membrane? */
bool snn_planes_reads_membrane(const planes *p, int stage);
/* Output of one neuron of the last layer from its membrane v [steps], `step` items apart. */
void snn_planes_read_membrane(const planes *p, const planes_stage *g, size_t sample, uint32_t output,
                              uint32_t pixel, const int32_t *v, size_t step, double *out);

#endif
