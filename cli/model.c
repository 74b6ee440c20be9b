/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snnsim model: shows, imports, exports, quantises and compares model files. */
#include "cli.h"
#include "record.h"

#include <snnsim/import.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "Usage: snnsim model ACTION ...\n"
    "  show FILE                                            describe a model\n"
    "  import FILE|FOLDER -o MODEL                          make a model of another program's network\n"
    "  import CONFIG --npy LAYER=FILE[:SCALE]... -o MODEL   make a model of NumPy weights\n"
    "  export MODEL --npy DIR | --nir FILE                  write its weights for other programs\n"
    "  quantise CONFIG MODEL -o MODEL                       turn float weights into codes\n"
    "  diff A B                                             compare two models\n"
    "  snnsim model ACTION --help tells more.\n";

/* What the actions' options fill in. */
typedef struct {
    const char *output; /* -o */
    const char *nir;    /* --nir */
    const char **npy;   /* [npys] --npy */
    size_t npys, capacity;
    bool keep_float; /* --float */
    bool foreign;    /* was one of the options given that only FILE|FOLDER takes? */
    snn_import_options import;
} model_options;

enum {
    OPTION_OUTPUT = CLI_OWN,
    OPTION_NPY,
    OPTION_NIR,
    OPTION_FLOAT,
    OPTION_DT,
    OPTION_RESET,
    OPTION_AT_THRESHOLD,
    OPTION_UNIT_GAIN,
    OPTION_LAYERS,
    OPTION_TIMING
};

static bool take_dt(const char *value, double *dt, snn_error *err) {
    char *end;
    *dt = strtod(value, &end);
    return (end != value && !*end && *dt > 0 && isfinite(*dt)) ||
           snn_fail(err, SNN_ERR_USAGE, "--dt %s: expected a positive number of seconds", value);
}

static bool take_reset(const char *value, snn_reset *reset, snn_error *err) {
    *reset = strcmp(value, "subtract") == 0 ? SNN_RESET_SUBTRACT : SNN_RESET_ZERO;
    return *reset == SNN_RESET_SUBTRACT || strcmp(value, "zero") == 0 ||
           snn_fail(err, SNN_ERR_USAGE, "--reset %s: expected zero or subtract", value);
}

/* Options of foreign formats. */
static bool take_foreign(model_options *o, int option, const char *value, snn_error *err) {
    o->foreign = true;
    switch (option) {
    case OPTION_DT:
        return take_dt(value, &o->import.dt, err);
    case OPTION_RESET:
        return take_reset(value, &o->import.reset, err);
    case OPTION_AT_THRESHOLD:
        o->import.at_threshold = true;
        return true;
    case OPTION_UNIT_GAIN:
        o->import.unit_gain = true;
        return true;
    case OPTION_LAYERS:
        o->import.layers = value;
        return true;
    default:
        o->import.timing = value;
        return true;
    }
}

static bool take(void *context, int option, const char *value, snn_error *err) {
    model_options *o = context;
    void *array = o->npy;
    switch (option) {
    case OPTION_NPY:
        if (!snn_grow(&array, &o->capacity, o->npys + 1, sizeof *o->npy, err))
            return false;
        o->npy = array;
        o->npy[o->npys++] = value;
        return true;
    case OPTION_NIR:
        o->nir = value;
        return true;
    case OPTION_FLOAT:
        o->keep_float = true;
        return true;
    case OPTION_DT:
    case OPTION_RESET:
    case OPTION_AT_THRESHOLD:
    case OPTION_UNIT_GAIN:
    case OPTION_LAYERS:
    case OPTION_TIMING:
        return take_foreign(o, option, value, err);
    default: /* -o and --output */
        o->output = value;
        return true;
    }
}

/* ---- show ---- */

static const struct option help_only[] = {{"help", no_argument, NULL, CLI_HELP}, {0}};

static const char show_help[] =
    "Usage: snnsim model show FILE\n"
    "Describes a model: network, weights, bits, scales, digest and training record.\n";

