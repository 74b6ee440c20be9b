// SPDX-License-Identifier: GPL-3.0-or-later
// For proofs about changed gates (prove_rtl.sh): a tile of WORDS = 2 that is used as it may be, and only what of it may be looked at. This is all that the proofs assume:
// - it begins with two cycles of reset, whatever the registers hold at power-up;
// - inputs change at the falling edge of the clock (hw/rtl_bridge.cpp does the same), reset and tamper too;
// - the layer's registers change only while the tile is idle, and ask for 1 or 2 words of a line; thresholds and biases may be written at any time.
module env #(
    parameter ADDR = 1,
    parameter LANES = 1,
    parameter BITS = 1,
    parameter COUNT = 1,
    parameter LINE = 1
) (
    // Anything, in every cycle.
    input                   reset_i,
    input                   clear_i,
    input                   tamper_i,
    input  [      ADDR-1:0] base_i,
    input  [      ADDR-1:0] stride_i,
    input                   two_words_i,
    input  [          12:0] decay_i,
    input  [           2:0] modes_i,
    input                   par_valid_i,
    input                   par_word_i,
    input  [  LANES*32-1:0] par_threshold_i,
    input  [  LANES*32-1:0] par_bias_i,
    input                   aer_valid_i,
    input  [      LINE-1:0] aer_line_i,
    input  [     COUNT-1:0] aer_count_i,
    input                   aer_end_i,
    input  [LANES*BITS-1:0] array_data_i,
    input                   spk_ready_i,
    input                   prov_valid_i,
    input  [          15:0] prov_addr_i,
    input  [          63:0] prov_data_i,
    // What co-simulation compares (hw/cosim_compare.c), 0 where it does not look.
    output                  idle_o,
    output                  aer_ready_o,
    output                  array_read_o,
    output [      ADDR-1:0] array_addr_o,
    output                  spk_valid_o,
    output                  spk_end_o,
    output [      LINE-1:0] spk_line_o,
    output                  hold_o,
    output                  word_valid_o,
    output [      ADDR-1:0] addr_o,
    output [LANES*BITS-1:0] sensed_o,
    output [LANES*BITS-1:0] word_o,
    output                  fire_o,
    output [           7:0] fire_word_o,
    output [  LANES*32-1:0] membrane_o,
    output [     LANES-1:0] spikes_o
);
  // Four steps of a cycle: the clock is low in 0 and 1, high in 2 and 3. What a step changes has settled in the one after the next.
  reg [1:0] step = 2'd0;
  wire clk = step[1];
  reg [1:0] reset_left = 2'd2;  // cycles
  wire starting = reset_left != 2'd0;

  reg reset = 1'b0, clear = 1'b0, tamper = 1'b0, par_valid = 1'b0, aer_valid = 1'b0, aer_end = 1'b0, spk_ready = 1'b0, prov_valid = 1'b0, par_word = 1'b0;
  reg [LINE-1:0] aer_line = {LINE{1'b0}};
  reg [COUNT-1:0] aer_count = {COUNT{1'b0}};
  reg [LANES*BITS-1:0] array_data = {LANES * BITS{1'b0}};
  reg [15:0] prov_addr = 16'd0;
  reg [63:0] prov_data = 64'd0;
  reg [ADDR-1:0] base = {ADDR{1'b0}}, stride = {ADDR{1'b0}};
  reg two_words = 1'b0;
  reg [12:0] decay = 13'd0;
  reg [2:0] modes = 3'd0;
  wire idle;
  always @($global_clock) begin
    step <= step + 2'd1;
    if (step == 2'd3) begin
      if (starting) reset_left <= reset_left - 2'd1;
      {reset, clear, tamper, par_valid, aer_valid, aer_end, spk_ready, prov_valid} <= {reset_i, clear_i, tamper_i, par_valid_i, aer_valid_i, aer_end_i, spk_ready_i, prov_valid_i};
      {par_word, aer_line, aer_count, array_data, prov_addr, prov_data} <= {par_word_i, aer_line_i, aer_count_i, array_data_i, prov_addr_i, prov_data_i};
      if (idle) {base, stride, two_words, decay, modes} <= {base_i, stride_i, two_words_i, decay_i, modes_i};
    end
  end

  wire aer_ready, array_read, spk_valid, spk_end, hold, word_valid, fire;
  wire [ADDR-1:0] array_addr, addr;
  wire [LINE-1:0] spk_line;
  wire [LANES*BITS-1:0] sensed, word;
  wire [7:0] fire_word;
  wire [LANES*32-1:0] membrane;
  wire [LANES-1:0] spikes;
  tile u_tile (
      .clk_i             (clk),
      .rst_ni            (~starting & ~reset),
      .clear_i           (clear & ~starting),
      .tamper_i          (tamper & ~starting),
      .idle_o            (idle),
      .cfg_base_i        (base),
      .cfg_stride_i      (stride),
      .cfg_words_i       ({6'd0, two_words, ~two_words}),
      .cfg_decay_i       (decay),
      .cfg_subtract_i    (modes[0]),
      .cfg_at_threshold_i(modes[1]),
      .cfg_spiking_i     (modes[2]),
      .par_valid_i       (par_valid & ~starting),
      .par_word_i        ({7'd0, par_word}),
      .par_threshold_i   (par_threshold_i),
      .par_bias_i        (par_bias_i),
      .aer_valid_i       (aer_valid & ~starting),
      .aer_ready_o       (aer_ready),
      .aer_line_i        (aer_line),
      .aer_count_i       (aer_count),
      .aer_end_i         (aer_end),
      .array_read_o      (array_read),
      .array_addr_o      (array_addr),
      .array_data_i      (array_data),
      .spk_valid_o       (spk_valid),
      .spk_ready_i       (spk_ready & ~starting),
      .spk_line_o        (spk_line),
      .spk_end_o         (spk_end),
      .obs_word_valid_o  (word_valid),
      .obs_addr_o        (addr),
      .obs_sensed_o      (sensed),
      .obs_word_o        (word),
      .obs_fire_o        (fire),
      .obs_fire_word_o   (fire_word),
      .obs_membrane_o    (membrane),
      .obs_spikes_o      (spikes),
      .obs_hold_o        (hold),
      .prov_valid_i      (prov_valid & ~starting),
      .prov_addr_i       (prov_addr),
      .prov_data_i       (prov_data)
  );

  // Before the edge.
  wire look = step == 2'd1 & ~starting;
  assign {idle_o, aer_ready_o, array_read_o, hold_o} = {idle, aer_ready, array_read, hold} & {4{look}};
  assign {word_valid_o, fire_o, spk_valid_o} = {word_valid, fire, spk_valid} & {3{look}};
  assign array_addr_o = array_addr & {ADDR{array_read_o}};
  assign addr_o = addr & {ADDR{word_valid_o}};
  assign sensed_o = sensed & {LANES * BITS{word_valid_o}};
  assign word_o = word & {LANES * BITS{word_valid_o & ~hold}};
  assign fire_word_o = fire_word & {8{fire_o}};
  assign membrane_o = membrane & {LANES * 32{fire_o}};
  assign spikes_o = spikes & {LANES{fire_o}};
  assign spk_end_o = spk_end & spk_valid_o;
  assign spk_line_o = spk_line & {LINE{spk_valid_o & ~spk_end}};
endmodule
