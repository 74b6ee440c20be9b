/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Engine: what the last stage adds to the result in one step: spikes, membranes (li), or their softmax. */
#include "engine_internal.h"

#include <snnsim/portable_math.h>

static int argmax(const double *out, uint32_t n) {
    uint32_t best = 0;
    for (uint32_t c = 1; c < n; c++)
        if (out[c] > out[best])
            best = c;
    return (int)best;
}

/* Class c's neuron in the planes of the last stage. */
static inline size_t class_at(const snn_stage *s, uint32_t area, uint32_t c) {
    return area == 1 ? c : (size_t)(c % area) * s->outputs + c / area;
}

static void add_spikes(const snn_stage *s, const uint8_t *plane, uint32_t classes, int step, snn_result *r) {
    const uint32_t area = s->out.height * s->out.width;
    uint32_t *spikes = r->out_spikes + (size_t)step * classes;
    for (uint32_t c = 0; c < classes; c++) {
        spikes[c] = plane[class_at(s, area, c)];
        r->out[c] += spikes[c];
    }
}

/* In units of weight * input. */
static double class_membrane(const snn_engine *e, const snn_stage *s, const void *v, uint32_t c) {
    const uint32_t area = s->out.height * s->out.width;
    const size_t at = class_at(s, area, c);
    if (e->arithmetic == SNN_ARITHMETIC_FLOAT)
        return (double)((const float *)v)[at];
    /* with a scale per channel, integers of different outputs are not comparable */
    const float unit = s->single ? s->each.factor[at] : s->factor[c / area];
    return (double)((const int32_t *)v)[at] / 64 * (double)unit;
}

/* In float32: differences to the largest, exponentials and their sum in the order of the classes, quotients. */
static void add_softmax(const snn_engine *e, const snn_stage *s, const void *v, float *x, snn_result *r) {
    float most = (float)class_membrane(e, s, v, 0), total = 0;
    for (uint32_t c = 0; c < e->classes; c++) {
        x[c] = (float)class_membrane(e, s, v, c);
        most = x[c] > most ? x[c] : most;
    }
    for (uint32_t c = 0; c < e->classes; c++) {
        x[c] = (float)snn_exp((double)(x[c] - most));
        total = total + x[c];
    }
    for (uint32_t c = 0; c < e->classes; c++)
        r->out[c] += (double)(x[c] / total);
}

void snn_read_out(const snn_engine *e, const snn_stage *s, const snn_workspace *w, const uint8_t *plane,
                  uint32_t spikes, int step, snn_result *r) {
    const void *v = w->state[s - e->stage].membrane;
    r->predicted_by_step[step] = r->predicted;
    if (step < s->start || (!spikes && !e->membrane_readout))
        return; /* no output has changed */
    if (!e->membrane_readout)
        add_spikes(s, plane, e->classes, step, r);
    else if (w->softmax)
        add_softmax(e, s, v, w->softmax, r);
    else
        for (uint32_t c = 0; c < e->classes; c++)
            r->out[c] += class_membrane(e, s, v, c);
    r->predicted = r->predicted_by_step[step] = argmax(r->out, e->classes);
}
