/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Training as a whole, on a small set of frames: it learns, gives the same bits for any number of threads and after any interruption, and fails well. */
#include "dataset_test.h"
#include "train_test.h"

#include <snnsim/output.h>

#include <math.h>

#define CLASSES 3
#define TRAIN 60
#define STEPS 5
#define SIDE 6

/* Frames in which each class lights another pair of rows, with noise; uint8 [samples][steps][1][6][6]. */
static void write_npy(const char *name, const char *type, const char *shape, const void *data, size_t size) {
    char header[128];
    int n = snprintf(header + 10, sizeof header - 10,
                     "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", type, shape);
    memset(header + 10 + n, ' ', sizeof header - 10 - (size_t)n);
    header[127] = '\n';
    memcpy(header, "\x93NUMPY\x01\x00\x76\x00", 10);
    uint8_t *all = malloc(sizeof header + size);
    memcpy(all, header, sizeof header);
    memcpy(all + sizeof header, data, size);
    write_file(name, all, sizeof header + size);
    free(all);
}

static void make_frames(const char *frames, const char *labels, int samples, uint64_t index) {
    size_t cells = SIDE * SIDE;
    uint8_t *x = calloc((size_t)samples * STEPS * cells, 1);
    int32_t *label = malloc((size_t)samples * sizeof *label);
    char shape[64];
    snn_random r;
    snn_random_init(&r, 5, SNN_PURPOSE_TEST, index);
    for (int s = 0; s < samples; s++) {
        label[s] = s % CLASSES;
        for (size_t i = 0; i < STEPS * cells; i++) {
            bool lit = (int)(i % cells / SIDE) / 2 == label[s];
            x[(size_t)s * STEPS * cells + i] = snn_random_uniform(&r) < (lit ? 0.35 : 0.15);
        }
    }
    snprintf(shape, sizeof shape, "%d, %d, 1, %d, %d", samples, STEPS, SIDE, SIDE);
    write_npy(frames, "|u1", shape, x, (size_t)samples * STEPS * cells);
    snprintf(shape, sizeof shape, "%d,", samples);
    write_npy(labels, "<i4", shape, label, (size_t)samples * sizeof *label);
    free(x);
    free(label);
}

static int setup(void **state) {
    if (temp_setup(state))
        return 1;
    make_frames("x.npy", "y.npy", TRAIN, 1);
    return 0;
}

#define FC                                                                                                   \
    "{ name = \"fc1\"; type = \"linear\"; outputs = 20; bias = true; },"                                     \
    "{ name = \"fc2\"; type = \"linear\"; outputs = 3; }"
#define CONV                                                                                                 \
    "{ name = \"c1\"; type = \"conv2d\"; channels = 4; kernel = 3; padding = 1; },"                          \
    "{ name = \"p1\"; type = \"pool_max\"; kernel = 2; },"                                                   \
    "{ name = \"c2\"; type = \"conv2d\"; channels = 5; kernel = 2; bias = true; },"                          \
    "{ name = \"fc\"; type = \"linear\"; outputs = 3; }"
#define RECURRENT                                                                                            \
    "{ name = \"fc1\"; type = \"linear\"; outputs = 70; recurrent = true; bias = true; neuron = { type = "   \
    "\"cuba_lif\"; decay = 0.8; }; },"                                                                       \
    "{ name = \"fc2\"; type = \"linear\"; outputs = 12; recurrent = true; bias = true; delay = 1; neuron = " \
    "{ "                                                                                                     \
    "type = \"alif\"; decay = 0.8; threshold = 0.1; adapt = 1.0; }; },"                                      \
    "{ name = \"fc3\"; type = \"linear\"; outputs = 3; start = 1; neuron = { type = \"li\"; }; }"

typedef struct {
    snn_config *config;
    snn_dataset *data;
    snn_net *net;
    snn_train_options o;
} job;

