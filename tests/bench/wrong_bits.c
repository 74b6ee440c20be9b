/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How much of a key must be right: wrong_bits CONFIG ENCRYPTED KEY decrypts with keys that are almost right, and prints a table of what the network still recognises. Bits are missing, or
 * there are random ones too many (of the layers and significances that the key has), or both; 20 draws each. All recordings of both parts; a sealed key takes SNNSIM_PASSPHRASE.
 */
#include <snnsim/snnsim.h>

#include <gsl/gsl_errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DRAWS = 20 };

typedef struct {
    snn_config *config;
    snn_dataset *data;
    snn_model model; /* encrypted */
    snn_key *key;
    snn_weights *plain;
    snn_engine *engine;
    size_t samples;
    snn_spikes *sample; /* [samples] framed once */
    int threads;
} bench;

static bool open_key(bench *b, const char *path, snn_error *err) {
    snn_secret passphrase = {0};
    if (!snn_secret_get(&passphrase, -1, NULL, false, err))
        return false;
    b->key = snn_key_load(path, &passphrase, err);
    snn_secret_free(&passphrase);
    return b->key && (b->plain = snn_decrypt_model(&b->model, b->key, err));
}

static bool frame(bench *b, snn_error *err) {
    snn_dataset_buffer buffer = {0};
    size_t n = snn_dataset_count(b->data);
    bool ok = (b->sample = snn_alloc(n, sizeof *b->sample, "samples", err)) != NULL;
    for (; ok && b->samples < n; b->samples++)
        ok = snn_dataset_frames(b->data, b->samples, &buffer, &b->sample[b->samples], err);
    snn_dataset_buffer_free(&buffer);
    return ok;
}

static bool open_all(bench *b, char **argv, snn_error *err) {
    snn_engine_options o = {.simd = snn_simd_best()};
    if (!(b->config = snn_config_load(argv[1], err)) ||
        !(b->data = snn_dataset_open(b->config, SNN_SPLIT_ALL, err)) ||
        !snn_model_load(&b->model, argv[2], err) || !open_key(b, argv[3], err) || !frame(b, err))
        return false;
    b->threads = snn_threads((int)snn_config_int(b->config, "run.threads"));
    b->engine = snn_engine_new(b->model.net, b->plain, &o, err);
    return b->engine != NULL;
}

/* ---- keys that are almost right ---- */

static bool has(const snn_flip *flip, size_t n, const snn_flip *one) {
    for (size_t i = 0; i < n; i++)
        if (flip[i].tensor == one->tensor && flip[i].index == one->index && flip[i].bit == one->bit)
            return true;
    return false;
}

/* A bit that is not in flip [n], of a weight that its flip changes. */
static snn_flip another(const bench *b, const snn_flip *flip, size_t n, snn_random *r) {
    for (;;) {
        snn_flip f = b->key->flips.flip[snn_random_below(r, (uint32_t)b->key->flips.n)];
        const snn_tensor *t = &b->plain->tensor[f.tensor];
        f.index = snn_random_below(r, (uint32_t)t->count);
        if (snn_weight_q(t, f.index) != 0 && !has(flip, n, &f))
            return f;
    }
}

/* The key without `missing` of its bits and with `more` others. */
static snn_weights *decrypt(const bench *b, size_t missing, size_t more, uint64_t draw, snn_error *err) {
    const snn_flips *key = &b->key->flips;
    size_t n = key->n;
    snn_flip *flip = snn_alloc(n + more, sizeof *flip, "a key", err);
    snn_random r;
    snn_random_init(&r, 1, SNN_PURPOSE_TEST, draw);
    if (!flip)
        return NULL;
    memcpy(flip, key->flip, n * sizeof *flip);
    for (size_t i = 0; i < more; i++, n++)
        flip[n] = another(b, flip, n, &r);
    for (size_t i = 0; i < missing; i++)
        flip[snn_random_below(&r, (uint32_t)(key->n - i))] = flip[key->n - i - 1];
    if (missing)
        memmove(flip + key->n - missing, flip + key->n, more * sizeof *flip);
    snn_flips wrong = {n - missing, flip};
    snn_weights *w = snn_weights_apply(b->model.weights, &wrong, err);
    free(flip);
    return w;
}

/* ---- the table ---- */

/* Recordings that the network with these weights calls right. */
static bool count_right(const bench *b, const snn_weights *w, size_t *right, snn_error *err) {
    size_t n = 0;
    bool ok = snn_engine_set_weights(b->engine, w, err);
#pragma omp parallel num_threads(b->threads) reduction(+ : n) reduction(&& : ok)
    {
        snn_result r = {0};
        snn_workspace *workspace = snn_workspace_new(b->engine, NULL);
        ok = ok && workspace && snn_result_init(&r, b->model.net, snn_dataset_about(b->data)->steps, NULL);
#pragma omp for
        for (size_t i = 0; i < b->samples; i++)
            if (ok && (ok = snn_engine_run(b->engine, &b->sample[i], i, workspace, NULL, &r, NULL)))
                n += r.predicted == snn_dataset_label(b->data, i);
        snn_result_free(&r);
        snn_workspace_free(workspace);
    }
    *right = n;
    return ok || snn_fail(err, SNN_ERR_RUNTIME, "the network cannot be run");
}

static bool cell(const bench *b, size_t missing, size_t more, snn_error *err) {
    double sum = 0, least = 1, most = 0;
    int draws = missing + more ? DRAWS : 1;
    for (int draw = 0; draw < draws; draw++) {
        size_t right;
        snn_weights *w = decrypt(b, missing, more, (uint64_t)draw, err);
        bool ok = w && count_right(b, w, &right, err);
        snn_weights_free(w);
        if (!ok)
            return false;
        double a = (double)right / (double)b->samples;
        sum += a;
        least = a < least ? a : least;
        most = a > most ? a : most;
    }
    printf(" %.1f (%.1f to %.1f) |", 100 * sum / draws, 100 * least, 100 * most);
    fflush(stdout);
    return true;
}

static bool table(const bench *b, snn_error *err) {
    size_t keyed = b->key->flips.n;
    const size_t wrong[] = {0, 1, 2, 5, keyed / 4, keyed / 2, 3 * keyed / 4};
    printf("| wrong bits of %zu | missing | too many | at the wrong place |\n|---|---|---|---|\n", keyed);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (wrong[i] > keyed || (i > 0 && wrong[i] <= wrong[i - 1]))
            continue;
        printf("| %zu |", wrong[i]);
        if (!cell(b, wrong[i], 0, err) || !cell(b, 0, wrong[i], err) || !cell(b, wrong[i], wrong[i], err))
            return false;
        putchar('\n');
    }
    return true;
}

int main(int argc, char **argv) {
    bench b = {0};
    snn_error err = {0};
    gsl_set_error_handler_off();
    if (argc != 4 || sodium_init() < 0) {
        fputs("usage: wrong_bits CONFIG ENCRYPTED KEY\n", stderr);
        return SNN_ERR_USAGE;
    }
    bool ok = open_all(&b, argv, &err) && table(&b, &err);
    if (!ok)
        fprintf(stderr, "wrong_bits: %s\n", err.text);
    for (size_t i = 0; i < b.samples; i++)
        snn_spikes_free(&b.sample[i]);
    free(b.sample);
    snn_engine_free(b.engine);
    snn_weights_free(b.plain);
    snn_key_free(b.key);
    snn_model_free(&b.model);
    snn_dataset_free(b.data);
    snn_config_free(b.config);
    return ok ? 0 : (int)err.code;
}
