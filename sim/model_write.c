/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writing model files. Layout (all little-endian, no time stamps):
 *   user block               what the file is, and a digest of all its bytes (base/hdf5_block.c)
 *   /snnsim                  attributes: format (int32), digest (of the weights), network_digest, record_digest (when there is a record)
 *   /snnsim/network          the network as JSON (net_json.c), biases included
 *   /snnsim/record           the training record as JSON, when there is one
 *   /snnsim/weights/<layer>  raw codes, uint8 or uint16, or float32; attributes bits (int32) and encoding
 *   /snnsim/scales/<layer>   float32 [1] or [outputs]; not for float weights
 */
#include "model_write.h"
#include "weights_internal.h"

#include <snnsim/digest.h>

#include <stdlib.h>
#include <string.h>

static bool write_codes(hid_t group, const snn_tensor *t) {
    hid_t in_file = t->type == SNN_CODE_8    ? H5T_STD_U8LE
                    : t->type == SNN_CODE_16 ? H5T_STD_U16LE
                                             : H5T_IEEE_F32LE;
    hid_t in_memory = t->type == SNN_CODE_8    ? H5T_NATIVE_UINT8
                      : t->type == SNN_CODE_16 ? H5T_NATIVE_UINT16
                                               : H5T_NATIVE_FLOAT;
    hid_t d = snn_hdf5_put_array(group, t->name, in_file, in_memory, t->dims, t->shape, t->data);
    bool ok = d >= 0 && snn_hdf5_put_int(d, "bits", t->bits) &&
              (t->type == SNN_FLOAT32 || snn_hdf5_put_string(d, "encoding", snn_encoding_name(t->encoding)));
    H5Dclose(d);
    return ok;
}

static bool write_scales(hid_t group, const snn_tensor *t) {
    if (t->type == SNN_FLOAT32)
        return true;
    hsize_t n = t->scales;
    hid_t space = H5Screate_simple(1, &n, NULL), create = snn_hdf5_create_properties(H5P_DATASET_CREATE);
    hid_t d = H5Dcreate2(group, t->name, H5T_IEEE_F32LE, space, H5P_DEFAULT, create, H5P_DEFAULT);
    bool ok = d >= 0 && H5Dwrite(d, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, t->scale) >= 0;
    H5Dclose(d);
    H5Pclose(create);
    H5Sclose(space);
    return ok;
}

static bool write_tensors(hid_t group, const snn_weights *w) {
    hid_t weights = snn_hdf5_create_group(group, "weights"), scales = snn_hdf5_create_group(group, "scales");
    bool ok = weights >= 0 && scales >= 0;
    for (int i = 0; ok && i < w->tensors; i++)
        ok = write_codes(weights, &w->tensor[i]) && write_scales(scales, &w->tensor[i]);
    H5Gclose(scales);
    H5Gclose(weights);
    return ok;
}

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
    ok = ok && write_tensors(group, m->weights);
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