static bool show(int argc, char **argv, snn_error *err) {
    cli_syntax syntax = {.name = "model show",
                         .help = show_help,
                         .letters = ":h",
                         .options = help_only,
                         .positional_min = 1,
                         .positional_max = 1,
                         .positional = "FILE"};
    cli_common common = {0};
    int first;
    cli_parsed parsed = cli_parse(&syntax, argc, argv, &common, &first, err);
    cli_common_free(&common);
    if (parsed != CLI_GO)
        return parsed == CLI_DONE;
    snn_model model = {0};
    bool ok = snn_model_load(&model, argv[first], err) && snn_model_show(&model, stdout, err);
    snn_model_free(&model);
    return ok;
}

/* ---- import ---- */

static const char import_help[] =
    "Usage: snnsim model import FILE|FOLDER -o MODEL [--dt SECONDS] [--reset HOW] [--at-threshold]\n"
    "                                            [--unit-gain] [--layers LAYERS] [--timing PROGRAM]\n"
    "       snnsim model import CONFIG --npy LAYER=FILE[:SCALE]... -o MODEL [--set KEY=VALUE]...\n"
    "Makes a model of a network that another program made: a NIR graph, a .net file of lava-dl or\n"
    "SLAYER, a folder of SLAYER's Loihi weights or of SpikingDSE's tables; what it is, its content tells.\n"
    "The model carries its network, neurons and time step: snnsim run needs a config with section\n"
    "dataset only. Or makes a model of the config's network with weights from NumPy files.\n"
    "\n"
    "  --dt SECONDS             NIR: length of a time step (default: what the file says, or 1e-4)\n"
    "  --reset zero|subtract    NIR: how neurons are reset, which the file does not tell (default: zero,\n"
    "                           as NIR defines it; sinabs resets by subtraction)\n"
    "  --at-threshold           NIR: neurons spike at the threshold too, not only above it (sinabs)\n"
    "  --unit-gain              NIR: divide thresholds by the gain of the input instead of scaling it\n"
    "                           (snnTorch); the same spikes but for rounding\n"
    "  --layers LAYERS          SLAYER: input and layers, like 34x34x2-512-10, when network.yaml has none\n"
    "  --timing PROGRAM         .net: slayer, netx, lava-dl or loihi: delays between layers\n"
    "  --npy LAYER=FILE         float32 weights (numpy.save, in PyTorch's axis order), quantised as\n"
    "                           section quant of the config says; every layer with weights once\n"
    "  --npy LAYER=FILE:SCALE   int8 (or int16) weights q with w = q * SCALE; SCALE is a number like\n"
    "                           2^-11 or 0.00048828125, or a .npy file with one per output channel\n"
    "  --float                  keep float32 weights as they are\n"
    "  -o, --output MODEL       the model to write\n"
    "  --set KEY=VALUE          override a key of the config\n"
    "\n"
    "Formats, and what becomes of them: docs/import.md. Imported weights are float32 or have 9 or 16\n"
    "bits: snnsim model quantise makes codes of them that chips take.\n"
    "\n"
    "Example: snnsim model import cnn_sinabs.nir --reset subtract --at-threshold -o cnn.h5\n"
    "         snnsim model import nmnist.cfg --npy fc1=fc1.npy --npy fc2=fc2.npy -o mine.h5\n"
    "         after, in Python: np.save('fc1.npy', net.fc1.weight.detach().numpy())\n";

/* One --npy LAYER=FILE[:SCALE]; the parts point into text. */
typedef struct {
    char *text, *layer, *file, *scale; /* scale: NULL when there is none */
} npy_argument;

static bool split_npy(const char *argument, npy_argument *a, snn_error *err) {
    const char *equals = strchr(argument, '=');
    if (!equals || equals == argument || !equals[1])
        return snn_fail(err, SNN_ERR_USAGE, "--npy %s: expected LAYER=FILE or LAYER=FILE:SCALE", argument);
    a->layer = a->text = strdup(argument);
    if (!a->text)
        return snn_fail(err, SNN_ERR_RUNTIME, "out of memory");
    a->file = a->text + (equals - argument);
    *a->file++ = 0;
    if (access(a->file, F_OK)) /* otherwise a colon belongs to the name */
        a->scale = strrchr(a->file, ':');
    if (a->scale)
        *a->scale++ = 0;
    return true;
}

