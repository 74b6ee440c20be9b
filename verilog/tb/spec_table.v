// SPDX-License-Identifier: Apache-2.0
// What table_index and mask_table together must do, written as the definition: the XOR of the one-hot positions of every valid entry whose row is the address. An entry's row follows from
// where it stands: upper bits = tag, lower bits = set ^ L_m * tag. What they may rely on: entries of one row have different positions.
module spec_table #(
    parameter ADDR      = 5,
    parameter WAYS      = 2,
    parameter SETS      = 4,
    parameter POSITIONS = 16,
    parameter INDEX     = $clog2(SETS),
    parameter TAG       = ADDR - INDEX,
    parameter POSITION  = $clog2(POSITIONS)
) (
    input      [                          ADDR-1:0] addr_i,
    input      [                WAYS*INDEX*TAG-1:0] hash_i,
    input      [WAYS*SETS*(1+TAG+POSITION)-1:0] entries_i,
    output reg [                     POSITIONS-1:0] mask_o,
    output reg                                      fair_o
);
  localparam ENTRY = 1 + TAG + POSITION;
  reg [ADDR-1:0] row[0:WAYS*SETS-1];
  reg [POSITION-1:0] position[0:WAYS*SETS-1];
  reg [WAYS*SETS-1:0] valid;
  reg [TAG-1:0] tag;
  reg [INDEX-1:0] low;
  integer m, s, i, t, k, j;
  always @* begin
    mask_o = 0;
    fair_o = 1;
    for (m = 0; m < WAYS; m = m + 1)
      for (s = 0; s < SETS; s = s + 1) begin
        {valid[m*SETS+s], tag, position[m*SETS+s]} = entries_i[(m*SETS+s)*ENTRY+:ENTRY];
        low = s;
        for (i = 0; i < INDEX; i = i + 1) for (t = 0; t < TAG; t = t + 1) if (hash_i[(m*INDEX+i)*TAG+t] && tag[t]) low[i] = !low[i];
        row[m*SETS+s] = {tag, low};
      end
    for (k = 0; k < WAYS * SETS; k = k + 1) begin
      if (valid[k] && row[k] == addr_i) mask_o = mask_o ^ (1 << position[k]);
      for (j = 0; j < k; j = j + 1) if (valid[k] && valid[j] && row[k] == row[j] && position[k] == position[j]) fair_o = 0;
    end
  end
endmodule
