/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys in memory: one guarded block with the key, the table of tensors, the bit addresses, and those of earlier keys. */
#include "key_internal.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* What snn_key_alloc makes: the arrays follow in the same block, so that all of it is locked and wiped together. */
typedef struct {
    snn_key key; /* first: an snn_key is a pointer to it */
    bool locked;
} block;

snn_key *snn_key_alloc(int tensors, size_t flips, size_t retired, snn_error *err) {
    if (tensors < 1 || tensors > SNN_KEY_TENSORS_MAX || flips < 1 || flips > SNN_KEY_FLIPS_MAX) {
        snn_fail(err, SNN_ERR_DATA, "a key for %d tensors with %zu bits: expected 1 to %d and 1 to %d",
                 tensors, flips, SNN_KEY_TENSORS_MAX, SNN_KEY_FLIPS_MAX);
        return NULL;
    }
    if (retired > SNN_KEY_FLIPS_MAX) {
        snn_fail(err, SNN_ERR_DATA, "a key with %zu bits of earlier ones: at most %d", retired,
                 SNN_KEY_FLIPS_MAX);
        return NULL;
    }
    /* sizes are multiples of 8, and the limits above rule out overflow */
    _Static_assert(sizeof(block) % 8 == 0 && sizeof(snn_key_tensor) % 8 == 0, "arrays are aligned");
    size_t table = (size_t)tensors * sizeof(snn_key_tensor);
    bool locked;
    uint8_t *p = snn_guarded_alloc(sizeof(block) + table + (flips + retired) * sizeof(snn_flip), &locked,
                                   "a key", err);
    if (!p)
        return NULL;
    block *b = (void *)p;
    b->locked = locked;
    b->key.tensors = tensors;
    b->key.tensor = (void *)(p + sizeof(block));
    b->key.flips.n = flips;
    b->key.flips.flip = (void *)(p + sizeof(block) + table);
    b->key.retired.n = retired;
    b->key.retired.flip = b->key.flips.flip + flips; /* behind them: snn_key_spent */
    memset(b->key.network, '0', sizeof b->key.network - 1);
    return &b->key;
}

void snn_key_free(snn_key *k) {
    if (k)
        sodium_free(k);
}

bool snn_key_locked(const snn_key *k) {
    return ((const block *)(const void *)k)->locked;
}

void snn_key_set_unlocked(snn_key *k) {
    ((block *)(void *)k)->locked = false;
}

static int by_address(const void *a, const void *b) {
    const snn_flip *x = a, *y = b;
    if (x->tensor != y->tensor)
        return x->tensor < y->tensor ? -1 : 1;
    if (x->index != y->index)
        return x->index < y->index ? -1 : 1;
    return x->bit < y->bit ? -1 : x->bit > y->bit;
}

/* glibc's qsort may copy what it sorts into plain memory: a heap sort in place does not. */
static void sift_down(snn_flip *flip, size_t root, size_t n) {
    for (;;) {
        size_t child = 2 * root + 1;
        if (child >= n)
            return;
        if (child + 1 < n && by_address(&flip[child], &flip[child + 1]) < 0)
            child++;
        if (by_address(&flip[root], &flip[child]) >= 0)
            return;
        snn_flip t = flip[root];
        flip[root] = flip[child];
        flip[child] = t;
        root = child;
    }
}

static void sort_flips(snn_flips *f) {
    for (size_t i = f->n / 2; i-- > 0;)
        sift_down(f->flip, i, f->n);
    for (size_t n = f->n; n > 1; n--) {
        snn_flip t = f->flip[0];
        f->flip[0] = f->flip[n - 1];
        f->flip[n - 1] = t;
        sift_down(f->flip, 0, n - 1);
    }
}

/* Sentences without the address: it is a secret, and errors go to logs. */
static bool check_list(const snn_key *k, const snn_flips *list, const char *what, snn_error *err) {
    for (size_t i = 0; i < list->n; i++) {
        const snn_flip *f = &list->flip[i];
        if (f->tensor >= (uint32_t)k->tensors)
            return snn_fail(err, SNN_ERR_DATA,
                            "%s %zu of the key is in a tensor that the model does not have", what, i);
        const snn_key_tensor *t = &k->tensor[f->tensor];
        if (f->index >= t->weights || f->bit >= (uint32_t)t->bits)
            return snn_fail(err, SNN_ERR_DATA, "%s %zu of the key is outside the weights of layer '%s'", what,
                            i, t->name);
        int order = i ? by_address(f - 1, f) : -1;
        if (order >= 0)
            return snn_fail(err, SNN_ERR_DATA, "%s %zu of the key is %s", what, i,
                            order ? "out of order" : "given twice");
    }
    return true;
}

