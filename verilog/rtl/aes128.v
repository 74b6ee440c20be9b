// SPDX-License-Identifier: Apache-2.0
// AES-128 encryption (FIPS 197), one round a cycle, round keys on the way: 11 cycles for each block (whitening and 10 rounds). The first byte is the leftmost. block_o holds the result from
// the 11th edge after start_i was sampled on, until the edge of the next start, which may come at once.
module aes128 (
    input          clk_i,
    input          rst_ni,
    input          start_i,
    input  [127:0] key_i,
    input  [127:0] block_i,
    output [127:0] block_o
);
  reg [127:0] state_q, key_q;
  reg [3:0] round_q;  // 0: at rest
  reg [7:0] rcon_q;

  // ---- SubBytes and ShiftRows: byte 4 c + r comes from column c + r; key schedule's S-boxes: the last word, rotated ----
  wire [127:0] shifted, mixed, key_next;
  wire [31:0] word;
  genvar c, r;
  generate
    for (c = 0; c < 4; c = c + 1) begin : g_column
      for (r = 0; r < 4; r = r + 1) begin : g_row
        aes_sbox u_sbox (
            .in_i (state_q[120-8*(4*((c+r)%4)+r)+:8]),
            .out_o(shifted[120-8*(4*c+r)+:8])
        );
      end
      aes_sbox u_sbox (
          .in_i (key_q[24-8*((c+1)%4)+:8]),
          .out_o(word[24-8*c+:8])
      );
    end
  endgenerate

  // ---- MixColumns: 2 s0 + 3 s1 + s2 + s3 = s0 + (s0 + s1 + s2 + s3) + 2 (s0 + s1) ----
  function [7:0] twice(input [7:0] x);
    twice = {x[6:0], 1'b0} ^ (8'h1b & {8{x[7]}});
  endfunction
  function [31:0] mix(input [31:0] x);
    reg [7:0] s0, s1, s2, s3, all;
    begin
      {s0, s1, s2, s3} = x;
      all = s0 ^ s1 ^ s2 ^ s3;
      mix = {s0 ^ all ^ twice(s0 ^ s1), s1 ^ all ^ twice(s1 ^ s2), s2 ^ all ^ twice(s2 ^ s3), s3 ^ all ^ twice(s3 ^ s0)};
    end
  endfunction
  assign mixed = {mix(shifted[127:96]), mix(shifted[95:64]), mix(shifted[63:32]), mix(shifted[31:0])};

  // ---- key schedule ----
  wire [31:0] k0 = key_q[127:96] ^ word ^ {rcon_q, 24'd0};
  wire [31:0] k1 = key_q[95:64] ^ k0;
  wire [31:0] k2 = key_q[63:32] ^ k1;
  wire [31:0] k3 = key_q[31:0] ^ k2;
  assign key_next = {k0, k1, k2, k3};

  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) round_q <= 4'd0;
    else if (start_i) round_q <= 4'd1;
    else if (round_q != 4'd0) round_q <= round_q == 4'd10 ? 4'd0 : round_q + 4'd1;

  // State and round keys are cleared with the control, so that simulations start known and no key outlives a tamper.
  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) begin
      state_q <= 128'd0;
      key_q   <= 128'd0;
      rcon_q  <= 8'd0;
    end else if (start_i) begin
      state_q <= block_i ^ key_i;
      key_q   <= key_i;
      rcon_q  <= 8'h01;
    end else if (round_q != 4'd0) begin
      state_q <= (round_q == 4'd10 ? shifted : mixed) ^ key_next;
      key_q   <= key_next;
      rcon_q  <= twice(rcon_q);
    end

  assign block_o = state_q;
endmodule
