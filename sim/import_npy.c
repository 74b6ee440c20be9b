/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Weights from NumPy files and back. PyTorch's axis order is ours ([out][in], [out][in][ky][kx]), so that `np.save` of a layer's weight comes in
 * as it is. float32 is quantised (or kept); integers are values q with a scale: int8 for codes of up to 8 bits, wider ones for 16.
 */
#include "weights_internal.h"

#include <snnsim/model.h>
#include <snnsim/output.h>

#include <float.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- scales ---- */

/* A decimal number with a point, whatever the program's locale. */
static bool parse_decimal(const char *text, double *value, snn_error *err) {
    char *end;
    if (text[strspn(text, "0123456789.eE+-")] != '\0' || text[0] == '\0') /* no hex, no inf, no blanks */
        return snn_fail(err, SNN_ERR_USAGE, "scale '%.40s': expected a power of two like 2^-11, or a number",
                        text);
    locale_t c = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    if (c == (locale_t)0)
        return snn_fail_errno(err, "no C locale");
    *value = strtod_l(text, &end, c);
    freelocale(c);
    if (*end != '\0')
        return snn_fail(err, SNN_ERR_USAGE, "scale '%.40s': expected a power of two like 2^-11, or a number",
                        text);
    return true;
}

/* "2^-11" or a decimal number into a normal positive float. */
static bool parse_scale(const char *text, float *scale, snn_error *err) {
    double value = 0;
    if (strncmp(text, "2^", 2) == 0) {
        const char *digits = text + 2 + (text[2] == '-' || text[2] == '+');
        size_t n = strspn(digits, "0123456789");
        if (n == 0 || n > 4 || digits[n] != '\0')
            return snn_fail(err, SNN_ERR_USAGE, "scale '%.40s': expected a whole exponent, like 2^-11", text);
        value = ldexp(1, atoi(text + 2));
    } else if (!parse_decimal(text, &value, err)) {
        return false;
    }
    if (!(value >= FLT_MIN && value <= FLT_MAX))
        return snn_fail(err, SNN_ERR_USAGE, "scale '%.40s': expected a positive number within float32", text);
    *scale = (float)value;
    return true;
}

static bool is_npy(const char *name) {
    size_t n = strlen(name);
    return n > 4 && strcmp(name + n - 4, ".npy") == 0;
}

/* The scale of each output channel from a NumPy file, float32 [out]. */
static bool read_scales(const char *path, snn_tensor *t, snn_error *err) {
    snn_npy h;
    if (!snn_npy_open(path, &h, err))
        return false;
    if (h.type != SNN_NPY_F32 || h.dims != 1 || h.shape[0] != t->scales) {
        char a[200];
        return snn_fail(err, SNN_ERR_DATA,
                        "%s: expected float32 scales of shape %u for layer '%s', found %s %s", path,
                        t->scales, t->name, h.type == SNN_NPY_F32 ? "shape" : "another type, shape",
                        snn_shape_text(h.dims, h.shape, a, sizeof a));
    }
    return snn_npy_read(path, &h, 0, h.count, t->scale, err);
}

/* ---- import ---- */

static bool check_header(const snn_tensor *t, const snn_npy *h, const char *path, snn_error *err) {
    char a[200], b[120];
    if (h->type != SNN_NPY_F32 && h->type != SNN_NPY_I8 && h->type != SNN_NPY_I16 && h->type != SNN_NPY_I32 &&
        h->type != SNN_NPY_I64)
        return snn_fail(err, SNN_ERR_DATA,
                        "%s: weights of layer '%s': expected float32, or int8 to int64 with a scale", path,
                        t->name);
    if (h->dims != t->dims || memcmp(h->shape, t->shape, (size_t)t->dims * sizeof t->shape[0]) != 0)
        return snn_fail(err, SNN_ERR_DATA, "%s: has shape %s, layer '%s' needs %s (PyTorch's axis order)",
                        path, snn_shape_text(h->dims, h->shape, a, sizeof a), t->name,
                        snn_shape_text(t->dims, t->shape, b, sizeof b));
    return true;
}

/* q as a code; false when the encoding does not have it. */
static bool to_code(snn_encoding e, int bits, int32_t q, uint32_t *code) {
    int32_t most = bits == 1 ? 1 : (INT32_C(1) << (bits - 1)) - 1;
    int32_t least = bits == 1 || e == SNN_SIGN_MAGNITUDE ? -most : -most - 1;
    if (q < least || q > most || (bits == 1 && q == 0))
        return false;
    *code = snn_value_code(e, bits, q);
    return true;
}

