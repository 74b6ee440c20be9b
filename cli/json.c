/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Values of reports. */
#include "json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

json_t *cli_json_text(const char *s) {
    json_t *v = json_string(s);
    if (v)
        return v;
    char *copy = strdup(s);
    for (char *c = copy; c && *c; c++)
        *c = (*c & 0x80) ? '?' : *c;
    v = copy ? json_string(copy) : NULL;
    free(copy);
    return v;
}

json_t *cli_json_real(double x) {
    return isfinite(x) ? json_real(x) : json_null();
}

json_t *cli_json_count(uint64_t n) {
    return json_integer((json_int_t)n);
}

json_t *cli_json_interval(snn_interval i) {
    return json_pack("{s:o, s:o, s:o}", "value", cli_json_real(i.value), "low", cli_json_real(i.low), "high",
                     cli_json_real(i.high));
}

json_t *cli_json_shape(uint32_t channels, uint32_t height, uint32_t width) {
    return json_pack("[i, i, i]", (int)channels, (int)height, (int)width);
}

/* The seed of a search is a secret, and whoever gives it by --set must not find it in a report. */
static json_t *word(const char *text) {
    const char *group = strstr(text, "encrypt"), *seed = group ? strstr(group, "seed") : NULL;
    if (!seed || seed[4 + strspn(seed + 4, " \t")] != '=')
        return cli_json_text(text);
    json_t *v = json_sprintf("%.*s=(secret)", (int)(seed + 4 - text), text);
    return v ? v : json_string("(secret)");
}

json_t *cli_json_words(int argc, char **argv) {
    json_t *words = json_array();
    json_array_append_new(words, json_string("snnsim"));
    for (int i = 0; i < argc; i++)
        json_array_append_new(words, word(argv[i]));
    return words;
}
