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

  localparam LINES = 1 << HIGH;
  localparam SPAN = 1 << LOW;

  // Whole vectors, which simulators handle faster than single bits.
  reg [LINES-1:0] high;
  reg [SPAN-1:0] low;
  reg [LINES*SPAN-1:0] mask;
  reg [LINES-1:0] lines;  // lines of the gated half that some slot drives
  integer m, h, l;
  always @* begin
    mask  = {LINES * SPAN{1'b0}};
    lines = {LINES{1'b0}};
    for (m = 0; m < WAYS; m = m + 1) begin
      for (l = 0; l < SPAN; l = l + 1) low[l] = position_i[m*POSITION+:LOW] == l[LOW-1:0];
      for (h = 0; h < LINES; h = h + 1) begin
        high[h] = hit_i[m] & (position_i[m*POSITION+LOW+:HIGH] == h[HIGH-1:0]);
        mask[h*SPAN+:SPAN] = mask[h*SPAN+:SPAN] | (low & {SPAN{high[h]}});
      end
      lines = lines | high;
    end
  end
  assign mask_o = mask[POSITIONS-1:0];
  wire unused_mask = &{1'b0, mask};  // positions may be no power of two

  genvar g;
  generate
    for (g = 0; g < GROUPS; g = g + 1) begin : g_group
      assign group_o[g] = |lines[g*(1<<(HIGH-GROUP))+:(1<<(HIGH-GROUP))];
    end
  endgenerate
endmodule
