/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Configuration from any text: the first line is an assignment for --set, the rest the file. What is accepted must print to a text that reads
 * back to the same. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <snnsim/config.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const snn_config *c) {
    snn_error e = {0};
    char *text = snn_config_text(c, &e);
    if (!text)
        abort();
    snn_config *again = snn_config_parse(text, "again", &e);
    if (!again)
        abort();
    char *second = snn_config_text(again, &e);
    if (!second || strcmp(text, second) != 0)
        abort();
    snn_config_free(again);
    free(text);
    free(second);
}

/* Every getter of every key, so that no accepted value is beyond them. */
static void read_all(const snn_config *c) {
    char where[100];
    for (const snn_config_key *k = snn_config_keys; k->path; k++) {
        char path[200];
        const char *index = strstr(k->path, "[]");
        if (index)
            snprintf(path, sizeof path, "%.*s[0]%s", (int)(index - k->path), k->path, index + 2);
        else
            snprintf(path, sizeof path, "%s", k->path);
        snn_config_where(c, path, where, sizeof where);
        switch (k->type) {
        case SNN_KEY_INT:
            snn_config_int(c, path);
            break;
        case SNN_KEY_FLOAT:
            snn_config_float(c, path);
            break;
        case SNN_KEY_BOOL:
            snn_config_bool(c, path);
            break;
        case SNN_KEY_STRING:
        case SNN_KEY_CHOICE:
            if (strlen(snn_config_string(c, path)) > (1 << 20))
                abort();
            break;
        default:
            snn_config_count(c, path);
        }
    }
}

/* Included files would make the run depend on what lies on the disk. */
static int includes(const char *text) {
    return strstr(text, "@include") != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (!includes(text)) {
        char *rest = strchr(text, '\n');
        if (rest)
            *rest++ = '\0';
        snn_error e = {0};
        snn_config *c = snn_config_parse(rest ? rest : "", "fuzz", &e);
        if (!c && (e.code == SNN_OK || e.text[0] == '\0'))
            abort();
        if (c) {
            read_all(c);
            check_round_trip(c);
            if (snn_config_set(c, text, &e)) {
                read_all(c);
                check_round_trip(c);
            }
            snn_config_free(c);
        }
    }
    free(text);
    return 0;
}
