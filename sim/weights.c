/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Weight tensors: the encodings of values in bits, memory, values, fit to a network, digest. */
#include "weights_internal.h"

#include <snnsim/output.h>

#include <snnsim/digest.h>

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- encodings ---- */

static const char *const encoding_names[] = {[SNN_SIGN_MAGNITUDE] = "sign_magnitude",
                                             [SNN_TWOS_COMPLEMENT] = "twos_complement",
                                             [SNN_OFFSET_BINARY] = "offset_binary"};

const char *snn_encoding_name(snn_encoding e) {
    return encoding_names[e];
}

bool snn_encoding_parse(const char *name, snn_encoding *e, snn_error *err) {
    for (int i = 0; i <= SNN_OFFSET_BINARY; i++) {
        if (strcmp(name, encoding_names[i]) == 0) {
            *e = (snn_encoding)i;
            return true;
        }
    }
    return snn_fail(err, SNN_ERR_USAGE,
                    "unknown encoding '%.40s': expected sign_magnitude, twos_complement or offset_binary",
                    name);
}

int32_t snn_code_value(snn_encoding e, int bits, uint32_t code) {
    assert(bits >= 1 && bits <= 16 && code >> bits == 0);
    if (bits == 1)
        return code ? -1 : 1;
    int32_t half = INT32_C(1) << (bits - 1), c = (int32_t)code;
    switch (e) {
    case SNN_TWOS_COMPLEMENT:
        return c >= half ? c - 2 * half : c;
    case SNN_OFFSET_BINARY:
        return c - half;
    default:
        return c >= half ? -(c - half) : c;
    }
}

uint32_t snn_value_code(snn_encoding e, int bits, int32_t q) {
    assert(bits >= 1 && bits <= 16);
    if (bits == 1) {
        assert(q == 1 || q == -1);
        return q < 0;
    }
    int32_t half = INT32_C(1) << (bits - 1);
    assert(q < half && q >= (e == SNN_SIGN_MAGNITUDE ? 1 - half : -half));
    switch (e) {
    case SNN_TWOS_COMPLEMENT:
        return (uint32_t)(q < 0 ? q + 2 * half : q);
    case SNN_OFFSET_BINARY:
        return (uint32_t)(q + half);
    default:
        return (uint32_t)(q < 0 ? half - q : q);
    }
}

/* ---- memory ---- */

size_t snn_tensor_item_size(snn_code_type type) {
    return type == SNN_CODE_8 ? sizeof(uint8_t) : type == SNN_CODE_16 ? sizeof(uint16_t) : sizeof(float);
}

snn_code_type snn_code_type_of(int bits) {
    return bits <= 8 ? SNN_CODE_8 : SNN_CODE_16;
}

bool snn_tensor_alloc(snn_tensor *t, snn_code_type type, int bits, snn_encoding encoding, uint32_t scales,
                      snn_error *err) {
    t->type = type;
    t->bits = type == SNN_FLOAT32 ? 32 : bits;
    t->encoding = encoding;
    t->scales = scales;
    t->data = snn_alloc(t->count, snn_tensor_item_size(type), "weights", err);
    t->scale = scales > 0 ? snn_alloc(scales, sizeof *t->scale, "scales", err) : NULL;
    return t->data != NULL && (scales == 0 || t->scale != NULL);
}

void snn_tensor_clear(snn_tensor *t) {
    free(t->data);
    free(t->scale);
    t->data = NULL;
    t->scale = NULL;
}

static snn_weights *weights_of(int tensors, snn_error *err) {
    snn_weights *w = snn_alloc(1, sizeof *w, "weights", err);
    if (w == NULL)
        return NULL;
    w->tensors = tensors;
    w->tensor = snn_alloc((size_t)tensors, sizeof *w->tensor, "weights", err);
    if (w->tensor == NULL) {
        free(w);
        return NULL;
    }
    return w;
}

snn_weights *snn_weights_shell(const snn_weights *like, snn_error *err) {
    snn_weights *w = weights_of(like->tensors, err);
    if (w == NULL)
        return NULL;
    for (int i = 0; i < like->tensors; i++) {
        w->tensor[i] = like->tensor[i];
        w->tensor[i].data = NULL;
        w->tensor[i].scale = NULL;
    }
    return w;
}

snn_weights *snn_weights_shell_for(const snn_net *net, snn_error *err) {
    snn_weights *w = weights_of(net->tensors, err);
    if (w == NULL)
        return NULL;
    for (int i = 0; i < net->tensors; i++) {
        snn_tensor *t = &w->tensor[i];
        snn_net_tensor_name(net, i, t->name);
        snn_net_tensor_layer(net, i, &t->recurrent);
        t->count = snn_net_tensor_weights(net, i, &t->dims, t->shape);
    }
    return w;
}

