// SPDX-License-Identifier: Apache-2.0
// No decryption: what plain read-out costs, and what cycle counts are compared with.
module dec_pass #(
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
  assign word_o = word_i;
  assign hold_o = 1'b0;
endmodule