/* "key = value; key = value;" in section train. */
static void set_all(snn_config *c, const char *settings) {
    char text[512], assignment[128];
    snn_error err = {0};
    snprintf(text, sizeof text, "%s", settings);
    for (char *rest, *item = strtok_r(text, ";", &rest); item != NULL; item = strtok_r(NULL, ";", &rest)) {
        char *key = item + strspn(item, " "), *value = strstr(key, " = ");
        if (value == NULL)
            break;
        snprintf(assignment, sizeof assignment, "train.%.*s=%s", (int)(value - key), key, value + 3);
        if (!snn_config_set(c, assignment, &err))
            fail_msg("%s", err.text);
    }
}

static job open_job(const char *layers, const char *train) {
    char text[4096];
    snn_error err = {0};
    snprintf(text, sizeof text,
             "dataset = { name = \"npy\"; train_frames = \"%s\"; train_labels = \"%s\"; frames = \"%s\"; "
             "labels = \"%s\"; bins = %d; };"
             "network = { layers = ( %s ); };"
             "train = { epochs = 4; batch = 8; learning_rate = 5e-3; surrogate = \"arctan\"; surrogate_width "
             "= 1.0; };",
             in_temp("x.npy"), in_temp("y.npy"), in_temp("x.npy"), in_temp("y.npy"), STEPS, layers);
    job j = {.config = test_config(text)};
    set_all(j.config, train);
    j.data = snn_dataset_open(j.config, SNN_SPLIT_TRAIN, &err);
    if (j.data == NULL)
        fail_msg("%s", err.text);
    j.net = test_net(j.config, (snn_shape){1, SIDE, SIDE});
    j.o = test_options(j.config);
    j.o.threads = 1;
    return j;
}

static void close_job(job *j) {
    snn_dataset_free(j->data);
    snn_net_free(j->net);
    snn_config_free(j->config);
}

static snn_train_result train(const job *j, const snn_weights *initial, const snn_train_hooks *hooks) {
    snn_train_result r;
    snn_error err = {0};
    if (!snn_train(j->net, j->data, initial, &j->o, hooks, &r, &err))
        fail_msg("%s", err.text);
    return r;
}

static void check_same(const snn_train_result *a, const snn_train_result *b) {
    assert_true(test_same_weights(a->best, b->best));
    assert_true(test_same_weights(a->quantised, b->quantised));
    assert_int_equal(a->best_epoch, b->best_epoch);
    assert_int_equal(a->quantised_epoch, b->quantised_epoch);
    assert_int_equal(a->epochs, b->epochs);
    assert_true(a->best_validation == b->best_validation &&
                a->quantised_validation == b->quantised_validation);
    for (int i = 0; i < a->best_net->layers; i++)
        if (a->best_net->layer[i].bias != NULL) {
            size_t size = a->best_net->layer[i].out.channels * sizeof(float);
            assert_memory_equal(a->best_net->layer[i].bias, b->best_net->layer[i].bias, size);
            assert_memory_equal(a->quantised_net->layer[i].bias, b->quantised_net->layer[i].bias, size);
        }
}

/* ---- curves ---- */

typedef struct {
    snn_train_epoch epoch[64];
    int n;
    uint64_t last_done, last_total;
    volatile sig_atomic_t stop;
    int batches, stop_after; /* stop is set after that many batches */
} curve;

static void on_epoch(void *context, const snn_train_epoch *e) {
    curve *c = context;
    c->epoch[c->n++] = *e;
}

static void on_progress(void *context, int epoch, uint64_t done, uint64_t total) {
    curve *c = context;
    assert_true(epoch >= 1 && done >= 1 && done <= total);
    c->last_done = done;
    c->last_total = total;
    if (++c->batches == c->stop_after)
        c->stop = 1;
}

static snn_train_hooks hooks_of(curve *c) {
    return (snn_train_hooks){.context = c, .epoch = on_epoch, .progress = on_progress, .stop = &c->stop};
}

/* ---- it learns ---- */

