/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fast hook: draws the read errors of one step of one tensor without visiting the cells that are read well. */
#include "read_hook.h"

#include "read_step.h"

void snn_read_hook_layout(snn_read_plan *p) {
    const size_t line = 64;
    p->scratch_bytes = (snn_read_cursor_words(p->most_inputs) * sizeof(uint32_t) + line - 1) / line * line;
    for (int i = 0; i < p->tensors; i++) {
        p->tensor[i].slow_at = p->scratch_bytes;
        p->scratch_bytes += snn_read_slow_bytes(&p->tensor[i]);
    }
    /* In coarse steps, so that chips of one kind mostly need the same and share workspaces. */
    size_t step = line;
    while (step * 8 <= p->scratch_bytes)
        step *= 2;
    p->scratch_bytes = (p->scratch_bytes + step - 1) / step * step;
}

bool snn_read_stream(uint64_t sample, int step, uint64_t *index, snn_error *err) {
    enum { STEP_BITS = 20 };
    if (sample >> (64 - STEP_BITS) || step < 0 || step >> STEP_BITS)
        return snn_fail(err, SNN_ERR_RUNTIME, "read errors are drawn for up to 2^%d samples of 2^%d steps",
                        64 - STEP_BITS, STEP_BITS);
    *index = sample << STEP_BITS | (uint64_t)step;
    return true;
}

bool snn_read_hook(void *context, void *scratch, int tensor, uint64_t sample, int step,
                   const snn_spike *input, size_t n, snn_sum_errors *errors, snn_error *err) {
    const snn_read_plan *p = context;
    const snn_read_tensor *t = &p->tensor[tensor];
    snn_read_step s = {.plan = p,
                       .tensor = t,
                       .input = input,
                       .n = n,
                       .sample = sample,
                       .scratch = scratch,
                       .errors = errors};
    if (n == 0)
        return true;
    if (!snn_read_stream(sample, step, &s.stream, err))
        return false;
    snn_read_walk first, second, *walk[2];
    int walks = 0;
    if (p->read_error > 0) {
        if (!t->words && p->map->options.cell_bits == 1)
            return snn_read_uniform(&s, err);
        if (!snn_read_walk_uniform(&first, &s, err))
            return false;
        walk[walks++] = &first;
    } else if (t->weak.n) {
        snn_read_walk_weak(&first, &s);
        walk[walks++] = &first;
    }
    if (t->slow.n) {
        snn_read_walk_slow(&second, &s);
        walk[walks++] = &second;
    }
    return snn_read_collect(&s, walk, walks, err);
}
