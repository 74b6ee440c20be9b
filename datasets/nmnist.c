/* SPDX-License-Identifier: GPL-3.0-or-later */
/* N-MNIST (Orchard et al. 2015, doi:10.3389/fnins.2015.00437): Train/<digit>/<5 digits>.bin and Test/..., or lists beside the recordings. */
#include "internal.h"

#include <stdio.h>

#define FOLDER_SIZE 16
#define PATH_SIZE (FOLDER_SIZE + 256) /* a name has at most 255 bytes */

static const char *const digit_name[SNN_NMNIST_CLASSES] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};

static bool add_file(snn_dataset *d, bool test, int digit, const char *path, snn_error *err) {
    bool found;
    snn_sample s = {.label = digit, .test = test, .format = SNN_FORMAT_NMNIST};
    return snn_recording_size(d, path, 5, &s.size, &found, err) &&
           (found || snn_fail(err, SNN_ERR_DATA, "%s/%s: a link that leads nowhere", d->folder, path)) &&
           snn_table_path(&d->table, path, &s.path, err) && snn_table_add(&d->table, &s, err);
}

static bool open_digit(snn_dataset *d, bool test, int digit, snn_error *err) {
    char folder[FOLDER_SIZE], path[PATH_SIZE];
    snn_names names = {0};
    snprintf(folder, sizeof folder, "%s/%d", test ? "Test" : "Train", digit);
    bool ok = snn_folder_names(d, folder, ".bin", true, &names, err);
    for (size_t i = 0; ok && i < names.n; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names.name[i]);
        ok = add_file(d, test, digit, path, err);
    }
    snn_names_free(&names);
    return ok;
}

static bool open_folders(snn_dataset *d, snn_split split, snn_error *err) {
    for (int test = 0; test < 2; test++) {
        if (split == (test ? SNN_SPLIT_TRAIN : SNN_SPLIT_TEST))
            continue;
        size_t before = d->table.n;
        for (int digit = 0; digit < SNN_NMNIST_CLASSES; digit++)
            if (!open_digit(d, test, digit, err))
                return false;
        d->absent = d->table.n == before;
        if (d->absent)
            return snn_fail(
                err, SNN_ERR_DATA,
                "%s: no recordings %s/<digit>/<number>.bin; unpack N-MNIST's %s.zip there, or name a "
                "list of recordings with dataset.%s_list",
                d->folder, test ? "Test" : "Train", test ? "Test" : "Train", test ? "test" : "train");
    }
    return true;
}

bool snn_nmnist_open(snn_dataset *d, const snn_config *config, snn_split split, snn_error *err) {
    d->info.name = "nmnist";
    d->info.classes = SNN_NMNIST_CLASSES;
    d->info.class_name = digit_name;
    d->info.has_events = true;
    d->info.sensor[0] = 2;
    d->info.sensor[1] = d->info.sensor[2] = SNN_NMNIST_SIDE;
    if (*snn_config_string(config, "dataset.path") == '\0')
        return snn_config_fail(
            config, "dataset.path", err,
            "N-MNIST is not part of snnsim: get Train.zip and Test.zip from "
            "https://www.garrickorchard.com/datasets/n-mnist (CC BY-SA 4.0), unpack them into "
            "one folder and give that folder here");
    if (!snn_folder_open(d, config, err))
        return false;
    if (*snn_config_string(config, "dataset.train_list") != '\0' ||
        *snn_config_string(config, "dataset.test_list") != '\0')
        return snn_lists_open(d, config, split, SNN_FORMAT_NMNIST, err);
    return open_folders(d, split, err);
}
