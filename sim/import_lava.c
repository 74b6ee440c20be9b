/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Import of .net files: HDF5, group `layer` with one group for each layer, as SLAYER's slayerSNN.auto and lava-dl's blocks write them and lava-dl's netx reads them:
 *
 *   layer/0: type "input", shape                           layer/2: type "dense", shape, inFeatures, outFeatures, weight, neuron/{iDecay, vDecay, vThMant, ...}
 *   layer/1: type "conv", shape, kernelSize, stride, ...   simulation: Ts, tSample
 */
#include "import_lava.h"
#include "import_loihi.h"

#include <snnsim/import.h>

#include <hdf5.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TEXT 32

/* Steps until a layer's spikes reach the next one, and until those of the last layer are counted; the first step in which neurons work. */
typedef struct {
    const char *name;
    uint32_t delay, output_delay, start;
} timing;
static const timing timings[] = {
    {"slayer", 1, 1, 1},  /* SLAYER's delayShift after every layer, and its kernel that leaves step 0 out */
    {"netx", 0, 0, 1},    /* lava-dl's golden outputs of netx: layers aligned in time */
    {"lava-dl", 1, 1, 0}, /* lava-dl's blocks, whose delay_shift is on by default */
    {"loihi", 1, 0, 0},   /* the chip: spikes reach other neurons, their own layer's too, in the next step */
};
enum { SLAYER, NETX, LAVA_DL, LOIHI, TIMINGS };

typedef struct {
    const snn_hdf5_reader *r;
    const snn_import_options *options;
    snn_hid file;
    snn_lava_group layers;
    int n; /* layers in the file */
    timing time;
    snn_loihi_net net;
} reader;

/* ---- neurons ---- */

/* A neuron's number: one, or several equal ones. Absent: `absent`, unless that is -1. */
static bool neuron_number(const snn_lava_group *g, const char *name, int64_t absent, int64_t *v) {
    snn_lava_array a;
    int32_t *x;
    *v = absent;
    if (absent >= 0 && !snn_lava_has(g, name))
        return true;
    if (!snn_lava_integers(g, name, SNN_NEURONS_MAX, &a, &x))
        return false;
    bool same = true;
    for (uint64_t i = 1; i < a.count; i++)
        same = same && x[i] == x[0];
    *v = x[0];
    free(x);
    return same ? true : snn_lava_fail(g, name, "differs between neurons, which cannot be carried over");
}

/* What must be 0 (or false) where it is given. */
static bool must_be_off(const snn_lava_group *g, const char *name, const char *what) {
    int64_t v;
    if (!neuron_number(g, name, 0, &v))
        return false;
    return v == 0 ? true : snn_lava_fail(g, name, what);
}

static bool read_type(const snn_lava_group *g, char type[TEXT]) {
    if (!snn_lava_text(g, "type", type, TEXT))
        return false;
    if (strcmp(type, "LOIHI") == 0 || strcmp(type, "CUBA") == 0)
        return true;
    char what[120];
    snprintf(what, sizeof what, "is '%s': only neurons of type LOIHI and CUBA can be carried over", type);
    return snn_lava_fail(g, "type", what);
}

static bool read_numbers(const snn_lava_group *g, snn_loihi_neuron *n) {
    static const char *const known[] = {"type",     "iDecay",      "vDecay",      "vThMant",
                                        "refDelay", "wgtExp",      "theta",       "tauRho",
                                        "scaleRho", "gradedSpike", "messageBits", "weight_exp"};
    int64_t theta;
    if (!snn_lava_only(g, known, sizeof known / sizeof *known) ||
        !neuron_number(g, "iDecay", -1, &n->i_decay) || !neuron_number(g, "vDecay", -1, &n->v_decay) ||
        !neuron_number(g, "vThMant", -1, &n->v_threshold) ||
        !neuron_number(g, "refDelay", 1, &n->refractory) ||
        !neuron_number(g, "wgtExp", 0, &n->weight_exponent) ||
        !neuron_number(g, "theta", n->v_threshold * 64, &theta))
        return false;
    if (theta != n->v_threshold * 64)
        return snn_lava_fail(g, "theta", "is not 64 times vThMant");
    return must_be_off(g, "gradedSpike", "graded spikes cannot be carried over") &&
           must_be_off(g, "messageBits", "graded spikes cannot be carried over") &&
           must_be_off(g, "weight_exp", "a weight exponent cannot be carried over");
}

