/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Results of synthesis from files that are right and wrong; which design answers for which decryptor; accountings against numbers worked out by hand. */
#include "decryptor_test.h"

#include <math.h>
#include <snnsim/compare.h>
#include <snnsim/ledger.h>
#include <sys/stat.h>
#include <unistd.h>

#define PARAMETERS(keys, k, gated, store)                                                                    \
    "\"parameters\": {\"ADDR\": 14, \"LANES\": 128, \"BITS\": 8, \"KEYABLE\": 1, \"KEYS\": " #keys           \
    ", \"WAYS\": 4, \"K\": " #k ", \"GATED\": " #gated ", \"STORE\": " #store "}"
#define ENERGY(stimulus, reads, keyed, pj, leakage)                                                          \
    "{\"stimulus\": \"" stimulus "\", \"seed\": 1, \"reads\": " #reads ", \"keyed\": " #keyed                \
    ", \"cycles_per_read\": 1.0, \"pJ_per_read\": " #pj ", \"leakage_uW\": " #leakage "}"
#define DESIGN(name, module, parameters, clock, area, slack, energy)                                         \
    "{\"design\": \"" name "\", \"module\": \"" module "\", " parameters ", \"clock_ns\": " #clock           \
    ", \"area_um2\": " #area ", \"kGE\": 1.5, \"timing\": {\"slack_ns\": " #slack "}, \"energy\": [" energy  \
    "]}"

#define PASS                                                                                                 \
    DESIGN("pass", "dec_pass", PARAMETERS(4, 0, 1, 1), 10, 1000, 5,                                          \
           ENERGY("random", 400, 0, 8.0, 2.0) ", " ENERGY("random", 400, 0, 10.0, 2.0))
/* 0 of 400 keyed: 12 pJ; 200 of 400: 16 pJ */
#define TABLE                                                                                                \
    DESIGN("table50", "dec_table", PARAMETERS(64, 50, 1, 1), 10, 3000, 2,                                    \
           ENERGY("random", 400, 0, 12.0, 6.0) ", " ENERGY("half", 400, 200, 16.0, 6.0))
#define FLOPS                                                                                                \
    DESIGN("table50_flops", "dec_table", PARAMETERS(64, 50, 1, 0), 10, 4000, 2,                              \
           ENERGY("random", 400, 0, 13.0, 6.0))
#define UNGATED                                                                                              \
    DESIGN("table10_ungated", "dec_table", PARAMETERS(16, 10, 0, 1), 10, 2000, 2,                            \
           ENERGY("random", 400, 0, 13.0, 6.0))
#define LARGE                                                                                                \
    DESIGN("table100", "dec_table", PARAMETERS(128, 100, 1, 1), 10, 5000, null,                              \
           ENERGY("traffic", 400, 40, 20.0, 9.0) ", " ENERGY("random", 400, 0, 14.0,                         \
                                                             9.0) ", " ENERGY("half", 400, 200, 18.0, 9.0))
#define AES                                                                                                  \
    DESIGN("aes", "dec_aes", PARAMETERS(4, 0, 1, 1), 10, 9000, 1, ENERGY("random", 400, 0, 809.0, 52.0))
#define PRINCE                                                                                               \
    DESIGN("prince", "dec_prince", PARAMETERS(4, 0, 1, 1), 20, 7000, 1,                                      \
           ENERGY("random", 400, 400, 109.0, 12.0))
#define FILE_OF(list) "{\"library\": \"test\", \"corner\": \"typical\", \"results\": [" list "]}"
#define ALL FILE_OF(PASS ", " UNGATED ", " FLOPS ", " TABLE ", " LARGE ", " AES ", " PRINCE)

static char folder[] = "/tmp/snn_compare_XXXXXX";

static const char *write_file(const char *name, const char *text) {
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    return path;
}

static snn_synthesis load(const char *text) {
    snn_error err = {0};
    snn_synthesis s;
    if (!snn_synthesis_load(write_file("one.json", text), &s, &err))
        fail_msg("%s", err.text);
    return s;
}

