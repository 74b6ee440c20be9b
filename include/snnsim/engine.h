/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The event-driven engine: runs a network on one sample at a time.
 *
 * An engine is built once from a network and its weights, is immutable, and serves any number of threads, each with a workspace of its own.
 * Synaptic sums of integer codes are exact integers, so that neither order nor SIMD level nor thread count can change a result; sums of float tensors
 * run in ascending input index, each product and sum rounded on its own.
 */
#ifndef SNNSIM_ENGINE_H
#define SNNSIM_ENGINE_H

#include <snnsim/cpu.h>
#include <snnsim/net.h>
#include <snnsim/spikes.h>
#include <snnsim/weights.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    SNN_ARITHMETIC_FLOAT, /* float32 membrane, every operation rounded on its own: equal to PyTorch spike for spike */
    SNN_ARITHMETIC_FIXED /* int32 membrane in 1/64 weight LSB, decay in 1/4096, 64-bit product, truncation toward zero: what the Verilog follows */
} snn_arithmetic;

/* What a configuration asks for: run.arithmetic; where that is not given, what the network was made for (net NULL: not known yet). */
snn_arithmetic snn_arithmetic_of(const snn_config *config, const snn_net *net);

/* ---- the hook: synaptic sums that the chip reads with errors ---- */

typedef struct {
    uint32_t channel; /* output channel of the layer (linear: the neuron) */
    uint32_t pixel;   /* output pixel y * width + x (linear: 0) */
    int32_t dsum;     /* correction to that synaptic sum, in weight LSB */
} snn_sum_error;

typedef struct {
    snn_sum_error *item;
    size_t n, capacity; /* grow with snn_grow */
} snn_sum_errors;

/*
 * What stands between the weights and the sums. Exactly one of `read` and `sums` is set. It is called once per (tensor, sample, step), steps of a tensor in
 * ascending order, tensors in any; it must be thread-safe and draw its random numbers by (chip, tensor, sample, step). Returning false (with err set) stops
 * the run.
 *
 * input [n]: what the tensor reads in that step (silent steps too, but none before the layer's start): each input once, counts >= 1, index in C order of the
 * layer's input shape; of a recurrent tensor the layer's own spikes of the step before, by ascending neuron; valid during the call. The order of the list is fixed by network and input alone: ascending index where the layer reads the network's input (directly or through pools
 * only), else by pixel (y, then x) and within a pixel by channel (after a flatten: pixels and channels of the layer before it).
 */
typedef struct {
    void *context;
    /* Each workspace gives the callbacks that many bytes of their own (64-byte aligned; NULL for 0), zeroed when it is made and kept from call to call, so
     * results must not depend on what earlier calls left there. */
    size_t scratch_bytes;
    /* Sparse read errors: appends corrections to `errors`, empty at the start, in any order; an output may occur more than once. */
    bool (*read)(void *context, void *scratch, int tensor, uint64_t sample, int step, const snn_spike *input,
                 size_t n, snn_sum_errors *errors, snn_error *err);
    /* Analogue read-out: writes all sums of the step. sum [pixels][channels] of the output, sum[pixel * channels + channel], zeroed before the call, in 1/64
     * weight LSB; at most 2^31 - 1 in magnitude (2^29 in fixed arithmetic, whose unit it is). Float arithmetic: current = (float)sum * (factor / 64), where an
     * exact sum gives (float)sum * factor: one rounding to nearest from integer to float, then one of the product (factor / 64 itself is exact), so that 64
     * times the exact sums give the same spikes. */
    bool (*sums)(void *context, void *scratch, int tensor, uint64_t sample, int step, const snn_spike *input,
                 size_t n, int32_t *sum, snn_error *err);
    /* [tensors] tensors whose sums are exact: the hook is not asked about them, and they cost nothing. NULL: asked about all. Read by snn_engine_new only. */
    const bool *silent;
} snn_hook;

/* ---- traces ---- */

/* Called for every traced layer and step, steps of a layer in ascending order, layers interleaved (the engine works through some steps of one layer, then of the next);
 * never for flatten layers. spikes [neurons] 0/1 (pooling: counts, 255 where they are larger); membrane [neurons] after the update, before the reset: float, or int32 in 1/64 weight LSB
 * of its output, by arithmetic; NULL for layers without neurons. All in C order, valid during the call. Return false (with err set) to stop the run. */
typedef struct {
    void *context;
    const bool *layer; /* [layers] which ones */
    bool (*step)(void *context, int layer, int step, const uint8_t *spikes, const void *membrane,
                 snn_error *err);
} snn_trace;

/* ---- engine ---- */

typedef enum {
    SNN_DENSITY_AUTO,  /* per layer and step, by the share of inputs that spike */
    SNN_DENSITY_DENSE, /* always multiply densely where a dense kernel exists */
    SNN_DENSITY_SPARSE /* always add rows */
} snn_density;