/* Are all tensors of the network given, each once? */
static bool check_layers(const snn_net *net, const npy_argument *argument, size_t n, snn_error *err) {
    for (int t = 0; t < net->tensors; t++) {
        char name[SNN_NAME];
        int given = 0;
        snn_net_tensor_name(net, t, name);
        for (size_t i = 0; i < n; i++)
            given += !strcmp(argument[i].layer, name);
        if (given != 1)
            return snn_fail(err, SNN_ERR_USAGE,
                            "model import: weights of layer %s are given %d times, expected once", name,
                            given);
    }
    return true;
}

static bool import_layers(snn_model *model, const model_options *o, const snn_quantisation *q,
                          snn_error *err) {
    npy_argument *argument = snn_alloc(o->npys, sizeof *argument, "arguments", err);
    bool ok = argument != NULL;
    for (size_t i = 0; ok && i < o->npys; i++)
        ok = split_npy(o->npy[i], &argument[i], err);
    ok = ok && check_layers(model->net, argument, o->npys, err);
    /* Floats are quantised when all are there: the two tensors of a recurrent layer share their scales. */
    for (size_t i = 0; ok && i < o->npys; i++)
        ok = snn_model_import_npy(model, argument[i].layer, argument[i].file, argument[i].scale,
                                  argument[i].scale ? q : NULL, err);
    ok = ok && (!q || snn_weights_quantise_floats(model->weights, q, err)) &&
         snn_weights_check_pairs(model->weights, err);
    for (size_t i = 0; argument && i < o->npys; i++)
        free(argument[i].text);
    free(argument);
    return ok;
}

static bool import_model(const snn_config *config, const model_options *o, snn_error *err) {
    snn_model model = {0};
    snn_quantisation q;
    bool ok = cli_model_target(o->output, err) && snn_quantisation_from_config(config, &q, err) &&
              (model.net = cli_net(config, err)) &&
              import_layers(&model, o, o->keep_float ? NULL : &q, err) &&
              snn_model_save(&model, o->output, err);
    snn_model_free(&model);
    return ok;
}

static bool import_foreign(const char *path, const model_options *o, snn_error *err) {
    snn_model model = {0};
    const size_t n = strlen(path);
    if (n > 4 && !strcmp(path + n - 4, ".cfg"))
        return snn_fail(err, SNN_ERR_USAGE,
                        "model import: the network of %s needs weights: --npy LAYER=FILE for each layer",
                        path);
    bool ok = cli_model_target(o->output, err);
    if (ok && cli_same_file(path, o->output))
        ok = snn_fail(err, SNN_ERR_USAGE, "%s: is what is imported, and is not replaced by the model", path);
    ok = ok && snn_import(&model, path, &o->import, err) && snn_model_save(&model, o->output, err);
    snn_model_free(&model);
    return ok;
}

/* With --npy the argument is a config. */
static bool import_any(const cli_common *common, const model_options *o, snn_error *err) {
    if (!o->output)
        return snn_fail(err, SNN_ERR_USAGE,
                        "model import: -o MODEL is missing (see snnsim model import --help)");
    if (o->npys && o->foreign)
        return snn_fail(err, SNN_ERR_USAGE,
                        "model import: --dt, --reset, --at-threshold, --unit-gain, --layers and --timing do "
                        "not go with --npy");
    if (!o->npys && (o->keep_float || common->assignments))
        return snn_fail(err, SNN_ERR_USAGE, "model import: --float and --set need --npy");
    if (!o->npys)
        return import_foreign(common->config, o, err);
    snn_config *config = cli_config(common, err);
    bool ok = config && import_model(config, o, err);
    snn_config_free(config);
    return ok;
}