static void check_learns(const char *layers, const char *settings) {
    job j = open_job(layers, settings);
    curve c = {0};
    snn_train_hooks hooks = hooks_of(&c);
    snn_train_result r = train(&j, NULL, &hooks);
    assert_int_equal(c.n, r.epochs);
    const snn_train_epoch *last = &c.epoch[c.n - 1];
    assert_true(last->loss < c.epoch[0].loss);
    if (!(last->accuracy > 0.9))
        fail_msg("accuracy %g after %d epochs: %s %s", last->accuracy, c.n, layers, settings);
    assert_int_equal(c.last_total, TRAIN);
    assert_int_equal(c.last_done, TRAIN);
    snn_train_result_free(&r);
    close_job(&j);
}

static void learns(void **state) {
    (void)state;
    check_learns(FC, "epochs = 20;");
    check_learns(CONV, "epochs = 60; batch = 20; learning_rate = 2e-2;"); /* a batch larger than a block */
    check_learns(FC,
                 "epochs = 20; loss = \"cross_entropy\"; surrogate = \"triangle\"; schedule = \"constant\";");
    check_learns("{ name = \"f\"; type = \"flatten\"; },{ name = \"fc\"; type = \"linear\"; outputs = 3; "
                 "neuron = { type = \"li\"; }; }",
                 "epochs = 20; loss = \"cross_entropy\"; schedule = \"step\"; step_every = 10; clip = 1.0; "
                 "weight_decay = 0.01;");
    check_learns(RECURRENT, "epochs = 30; loss = \"cross_entropy\"; init_recurrent = 0.3;");
    check_learns(CONV, "epochs = 40; learning_rate = 1e-2; quant_epochs = 5; quant_rate = 1e-3;");
}

static void biases_are_trained(void **state) {
    (void)state;
    job j = open_job(FC, "");
    snn_train_result r = train(&j, NULL, NULL);
    float sum = 0;
    for (int i = 0; i < 20; i++)
        sum += fabsf(r.best_net->layer[0].bias[i]);
    assert_true(sum > 0);
    assert_true(j.net->layer[0].bias[0] == 0); /* the given network is left alone */
    snn_train_result_free(&r);
    close_job(&j);
}

/* ---- same bits ---- */

#define EVERYTHING                                                                                           \
    "quant_epochs = 2; quant_rate = 1e-3; validation = 0.2; shift = 1; drop = 0.2; time_jitter = 0.5; clip " \
    "= 0.5;"

static void threads_do_not_change_bits(void **state) {
    (void)state;
    const char *layers[] = {FC, CONV, RECURRENT};
    for (int k = 0; k < 3; k++)
        for (int sparse = 0; sparse < 2; sparse++) {
            job j = open_job(layers[k], EVERYTHING);
            j.o.sparse = sparse;
            j.o.threads = 1;
            snn_train_result one = train(&j, NULL, NULL);
            for (j.o.threads = 2; j.o.threads <= 3; j.o.threads++) {
                snn_train_result more = train(&j, NULL, NULL);
                check_same(&one, &more);
                snn_train_result_free(&more);
            }
            j.o.seed++;
            snn_train_result other = train(&j, NULL, NULL);
            assert_false(test_same_weights(one.best, other.best));
            snn_train_result_free(&other);
            snn_train_result_free(&one);
            close_job(&j);
        }
}

/* Updates at once by the tasks of the gradient, or afterwards (a clip that never bites): the same. A clip that bites is not. */
static void clipping(void **state) {
    (void)state;
    job j = open_job(CONV, "weight_decay = 0.01;");
    snn_train_result at_once = train(&j, NULL, NULL);
    j.o.clip = 1e30;
    snn_train_result after = train(&j, NULL, NULL);
    check_same(&at_once, &after);
    snn_train_result_free(&after);
    j.o.clip = 1e-3;
    after = train(&j, NULL, NULL);
    assert_false(test_same_weights(at_once.best, after.best));
    snn_train_result_free(&after);
    snn_train_result_free(&at_once);
    close_job(&j);
}

