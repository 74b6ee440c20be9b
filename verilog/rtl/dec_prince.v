// SPDX-License-Identifier: Apache-2.0
// PRINCE in counter mode over all keyable bits: every row word has its own keystream, no positions are secret, no memory grows with the key. Unrolled: the keystream of a row is there in
// stage S, no cycle is added where the library makes the path short enough.
module dec_prince #(
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
  localparam POSITIONS = LANES * KEYABLE;
  localparam BLOCKS = (POSITIONS + 63) / 64;

  wire clear_n = rst_ni & ~tamper_i;
  assign hold_o = 1'b0;

  wire [191:0] keys;  // {nonce, k1, k0}
  key_store #(
      .ENTRIES(3),
      .WIDTH  (64),
      .STORE  (STORE)
  ) u_keys (
      .clk_i   (clk_i),
      .clear_ni(clear_n),
      .write_i (prov_valid_i & (prov_addr_i < 16'd3)),
      .addr_i  (prov_addr_i[1:0]),
      .data_i  (prov_data_i),
      .data_o  (keys)
  );
  wire unused_nonce = &{1'b0, keys[191:160]};

  wire read;
  wire [ADDR-1:0] addr;
  row_register #(
      .WIDTH(ADDR)
  ) u_row (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .en_i   (en_i),
      .req_i  (req_i),
      .data_i (addr_i),
      .valid_o(read),
      .data_o (addr)
  );

  wire [BLOCKS*64-1:0] stream;
  genvar j;
  generate
    for (j = 0; j < BLOCKS; j = j + 1) begin : g_block
      localparam [7:0] NUMBER = j;
      prince u_prince (
          .k0_i   (keys[63:0]),
          .k1_i   (keys[127:64]),
          .block_i({keys[159:128], {24 - ADDR{1'b0}}, addr, NUMBER}),
          .block_o(stream[j*64+:64])
      );
    end
  endgenerate
  wire unused_stream = &{1'b0, stream};  // the last block may be longer than the word

  wire [POSITIONS-1:0] mask_x;
  mask_register #(
      .POSITIONS(POSITIONS),
      .GROUPS   (1),
      .GATED    (0)  // every row has a mask
  ) u_register (
      .clk_i   (clk_i),
      .clear_ni(clear_n),
      .move_i  (read & en_i),
      .mask_i  (stream[POSITIONS-1:0]),
      .group_i (1'b1),
      .mask_o  (mask_x)
  );
  mask_xor #(
      .LANES  (LANES),
      .BITS   (BITS),
      .KEYABLE(KEYABLE)
  ) u_xor (
      .word_i(word_i),
      .mask_i(mask_x),
      .word_o(word_o)
  );
endmodule
