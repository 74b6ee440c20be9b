/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Errors: one code and one sentence. A function that can fail returns bool (or a pointer) and takes
 * `snn_error *err` last; the error gains context on its way up and is printed once, by the program.
 */
#ifndef SNNSIM_ERROR_H
#define SNNSIM_ERROR_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SNN_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define SNN_PRINTF(fmt, args)
#endif

/* Codes are the exit codes of the program. */
typedef enum {
    SNN_OK = 0,
    SNN_ERR_RUNTIME = 1,      /* failed at run time: no memory, full disk, ... */
    SNN_ERR_USAGE = 2,        /* wrong usage or configuration */
    SNN_ERR_DATA = 3,         /* bad input data or model */
    SNN_ERR_CRITERION = 4,    /* ran, but the asked-for criterion was not met */
    SNN_ERR_INTERRUPTED = 130 /* interrupted; state saved */
} snn_code;

typedef struct {
    snn_code code;
    char
        text[1024]; /* one sentence, no newline: what, where (file, line or byte, layer), what was expected */
} snn_error;

/* Sets *err (which may be NULL) and returns false, so that `return snn_fail(err, ...)` reads well. */
bool snn_fail(snn_error *err, snn_code code, const char *fmt, ...) SNN_PRINTF(3, 4);

/* As snn_fail, with ": <strerror(errno)>" appended; code is SNN_ERR_RUNTIME. */
bool snn_fail_errno(snn_error *err, const char *fmt, ...) SNN_PRINTF(2, 3);

/* Puts context in front of the sentence ("<context>: <sentence>") and returns false. */
bool snn_error_context(snn_error *err, const char *fmt, ...) SNN_PRINTF(2, 3);

/* Zeroed memory for n objects of `size` bytes, aligned to 64 bytes; NULL with err set when n*size
 * overflows or memory is out (code RUNTIME, `what` names the thing). n = 0 gives a valid pointer. Free with free(). */
void *snn_alloc(size_t n, size_t size, const char *what, snn_error *err);

/* Grows *array (may be NULL, obtained from malloc or snn_grow) so that it holds at least `need` objects; doubles *capacity
 * amortised. Contents are kept, new space is not zeroed. False when out of memory. Free with free(). */
bool snn_grow(void **array, size_t *capacity, size_t need, size_t size, snn_error *err);

#ifdef __cplusplus
}
#endif
#endif
