// SPDX-License-Identifier: Apache-2.0
// From stage A to stage S: the request and what goes with it (a row address, table indices). Clocked with a request only, so that idle cycles cost no energy; no reset on the data, which
// means nothing without valid_o.
module row_register #(
    parameter WIDTH = 14
) (
    input              clk_i,
    input              rst_ni,
    input              en_i,     // the pipeline moves
    input              req_i,
    input  [WIDTH-1:0] data_i,
    output             valid_o,
    output [WIDTH-1:0] data_o
);
  wire clk_data;
  clock_gate u_gate (
      .clk_i(clk_i),
      .en_i (en_i & req_i),
      .clk_o(clk_data)
  );

  reg valid_q;
  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) valid_q <= 1'b0;
    else if (en_i) valid_q <= req_i;

  reg [WIDTH-1:0] data_q;
  always @(posedge clk_data) data_q <= data_i;

  assign valid_o = valid_q;
  assign data_o  = data_q;
endmodule