static bool read_neuron(const snn_lava_group *layer, snn_neuron *out) {
    snn_lava_group g;
    snn_loihi_neuron n;
    char type[TEXT], where[1200];
    if (!snn_lava_open(layer->r, layer->group, layer->path, "neuron", &g))
        return false;
    snprintf(where, sizeof where, "%s: %s", layer->r->path, g.path);
    bool ok =
        read_type(&g, type) && read_numbers(&g, &n) && snn_loihi_to_neuron(&n, where, out, layer->r->err);
    snn_lava_close(&g);
    return ok;
}

/* ---- parts of a layer ---- */

/* Channels, height and width; fewer numbers: of a flat layer, or height and width. */
static bool read_shape(const snn_lava_group *g, snn_shape *shape) {
    snn_lava_array a;
    int32_t *x;
    if (!snn_lava_integers(g, "shape", 3, &a, &x))
        return false;
    bool ok = true;
    for (uint64_t i = 0; i < a.count; i++)
        ok = ok && x[i] > 0;
    const uint32_t v[3] = {(uint32_t)x[0], (uint32_t)x[a.count > 1 ? 1 : 0], (uint32_t)x[a.count - 1]};
    *shape = a.count == 3   ? (snn_shape){v[0], v[1], v[2]}
             : a.count == 2 ? (snn_shape){1, v[0], v[1]}
                            : (snn_shape){v[0], 1, 1};
    free(x);
    return ok ? true : snn_lava_fail(g, "shape", "is not positive");
}

/* The stated shape must be the one that we make of the layer. */
static bool check_shape(const snn_lava_group *g, snn_shape out) {
    snn_shape stated;
    char what[120];
    if (!read_shape(g, &stated))
        return false;
    if (stated.channels == out.channels && stated.height == out.height && stated.width == out.width)
        return true;
    snprintf(what, sizeof what, "is %ux%ux%u, but the layer makes %ux%ux%u of its input", stated.channels,
             stated.height, stated.width, out.channels, out.height, out.width);
    return snn_lava_fail(g, "shape", what);
}

/* Weights of exactly these numbers, dimensions of 1 left out on both sides (SLAYER squeezes them). */
static bool read_weights(const snn_lava_group *g, const char *name, int dims, const uint64_t *shape,
                         int32_t **v) {
    snn_lava_array a;
    uint64_t count = 1;
    bool fits = true;
    for (int i = 0; i < dims; i++)
        fits = fits && !__builtin_mul_overflow(count, shape[i], &count) && count <= SNN_WEIGHTS_MAX;
    *v = NULL;
    if (!fits)
        return snn_lava_fail(g, name, "would need too many weights");
    if (!snn_lava_integers(g, name, SNN_WEIGHTS_MAX, &a, v))
        return false;
    int i = 0, k = 0;
    for (fits = a.count == count; fits && (i < dims || k < a.dims);) {
        if (i < dims && shape[i] == 1)
            i++;
        else if (k < a.dims && (a.shape[k] == 1 || a.dims == 1))
            k++; /* one dimension: all of them, flat */
        else if (a.dims == 1)
            i++;
        else
            fits = i < dims && k < a.dims && shape[i++] == a.shape[k++];
    }
    if (fits)
        return true;
    char what[160];
    snprintf(what, sizeof what,
             "has %" PRIu64 " weights in %d dimensions, expected %" PRIu64 " of another shape", a.count,
             a.dims, count);
    snn_lava_fail(g, name, what);
    free(*v);
    *v = NULL;
    return false;
}

/* Biases [outputs] of the layer added last. */
static bool read_bias(const snn_lava_group *g, snn_layer *l) {
    snn_lava_array a;
    int32_t *x;
    if (l->bias == NULL)
        return true;
    if (!snn_lava_integers(g, "bias", SNN_NEURONS_MAX, &a, &x))
        return false;
    bool ok = a.count == l->out.channels;
    for (uint64_t i = 0; ok && i < a.count; i++)
        l->bias[i] = (float)x[i];
    free(x);
    return ok ? true : snn_lava_fail(g, "bias", "has not one value for each channel");
}

/* Delays of spikes beside the timing's: one for the layer, or equal ones. */
static bool read_delay(const snn_lava_group *g, uint32_t *delay) {
    int64_t more;
    if (!neuron_number(g, "delay", 0, &more))
        return false;
    if (more < 0 || more > SNN_DELAY_MAX)
        return snn_lava_fail(g, "delay", "is out of range");
    *delay += (uint32_t)more;
    return true;
}