/* Stopped after each batch in turn and resumed, again and again: the result and the curve are those of an uninterrupted run. */
static void check_resuming(const char *layers) {
    job j = open_job(layers, EVERYTHING "epochs = 2;");
    curve whole = {0};
    snn_train_hooks hooks = hooks_of(&whole);
    snn_train_result expected = train(&j, NULL, &hooks);
    const char *path = in_temp("a.checkpoint");
    for (int every = 1; every <= 5; every += 2) {
        bool resume = false, done = false;
        int rounds = 0;
        while (!done) {
            curve part = {.stop_after = every};
            snn_train_hooks h = hooks_of(&part);
            h.checkpoint = path;
            h.resume = resume;
            snn_train_result r;
            snn_error err = {0};
            done = snn_train(j.net, j.data, NULL, &j.o, &h, &r, &err);
            if (!done) {
                check_error(&err, SNN_ERR_INTERRUPTED, "saved in");
                resume = true;
                rounds++;
                assert_true(rounds < 100);
                continue;
            }
            check_same(&expected, &r);
            assert_int_equal(part.n, whole.n);
            for (int i = 0; i < part.n; i++) {
                part.epoch[i].seconds = whole.epoch[i].seconds;
                assert_int_equal(part.epoch[i].epoch, i + 1);
                assert_true(part.epoch[i].loss == whole.epoch[i].loss &&
                            part.epoch[i].accuracy == whole.epoch[i].accuracy &&
                            part.epoch[i].validation_loss == whole.epoch[i].validation_loss &&
                            part.epoch[i].validation_accuracy == whole.epoch[i].validation_accuracy &&
                            part.epoch[i].learning_rate == whole.epoch[i].learning_rate &&
                            part.epoch[i].best == whole.epoch[i].best &&
                            part.epoch[i].quantised == whole.epoch[i].quantised);
            }
            snn_train_result_free(&r);
        }
        assert_true(rounds >= 4);
    }
    /* and once more from the finished checkpoint: nothing left to do */
    curve again = {0};
    snn_train_hooks h = hooks_of(&again);
    h.checkpoint = path;
    h.resume = true;
    snn_train_result r = train(&j, NULL, &h);
    check_same(&expected, &r);
    assert_int_equal(again.batches, 0);
    snn_train_result_free(&r);
    snn_train_result_free(&expected);
    close_job(&j);
}

static void resuming_gives_the_same_bits(void **state) {
    (void)state;
    check_resuming(CONV);
    check_resuming(RECURRENT);
}

static void stopping_without_a_checkpoint_says_so(void **state) {
    (void)state;
    job j = open_job(FC, "");
    curve c = {.stop_after = 2};
    snn_train_hooks h = hooks_of(&c);
    snn_train_result r;
    snn_error err = {0};
    assert_false(snn_train(j.net, j.data, NULL, &j.o, &h, &r, &err));
    check_error(&err, SNN_ERR_INTERRUPTED, "nothing saved");
    assert_null(r.best);
    close_job(&j);
}

/* ---- checkpoints that do not fit ---- */

static void expect_refused(const job *j, const char *path, const char *part) {
    snn_train_hooks h = {.checkpoint = path, .resume = true};
    snn_train_result r;
    snn_error err = {0};
    assert_false(snn_train(j->net, j->data, NULL, &j->o, &h, &r, &err));
    check_error(&err, SNN_ERR_DATA, part);
}

