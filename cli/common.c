/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Steps that several commands take: errors and exit codes, interrupts, the config, the model. */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the end of a command ---- */

int cli_finish(bool ok, const snn_error *err) {
    snn_error local = {0};
    if ((fflush(stdout) || ferror(stdout)) && ok) {
        ok = snn_fail_errno(&local, "cannot write to standard output");
        err = &local;
    }
    if (ok)
        return SNN_OK;
    fprintf(stderr, "snnsim: %s\n", err->text);
    return err->code ? (int)err->code : (int)SNN_ERR_RUNTIME;
}

/* The only global state of the program: a signal handler can reach nothing else. */
static volatile sig_atomic_t interrupted;

static void on_signal(int number) {
    (void)number;
    interrupted = 1;
}

volatile sig_atomic_t *cli_catch_interrupts(void) {
    /* The second signal ends the program at once: some steps (exact wires, many spare lines) do not look at the flag for long. */
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART | (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return &interrupted;
}

/* ---- config ---- */

snn_config *cli_config(const cli_common *common, snn_error *err) {
    snn_config *config = snn_config_load(common->config, err);
    for (size_t i = 0; config && i < common->assignments; i++)
        if (!snn_config_set(config, common->assignment[i], err)) {
            snn_config_free(config);
            return NULL;
        }
    return config;
}

snn_split cli_split(const snn_config *config) {
    const char *name = snn_config_string(config, "dataset.split");
    return !strcmp(name, "train") ? SNN_SPLIT_TRAIN : !strcmp(name, "all") ? SNN_SPLIT_ALL : SNN_SPLIT_TEST;
}

/* ---- model ---- */

const char *cli_model_path(const snn_config *config, const char *option, snn_error *err) {
    const char *path = option ? option : snn_config_string(config, "model.path");
    if (*path)
        return path;
    if (option)
        snn_fail(err, SNN_ERR_USAGE, "--model: the name of the file is empty");
    else
        snn_fail(err, SNN_ERR_USAGE, "%s: no model given: set model.path or use --model FILE",
                 snn_config_path(config));
    return NULL;
}

bool cli_same_file(const char *a, const char *b) {
    struct stat x, y;
    return !strcmp(a, b) || (!stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

bool cli_model_target(const char *path, snn_error *err) {
    static const char model[] = "snnsim model", hdf5[] = "\x89HDF";
    char start[sizeof model - 1];
    struct stat st;
    FILE *f = stat(path, &st) == 0 && S_ISREG(st.st_mode) ? fopen(path, "rb") : NULL;
    if (!f)
        return true; /* nothing there, or an error that writing will report */
    size_t n = fread(start, 1, sizeof start, f);
    fclose(f);
    if (!n || (n == sizeof start && !memcmp(start, model, n)) ||
        (n > strlen(hdf5) && !memcmp(start, hdf5, strlen(hdf5))))
        return true;
    return snn_fail(err, SNN_ERR_USAGE, "%s: is no model, and is not replaced by one", path);
}

/* Is there no such file where snn_model_load looks for it? */
static bool model_missing(const char *path) {
    if (!access(path, F_OK) || errno != ENOENT)
        return false;
    if (strchr(path, '/'))
        return true;
    const char *installed = getenv("SNNSIM_MODELS");
    const char *const folders[] = {"models", installed && *installed ? installed : SNN_MODEL_DIR};
    char buf[4096];
    for (size_t i = 0; i < 2; i++) {
        snprintf(buf, sizeof buf, "%s/%s", folders[i], path);
        if (!access(buf, F_OK))
            return false;
    }
    return true;
}

bool cli_model_load(const snn_config *config, const char *option, snn_model *model, const char **path,
                    snn_error *err) {
    *path = cli_model_path(config, option, err);
    if (!*path)
        return false;
    if (model_missing(*path))
        return snn_fail(err, SNN_ERR_DATA, "there is no model %s; make it with: snnsim train %s%s%s", *path,
                        snn_config_path(config), option ? " --model " : "", option ? option : "");
    return snn_model_load(model, *path, err);
}

/* ---- network ---- */

/* Input of the config's network without opening the recordings: sensors of N-MNIST (Orchard et al. 2015) and the DVS128. */
static bool input_shape(const snn_config *config, snn_shape *shape, snn_error *err) {
    const char *name = snn_config_string(config, "dataset.name");
    uint32_t side = !strcmp(name, "nmnist") ? 34 : !strcmp(name, "dvs128_gesture") ? 128 : 0;
    bool units = !strcmp(name, "shd"); /* 700 in a line, one channel */
    uint32_t s[3];
    if (side || units) {
        snn_framing framing = {.downsample = (int)snn_config_int(config, "dataset.downsample"),
                               .merge_polarity = snn_config_bool(config, "dataset.merge_polarity"),
                               .repeat = (int)snn_config_int(config, "dataset.repeat")};
        snn_framing_shape(&framing, units ? 1 : 2, units ? 1 : side, units ? 700 : side, s);
    } else {
        snn_dataset *data = snn_dataset_open(config, cli_split(config), err);
        if (!data)
            return false;
        memcpy(s, snn_dataset_about(data)->input, sizeof s);
        snn_dataset_free(data);
    }
    *shape = (snn_shape){s[0], s[1], s[2]};
    return true;
}

snn_net *cli_net(const snn_config *config, snn_error *err) {
    snn_shape shape;
    return input_shape(config, &shape, err) ? snn_net_from_config(config, shape, err) : NULL;
}

const char *cli_source(const snn_dataset_info *about) {
    if (*about->folder)
        return about->folder;
    return strcmp(about->name, "npy") ? "synthetic camera" : "current folder";
}

const char *cli_layer_type(snn_layer_type type) {
    switch (type) {
    case SNN_LAYER_LINEAR:
        return "linear";
    case SNN_LAYER_CONV2D:
        return "conv2d";
    case SNN_LAYER_POOL_MAX:
        return "pool_max";
    case SNN_LAYER_POOL_SUM:
        return "pool_sum";
    case SNN_LAYER_POOL_AVERAGE:
        return "pool_average";
    case SNN_LAYER_FLATTEN:
        return "flatten";
    }
    return "?";
}

/* ---- quantities ---- */

/* Three significant digits with a prefix of the SI. */
static const char *scaled(double x, const char *unit, char *buf, size_t size) {
    static const char *const prefix[] = {"", "k", "M", "G", "T", "P"};
    size_t p = 0;
    while (x >= 999.5 && p + 1 < sizeof prefix / sizeof *prefix) {
        x /= 1000;
        p++;
    }
    int decimals = p == 0 && x == (double)(long long)x ? 0 : x < 9.995 ? 2 : x < 99.95 ? 1 : 0;
    snprintf(buf, size, "%.*f%s%s%s", decimals, x, *prefix[p] || *unit ? " " : "", prefix[p], unit);
    return buf;
}

const char *cli_size(double bytes, char *buf, size_t size) {
    return scaled(bytes, "B", buf, size);
}

const char *cli_count(double n, char *buf, size_t size) {
    return scaled(n, "", buf, size);
}

const char *cli_seconds(double seconds, char *buf, size_t size) {
    if (seconds >= 172800)
        snprintf(buf, size, "%.4g days", seconds / 86400);
    else if (seconds >= 60)
        snprintf(buf, size, "%d min %02d s", (int)seconds / 60, (int)seconds % 60);
    else if (seconds >= 1 || seconds <= 0)
        snprintf(buf, size, "%.2f s", seconds);
    else if (seconds >= 1e-3)
        snprintf(buf, size, "%.3g ms", seconds * 1e3);
    else
        snprintf(buf, size, "%.3g us", seconds * 1e6);
    return buf;
}
