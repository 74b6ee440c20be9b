/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands that run a network on the tile: opening model, key, decryptor and data, and running the samples. */
#include "hw_tile.h"
#include "key.h"
#include "chips.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool cli_tile_take(void *context, int option, const char *value, snn_error *err) {
    cli_tile *t = context;
    switch (option) {
    case OPTION_TILE_MODEL:
        t->model_option = value;
        return true;
    case OPTION_TILE_KEY:
        t->key_path = value;
        return true;
    case OPTION_TILE_FD:
        return cli_descriptor("--passphrase-fd", value, &t->key_fd, err);
    case OPTION_TILE_DECRYPTOR:
        t->decryptor = value;
        return true;
    case OPTION_TILE_SAMPLES:
        return cli_number("--samples", value, 0, 1000000000, &t->samples, err);
    case OPTION_TILE_ROWS:
        t->rows_path = value;
        return true;
    default:
        t->library = value;
        return true;
    }
}

/* ---- opening ---- */

/* Without hw.device only the layout counts, which does not depend on the kind of cell. */
static bool open_chip(cli_tile *t, snn_error *err) {
    if (!snn_hw_wanted(t->config) && !snn_config_set(t->config, "hw.device=ideal", err))
        return false;
    if (!snn_hw_layout_from_config(t->config, &t->options, err))
        return false;
    return t->options.readout == SNN_READOUT_DIGITAL ||
           snn_config_fail(t->config, "hw.readout", err,
                           "is analog: summed currents have no row words that a decryptor could open");
}

static bool open_key(cli_tile *t, snn_error *err) {
    if (!t->key_path)
        return (t->plain = snn_weights_copy(t->model.weights, err));
    t->key = cli_key_load(t->key_path, t->key_fd, err);
    if (!t->key)
        return false;
    t->plain = snn_decrypt_model(&t->model, t->key, err);
    return t->plain || snn_error_context(err, "model %s with key %s", t->model_path, t->key_path);
}

static bool open_rows(cli_tile *t, snn_error *err) {
    const snn_flips none = {0};
    if (!(t->map = snn_map_new(t->model.net, t->model.weights, &t->options.map, err)) ||
        !(t->rows = snn_rows_new(t->map, err)))
        return false;
    t->keys = t->key ? t->key->flips.n : 0;
    return (t->bit = snn_provision_bits(t->rows, t->key ? &t->key->flips : &none, err));
}

/* Stored are the model's codes where single bits are keyed; a cipher encrypts all bits that it reaches, so what it stores is made from the plain weights. */
static bool open_store(cli_tile *t, snn_error *err) {
    const snn_decryptor_shape *s = &t->shape.decryptor;
    const uint64_t seed = t->key ? t->key->seed : (uint64_t)snn_config_int(t->config, "seed");
    const bool own = s->kind == SNN_DEC_PRINCE || s->kind == SNN_DEC_AES || s->kind == SNN_DEC_XOR;
    if (!snn_provision_make(&t->provision, s, t->bit, t->keys, seed, err) ||
        !(t->stored = snn_rows_fill(t->rows, own ? t->plain : t->model.weights, err)))
        return false;
    snn_decryptor *d = own ? snn_decryptor_new(s, err) : NULL;
    if (own && d) {
        snn_provision_load(&t->provision, d);
        snn_provision_cipher(d, t->stored, t->rows->rows);
    }
    snn_decryptor_free(d);
    return !own || d;
}

static bool open_network(cli_tile *t, snn_error *err) {
    if (!(t->network = snn_tile_network_new(t->model.net, t->model.weights, t->rows, &t->shape, t->stored,
                                            &t->provision, err)))
        return false;
    char want[65], got[65];
    snn_weights_digest(t->shape.decryptor.kind == SNN_DEC_PASS ? t->model.weights : t->plain, want);
    snn_weights_digest(snn_tile_network_weights(t->network), got);
    return !strcmp(want, got) ||
           snn_fail(err, SNN_ERR_RUNTIME, "the decryptor does not give the plain weights");
}

static bool open_data(cli_tile *t, snn_error *err) {
    const size_t limit = (size_t)t->samples;
    t->data = snn_dataset_open(t->config, cli_split(t->config), err);
    if (!t->data || !cli_check_network(t->config, snn_dataset_about(t->data), &t->model, t->model_path, err))
        return false;
    const size_t count = snn_dataset_count(t->data);
    t->samples = limit && limit < count ? limit : count;
    return t->samples > 0 || snn_fail(err, SNN_ERR_DATA, "there is no sample to run");
}

static bool check_library(const cli_tile *t, snn_error *err) {
    for (size_t i = 0; t->library && i < t->libraries; i++)
        if (!strcmp(t->library, t->synthesis[i].library))
            return true;
    return !t->library ||
           snn_fail(err, SNN_ERR_USAGE, "--library %s: there are no results of synthesis for it", t->library);
}

