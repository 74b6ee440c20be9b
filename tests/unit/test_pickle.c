/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pickles as trees: each opcode, what is refused and where, truncation everywhere. */
#include "braille_test.h"

static snn_pickle tree;

static bool parse(snn_pickle_set set, const void *data, size_t size, snn_error *err) {
    /* exactly as long as the file, so that sanitizers see a byte too far */
    static uint8_t *copy;
    free(copy);
    copy = malloc(size ? size : 1);
    memcpy(copy, data, size);
    return snn_pickle_parse(&tree, set, copy, size, err);
}

static void refused_bytes(snn_pickle_set set, const void *data, size_t size, const char *part) {
    snn_error err = {0};
    if (parse(set, data, size, &err))
        fail_msg("accepted, expected \"%s\"", part);
    check_error(&err, SNN_ERR_DATA, part);
    snn_pickle_free(&tree);
}
#define REFUSED(set, text, part) refused_bytes(set, text, sizeof(text) - 1, part)

static void accepted_bytes(snn_pickle_set set, const void *data, size_t size) {
    snn_error err = {0};
    if (!parse(set, data, size, &err))
        fail_msg("%s", err.text);
}
#define ACCEPTED(set, text) accepted_bytes(set, text, sizeof(text) - 1)

#define P3 "\x80\x03"
#define P2 "\x80\x02"
#define L SNN_PICKLE_LETTERS
#define T SNN_PICKLE_TORCH

static void check_text(uint32_t node, const char *expected) {
    char text[SNN_NODE_TEXT];
    assert_string_equal(snn_pickle_text(&tree, node, text), expected);
}

static void plain_values(void **state) {
    (void)state;
    ACCEPTED(L, P3 "}q\x00(X\x01\0\0\0aq\x01G\x3f\xd0\0\0\0\0\0\0X\x01\0\0\0b](h\x01j\x01\0\0\0eX\0\0\0\0]"
                   "G\xc0\0\0\0\0\0\0\0au.");
    assert_int_equal(tree.node[tree.root].kind, SNN_NODE_DICT);
    assert_int_equal(tree.node[tree.root].size, 6);
    uint32_t a = snn_pickle_value(&tree, tree.root, "a"), b = snn_pickle_value(&tree, tree.root, "b"),
             empty = snn_pickle_value(&tree, tree.root, "");
    assert_int_equal(tree.node[a].kind, SNN_NODE_FLOAT);
    assert_true(tree.node[a].value.number == 0.25);
    assert_int_equal(tree.node[b].size, 2);
    /* two copies of the string out of the memo */
    assert_true(snn_pickle_is(&tree, snn_pickle_child(&tree, b, 0), SNN_NODE_STRING, "a"));
    assert_true(snn_pickle_is(&tree, snn_pickle_child(&tree, b, 1), SNN_NODE_STRING, "a"));
    assert_int_equal(snn_pickle_child(&tree, b, 2), 0);
    assert_true(tree.node[snn_pickle_child(&tree, empty, 0)].value.number == -2);
    assert_int_equal(snn_pickle_value(&tree, tree.root, "c"), 0);
    assert_int_equal(snn_pickle_value(&tree, tree.root, "ab"), 0);
    assert_int_equal(snn_pickle_value(&tree, b, "a"), 0);
    assert_int_equal(snn_pickle_value(&tree, 0, "a"), 0);
    assert_int_equal(snn_pickle_child(&tree, a, 0), 0);
    assert_int_equal(snn_pickle_child(&tree, 0, 0), 0);
    assert_false(snn_pickle_is(&tree, 0, SNN_NODE_INT, ""));
    assert_false(snn_pickle_is(&tree, snn_pickle_child(&tree, b, 0), SNN_NODE_GLOBAL, "a"));
    assert_false(snn_pickle_is(&tree, snn_pickle_child(&tree, b, 0), SNN_NODE_STRING, "b"));
    check_text(0, "nothing");
    check_text(a, "the number 0.25");
    check_text(b, "a list of 2");
    check_text(tree.root, "a dictionary of 3");
    check_text(snn_pickle_child(&tree, b, 1), "the string \"a\"");
    snn_pickle_free(&tree);
    /* several batches into one list; values below a list stay */
    ACCEPTED(L, P3 "](]]e(]eX\x02\0\0\0\x01\xff"
                   "a]a.");
    assert_int_equal(tree.node[tree.root].size, 5);
    check_text(snn_pickle_child(&tree, tree.root, 3), "the string \"??\"");
    snn_pickle_free(&tree);
    ACCEPTED(L, P3 "X\x29\0\0\0"
                   "12345678901234567890123456789012345678901.");
    check_text(tree.root, "the string \"1234567890123456789012345678901234567890\" ...");
    snn_pickle_free(&tree);
    ACCEPTED(L, P3 "X\x28\0\0\0"
                   "1234567890123456789012345678901234567890.");
    check_text(tree.root, "the string \"1234567890123456789012345678901234567890\"");
    snn_pickle_free(&tree);
}

