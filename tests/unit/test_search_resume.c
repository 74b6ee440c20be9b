/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Stopped searches: wherever they are interrupted, resuming gives the result of the uninterrupted search; checkpoints are secret, whole, gone at the end (or kept, when asked), and refuse what
 * is damaged or belongs to another search.
 */
#include "search_test.h"

#include <sys/stat.h>
#include <unistd.h>

/* In memory where that can be, because every checkpoint is forced to the disk. */
static char file_name[64];

static search_rig dense(int threads) {
    search_rig g = rig_make(DENSE, (snn_shape){1, 6, 6}, 20, 5, SNN_SIGN_MAGNITUDE, 13);
    rig_open(&g, 1, false, (snn_goal){.target = 3, .margin = 3, .largest = 20}, threads);
    return g;
}

typedef struct {
    uint64_t steps, stop_at; /* steps seen; 0: never */
    sig_atomic_t stop;
} brake;

static void count(void *context, const snn_search_progress *p) {
    brake *b = context;
    (void)p;
    b->steps++;
    b->stop = b->stop_at > 0 && b->steps >= b->stop_at;
}

static bool run(search_rig *g, snn_search_options o, uint64_t stop_at, snn_search_result *r, uint64_t *steps,
                snn_error *err) {
    brake b = {.stop_at = stop_at};
    const snn_search_hooks hooks = {.context = &b, .progress = count, .stop = &b.stop};
    const bool ok = snn_search(g->objective, &o, &hooks, r, err);
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
    equal_score(&a->plain, &b->plain);
    assert_true(a->evaluations == b->evaluations && a->searched == b->searched);
    assert_true(a->met == b->met && a->minimal == b->minimal && a->stopped == b->stopped);
    assert_int_equal(a->points, b->points);
    for (uint32_t i = 0; i < a->points; i++)
        equal_score(&a->front[i].score, &b->front[i].score);
}

static bool there(void) {
    return access(file_name, F_OK) == 0;
}

/* One kind: stopped after every step in turn, and once after each single step. */
static void one_kind(snn_search_kind kind, snn_saliency_rule rule, uint64_t evaluations) {
    snn_error err = {0};
    search_rig g = dense(1);
    snn_search_options o = {
        .kind = kind, .rule = rule, .seed = 5, .prune = true, .population = 12, .generations = 6, .eps = 6};
    o.evaluations = evaluations;
    snn_search_result whole, r;
    uint64_t all, steps;
    must(run(&g, o, 0, &whole, &all, &err), &err);
    o.checkpoint = file_name;
    o.resume = true; /* of nothing, at first */
    const uint64_t every = all / (SANITIZED ? 4 : 16) + 1;
    for (uint64_t at = 1; at < all; at += every) {
        search_rig h = dense(at % 2 ? 1 : 2);
        remove(file_name);
        assert_false(run(&h, o, at, &r, &steps, &err));
        assert_int_equal(err.code, SNN_ERR_INTERRUPTED);
        assert_non_null(strstr(err.text, "--resume continues it from '"));
        assert_non_null(strstr(err.text, file_name));
        assert_int_equal(steps, at);
        struct stat about;
        assert_int_equal(stat(file_name, &about), 0);
        assert_int_equal(about.st_mode & 0777, 0600);
        must(run(&h, o, 0, &r, &steps, &err), &err);
        assert_int_equal(steps, all - at); /* it did go on from there */
        same_result(&r, &whole);
        assert_false(there());
        snn_search_free(&r);
        rig_close(&h);
    }
    remove(file_name);
    uint64_t total = 0;
    bool ended = false;
    while (!ended) {
        ended = run(&g, o, 1, &r, &steps, &err);
        total += steps;
        if (!ended)
            assert_int_equal(err.code, SNN_ERR_INTERRUPTED);
    }
    assert_int_equal(total, all);
    same_result(&r, &whole);
    snn_search_free(&r);
    snn_search_free(&whole);
    rig_close(&g);
}

static void everywhere(void **state) {
    (void)state;
    one_kind(SNN_SEARCH_GENETIC, 0, 0);
    one_kind(SNN_SEARCH_PARETO, 0, 0);
    one_kind(SNN_SEARCH_SNNGX, 0, 0);
    one_kind(SNN_SEARCH_GREEDY, 0, 0);
    one_kind(SNN_SEARCH_SALIENCY, SNN_RULE_CLASS_RATE, 0);
    one_kind(SNN_SEARCH_SALIENCY, SNN_RULE_MAGNITUDE, 0);
    one_kind(SNN_SEARCH_RANDOM, 0, 0);
    one_kind(SNN_SEARCH_RANDOM, 0, 100); /* stopped by its budget, then pruned */
}

