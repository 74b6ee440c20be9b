/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Input rates once, and many orders from them. */
#ifndef SNNSIM_CRYPTO_ORDER_H
#define SNNSIM_CRYPTO_ORDER_H

#include "candidates_internal.h"
#include "search_internal.h"

/* Mean count of each tensor's inputs (linear: neuron; convolution: channel) in a time step, in the plain network on an objective's samples. */
typedef struct {
    int tensors;
    double **rate; /* [tensors][inputs or channels] */
} snn_rates;
bool snn_rates_new(snn_rates *r, const snn_objective *o, snn_error *err);
void snn_rates_free(snn_rates *r);
/* Of the input that weight `index` of a tensor reads. */
double snn_rate_at(const snn_rates *r, const snn_tensor *t, uint32_t tensor, uint64_t index);
/* Are bits of a linear output layer candidates (SNN_RULE_CLASS_RATE)? */
bool snn_rules_have_classes(const snn_objective *o);
/* As snn_saliency_order. */
bool snn_rates_order(const snn_rates *r, const snn_objective *o, snn_saliency_rule rule, int class_,
                     uint32_t *order, double *value, uint32_t *n, snn_error *err);

#endif
