/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The pixel array of a DVS128 (Lichtsteiner, Posch, Delbruck, JSSC 43(2), 2008, doi:10.1109/JSSC.2007.914337), modelled as in v2e (Hu, Liu, Delbruck,
 * CVPRW 2021, arXiv:2006.07722) and ESIM (Rebecq et al., CoRL 2018): a photoreceptor follows log intensity through a low-pass
 * whose bandwidth grows with the light; the pixel compares it with the value memorised at its last event and emits ON or OFF when the change reaches its
 * threshold; then it is reset and blind for its refractory period. Between two updates the photoreceptor is
 * interpolated linearly (ESIM), so events fall between the drawn frames. The thresholds and refractory periods belong to the sensor: one
 * sensor recorded the whole data set, so they depend on the seed alone. Noise belongs to the recording.
 */
#include "camera_internal.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <snnsim/portable_math.h>

/* Nominal contrast thresholds in log intensity. Lichtsteiner 2008 sets 0.15 to 0.2 and v2e's default is 0.2; these give the number of events and the share
 * of ON events of the real recordings at hand (the data set's bias settings are not published). */
#define THRESHOLD_ON 0.155f
#define THRESHOLD_OFF 0.130f
/* Mismatch of thresholds: 2.1 % contrast (Lichtsteiner 2008, table I), in log intensity. */
#define THRESHOLD_SIGMA 0.021f
#define THRESHOLD_MIN 0.05f
/* Photoreceptor bandwidth at intensity 1: DVS128 reaches 3 kHz at 1 klux and falls in proportion with the light (Lichtsteiner 2008, fig. 12);
 * 300 Hz is v2e's value for good room light. */
#define BANDWIDTH_HZ 300.0f
/* Photocurrent in the dark as a share of a bright pixel's (v2e: linear below a few digital numbers of 255). */
#define DARK 0.01f
/* Refractory period: same-pixel intervals in the real recordings begin at 150 us and are in full strength at 350 us. */
#define REFRACTORY_MIN_US 150
#define REFRACTORY_SPAN_US 200
/* Leak of the reset switch, ON events per pixel and second: v2e's default is 0.1 (Nozaki and Delbruck, TED 2017, doi:10.1109/TED.2017.2717848), but nine of ten
 * pixels in the empty corner of the real recordings are silent for 1.45 s. */
#define LEAK_HZ 0.02f
/* Shot noise per pixel at zero light, falling to a quarter at intensity 1 (the factor is v2e's; the rate from the same corner). */
#define SHOT_HZ 0.02
#define SHOT_BRIGHT 0.25
/* Noise in that corner, 0.11 to 0.23 Hz per pixel, comes from some 9 % of the pixels, up to hot ones at 10 to 20 Hz: rates NOISY_HZ (HOT_HZ / NOISY_HZ)^(u^3), u
 * uniform. 34 % to 42 % of it is ON. */
#define NOISY_PIXELS 1200
#define NOISY_HZ 0.3
#define HOT_HZ 20.0
#define NOISE_ON_256 100
/* Latency jitter: Lichtsteiner 2008 gives about 15 us at 1 klux, some 100 us in room light. */
#define JITTER_US 100
/* Found in all seven real recordings: 28 % to 64 % of ON events (never OFF) come again within 3 us, as if acknowledged twice, and an ON event is
 * followed by an OFF event within 0.3 to 1 ms in 15 % to 21 % of all cases (against 7 % the other way round): reset kick. In 1/256. */
#define TWICE_256 100
#define KICK_256 36
#define KICK_SPAN_US 600

struct snn_sensor {
    float on[SNN_CAMERA_PIXELS],
        off[SNN_CAMERA_PIXELS];            /* thresholds, both positive; all arrays tile-major */
    float memory[SNN_CAMERA_PIXELS];       /* log intensity at the last reset */
    float receptor[SNN_CAMERA_PIXELS];     /* photoreceptor's output */
    int32_t blind[SNN_CAMERA_PIXELS];      /* us: refractory until */
    uint8_t refractory[SNN_CAMERA_PIXELS]; /* us above REFRACTORY_MIN_US */
    int32_t seen[SNN_TILES];               /* us of the tile's last update */
    float light[SNN_CAMERA_PIXELS];        /* first intensity, for shot noise */
    uint64_t seed;
    snn_random *noise;
    snn_events *out;
};

