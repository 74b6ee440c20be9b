/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Results of synthesis: energies, areas and clocks of the read-out with each decryptor, by library. */
#include <snnsim/output.h>
#include <snnsim/synthesis.h>

#include <dirent.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef SNN_SYNTHESIS_DIR
#define SNN_SYNTHESIS_DIR "/usr/local/share/snnsim/synthesis"
#endif

/* ---- one file ---- */

typedef struct {
    const char *path, *design;
    snn_error *err;
} place;

static bool fail(const place *p, const char *key, const char *expected) {
    return snn_fail(p->err, SNN_ERR_DATA, "%s%s%s: %s is missing or no %s", p->path,
                    p->design ? ": design " : "", p->design ? p->design : "", key, expected);
}

static bool get_text(const place *p, const json_t *o, const char *key, char *to, size_t size) {
    const char *s = json_string_value(json_object_get(o, key));
    if (!s || strlen(s) >= size)
        return fail(p, key, "text of such a length");
    strcpy(to, s);
    return true;
}

static bool get_real(const place *p, const json_t *o, const char *key, double least, double *to) {
    const json_t *x = json_object_get(o, key);
    *to = json_number_value(x);
    return (json_is_number(x) && isfinite(*to) && *to >= least) || fail(p, key, "number in its range");
}

static bool get_count(const place *p, const json_t *o, const char *key, uint32_t most, uint32_t *to) {
    const json_t *x = json_object_get(o, key);
    const json_int_t n = json_integer_value(x);
    *to = (uint32_t)n;
    return (json_is_integer(x) && n >= 0 && n <= (json_int_t)most) ||
           fail(p, key, "whole number in its range");
}

static bool get_shape(const place *p, const json_t *o, const char *module, snn_synthesis_design *d) {
    const json_t *q = json_object_get(o, "parameters");
    uint32_t gated, store;
    if (strncmp(module, "dec_", 4) != 0 || !snn_decryptor_parse(module + 4, &d->shape.kind, NULL))
        return fail(p, "module", "decryptor that is known");
    d->gated = d->latches = false;
    if (!get_count(p, q, "ADDR", 24, &d->shape.address) ||
        !get_count(p, q, "LANES", 65536, &d->shape.lanes) || !get_count(p, q, "BITS", 8, &d->shape.bits) ||
        !get_count(p, q, "KEYABLE", 8, &d->shape.keyable) ||
        !get_count(p, q, "KEYS", SNN_PROV_HASH, &d->shape.keys) ||
        !get_count(p, q, "WAYS", 64, &d->shape.ways) || !get_count(p, q, "K", SNN_PROV_HASH, &d->placed) ||
        !get_count(p, q, "GATED", 1, &gated) || !get_count(p, q, "STORE", 1, &store))
        return false;
    d->gated = gated == 1;
    d->latches = store == 1;
    return true;
}

static bool get_energy(const place *p, const json_t *o, snn_synthesis_energy *e) {
    return get_text(p, o, "stimulus", e->stimulus, sizeof e->stimulus) &&
           get_real(p, o, "reads", 1, &e->reads) && get_real(p, o, "keyed", 0, &e->keyed) &&
           get_real(p, o, "cycles_per_read", 0, &e->cycles_per_read) &&
           get_real(p, o, "pJ_per_read", 0, &e->pj) && get_real(p, o, "leakage_uW", 0, &e->leakage_uw);
}

static bool get_design(const place *file, const json_t *o, snn_synthesis_design *d) {
    char module[32];
    place p = *file;
    if (!get_text(&p, o, "design", d->name, sizeof d->name))
        return false;
    p.design = d->name;
    const json_t *slack = json_object_get(json_object_get(o, "timing"), "slack_ns"),
                 *energy = json_object_get(o, "energy");
    d->slack_ns = json_is_number(slack) ? json_number_value(slack) : NAN;
    if (!get_text(&p, o, "module", module, sizeof module) || !get_shape(&p, o, module, d) ||
        !get_real(&p, o, "clock_ns", 1e-6, &d->clock_ns) || !get_real(&p, o, "area_um2", 0, &d->area_um2) ||
        !get_real(&p, o, "kGE", 0, &d->kge))
        return false;
    if (!json_is_array(energy))
        return fail(&p, "energy", "list");
    d->energy = snn_alloc(json_array_size(energy), sizeof *d->energy, "results of synthesis", p.err);
    for (size_t i = 0; d->energy && i < json_array_size(energy); i++)
        if (!get_energy(&p, json_array_get(energy, i), &d->energy[d->energies++]))
            return false;
    return d->energy != NULL;
}

static bool get_all(const place *p, const json_t *root, snn_synthesis *s) {
    const json_t *list = json_object_get(root, "results");
    if (!get_text(p, root, "library", s->library, sizeof s->library) ||
        !get_text(p, root, "corner", s->corner, sizeof s->corner))
        return false;
    if (!json_is_array(list))
        return fail(p, "results", "list");
    s->design = snn_alloc(json_array_size(list), sizeof *s->design, "results of synthesis", p->err);
    for (size_t i = 0; s->design && i < json_array_size(list); i++)
        if (!get_design(p, json_array_get(list, i), &s->design[s->designs++]))
            return false;
    return s->design != NULL;
}