static snn_decryptor_shape shape_of(snn_decryptor_kind kind) {
    return (snn_decryptor_shape){
        .kind = kind, .address = 16, .lanes = 128, .bits = 8, .keyable = 1, .keys = 64, .ways = 4};
}

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state) {
    (void)state;
    char path[256];
    static const char *const files[] = {"one.json", "b.json", "a.json", "c.txt", ".d.json"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        unlink(path);
    }
    return rmdir(folder);
}

/* ---- files ---- */

static void reads(void **state) {
    (void)state;
    snn_synthesis s = load(ALL);
    assert_string_equal(s.library, "test");
    assert_string_equal(s.corner, "typical");
    assert_int_equal(s.designs, 7);
    const snn_synthesis_design *d = &s.design[3];
    assert_string_equal(d->name, "table50");
    assert_true(d->shape.kind == SNN_DEC_TABLE && d->shape.address == 14 && d->shape.lanes == 128 &&
                d->shape.bits == 8 && d->shape.keyable == 1 && d->shape.keys == 64 && d->shape.ways == 4);
    assert_true(d->placed == 50 && d->gated && d->latches && d->clock_ns == 10 && d->slack_ns == 2 &&
                d->area_um2 == 3000 && d->kge == 1.5);
    assert_int_equal(d->energies, 2);
    assert_true(d->energy[1].reads == 400 && d->energy[1].keyed == 200 && d->energy[1].pj == 16 &&
                d->energy[1].leakage_uw == 6 && d->energy[1].cycles_per_read == 1);
    assert_true(isnan(s.design[4].slack_ns) && !s.design[1].gated && !s.design[2].latches);
    snn_synthesis_free(&s);
}

static void refuses(const char *text, const char *part) {
    snn_error err = {0};
    snn_synthesis s;
    if (snn_synthesis_load(write_file("one.json", text), &s, &err))
        fail_msg("accepted: %s", part);
    assert_int_equal(err.code, SNN_ERR_DATA);
    if (!strstr(err.text, part) || !strstr(err.text, "one.json"))
        fail_msg("'%s' is not in: %s", part, err.text);
}

static void bad_files(void **state) {
    (void)state;
    refuses("{", "line 1");
    refuses("[]", "library");
    refuses("{\"library\": \"0123456789012345678901234567890123456789\"}", "library");
    refuses("{\"library\": \"a\"}", "corner");
    refuses("{\"library\": \"a\", \"corner\": \"b\"}", "results");
    refuses(FILE_OF("1"), "design");
    refuses(FILE_OF("{\"design\": \"x\"}"), "design x: module");
    refuses(FILE_OF(DESIGN("x", "table", PARAMETERS(4, 0, 1, 1), 10, 1, 1, "")), "module");
    refuses(FILE_OF(DESIGN("x", "dec_rot13", PARAMETERS(4, 0, 1, 1), 10, 1, 1, "")), "module");
    refuses(FILE_OF(DESIGN("x", "dec_cam", "\"parameters\": {}", 10, 1, 1, "")), "ADDR");
    refuses(FILE_OF(DESIGN("x", "dec_cam", PARAMETERS(4.5, 0, 1, 1), 10, 1, 1, "")), "KEYS");
    refuses(FILE_OF(DESIGN("x", "dec_cam", PARAMETERS(-1, 0, 1, 1), 10, 1, 1, "")), "KEYS");
    refuses(FILE_OF(DESIGN("x", "dec_cam", PARAMETERS(4, 0, 2, 1), 10, 1, 1, "")), "GATED");
    refuses(FILE_OF(DESIGN("x", "dec_cam", PARAMETERS(4, 0, 1, 1), 0, 1, 1, "")), "clock_ns");
    refuses(FILE_OF(DESIGN("x", "dec_cam", PARAMETERS(4, 0, 1, 1), 1, -1, 1, "")), "area_um2");
    refuses(FILE_OF(DESIGN("x", "dec_cam", PARAMETERS(4, 0, 1, 1), 1, 1, 1, "1")), "stimulus");
    refuses(
        FILE_OF(DESIGN("x", "dec_cam", PARAMETERS(4, 0, 1, 1), 1, 1, 1, ENERGY("random", 0, 0, 1.0, 1.0))),
        "reads");
    refuses(
        FILE_OF(DESIGN("x", "dec_cam", PARAMETERS(4, 0, 1, 1), 1, 1, 1, ENERGY("random", 1, 0, -1.0, 1.0))),
        "pJ_per_read");
    refuses(
        FILE_OF(DESIGN("x", "dec_cam", PARAMETERS(4, 0, 1, 1), 1, 1, 1, ENERGY("random", 1, 0, null, 1.0))),
        "pJ_per_read");
    refuses("{\"library\": \"a\", \"corner\": \"b\", \"results\": [{\"design\": \"y\", \"module\": "
            "\"dec_cam\", " PARAMETERS(4, 0, 1, 1) ", \"clock_ns\": 1, \"area_um2\": 1, \"kGE\": 1}]}",
            "design y: energy");
    snn_error err = {0};
    snn_synthesis s;
    assert_false(snn_synthesis_load("/nowhere/x.json", &s, &err));
    assert_int_equal(err.code, SNN_ERR_DATA);
}

