/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Model files (*.h5): HDF5, group /snnsim with raw codes, scale, bits and encoding per tensor, the network, its neurons and time step, the training
 * record and a digest of each. Files are read with links and filter plugins refused and every size checked before memory is taken.
 *
 * libhdf5 is not thread-safe: load and save are called by one thread at a time.
 */
#ifndef SNNSIM_MODEL_H
#define SNNSIM_MODEL_H

#include <snnsim/net.h>
#include <snnsim/weights.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    snn_net *net;
    snn_weights *weights;
    char *record;    /* training record: JSON text, or NULL */
    char *origin;    /* what an imported model remembers of its file: JSON text, or NULL */
    char digest[65]; /* of weights, as snn_weights_digest; set by load */
} snn_model;

/* All-zero is a valid empty model. */
void snn_model_free(snn_model *m);
/* Atomic: written beside and renamed. Same bytes for the same content (no times in the file). */
bool snn_model_save(const snn_model *m, const char *path, snn_error *err);
/* DATA errors name the file and the object; a wrong digest is an error. A bare name is looked up like a config: current folder, then ./models, then
 * the installed one (environment SNNSIM_MODELS overrides). *m is overwritten, not freed; after an error it is empty. */
bool snn_model_load(snn_model *m, const char *path, snn_error *err);
/* Path of the model `name` into path[size]. A bare name (no '/') is looked up in the current folder, in ./models, then in the installed models
 * folder (compiled in as SNN_MODEL_DIR; environment SNNSIM_MODELS overrides). Errors: DATA naming where it was looked for. */
bool snn_model_find(const char *name, char *path, size_t size, snn_error *err);
/* Human-readable description. */
bool snn_model_show(const snn_model *m, FILE *out, snn_error *err);
/* Writes differences of two models (topology, scales, number of differing codes and bits per tensor, first few) to out; *same tells. */
bool snn_model_diff(const snn_model *a, const snn_model *b, FILE *out, bool *same, snn_error *err);
/* NumPy weights for layer `name` of m->net, in PyTorch's shape: float32 (quantised by q, or kept as float when q is NULL; scale must be NULL), or int8
 * with a scale: "2^-11", "0.00048828125", or the name of a .npy file with float32 [outputs], one per output channel. q gives bits and encoding of int8
 * codes (NULL: 8, sign_magnitude); int16, and wider integers that fit it, mean 16 bits. Without m->weights the other layers get float zeros. On an error m->weights keep what they
 * had. Errors: USAGE (no such layer, bad scale), DATA (the file). */
bool snn_model_import_npy(snn_model *m, const char *name, const char *path, const char *scale,
                          const snn_quantisation *q, snn_error *err);
/* Writes <folder>/<layer>.npy (values q as int8 or int16, or float32) for each tensor, <folder>/<layer>.scale.npy where each channel has its own, and
 * <folder>/scales.csv (layer,channel,bits,encoding,scale). */
bool snn_model_export_npy(const snn_model *m, const char *folder, snn_error *err);
/* Writes a NIR graph (HDF5, group /node with float weights) with our /snnsim beside it, so that both NIR readers and snn_model_load read the file. What
 * NIR cannot say is refused (DATA): reset by subtraction, max-pooling of counts, adaptive thresholds, refractory times. A model imported from NIR gets its own nodes back,
 * with every number as it was, as long as its network is the same. */
bool snn_model_export_nir(const snn_model *m, const char *path, snn_error *err);

#ifdef __cplusplus
}
#endif
#endif