/* So many candidates that greedy search screens them and saliency leaves lengths out and bisects. */
static void many_candidates(void **state) {
    (void)state;
    static const snn_search_kind kind[] = {SNN_SEARCH_GREEDY, SNN_SEARCH_SALIENCY};
    snn_error err = {0};
    search_rig g =
        rig_make("{name=\"a\"; type=\"linear\"; outputs=12;}, {name=\"b\"; type=\"linear\"; outputs=4;}",
                 (snn_shape){1, 48, 48}, 8, 5, SNN_SIGN_MAGNITUDE, 4);
    rig_open(&g, 1, false, (snn_goal){.target = 1, .margin = 2, .largest = 8}, 1);
    assert_true(g.candidates->n > 16384);
    for (int k = 0; k < 2; k++) {
        snn_search_options o = {.kind = kind[k], .rule = SNN_RULE_MAGNITUDE};
        snn_search_result whole, r;
        uint64_t all, steps;
        must(run(&g, o, 0, &whole, &all, &err), &err);
        assert_true(whole.met && all > 5);
        if (kind[k] == SNN_SEARCH_SALIENCY) {
            /* Beyond the 4096 lengths that are all tried: the last one that failed is one bit shorter. */
            assert_true(whole.flips.n > 4096);
            const uint32_t bits = (uint32_t)whole.flips.n;
            snn_search_result less;
            o.most_bits = bits - 1;
            must(run(&g, o, 0, &less, &steps, &err), &err);
            assert_false(less.met);
            snn_search_free(&less);
            o.most_bits = bits;
            must(run(&g, o, 0, &less, &steps, &err), &err);
            assert_true(less.met && less.flips.n == bits);
            snn_search_free(&less);
            o.most_bits = 0;
        }
        const snn_score score = rig_score(&g, whole.flips.flip, whole.flips.n, SNN_ARITHMETIC_FLOAT);
        same_score(&whole.score, &score);
        o.checkpoint = file_name;
        o.resume = true;
        const uint64_t stop[] = {1, 2, all - 2, all - 1};
        for (int i = 3 * k; i < 4; i++) {
            assert_false(run(&g, o, stop[i], &r, &steps, &err));
            assert_int_equal(err.code, SNN_ERR_INTERRUPTED);
            must(run(&g, o, 0, &r, &steps, &err), &err);
            assert_int_equal(steps, all - stop[i]);
            same_result(&r, &whole);
            snn_search_free(&r);
        }
        snn_search_free(&whole);
    }
    rig_close(&g);
}

/* A copy of the checkpoint, taken while the search runs, stands for a kill -9: the file is whole at any moment. */
static void periodic(void **state) {
    (void)state;
    snn_error err = {0};
    search_rig g = dense(1);
    snn_search_options o = {.kind = SNN_SEARCH_GREEDY, .seed = 5, .prune = true, .checkpoint = file_name};
    remove(file_name);
    snn_search_result whole, r;
    uint64_t all, steps;
    /* The first step leaves one. */
    brake b = {0};
    const snn_search_hooks hooks = {.context = &b, .progress = count};
    must(snn_search(g.objective, &o, &hooks, &whole, &err), &err);
    all = b.steps;
    assert_false(there());
    /* Kept: gives the result again without a search. */
    o.keep = true;
    must(run(&g, o, 0, &r, &steps, &err), &err);
    same_result(&r, &whole);
    snn_search_free(&r);
    assert_true(there());
    uint64_t seed = 0;
    bool found;
    must(snn_search_checkpoint_seed(file_name, &seed, &found, &err), &err);
    assert_true(found && seed == 5);
    o.resume = true;
    must(run(&g, o, 0, &r, &steps, &err), &err);
    assert_int_equal(steps, 0);
    same_result(&r, &whole);
    snn_search_free(&r);
    /* Without resume it starts again. */
    o.resume = false;
    must(run(&g, o, 0, &r, &steps, &err), &err);
    assert_int_equal(steps, all);
    snn_search_free(&r);
    remove(file_name);
    must(snn_search_checkpoint_seed(file_name, &seed, &found, &err), &err);
    assert_false(found);
    snn_search_free(&whole);
    rig_close(&g);
}

