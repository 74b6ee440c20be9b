// SPDX-License-Identifier: Apache-2.0
// Bits of a key store as flip-flops, each entry with a clock of its own.
(* no_scan *)
module key_store_flops #(
    parameter ENTRIES = 52,
    parameter WIDTH   = 22
) (
    input                      clear_ni,
    input  [      ENTRIES-1:0] clk_entry_i,
    input  [        WIDTH-1:0] data_i,
    output [ENTRIES*WIDTH-1:0] data_o
);
  genvar e;
  generate
    for (e = 0; e < ENTRIES; e = e + 1) begin : g_entry
      reg [WIDTH-1:0] data_q;
      always @(posedge clk_entry_i[e] or negedge clear_ni)
        if (!clear_ni) data_q <= {WIDTH{1'b0}};
        else data_q <= data_i;
      assign data_o[e*WIDTH+:WIDTH] = data_q;
    end
  endgenerate
endmodule
