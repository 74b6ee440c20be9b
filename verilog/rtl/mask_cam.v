// SPDX-License-Identifier: Apache-2.0
// Combinational: the mask of a row from a slotted associative memory. Entry k stands in slot k mod WAYS; a row has at most one entry in each slot.
module mask_cam #(
    parameter ADDR      = 14,
    parameter KEYS      = 52,  // multiple of WAYS
    parameter WAYS      = 4,
    parameter POSITIONS = 128,
    parameter GROUPS    = 4,
    parameter POSITION  = $clog2(POSITIONS),  // bits of a position; derived
    parameter ENTRY     = POSITION + ADDR + 1  // bits of an entry; derived
) (
    input  [      ADDR-1:0] addr_i,
    input  [KEYS*ENTRY-1:0] entries_i,  // each {valid, row, position}
    output [ POSITIONS-1:0] mask_o,
    output [    GROUPS-1:0] group_o
);
  localparam DEPTH = KEYS / WAYS;  // entries of a slot

  reg [WAYS-1:0] hit;
  reg [WAYS*POSITION-1:0] position;
  reg match;
  integer m, n;
  always @* begin
    hit = {WAYS{1'b0}};
    position = {WAYS * POSITION{1'b0}};
    match = 1'b0;
    for (m = 0; m < WAYS; m = m + 1)
      for (n = 0; n < DEPTH; n = n + 1) begin
        match  = entries_i[(n*WAYS+m)*ENTRY+POSITION+:ADDR+1] == {1'b1, addr_i};
        hit[m] = hit[m] | match;
        // Gated by the match: the position lines stay at zero without one.
        position[m*POSITION+:POSITION] = position[m*POSITION+:POSITION] | (entries_i[(n*WAYS+m)*ENTRY+:POSITION] & {POSITION{match}});
      end
  end

  mask_decode #(
      .WAYS     (WAYS),
      .POSITIONS(POSITIONS),
      .GROUPS   (GROUPS)
  ) u_decode (
      .hit_i     (hit),
      .position_i(position),
      .mask_o    (mask_o),
      .group_o   (group_o)
  );
endmodule
