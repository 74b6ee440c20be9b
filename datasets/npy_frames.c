/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames made elsewhere: NumPy arrays uint8 or float32 [samples][steps][channels][y][x] with integer labels [samples]. */
#include "internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DIMS 5
#define COUNT_MAX 16777216.0f /* 2^24: up to here float32 holds every integer */
#define CLASSES_MAX 65536
#define CLASS_NAME_SIZE 24

static const char *const frames_key[2] = {"dataset.train_frames", "dataset.frames"};
static const char *const labels_key[2] = {"dataset.train_labels", "dataset.labels"};

/* Item i of an integer array, widened. */
static int64_t integer_at(snn_npy_type type, const void *item, size_t i) {
    switch (type) {
    case SNN_NPY_U8:
        return ((const uint8_t *)item)[i];
    case SNN_NPY_I8:
        return ((const int8_t *)item)[i];
    case SNN_NPY_U16:
        return ((const uint16_t *)item)[i];
    case SNN_NPY_I16:
        return ((const int16_t *)item)[i];
    case SNN_NPY_U32:
        return ((const uint32_t *)item)[i];
    case SNN_NPY_I32:
        return ((const int32_t *)item)[i];
    default:
        return ((const int64_t *)item)[i];
    }
}

static bool read_labels(const char *path, uint64_t samples, int64_t **label, snn_error *err) {
    snn_npy h;
    if (!snn_npy_open(path, &h, err))
        return false;
    if (h.dims != 1 || h.type == SNN_NPY_F32 || h.type == SNN_NPY_F64)
        return snn_fail(err, SNN_ERR_DATA, "%s: expected integer labels [samples]", path);
    if (h.count != samples)
        return snn_fail(err, SNN_ERR_DATA, "%s: %" PRIu64 " labels for %" PRIu64 " samples", path, h.count,
                        samples);
    size_t n = (size_t)samples;
    void *raw = snn_alloc(n, snn_npy_item_size(h.type), "labels", err);
    *label = snn_alloc(n, sizeof **label, "labels", err);
    bool ok = raw != NULL && *label != NULL && snn_npy_read(path, &h, 0, samples, raw, err);
    for (size_t i = 0; ok && i < n; i++)
        (*label)[i] = integer_at(h.type, raw, i);
    free(raw);
    return ok;
}

static bool check_shape(const snn_dataset *d, int part, snn_error *err) {
    const snn_npy *h = &d->header[part];
    const char *path = d->frames[part];
    if ((h->type != SNN_NPY_U8 && h->type != SNN_NPY_F32) || h->dims != DIMS)
        return snn_fail(err, SNN_ERR_DATA,
                        "%s: expected a uint8 or float32 array [samples][steps][channels][y][x]", path);
    if (h->shape[0] > SNN_SAMPLES_MAX)
        return snn_fail(err, SNN_ERR_DATA, "%s: more than %" PRIu64 " samples", path, SNN_SAMPLES_MAX);
    for (int i = 1; i < DIMS; i++)
        if (h->shape[i] < 1 || h->shape[i] > 65535)
            return snn_fail(err, SNN_ERR_DATA, "%s: axis %d has length %" PRIu64 ", expected 1 .. 65535",
                            path, i, h->shape[i]);
    uint64_t items = h->shape[1] * h->shape[2] * h->shape[3] * h->shape[4]; /* below 2^64 */
    if (items > SNN_RECORDING_MAX / snn_npy_item_size(h->type))
        return snn_fail(err, SNN_ERR_DATA, "%s: a sample of %" PRIu64 " items; at most 1 GiB is possible",
                        path, items);
    return true;
}

/* The first part opened gives the shape, the other must agree. */
static bool take_shape(snn_dataset *d, int part, snn_error *err) {
    const snn_npy *h = &d->header[part];
    snn_dataset_info *info = &d->info;
    if (info->steps == 0) {
        info->steps = (int)h->shape[1];
        for (int i = 0; i < 3; i++)
            info->sensor[i] = info->input[i] = (uint32_t)h->shape[i + 2];
    }
    bool same = (uint64_t)info->steps == h->shape[1];
    for (int i = 0; i < 3; i++)
        same = same && info->input[i] == h->shape[i + 2];
    return same || snn_fail(err, SNN_ERR_DATA, "%s: the shape differs from that of %s", d->frames[part],
                            d->frames[!part]);
}