static void all_libraries(void **state) {
    (void)state;
    snn_error err = {0};
    snn_synthesis *list;
    size_t n;
    unlink(write_file("one.json", ""));
    setenv("SNNSIM_SYNTHESIS", folder, 1);
    assert_true(snn_synthesis_all(&list, &n, &err));
    assert_int_equal(n, 0);
    free(list);
    write_file("b.json", "{\"library\": \"second\", \"corner\": \"\", \"results\": []}");
    write_file("a.json", "{\"library\": \"first\", \"corner\": \"\", \"results\": [" PASS "]}");
    write_file("c.txt", "no");
    write_file(".d.json", "no");
    assert_true(snn_synthesis_all(&list, &n, &err));
    assert_int_equal(n, 2);
    assert_string_equal(list[0].library, "first");
    assert_string_equal(list[1].library, "second");
    snn_synthesis_free(&list[0]);
    snn_synthesis_free(&list[1]);
    free(list);
    write_file("b.json", "{}");
    assert_false(snn_synthesis_all(&list, &n, &err));
    assert_true(list == NULL && n == 0);
    assert_non_null(strstr(err.text, "b.json"));
    setenv("SNNSIM_SYNTHESIS", "/nowhere", 1);
    assert_true(snn_synthesis_all(&list, &n, &err));
    assert_int_equal(n, 0);
    free(list);
    unsetenv("SNNSIM_SYNTHESIS");
}

/* ---- designs ---- */

static void finds(void **state) {
    (void)state;
    snn_synthesis s = load(ALL);
    snn_decryptor_shape t = shape_of(SNN_DEC_TABLE);
    assert_string_equal(snn_synthesis_find(&s, &t, 1)->name,
                        "table50"); /* not the ungated one, not flip-flops */
    assert_string_equal(snn_synthesis_find(&s, &t, 64)->name, "table50");
    assert_string_equal(snn_synthesis_find(&s, &t, 65)->name, "table100");
    assert_null(snn_synthesis_find(&s, &t, 129));
    t.ways = 8;
    assert_null(snn_synthesis_find(&s, &t, 1));
    t = shape_of(SNN_DEC_TABLE);
    t.keyable = 2;
    assert_null(snn_synthesis_find(&s, &t, 1));
    t.kind = SNN_DEC_PASS;
    assert_string_equal(snn_synthesis_find(&s, &t, 0)->name, "pass");
    t.lanes = 64;
    assert_null(snn_synthesis_find(&s, &t, 0));
    t = shape_of(SNN_DEC_AES);
    assert_string_equal(snn_synthesis_find(&s, &t, 1000)->name, "aes");
    t.bits = 4;
    assert_null(snn_synthesis_find(&s, &t, 0));
    t = shape_of(SNN_DEC_CAM);
    assert_null(snn_synthesis_find(&s, &t, 1));
    snn_synthesis_free(&s);
}

