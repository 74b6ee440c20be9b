/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SLAYER import: which layers a network has. SLAYER says it in section `layer` of network.yaml (with slayerSNN.auto), or in Python only (its own examples); then it is given
 * in SLAYER's notation, or guessed from the files' names and sizes, provided that exactly one network of the usual form fits.
 */
#include "import_slayer.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define KERNEL_MOST 15 /* guessed: odd kernels up to it */

/* Input sizes of the sensors that snnsim reads: N-MNIST and DVS128 (docs/dataset.md). */
static const snn_shape sensor[] = {{2, 34, 34}, {2, 128, 128}};
#define SENSORS (sizeof sensor / sizeof sensor[0])

static bool add(snn_slayer_layers *l, snn_slayer_layer layer, snn_error *err) {
    void *list = l->layer;
    if (!snn_grow(&list, &l->capacity, l->n + 1, sizeof *l->layer, err))
        return false;
    l->layer = list;
    l->layer[l->n++] = layer;
    return true;
}

void snn_slayer_layers_free(snn_slayer_layers *l) {
    free(l->layer);
    *l = (snn_slayer_layers){0};
}

/* ---- SLAYER's notation: 34x34x2 (width x height x channels), 16c5 (channels, kernel), 2a (pool window), 512 ---- */

/* Whole numbers separated by single characters `between`, at most three, filling the text up to `tail`; their number, 0 if it is anything else. */
static int numbers(const char *text, char between, const char *tail, uint32_t v[3]) {
    for (int n = 0; n < 3; n++) {
        char *end;
        if (!isdigit((unsigned char)*text))
            return 0;
        const unsigned long x = strtoul(text, &end, 10);
        if (x == 0 || x > SNN_NEURONS_MAX)
            return 0;
        v[n] = (uint32_t)x;
        if (strcmp(end, tail) == 0)
            return n + 1;
        if (*end != between)
            return 0;
        text = end + 1;
    }
    return 0;
}

static bool parse_input(const char *dim, snn_shape *input) {
    uint32_t v[3];
    switch (numbers(dim, 'x', "", v)) {
    case 1:
        *input = (snn_shape){v[0], 1, 1};
        return true;
    case 2: /* width x height */
        *input = (snn_shape){1, v[1], v[0]};
        return true;
    case 3:
        *input = (snn_shape){v[2], v[1], v[0]};
        return true;
    default:
        return false;
    }
}

/* One layer; false when it is none that we know. */
static bool parse_layer(const char *dim, snn_slayer_layer *layer) {
    uint32_t v[3];
    *layer = (snn_slayer_layer){.entry = -1};
    if (numbers(dim, 'x', "", v) == 1) {
        layer->kind = SNN_SLAYER_DENSE;
        layer->outputs = v[0];
    } else if (numbers(dim, 'c', "", v) == 2) {
        *layer = (snn_slayer_layer){SNN_SLAYER_CONV, v[0], v[1], 1, v[1] / 2, -1};
    } else if (numbers(dim, 'x', "a", v) == 1) {
        *layer = (snn_slayer_layer){SNN_SLAYER_POOL, 0, v[0], v[0], 0, -1};
    } else {
        return false;
    }
    return true;
}

bool snn_slayer_layers_parse(snn_slayer_layers *l, const char *notation, snn_error *err) {
    static const char separators[] = "- ,";
    char dim[64];
    *l = (snn_slayer_layers){0};
    for (const char *p = notation + strspn(notation, separators); *p != '\0'; p += strspn(p, separators)) {
        const size_t n = strcspn(p, separators);
        snn_slayer_layer layer;
        snprintf(dim, sizeof dim, "%.*s", (int)(n < sizeof dim ? n : sizeof dim - 1), p);
        p += n;
        if (l->input.channels == 0) {
            if (!parse_input(dim, &l->input))
                return snn_fail(err, SNN_ERR_USAGE,
                                "layers '%.100s': '%.40s' is no input: expected WIDTHxHEIGHTxCHANNELS",
                                notation, dim);
            continue;
        }
        if (!parse_layer(dim, &layer))
            return snn_fail(
                err, SNN_ERR_USAGE,
                "layers '%.100s': '%.40s' is no layer: expected CHANNELScKERNEL, WINDOWa or neurons",
                notation, dim);
        if (!add(l, layer, err))
            return false;
    }
    return l->n > 0
               ? true
               : snn_fail(err, SNN_ERR_USAGE,
                          "layers '%.100s': expected an input and layers, like 34x34x2-512-10", notation);
}

