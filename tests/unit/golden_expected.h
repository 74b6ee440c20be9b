/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Made by tests/golden/expected.py: do not edit. */
/* clang-format off */
static const struct {
    const char *name;
    int bits, gray;
    double g_min;
    const char *cell;
    double rate;
} golden_expected[] = {
    {"spread alone", 1, 1, 0.0, "program = { sigma = [3.0]; };", 2.866515718791933e-07},
    {"rare", 1, 1, 10.0, "program = { sigma = [2.5]; };", 3.167124183311986e-05},
    {"noise", 1, 1, 10.0, "program = { sigma = [1.5]; }; noise = { white = 0.05; }; sense = { offset = 0.5; noise = 1.0; };", 1.5210728273669376e-05},
    {"two bits, Gray", 2, 1, 0.0, "program = { sigma = [2.0]; };", 0.004657248994348054},
    {"two bits, binary", 2, 0, 0.0, "program = { sigma = [2.0]; };", 0.006209665325768156},
    {"four bits", 4, 1, 10.0, "program = { sigma = [0.3]; }; noise = { white = 0.01; };", 0.02721187747270074},
    {"stuck", 3, 0, 10.0, "program = { sigma = [0.5]; }; noise = { white = 0.02; }; faults = { stuck_hrs = 0.1; stuck_lrs = 0.2; };", 0.1716193151749994},
    {"telegraph", 2, 1, 10.0, "noise = { white = 0.04; telegraph_share = 0.3; telegraph_step = 3.0; };", 0.023715357911361826},
    {"small telegraph steps", 2, 1, 10.0, "noise = { white = 0.04; telegraph_share = 1.0; telegraph_step = 0.9; };", 0.0050576629049927276},
    {"1/f", 2, 1, 10.0, "noise = { white = 0.04; one_over_f = 0.1; one_over_f_log = 0.2; };", 0.022057168548140927},
    {"log-normal", 1, 1, 1.0, "program = { form = \"lognormal\"; sigma = [0.4]; }; noise = { white = 0.02; };", 0.024987997129452915},
};
