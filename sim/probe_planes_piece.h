/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the SIMD row sums of probe_planes_kernels_*.c share: many entries go in pieces that cannot overflow 16 bits. */
INLINE void sum_rows8(const snn_planes_unit *u, int step, uint32_t first, uint32_t end, vector *sum,
                      const int blocks) {
    if (end - first <= u->piece) {
        add_piece(u, first, end, u->total[step], sum, blocks);
        return;
    }
    for (; first < end; first += u->piece) {
        const uint32_t last = end - first > u->piece ? first + u->piece : end;
        int32_t total = 0;
        for (uint32_t i = first; i < last; i++)
            total += u->count[i];
        add_piece(u, first, last, total, sum, blocks);
    }
}
