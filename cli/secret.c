/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Steps of commands that handle keys: passphrases, key files, what the system may see of them. */
#include "key.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

void cli_harden(void) {
#ifndef __SANITIZE_ADDRESS__ /* its leak check attaches to the process */
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
#endif
}

bool cli_descriptor(const char *option, const char *value, int *fd, snn_error *err) {
    uint64_t n = 0;
    if (!cli_number(option, value, 0, INT_MAX, &n, err))
        return false;
    *fd = (int)n;
    return true;
}

static void warn_unlocked(bool locked, const char *what) {
    if (!locked)
        fprintf(stderr,
                "snnsim: warning: %s cannot be locked in memory (see ulimit -l), swap space may see it\n",
                what);
}

/* Who has sealed his key and finds it in clear has not got his key: anybody can make one in clear, for any weights. */
static bool refuse_clear(const char *path, snn_error *err) {
    return snn_fail(err, SNN_ERR_DATA,
                    "%s: is not sealed, but a passphrase was given for it: it may have been exchanged for "
                    "another key",
                    path);
}

bool cli_key_open(const char *path, int fd, bool optional, snn_key **k, snn_error *err) {
    snn_key_about about;
    snn_secret s = {0};
    char ask[PATH_MAX + 32];
    *k = NULL;
    cli_harden();
    if (!snn_key_peek(path, &about, err))
        return false;
    if (about.exposed)
        fprintf(stderr, "snnsim: warning: others may read %s; make it yours alone with: chmod 600\n", path);
    if (!about.sealed && fd >= 0)
        return refuse_clear(path, err);
    snprintf(ask, sizeof ask, "Passphrase for %s: ", path);
    if (about.sealed && !snn_secret_get(&s, fd, ask, false, err))
        return false;
    if (about.sealed && !s.text && optional)
        return true;
    *k = snn_key_load(path, &s, err);
    snn_secret_free(&s);
    if (*k)
        warn_unlocked(snn_key_locked(*k), "the key");
    return *k != NULL;
}

snn_key *cli_key_load(const char *path, int fd, snn_error *err) {
    const bool given = getenv(SNN_PASSPHRASE_VARIABLE) != NULL;
    snn_key *k;
    snn_key_about about;
    if (!*path) {
        snn_fail(err, SNN_ERR_USAGE, "--key: the name of the file is empty");
        return NULL;
    }
    bool ok = snn_key_peek(path, &about, err) && (about.sealed || !given || refuse_clear(path, err)) &&
              cli_key_open(path, fd, false, &k, err);
    snn_secret_forget();
    return ok ? k : NULL;
}

bool cli_key_passphrase(const char *path, int fd, snn_secret *s, snn_error *err) {
    char ask[PATH_MAX + 32];
    cli_harden();
    snprintf(ask, sizeof ask, "New passphrase for %s: ", path);
    if (!snn_secret_get(s, fd, ask, true, err))
        return false;
    warn_unlocked(!s->text || s->locked, "the passphrase");
    return true;
}

bool cli_key_target(const char *path, snn_error *err) {
    static const char key[] = "snnsim key";
    char start[sizeof key - 1];
    struct stat st;
    FILE *f = stat(path, &st) == 0 && S_ISREG(st.st_mode) ? fopen(path, "rb") : NULL;
    if (!f)
        return true; /* nothing there, or an error that writing will report */
    size_t n = fread(start, 1, sizeof start, f);
    fclose(f);
    if (!n || (n == sizeof start && !memcmp(start, key, n)))
        return true;
    return snn_fail(err, SNN_ERR_USAGE, "%s: is no key, and is not replaced by one", path);
}

bool cli_key_save(const snn_key *k, const char *path, const snn_secret *s, snn_kdf kdf, snn_error *err) {
    if (!snn_key_save(k, path, s, kdf, err))
        return false;
    if (!s || !s->text)
        fprintf(
            stderr,
            "snnsim: warning: %s is written in clear: whoever reads it can decrypt; seal it with: snnsim key "
            "seal\n",
            path);
    return true;
}
