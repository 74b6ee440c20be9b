/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Part of train_kernels_body.h: neurons with a current, an adaptive threshold or parameters of each neuron (formulas: train_lanes.c). */

/* ---- membrane behind a current ---- */

INLINE void current_forward_loop(const train_neuron *p, const train_lanes_step *a, const int spiking,
                                 const int reset) {
    for (size_t r = 0; r < a->pixels; r++) {
        const size_t at = r * a->pitch;
        const float *restrict d = p->lanes.decay + at, *restrict theta = p->lanes.threshold + at,
                              *restrict above = p->lanes.above + at, *restrict scale = p->lanes.scale + at,
                              *restrict bias_scale = p->lanes.bias_scale + at,
                              *restrict into = p->lanes.into + at, *restrict gain = p->lanes.gain + at,
                              *restrict keep = p->lanes.current_decay + at, *restrict bias = a->bias,
                              *restrict before = a->before + at;
        float *restrict u = a->state + at, *restrict v = a->v + at, *restrict s = a->s + at;
        const float on_membrane = p->membrane_bias ? 1.0f : 0.0f;
        for (size_t i = 0; i < a->pitch; i++) {
            float current = keep[i] * u[i] + (v[i] * scale[i] + bias[i] * bias_scale[i]) * into[i];
            u[i] = current;
            float old = before[i], kept = d[i] * old;
            if (spiking) {
                int spiked = old > above[i];
                kept =
                    reset == SNN_RESET_ZERO ? where(!spiked, kept) : d[i] * (old - where(spiked, theta[i]));
            }
            float now = kept + (gain[i] * current + on_membrane * bias[i]);
            v[i] = now;
            s[i] = spiking ? where(now > above[i], 1.0f) : now;
        }
    }
}

static void current_forward(const train_neuron *p, const train_lanes_step *a) {
    if (p->type == SNN_NEURON_LI)
        current_forward_loop(p, a, 0, SNN_RESET_ZERO);
    else if (p->reset == SNN_RESET_ZERO)
        current_forward_loop(p, a, 1, SNN_RESET_ZERO);
    else
        current_forward_loop(p, a, 1, SNN_RESET_SUBTRACT);
}

INLINE void current_backward_loop(const train_neuron *p, const train_lanes_step *a, const int spiking,
                                  const int reset, const int kind) {
    const float width = p->width, height = 1.0f / p->width;
    for (size_t r = 0; r < a->pixels; r++) {
        const size_t at = r * a->pitch;
        const float *restrict d = p->lanes.decay + at, *restrict theta = p->lanes.threshold + at,
                              *restrict above = p->lanes.above + at, *restrict scale = p->lanes.scale + at,
                              *restrict into = p->lanes.into + at, *restrict gain = p->lanes.gain + at,
                              *restrict keep = p->lanes.current_decay + at, *restrict ds = a->ds + at;
        float *restrict carry = a->carry + at, *restrict carry_u = a->carry_state + at,
                        *restrict v = a->v + at, *restrict bias_sum = a->bias_sum + at;
        for (size_t i = 0; i < a->pitch; i++) {
            float m = v[i], through = carry[i] * d[i], dv = ds[i];
            if (spiking) {
                dv -= through * (reset == SNN_RESET_ZERO ? m : theta[i]);
                dv *= surrogate_slope(m - theta[i], width, height, kind);
                through = reset == SNN_RESET_ZERO ? where(!(m > above[i]), through) : through;
            }
            dv += through;
            float du = gain[i] * dv + keep[i] * carry_u[i];
            carry[i] = dv;
            carry_u[i] = du;
            bias_sum[i] += dv;
            v[i] = du * into[i] * scale[i];
        }
    }
}

INLINE void current_backward_reset(const train_neuron *p, const train_lanes_step *a, const int reset) {
    switch (p->surrogate) {
    case SNN_SURROGATE_RECTANGLE:
        current_backward_loop(p, a, 1, reset, SNN_SURROGATE_RECTANGLE);
        break;
    case SNN_SURROGATE_TRIANGLE:
        current_backward_loop(p, a, 1, reset, SNN_SURROGATE_TRIANGLE);
        break;
    default:
        current_backward_loop(p, a, 1, reset, SNN_SURROGATE_ARCTAN);
    }
}

