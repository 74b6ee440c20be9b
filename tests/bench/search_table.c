/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How few bits a search needs, judged on recordings that it has not seen: search_table CONFIG FIRST_SEED SEEDS [KEY=VALUE]...
 * For each seed (it draws the encryption subset, too) searches as section `encrypt` of the config says, then evaluates every point of the search's front on all recordings of training and test part that are not
 * in the subset. A line of CSV for each seed: fewest bits whose balanced accuracy there is at most 30, 20, 12 % (empty: none), the search's own result and its time.
 * FRONT=1 in the environment: all points of the front instead.
 */
#include <snnsim/snnsim.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static snn_error err;

static void check(bool ok) {
    if (ok)
        return;
    fprintf(stderr, "search_table: %s\n", err.text);
    exit(1);
}

static const double levels[] = {0.30, 0.20, 0.12};
enum { LEVELS = sizeof levels / sizeof *levels };

typedef struct {
    snn_spikes *sample;
    int *label;
    size_t n;
} recordings;

static recordings read_all(const snn_dataset *d) {
    recordings r = {.n = snn_dataset_count(d)};
    snn_dataset_buffer b = {0};
    r.sample = calloc(r.n, sizeof *r.sample);
    r.label = calloc(r.n, sizeof *r.label);
    if (!r.sample || !r.label)
        exit(1);
    for (size_t i = 0; i < r.n; i++) {
        check(snn_dataset_frames(d, i, &b, &r.sample[i], &err));
        r.label[i] = snn_dataset_label(d, i);
    }
    snn_dataset_buffer_free(&b);
    return r;
}

/* A probe over what the subset left, and its labels. */
typedef struct {
    snn_probe *probe;
    snn_probe_workspace *space;
    snn_probe_result result;
    int *label;
    const bool *searched;
} unseen;

static unseen open_unseen(const snn_model *m, const recordings *train, const recordings *test,
                          const snn_subset *s, const bool *searched) {
    unseen u = {.searched = searched};
    const size_t most = train->n + test->n;
    snn_spikes *sample = calloc(most, sizeof *sample); /* shallow: the probe copies */
    u.label = calloc(most, sizeof *u.label);
    if (!sample || !u.label)
        exit(1);
    size_t n = 0, next = 0;
    for (size_t i = 0; i < train->n; i++) {
        if (next < s->drawn && s->index[next] == i) {
            next++;
            continue;
        }
        u.label[n] = train->label[i];
        sample[n++] = train->sample[i];
    }
    for (size_t i = 0; i < test->n; i++) {
        u.label[n] = test->label[i];
        sample[n++] = test->sample[i];
    }
    const snn_probe_options o = {.simd = snn_simd_best()};
    check((u.probe = snn_probe_new(m->net, m->weights, searched, &o, sample, NULL, n, &err)) != NULL);
    check((u.space = snn_probe_workspace_new(u.probe, &err)) != NULL);
    check(snn_probe_result_init(&u.result, n, m->net->classes, &err));
    free(sample);
    return u;
}

static void close_unseen(unseen *u) {
    snn_probe_workspace_free(u->space);
    snn_probe_free(u->probe);
    snn_probe_result_free(&u->result);
    free(u->label);
}

/* Balanced accuracy with these flips. */
static double balanced(unseen *u, const snn_weights *w, const snn_flips *f) {
    snn_delta *delta = calloc(f->n + 1, sizeof *delta);
    size_t n = f->n, tested = 0;
    double sum = 0;
    check(delta && snn_weights_deltas(w, f, delta, &n, &err));
    check(snn_probe_eval(u->probe, delta, n, u->space, &u->result, &err));
    for (uint32_t c = 0; c < u->result.classes; c++) {
        size_t all = 0, right = 0;
        for (size_t i = 0; i < u->result.samples; i++)
            if (u->label[i] == (int)c) {
                all++;
                right += u->result.predicted[i] == u->label[i];
            }
        sum += all ? (double)right / (double)all : 0;
        tested += all > 0;
    }
    free(delta);
    return sum / (double)tested;
}