static void checkpoints_of_something_else_are_refused(void **state) {
    (void)state;
    job j = open_job(FC, "epochs = 1;");
    const char *path = in_temp("b.checkpoint");
    snn_train_hooks h = {.checkpoint = path};
    snn_train_result r = train(&j, NULL, &h);
    snn_train_result_free(&r);
    j.o.learning_rate *= 2;
    expect_refused(&j, path, "belongs to another");
    j.o.learning_rate /= 2;
    j.o.seed++;
    expect_refused(&j, path, "belongs to another");
    j.o.seed--;
    j.o.threads = 2; /* this may differ */
    h.resume = true;
    r = train(&j, NULL, &h);
    snn_train_result_free(&r);
    job other = open_job(CONV, "epochs = 1;");
    other.o.threads = 1;
    expect_refused(&other, path, "belongs to another");
    close_job(&other);
    expect_refused(&j, in_temp("none.checkpoint"), "cannot resume");
    close_job(&j);
}

static void damaged_checkpoints_are_refused(void **state) {
    (void)state;
    job j = open_job(FC, "epochs = 1;");
    snn_train_hooks h = {.checkpoint = in_temp("c.checkpoint")};
    snn_train_result r = train(&j, NULL, &h);
    snn_train_result_free(&r);
    uint8_t *data;
    size_t size;
    snn_error err = {0};
    assert_true(snn_file_read(h.checkpoint, 1 << 24, &data, &size, &err));
    data[size / 2] ^= 1;
    write_file("flipped", data, size);
    expect_refused(&j, in_temp("flipped"), "damaged");
    data[size / 2] ^= 1;
    write_file("short", data, size - 40);
    expect_refused(&j, in_temp("short"), "damaged");
    write_file("tiny", data, 20);
    expect_refused(&j, in_temp("tiny"), "is not a checkpoint");
    data[0] = 'X';
    write_file("magic", data, size);
    expect_refused(&j, in_temp("magic"), "is not a checkpoint");
    data[0] = 'S';
    data[8] ^= 1;
    write_file("version", data, size);
    expect_refused(&j, in_temp("version"), "another version");
    data[8] ^= 1;
    /* A right digest over a wrong state. */
    size_t end = size - SNN_DIGEST_BYTES;
    for (int kind = 0; kind < 2; kind++) {
        uint8_t *changed = malloc(size + 4);
        memcpy(changed, data, size);
        size_t n = end;
        if (kind == 0)
            memset(changed + 8 + 8 + 32 + 1, 0x7f, 4); /* epochs done: far too many */
        else
            n += 4; /* four bytes too many */
        snn_digest d;
        snn_digest_init(&d);
        snn_digest_bytes(&d, changed, n);
        uint8_t digest[SNN_DIGEST_BYTES];
        snn_digest_final(&d, digest);
        uint8_t *file = malloc(n + SNN_DIGEST_BYTES);
        memcpy(file, changed, n);
        memcpy(file + n, digest, SNN_DIGEST_BYTES);
        write_file("forged", file, n + SNN_DIGEST_BYTES);
        expect_refused(&j, in_temp("forged"), kind == 0 ? "impossible state" : "length");
        free(file);
        free(changed);
    }
    free(data);
    close_job(&j);
}

static void an_unwritable_checkpoint_is_an_error(void **state) {
    (void)state;
    job j = open_job(FC, "epochs = 1;");
    snn_train_hooks h = {.checkpoint = in_temp("no/such/folder/x")};
    snn_train_result r;
    snn_error err = {0};
    assert_false(snn_train(j.net, j.data, NULL, &j.o, &h, &r, &err));
    check_error(&err, SNN_ERR_RUNTIME, "no/such/folder");
    close_job(&j);
}

/* ---- the best epoch ---- */

