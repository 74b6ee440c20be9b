/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snnsim key show: what a key file says without its passphrase, and with it. */
#include "json.h"
#include "key.h"

#include <inttypes.h>
#include <stdio.h>

static const char help[] =
    "Usage: snnsim key show FILE [--passphrase-fd N] [--positions] [--json]\n"
    "Describes a key. Of a sealed key without a passphrase only how it is sealed; otherwise how many bits\n"
    "of which layer are encrypted, and the digests of the weights that the key is for.\n"
    "\n"
    "  --passphrase-fd N    read the passphrase from file descriptor N, up to the first newline; otherwise\n"
    "                       it comes from SNNSIM_PASSPHRASE or is asked for on the terminal\n"
    "  --head               only what needs no passphrase\n"
    "  --positions          the encrypted bits too, and the seed of their search: these are the secret\n"
    "  --json               for programs\n";

enum { OPTION_FD = CLI_OWN, OPTION_HEAD, OPTION_POSITIONS };

typedef struct {
    const char *path;
    int fd;
    bool head, positions;
} options;

static bool take(void *context, int option, const char *value, snn_error *err) {
    options *o = context;
    if (option == OPTION_FD)
        return cli_descriptor("--passphrase-fd", value, &o->fd, err);
    if (option == OPTION_HEAD)
        o->head = true;
    else
        o->positions = true;
    return true;
}

/* ---- for people ---- */

static void print_head(const options *o, const snn_key_about *about, const snn_key *k) {
    printf("%s: key of version %d, %" PRIu64 " bytes\n", o->path, about->version, about->size);
    if (about->sealed)
        printf("  sealed     Argon2id %s: %" PRIu64 " passes over %" PRIu64 " MiB; XChaCha20-Poly1305\n",
               snn_kdf_name(about->kdf), about->opslimit, about->memlimit >> 20);
    else
        printf("  sealed     no: whoever reads the file has the key\n");
    if (!k && !o->head)
        printf("  content    sealed, and no passphrase was given\n");
}

static void print_flips(const snn_key *k, const snn_flips *list) {
    for (size_t i = 0; i < list->n; i++) {
        const snn_flip *f = &list->flip[i];
        printf("%s,%" PRIu64 ",%" PRIu32 "\n", k->tensor[f->tensor].name, f->index, f->bit);
    }
}

static void print_content(const options *o, const snn_key *k) {
    printf("  scheme     xor\n"
           "  bits       %zu\n",
           k->flips.n);
    for (int i = 0; i < k->tensors; i++) {
        const snn_key_tensor *t = &k->tensor[i];
        printf("  %-10s %zu in %" PRIu64 " weights of ", t->name, t->keyed, t->weights);
        if (t->bits)
            printf("%d bits, %s\n", t->bits, snn_encoding_name(t->encoding));
        else
            printf("float32\n");
    }
    printf("  plain      %s\n"
           "  encrypted  %s\n",
           k->plain, k->encrypted);
    printf("  network    %s\n", k->network);
    if (k->versions)
        printf("  rotated    %" PRIu32 " earlier %s with %zu bits\n", k->versions,
               k->versions == 1 ? "key" : "keys", k->retired.n);
    if (!o->positions)
        return;
    printf("  seed       %" PRIu64 "\n"
           "layer,index,bit\n",
           k->seed);
    print_flips(k, &k->flips);
    if (k->retired.n)
        puts("retired layer,index,bit");
    print_flips(k, &k->retired);
}

/* ---- for programs ---- */

static json_t *addresses(const snn_key *k, const snn_flips *list) {
    json_t *all = json_array();
    for (size_t i = 0; i < list->n; i++) {
        const snn_flip *f = &list->flip[i];
        json_array_append_new(all, json_pack("{s:s, s:o, s:i}", "layer", k->tensor[f->tensor].name, "index",
                                             cli_json_count(f->index), "bit", (int)f->bit));
    }
    return all;
}

