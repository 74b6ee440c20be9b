// SPDX-License-Identifier: Apache-2.0
// A read-out alone, what synthesis compares with and without decryption: row address register (the array's), sense register, decryptor.
module readout #(
    parameter ADDR    = 14,   // parameters of the decryptor
    parameter LANES   = 128,
    parameter BITS    = 8,
    parameter KEYABLE = 1,
    parameter KEYS    = 52,
    parameter WAYS    = 4,
    parameter GATED   = 1,
    parameter STORE   = 1
) (
    input                   clk_i,
    input                   rst_ni,
    input                   tamper_i,
    input                   read_i,        // stage A: read this row; taken when ready_o
    input  [      ADDR-1:0] addr_i,
    output                  ready_o,
    output                  array_read_o,  // stage S: the array senses this row
    output [      ADDR-1:0] array_addr_o,
    input  [LANES*BITS-1:0] array_data_i,
    output                  word_valid_o,  // stage X: its word, decrypted
    output [LANES*BITS-1:0] word_o,
    input                   prov_valid_i,
    input  [          15:0] prov_addr_i,
    input  [          63:0] prov_data_i
);
  wire valid, hold;
  wire [LANES*BITS-1:0] unused_sensed;
  assign ready_o = ~hold;
  assign word_valid_o = valid & ~hold;

  row_register #(
      .WIDTH(ADDR)
  ) u_row (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .en_i   (~hold),
      .req_i  (read_i),
      .data_i (addr_i),
      .valid_o(array_read_o),
      .data_o (array_addr_o)
  );

  sense #(
      .ADDR   (ADDR),
      .LANES  (LANES),
      .BITS   (BITS),
      .KEYABLE(KEYABLE),
      .KEYS   (KEYS),
      .WAYS   (WAYS),
      .GATED  (GATED),
      .STORE  (STORE)
  ) u_sense (
      .clk_i       (clk_i),
      .rst_ni      (rst_ni),
      .tamper_i    (tamper_i),
      .en_i        (~hold),
      .read_i      (read_i),
      .addr_i      (addr_i),
      .array_data_i(array_data_i),
      .word_valid_o(valid),
      .sensed_o    (unused_sensed),
      .word_o      (word_o),
      .hold_o      (hold),
      .prov_valid_i(prov_valid_i),
      .prov_addr_i (prov_addr_i),
      .prov_data_i (prov_data_i)
  );
endmodule
