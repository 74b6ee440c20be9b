// SPDX-License-Identifier: Apache-2.0
// To be proven: wrong_o is 0 for all inputs. The mask is the specification's, and a group says that its part of the mask is not zero.
module prove_table #(
    parameter ADDR      = 5,
    parameter WAYS      = 2,
    parameter SETS      = 4,
    parameter POSITIONS = 16,
    parameter GROUPS    = 4,
    parameter INDEX     = $clog2(SETS),
    parameter TAG       = ADDR - INDEX,
    parameter ENTRY     = 1 + TAG + $clog2(POSITIONS)
) (
    input  [           ADDR-1:0] addr_i,
    input  [ WAYS*INDEX*TAG-1:0] hash_i,
    input  [WAYS*SETS*ENTRY-1:0] entries_i,
    output                       wrong_o
);
  wire [WAYS*INDEX-1:0] index;
  wire [POSITIONS-1:0] mask, expected;
  wire [GROUPS-1:0] group, group_expected;
  wire fair;
  table_index #(.ADDR(ADDR), .WAYS(WAYS), .SETS(SETS)) u_index (.addr_i(addr_i), .hash_i(hash_i), .index_o(index));
  mask_table #(.TAG(TAG), .WAYS(WAYS), .SETS(SETS), .POSITIONS(POSITIONS), .GROUPS(GROUPS)) u_mask (.tag_i(addr_i[ADDR-1:INDEX]), .index_i(index), .entries_i(entries_i), .mask_o(mask), .group_o(group));
  spec_table #(.ADDR(ADDR), .WAYS(WAYS), .SETS(SETS), .POSITIONS(POSITIONS)) u_spec (.addr_i(addr_i), .hash_i(hash_i), .entries_i(entries_i), .mask_o(expected), .fair_o(fair));
  genvar g;
  generate
    for (g = 0; g < GROUPS; g = g + 1) begin : g_group
      assign group_expected[g] = expected[g*(POSITIONS/GROUPS)+:POSITIONS/GROUPS] != 0;
    end
  endgenerate
  assign wrong_o = fair & ((mask != expected) | (group != group_expected));
endmodule
