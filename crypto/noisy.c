/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Modelled chips for a search: programmed with the plain weights and read, so that an evaluation only has to tell what flips change (snn_readout_deltas). */
#include <snnsim/encrypt.h>

#include <stdlib.h>

/* No run shows these: its chips are numbered up to 2 * 10^9 (hw.first_chip, hw.chips). */
#define FIRST_CHIP (UINT64_C(1) << 32)

struct snn_noisy_readouts {
    snn_hw_options hw, faultless; /* strings and the device's parts belong to the caller */
    uint32_t n;                   /* chips and, as the last one, a faultless chip */
    snn_chip **chip;              /* [n] */
    snn_readout **readout;        /* [n] */
};

/* ---- options ---- */

/* The same chip without what varies from read to read: that decides nothing of what a cell reads without noise. */
static void without_noise(snn_hw_options *hw) {
    static const snn_effect noise[] = {SNN_EFFECT_WHITE_NOISE, SNN_EFFECT_TELEGRAPH, SNN_EFFECT_ONE_OVER_F};
    for (size_t i = 0; i < sizeof noise / sizeof *noise; i++)
        hw->condition.effects &= ~(UINT32_C(1) << noise[i]);
    hw->device.sense_noise = 0;
    hw->read_error = 0;
}

/* A chip that keeps and reads every bit: a thief may come before cells have drifted, or read them with better amplifiers. */
static void without_errors(snn_hw_options *hw) {
    without_noise(hw);
    hw->condition.effects = 0;
    hw->cell_error = 0;
    hw->reference = 0.5;
}

static bool check_options(const snn_hw_options *hw, snn_error *err) {
    if (hw->readout != SNN_READOUT_DIGITAL)
        return snn_fail(
            err, SNN_ERR_USAGE,
            "encrypt.chips needs hw.readout = \"digital\": the decryptor flips bits that were read, "
            "and sums of currents have none");
    if (hw->chip_file)
        return snn_fail(
            err, SNN_ERR_USAGE,
            "encrypt.chips programs chips with weights that it changes; hw.chip_file is a chip that "
            "has been programmed");
    return true;
}

/* ---- chips ---- */

static bool make_chip(snn_noisy_readouts *n, const snn_map *map, const snn_weights *plain, const snn_net *net,
                      uint32_t i, snn_error *err) {
    size_t none = 0;
    const snn_flips no_flips = {0, NULL};
    const snn_hw_options *hw = i + 1 < n->n ? &n->hw : &n->faultless;
    n->chip[i] = snn_chip_program(map, hw, plain, FIRST_CHIP + i, err);
    n->readout[i] = n->chip[i]
                        ? snn_readout_new(n->chip[i], &hw->condition, NULL, SNN_READ_FAST, net, NULL, 0, err)
                        : NULL;
    /* Asked once for nothing, so that what cannot be searched on is refused here. */
    return n->readout[i] && (snn_readout_deltas(n->readout[i], &no_flips, NULL, &none, err) ||
                             snn_error_context(err, "encrypt.chips"));
}

/* All chips in parallel; the first error in their order. */
static bool make_chips(snn_noisy_readouts *n, const snn_map *map, const snn_weights *plain,
                       const snn_net *net, int threads, snn_error *err) {
    snn_error *errors = snn_alloc(n->n, sizeof *errors, "errors", err);
    bool ok = errors != NULL;
    if (!ok)
        return false;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (uint32_t i = 0; i < n->n; i++)
        make_chip(n, map, plain, net, i, &errors[i]);
    for (uint32_t i = 0; ok && i < n->n; i++)
        if (errors[i].code != SNN_OK) {
            ok = false;
            if (err)
                *err = errors[i];
        }
    free(errors);
    return ok;
}

snn_noisy_readouts *snn_noisy_readouts_new(const snn_map *map, const snn_hw_options *hw,
                                           const snn_weights *plain, const snn_net *net, uint32_t chips,
                                           bool read_noise, int threads, snn_error *err) {
    if (!check_options(hw, err))
        return NULL;
    snn_noisy_readouts *n = snn_alloc(1, sizeof *n, "chips", err);
    if (!n)
        return NULL;
    n->hw = n->faultless = *hw;
    n->n = chips + 1;
    without_errors(&n->faultless);
    if (!read_noise)
        without_noise(&n->hw);
    n->chip = snn_alloc(n->n, sizeof(void *), "chips", err);
    n->readout = n->chip ? snn_alloc(n->n, sizeof(void *), "chips", err) : NULL;
    if (n->readout && make_chips(n, map, plain, net, threads, err))
        return n;
    snn_noisy_readouts_free(n);
    return NULL;
}

void snn_noisy_readouts_free(snn_noisy_readouts *n) {
    if (!n)
        return;
    for (uint32_t i = 0; i < n->n; i++) {
        if (n->readout)
            snn_readout_free(n->readout[i]);
        if (n->chip)
            snn_chip_free(n->chip[i]);
    }
    free(n->readout);
    free(n->chip);
    free(n);
}

uint32_t snn_noisy_readouts_count(const snn_noisy_readouts *n) {
    return n->n;
}

const snn_readout *const *snn_noisy_readouts_all(const snn_noisy_readouts *n) {
    return (const snn_readout *const *)n->readout;
}
