// SPDX-License-Identifier: Apache-2.0
// Mask register, from stage S to stage X. A group of positions is clocked when its mask has a bit or its register may hold one (GATED = 1), or with every row read (GATED = 0: hits do not
// show in the clock's power). The register needs no reset: after clear each group counts as unclean and is written with the next row read, and while clear lasts the clock
// writes the mask of a cleared store.
module mask_register #(
    parameter POSITIONS = 128,
    parameter GROUPS    = 4,
    parameter GATED     = 1
) (
    input                  clk_i,
    input                  clear_ni,
    input                  move_i,   // a row read goes from S to X
    input  [POSITIONS-1:0] mask_i,
    input  [   GROUPS-1:0] group_i,  // mask_i has a bit in this group
    output [POSITIONS-1:0] mask_o
);
  localparam SIZE = POSITIONS / GROUPS;

  genvar g;
  generate
    for (g = 0; g < GROUPS; g = g + 1) begin : g_group
      reg  clean_q;
      wire clk_group;
      clock_gate u_gate (
          .clk_i(clk_i),
          .en_i (~clear_ni | (move_i & (group_i[g] | ~clean_q | (GATED == 0)))),
          .clk_o(clk_group)
      );
      always @(posedge clk_group or negedge clear_ni)
        if (!clear_ni) clean_q <= 1'b0;
        else clean_q <= ~group_i[g];

      reg [SIZE-1:0] mask_q;
      always @(posedge clk_group) mask_q <= mask_i[g*SIZE+:SIZE];
      assign mask_o[g*SIZE+:SIZE] = mask_q;
    end
  endgenerate
endmodule
