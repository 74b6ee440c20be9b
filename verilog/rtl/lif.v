// SPDX-License-Identifier: Apache-2.0
// Neurons of one lane, in fixed point: v' = trunc(v * decay / 4096) + 64 * sum + bias in 1/64 weight LSB, a spike when v' exceeds (or reaches) the threshold, then 0 or v' - threshold.
// One neuron for each row word. The products rest while no neuron fires: their operand is held at zero.
module lif #(
    parameter WORDS = 4,
    parameter WORD  = WORDS > 1 ? $clog2(WORDS) : 1  // bits of a word's number; derived
) (
    input             clk_i,
    input             empty_i,             // the membrane counts as 0, whatever it holds
    input             fire_i,              // the neuron of word_i takes sum_i: outputs mean something, else they are 0
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
  reg [31:0] v, now, next;
  reg [44:0] product, rounded;
  reg [32:0] below;  // threshold - v'
  reg spike;
  // The branch is for simulators, which then skip what nobody looks at; in gates it is the AND of the product's operand that keeps the multiplier at rest.
  always @* begin
    v = 32'd0;
    product = 45'd0;
    rounded = 45'd0;
    now = 32'd0;
    next = 32'd0;
    below = 33'd0;
    spike = 1'b0;
    if (fire_i) begin
      v = v_q[word_i] & {32{fire_i & ~empty_i}};
      product = {{13{v[31]}}, v} * {32'd0, cfg_decay_i};  // sign is kept: 45 bits hold it
      rounded = product + {33'd0, {12{product[44]}}};  // toward zero: the shift alone rounds down
      now = rounded[43:12] + {sum_i[25:0], 6'd0} + bias_q[word_i];
      below = {threshold_q[word_i][31], threshold_q[word_i]} - {now[31], now};
      spike = cfg_spiking_i & (below[32] | (cfg_at_threshold_i & (below == 33'd0)));
      next = !spike ? now : cfg_subtract_i ? now - threshold_q[word_i] : 32'd0;
    end
  end
  wire unused_bits = &{1'b0, rounded[44], rounded[11:0], sum_i[31:26]};  // membranes are taken modulo 2^32
  assign membrane_o = now;
  assign spike_o = spike;

  always @(posedge clk_i) if (store_i) v_q[word_i] <= next;
endmodule
