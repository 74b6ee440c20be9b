/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside hw/: a Liberty file as a tree of statements, and Boolean expressions in it. liberty.h has the cells that are made of it. */
#ifndef SNN_HW_LIBERTY_TREE_H
#define SNN_HW_LIBERTY_TREE_H

#include <snnsim/error.h>

#include <stdint.h>

#define SNN_LIB_MAX_BYTES ((size_t)256 << 20) /* of a file's text; ASAP7's largest has 22 MB */
#define SNN_LIB_MAX_DEPTH 32                  /* nested groups; real files have about 6 */
#define SNN_LIB_MAX_PINS 16                   /* of a cell: its states are tables of 2^pins */

/* A piece of the file's text, without quotes; not terminated. */
typedef struct {
    const char *at;
    size_t size;
} snn_lib_text;

/* `name : arg;`, `name (arg, ...);`, or a group `name (arg, ...) { children }`. */
typedef struct snn_lib_node {
    snn_lib_text name;
    snn_lib_text *arg; /* [args] */
    size_t args;
    unsigned line;
    bool group;
    struct snn_lib_node *child, *next; /* in the file's order */
} snn_lib_node;

typedef struct {
    char *label; /* for messages: the file's name */
    char *text;  /* zero-terminated */
    size_t size;
    struct snn_lib_chunk *chunks; /* memory of the nodes */
    snn_lib_node *root;           /* the group `library` */
} snn_lib_tree;

/* Reads a file, compressed by gzip or not. Errors: DATA naming file and line. Free also after an error. */
bool snn_lib_read(snn_lib_tree *t, const char *path, snn_error *err);
/* As snn_lib_read, of `size` bytes that are copied. */
bool snn_lib_parse(snn_lib_tree *t, const void *text, size_t size, const char *label, snn_error *err);
void snn_lib_free(snn_lib_tree *t);

/* Fails with "<file>:<line>: <sentence>" (DATA). */
bool snn_lib_fail(const snn_lib_tree *t, const snn_lib_node *n, snn_error *err, const char *fmt, ...)
    SNN_PRINTF(4, 5);
bool snn_lib_is(snn_lib_text text, const char *word);
bool snn_lib_same(snn_lib_text a, snn_lib_text b);
/* The first child of that name at or after `from`; NULL: none. Continue with found->next. */
const snn_lib_node *snn_lib_find(const snn_lib_node *from, const char *name);
/* Argument 0 of the attribute `name` of a group; false when there is none. */
bool snn_lib_attribute(const snn_lib_node *group, const char *name, snn_lib_text *value);
/* The whole of a text as a finite number. */
bool snn_lib_number(snn_lib_text text, double *value);
/* A number attribute. Absent: *value stays and true. Error when it is no number. */
bool snn_lib_real(const snn_lib_tree *t, const snn_lib_node *group, const char *name, double *value,
                  snn_error *err);

/* Truth of a Boolean expression (! ' & * space | + ^ and parentheses) in every state of `pins` pins, pin i being bit i of the state: bit s of
 * table[s / 64]. An unknown name makes the expression's value unknown where it matters: such states count as false. Error: malformed. */
bool snn_lib_truth(const snn_lib_tree *t, const snn_lib_node *n, snn_lib_text expression,
                   const snn_lib_text *pin, unsigned pins, uint64_t *table, snn_error *err);
static inline size_t snn_lib_words(unsigned pins) {
    return pins > 6 ? (size_t)1 << (pins - 6) : 1;
}

#endif
