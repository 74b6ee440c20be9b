// SPDX-License-Identifier: Apache-2.0
// The tile: spike queue, row address (stage A), array outside, sense register and decryptor (S, X), adder lanes and neurons (X), spike encoder. One row word a cycle; ../README.md says what
// each stage does in which cycle. The macro DECRYPTOR names the decryptor's module, SNN_OBSERVE adds outputs for the co-simulation.
module tile #(
    parameter ADDR     = 14,   // bits of a row address
    parameter LANES    = 128,  // weights of a row word
    parameter BITS     = 8,    // bits of a weight, 1 to 8
    parameter KEYABLE  = 1,    // most significant bits of a weight that may be keyed
    parameter KEYS     = 52,   // entries of the key store
    parameter WAYS     = 4,    // most keyed bits of a row word
    parameter GATED    = 1,    // mask register clocked only where the mask changes from or to zero
    parameter STORE    = 1,    // key store of 0: flip-flops, 1: latches
    parameter ENCODING = 0,    // 0 sign-magnitude, 1 two's complement, 2 offset binary
    parameter WORDS    = 4,    // most row words of a line, 1 to 255
    parameter QUEUE    = 16,   // entries of the spike queue, a power of two
    parameter COUNT    = 16,   // bits of an event's count
    parameter LINE     = 20    // bits of an event's line
) (
    input                   clk_i,
    input                   rst_ni,
    input                   clear_i,
    input                   tamper_i,
    output                  idle_o,
    input  [      ADDR-1:0] cfg_base_i,
    input  [      ADDR-1:0] cfg_stride_i,
    input  [           7:0] cfg_words_i,
    input  [          12:0] cfg_decay_i,
    input                   cfg_subtract_i,
    input                   cfg_at_threshold_i,
    input                   cfg_spiking_i,
    input                   par_valid_i,
    input  [           7:0] par_word_i,
    input  [  LANES*32-1:0] par_threshold_i,
    input  [  LANES*32-1:0] par_bias_i,
    input                   aer_valid_i,
    output                  aer_ready_o,
    input  [      LINE-1:0] aer_line_i,
    input  [     COUNT-1:0] aer_count_i,
    input                   aer_end_i,
    output                  array_read_o,
    output [      ADDR-1:0] array_addr_o,
    input  [LANES*BITS-1:0] array_data_i,
    output                  spk_valid_o,
    input                   spk_ready_i,
    output [      LINE-1:0] spk_line_o,
    output                  spk_end_o,
`ifdef SNN_OBSERVE
    output                  obs_word_valid_o,    // stage X holds a row word
    output [      ADDR-1:0] obs_addr_o,          // its row address
    output [LANES*BITS-1:0] obs_sensed_o,        // as sensed
    output [LANES*BITS-1:0] obs_word_o,          // decrypted, unless the decryptor holds
    output                  obs_fire_o,          // stage X holds a FIRE
    output [           7:0] obs_fire_word_o,
    output [  LANES*32-1:0] obs_membrane_o,      // v' before the reset
    output [     LANES-1:0] obs_spikes_o,
    output                  obs_hold_o,
`endif
    input                   prov_valid_i,
    input  [          15:0] prov_addr_i,
    input  [          63:0] prov_data_i
);
  localparam WORD = WORDS > 1 ? $clog2(WORDS) : 1;

  // ---- configuration: registered, so that it comes from flip-flops of this block; an event of the cycle in which it changes meets it in stage A ----
  reg [ADDR-1:0] base_q, stride_q;
  reg [7:0] words_q;
  reg [12:0] decay_q;
  reg subtract_q, at_threshold_q, spiking_q;
  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) begin
      base_q <= {ADDR{1'b0}};
      stride_q <= {ADDR{1'b0}};
      words_q <= 8'd0;
      decay_q <= 13'd0;
      subtract_q <= 1'b0;
      at_threshold_q <= 1'b0;
      spiking_q <= 1'b0;
    end else begin
      base_q <= cfg_base_i;
      stride_q <= cfg_stride_i;
      words_q <= cfg_words_i;
      decay_q <= cfg_decay_i;
      subtract_q <= cfg_subtract_i;
      at_threshold_q <= cfg_at_threshold_i;
      spiking_q <= cfg_spiking_i;
    end

  // ---- queue and stage A ----
  wire head_valid, head_end, pop, read_a, fire_a;
  wire [LINE-1:0] head_line;
  wire [COUNT-1:0] head_count;
  wire [7:0] word_a;
  wire hold;
  aer_queue #(
      .QUEUE(QUEUE),
      .WIDTH(1 + COUNT + LINE)
  ) u_queue (
      .clk_i       (clk_i),
      .rst_ni      (rst_ni),
      .push_valid_i(aer_valid_i),
      .push_ready_o(aer_ready_o),
      .push_data_i ({aer_end_i, aer_count_i, aer_line_i}),
      .head_valid_o(head_valid),
      .head_data_o ({head_end, head_count, head_line}),
      .pop_i       (pop)
  );
  address_stage #(
      .ADDR (ADDR),
      .LINE (LINE),
      .COUNT(COUNT)
  ) u_address (
      .clk_i       (clk_i),
      .rst_ni      (rst_ni),
      .en_i        (~hold),
      .cfg_base_i  (base_q),
      .cfg_stride_i(stride_q),
      .cfg_words_i (words_q),
      .head_valid_i(head_valid),
      .head_end_i  (head_end),
      .head_line_i (head_line),
      .head_count_i(head_count),
      .pop_o       (pop),
      .read_o      (read_a),
      .fire_o      (fire_a),
      .word_o      (word_a),
      .addr_o      (array_addr_o)
  );
  assign array_read_o = read_a & ~hold;

  // ---- stages S and X ----
  reg fire_s_q, fire_x_q, busy_s_q;
  reg [7:0] word_s_q, word_x_q;
  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) begin
      fire_s_q <= 1'b0;
      fire_x_q <= 1'b0;
      busy_s_q <= 1'b0;
      word_s_q <= 8'd0;
      word_x_q <= 8'd0;
    end else if (!hold) begin
      fire_s_q <= fire_a;
      fire_x_q <= fire_s_q;
      busy_s_q <= read_a | fire_a;
      word_s_q <= word_a;
      word_x_q <= word_s_q;
    end

  wire word_valid, decryptor_hold;
  wire [LANES*BITS-1:0] sensed, word;
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
      .read_i      (read_a),
      .addr_i      (array_addr_o),
      .array_data_i(array_data_i),
      .word_valid_o(word_valid),
      .sensed_o    (sensed),
      .word_o      (word),
      .hold_o      (decryptor_hold),
      .prov_valid_i(prov_valid_i),
      .prov_addr_i (prov_addr_i),
      .prov_data_i (prov_data_i)
  );

  // ---- lanes ----
  wire encoder_busy;
  assign hold = decryptor_hold | (fire_x_q & encoder_busy);
  wire add = word_valid & ~hold;
  wire fire = fire_x_q & ~hold;
  wire [WORD-1:0] word_x = word_x_q[WORD-1:0];
  // Memories of lanes are never cleared: a flag for each word says whether its sums and its membranes hold anything.
  reg [WORDS-1:0] sums_held_q, membranes_held_q;
  wire [WORDS-1:0] here = {{WORDS - 1{1'b0}}, 1'b1} << word_x;
  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) begin
      sums_held_q <= {WORDS{1'b0}};
      membranes_held_q <= {WORDS{1'b0}};
    end else if (clear_i) begin
      sums_held_q <= {WORDS{1'b0}};
      membranes_held_q <= {WORDS{1'b0}};
    end else begin
      if (add) sums_held_q <= sums_held_q | here;
      else if (fire) sums_held_q <= sums_held_q & ~here;
      if (fire) membranes_held_q <= membranes_held_q | here;
    end
  wire no_sums = (sums_held_q & here) == {WORDS{1'b0}};
  wire no_membranes = (membranes_held_q & here) == {WORDS{1'b0}};
  wire unused_par_word = &{1'b0, par_word_i};  // layers with more than WORDS words are not for this tile
  wire [LANES*32-1:0] membrane;
  wire [LANES-1:0] spikes;
  genvar l;
  generate
    for (l = 0; l < LANES; l = l + 1) begin : g_lane
      wire [31:0] sum;
      lane #(
          .BITS    (BITS),
          .ENCODING(ENCODING),
          .WORDS   (WORDS)
      ) u_lane (
          .clk_i  (clk_i),
          .empty_i(no_sums),
          .add_i  (add),
          .word_i (word_x),
          .code_i (word[l*BITS+:BITS]),
          .sum_o  (sum)
      );
      lif #(
          .WORDS(WORDS)
      ) u_lif (
          .clk_i             (clk_i),
          .empty_i           (no_membranes),
          .fire_i            (fire_x_q),
          .store_i           (fire),
          .word_i            (word_x),
          .sum_i             (sum),
          .cfg_decay_i       (decay_q),
          .cfg_subtract_i    (subtract_q),
          .cfg_at_threshold_i(at_threshold_q),
          .cfg_spiking_i     (spiking_q),
          .par_valid_i       (par_valid_i),
          .par_word_i        (par_word_i[WORD-1:0]),
          .par_threshold_i   (par_threshold_i[l*32+:32]),
          .par_bias_i        (par_bias_i[l*32+:32]),
          .membrane_o        (membrane[l*32+:32]),
          .spike_o           (spikes[l])
      );
    end
  endgenerate

  // ---- spikes ----
  spike_encoder #(
      .LANES(LANES),
      .LINE (LINE)
  ) u_encoder (
      .clk_i      (clk_i),
      .rst_ni     (rst_ni),
      .take_i     (fire),
      .last_i     (word_x_q == words_q - 8'd1),
      .word_i     (word_x_q),
      .spikes_i   (spikes),
      .busy_o     (encoder_busy),
      .spk_valid_o(spk_valid_o),
      .spk_ready_i(spk_ready_i),
      .spk_line_o (spk_line_o),
      .spk_end_o  (spk_end_o)
  );
  assign idle_o = ~head_valid & ~busy_s_q & ~word_valid & ~fire_x_q & ~encoder_busy;

`ifdef SNN_OBSERVE
  reg [ADDR-1:0] addr_s_q, addr_x_q;
  always @(posedge clk_i)
    if (!hold) begin
      addr_s_q <= array_addr_o;
      addr_x_q <= addr_s_q;
    end
  assign obs_word_valid_o = word_valid;
  assign obs_addr_o = addr_x_q;
  assign obs_sensed_o = sensed;
  assign obs_word_o = word;
  assign obs_fire_o = fire_x_q;
  assign obs_fire_word_o = word_x_q;
  assign obs_membrane_o = membrane;
  assign obs_spikes_o = spikes;
  assign obs_hold_o = hold;
`else
  wire unused_observe = &{1'b0, sensed, membrane};
`endif
endmodule