static void energies(void **state) {
    (void)state;
    snn_synthesis s = load(ALL);
    const snn_synthesis_design *pass = &s.design[0], *table = &s.design[3], *large = &s.design[4];
    assert_float_equal(snn_synthesis_pj(pass, 0), 9, 1e-12); /* two seeds */
    assert_float_equal(snn_synthesis_pj(pass, 1), 9, 1e-12);
    assert_float_equal(snn_synthesis_pj(table, 0), 12, 1e-12);
    assert_float_equal(snn_synthesis_pj(table, 0.5), 16, 1e-12);
    assert_float_equal(snn_synthesis_pj(table, 0.25), 14, 1e-12);
    assert_float_equal(snn_synthesis_pj(large, 0.1), 20, 1e-12); /* real traffic, a tenth of it keyed */
    assert_float_equal(snn_synthesis_pj(large, 0.35), 22, 1e-12);
    assert_float_equal(snn_synthesis_leakage(large), 9, 1e-12);
    assert_float_equal(snn_synthesis_pj(table, NAN), 12, 1e-12);
    assert_float_equal(snn_synthesis_pj(large, NAN), 20, 1e-12);
    const snn_synthesis_design none = {0};
    assert_true(isnan(snn_synthesis_pj(&none, 0)) && isnan(snn_synthesis_leakage(&none)));
    snn_synthesis_free(&s);
}

/* ---- accountings ---- */

/* 1000 reads, a quarter keyed, in 2000 cycles; 160 row words of 128 x 8 bits. */
static const snn_inference inference = {.reads = 1000,
                                        .keyed = 250,
                                        .cycles = 2000,
                                        .plain_cycles = 2000,
                                        .rows = 160,
                                        .weight_bits = 160 * 1024 - 64,
                                        .array_pj = NAN};

static void decryption(void **state) {
    (void)state;
    snn_synthesis s = load(ALL);
    const snn_decryptor_shape t = shape_of(SNN_DEC_TABLE), p = shape_of(SNN_DEC_PRINCE),
                              c = shape_of(SNN_DEC_CAM);
    snn_decryption d;
    assert_true(snn_decryption_of(&s, &t, 50, &inference, &d));
    assert_true(d.plain == &s.design[0] && d.with == &s.design[3] && !d.misses);
    assert_float_equal(d.period_ns, 10, 0);
    assert_float_equal(d.ns, 20000, 1e-9);
    assert_float_equal(d.added_ns, 0, 1e-9);
    assert_float_equal(d.plain_pj, 9000, 1e-9);
    assert_float_equal(d.added_pj, 1000 * (14 - 9), 1e-9);
    assert_float_equal(d.plain_leakage_pj, 2 * 20000 * 1e-3, 1e-9); /* uW x ns = fJ */
    assert_float_equal(d.added_leakage_pj, (6 - 2) * 20000 * 1e-3, 1e-9);
    /* PRINCE was synthesised for 20 ns: every cycle takes so long */
    assert_true(snn_decryption_of(&s, &p, 0, &inference, &d));
    assert_true(d.misses);
    assert_float_equal(d.period_ns, 10, 0);
    assert_float_equal(d.ns, 40000, 1e-9);
    assert_float_equal(d.added_ns, 20000, 1e-9);
    assert_float_equal(d.added_leakage_pj, (12 * 40000 - 2 * 20000) * 1e-3, 1e-9);
    assert_false(snn_decryption_of(&s, &c, 1, &inference, &d));
    assert_false(snn_decryption_of(&s, &t, 129, &inference, &d));
    s.design[3].slack_ns = -0.1;
    assert_true(snn_decryption_of(&s, &t, 50, &inference, &d));
    assert_true(d.misses);
    snn_synthesis_free(&s);
}

