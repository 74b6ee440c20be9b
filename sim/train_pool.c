/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pools: one time step forward, one backward. x is [y][x][pitch], y [oy][ox][pitch].
 * Max: the first maximum of a window in row-major order wins and gets the gradient, as in PyTorch (so the upper left one when nothing spikes).
 * Sum and average: the sum; an average's 1/kernel^2 is applied to the sums of the next synaptic layer (train_stage.factor).
 */
#include "train_internal.h"

#include <string.h>

/* First float of the input pixel under element k of the window of output (oy, ox). */
static size_t element(const train_pool *pool, uint32_t oy, uint32_t ox, uint32_t k) {
    size_t y = (size_t)oy * pool->stride + k / pool->kernel, x = (size_t)ox * pool->stride + k % pool->kernel;
    return (y * pool->in.width + x) * pool->pitch;
}

void snn_train_pool_forward(const train_kernels *kernels, const train_pool *pool, const float *x, float *y,
                            uint32_t *arg) {
    bool max = pool->type == SNN_LAYER_POOL_MAX;
    uint32_t window = pool->kernel * pool->kernel;
    for (uint32_t oy = 0; oy < pool->out.height; oy++)
        for (uint32_t ox = 0; ox < pool->out.width; ox++, y += pool->pitch) {
            memcpy(y, x + element(pool, oy, ox, 0), pool->pitch * sizeof *y);
            if (max)
                memset(arg, 0, pool->pitch * sizeof *arg);
            for (uint32_t k = 1; k < window; k++) {
                if (max)
                    kernels->maximum(pool->pitch, x + element(pool, oy, ox, k), y, arg, k);
                else
                    kernels->add(pool->pitch, x + element(pool, oy, ox, k), y);
            }
            arg += max ? pool->pitch : 0;
        }
}

void snn_train_pool_backward(const train_kernels *kernels, const train_pool *pool, const float *dy,
                             uint32_t dy_pitch, const uint32_t *arg, float *dx) {
    memset(dx, 0, (size_t)pool->in.height * pool->in.width * pool->pitch * sizeof *dx);
    uint32_t window = pool->kernel * pool->kernel, channels = pool->in.channels;
    for (uint32_t oy = 0; oy < pool->out.height; oy++)
        for (uint32_t ox = 0; ox < pool->out.width; ox++, dy += dy_pitch) {
            for (uint32_t k = 0; k < window; k++) {
                float *to = dx + element(pool, oy, ox, k);
                if (pool->type == SNN_LAYER_POOL_MAX)
                    kernels->route(channels, dy, arg, k, to);
                else
                    kernels->add(channels, dy, to);
            }
            arg += pool->type == SNN_LAYER_POOL_MAX ? pool->pitch : 0;
        }
}
