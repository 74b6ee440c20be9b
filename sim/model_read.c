/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading model files (layout: see model_write.c). The file is not trusted: only hard links are followed, only plain storage with built-in filters
 * is read, every type and size is compared with what the network asks for before memory is taken, and a file must hold at least as many bytes as the
 * best compression of its announced data would need.
 */
#include "model_block.h"
#include "model_find.h"
#include "model_hdf5.h"
#include "weights_internal.h"

#include <snnsim/model.h>

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* zlib's deflate shrinks at most 1032 : 1 (a match of 258 bytes in 2 bits; zlib's technical notes). */
#define DEFLATE_BEST 1032

typedef struct {
    const char *path;
    const snn_hdf5_guard *guard;
    uint64_t *budget; /* bytes that the file's data can still unpack to */
    snn_error *err;
} reader;

static bool fail(const reader *r, const char *object, const char *name, const char *what) {
    const char *slash = name[0] ? "/" : "";
    const char *why = r->guard->reason;
    return snn_fail(r->err, SNN_ERR_DATA, "%s: %s%s%s: %s%s%s%s", r->path, object, slash, name, what,
                    why[0] ? " (HDF5: " : "", why, why[0] ? ")" : "");
}

/* Opens the object `name` of group `parent` when it is there, hard-linked and of the wanted kind; -1 with err set otherwise. `group` is the
 * parent's name for messages. */
static hid_t open_object(const reader *r, hid_t parent, const char *group, const char *name,
                         H5I_type_t kind) {
    H5L_info_t link;
    htri_t there = H5Lexists(parent, name, H5P_DEFAULT);
    if (there <= 0 || H5Lget_info(parent, name, &link, H5P_DEFAULT) < 0) {
        fail(r, group, name, there == 0 ? "is missing" : "cannot be read");
        return -1;
    }
    if (link.type != H5L_TYPE_HARD) {
        fail(r, group, name, "is a soft or external link, which a model must not have");
        return -1;
    }
    hid_t object = H5Oopen(parent, name, H5P_DEFAULT);
    if (object < 0) {
        fail(r, group, name, "cannot be opened");
    } else if (H5Iget_type(object) != kind) {
        fail(r, group, name, kind == H5I_GROUP ? "is not a group" : "is not a data set");
        H5Oclose(object);
        return -1;
    }
    return object;
}

/* ---- attributes ---- */

/* Opens a scalar attribute of the given class; -1 with err set. Its type goes to *type. */
static hid_t open_attribute(const reader *r, hid_t object, const char *where, const char *name,
                            H5T_class_t class, hid_t *type) {
    if (H5Aexists(object, name) <= 0) {
        char what[80];
        snprintf(what, sizeof what, "attribute '%s' is missing", name);
        fail(r, where, "", what);
        return -1;
    }
    hid_t a = H5Aopen(object, name, H5P_DEFAULT), space = H5Aget_space(a);
    *type = H5Aget_type(a);
    bool ok = a >= 0 && H5Tget_class(*type) == class && H5Sget_simple_extent_type(space) == H5S_SCALAR;
    H5Sclose(space);
    if (ok)
        return a;
    char what[80];
    snprintf(what, sizeof what, "attribute '%s' is not a single %s", name,
             class == H5T_STRING ? "string" : "number");
    fail(r, where, "", what);
    H5Tclose(*type);
    H5Aclose(a);
    return -1;
}

static bool read_int_attribute(const reader *r, hid_t object, const char *where, const char *name,
                               int32_t *value) {
    hid_t type, a = open_attribute(r, object, where, name, H5T_INTEGER, &type);
    if (a < 0)
        return false;
    bool ok = H5Aread(a, H5T_NATIVE_INT32, value) >= 0; /* out of range: HDF5 clips */
    H5Tclose(type);
    H5Aclose(a);
    return ok ? true : fail(r, where, name, "cannot be read");
}

/* Fixed-length string of fewer than `size` bytes. */
static bool read_string_attribute(const reader *r, hid_t object, const char *where, const char *name,
                                  char *text, size_t size) {
    hid_t type, a = open_attribute(r, object, where, name, H5T_STRING, &type);
    if (a < 0)
        return false;
    size_t n = H5Tget_size(type);
    bool ok = H5Tis_variable_str(type) == 0 && n > 0 && n < size;
    memset(text, 0, size);
    bool got = ok && H5Aread(a, type, text) >= 0;
    H5Tclose(type);
    H5Aclose(a);
    return got ? true : fail(r, where, name, ok ? "cannot be read" : "is not a short string of fixed length");
}

