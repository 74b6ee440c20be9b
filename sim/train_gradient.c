/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One forward and backward pass over a batch, for tests. */
#include "train_internal.h"

#include <stdlib.h>
#include <string.h>

bool snn_train_check_weights(const snn_weights *w, const snn_net *net, snn_error *err) {
    if (!snn_weights_fit(w, net, err))
        return false;
    for (int i = 0; i < w->tensors; i++)
        if (w->tensor[i].type != SNN_FLOAT32)
            return snn_fail(err, SNN_ERR_DATA,
                            "layer '%s': training needs float weights, these are codes of %d bits",
                            w->tensor[i].name, w->tensor[i].bits);
    return true;
}

/* What the pass works on. */
typedef struct {
    train_plan plan;
    train_block block;
    float *w, *g, *wt;
} pass;

static void pass_free(pass *a) {
    snn_train_block_free(&a->block);
    snn_train_plan_free(&a->plan);
    free(a->w);
    free(a->g);
    free(a->wt);
}

static bool pass_new(pass *a, const snn_net *net, const snn_weights *w, const snn_train_options *o, int steps,
                     int samples, const train_kernels *kernels, snn_error *err) {
    if (!snn_train_check_weights(w, net, err) || !snn_train_plan(&a->plan, net, steps, o, err))
        return false;
    if (kernels != NULL)
        a->plan.kernels = kernels;
    a->w = snn_alloc(a->plan.parameters, sizeof *a->w, "parameters", err);
    a->g = snn_alloc(a->plan.parameters, sizeof *a->g, "gradients", err);
    a->wt = snn_alloc(a->plan.transposed, sizeof *a->wt, "weights", err);
    if (a->w == NULL || a->g == NULL || a->wt == NULL ||
        !snn_train_block_new(&a->block, &a->plan, samples, snn_threads(o->threads), err))
        return false;
    snn_train_pack(&a->plan, w, net, a->w);
    snn_train_transpose_all(&a->plan, a->w, a->wt, a->block.threads);
    a->block.w = a->w;
    a->block.wt = a->wt;
    a->block.g = a->g;
    a->block.weight = 1.0 / samples;
    return true;
}

static bool run(pass *a, const snn_spikes *x, const int *label, int samples, double *loss, snn_error *err) {
    train_block *b = &a->block;
    b->data = x;
    *loss = 0;
    for (int first = 0; first < samples; first += b->samples) {
        b->samples = samples - first < b->capacity ? samples - first : b->capacity;
        for (int k = 0; k < b->samples; k++) {
            b->sample[k].sample = (size_t)(first + k);
            b->sample[k].label = label[first + k];
        }
        if (!snn_train_block_run(b, true, first == 0, err))
            return false;
        for (int k = 0; k < b->samples; k++)
            *loss += b->sample[k].loss / samples;
    }
    return true;
}

bool snn_train_gradient_with(const snn_net *net, const snn_weights *w, const snn_train_options *o,
                             const train_kernels *kernels, const snn_spikes *x, const int *label, int samples,
                             double *loss, snn_weights *gradient, snn_net *biases, snn_error *err) {
    for (int i = 0; i < samples; i++) {
        if (x[i].size != snn_shape_size(net->input) || x[i].steps < 1 || x[i].steps != x[0].steps)
            return snn_fail(err, SNN_ERR_DATA, "sample %d: %u inputs in %d steps, expected %u in %d", i,
                            x[i].size, x[i].steps, snn_shape_size(net->input), x[0].steps);
        if (label[i] < 0 || (uint32_t)label[i] >= net->classes)
            return snn_fail(err, SNN_ERR_DATA, "sample %d: label %d, expected 0 to %u", i, label[i],
                            net->classes - 1);
    }
    if (samples < 1)
        return snn_fail(err, SNN_ERR_DATA, "no samples");
    pass a = {0};
    int blas = snn_train_blas_single();
    bool ok = snn_train_check_weights(gradient, net, err) &&
              pass_new(&a, net, w, o, x[0].steps, samples, kernels, err) &&
              run(&a, x, label, samples, loss, err);
    if (ok)
        snn_train_unpack(&a.plan, a.g, gradient, biases);
    pass_free(&a);
    snn_train_blas_restore(blas);
    return ok;
}

bool snn_train_gradient(const snn_net *net, const snn_weights *w, const snn_train_options *o,
                        const snn_spikes *x, const int *label, int samples, double *loss,
                        snn_weights *gradient, snn_error *err) {
    return snn_train_gradient_with(net, w, o, NULL, x, label, samples, loss, gradient, NULL, err);
}
