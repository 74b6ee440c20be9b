// SPDX-License-Identifier: Apache-2.0
// Stage A: what the head of the queue asks for, one operation a cycle. An event of count c is c passes over the line's row words, word fastest; an end-of-step marker fires each word's
// neurons once. Row addresses are added up (base + line, then + stride for each word): no multiplier. An event of count 0 is passed over in one cycle.
module address_stage #(
    parameter ADDR  = 14,
    parameter LINE  = 20,
    parameter COUNT = 16
) (
    input              clk_i,
    input              rst_ni,
    input              en_i,          // the pipeline moves
    input  [ ADDR-1:0] cfg_base_i,
    input  [ ADDR-1:0] cfg_stride_i,
    input  [      7:0] cfg_words_i,
    input              head_valid_i,
    input              head_end_i,
    input  [ LINE-1:0] head_line_i,
    input  [COUNT-1:0] head_count_i,
    output             pop_o,
    output             read_o,
    output             fire_o,
    output [      7:0] word_o,
    output [ ADDR-1:0] addr_o
);
  localparam SUM = ADDR > LINE ? ADDR : LINE;

  reg [7:0] word_q;
  reg [ADDR-1:0] offset_q;  // word_q * stride
  reg [COUNT-1:0] pass_q;

  wire none = ~head_end_i & (head_count_i == {COUNT{1'b0}});
  wire last_word = word_q == cfg_words_i - 8'd1;
  wire last_pass = head_end_i | (pass_q == head_count_i - {{COUNT - 1{1'b0}}, 1'b1});
  assign fire_o = head_valid_i & head_end_i;
  assign read_o = head_valid_i & ~head_end_i & ~none;
  assign pop_o  = en_i & head_valid_i & (none | (last_word & last_pass));
  assign word_o = word_q;

  // Addresses are taken modulo 2^ADDR: rows outside the array are not asked for.
  wire [SUM-1:0] line = {{SUM - LINE{1'b0}}, head_line_i};
  assign addr_o = cfg_base_i + offset_q + line[ADDR-1:0];
  wire unused_line = &{1'b0, line};

  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) begin
      word_q   <= 8'd0;
      offset_q <= {ADDR{1'b0}};
      pass_q   <= {COUNT{1'b0}};
    end else if (en_i & (read_o | fire_o)) begin
      word_q   <= last_word ? 8'd0 : word_q + 8'd1;
      offset_q <= last_word ? {ADDR{1'b0}} : offset_q + cfg_stride_i;
      if (last_word) pass_q <= last_pass ? {COUNT{1'b0}} : pass_q + {{COUNT - 1{1'b0}}, 1'b1};
    end
endmodule