static json_t *content(const options *o, const snn_key *k) {
    json_t *layers = json_array();
    char seed[24];
    for (int i = 0; i < k->tensors; i++) {
        const snn_key_tensor *t = &k->tensor[i];
        json_array_append_new(layers, json_pack("{s:s, s:s, s:i, s:o, s:o}", "name", t->name, "encoding",
                                                t->bits ? snn_encoding_name(t->encoding) : "float32", "bits",
                                                t->bits ? t->bits : 32, "weights", cli_json_count(t->weights),
                                                "keyed", cli_json_count(t->keyed)));
    }
    json_t *all = json_pack("{s:s, s:o, s:o, s:s, s:s, s:s, s:o, s:o}", "scheme", "xor", "bits",
                            cli_json_count(k->flips.n), "layers", layers, "plain", k->plain, "encrypted",
                            k->encrypted, "network", k->network, "earlier_keys", cli_json_count(k->versions),
                            "retired_bits", cli_json_count(k->retired.n));
    if (o->positions) {
        snprintf(seed, sizeof seed, "%" PRIu64,
                 k->seed); /* as text: programs often read numbers as doubles */
        json_object_set_new(all, "seed", json_string(seed));
        json_object_set_new(all, "positions", addresses(k, &k->flips));
        json_object_set_new(all, "retired", addresses(k, &k->retired));
    }
    return all;
}

static bool print_json(const options *o, const snn_key_about *about, const snn_key *k, snn_error *err) {
    json_t *kdf = !about->sealed
                      ? json_null()
                      : json_pack("{s:s, s:s, s:o, s:o}", "algorithm", "argon2id", "name",
                                  snn_kdf_name(about->kdf), "passes", cli_json_count(about->opslimit),
                                  "memory_bytes", cli_json_count(about->memlimit));
    json_t *all = json_pack("{s:o, s:i, s:o, s:b, s:o, s:o}", "file", cli_json_text(o->path), "version",
                            about->version, "bytes", cli_json_count(about->size), "sealed", about->sealed,
                            "kdf", kdf, "content", k ? content(o, k) : json_null());
    bool ok = all && json_dumpf(all, stdout, CLI_JSON_FORMAT) == 0;
    json_decref(all);
    putchar('\n');
    return ok || snn_fail(err, SNN_ERR_RUNTIME, "out of memory");
}

/* ---- the command ---- */

static bool show(const options *o, bool json, snn_error *err) {
    snn_key_about about;
    snn_key *k = NULL;
    if (o->head && (o->positions || o->fd >= 0))
        return snn_fail(err, SNN_ERR_USAGE, "key show: --head needs no passphrase and shows no positions");
    if (!snn_key_peek(o->path, &about, err) ||
        (!o->head && !cli_key_open(o->path, o->fd, !o->positions && o->fd < 0, &k, err)))
        return false;
    snn_secret_forget();
    if (o->positions)
        fprintf(stderr, "snnsim: note: positions and seed are the secret that %s protects\n", o->path);
    bool ok = true;
    if (json) {
        ok = print_json(o, &about, k, err);
    } else {
        print_head(o, &about, k);
        if (k)
            print_content(o, k);
    }
    snn_key_free(k);
    return ok;
}

bool cli_key_show(int argc, char **argv, snn_error *err) {
    static const struct option table[] = {{"help", no_argument, NULL, CLI_HELP},
                                          {"json", no_argument, NULL, CLI_JSON},
                                          {"passphrase-fd", required_argument, NULL, OPTION_FD},
                                          {"head", no_argument, NULL, OPTION_HEAD},
                                          {"positions", no_argument, NULL, OPTION_POSITIONS},
                                          {0}};
    options o = {.fd = -1};
    cli_syntax syntax = {.name = "key show",
                         .help = help,
                         .letters = ":h",
                         .options = table,
                         .positional_min = 1,
                         .positional_max = 1,
                         .positional = "FILE",
                         .own = take,
                         .context = &o};
    cli_common common = {0};
    int first;
    cli_parsed parsed = cli_parse(&syntax, argc, argv, &common, &first, err);
    bool ok = parsed == CLI_DONE, json = common.json;
    if (parsed == CLI_GO) {
        o.path = argv[first];
        ok = show(&o, json, err);
    }
    cli_common_free(&common);
    return ok;
}
