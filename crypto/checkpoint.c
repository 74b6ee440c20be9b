/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Checkpoints of a search: its whole state, so that a resumed search comes to the same result. A checkpoint tells which bits will be keyed: it is a secret (0600).
 *
 *     "SNNSRCH\n" | version | byte order mark | fingerprint 32 | state | BLAKE2b-256 over all before it
 *
 * Host byte order, marked: the file is for the machine that wrote it. One walk serves both directions; what is read is believed only after digest, fingerprint and every
 * count and item have been checked.
 */
#include "search_internal.h"

#include <snnsim/output.h>
#include <snnsim/version.h>

#include <errno.h>
#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAGIC "SNNSRCH\n"
#define VERSION UINT32_C(2)
#define BYTE_ORDER_MARK UINT32_C(0x01020304)
#define MOST_BYTES ((size_t)1 << 34) /* beyond any state that could be held in memory twice */

typedef struct {
    FILE *out; /* NULL: reading */
    snn_digest digest;
    const uint8_t *data;
    size_t left;
    uint32_t candidates; /* reading: items are below */
    bool failed;
    snn_error *err; /* set when memory is out */
    bool memory;
} archive;

/* ---- the walk ---- */

static void raw(archive *a, void *item, size_t size) {
    if (a->out) {
        snn_digest_bytes(&a->digest, item, size);
        a->failed |= fwrite(item, 1, size, a->out) != size;
    } else if (a->failed || size > a->left) {
        a->failed = true;
        memset(item, 0, size);
    } else {
        memcpy(item, a->data, size);
        a->data += size;
        a->left -= size;
    }
}

static void flag(archive *a, bool *x) {
    uint8_t b = a->out && *x;
    raw(a, &b, sizeof b);
    a->failed |= b > 1;
    *x = b == 1;
}

static void walk_score(archive *a, snn_score *s) {
    uint32_t *count[] = {&s->correct, &s->right, &s->largest};
    for (size_t i = 0; i < sizeof count / sizeof *count; i++)
        raw(a, count[i], sizeof(uint32_t));
    raw(a, &s->loss, sizeof s->loss);
    raw(a, &s->lead, sizeof s->lead);
    /* What greedy search keeps of single candidates are gains, which may be negative. */
    a->failed |= !a->out && (isnan(s->loss) || isnan(s->lead));
}

/* Room for what is announced, if the file has that much left. */
static bool room(archive *a, void **array, size_t *capacity, size_t n, size_t size, size_t least_bytes) {
    if (a->out)
        return true;
    if (a->failed || n > a->left / least_bytes) {
        a->failed = true;
        return false;
    }
    if (snn_grow(array, capacity, n, size, a->err))
        return true;
    a->memory = a->failed = true;
    return false;
}

static void walk_set(archive *a, snn_set *s) {
    uint32_t n = s->n;
    raw(a, &n, sizeof n);
    if (!room(a, (void **)&s->item, &s->capacity, n, sizeof *s->item, sizeof *s->item))
        return;
    s->n = n;
    if (n > 0)
        raw(a, s->item, n * sizeof *s->item);
    for (uint32_t i = 0; !a->out && i < n; i++)
        a->failed |= s->item[i] >= a->candidates || (i > 0 && s->item[i] <= s->item[i - 1]);
    flag(a, &s->scored);
    walk_score(a, &s->score);
}

/* Bytes of an empty set in the file. */
enum { SET_BYTES = 4 + 1 + 3 * 4 + 2 * 8 };
/* And of a score of the journal. */
enum { SCORE_BYTES = 3 * 4 + 3 * 8 };

static void walk_sets(archive *a, snn_set **set, uint32_t *sets, size_t *capacity) {
    uint32_t n = *sets;
    raw(a, &n, sizeof n);
    if (!room(a, (void **)set, capacity, n, sizeof **set, SET_BYTES))
        return;
    for (uint32_t i = 0; i < n && !a->failed; i++) {
        if (!a->out) {
            (*set)[i] = (snn_set){0};
            *sets = i + 1;
        }
        walk_set(a, &(*set)[i]);
    }
}