static void current_backward(const train_neuron *p, const train_lanes_step *a) {
    if (p->type == SNN_NEURON_LI)
        current_backward_loop(p, a, 0, SNN_RESET_ZERO, SNN_SURROGATE_RECTANGLE);
    else if (p->reset == SNN_RESET_ZERO)
        current_backward_reset(p, a, SNN_RESET_ZERO);
    else
        current_backward_reset(p, a, SNN_RESET_SUBTRACT);
}

/* ---- adaptive threshold ---- */

static void adaptive_forward(const train_neuron *p, const train_lanes_step *a) {
    const float adapt = p->adapt;
    for (size_t r = 0; r < a->pixels; r++) {
        const size_t at = r * a->pitch;
        const float *restrict d = p->lanes.decay + at, *restrict theta = p->lanes.threshold + at,
                              *restrict scale = p->lanes.scale + at, *restrict into = p->lanes.into + at,
                              *restrict rho = p->lanes.adapt_decay + at, *restrict bias = a->bias,
                              *restrict before = a->before + at;
        float *restrict tired = a->state + at, *restrict last = a->last + at, *restrict v = a->v + at,
                        *restrict barrier = a->barrier + at, *restrict s = a->s + at;
        for (size_t i = 0; i < a->pitch; i++) {
            float now = rho[i] * tired[i] + (1.0f - rho[i]) * last[i], b = theta[i] + adapt * now;
            float m = (d[i] * before[i] + v[i] * scale[i] * into[i]) - b * last[i];
            tired[i] = now;
            barrier[i] = b;
            v[i] = m;
            s[i] = last[i] = where(m - b + bias[i] > 0.0f, 1.0f);
        }
    }
}

INLINE void adaptive_backward_loop(const train_neuron *p, const train_lanes_step *a, const int kind) {
    const float width = p->width, height = 1.0f / p->width, adapt = p->adapt;
    const int later = !a->first;
    for (size_t r = 0; r < a->pixels; r++) {
        const size_t at = r * a->pitch;
        const float *restrict d = p->lanes.decay + at, *restrict scale = p->lanes.scale + at,
                              *restrict into = p->lanes.into + at, *restrict rho = p->lanes.adapt_decay + at,
                              *restrict bias = a->bias, *restrict before = a->before + at, *ds = a->ds + at,
                              *barrier = a->barrier + at, *barrier_before = a->barrier_before + at,
                              *barrier_next = a->barrier_next + at;
        float *restrict carry = a->carry + at, *restrict carry_a = a->carry_state + at,
                        *restrict v = a->v + at, *restrict bias_sum = a->bias_sum + at;
        for (size_t i = 0; i < a->pitch; i++) {
            float ds_all = ds[i] + (1.0f - rho[i]) * carry_a[i] - barrier_next[i] * carry[i];
            float h = ds_all * surrogate_slope(v[i] - barrier[i] + bias[i], width, height, kind);
            float dv = h + d[i] * carry[i];
            float spiked = where(later & (before[i] - barrier_before[i] + bias[i] > 0.0f), 1.0f);
            carry_a[i] = rho[i] * carry_a[i] - adapt * (h + spiked * dv);
            carry[i] = dv;
            bias_sum[i] += h;
            v[i] = dv * into[i] * scale[i];
        }
    }
}

static void adaptive_backward(const train_neuron *p, const train_lanes_step *a) {
    switch (p->surrogate) {
    case SNN_SURROGATE_RECTANGLE:
        adaptive_backward_loop(p, a, SNN_SURROGATE_RECTANGLE);
        break;
    case SNN_SURROGATE_TRIANGLE:
        adaptive_backward_loop(p, a, SNN_SURROGATE_TRIANGLE);
        break;
    default:
        adaptive_backward_loop(p, a, SNN_SURROGATE_ARCTAN);
    }
}