bool cli_tile_open(cli_tile *t, snn_error *err) {
    if (t->key_fd >= 0 && !t->key_path)
        return snn_fail(err, SNN_ERR_USAGE, "--passphrase-fd needs --key FILE");
    if (!(t->config = cli_config(&t->common, err)) || !open_chip(t, err) ||
        !snn_synthesis_all(&t->synthesis, &t->libraries, err) || !check_library(t, err) ||
        !cli_model_load(t->config, t->model_option, &t->model, &t->model_path, err) || !open_key(t, err) ||
        !open_rows(t, err))
        return false;
    return snn_tile_shape_from_config(t->config, t->rows, t->bit, t->keys, t->decryptor, &t->shape, err) &&
           open_store(t, err) && open_network(t, err) && open_data(t, err) &&
           (t->traffic = snn_alloc((size_t)t->rows->tensors, sizeof *t->traffic, "traffic", err));
}

void cli_tile_free(cli_tile *t) {
    for (size_t i = 0; i < t->libraries; i++)
        snn_synthesis_free(&t->synthesis[i]);
    free(t->synthesis);
    free(t->traffic);
    snn_tile_network_free(t->network);
    snn_dataset_free(t->data);
    free(t->stored);
    snn_provision_free(&t->provision);
    free(t->bit);
    snn_rows_free(t->rows);
    snn_map_free(t->map);
    snn_weights_free(t->plain);
    snn_key_free(t->key);
    snn_model_free(&t->model);
    snn_hw_options_free(&t->options);
    snn_config_free(t->config);
    cli_common_free(&t->common);
}

/* ---- running ---- */

static bool write_row(void *context, uint32_t row, snn_error *err) {
    return fprintf(context, "%" PRIu32 "\n", row) > 0 || snn_fail_errno(err, "cannot write row addresses");
}

static bool run_samples(cli_tile *t, FILE *rows, volatile sig_atomic_t *stop, snn_error *err) {
    snn_dataset_buffer buffer = {0};
    snn_spikes x = {0};
    snn_progress *p = snn_progress_begin("tile", "samples", t->samples, !t->common.quiet);
    bool ok = true;
    for (size_t i = 0; ok && i < t->samples; i++) {
        int predicted = -1;
        ok = (!*stop || snn_fail(err, SNN_ERR_INTERRUPTED, "interrupted")) &&
             snn_dataset_frames(t->data, i, &buffer, &x, err) &&
             snn_tile_network_run(t->network, &x, i, rows ? write_row : NULL, rows, t->traffic, &predicted,
                                  err);
        t->right += ok && predicted == snn_dataset_label(t->data, i);
        t->ran += ok;
        snn_progress_update(p, i + 1);
    }
    snn_progress_end(p);
    snn_spikes_free(&x);
    snn_dataset_buffer_free(&buffer);
    return ok;
}

static bool check_equal(const cli_tile *t, snn_error *err) {
    for (int i = 0; i < t->rows->tensors; i++)
        if (t->traffic[i].differences > 0)
            return snn_fail(err, SNN_ERR_RUNTIME,
                            "layer %s: %" PRIu64 " membranes and spikes of the tile are not the engine's",
                            t->rows->tensor[i].name, t->traffic[i].differences);
    return true;
}

bool cli_tile_run(cli_tile *t, snn_error *err) {
    volatile sig_atomic_t *stop = cli_catch_interrupts();
    snn_file *f = t->rows_path ? snn_file_create(t->rows_path, 0644, err) : NULL;
    if (t->rows_path && !f)
        return false;
    const double start = snn_now();
    const bool ok = run_samples(t, f ? snn_file_stream(f) : NULL, stop, err) && check_equal(t, err);
    t->seconds = snn_now() - start;
    if (f && !ok)
        snn_file_abandon(f);
    return ok && (!f || snn_file_commit(f, err));
}

const snn_synthesis *cli_tile_library(const cli_tile *t, size_t *i) {
    for (; *i < t->libraries; ++*i)
        if (!t->library || !strcmp(t->library, t->synthesis[*i].library))
            return &t->synthesis[(*i)++];
    return NULL;
}

const char *cli_energy(double pj, char *buf, size_t size) {
    static const char *const unit[] = {"pJ", "nJ", "uJ", "mJ"};
    size_t u = 0;
    if (isnan(pj)) {
        snprintf(buf, size, "not known");
        return buf;
    }
    while (fabs(pj) >= 1000 && u + 1 < sizeof unit / sizeof *unit) {
        pj /= 1000;
        u++;
    }
    snprintf(buf, size, "%.4g %s", pj, unit[u]);
    return buf;
}
