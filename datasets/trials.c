/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The official layout of DVS128 Gesture (Amir et al., CVPR 2017): trials userNN_<light>.aedat, each with userNN_<light>_labels.csv that cuts it into
 * gestures; trials_to_train.txt and trials_to_test.txt name the trials of each part.
 *
 * Opening reads packet headers only and keeps for each gesture the bytes of the packets it needs.
 */
#include "internal.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRIAL_ENDING ".aedat"
#define LABEL_ENDING "_labels.csv"
/* Without lists of trials: users 1..23 are for training, as in the release. */
#define LAST_TRAINING_USER 23

static bool parse_label(snn_lines *l, snn_gesture_label *label, snn_error *err) {
    char quote[SNN_QUOTE];
    snn_lines_quote(l, quote);
    uint64_t field[3];
    for (int i = 0; i < 3; i++) {
        snn_lines_blanks(l);
        bool ok = snn_lines_number(l, INT64_MAX, &field[i]);
        snn_lines_blanks(l);
        if (ok && i < 2)
            ok = l->size > 0 && *l->line == ',';
        if (!ok)
            return snn_fail(err, SNN_ERR_DATA,
                            "line %zu: expected `class,startTime_usec,endTime_usec`, found \"%s\"", l->number,
                            quote);
        l->line += i < 2;
        l->size -= i < 2;
    }
    if (l->size != 0)
        return snn_fail(err, SNN_ERR_DATA, "line %zu: expected three numbers, found \"%s\"", l->number,
                        quote);
    if (field[0] < 1 || field[0] > SNN_GESTURES)
        return snn_fail(err, SNN_ERR_DATA, "line %zu: class %" PRIu64 " is not in 1 .. %d", l->number,
                        field[0], SNN_GESTURES);
    if (field[2] <= field[1])
        return snn_fail(err, SNN_ERR_DATA,
                        "line %zu: the gesture ends at %" PRIu64 " us, not after its start at %" PRIu64 " us",
                        l->number, field[2], field[1]);
    *label = (snn_gesture_label){
        .label = (int)field[0] - 1, .start = (int64_t)field[1], .end = (int64_t)field[2], .line = l->number};
    return true;
}

bool snn_labels_parse(const void *text, size_t size, snn_gesture_label **label, size_t *n, snn_error *err) {
    size_t capacity = 0;
    *label = NULL;
    *n = 0;
    snn_lines l;
    snn_lines_init(&l, text, size);
    bool ok = true;
    while (ok && snn_lines_next(&l)) {
        bool heading = l.number == 1 && l.size > 0 && isalpha((unsigned char)*l.line);
        if (l.size == 0 || heading)
            continue;
        ok = snn_grow((void **)label, &capacity, *n + 1, sizeof **label, err) &&
             parse_label(&l, *label + *n, err);
        *n += ok;
    }
    if (ok && *n == 0)
        ok = snn_fail(err, SNN_ERR_DATA, "no line `class,startTime_usec,endTime_usec`");
    if (!ok) {
        free(*label);
        *label = NULL;
        *n = 0;
    }
    return ok;
}

static bool add_trial(const snn_lines *l, char **names, size_t n, char **name, snn_error *err) {
    char quote[SNN_QUOTE];
    *name = strndup(l->line, l->size);
    if (*name == NULL)
        return snn_fail(err, SNN_ERR_RUNTIME, "out of memory for a list of trials");
    size_t size = strlen(*name), ending = strlen(TRIAL_ENDING);
    if (size != l->size || size <= ending || size > 200 || strcmp(*name + size - ending, TRIAL_ENDING) != 0 ||
        strchr(*name, '/') != NULL)
        return snn_fail(err, SNN_ERR_DATA, "line %zu: expected the name of an .aedat file, found \"%s\"",
                        l->number, snn_lines_quote(l, quote));
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], *name) == 0)
            return snn_fail(err, SNN_ERR_DATA, "line %zu: %s stands in the list already", l->number, *name);
    return true;
}

bool snn_trials_parse(const void *text, size_t size, char ***names, size_t *n, snn_error *err) {
    size_t capacity = 0;
    *names = NULL;
    *n = 0;
    snn_lines l;
    snn_lines_init(&l, text, size);
    bool ok = true;
    while (ok && snn_lines_next(&l)) {
        if (l.size == 0 || *l.line == '#')
            continue;
        char *name = NULL;
        ok = snn_grow((void **)names, &capacity, *n + 1, sizeof **names, err) &&
             add_trial(&l, *names, *n, &name, err);
        if (ok)
            (*names)[(*n)++] = name;
        else
            free(name);
    }
    if (ok && *n == 0)
        ok = snn_fail(err, SNN_ERR_DATA, "no name of a trial");
    if (!ok) {
        snn_names_free(*names, *n);
        *names = NULL;
        *n = 0;
    }
    return ok;
}

bool snn_gesture_range(const snn_aedat_packet *packet, size_t n, const snn_gesture_label *label,
                       uint64_t *first, uint64_t *end, snn_error *err) {
    size_t from = 0, to = n;
    while (from < n && packet[from].t_last < label->start)
        from++;
    while (to > from && packet[to - 1].t_first >= label->end)
        to--;
    if (n == 0 || from == n || packet[0].t_first >= label->end)
        return snn_fail(
            err, SNN_ERR_DATA,
            "line %zu: the gesture from %" PRId64 " to %" PRId64 " us lies outside the recording, which "
            "lasts from %" PRId64 " to %" PRId64 " us",
            label->line, label->start, label->end, n ? packet[0].t_first : 0, n ? packet[n - 1].t_last : 0);
    *first = from < to ? packet[from].first : 0; /* a pause without events: nothing to read */
    *end = from < to ? packet[to - 1].end : 0;
    return true;
}