/* ---- section `layer` ---- */

/* Of one entry: settings that we carry over, that only training reads, or that must have one value. */
static bool check_settings(const snn_yaml *y, const char *prefix, snn_error *err) {
    static const char *const known[] = {"dim",   "stride",   "padding", "wScale", "maxDelay",
                                        "sigma", "dilation", "groups",  "delay"};
    static const char *const only[] = {"0", "1", "1", "false"}; /* of the last four */
    enum { KNOWN = sizeof known / sizeof *known, FREE = KNOWN - sizeof only / sizeof *only };
    const size_t n = strlen(prefix);
    for (size_t i = 0; i < y->n; i++) {
        const snn_yaml_entry *e = &y->entry[i];
        if (strncmp(e->path, prefix, n) != 0 || e->path[n] != '.' ||
            strncmp(e->path + n, ".neuron.", strlen(".neuron.")) == 0)
            continue;
        int k = 0;
        while (k < KNOWN && strcmp(e->path + n + 1, known[k]) != 0)
            k++;
        if (k == KNOWN)
            return snn_yaml_fail(y, e, "this setting of a layer is not known", err);
        if (k >= FREE && strcasecmp(e->value, only[k - FREE]) != 0)
            return snn_fail(err, SNN_ERR_DATA, "%s:%d: %s is '%.40s': only %s can be carried over", y->file,
                            e->line, e->path, e->value, only[k - FREE]);
    }
    return true;
}

static bool optional(const snn_yaml *y, const char *prefix, const char *name, int64_t least, uint32_t *v,
                     snn_error *err) {
    char path[64];
    int64_t x;
    snprintf(path, sizeof path, "%s.%s", prefix, name);
    if (snn_yaml_find(y, path) == NULL)
        return true;
    if (!snn_yaml_int(y, path, least, SNN_WINDOW_MAX, &x, err))
        return false;
    *v = (uint32_t)x;
    return true;
}

/* Entry i of the list. */
static bool from_entry(snn_slayer_layers *l, const snn_yaml *y, int i, snn_error *err) {
    char prefix[32], path[64];
    snprintf(prefix, sizeof prefix, "layer.%d", i);
    snprintf(path, sizeof path, "%s.dim", prefix);
    const snn_yaml_entry *dim = snn_yaml_find(y, path);
    if (dim == NULL)
        return snn_fail(err, SNN_ERR_DATA, "%s: %s is missing", y->file, path);
    if (!check_settings(y, prefix, err))
        return false;
    if (i == 0)
        return parse_input(dim->value, &l->input)
                   ? true
                   : snn_yaml_fail(y, dim, "expected the input, as WIDTHxHEIGHTxCHANNELS", err);
    snn_slayer_layer layer;
    if (!parse_layer(dim->value, &layer))
        return snn_yaml_fail(y, dim, "expected CHANNELScKERNEL, WINDOWa (a pool) or a number of neurons",
                             err);
    layer.entry = i;
    if (layer.kind == SNN_SLAYER_CONV && (!optional(y, prefix, "stride", 1, &layer.stride, err) ||
                                          !optional(y, prefix, "padding", 0, &layer.padding, err)))
        return false;
    return add(l, layer, err);
}

bool snn_slayer_layers_from_yaml(snn_slayer_layers *l, const snn_yaml *y, snn_error *err) {
    char path[32] = "layer.0";
    *l = (snn_slayer_layers){0};
    for (int i = 0; snn_yaml_has(y, path); snprintf(path, sizeof path, "layer.%d", i))
        if (!from_entry(l, y, i++, err))
            return false;
    return l->n > 0 ? true
                    : snn_fail(err, SNN_ERR_DATA, "%s: layer is no list of an input and at least one layer",
                               y->file);
}

/* ---- guessed ---- */

typedef struct {
    const snn_slayer_files *files;
    snn_slayer_layers found;                /* the first network that fits */
    int networks;                           /* that fit */
    snn_slayer_layer trial[SNN_LAYERS_MAX]; /* of the branch that is looked at */
    const snn_slayer_file *order[SNN_LAYERS_MAX];
    size_t n;
    snn_error *err;
} search;

