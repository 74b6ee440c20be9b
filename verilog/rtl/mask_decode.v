// SPDX-License-Identifier: Apache-2.0
// Combinational: from the slots' hits and positions to the mask, one decoder for each slot. The upper half of each decoder is gated by the hit; without one nothing in here moves (positions
// of slots without a hit must be zero). Keyed bits of a row are different bits, so OR is the same as XOR, and smaller.
module mask_decode #(
    parameter WAYS      = 4,
    parameter POSITIONS = 128,  // at least 4
    parameter GROUPS    = 4,  // power of two, at most 2^(half the bits of a position)
    parameter POSITION  = $clog2(POSITIONS)  // bits of a position; derived
) (
    input  [         WAYS-1:0] hit_i,
    input  [WAYS*POSITION-1:0] position_i,
    output [    POSITIONS-1:0] mask_o,
    output [       GROUPS-1:0] group_o      // the mask has a bit in this group of positions (upper bits of the position); early
);
  localparam HIGH = POSITION / 2;  // bits of a position that select a line of the gated half
  localparam LOW = POSITION - HIGH;
  localparam GROUP = GROUPS > 1 ? $clog2(GROUPS) : 0;

  wire [WAYS*(1<<HIGH)-1:0] high;  // [way][line]
  wire [ WAYS*(1<<LOW)-1:0] low;
  genvar m, h, l, p, g;
  generate
    for (m = 0; m < WAYS; m = m + 1) begin : g_way
      for (h = 0; h < (1 << HIGH); h = h + 1) begin : g_high
        localparam [HIGH-1:0] SELF = h;
        assign high[m*(1<<HIGH)+h] = hit_i[m] & (position_i[m*POSITION+LOW+:HIGH] == SELF);
      end
      for (l = 0; l < (1 << LOW); l = l + 1) begin : g_low
        localparam [LOW-1:0] SELF = l;
        assign low[m*(1<<LOW)+l] = position_i[m*POSITION+:LOW] == SELF;
      end
    end

    for (p = 0; p < POSITIONS; p = p + 1) begin : g_mask
      wire [WAYS-1:0] here;
      for (m = 0; m < WAYS; m = m + 1) begin : g_way
        assign here[m] = high[m*(1<<HIGH)+p/(1<<LOW)] & low[m*(1<<LOW)+p%(1<<LOW)];
      end
      assign mask_o[p] = |here;
    end

    for (g = 0; g < GROUPS; g = g + 1) begin : g_group
      wire [WAYS-1:0] here;
      for (m = 0; m < WAYS; m = m + 1) begin : g_way
        assign here[m] = |high[m*(1<<HIGH)+g*(1<<(HIGH-GROUP))+:(1<<(HIGH-GROUP))];
      end
      assign group_o[g] = |here;
    end
  endgenerate
endmodule