/* Scores of the step under way, with the guide that it asked for. */
static void walk_journal(archive *a, snn_search_state *st) {
    uint32_t n = st->journaled;
    raw(a, &n, sizeof n);
    if (!room(a, (void **)&st->journal, &st->journal_capacity, n, sizeof *st->journal, SCORE_BYTES))
        return;
    st->journaled = n;
    for (uint32_t i = 0; i < n && !a->failed; i++) {
        walk_score(a, &st->journal[i]);
        raw(a, &st->journal[i].guide, sizeof(double));
        a->failed |= !a->out && isnan(st->journal[i].guide);
    }
}

static void walk_state(archive *a, snn_search_state *st) {
    raw(a, &st->seed, sizeof st->seed); /* first: snn_search_checkpoint_seed */
    flag(a, &st->over);
    flag(a, &st->ended);
    raw(a, &st->phase, sizeof st->phase);
    raw(a, &st->step, sizeof st->step);
    raw(a, &st->evaluations, sizeof st->evaluations);
    raw(a, &st->searched, sizeof st->searched);
    flag(a, &st->stopped);
    walk_set(a, &st->best);
    walk_sets(a, &st->set, &st->sets, &st->capacity);
    raw(a, st->reg, sizeof st->reg);
    raw(a, st->real, sizeof st->real);
    walk_sets(a, &st->front, &st->points, &st->front_capacity);
    walk_journal(a, st);
}

static void free_sets(snn_set *set, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        snn_set_free(&set[i]);
    free(set);
}

void snn_search_state_free(snn_search_state *st) {
    snn_set_free(&st->best);
    free_sets(st->set, st->sets);
    free_sets(st->front, st->points);
    free(st->journal);
    *st = (snn_search_state){0};
}

static bool copy_sets(snn_set **to, uint32_t *sets, size_t *capacity, const snn_set *from, uint32_t n,
                      snn_error *err) {
    if (!snn_grow((void **)to, capacity, n, sizeof **to, err))
        return false;
    for (uint32_t i = n; i < *sets; i++)
        snn_set_free(&(*to)[i]);
    for (uint32_t i = *sets; i < n; i++)
        (*to)[i] = (snn_set){0};
    *sets = n;
    for (uint32_t i = 0; i < n; i++)
        if (!snn_set_copy(&(*to)[i], &from[i], err))
            return false;
    return true;
}

bool snn_search_state_copy(snn_search_state *to, const snn_search_state *from, snn_error *err) {
    snn_search_state now = *from;
    /* What `to` owns stays its own. */
    now.best = to->best;
    now.set = to->set;
    now.sets = to->sets;
    now.capacity = to->capacity;
    now.front = to->front;
    now.points = to->points;
    now.front_capacity = to->front_capacity;
    now.journal = to->journal;
    now.journal_capacity = to->journal_capacity;
    now.journaled = now.replayed = 0;
    *to = now;
    return snn_set_copy(&to->best, &from->best, err) &&
           copy_sets(&to->set, &to->sets, &to->capacity, from->set, from->sets, err) &&
           copy_sets(&to->front, &to->points, &to->front_capacity, from->front, from->points, err);
}

/* ---- save ---- */