static bool check_digest(const reader *r, hid_t object, const char *name, const char *expected,
                         const char *what) {
    char stored[SNN_NAME + 65];
    if (!read_string_attribute(r, object, "/snnsim", name, stored, sizeof stored))
        return false;
    if (strcmp(stored, expected) == 0)
        return true;
    return snn_fail(r->err, SNN_ERR_DATA,
                    "%s: the %s do not match their digest: the file was damaged or changed", r->path, what);
}

/* ---- data sets ---- */

/* Is it stored in the file itself, plainly, with no other filters than those built into HDF5? */
static bool check_storage(const reader *r, hid_t d, const char *group, const char *name, uint64_t bytes) {
    hid_t create = H5Dget_create_plist(d);
    bool plain = create >= 0 && H5Pget_external_count(create) == 0;
    H5D_layout_t layout = H5Pget_layout(create);
    plain = plain && (layout == H5D_COMPACT || layout == H5D_CONTIGUOUS || layout == H5D_CHUNKED);
    int filters = H5Pget_nfilters(create);
    plain = plain && filters >= 0;
    for (int i = 0; plain && i < filters; i++) {
        unsigned flags, config;
        size_t values = 0;
        H5Z_filter_t id = H5Pget_filter2(create, (unsigned)i, &flags, &values, NULL, 0, NULL, &config);
        plain = id == H5Z_FILTER_DEFLATE || id == H5Z_FILTER_SHUFFLE || id == H5Z_FILTER_FLETCHER32;
    }
    H5Pclose(create);
    if (!plain)
        return fail(r, group, name, "is stored outside the file or with a filter that models do not use");
    /* What the file says of itself may be a lie (blocks that overlap), its length is none. */
    uint64_t cost = filters > 0 ? bytes : bytes * DEFLATE_BEST;
    if (H5Dget_storage_size(d) < cost / DEFLATE_BEST || cost > *r->budget)
        return fail(r, group, name, "holds less data than its shape asks for");
    *r->budget -= cost;
    return true;
}

/* Dimensions of a data set into shape, their number as result; -1 when it has none that can be read. */
static int get_shape(hid_t d, uint64_t shape[H5S_MAX_RANK]) {
    hsize_t found[H5S_MAX_RANK];
    hid_t space = H5Dget_space(d);
    int n = space >= 0 && H5Sis_simple(space) > 0 && H5Sget_simple_extent_type(space) != H5S_NULL
                ? H5Sget_simple_extent_dims(space, found, NULL)
                : -1;
    H5Sclose(space);
    for (int i = 0; i < n; i++)
        shape[i] = found[i];
    return n;
}

/* Has the data set exactly this shape? */
static bool check_shape(const reader *r, hid_t d, const char *group, const char *name, int dims,
                        const uint64_t *shape) {
    uint64_t found[H5S_MAX_RANK];
    char a[200], b[120];
    int n = get_shape(d, found);
    if (n == dims && (dims == 0 || memcmp(found, shape, (size_t)dims * sizeof *shape) == 0))
        return true;
    return snn_fail(r->err, SNN_ERR_DATA, "%s: %s/%s: has shape %s, expected %s", r->path, group, name,
                    n < 0 ? "none" : snn_shape_text(n, found, a, sizeof a),
                    snn_shape_text(dims, shape, b, sizeof b));
}

/* Text of a scalar data set of fixed length; malloc'ed, NULL with err set. */
static char *read_text(const reader *r, hid_t group, const char *name) {
    hid_t d = open_object(r, group, "/snnsim", name, H5I_DATASET);
    if (d < 0)
        return NULL;
    char *text = NULL;
    hid_t type = H5Dget_type(d);
    size_t n = H5Tget_size(type);
    if (H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) != 0 || n == 0 || n > SNN_MODEL_TEXT_MAX)
        fail(r, "/snnsim", name, "is not a string of fixed length");
    else if (check_shape(r, d, "/snnsim", name, 0, NULL) && check_storage(r, d, "/snnsim", name, n))
        text = snn_alloc(n + 1, 1, name, r->err);
    if (text != NULL && H5Dread(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) < 0) {
        fail(r, "/snnsim", name, "cannot be read");
        free(text);
        text = NULL;
    }
    H5Tclose(type);
    H5Dclose(d);
    return text;
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
        return fail(r, where, "", "has a number type that is neither uint8, uint16 nor float32");
    t->type = floats ? SNN_FLOAT32 : size == 1 ? SNN_CODE_8 : SNN_CODE_16;
    int32_t bits;
    if (!read_int_attribute(r, d, where, "bits", &bits))
        return false;
    if (t->type == SNN_CODE_8    ? bits < 1 || bits > 8
        : t->type == SNN_CODE_16 ? bits < 9 || bits > 16
                                 : bits != 32)
        return snn_fail(r->err, SNN_ERR_DATA, "%s: %s: %" PRId32 " bits in codes of %zu bytes", r->path,
                        where, bits, size);
    t->bits = bits;
    if (t->type == SNN_FLOAT32)
        return true;
    if (!read_string_attribute(r, d, where, "encoding", encoding, sizeof encoding))
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
        return fail(r, weights_group, t->name, "cannot be read");
    return true;
}

