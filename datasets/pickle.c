/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Python pickles, protocols 2 and 3, as trees (opcodes: CPython's Lib/pickletools.py).
 *
 * A pickle is a program for a stack machine. Only the opcodes in the table below are run; memory is bounded by the file's size, since every node and
 * every memo entry takes at least one byte of it, and nothing here recurses. What was put into the memo may be taken out again only when it is a
 * string, a number or a name: lists that contain themselves, or one list in a million places, cannot come about.
 */
#include "pickle.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Python writes batches of 1000 items, and our files nest 5 deep. */
#define STACK_MAX 65536
#define MARKS_MAX 64

#define IN_LETTERS 1
#define IN_TORCH 2
#define IN_BOTH (IN_LETTERS | IN_TORCH)

enum {
    OP_MARK = '(',
    OP_STOP = '.',
    OP_BINFLOAT = 'G',
    OP_BININT = 'J',
    OP_BININT1 = 'K',
    OP_BININT2 = 'M',
    OP_BINPERSID = 'Q',
    OP_REDUCE = 'R',
    OP_BINUNICODE = 'X',
    OP_APPEND = 'a',
    OP_BUILD = 'b',
    OP_GLOBAL = 'c',
    OP_APPENDS = 'e',
    OP_BINGET = 'h',
    OP_LONG_BINGET = 'j',
    OP_BINPUT = 'q',
    OP_LONG_BINPUT = 'r',
    OP_SETITEM = 's',
    OP_TUPLE = 't',
    OP_SETITEMS = 'u',
    OP_EMPTY_DICT = '}',
    OP_EMPTY_LIST = ']',
    OP_EMPTY_TUPLE = ')',
    OP_PROTO = 0x80,
    OP_NEWOBJ = 0x81,
    OP_TUPLE1 = 0x85,
    OP_TUPLE2 = 0x86,
    OP_TUPLE3 = 0x87,
    OP_NEWTRUE = 0x88,
    OP_NEWFALSE = 0x89
};

/* Which opcodes each kind of file may hold; the others are here for their names in messages. */
static const struct {
    uint8_t sets;
    uint8_t operands; /* bytes behind the opcode, without those whose number stands in the file */
    const char *name; /* NULL: no opcode */
} opcodes[256] = {
    [OP_MARK] = {IN_BOTH, 0, "MARK"},
    [OP_STOP] = {IN_BOTH, 0, "STOP"},
    [OP_BINFLOAT] = {IN_LETTERS, 8, "BINFLOAT"},
    [OP_BININT] = {IN_TORCH, 4, "BININT"},
    [OP_BININT1] = {IN_TORCH, 1, "BININT1"},
    [OP_BININT2] = {IN_TORCH, 2, "BININT2"},
    [OP_BINPERSID] = {IN_TORCH, 0, "BINPERSID"},
    [OP_REDUCE] = {IN_TORCH, 0, "REDUCE"},
    [OP_BINUNICODE] = {IN_BOTH, 4, "BINUNICODE"},
    [OP_APPEND] = {IN_LETTERS, 0, "APPEND"},
    [OP_BUILD] = {IN_TORCH, 0, "BUILD"},
    [OP_GLOBAL] = {IN_TORCH, 0, "GLOBAL"},
    [OP_APPENDS] = {IN_LETTERS, 0, "APPENDS"},
    [OP_BINGET] = {IN_BOTH, 1, "BINGET"},
    [OP_LONG_BINGET] = {IN_BOTH, 4, "LONG_BINGET"},
    [OP_BINPUT] = {IN_BOTH, 1, "BINPUT"},
    [OP_LONG_BINPUT] = {IN_BOTH, 4, "LONG_BINPUT"},
    [OP_SETITEM] = {IN_TORCH, 0, "SETITEM"},
    [OP_TUPLE] = {IN_TORCH, 0, "TUPLE"},
    [OP_SETITEMS] = {IN_BOTH, 0, "SETITEMS"},
    [OP_EMPTY_DICT] = {IN_BOTH, 0, "EMPTY_DICT"},
    [OP_EMPTY_LIST] = {IN_LETTERS, 0, "EMPTY_LIST"},
    [OP_EMPTY_TUPLE] = {IN_TORCH, 0, "EMPTY_TUPLE"},
    [OP_PROTO] = {IN_BOTH, 1, "PROTO"},
    [OP_NEWOBJ] = {IN_TORCH, 0, "NEWOBJ"},
    [OP_TUPLE1] = {IN_TORCH, 0, "TUPLE1"},
    [OP_TUPLE2] = {IN_TORCH, 0, "TUPLE2"},
    [OP_TUPLE3] = {IN_TORCH, 0, "TUPLE3"},
    [OP_NEWTRUE] = {IN_TORCH, 0, "NEWTRUE"},
    [OP_NEWFALSE] = {IN_TORCH, 0, "NEWFALSE"},
    ['0'] = {0, 0, "POP"},
    ['1'] = {0, 0, "POP_MARK"},
    ['2'] = {0, 0, "DUP"},
    ['B'] = {0, 0, "BINBYTES"},
    ['C'] = {0, 0, "SHORT_BINBYTES"},
    ['F'] = {0, 0, "FLOAT"},
    ['I'] = {0, 0, "INT"},
    ['L'] = {0, 0, "LONG"},
    ['N'] = {0, 0, "NONE"},
    ['P'] = {0, 0, "PERSID"},
    ['S'] = {0, 0, "STRING"},
    ['T'] = {0, 0, "BINSTRING"},
    ['U'] = {0, 0, "SHORT_BINSTRING"},
    ['V'] = {0, 0, "UNICODE"},
    ['d'] = {0, 0, "DICT"},
    ['g'] = {0, 0, "GET"},
    ['i'] = {0, 0, "INST"},
    ['l'] = {0, 0, "LIST"},
    ['o'] = {0, 0, "OBJ"},
    ['p'] = {0, 0, "PUT"},
    [0x82] = {0, 0, "EXT1"},
    [0x83] = {0, 0, "EXT2"},
    [0x84] = {0, 0, "EXT4"},
    [0x8a] = {0, 0, "LONG1"},
    [0x8b] = {0, 0, "LONG4"},
    [0x8c] = {0, 0, "SHORT_BINUNICODE"},
    [0x8d] = {0, 0, "BINUNICODE8"},
    [0x8e] = {0, 0, "BINBYTES8"},
    [0x8f] = {0, 0, "EMPTY_SET"},
    [0x90] = {0, 0, "ADDITEMS"},
    [0x91] = {0, 0, "FROZENSET"},
    [0x92] = {0, 0, "NEWOBJ_EX"},
    [0x93] = {0, 0, "STACK_GLOBAL"},
    [0x94] = {0, 0, "MEMOIZE"},
    [0x95] = {0, 0, "FRAME"},
    [0x96] = {0, 0, "BYTEARRAY8"},
    [0x97] = {0, 0, "NEXT_BUFFER"},
    [0x98] = {0, 0, "READONLY_BUFFER"},
};

/* Names that torch's files may hold (torch.utils.data.TensorDataset of float and integer tensors). */
static const char *const torch_names[] = {"torch.utils.data.dataset\nTensorDataset",
                                          "torch._utils\n_rebuild_tensor_v2", "torch\nFloatStorage",
                                          "torch\nLongStorage", "collections\nOrderedDict"};

typedef struct {
    snn_pickle *tree;
    size_t size;     /* of the file */
    size_t at, next; /* byte of the current opcode and behind it */
    snn_pickle_set set;
    uint32_t *stack; /* [depth] nodes */
    size_t depth, stack_capacity;
    size_t mark[MARKS_MAX]; /* depth of the stack at each MARK */
    size_t marks;
    uint32_t *memo; /* [memos] nodes */
    size_t memos, memo_capacity;
    bool stopped;
} machine;

static bool bad(const machine *m, snn_error *err, const char *what) {
    return snn_fail(err, SNN_ERR_DATA, "byte %zu: %s", m->at, what);
}

/* ---- bytes ---- */

static uint32_t little(const uint8_t *b, unsigned n) {
    uint32_t v = 0;
    for (unsigned i = n; i-- > 0;)
        v = v << 8 | b[i];
    return v;
}

/* BINFLOAT is big-endian. */
static double big_double(const uint8_t *b) {
    uint64_t bits = 0;
    double v;
    for (int i = 0; i < 8; i++)
        bits = bits << 8 | b[i];
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* ---- stack and nodes ---- */

static bool push(machine *m, uint32_t node, snn_error *err) {
    if (m->depth >= STACK_MAX)
        return bad(m, err, "more than 65536 values wait for their list, which no Python writes");
    if (!snn_grow((void **)&m->stack, &m->stack_capacity, m->depth + 1, sizeof *m->stack, err))
        return false;
    m->stack[m->depth++] = node;
    return true;
}

/* Values above the last mark, or on the whole stack when there is none. */
static size_t available(const machine *m) {
    return m->depth - (m->marks > 0 ? m->mark[m->marks - 1] : 0);
}

static bool new_node(machine *m, snn_node_kind kind, snn_node **node, snn_error *err) {
    snn_pickle *t = m->tree;
    if (!snn_grow((void **)&t->node, &t->capacity, t->n + 1, sizeof *t->node, err) ||
        !push(m, (uint32_t)t->n, err))
        return false;
    *node = &t->node[t->n++];
    **node = (snn_node){.kind = kind};
    return true;
}

static void adopt(snn_pickle *t, uint32_t parent, uint32_t child) {
    snn_node *p = &t->node[parent];
    if (p->value.child.last == 0)
        p->value.child.first = child;
    else
        t->node[p->value.child.last].next = child;
    p->value.child.last = child;
    p->size++;
}

/* Moves the stack's values from `from` on into `parent` and takes them off. */
static void adopt_all(machine *m, uint32_t parent, size_t from) {
    for (size_t i = from; i < m->depth; i++)
        adopt(m->tree, parent, m->stack[i]);
    m->depth = from;
}

/* A new container of the top n values, in their place. */
static bool wrap(machine *m, snn_node_kind kind, size_t n, snn_error *err) {
    if (available(m) < n)
        return bad(m, err, "the opcode takes more values than there are");
    snn_node *node;
    if (!new_node(m, kind, &node, err))
        return false;
    uint32_t parent = m->stack[--m->depth];
    adopt_all(m, parent, m->depth - n);
    return push(m, parent, err);
}

static bool pop_mark(machine *m, size_t *from, snn_error *err) {
    if (m->marks == 0)
        return bad(m, err, "no MARK stands before this opcode");
    *from = m->mark[--m->marks];
    return true;
}

/* The value right below `from`, which must be of this kind and belong to the same level. */
static bool below(const machine *m, size_t from, snn_node_kind kind, uint32_t *node, snn_error *err) {
    bool there = from > (m->marks > 0 ? m->mark[m->marks - 1] : 0);
    if (!there || m->tree->node[m->stack[from - 1]].kind != (unsigned)kind)
        return bad(m, err,
                   kind == SNN_NODE_LIST ? "items without the list they belong to"
                                         : "keys and values without the dictionary they belong to");
    *node = m->stack[from - 1];
    return true;
}

/* ---- opcodes ---- */

static bool append(machine *m, size_t from, snn_error *err) {
    uint32_t list = 0;
    if (!below(m, from, SNN_NODE_LIST, &list, err))
        return false;
    adopt_all(m, list, from);
    return true;
}

static bool set_items(machine *m, size_t from, snn_error *err) {
    uint32_t dict = 0;
    if (!below(m, from, SNN_NODE_DICT, &dict, err))
        return false;
    if ((m->depth - from) % 2 != 0)
        return bad(m, err, "a key without a value");
    for (size_t i = from; i < m->depth; i += 2)
        if (m->tree->node[m->stack[i]].kind != SNN_NODE_STRING)
            return bad(m, err, "a key that is not a string");
    adopt_all(m, dict, from);
    return true;
}

static bool put(machine *m, uint32_t entry, snn_error *err) {
    if (available(m) == 0)
        return bad(m, err, "nothing to put into the memo");
    if (entry > m->memos)
        return snn_fail(err, SNN_ERR_DATA,
                        "byte %zu: memo entry %" PRIu32 ", expected at most %zu, the next free one", m->at,
                        entry, m->memos);
    if (entry == m->memos) {
        if (!snn_grow((void **)&m->memo, &m->memo_capacity, m->memos + 1, sizeof *m->memo, err))
            return false;
        m->memos++;
    }
    m->memo[entry] = m->stack[m->depth - 1];
    return true;
}

static bool get(machine *m, uint32_t entry, snn_error *err) {
    if (entry >= m->memos)
        return snn_fail(err, SNN_ERR_DATA, "byte %zu: memo entry %" PRIu32 " of %zu", m->at, entry, m->memos);
    snn_node *node;
    unsigned kind = m->tree->node[m->memo[entry]].kind;
    if (kind > SNN_NODE_GLOBAL)
        return bad(m, err, "a list or object is used a second time; only strings and names may be");
    if (!new_node(m, SNN_NODE_INT, &node, err))
        return false;
    *node = m->tree->node[m->memo[entry]];
    node->next = 0;
    return true;
}

static bool string(machine *m, uint32_t length, snn_error *err) {
    if (length > m->size - m->next)
        return snn_fail(err, SNN_ERR_DATA, "byte %zu: a string of %" PRIu32 " bytes; the file has %zu more",
                        m->at, length, m->size - m->next);
    snn_node *node;
    if (!new_node(m, SNN_NODE_STRING, &node, err))
        return false;
    node->value.text = (uint32_t)m->next;
    node->size = length;
    m->next += length;
    return true;
}

static bool integer(machine *m, int64_t v, snn_error *err) {
    snn_node *node;
    bool ok = new_node(m, SNN_NODE_INT, &node, err);
    if (ok)
        node->value.integer = v;
    return ok;
}

/* Two lines, module and name: only the known ones. */
static bool name(machine *m, snn_error *err) {
    const uint8_t *text = m->tree->bytes + m->next;
    size_t left = m->size - m->next;
    for (size_t i = 0; i < sizeof torch_names / sizeof *torch_names; i++) {
        size_t n = strlen(torch_names[i]);
        if (left > n && memcmp(text, torch_names[i], n) == 0 && text[n] == '\n') {
            snn_node *node;
            if (!new_node(m, SNN_NODE_GLOBAL, &node, err))
                return false;
            node->value.text = (uint32_t)m->next;
            node->size = (uint32_t)n;
            m->next += n + 1;
            return true;
        }
    }
    int shown = 0;
    while ((size_t)shown < left && shown < 60 && text[shown] > ' ' && text[shown] < 127)
        shown++;
    return snn_fail(err, SNN_ERR_DATA,
                    "byte %zu: GLOBAL of module \"%.*s\" names nothing that a torch.save of a TensorDataset "
                    "needs; it is not read",
                    m->at, shown, (const char *)text);
}

/* Adds the state to the object below it. */
static bool build(machine *m, snn_error *err) {
    if (available(m) < 2 || m->tree->node[m->stack[m->depth - 2]].kind != SNN_NODE_CALL)
        return bad(m, err, "a state without the object it belongs to");
    adopt_all(m, m->stack[m->depth - 2], m->depth - 1);
    return true;
}

static bool stop(machine *m, snn_error *err) {
    if (m->depth != 1 || m->marks > 0)
        return snn_fail(err, SNN_ERR_DATA, "byte %zu: STOP with %zu values and %zu marks, expected one value",
                        m->at, m->depth, m->marks);
    if (m->next != m->size)
        return snn_fail(err, SNN_ERR_DATA, "byte %zu: %zu bytes follow the end of the pickle", m->next,
                        m->size - m->next);
    m->tree->root = m->stack[0];
    m->stopped = true;
    return true;
}

/* Opcodes that make one value out of their operand `b`. */
static bool run_atom(machine *m, uint8_t code, const uint8_t *b, snn_error *err) {
    snn_node *node;
    switch (code) {
    case OP_BINFLOAT:
        if (!new_node(m, SNN_NODE_FLOAT, &node, err))
            return false;
        node->value.number = big_double(b);
        return true;
    case OP_BININT:
        return integer(m, (int32_t)little(b, 4), err);
    case OP_BININT1:
        return integer(m, b[0], err);
    case OP_BININT2:
        return integer(m, little(b, 2), err);
    case OP_NEWTRUE:
    case OP_NEWFALSE:
        return integer(m, code == OP_NEWTRUE, err);
    case OP_BINUNICODE:
        return string(m, little(b, 4), err);
    case OP_GLOBAL:
        return name(m, err);
    case OP_BINGET:
        return get(m, b[0], err);
    case OP_LONG_BINGET:
        return get(m, little(b, 4), err);
    case OP_EMPTY_LIST:
        return new_node(m, SNN_NODE_LIST, &node, err);
    case OP_EMPTY_TUPLE:
        return new_node(m, SNN_NODE_TUPLE, &node, err);
    default:
        return new_node(m, SNN_NODE_DICT, &node, err);
    }
}

static bool mark(machine *m, snn_error *err) {
    if (m->marks == MARKS_MAX)
        return bad(m, err, "more than 64 levels of nesting");
    m->mark[m->marks++] = m->depth;
    return true;
}

/* Opcodes that work on the stack. */
static bool run_stack(machine *m, uint8_t code, snn_error *err) {
    size_t from = m->depth;
    switch (code) {
    case OP_MARK:
        return mark(m, err);
    case OP_APPEND:
        return available(m) < 1 ? bad(m, err, "nothing to append") : append(m, m->depth - 1, err);
    case OP_APPENDS:
        return pop_mark(m, &from, err) && append(m, from, err);
    case OP_SETITEM:
        return available(m) < 2 ? bad(m, err, "a key or a value is missing")
                                : set_items(m, m->depth - 2, err);
    case OP_SETITEMS:
        return pop_mark(m, &from, err) && set_items(m, from, err);
    case OP_TUPLE:
        return pop_mark(m, &from, err) && wrap(m, SNN_NODE_TUPLE, m->depth - from, err);
    case OP_TUPLE1:
    case OP_TUPLE2:
    case OP_TUPLE3:
        return wrap(m, SNN_NODE_TUPLE, code - (size_t)OP_TUPLE1 + 1, err);
    case OP_BINPERSID:
        return wrap(m, SNN_NODE_PERSISTENT, 1, err);
    case OP_REDUCE:
    case OP_NEWOBJ:
        return wrap(m, SNN_NODE_CALL, 2, err);
    case OP_BUILD:
        return build(m, err);
    default:
        return stop(m, err);
    }
}

static bool run(machine *m, uint8_t code, const uint8_t *b, snn_error *err) {
    switch (code) {
    case OP_BINFLOAT:
    case OP_BININT:
    case OP_BININT1:
    case OP_BININT2:
    case OP_NEWTRUE:
    case OP_NEWFALSE:
    case OP_BINUNICODE:
    case OP_GLOBAL:
    case OP_BINGET:
    case OP_LONG_BINGET:
    case OP_EMPTY_LIST:
    case OP_EMPTY_TUPLE:
    case OP_EMPTY_DICT:
        return run_atom(m, code, b, err);
    case OP_BINPUT:
        return put(m, b[0], err);
    case OP_LONG_BINPUT:
        return put(m, little(b, 4), err);
    case OP_PROTO:
        return bad(m, err, "PROTO may only stand at the start");
    default:
        return run_stack(m, code, err);
    }
}

/* One opcode with its operands, if this kind of file may hold it. */
static bool step(machine *m, snn_error *err) {
    m->at = m->next;
    if (m->at == m->size)
        return bad(m, err, "the pickle is cut off: it ends without STOP");
    uint8_t code = m->tree->bytes[m->next++];
    if (opcodes[code].name == NULL)
        return snn_fail(err, SNN_ERR_DATA, "byte %zu: 0x%02x is no opcode of a pickle", m->at, code);
    if (!(opcodes[code].sets & (m->set == SNN_PICKLE_LETTERS ? IN_LETTERS : IN_TORCH)))
        return snn_fail(err, SNN_ERR_DATA, "byte %zu: opcode 0x%02x (%s) does not occur in %s; it is not run",
                        m->at, code, opcodes[code].name,
                        m->set == SNN_PICKLE_LETTERS
                            ? "Braille letters, which are lists, dictionaries, strings and floats"
                            : "a torch.save of a TensorDataset");
    size_t operands = opcodes[code].operands;
    if (operands > m->size - m->next)
        return bad(m, err, "the pickle is cut off inside an opcode");
    const uint8_t *b = m->tree->bytes + m->next;
    m->next += operands;
    return run(m, code, b, err);
}

static bool start(machine *m, snn_error *err) {
    int protocol = m->set == SNN_PICKLE_LETTERS ? 3 : 2;
    const uint8_t *b = m->tree->bytes;
    if (m->size < 2 || b[0] != OP_PROTO)
        return bad(m, err, "no pickle: expected the opcode PROTO");
    if (b[1] != protocol)
        return snn_fail(err, SNN_ERR_DATA, "byte 1: pickle protocol %d, expected %d", b[1], protocol);
    m->next = 2;
    return true;
}

bool snn_pickle_parse(snn_pickle *p, snn_pickle_set set, const uint8_t *bytes, size_t size, snn_error *err) {
    *p = (snn_pickle){.bytes = bytes, .n = 1};
    if (size > SNN_PICKLE_MAX)
        return snn_fail(err, SNN_ERR_DATA, "%zu bytes; a pickle of at most 256 MiB is read", size);
    machine m = {.tree = p, .size = size, .set = set};
    bool ok = snn_grow((void **)&p->node, &p->capacity, p->n, sizeof *p->node, err) &&
              snn_grow((void **)&m.stack, &m.stack_capacity, 1, sizeof *m.stack, err);
    if (ok)
        p->node[0] = (snn_node){.kind = SNN_NODE_INT};
    ok = ok && start(&m, err);
    while (ok && !m.stopped)
        ok = step(&m, err);
    free(m.stack);
    free(m.memo);
    return ok;
}

void snn_pickle_free(snn_pickle *p) {
    free(p->node);
    *p = (snn_pickle){0};
}
