/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writing model files. Layout (all little-endian, no time stamps):
 *   user block               what the file is, and a digest of all its bytes (base/hdf5_block.c)
 *   /snnsim                  attributes: format (int32), digest (of the weights), network_digest, record_digest, origin_digest (when there are such)
 *   /snnsim/network          the network as JSON (net_json.c), biases included
 *   /snnsim/record           the training record as JSON, when there is one
 *   /snnsim/origin           what an imported model remembers of its file, as JSON (nir_origin.c)
 *   /snnsim/weights, scales  the tensors (weights_hdf5.c)
 */
#include "model_write.h"
#include "weights_internal.h"

#include <snnsim/digest.h>

#include <stdlib.h>
#include <string.h>

bool snn_model_write_group(hid_t file, const snn_model *m, const char *network) {
    char digest[65];
    hid_t group = snn_hdf5_create_group(file, "snnsim");
    bool ok = group >= 0 && snn_hdf5_put_int(group, "format", SNN_MODEL_FORMAT);
    snn_weights_digest(m->weights, digest);
    ok = ok && snn_hdf5_put_string(group, "digest", digest);
    snn_digest_text(network, digest);
    ok = ok && snn_hdf5_put_string(group, "network_digest", digest) &&
         snn_hdf5_put_text(group, "network", network);
    if (ok && m->record != NULL) {
        snn_digest_text(m->record, digest);
        ok = snn_hdf5_put_string(group, "record_digest", digest) &&
             snn_hdf5_put_text(group, "record", m->record);
    }
    if (ok && m->origin != NULL) {
        snn_digest_text(m->origin, digest);
        ok = snn_hdf5_put_string(group, "origin_digest", digest) &&
             snn_hdf5_put_text(group, "origin", m->origin);
    }
    ok = ok && snn_weights_put(group, m->weights);
    H5Gclose(group);
    return ok;
}

bool snn_model_check(const snn_model *m, snn_error *err) {
    if (m->net == NULL || m->weights == NULL)
        return snn_fail(err, SNN_ERR_DATA, "a model without %s cannot be saved",
                        m->net ? "weights" : "a network");
    if (m->record != NULL && strlen(m->record) - 1 >= SNN_MODEL_TEXT_MAX)
        return snn_fail(err, SNN_ERR_DATA, "a training record of %zu bytes cannot be saved, expected 1 to %u",
                        strlen(m->record), SNN_MODEL_TEXT_MAX);
    if (m->origin != NULL && strlen(m->origin) - 1 >= SNN_MODEL_TEXT_MAX)
        return snn_fail(err, SNN_ERR_DATA, "an origin of %zu bytes cannot be saved, expected 1 to %u",
                        strlen(m->origin), SNN_MODEL_TEXT_MAX);
    if (!snn_weights_fit(m->weights, m->net, err))
        return false;
    for (int i = 0; i < m->weights->tensors; i++)
        if (!snn_tensor_check(&m->weights->tensor[i], err))
            return false;
    return true;
}

typedef struct {
    const snn_model *model;
    const char *network;
} content;

static bool fill(hid_t file, const void *context) {
    const content *c = context;
    return snn_model_write_group(file, c->model, c->network);
}

bool snn_model_save(const snn_model *m, const char *path, snn_error *err) {
    if (!snn_model_check(m, err))
        return snn_error_context(err, "%s", path);
    char *network = snn_net_to_json(m->net, err);
    if (network == NULL)
        return snn_error_context(err, "%s", path);
    content c = {m, network};
    bool ok = snn_hdf5_write(path, SNN_MODEL_LINE, fill, &c, err);
    free(network);
    return ok;
}