typedef struct {
    snn_arithmetic arithmetic;
    snn_simd simd;         /* level to use, at most snn_simd_best(); zero is the plain twin */
    const snn_hook *hook;  /* NULL = exact sums; copied, but its context must outlive the engine */
    bool count_operations; /* fill the operation counts of snn_layer_activity (costs a little) */
    snn_density density;   /* which kernels convolutions inside the network use; affects speed only */
} snn_engine_options;

typedef struct snn_engine snn_engine;
typedef struct snn_workspace snn_workspace;

/* Errors: DATA when weights do not fit the network, a layer is too large, its sums or biases could leave the arithmetic's range, or the scales of its recurrent
 * weights are not those of the others; USAGE for float tensors or alif neurons with fixed arithmetic, a hook that is asked about them, for a hook with both or none of its callbacks, and for sum pools inside the network whose counts could exceed 255;
 * RUNTIME (memory). The engine copies what it needs: net and weights may be freed. */
snn_engine *snn_engine_new(const snn_net *net, const snn_weights *weights, const snn_engine_options *options,
                           snn_error *err);
/* Gives an engine other weights, as snn_engine_new with the same network and options would, but without building it anew (for many chips of one network).
 * No run of the engine may be in progress; workspaces stay valid. Errors: as snn_engine_new, and DATA for a tensor of another code type (snn_code_type) than
 * before; after an error the engine refuses to run until weights have been set. */
bool snn_engine_set_weights(snn_engine *engine, const snn_weights *weights, snn_error *err);
void snn_engine_free(snn_engine *engine);
/* Neurons of a layer as the fixed arithmetic has them: thresholds and biases [channels] in 1/64 weight LSB, decay in 1/4096. Borrowed. */
typedef struct {
    uint32_t channels;
    int32_t decay;
    bool subtract, at_threshold, spiking;
    const int32_t *threshold, *bias; /* bias NULL: none */
} snn_fixed_neurons;
/* Errors: USAGE (an engine in float arithmetic, a layer without weights, or one that is recurrent, has other neurons than lif, if and li without refractory time,
 * parameters of each neuron, a delay or a later start: the tile of the chip has none of these). */
bool snn_engine_fixed(const snn_engine *engine, int layer, snn_fixed_neurons *out, snn_error *err);
/* One thread's buffers; the engine must outlive it. */
snn_workspace *snn_workspace_new(const snn_engine *engine, snn_error *err);
void snn_workspace_free(snn_workspace *w);

/* Of one layer, summed over all steps. Everything but inputs and spikes only with count_operations, and 0 for layers without weights. */
typedef struct {
    uint64_t
        inputs; /* nonzero inputs (index, step), recurrent ones included (as in all of these); 0 for pooling */
    uint64_t input_counts; /* sum of counts */
    uint64_t
        row_words; /* sum of counts x kernel taps whose output exists (linear: one): row words that the chip reads */
    uint64_t spikes;         /* output spikes (pooling: nonzero outputs) */
    uint64_t synops;         /* inputs x fan-out: synapses touched, zero weights included, padding excluded */
    uint64_t effective_macs; /* the same without zero weights, in steps with a count above 1 (NeuroBench) */
    uint64_t effective_acs;  /* the same in steps whose inputs are all 0 or 1 */
    uint64_t
        membrane_updates; /* neurons at the first step, then those whose membrane the step changed (NeuroBench) */
    uint64_t recurrent_inputs, recurrent_words; /* of inputs and row_words those of the recurrent tensor */
} snn_layer_activity;

typedef struct {
    int predicted;              /* argmax of `out` over classes, lowest index wins a tie */
    int classes, steps, layers; /* as allocated */
    double *
        out; /* [classes] spike counts, or the sum over steps of the membrane (li), in units of weight * input in both arithmetics, or of its softmax */
    int32_t *predicted_by_step;   /* [steps] argmax after t+1 steps: time to decision */
    uint32_t *out_spikes;         /* [steps][classes] 0/1 of the last layer (li: 0) */
    snn_layer_activity *activity; /* [layers] */
} snn_result;
/* Room for the results of samples of up to `steps` steps. Errors: RUNTIME (memory). */
bool snn_result_init(snn_result *r, const snn_net *net, int steps, snn_error *err);
void snn_result_free(snn_result *r);

/* Runs one sample (x->steps time steps; r must be initialised for at least as many). `sample` is its number, for the hook. trace may be NULL.
 * Errors: DATA when x does not fit the network or a sum could overflow 32 bits; what hook and trace return. */
bool snn_engine_run(const snn_engine *engine, const snn_spikes *x, uint64_t sample, snn_workspace *w,
                    const snn_trace *trace, snn_result *r, snn_error *err);

#ifdef __cplusplus
}
#endif
#endif
