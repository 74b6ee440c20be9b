/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading model files (layout: see model_write.c). The file is not trusted: only hard links are followed, only plain storage with built-in filters
 * is read, every type and size is compared with what the network asks for before memory is taken, and a file must hold at least as many bytes as the
 * best compression of its announced data would need.
 */
#include "model_format.h"
#include "weights_internal.h"

#include <snnsim/digest.h>
#include <snnsim/model.h>

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef snn_hdf5_reader reader;

static bool check_digest(const reader *r, hid_t object, const char *name, const char *expected,
                         const char *what) {
    char stored[SNN_NAME + 65];
    if (!snn_hdf5_get_string(r, object, "/snnsim", name, stored, sizeof stored))
        return false;
    if (strcmp(stored, expected) == 0)
        return true;
    return snn_fail(r->err, SNN_ERR_DATA,
                    "%s: the %s do not match their digest: the file was damaged or changed", r->path, what);
}

/* ---- the model ---- */

static bool read_network(const reader *r, hid_t group, snn_model *m) {
    char digest[65];
    char *json = snn_hdf5_get_text(r, group, "/snnsim", "network", SNN_MODEL_TEXT_MAX);
    if (json == NULL)
        return false;
    snn_digest_text(json, digest);
    if (check_digest(r, group, "network_digest", digest, "network's bytes"))
        m->net = snn_net_from_json(json, r->path, r->err);
    free(json);
    return m->net != NULL;
}

/* A text that a model may have, and its digest. */
static bool read_text(const reader *r, hid_t group, const char *name, const char *digest_name,
                      const char *what, char **text) {
    char digest[65];
    if (H5Lexists(group, name, H5P_DEFAULT) == 0)
        return true;
    *text = snn_hdf5_get_text(r, group, "/snnsim", name, SNN_MODEL_TEXT_MAX);
    if (*text == NULL)
        return false;
    snn_digest_text(*text, digest);
    return check_digest(r, group, digest_name, digest, what);
}

static bool read_texts(const reader *r, hid_t group, snn_model *m) {
    return read_text(r, group, "record", "record_digest", "training record's bytes", &m->record) &&
           read_text(r, group, "origin", "origin_digest", "origin's bytes", &m->origin);
}

static bool read_weights(const reader *r, hid_t group, snn_model *m) {
    snn_weights *shell = snn_weights_shell_for(m->net, r->err);
    if (shell != NULL)
        m->weights = snn_weights_get(r, group, shell->tensor, shell->tensors);
    snn_weights_free(shell);
    return m->weights != NULL;
}

static bool read_group(const reader *r, hid_t group, snn_model *m) {
    int32_t format;
    if (!snn_hdf5_get_int(r, group, "/snnsim", "format", &format))
        return false;
    if (format != SNN_MODEL_FORMAT)
        return snn_fail(r->err, SNN_ERR_DATA, "%s: format %" PRId32 " is not known (this snnsim knows %d)",
                        r->path, format, SNN_MODEL_FORMAT);
    if (!read_network(r, group, m) || !read_texts(r, group, m) || !read_weights(r, group, m))
        return false;
    snn_weights_digest(m->weights, m->digest);
    return check_digest(r, group, "digest", m->digest, "weights");
}

static bool read_file(const reader *r, snn_model *m) {
    hid_t file = snn_hdf5_open_file(r);
    if (file < 0)
        return false;
    hid_t group = snn_hdf5_open(r, file, "", "snnsim", H5I_GROUP);
    bool ok = group >= 0 && read_group(r, group, m);
    if (group >= 0)
        H5Gclose(group);
    H5Fclose(file);
    return ok;
}

typedef struct {
    const char *path;
    snn_model *m;
} job;

static bool load(void *context, snn_error *err) {
    const job *j = context;
    snn_hdf5_guard guard;
    snn_hdf5_enter(&guard);
    uint64_t budget = 0;
    reader r = {j->path, "model", &guard, &budget, err};
    bool ok = read_file(&r, j->m);
    snn_hdf5_leave(&guard);
    if (!ok)
        snn_model_free(j->m);
    return ok;
}

bool snn_model_load(snn_model *m, const char *name, snn_error *err) {
    char path[PATH_MAX];
    bool block;          /* files of other tools have none */
    snn_error own = {0}; /* so that err may be NULL */
    job j = {path, m};
    *m = (snn_model){0};
    err = err ? err : &own;
    return snn_model_find(name, path, sizeof path, err) &&
           snn_hdf5_block_check(path, SNN_MODEL_LINE, &block, err) &&
           (block || snn_hdf5_vet(path, load, &j, err)) && load(&j, err);
}