/* An interrupt without a checkpoint file loses the work, and says nothing of resuming. */
static void without_file(void **state) {
    (void)state;
    snn_error err = {0};
    search_rig g = dense(1);
    snn_search_result r;
    uint64_t steps;
    assert_false(run(&g, (snn_search_options){.kind = SNN_SEARCH_RANDOM}, 2, &r, &steps, &err));
    assert_int_equal(err.code, SNN_ERR_INTERRUPTED);
    assert_string_equal(err.text, "the search was interrupted");
    assert_null(r.flips.flip);
    /* A folder that is not there. */
    assert_false(run(&g, (snn_search_options){.kind = SNN_SEARCH_RANDOM, .checkpoint = "none/there"}, 2, &r,
                     &steps, &err));
    assert_int_equal(err.code, SNN_ERR_RUNTIME);
    assert_non_null(strstr(err.text, "none/there"));
    rig_close(&g);
}

/* ---- files ---- */

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

/* With a digest that fits. */
static void seal(uint8_t *data, size_t size) {
    snn_digest d;
    snn_digest_init(&d);
    snn_digest_bytes(&d, data, size - SNN_DIGEST_BYTES);
    snn_digest_final(&d, data + size - SNN_DIGEST_BYTES);
    spill(data, size);
}

static void refused(search_rig *g, snn_search_options o, const char *why) {
    snn_error err = {0};
    snn_search_result r;
    o.resume = true;
    o.checkpoint = file_name;
    assert_false(snn_search(g->objective, &o, NULL, &r, &err));
    assert_int_equal(err.code, SNN_ERR_DATA);
    if (!strstr(err.text, file_name) || !strstr(err.text, why))
        fail_msg("\"%s\" does not say \"%s\"", err.text, why);
}

static const snn_search_options random_search = {.kind = SNN_SEARCH_RANDOM, .seed = 5, .prune = true};

static uint8_t *stopped(search_rig *g, size_t *size) {
    snn_error err = {0};
    snn_search_result r;
    uint64_t steps;
    snn_search_options o = random_search;
    o.checkpoint = file_name;
    assert_false(run(g, o, 3, &r, &steps, &err));
    assert_int_equal(err.code, SNN_ERR_INTERRUPTED);
    return slurp(size);
}

/* Each byte changed, each length cut. */
static void damage(void **state) {
    (void)state;
    search_rig g = dense(1);
    size_t size;
    uint8_t *data = stopped(&g, &size);
    assert_memory_equal(data, "SNNSRCH\n", 8);
    for (size_t i = 0; i < size; i += i < 120 ? 1 : 7) {
        data[i] ^= 0x10;
        spill(data, size);
        refused(&g, random_search,
                i < 8    ? "is not a checkpoint of snnsim's bit search"
                : i < 16 ? "another version or on another kind of machine"
                : i < 48 ? "belongs to another search"
                         : "is damaged");
        data[i] ^= 0x10;
    }
    for (size_t n = 0; n < size; n += n < 120 ? 1 : 7) {
        spill(data, n);
        refused(&g, random_search, "");
    }
    spill(data, size);
    snn_error err = {0};
    snn_search_result r;
    snn_search_options o = random_search;
    o.resume = true;
    o.checkpoint = file_name;
    must(snn_search(g.objective, &o, NULL, &r, &err), &err);
    snn_search_free(&r);
    free(data);
    rig_close(&g);
}

/* Whoever makes a digest that fits, every byte changed is refused, or read as a state that can be saved again to the same bytes. */
static void forged(void **state) {
    (void)state;
    search_rig g = dense(1);
    size_t size, again;
    uint8_t *data = stopped(&g, &size), fingerprint[SNN_DIGEST_BYTES];
    memcpy(fingerprint, data + 16, sizeof fingerprint);
    uint32_t accepted = 0, turned_down = 0;
    for (size_t i = 48; i < size - SNN_DIGEST_BYTES; i += i < 200 ? 1 : 3)
        for (int bit = 0; bit < 8; bit += 7) {
            snn_error err = {0};
            snn_search_state st;
            bool found;
            data[i] ^= (uint8_t)(1 << bit);
            seal(data, size);
            if (snn_checkpoint_load(&st, fingerprint, g.candidates, 2, file_name, &found, &err)) {
                must(snn_checkpoint_save(&st, fingerprint, file_name, &err), &err);
                uint8_t *copy = slurp(&again);
                assert_int_equal(again, size);
                assert_memory_equal(copy, data, size);
                free(copy);
                accepted++;
            } else {
                assert_int_equal(err.code, SNN_ERR_DATA);
                assert_non_null(strstr(err.text, "holds no state that a search can be in"));
                turned_down++;
            }
            snn_search_state_free(&st);
            data[i] ^= (uint8_t)(1 << bit);
        }
    assert_true(accepted > 0 && turned_down > 0);
    remove(file_name);
    free(data);
    rig_close(&g);
}