/* Normal to within 3.4 sigma as the sum of four uniforms of 16 bits (Irwin-Hall); two words of the stream. */
static float near_normal(snn_random *r) {
    uint64_t w = snn_random_u64(r);
    float sum =
        (float)(w & 0xffff) + (float)(w >> 16 & 0xffff) + (float)(w >> 32 & 0xffff) + (float)(w >> 48);
    return (sum - 131070.0f) * (1.7320508f / 65536.0f); /* variance of the sum is 4/12 */
}

/* Natural logarithm of 256 x for x >= 1/256, good to 1e-5 and free of branches so that the loop vectorises. The exponent
 * is split at sqrt(2), the mantissa goes through the series of atanh. */
static inline float log256(float x) {
    uint32_t bits, shifted, exponent;
    float m = x * 256;
    memcpy(&bits, &m, sizeof bits);
    shifted = bits - 0x3f3504f3u; /* sqrt(1/2) */
    exponent = shifted >> 23;
    bits = (shifted & 0x7fffffu) + 0x3f3504f3u;
    memcpy(&m, &bits, sizeof m);
    float s = (m - 1) / (m + 1), q = s * s;
    return (float)(int32_t)exponent * 0.69314718f +
           2 * s * (1 + q * (0.33333333f + q * (0.2f + q * 0.14285714f)));
}

snn_sensor *snn_sensor_new(const snn_camera *camera, snn_random *noise, snn_events *out, snn_error *err) {
    snn_sensor *s = snn_alloc(1, sizeof *s, "event camera", err);
    if (!s)
        return NULL;
    snn_random maker;
    snn_random_init(&maker, camera->seed, SNN_PURPOSE_CAMERA, 0); /* recordings start above: subject >= 1 */
    for (int i = 0; i < SNN_CAMERA_PIXELS; i++) {
        float on = THRESHOLD_ON + THRESHOLD_SIGMA * near_normal(&maker);
        float off = THRESHOLD_OFF + THRESHOLD_SIGMA * near_normal(&maker);
        s->on[i] = on > THRESHOLD_MIN ? on : THRESHOLD_MIN;
        s->off[i] = off > THRESHOLD_MIN ? off : THRESHOLD_MIN;
        s->refractory[i] = (uint8_t)snn_random_below(&maker, REFRACTORY_SPAN_US);
    }
    s->seed = camera->seed;
    s->noise = noise;
    s->out = out;
    return s;
}

void snn_sensor_free(snn_sensor *s) {
    free(s);
}

void snn_sensor_adapt(snn_sensor *s, int tile, const float intensity[SNN_TILE_PIXELS], int32_t t) {
    for (int k = 0; k < SNN_TILE_PIXELS; k++) {
        int i = tile * SNN_TILE_PIXELS + k;
        /* The memory is left anywhere between the thresholds by what the pixel saw before. */
        float u = (float)(snn_random_u32(s->noise) >> 8) * (1.0f / 16777216.0f);
        s->light[i] = intensity[k];
        s->receptor[i] = log256(intensity[k] + DARK);
        s->memory[i] = s->receptor[i] + 0.999f * (s->off[i] - u * (s->on[i] + s->off[i]));
        s->blind[i] = t;
    }
    s->seen[tile] = t;
}

static bool emit(snn_sensor *s, int i, int32_t t, int polarity, snn_error *err) {
    int tile = i / SNN_TILE_PIXELS, k = i % SNN_TILE_PIXELS;
    snn_event e = {t, (uint16_t)(tile % SNN_TILE_ROWS * SNN_TILE_SIDE + k % SNN_TILE_SIDE),
                   (uint16_t)(tile / SNN_TILE_ROWS * SNN_TILE_SIDE + k / SNN_TILE_SIDE), (uint8_t)polarity};
    return snn_events_append(s->out, e, err);
}

/* An event at time t with what it drags along; sets until when the pixel is blind. */
static bool fire(snn_sensor *s, int i, int32_t t, int polarity, snn_error *err) {
    uint32_t chance = snn_random_u32(s->noise);
    int32_t dead = REFRACTORY_MIN_US + s->refractory[i];
    s->blind[i] = t + dead;
    if (!emit(s, i, t, polarity, err))
        return false;
    if (polarity == 0)
        return true;
    if ((chance & 255) < TWICE_256 && !emit(s, i, t + (int32_t)(chance >> 30), 1, err))
        return false;
    if ((chance >> 8 & 255) < KICK_256) {
        int32_t kick = s->blind[i] + (int32_t)((chance >> 16 & 16383) * KICK_SPAN_US >> 14);
        s->blind[i] = kick + dead;
        return emit(s, i, kick, 0, err);
    }
    return true;
}

