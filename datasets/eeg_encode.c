/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Encoders: samples of a signal into ON and OFF events. Each begins anew with the first sample of its window, so that an epoch's events depend on
 * nothing before it but filter and normalisation.
 */
#include "eeg.h"

#include <math.h>
#include <string.h>

#define NS_PER_S 1e9
#define NS_PER_US 1000

enum { OFF = 0, ON = 1, NOTHING = 2 };

uint64_t snn_eeg_sample_at(const snn_eeg_clock *c, int64_t ns) {
    uint64_t record = (uint64_t)(ns / c->record_ns), rest = (uint64_t)(ns % c->record_ns);
    /* rest < 3.6e12 and samples <= 2^20: below 2^62 */
    return record * c->samples + (rest * c->samples + (uint64_t)c->record_ns / 2) / (uint64_t)c->record_ns;
}

int64_t snn_eeg_time_us(const snn_eeg_clock *c, uint64_t sample) {
    int64_t record = (int64_t)(sample / c->samples), rest = (int64_t)(sample % c->samples);
    int64_t ns = record * c->record_ns + (rest * c->record_ns + c->samples / 2) / c->samples;
    return (ns + NS_PER_US / 2) / NS_PER_US;
}

/* Send-on-delta: an event when the signal has moved by the threshold since the last one; the signal's value is the new reference. */
static int delta(const snn_eeg_encoder *e, double x, double *reference) {
    double moved = x - *reference;
    if (moved >= e->threshold || moved <= -e->threshold) {
        *reference = x;
        return moved > 0 ? ON : OFF;
    }
    return NOTHING;
}

/* Step forward: the base follows the signal by one threshold at most in each sample. */
static int step_forward(const snn_eeg_encoder *e, double x, double *base) {
    if (x > *base + e->threshold) {
        *base += e->threshold;
        return ON;
    }
    if (x < *base - e->threshold) {
        *base -= e->threshold;
        return OFF;
    }
    return NOTHING;
}

/* Rate: the positive half-wave drives ON, the negative one OFF; each adds up its spikes per sample and fires at one. */
static int rate(const snn_eeg_encoder *e, double per_sample, double x, double *on, double *off) {
    double size = fabs(x) / e->rate_full;
    double *sum = x > 0 ? on : off;
    *sum += (size < 1 ? size : 1) * per_sample;
    if (*sum < 1)
        return NOTHING;
    *sum -= 1;
    return x > 0 ? ON : OFF;
}

bool snn_eeg_encode(const snn_eeg_encoder *e, const snn_eeg_clock *clock, const double *x, size_t n,
                    uint32_t channels, double *state, snn_events *out, snn_error *err) {
    double per_sample = e->rate_max * ((double)clock->record_ns / NS_PER_S / clock->samples);
    memset(state, 0, 2 * (size_t)channels * sizeof *state);
    if (e->code != SNN_EEG_RATE && n > 0)
        memcpy(state, x, channels * sizeof *state);
    for (size_t i = 0; i < n; i++) {
        snn_event event = {.t = snn_eeg_time_us(clock, i)};
        for (uint32_t c = 0; c < channels; c++) {
            double v = x[i * channels + c];
            int found = e->code == SNN_EEG_DELTA ? delta(e, v, &state[c])
                        : e->code == SNN_EEG_STEP_FORWARD
                            ? step_forward(e, v, &state[c])
                            : rate(e, per_sample, v, &state[c], &state[channels + c]);
            if (found == NOTHING)
                continue;
            event.x = (uint16_t)c;
            event.polarity = (uint8_t)found;
            if (!snn_events_append(out, event, err))
                return false;
        }
    }
    return true;
}
