// SPDX-License-Identifier: Apache-2.0
// One adder lane: decodes a weight code and adds its value to the accumulator of the row word it belongs to.
module lane #(
    parameter BITS     = 8,
    parameter ENCODING = 0,  // 0 sign-magnitude, 1 two's complement, 2 offset binary; 1 bit is always 0: +1, 1: -1
    parameter WORDS    = 4,
    parameter WORD     = WORDS > 1 ? $clog2(WORDS) : 1  // bits of a word's number; derived
) (
    input             clk_i,
    input             empty_i,  // the accumulator counts as 0, whatever it holds
    input             add_i,
    input  [WORD-1:0] word_i,
    input  [BITS-1:0] code_i,
    output [    31:0] sum_o
);
  wire [31:0] value;
  generate
    if (BITS == 1) begin : g_binary
      assign value = {{31{code_i[0]}}, 1'b1};
    end else begin : g_bits
      wire top = code_i[BITS-1];
      if (ENCODING == 0) begin : g_sign_magnitude
        wire [31:0] rest = {{33 - BITS{1'b0}}, code_i[BITS-2:0]};
        assign value = top ? ~rest + 32'd1 : rest;
      end else if (ENCODING == 1) begin : g_twos_complement
        assign value = {{33 - BITS{top}}, code_i[BITS-2:0]};
      end else begin : g_offset_binary
        assign value = {{33 - BITS{~top}}, code_i[BITS-2:0]};
      end
    end
  endgenerate

  reg [31:0] sum_q[0:WORDS-1];
  assign sum_o = sum_q[word_i] & {32{~empty_i}};
  always @(posedge clk_i) if (add_i) sum_q[word_i] <= sum_o + value;
endmodule
