/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the parts of the configuration share; nobody else includes this.
 *
 *   config_scan.c   text, with its @includes, to one checked text with a map of lines
 *   config_check.c  libconfig's tree against the table of keys
 *   config_set.c    --set
 *   config_print.c  tree to text
 *   config.c        load, look up, getters
 */
#ifndef SNN_CONFIG_INTERNAL_H
#define SNN_CONFIG_INTERNAL_H

#include <snnsim/config.h>

#include <libconfig.h>

#define SNN_CONFIG_MAX_BYTES (1 << 20) /* of the text with everything included */
#define SNN_CONFIG_MAX_INCLUDES 10     /* files inside files, as libconfig's own limit */
#define SNN_CONFIG_MAX_DEPTH 32        /* nested groups, lists and arrays */
#define SNN_CONFIG_MAX_PATH 256        /* bytes of a key's path; the longest in the table has about 40 */

/* One text for libconfig: includes expanded, comments removed, integers beyond 32 bit marked with L. */
typedef struct {
    char *text; /* zero-terminated */
    size_t size, capacity;
    struct snn_config_line {
        int file;      /* index into files */
        unsigned line; /* from 1 */
    } * lines;         /* of every line of text */
    size_t line_count, line_capacity;
    char **files; /* names for messages */
    size_t file_count, file_capacity;
} snn_config_source;

struct snn_config {
    char *path;
    snn_config_source source;
    config_t tree; /* a setting whose source line is 0 came from --set */
};

/* Reads and checks `text` (of `size` bytes, named `label`) and what it includes, and appends it to s. */
bool snn_config_scan(snn_config_source *s, const char *text, size_t size, const char *label, snn_error *err);
void snn_config_source_free(snn_config_source *s);
/* "file:line" of a line of the text (from 1) into buf. */
const char *snn_config_source_where(const snn_config_source *s, unsigned line, char *buf, size_t size);

/* The key of a path with indices ("network.layers[2].kernel"), NULL when unknown. */
const snn_config_key *snn_config_find_key(const char *path);
/* Checks a setting and everything below it. s = NULL: the setting is from --set. */
bool snn_config_check(const snn_config_source *s, const config_setting_t *setting, const char *path,
                      snn_error *err);
/* Fails with "<where>: unknown key '...'" and the nearest known name. */
bool snn_config_unknown(const char *where, const char *path, snn_error *err);

/* The setting at a path, NULL when absent. */
config_setting_t *snn_config_lookup(const snn_config *c, const char *path);

#endif
