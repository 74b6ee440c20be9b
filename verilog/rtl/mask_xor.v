// SPDX-License-Identifier: Apache-2.0
// Combinational: a mask over the keyable bits of a row word. Position lane * KEYABLE + b is bit b of the lane's weight, counted from its most significant one; other bits pass.
module mask_xor #(
    parameter LANES   = 128,
    parameter BITS    = 8,
    parameter KEYABLE = 1
) (
    input  [   LANES*BITS-1:0] word_i,
    input  [LANES*KEYABLE-1:0] mask_i,
    output [   LANES*BITS-1:0] word_o
);
  genvar l, b;
  generate
    for (l = 0; l < LANES; l = l + 1) begin : g_lane
      for (b = 0; b < BITS; b = b + 1) begin : g_bit
        if (b < KEYABLE) begin : g_keyable
          assign word_o[l*BITS+BITS-1-b] = word_i[l*BITS+BITS-1-b] ^ mask_i[l*KEYABLE+b];
        end else begin : g_plain
          assign word_o[l*BITS+BITS-1-b] = word_i[l*BITS+BITS-1-b];
        end
      end
    end
  endgenerate
endmodule