bool snn_synthesis_load(const char *path, snn_synthesis *s, snn_error *err) {
    *s = (snn_synthesis){0};
    json_error_t e;
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &e);
    if (!root)
        return snn_fail(err, SNN_ERR_DATA, "%s: line %d: %s", path, e.line, e.text);
    const bool ok = get_all(&(place){path, NULL, err}, root, s);
    json_decref(root);
    if (!ok)
        snn_synthesis_free(s);
    return ok;
}

void snn_synthesis_free(snn_synthesis *s) {
    for (size_t i = 0; i < s->designs; i++)
        free(s->design[i].energy);
    free(s->design);
    *s = (snn_synthesis){0};
}

/* ---- all libraries ---- */

static bool is_result(const char *name) {
    const size_t n = strlen(name);
    return n > 5 && strcmp(name + n - 5, ".json") == 0 && name[0] != '.';
}

static int filter(const struct dirent *e) {
    return is_result(e->d_name);
}

static const char *folder(void) {
    const char *given = getenv("SNNSIM_SYNTHESIS");
    if (given && *given)
        return given;
    DIR *here = opendir("verilog/syn/results");
    if (!here)
        return SNN_SYNTHESIS_DIR;
    closedir(here);
    return "verilog/syn/results";
}

bool snn_synthesis_all(snn_synthesis **list, size_t *n, snn_error *err) {
    struct dirent **entry = NULL;
    const char *from = folder();
    const int found = scandir(from, &entry, filter, alphasort);
    *n = 0;
    *list = snn_alloc(found > 0 ? (size_t)found : 0, sizeof **list, "results of synthesis", err);
    bool ok = *list != NULL;
    for (int i = 0; i < found; i++) {
        char path[4096];
        const int size = snprintf(path, sizeof path, "%s/%s", from, entry[i]->d_name);
        if (ok && (size < 0 || (size_t)size >= sizeof path))
            ok = snn_fail(err, SNN_ERR_DATA, "%s: the name of a file in it is too long", from);
        else if (ok)
            ok = snn_synthesis_load(path, &(*list)[*n], err);
        *n += ok;
        free(entry[i]);
    }
    free(entry);
    for (size_t i = 0; !ok && *list && i < *n; i++)
        snn_synthesis_free(&(*list)[i]);
    if (!ok) {
        free(*list);
        *list = NULL;
        *n = 0;
    }
    return ok;
}

/* ---- questions ---- */

static bool takes(const snn_synthesis_design *d, const snn_decryptor_shape *s, uint32_t keys) {
    const bool store = s->kind == SNN_DEC_CAM || s->kind == SNN_DEC_TABLE;
    const bool masks = s->kind != SNN_DEC_PASS && s->kind != SNN_DEC_AES && s->kind != SNN_DEC_XOR;
    return d->shape.kind == s->kind && d->gated && d->shape.lanes == s->lanes && d->shape.bits == s->bits &&
           (!masks || d->shape.keyable == s->keyable) &&
           (!store || (d->shape.keys >= keys && d->shape.ways == s->ways));
}

const snn_synthesis_design *snn_synthesis_find(const snn_synthesis *s, const snn_decryptor_shape *shape,
                                               uint32_t keys) {
    const snn_synthesis_design *best = NULL;
    for (size_t i = 0; i < s->designs; i++) {
        const snn_synthesis_design *d = &s->design[i];
        if (takes(d, shape, keys) && (!best || d->shape.keys < best->shape.keys ||
                                      (d->shape.keys == best->shape.keys && d->latches && !best->latches)))
            best = d;
    }
    return best;
}

/* Means over seeds; false: there is no such stimulus. */
static bool mean(const snn_synthesis_design *d, const char *stimulus, double *pj, double *keyed) {
    double n = 0;
    *pj = *keyed = 0;
    for (size_t i = 0; i < d->energies; i++)
        if (!strcmp(d->energy[i].stimulus, stimulus)) {
            *pj += d->energy[i].pj;
            *keyed += d->energy[i].keyed / d->energy[i].reads;
            n++;
        }
    *pj /= n;
    *keyed /= n;
    return n > 0;
}

double snn_synthesis_pj(const snn_synthesis_design *d, double keyed) {
    double random, random_keyed, half, half_keyed, base, base_keyed, slope = 0;
    const bool both = mean(d, "random", &random, &random_keyed) && mean(d, "half", &half, &half_keyed);
    if (!mean(d, "traffic", &base, &base_keyed) && !mean(d, "random", &base, &base_keyed))
        return NAN;
    if (isnan(keyed))
        return base;
    if (both && half_keyed > random_keyed)
        slope = (half - random) / (half_keyed - random_keyed);
    return base + slope * (keyed - base_keyed);
}

double snn_synthesis_leakage(const snn_synthesis_design *d) {
    double sum = 0;
    for (size_t i = 0; i < d->energies; i++)
        sum += d->energy[i].leakage_uw;
    return d->energies > 0 ? sum / (double)d->energies : NAN;
}
