/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Engine: results of one sample. */
#include <snnsim/engine.h>

#include <stdlib.h>
#include <string.h>

bool snn_result_init(snn_result *r, const snn_net *net, int steps, snn_error *err) {
    memset(r, 0, sizeof *r);
    r->classes = (int)net->classes;
    r->steps = steps;
    r->layers = net->layers;
    r->out = snn_alloc(net->classes, sizeof *r->out, "result", err);
    r->predicted_by_step = snn_alloc((size_t)steps, sizeof *r->predicted_by_step, "result", err);
    r->activity = snn_alloc((size_t)net->layers, sizeof *r->activity, "result", err);
    if ((size_t)steps > SIZE_MAX / net->classes) {
        snn_fail(err, SNN_ERR_RUNTIME, "%d steps of %u classes are too many", steps, net->classes);
    } else {
        r->out_spikes = snn_alloc((size_t)steps * net->classes, sizeof *r->out_spikes, "result", err);
    }
    if (r->out && r->predicted_by_step && r->activity && r->out_spikes)
        return true;
    snn_result_free(r);
    return false;
}

void snn_result_free(snn_result *r) {
    free(r->out);
    free(r->predicted_by_step);
    free(r->out_spikes);
    free(r->activity);
    memset(r, 0, sizeof *r);
}
