/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What digital read-out will make of a cell, before any chip is drawn: the distribution of its conductance against the references, by integration. Offsets and noise of the
 * amplifiers, white and 1/f noise are normal and add up; 1/f and telegraph noise are taken at the level's mean conductance.
 */
#include <snnsim/hw.h>

#include <math.h>

/* Everything that one read of a level depends on. */
typedef struct {
    const snn_hw_options *o;
    snn_condition when;
    int levels;
    double threshold[SNN_LEVELS]; /* [levels - 1] references [uS], as the chip's read-out sets them */
} reading;

static bool acts(const reading *r, snn_effect e) {
    return r->when.effects >> e & 1;
}

static bool begin(reading *r, const snn_hw_options *o, double seconds, snn_error *err) {
    int bits = o->map.cell_bits > 0 ? o->map.cell_bits : 1;
    *r = (reading){.o = o, .when = o->condition, .levels = 1 << bits};
    r->when.seconds = seconds;
    double below = 0;
    for (int k = 0; k < r->levels; k++) {
        snn_level l;
        if (!snn_device_level(&o->device, &r->when, r->levels, k, &l, err))
            return false;
        if (k > 0)
            r->threshold[k - 1] = below + o->reference * (l.target - below);
        below = l.target;
    }
    return true;
}

/* P(a cell of level l, lowered by step, is read as level k). */
static double chance(const reading *r, const snn_level *l, double noise, double step, int k, bool above) {
    double low = k > 0 ? r->threshold[k - 1] + step : 0,
           high = k < r->levels - 1 ? r->threshold[k] + step : 0;
    if (above) /* both ends lie above the level: small differences of upper tails */
        return snn_level_above(l, noise, low) - (k < r->levels - 1 ? snn_level_above(l, noise, high) : 0);
    return snn_level_cdf(l, noise, high) - (k > 0 ? snn_level_cdf(l, noise, low) : 0);
}

/* Wrong bits and chance of a wrong level, for a cell that should read as `k` and behaves as `l`, which has level `as`. */
static void misread(const reading *r, const snn_level *l, double noise, double step, int k, int as,
                    double share, snn_hw_level *out) {
    const snn_map shape = {.options = r->o->map};
    int n = __builtin_ctz((unsigned)r->levels);
    uint32_t right = snn_map_bits(&shape, (uint32_t)k, n);
    for (int j = 0; j < r->levels; j++) {
        if (j == k)
            continue;
        double p = 1; /* that level `as` is read as j */
        if (j != as)
            p = chance(r, l, noise, step, j, j > as);
        else
            for (int other = 0; other < r->levels; other++)
                p -= other == as ? 0 : chance(r, l, noise, step, other, other > as);
        out->misread += share * p;
        out->wrong_bits += share * p * __builtin_popcount(right ^ snn_map_bits(&shape, (uint32_t)j, n));
    }
}

/* Noise of one read of a cell with conductance g: a normal part, its standard deviation, and the step that telegraph noise takes away half of the time. */
static double noise_at(const reading *r, double g, double *step) {
    const snn_device *d = &r->o->device;
    double white = snn_device_white(d, &r->when), slow = snn_device_slow(d, &r->when, g);
    double variance = white * white + slow * slow;
    if (acts(r, SNN_EFFECT_SENSE))
        variance += d->sense_offset * d->sense_offset + d->sense_noise * d->sense_noise;
    *step = snn_device_telegraph(d, &r->when, g);
    return sqrt(variance);
}

/* Adds a share of all cells, which should read as level k and behave as l, whose level is `as`. */
static void add_cells(const reading *r, const snn_level *l, int k, int as, double share, snn_hw_level *out) {
    const snn_device *d = &r->o->device;
    double mean, sigma, step;
    if (!(share > 0))
        return;
    snn_level_moments(l, &mean, &sigma);
    double noise = noise_at(r, mean, &step), lower = step > 0 ? 0.5 * d->telegraph_share : 0;
    misread(r, l, noise, 0, k, as, share * (1 - lower), out);
    if (lower > 0)
        misread(r, l, noise, step, k, as, share * lower, out);
}

bool snn_hw_expect(const snn_hw_options *o, double seconds, int k, snn_hw_level *out, snn_error *err) {
    const snn_device *d = &o->device;
    reading r;
    snn_level l;
    if (!begin(&r, o, seconds, err) || !snn_device_level(d, &r.when, r.levels, k, &l, err))
        return false;
    *out = (snn_hw_level){.target = l.target};
    snn_level_moments(&l, &out->mean, &out->sigma);
    double hrs = acts(&r, SNN_EFFECT_STUCK) ? d->stuck_hrs : 0;
    double lrs = acts(&r, SNN_EFFECT_STUCK) ? d->stuck_lrs : 0;
    add_cells(&r, &l, k, k, 1 - hrs - lrs, out);
    /* a stuck cell conducts as its state, without any spread */
    add_cells(&r, &(snn_level){.target = d->g_min, .scale = 1}, k, 0, hrs, out);
    add_cells(&r, &(snn_level){.target = d->g_max, .scale = 1}, k, r.levels - 1, lrs, out);
    return true;
}

bool snn_hw_bit_error_rate(const snn_hw_options *o, double seconds, double *rate, snn_error *err) {
    int bits = o->map.cell_bits > 0 ? o->map.cell_bits : 1;
    *rate = 0;
    for (int k = 0; k < 1 << bits; k++) {
        snn_hw_level level;
        if (!snn_hw_expect(o, seconds, k, &level, err))
            return false;
        *rate += level.wrong_bits / (bits << bits);
    }
    return true;
}