bool snn_checkpoint_save(const snn_search_state *st, const uint8_t fingerprint[SNN_DIGEST_BYTES],
                         const char *path, snn_error *err) {
    snn_file *f = snn_file_create(path, 0600, err);
    if (!f)
        return snn_error_context(err, "checkpoint");
    archive a = {.out = snn_file_stream(f), .err = err};
    snn_digest_init(&a.digest);
    snn_search_state walked = *st; /* the walk only reads it when it writes */
    uint32_t head[2] = {VERSION, BYTE_ORDER_MARK};
    char magic[8];
    uint8_t print[SNN_DIGEST_BYTES], digest[SNN_DIGEST_BYTES];
    memcpy(magic, MAGIC, sizeof magic);
    memcpy(print, fingerprint, sizeof print);
    raw(&a, magic, sizeof magic);
    raw(&a, head, sizeof head);
    raw(&a, print, sizeof print);
    walk_state(&a, &walked);
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

static bool read_head(archive *a, const uint8_t fingerprint[SNN_DIGEST_BYTES], const char *path,
                      snn_error *err) {
    char magic[8] = {0};
    uint32_t head[2] = {0}; /* what is too short leaves them as they are */
    uint8_t print[SNN_DIGEST_BYTES];
    raw(a, magic, sizeof magic);
    raw(a, head, sizeof head);
    raw(a, print, sizeof print);
    if (a->failed || memcmp(magic, MAGIC, sizeof magic) != 0)
        return damaged(path, "is not a checkpoint of snnsim's bit search", err);
    if (head[0] != VERSION || head[1] != BYTE_ORDER_MARK)
        return damaged(path, "was written by another version or on another kind of machine", err);
    if (memcmp(print, fingerprint, sizeof print) != 0)
        return damaged(
            path,
            "belongs to another search: weights, samples, candidates, goal, settings and seed must "
            "be the ones that it was started with",
            err);
    return true;
}

/* Is it a state that a search can be in? */
static bool sound(const snn_search_state *st, uint32_t phases) {
    if (st->phase >= phases || !st->best.scored || st->best.score.loss < 0 || st->searched > st->evaluations)
        return false;
    for (uint32_t i = 0; i < st->points; i++) {
        const snn_set *s = &st->front[i];
        if (!s->scored || s->score.loss < 0 ||
            (i > 0 && (s->n <= s[-1].n || !(s->score.loss < s[-1].score.loss))))
            return false;
    }
    return true;
}

static bool parse(snn_search_state *st, const uint8_t fingerprint[SNN_DIGEST_BYTES], const snn_candidates *c,
                  uint32_t phases, const char *path, const uint8_t *data, size_t size, snn_error *err) {
    uint8_t digest[SNN_DIGEST_BYTES];
    if (!data || size < sizeof digest)
        return damaged(path, "is not a checkpoint of snnsim's bit search", err);
    archive a = {.data = data, .left = size - sizeof digest, .candidates = c->n, .err = err};
    snn_digest_init(&a.digest);
    snn_digest_bytes(&a.digest, data, a.left);
    snn_digest_final(&a.digest, digest);
    const bool whole = memcmp(digest, data + size - sizeof digest, sizeof digest) == 0;
    if (!read_head(&a, fingerprint, path, err))
        return false;
    if (!whole)
        return damaged(path, "is damaged (its digest does not fit)", err);
    walk_state(&a, st);
    if (a.memory)
        return false;
    if (a.failed || a.left != 0 || !sound(st, phases))
        return damaged(path, "holds no state that a search can be in", err);
    return true;
}

/* The file as rank 0 sees it. */
static bool read_shared(const char *path, uint8_t **data, uint64_t *size, bool *found, snn_error *err) {
    struct stat about;
    size_t bytes = 0;
    bool ok = true;
    *data = NULL;
    *found = false;
    if (snn_rank() == 0) {
        *found = stat(path, &about) == 0 || errno != ENOENT;
        /* A device or a pipe would be read for ever. */
        const bool odd =
            *found && stat(path, &about) == 0 && !S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode);
        ok = !*found || (odd ? snn_fail(err, SNN_ERR_DATA, "%s: is not a regular file", path)
                             : snn_file_read(path, MOST_BYTES, data, &bytes, err));
    }
    *size = bytes;
    if (!snn_rank_all(ok, err) || !snn_rank_broadcast(found, sizeof *found, err) ||
        !snn_rank_broadcast(size, sizeof *size, err))
        return false;
    if (*found && snn_rank() != 0)
        ok = (*data = snn_alloc(*size, 1, "a checkpoint", err)) != NULL;
    return snn_rank_all(ok, err) && (!*found || snn_rank_broadcast(*data, *size, err));
}