static void accountings(void **state) {
    (void)state;
    snn_synthesis s = load(ALL);
    const snn_decryptor_shape t = shape_of(SNN_DEC_TABLE);
    snn_decryption d;
    snn_alternative a[SNN_ACCOUNTINGS];
    assert_true(snn_decryption_of(&s, &t, 50, &inference, &d));
    snn_compare(&s, &t, &inference, &d, a);
    /* an AES block: (809 - 9) / 8 = 100 pJ and 110 ns; leakage 50 uW; the decryptor adds 5000 pJ and 80 pJ of leakage in 20 us */
    static const struct {
        double blocks, pj, ns;
    } is[] = {{1280, 128000, 140800}, {8000, 800000, 880000}, {1000, 100000, 110000}, {1280, 128000, 140800}};
    for (int i = 0; i < SNN_PRINCE_MSB; i++) {
        assert_true(a[i].known);
        assert_float_equal(a[i].blocks, is[i].blocks, 1e-9);
        assert_float_equal(a[i].pj, is[i].pj, 1e-6);
        assert_float_equal(a[i].ns, is[i].ns, 1e-6);
        const double leakage = 50 * (20000 + is[i].ns) * 1e-3;
        assert_float_equal(a[i].leakage_pj, leakage, 1e-6);
        assert_float_equal(a[i].ratio, is[i].pj / 5000, 1e-9);
        assert_float_equal(a[i].ratio_leakage, (is[i].pj + leakage) / 5080, 1e-9);
        if (i == SNN_AES_POWER_UP)
            assert_true(isnan(a[i].latency) && fabs(a[i].break_even - 25.6) < 1e-9);
        else
            assert_true(isnan(a[i].break_even) && fabs(a[i].latency - (20000 + is[i].ns) / 20000) < 1e-9);
    }
    /* PRINCE: 100 pJ a read, a cycle of 20 ns */
    const snn_alternative *p = &a[SNN_PRINCE_MSB];
    assert_true(p->known);
    assert_float_equal(p->blocks, 2000, 1e-9);
    assert_float_equal(p->pj, 100000, 1e-6);
    assert_float_equal(p->ns, 20000, 1e-6);
    assert_float_equal(p->latency, 2, 1e-9);
    assert_float_equal(p->ratio, 20, 1e-9);
    snn_synthesis_free(&s);
    /* a library without ciphers */
    s = load(FILE_OF(PASS ", " TABLE));
    assert_true(snn_decryption_of(&s, &t, 50, &inference, &d));
    snn_compare(&s, &t, &inference, &d, a);
    for (int i = 0; i < SNN_ACCOUNTINGS; i++)
        assert_false(a[i].known);
    snn_synthesis_free(&s);
    assert_string_equal(snn_accounting_name(SNN_AES_INFERENCE), "aes_per_inference");
    assert_string_equal(snn_accounting_name(SNN_PRINCE_MSB), "prince_msb");
}

/* ---- network: array energy, keys of an array, rewriting ---- */

static snn_net *parse_net(const char *text, snn_shape input) {
    snn_error err = {0};
    snn_config *c = snn_config_parse(text, "test", &err);
    snn_net *net = c ? snn_net_from_config(c, input, &err) : NULL;
    if (!net)
        fail_msg("%s", err.text);
    snn_config_free(c);
    return net;
}

