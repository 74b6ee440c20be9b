// SPDX-License-Identifier: Apache-2.0
// What mask_cam must do, written as the definition: the XOR of the one-hot positions of every valid entry whose row is the address. And what it may rely on: entries of one row stand in
// different slots and have different positions.
module spec_cam #(
    parameter ADDR      = 4,
    parameter KEYS      = 8,
    parameter WAYS      = 4,
    parameter POSITIONS = 16,
    parameter POSITION  = $clog2(POSITIONS)
) (
    input      [                     ADDR-1:0] addr_i,
    input      [KEYS*(1+ADDR+POSITION)-1:0] entries_i,
    output reg [                POSITIONS-1:0] mask_o,
    output reg                                 fair_o
);
  localparam ENTRY = 1 + ADDR + POSITION;
  integer k, j;
  reg valid, other_valid;
  reg [ADDR-1:0] row, other_row;
  reg [POSITION-1:0] position, other_position;
  always @* begin
    mask_o = 0;
    fair_o = 1;
    for (k = 0; k < KEYS; k = k + 1) begin
      {valid, row, position} = entries_i[k*ENTRY+:ENTRY];
      if (valid && row == addr_i) mask_o = mask_o ^ (1 << position);
      for (j = 0; j < k; j = j + 1) begin
        {other_valid, other_row, other_position} = entries_i[j*ENTRY+:ENTRY];
        if (valid && other_valid && row == other_row && (k % WAYS == j % WAYS || position == other_position)) fair_o = 0;
      end
    end
  end
endmodule
