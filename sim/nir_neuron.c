/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What NIR's neurons become. They live in continuous time; an Euler step of dt makes
 *
 *   LIF, LI   tau dv/dt = (v_leak - v) + r I       v <- (1 - dt/tau) v + (r dt/tau) I       decay, gain
 *   CubaLIF   tau_syn di/dt = -i + w_in I          i <- (1 - dt/tau_syn) i + (w_in dt/tau_syn) I    current_decay, current_gain
 *             tau_mem dv/dt = (v_leak - v) + r i   v <- (1 - dt/tau_mem) v + (r dt/tau_mem) i       decay, gain
 *   IF, I     dv/dt = r I                          v <- v + r I: r per step, as sinabs, Norse and snnTorch take it; r = 1/dt (SpikingJelly) means r = 1
 *   Threshold                                      no state: decay 0
 *
 * A reset to v_reset other than 0 shifts the membrane by v_reset; then what is left of v_leak drives it like a constant input of v_leak / r (CubaLIF: as membrane_bias).
 * All in double, rounded once to float32.
 */
#include "nir_tree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Fields of the node; NULL: not there. */
typedef struct {
    const nir_stage *s;
    const char *path;
    snn_error *err;
    uint32_t n;
    const nir_field *tau, *tau_syn, *r, *v_leak, *v_threshold, *v_reset, *w_in;
} parameters;

static bool is(const parameters *p, const char *type) {
    return strcmp(p->s->node->type, type) == 0;
}

/* A number for each neuron, or one for all of them (snnTorch, Norse). */
static bool take(const parameters *p, const char *name, bool required, const nir_field **f) {
    *f = snn_nir_find(p->s->node, name);
    if (*f == NULL)
        return !required || snn_nir_fail(p->s, p->path, p->err, "has no %s", name);
    if ((*f)->kind == NIR_TEXT || ((*f)->count != 1 && (*f)->count != p->n))
        return snn_nir_fail(p->s, p->path, p->err, "%s has %llu values for %u neurons", name,
                            (unsigned long long)(*f)->count, p->n);
    return true;
}

static bool take_all(parameters *p) {
    const bool cuba = is(p, "CubaLIF") || is(p, "CubaLI"), leaks = cuba || is(p, "LIF") || is(p, "LI"),
               spikes = is(p, "IF") || is(p, "LIF") || is(p, "CubaLIF");
    if (is(p, "Threshold"))
        return take(p, "threshold", true, &p->v_threshold);
    return take(p, "r", true, &p->r) && (!leaks || take(p, cuba ? "tau_mem" : "tau", true, &p->tau)) &&
           (!leaks || take(p, "v_leak", false, &p->v_leak)) &&
           (!cuba || (take(p, "tau_syn", true, &p->tau_syn) && take(p, "w_in", false, &p->w_in))) &&
           (!spikes ||
            (take(p, "v_threshold", true, &p->v_threshold) && take(p, "v_reset", false, &p->v_reset)));
}

/* One number for all neurons in every field? */
static bool all_same(const parameters *p) {
    const nir_field *const field[] = {p->tau,         p->tau_syn, p->r,   p->v_leak,
                                      p->v_threshold, p->v_reset, p->w_in};
    for (size_t i = 0; i < sizeof field / sizeof field[0]; i++)
        if (field[i] != NULL && field[i]->count != 1)
            return false;
    return true;
}

static double value(const nir_field *f, uint32_t j, double otherwise) {
    return f == NULL ? otherwise : snn_nir_number(f, f->count == 1 ? 0 : j);
}

/* 1 - dt/tau; false when tau is shorter than a step, in which Euler's method oscillates. */
static bool decay_of(const parameters *p, const char *name, const nir_field *tau, uint32_t j, double dt,
                     double *decay) {
    const double t = value(tau, j, 0);
    /* 1 part in 10^6: tau = dt as float32 */
    if (!(t > 0) || dt > t * (1 + 1e-6))
        return snn_nir_fail(p->s, p->path, p->err,
                            "%s is %g s, which is shorter than the time step, %g s (see --dt)", name, t, dt);
    *decay = dt > t ? 0 : 1 - dt / t;
    return true;
}

