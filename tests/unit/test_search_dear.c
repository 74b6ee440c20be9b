/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Searches of networks with convolutions, whose steps can take long: wherever in a step they are interrupted, run out of time or are killed, resuming gives the result and the number of evaluations of
 * the uninterrupted search; what they have noted of a step (the journal) is checked like the rest of a checkpoint.
 */
#include "search_test.h"

#include <sys/stat.h>
#include <unistd.h>

enum { PART = 64 /* evaluations between looks (batch.c) */ };

static char file_name[64];

static search_rig conv(uint64_t seed, int threads) {
    search_rig g = rig_make(CONV, (snn_shape){1, 6, 6}, 16, 5, SNN_SIGN_MAGNITUDE, seed);
    rig_open(&g, 0, false, (snn_goal){.target = 4, .margin = 1, .largest = 16}, threads);
    return g;
}

static snn_search_options options(snn_search_kind kind) {
    return (snn_search_options){.kind = kind,
                                .rule = SNN_RULE_MAGNITUDE,
                                .seed = 5,
                                .prune = true,
                                .population = 6,
                                .generations = 5};
}

typedef struct {
    uint64_t steps;
    sig_atomic_t stop;
} brake;

static void count(void *context, const snn_search_progress *p) {
    brake *b = context;
    (void)p;
    b->steps++;
}

/* stop: after the first look. */
static bool run(search_rig *g, const snn_search_options *o, bool stop, snn_search_result *r, uint64_t *steps,
                snn_error *err) {
    brake b = {.stop = stop};
    const snn_search_hooks hooks = {.context = &b, .progress = count, .stop = &b.stop};
    const bool ok = snn_search(g->objective, o, &hooks, r, err);
    *steps = b.steps;
    return ok;
}

static void same_result(const snn_search_result *a, const snn_search_result *b) {
    assert_int_equal(a->flips.n, b->flips.n);
    for (size_t i = 0; i < a->flips.n; i++)
        assert_true(a->flips.flip[i].index == b->flips.flip[i].index &&
                    a->flips.flip[i].tensor == b->flips.flip[i].tensor &&
                    a->flips.flip[i].bit == b->flips.flip[i].bit);
    equal_score(&a->score, &b->score);
    assert_true(a->evaluations == b->evaluations && a->searched == b->searched);
    assert_true(a->met == b->met && a->minimal == b->minimal && a->stopped == b->stopped);
    assert_int_equal(a->points, b->points);
    for (uint32_t i = 0; i < a->points; i++)
        equal_score(&a->front[i].score, &b->front[i].score);
}

static uint8_t *slurp(size_t *size) {
    snn_error err = {0};
    uint8_t *data;
    must(snn_file_read(file_name, 1 << 24, &data, size, &err), &err);
    return data;
}

static void spill(const uint8_t *data, size_t size) {
    FILE *f = fopen(file_name, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    fclose(f);
}

/* ---- interrupts ---- */

/* What the checkpoint holds now gives the result of the undisturbed search, with any number of threads. */
static void branch(const snn_search_options *o, const snn_search_result *whole, int threads) {
    snn_error err = {0};
    snn_search_result r;
    uint64_t steps;
    size_t size;
    uint8_t *data = slurp(&size);
    search_rig g = conv(13, threads);
    must(run(&g, o, false, &r, &steps, &err), &err);
    same_result(&r, whole);
    assert_true(access(file_name, F_OK) != 0);
    snn_search_free(&r);
    rig_close(&g);
    spill(data, size);
    free(data);
}

/* Stopped at each look in turn: after every part of a batch, and after every step. */
static uint32_t interrupts(snn_search_kind kind) {
    snn_error err = {0};
    search_rig g = conv(13, 1);
    snn_search_options o = options(kind);
    snn_search_result whole, r;
    uint64_t all, steps, total = 0;
    uint32_t stops = 0, inside = 0;
    must(run(&g, &o, false, &whole, &all, &err), &err);
    assert_true(whole.met && whole.minimal && !whole.stopped);
    o.checkpoint = file_name;
    o.resume = true;
    remove(file_name);
    const uint32_t every = SANITIZED ? 64 : 16;
    while (!run(&g, &o, true, &r, &steps, &err)) {
        assert_int_equal(err.code, SNN_ERR_INTERRUPTED);
        assert_non_null(strstr(err.text, "--resume continues it from '"));
        assert_true(steps <= 1);
        inside += steps == 0;
        total += steps;
        if (stops++ % every == 0)
            branch(&o, &whole, 1 + stops / every % 2);
    }
    assert_int_equal(total + steps, all);
    same_result(&r, &whole);
    assert_true(inside < whole.evaluations); /* each stop has something new behind it */
    snn_search_free(&r);
    snn_search_free(&whole);
    rig_close(&g);
    return inside;
}

static void anywhere(void **state) {
    (void)state;
    static const snn_search_kind kinds[] = {SNN_SEARCH_GENETIC, SNN_SEARCH_RANDOM, SNN_SEARCH_SALIENCY};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        const uint32_t inside = interrupts(kinds[k]);
        print_message("%s: stopped %u times within steps\n", snn_search_name(kinds[k]), inside);
        assert_true(inside > 3);
    }
}

