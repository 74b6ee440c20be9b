// SPDX-License-Identifier: Apache-2.0
// Combinational: the mask of a row from the key table. A decoder for each way opens one set's entry (AND and OR: with a multiplexer tree all other sets would toggle, too); positions are
// opened by a hit only, so that they and the decoders behind them rest without one. A row has each position in one way at most.
module mask_table #(
    parameter TAG       = 10,
    parameter WAYS      = 4,
    parameter SETS      = 16,  // a power of two, at least 2
    parameter POSITIONS = 128,
    parameter GROUPS    = 4,
    parameter INDEX     = $clog2(SETS),       // bits of an index; derived
    parameter POSITION  = $clog2(POSITIONS),  // bits of a position; derived
    parameter ENTRY     = POSITION + TAG + 1  // bits of an entry; derived
) (
    input  [            TAG-1:0] tag_i,
    input  [     WAYS*INDEX-1:0] index_i,
    input  [WAYS*SETS*ENTRY-1:0] entries_i,  // [way][set] {valid, tag, position}
    output [      POSITIONS-1:0] mask_o,
    output [         GROUPS-1:0] group_o
);
  wire [WAYS-1:0] hit;
  wire [WAYS*POSITION-1:0] position;
  genvar m;
  generate
    for (m = 0; m < WAYS; m = m + 1) begin : g_way
      reg [SETS-1:0] open, wanted;
      reg [TAG:0] found;  // {valid, tag}
      reg [POSITION-1:0] at;
      integer s;
      always @* begin
        found = {TAG + 1{1'b0}};
        for (s = 0; s < SETS; s = s + 1) begin
          open[s] = index_i[m*INDEX+:INDEX] == s[INDEX-1:0];
          found = found | (entries_i[(m*SETS+s)*ENTRY+POSITION+:TAG+1] & {TAG + 1{open[s]}});
        end
      end
      assign hit[m] = found == {1'b1, tag_i};
      always @* begin
        wanted = open & {SETS{hit[m]}};
        at = {POSITION{1'b0}};
        for (s = 0; s < SETS; s = s + 1) at = at | (entries_i[(m*SETS+s)*ENTRY+:POSITION] & {POSITION{wanted[s]}});
      end
      assign position[m*POSITION+:POSITION] = at;
    end
  endgenerate

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
