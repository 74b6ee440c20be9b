/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside hw/: value change dumps, read as a stream. */
#ifndef SNN_HW_VCD_H
#define SNN_HW_VCD_H

#include <snnsim/error.h>

#include <stdint.h>

#define SNN_VCD_MAX_WIDTH (1u << 16) /* bits of a variable */
#define SNN_VCD_MAX_BITS (1u << 24)  /* bits that are listened to, in all */
#define SNN_VCD_MAX_SCOPES 128       /* nested scopes */
#define SNN_VCD_NO_SLOT UINT32_MAX

typedef enum { SNN_VCD_0, SNN_VCD_1, SNN_VCD_X /* also z */ } snn_vcd_value;

/* Who listens. Functions that return bool end the reading with false and err set. */
typedef struct {
    void *context;
    const char *scope; /* "tb.dut": only variables that stand directly in it are reported */
    /* One bit of a variable: "a", or "a[3]" of a vector and of a name that ends so. Returns its slot, or SNN_VCD_NO_SLOT to hear no more of it. */
    uint32_t (*declare)(void *context, const char *bit);
    /* After the declarations; `tick` in seconds. */
    bool (*begin)(void *context, double tick, snn_error *err);
    /* From here on changes happen at `time` ticks; never goes back. */
    bool (*advance)(void *context, uint64_t time, snn_error *err);
    void (*change)(void *context, uint32_t slot, snn_vcd_value value);
} snn_vcd_listener;

/* Reads a file, compressed by gzip or not. Errors: DATA naming file and line; a missing scope too. */
bool snn_vcd_read(const char *path, const snn_vcd_listener *to, snn_error *err);

#endif
