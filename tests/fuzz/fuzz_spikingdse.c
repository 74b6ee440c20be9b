/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SpikingDSE's tables of any bytes: what is accepted has finite numbers, as many as there are rows and columns. */
#include "../../sim/import_spikingdse.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok) {
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    snn_dse_table t;
    snn_error e = {0};
    if (snn_dse_parse(&t, "table.csv", data, size, &e)) {
        check(t.rows > 0 && t.columns > 0 && (size_t)t.rows * t.columns <= size);
        for (size_t i = 0; i < (size_t)t.rows * t.columns; i++)
            check(isfinite(t.value[i]));
    } else {
        check(e.code == SNN_ERR_DATA && e.text[0] != '\0');
    }
    snn_dse_free(&t);
    return 0;
}