static void torch_values(void **state) {
    (void)state;
    ACCEPTED(T, P2 "(K\xff"
                   "M\x01\x80"
                   "J\xfe\xff\xff\xff)\x88\x89"
                   "K\x01\x85"
                   "K\x01K\x02\x86"
                   "K\x01K\x02K\x03\x87"
                   "(K\x07tQccollections\nOrderedDict\n)R"
                   "ctorch\nFloatStorage\nq\0)\x81}X\x01\0\0\0kh\0sbt.");
    static const char *const text[] = {"the integer 255",  "the integer 32769", "the integer -2",
                                       "a tuple of 0",     "the integer 1",     "the integer 0",
                                       "a tuple of 1",     "a tuple of 2",      "a tuple of 3",
                                       "a reference of 1", "an object of 2",    "an object of 3"};
    assert_int_equal(tree.node[tree.root].size, 12);
    for (uint32_t i = 0; i < 12; i++)
        check_text(snn_pickle_child(&tree, tree.root, i), text[i]);
    uint32_t triple = snn_pickle_child(&tree, tree.root, 8), object = snn_pickle_child(&tree, tree.root, 11);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(tree.node[snn_pickle_child(&tree, triple, i)].value.integer, i + 1);
    assert_true(
        snn_pickle_is(&tree, snn_pickle_child(&tree, object, 0), SNN_NODE_GLOBAL, "torch\nFloatStorage"));
    uint32_t k = snn_pickle_value(&tree, snn_pickle_child(&tree, object, 2), "k");
    assert_true(snn_pickle_is(&tree, k, SNN_NODE_GLOBAL, "torch\nFloatStorage"));
    snn_pickle_free(&tree);
}

static void opcodes_by_kind_of_file(void **state) {
    (void)state;
    static const char letters[] = "(.GXaehjqru}]\x80",
                      torch[] = "(.JKMQRXbchjqrstu})\x80\x81\x85\x86\x87\x88\x89";
    for (int code = 0; code < 256; code++) {
        for (int set = 0; set < 2; set++) {
            const uint8_t file[] = {0x80, set ? 2 : 3, (uint8_t)code};
            const char *mine = set ? torch : letters;
            snn_error err = {0};
            bool ok = parse(set ? T : L, file, 3, &err);
            snn_pickle_free(&tree);
            assert_false(ok);
            assert_int_equal(err.code, SNN_ERR_DATA);
            bool known = code != 0 && strchr(mine, code) != NULL;
            bool says =
                strstr(err.text, "byte 2: opcode 0x") != NULL || strstr(err.text, "is no opcode") != NULL;
            if (known == says)
                fail_msg("opcode 0x%02x of set %d: %s", code, set, err.text);
        }
    }
    REFUSED(L, P3 "]cos\nsystem\n", "byte 3: opcode 0x63 (GLOBAL) does not occur in Braille letters");
    REFUSED(L, P3 "N.", "byte 2: opcode 0x4e (NONE)");
    REFUSED(L, P3 "\x95\x01\0\0\0\0\0\0\0]", "0x95 (FRAME)");
    REFUSED(T, P2 "]q\0.", "byte 2: opcode 0x5d (EMPTY_LIST) does not occur in a torch.save");
    REFUSED(T, P2 "\x93", "0x93 (STACK_GLOBAL)");
    REFUSED(L, P3 "\x99", "byte 2: 0x99 is no opcode of a pickle");
    REFUSED(L, P3 "]\x80\x03.", "byte 3: PROTO may only stand at the start");
}