/* Both lists are sorted. */
static bool check_apart(const snn_key *k, snn_error *err) {
    for (size_t i = 0, j = 0; i < k->flips.n && j < k->retired.n;) {
        int order = by_address(&k->flips.flip[i], &k->retired.flip[j]);
        if (order == 0)
            return snn_fail(err, SNN_ERR_DATA, "bit %zu of the key was in an earlier one, too", i);
        i += order < 0;
        j += order > 0;
    }
    return true;
}

bool snn_key_check(const snn_key *k, snn_error *err) {
    return check_list(k, &k->flips, "bit", err) && check_list(k, &k->retired, "retired bit", err) &&
           check_apart(k, err);
}

static bool describe(snn_key *k, const snn_weights *like, snn_error *err) {
    for (int i = 0; i < k->tensors; i++) {
        const snn_tensor *t = &like->tensor[i];
        memcpy(k->tensor[i].name, t->name, sizeof t->name);
        k->tensor[i].encoding = t->encoding;
        k->tensor[i].bits = t->type == SNN_FLOAT32 ? 0 : t->bits; /* no bits to flip */
        k->tensor[i].weights = t->count;
    }
    if (!snn_key_check(k, err))
        return false;
    for (size_t i = 0; i < k->flips.n; i++)
        k->tensor[k->flips.flip[i].tensor].keyed++;
    return true;
}

snn_key *snn_key_new(const snn_weights *like, const snn_flips *flips, uint64_t seed, const char plain[65],
                     const char encrypted[65], snn_error *err) {
    if (flips->n == 0) {
        snn_fail(err, SNN_ERR_DATA, "no bits to encrypt: a key needs at least one");
        return NULL;
    }
    snn_key *k = snn_key_alloc(like->tensors, flips->n, 0, err);
    if (!k)
        return NULL;
    k->seed = seed;
    memcpy(k->plain, plain, 64);
    memcpy(k->encrypted, encrypted, 64);
    memcpy(k->flips.flip, flips->flip, flips->n * sizeof *flips->flip);
    sort_flips(&k->flips);
    if (describe(k, like, err))
        return k;
    snn_key_free(k);
    return NULL;
}

/* ---- rotation ---- */

snn_flips snn_key_spent(const snn_key *k) {
    return (snn_flips){k->flips.n + k->retired.n, k->flips.flip};
}

static bool same_tensors(const snn_key *a, const snn_key *b) {
    if (a->tensors != b->tensors)
        return false;
    for (int i = 0; i < a->tensors; i++)
        if (a->tensor[i].weights != b->tensor[i].weights || a->tensor[i].bits != b->tensor[i].bits)
            return false;
    return true;
}

bool snn_key_retire(snn_key **k, const snn_key *old, snn_error *err) {
    const snn_key *from = *k;
    const snn_flips spent = snn_key_spent(old);
    if (!same_tensors(from, old))
        return snn_fail(err, SNN_ERR_DATA, "the old key belongs to another model");
    snn_key *to = snn_key_alloc(from->tensors, from->flips.n, spent.n, err);
    if (!to)
        return false;
    to->seed = from->seed;
    memcpy(to->plain, from->plain, sizeof to->plain);
    memcpy(to->encrypted, from->encrypted, sizeof to->encrypted);
    memcpy(to->network, from->network, sizeof to->network);
    memcpy(to->tensor, from->tensor, (size_t)from->tensors * sizeof *to->tensor);
    memcpy(to->flips.flip, from->flips.flip, from->flips.n * sizeof *to->flips.flip);
    memcpy(to->retired.flip, spent.flip, spent.n * sizeof *spent.flip);
    sort_flips(&to->retired);
    to->versions = old->versions + 1;
    if (!snn_key_check(to, err)) {
        snn_key_free(to);
        return false;
    }
    snn_key_free(*k);
    *k = to;
    return true;
}