/* r of IF and I in one step. */
static double step_gain(double r, double dt) {
    return r != 1 && (float)(r * dt) == 1.0f ? 1 : r;
}

/* Parameters of neuron j, in double. */
typedef struct {
    double param[SNN_PARAMS], drive;
} one_neuron;

static bool make_leak(const parameters *p, uint32_t j, double dt, double scale, one_neuron *o) {
    const bool cuba = p->tau_syn != NULL;
    const double r = value(p->r, j, 1);
    double *decay = &o->param[SNN_PARAM_DECAY], *gain = &o->param[SNN_PARAM_GAIN];
    if (!decay_of(p, cuba ? "tau_mem" : "tau", p->tau, j, dt, decay))
        return false;
    *gain = r * dt / value(p->tau, j, 1);
    const double leak = value(p->v_leak, j, 0) - value(p->v_reset, j, 0);
    if (leak != 0) /* cuba: behind the current, so it is added to the membrane */
        o->drive = cuba ? leak * dt / value(p->tau, j, 1) : leak / (r * scale);
    if (!cuba) {
        *gain *= scale;
        return true;
    }
    if (!decay_of(p, "tau_syn", p->tau_syn, j, dt, &o->param[SNN_PARAM_CURRENT_DECAY]))
        return false;
    o->param[SNN_PARAM_CURRENT_GAIN] = value(p->w_in, j, 1) * dt / value(p->tau_syn, j, 1) * scale;
    return true;
}

static bool make_one(const parameters *p, uint32_t j, double dt, double scale, snn_reset reset,
                     one_neuron *o) {
    *o = (one_neuron){0};
    o->param[SNN_PARAM_THRESHOLD] = 1;
    o->param[SNN_PARAM_CURRENT_GAIN] = 1;
    if (p->v_threshold != NULL)
        o->param[SNN_PARAM_THRESHOLD] = value(p->v_threshold, j, 0) - value(p->v_reset, j, 0);
    if (reset == SNN_RESET_SUBTRACT && value(p->v_reset, j, 0) != 0)
        return snn_nir_fail(p->s, p->path, p->err,
                            "v_reset is not 0, but neurons are to be reset by subtraction");
    if (is(p, "Threshold"))
        o->param[SNN_PARAM_GAIN] = scale;
    else if (p->tau == NULL) {
        o->param[SNN_PARAM_DECAY] = 1;
        o->param[SNN_PARAM_GAIN] = step_gain(value(p->r, j, 1), dt) * scale;
    } else if (!make_leak(p, j, dt, scale, o)) {
        return false;
    }
    if (o->drive != 0 && !isfinite(o->drive))
        return snn_nir_fail(p->s, p->path, p->err, "v_leak without r");
    return true;
}

/* CubaLI reads out a membrane behind a current; snnsim's li has no current, so that must be without memory. */
static bool make_readout(const parameters *p, nir_neuron *out) {
    if (!is(p, "CubaLI"))
        return true;
    for (uint32_t j = 0; j < p->n; j++) {
        const float *each = out->each[SNN_PARAM_CURRENT_DECAY];
        if ((each ? each[j] : out->neuron.current_decay) != 0)
            return snn_nir_fail(p->s, p->path, p->err,
                                "its current has a memory (tau_syn above the time step), which snnsim's li "
                                "neurons do not have");
    }
    for (uint32_t j = 0; j < p->n; j++)
        out->each[SNN_PARAM_GAIN][j] *= out->each[SNN_PARAM_CURRENT_GAIN][j];
    return true;
}

/* One number where all are the same. */
static void simplify(nir_neuron *out, snn_param q, uint32_t n, float *scalar) {
    const float *each = out->each[q];
    *scalar = each[0];
    for (uint32_t j = 1; j < n; j++)
        if (each[j] != each[0])
            return;
    free(out->each[q]);
    out->each[q] = NULL;
}