static bool add_samples(snn_dataset *d, int part, const char *labels, const int64_t *label, bool used,
                        int classes, snn_error *err) {
    for (uint64_t i = 0; i < d->header[part].shape[0]; i++) {
        if (label[i] < 0 || label[i] >= classes)
            return snn_fail(err, SNN_ERR_DATA, "%s: label %" PRIu64 " is %" PRId64 ", expected 0 .. %d",
                            labels, i, label[i], classes - 1);
        if (label[i] >= d->info.classes)
            d->info.classes = (int)label[i] + 1;
        snn_sample s = {
            .first = i, .label = (int32_t)label[i], .test = part == 1, .format = SNN_FORMAT_FRAMES};
        if (used && !snn_table_add(&d->table, &s, err))
            return false;
    }
    return true;
}

/* A part that the split leaves out still counts for the number of classes and must have the same shape. */
static bool open_part(snn_dataset *d, const snn_config *config, const char *folder, int part, bool used,
                      snn_error *err) {
    const char *labels = snn_config_string(config, labels_key[part]);
    if (*labels == '\0')
        return snn_config_fail(config, labels_key[part], err, "frames need a file of labels");
    char *path = snn_path_beside(folder, labels, err);
    int64_t *label = NULL;
    int classes = (int)snn_config_int(config, "dataset.classes");
    bool ok = path != NULL && snn_npy_open(d->frames[part], &d->header[part], err) &&
              check_shape(d, part, err) && take_shape(d, part, err) &&
              read_labels(path, d->header[part].shape[0], &label, err) &&
              add_samples(d, part, path, label, used, classes ? classes : CLASSES_MAX, err);
    free(label);
    free(path);
    return ok;
}

/* "0", "1", ...: one block of text, and a pointer to each. */
static bool name_classes(snn_dataset *d, snn_error *err) {
    size_t n = (size_t)d->info.classes;
    d->class_text = snn_alloc(n, CLASS_NAME_SIZE, "class names", err);
    d->class_name = snn_alloc(n, sizeof *d->class_name, "class names", err);
    bool ok = d->class_text != NULL && d->class_name != NULL;
    for (size_t i = 0; ok && i < n; i++) {
        d->class_name[i] = d->class_text + i * CLASS_NAME_SIZE;
        snprintf(d->class_text + i * CLASS_NAME_SIZE, CLASS_NAME_SIZE, "%zu", i);
    }
    d->info.class_name = d->class_name;
    return ok;
}

static bool check_keys(const snn_config *config, int steps, snn_error *err) {
    if (snn_config_given(config, "dataset.bins") && snn_config_int(config, "dataset.bins") != steps)
        return snn_config_fail(config, "dataset.bins", err, "the frames have %d steps", steps);
    if (snn_config_int(config, "dataset.downsample") != 1)
        return snn_config_fail(config, "dataset.downsample", err, "frames are used as they are; expected 1");
    if (snn_config_int(config, "dataset.repeat") != 1)
        return snn_config_fail(config, "dataset.repeat", err, "frames are used as they are; expected 1");
    if (strcmp(snn_config_string(config, "dataset.rounding"), "floor") != 0)
        return snn_config_fail(config, "dataset.rounding", err,
                               "frames are used as they are; expected \"floor\"");
    if (snn_config_bool(config, "dataset.merge_polarity"))
        return snn_config_fail(config, "dataset.merge_polarity", err,
                               "frames are used as they are; expected false");
    return true;
}

