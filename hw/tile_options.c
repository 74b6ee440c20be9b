/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Section hw.decryptor of the configuration: parameters of the tile for a network and its key. */
#include <snnsim/provision.h>
#include <snnsim/tile.h>

/* Most keyed bits in a row word, where nothing else is said: slots or ways of the circuits in verilog/rtl. */
enum { DEFAULT_WAYS = 4 };

static bool has_store(snn_decryptor_kind kind) {
    return kind == SNN_DEC_CAM || kind == SNN_DEC_TABLE;
}

bool snn_decryptor_limits(const snn_config *config, uint32_t *word_limit, uint32_t *keyable, snn_error *err) {
    snn_decryptor_kind kind;
    if (!snn_decryptor_parse(snn_config_string(config, "hw.decryptor.kind"), &kind, err))
        return false;
    *word_limit = has_store(kind) ? (uint32_t)snn_config_int(config, "hw.decryptor.ways") : 0;
    *keyable = (uint32_t)snn_config_int(config, "hw.decryptor.keyable");
    return true;
}

static uint32_t ways_of(const snn_config *config) {
    const uint32_t ways = (uint32_t)snn_config_int(config, "hw.decryptor.ways"),
                   limit = (uint32_t)snn_config_int(config, "encrypt.word_limit");
    return ways > 0 ? ways : limit > 0 ? limit : DEFAULT_WAYS;
}

bool snn_tile_shape_from_config(const snn_config *config, const snn_rows *rows, const snn_row_bit *bit,
                                size_t n, const char *kind, snn_tile_shape *s, snn_error *err) {
    *s = (snn_tile_shape){.decryptor = {.address = rows->address_bits,
                                        .lanes = rows->lanes,
                                        .bits = rows->bits,
                                        .keyable = (uint32_t)snn_config_int(config, "hw.decryptor.keyable"),
                                        .keys = (uint32_t)snn_config_int(config, "hw.decryptor.keys"),
                                        .ways = ways_of(config)},
                          .encoding = rows->tensor[0].encoding,
                          .words = 1,
                          .queue = (uint32_t)snn_config_int(config, "hw.decryptor.queue")};
    snn_decryptor_shape *d = &s->decryptor;
    if (!snn_decryptor_parse(kind ? kind : snn_config_string(config, "hw.decryptor.kind"), &d->kind, err))
        return false;
    if (d->keyable == 0) {
        d->keyable = 1;
        for (size_t i = 0; i < n; i++)
            d->keyable = bit[i].bit + 1 > d->keyable ? bit[i].bit + 1 : d->keyable;
    }
    if (d->keys == 0)
        d->keys = snn_provision_keys(d->kind, n > 0 ? (uint32_t)n : 1, d->ways);
    for (int t = 0; t < rows->tensors; t++) {
        s->words = rows->tensor[t].words > s->words ? rows->tensor[t].words : s->words;
        if (rows->tensor[t].encoding != s->encoding)
            return snn_fail(err, SNN_ERR_DATA,
                            "layers '%s' and '%s' have different encodings: the tile's adders know one",
                            rows->tensor[0].name, rows->tensor[t].name);
    }
    return true;
}
