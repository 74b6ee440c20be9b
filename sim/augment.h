/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Data augmentation on spike lists. */
#ifndef SNNSIM_SIM_AUGMENT_H
#define SNNSIM_SIM_AUGMENT_H

#include <snnsim/net.h>
#include <snnsim/random.h>
#include <snnsim/spikes.h>

#define AUGMENT_JITTER_MAX                                                                                   \
    256 /* steps that an event moves at most: more than 8 standard deviations for sigma <= 31 */

typedef struct {
    snn_shape shape;                             /* of the input */
    int shift;                                   /* pixels: dx and dy are drawn from -shift .. shift */
    double drop;                                 /* largest share of dropped events */
    double rotate;                               /* degrees */
    double zoom;                                 /* share */
    double time_jitter;                          /* standard deviation in time steps */
    int reach;                                   /* steps that an event moves at most */
    uint32_t jitter[2 * AUGMENT_JITTER_MAX + 1]; /* [2 reach + 1] P(move <= k - reach) * 2^32 */
} augment;

typedef struct {
    uint32_t *target; /* [height * width] where a pixel goes; UINT32_MAX: out of the frame */
    size_t target_capacity;
    uint64_t *key;
    size_t key_capacity;
    snn_spike *list;
    size_t list_capacity;
} augment_scratch;

void snn_augment_init(augment *a, snn_shape shape, int shift, double drop, double rotate, double zoom,
                      double time_jitter);
/* Does it do anything? */
bool snn_augment_active(const augment *a);
/* y = x with one draw of r's stream applied: where pixels go (rotation and zoom about the centre, then shift, to the nearest pixel; what leaves the
 * frame is dropped), a share of events dropped, event times moved (and clipped to the sample). */
bool snn_augment_apply(const augment *a, const snn_spikes *x, snn_random *r, augment_scratch *scratch,
                       snn_spikes *y, snn_error *err);
void snn_augment_scratch_free(augment_scratch *s);

#endif