/* dataset.path is the folder of the arrays, or the array of test frames itself; *folder is where the other files are looked up first. */
static bool find_frames(snn_dataset *d, const snn_config *config, char **folder, snn_error *err) {
    struct stat st;
    *folder = snn_path_expand(snn_config_string(config, "dataset.path"), err);
    if (*folder == NULL)
        return false;
    bool single = **folder != '\0' && stat(*folder, &st) == 0 && S_ISREG(st.st_mode);
    if (single) {
        d->frames[1] = *folder;
        *folder = snn_path_expand("", err);
    }
    bool ok = *folder != NULL;
    for (int part = 0; ok && part < 2; part++) {
        const char *name = snn_config_string(config, frames_key[part]);
        if (*name == '\0' || d->frames[part] != NULL)
            continue;
        d->frames[part] = snn_path_beside(*folder, name, err);
        ok = d->frames[part] != NULL;
    }
    return ok;
}

bool snn_npy_frames_open(snn_dataset *d, const snn_config *config, snn_split split, snn_error *err) {
    d->info.name = "npy";
    if (!find_frames(d, config, &d->folder, err))
        return false;
    d->info.folder = d->folder;
    for (int part = 0; part < 2; part++) {
        bool used = split == SNN_SPLIT_ALL || split == (part ? SNN_SPLIT_TEST : SNN_SPLIT_TRAIN);
        if (d->frames[part] == NULL && used && (split != SNN_SPLIT_ALL || d->frames[!part] == NULL))
            return snn_config_fail(
                config, frames_key[part], err,
                "give a NumPy array of frames, uint8 or float32 [samples][steps][channels][y][x] as "
                "np.save writes it, and its labels in %s",
                labels_key[part]);
        if (d->frames[part] != NULL && !open_part(d, config, d->folder, part, used, err))
            return false;
    }
    int classes = (int)snn_config_int(config, "dataset.classes");
    if (classes != 0)
        d->info.classes = classes;
    return check_keys(config, d->info.steps, err) && name_classes(d, err);
}

/* Appends the non-zero items of one step; counts must be whole numbers. */
static bool add_step(const float *item, uint32_t size, size_t step, bool binary, snn_spikes *x,
                     snn_error *err) {
    size_t n = x->first[step];
    bool ok = snn_grow((void **)&x->spike, &x->spike_capacity, n + size, sizeof *x->spike, err);
    for (uint32_t i = 0; ok && i < size; i++) {
        float v = item[i];
        if (v == 0)
            continue;
        if (!(v > 0 && v <= COUNT_MAX) || (float)(uint32_t)v != v)
            return snn_fail(err, SNN_ERR_DATA,
                            "step %zu, input %" PRIu32 ": %g is not a whole number of 0 .. 2^24", step, i,
                            (double)v);
        x->spike[n++] = (snn_spike){.index = i, .count = binary ? 1 : (uint32_t)v};
    }
    x->first[step + 1] = n;
    return ok;
}

bool snn_npy_frames_read(const snn_dataset *d, const snn_sample *s, snn_dataset_buffer *b, snn_spikes *x,
                         snn_error *err) {
    const snn_npy *h = &d->header[s->test];
    const char *path = d->frames[s->test];
    uint32_t size = d->info.input[0] * d->info.input[1] * d->info.input[2];
    uint64_t items = (uint64_t)size * (uint64_t)d->info.steps;
    bool binary = d->info.framing.binary;
    if (!snn_grow((void **)&b->bytes, &b->bytes_capacity, (size_t)items * snn_npy_item_size(h->type), 1,
                  err) ||
        !snn_npy_read(path, h, s->first * items, items, b->bytes, err))
        return false;
    if (h->type == SNN_NPY_U8) {
        bool ok = snn_spikes_from_counts(x, size, d->info.steps, b->bytes, err);
        for (size_t i = 0; ok && binary && i < x->first[x->steps]; i++)
            x->spike[i].count = 1;
        return ok;
    }
    bool ok = snn_spikes_reset(x, size, d->info.steps, err);
    for (int step = 0; ok && step < d->info.steps; step++)
        ok = add_step((const float *)b->bytes + (size_t)step * size, size, (size_t)step, binary, x, err) ||
             snn_error_context(err, "%s: sample %" PRIu64, path, s->first);
    return ok;
}
