/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Braille letters, one file for all trials: the official pickle (27 letters, events) or a TensorDataset of torch (7 letters, bins), told apart by
 * their first bytes. Neither has an official test part: dataset.folds makes one, the published results used a random, stratified one of 20 %.
 */
#include "braille.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_START "data_braille_letters_th"
#define WHERE_SIZE 256
#define PICKLE_FIRST_BYTE 0x80

static const char *const seven[SNN_BRAILLE_SEVEN] = {"Space", "A", "E", "I", "O", "U", "Y"};

/* ---- which file ---- */

static bool ends_with(const char *name, const char *ending) {
    size_t n = strlen(name), m = strlen(ending);
    return n > m && strcmp(name + n - m, ending) == 0;
}

/* The one file of the folder that can be meant; free() it. */
static char *find_file(const snn_dataset *d, snn_error *err) {
    snn_names names = {0};
    char *found = NULL;
    bool ok = snn_folder_names(d, ".", "", false, &names, err);
    for (size_t i = 0; ok && i < names.n; i++) {
        const char *name = names.name[i];
        if (strncmp(name, NAME_START, strlen(NAME_START)) != 0 && !ends_with(name, ".pt"))
            continue;
        if (found != NULL)
            ok = snn_fail(err, SNN_ERR_DATA, "%s: both %s and %s; name one of them in dataset.path",
                          d->folder, found, name);
        else
            ok = (found = strdup(name)) != NULL || snn_fail_errno(err, "file name");
    }
    snn_names_free(&names);
    if (ok && found == NULL)
        snn_fail(err, SNN_ERR_DATA,
                 "%s: no file of Braille letters (" NAME_START "_1.pkl, 2, 5 or 10, or *.pt)", d->folder);
    if (!ok) {
        free(found);
        found = NULL;
    }
    return found;
}

/* Opens the folder of dataset.path; *name: the file in it, free() it. */
static bool find(snn_dataset *d, const snn_config *config, char **name, snn_error *err) {
    struct stat st;
    char where[WHERE_SIZE];
    char *path = snn_path_expand(snn_config_string(config, "dataset.path"), err);
    if (path == NULL)
        return false;
    if (stat(path, &st) != 0) {
        snn_fail(err, SNN_ERR_DATA, "%s: dataset.path: cannot open %s: %s",
                 snn_config_where(config, "dataset.path", where, sizeof where), path, strerror(errno));
        free(path);
        return false;
    }
    if (S_ISDIR(st.st_mode)) {
        free(path);
        return snn_folder_open(d, config, err) && (*name = find_file(d, err)) != NULL;
    }
    char *slash = strrchr(path, '/');
    *name = strdup(slash != NULL ? slash + 1 : path);
    if (slash != NULL)
        slash[slash == path] = '\0'; /* of "/file" the slash is the folder */
    else
        strcpy(path, "."); /* a name has at least one character */
    d->folder = path;
    d->info.folder = path;
    d->folder_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return (*name != NULL && d->folder_fd != -1) || snn_fail_errno(err, "%s", path);
}

/* ---- the two kinds of file ---- */

static void set_classes(snn_dataset *d, const char *const *name, int classes, uint32_t lines) {
    d->info.class_name = name;
    d->info.classes = classes;
    d->info.has_events = true;
    d->info.sensor[0] = d->info.sensor[1] = 1;
    d->info.sensor[2] = lines;
}

static bool open_letters(snn_dataset *d, const char *name, uint64_t size, uint32_t path, snn_error *err) {
    snn_dataset_buffer file = {.bytes = NULL};
    d->braille = snn_alloc(1, sizeof *d->braille, "Braille letters", err);
    bool ok = d->braille != NULL && snn_recording_read(d, name, 0, size, false, &file, err) &&
              (snn_braille_parse(d->braille, file.bytes, (size_t)size, err) ||
               snn_error_context(err, "%s/%s", d->folder, name));
    snn_dataset_buffer_free(&file);
    set_classes(d, snn_braille_letter, SNN_BRAILLE_LETTERS, 2 * SNN_BRAILLE_TAXELS);
    d->info.pairs = true;
    for (size_t i = 0; ok && i < d->braille->trials; i++) {
        snn_sample s = {
            .first = i, .path = path, .label = d->braille->label[i], .format = SNN_FORMAT_BRAILLE};
        ok = snn_table_add(&d->table, &s, err);
    }
    return ok;
}

