/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The framed training set in memory, as spike lists, and its validation share. */
#include "train_internal.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

static bool check(const snn_dataset *data, const snn_net *net, snn_error *err) {
    const snn_dataset_info *info = snn_dataset_about(data);
    const uint32_t *in = info->input;
    if (in[0] != net->input.channels || in[1] != net->input.height || in[2] != net->input.width)
        return snn_fail(err, SNN_ERR_DATA,
                        "data set '%s' has inputs of %ux%ux%u, the network expects %ux%ux%u", info->name,
                        in[0], in[1], in[2], net->input.channels, net->input.height, net->input.width);
    if (net->steps != 0 && net->steps != info->steps)
        return snn_fail(err, SNN_ERR_DATA, "data set '%s' has %d time steps, the network was made for %d",
                        info->name, info->steps, net->steps);
    if (info->classes < 0 || (uint32_t)info->classes > net->classes)
        return snn_fail(err, SNN_ERR_DATA, "data set '%s' has %d classes, the network %u outputs", info->name,
                        info->classes, net->classes);
    if (snn_dataset_count(data) == 0)
        return snn_fail(err, SNN_ERR_DATA, "data set '%s' has no samples to train on", info->name);
    if (snn_dataset_count(data) > UINT32_MAX)
        return snn_fail(err, SNN_ERR_DATA, "data set '%s' has more than 2^32 samples", info->name);
    return true;
}

/* Reads every sample, in parallel; of several errors the one of the first sample is reported, whatever the threads did. */
static bool read_all(train_data *d, const snn_dataset *data, int threads, snn_error *err) {
    int64_t failed = INT64_MAX;
    snn_error first = {0};
#pragma omp parallel num_threads(threads)
    {
        snn_dataset_buffer buffer = {0};
        snn_spikes x = {0};
#pragma omp for schedule(dynamic, 16)
        for (int64_t i = 0; i < (int64_t)d->samples; i++) {
            snn_error e = {0};
            if (snn_dataset_frames(data, (size_t)i, &buffer, &x, &e) && snn_spikes_copy(&d->x[i], &x, &e))
                continue;
#pragma omp critical(snn_train_data)
            if (i < failed) {
                failed = i;
                first = e;
            }
        }
        snn_spikes_free(&x);
        snn_dataset_buffer_free(&buffer);
    }
    if (failed != INT64_MAX && err != NULL)
        *err = first;
    return failed == INT64_MAX;
}

bool snn_train_data_load(train_data *d, const snn_dataset *data, const snn_net *net,
                         const snn_train_options *o, snn_error *err) {
    memset(d, 0, sizeof *d);
    if (!check(data, net, err))
        return false;
    const snn_dataset_info *info = snn_dataset_about(data);
    d->samples = snn_dataset_count(data);
    d->classes = info->classes;
    d->steps = info->steps;
    d->shape = net->input;
    d->x = snn_alloc(d->samples, sizeof *d->x, "the training set", err);
    d->label = snn_alloc(d->samples, sizeof *d->label, "labels", err);
    bool ok = d->x != NULL && d->label != NULL && read_all(d, data, snn_threads(o->threads), err);
    for (size_t i = 0; ok && i < d->samples; i++) {
        d->label[i] = snn_dataset_label(data, i);
        if (d->label[i] < 0 || d->label[i] >= d->classes)
            ok = snn_fail(err, SNN_ERR_DATA, "sample %zu of data set '%s' has label %d, expected 0 to %d", i,
                          info->name, d->label[i], d->classes - 1);
    }
    if (ok)
        ok = snn_train_data_split(d, o, err);
    if (!ok)
        snn_train_data_free(d);
    return ok;
}

/* Deals the samples of one class: the first ones of a random order are for validation. */
static bool split_class(train_data *d, const snn_train_options *o, int class, bool *held, snn_error *err) {
    uint32_t n = 0;
    uint32_t *member = snn_alloc(d->samples, sizeof *member, "the validation split", err);
    uint32_t *order = snn_alloc(d->samples, sizeof *order, "the validation split", err);
    if (member != NULL && order != NULL) {
        for (size_t i = 0; i < d->samples; i++)
            if (d->label[i] == class)
                member[n++] = (uint32_t)i;
        /* Folds are dealt from the same purpose with index = class: keep away from their streams. */
        snn_random r;
        snn_random_init(&r, o->seed, SNN_PURPOSE_SPLIT, (UINT64_C(1) << 32) + (uint64_t) class);
        if (n > 0)
            snn_random_permutation(&r, order, n);
        uint32_t share = (uint32_t)floor(o->validation * n + 0.5);
        for (uint32_t k = 0; k < share; k++)
            held[member[order[k]]] = true;
    }
    bool ok = member != NULL && order != NULL;
    free(member);
    free(order);
    return ok;
}

bool snn_train_data_split(train_data *d, const snn_train_options *o, snn_error *err) {
    bool *held = snn_alloc(d->samples, sizeof *held, "the validation split", err);
    d->train = snn_alloc(d->samples, sizeof *d->train, "the validation split", err);
    d->validation = snn_alloc(d->samples, sizeof *d->validation, "the validation split", err);
    bool ok = held != NULL && d->train != NULL && d->validation != NULL;
    for (int c = 0; ok && o->validation > 0 && c < d->classes; c++)
        ok = split_class(d, o, c, held, err);
    for (size_t i = 0; ok && i < d->samples; i++) {
        if (held[i])
            d->validation[d->validations++] = (uint32_t)i;
        else
            d->train[d->trains++] = (uint32_t)i;
    }
    free(held);
    if (ok && d->trains == 0)
        ok = snn_fail(err, SNN_ERR_DATA, "a validation share of %g leaves none of %zu samples to train on",
                      o->validation, d->samples);
    if (ok && o->validation > 0 && d->validations == 0)
        ok = snn_fail(err, SNN_ERR_DATA, "a validation share of %g of %zu samples is none", o->validation,
                      d->samples);
    return ok;
}

void snn_train_data_free(train_data *d) {
    for (size_t i = 0; d->x != NULL && i < d->samples; i++)
        snn_spikes_free(&d->x[i]);
    free(d->x);
    free(d->label);
    free(d->train);
    free(d->validation);
    memset(d, 0, sizeof *d);
}
