// SPDX-License-Identifier: Apache-2.0
// Baseline that costs cycles: AES-128 in counter mode over all bits of the word, one iterative core. A word waits in stage X for 11 cycles for each 128 bits of keystream.
module dec_aes #(
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
  localparam BLOCKS = (W + 127) / 128;  // at most 256: the counter's block number has 8 bits

  wire clear_n = rst_ni & ~tamper_i;

  wire [127:0] key;
  key_store #(
      .ENTRIES(2),
      .WIDTH  (64),
      .STORE  (STORE)
  ) u_keys (
      .clk_i   (clk_i),
      .clear_ni(clear_n),
      .write_i (prov_valid_i & (prov_addr_i < 16'd2)),
      .addr_i  (prov_addr_i[0]),
      .data_i  (prov_data_i),
      .data_o  (key)
  );

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

  // With the word in X, step_q counts the 11 cycles of block block_q; the first of them starts the core and collects the block before.
  reg busy_q;
  reg [3:0] step_q;
  reg [7:0] block_q;
  reg [ADDR-1:0] addr_x_q;
  localparam [7:0] LAST = BLOCKS[7:0] - 8'd1;
  always @(posedge clk_i or negedge clear_n)
    if (!clear_n) begin
      busy_q   <= 1'b0;
      step_q   <= 4'd0;
      block_q  <= 8'd0;
      addr_x_q <= {ADDR{1'b0}};
    end else if (read & en_i) begin
      busy_q   <= 1'b1;
      step_q   <= 4'd0;
      block_q  <= 8'd0;
      addr_x_q <= addr;
    end else if (busy_q) begin
      step_q <= step_q == 4'd10 ? 4'd0 : step_q + 4'd1;
      if (step_q == 4'd10) begin
        block_q <= block_q + 8'd1;
        if (block_q == LAST) busy_q <= 1'b0;
      end
    end

  wire start = busy_q & (step_q == 4'd0);
  wire [127:0] block;
  aes128 u_aes (
      .clk_i  (clk_i),
      .rst_ni (clear_n),
      .start_i(start),
      .key_i  (key),
      .block_i({96'd0, {24 - ADDR{1'b0}}, addr_x_q, block_q}),
      .block_o(block)
  );

  // The last block stays in the core until the next word's first.
  wire [BLOCKS*128-1:0] stream;
  genvar j;
  generate
    for (j = 0; j < BLOCKS - 1; j = j + 1) begin : g_block
      localparam [7:0] NEXT = j + 1;
      reg [127:0] stream_q;
      always @(posedge clk_i or negedge clear_n)
        if (!clear_n) stream_q <= 128'd0;
        else if (start & (block_q == NEXT)) stream_q <= block;
      assign stream[j*128+:128] = stream_q;
    end
  endgenerate
  assign stream[(BLOCKS-1)*128+:128] = block;
  wire unused_stream = &{1'b0, stream};  // the last block may be longer than the word

  assign word_o = word_i ^ stream[W-1:0];
  assign hold_o = word_valid_i & busy_q;
endmodule
