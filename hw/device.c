/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The device file: finding it, reading it, and what section `cell` of the main configuration overrides. */
#include "device_internal.h"

#include <snnsim/output.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#ifndef SNN_DEVICE_DIR
#define SNN_DEVICE_DIR "/usr/local/share/snnsim/devices"
#endif

/* ---- finding the file ---- */

static bool is_file(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

static const char *installed_folder(void) {
    const char *folder = getenv("SNNSIM_DEVICES");
    return folder && *folder ? folder : SNN_DEVICE_DIR;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(a, b);
}

/* Names of the presets in a folder, "a, b, c" (cut off when there are many); false when there are none. */
static bool list_presets(const char *folder, char *text, size_t size) {
    char names[64][64];
    size_t n = 0, used = 0;
    DIR *d = opendir(folder);
    for (const struct dirent *e; d && n < 64 && (e = readdir(d));) {
        size_t length = strlen(e->d_name);
        if (length > 4 && length - 4 < sizeof names[0] && strcmp(e->d_name + length - 4, ".cfg") == 0)
            snprintf(names[n++], sizeof names[0], "%.*s", (int)(length - 4), e->d_name);
    }
    if (d)
        closedir(d);
    qsort(names, n, sizeof names[0], compare_names);
    for (size_t i = 0; i < n && used + strlen(names[i]) + 3 < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", names[i]);
    return n > 0;
}

static bool fail_unknown(const snn_config *c, const char *name, snn_error *err) {
    char presets[400];
    if (!list_presets("hw/devices", presets, sizeof presets) &&
        !list_presets(installed_folder(), presets, sizeof presets))
        return snn_config_fail(c, "hw.device", err,
                               "'%.100s' is no file, and there are no presets in ./hw/devices and %s", name,
                               installed_folder());
    return snn_config_fail(c, "hw.device", err, "'%.100s' is neither a preset (%s) nor a file", name,
                           presets);
}

/* Path of the device file that hw.device names: a preset in ./hw/devices or the installed ones, or a file. The caller frees it. */
static char *find_file(const snn_config *c, snn_error *err) {
    const char *name = snn_config_string(c, "hw.device");
    size_t length = strlen(name);
    if (length == 0) {
        snn_config_fail(c, "hw.device", err,
                        "no device is set; give a preset such as neurram, or a device file");
        return NULL;
    }
    char *path = NULL;
    if (strchr(name, '/') || (length > 4 && strcmp(name + length - 4, ".cfg") == 0)) {
        /* A bare file name stands for the current folder, never for ./configs. */
        path = malloc(length + 3);
        if (path)
            snprintf(path, length + 3, "%s%s", strchr(name, '/') ? "" : "./", name);
        if (path && !is_file(path)) {
            free(path);
            snn_config_fail(c, "hw.device", err, "there is no file '%.300s'", name);
            return NULL;
        }
    } else {
        const char *folders[] = {"hw/devices", installed_folder()};
        for (int i = 0; i < 2; i++) {
            size_t size = strlen(folders[i]) + length + sizeof "/.cfg";
            free(path);
            path = malloc(size);
            if (!path)
                break;
            snprintf(path, size, "%s/%s.cfg", folders[i], name);
            if (is_file(path))
                return path;
        }
        if (path) {
            free(path);
            fail_unknown(c, name, err);
            return NULL;
        }
    }
    if (!path)
        snn_fail(err, SNN_ERR_RUNTIME, "device file: out of memory");
    return path;
}

static void take_name(snn_device *d, const char *path) {
    const char *slash = strrchr(path, '/'), *from = slash ? slash + 1 : path;
    size_t n = strlen(from);
    if (n > 4 && strcmp(from + n - 4, ".cfg") == 0)
        n -= 4;
    snprintf(d->name, sizeof d->name, "%.*s", (int)n, from);
}

/* A device file holds a cell and nothing else: what else stood there would silently do nothing. */
static bool only_cell(const snn_config *file, snn_error *err) {
    for (const snn_config_key *k = snn_config_keys; k->path; k++)
        if (!strchr(k->path, '.') && strcmp(k->path, "cell") != 0 && snn_config_given(file, k->path))
            return snn_config_fail(file, k->path, err, "a device file has only the section 'cell'");
    if (!snn_config_given(file, "cell"))
        return snn_fail(err, SNN_ERR_USAGE, "%s: a device file needs the section 'cell'",
                        snn_config_path(file));
    return true;
}

/* ---- reading ---- */

const snn_config *snn_device_owner(const snn_device_source *s, const char *path) {
    return snn_config_given(s->main, path) ? s->main : s->file;
}

static double number(const snn_device_source *s, const char *path) {
    return snn_config_float(snn_device_owner(s, path), path);
}

/* One of a few words: its place in the list. */
static int choice(const snn_device_source *s, const char *path, const char *const *words) {
    const char *value = snn_config_string(snn_device_owner(s, path), path);
    int i = 0;
    while (words[i + 1] && strcmp(words[i], value) != 0)
        i++;
    return i;
}

static bool polynomial(const snn_config *c, const char *path, snn_polynomial *p, snn_error *err) {
    int n = snn_config_count(c, path);
    if (n > SNN_TERMS)
        return snn_config_fail(c, path, err, "has %d coefficients, at most %d are possible", n, SNN_TERMS);
    p->terms = n;
    for (int i = 0; i < n; i++)
        p->c[i] = snn_config_float_at(c, path, i);
    return true;
}

static bool read_program(const snn_device_source *s, snn_device *d, snn_error *err) {
    static const char *const forms[] = {"normal", "lognormal", NULL};
    const char *path = "cell.program.sigma";
    const snn_config *c = snn_device_owner(s, path);
    d->lognormal = choice(s, "cell.program.form", forms) == 1;
    if (!d->lognormal)
        return polynomial(c, path, &d->sigma_program, err);
    int n = snn_config_count(c, path);
    if (n < 1)
        return snn_config_fail(snn_device_owner(s, "cell.program.form"), "cell.program.form", err,
                               "'lognormal' needs cell.program.sigma");
    if (n > 2)
        return snn_config_fail(
            c, path, err, "has %d numbers; form 'lognormal' takes one, or two (at g_min and at g_max)", n);
    d->lognormal_hrs = snn_config_float_at(c, path, 0);
    d->lognormal_sigma = snn_config_float_at(c, path, n - 1);
    return true;
}

static bool read_points(const snn_device_source *s, snn_device *d, snn_error *err) {
    const char *list = "cell.retention.points";
    const snn_config *c = snn_device_owner(s, list);
    d->points = snn_config_count(c, list);
    if (d->points < 1)
        return snn_config_fail(snn_device_owner(s, "cell.retention.form"), "cell.retention.form", err,
                               "'table' needs at least one of cell.retention.points");
    if (d->points > SNN_RETENTION_POINTS)
        return snn_config_fail(c, list, err, "has %d points, at most %d are possible", d->points,
                               SNN_RETENTION_POINTS);
    for (int i = 0; i < d->points; i++) {
        snn_retention_point *p = &d->point[i];
        char path[96];
        snprintf(path, sizeof path, "%s[%d].seconds", list, i);
        if (!snn_config_given(c, path))
            return snn_config_fail(c, list, err, "point %d (from 0) has no 'seconds'", i);
        p->seconds = snn_config_float(c, path);
        snprintf(path, sizeof path, "%s[%d].shift", list, i);
        if (!polynomial(c, path, &p->shift, err))
            return false;
        snprintf(path, sizeof path, "%s[%d].sigma", list, i);
        if (!polynomial(c, path, &p->sigma, err))
            return false;
    }
    return true;
}

static bool read_retention(const snn_device_source *s, snn_device *d, snn_error *err) {
    static const char *const forms[] = {"none", "table", "log", "power", NULL};
    d->retention = (snn_retention_form)choice(s, "cell.retention.form", forms);
    d->t0 = number(s, "cell.retention.t0");
    d->mean_per_ln = number(s, "cell.retention.mean_per_ln");
    d->sigma_per_ln = number(s, "cell.retention.sigma_per_ln");
    d->sigma_0 = number(s, "cell.retention.sigma_0");
    d->exponent = number(s, "cell.retention.exponent");
    d->activation_ev = number(s, "cell.retention.activation_ev");
    d->reference_kelvin = number(s, "cell.retention.kelvin");
    return d->retention != SNN_RETENTION_TABLE || read_points(s, d, err);
}

static void read_numbers(const snn_device_source *s, snn_device *d) {
    const struct {
        const char *path;
        double *to;
    } keys[] = {
        {"cell.g_min", &d->g_min},
        {"cell.g_max", &d->g_max},
        {"cell.variation.cell", &d->cell_variation},
        {"cell.variation.chip", &d->chip_variation},
        {"cell.noise.white", &d->white},
        {"cell.noise.telegraph_share", &d->telegraph_share},
        {"cell.noise.telegraph_step", &d->telegraph_step},
        {"cell.noise.telegraph_amplitude", &d->telegraph_amplitude},
        {"cell.noise.one_over_f", &d->one_over_f},
        {"cell.noise.one_over_f_log", &d->one_over_f_log},
        {"cell.noise.one_over_f_time", &d->one_over_f_time},
        {"cell.faults.stuck_hrs", &d->stuck_hrs},
        {"cell.faults.stuck_lrs", &d->stuck_lrs},
        {"cell.faults.cluster", &d->stuck_cluster},
        {"cell.disturb.change", &d->disturb},
        {"cell.disturb.reads", &d->disturb_reads},
        {"cell.sense.offset", &d->sense_offset},
        {"cell.sense.noise", &d->sense_noise},
        {"cell.read_volt", &d->read_volt},
        {"cell.read_ns", &d->read_ns},
        {"cell.write_volt", &d->write_volt},
        {"cell.write_ns", &d->write_ns},
        {"cell.endurance", &d->endurance},
        {"cell.node_nm", &d->node_nm},
        {"cell.row_ohm", &d->row_ohm},
        {"cell.column_ohm", &d->column_ohm},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        *keys[i].to = number(s, keys[i].path);
}

static bool read_device(const snn_device_source *s, snn_device *d, snn_error *err) {
    read_numbers(s, d);
    d->levels = (int)snn_config_int(snn_device_owner(s, "cell.levels"), "cell.levels");
    d->source = strdup(snn_config_string(snn_device_owner(s, "cell.source"), "cell.source"));
    if (!d->source)
        return snn_fail(err, SNN_ERR_RUNTIME, "device '%s': out of memory", d->name);
    return read_program(s, d, err) && read_retention(s, d, err) && snn_device_check(s, d, err);
}

bool snn_device_from_config(const snn_config *config, snn_device *d, snn_error *err) {
    *d = (snn_device){0};
    char *path = find_file(config, err);
    snn_config *file = path ? snn_config_load(path, err) : NULL;
    bool ok = false;
    if (file) {
        take_name(d, path);
        ok = only_cell(file, err) && read_device(&(snn_device_source){config, file}, d, err);
    }
    snn_config_free(file);
    free(path);
    if (!ok)
        snn_device_free(d);
    return ok;
}

void snn_device_free(snn_device *d) {
    if (!d)
        return;
    free(d->source);
    *d = (snn_device){0};
}