static void print_line(unseen *u, const snn_weights *w, const snn_search_result *r, const char *name,
                       uint64_t seed, const snn_subset *s) {
    const bool front = getenv("FRONT") != NULL;
    uint32_t bits[LEVELS] = {0};
    for (uint32_t i = 0; i < r->points; i++) {
        const double b = balanced(u, w, &r->front[i].flips);
        if (front)
            printf("%s,%llu,%u,%u,%.6f,%.4f,%.4f\n", name, (unsigned long long)seed, r->front[i].bits,
                   r->front[i].score.correct, r->front[i].score.loss, r->front[i].score.lead, b);
        for (int l = 0; l < LEVELS; l++)
            if (b <= levels[l] && bits[l] == 0)
                bits[l] = r->front[i].bits;
    }
    if (front)
        return;
    printf("%s,%llu", name, (unsigned long long)seed);
    for (int l = 0; l < LEVELS; l++)
        bits[l] ? printf(",%u", bits[l]) : printf(",");
    printf(",%zu,%d,%.4f,%.4f,%llu,%.2f\n", r->flips.n, r->met, (double)r->score.correct / (double)s->n,
           balanced(u, w, &r->flips), (unsigned long long)r->evaluations, r->seconds);
    fflush(stdout);
}

int main(int argc, char **argv) {
    if (argc < 4)
        return fprintf(stderr, "search_table CONFIG FIRST_SEED SEEDS [KEY=VALUE]...\n"), 2;
    snn_config *config = snn_config_load(argv[1], &err);
    check(config != NULL);
    for (int i = 4; i < argc; i++)
        check(snn_config_set(config, argv[i], &err));
    snn_model m;
    check(snn_model_load(&m, snn_config_string(config, "model.path"), &err));
    snn_dataset *train = snn_dataset_open(config, SNN_SPLIT_TRAIN, &err);
    check(train != NULL);
    snn_dataset *test = snn_dataset_open(config, SNN_SPLIT_TEST, &err);
    check(test != NULL);
    snn_encrypt_options o;
    check(snn_encrypt_options_from_config(&o, config, m.net, &err));
    snn_train_options t;
    check(snn_train_options_from_config(config, &t, &err));
    const recordings a = read_all(train), b = read_all(test);
    for (uint64_t seed = strtoull(argv[2], NULL, 0), end = seed + strtoull(argv[3], NULL, 0); seed < end;
         seed++) {
        snn_subset s;
        check(snn_subset_draw(&s, train, o.samples, o.random_samples, seed, &err));
        check(snn_subset_vary(&s, m.net->input, &t, o.variants, seed, &err));
        const snn_candidate_options co = {.tensor = o.tensor,
                                          .bits = o.bits,
                                          .eligible = o.eligible,
                                          .any_value = o.any_value,
                                          .seed = seed};
        snn_candidates *c = snn_candidates_new(m.weights, &co, &err);
        check(c != NULL);
        double used;
        const snn_objective_options oo = {.net = m.net,
                                          .weights = m.weights,
                                          .searched = o.tensor,
                                          .simd = snn_simd_best(),
                                          .threads = (int)snn_config_int(config, "run.threads")
                                                         ? (int)snn_config_int(config, "run.threads")
                                                         : 2,
                                          .goal = snn_encrypt_goal(&o, s.n, &used)};
        snn_objective *objective = snn_objective_new(&oo, c, s.sample, s.label, s.n, &err);
        check(objective != NULL);
        snn_search_options so = o.search;
        so.seed = seed;
        snn_search_result r;
        check(snn_search(objective, &so, NULL, &r, &err));
        unseen u = open_unseen(&m, &a, &b, &s, o.tensor);
        print_line(&u, m.weights, &r, snn_search_name(so.kind), seed, &s);
        close_unseen(&u);
        snn_search_free(&r);
        snn_objective_free(objective);
        snn_candidates_free(c);
        snn_subset_free(&s);
    }
    return 0;
}
