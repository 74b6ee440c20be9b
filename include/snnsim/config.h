/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Configuration: a libconfig file checked against one table of keys (base/config_keys.c).
 *
 * Loading checks everything: unknown keys (with the nearest known name), types, ranges, choices, numbers beyond 32/64 bit or
 * infinite (libconfig 1.5 wraps and accepts them silently, so numbers are checked in the text), @include relative to the
 * including file. An integer is accepted where a float is asked. After that getters cannot fail: a key that was not given has its
 * default from the table; asking for a key that is not in the table is a bug (assert).
 *
 * A path names a key: "dataset.bins", "network.layers[2].neuron.decay". In the table an index is written "[]".
 */
#ifndef SNNSIM_CONFIG_H
#define SNNSIM_CONFIG_H

#include <snnsim/error.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    SNN_KEY_INT,
    SNN_KEY_FLOAT,
    SNN_KEY_BOOL,
    SNN_KEY_STRING,
    SNN_KEY_CHOICE, /* a string out of `choices` */
    SNN_KEY_INTS,   /* libconfig array or list of integers; a single integer counts as one of length 1 */
    SNN_KEY_FLOATS,
    SNN_KEY_STRINGS,
    SNN_KEY_LIST, /* list of groups, "network.layers" */
    SNN_KEY_GROUP
} snn_key_type;

typedef struct {
    const char *path; /* "train.epochs", "network.layers[].kernel" */
    snn_key_type type;
    const char *
        initial; /* default as text ("15", "0.3", "true", "lif", "" for empty array); NULL: required or none */
    double min, max;     /* inclusive range of INT, FLOAT and of array items; min > max: no limit */
    const char *choices; /* "lif|if|li" for CHOICE */
    const char *doc;     /* one sentence with unit */
} snn_config_key;

/* Ends with path = NULL. The one table; docs/config.md is generated from it. */
extern const snn_config_key snn_config_keys[];

typedef struct snn_config snn_config;

/* `name` is a path; a bare name (no '/') that is not in the current folder is looked up in ./configs, then in the installed configs
 * folder (compiled in as SNN_CONFIG_DIR; environment SNNSIM_CONFIGS overrides). Errors: USAGE with file:line. */
snn_config *snn_config_load(const char *name, snn_error *err);
/* The same from text, for tests and embedded defaults; `label` stands for the file name in errors. */
snn_config *snn_config_parse(const char *text, const char *label, snn_error *err);
void snn_config_free(snn_config *c);

/* "section.key=value": value in libconfig syntax; a bare word is taken as a string. Errors: USAGE ("--set ...: ..."). */
bool snn_config_set(snn_config *c, const char *assignment, snn_error *err);

bool snn_config_given(const snn_config *c, const char *path); /* set in the file or by --set */
int64_t snn_config_int(const snn_config *c, const char *path);
double snn_config_float(const snn_config *c, const char *path);
bool snn_config_bool(const snn_config *c, const char *path);
/* STRING and CHOICE; valid as long as c lives and the key is not set again; "" when not given and without default. */
const char *snn_config_string(const snn_config *c, const char *path);
/* Number of items of an array or list key; 0 when not given (defaults count). */
int snn_config_count(const snn_config *c, const char *path);
int64_t snn_config_int_at(const snn_config *c, const char *path, int i);
double snn_config_float_at(const snn_config *c, const char *path, int i);
const char *snn_config_string_at(const snn_config *c, const char *path, int i);

/* Where the key was set, for messages: "gesture.cfg:12" or "--set" or "default"; writes into buf and returns it. */
const char *snn_config_where(const snn_config *c, const char *path, char *buf, size_t size);
/* Fails with USAGE: "<where>: <path>: <message>". */
bool snn_config_fail(const snn_config *c, const char *path, snn_error *err, const char *fmt, ...)
    SNN_PRINTF(4, 5);
/* Path of the file as given or found. */
const char *snn_config_path(const snn_config *c);
/* The whole configuration (given keys only, after --set) as libconfig text, for reports; free() it. encrypt.seed is left out: it is a secret. */
char *snn_config_text(const snn_config *c, snn_error *err);

#ifdef __cplusplus
}
#endif
#endif
