/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `snnsim dataset make`: the synthetic camera's recordings as a folder in the layout of DVS128 Gesture. A trial is one take of one subject, the 11 gestures one
 * after the other; a gesture read back from it has exactly the events that the camera gives in memory.
 */
#include "aedat_write.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <snnsim/camera.h>
#include <snnsim/dataset.h>

/* The lighting conditions of the real set, in the order in which takes go through them (camera_scene.c). */
static const char *const light_name[] = {"fluorescent", "fluorescent_led", "lab", "led", "natural"};
#define LIGHTS ((int)(sizeof light_name / sizeof light_name[0]))

/* The first gesture starts after START_US, and PAUSE_US without events lie between gestures. The real trials begin tens of seconds into the
 * clock and pause for seconds; shorter here, nothing happens in them. */
#define START_US 1000000
#define PAUSE_US 250000

#define NAME_MAX_BYTES 64

typedef struct {
    const snn_camera *camera;
    const char *folder;
    void (*progress)(void *context, uint64_t done, uint64_t total);
    void *context;
    uint64_t done, total;
    snn_events events; /* of one recording */
    char *path;        /* of the file being written */
    size_t path_capacity;
} maker;

/* userNN_<light>; from the sixth take on the round is appended, so that names stay unique: user01_led2. */
static void trial_name(int subject, int take, char name[NAME_MAX_BYTES]) {
    int round = take / LIGHTS + 1;
    if (round == 1)
        snprintf(name, NAME_MAX_BYTES, "user%02d_%s", subject, light_name[take % LIGHTS]);
    else
        snprintf(name, NAME_MAX_BYTES, "user%02d_%s%d", subject, light_name[take % LIGHTS], round);
}

/* folder/name with ending, valid until the next call; NULL when out of memory. */
static const char *path_of(maker *m, const char *name, const char *ending, snn_error *err) {
    size_t need = strlen(m->folder) + strlen(name) + strlen(ending) + 2;
    if (!snn_grow((void **)&m->path, &m->path_capacity, need, 1, err))
        return NULL;
    snprintf(m->path, need, "%s/%s%s", m->folder, name, ending);
    return m->path;
}

static bool write_text(maker *m, const char *name, const char *text, snn_error *err) {
    const char *path = path_of(m, name, "", err);
    snn_file *file = path ? snn_file_create(path, 0644, err) : NULL;
    if (!file)
        return false;
    fputs(text, snn_file_stream(file));
    return snn_file_commit(file, err);
}

/* The 11 gestures of one take into one file. */
static bool write_gestures(maker *m, snn_aedat *trial, int subject, int take, snn_aedat_label *label,
                           snn_error *err) {
    int64_t length = (int64_t)(m->camera->seconds * 1e6 + 0.5), t = START_US;
    for (int g = 0; g < SNN_GESTURES; g++) {
        if (!snn_camera_record(m->camera, subject, g, take, &m->events, err) ||
            !snn_aedat_append(trial, &m->events, t, err))
            return false;
        label[g] = (snn_aedat_label){g, t, t + length};
        t += length + PAUSE_US;
        m->done++;
        if (m->progress)
            m->progress(m->context, m->done, m->total);
    }
    return true;
}

static bool write_trial(maker *m, int subject, int take, snn_error *err) {
    char name[NAME_MAX_BYTES], comment[128];
    snn_aedat_label label[SNN_GESTURES];
    trial_name(subject, take, name);
    snprintf(comment, sizeof comment,
             "Comment: synthetic recording by snnsim, seed %" PRIu64 ", subject %d, take %d", m->camera->seed,
             subject, take);
    const char *path = path_of(m, name, ".aedat", err);
    snn_aedat *trial = path ? snn_aedat_create(path, "DVS128", comment, err) : NULL;
    if (!trial)
        return false;
    if (!write_gestures(m, trial, subject, take, label, err)) {
        snn_aedat_abandon(trial);
        return false;
    }
    return snn_aedat_commit(trial, err) && (path = path_of(m, name, "_labels.csv", err)) != NULL &&
           snn_aedat_labels_write(path, label, SNN_GESTURES, err);
}