static void validation_picks_the_best_epoch(void **state) {
    (void)state;
    job j = open_job(FC, "epochs = 12; validation = 0.25; learning_rate = 2e-2; schedule = \"constant\";");
    curve c = {0};
    snn_train_hooks h = hooks_of(&c);
    snn_train_result r = train(&j, NULL, &h);
    assert_int_equal(c.last_total, TRAIN - 15);
    int best = 0;
    for (int i = 0; i < c.n; i++) {
        const snn_train_epoch *e = &c.epoch[i], *b = &c.epoch[best];
        bool better =
            i == 0 || e->validation_accuracy > b->validation_accuracy ||
            (e->validation_accuracy == b->validation_accuracy && e->validation_loss < b->validation_loss);
        assert_int_equal(e->best, better);
        if (better)
            best = i;
    }
    assert_int_equal(r.best_epoch, best + 1);
    assert_true(r.best_validation == c.epoch[best].validation_accuracy);
    /* These weights are those of a run that ends there. */
    j.o.epochs = best + 1;
    snn_train_result ended = train(&j, NULL, NULL);
    assert_true(test_same_weights(r.best, ended.best));
    snn_train_result_free(&ended);
    snn_train_result_free(&r);
    close_job(&j);
}

static void patience_ends_training(void **state) {
    (void)state;
    job j =
        open_job(FC, "epochs = 40; validation = 0.25; patience = 2; quant_epochs = 30; quant_rate = 1e-6;");
    curve c = {0};
    snn_train_hooks h = hooks_of(&c);
    snn_train_result r = train(&j, NULL, &h);
    assert_true(r.epochs < 70);
    assert_int_equal(c.n, r.epochs);
    int since = 0;
    for (int i = 0; i < c.n; i++) {
        if (i > 0 && c.epoch[i].quantised != c.epoch[i - 1].quantised)
            since = 0;
        since = c.epoch[i].best ? 0 : since + 1;
        assert_true(since <= 2);
    }
    assert_int_equal(since, 2);
    assert_true(c.epoch[c.n - 1].quantised);
    assert_true(r.quantised_epoch > r.best_epoch);
    snn_train_result_free(&r);
    close_job(&j);
}

/* Without epochs the result is what came in: the initial weights, or PyTorch's default distribution. */
static void no_epochs(void **state) {
    (void)state;
    snn_error err = {0};
    job j = open_job(FC, "epochs = 0;");
    snn_train_result drawn = train(&j, NULL, NULL);
    assert_int_equal(drawn.epochs, 0);
    assert_true(drawn.best_validation == -1);
    const snn_tensor *t = &drawn.best->tensor[0];
    double bound = 0.57735 * sqrt(3.0 / 36), squares = 0;
    for (uint64_t i = 0; i < t->count; i++) {
        assert_true(fabs((double)t->value[i]) <= bound);
        squares += (double)t->value[i] * (double)t->value[i];
    }
    assert_true(fabs(sqrt(squares / (double)t->count) / (bound / sqrt(3)) - 1) < 0.06); /* 720 draws */
    snn_weights *w = snn_weights_copy(drawn.best, &err);
    w->tensor[0].value[7] = 0.25f;
    snn_train_result given = train(&j, w, NULL);
    assert_true(test_same_weights(given.best, w));
    /* codes are those of the quantiser */
    snn_weights *codes = snn_weights_quantise(w, &j.o.quant, NULL, &err);
    assert_true(test_same_weights(given.quantised, codes));
    snn_weights_free(codes);
    snn_weights_free(w);
    snn_train_result_free(&given);
    snn_train_result_free(&drawn);
    close_job(&j);
}

/* ---- quantisation-aware ---- */

/* Effective weights are what snn_weights_quantise and snn_weights_dequantise make, for every setting. */
static void check_effective(const char *layers) {
    job j = open_job(layers, "");
    snn_error err = {0};
    train_plan plan;
    assert_true(snn_train_plan(&plan, j.net, STEPS, &j.o, &err));
    float *w = calloc(plan.parameters, sizeof *w), *effective = calloc(plan.parameters, sizeof *w),
          *expected = calloc(plan.parameters, sizeof *w);
    snn_weights *tensors = test_weights(j.net, 0.7, 9);
    snn_train_pack(&plan, tensors, j.net, w);
    for (int kind = 0; kind < 8 * 8; kind++) {
        snn_quantisation q = {
            .bits = 1 + kind / 8, .per_channel = kind & 1, .free_scale = kind & 2, .truncate = kind & 4};
        snn_weights *codes = snn_weights_quantise(tensors, &q, NULL, &err),
                    *values = snn_weights_dequantise(codes, &err);
        snn_train_pack(&plan, values, j.net, expected);
        assert_true(snn_train_effective(&plan, &q, 2, w, effective, &err));
        for (size_t i = 0; i < plan.parameters; i++)
            assert_true(effective[i] == expected[i]);
        snn_weights_free(codes);
        snn_weights_free(values);
    }
    free(w);
    free(effective);
    free(expected);
    snn_weights_free(tensors);
    snn_train_plan_free(&plan);
    close_job(&j);
}

