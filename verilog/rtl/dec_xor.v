// SPDX-License-Identifier: Apache-2.0
// Baseline: every bit of every word XORed with one fixed key. The key needs no register behind its store: it is the same for all rows.
module dec_xor #(
    parameter ADDR    = 14,   // bits of a row address
    parameter LANES   = 128,  // weights of a row word
    parameter BITS    = 8,    // bits of a weight
    parameter KEYABLE = 1,    // most significant bits of a weight that may be keyed
    parameter KEYS    = 52,   // entries of the key store
    parameter WAYS    = 4,    // most keyed bits of a row word
    parameter GATED   = 1,    // mask register clocked only where the mask changes from or to zero
    parameter STORE   = 1     // key store of 0: flip-flops, 1: latches
) (
    input                   clk_i,
    input                   rst_ni,
    input                   tamper_i,
    input                   req_i,
    input  [      ADDR-1:0] addr_i,
    input                   en_i,
    input                   word_valid_i,
    input  [LANES*BITS-1:0] word_i,
    output [LANES*BITS-1:0] word_o,
    output                  hold_o,
    input                   prov_valid_i,
    input  [          15:0] prov_addr_i,
    input  [          63:0] prov_data_i
);
  localparam W = LANES * BITS;
  localparam ENTRIES = (W + 63) / 64;
  localparam INDEX = ENTRIES > 1 ? $clog2(ENTRIES) : 1;

  wire [ENTRIES*64-1:0] key;
  key_store #(
      .ENTRIES(ENTRIES),
      .WIDTH  (64),
      .STORE  (STORE)
  ) u_keys (
      .clk_i   (clk_i),
      .clear_ni(rst_ni & ~tamper_i),
      .write_i (prov_valid_i & ({16'd0, prov_addr_i} < ENTRIES)),
      .addr_i  (prov_addr_i[INDEX-1:0]),
      .data_i  (prov_data_i),
      .data_o  (key)
  );
  wire unused_key = &{1'b0, key};  // the last entry may be longer than the word

  assign word_o = word_i ^ key[W-1:0];
  assign hold_o = 1'b0;
endmodule
