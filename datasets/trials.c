/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The official layout of DVS128 Gesture (Amir et al., CVPR 2017): trials userNN_<light>.aedat, each with userNN_<light>_labels.csv that cuts it into
 * gestures; trials_to_train.txt and trials_to_test.txt name the trials of each part.
 *
 * Opening reads packet headers only and keeps for each gesture the bytes of the packets it needs.
 */
#include "internal.h"

#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRIAL_ENDING ".aedat"
#define LABEL_ENDING "_labels.csv"
#define NAME_MAX_SIZE 200
#define PATH_SIZE (NAME_MAX_SIZE + 100)
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
    while (snn_lines_next(&l)) {
        snn_gesture_label row;
        if (l.size == 0 || (l.number == 1 && isalpha((unsigned char)*l.line))) /* blank, or the heading */
            continue;
        if (!parse_label(&l, &row, err) || !snn_push((void **)label, &capacity, n, &row, sizeof row, err))
            return false;
    }
    return *n > 0 || snn_fail(err, SNN_ERR_DATA, "no line `class,startTime_usec,endTime_usec`");
}

/* The name in the current line must be new, of an .aedat file, and lead nowhere else. */
static bool check_trial(const snn_lines *l, const snn_names *names, snn_error *err) {
    char quote[SNN_QUOTE];
    size_t ending = strlen(TRIAL_ENDING);
    if (l->size <= ending || l->size > NAME_MAX_SIZE || memchr(l->line, '/', l->size) != NULL ||
        memchr(l->line, '\0', l->size) != NULL ||
        memcmp(l->line + l->size - ending, TRIAL_ENDING, ending) != 0)
        return snn_fail(err, SNN_ERR_DATA, "line %zu: expected the name of an .aedat file, found \"%s\"",
                        l->number, snn_lines_quote(l, quote));
    for (size_t i = 0; i < names->n; i++)
        if (strlen(names->name[i]) == l->size && memcmp(names->name[i], l->line, l->size) == 0)
            return snn_fail(err, SNN_ERR_DATA, "line %zu: %s stands in the list already", l->number,
                            names->name[i]);
    return true;
}

bool snn_trials_parse(const void *text, size_t size, snn_names *names, snn_error *err) {
    snn_lines l;
    snn_lines_init(&l, text, size);
    while (snn_lines_next(&l)) {
        if (l.size == 0 || *l.line == '#')
            continue;
        if (!check_trial(&l, names, err) || !snn_names_add(names, l.line, l.size, err))
            return false;
    }
    return names->n > 0 || snn_fail(err, SNN_ERR_DATA, "no name of a trial");
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
    char *path = snn_path_join(d->folder, name, err);
    bool ok = path != NULL && snn_text_read(path, text, size, err);
    free(path);
    return ok;
}

static bool index_trial(const snn_dataset *d, const char *name, uint64_t size, snn_aedat_packet **packet,
                        size_t *n, snn_error *err) {
    snn_source s;
    if (!snn_recording_open(d, name, size, &s, err))
        return false;
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
    char label_file[PATH_SIZE];
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
    size_t size;
    snn_names names = {0};
    d->absent = faccessat(d->folder_fd, list, F_OK, 0) != 0;
    bool ok = read_text(d, list, &text, &size, err);
    if (ok && !snn_trials_parse(text, size, &names, err))
        ok = snn_error_context(err, "%s/%s", d->folder, list);
    for (size_t i = 0; ok && i < names.n; i++)
        ok =
            open_trial(d, names.name[i], test, err) || snn_error_context(err, "trial %zu of %s", i + 1, list);
    snn_names_free(&names);
    free(text);
    return ok;
}

/* "user24_led.aedat" is of user 24. */
static bool of_test_user(const char *name) {
    int user;
    return sscanf(name, "user%d", &user) == 1 && user > LAST_TRAINING_USER;
}

static bool open_users(snn_dataset *d, const snn_names *names, bool test, snn_error *err) {
    bool ok = true;
    for (size_t i = 0; ok && i < names->n; i++)
        if (of_test_user(names->name[i]) == test)
            ok = open_trial(d, names->name[i], test, err);
    return ok;
}

static bool open_by_user(snn_dataset *d, snn_split split, snn_error *err) {
    snn_names names = {0};
    bool ok = snn_folder_names(d, ".", TRIAL_ENDING, false, &names, err) &&
              (split == SNN_SPLIT_TEST || open_users(d, &names, false, err)) &&
              (split == SNN_SPLIT_TRAIN || open_users(d, &names, true, err));
    snn_names_free(&names);
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
