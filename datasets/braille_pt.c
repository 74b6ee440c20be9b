/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Seven Braille letters, binned, as torch.save writes a TensorDataset: a ZIP archive with data.pkl, which says where the two tensors are, and their
 * storages (https://github.com/neuromorphic-polito/L2MU-Braille). ON and OFF events are merged; bins have 5 ms.
 */
#include "braille.h"
#include "pickle.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BIN_US 5000
#define FLOAT_ONE 0x3f800000u /* IEEE 754 */
#define DIMS_MAX 3
#define BINS_MAX 65535
/* That of a TensorDataset has 300 bytes. */
#define PICKLE_MAX ((size_t)1 << 16)

/* What data.pkl says about a tensor; C order is checked. */
typedef struct {
    bool is_float; /* float32, else int64 */
    unsigned dims;
    uint64_t shape[DIMS_MAX];
    uint64_t offset; /* items of the storage in front of it */
    uint64_t items;  /* of the storage */
    char key[SNN_ZIP_NAME];
} tensor;

static bool unexpected(const snn_pickle *p, uint32_t node, const char *expected, snn_error *err) {
    char text[SNN_NODE_TEXT];
    return snn_fail(err, SNN_ERR_DATA, "%s, expected %s", snn_pickle_text(p, node, text), expected);
}

static bool is_node(const snn_pickle *p, uint32_t node, snn_node_kind kind, unsigned size) {
    return node != 0 && p->node[node].kind == (unsigned)kind && p->node[node].size == size;
}

static bool is_call(const snn_pickle *p, uint32_t node, const char *name, unsigned size) {
    return is_node(p, node, SNN_NODE_CALL, size) &&
           snn_pickle_is(p, snn_pickle_child(p, node, 0), SNN_NODE_GLOBAL, name);
}

static bool take_integer(const snn_pickle *p, uint32_t node, uint64_t *v, snn_error *err) {
    if (node == 0 || p->node[node].kind != SNN_NODE_INT || p->node[node].value.integer < 0)
        return unexpected(p, node, "a number of items", err);
    *v = (uint64_t)p->node[node].value.integer;
    return true;
}

/* ("storage", type, key, device, items) */
static bool take_storage(const snn_pickle *p, uint32_t node, tensor *t, snn_error *err) {
    uint32_t id = snn_pickle_child(p, node, 0);
    if (node == 0 || p->node[node].kind != SNN_NODE_PERSISTENT || !is_node(p, id, SNN_NODE_TUPLE, 5) ||
        !snn_pickle_is(p, snn_pickle_child(p, id, 0), SNN_NODE_STRING, "storage"))
        return unexpected(p, node, "a storage", err);
    uint32_t type = snn_pickle_child(p, id, 1), key = snn_pickle_child(p, id, 2);
    t->is_float = snn_pickle_is(p, type, SNN_NODE_GLOBAL, "torch\nFloatStorage");
    if (!t->is_float && !snn_pickle_is(p, type, SNN_NODE_GLOBAL, "torch\nLongStorage"))
        return unexpected(p, type, "torch.FloatStorage or torch.LongStorage", err);
    if (p->node[key].kind != SNN_NODE_STRING || p->node[key].size == 0 || p->node[key].size > 20)
        return unexpected(p, key, "the number of a storage", err);
    memcpy(t->key, p->bytes + p->node[key].value.text, p->node[key].size);
    t->key[p->node[key].size] = '\0';
    return take_integer(p, snn_pickle_child(p, id, 4), &t->items, err);
}

/* Sizes, and strides that must be those of C order. */
static bool take_shape(const snn_pickle *p, uint32_t sizes, uint32_t strides, tensor *t, snn_error *err) {
    t->dims = p->node[sizes].size;
    if (p->node[sizes].kind != SNN_NODE_TUPLE || t->dims < 1 || t->dims > DIMS_MAX)
        return unexpected(p, sizes, "a shape of 1 to 3 axes", err);
    if (!is_node(p, strides, SNN_NODE_TUPLE, t->dims))
        return unexpected(p, strides, "a stride for each axis", err);
    uint64_t stride = 1, given[DIMS_MAX];
    for (unsigned i = t->dims; i-- > 0;) {
        if (!take_integer(p, snn_pickle_child(p, sizes, i), &t->shape[i], err) ||
            !take_integer(p, snn_pickle_child(p, strides, i), &given[i], err))
            return false;
        if (given[i] != stride)
            return snn_fail(err, SNN_ERR_DATA,
                            "axis %u has stride %" PRIu64 ", expected %" PRIu64 " as in C order", i, given[i],
                            stride);
        if (t->shape[i] == 0 || t->shape[i] > t->items / stride)
            return snn_fail(err, SNN_ERR_DATA, "axis %u has %" PRIu64 " items; the storage has %" PRIu64, i,
                            t->shape[i], t->items);
        stride *= t->shape[i];
    }
    if (t->offset > t->items - stride)
        return snn_fail(err, SNN_ERR_DATA,
                        "%" PRIu64 " items from item %" PRIu64 " on are more than the %" PRIu64
                        " of the storage",
                        stride, t->offset, t->items);
    return true;
}

/* _rebuild_tensor_v2(storage, offset, sizes, strides, requires_grad, hooks) */
static bool take_tensor(const snn_pickle *p, uint32_t node, tensor *t, snn_error *err) {
    uint32_t args = snn_pickle_child(p, node, 1);
    if (!is_call(p, node, "torch._utils\n_rebuild_tensor_v2", 2) || !is_node(p, args, SNN_NODE_TUPLE, 6) ||
        !is_call(p, snn_pickle_child(p, args, 5), "collections\nOrderedDict", 2))
        return unexpected(p, node, "a tensor", err);
    return take_storage(p, snn_pickle_child(p, args, 0), t, err) &&
           take_integer(p, snn_pickle_child(p, args, 1), &t->offset, err) &&
           take_shape(p, snn_pickle_child(p, args, 2), snn_pickle_child(p, args, 3), t, err);
}

/* TensorDataset() with the state { "tensors": (samples, labels) } */
static bool take_tensors(const snn_pickle *p, tensor *x, tensor *y, snn_error *err) {
    uint32_t tensors = snn_pickle_value(p, snn_pickle_child(p, p->root, 2), "tensors");
    if (!is_call(p, p->root, "torch.utils.data.dataset\nTensorDataset", 3) ||
        !is_node(p, tensors, SNN_NODE_TUPLE, 2))
        return unexpected(p, p->root, "a TensorDataset of two tensors", err);
    return (take_tensor(p, snn_pickle_child(p, tensors, 0), x, err) ||
            snn_error_context(err, "the samples")) &&
           (take_tensor(p, snn_pickle_child(p, tensors, 1), y, err) || snn_error_context(err, "the labels"));
}

static bool check_tensors(const tensor *x, const tensor *y, snn_error *err) {
    if (!x->is_float || x->dims != 3 || x->shape[2] != SNN_BRAILLE_TAXELS || x->shape[1] > BINS_MAX)
        return snn_fail(
            err, SNN_ERR_DATA,
            "the samples are no float32 tensor [samples][bins][12] with at most 65535 bins of 5 ms");
    if (y->is_float || y->dims != 1 || y->shape[0] != x->shape[0])
        return snn_fail(err, SNN_ERR_DATA, "the labels are no int64 tensor [%" PRIu64 "]", x->shape[0]);
    if (x->shape[0] > SNN_SAMPLES_MAX)
        return snn_fail(err, SNN_ERR_DATA, "more than %" PRIu64 " samples", SNN_SAMPLES_MAX);
    return true;
}

/* Member `folder/name`; DATA error when it is not there. */
static const snn_zip_member *member(const snn_zip *z, const char *folder, int length, const char *name,
                                    snn_error *err) {
    char path[2 * SNN_ZIP_NAME];
    snprintf(path, sizeof path, "%.*s/%s", length, folder, name);
    const snn_zip_member *m = snn_zip_find(z, path);
    if (m == NULL && err != NULL)
        snn_fail(err, SNN_ERR_DATA, "no member %s in the archive", path);
    return m;
}

static const snn_zip_member *storage(const snn_zip *z, const char *folder, int length, const tensor *t,
                                     snn_error *err) {
    char name[SNN_ZIP_NAME + 8];
    uint64_t size = t->is_float ? sizeof(float) : sizeof(int64_t);
    snprintf(name, sizeof name, "data/%s", t->key);
    const snn_zip_member *m = member(z, folder, length, name, err);
    if (m != NULL && (m->size % size != 0 || m->size / size != t->items)) {
        snn_fail(err, SNN_ERR_DATA,
                 "byte %" PRIu64 ": %s has %" PRIu64 " bytes, expected %" PRIu64 " items of %" PRIu64,
                 m->first, m->name, m->size, t->items, size);
        return NULL;
    }
    return m;
}

static uint32_t little_u32(const uint8_t *b) {
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static int64_t little_i64(const uint8_t *b) {
    uint64_t v = 0;
    for (int i = 8; i-- > 0;)
        v = v << 8 | b[i];
    return (int64_t)v;
}

static bool read_labels(snn_braille_bins *b, const snn_source *s, const snn_zip_member *m, const tensor *y,
                        snn_error *err) {
    uint8_t *raw = NULL;
    bool ok = snn_zip_read(s, m, (size_t)SNN_RECORDING_MAX, &raw, err);
    if (ok)
        b->label = snn_alloc((size_t)b->samples, sizeof *b->label, "labels", err);
    ok = ok && b->label != NULL;
    for (size_t i = 0; ok && i < b->samples; i++) {
        b->label[i] = little_i64(raw + 8 * ((size_t)y->offset + i));
        if (b->label[i] < 0 || b->label[i] >= SNN_BRAILLE_SEVEN)
            ok = snn_fail(err, SNN_ERR_DATA, "label %zu is %" PRId64 ", expected 0 .. %d", i, b->label[i],
                          SNN_BRAILLE_SEVEN - 1);
    }
    free(raw);
    return ok;
}

/* Newer archives say their byte order. */
static bool check_order(const snn_zip *z, const snn_source *s, const char *folder, int length,
                        snn_error *err) {
    const snn_zip_member *m = member(z, folder, length, "byteorder", NULL);
    uint8_t *text = NULL;
    bool ok = m == NULL || snn_zip_read(s, m, PICKLE_MAX, &text, err);
    if (ok && m != NULL && (m->size != 6 || memcmp(text, "little", 6) != 0))
        ok = snn_fail(err, SNN_ERR_DATA, "byte %" PRIu64 ": the byte order is not \"little\"", m->first);
    free(text);
    return ok;
}

static bool open_tensors(snn_braille_bins *b, const snn_zip *z, const snn_source *s, const char *folder,
                         int length, const snn_pickle *p, snn_error *err) {
    tensor x, y;
    if (!take_tensors(p, &x, &y, err) || !check_tensors(&x, &y, err))
        return false;
    const snn_zip_member *samples = storage(z, folder, length, &x, err);
    const snn_zip_member *labels = samples != NULL ? storage(z, folder, length, &y, err) : NULL;
    if (labels == NULL || !check_order(z, s, folder, length, err) || !snn_zip_check(s, samples, err))
        return false;
    b->samples = x.shape[0];
    b->bins = x.shape[1];
    b->first = samples->first + x.offset * sizeof(float);
    return read_labels(b, s, labels, &y, err);
}

/* FOLDER/data.pkl: the member, and how long FOLDER is. */
static const snn_zip_member *find_pickle(const snn_zip *z, int *length, snn_error *err) {
    for (size_t i = 0; i < z->n; i++) {
        const char *slash = strchr(z->member[i].name, '/');
        if (slash != NULL && strcmp(slash, "/data.pkl") == 0) {
            *length = (int)(slash - z->member[i].name);
            return &z->member[i];
        }
    }
    snn_fail(err, SNN_ERR_DATA, "no member FOLDER/data.pkl: not an archive of torch.save");
    return NULL;
}

bool snn_braille_bins_read(snn_braille_bins *b, const snn_zip *z, const snn_source *s, snn_error *err) {
    *b = (snn_braille_bins){.samples = 0};
    int length = 0;
    const snn_zip_member *m = find_pickle(z, &length, err);
    if (m == NULL)
        return false;
    snn_pickle p = {.n = 0};
    uint8_t *bytes = NULL;
    bool ok = snn_zip_read(s, m, PICKLE_MAX, &bytes, err) &&
              ((snn_pickle_parse(&p, SNN_PICKLE_TORCH, bytes, (size_t)m->size, err) &&
                open_tensors(b, z, s, m->name, length, &p, err)) ||
               snn_error_context(err, "%s", m->name));
    snn_pickle_free(&p);
    free(bytes);
    return ok;
}

bool snn_braille_bins_open(snn_braille_bins *b, const snn_source *s, snn_error *err) {
    *b = (snn_braille_bins){.samples = 0};
    snn_zip z;
    bool ok = snn_zip_open(&z, s, err) && snn_braille_bins_read(b, &z, s, err);
    free(z.member);
    return ok;
}

/* The first value that is neither 0 nor 1. */
static bool refuse_value(const uint8_t *bytes, size_t item, snn_error *err) {
    uint32_t bits = little_u32(bytes + item * sizeof bits);
    float v;
    memcpy(&v, &bits, sizeof v);
    return snn_fail(err, SNN_ERR_DATA, "bin %zu, taxel %zu: %g, expected 0 or 1", item / SNN_BRAILLE_TAXELS,
                    item % SNN_BRAILLE_TAXELS, (double)v);
}

/* Without a branch for each value: whether it is 0 cannot be predicted. */
bool snn_braille_bins_decode(const uint8_t *bytes, size_t size, snn_events *out, snn_error *err) {
    size_t bins = size / (SNN_BRAILLE_TAXELS * sizeof(uint32_t)), n = out->n;
    if (!snn_grow((void **)&out->event, &out->capacity, n + bins * SNN_BRAILLE_TAXELS, sizeof *out->event,
                  err))
        return false;
    for (size_t bin = 0; bin < bins; bin++)
        for (size_t taxel = 0; taxel < SNN_BRAILLE_TAXELS; taxel++) {
            size_t item = bin * SNN_BRAILLE_TAXELS + taxel;
            uint32_t bits = little_u32(bytes + item * sizeof bits);
            bool zero = bits << 1 == 0; /* of either sign */
            if (!zero && bits != FLOAT_ONE)
                return refuse_value(bytes, item, err);
            out->event[n] = (snn_event){.t = (int64_t)bin * BIN_US, .x = (uint16_t)taxel};
            n += !zero;
        }
    out->n = n;
    return true;
}