/* 20 inputs, 6 outputs on arrays of 8 rows and 4 lanes: 3 x 2 arrays, 40 row words. */
static void network(void **state) {
    (void)state;
    snn_error err = {0};
    snn_net *net = parse_net("network = { layers = ({name=\"a\"; type=\"linear\"; outputs=6;}); };",
                             (snn_shape){1, 4, 5});
    snn_weights *f = snn_weights_new(net, &err), *w = NULL;
    const snn_quantisation q = {.bits = 8};
    assert_true(f && (w = snn_weights_quantise(f, &q, NULL, &err)));
    for (uint64_t i = 0; i < 120; i++)
        w->tensor[0].code8[i] = i % 2 ? 0xff : 0; /* half of the cells at the highest level */
    snn_hw_options o = {.map = {.rows = 8, .columns = 32, .cell_bits = 1}};
    snn_map *m = snn_map_new(net, w, &o.map, &err);
    snn_rows *r = m ? snn_rows_new(m, &err) : NULL;
    assert_non_null(r);
    assert_int_equal(m->tiles, 6);
    snn_tile_traffic t = {.tile = {.reads = 100, .keyed = 20, .cycles = 300},
                          .plain = {.reads = 100, .cycles = 240}};
    snn_inference x;
    assert_true(snn_inference_of(&t, 2, r, m, &o, w, -1, &x, &err));
    assert_true(x.reads == 50 && x.keyed == 10 && x.cycles == 150 && x.plain_cycles == 120 && x.rows == 40 &&
                x.weight_bits == 960);
    assert_true(isnan(x.array_pj) && isnan(x.array_sourced_pj)); /* no read voltage is known */
    o.device = (snn_device){
        .read_volt = 0.5, .read_ns = 2, .g_min = 10, .g_max = 40, .node_nm = 22, .source = "a source"};
    assert_true(snn_inference_of(&t, 2, r, m, &o, w, 0, &x, &err));
    /* a line: 48 cells, half at 10, half at 40 uS: 24 x 50 uS x 0.25 V^2 x 2 ns = 0.6 pJ of the array, and more for amplifiers and drivers */
    snn_ledger l;
    assert_true(snn_ledger_read(m, &o, w, 0, &l, &err));
    double array = 0;
    for (size_t i = 0; i < l.rows; i++)
        array += strcmp(l.row[i].part, "array") ? 0 : l.row[i].total;
    assert_float_equal(array, 0.6, 1e-9);
    assert_true(l.energy_pj > array && l.energy_sourced_pj <= l.energy_pj);
    assert_float_equal(x.array_pj, 25 * l.energy_pj, 1e-9); /* 50 row words are 25 lines */
    assert_float_equal(x.array_sourced_pj, 25 * l.energy_sourced_pj, 1e-9);
    snn_ledger_free(&l);

    /* row 20 w + line, array (line / 8, w): two bits in (2, 0), one each in (0, 0) and (2, 1) */
    const snn_row_bit bit[4] = {{16, 0, 0}, {19, 1, 0}, {7, 0, 0}, {20 + 17, 1, 0}};
    snn_synthesis s = load(ALL);
    const snn_decryptor_shape shape = shape_of(SNN_DEC_TABLE);
    snn_decryptor_area area;
    snn_decryptor_area_of(&s, &shape, m, r, bit, 4, &area);
    assert_int_equal(area.most_keys, 2);
    assert_float_equal(area.arrays, 6, 0);
    assert_float_equal(area.shared_um2, 2000, 1e-9);
    assert_float_equal(area.each_um2, 12000, 1e-9);
    snn_synthesis_free(&s);
    s = load(FILE_OF(PASS));
    snn_decryptor_area_of(&s, &shape, m, r, bit, 4, &area);
    assert_true(isnan(area.shared_um2) && isnan(area.each_um2) && !area.shared);
    snn_synthesis_free(&s);
    snn_rows_free(r);
    snn_map_free(m);
    snn_weights_free(w);
    snn_weights_free(f);
    snn_net_free(net);
}

static void rewriting(void **state) {
    (void)state;
    snn_hw_options o = {
        .device = {.g_min = 10, .g_max = 30, .write_volt = 2, .write_ns = 50, .endurance = 1e6}};
    snn_rewrite x;
    snn_rewrite_of(&o, 100, 7, &x);
    assert_float_equal(x.pj, 100 * 20e-6 * 4 * 50e-9 * 1e12, 1e-9);
    assert_float_equal(x.ns, 350, 1e-9);
    assert_true(x.cells == 100 && x.endurance == 1e6);
    o.device.write_volt = o.device.endurance = 0;
    snn_rewrite_of(&o, 100, 7, &x);
    assert_true(isnan(x.pj) && isnan(x.ns) && isnan(x.endurance));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),       cmocka_unit_test(bad_files), cmocka_unit_test(all_libraries),
        cmocka_unit_test(finds),       cmocka_unit_test(energies),  cmocka_unit_test(decryption),
        cmocka_unit_test(accountings), cmocka_unit_test(network),   cmocka_unit_test(rewriting),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
