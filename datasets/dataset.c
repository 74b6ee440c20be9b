/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The data set: opening by the config, what it says about itself, and reading one sample.
 *
 * Opening fills a table of samples (table.c) through the reader of the layout (nmnist.c, gesture.c, npy_frames.c); reading goes by each sample's
 * format. Nothing changes after opening, so any number of threads may read, each with its own buffer.
 */
#include "eeg.h"
#include "internal.h"

#include <snnsim/cpu.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef bool (*open_fn)(snn_dataset *d, const snn_config *config, snn_split split, snn_error *err);

static const struct {
    const char *name;
    open_fn open;
} readers[] = {{"nmnist", snn_nmnist_open},
               {"dvs128_gesture", snn_gesture_open},
               {"eegmmidb", snn_eegmmidb_open},
               {"npy", snn_npy_frames_open},
               {"shd", snn_shd_open},
               {"braille", snn_braille_open},
               {NULL, NULL}};

static bool take_framing(snn_dataset *d, const snn_config *config, snn_error *err) {
    const char *rounding = snn_config_string(config, "dataset.rounding");
    snn_framing *f = &d->info.framing;
    f->bins = (int)snn_config_int(config, "dataset.bins");
    f->bin_us = snn_config_int(config, "dataset.bin_us");
    f->mode = f->bin_us > 0 ? SNN_FRAME_WIDTH : SNN_FRAME_BINS;
    f->from_zero = snn_config_bool(config, "dataset.from_zero");
    f->downsample = (int)snn_config_int(config, "dataset.downsample");
    f->binary = snn_config_bool(config, "dataset.binary");
    f->merge_polarity = snn_config_bool(config, "dataset.merge_polarity");
    f->repeat = (int)snn_config_int(config, "dataset.repeat");
    f->rounding = strcmp(rounding, "ceil") == 0      ? SNN_ROUND_CEIL
                  : strcmp(rounding, "nearest") == 0 ? SNN_ROUND_NEAREST
                                                     : SNN_ROUND_FLOOR;
    if (f->rounding != SNN_ROUND_FLOOR && f->mode != SNN_FRAME_WIDTH && d->info.has_events)
        return snn_config_fail(config, "dataset.rounding", err,
                               "bins of fixed width are rounded; give their width in dataset.bin_us");
    const uint32_t *sensor = d->info.sensor;
    if (d->info.has_events) {
        d->info.steps = f->bins;
        snn_framing_shape(f, sensor[0], sensor[1], sensor[2], d->info.input);
    }
    return true;
}

static bool fill(snn_dataset *d, const snn_config *config, snn_split split, bool folds, snn_error *err) {
    const char *name = snn_config_string(config, "dataset.name");
    d->info.folder = "";
    d->folder_fd = -1;
    if (snn_config_bool(config, "dataset.reverse") && strcmp(name, "shd") != 0)
        return snn_config_fail(config, "dataset.reverse", err, "only the units of shd can be reversed");
    for (size_t i = 0; readers[i].name != NULL; i++) {
        if (strcmp(name, readers[i].name) != 0)
            continue;
        /* Cross-validation stays inside the training part; the official test part is not looked at. */
        if (!readers[i].open(d, config, folds ? SNN_SPLIT_TRAIN : split, err))
            return false;
        if (!take_framing(d, config, err))
            return false;
        if (d->table.n == 0)
            return snn_fail(err, SNN_ERR_DATA, "%s: no samples", d->info.folder);
        return !folds || snn_folds_apply(d, config, split, err);
    }
    return snn_config_fail(config, "dataset.name", err,
                           "which data set: nmnist, dvs128_gesture, shd, braille, eegmmidb or npy");
}

snn_dataset *snn_dataset_open_folds(const snn_config *config, snn_split split, bool folds, bool *absent,
                                    snn_error *err) {
    snn_dataset *d = snn_alloc(1, sizeof *d, "data set", err);
    bool ok = d != NULL && fill(d, config, split, folds, err);
    if (absent != NULL)
        *absent = !ok && d != NULL && d->absent;
    if (ok)
        return d;
    snn_dataset_free(d);
    return NULL;
}

snn_dataset *snn_dataset_open_part(const snn_config *config, snn_split split, bool *absent, snn_error *err) {
    return snn_dataset_open_folds(config, split, snn_config_int(config, "dataset.folds") > 0, absent, err);
}

snn_dataset *snn_dataset_open(const snn_config *config, snn_split split, snn_error *err) {
    return snn_dataset_open_part(config, split, NULL, err);
}

void snn_dataset_free(snn_dataset *d) {
    if (d == NULL)
        return;
    if (d->folder_fd != -1)
        close(d->folder_fd);
    free(d->class_name);
    free(d->class_text);
    free(d->frames[0]);
    free(d->frames[1]);
    snn_eeg_free(d->eeg);
    free(d->folder);
    snn_braille_free(d->braille);
    snn_shd_free(d->shd);
    snn_table_free(&d->table);
    free(d);
}

void snn_dataset_buffer_free(snn_dataset_buffer *b) {
    snn_events_free(&b->events);
    free(b->frame.key);
    free(b->bytes);
    snn_eeg_kept_free(b->eeg);
    *b = (snn_dataset_buffer){0};
}

const snn_dataset_info *snn_dataset_about(const snn_dataset *d) {
    return &d->info;
}
size_t snn_dataset_count(const snn_dataset *d) {
    return d->table.n;
}
int snn_dataset_label(const snn_dataset *d, size_t i) {
    return d->table.sample[i].label;
}