bool snn_checkpoint_load(snn_search_state *st, const uint8_t fingerprint[SNN_DIGEST_BYTES],
                         const snn_candidates *c, uint32_t phases, const char *path, bool *found,
                         snn_error *err) {
    uint8_t *data;
    uint64_t size;
    *st = (snn_search_state){0};
    bool ok = read_shared(path, &data, &size, found, err);
    if (!ok)
        snn_error_context(err, "cannot resume");
    else if (*found)
        ok = parse(st, fingerprint, c, phases, path, data, size, err);
    if (data)
        sodium_memzero(data, size);
    free(data);
    if (!ok)
        snn_search_state_free(st);
    return ok;
}

/* Head and seed alone; the search itself checks the rest. */
static bool parse_seed(const uint8_t *data, size_t size, const char *path, uint64_t *seed, snn_error *err) {
    const size_t head = 8 + 2 * sizeof(uint32_t) + SNN_DIGEST_BYTES;
    uint32_t word[2];
    if (!data || size < head + sizeof *seed + SNN_DIGEST_BYTES || memcmp(data, MAGIC, 8) != 0)
        return damaged(path, "is not a checkpoint of snnsim's bit search", err);
    memcpy(word, data + 8, sizeof word);
    if (word[0] != VERSION || word[1] != BYTE_ORDER_MARK)
        return damaged(path, "was written by another version or on another kind of machine", err);
    memcpy(seed, data + head, sizeof *seed);
    return true;
}

bool snn_search_checkpoint_seed(const char *path, uint64_t *seed, bool *found, snn_error *err) {
    uint8_t *data;
    uint64_t size;
    bool ok = read_shared(path, &data, &size, found, err);
    if (ok && *found)
        ok = parse_seed(data, size, path, seed, err);
    if (data)
        sodium_memzero(data, size);
    free(data);
    return ok || snn_error_context(err, "cannot resume");
}

/* ---- fingerprint ---- */

static void digest_candidates(snn_digest *d, const snn_candidates *c) {
    snn_digest_u64(d, c->n);
    for (uint32_t i = 0; i < c->n; i++) {
        const uint32_t word[4] = {c->flip[i].tensor, c->flip[i].bit, (uint32_t)c->flip[i].index,
                                  (uint32_t)(c->flip[i].index >> 32)};
        snn_digest_u32(d, word, 4);
    }
    for (int t = 0; c->range && t < c->weights->tensors; t++) {
        snn_digest_u64(d, (uint64_t)c->range[t].least);
        snn_digest_u64(d, (uint64_t)c->range[t].most);
    }
    snn_digest_u64(d, c->word_limit);
    if (c->word)
        snn_digest_u32(d, c->word, c->n);
}

bool snn_search_fingerprint(const snn_search_job *job, uint8_t out[SNN_DIGEST_BYTES], snn_error *err) {
    const snn_search_options *o = job->options;
    /* Not the budgets: a search that was stopped may go on with others. */
    const uint64_t settings[] = {o->kind,      o->rule,       o->seed,        o->prune,
                                 o->most_bits, o->population, o->generations, o->eps};
    snn_digest d;
    snn_digest_init(&d);
    snn_digest_bytes(&d, SNN_VERSION, sizeof SNN_VERSION); /* another version may search otherwise */
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        snn_digest_u64(&d, settings[i]);
    digest_candidates(&d, job->candidates);
    if (!snn_objective_digest(job->objective, &d, err))
        return false;
    snn_digest_final(&d, out);
    return true;
}