snn_weights *snn_weights_new(const snn_net *net, snn_error *err) {
    snn_weights *w = snn_weights_shell_for(net, err);
    for (int i = 0; w != NULL && i < w->tensors; i++) {
        if (!snn_tensor_alloc(&w->tensor[i], SNN_FLOAT32, 32, SNN_SIGN_MAGNITUDE, 0, err)) {
            snn_weights_free(w);
            return NULL;
        }
    }
    return w;
}

void snn_weights_free(snn_weights *w) {
    if (w == NULL)
        return;
    for (int i = 0; i < w->tensors; i++)
        snn_tensor_clear(&w->tensor[i]);
    free(w->tensor);
    free(w);
}

snn_weights *snn_weights_copy(const snn_weights *w, snn_error *err) {
    snn_weights *copy = snn_weights_shell(w, err);
    for (int i = 0; copy != NULL && i < w->tensors; i++) {
        const snn_tensor *from = &w->tensor[i];
        snn_tensor *to = &copy->tensor[i];
        if (!snn_tensor_alloc(to, from->type, from->bits, from->encoding, from->scales, err)) {
            snn_weights_free(copy);
            return NULL;
        }
        memcpy(to->data, from->data, from->count * snn_tensor_item_size(from->type));
        if (from->scales > 0)
            memcpy(to->scale, from->scale, from->scales * sizeof *from->scale);
    }
    return copy;
}

/* ---- values ---- */

int32_t snn_weight_q(const snn_tensor *t, uint64_t i) {
    assert(t->type != SNN_FLOAT32 && i < t->count);
    return snn_code_value(t->encoding, t->bits, snn_tensor_code(t, i));
}

float snn_weight_scale(const snn_tensor *t, uint64_t i) {
    assert(i < t->count);
    if (t->scales == 0)
        return 1;
    return t->scale[t->scales == 1 ? 0 : i / (t->count / t->scales)];
}

float snn_weight_value(const snn_tensor *t, uint64_t i) {
    if (t->type == SNN_FLOAT32)
        return t->value[i];
    return (float)snn_weight_q(t, i) * snn_weight_scale(t, i);
}

/* ---- fit ---- */

static bool tensor_fits(const snn_tensor *t, const snn_net *net, int tensor, snn_error *err) {
    int dims;
    uint64_t shape[4];
    char name[SNN_NAME];
    uint64_t count = snn_net_tensor_weights(net, tensor, &dims, shape);
    if (strcmp(t->name, snn_net_tensor_name(net, tensor, name)) != 0)
        return snn_fail(err, SNN_ERR_DATA, "weights of '%s' stand where the network has layer '%s'", t->name,
                        name);
    if (t->dims != dims || memcmp(t->shape, shape, (size_t)dims * sizeof shape[0]) != 0 ||
        t->count != count) {
        char a[100], b[100];
        return snn_fail(err, SNN_ERR_DATA, "weights of layer '%s' have shape %s, the network needs %s",
                        t->name, snn_shape_text(t->dims, t->shape, a, sizeof a),
                        snn_shape_text(dims, shape, b, sizeof b));
    }
    bool bits_ok = t->type == SNN_FLOAT32  ? t->bits == 32 && t->scales == 0
                   : t->type == SNN_CODE_8 ? t->bits >= 1 && t->bits <= 8
                                           : t->bits >= 9 && t->bits <= 16;
    if (!bits_ok)
        return snn_fail(err, SNN_ERR_DATA, "weights of layer '%s' have %d bits: no such code", t->name,
                        t->bits);
    if (t->type != SNN_FLOAT32 && t->scales != 1 && t->scales != shape[0])
        return snn_fail(err, SNN_ERR_DATA, "weights of layer '%s' have %u scales, expected 1 or %" PRIu64,
                        t->name, t->scales, shape[0]);
    return true;
}

bool snn_weights_fit(const snn_weights *w, const snn_net *net, snn_error *err) {
    if (w->tensors != net->tensors)
        return snn_fail(err, SNN_ERR_DATA, "%d weight tensors for a network with %d layers of weights",
                        w->tensors, net->tensors);
    for (int i = 0; i < net->tensors; i++)
        if (!tensor_fits(&w->tensor[i], net, i, err))
            return false;
    return true;
}

