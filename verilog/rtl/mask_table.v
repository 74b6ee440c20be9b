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
  wire [         WAYS-1:0] hit;
  wire [WAYS*POSITION-1:0] position;
  genvar m, s, b;
  generate
    for (m = 0; m < WAYS; m = m + 1) begin : g_way
      wire [SETS-1:0] open;
      for (s = 0; s < SETS; s = s + 1) begin : g_set
        localparam [INDEX-1:0] SELF = s;
        assign open[s] = index_i[m*INDEX+:INDEX] == SELF;
      end

      wire [TAG:0] found;  // {valid, tag}
      for (b = 0; b <= TAG; b = b + 1) begin : g_tag
        wire [SETS-1:0] opened;
        for (s = 0; s < SETS; s = s + 1) begin : g_set
          assign opened[s] = open[s] & entries_i[(m*SETS+s)*ENTRY+POSITION+b];
        end
        assign found[b] = |opened;
      end
      assign hit[m] = found == {1'b1, tag_i};

      for (b = 0; b < POSITION; b = b + 1) begin : g_position
        wire [SETS-1:0] opened;
        for (s = 0; s < SETS; s = s + 1) begin : g_set
          assign opened[s] = open[s] & hit[m] & entries_i[(m*SETS+s)*ENTRY+b];
        end
        assign position[m*POSITION+b] = |opened;
      end
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
