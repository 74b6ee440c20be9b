// SPDX-License-Identifier: Apache-2.0
// Transparent latches: q follows d while en is 1. The only module that infers latches, so that a library's cells can be mapped and waivers kept in one place.
module latch #(
    parameter WIDTH = 1
) (
    input              en_i,
    input  [WIDTH-1:0] d_i,
    output [WIDTH-1:0] q_o
);
  reg [WIDTH-1:0] q;
  always @* if (en_i) q = d_i;
  assign q_o = q;
endmodule