bool snn_tensor_check(const snn_tensor *t, snn_error *err) {
    for (uint64_t i = 0; i < t->count; i++) {
        if (t->type == SNN_FLOAT32 && !isfinite(t->value[i]))
            return snn_fail(err, SNN_ERR_DATA,
                            "layer '%s': weight %" PRIu64 " is %g, expected a finite number", t->name, i,
                            (double)t->value[i]);
        if (t->type != SNN_FLOAT32 && snn_tensor_code(t, i) >> t->bits != 0)
            return snn_fail(err, SNN_ERR_DATA,
                            "layer '%s': weight %" PRIu64 " has code %u, which is more than %d bits", t->name,
                            i, snn_tensor_code(t, i), t->bits);
    }
    for (uint32_t i = 0; i < t->scales; i++)
        if (!isfinite(t->scale[i]) || t->scale[i] <= 0)
            return snn_fail(err, SNN_ERR_DATA, "layer '%s': scale %u is %g, expected a positive number",
                            t->name, i, (double)t->scale[i]);
    return true;
}

/* ---- digest ---- */

/* Codes of 16 bits as little-endian bytes, whatever the machine. */
static void digest_codes16(snn_digest *d, const uint16_t *code, uint64_t n) {
    uint8_t bytes[4096];
    size_t k = 0;
    for (uint64_t i = 0; i < n; i++) {
        bytes[k++] = (uint8_t)(code[i] & 0xff);
        bytes[k++] = (uint8_t)(code[i] >> 8);
        if (k == sizeof bytes || i + 1 == n) {
            snn_digest_bytes(d, bytes, k);
            k = 0;
        }
    }
}

/* Floats as little-endian words of their bits. */
static void digest_floats(snn_digest *d, const float *value, uint64_t n) {
    uint32_t word[1024];
    for (uint64_t i = 0; i < n;) {
        size_t k = n - i < 1024 ? (size_t)(n - i) : 1024;
        memcpy(word, value + i, k * sizeof *word);
        snn_digest_u32(d, word, k);
        i += k;
    }
}

static void digest_tensor(snn_digest *d, const snn_tensor *t) {
    char name[SNN_NAME] = {0}; /* padded with zeros, whatever stands behind the terminator */
    snprintf(name, sizeof name, "%s", t->name);
    snn_digest_bytes(d, name, sizeof name);
    snn_digest_u32(
        d, (uint32_t[]){(uint32_t)t->type, (uint32_t)t->encoding, (uint32_t)t->bits, (uint32_t)t->dims}, 4);
    for (int i = 0; i < t->dims; i++)
        snn_digest_u64(d, t->shape[i]);
    snn_digest_u32(d, &t->scales, 1);
    if (t->scales > 0)
        digest_floats(d, t->scale, t->scales);
    if (t->type == SNN_CODE_8)
        snn_digest_bytes(d, t->code8, t->count);
    else if (t->type == SNN_CODE_16)
        digest_codes16(d, t->code16, t->count);
    else
        digest_floats(d, t->value, t->count);
}

void snn_weights_digest(const snn_weights *w, char hex[65]) {
    static const char label[] = "snnsim weights 1"; /* changes when the rule changes */
    snn_digest d;
    uint8_t out[SNN_DIGEST_BYTES];
    snn_digest_init(&d);
    snn_digest_bytes(&d, label, sizeof label - 1);
    snn_digest_u64(&d, (uint64_t)w->tensors);
    for (int i = 0; i < w->tensors; i++)
        digest_tensor(&d, &w->tensor[i]);
    snn_digest_final(&d, out);
    snn_digest_hex(out, hex);
}

bool snn_tensor_check_pair(const snn_tensor *t, const snn_tensor *back, snn_error *err) {
    if ((t->type == SNN_FLOAT32) != (back->type == SNN_FLOAT32))
        return snn_fail(err, SNN_ERR_DATA,
                        "layer %s: only one of its own and its recurrent weights are float", t->name);
    const uint32_t most = t->scales > back->scales ? t->scales : back->scales;
    for (uint32_t i = 0; i < most; i++) {
        const float a = t->scale[t->scales == 1 ? 0 : i], b = back->scale[back->scales == 1 ? 0 : i];
        if (a != b)
            return snn_fail(
                err, SNN_ERR_DATA,
                "layer %s: scale %u of its weights is %.9g, of its recurrent ones %.9g: they must "
                "be equal, as their sums are added",
                t->name, i, (double)a, (double)b);
    }
    return true;
}

bool snn_weights_check_pairs(const snn_weights *w, snn_error *err) {
    for (int i = 0; i + 1 < w->tensors; i++)
        if (w->tensor[i + 1].recurrent && !snn_tensor_check_pair(&w->tensor[i], &w->tensor[i + 1], err))
            return false;
    return true;
}