/* ---- time ---- */

/* Out of time at the first look: what the search had come to before the step, which a budget of as many evaluations gives again. With `keep` a longer one goes on, and loses nothing. */
static void late(void **state) {
    (void)state;
    snn_error err = {0};
    search_rig g = conv(13, 1);
    snn_search_options o = options(SNN_SEARCH_GREEDY);
    snn_search_result whole, r, again;
    uint64_t steps, before = 0;
    uint32_t compared = 0, parts = 0;
    must(run(&g, &o, false, &whole, &steps, &err), &err);
    remove(file_name);
    for (bool over = false; !over;) {
        snn_search_options hurry = o;
        hurry.seconds = 1e-9;
        hurry.checkpoint = file_name;
        hurry.keep = hurry.resume = true;
        must(run(&g, &hurry, false, &r, &steps, &err), &err);
        assert_true(r.searched >= before);
        assert_true(r.stopped || r.met);
        before = r.searched;
        over = r.met;
        if (++parts % 4 == 0 && !over) {
            snn_search_options as_much = o;
            as_much.evaluations = r.searched;
            must(run(&g, &as_much, false, &again, &steps, &err), &err);
            same_result(&r, &again);
            snn_search_free(&again);
            compared++;
        }
        snn_search_free(&r);
        if (parts == 10) {
            snn_search_options longer = hurry;
            longer.seconds = 0;
            size_t size;
            uint8_t *data = slurp(&size);
            must(run(&g, &longer, false, &again, &steps, &err), &err);
            same_result(&again, &whole);
            snn_search_free(&again);
            spill(data, size);
            free(data);
        }
    }
    assert_true(compared > 1 && parts > 10);
    remove(file_name);
    snn_search_free(&whole);
    rig_close(&g);
}

/* Evaluations end it after the step in which they are used up, the same for any number of threads. */
static void evaluations(void **state) {
    (void)state;
    snn_error err = {0};
    for (uint64_t budget = 1; budget < 3000; budget *= 7) {
        snn_search_result r[2];
        for (int i = 0; i < 2; i++) {
            search_rig g = conv(13, 1 + i);
            snn_search_options o = options(SNN_SEARCH_GENETIC);
            uint64_t steps;
            o.evaluations = budget;
            must(run(&g, &o, false, &r[i], &steps, &err), &err);
            assert_true(r[i].searched >= budget || !r[i].stopped);
            rig_close(&g);
        }
        same_result(&r[0], &r[1]);
        snn_search_free(&r[0]);
        snn_search_free(&r[1]);
    }
}

/* A folder that goes away while the search runs: the search ends, and says so. */
static void no_room(void **state) {
    (void)state;
    snn_error err = {0};
    search_rig g = conv(13, 1);
    snn_search_options o = options(SNN_SEARCH_RANDOM);
    snn_search_result r;
    uint64_t steps;
    o.checkpoint = "none/there";
    assert_false(run(&g, &o, false, &r, &steps, &err));
    assert_int_equal(err.code, SNN_ERR_RUNTIME);
    assert_non_null(strstr(err.text, "none/there"));
    assert_int_equal(steps, 0); /* in the middle of the first one */
    rig_close(&g);
}

