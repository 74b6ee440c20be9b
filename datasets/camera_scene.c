/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The scene of one take and its drawing: where the subject stands, the light, what is behind, and the light intensity that the lens throws on a tile of
 * pixels. A pixel's intensity is illumination times albedo; a capsule's rim is blended over about one and a half pixels, the blur of the
 * DVS128's lens and pixel (fill factor and lens: assumption).
 */
#include "camera_internal.h"
#include <math.h>
#include <string.h>

/* The five lighting conditions of DVS128 Gesture, in the order of light_name in make.c. Level 1 is a bright office; levels and ripple are assumptions.
 * Fluorescent tubes ripple at twice the mains frequency. */
static const struct {
    double level, gradient, flicker, hz;
} condition[] = {
    {0.7, 0.3, 0.06, 120}, /* fluorescent */
    {0.9, 0.3, 0.03, 120}, /* fluorescent_led */
    {0.8, 0.3, 0, 0},      /* lab */
    {1.0, 0.4, 0, 0},      /* led */
    {1.0, 0.8, 0, 0},      /* natural: a window at one side */
};
#define CONDITIONS ((int)(sizeof condition / sizeof condition[0]))

static float clamp01(float v) {
    v = v < 0 ? 0 : v;
    return v > 1 ? 1 : v;
}

/* Place of pixel (x, y) in the tile-major order. */
static int place(int x, int y) {
    int tile = y / SNN_TILE_SIDE * SNN_TILE_ROWS + x / SNN_TILE_SIDE;
    return tile * SNN_TILE_PIXELS + y % SNN_TILE_SIDE * SNN_TILE_SIDE + x % SNN_TILE_SIDE;
}

/* A soft-edged rectangle of another albedo: door, shelf, poster. */
static void paint(float *background, const double box[4], double albedo) {
    for (int y = 0; y < SNN_CAMERA_SIDE; y++) {
        for (int x = 0; x < SNN_CAMERA_SIDE; x++) {
            double left = x + 0.5 - box[0], top = y + 0.5 - box[1], right = box[2] - x - 0.5,
                   low = box[3] - y - 0.5;
            double inside = left < right ? left : right;
            inside = top < inside ? top : inside;
            inside = low < inside ? low : inside;
            float cover = clamp01((float)inside / SNN_CAMERA_BLUR + 0.5f), *b = &background[place(x, y)];
            *b += cover * ((float)albedo - *b);
        }
    }
}

static void draw_background(snn_random *r, float *background) {
    double wall =
        snn_random_uniform(r) < 0.85 ? snn_camera_range(r, 0.45, 0.8) : snn_camera_range(r, 0.15, 0.4);
    for (int i = 0; i < SNN_CAMERA_PIXELS; i++)
        background[i] = (float)wall;
    int things = 3 + (int)snn_random_below(r, 6);
    for (int i = 0; i < things; i++) {
        double w = snn_camera_range(r, 6, 45), h = snn_camera_range(r, 6, 70);
        double x = snn_camera_range(r, -10, 128), y = snn_camera_range(r, -10, 128);
        double box[4] = {x - w / 2, y - h / 2, x + w / 2, y + h / 2};
        double albedo = wall * snn_camera_range(r, 0.65, 1.25);
        paint(background, box, albedo > 0.9 ? 0.9 : albedo);
    }
    for (int i = 0; i < SNN_CAMERA_PIXELS; i++) /* rough cast, cloth, dust */
        background[i] *= (float)snn_camera_range(r, 0.96, 1.04);
}

void snn_scene_draw_take(const snn_camera *camera, const snn_body *body, int subject, int take,
                         snn_scene *scene) {
    snn_random random, *r = &random;
    int c = take % CONDITIONS;
    snn_random_init(r, camera->seed, SNN_PURPOSE_SUBJECT, (uint64_t)subject << 32 | (uint64_t)(take + 1));
    snn_stance *s = &scene->stance;
    s->scale = body->stature * snn_camera_range(r, 0.94, 1.06);
    s->x = 69 + 8 * snn_random_normal(r); /* 73 and 82 in the real recordings at hand */
    s->y = 80 + 6 * snn_random_normal(r);
    s->distance = snn_camera_range(r, 1.3, 2.0); /* 2.2 to 3.4 m for a stature of 1.7 m; assumption */
    s->x = s->x < 50 ? 50 : s->x > 90 ? 90 : s->x;
    s->y = s->y < 66 ? 66 : s->y > 94 ? 94 : s->y;
    s->shadow = snn_camera_range(r, 0.03, 0.16);
    s->shadow_x = snn_camera_range(r, -0.6, 0.6);
    scene->flicker = condition[c].flicker;
    scene->flicker_hz = condition[c].hz;
    double level = condition[c].level * snn_camera_range(r, 0.7, 1.2);
    double gx = condition[c].gradient * snn_camera_range(r, -1, 1), gy = 0.3 * snn_camera_range(r, -1, 0.3);
    for (int y = 0; y < SNN_CAMERA_SIDE; y++)
        for (int x = 0; x < SNN_CAMERA_SIDE; x++)
            scene->light[place(x, y)] =
                (float)(level * (1 + 0.5 * gx * (x / 64.0 - 1) + 0.5 * gy * (y / 64.0 - 1)));
    draw_background(r, scene->background);
}