static bool import(int argc, char **argv, snn_error *err) {
    static const struct option options[] = {{"help", no_argument, NULL, CLI_HELP},
                                            {"set", required_argument, NULL, CLI_SET},
                                            {"output", required_argument, NULL, OPTION_OUTPUT},
                                            {"npy", required_argument, NULL, OPTION_NPY},
                                            {"float", no_argument, NULL, OPTION_FLOAT},
                                            {"dt", required_argument, NULL, OPTION_DT},
                                            {"reset", required_argument, NULL, OPTION_RESET},
                                            {"at-threshold", no_argument, NULL, OPTION_AT_THRESHOLD},
                                            {"unit-gain", no_argument, NULL, OPTION_UNIT_GAIN},
                                            {"layers", required_argument, NULL, OPTION_LAYERS},
                                            {"timing", required_argument, NULL, OPTION_TIMING},
                                            {0}};
    model_options o = {0};
    cli_syntax syntax = {.name = "model import",
                         .help = import_help,
                         .letters = ":ho:",
                         .options = options,
                         .positional_min = 1,
                         .positional_max = 1,
                         .positional = "FILE, FOLDER or CONFIG",
                         .own = take,
                         .context = &o};
    cli_common common = {0};
    int first;
    cli_parsed parsed = cli_parse(&syntax, argc, argv, &common, &first, err);
    bool ok = parsed == CLI_DONE || (parsed == CLI_GO && import_any(&common, &o, err));
    cli_common_free(&common);
    free(o.npy);
    return ok;
}

/* ---- export ---- */

static const char export_help[] =
    "Usage: snnsim model export MODEL --npy DIR\n"
    "       snnsim model export MODEL --nir FILE\n"
    "  --npy DIR    write the weights of each layer to DIR/LAYER.npy, in PyTorch's axis order (values q\n"
    "               as int8 or int16, or float32), and their scales to DIR/scales.csv: w = q * scale\n"
    "  --nir FILE   write a NIR graph (neuroir.org) with float weights; snnsim still reads it as a model\n"
    "Both may be given.\n";

static bool export_model(const char *path, const model_options *o, snn_error *err) {
    snn_model model = {0};
    bool ok =
        (!o->nir || cli_model_target(o->nir, err)) && snn_model_load(&model, path, err) &&
        (!o->npys || (snn_folder_create(o->npy[0], err) && snn_model_export_npy(&model, o->npy[0], err))) &&
        (!o->nir || snn_model_export_nir(&model, o->nir, err));
    snn_model_free(&model);
    return ok;
}

static bool export(int argc, char **argv, snn_error *err) {
    static const struct option options[] = {{"help", no_argument, NULL, CLI_HELP},
                                            {"npy", required_argument, NULL, OPTION_NPY},
                                            {"nir", required_argument, NULL, OPTION_NIR},
                                            {0}};
    model_options o = {0};
    cli_syntax syntax = {.name = "model export",
                         .help = export_help,
                         .letters = ":h",
                         .options = options,
                         .positional_min = 1,
                         .positional_max = 1,
                         .positional = "MODEL",
                         .own = take,
                         .context = &o};
    cli_common common = {0};
    int first;
    cli_parsed parsed = cli_parse(&syntax, argc, argv, &common, &first, err);
    bool ok = parsed == CLI_DONE;
    if (parsed == CLI_GO && (o.npys > 1 || (!o.npys && !o.nir)))
        snn_fail(err, SNN_ERR_USAGE,
                 "model export: expected --npy DIR or --nir FILE (see snnsim model export --help)");
    else if (parsed == CLI_GO)
        ok = export_model(argv[first], &o, err);
    cli_common_free(&common);
    free(o.npy);
    return ok;
}

/* ---- quantise ---- */

static const char quantise_help[] =
    "Usage: snnsim model quantise CONFIG MODEL -o MODEL [--set quant.bits=N]...\n"
    "Turns a model's weights into codes of up to 8 bits as section quant of the config says, and tells\n"
    "what that cost: float ones, and codes of 9 to 16 bits (imported networks).\n";

/* Codes of more than 8 bits are values that quantisation still takes; those of up to 8 are final. */
static bool takes_codes(const snn_weights *w) {
    bool wide = false;
    for (int i = 0; i < w->tensors; i++) {
        if (w->tensor[i].type == SNN_CODE_8)
            return false;
        wide = wide || w->tensor[i].type == SNN_CODE_16;
    }
    return wide;
}

/* Codes, record and statistics [tensors] of a model of floats or of wide codes. */
static bool make_codes(const snn_model *model, const snn_quantisation *q, snn_model *codes,
                       snn_quantisation_stats *stats, snn_error *err) {
    const bool wide = takes_codes(model->weights);
    snn_weights *values = wide ? snn_weights_dequantise(model->weights, err) : NULL; /* exact */
    if (!wide || values)
        codes->weights = snn_weights_quantise(wide ? values : model->weights, q, stats, err);
    snn_weights_free(values);
    if (!codes->weights)
        return false;
    codes->record =
        cli_quantisation_record(model->record, "snnsim model quantise", codes->weights, stats, err);
    codes->net = snn_net_copy(model->net, err);
    codes->origin = model->origin ? strdup(model->origin) : NULL;
    return codes->record && codes->net && (codes->origin || !model->origin);
}

