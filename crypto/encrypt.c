/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Encryption of weights: flips the key's bits, and flips them back, checked by digests. */
#include "key_internal.h"

#include <snnsim/digest.h>

#include <stdlib.h>
#include <string.h>

snn_weights *snn_encrypt(const snn_weights *plain, const snn_flips *flips, uint64_t seed, snn_key **key,
                         snn_error *err) {
    char before[65], after[65];
    *key = NULL;
    snn_weights *w = snn_weights_apply(plain, flips, err);
    if (!w)
        return NULL;
    snn_weights_digest(plain, before);
    snn_weights_digest(w, after);
    *key = snn_key_new(plain, flips, seed, before, after, err);
    if (*key)
        return w;
    snn_weights_free(w);
    return NULL;
}

/* ---- the network ---- */

static bool digest_net(const snn_net *net, char hex[SNN_DIGEST_HEX], snn_error *err) {
    char *json = snn_net_to_json(net, err);
    if (!json)
        return false;
    snn_digest_text(json, hex);
    free(json);
    return true;
}

bool snn_key_bind(snn_key *k, const snn_net *net, snn_error *err) {
    return digest_net(net, k->network, err);
}

static bool fits_net(const snn_key *k, const snn_net *net, snn_error *err) {
    char digest[SNN_DIGEST_HEX];
    if (!digest_net(net, digest, err))
        return false;
    return strcmp(digest, k->network) == 0 ||
           snn_fail(err, SNN_ERR_DATA,
                    "the key does not belong to this network: its layers, thresholds, leaks, biases or steps "
                    "are not those that it was encrypted with");
}

/* ---- the weights ---- */

/* Is the model built like the one of the key? Otherwise the sentence says what differs; nothing of it is secret. */
static bool same_model(const snn_key *k, const snn_weights *w, snn_error *err) {
    if (k->tensors != w->tensors)
        return snn_fail(err, SNN_ERR_DATA,
                        "the key belongs to another model: it has %d layers of weights, this one %d",
                        k->tensors, w->tensors);
    for (int i = 0; i < k->tensors; i++) {
        const snn_key_tensor *a = &k->tensor[i];
        const snn_tensor *b = &w->tensor[i];
        if (strcmp(a->name, b->name) != 0)
            return snn_fail(err, SNN_ERR_DATA,
                            "the key belongs to another model: its layer of weights %d is '%s', here '%s'",
                            i + 1, a->name, b->name);
        int bits = b->type == SNN_FLOAT32 ? 0 : b->bits;
        if (a->weights != b->count || a->bits != bits || a->encoding != b->encoding)
            return snn_fail(err, SNN_ERR_DATA, "the key belongs to another model: layer '%s' has other %s",
                            a->name,
                            a->weights != b->count ? "dimensions"
                            : a->bits != bits      ? "bits"
                                                   : "encoding");
    }
    return true;
}

bool snn_key_fits(const snn_key *k, const snn_weights *encrypted, snn_error *err) {
    char digest[65];
    snn_weights_digest(encrypted, digest);
    if (strcmp(digest, k->encrypted) == 0)
        return true;
    if (strcmp(digest, k->plain) == 0)
        return snn_fail(err, SNN_ERR_DATA,
                        "these weights are not encrypted: they are the plain ones of this key");
    return same_model(k, encrypted, err) && snn_fail(err, SNN_ERR_DATA,
                                                     "the key does not belong to these weights: it is "
                                                     "another model's, or the model was changed after "
                                                     "encryption");
}

snn_weights *snn_decrypt(const snn_weights *encrypted, const snn_key *k, snn_error *err) {
    char digest[65];
    if (!snn_key_fits(k, encrypted, err))
        return NULL;
    snn_weights *w = snn_weights_apply(encrypted, &k->flips, err);
    if (!w)
        return NULL;
    snn_weights_digest(w, digest);
    if (strcmp(digest, k->plain) == 0)
        return w;
    snn_weights_free(w);
    snn_fail(err, SNN_ERR_DATA, "the key's bits do not give the plain weights: the key was changed");
    return NULL;
}

snn_weights *snn_decrypt_model(const snn_model *encrypted, const snn_key *k, snn_error *err) {
    /* the weights first: their sentences say more of a key that belongs to another model */
    snn_weights *w = snn_decrypt(encrypted->weights, k, err);
    if (!w || fits_net(k, encrypted->net, err))
        return w;
    snn_weights_free(w);
    return NULL;
}
