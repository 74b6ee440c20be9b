/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Python pickles as inert trees (pickle.c). Not a public header.
 *
 * Nothing is ever executed or imported: what an unpickler would call becomes a node that names it, and every opcode that the files at hand do not
 * need is refused with its name and byte. The tree has no cycles and no node with two parents, so that walking it costs no more than the file's size.
 */
#ifndef SNNSIM_DATASETS_PICKLE_H
#define SNNSIM_DATASETS_PICKLE_H

#include <snnsim/error.h>
#include <stdint.h>

/* A file of Braille letters at threshold 1 has about 60 MB; a node takes 16 bytes, and a float in the file takes 9. */
#define SNN_PICKLE_MAX ((size_t)256 << 20)

typedef enum {
    SNN_PICKLE_LETTERS, /* protocol 3: lists, dictionaries, strings, floats */
    SNN_PICKLE_TORCH    /* protocol 2: data.pkl of torch.save, whose objects become SNN_NODE_CALL */
} snn_pickle_set;

typedef enum {
    SNN_NODE_FLOAT,
    SNN_NODE_INT, /* of booleans too */
    SNN_NODE_STRING,
    SNN_NODE_GLOBAL, /* "module\nname" */
    SNN_NODE_LIST,
    SNN_NODE_TUPLE,
    SNN_NODE_DICT,       /* children: key, value, key, value, ...; keys are strings */
    SNN_NODE_PERSISTENT, /* child: the identifier */
    SNN_NODE_CALL        /* children: what is called, its arguments and, after BUILD, the state */
} snn_node_kind;

typedef struct {
    union {
        double number;
        int64_t integer;
        struct {
            uint32_t first, last; /* children; 0: none */
        } child;
        uint32_t text; /* byte at which the characters of a STRING or GLOBAL stand */
    } value;
    uint32_t next;      /* of the same parent; 0: none */
    unsigned kind : 4;  /* snn_node_kind */
    unsigned size : 28; /* children, or characters */
} snn_node;

typedef struct {
    const uint8_t *bytes; /* the file; strings stay there */
    snn_node *node;       /* [n]; node 0 is none */
    size_t n, capacity;
    uint32_t root;
} snn_pickle;

/* Parses a whole file of at most SNN_PICKLE_MAX bytes; `bytes` must outlive the tree. DATA errors "byte N: ...". *p is freed by the caller, also after
 * an error. */
bool snn_pickle_parse(snn_pickle *p, snn_pickle_set set, const uint8_t *bytes, size_t size, snn_error *err);
void snn_pickle_free(snn_pickle *p);

/* Is node i a STRING or GLOBAL of this text? */
bool snn_pickle_is(const snn_pickle *p, uint32_t i, snn_node_kind kind, const char *text);
/* Child number k of a container; 0 when it has fewer. */
uint32_t snn_pickle_child(const snn_pickle *p, uint32_t i, uint32_t k);
/* The value of a key; 0 when there is none. */
uint32_t snn_pickle_value(const snn_pickle *p, uint32_t dict, const char *key);
/* "a list of 3", "the string \"events\"", for messages; returns buf. */
#define SNN_NODE_TEXT 80
const char *snn_pickle_text(const snn_pickle *p, uint32_t i, char buf[SNN_NODE_TEXT]);

#endif