const char *snn_dataset_sample(const snn_dataset *d, size_t i, char *buf, size_t size) {
    const snn_sample *s = &d->table.sample[i];
    const char *path = snn_table_text(&d->table, s);
    if (s->listed)
        snprintf(buf, size, "%" PRIu64, s->first);
    else if (s->format == SNN_FORMAT_AEDAT)
        snprintf(buf, size, "%.*s:%" PRIu32, (int)(strlen(path) - strlen(".aedat")), path, s->row);
    else if (s->format == SNN_FORMAT_EEG)
        snprintf(buf, size, "S%03dR%02d:%" PRIu32, (int)(s->end / 100), (int)(s->end % 100), s->row);
    else if (s->format == SNN_FORMAT_CAMERA)
        snprintf(buf, size, "subject%02" PRIu64 "_take%" PRIu32 ":%s", s->first, s->row + 1,
                 snn_gesture_name[s->label]);
    else if (s->format == SNN_FORMAT_BRAILLE || s->format == SNN_FORMAT_BRAILLE_BINS)
        snprintf(buf, size, "%s:%" PRIu64, path, s->format == SNN_FORMAT_BRAILLE ? s->first : s->row);
    else if (s->format == SNN_FORMAT_FRAMES)
        snprintf(buf, size, "%s%" PRIu64, s->test ? "" : "train:", s->first);
    else if (s->format == SNN_FORMAT_SHD)
        snprintf(buf, size, "%s:%" PRIu32, path, s->row);
    else
        snprintf(buf, size, "%s", path);
    return buf;
}

/* Reads the file of a sample and decodes it. */
static bool read_recording(const snn_dataset *d, const snn_sample *s, snn_dataset_buffer *b, snn_error *err) {
    const char *path = snn_table_text(&d->table, s);
    bool part = s->format == SNN_FORMAT_AEDAT;
    uint64_t first = part ? s->first : 0;
    if (!snn_recording_read(d, path, first, s->size, part, b, err))
        return false;
    size_t size = (size_t)s->size;
    bool ok = false;
    switch (s->format) {
    case SNN_FORMAT_AEDAT:
        ok = snn_aedat_decode(b->bytes, size, first, s->start, s->end, &b->events, err);
        break;
    case SNN_FORMAT_BS3:
        ok = snn_bs3_decode(b->bytes, size, &b->events, err);
        break;
    default:
        ok = snn_bs2_decode(b->bytes, size, s->format == SNN_FORMAT_NMNIST, &b->events, err);
        break;
    }
    return ok || snn_error_context(err, "%s/%s", d->folder, path);
}

static bool read_events(const snn_dataset *d, const snn_sample *s, snn_dataset_buffer *b, snn_error *err) {
    snn_events *e = &b->events;
    e->n = e->out_of_order = 0;
    e->channels = d->info.sensor[0];
    e->height = d->info.sensor[1];
    e->width = d->info.sensor[2];
    switch (s->format) {
    case SNN_FORMAT_FRAMES:
        return snn_fail(err, SNN_ERR_USAGE, "frames in a NumPy array have no events");
    case SNN_FORMAT_CAMERA:
        return snn_camera_record(&d->camera, (int)s->first, s->label, (int)s->row, e, err);
    case SNN_FORMAT_SHD:
    case SNN_FORMAT_TRACE:
        return snn_shd_read(d, s, b, err);
    case SNN_FORMAT_EEG:
        if (!snn_eeg_read(d, s, b, err))
            return false;
        break;
    case SNN_FORMAT_EVENTS_NPY:
        if (!snn_events_npy_read(d, s, b, err))
            return false;
        break;
    case SNN_FORMAT_BRAILLE:
    case SNN_FORMAT_BRAILLE_BINS:
        if (!snn_braille_read(d, s, b, err))
            return false;
        break;
    default:
        if (!read_recording(d, s, b, err))
            return false;
    }
    return snn_events_sort(e, NULL, err) ||
           snn_error_context(err, "%s/%s", d->folder, snn_table_text(&d->table, s));
}

bool snn_dataset_events(const snn_dataset *d, size_t i, snn_dataset_buffer *buffer, snn_error *err) {
    if (i >= d->table.n)
        return snn_fail(err, SNN_ERR_USAGE, "sample %zu of %zu", i, d->table.n);
    double begin = snn_now();
    if (!read_events(d, &d->table.sample[i], buffer, err))
        return false;
    buffer->read_seconds += snn_now() - begin;
    buffer->events_read += buffer->events.n;
    buffer->events_out_of_order += buffer->events.out_of_order;
    return true;
}

bool snn_dataset_frames(const snn_dataset *d, size_t i, snn_dataset_buffer *buffer, snn_spikes *x,
                        snn_error *err) {
    double begin = snn_now();
    if (!d->info.has_events) {
        if (i >= d->table.n)
            return snn_fail(err, SNN_ERR_USAGE, "sample %zu of %zu", i, d->table.n);
        if (!snn_npy_frames_read(d, &d->table.sample[i], buffer, x, err))
            return false;
        buffer->read_seconds += snn_now() - begin;
        return true;
    }
    size_t dropped;
    if (!snn_dataset_events(d, i, buffer, err))
        return false;
    begin = snn_now();
    if (!snn_frame(&d->info.framing, &buffer->events, x, &buffer->frame, &dropped, err))
        return false;
    buffer->frame_seconds += snn_now() - begin;
    buffer->events_dropped += dropped;
    return true;
}
