// SPDX-License-Identifier: Apache-2.0
// Bits of a key store as latches. One register in front of them holds the data of a write from the edge on, so that a latch, which closes half a cycle later, never sees it change. Clearing
// opens all latches onto that register, which is then zero: latches without reset will do, and no clock is needed. The register stays zero until the next write.
(* no_scan *)
module key_store_latches #(
    parameter ENTRIES = 52,
    parameter WIDTH   = 22
) (
    input                      clear_ni,
    input                      clk_write_i,
    input  [      ENTRIES-1:0] clk_entry_i,
    input  [        WIDTH-1:0] data_i,
    output [ENTRIES*WIDTH-1:0] data_o
);
  reg [WIDTH-1:0] stage_q;
  always @(posedge clk_write_i or negedge clear_ni)
    if (!clear_ni) stage_q <= {WIDTH{1'b0}};
    else stage_q <= data_i;

  genvar e;
  generate
    for (e = 0; e < ENTRIES; e = e + 1) begin : g_entry
      latch #(
          .WIDTH(WIDTH)
      ) u_bits (
          .en_i(clk_entry_i[e] | ~clear_ni),
          .d_i (stage_q),
          .q_o (data_o[e*WIDTH+:WIDTH])
      );
    end
  endgenerate
endmodule