/* trials_to_train.txt or trials_to_test.txt: the trials of subjects first..last. */
static bool write_list(maker *m, const char *list, int first, int last, snn_error *err) {
    char name[NAME_MAX_BYTES];
    const char *path = path_of(m, list, "", err);
    snn_file *file = path ? snn_file_create(path, 0644, err) : NULL;
    if (!file)
        return false;
    for (int subject = first; subject <= last; subject++)
        for (int take = 0; take < m->camera->takes; take++) {
            trial_name(subject, take, name);
            fprintf(snn_file_stream(file), "%s.aedat\n", name);
        }
    return snn_file_commit(file, err);
}

static bool write_mapping(maker *m, snn_error *err) {
    const char *path = path_of(m, "gesture_mapping.csv", "", err);
    snn_file *file = path ? snn_file_create(path, 0644, err) : NULL;
    if (!file)
        return false;
    fprintf(snn_file_stream(file), "action,label\n");
    for (int g = 0; g < SNN_GESTURES; g++)
        fprintf(snn_file_stream(file), "%s,%d\n", snn_gesture_name[g], g + 1);
    return snn_file_commit(file, err);
}

static bool write_readme(maker *m, snn_error *err) {
    const snn_camera *c = m->camera;
    char text[2048];
    snprintf(text, sizeof text,
             "Synthetic event-camera gestures, made by `snnsim dataset make`. NOT RECORDED FROM PEOPLE.\n"
             "\n"
             "The layout is that of DVS128 Gesture (Amir et al., CVPR 2017): userNN_<light>.aedat (AEDAT "
             "3.1), userNN_<light>_labels.csv,\n"
             "trials_to_train.txt, trials_to_test.txt, gesture_mapping.csv. The 11 classes are the same; "
             "drawn bodies perform them before a\n"
             "modelled DVS128. A trial holds one take: the 11 gestures one after the other, %g s each, with "
             "%g s without events between them.\n"
             "\n"
             "seed %" PRIu64 "\n"
             "training subjects 1..%d, test subjects %d..%d, %d takes each\n",
             c->seconds, PAUSE_US * 1e-6, c->seed, c->subjects_train, c->subjects_train + 1,
             c->subjects_train + c->subjects_test, c->takes);
    return write_text(m, "README.txt", text, err);
}

static bool make_all(maker *m, snn_error *err) {
    const snn_camera *c = m->camera;
    int subjects = c->subjects_train + c->subjects_test;
    if (!snn_folder_create(m->folder, err))
        return false;
    for (int subject = 1; subject <= subjects; subject++)
        for (int take = 0; take < c->takes; take++)
            if (!write_trial(m, subject, take, err))
                return false;
    /* Lists last: a folder that has them is complete. */
    return write_mapping(m, err) && write_readme(m, err) &&
           write_list(m, "trials_to_train.txt", 1, c->subjects_train, err) &&
           write_list(m, "trials_to_test.txt", c->subjects_train + 1, subjects, err);
}

bool snn_dataset_make(const snn_config *config, const char *folder,
                      void (*progress)(void *context, uint64_t done, uint64_t total), void *context,
                      snn_error *err) {
    snn_camera camera;
    if (strcmp(snn_config_string(config, "dataset.name"), "dvs128_gesture") != 0)
        return snn_config_fail(config, "dataset.name", err, "the synthetic camera makes dvs128_gesture only");
    if (!snn_camera_from_config(config, &camera, err))
        return false;
    maker m = {.camera = &camera, .folder = folder, .progress = progress, .context = context};
    m.total =
        (uint64_t)(camera.subjects_train + camera.subjects_test) * (uint64_t)camera.takes * SNN_GESTURES;
    bool ok = make_all(&m, err);
    snn_events_free(&m.events);
    free(m.path);
    return ok;
}