static size_t of_kind(const snn_slayer_files *f, snn_slayer_kind kind) {
    size_t n = 0;
    while (snn_slayer_files_find(f, kind, n) != NULL)
        n++;
    return n;
}

/* Convolutions and pools in turns, then dense layers; false when that is not one order. */
static bool set_order(search *s) {
    const snn_slayer_files *f = s->files;
    const size_t convs = of_kind(f, SNN_SLAYER_CONV), pools = of_kind(f, SNN_SLAYER_POOL);
    if (f->n > SNN_LAYERS_MAX || (pools > 0 && convs != pools + 1 && pools != convs + 1))
        return false;
    for (size_t i = 0; i < convs + pools; i++) {
        const snn_slayer_kind first = pools > convs ? SNN_SLAYER_POOL : SNN_SLAYER_CONV;
        const snn_slayer_kind second = first == SNN_SLAYER_POOL ? SNN_SLAYER_CONV : SNN_SLAYER_POOL;
        s->order[s->n++] = pools == 0 ? snn_slayer_files_find(f, SNN_SLAYER_CONV, i)
                                      : snn_slayer_files_find(f, i % 2 == 0 ? first : second, i / 2);
    }
    for (size_t i = 0; i < of_kind(f, SNN_SLAYER_DENSE); i++)
        s->order[s->n++] = snn_slayer_files_find(f, SNN_SLAYER_DENSE, i);
    return true;
}

static uint32_t square_root(size_t n) {
    uint32_t k = 1;
    while ((uint64_t)k * k < n)
        k++;
    return (uint64_t)k * k == n ? k : 0;
}

/* All networks from file i on, whose input has shape `in`. */
static bool branch(search *s, snn_shape input, size_t i, snn_shape in) {
    if (i == s->n) {
        s->networks++;
        if (s->networks > 1)
            return true;
        s->found.input = input;
        for (size_t k = 0; k < s->n; k++)
            if (!add(&s->found, s->trial[k], s->err))
                return false;
        return true;
    }
    const size_t n = s->order[i]->n;
    const uint64_t lines = snn_shape_size(in);
    switch (s->order[i]->kind) {
    case SNN_SLAYER_DENSE:
        if (n % lines != 0 || n / lines > SNN_NEURONS_MAX)
            return true;
        s->trial[i] = (snn_slayer_layer){SNN_SLAYER_DENSE, (uint32_t)(n / lines), 0, 0, 0, -1};
        return branch(s, input, i + 1, (snn_shape){(uint32_t)(n / lines), 1, 1});
    case SNN_SLAYER_POOL: {
        const uint32_t k = square_root(n);
        if (k == 0 || in.height % k != 0 || in.width % k != 0)
            return true;
        s->trial[i] = (snn_slayer_layer){SNN_SLAYER_POOL, 0, k, k, 0, -1};
        return branch(s, input, i + 1, (snn_shape){in.channels, in.height / k, in.width / k});
    }
    default:
        for (uint32_t k = 1; k <= KERNEL_MOST && s->networks < 2; k += 2) {
            const uint64_t fan = (uint64_t)k * k * in.channels;
            if (n % fan != 0 || n / fan * in.height * in.width > SNN_NEURONS_MAX)
                continue;
            s->trial[i] = (snn_slayer_layer){SNN_SLAYER_CONV, (uint32_t)(n / fan), k, 1, k / 2, -1};
            if (!branch(s, input, i + 1, (snn_shape){(uint32_t)(n / fan), in.height, in.width}))
                return false;
        }
        return true;
    }
}

bool snn_slayer_layers_guess(snn_slayer_layers *l, const snn_slayer_files *f, const char *folder,
                             snn_error *err) {
    *l = (snn_slayer_layers){0};
    search *s = snn_alloc(1, sizeof *s, "a search", err);
    if (s == NULL)
        return false;
    s->files = f;
    s->err = err;
    bool ok = true;
    if (set_order(s))
        for (size_t i = 0; ok && i < SENSORS; i++)
            ok = branch(s, sensor[i], 0, sensor[i]);
    const int networks = s->networks;
    *l = s->found;
    free(s);
    if (!ok || networks == 1)
        return ok;
    return snn_fail(
        err, SNN_ERR_DATA,
        "%s: network.yaml has no section `layer`, and %s network fits its weights: give the layers in "
        "SLAYER's notation, like 34x34x2-512-10",
        folder, networks == 0 ? "no usual" : "more than one usual");
}