static void effective_weights_are_those_of_the_quantiser(void **state) {
    (void)state;
    check_effective(CONV);
    check_effective(RECURRENT);
}

/* At 2 bits, weights trained for their codes do better than rounded ones. */
static void quantisation_aware_training_helps(void **state) {
    (void)state;
    job j = open_job(FC, "epochs = 15; quant_epochs = 10; quant_rate = 2e-3;");
    j.o.quant.bits = 2;
    curve c = {0};
    snn_train_hooks h = hooks_of(&c);
    snn_train_result r = train(&j, NULL, &h);
    assert_int_equal(r.epochs, 25);
    assert_int_equal(r.best_epoch, 15);
    assert_int_equal(r.quantised_epoch, 25);
    assert_true(c.epoch[15].quantised && !c.epoch[14].quantised);
    assert_true(c.epoch[24].loss < 0.8 * c.epoch[15].loss);
    assert_true(c.epoch[15].loss > c.epoch[14].loss);
    assert_int_equal(r.quantised->tensor[0].bits, 2);
    snn_train_result_free(&r);
    close_job(&j);
}

/* ---- guards ---- */

static void divergence_is_named(void **state) {
    (void)state;
    snn_error err = {0};
    snn_train_result r;
    job j = open_job(FC, "");
    snn_weights *w = test_weights(j.net, 0.5, 1);
    w->tensor[1].value[3] = NAN;
    assert_false(snn_train(j.net, j.data, w, &j.o, NULL, &r, &err));
    check_error(&err, SNN_ERR_RUNTIME, "training diverged in epoch 1, batch 1:");
    snn_weights_free(w);
    close_job(&j);
    /* a membrane read-out that overflows: the loss itself */
    j = open_job("{ name = \"fc\"; type = \"linear\"; outputs = 3; neuron = { type = \"li\"; }; }",
                 "learning_rate = 100.0; loss = \"cross_entropy\"; loss_scale = 1e6; weight_decay = 0.0; "
                 "epochs = 50;");
    w = test_weights(j.net, 0.5, 1);
    for (uint64_t i = 0; i < w->tensor[0].count; i++)
        w->tensor[0].value[i] = i % 2 ? 3e38f : -3e38f;
    assert_false(snn_train(j.net, j.data, w, &j.o, NULL, &r, &err));
    check_error(&err, SNN_ERR_RUNTIME, "the loss is not a finite number");
    snn_weights_free(w);
    close_job(&j);
}