/* States that load, but that the search could not be in: it says so before it takes a step. */
static void unsound(void **state) {
    (void)state;
    snn_error err = {0};
    static const snn_search_kind kinds[] = {SNN_SEARCH_RANDOM, SNN_SEARCH_GREEDY, SNN_SEARCH_SALIENCY};
    for (int k = 0; k < 3; k++) {
        search_rig g = dense(1);
        snn_search_options o = {.kind = kinds[k], .rule = SNN_RULE_MAGNITUDE, .checkpoint = file_name};
        snn_search_result r;
        uint64_t steps;
        assert_false(run(&g, o, 1, &r, &steps, &err));
        size_t size;
        uint8_t *data = slurp(&size), fingerprint[SNN_DIGEST_BYTES];
        memcpy(fingerprint, data + 16, sizeof fingerprint);
        free(data);
        for (int what = 0; what < 5; what++) {
            snn_search_state st;
            bool found;
            must(snn_checkpoint_load(&st, fingerprint, g.candidates, 1, file_name, &found, &err), &err);
            uint8_t *whole = slurp(&size);
            if (what < 4)
                st.reg[what] = UINT64_MAX;
            else
                must(snn_search_sets(&st, kinds[k] == SNN_SEARCH_SALIENCY ? 1 : 0, &err), &err);
            must(snn_checkpoint_save(&st, fingerprint, file_name, &err), &err);
            snn_search_state_free(&st);
            if (!(kinds[k] == SNN_SEARCH_RANDOM && what == 3) &&
                !(kinds[k] == SNN_SEARCH_GREEDY && (what == 2 || what == 3)) &&
                !(kinds[k] == SNN_SEARCH_SALIENCY && what < 2))
                refused(&g, o, "holds no state that a search can be in");
            spill(whole, size);
            free(whole);
        }
        remove(file_name);
        rig_close(&g);
    }
}

/* What the result depends on is in the fingerprint; budgets and threads are not. */
static void others(void **state) {
    (void)state;
    search_rig g = dense(1);
    size_t size;
    uint8_t *data = stopped(&g, &size);
    static const char *const why =
        "belongs to another search: weights, samples, candidates, goal, settings and seed";
    for (int i = 0; i < 7; i++) {
        snn_search_options o = random_search;
        uint32_t *setting[] = {&o.most_bits, &o.population, &o.generations, &o.eps};
        if (i < 4)
            *setting[i] = 77;
        o.seed += i == 4;
        o.prune = i != 5;
        if (i == 6)
            o.kind = SNN_SEARCH_GREEDY;
        refused(&g, o, why);
    }
    rig_close(&g);
    /* Another objective each time. */
    for (int i = 0; i < 8; i++) {
        search_rig h =
            rig_make(DENSE, (snn_shape){1, 6, 6}, i == 0 ? 19 : 20, 5, SNN_SIGN_MAGNITUDE, i == 1 ? 14 : 13);
        snn_goal goal = {.target = i == 2 ? 4 : 3, .margin = i == 3 ? 3.5 : 3, .largest = i == 4 ? 19 : 20};
        if (i == 5)
            h.label[0] = (h.label[0] + 1) % 4;
        if (i == 7)
            h.sample[3].spike[0].count++;
        rig_open(&h, i == 6 ? 2 : 1, false, goal, 1);
        refused(&h, random_search, why);
        rig_close(&h);
    }
    snn_error err = {0};
    snn_search_result r;
    g = dense(3);
    snn_search_options o = random_search;
    o.evaluations = 1 << 20;
    o.seconds = 1e6;
    o.resume = true;
    o.checkpoint = file_name;
    must(snn_search(g.objective, &o, NULL, &r, &err), &err);
    snn_search_free(&r);
    rig_close(&g);
    free(data);
}

int main(void) {
    snprintf(file_name, sizeof file_name, "%stest_search_resume.%ld.tmp",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm/" : "", (long)getpid());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everywhere),   cmocka_unit_test(many_candidates), cmocka_unit_test(periodic),
        cmocka_unit_test(without_file), cmocka_unit_test(damage),          cmocka_unit_test(forged),
        cmocka_unit_test(unsound),      cmocka_unit_test(others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