/* Opens the scales of a tensor and says how many there are: 1 or one per output; -1 with err set. */
static hid_t open_scales(const reader *r, hid_t group, const snn_tensor *t, uint32_t *scales) {
    hid_t d = open_object(r, group, scales_group, t->name, H5I_DATASET);
    if (d < 0)
        return -1;
    uint64_t found[H5S_MAX_RANK];
    uint64_t n = get_shape(d, found) == 1 && found[0] == 1 ? 1 : t->shape[0];
    hid_t type = H5Dget_type(d);
    bool ok = H5Tget_class(type) == H5T_FLOAT && H5Tget_size(type) == sizeof(float);
    H5Tclose(type);
    if (!ok)
        fail(r, scales_group, t->name, "has a number type other than float32");
    else if (check_shape(r, d, scales_group, t->name, 1, &n) &&
             check_storage(r, d, scales_group, t->name, n * sizeof(float))) {
        *scales = (uint32_t)n;
        return d;
    }
    H5Dclose(d);
    return -1;
}

static bool read_scales(const reader *r, hid_t d, const snn_tensor *t) {
    if (H5Dread(d, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, t->scale) < 0)
        return fail(r, scales_group, t->name, "cannot be read");
    return true;
}

static bool read_tensor(const reader *r, hid_t weights, hid_t scales, snn_tensor *t) {
    hid_t s = -1, d = open_object(r, weights, weights_group, t->name, H5I_DATASET);
    if (d < 0)
        return false;
    uint32_t n = 0;
    bool ok = read_kind(r, d, t) && check_shape(r, d, weights_group, t->name, t->dims, t->shape) &&
              check_storage(r, d, weights_group, t->name, t->count * snn_tensor_item_size(t->type));
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
        return fail(r, name, "", "cannot be read");
    if (info.nlinks > (hsize_t)most)
        return snn_fail(r->err, SNN_ERR_DATA,
                        "%s: %s: has %llu members, but the network has %d layers of weights", r->path, name,
                        (unsigned long long)info.nlinks, most);
    return true;
}

static bool read_tensors(const reader *r, hid_t group, snn_model *m) {
    hid_t weights = open_object(r, group, "/snnsim", "weights", H5I_GROUP);
    hid_t scales = weights < 0 ? -1 : open_object(r, group, "/snnsim", "scales", H5I_GROUP);
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
    char *json = read_text(r, group, "network");
    if (json == NULL)
        return false;
    snn_text_digest(json, digest);
    if (check_digest(r, group, "network_digest", digest, "network's bytes"))
        m->net = snn_net_from_json(json, r->path, r->err);
    free(json);
    return m->net != NULL;
}

static bool read_record(const reader *r, hid_t group, snn_model *m) {
    char digest[65];
    if (H5Lexists(group, "record", H5P_DEFAULT) == 0)
        return true;
    m->record = read_text(r, group, "record");
    if (m->record == NULL)
        return false;
    snn_text_digest(m->record, digest);
    return check_digest(r, group, "record_digest", digest, "training record's bytes");
}

static bool read_group(const reader *r, hid_t group, snn_model *m) {
    int32_t format;
    if (!read_int_attribute(r, group, "/snnsim", "format", &format))
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
    hid_t access = snn_hdf5_access();
    hid_t file = H5Fopen(r->path, H5F_ACC_RDONLY, access);
    H5Pclose(access);
    if (file < 0)
        return snn_fail(r->err, SNN_ERR_DATA, "%s: is no HDF5 file, or a damaged one (HDF5: %s)", r->path,
                        r->guard->reason);
    hsize_t bytes = 0;
    H5Fget_filesize(file, &bytes);
    *r->budget = bytes * DEFLATE_BEST;
    hid_t group = open_object(r, file, "", "snnsim", H5I_GROUP);
    bool ok = group >= 0 && read_group(r, group, m);
    if (group >= 0)
        H5Gclose(group);
    H5Fclose(file);
    return ok;
}

bool snn_model_load(snn_model *m, const char *name, snn_error *err) {
    char path[PATH_MAX];
    snn_error own; /* so that err may be NULL */
    *m = (snn_model){0};
    if (!snn_model_find(name, path, sizeof path, err ? err : &own) || !snn_model_block_check(path, err))
        return false;
    snn_hdf5_guard guard;
    snn_hdf5_enter(&guard);
    uint64_t budget = 0;
    reader r = {path, &guard, &budget, err ? err : &own};
    bool ok = read_file(&r, m);
    snn_hdf5_leave(&guard);
    if (!ok)
        snn_model_free(m);
    return ok;
}