static void names(void **state) {
    (void)state;
    REFUSED(T, P2 "cos\nsystem\n(X\x01\0\0\0atR.", "byte 2: GLOBAL of module \"os\" names nothing");
    REFUSED(T, P2 "ctorch\nFloatStorage", "byte 2: GLOBAL of module \"torch\"");
    REFUSED(T, P2 "ctorch\nFloatStorages\n.", "byte 2: GLOBAL of module \"torch\"");
    REFUSED(T, P2 "c", "byte 2: GLOBAL of module \"\"");
    ACCEPTED(T, P2 "ctorch\nLongStorage\n.");
    check_text(tree.root, "the name \"torch?LongStorage\"");
    snn_pickle_free(&tree);
}

static void start_and_end(void **state) {
    (void)state;
    REFUSED(L, "", "byte 0: no pickle");
    REFUSED(L, "\x80", "byte 0: no pickle");
    REFUSED(L, "](.", "byte 0: no pickle");
    REFUSED(L, P2 "].", "byte 1: pickle protocol 2, expected 3");
    REFUSED(T, P3 ").", "byte 1: pickle protocol 3, expected 2");
    REFUSED(L, "\x80\x04].", "byte 1: pickle protocol 4, expected 3");
    REFUSED(L, P3, "byte 2: the pickle is cut off: it ends without STOP");
    REFUSED(L, P3 "]", "byte 3: the pickle is cut off: it ends without STOP");
    REFUSED(L, P3 ".", "byte 2: STOP with 0 values and 0 marks, expected one value");
    REFUSED(L, P3 "]].", "byte 4: STOP with 2 values and 0 marks");
    REFUSED(L, P3 "(].", "byte 4: STOP with 1 values and 1 marks");
    REFUSED(L, P3 "]..", "byte 4: 1 bytes follow the end of the pickle");
    ACCEPTED(L, P3 "].");
    snn_pickle_free(&tree);
    snn_error err = {0};
    assert_false(snn_pickle_parse(&tree, L, (const uint8_t *)"", SNN_PICKLE_MAX + 1, &err));
    check_error(&err, SNN_ERR_DATA, "268435457 bytes; a pickle of at most 256 MiB is read");
    snn_pickle_free(&tree);
}

static void stack_rules(void **state) {
    (void)state;
    REFUSED(L, P3 "e", "byte 2: no MARK stands before this opcode");
    REFUSED(L, P3 "u", "byte 2: no MARK stands before this opcode");
    REFUSED(T, P2 "t", "byte 2: no MARK stands before this opcode");
    REFUSED(L, P3 "(e", "byte 3: items without the list they belong to");
    REFUSED(L, P3 "}(e", "byte 4: items without the list they belong to");
    REFUSED(L, P3 "](u", "byte 4: keys and values without the dictionary");
    REFUSED(L, P3 "](}(]eu", "byte 7: items without the list they belong to");
}

static void levels(void **state) {
    (void)state;
    REFUSED(L, P3 "a", "byte 2: nothing to append");
    REFUSED(L, P3 "](a", "byte 4: nothing to append");
    REFUSED(L, P3 "]a", "byte 3: items without the list");
    REFUSED(L, P3 "](]a", "byte 5: items without the list"); /* the list stands below the mark */
    REFUSED(L, P3 "]((e", "byte 5: items without the list");
    REFUSED(L, P3 "}(X\0\0\0\0u", "a key without a value");
    REFUSED(L, P3 "}(]]u", "byte 6: a key that is not a string");
    REFUSED(T, P2 "}K\1K\1s", "byte 7: a key that is not a string");
    REFUSED(T, P2 "}K\1s", "byte 5: keys and values without");
    REFUSED(T, P2 "s", "byte 2: a key or a value is missing");
    REFUSED(T, P2 "}(K\1s", "byte 6: a key or a value is missing");
    REFUSED(T, P2 "\x85", "byte 2: the opcode takes more values than there are");
    REFUSED(T, P2 ")(\x85", "byte 4: the opcode takes more values");
    REFUSED(T, P2 ")\x86", "byte 3: the opcode takes more values");
    REFUSED(T, P2 "))\x87", "byte 4: the opcode takes more values");
    REFUSED(T, P2 ")R", "byte 3: the opcode takes more values");
    REFUSED(T, P2 ")\x81", "byte 3: the opcode takes more values");
    REFUSED(T, P2 "Q", "byte 2: the opcode takes more values");
    REFUSED(T, P2 "b", "byte 2: a state without the object");
    REFUSED(T, P2 ")b", "byte 3: a state without the object");
    REFUSED(T, P2 "))b", "byte 4: a state without the object");
    REFUSED(T, P2 "))R()b", "byte 7: a state without the object");
}

