// SPDX-License-Identifier: Apache-2.0
// To be proven: wrong_o is 0 for all inputs. The mask is the specification's, and a group says that its part of the mask is not zero.
module prove_cam #(
    parameter ADDR      = 4,
    parameter KEYS      = 8,
    parameter WAYS      = 4,
    parameter POSITIONS = 16,
    parameter GROUPS    = 4,
    parameter ENTRY     = 1 + ADDR + $clog2(POSITIONS)
) (
    input  [      ADDR-1:0] addr_i,
    input  [KEYS*ENTRY-1:0] entries_i,
    output                  wrong_o
);
  wire [POSITIONS-1:0] mask, expected;
  wire [GROUPS-1:0] group, group_expected;
  wire fair;
  mask_cam #(.ADDR(ADDR), .KEYS(KEYS), .WAYS(WAYS), .POSITIONS(POSITIONS), .GROUPS(GROUPS)) u_mask (.addr_i(addr_i), .entries_i(entries_i), .mask_o(mask), .group_o(group));
  spec_cam #(.ADDR(ADDR), .KEYS(KEYS), .WAYS(WAYS), .POSITIONS(POSITIONS)) u_spec (.addr_i(addr_i), .entries_i(entries_i), .mask_o(expected), .fair_o(fair));
  genvar g;
  generate
    for (g = 0; g < GROUPS; g = g + 1) begin : g_group
      assign group_expected[g] = expected[g*(POSITIONS/GROUPS)+:POSITIONS/GROUPS] != 0;
    end
  endgenerate
  assign wrong_o = fair & ((mask != expected) | (group != group_expected));
endmodule