static bool quantise_model(const snn_config *config, const char *from, const char *to, snn_error *err) {
    snn_model model = {0}, codes = {0};
    snn_quantisation q;
    snn_quantisation_stats *stats = NULL;
    bool ok = cli_model_target(to, err) && snn_quantisation_from_config(config, &q, err) &&
              snn_model_load(&model, from, err) &&
              (stats = snn_alloc((size_t)model.weights->tensors, sizeof *stats, "statistics", err));
    if (ok && !make_codes(&model, &q, &codes, stats, err))
        ok = snn_error_context(err, "%s", from);
    ok = ok && snn_model_save(&codes, to, err);
    for (int i = 0; ok && i < model.weights->tensors; i++)
        printf("%s: %d bit, %llu saturated, error %.4f LSB rms\n", model.weights->tensor[i].name, q.bits,
               (unsigned long long)stats[i].saturated, stats[i].error_rms);
    free(stats);
    snn_model_free(&codes);
    snn_model_free(&model);
    return ok;
}

static bool quantise(int argc, char **argv, snn_error *err) {
    static const struct option options[] = {{"help", no_argument, NULL, CLI_HELP},
                                            {"set", required_argument, NULL, CLI_SET},
                                            {"output", required_argument, NULL, OPTION_OUTPUT},
                                            {0}};
    model_options o = {0};
    cli_syntax syntax = {.name = "model quantise",
                         .help = quantise_help,
                         .letters = ":ho:",
                         .options = options,
                         .positional_min = 2,
                         .positional_max = 2,
                         .positional = "CONFIG or MODEL",
                         .own = take,
                         .context = &o};
    cli_common common = {0};
    snn_config *config = NULL;
    int first;
    cli_parsed parsed = cli_parse(&syntax, argc, argv, &common, &first, err);
    bool ok = parsed == CLI_DONE;
    if (parsed == CLI_GO && !o.output)
        snn_fail(err, SNN_ERR_USAGE,
                 "model quantise: -o MODEL is missing (see snnsim model quantise --help)");
    else if (parsed == CLI_GO)
        ok = (config = cli_config(&common, err)) && quantise_model(config, argv[first + 1], o.output, err);
    snn_config_free(config);
    cli_common_free(&common);
    return ok;
}

/* ---- diff ---- */

static const char diff_help[] =
    "Usage: snnsim model diff A B\n"
    "Compares two models: network, scales, and how many codes and bits of each layer differ.\n"
    "Exit code 0: the same; 4: they differ.\n";

static bool diff(int argc, char **argv, snn_error *err) {
    cli_syntax syntax = {.name = "model diff",
                         .help = diff_help,
                         .letters = ":h",
                         .options = help_only,
                         .positional_min = 2,
                         .positional_max = 2,
                         .positional = "A or B"};
    cli_common common = {0};
    int first;
    cli_parsed parsed = cli_parse(&syntax, argc, argv, &common, &first, err);
    cli_common_free(&common);
    if (parsed != CLI_GO)
        return parsed == CLI_DONE;
    snn_model a = {0}, b = {0};
    bool same = false;
    bool ok = snn_model_load(&a, argv[first], err) && snn_model_load(&b, argv[first + 1], err) &&
              snn_model_diff(&a, &b, stdout, &same, err);
    snn_model_free(&a);
    snn_model_free(&b);
    if (ok && !same)
        return snn_fail(err, SNN_ERR_CRITERION, "%s and %s differ", argv[first], argv[first + 1]);
    return ok;
}

int snn_cmd_model(int argc, char **argv) {
    static const cli_subcommand actions[] = {{"show", show},         {"import", import}, {"export", export},
                                             {"quantise", quantise}, {"diff", diff},     {NULL, NULL}};
    return cli_dispatch("model", help, actions, argc, argv);
}