/* Reads a small text file below the folder. */
static bool read_text(const snn_dataset *d, const char *name, uint8_t **text, size_t *size, snn_error *err) {
    char *path = NULL;
    if (asprintf(&path, "%s/%s", d->folder, name) < 0)
        return snn_fail(err, SNN_ERR_RUNTIME, "out of memory for a path");
    bool ok = snn_file_read(path, SNN_LIST_MAX, text, size, err);
    free(path);
    return ok;
}

static bool index_trial(const snn_dataset *d, const char *name, uint64_t size, snn_aedat_packet **packet,
                        size_t *n, snn_error *err) {
    snn_source s = {.fd = openat(d->folder_fd, name, O_RDONLY | O_CLOEXEC), .size = size};
    if (s.fd == -1)
        return snn_fail(err, SNN_ERR_DATA, "%s/%s: cannot open the recording: %s", d->folder, name,
                        strerror(errno));
    bool ok = snn_aedat_index(&s, packet, n, err);
    close(s.fd);
    return ok || snn_error_context(err, "%s/%s", d->folder, name);
}

static bool add_gestures(snn_dataset *d, const char *name, const char *label_file, bool test,
                         const snn_gesture_label *label, size_t labels, const snn_aedat_packet *packet,
                         size_t packets, snn_error *err) {
    snn_sample s = {.test = test, .format = SNN_FORMAT_AEDAT};
    if (!snn_table_path(&d->table, name, &s.path, err))
        return false;
    for (size_t i = 0; i < labels; i++) {
        uint64_t end;
        if (!snn_gesture_range(packet, packets, &label[i], &s.first, &end, err))
            return snn_error_context(err, "%s/%s", d->folder, label_file);
        s.size = end - s.first;
        s.start = label[i].start;
        s.end = label[i].end;
        s.label = label[i].label;
        s.row = (uint32_t)i + 1;
        if (!snn_table_add(&d->table, &s, err))
            return false;
    }
    return true;
}

static bool open_trial(snn_dataset *d, const char *name, bool test, snn_error *err) {
    char label_file[300];
    snprintf(label_file, sizeof label_file, "%.*s%s", (int)(strlen(name) - strlen(TRIAL_ENDING)), name,
             LABEL_ENDING);
    uint64_t size;
    bool found;
    if (!snn_recording_size(d, name, 1, &size, &found, err))
        return false;
    if (!found)
        return snn_fail(err, SNN_ERR_DATA, "no recording %s in %s", name, d->folder);
    uint8_t *text = NULL;
    snn_gesture_label *label = NULL;
    snn_aedat_packet *packet = NULL;
    size_t bytes, labels, packets;
    bool ok = read_text(d, label_file, &text, &bytes, err);
    if (ok && !snn_labels_parse(text, bytes, &label, &labels, err))
        ok = snn_error_context(err, "%s/%s", d->folder, label_file);
    ok = ok && index_trial(d, name, size, &packet, &packets, err) &&
         add_gestures(d, name, label_file, test, label, labels, packet, packets, err);
    free(packet);
    free(label);
    free(text);
    return ok;
}

static bool open_list(snn_dataset *d, bool test, snn_error *err) {
    const char *list = test ? "trials_to_test.txt" : "trials_to_train.txt";
    uint8_t *text = NULL;
    size_t size, n;
    char **names;
    if (!read_text(d, list, &text, &size, err))
        return false;
    bool ok =
        snn_trials_parse(text, size, &names, &n, err) || snn_error_context(err, "%s/%s", d->folder, list);
    for (size_t i = 0; ok && i < n; i++)
        ok = open_trial(d, names[i], test, err) || snn_error_context(err, "trial %zu of %s", i + 1, list);
    snn_names_free(names, n);
    free(text);
    return ok;
}

/* "user24_led.aedat" is of user 24. */
static bool of_test_user(const char *name) {
    int user;
    return sscanf(name, "user%d", &user) == 1 && user > LAST_TRAINING_USER;
}

static bool open_by_user(snn_dataset *d, snn_split split, snn_error *err) {
    char **names;
    size_t n;
    if (!snn_folder_names(d, ".", TRIAL_ENDING, false, &names, &n, err))
        return false;
    bool ok = true;
    for (int test = 0; test < 2; test++)
        for (size_t i = 0; ok && i < n; i++)
            if (of_test_user(names[i]) == test && split != (test ? SNN_SPLIT_TRAIN : SNN_SPLIT_TEST))
                ok = open_trial(d, names[i], test, err);
    snn_names_free(names, n);
    return ok;
}

bool snn_trials_open(snn_dataset *d, snn_split split, snn_error *err) {
    bool any = faccessat(d->folder_fd, "trials_to_train.txt", F_OK, 0) == 0 ||
               faccessat(d->folder_fd, "trials_to_test.txt", F_OK, 0) == 0;
    if (!any)
        return open_by_user(d, split, err);
    return (split == SNN_SPLIT_TEST || open_list(d, false, err)) &&
           (split == SNN_SPLIT_TRAIN || open_list(d, true, err));
}
