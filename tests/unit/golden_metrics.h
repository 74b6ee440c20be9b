/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Made by tests/golden/metrics.py: do not edit. */
/* clang-format off */
static const struct { uint64_t hits, n; double low, high; } golden_wilson[] = {
    {0, 1, 0.0, 0.7934506856227626},
    {1, 1, 0.20654931437723742, 1.0},
    {0, 10, 0.0, 0.2775327998628892},
    {10, 10, 0.7224672001371107, 1.0},
    {1, 10, 0.017876213095072906, 0.4041500267952385},
    {5, 10, 0.236593090512564, 0.763406909487436},
    {85, 100, 0.7671644040916763, 0.9069401471634336},
    {252, 264, 0.9222427211894078, 0.9738097460302674},
    {9500, 10000, 0.9455528841569758, 0.9541015173094153},
    {1, 1000000, 1.765245767453715e-07, 5.664911804311442e-06},
};
#define GOLDEN_SAMPLES 13
#define GOLDEN_STEPS 5
#define GOLDEN_CLASSES 4
static const int golden_label[] = {0, 3, 2, 1, 1, 0, 3, 2, 2, 1, 0, 3, 3};
static const int golden_predicted[] = {0, 3, 3, 0, 0, 3, 0, 3, 0, 0, 0, 0, 3};
static const int golden_outputs[] = {2, 2, 0, 2, 2, 0, 0, 3, 3, 0, 0, 4, 0, 0, 0, 0, 4, 0, 0, 2, 2, 0, 0, 3, 4, 1, 0, 1, 1, 0, 0, 4, 4, 0, 0, 3, 3, 0, 0, 2, 4, 0, 0, 3, 2, 2, 0, 2, 2, 0, 0, 3};
static const uint64_t golden_by_step[] = {5, 3, 4, 4, 4};
static const uint64_t golden_spikes[] = {2024, 1375, 70};
static const uint64_t golden_inputs[] = {1179, 1375};
static const uint64_t golden_input_counts[] = {1328, 1375};
static const uint64_t golden_synops[] = {25134, 5500};
static const uint64_t golden_effective_macs[] = {14047, 0};
static const uint64_t golden_effective_acs[] = {9369, 5148};
static const uint64_t golden_membrane_updates[] = {5762, 204};
#define GOLDEN_DENSE_STEP 1644
#define GOLDEN_ZEROS 11
#define GOLDEN_BALANCED 0.29166666666666663
#define GOLDEN_BALANCED_BELOW 0.14430007701559272
#define GOLDEN_BALANCED_ABOVE 0.22733899289058843
#define GOLDEN_SPARSITY 0.7123626373626374
#define GOLDEN_DIGEST "d95092d3e6798d039bd4e81c57e5f596374557968750c49c4fadcb5a9b34e57c"
/* clang-format on */
