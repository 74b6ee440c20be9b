/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading model files (layout: see model_write.c). The file is not trusted: only hard links are followed, only plain storage with built-in filters
 * is read, every type and size is compared with what the network asks for before memory is taken, and a file must hold at least as many bytes as the
 * best compression of its announced data would need.
 */
#include "model_find.h"
#include "model_format.h"
#include "weights_internal.h"

#include <snnsim/digest.h>
#include <snnsim/model.h>

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef snn_hdf5_reader reader;

static bool check_digest(const reader *r, hid_t object, const char *name, const char *expected,
                         const char *what) {
    char stored[SNN_NAME + 65];
    if (!snn_hdf5_get_string(r, object, "/snnsim", name, stored, sizeof stored))
        return false;
    if (strcmp(stored, expected) == 0)
        return true;
    return snn_fail(r->err, SNN_ERR_DATA,
                    "%s: the %s do not match their digest: the file was damaged or changed", r->path, what);
}

/* ---- tensors ---- */

static const char weights_group[] = "/snnsim/weights", scales_group[] = "/snnsim/scales";

/* Type, bits and encoding of a tensor. */
static bool read_kind(const reader *r, hid_t d, snn_tensor *t) {
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

static bool read_codes(const reader *r, hid_t d, snn_tensor *t) {
    hid_t in_memory = t->type == SNN_CODE_8    ? H5T_NATIVE_UINT8
                      : t->type == SNN_CODE_16 ? H5T_NATIVE_UINT16
                                               : H5T_NATIVE_FLOAT;
    if (H5Dread(d, in_memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, t->data) < 0)
        return snn_hdf5_fail(r, weights_group, t->name, "cannot be read");
    return true;
}

/* Opens the scales of a tensor and says how many there are: 1 or one per output; -1 with err set. */
static hid_t open_scales(const reader *r, hid_t group, const snn_tensor *t, uint32_t *scales) {
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

static bool read_scales(const reader *r, hid_t d, const snn_tensor *t) {
    if (H5Dread(d, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, t->scale) < 0)
        return snn_hdf5_fail(r, scales_group, t->name, "cannot be read");
    return true;
}

static bool read_tensor(const reader *r, hid_t weights, hid_t scales, snn_tensor *t) {
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
static bool check_members(const reader *r, hid_t group, const char *name, int most) {
    H5G_info_t info;
    if (H5Gget_info(group, &info) < 0)
        return snn_hdf5_fail(r, name, "", "cannot be read");
    if (info.nlinks > (hsize_t)most)
        return snn_fail(r->err, SNN_ERR_DATA,
                        "%s: %s: has %llu members, but the network has %d layers of weights", r->path, name,
                        (unsigned long long)info.nlinks, most);
    return true;
}

static bool read_tensors(const reader *r, hid_t group, snn_model *m) {
    hid_t weights = snn_hdf5_open(r, group, "/snnsim", "weights", H5I_GROUP);
    hid_t scales = weights < 0 ? -1 : snn_hdf5_open(r, group, "/snnsim", "scales", H5I_GROUP);
    bool ok = scales >= 0 && check_members(r, weights, weights_group, m->net->tensors) &&
              check_members(r, scales, scales_group, m->net->tensors);
    if (ok) {
        m->weights = snn_weights_shell_for(m->net, r->err);
        ok = m->weights != NULL;
    }
    for (int i = 0; ok && i < m->weights->tensors; i++)
        ok = read_tensor(r, weights, scales, &m->weights->tensor[i]);
    if (scales >= 0)
        H5Gclose(scales);
    if (weights >= 0)
        H5Gclose(weights);
    return ok;
}

/* ---- the model ---- */

static bool read_network(const reader *r, hid_t group, snn_model *m) {
    char digest[65];
    char *json = snn_hdf5_get_text(r, group, "/snnsim", "network", SNN_MODEL_TEXT_MAX);
    if (json == NULL)
        return false;
    snn_digest_text(json, digest);
    if (check_digest(r, group, "network_digest", digest, "network's bytes"))
        m->net = snn_net_from_json(json, r->path, r->err);
    free(json);
    return m->net != NULL;
}

static bool read_record(const reader *r, hid_t group, snn_model *m) {
    char digest[65];
    if (H5Lexists(group, "record", H5P_DEFAULT) == 0)
        return true;
    m->record = snn_hdf5_get_text(r, group, "/snnsim", "record", SNN_MODEL_TEXT_MAX);
    if (m->record == NULL)
        return false;
    snn_digest_text(m->record, digest);
    return check_digest(r, group, "record_digest", digest, "training record's bytes");
}

static bool read_group(const reader *r, hid_t group, snn_model *m) {
    int32_t format;
    if (!snn_hdf5_get_int(r, group, "/snnsim", "format", &format))
        return false;
    if (format != SNN_MODEL_FORMAT)
        return snn_fail(r->err, SNN_ERR_DATA, "%s: format %" PRId32 " is not known (this snnsim knows %d)",
                        r->path, format, SNN_MODEL_FORMAT);
    if (!read_network(r, group, m) || !read_record(r, group, m) || !read_tensors(r, group, m))
        return false;
    snn_weights_digest(m->weights, m->digest);
    return check_digest(r, group, "digest", m->digest, "weights");
}

static bool read_file(const reader *r, snn_model *m) {
    hid_t file = snn_hdf5_open_file(r);
    if (file < 0)
        return false;
    hid_t group = snn_hdf5_open(r, file, "", "snnsim", H5I_GROUP);
    bool ok = group >= 0 && read_group(r, group, m);
    if (group >= 0)
        H5Gclose(group);
    H5Fclose(file);
    return ok;
}

bool snn_model_load(snn_model *m, const char *name, snn_error *err) {
    char path[PATH_MAX];
    bool block;    /* files of other tools have none */
    snn_error own; /* so that err may be NULL */
    *m = (snn_model){0};
    if (!snn_model_find(name, path, sizeof path, err ? err : &own) ||
        !snn_hdf5_block_check(path, SNN_MODEL_LINE, &block, err))
        return false;
    snn_hdf5_guard guard;
    snn_hdf5_enter(&guard);
    uint64_t budget = 0;
    reader r = {path, "model", &guard, &budget, err ? err : &own};
    bool ok = read_file(&r, m);
    snn_hdf5_leave(&guard);
    if (!ok)
        snn_model_free(m);
    return ok;
}
