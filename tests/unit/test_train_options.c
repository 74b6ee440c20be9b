/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Settings of training from the config, and the course of the step size. */
#include "train_test.h"

#include <math.h>

static void check_options_error(const char *text, const char *part) {
    snn_config *c = test_config(text);
    snn_train_options o;
    snn_error err = {0};
    assert_false(snn_train_options_from_config(c, &o, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    if (strstr(err.text, part) == NULL || strstr(err.text, "test.cfg:1") == NULL)
        fail_msg("\"%s\", expected \"%s\" and the line", err.text, part);
    snn_config_free(c);
}

static void contradictions_are_refused(void **state) {
    (void)state;
    check_options_error("train = { epochs = 3; warmup = 4; };", "4 epochs of warm-up, but only 3");
    check_options_error("train = { patience = 4; };", "early stopping needs validation data");
    check_options_error("train = { learning_rate = 1e-3; final_rate = 2e-3; };", "0.002 is above");
    check_options_error("train = { rate_low = 0.2; rate_high = 0.1; };", "0.2 is above train.rate_high, 0.1");
}

static void every_setting_is_read(void **state) {
    (void)state;
    snn_config *c = test_config("seed = 9; run = { threads = 3; }; quant = { bits = 5; encoding = "
                                "\"twos_complement\"; rounding = \"truncate\"; };"
                                "train = { epochs = 11; batch = 7; learning_rate = 0.5; final_rate = 0.25; "
                                "warmup = 2; schedule = \"step\"; step_every = 4;"
                                "step_factor = 0.5; beta1 = 0.8; beta2 = 0.9; epsilon = 1e-6; weight_decay = "
                                "0.01; clip = 3.0; loss = \"cross_entropy\";"
                                "loss_scale = 6.0; surrogate = \"triangle\"; surrogate_width = 0.7; shift = "
                                "2; time_jitter = 0.3; drop = 0.2; rotate = 15.0;"
                                "zoom = 0.1; validation = 0.25; patience = 6; quant_epochs = 5; quant_rate = "
                                "1e-5; init_gain = 2.0; init_recurrent = 0.7; rate_weight = 2.0; rate_low = "
                                "0.1; rate_high = 0.2; sparse = false; };");
    snn_train_options o = test_options(c);
    assert_int_equal(o.seed, 9);
    assert_int_equal(o.threads, 3);
    assert_true(o.epochs == 11 && o.batch == 7 && o.warmup == 2 && o.step_every == 4 && o.shift == 2);
    assert_true(o.patience == 6 && o.quant_epochs == 5 && !o.sparse && !o.flip_pairs);
    assert_true(o.learning_rate == 0.5 && o.final_rate == 0.25 && o.step_factor == 0.5 && o.beta1 == 0.8);
    assert_true(o.beta2 == 0.9 && o.epsilon == 1e-6 && o.weight_decay == 0.01 && o.clip == 3);
    assert_true(o.loss == SNN_LOSS_CROSS_ENTROPY && o.loss_scale == 6 &&
                o.surrogate == SNN_SURROGATE_TRIANGLE);
    assert_true(o.surrogate_width == 0.7 && o.time_jitter == 0.3 && o.drop == 0.2 && o.rotate == 15 &&
                o.zoom == 0.1);
    assert_true(o.validation == 0.25 && o.quant_rate == 1e-5 && o.init_gain == 2 && o.init_recurrent == 0.7 &&
                o.rate_weight == 2 && o.rate_low == 0.1 && o.rate_high == 0.2 &&
                o.schedule == SNN_SCHEDULE_STEP);
    assert_true(o.quant.bits == 5 && o.quant.encoding == SNN_TWOS_COMPLEMENT && o.quant.truncate);
    snn_config_free(c);
    c = test_config("");
    o = test_options(c);
    assert_true(o.loss == SNN_LOSS_RATE_MSE && o.surrogate == SNN_SURROGATE_RECTANGLE && o.sparse);
    assert_true(o.schedule == SNN_SCHEDULE_COSINE && o.validation == 0 && o.clip == 0);
    snn_config_free(c);
}

static bool near(double a, double b) {
    return fabs(a - b) <= 1e-12;
}

static void schedules(void **state) {
    (void)state;
    snn_config *c = test_config("train = { epochs = 12; learning_rate = 0.8; final_rate = 0.2; warmup = 4; "
                                "quant_epochs = 6; quant_rate = 0.1; };");
    snn_train_options o = test_options(c);
    assert_true(near(snn_train_rate(&o, false, 0), 0));
    assert_true(near(snn_train_rate(&o, false, 1), 0.2)); /* linear warm-up */
    assert_true(near(snn_train_rate(&o, false, 4), 0.8));
    assert_true(near(snn_train_rate(&o, false, 8), 0.5)); /* half of the cosine */
    assert_true(near(snn_train_rate(&o, false, 12), 0.2));
    assert_true(near(snn_train_rate(&o, true, 0), 0.1));
    assert_true(near(snn_train_rate(&o, true, 3), 0.05));
    assert_true(near(snn_train_rate(&o, true, 6), 0));
    o.schedule = SNN_SCHEDULE_CONSTANT;
    assert_true(near(snn_train_rate(&o, false, 2), 0.4) && near(snn_train_rate(&o, false, 11.9), 0.8));
    o.schedule = SNN_SCHEDULE_STEP;
    o.step_every = 5;
    o.step_factor = 0.5;
    assert_true(near(snn_train_rate(&o, false, 4.9), 0.8) && near(snn_train_rate(&o, false, 5), 0.4));
    assert_true(near(snn_train_rate(&o, false, 9.9), 0.4) && near(snn_train_rate(&o, false, 10.1), 0.2));
    snn_config_free(c);
}

/* Losses by hand: rates 3/4, 1/4, 0 with label 1. */
static void losses(void **state) {
    (void)state;
    double sum[3] = {3, 1, 0};
    float dout[3];
    train_sample s = {.sum = sum, .dout = dout, .label = 1};
    snn_train_options o = {.loss = SNN_LOSS_RATE_MSE};
    snn_train_loss(&o, 3, 4, 0.5, &s);
    assert_true(near(s.loss, (0.75 * 0.75 + 0.75 * 0.75) / 3));
    assert_int_equal(s.predicted, 0);
    assert_true(fabs(dout[0] - 0.5 * 2 * 0.75 / 12) < 1e-7 && fabs(dout[1] + 0.5 * 2 * 0.75 / 12) < 1e-7 &&
                dout[2] == 0);
    o = (snn_train_options){.loss = SNN_LOSS_CROSS_ENTROPY, .loss_scale = 2};
    snn_train_loss(&o, 3, 4, 1, &s);
    double e[3] = {exp(1.5), exp(0.5), 1}, total = e[0] + e[1] + e[2];
    assert_true(near(s.loss, -log(e[1] / total)));
    for (int c = 0; c < 3; c++)
        assert_true(fabs(dout[c] - 2 * (e[c] / total - (c == 1)) / 4) < 1e-7);
    double tie[3] = {2, 5, 5};
    s.sum = tie;
    snn_train_loss(&o, 3, 4, 1, &s);
    assert_int_equal(s.predicted, 1); /* the lowest index wins */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contradictions_are_refused),
        cmocka_unit_test(every_setting_is_read),
        cmocka_unit_test(schedules),
        cmocka_unit_test(losses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
