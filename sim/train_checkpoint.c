/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Checkpoints of training: everything that the next batch depends on, so that a resumed run gives the same bits. Random streams are counters and
 * need no state. The file is for the machine that wrote it (host byte order, marked); a BLAKE2b digest over all of it stands at the end, and a
 * fingerprint of network, data, settings and initial weights at the start refuses what does not belong together. One walk serves both directions.
 */
#include "train_internal.h"

#include <snnsim/output.h>

#include <stdlib.h>
#include <string.h>

#define MAGIC "SNNTRAIN"
#define VERSION UINT32_C(1)
#define BYTE_ORDER_MARK UINT32_C(0x01020304)

typedef struct {
    FILE *out; /* NULL: reading */
    snn_digest digest;
    const uint8_t *data;
    size_t left;
    bool failed;
} archive;

static void raw(archive *a, void *item, size_t size) {
    if (a->out != NULL) {
        snn_digest_bytes(&a->digest, item, size);
        a->failed |= fwrite(item, 1, size, a->out) != size;
    } else if (size > a->left) {
        a->failed = true;
    } else {
        memcpy(item, a->data, size);
        a->data += size;
        a->left -= size;
    }
}

static void number(archive *a, int *x) {
    int64_t n = a->out != NULL ? *x : 0; /* what is read into need not be set before */
    raw(a, &n, sizeof n);
    *x = (int)n;
}

static void flag(archive *a, bool *x) {
    uint8_t b = a->out != NULL && *x;
    raw(a, &b, sizeof b);
    *x = b != 0;
}

static void walk_epoch(archive *a, snn_train_epoch *e) {
    number(a, &e->epoch);
    flag(a, &e->quantised);
    flag(a, &e->best);
    double *field[] = {&e->learning_rate,       &e->loss,   &e->accuracy, &e->validation_loss,
                       &e->validation_accuracy, &e->seconds};
    for (size_t i = 0; i < sizeof field / sizeof *field; i++)
        raw(a, field[i], sizeof(double));
}

static void walk_progress(archive *a, train_progress *p) {
    flag(a, &p->quantised);
    int *count[] = {&p->epoch, &p->phase_epoch, &p->since_best};
    for (size_t i = 0; i < sizeof count / sizeof *count; i++)
        number(a, count[i]);
    uint64_t *word[] = {&p->batch, &p->step, &p->seen, &p->hits};
    for (size_t i = 0; i < sizeof word / sizeof *word; i++)
        raw(a, word[i], sizeof(uint64_t));
    double *real[] = {&p->loss_sum, &p->seconds, &p->epoch_seconds};
    for (size_t i = 0; i < sizeof real / sizeof *real; i++)
        raw(a, real[i], sizeof(double));
    for (int k = 0; k < 2; k++) {
        flag(a, &p->best[k].kept);
        number(a, &p->best[k].epoch);
        raw(a, &p->best[k].accuracy, sizeof(double));
        raw(a, &p->best[k].loss, sizeof(double));
    }
}

static void walk_arrays(archive *a, train_state *s) {
    size_t bytes = s->plan->parameters * sizeof(float);
    raw(a, s->w, bytes);
    raw(a, s->m, bytes);
    raw(a, s->v, bytes);
    for (int k = 0; k < 2; k++)
        if (s->at.best[k].kept)
            raw(a, s->best[k], bytes);
}

/* ---- save ---- */

bool snn_train_checkpoint_save(train_state *s, const char *path, snn_error *err) {
    snn_file *f = snn_file_create(path, 0644, err);
    if (f == NULL)
        return false;
    archive a = {.out = snn_file_stream(f)};
    snn_digest_init(&a.digest);
    uint32_t head[2] = {VERSION, BYTE_ORDER_MARK};
    char magic[8];
    memcpy(magic, MAGIC, sizeof magic);
    raw(&a, magic, sizeof magic);
    raw(&a, head, sizeof head);
    raw(&a, s->fingerprint, sizeof s->fingerprint);
    walk_progress(&a, &s->at);
    for (int i = 0; i < s->at.epoch; i++)
        walk_epoch(&a, &s->history[i]);
    walk_arrays(&a, s);
    uint8_t digest[SNN_DIGEST_BYTES];
    snn_digest_final(&a.digest, digest);
    a.failed |= fwrite(digest, 1, sizeof digest, a.out) != sizeof digest;
    if (!a.failed)
        return snn_file_commit(f, err);
    snn_fail_errno(err, "cannot write checkpoint '%s'", path);
    snn_file_abandon(f);
    return false;
}

/* ---- load ---- */

static bool damaged(const char *path, const char *what, snn_error *err) {
    return snn_fail(err, SNN_ERR_DATA, "checkpoint '%s': %s", path, what);
}

