/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cross-validation: dealing the training part to folds (stratified; EEG: in whole runs), and keeping those that a split asks for. */
#include "eeg.h"
#include "internal.h"

#include <snnsim/random.h>

#include <stdlib.h>

/* Lists the samples of each class in order: member[start[c] .. start[c+1]-1]. start has classes + 2 items. */
static void group_by_class(const int *label, size_t n, int classes, uint32_t *member, size_t *start) {
    for (size_t i = 0; i < n; i++)
        start[label[i] + 2]++;
    for (int c = 3; c <= classes; c++) /* class 0 begins at 0, class 1 behind class 0 */
        start[c] += start[c - 1];
    for (size_t i = 0; i < n; i++) /* start[c + 1] runs through class c and ends where class c + 1 begins */
        member[start[label[i] + 1]++] = (uint32_t)i;
}

bool snn_folds_deal(const int *label, size_t n, int classes, int folds, uint64_t seed, int *fold_of,
                    snn_error *err) {
    uint32_t *member = snn_alloc(n, sizeof *member, "folds", err);
    uint32_t *order = snn_alloc(n, sizeof *order, "folds", err);
    size_t *start = snn_alloc((size_t)classes + 2, sizeof *start, "folds", err);
    bool ok = member != NULL && order != NULL && start != NULL;
    if (ok) {
        group_by_class(label, n, classes, member, start);
        size_t dealt = 0;
        for (int c = 0; c < classes; c++) {
            uint32_t size = (uint32_t)(start[c + 1] - start[c]);
            snn_random r;
            snn_random_init(&r, seed, SNN_PURPOSE_SPLIT, (uint64_t)c);
            snn_random_permutation(&r, order, size);
            for (uint32_t k = 0; k < size; k++)
                fold_of[member[start[c] + order[k]]] = (int)(dealt++ % (size_t)folds);
        }
    }
    free(start);
    free(order);
    free(member);
    return ok;
}

static bool check_keys(const snn_config *config, size_t n, int folds, int fold, snn_error *err) {
    if (folds < 2)
        return snn_config_fail(config, "dataset.folds", err, "cross-validation needs at least 2 folds");
    if ((size_t)folds > n)
        return snn_config_fail(config, "dataset.folds", err, "%d folds of %zu training samples", folds, n);
    if (fold >= folds)
        return snn_config_fail(config, "dataset.fold", err, "fold %d of %d; folds are 0 .. %d", fold, folds,
                               folds - 1);
    return true;
}

/* EEG: runs (or subjects) are dealt as wholes, so that no epoch has neighbours in the other part. They stand in the table one after the other; their numbers
 * in that order are permuted by stream (seed, SPLIT, 0) and dealt in turn. */
static bool deal_groups(const snn_dataset *d, const snn_config *config, int folds, int *fold_of,
                        snn_error *err) {
    const snn_table *t = &d->table;
    uint32_t groups = 0;
    for (size_t i = 0; i < t->n; i++) {
        groups += i == 0 || snn_eeg_fold_group(d, &t->sample[i]) != snn_eeg_fold_group(d, &t->sample[i - 1]);
        fold_of[i] = (int)groups - 1;
    }
    if ((uint32_t)folds > groups)
        return snn_config_fail(config, "dataset.folds", err,
                               "%d folds of %u %ss; epochs of EEG are dealt in whole %ss, because neighbours "
                               "in time must not be in both parts",
                               folds, groups, snn_config_string(config, "dataset.eeg.fold_by"),
                               snn_config_string(config, "dataset.eeg.fold_by"));
    uint32_t *order = snn_alloc(groups, 2 * sizeof *order, "folds", err);
    if (order == NULL)
        return false;
    snn_random r;
    snn_random_init(&r, (uint64_t)snn_config_int(config, "dataset.fold_seed"), SNN_PURPOSE_SPLIT, 0);
    snn_random_permutation(&r, order, groups);
    for (uint32_t k = 0; k < groups; k++)
        order[groups + order[k]] = k % (uint32_t)folds;
    for (size_t i = 0; i < t->n; i++)
        fold_of[i] = (int)order[groups + (uint32_t)fold_of[i]];
    free(order);
    return true;
}

bool snn_folds_apply(snn_dataset *d, const snn_config *config, snn_split split, snn_error *err) {
    int folds = (int)snn_config_int(config, "dataset.folds"),
        fold = (int)snn_config_int(config, "dataset.fold");
    snn_table *t = &d->table;
    if (!check_keys(config, t->n, folds, fold, err))
        return false;
    int *label = snn_alloc(t->n, sizeof *label, "folds", err);
    int *fold_of = snn_alloc(t->n, sizeof *fold_of, "folds", err);
    bool ok = label != NULL && fold_of != NULL;
    for (size_t i = 0; ok && i < t->n; i++)
        label[i] = t->sample[i].label;
    if (ok && d->eeg != NULL)
        ok = deal_groups(d, config, folds, fold_of, err);
    else
        ok = ok && snn_folds_deal(label, t->n, d->info.classes, folds,
                                  (uint64_t)snn_config_int(config, "dataset.fold_seed"), fold_of, err);
    if (ok) {
        size_t kept = 0;
        for (size_t i = 0; i < t->n; i++)
            if (split == SNN_SPLIT_ALL || (fold_of[i] == fold) == (split == SNN_SPLIT_TEST))
                t->sample[kept++] = t->sample[i];
        t->n = kept;
    }
    free(fold_of);
    free(label);
    return ok;
}