/* Walks one pixel from its photoreceptor value v0 at t0 to v1 at t1, event by event. */
static bool walk(snn_sensor *s, int i, float v0, float v1, int32_t t0, int32_t t1, snn_error *err) {
    float slope = (v1 - v0) / (float)(t1 - t0);
    for (int32_t t = t0;;) {
        if (s->blind[i] > t1) { /* the memory follows the light until the reset ends */
            s->memory[i] = v1;
            return true;
        }
        if (s->blind[i] > t) {
            t = s->blind[i];
            s->memory[i] = v0 + slope * (float)(t - t0);
        }
        bool up = v1 - s->memory[i] >= s->on[i], down = s->memory[i] - v1 >= s->off[i];
        if (!up && !down)
            return true;
        float level = up ? s->memory[i] + s->on[i] : s->memory[i] - s->off[i];
        float now = v0 + slope * (float)(t - t0);
        int32_t wait = (up ? now < level : now > level) ? (int32_t)((level - now) / slope) : 0;
        if (!fire(s, i, t + wait + (int32_t)(snn_random_u32(s->noise) % JITTER_US), up, err))
            return false;
    }
}

bool snn_sensor_expose(snn_sensor *s, int tile, const float intensity[SNN_TILE_PIXELS], float ripple,
                       int32_t t, snn_error *err) {
    size_t first = (size_t)tile * SNN_TILE_PIXELS;
    float *receptor = s->receptor + first, *memory = s->memory + first, before[SNN_TILE_PIXELS];
    const float *on = s->on + first, *off = s->off + first;
    const int32_t *blind = s->blind + first;
    int32_t t0 = s->seen[tile];
    uint8_t busy[SNN_TILE_PIXELS];
    float seconds = (float)(t - t0) * 1e-6f, pull = seconds * (6.2831853f * BANDWIDTH_HZ);
    for (int i = 0; i < SNN_TILE_PIXELS; i++) {
        float light = intensity[i] + DARK, a = pull * light;
        float target = log256(light) + ripple, v0 = receptor[i];
        float v1 = v0 + a / (1 + a) * (target - v0); /* backward Euler: stable for any step */
        before[i] = v0;
        receptor[i] = v1;
        memory[i] -= LEAK_HZ * seconds * on[i];
        float d = v1 - memory[i];
        busy[i] = (uint8_t)((d >= on[i]) | (-d >= off[i]) | (blind[i] > t0));
    }
    s->seen[tile] = t;
    for (int i = 0; i < SNN_TILE_PIXELS; i++)
        if (busy[i] && !walk(s, (int)first + i, before[i], receptor[i], t0, t, err))
            return false;
    return true;
}

static bool emit_noise(snn_sensor *s, int where, int32_t t_end, snn_error *err) {
    int32_t t = (int32_t)snn_random_below(s->noise, (uint32_t)t_end);
    return emit(s, where, t, (snn_random_u32(s->noise) & 255) < NOISE_ON_256, err);
}

static bool shot_noise(snn_sensor *s, int32_t t_end, snn_error *err) {
    uint32_t n = snn_random_poisson(s->noise, SHOT_HZ * SNN_CAMERA_PIXELS * t_end * 1e-6);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t where = snn_random_below(s->noise, SNN_CAMERA_PIXELS);
        double light = s->light[where] < 1 ? s->light[where] : 1;
        if (snn_random_uniform(s->noise) < 1 - (1 - SHOT_BRIGHT) * light &&
            !emit_noise(s, (int)where, t_end, err))
            return false;
    }
    return true;
}

bool snn_sensor_noise(snn_sensor *s, int32_t t_end, snn_error *err) {
    snn_random maker; /* places and rates of noisy pixels are the sensor's, like its thresholds */
    snn_random_init(&maker, s->seed, SNN_PURPOSE_CAMERA, 1);
    for (int k = 0; k < NOISY_PIXELS; k++) {
        int where = (int)snn_random_below(&maker, SNN_CAMERA_PIXELS);
        double u = snn_random_uniform(&maker);
        double rate = NOISY_HZ * snn_pow(HOT_HZ / NOISY_HZ, u * u * u);
        uint32_t n = snn_random_poisson(s->noise, rate * t_end * 1e-6);
        for (uint32_t j = 0; j < n; j++)
            if (!emit_noise(s, where, t_end, err))
                return false;
    }
    return shot_noise(s, t_end, err);
}
