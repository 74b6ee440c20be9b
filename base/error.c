/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Errors (one code, one sentence) and the two allocation helpers that report them. Floor 0. */
#include <snnsim/error.h>

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 64 /* a cache line, and the widest SIMD register */

/* One sentence on one line: names of files may hold anything, the message must not break the terminal or the report. */
static void make_printable(char *text) {
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
}

static void vset(snn_error *err, snn_code code, const char *fmt, va_list args) {
    err->code = code;
    if (vsnprintf(err->text, sizeof err->text, fmt, args) < 0)
        snprintf(err->text, sizeof err->text, "(message could not be formatted)");
    make_printable(err->text);
}

bool snn_fail(snn_error *err, snn_code code, const char *fmt, ...) {
    if (!err)
        return false;
    va_list args;
    va_start(args, fmt);
    vset(err, code, fmt, args);
    va_end(args);
    return false;
}

bool snn_fail_errno(snn_error *err, const char *fmt, ...) {
    int saved = errno;
    if (!err)
        return false;
    va_list args;
    va_start(args, fmt);
    vset(err, SNN_ERR_RUNTIME, fmt, args);
    va_end(args);
    char reason[256];
#if defined(_GNU_SOURCE) && defined(__GLIBC__)
    const char *why = strerror_r(saved, reason, sizeof reason);
#else
    const char *why = strerror_r(saved, reason, sizeof reason) == 0 ? reason : "unknown error";
#endif
    /* Keep the reason even when the message fills the buffer. */
    size_t used = strlen(err->text), wanted = strlen(why) + 3;
    if (used + wanted > sizeof err->text)
        used = sizeof err->text - wanted;
    snprintf(err->text + used, sizeof err->text - used, ": %s", why);
    errno = saved;
    return false;
}

bool snn_error_context(snn_error *err, const char *fmt, ...) {
    if (!err)
        return false;
    char old[sizeof err->text];
    memcpy(old, err->text, sizeof old);
    va_list args;
    va_start(args, fmt);
    vset(err, err->code, fmt, args);
    va_end(args);
    size_t used = strlen(err->text);
    snprintf(err->text + used, sizeof err->text - used, ": %s", old);
    return false;
}

void *snn_alloc(size_t n, size_t size, const char *what, snn_error *err) {
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes) || bytes > PTRDIFF_MAX - ALIGNMENT) {
        snn_fail(err, SNN_ERR_RUNTIME, "%s: %zu objects of %zu bytes are more than memory can hold", what, n,
                 size);
        return NULL;
    }
    /* aligned_alloc wants a multiple of the alignment. */
    bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (bytes == 0)
        bytes = ALIGNMENT;
    void *p = aligned_alloc(ALIGNMENT, bytes);
    if (!p) {
        snn_fail(err, SNN_ERR_RUNTIME, "%s: out of memory (%zu bytes)", what, bytes);
        return NULL;
    }
    return memset(p, 0, bytes);
}

bool snn_grow(void **array, size_t *capacity, size_t need, size_t size, snn_error *err) {
    assert(size > 0);
    if (need <= *capacity && *array)
        return true;
    size_t wanted = *capacity > SIZE_MAX / 2 ? need : 2 * *capacity;
    if (wanted < need)
        wanted = need;
    if (wanted < 16)
        wanted = 16;
    size_t bytes;
    if (__builtin_mul_overflow(wanted, size, &bytes) || bytes > PTRDIFF_MAX) {
        wanted = need;
        if (__builtin_mul_overflow(wanted, size, &bytes) || bytes > PTRDIFF_MAX)
            return snn_fail(err, SNN_ERR_RUNTIME, "%zu objects of %zu bytes are more than memory can hold",
                            need, size);
    }
    void *p = realloc(*array, bytes);
    if (!p)
        return snn_fail(err, SNN_ERR_RUNTIME, "out of memory (%zu bytes)", bytes);
    *array = p;
    *capacity = wanted;
    return true;
}