/* Distance of a point from the capsule's axis, squared, and the place of its foot on the axis. */
static float axis_distance2(const snn_capsule *c, float x, float y, float *foot) {
    float dx = c->bx - c->ax, dy = c->by - c->ay, px = x - c->ax, py = y - c->ay;
    float length2 = dx * dx + dy * dy, along = px * dx + py * dy;
    float h = length2 > 1e-6f ? clamp01(along / length2) : 0;
    float ex = px - h * dx, ey = py - h * dy;
    *foot = h;
    return ex * ex + ey * ey;
}

/* Tiles from..to (inclusive) that [low, high] of an axis touches; false when none. */
static bool tile_range(float low, float high, int *from, int *to) {
    if (!(high >= 0) || !(low < (float)SNN_CAMERA_SIDE))
        return false;
    *from = low <= 0 ? 0 : (int)low / SNN_TILE_SIDE;
    *to = high >= (float)SNN_CAMERA_SIDE ? SNN_TILE_ROWS - 1 : (int)high / SNN_TILE_SIDE;
    return true;
}

void snn_scene_cull(const snn_capsule *capsule, int n, uint32_t slow[SNN_TILES], uint32_t fast[SNN_TILES]) {
    const float tile_radius = 0.70710678f * SNN_TILE_SIDE;
    for (int t = 0; t < SNN_TILES; t++)
        slow[t] = fast[t] = 0;
    for (int i = 0; i < n; i++) {
        const snn_capsule *c = &capsule[i];
        float r = (c->ra > c->rb ? c->ra : c->rb) + 0.5f * c->blur, foot;
        int x0, x1, y0, y1;
        if (!tile_range((c->ax < c->bx ? c->ax : c->bx) - r, (c->ax > c->bx ? c->ax : c->bx) + r, &x0, &x1) ||
            !tile_range((c->ay < c->by ? c->ay : c->by) - r, (c->ay > c->by ? c->ay : c->by) + r, &y0, &y1))
            continue;
        float reach = (r + tile_radius) * (r + tile_radius);
        for (int y = y0; y <= y1; y++) {
            for (int x = x0; x <= x1; x++) {
                float cx = (float)(x * SNN_TILE_SIDE) + 4, cy = (float)(y * SNN_TILE_SIDE) + 4;
                if (axis_distance2(c, cx, cy, &foot) > reach)
                    continue;
                uint32_t *mask = c->fast ? fast : slow;
                mask[y * SNN_TILE_ROWS + x] |= 1u << i;
            }
        }
    }
}

/* v cut to [0, 1] without a comparison, which keeps GCC from vectorising; exact to the rounding of |v|. */
static inline float cut01(float v) {
    return 0.5f * (fabsf(v) - fabsf(v - 1) + 1);
}

/* Blends one capsule over the tile's albedo; straight-line code over 64 pixels without aliases, so that compilers vectorise it. */
static void blend(const snn_capsule *c, float x0, float y0, float *restrict albedo) {
    const float dx = c->bx - c->ax, dy = c->by - c->ay, taper = c->rb - c->ra, ra = c->ra;
    const float length2 = dx * dx + dy * dy, inverse = length2 > 1e-6f ? 1 / length2 : 0;
    const float left = x0 + 0.5f - c->ax, top = y0 + 0.5f - c->ay, tone = c->albedo;
    const float sharp = 1 / c->blur, opacity = c->opacity;
    const float wide = c->ra > c->rb ? c->ra : c->rb, wide2 = wide * wide,
                shade = tone * c->shade / (wide2 + 1e-6f);
    for (int i = 0; i < SNN_TILE_PIXELS; i++) {
        float px = left + (float)(i % SNN_TILE_SIDE), py = top + (float)(i / SNN_TILE_SIDE);
        float h = cut01((px * dx + py * dy) * inverse);
        float ex = px - h * dx, ey = py - h * dy, d2 = ex * ex + ey * ey;
        float cover = cut01((ra + h * taper - sqrtf(d2)) * sharp + 0.5f);
        float rim = 0.5f * (d2 + wide2 - fabsf(d2 - wide2)); /* the smaller of the two */
        albedo[i] += opacity * cover * (tone - shade * rim - albedo[i]);
    }
}

static void blend_all(const snn_capsule *capsule, uint32_t mask, int tile, float *albedo) {
    float x0 = (float)(tile % SNN_TILE_ROWS * SNN_TILE_SIDE),
          y0 = (float)(tile / SNN_TILE_ROWS * SNN_TILE_SIDE);
    for (int i = 0; mask >> i; i++)
        if (mask >> i & 1)
            blend(&capsule[i], x0, y0, albedo);
}

void snn_scene_settle(snn_scene *scene, const snn_capsule *capsule, uint32_t slow, int tile) {
    size_t first = (size_t)tile * SNN_TILE_PIXELS;
    memcpy(scene->behind + first, scene->background + first, SNN_TILE_PIXELS * sizeof(float));
    blend_all(capsule, slow, tile, scene->behind + first);
}

void snn_scene_render(const snn_scene *scene, const snn_capsule *capsule, uint32_t fast, int tile,
                      float out[SNN_TILE_PIXELS]) {
    const float *light = scene->light + (size_t)tile * SNN_TILE_PIXELS;
    float albedo[SNN_TILE_PIXELS];
    memcpy(albedo, scene->behind + (size_t)tile * SNN_TILE_PIXELS, sizeof albedo);
    blend_all(capsule, fast, tile, albedo);
    for (int i = 0; i < SNN_TILE_PIXELS; i++)
        out[i] = light[i] * albedo[i];
}
