/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Archives of torch.save of any bytes. Checksums are put right first, so that what stands behind them is reached, too. */
#include <stdlib.h>
#include <zlib.h>

#include "../../datasets/braille.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok) {
    if (!ok)
        abort();
}

static void read_samples(const snn_braille_bins *b, const uint8_t *data, size_t size) {
    snn_events out = {.event = NULL};
    snn_error e = {0};
    uint64_t bytes = b->bins * SNN_BRAILLE_TAXELS * sizeof(float);
    for (uint64_t i = 0; i < b->samples; i++) {
        uint64_t first = b->first + i * bytes;
        check(first <= size && bytes <= size - first && b->label[i] >= 0 && b->label[i] < SNN_BRAILLE_SEVEN);
        out.n = 0;
        check(snn_braille_bins_decode(data + first, (size_t)bytes, &out, &e) || e.code == SNN_ERR_DATA);
        for (size_t k = 0; k < out.n; k++)
            check(out.event[k].x < SNN_BRAILLE_TAXELS && (k == 0 || out.event[k].t >= out.event[k - 1].t));
    }
    snn_events_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    snn_source s = {.memory = data, .size = size};
    snn_error e = {0};
    snn_zip z;
    snn_braille_bins b = {.samples = 0};
    bool ok = snn_zip_open(&z, &s, &e);
    for (size_t i = 0; ok && i < z.n; i++) {
        snn_zip_member *m = &z.member[i];
        check(m->first <= size && m->size <= size - m->first);
        m->crc = (uint32_t)crc32(0, data + m->first, (uInt)m->size);
    }
    ok = ok && snn_braille_bins_read(&b, &z, &s, &e);
    if (ok)
        read_samples(&b, data, size);
    check(ok || (e.code == SNN_ERR_DATA && e.text[0] != '\0'));
    free(b.label);
    free(z.member);
    if (snn_braille_bins_open(&b, &s, &e))
        check(ok);
    free(b.label);
    return 0;
}
