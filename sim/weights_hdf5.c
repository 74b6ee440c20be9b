/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tensors in HDF5 files (models, chips), below a group /snnsim:
 *   weights/<layer>  raw codes, uint8 or uint16, or float32; attributes bits (int32) and encoding
 *   scales/<layer>   float32 [1] or [outputs]; not for float weights
 */
#include "weights_internal.h"

#include <hdf5.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- writing ---- */

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

bool snn_weights_put(hid_t group, const snn_weights *w) {
    hid_t weights = snn_hdf5_create_group(group, "weights"), scales = snn_hdf5_create_group(group, "scales");
    bool ok = weights >= 0 && scales >= 0;
    for (int i = 0; ok && i < w->tensors; i++)
        ok = write_codes(weights, &w->tensor[i]) && write_scales(scales, &w->tensor[i]);
    H5Gclose(scales);
    H5Gclose(weights);
    return ok;
}

/* ---- reading ---- */

static const char weights_group[] = "/snnsim/weights", scales_group[] = "/snnsim/scales";

/* Type, bits and encoding of a tensor. */
static bool read_kind(const snn_hdf5_reader *r, hid_t d, snn_tensor *t) {
    char where[sizeof weights_group + SNN_NAME + 1], encoding[SNN_NAME];
    snprintf(where, sizeof where, "%s/%s", weights_group, t->name);
    hid_t type = H5Dget_type(d);
    H5T_class_t class = H5Tget_class(type);
    size_t size = H5Tget_size(type);
    bool codes = class == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_NONE && (size == 1 || size == 2);
    bool floats = class == H5T_FLOAT && size == sizeof(float);
    H5Tclose(type);
    if (!codes && !floats)
        return snn_hdf5_fail(r, where, "", "has a number type that is neither uint8, uint16 nor float32");
    t->type = floats ? SNN_FLOAT32 : size == 1 ? SNN_CODE_8 : SNN_CODE_16;
    int32_t bits;
    if (!snn_hdf5_get_int(r, d, where, "bits", &bits))
        return false;
    if (t->type == SNN_CODE_8    ? bits < 1 || bits > 8
        : t->type == SNN_CODE_16 ? bits < 9 || bits > 16
                                 : bits != 32)
        return snn_fail(r->err, SNN_ERR_DATA, "%s: %s: %" PRId32 " bits in codes of %zu bytes", r->path,
                        where, bits, size);
    t->bits = bits;
    if (t->type == SNN_FLOAT32)
        return true;
    if (!snn_hdf5_get_string(r, d, where, "encoding", encoding, sizeof encoding))
        return false;
    if (snn_encoding_parse(encoding, &t->encoding, r->err))
        return true;
    r->err->code = SNN_ERR_DATA;
    return snn_error_context(r->err, "%s: %s", r->path, where);
}

static bool read_codes(const snn_hdf5_reader *r, hid_t d, snn_tensor *t) {
    hid_t in_memory = t->type == SNN_CODE_8    ? H5T_NATIVE_UINT8
                      : t->type == SNN_CODE_16 ? H5T_NATIVE_UINT16
                                               : H5T_NATIVE_FLOAT;
    if (H5Dread(d, in_memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, t->data) < 0)
        return snn_hdf5_fail(r, weights_group, t->name, "cannot be read");
    return true;
}

/* Opens the scales of a tensor and says how many there are: 1 or one per output; -1 with err set. */
static hid_t open_scales(const snn_hdf5_reader *r, hid_t group, const snn_tensor *t, uint32_t *scales) {
    hid_t d = snn_hdf5_open(r, group, scales_group, t->name, H5I_DATASET);
    if (d < 0)
        return -1;
    uint64_t found[H5S_MAX_RANK];
    uint64_t n = snn_hdf5_shape(d, found) == 1 && found[0] == 1 ? 1 : t->shape[0];
    hid_t type = H5Dget_type(d);
    bool ok = H5Tget_class(type) == H5T_FLOAT && H5Tget_size(type) == sizeof(float);
    H5Tclose(type);
    if (!ok)
        snn_hdf5_fail(r, scales_group, t->name, "has a number type other than float32");
    else if (snn_hdf5_check_shape(r, d, scales_group, t->name, 1, &n) &&
             snn_hdf5_check_storage(r, d, scales_group, t->name, n * sizeof(float))) {
        *scales = (uint32_t)n;
        return d;
    }
    H5Dclose(d);
    return -1;
}

static bool read_scales(const snn_hdf5_reader *r, hid_t d, const snn_tensor *t) {
    if (H5Dread(d, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, t->scale) < 0)
        return snn_hdf5_fail(r, scales_group, t->name, "cannot be read");
    return true;
}

static bool read_tensor(const snn_hdf5_reader *r, hid_t weights, hid_t scales, snn_tensor *t) {
    hid_t s = -1, d = snn_hdf5_open(r, weights, weights_group, t->name, H5I_DATASET);
    if (d < 0)
        return false;
    uint32_t n = 0;
    bool ok = read_kind(r, d, t) && snn_hdf5_check_shape(r, d, weights_group, t->name, t->dims, t->shape) &&
              snn_hdf5_check_storage(r, d, weights_group, t->name, t->count * snn_tensor_item_size(t->type));
    if (ok && t->type != SNN_FLOAT32) {
        s = open_scales(r, scales, t, &n);
        ok = s >= 0;
    }
    ok = ok && snn_tensor_alloc(t, t->type, t->bits, t->encoding, n, r->err) && read_codes(r, d, t) &&
         (s < 0 || read_scales(r, s, t));
    if (s >= 0)
        H5Dclose(s);
    H5Dclose(d);
    if (ok && !snn_tensor_check(t, r->err))
        return snn_error_context(r->err, "%s", r->path);
    return ok;
}

/* A group with more members than the network has layers would hide something from whoever looks at the network. */
static bool check_members(const snn_hdf5_reader *r, hid_t group, const char *name, int most) {
    H5G_info_t info;
    if (H5Gget_info(group, &info) < 0)
        return snn_hdf5_fail(r, name, "", "cannot be read");
    if (info.nlinks > (hsize_t)most)
        return snn_fail(r->err, SNN_ERR_DATA,
                        "%s: %s: has %llu members, but the network has %d layers of weights", r->path, name,
                        (unsigned long long)info.nlinks, most);
    return true;
}

snn_weights *snn_weights_get(const snn_hdf5_reader *r, hid_t group, snn_tensor *like, int n) {
    hid_t weights = snn_hdf5_open(r, group, "/snnsim", "weights", H5I_GROUP);
    hid_t scales = weights < 0 ? -1 : snn_hdf5_open(r, group, "/snnsim", "scales", H5I_GROUP);
    bool ok = scales >= 0 && check_members(r, weights, weights_group, n) &&
              check_members(r, scales, scales_group, n);
    snn_weights *w = ok ? snn_weights_shell(&(snn_weights){n, like}, r->err) : NULL;
    ok = w != NULL;
    for (int i = 0; ok && i < n; i++)
        ok = read_tensor(r, weights, scales, &w->tensor[i]);
    if (scales >= 0)
        H5Gclose(scales);
    if (weights >= 0)
        H5Gclose(weights);
    if (ok)
        return w;
    snn_weights_free(w);
    return NULL;
}