/* Value i of an integer array. */
static int64_t value_at(const void *data, snn_npy_type type, uint64_t i) {
    switch (type) {
    case SNN_NPY_I8:
        return ((const int8_t *)data)[i];
    case SNN_NPY_I16:
        return ((const int16_t *)data)[i];
    case SNN_NPY_I32:
        return ((const int32_t *)data)[i];
    default:
        return ((const int64_t *)data)[i];
    }
}

static bool set_codes(snn_tensor *t, const snn_npy *h, const void *data, const char *path, snn_error *err) {
    for (uint64_t i = 0; i < t->count; i++) {
        const int64_t q = value_at(data, h->type, i);
        uint32_t code;
        if (q < INT32_MIN || q > INT32_MAX || !to_code(t->encoding, t->bits, (int32_t)q, &code))
            return snn_fail(err, SNN_ERR_DATA,
                            "%s: weight %" PRIu64 " is %" PRId64 ", which %d bits (%s) do not hold", path, i,
                            q, t->bits, snn_encoding_name(t->encoding));
        if (t->type == SNN_CODE_8)
            t->code8[i] = (uint8_t)code;
        else
            t->code16[i] = (uint16_t)code;
    }
    return true;
}

static bool read_values(snn_tensor *t, const snn_npy *h, const char *path, snn_error *err) {
    void *data = snn_alloc(h->count, snn_npy_item_size(h->type), "weights", err);
    bool ok =
        data != NULL && snn_npy_read(path, h, 0, h->count, data, err) && set_codes(t, h, data, path, err);
    free(data);
    return ok;
}

static bool import_values(snn_tensor *t, const snn_npy *h, const char *path, const char *scale,
                          const snn_quantisation *q, snn_error *err) {
    if (scale == NULL)
        return snn_fail(err, SNN_ERR_USAGE,
                        "%s: integer weights of layer '%s' need a scale, like %s=%s:2^-11", path, t->name,
                        t->name, path);
    int bits = h->type != SNN_NPY_I8 ? 16 : q != NULL ? q->bits : 8;
    uint32_t scales = is_npy(scale) ? (uint32_t)t->shape[0] : 1;
    if (!snn_tensor_alloc(t, snn_code_type_of(bits), bits, q != NULL ? q->encoding : SNN_SIGN_MAGNITUDE,
                          scales, err))
        return false;
    if (is_npy(scale) ? !read_scales(scale, t, err)
                      : !parse_scale(scale, t->scale, err) &&
                            !snn_error_context(err, "%s: weights of layer '%s'", path, t->name))
        return false;
    return read_values(t, h, path, err);
}

/* Float weights, quantised when q is given. */
static bool import_floats(snn_tensor *t, const snn_npy *h, const char *path, const char *scale,
                          const snn_quantisation *q, snn_error *err) {
    if (scale != NULL)
        return snn_fail(err, SNN_ERR_USAGE, "%s: has float32 weights; a scale goes with int8 ones", path);
    if (!snn_tensor_alloc(t, SNN_FLOAT32, 32, SNN_SIGN_MAGNITUDE, 0, err) ||
        !snn_npy_read(path, h, 0, h->count, t->value, err))
        return false;
    if (q == NULL)
        return snn_tensor_check(t, err) ? true : snn_error_context(err, "%s", path);
    snn_weights one = {1, t};
    snn_weights *coded = snn_weights_quantise(&one, q, NULL, err);
    if (coded == NULL)
        return snn_error_context(err, "%s", path);
    snn_tensor_clear(t);
    *t = coded->tensor[0];
    coded->tensor[0].data = NULL;
    coded->tensor[0].scale = NULL;
    snn_weights_free(coded);
    return true;
}

bool snn_model_import_npy(snn_model *m, const char *name, const char *path, const char *scale,
                          const snn_quantisation *q, snn_error *err) {
    if (m->net == NULL)
        return snn_fail(err, SNN_ERR_USAGE, "%s: there is no network to import weights into", path);
    const int tensor = snn_net_find_tensor(m->net, name);
    if (tensor < 0 && snn_net_find(m->net, name) < 0)
        return snn_fail(err, SNN_ERR_USAGE, "the network has no layer '%.40s' for %s", name, path);
    if (tensor < 0)
        return snn_fail(err, SNN_ERR_USAGE, "layer '%s' has no weights for %s", name, path);
    if (m->weights == NULL)
        m->weights = snn_weights_new(m->net, err);
    if (m->weights == NULL || !snn_weights_fit(m->weights, m->net, err))
        return false;
    snn_npy h;
    snn_tensor *old = &m->weights->tensor[tensor], t = *old;
    t.data = NULL;
    t.scale = NULL;
    bool ok = snn_npy_open(path, &h, err) && check_header(&t, &h, path, err) &&
              (h.type == SNN_NPY_F32 ? import_floats(&t, &h, path, scale, q, err)
                                     : import_values(&t, &h, path, scale, q, err));
    if (ok && !snn_tensor_check(&t, err))
        ok = snn_error_context(err, "%s", scale); /* scales from a file */
    if (!ok) {
        snn_tensor_clear(&t);
        return false;
    }
    snn_tensor_clear(old);
    *old = t;
    m->digest[0] = '\0';
    return true;
}

