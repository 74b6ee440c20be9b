/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DVS128 Gesture (Amir et al., CVPR 2017, doi:10.1109/CVPR.2017.781) in each of its layouts, and the synthetic camera that stands in for it. */
#include "internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_SIZE 300 /* two folders, of which one has a name of at most 255 bytes */

static const char *const tonic_folder[2] = {"ibmGestureTrain", "ibmGestureTest"};

static bool camera_samples(snn_dataset *d, const snn_config *config, snn_split split, snn_error *err) {
    if (!snn_camera_from_config(config, &d->camera, err))
        return false;
    const snn_camera *c = &d->camera;
    uint64_t subjects = (uint64_t)c->subjects_train + (uint64_t)c->subjects_test;
    uint64_t all = subjects * SNN_GESTURES * (uint64_t)c->takes;
    if (all > SNN_SAMPLES_MAX)
        return snn_config_fail(config, "dataset.camera.takes", err,
                               "%" PRIu64 " subjects with %d gestures and %d takes are more than %" PRIu64
                               " recordings",
                               subjects, SNN_GESTURES, c->takes, SNN_SAMPLES_MAX);
    for (uint64_t subject = 1; subject <= subjects; subject++) {
        bool test = subject > (uint64_t)c->subjects_train;
        if (split == (test ? SNN_SPLIT_TRAIN : SNN_SPLIT_TEST))
            continue;
        for (int gesture = 0; gesture < SNN_GESTURES; gesture++)
            for (int take = 0; take < c->takes; take++) {
                snn_sample s = {.first = subject,
                                .label = gesture,
                                .row = (uint32_t)take,
                                .format = SNN_FORMAT_CAMERA,
                                .test = test};
                if (!snn_table_add(&d->table, &s, err))
                    return false;
            }
    }
    return true;
}

static bool tonic_file(snn_dataset *d, bool test, const char *user, int gesture, snn_error *err) {
    char path[PATH_SIZE];
    bool found;
    snn_sample s = {.label = gesture, .test = test, .format = SNN_FORMAT_EVENTS_NPY};
    snprintf(path, sizeof path, "%s/%s/%d.npy", tonic_folder[test], user, gesture);
    bool ok = snn_recording_size(d, path, 1, &s.size, &found, err);
    if (ok && found) /* not everyone did everything */
        ok = snn_table_path(&d->table, path, &s.path, err) && snn_table_add(&d->table, &s, err);
    return ok;
}

/* ibmGestureTrain/user01_led/<0..10>.npy */
static bool tonic_part(snn_dataset *d, bool test, snn_error *err) {
    snn_names user = {0};
    d->absent = faccessat(d->folder_fd, tonic_folder[test], F_OK, 0) != 0;
    bool ok = snn_folder_names(d, tonic_folder[test], "", false, &user, err);
    for (size_t u = 0; ok && u < user.n; u++)
        for (int gesture = 0; ok && gesture < SNN_GESTURES; gesture++)
            ok = tonic_file(d, test, user.name[u], gesture, err);
    snn_names_free(&user);
    return ok;
}

static bool has_tonic(const snn_dataset *d) {
    return faccessat(d->folder_fd, tonic_folder[0], F_OK, 0) == 0 ||
           faccessat(d->folder_fd, tonic_folder[1], F_OK, 0) == 0;
}

bool snn_gesture_open(snn_dataset *d, const snn_config *config, snn_split split, snn_error *err) {
    d->info.name = "dvs128_gesture";
    d->info.classes = SNN_GESTURES;
    d->info.class_name = snn_gesture_name;
    d->info.has_events = true;
    d->info.sensor[0] = 2;
    d->info.sensor[1] = d->info.sensor[2] = SNN_GESTURE_SIDE;
    if (*snn_config_string(config, "dataset.path") == '\0')
        return camera_samples(d, config, split, err);
    if (!snn_folder_open(d, config, err))
        return false;
    if (*snn_config_string(config, "dataset.train_list") != '\0' ||
        *snn_config_string(config, "dataset.test_list") != '\0')
        return snn_lists_open(d, config, split, SNN_FORMAT_BS2, err);
    if (has_tonic(d))
        return (split == SNN_SPLIT_TEST || tonic_part(d, false, err)) &&
               (split == SNN_SPLIT_TRAIN || tonic_part(d, true, err));
    if (!snn_trials_open(d, split, err))
        return false;
    d->absent = d->table.n == 0;
    if (d->absent)
        return snn_fail(
            err, SNN_ERR_DATA,
            "%s: no trials of this part (trials_to_train.txt, trials_to_test.txt, userNN_<light>.aedat), no "
            "ibmGestureTrain or ibmGestureTest, and no list in dataset.train_list or dataset.test_list; "
            "the data set is at https://research.ibm.com/interactive/dvsgesture/",
            d->folder);
    return true;
}
