/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A model in memory, and where model files are looked for. */
#include <snnsim/model.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void snn_model_free(snn_model *m) {
    if (m == NULL)
        return;
    snn_net_free(m->net);
    snn_weights_free(m->weights);
    free(m->record);
    free(m->origin);
    *m = (snn_model){0};
}

static bool is_file(const char *path) {
    struct stat s;
    return stat(path, &s) == 0 && S_ISREG(s.st_mode);
}

bool snn_model_find(const char *name, char *path, size_t size, snn_error *err) {
    const char *installed = getenv("SNNSIM_MODELS");
    if (installed == NULL || installed[0] == '\0')
        installed = SNN_MODEL_DIR;
    const char *folder[] = {NULL, "models", installed};
    int folders = strchr(name, '/') == NULL ? 3 : 1;
    for (int i = 0; i < folders; i++) {
        int n = folder[i] == NULL ? snprintf(path, size, "%s", name)
                                  : snprintf(path, size, "%s/%s", folder[i], name);
        if (n < 0 || (size_t)n >= size)
            return snn_fail(err, SNN_ERR_DATA, "%.100s...: the name of a model is too long", name);
        if (is_file(path))
            return true;
    }
    struct stat s;
    if (stat(name, &s) == 0)
        return snn_fail(err, SNN_ERR_DATA, "%s: not a regular file, expected a model", name);
    if (folders == 1)
        return snn_fail(err, SNN_ERR_DATA, "%s: no such model", name);
    return snn_fail(err, SNN_ERR_DATA, "%s: no such model (looked in the current folder, models/ and %s)",
                    name, installed);
}
