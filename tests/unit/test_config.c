/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Configuration with the real table of keys: loading, every kind of error with its place, --set, defaults, printing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include <snnsim/config.h>

static char folder[64];

static int make_folder(void **state) {
    (void)state;
    strcpy(folder, "/tmp/snn-config-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static const char *path_of(const char *name) {
    static char path[4][200];
    static int next;
    char *p = path[next++ % 4];
    snprintf(p, sizeof path[0], "%s/%s", folder, name);
    return p;
}

static const char *put(const char *name, const char *text) {
    const char *path = path_of(name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    return path;
}

static snn_config *parse(const char *text) {
    snn_error e = {0};
    snn_config *c = snn_config_parse(text, "t.cfg", &e);
    if (!c)
        fail_msg("%s", e.text);
    return c;
}

static void expect_error(const char *text, const char *want) {
    snn_error e = {0};
    snn_config *c = snn_config_parse(text, "t.cfg", &e);
    if (c)
        fail_msg("accepted: %s", text);
    assert_int_equal(e.code, SNN_ERR_USAGE);
    if (strcmp(e.text, want) != 0)
        fail_msg("%s\n  says '%s'\n  not  '%s'", text, e.text, want);
}

static void set(snn_config *c, const char *assignment) {
    snn_error e = {0};
    if (!snn_config_set(c, assignment, &e))
        fail_msg("%s", e.text);
}

static void expect_set_error(snn_config *c, const char *assignment, const char *want) {
    snn_error e = {0};
    char *before = snn_config_text(c, NULL);
    if (snn_config_set(c, assignment, &e))
        fail_msg("accepted: %s", assignment);
    char *after = snn_config_text(c, NULL);
    assert_string_equal(before, after); /* a refused assignment changes nothing */
    free(before);
    free(after);
    assert_int_equal(e.code, SNN_ERR_USAGE);
    if (strcmp(e.text, want) != 0)
        fail_msg("--set %s\n  says '%s'\n  not  '%s'", assignment, e.text, want);
}

/* ---- the table ---- */

/* What stands before the last name. */
static bool has_parent(const char *path) {
    const char *dot = strrchr(path, '.');
    if (!dot)
        return true;
    size_t n = (size_t)(dot - path);
    snn_key_type want = SNN_KEY_GROUP;
    if (n > 2 && strncmp(path + n - 2, "[]", 2) == 0)
        n -= 2, want = SNN_KEY_LIST;
    for (const snn_config_key *k = snn_config_keys; k->path; k++)
        if (strlen(k->path) == n && strncmp(k->path, path, n) == 0)
            return k->type == want;
    return false;
}

static void the_table_is_sound(void **state) {
    (void)state;
    snn_config *c = parse("");
    for (const snn_config_key *k = snn_config_keys; k->path; k++) {
        assert_true(has_parent(k->path));
        assert_true(strlen(k->path) < 100);
        assert_true(k->doc && *k->doc && k->doc[strlen(k->doc) - 1] == '.');
        assert_int_equal(k->type == SNN_KEY_CHOICE, k->choices != NULL);
        for (const snn_config_key *other = snn_config_keys; other != k; other++)
            assert_string_not_equal(other->path, k->path);
        if (k->type == SNN_KEY_GROUP || k->type == SNN_KEY_LIST)
            assert_null(k->initial);
        /* every default passes its own check; "[]" keys have no element to try it on */
        if (!k->initial || strchr(k->path, '['))
            continue;
        char assignment[600];
        snprintf(assignment, sizeof assignment, "%s=%s", k->path, k->initial);
        set(c, assignment);
    }
    snn_config_free(c);
}

static void the_shipped_configs_load(void **state) {
    (void)state;
    snn_error e = {0};
    static const char *const names[] = {"gesture.cfg", "nmnist.cfg"};
    for (int i = 0; i < 2; i++) {
        snn_config *c = snn_config_load(names[i], &e);
        if (!c)
            fail_msg("%s", e.text);
        assert_true(snn_config_count(c, "network.layers") >= 2);
        snn_config_free(c);
    }
}

/* ---- values and defaults ---- */

static void values(void **state) {
    (void)state;
    snn_config *c =
        parse("# comment with \" and {\n"
              "seed = 9007199254740992; // beyond 32 bit\n"
              "dataset = { name = \"nmnist\"; path = \"a \\\"b\\\" /* no comment */ # nor this\";\n"
              "  bins : 0x10, bin_us = 4294967296L; binary = TRUE };\n"
              "train = { learning_rate = 1; clip = .5; final_rate = 1e-4; drop = +0.25; /* two\n"
              "  lines */ epochs = 7; warmup = -0; };\n"
              "network: { layers = ( { name = \"a\"; kernel = 3 }, { name = \"b\" \"c\"; } ); }");
    char where[64];
    assert_true(snn_config_int(c, "seed") == 9007199254740992);
    assert_string_equal(snn_config_string(c, "dataset.name"), "nmnist");
    assert_string_equal(snn_config_string(c, "dataset.path"), "a \"b\" /* no comment */ # nor this");
    assert_int_equal(snn_config_int(c, "dataset.bins"), 16);
    assert_true(snn_config_int(c, "dataset.bin_us") == 4294967296);
    assert_true(snn_config_bool(c, "dataset.binary"));
    assert_true(snn_config_float(c, "train.learning_rate") == 1);
    assert_true(snn_config_float(c, "train.clip") == 0.5);
    assert_true(snn_config_float(c, "train.final_rate") == 1e-4);
    assert_true(snn_config_float(c, "train.drop") == 0.25);
    assert_int_equal(snn_config_int(c, "train.epochs"), 7);
    assert_int_equal(snn_config_count(c, "network.layers"), 2);
    assert_int_equal(snn_config_int(c, "network.layers[0].kernel"), 3);
    assert_string_equal(snn_config_string(c, "network.layers[1].name"), "bc");
    assert_string_equal(snn_config_where(c, "train.epochs", where, sizeof where), "t.cfg:6");
    assert_string_equal(snn_config_where(c, "network.layers[1].name", where, sizeof where), "t.cfg:7");
    assert_string_equal(snn_config_where(c, "train.batch", where, sizeof where), "default");
    assert_string_equal(snn_config_path(c), "t.cfg");
    snn_config_free(c);
}

static void defaults(void **state) {
    (void)state;
    snn_config *c = parse("network = { layers = ( { name = \"a\"; } ); };");
    assert_false(snn_config_given(c, "dataset.bins"));
    assert_true(snn_config_given(c, "network.layers[0].name"));
    assert_true(snn_config_given(c, "network"));
    assert_int_equal(snn_config_int(c, "dataset.bins"), 15);
    assert_true(snn_config_float(c, "network.neuron.decay") == 0.3);
    assert_true(snn_config_float(c, "train.learning_rate") == 1e-3);
    assert_true(snn_config_bool(c, "run.operations"));
    assert_false(snn_config_bool(c, "dataset.binary"));
    assert_string_equal(snn_config_string(c, "quant.encoding"), "sign_magnitude");
    /* neither given nor with a default */
    assert_int_equal(snn_config_int(c, "network.layers[0].kernel"), 0);
    assert_true(snn_config_float(c, "network.layers[0].neuron.decay") == 0);
    assert_false(snn_config_bool(c, "network.layers[0].neuron.at_threshold"));
    assert_string_equal(snn_config_string(c, "dataset.name"), "");
    /* elements that do not exist */
    assert_false(snn_config_given(c, "network.layers[1].name"));
    assert_false(snn_config_given(c, "network.layers[99999999999999999999].name"));
    assert_string_equal(snn_config_string(c, "network.layers[1].name"), "");
    snn_config_free(c);
    c = parse("");
    assert_int_equal(snn_config_count(c, "network.layers"), 0);
    snn_config_free(c);
    snn_config_free(NULL);
}

static void own_messages(void **state) {
    (void)state;
    snn_config *c = parse("\ndataset = { bins = 3; };");
    snn_error e = {0};
    assert_false(snn_config_fail(c, "dataset.bins", &e, "too few for %s", "this"));
    assert_int_equal(e.code, SNN_ERR_USAGE);
    assert_string_equal(e.text, "t.cfg:2: dataset.bins: too few for this");
    assert_false(snn_config_fail(c, "dataset.bins", NULL, "x"));
    set(c, "dataset.bins=4");
    snn_config_fail(c, "dataset.bins", &e, "too few");
    assert_string_equal(e.text, "--set: dataset.bins: too few");
    snn_config_fail(c, "dataset.path", &e, "is empty");
    assert_string_equal(e.text, "default: dataset.path: is empty");
    snn_config_free(c);
}

/* ---- errors ---- */

static void unknown_keys(void **state) {
    (void)state;
    expect_error("datset = { };", "t.cfg:1: unknown key 'datset' (did you mean 'dataset'?)");
    expect_error("\n\nsede = 1;", "t.cfg:3: unknown key 'sede' (did you mean 'seed'?)");
    expect_error("bins = 3;", "t.cfg:1: unknown key 'bins' (did you mean 'dataset.bins'?)");
    expect_error("train = {\n epoch = 3;\n};",
                 "t.cfg:2: unknown key 'train.epoch' (did you mean 'train.epochs'?)");
    expect_error(
        "network = { layers = ( { name = \"a\"; },\n { kernle = 3; } ); };",
        "t.cfg:2: unknown key 'network.layers[1].kernle' (did you mean 'network.layers[1].kernel'?)");
    expect_error("model = { gravity = 9.81; };", "t.cfg:1: unknown key 'model.gravity' (known here: path)");
    expect_error("run = { Threads = 2; };",
                 "t.cfg:1: unknown key 'run.Threads' (did you mean 'run.threads'?)");
    char text[600], name[400];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    snprintf(text, sizeof text, "%s = 1;", name);
    snn_error e = {0};
    assert_null(snn_config_parse(text, "t.cfg", &e));
    assert_memory_equal(e.text, "t.cfg:1: unknown key 'nnnnnnnn", 30);
    assert_true(strlen(e.text) < 200);
}

static void wrong_types(void **state) {
    (void)state;
    expect_error("seed = \"x\";", "t.cfg:1: seed: expected an integer, found the text \"x\"");
    expect_error("seed = 1.0;", "t.cfg:1: seed: expected an integer, found the number 1");
    expect_error("seed = true;", "t.cfg:1: seed: expected an integer, found true");
    expect_error("seed = [1];", "t.cfg:1: seed: expected an integer, found a list");
    expect_error("seed = {};", "t.cfg:1: seed: expected an integer, found a group");
    expect_error("dataset = 5;", "t.cfg:1: dataset: expected a group {...}, found the integer 5");
    expect_error("dataset = { binary = 1; };",
                 "t.cfg:1: dataset.binary: expected true or false, found the integer 1");
    expect_error("dataset = { path = 1; };",
                 "t.cfg:1: dataset.path: expected a text in double quotes, found the integer 1");
    expect_error("dataset = { name = false; };",
                 "t.cfg:1: dataset.name: expected a text in double quotes, found false");
    expect_error("train = { clip = \"much\"; };",
                 "t.cfg:1: train.clip: expected a number, found the text \"much\"");
    expect_error("network = { layers = { }; };",
                 "t.cfg:1: network.layers: expected a list of groups ( {...}, {...} ), found a group");
    expect_error("network = { layers = [ 1 ]; };",
                 "t.cfg:1: network.layers[0]: expected a group {...}, found the integer 1");
    expect_error("network = { layers = ( { },\n 5 ); };",
                 "t.cfg:2: network.layers[1]: expected a group {...}, found the integer 5");
    expect_error("network = { layers = ( ( ) ); };",
                 "t.cfg:1: network.layers[0]: expected a group {...}, found a list");
}

static void out_of_range(void **state) {
    (void)state;
    expect_error("dataset = { bins = 0; };", "t.cfg:1: dataset.bins: 0 is out of range (1 to 65535)");
    expect_error("dataset = { bins = 65536; };", "t.cfg:1: dataset.bins: 65536 is out of range (1 to 65535)");
    expect_error("dataset = { bins = -9223372036854775808; };",
                 "t.cfg:1: dataset.bins: -9223372036854775808 is out of range (1 to 65535)");
    expect_error("seed = 9007199254740993;",
                 "t.cfg:1: seed: 9007199254740993 is out of range (0 to 9007199254740992)");
    expect_error("network = { neuron = { decay = 1.01; }; };",
                 "t.cfg:1: network.neuron.decay: 1.01 is out of range (0 to 1)");
    expect_error("network = { neuron = { decay = -1; }; };",
                 "t.cfg:1: network.neuron.decay: -1 is out of range (0 to 1)");
    snn_config_free(parse("dataset = { bins = 1; }; network = { neuron = { decay = 0; }; }; seed = 0;"));
    snn_config_free(parse("dataset = { bins = 65535; }; network = { neuron = { decay = 1.0; }; };"));
}

static void bad_choices(void **state) {
    (void)state;
    expect_error("run = { arithmetic = \"flaot\"; };",
                 "t.cfg:1: run.arithmetic: 'flaot' is not one of float, fixed (did you mean 'float'?)");
    expect_error("run = { simd = \"\"; };", "t.cfg:1: run.simd: '' is not one of auto, plain, avx2, avx512");
    expect_error("run = { simd = \"neon\"; };",
                 "t.cfg:1: run.simd: 'neon' is not one of auto, plain, avx2, avx512");
    expect_error("run = { simd = \"avx\"; };",
                 "t.cfg:1: run.simd: 'avx' is not one of auto, plain, avx2, avx512 (did you mean 'avx2'?)");
}

static void bad_numbers(void **state) {
    (void)state;
    expect_error("seed = 99999999999999999999;", "t.cfg:1: integer 99999999999999999999 is beyond 64 bits");
    expect_error("seed = 9223372036854775808;", "t.cfg:1: integer 9223372036854775808 is beyond 64 bits");
    expect_error("seed = 0x8000000000000000;", "t.cfg:1: integer 0x8000000000000000 is beyond 64 bits");
    expect_error("\ntrain = { clip = 1e999; };", "t.cfg:2: number 1e999 is beyond the range of a double");
    expect_error("train = { clip = -1e999; };", "t.cfg:1: number -1e999 is beyond the range of a double");
    expect_error("train = { clip = 1e-999; };", "t.cfg:1: number 1e-999 is beyond the range of a double");
    static const char *const junk[] = {".",     "-",     "+",   "1.2.3", "1e",  "1e+",  "0x",
                                       "0xg",   "12abc", "1_0", "1-2",   "--1", "1LLL", "1.0L",
                                       "-0x10", "1e5.",  ".e5", "0x1p3", "2^3", "1e1e1"};
    for (size_t i = 0; i < sizeof junk / sizeof *junk; i++) {
        char text[100];
        snprintf(text, sizeof text, "train = { clip = %s; };", junk[i]);
        snn_error e = {0};
        if (snn_config_parse(text, "t.cfg", &e))
            fail_msg("accepted %s", junk[i]);
    }
    expect_error("seed = 12abc;", "t.cfg:1: '12abc' is not a number (texts stand in double quotes)");
    expect_error("seed = 0000000000000000000000000000000000000000000000000000000000000000001;",
                 "t.cfg:1: number '00000000000000000000...' is too long");
    snn_config *c =
        parse("seed = 0xFFFFFFFF; dataset = { bin_us = 2147483648; camera = { seed = 2147483647L; }; };"
              "train = { clip = 4.9e-324; weight_decay = 5.; drop = 9E-1; };");
    assert_true(snn_config_int(c, "seed") == 4294967295);
    assert_true(snn_config_int(c, "dataset.bin_us") == 2147483648);
    assert_int_equal(snn_config_int(c, "dataset.camera.seed"), 2147483647);
    assert_true(snn_config_float(c, "train.clip") == 4.9e-324);
    assert_true(snn_config_float(c, "train.weight_decay") == 5);
    snn_config_free(c);
}

static void syntax(void **state) {
    (void)state;
    expect_error("seed = 1;\nseed = 2;", "t.cfg:2: duplicate setting name near 'seed = 2;'");
    expect_error("seed = ;", "t.cfg:1: syntax error near 'seed = ;'");
    expect_error("dataset = { name = nmnist; };", "t.cfg:1: 'nmnist' must stand in double quotes");
    expect_error("dataset = {\n path = \"abc;\n};",
                 "t.cfg:2: text in double quotes does not end on its line");
    expect_error("dataset = { path = \"abc\\", "t.cfg:1: text in double quotes does not end on its line");
    expect_error("seed = 1;\n/* open\n\n", "t.cfg:2: comment has no end");
    expect_error("/*/", "t.cfg:1: comment has no end");
    expect_error("dataset = {\n", "t.cfg:2: 1 bracket is not closed at the end");
    expect_error("network = { layers = (", "t.cfg:1: 2 brackets are not closed at the end");
    expect_error("seed = 1; }", "t.cfg:1: '}' closes nothing");
    expect_error("seed = $5;", "t.cfg:1: unexpected character '$'");
    expect_error("\nseed = \x01;", "t.cfg:2: unexpected byte 0x01");
    expect_error("seed = 1; dataset = ( };", "t.cfg:1: '}' closes a '('");
    expect_error("seed = 1;\nx = [1, 2);", "t.cfg:2: ')' closes a '['");
    expect_error("x = (1, 2];", "t.cfg:1: ']' closes a '('");
    expect_error("x = { a = (1, 2); ];", "t.cfg:1: ']' closes a '{'");
    char deep[100] = "seed = ";
    memset(deep + 7, '(', 33);
    expect_error(deep, "t.cfg:1: brackets are nested more than 32 deep");
    snn_config_free(parse("\xef\xbb\xbfseed = 1;"));
    snn_config_free(parse("seed = 1;\r\ndataset = { };\r\n"));
    snn_config_free(parse("seed = 1; /**/ /***/ // x\n# y"));
}

static void size_limit(void **state) {
    (void)state;
    size_t n = (1 << 20) + 2;
    char *text = malloc(n + 1);
    memset(text, ' ', n);
    text[n] = '\0';
    snn_error e = {0};
    assert_null(snn_config_parse(text, "t.cfg", &e));
    assert_string_equal(e.text, "t.cfg:1: configuration is larger than 1048576 bytes");
    text[(1 << 20) - 1] = '\0'; /* with the end of its line exactly the limit */
    snn_config *c = snn_config_parse(text, "t.cfg", &e);
    assert_non_null(c);
    snn_config_free(c);
    memset(text, ' ', n);
    const char *path = put("huge.cfg", text);
    assert_null(snn_config_load(path, &e));
    assert_int_equal(e.code, SNN_ERR_USAGE);
    assert_non_null(strstr(e.text, "1048578 bytes, larger than the limit of 1048576 bytes"));
    free(text);
}

/* ---- files ---- */

static void includes(void **state) {
    (void)state;
    snn_error e = {0};
    char where[300], want[300];
    mkdir(path_of("sub"), 0755);
    put("sub/inner.cfg", "bins = 7;\n @include \"more.cfg\" # beside inner.cfg\ndownsample = 2;");
    put("sub/more.cfg", "binary = true;\n");
    const char *main_path =
        put("main.cfg", "dataset = {\n\t@include \"sub/inner.cfg\"\n  label_base = 1;\n};\nseed = 3;\n");
    snn_config *c = snn_config_load(main_path, &e);
    if (!c)
        fail_msg("%s", e.text);
    assert_int_equal(snn_config_int(c, "dataset.bins"), 7);
    assert_int_equal(snn_config_int(c, "dataset.downsample"), 2);
    assert_true(snn_config_bool(c, "dataset.binary"));
    static const struct {
        const char *key, *file;
        int line;
    } places[] = {{"dataset.bins", "sub/inner.cfg", 1},
                  {"dataset.binary", "sub/more.cfg", 1},
                  {"dataset.downsample", "sub/inner.cfg", 3},
                  {"dataset.label_base", "main.cfg", 3},
                  {"seed", "main.cfg", 5}};
    for (int i = 0; i < 5; i++) {
        snprintf(want, sizeof want, "%s/%s:%d", folder, places[i].file, places[i].line);
        assert_string_equal(snn_config_where(c, places[i].key, where, sizeof where), want);
    }
    assert_string_equal(snn_config_path(c), main_path);
    snn_config_free(c);
    /* an error in an included file is reported there */
    put("sub/more.cfg", "\nbinary = 3;\n");
    assert_null(snn_config_load(main_path, &e));
    snprintf(want, sizeof want,
             "%s/sub/more.cfg:2: dataset.binary: expected true or false, found the integer 3", folder);
    assert_string_equal(e.text, want);
    put("sub/more.cfg", "bins = 3;\n");
    assert_null(snn_config_load(main_path, &e));
    snprintf(want, sizeof want, "%s/sub/more.cfg:1: duplicate setting name near 'bins = 3;'", folder);
    assert_string_equal(e.text, want);
    unlink(path_of("sub/more.cfg"));
    assert_null(snn_config_load(main_path, &e));
    assert_int_equal(e.code, SNN_ERR_USAGE);
    snprintf(want, sizeof want,
             "%s/sub/inner.cfg:2: @include: %s/sub/more.cfg: cannot open: No such file or directory", folder,
             folder);
    assert_string_equal(e.text, want);
}

static void include_errors(void **state) {
    (void)state;
    snn_error e = {0};
    const char *self = put("self.cfg", "@include \"self.cfg\"\n");
    assert_null(snn_config_load(self, &e));
    assert_non_null(strstr(e.text, "self.cfg:1: @include: files include each other more than 10 deep"));
    expect_error("@include x.cfg\n", "t.cfg:1: expected @include \"file\"");
    expect_error("@include \"\"", "t.cfg:1: expected @include \"file\"");
    expect_error("@include \"x", "t.cfg:1: expected @include \"file\"");
    expect_error("@inc \"x\"", "t.cfg:1: expected @include \"file\"");
    expect_error("seed = @include", "t.cfg:1: expected @include \"file\"");
    expect_error("@include \"/no/such\"",
                 "t.cfg:1: @include: /no/such: cannot open: No such file or directory");
    char text[300];
    snprintf(text, sizeof text, "@include \"%s\"\n", put("ok.cfg", "seed = 5;"));
    snn_config *c = parse(text); /* an absolute name */
    assert_int_equal(snn_config_int(c, "seed"), 5);
    snn_config_free(c);
}

static void where_names_are_looked_up(void **state) {
    (void)state;
    snn_error e = {0};
    char *here = getcwd(NULL, 0);
    mkdir(path_of("work"), 0755);
    mkdir(path_of("work/configs"), 0755);
    mkdir(path_of("installed"), 0755);
    put("installed/a.cfg", "seed = 3;");
    assert_int_equal(setenv("SNNSIM_CONFIGS", path_of("installed"), 1), 0);
    assert_int_equal(chdir(path_of("work")), 0);
    for (int expected = 3; expected >= 1; expected--) { /* installed, ./configs, here */
        if (expected == 2)
            put("work/configs/a.cfg", "seed = 2;");
        if (expected == 1)
            put("work/a.cfg", "seed = 1;");
        snn_config *c = snn_config_load("a.cfg", &e);
        if (!c)
            fail_msg("%s", e.text);
        assert_int_equal(snn_config_int(c, "seed"), expected);
        snn_config_free(c);
    }
    assert_null(snn_config_load("b.cfg", &e));
    assert_int_equal(e.code, SNN_ERR_USAGE);
    char want[300];
    snprintf(want, sizeof want,
             "config 'b.cfg' is neither in the current folder nor in ./configs nor in %s/installed", folder);
    assert_string_equal(e.text, want);
    assert_null(snn_config_load("./b.cfg", &e)); /* a path is taken as it is */
    assert_int_equal(e.code, SNN_ERR_USAGE);
    assert_string_equal(e.text, "./b.cfg: cannot open: No such file or directory");
    assert_null(snn_config_load("configs/", &e));
    assert_string_equal(e.text, "configs/: is a folder, not a file");
    unsetenv("SNNSIM_CONFIGS");
    assert_null(snn_config_load("b.cfg", &e));
    assert_int_equal(chdir(here), 0);
    free(here);
}

/* A byte 0 cannot hide the rest of a file from the checks. */
static void zero_bytes(void **state) {
    (void)state;
    const char *path = path_of("zero.cfg");
    FILE *f = fopen(path, "wb");
    fwrite("seed = 1;\n\0datset = 2;", 1, 22, f);
    fclose(f);
    snn_error e = {0};
    assert_null(snn_config_load(path, &e));
    assert_non_null(strstr(e.text, "zero.cfg:2: unexpected byte 0x00"));
    f = fopen(path, "wb");
    fwrite("dataset = { path = \"a\0b\"; };", 1, 28, f);
    fclose(f);
    assert_null(snn_config_load(path, &e));
    assert_non_null(strstr(e.text, "zero.cfg:1: unexpected byte 0x00"));
}

/* ---- --set ---- */

static const char *const example =
    "dataset = { bins = 3; };\n"
    "network = { layers = ( { name = \"a\"; channels = 4; }, { name = \"b\"; } ); };\n";

static void assignments(void **state) {
    (void)state;
    snn_config *c = parse(example);
    char where[64];
    set(c, "dataset.bins=8");
    assert_int_equal(snn_config_int(c, "dataset.bins"), 8);
    assert_string_equal(snn_config_where(c, "dataset.bins", where, sizeof where), "--set");
    set(c, " dataset.camera.takes = 2 "); /* makes the groups that are missing */
    assert_int_equal(snn_config_int(c, "dataset.camera.takes"), 2);
    set(c, "dataset.path=/data/a b=c.h5"); /* bare text, also with '=' */
    assert_string_equal(snn_config_string(c, "dataset.path"), "/data/a b=c.h5");
    set(c, "dataset.path=17");
    assert_string_equal(snn_config_string(c, "dataset.path"), "17");
    set(c, "dataset.path=\"quoted \\\" text\"");
    assert_string_equal(snn_config_string(c, "dataset.path"), "quoted \" text");
    set(c, "dataset.path=");
    assert_string_equal(snn_config_string(c, "dataset.path"), "");
    assert_true(snn_config_given(c, "dataset.path"));
    set(c, "run.arithmetic=fixed");
    assert_string_equal(snn_config_string(c, "run.arithmetic"), "fixed");
    set(c, "run.operations=False");
    assert_false(snn_config_bool(c, "run.operations"));
    set(c, "train.clip=2");
    assert_true(snn_config_float(c, "train.clip") == 2);
    set(c, "train.clip=2.5e1");
    assert_true(snn_config_float(c, "train.clip") == 25);
    set(c, "seed=9007199254740992");
    assert_true(snn_config_int(c, "seed") == 9007199254740992);
    set(c, "network.layers[0].channels=32");
    assert_int_equal(snn_config_int(c, "network.layers[0].channels"), 32);
    set(c, "network.layers[1].neuron.decay=0.5");
    assert_true(snn_config_float(c, "network.layers[1].neuron.decay") == 0.5);
    assert_string_equal(snn_config_where(c, "network.layers[1].name", where, sizeof where), "t.cfg:2");
    set(c, "network.layers=( { name = \"x\"; kernel = 5; neuron = { decay = 0.25; }; }, { }, { } )");
    assert_int_equal(snn_config_count(c, "network.layers"), 3);
    assert_int_equal(snn_config_int(c, "network.layers[0].kernel"), 5);
    assert_true(snn_config_float(c, "network.layers[0].neuron.decay") == 0.25);
    set(c, "dataset={ bins = 2; }");
    assert_int_equal(snn_config_int(c, "dataset.bins"), 2);
    assert_false(snn_config_given(c, "dataset.camera.takes"));
    snn_config_free(c);
}

static void refused_assignments(void **state) {
    (void)state;
    snn_config *c = parse(example);
    expect_set_error(c, "dataset.bins", "--set 'dataset.bins': expected section.key=value");
    expect_set_error(c, "", "--set '': expected section.key=value");
    expect_set_error(c, "=5",
                     "--set: unknown key '' (known here: seed, dataset, network, quant, run, train, model, "
                     "hw, encrypt, cell)");
    expect_set_error(c, "dataset.bin=5", "--set: unknown key 'dataset.bin' (did you mean 'dataset.bins'?)");
    expect_set_error(c, "datset.bins=5", "--set: unknown key 'datset.bins' (did you mean 'dataset.bins'?)");
    expect_set_error(c, "dataset.bins=0", "--set: dataset.bins: 0 is out of range (1 to 65535)");
    expect_set_error(c, "dataset.bins=many",
                     "--set: dataset.bins: expected an integer, found the text \"many\"");
    expect_set_error(c, "dataset.bins=", "--set: dataset.bins: expected an integer, found the text \"\"");
    expect_set_error(c, "dataset.bins=1.5", "--set: dataset.bins: expected an integer, found the number 1.5");
    expect_set_error(c, "dataset.bins=3; seed = 4", "--set: dataset.bins: '3; seed = 4' is not a value");
    expect_set_error(c, "dataset.bins=3 4", "--set: dataset.bins: '3 4' is not a value");
    expect_set_error(c, "train.clip=1e999",
                     "--set: train.clip: number 1e999 is beyond the range of a double");
    expect_set_error(c, "run.simd=sse", "--set: run.simd: 'sse' is not one of auto, plain, avx2, avx512");
    expect_set_error(c, "dataset=5", "--set: dataset: expected a group {...}, found the integer 5");
    expect_set_error(c, "dataset={ bin = 3; }",
                     "--set: unknown key 'dataset.bin' (did you mean 'dataset.bins'?)");
    expect_set_error(c, "dataset={ bins = 3;", "--set: dataset: 1 bracket is not closed at the end");
    expect_set_error(c, "dataset={ @include \"/no\"",
                     "--set: dataset: @include: /no: cannot open: No such file or directory");
    expect_set_error(c, "network.layers[2].kernel=3",
                     "--set: network.layers[2].kernel: 'network.layers' has 2 elements, numbered from 0");
    expect_set_error(c, "network.layers[].kernel=3",
                     "--set: network.layers[].kernel: 'network.layers' has 2 elements, numbered from 0");
    expect_set_error(c, "network.layers[99999999999999999999].kernel=3",
                     "--set: network.layers[99999999999999999999].kernel: 'network.layers' has 2 elements, "
                     "numbered from 0");
    expect_set_error(c, "network.layers[x].kernel=3", "--set: unknown key 'network.layers[x].kernel'");
    expect_set_error(c, "network.layers[0=3", "--set: unknown key 'network.layers[0'");
    snn_config_free(c);
    c = parse("");
    expect_set_error(c, "network.layers[0].name=x",
                     "--set: network.layers[0].name: 'network.layers' has 0 elements, numbered from 0");
    assert_false(snn_config_set(c, "nothing=1", NULL));
    snn_config_free(c);
}

/* ---- printing ---- */

static void text_reads_back(void **state) {
    (void)state;
    snn_config *c =
        parse("seed = 5000000000; dataset = { path = \"q\\\"b\\\\t\\tn\\n\"; binary = false; };\n"
              "train = { clip = 3; drop = 0.1; learning_rate = 1e-3; epsilon = 1e-8; weight_decay = 2.0;"
              " final_rate = 0.3333333333333333; };\n"
              "network = { layers = ( { name = \"a\"; neuron = { }; }, { name = \"b\"; } ); };");
    set(c, "quant.bits=4");
    char *text = snn_config_text(c, NULL);
    assert_string_equal(text, "seed = 5000000000L;\n"
                              "dataset = {\n"
                              "  path = \"q\\\"b\\\\t\\x09n\\x0a\";\n"
                              "  binary = false;\n"
                              "};\n"
                              "train = {\n"
                              "  clip = 3;\n"
                              "  drop = 0.1;\n"
                              "  learning_rate = 0.001;\n"
                              "  epsilon = 1e-08;\n"
                              "  weight_decay = 2.0;\n"
                              "  final_rate = 0.3333333333333333;\n"
                              "};\n"
                              "network = {\n"
                              "  layers = (\n"
                              "    {\n"
                              "      name = \"a\";\n"
                              "      neuron = {\n"
                              "      };\n"
                              "    },\n"
                              "    {\n"
                              "      name = \"b\";\n"
                              "    }\n"
                              "  );\n"
                              "};\n"
                              "quant = {\n"
                              "  bits = 4;\n"
                              "};\n");
    snn_config *again = parse(text);
    char *second = snn_config_text(again, NULL);
    assert_string_equal(text, second);
    assert_string_equal(snn_config_string(again, "dataset.path"), "q\"b\\t\tn\n");
    free(text);
    free(second);
    snn_config_free(c);
    snn_config_free(again);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_sound),
        cmocka_unit_test(the_shipped_configs_load),
        cmocka_unit_test(values),
        cmocka_unit_test(defaults),
        cmocka_unit_test(own_messages),
        cmocka_unit_test(unknown_keys),
        cmocka_unit_test(wrong_types),
        cmocka_unit_test(out_of_range),
        cmocka_unit_test(bad_choices),
        cmocka_unit_test(bad_numbers),
        cmocka_unit_test(syntax),
        cmocka_unit_test(size_limit),
        cmocka_unit_test(includes),
        cmocka_unit_test(include_errors),
        cmocka_unit_test(where_names_are_looked_up),
        cmocka_unit_test(zero_bytes),
        cmocka_unit_test(assignments),
        cmocka_unit_test(refused_assignments),
        cmocka_unit_test(text_reads_back),
    };
    return cmocka_run_group_tests_name("config", tests, make_folder, remove_folder);
}
