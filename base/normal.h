/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside base/: the middle 85 % of the normal quantile, a rational function that compilers turn into vector code (AS 241, see normal.c). */
#ifndef SNNSIM_BASE_NORMAL_H
#define SNNSIM_BASE_NORMAL_H

#define SNN_NORMAL_CENTRE 0.425 /* largest |p - 1/2| */

/* Quantile of p = q + 1/2. */
static inline double snn_normal_centre_quantile(double q) {
    double r = SNN_NORMAL_CENTRE * SNN_NORMAL_CENTRE - q * q;
    double over = 2509.0809287301226727;
    over = over * r + 33430.575583588128105;
    over = over * r + 67265.770927008700853;
    over = over * r + 45921.953931549871457;
    over = over * r + 13731.693765509461125;
    over = over * r + 1971.5909503065514427;
    over = over * r + 133.14166789178437745;
    over = over * r + 3.3871328727963666080;
    double under = 5226.4952788528545610;
    under = under * r + 28729.085735721942674;
    under = under * r + 39307.895800092710610;
    under = under * r + 21213.794301586595867;
    under = under * r + 5394.1960214247511077;
    under = under * r + 687.18700749205790830;
    under = under * r + 42.313330701600911252;
    under = under * r + 1;
    return q * over / under;
}

#endif
