/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Values of reports that always exist. */
#ifndef SNNSIM_CLI_JSON_H
#define SNNSIM_CLI_JSON_H

#include <jansson.h>
#include <snnsim/metrics.h>

/* How reports are written, to files and to standard output. */
#define CLI_JSON_FORMAT (JSON_INDENT(2) | JSON_REAL_PRECISION(12))

/* A string; bytes that are no UTF-8 become '?'. */
json_t *cli_json_text(const char *s);
/* A number; JSON has no infinities, so they become null. */
json_t *cli_json_real(double x);
json_t *cli_json_count(uint64_t n);
json_t *cli_json_interval(snn_interval i);
json_t *cli_json_shape(uint32_t channels, uint32_t height, uint32_t width);
/* The words of a command line as an array. */
json_t *cli_json_words(int argc, char **argv);

#endif
