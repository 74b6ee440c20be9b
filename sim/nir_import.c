/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Import of NIR graphs: read, put in order, turned into layers, and remembered for export (docs/import.md). */
#include "nir_tree.h"
#include "weights_internal.h"

#include <stdlib.h>
#include <string.h>

/* The tensors as weights of the network. */
static snn_weights *make_weights(const nir_network *n, const char *path, snn_error *err) {
    snn_weights *w = snn_weights_new(n->net, err);
    for (int i = 0; w != NULL && i < w->tensors; i++) {
        snn_tensor *t = &w->tensor[i];
        bool ok = i < n->tensors && strcmp(t->name, n->tensor[i].name) == 0 && t->count == n->tensor[i].count;
        if (ok)
            memcpy(t->value, n->tensor[i].value, t->count * sizeof *t->value);
        else
            snn_fail(err, SNN_ERR_DATA, "%s: weights of '%s' do not fit", path, t->name);
        if (!ok || !snn_tensor_check(t, err)) {
            snn_weights_free(w);
            w = NULL;
        }
    }
    return w;
}

bool snn_import_nir(snn_model *m, const char *path, const snn_import_options *options, snn_error *err) {
    const snn_import_options plain = {0}, *o = options != NULL ? options : &plain;
    snn_error own = {0}; /* so that err may be NULL */
    snn_error *e = err != NULL ? err : &own;
    nir_file file = {0};
    nir_chain chain = {0};
    nir_network network = {0};
    *m = (snn_model){0};
    if (!snn_nir_read(&file, path, e))
        return false;
    const double dt = o->dt > 0 ? o->dt : file.dt > 0 ? file.dt : NIR_DT;
    bool ok = snn_nir_walk(&chain, &file, path, e) && snn_nir_layers(&network, &chain, dt, o, path, e) &&
              (m->weights = make_weights(&network, path, e)) != NULL &&
              snn_nir_origin_make(&file, &network, &m->origin, e);
    if (ok) {
        m->net = network.net;
        network.net = NULL;
        snn_weights_digest(m->weights, m->digest);
    }
    snn_nir_network_free(&network);
    snn_nir_chain_free(&chain);
    snn_nir_file_free(&file);
    if (!ok)
        snn_model_free(m);
    return ok;
}