static bool read_head(archive *a, const train_state *s, const char *path, snn_error *err) {
    char magic[8] = {0};
    uint32_t head[2] = {0};
    uint8_t fingerprint[SNN_DIGEST_BYTES] = {0};
    raw(a, magic, sizeof magic);
    raw(a, head, sizeof head);
    raw(a, fingerprint, sizeof fingerprint);
    if (memcmp(magic, MAGIC, sizeof magic) != 0)
        return damaged(path, "is not a checkpoint of snnsim's training", err);
    if (head[0] != VERSION || head[1] != BYTE_ORDER_MARK)
        return damaged(path, "was written by another version or on another kind of machine", err);
    if (memcmp(fingerprint, s->fingerprint, sizeof fingerprint) != 0)
        return damaged(path,
                       "belongs to another network, data set or other training settings, expected the ones "
                       "that it was started with",
                       err);
    return true;
}

static bool read_body(archive *a, train_state *s, const char *path, snn_error *err) {
    walk_progress(a, &s->at);
    const snn_train_options *o = s->plan->options;
    if (a->failed || s->at.epoch < 0 || s->at.epoch > (int64_t)o->epochs + o->quant_epochs)
        return damaged(path, "impossible state of training", err);
    if (!snn_grow((void **)&s->history, &s->history_capacity, (size_t)s->at.epoch, sizeof *s->history, err))
        return false;
    for (int i = 0; i < s->at.epoch; i++)
        walk_epoch(a, &s->history[i]);
    walk_arrays(a, s);
    if (a->failed || a->left != 0)
        return damaged(path, "its length does not fit its contents", err);
    return true;
}

bool snn_train_checkpoint_load(train_state *s, const char *path, snn_error *err) {
    uint8_t *data, expected[SNN_DIGEST_BYTES];
    size_t size, limit = ((size_t)1 << 20) + 5 * s->plan->parameters * sizeof(float) +
                         ((size_t)s->plan->options->epochs + (size_t)s->plan->options->quant_epochs) * 64;
    if (!snn_file_read(path, limit, &data, &size, err))
        return snn_error_context(err, "cannot resume");
    bool ok = false;
    if (size < sizeof expected) {
        damaged(path, "is not a checkpoint of snnsim's training", err);
    } else {
        archive a = {.data = data, .left = size - sizeof expected};
        snn_digest_init(&a.digest);
        snn_digest_bytes(&a.digest, data, a.left);
        snn_digest_final(&a.digest, expected);
        ok = read_head(&a, s, path, err);
        if (ok && memcmp(expected, data + size - sizeof expected, sizeof expected) != 0)
            ok = damaged(path, "is damaged (its digest does not fit)", err);
        ok = ok && read_body(&a, s, path, err);
    }
    free(data);
    return ok;
}

/* ---- fingerprint ---- */

static void digest_double(snn_digest *d, double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    snn_digest_u64(d, bits);
}

static void digest_options(snn_digest *d, const snn_train_options *o) {
    const uint64_t whole[] = {o->seed,
                              (uint64_t)o->epochs,
                              (uint64_t)o->batch,
                              (uint64_t)o->warmup,
                              o->schedule,
                              (uint64_t)o->step_every,
                              o->loss,
                              o->surrogate,
                              (uint64_t)o->shift,
                              o->flip_pairs,
                              (uint64_t)o->patience,
                              (uint64_t)o->quant_epochs,
                              (uint64_t)o->quant.bits,
                              o->quant.encoding,
                              o->quant.per_channel,
                              o->quant.free_scale,
                              o->quant.truncate,
                              o->sparse};
    const double real[] = {
        o->learning_rate, o->final_rate, o->step_factor, o->beta1,      o->beta2,           o->epsilon,
        o->weight_decay,  o->clip,       o->loss_scale,  o->drop,       o->surrogate_width, o->time_jitter,
        o->rotate,        o->zoom,       o->validation,  o->quant_rate, o->init_gain,       o->init_recurrent,
        o->rate_low,      o->rate_high,  o->rate_weight};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        snn_digest_u64(d, whole[i]);
    for (size_t i = 0; i < sizeof real / sizeof *real; i++)
        digest_double(d, real[i]);
}

static void digest_data(snn_digest *digest, const train_data *d) {
    snn_digest_u64(digest, d->samples);
    snn_digest_u64(digest, (uint64_t)d->steps);
    for (size_t i = 0; i < d->samples; i++) {
        const snn_spikes *x = &d->x[i];
        snn_digest_u64(digest, (uint64_t)d->label[i]);
        for (int t = 0; t <= x->steps; t++)
            snn_digest_u64(digest, x->first[t]);
        /* a spike is two 32-bit words */
        snn_digest_u32(digest, (const uint32_t *)(const void *)x->spike, 2 * x->first[x->steps]);
    }
}

bool snn_train_fingerprint(const train_plan *p, const train_data *d, const snn_weights *initial,
                           uint8_t out[SNN_DIGEST_BYTES], snn_error *err) {
    char *json = snn_net_to_json(p->net, err), hex[65] = "";
    if (json == NULL)
        return false;
    snn_digest digest;
    snn_digest_init(&digest);
    snn_digest_bytes(&digest, json, strlen(json));
    free(json);
    digest_options(&digest, p->options);
    digest_data(&digest, d);
    if (initial != NULL)
        snn_weights_digest(initial, hex);
    snn_digest_bytes(&digest, hex, sizeof hex);
    snn_digest_final(&digest, out);
    return true;
}