/* Window of convolutions and pools, the same along both axes. */
static bool read_window(const snn_lava_group *g, snn_layer *spec) {
    int64_t kernel, stride, padding, dilation = 1, groups = 1;
    if (!snn_lava_integer(g, "kernelSize", true, &kernel) || !snn_lava_integer(g, "stride", true, &stride) ||
        !snn_lava_integer(g, "padding", true, &padding) ||
        (snn_lava_has(g, "dilation") && !snn_lava_integer(g, "dilation", true, &dilation)) ||
        (snn_lava_has(g, "groups") && !snn_lava_integer(g, "groups", false, &groups)))
        return false;
    if (dilation != 1)
        return snn_lava_fail(g, "dilation", "other than 1 cannot be carried over");
    if (groups != 1)
        return snn_lava_fail(g, "groups", "other than 1 cannot be carried over");
    if (kernel < 1 || kernel > SNN_WINDOW_MAX || stride < 1 || stride > SNN_WINDOW_MAX || padding < 0 ||
        padding > SNN_WINDOW_MAX)
        return snn_lava_fail(g, "", "kernelSize, stride or padding is out of range");
    spec->kernel = (uint32_t)kernel;
    spec->stride = (uint32_t)stride;
    spec->padding = (uint32_t)padding;
    return true;
}

/* ---- layers ---- */

static snn_shape output_so_far(const reader *in) {
    const snn_net *net = in->net.net;
    return net->layers > 0 ? net->layer[net->layers - 1].out : net->input;
}

static bool positive(const snn_lava_group *g, const char *name, uint32_t *v) {
    int64_t x;
    if (!snn_lava_integer(g, name, false, &x))
        return false;
    *v = (uint32_t)x;
    return x > 0 ? true : snn_lava_fail(g, name, "is not positive");
}

/* Adds a layer with its weights, which are taken over, and checks the stated shape. */
static bool finish_layer(reader *in, const snn_lava_group *g, snn_layer *spec, int32_t *value,
                         int32_t *recurrent) {
    const bool bias = snn_lava_has(g, "bias");
    if (!snn_loihi_append(&in->net, spec, value, recurrent, bias, in->r->err))
        return snn_error_context(in->r->err, "%s: %s", in->r->path, g->path);
    snn_layer *added = &in->net.net->layer[in->net.net->layers - 1];
    return check_shape(g, added->out) && read_bias(g, added);
}

static bool add_dense(reader *in, const snn_lava_group *g, snn_layer *spec) {
    static const char *const known[] = {"type",      "shape",  "inFeatures", "outFeatures", "weight",
                                        "recWeight", "neuron", "bias",       "delay"};
    const uint32_t inputs = snn_shape_size(output_so_far(in));
    uint32_t stated = inputs;
    int32_t *value = NULL, *recurrent = NULL;
    spec->type = SNN_LAYER_LINEAR;
    if (!snn_lava_only(g, known, sizeof known / sizeof *known) ||
        !positive(g, "outFeatures", &spec->out.channels) ||
        (snn_lava_has(g, "inFeatures") && !positive(g, "inFeatures", &stated)))
        return false;
    const uint64_t n = spec->out.channels;
    if (stated != inputs)
        return snn_lava_fail(g, "inFeatures", "is not the size of the layer before it");
    if (!spec->recurrent && snn_lava_has(g, "recWeight"))
        return snn_lava_fail(g, "recWeight", "belongs to no dense layer");
    if (!read_weights(g, "weight", 2, (uint64_t[]){n, inputs}, &value) ||
        (spec->recurrent && !read_weights(g, "recWeight", 2, (uint64_t[]){n, n}, &recurrent))) {
        free(value);
        return false;
    }
    return finish_layer(in, g, spec, value, recurrent);
}

static bool add_conv(reader *in, const snn_lava_group *g, snn_layer *spec) {
    static const char *const known[] = {"type",   "shape",   "inChannels", "outChannels", "kernelSize",
                                        "stride", "padding", "dilation",   "groups",      "weight",
                                        "neuron", "bias",    "delay"};
    const uint32_t channels = output_so_far(in).channels;
    uint32_t stated = channels;
    int32_t *value;
    spec->type = SNN_LAYER_CONV2D;
    if (!snn_lava_only(g, known, sizeof known / sizeof *known) ||
        !positive(g, "outChannels", &spec->out.channels) || !read_window(g, spec) ||
        (snn_lava_has(g, "inChannels") && !positive(g, "inChannels", &stated)))
        return false;
    if (stated != channels)
        return snn_lava_fail(g, "inChannels", "is not the number of channels of the layer before it");
    return read_weights(g, "weight", 4,
                        (uint64_t[]){spec->out.channels, channels, spec->kernel, spec->kernel}, &value) &&
           finish_layer(in, g, spec, value, NULL);
}

