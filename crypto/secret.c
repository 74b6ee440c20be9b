/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Passphrases: from a file descriptor, the environment or the terminal, straight into guarded memory; never through stdio, never from the command line. */
#include "key_internal.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ALIGNMENT                                                                                            \
    64 /* sodium_malloc puts the end of the memory at a page's end, so that sizes decide the alignment */

void *snn_guarded_alloc(size_t size, bool *locked, const char *what, snn_error *err) {
    bool room = size <= SIZE_MAX - ALIGNMENT && sodium_init() >= 0;
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    void *p = room ? sodium_malloc(size ? size : ALIGNMENT) : NULL;
    if (!p) {
        snn_fail(err, SNN_ERR_RUNTIME, "no guarded memory for %s", what);
        return NULL;
    }
    /* sodium_malloc hides whether locking worked; locking twice is no harm, and sodium_free unlocks. */
    bool ok = sodium_mlock(p, size) == 0;
    if (locked)
        *locked = ok;
    sodium_memzero(p, size);
    return p;
}

/* ---- secrets ---- */

/* Room for one byte more than a passphrase may have. */
static bool make_room(snn_secret *s, snn_error *err) {
    *s = (snn_secret){0};
    s->text = snn_guarded_alloc(SNN_PASSPHRASE_MAX + 1, &s->locked, "a passphrase", err);
    return s->text != NULL;
}

void snn_secret_free(snn_secret *s) {
    if (s->text)
        sodium_free(s->text);
    *s = (snn_secret){0};
}

/* May a passphrase have this size? If not, it is freed. */
static bool check_size(snn_secret *s, const char *source, snn_error *err) {
    if (s->size >= 1 && s->size <= SNN_PASSPHRASE_MAX)
        return true;
    bool empty = s->size == 0;
    snn_secret_free(s);
    if (empty)
        return snn_fail(err, SNN_ERR_USAGE, "the passphrase from %s is empty", source);
    return snn_fail(err, SNN_ERR_USAGE, "the passphrase from %s has more than %d bytes", source,
                    SNN_PASSPHRASE_MAX);
}

static bool set_from(snn_secret *s, const char *text, size_t size, const char *source, snn_error *err) {
    if (!make_room(s, err))
        return false;
    s->size = size;
    if (!check_size(s, source, err))
        return false;
    memcpy(s->text, text, size);
    return true;
}

bool snn_secret_set(snn_secret *s, const char *text, size_t size, snn_error *err) {
    return set_from(s, text, size, "the program", err);
}

/* ---- sources ---- */

/* Byte by byte: what follows the newline may be another passphrase. */
static bool from_descriptor(snn_secret *s, int fd, snn_error *err) {
    if (!make_room(s, err))
        return false;
    while (s->size <= SNN_PASSPHRASE_MAX) {
        ssize_t n = read(fd, s->text + s->size, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            snn_secret_free(s);
            snn_fail_errno(err, "cannot read a passphrase from file descriptor %d", fd);
            if (err)
                err->code = SNN_ERR_USAGE;
            return false;
        }
        if (n == 0 || s->text[s->size] == '\n')
            break;
        s->size++;
    }
    char source[40];
    snprintf(source, sizeof source, "file descriptor %d", fd);
    return check_size(s, source, err);
}

void snn_secret_forget(void) {
    char *value = getenv(SNN_PASSPHRASE_VARIABLE);
    if (!value)
        return;
    /* These are the bytes that /proc/PID/environ and a core dump show. */
    sodium_memzero(value, strlen(value));
    unsetenv(SNN_PASSPHRASE_VARIABLE);
}

static bool from_environment(snn_secret *s, const char *value, snn_error *err) {
    bool ok = set_from(s, value, strlen(value), "the environment variable " SNN_PASSPHRASE_VARIABLE, err);
    snn_secret_forget();
    return ok;
}

static bool ask_once(snn_secret *s, const char *ask, bool *found, snn_error *err) {
    *found = false;
    if (!make_room(s, err))
        return false;
    bool ok = snn_terminal_read(ask, s->text, SNN_PASSPHRASE_MAX, &s->size, found, err);
    if (!ok || !*found) {
        snn_secret_free(s);
        return ok;
    }
    return check_size(s, "the terminal", err);
}

static bool from_terminal(snn_secret *s, const char *ask, bool confirm, snn_error *err) {
    bool found;
    if (!ask_once(s, ask, &found, err))
        return false;
    if (!found || !confirm)
        return true;
    snn_secret again;
    if (!ask_once(&again, "The same again: ", &found, err)) {
        snn_secret_free(s);
        return false;
    }
    bool same = found && s->size == again.size && sodium_memcmp(s->text, again.text, s->size) == 0;
    snn_secret_free(&again);
    if (same)
        return true;
    snn_secret_free(s);
    return snn_fail(err, SNN_ERR_USAGE, "the two passphrases are not the same");
}

bool snn_secret_get(snn_secret *s, int fd, const char *ask, bool confirm, snn_error *err) {
    *s = (snn_secret){0};
    if (fd >= 0)
        return from_descriptor(s, fd, err);
    const char *value = getenv(SNN_PASSPHRASE_VARIABLE);
    if (value)
        return from_environment(s, value, err);
    return !ask || from_terminal(s, ask, confirm, err);
}
