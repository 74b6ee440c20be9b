/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Import of SpikingDSE's tables: what becomes of them, chains with and without recurrent tables, each broken file with its sentence. */
#include "published_test.h"

#include "../../sim/import_spikingdse.h"

#include <locale.h>
#include <math.h>
#include <sys/stat.h>

static char folder[64];

static void put(const char *name, const char *text) {
    char path[160];
    snprintf(path, sizeof path, "%s/%s.csv", folder, name);
    if (text == NULL) {
        unlink(path);
        return;
    }
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0 && fclose(f) == 0);
}

static int make_folder(void **state) {
    (void)state;
    strcpy(folder, "/tmp/snnsim_dse_XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

/* Input 3, hidden 2 and 1, read-out 2. */
static void put_good(void) {
    char command[160];
    snprintf(command, sizeof command, "rm -f %s/*", folder);
    assert_int_equal(system(command), 0);
    put("weights_i_2_h1", ",0,1,2\n0,0.5,-1.25,3e-2\r\n1,4,5.,-.5");
    put("weights_h1_2_h1", ",0,1\n0,1,2\n1,3,4\n");
    put("weights_h1_2_h2", ",0,1\n0,-7,8\n");
    put("weights_h2_2_o", ",0\n0,9\n1,10\n");
    put("bias_h1", ",0\n0,0.25\n1,-0.5\n");
    put("bias_h2", ",0\n0,0.125\n");
    put("tau_m_h1", ",0\n0,10\n1,20\n");
    put("tau_m_h2", ",0\n0,30\n");
    put("tau_m_o", ",0\n0,15\n1,0.01\n");
    put("tau_adp_h1", ",0\n0,50.562744\n1,100\n");
    put("tau_adp_h2", ",0\n0,100\n");
    put("tau_adp_o", ",0\n0,1\n1,1\n");
    put("notes", "not a table");
}

/* float32 of exp(-1/tau), by the C library's double exp of the float32 quotient: correctly rounded but in one of a thousand million cases. */
static float left(float tau) {
    return (float)exp((double)(-1.0f / tau));
}

static void becomes(void **state) {
    (void)state;
    snn_model m;
    snn_error err = {0};
    put_good();
    need(snn_import(&m, folder, NULL, &err), &err);
    const snn_layer *l = m.net->layer;
    assert_true(!m.net->fixed && m.net->layers == 3 && m.net->tensors == 4 && m.net->classes == 2);
    assert_true(m.net->input.channels == 3 && m.net->steps == 0 && m.net->step_us == 10000);
    assert_int_equal(m.net->readout, SNN_READOUT_SOFTMAX);
    static const char *const name[4] = {"h1", "h1_rec", "h2", "o"};
    static const float value[4][6] = {{0.5f, -1.25f, 0.03f, 4, 5, -0.5f}, {1, 2, 3, 4}, {-7, 8}, {9, 10}};
    for (int t = 0; t < 4; t++) {
        assert_string_equal(m.weights->tensor[t].name, name[t]);
        assert_memory_equal(m.weights->tensor[t].value, value[t], m.weights->tensor[t].count * sizeof(float));
    }
    assert_true(l[0].recurrent && !l[1].recurrent && !l[2].recurrent);
    for (int i = 0; i < 2; i++) {
        const snn_neuron *n = &l[i].neuron;
        assert_true(n->type == SNN_NEURON_ALIF && n->threshold == 0.01f && n->adapt == 1.8f &&
                    !n->at_threshold);
        assert_true(l[i].delay == 1 && l[i].start == 0);
    }
    assert_true(l[2].neuron.type == SNN_NEURON_LI && l[2].delay == 0 && l[2].start == 1 && l[2].bias == NULL);
    assert_true(l[0].bias[0] == 0.25f && l[0].bias[1] == -0.5f && l[1].bias[0] == 0.125f);
    static const float tau_m[3][2] = {{10, 20}, {30, 30}, {15, 0.01f}},
                       tau_adp[2][2] = {{50.562744f, 100}, {100, 100}};
    for (uint32_t i = 0; i < 3; i++)
        for (uint32_t j = 0; j < l[i].out.channels; j++) {
            assert_true(snn_layer_param(&l[i], SNN_PARAM_DECAY, j) == left(tau_m[i][j]));
            assert_true(snn_layer_param(&l[i], SNN_PARAM_GAIN, j) == 1.0f - left(tau_m[i][j]));
            assert_true(i == 2 || snn_layer_param(&l[i], SNN_PARAM_ADAPT_DECAY, j) == left(tau_adp[i][j]));
        }
    snn_model_free(&m);
    const snn_import_options o = {.dt = 0.001};
    need(snn_import_spikingdse(&m, folder, &o, &err), &err);
    assert_true(m.net->step_us == 1000);
    snn_model_free(&m);
    put("tau_adp_o", NULL);
    put("weights_h1_2_h1", NULL);
    need(snn_import_spikingdse(&m, folder, NULL, &err), &err);
    assert_true(!m.net->layer[0].recurrent && m.net->tensors == 3);
    snn_model_free(&m);
}

/* The good folder with one table changed. */
static void refused(const char *name, const char *text, const char *message) {
    snn_model m;
    snn_error err = {0};
    put_good();
    put(name, text);
    assert_false(snn_import_spikingdse(&m, folder, NULL, &err));
    assert_true(m.net == NULL && m.weights == NULL);
    assert_int_equal(err.code, SNN_ERR_DATA);
    if (strstr(err.text, message) == NULL)
        fail_msg("expected '%s' in '%s'", message, err.text);
    assert_non_null(strstr(err.text, folder));
}

/* Nobody writes to the pipe: opening it would not return. */
static void pipe_refused(void **state) {
    (void)state;
    char path[160];
    snn_model m;
    snn_error err = {0};
    put_good();
    snprintf(path, sizeof path, "%s/bias_h1.csv", folder);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_false(snn_import_spikingdse(&m, folder, NULL, &err));
    assert_non_null(strstr(err.text, "/bias_h1.csv: not a file"));
    unlink(path);
}

static void tables_refused(void **state) {
    (void)state;
    refused("bias_h1", "", "bias_h1.csv:1: expected the line ',0,1,2,...'");
    refused("bias_h1", "0\n", "bias_h1.csv:1: expected the line");
    refused("bias_h1", ",\n0,1\n", "bias_h1.csv:1: expected the line");
    refused("bias_h1", ",1\n0,1\n1,2\n", "bias_h1.csv:1: expected the line");
    refused("bias_h1", ",0,0\n0,1\n1,2\n", "bias_h1.csv:1: expected the line");
    refused("bias_h1", ",0x\n0,1\n1,2\n", "bias_h1.csv:1: expected the line");
    refused("bias_h1", ",0\n", "bias_h1.csv: has no rows");
    refused("bias_h1", ",0\n1,1\n", "bias_h1.csv:2: expected the number of the row");
    refused("bias_h1", ",0\n0,1\n\n", "bias_h1.csv:3: expected the number of the row");
    refused("bias_h1", ",0\n0,1\n0,2\n", "bias_h1.csv:3: expected the number of the row");
    refused("bias_h1", ",0\n0,1\n1\n", "bias_h1.csv:3: has fewer values than columns");
    refused("bias_h1", ",0\n0,1\n1,2,3\n", "bias_h1.csv:3: has more values than columns");
    refused("bias_h1", ",0\n0,1\n1,\n", "bias_h1.csv:3: expected a number between commas");
    refused("bias_h1", ",0\n0,1\n1,nan\n", "bias_h1.csv:3: expected finite numbers only");
    refused("bias_h1", ",0\n0,1\n1,inf\n", "bias_h1.csv:3: expected finite numbers only");
    refused("bias_h1", ",0\n0,1\n1,1e99\n", "bias_h1.csv:3: expected finite numbers only");
    refused("bias_h1", ",0\n0,1\n1,0x1\n", "bias_h1.csv:3: expected finite numbers only");
    refused("bias_h1", ",0\n0,1\n1, 2\n", "bias_h1.csv:3: expected finite numbers only");
    refused("bias_h1", ",0\n0,1\n1,2e\n", "bias_h1.csv:3: expected finite numbers only");
    refused("bias_h1", ",0\n0,1\n1,-\n", "bias_h1.csv:3: expected finite numbers only");
    refused("bias_h1", ",0\n0,1\n1,1.0000000000000000000000000000000000000001\n",
            "bias_h1.csv:3: expected a number between commas");
    refused("bias_h1", ",0\n0,1\n", "bias_h1.csv: has 1 rows and 1 columns, expected 2 and 1");
    refused("bias_h1", ",0,1\n0,1,1\n1,1,1\n", "bias_h1.csv: has 2 rows and 2 columns, expected 2 and 1");
}

static void networks_refused(void **state) {
    (void)state;
    refused("weights_i_2_h1", NULL, "weights_i_2_h1.csv");
    refused("weights_h1_2_h1", ",0\n0,1\n1,1\n",
            "weights_h1_2_h1.csv: has 2 rows and 1 columns, expected 2 and 2");
    refused("weights_h1_2_h2", ",0,1,2\n0,1,2,3\n",
            "weights_h1_2_h2.csv: has 1 rows and 3 columns, expected 1 and 2");
    refused("weights_h2_2_o", NULL, "weights_h2_2_o.csv");
    refused("weights_h1_2_h2", NULL, "weights_h1_2_o.csv");
    refused("bias_h2", NULL, "bias_h2.csv");
    refused("tau_m_o", NULL, "tau_m_o.csv");
    refused("tau_adp_h2", NULL, "tau_adp_h2.csv");
    refused("tau_m_h1", ",0\n0,10\n1,0\n", "tau_m_h1.csv:3: a time constant must be positive");
    refused("tau_m_h1", ",0\n0,10\n1,-2\n", "tau_m_h1.csv:3: a time constant must be positive");
    refused("tau_adp_h1", ",0\n0,-0\n1,2\n", "tau_adp_h1.csv:2: a time constant must be positive");
    refused("tau_m_h1", ",0\n0,10\n1,1e30\n", "gain"); /* 1 - decay is 0 */
    refused("weights_i_2_h2", ",0,1,2\n0,1,2,3\n",
            "weights_i_2_h2.csv: has no place in a chain of 2 hidden layers");
    refused("weights_h2_2_h1", ",0\n0,1\n1,1\n", "weights_h2_2_h1.csv: has no place in a chain");
    refused("weights_h1_2_o", ",0,1\n0,1,1\n1,1,1\n", "weights_h1_2_o.csv: has no place");
    refused("weights_o_2_o", ",0,1\n0,1,1\n1,1,1\n", "weights_o_2_o.csv: has no place");
    refused("bias_o", ",0\n0,1\n1,1\n", "bias_o.csv: has no place");
    refused("tau_m_h3", ",0\n0,1\n1,1\n", "tau_m_h3.csv: has no place");
}

/* A comma for the point, as in the locale of many users, if that is installed. */
static void locale_comma(void **state) {
    (void)state;
    if (setlocale(LC_NUMERIC, "de_DE.UTF-8") == NULL && setlocale(LC_NUMERIC, "fr_FR.UTF-8") == NULL)
        print_message("no locale with a comma: checked with a point only\n");
    becomes(state);
    setlocale(LC_NUMERIC, "C");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(becomes),          cmocka_unit_test(pipe_refused), cmocka_unit_test(tables_refused),
        cmocka_unit_test(networks_refused), cmocka_unit_test(locale_comma),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
