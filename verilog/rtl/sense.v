// SPDX-License-Identifier: Apache-2.0
// Stages S and X of a read-out: sense register and decryptor. The macro DECRYPTOR names the decryptor's module.
`ifndef DECRYPTOR
`define DECRYPTOR dec_pass
`endif
module sense #(
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
    input                   en_i,          // the pipeline moves
    input                   read_i,        // stage A: the array is to read
    input  [      ADDR-1:0] addr_i,        //          this row
    input  [LANES*BITS-1:0] array_data_i,  // stage S: what the array senses
    output                  word_valid_o,  // stage X: a word is there
    output [LANES*BITS-1:0] sensed_o,      //          as sensed
    output [LANES*BITS-1:0] word_o,        //          decrypted, when hold_o is 0
    output                  hold_o,        //          not decrypted yet
    input                   prov_valid_i,
    input  [          15:0] prov_addr_i,
    input  [          63:0] prov_data_i
);
  reg read_s_q, read_x_q;
  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) begin
      read_s_q <= 1'b0;
      read_x_q <= 1'b0;
    end else if (en_i) begin
      read_s_q <= read_i;
      read_x_q <= read_s_q;
    end

  wire clk_sense;
  clock_gate u_gate (
      .clk_i(clk_i),
      .en_i (read_s_q & en_i),
      .clk_o(clk_sense)
  );
  reg [LANES*BITS-1:0] sense_q;
  always @(posedge clk_sense) sense_q <= array_data_i;

  assign word_valid_o = read_x_q;
  assign sensed_o = sense_q;

  `DECRYPTOR #(
      .ADDR   (ADDR),
      .LANES  (LANES),
      .BITS   (BITS),
      .KEYABLE(KEYABLE),
      .KEYS   (KEYS),
      .WAYS   (WAYS),
      .GATED  (GATED),
      .STORE  (STORE)
  ) u_decryptor (
      .clk_i       (clk_i),
      .rst_ni      (rst_ni),
      .tamper_i    (tamper_i),
      .req_i       (read_i),
      .addr_i      (addr_i),
      .en_i        (en_i),
      .word_valid_i(read_x_q),
      .word_i      (sense_q),
      .word_o      (word_o),
      .hold_o      (hold_o),
      .prov_valid_i(prov_valid_i),
      .prov_addr_i (prov_addr_i),
      .prov_data_i (prov_data_i)
  );
endmodule
