// SPDX-License-Identifier: Apache-2.0
// Neurons of one lane, in fixed point: v' = trunc(v * decay / 4096) + 64 * sum + bias in 1/64 weight LSB, a spike when v' exceeds (or reaches) the threshold, then 0 or v' - threshold.
// One neuron for each row word. The products rest while no neuron fires: their operand is held at zero.
module lif #(
    parameter WORDS = 4,
    parameter WORD  = WORDS > 1 ? $clog2(WORDS) : 1  // bits of a word's number; derived
) (
    input             clk_i,
    input             clear_i,             // all membranes
    input             fire_i,              // the neuron of word_i takes sum_i: outputs mean something
    input             store_i,             // and its membrane is updated at the edge
    input  [WORD-1:0] word_i,
    input  [    31:0] sum_i,
    input  [    12:0] cfg_decay_i,         // in 1/4096, at most 4096
    input             cfg_subtract_i,      // reset by subtraction
    input             cfg_at_threshold_i,  // >= in place of >
    input             cfg_spiking_i,
    input             par_valid_i,
    input  [WORD-1:0] par_word_i,
    input  [    31:0] par_threshold_i,
    input  [    31:0] par_bias_i,
    output [    31:0] membrane_o,          // v'
    output            spike_o
);
  reg [31:0] threshold_q[0:WORDS-1];
  reg [31:0] bias_q[0:WORDS-1];
  always @(posedge clk_i)
    if (par_valid_i) begin
      threshold_q[par_word_i] <= par_threshold_i;
      bias_q[par_word_i] <= par_bias_i;
    end

  reg [31:0] v_q[0:WORDS-1];
  wire [31:0] v = v_q[word_i] & {32{fire_i}};
  wire [44:0] product = {{13{v[31]}}, v} * {32'd0, cfg_decay_i};  // sign is kept: 45 bits hold it
  wire [44:0] rounded = product + {33'd0, {12{product[44]}}};  // toward zero: the shift alone rounds down
  wire [31:0] leaked = rounded[43:12];
  wire [31:0] now = leaked + {sum_i[25:0], 6'd0} + bias_q[word_i];

  wire unused_bits = &{1'b0, rounded[44], rounded[11:0], sum_i[31:26]};  // membranes are taken modulo 2^32

  wire [31:0] threshold = threshold_q[word_i];
  wire above = $signed(now) > $signed(threshold);
  wire at = now == threshold;
  assign membrane_o = now;
  assign spike_o = cfg_spiking_i & (above | (at & cfg_at_threshold_i));

  integer w;
  always @(posedge clk_i)
    if (clear_i) begin
      for (w = 0; w < WORDS; w = w + 1) v_q[w] <= 32'd0;
    end else if (store_i) v_q[word_i] <= !spike_o ? now : cfg_subtract_i ? now - threshold : 32'd0;
endmodule