static bool open_bins(snn_dataset *d, const char *name, uint64_t size, uint32_t path, snn_error *err) {
    snn_source source;
    snn_braille_bins b = {.samples = 0};
    if (!snn_recording_open(d, name, size, &source, err))
        return false;
    bool ok = snn_braille_bins_open(&b, &source, err) || snn_error_context(err, "%s/%s", d->folder, name);
    close(source.fd);
    set_classes(d, seven, SNN_BRAILLE_SEVEN, SNN_BRAILLE_TAXELS);
    uint64_t sample = b.bins * SNN_BRAILLE_TAXELS * sizeof(float);
    for (uint64_t i = 0; ok && i < b.samples; i++) {
        snn_sample s = {.first = b.first + i * sample,
                        .size = sample,
                        .path = path,
                        .label = (int32_t)b.label[i],
                        .row = (uint32_t)i,
                        .format = SNN_FORMAT_BRAILLE_BINS};
        ok = snn_table_add(&d->table, &s, err);
    }
    free(b.label);
    return ok;
}

static bool open_file(snn_dataset *d, const char *name, snn_error *err) {
    uint64_t size;
    bool found;
    uint32_t path;
    snn_source source;
    uint8_t start[4] = {0};
    if (!snn_recording_size(d, name, 1, &size, &found, err) ||
        !snn_recording_open(d, name, size, &source, err))
        return false;
    bool ok = size < sizeof start || snn_source_read(&source, 0, sizeof start, start, err);
    close(source.fd);
    d->frames[0] = ok ? snn_path_join(d->folder, name, err) : NULL;
    if (d->frames[0] == NULL || !snn_table_path(&d->table, name, &path, err))
        return false;
    d->info.folder = d->frames[0];
    if (start[0] == PICKLE_FIRST_BYTE)
        return open_letters(d, name, size, path, err);
    if (memcmp(start, "PK\3\4", sizeof start) == 0)
        return open_bins(d, name, size, path, err);
    return snn_fail(err, SNN_ERR_DATA, "%s: neither a pickle of Braille letters nor an archive of torch.save",
                    d->frames[0]);
}

bool snn_braille_open(snn_dataset *d, const snn_config *config, snn_split split, snn_error *err) {
    char *name = NULL;
    d->info.name = "braille";
    if (*snn_config_string(config, "dataset.path") == '\0')
        return snn_config_fail(config, "dataset.path", err,
                               "where are the Braille letters? The data set is at "
                               "https://zenodo.org/record/7050094; give a file like " NAME_START
                               "_10.pkl, or its folder");
    if (split == SNN_SPLIT_TEST)
        return snn_config_fail(config, "dataset.folds", err,
                               "Braille letters have no official test part; dataset.folds = 5 sets a random, "
                               "stratified one of 20 %% apart, dataset.split = \"all\" takes all");
    bool ok = find(d, config, &name, err) && open_file(d, name, err);
    free(name);
    return ok;
}

bool snn_braille_read(const snn_dataset *d, const snn_sample *s, snn_dataset_buffer *b, snn_error *err) {
    if (s->format == SNN_FORMAT_BRAILLE)
        return snn_braille_events(d->braille, (size_t)s->first, &d->info.framing, &b->events, err);
    const char *path = snn_table_text(&d->table, s);
    return snn_recording_read(d, path, s->first, s->size, true, b, err) &&
           (snn_braille_bins_decode(b->bytes, (size_t)s->size, &b->events, err) ||
            snn_error_context(err, "%s/%s: sample %" PRIu32, d->folder, path, s->row));
}