/* A pool has neurons of its own: a convolution that keeps channels apart. */
static bool add_pool(reader *in, const snn_lava_group *g, snn_layer *spec) {
    static const char *const known[] = {"type",     "shape",  "kernelSize", "stride", "padding",
                                        "dilation", "weight", "neuron",     "delay"};
    const uint32_t channels = output_so_far(in).channels;
    int32_t *tap;
    spec->type = SNN_LAYER_CONV2D;
    spec->out.channels = channels;
    if (!snn_lava_only(g, known, sizeof known / sizeof *known) || !read_window(g, spec) ||
        !read_weights(g, "weight", 2, (uint64_t[]){spec->kernel, spec->kernel}, &tap))
        return false;
    int32_t *value = snn_loihi_pool(channels, spec->kernel, tap, in->r->err);
    free(tap);
    if (value == NULL)
        return snn_error_context(in->r->err, "%s: %s", in->r->path, g->path);
    return finish_layer(in, g, spec, value, NULL);
}

static bool add_flatten(reader *in, const snn_lava_group *g, snn_layer *spec) {
    const snn_net *net = in->net.net;
    spec->type = SNN_LAYER_FLATTEN;
    spec->delay = spec->start = 0;
    spec->neuron = (snn_neuron){.type = SNN_NEURON_NONE};
    if (!snn_net_append(in->net.net, spec, false, SNN_ERR_DATA, in->r->err))
        return snn_error_context(in->r->err, "%s: %s", in->r->path, g->path);
    return check_shape(g, net->layer[net->layers - 1].out);
}

/* Layer i of the file, after the input. */
static bool add_layer(reader *in, int i, const snn_lava_group *g) {
    static const char *const neurons[] = {"dense", "recurrent", "conv", "pool"};
    char type[TEXT], what[120];
    snn_layer spec = {.delay = in->time.delay, .start = in->time.start};
    if (!snn_lava_text(g, "type", type, sizeof type))
        return false;
    snprintf(spec.name, sizeof spec.name, "%.16s%d", strcmp(type, "dense") == 0 ? "fc" : type, i);
    if (strcmp(type, "flatten") == 0)
        return add_flatten(in, g, &spec);
    size_t k = 0;
    while (k < sizeof neurons / sizeof *neurons && strcmp(type, neurons[k]) != 0)
        k++;
    if (k == sizeof neurons / sizeof *neurons) {
        snprintf(what, sizeof what, "is '%s', a kind of layer that cannot be carried over", type);
        return snn_lava_fail(g, "type", what);
    }
    spec.recurrent = strcmp(type, "recurrent") == 0;
    if (!read_neuron(g, &spec.neuron) || !read_delay(g, &spec.delay))
        return false;
    return strcmp(type, "conv") == 0   ? add_conv(in, g, &spec)
           : strcmp(type, "pool") == 0 ? add_pool(in, g, &spec)
                                       : add_dense(in, g, &spec);
}

/* ---- the file ---- */

static bool open_layer(const reader *in, int i, snn_lava_group *g) {
    char name[16];
    snprintf(name, sizeof name, "%d", i);
    return snn_lava_open(in->r, in->layers.group, in->layers.path, name, g);
}

/* What wrote the file, and so how it counts time: docs/import.md. */
static bool choose_timing(reader *in) {
    const char *wanted = in->options != NULL ? in->options->timing : NULL;
    int which = SLAYER;
    for (int i = 0; wanted == NULL && i < in->n; i++) {
        snn_lava_group g, neuron;
        char type[TEXT];
        if (!open_layer(in, i, &g))
            return false;
        bool ok = snn_lava_text(&g, "type", type, sizeof type);
        if (ok && strcmp(type, "recurrent") == 0)
            which = LOIHI; /* neither SLAYER nor lava-dl writes such layers */
        if (ok && snn_lava_has(&g, "neuron")) {
            ok = snn_lava_open(in->r, g.group, g.path, "neuron", &neuron) &&
                 snn_lava_text(&neuron, "type", type, sizeof type);
            if (ok && strcmp(type, "CUBA") == 0 && which != LOIHI)
                which = LAVA_DL; /* SLAYER calls it LOIHI */
            else if (ok && i == 0)
                which = NETX; /* its inputs have neurons */
            snn_lava_close(&neuron);
        }
        snn_lava_close(&g);
        if (!ok)
            return false;
    }
    for (int k = 0; wanted != NULL && k <= TIMINGS; k++) {
        if (k == TIMINGS)
            return snn_fail(in->r->err, SNN_ERR_USAGE,
                            "timing '%.40s' is not known: expected slayer, netx, lava-dl or loihi", wanted);
        which = k;
        if (strcmp(wanted, timings[k].name) == 0)
            break;
    }
    in->time = timings[which];
    return true;
}

