/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Encrypts random bits of a model, without a search: encrypt_random MODEL BITS SEED ENCRYPTED KEY [TOP] writes the encrypted model and its key in clear; only the TOP most
 * significant bits of weights are drawn (default: all). For tests of everything that comes after a search.
 */
#include <snnsim/snnsim.h>

#include <stdio.h>
#include <stdlib.h>

static uint64_t bits_of(const snn_tensor *t, uint64_t top) {
    return top < (uint64_t)t->bits ? top : (uint64_t)t->bits;
}

/* Bit number `at` of all these bits of the weights, counted through tensors, weights, bits. */
static snn_flip bit_at(const snn_weights *w, uint64_t top, uint64_t at) {
    uint32_t t = 0;
    while (at >= w->tensor[t].count * bits_of(&w->tensor[t], top)) {
        at -= w->tensor[t].count * bits_of(&w->tensor[t], top);
        t++;
    }
    uint64_t bits = bits_of(&w->tensor[t], top);
    return (snn_flip){.tensor = t, .bit = (uint32_t)(at % bits), .index = at / bits};
}

static bool encrypt(snn_model *model, size_t n, uint64_t top, uint64_t seed, const char *encrypted,
                    const char *path, snn_error *err) {
    uint64_t all = 0;
    snn_random r;
    snn_key *key = NULL;
    for (int t = 0; t < model->weights->tensors; t++)
        all += model->weights->tensor[t].count * bits_of(&model->weights->tensor[t], top);
    uint32_t *order = all <= UINT32_MAX ? snn_alloc(all, sizeof *order, "order", err) : NULL;
    snn_flips flips = {n, snn_alloc(n, sizeof(snn_flip), "bits", err)};
    bool ok = order && flips.flip && n <= all;
    if (ok) {
        snn_random_init(&r, seed, SNN_PURPOSE_TEST, 1);
        snn_random_permutation(&r, order, (uint32_t)all);
        for (size_t i = 0; i < n; i++)
            flips.flip[i] = bit_at(model->weights, top, order[i]);
        snn_weights *w = snn_encrypt(model->weights, &flips, seed, &key, err);
        ok = w && snn_key_bind(key, model->net, err);
        if (w) {
            snn_weights_free(model->weights);
            model->weights = w;
        }
    }
    free(model->record);
    model->record = NULL;
    ok = ok && snn_model_save(model, encrypted, err) && snn_key_save(key, path, NULL, SNN_KDF_MODERATE, err);
    snn_key_free(key);
    free(order);
    free(flips.flip);
    return ok;
}

int main(int argc, char **argv) {
    snn_error err = {0};
    snn_model model = {0};
    if (argc != 6 && argc != 7) {
        fputs("usage: encrypt_random MODEL BITS SEED ENCRYPTED KEY [TOP]\n", stderr);
        return 2;
    }
    bool ok =
        snn_model_load(&model, argv[1], &err) &&
        encrypt(&model, strtoull(argv[2], NULL, 10), argc > 6 ? strtoull(argv[6], NULL, 10) : UINT64_MAX,
                strtoull(argv[3], NULL, 10), argv[4], argv[5], &err);
    snn_model_free(&model);
    if (!ok)
        fprintf(stderr, "encrypt_random: %s\n", err.text);
    return ok ? 0 : 1;
}