static void what_does_not_fit_is_refused(void **state) {
    (void)state;
    snn_error err = {0};
    snn_train_result r;
    job j = open_job(FC, "");
    snn_net *other = test_net(j.config, (snn_shape){1, SIDE, SIDE + 1});
    assert_false(snn_train(other, j.data, NULL, &j.o, NULL, &r, &err));
    check_error(&err, SNN_ERR_DATA, "the network expects 1x6x7");
    snn_net_free(other);
    j.net->steps = STEPS + 1;
    assert_false(snn_train(j.net, j.data, NULL, &j.o, NULL, &r, &err));
    check_error(&err, SNN_ERR_DATA, "the network was made for 6");
    j.net->steps = 0; /* any */
    snn_weights *w = test_weights(j.net, 0.5, 1), *codes = snn_weights_quantise(w, &j.o.quant, NULL, &err);
    assert_false(snn_train(j.net, j.data, codes, &j.o, NULL, &r, &err));
    check_error(&err, SNN_ERR_DATA, "needs float weights");
    snn_weights_free(codes);
    snn_weights_free(w);
    j.o.validation = 0.9;
    r = train(&j, NULL, NULL);
    snn_train_result_free(&r);
    j.o.validation = 0.001;
    assert_false(snn_train(j.net, j.data, NULL, &j.o, NULL, &r, &err));
    check_error(&err, SNN_ERR_DATA, "is none");
    j.o.validation = 0.99;
    assert_false(snn_train(j.net, j.data, NULL, &j.o, NULL, &r, &err));
    check_error(&err, SNN_ERR_DATA, "leaves none of 60 samples");
    close_job(&j);
    j = open_job("{ name = \"fc\"; type = \"linear\"; outputs = 2; }", "");
    assert_false(snn_train(j.net, j.data, NULL, &j.o, NULL, &r, &err));
    check_error(&err, SNN_ERR_DATA, "3 classes, the network 2 outputs");
    close_job(&j);
    j = open_job("{ name = \"fc\"; type = \"linear\"; outputs = 3; neuron = { refractory = 2; }; }", "");
    assert_false(snn_train(j.net, j.data, NULL, &j.o, NULL, &r, &err));
    check_error(&err, SNN_ERR_USAGE, "layer 'fc': neurons with a refractory time cannot be trained");
    close_job(&j);
}

/* The gradient function checks its arguments too. */
static void gradient_arguments(void **state) {
    (void)state;
    job j = open_job(FC, "");
    snn_error err = {0};
    snn_weights *w = test_weights(j.net, 0.5, 1), *g = snn_weights_new(j.net, &err);
    snn_spikes *x = test_inputs(j.net, STEPS, 2, 0.3, 1);
    int label[2] = {0, 3};
    double loss;
    assert_false(snn_train_gradient(j.net, w, &j.o, x, label, 2, &loss, g, &err));
    check_error(&err, SNN_ERR_DATA, "label 3, expected 0 to 2");
    label[1] = 2;
    assert_true(snn_train_gradient(j.net, w, &j.o, x, label, 2, &loss, g, &err));
    assert_false(snn_train_gradient(j.net, w, &j.o, x, label, 0, &loss, g, &err));
    check_error(&err, SNN_ERR_DATA, "no samples");
    x[1].size++;
    assert_false(snn_train_gradient(j.net, w, &j.o, x, label, 2, &loss, g, &err));
    check_error(&err, SNN_ERR_DATA, "37 inputs");
    x[1].size--;
    g->tensor[0].type = SNN_CODE_8;
    assert_false(snn_train_gradient(j.net, w, &j.o, x, label, 2, &loss, g, &err));
    g->tensor[0].type = SNN_FLOAT32;
    test_inputs_free(x, 2);
    snn_weights_free(w);
    snn_weights_free(g);
    close_job(&j);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns),
        cmocka_unit_test(biases_are_trained),
        cmocka_unit_test(threads_do_not_change_bits),
        cmocka_unit_test(clipping),
        cmocka_unit_test(resuming_gives_the_same_bits),
        cmocka_unit_test(stopping_without_a_checkpoint_says_so),
        cmocka_unit_test(checkpoints_of_something_else_are_refused),
        cmocka_unit_test(damaged_checkpoints_are_refused),
        cmocka_unit_test(an_unwritable_checkpoint_is_an_error),
        cmocka_unit_test(validation_picks_the_best_epoch),
        cmocka_unit_test(patience_ends_training),
        cmocka_unit_test(no_epochs),
        cmocka_unit_test(effective_weights_are_those_of_the_quantiser),
        cmocka_unit_test(quantisation_aware_training_helps),
        cmocka_unit_test(divergence_is_named),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(gradient_arguments),
    };
    return cmocka_run_group_tests(tests, setup, temp_teardown);
}