/* Steps and their length: what `simulation` says (Ts in ms), else unknown. */
static bool read_simulation(const reader *in, int64_t *steps, double *step_us) {
    snn_lava_group g;
    *steps = 0;
    *step_us = in->options != NULL && in->options->dt > 0 ? in->options->dt * 1e6 : 0;
    if (H5Lexists(in->file, "simulation", H5P_DEFAULT) <= 0)
        return true;
    if (!snn_lava_open(in->r, in->file, "", "simulation", &g))
        return false;
    snn_lava_array ts = {0}, length = {0};
    bool ok = snn_lava_numbers(&g, "Ts", 1, &ts) && snn_lava_numbers(&g, "tSample", 1, &length);
    if (ok && !(ts.value[0] > 0 && length.value[0] >= ts.value[0] &&
                length.value[0] / ts.value[0] <= SNN_STEPS_MAX))
        ok = snn_lava_fail(&g, "", "Ts and tSample are not 1 to 65535 steps");
    if (ok) {
        *steps = (int64_t)(length.value[0] / ts.value[0]);
        *step_us = *step_us > 0 ? *step_us : ts.value[0] * 1e3;
    }
    free(ts.value);
    free(length.value);
    snn_lava_close(&g);
    return ok;
}

/* Layer 0. Its neurons, if any, turn analogue values into spikes; the model takes those spikes. */
static bool read_input(reader *in) {
    snn_lava_group g;
    snn_shape shape;
    char type[TEXT];
    int64_t steps;
    double step_us;
    if (!open_layer(in, 0, &g))
        return false;
    bool ok = snn_lava_text(&g, "type", type, sizeof type);
    if (ok && strcmp(type, "input") != 0)
        ok = snn_lava_fail(&g, "type", "is not 'input'");
    ok = ok && read_shape(&g, &shape) && read_simulation(in, &steps, &step_us) &&
         (snn_loihi_begin(&in->net, shape, steps, step_us, in->r->err) ||
          snn_error_context(in->r->err, "%s: layer/0", in->r->path));
    snn_lava_close(&g);
    return ok;
}

static bool read_layers(reader *in) {
    H5G_info_t info;
    if (H5Gget_info(in->layers.group, &info) < 0 || info.nlinks < 2 || info.nlinks > SNN_LAYERS_MAX)
        return snn_lava_fail(&in->layers, "", "does not hold an input and 1 to 1023 layers");
    in->n = (int)info.nlinks;
    if (!choose_timing(in) || !read_input(in))
        return false;
    for (int i = 1; i < in->n; i++) {
        snn_lava_group g;
        bool ok = open_layer(in, i, &g) && add_layer(in, i, &g);
        snn_lava_close(&g);
        if (!ok)
            return false;
    }
    snn_layer *last = &in->net.net->layer[in->net.net->layers - 1];
    last->delay -= last->delay > 0 ? in->time.delay - in->time.output_delay : 0;
    return true;
}

static bool read_file(reader *in, snn_model *m) {
    char record[120];
    in->file = snn_hdf5_open_file(in->r);
    if (in->file < 0)
        return false;
    bool ok = snn_lava_open(in->r, in->file, "", "layer", &in->layers) && read_layers(in);
    snprintf(record, sizeof record, "{\"imported_from\":\"lava-dl or SLAYER .net\",\"timing\":\"%s\"}",
             in->time.name);
    ok = ok && (snn_loihi_finish(&in->net, record, m, in->r->err) ||
                snn_error_context(in->r->err, "%s", in->r->path));
    snn_loihi_free(&in->net);
    snn_lava_close(&in->layers);
    H5Fclose(in->file);
    return ok;
}

typedef struct {
    const char *path;
    const snn_import_options *options;
    snn_model *m;
} job;

static bool load(void *context, snn_error *err) {
    const job *j = context;
    snn_hdf5_guard guard;
    uint64_t budget = 0;
    snn_hdf5_enter(&guard);
    snn_hdf5_reader r = {j->path, "network", &guard, &budget, err};
    reader in = {.r = &r, .options = j->options, .layers.group = -1};
    bool ok = read_file(&in, j->m);
    snn_hdf5_leave(&guard);
    return ok;
}

bool snn_import_net(snn_model *m, const char *path, const snn_import_options *options, snn_error *err) {
    snn_error own = {0}; /* so that err may be NULL */
    job j = {path, options, m};
    *m = (snn_model){0};
    err = err ? err : &own;
    return snn_hdf5_vet(path, load, &j, err) && load(&j, err);
}