static void memo_rules(void **state) {
    (void)state;
    REFUSED(L, P3 "q\0", "byte 2: nothing to put into the memo");
    REFUSED(L, P3 "](q\0", "byte 4: nothing to put into the memo");
    REFUSED(L, P3 "]q\1", "byte 3: memo entry 1, expected at most 0, the next free one");
    REFUSED(L, P3 "]r\xff\xff\xff\xff", "byte 3: memo entry 4294967295, expected at most 0");
    REFUSED(L, P3 "](h\0e.", "byte 4: memo entry 0 of 0");
    REFUSED(L, P3 "]q\0(j\1\0\0\0e.", "byte 6: memo entry 1 of 1");
    /* a list in two places, a list in itself */
    REFUSED(L, P3 "](]q\0h\0e.", "byte 7: a list or object is used a second time");
    REFUSED(L, P3 "]q\0h\0a.", "byte 5: a list or object is used a second time");
    REFUSED(T, P2 ")q\0h\0.", "byte 5: a list or object is used a second time");
    /* an entry may be written anew */
    ACCEPTED(L, P3 "](X\1\0\0\0aq\0X\1\0\0\0bq\0h\0e.");
    assert_true(snn_pickle_is(&tree, snn_pickle_child(&tree, tree.root, 2), SNN_NODE_STRING, "b"));
    snn_pickle_free(&tree);
}

static void limits(void **state) {
    (void)state;
    static bytes p;
    p.n = 0;
    PUT(&p, P3);
    for (int i = 0; i < 64; i++)
        PUT(&p, "](");
    refused_bytes(L, p.b, p.n, "byte 130: the pickle is cut off");
    PUT(&p, "](");
    refused_bytes(L, p.b, p.n, "byte 131: more than 64 levels of nesting");
    static uint8_t many[65540];
    memset(many, ']', sizeof many);
    memcpy(many, P3, 2);
    refused_bytes(L, many, 65538, "byte 65538: the pickle is cut off");
    refused_bytes(L, many, 65539, "byte 65538: more than 65536 values wait");
    REFUSED(L, P3 "X\x04\0\0\0abc", "byte 2: a string of 4 bytes; the file has 3 more");
    REFUSED(L,
            P3 "X\xff\xff\xff\xff"
               "abc.",
            "byte 2: a string of 4294967295 bytes");
    REFUSED(L, P3 "G\0\0\0\0\0\0\0", "byte 2: the pickle is cut off inside an opcode");
    REFUSED(L, P3 "]j\0\0\0", "byte 3: the pickle is cut off inside an opcode");
}

/* Every beginning of a good file is refused: 27 letters with a memo as Python writes them. */
static void cut_off_anywhere(void **state) {
    (void)state;
    static bytes p;
    p.n = 0;
    PUT(&p, P3 "]q\0(}q\1(X\6\0\0\0letterq\2X\1\0\0\0Aq\3X\6\0\0\0eventsq\4]q\5(");
    put_float(&p, 0.5);
    PUT(&p, "r\6\0\0\0j\6\0\0\0h\3]q\7G\0\0\0\0\0\0\0\0aeue.");
    accepted_bytes(L, p.b, p.n);
    snn_pickle_free(&tree);
    for (size_t n = 0; n < p.n; n++) {
        snn_error err = {0};
        bool ok = parse(L, p.b, n, &err);
        snn_pickle_free(&tree);
        assert_false(ok);
        assert_int_equal(err.code, SNN_ERR_DATA);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_values),
        cmocka_unit_test(torch_values),
        cmocka_unit_test(opcodes_by_kind_of_file),
        cmocka_unit_test(names),
        cmocka_unit_test(start_and_end),
        cmocka_unit_test(stack_rules),
        cmocka_unit_test(levels),
        cmocka_unit_test(memo_rules),
        cmocka_unit_test(limits),
        cmocka_unit_test(cut_off_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
