/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text files beside the recordings: label lists, gesture labels, lists of trials. The first byte picks which. */
#include "../../datasets/internal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void label_list(const uint8_t *text, size_t size, int base) {
    snn_list_entry *entry;
    size_t n;
    snn_error err = {0};
    bool ok = snn_list_parse(text, size, base, 10, &entry, &n, &err);
    for (size_t i = 0; ok && i < n; i++)
        if (entry[i].label < 0 || entry[i].label >= 10 || entry[i].line == 0)
            abort();
    free(entry);
}

static void gesture_labels(const uint8_t *text, size_t size) {
    snn_gesture_label *label;
    size_t n;
    snn_error err = {0};
    bool ok = snn_labels_parse(text, size, &label, &n, &err);
    for (size_t i = 0; ok && i < n; i++)
        if (label[i].label < 0 || label[i].label >= SNN_GESTURES || label[i].start < 0 ||
            label[i].end <= label[i].start)
            abort();
    free(label);
}

static void trials(const uint8_t *text, size_t size) {
    snn_names names = {0};
    snn_error err = {0};
    snn_trials_parse(text, size, &names, &err);
    for (size_t i = 0; i < names.n; i++)
        if (strchr(names.name[i], '/') != NULL || strlen(names.name[i]) < 7)
            abort();
    snn_names_free(&names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    switch (data[0] & 3) {
    case 0:
    case 1:
        label_list(data + 1, size - 1, data[0] & 1);
        break;
    case 2:
        gesture_labels(data + 1, size - 1);
        break;
    default:
        trials(data + 1, size - 1);
    }
    return 0;
}
