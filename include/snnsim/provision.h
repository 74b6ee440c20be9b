/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Provisioning: from a key's bits to what is written into a decryptor. The CAM gets each keyed bit into a slot such that the bits of a row word stand in different slots; the table gets a
 * place for each by matching in the bipartite graph of bits and table places, and other hash matrices when there is none; the ciphers get keys.
 */
#ifndef SNNSIM_PROVISION_H
#define SNNSIM_PROVISION_H

#include <snnsim/decryptor.h>
#include <snnsim/rows.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    size_t writes;
    snn_prov_write *write; /* [writes] in the order of the port; secret */
    uint32_t keys;         /* keyed bits placed */
    uint32_t places;       /* entries of the store, 0: none */
    uint32_t draws;        /* table: hash matrices drawn; else 0 */
    uint32_t rows;         /* row words with keyed bits */
    uint32_t most;         /* most keyed bits of a row word */
    uint32_t *fill;        /* [ways] entries in use of each slot or way; NULL without store */
} snn_provision;

/* Entries for n keyed bits: a multiple of ways, for the table a power of two in each way and with one place in 50 left free, so that a hash is soon found. What keys = 0 stands for in a
 * configuration. */
uint32_t snn_provision_keys(snn_decryptor_kind kind, uint32_t n, uint32_t ways);

/* bit [n], each once. seed: of hash matrices and cipher keys (portable random stream: same seed, same contents). Errors: CRITERION naming the row (a row word with more keyed bits than
 * ways; a keyed bit below the keyable ones; more bits than places; no hash found within `draws_most` draws), DATA (a bit outside lanes or addresses, one twice), RUNTIME. */
bool snn_provision_make(snn_provision *p, const snn_decryptor_shape *shape, const snn_row_bit *bit, size_t n,
                        uint64_t seed, snn_error *err);
/* Wipes. */
void snn_provision_free(snn_provision *p);
/* The key's bits as the decryptor sees them; free with free(). Errors: DATA, RUNTIME. */
snn_row_bit *snn_provision_bits(const snn_rows *rows, const snn_flips *flips, snn_error *err);
void snn_provision_load(const snn_provision *p, snn_decryptor *d);
/* Encrypts (or decrypts: the same) all row words of an array [rows][lanes] in place with the decryptor's masks. */
void snn_provision_cipher(const snn_decryptor *d, uint8_t *array, uint32_t rows);

#define SNN_PROVISION_DRAWS 1000 /* of hash matrices, before it gives up */

#ifdef __cplusplus
}
#endif
#endif