/* The same spikes from membranes in another unit: the threshold is divided by the gain. */
static bool remove_gain(const parameters *p, one_neuron *o) {
    double *gain = &o->param[SNN_PARAM_GAIN], *current = &o->param[SNN_PARAM_CURRENT_GAIN];
    if (p->v_threshold == NULL || is(p, "Threshold"))
        return true;
    if (!(*gain * *current > 0))
        return snn_nir_fail(p->s, p->path, p->err,
                            "has gains that are not positive, which a threshold cannot be divided by");
    o->param[SNN_PARAM_THRESHOLD] /= *gain * *current;
    if (p->tau_syn != NULL)
        o->drive /= *gain * *current;
    *gain = *current = 1;
    return true;
}

static snn_neuron_type neuron_type(const parameters *p) {
    if (is(p, "IF"))
        return SNN_NEURON_IF;
    if (is(p, "LI") || is(p, "I") || is(p, "CubaLI"))
        return SNN_NEURON_LI;
    return is(p, "CubaLIF") ? SNN_NEURON_CUBA : SNN_NEURON_LIF;
}

static bool fill(const parameters *p, nir_neuron *out, const double *scale, double dt, snn_reset reset,
                 bool unit_gain) {
    one_neuron o;
    bool driven = false;
    for (uint32_t j = 0; j < p->n; j++) {
        if (!make_one(p, j, dt, scale != NULL ? scale[j] : 1, reset, &o) ||
            (unit_gain && !remove_gain(p, &o)))
            return false;
        for (int q = 0; q < SNN_PARAMS; q++)
            out->each[q][j] = (float)o.param[q];
        out->drive[j] = o.drive;
        driven |= o.drive != 0;
    }
    if (!driven) {
        free(out->drive);
        out->drive = NULL;
    }
    out->neuron.membrane_bias = driven && out->neuron.type == SNN_NEURON_CUBA;
    return make_readout(p, out);
}

void snn_nir_neuron_free(nir_neuron *n) {
    for (int q = 0; q < SNN_PARAMS; q++)
        free(n->each[q]);
    free(n->drive);
    *n = (nir_neuron){0};
}

bool snn_nir_neuron_of(nir_neuron *out, const nir_stage *s, uint32_t n, const double *scale, double dt,
                       const snn_import_options *o, const char *path, snn_error *err) {
    parameters p = {.s = s, .path = path, .err = err, .n = n};
    const bool stateless = is(&p, "Threshold");
    *out = (nir_neuron){.neuron = {.at_threshold = o->at_threshold && !stateless,
                                   .reset = stateless ? SNN_RESET_ZERO : o->reset}};
    out->neuron.type = neuron_type(&p);
    bool ok = take_all(&p);
    if (ok && scale == NULL && all_same(&p)) /* memory for what is in the file only */
        n = p.n = 1;
    out->drives = n;
    ok = ok && (out->drive = snn_alloc(n, sizeof *out->drive, "neurons", err)) != NULL;
    for (int q = 0; ok && q < SNN_PARAMS; q++)
        ok = (out->each[q] = snn_alloc(n, sizeof **out->each, "neurons", err)) != NULL;
    ok = ok && fill(&p, out, scale, dt, out->neuron.reset, o->unit_gain);
    if (!ok) {
        snn_nir_neuron_free(out);
        return false;
    }
    float adapt;
    simplify(out, SNN_PARAM_DECAY, n, &out->neuron.decay);
    simplify(out, SNN_PARAM_THRESHOLD, n, &out->neuron.threshold);
    simplify(out, SNN_PARAM_GAIN, n, &out->neuron.gain);
    simplify(out, SNN_PARAM_CURRENT_DECAY, n, &out->neuron.current_decay);
    simplify(out, SNN_PARAM_CURRENT_GAIN, n, &out->neuron.current_gain);
    simplify(out, SNN_PARAM_ADAPT_DECAY, n, &adapt);
    return true;
}