/* ---- the journal in the file ---- */

/* A checkpoint with a journal; *at: where its length stands, which is the last of the file but for its scores and the digest. */
static uint8_t *with_journal(search_rig *g, size_t *size, size_t *at, uint32_t *n) {
    snn_error err = {0};
    snn_search_result r;
    uint64_t steps;
    snn_search_options o = options(SNN_SEARCH_GREEDY);
    o.checkpoint = file_name;
    assert_false(run(g, &o, true, &r, &steps, &err));
    assert_int_equal(err.code, SNN_ERR_INTERRUPTED);
    uint8_t *data = slurp(size);
    *n = PART;
    *at = *size - SNN_DIGEST_BYTES - (size_t)*n * (3 * 4 + 3 * 8) - 4;
    uint32_t found;
    memcpy(&found, data + *at, sizeof found);
    assert_int_equal(found, *n);
    return data;
}

static void seal(uint8_t *data, size_t size) {
    snn_digest d;
    snn_digest_init(&d);
    snn_digest_bytes(&d, data, size - SNN_DIGEST_BYTES);
    snn_digest_final(&d, data + size - SNN_DIGEST_BYTES);
    spill(data, size);
}

static void refused(search_rig *g, const char *why) {
    snn_error err = {0};
    snn_search_result r;
    snn_search_options o = options(SNN_SEARCH_GREEDY);
    o.resume = true;
    o.checkpoint = file_name;
    assert_false(snn_search(g->objective, &o, NULL, &r, &err));
    assert_int_equal(err.code, SNN_ERR_DATA);
    if (!strstr(err.text, file_name) || !strstr(err.text, why))
        fail_msg("\"%s\" does not say \"%s\"", err.text, why);
}

static void damaged_journal(void **state) {
    (void)state;
    static const char *const unfit = "holds no state that a search can be in";
    search_rig g = conv(13, 1);
    size_t size, at;
    uint32_t n;
    uint8_t *data = with_journal(&g, &size, &at, &n);
    for (size_t i = at; i < size; i += 41) { /* each byte that changed shows */
        data[i] ^= 0x20;
        spill(data, size);
        refused(&g, "is damaged (its digest does not fit)");
        data[i] ^= 0x20;
    }
    static const uint32_t lengths[] = {0, PART - 1, PART + 1, UINT32_MAX}; /* others than the file has */
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        memcpy(data + at, &lengths[i], sizeof lengths[i]);
        seal(data, size);
        refused(&g, unfit);
    }
    memcpy(data + at, &n, sizeof n);
    const double nan_ = NAN;
    for (int field = 0; field < 3; field++) { /* loss, lead, guide of the last score */
        double whole;
        uint8_t *to = data + at + 4 + (size_t)(n - 1) * 36 + 12 + (size_t)field * 8;
        memcpy(&whole, to, sizeof whole);
        memcpy(to, &nan_, sizeof nan_);
        seal(data, size);
        refused(&g, unfit);
        memcpy(to, &whole, sizeof whole);
    }
    /* What fits is taken. */
    seal(data, size);
    snn_error err = {0};
    snn_search_result whole, r;
    uint64_t steps;
    snn_search_options o = options(SNN_SEARCH_GREEDY);
    must(run(&g, &o, false, &whole, &steps, &err), &err);
    o.resume = true;
    o.checkpoint = file_name;
    must(run(&g, &o, false, &r, &steps, &err), &err);
    same_result(&r, &whole);
    snn_search_free(&r);
    snn_search_free(&whole);
    free(data);
    rig_close(&g);
}

int main(void) {
    snprintf(file_name, sizeof file_name, "%stest_search_dear.%ld.tmp",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm/" : "", (long)getpid());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(anywhere),        cmocka_unit_test(late),
        cmocka_unit_test(evaluations),     cmocka_unit_test(no_room),
        cmocka_unit_test(damaged_journal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