/* ---- export ---- */

/* Does the file's stream hold what was asked? Frees f. */
static bool finish(snn_file *f, bool ok, snn_error *err) {
    if (ok)
        return snn_file_commit(f, err);
    snn_file_abandon(f);
    return false;
}

static bool write_array(const char *path, snn_npy_type type, int dims, const uint64_t *shape,
                        const void *data, uint64_t n, snn_error *err) {
    snn_file *f = snn_file_create(path, 0644, err);
    bool ok = f != NULL && snn_npy_write_header(f, type, dims, shape, err);
    if (ok && fwrite(data, snn_npy_item_size(type), n, snn_file_stream(f)) != n)
        ok = snn_fail_errno(err, "%s: cannot be written", path);
    return finish(f, ok, err);
}

/* Values q as int8 or int16, or the floats. */
static bool export_tensor(const snn_tensor *t, const char *path, snn_error *err) {
    if (t->type == SNN_FLOAT32)
        return write_array(path, SNN_NPY_F32, t->dims, t->shape, t->value, t->count, err);
    size_t size = snn_tensor_item_size(t->type);
    void *values = snn_alloc(t->count, size, "weights", err);
    if (values == NULL)
        return false;
    for (uint64_t i = 0; i < t->count; i++) {
        if (t->type == SNN_CODE_8)
            ((int8_t *)values)[i] = (int8_t)snn_weight_q(t, i);
        else
            ((int16_t *)values)[i] = (int16_t)snn_weight_q(t, i);
    }
    bool ok = write_array(path, t->type == SNN_CODE_8 ? SNN_NPY_I8 : SNN_NPY_I16, t->dims, t->shape, values,
                          t->count, err);
    free(values);
    return ok;
}

/* One row per scale; channel is empty where one scale serves the layer. 9 digits give a float32 back. */
static bool export_scales(const snn_weights *w, const char *path, snn_error *err) {
    snn_file *f = snn_file_create(path, 0644, err);
    if (f == NULL)
        return false;
    FILE *out = snn_file_stream(f);
    fprintf(out, "layer,channel,bits,encoding,scale\n");
    for (int i = 0; i < w->tensors; i++) {
        const snn_tensor *t = &w->tensor[i];
        if (t->type == SNN_FLOAT32)
            fprintf(out, "%s,,32,float32,1\n", t->name);
        for (uint32_t k = 0; k < t->scales; k++) {
            fprintf(out, "%s,", t->name);
            if (t->scales > 1)
                fprintf(out, "%u", k);
            fprintf(out, ",%d,%s,%.9g\n", t->bits, snn_encoding_name(t->encoding), (double)t->scale[k]);
        }
    }
    bool ok = ferror(out) ? snn_fail_errno(err, "%s: cannot be written", path) : true;
    return finish(f, ok, err);
}

bool snn_model_export_npy(const snn_model *m, const char *folder, snn_error *err) {
    if (m->weights == NULL)
        return snn_fail(err, SNN_ERR_DATA, "the model has no weights to export");
    if (!snn_folder_create(folder, err))
        return false;
    size_t size = strlen(folder) + SNN_NAME + sizeof "/.scale.npy";
    char *path = snn_alloc(size, 1, "a path", err);
    bool ok = path != NULL;
    for (int i = 0; ok && i < m->weights->tensors; i++) {
        const snn_tensor *t = &m->weights->tensor[i];
        snprintf(path, size, "%s/%s.npy", folder, t->name);
        ok = export_tensor(t, path, err);
        if (ok && t->scales > 1) { /* a dot is in no layer's name, so this is no layer's file */
            uint64_t n = t->scales;
            snprintf(path, size, "%s/%s.scale.npy", folder, t->name);
            ok = write_array(path, SNN_NPY_F32, 1, &n, t->scale, n, err);
        }
    }
    if (ok) {
        snprintf(path, size, "%s/scales.csv", folder);
        ok = export_scales(m->weights, path, err);
    }
    free(path);
    return ok;
}
