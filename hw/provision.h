/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside of provisioning: places for keyed bits. provision.c (checks and writes), provision_place.c (slots, matching, hash matrices). */
#ifndef SNNSIM_HW_PROVISION_H
#define SNNSIM_HW_PROVISION_H

#include <snnsim/provision.h>
#include <snnsim/random.h>

/* Streams of SNN_PURPOSE_KEY_STORE. */
enum { SNN_STREAM_CIPHER = 0, SNN_STREAM_HASH = 1 /* and, from here on, one for each draw */ };

typedef struct {
    uint32_t *place;  /* [n] entry of each bit */
    uint32_t *matrix; /* table: [ways * index bits] */
    uint32_t draws;
} snn_placement;
void snn_placement_free(snn_placement *p, size_t n);

/* bit [n] sorted by row, at most `ways` of a row, at most `keys` in all: slots always suffice. */
bool snn_place_slots(snn_placement *p, const snn_decryptor_shape *s, const snn_row_bit *bit, size_t n,
                     snn_error *err);
/* CRITERION after SNN_PROVISION_DRAWS draws. */
bool snn_place_table(snn_placement *p, const snn_decryptor_shape *s, const snn_row_bit *bit, size_t n,
                     uint64_t seed, snn_error *err);

#endif
