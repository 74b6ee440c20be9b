// SPDX-License-Identifier: Apache-2.0
// A tile with random layers, weights, events and back-pressure, compared with a model written here: sums in integers, neurons by 64-bit division, spikes in order. The array holds the
// weights under the decryptor's masks (KIND: 0 pass, 1 cam, 4 aes, 5 xor), the model knows them plain.
// +layers=N +seed=N
`timescale 1ns / 1ps
`ifndef KIND
`define KIND 0
`endif
`ifndef BITS
`define BITS 8
`endif
`ifndef ENCODING
`define ENCODING 0
`endif
module tb_tile;
  parameter KIND = `KIND;
  parameter ADDR = 9;
  parameter LANES = 8;
  parameter BITS = `BITS;
  parameter KEYABLE = BITS > 1 ? 2 : 1;
  parameter KEYS = 12;
  parameter WAYS = 4;
  parameter ENCODING = `ENCODING;
  parameter WORDS = 3;
  parameter QUEUE = 4;
  localparam W = LANES * BITS;
  localparam POSITION = $clog2(LANES * KEYABLE);
  localparam MOST_EVENTS = 400;
  localparam MOST_FIRES = 64;

  reg clk = 0, rst_n = 0, clear = 0;
  always #5 clk = ~clk;
  wire idle, aer_ready, array_read, spk_valid, spk_end, word_valid, fire, hold;
  reg [ADDR-1:0] base, stride;
  reg [7:0] words, par_word;
  reg [12:0] decay;
  reg subtract, at_threshold, spiking, par_valid = 0, aer_valid = 0, aer_end = 0, spk_ready = 0, prov_valid = 0;
  reg [LANES*32-1:0] par_threshold, par_bias;
  reg [19:0] aer_line = 0;
  reg [15:0] aer_count = 0;
  wire [ADDR-1:0] array_addr, obs_addr;
  wire [19:0] spk_line;
  wire [7:0] fire_word;
  wire [W-1:0] obs_sensed, obs_word;
  wire [LANES*32-1:0] membrane;
  wire [LANES-1:0] spikes;
  reg [15:0] prov_addr = 0;
  reg [63:0] prov_data = 0;
  reg [W-1:0] array[0:(1<<ADDR)-1], plain[0:(1<<ADDR)-1];
  // The array's word belongs to the address latched last, also while the pipeline stands still.
  reg [ADDR-1:0] latched;
  always @(posedge clk) if (array_read) latched <= array_addr;
  wire [W-1:0] array_data = array[latched];

  tile #(
      .ADDR(ADDR), .LANES(LANES), .BITS(BITS), .KEYABLE(KEYABLE), .KEYS(KEYS), .WAYS(WAYS), .ENCODING(ENCODING), .WORDS(WORDS), .QUEUE(QUEUE)
  ) dut (
      .clk_i(clk), .rst_ni(rst_n), .clear_i(clear), .tamper_i(1'b0), .idle_o(idle),
      .cfg_base_i(base), .cfg_stride_i(stride), .cfg_words_i(words), .cfg_decay_i(decay), .cfg_subtract_i(subtract), .cfg_at_threshold_i(at_threshold), .cfg_spiking_i(spiking),
      .par_valid_i(par_valid), .par_word_i(par_word), .par_threshold_i(par_threshold), .par_bias_i(par_bias),
      .aer_valid_i(aer_valid), .aer_ready_o(aer_ready), .aer_line_i(aer_line), .aer_count_i(aer_count), .aer_end_i(aer_end),
      .array_read_o(array_read), .array_addr_o(array_addr), .array_data_i(array_data),
      .spk_valid_o(spk_valid), .spk_ready_i(spk_ready), .spk_line_o(spk_line), .spk_end_o(spk_end),
      .obs_word_valid_o(word_valid), .obs_addr_o(obs_addr), .obs_sensed_o(obs_sensed), .obs_word_o(obs_word), .obs_fire_o(fire), .obs_fire_word_o(fire_word), .obs_membrane_o(membrane),
      .obs_spikes_o(spikes), .obs_hold_o(hold),
      .prov_valid_i(prov_valid), .prov_addr_i(prov_addr), .prov_data_i(prov_data)
  );

  integer seed, errors = 0;
  task complain(input integer what);
    begin
      errors = errors + 1;
      if (errors < 6) $display("# layer %0d at %0t: check %0d", layer, $time, what);
    end
  endtask
  function integer below(input integer n);  // 0 .. n - 1
    below = $unsigned($random(seed)) % n;
  endfunction

  // ---- the model ----
  function integer value(input [BITS-1:0] code);
    integer half, c;
    begin
      half = 1 << (BITS - 1);
      c = code;
      if (BITS == 1) value = c ? -1 : 1;
      else if (ENCODING == 0) value = c >= half ? half - c : c;
      else if (ENCODING == 1) value = c >= half ? c - 2 * half : c;
      else value = c - half;
    end
  endfunction
  integer e_line[0:MOST_EVENTS-1], e_count[0:MOST_EVENTS-1], e_end[0:MOST_EVENTS-1], events, reads;
  integer x_spike[0:MOST_FIRES*LANES*2-1], x_spikes;  // spike lines in order; -1: end of step
  reg [LANES*32-1:0] x_membrane[0:MOST_FIRES-1];
  integer fires;
  integer sum[0:WORDS*LANES-1], v[0:WORDS*LANES-1], threshold[0:WORDS*LANES-1], bias[0:WORDS*LANES-1];

  integer layer, i, j, o, step, lines, here;
  reg signed [63:0] wide;
  reg s;
  task add_event(input integer line, input integer count, input integer last);
    begin
      e_line[events] = line;
      e_count[events] = count;
      e_end[events] = last;
      events = events + 1;
    end
  endtask
  task draw_layer;
    begin
      base = below(20);
      lines = 20 + below(100);
      stride = lines;
      words = 1 + below(WORDS);
      decay = layer == 0 ? 4096 : below(4097);
      subtract = below(2);
      at_threshold = below(2);
      spiking = below(8) != 0;
      for (o = 0; o < WORDS * LANES; o = o + 1) begin
        sum[o] = 0;
        v[o] = 0;
        // Coarse thresholds meet membranes exactly now and then; one in eight can never be reached.
        threshold[o] = below(8) == 0 ? 32'h7fffffff : below(2) ? 64 * below(1 << BITS) : below(100 << BITS);
        bias[o] = below(3) == 0 ? below(2001) - 1000 : 64 * (below(5) - 2);
      end
      events = 0;
      reads = 0;
      x_spikes = 0;
      fires = 0;
      for (step = 0; step < 8; step = step + 1) begin
        here = below(4) == 0 ? 0 : below(12);
        for (i = 0; i < here; i = i + 1) begin
          add_event(below(lines), below(8) == 0 ? 0 : below(3) == 0 ? 1 + below(5) : 1, 0);
          reads = reads + e_count[events-1] * words;
          for (o = 0; o < words * LANES; o = o + 1)
            sum[o] = sum[o] + e_count[events-1] * value(plain[base+o/LANES*stride+e_line[events-1]][o%LANES*BITS+:BITS]);
        end
        add_event(below(1 << 20), below(1 << 16), 1);
        for (o = 0; o < words * LANES; o = o + 1) begin
          wide = v[o];
          wide = wide * $signed({1'b0, decay}) / 4096;
          wide = wide + 64 * sum[o] + bias[o];
          sum[o] = 0;
          s = spiking && (at_threshold ? wide >= threshold[o] : wide > threshold[o]);
          x_membrane[fires][o%LANES*32+:32] = wide;
          v[o] = !s ? wide : subtract ? wide - threshold[o] : 0;
          if (s) begin
            x_spike[x_spikes] = o;
            x_spikes = x_spikes + 1;
          end
          if (o % LANES == LANES - 1) fires = fires + 1;
        end
        x_spike[x_spikes] = -1;
        x_spikes = x_spikes + 1;
      end
    end
  endtask

  // ---- the key ----
  reg [63:0] k0, k1;
  reg [127:0] stream;
  reg [W-1:0] fixed;
  model_aes m_aes ();
  task provision(input [15:0] a, input [63:0] d);
    begin
      @(posedge clk);
      #1 prov_valid = 1;
      prov_addr = a;
      prov_data = d;
    end
  endtask
  reg [ADDR-1:0] row;
  reg [POSITION-1:0] p;
  task load;
    begin
      k0 = {$random(seed), $random(seed)};
      k1 = {$random(seed), $random(seed)};
      for (i = 0; i < (1 << ADDR); i = i + 1) begin
        plain[i] = {$random(seed), $random(seed)};
        array[i] = plain[i];
      end
      // Three rows, four keys each, in four slots, each with a position of its own.
      if (KIND == 1)
        for (i = 0; i < KEYS; i = i + 1) begin
          row = 30 + i / 4;
          p = 3 * (i % 4) + i / 4;
          provision(i, (1 << (POSITION + ADDR)) | (row << POSITION) | p);
          array[row][p/KEYABLE*BITS+BITS-1-p%KEYABLE] = ~array[row][p/KEYABLE*BITS+BITS-1-p%KEYABLE];
        end
      if (KIND == 4) begin
        provision(0, k0);
        provision(1, k1);
        for (i = 0; i < (1 << ADDR); i = i + 1) begin
          stream = m_aes.encrypt({k1, k0}, i << 8);
          array[i] = plain[i] ^ stream[W-1:0];
        end
      end
      if (KIND == 5) begin
        provision(0, k0);
        for (i = 0; i < (1 << ADDR); i = i + 1) array[i] = plain[i] ^ k0[W-1:0];
      end
      @(posedge clk);
      #1 prov_valid = 0;
    end
  endtask

  // ---- playing a layer ----
  integer sent, spike_at, fire_at, read_at, slow_in, slow_out, cycle, first, held, steady;
  always @(posedge clk) begin
    cycle = cycle + 1;
    if (hold) held = held + 1;
    if (word_valid && !hold) begin
      read_at = read_at + 1;
      if (obs_word !== plain[obs_addr]) complain(1);
      if (obs_sensed !== array[obs_addr]) complain(2);
    end
    if (fire && !hold) begin
      if (fire_word !== fire_at % words) complain(3);
      if (membrane !== x_membrane[fire_at]) complain(4);
      fire_at = fire_at + 1;
    end
    if (spk_valid && spk_ready) begin
      if (spike_at >= x_spikes) complain(5);
      else if (spk_end !== (x_spike[spike_at] < 0) || (!spk_end && spk_line !== x_spike[spike_at])) complain(6);
      spike_at = spike_at + 1;
    end
    if (aer_valid && aer_ready) begin
      if (sent == 0) first = cycle;
      sent = sent + 1;
    end
    // Inputs change after the edge.
    #1;
    spk_ready = slow_out == 0 || below(slow_out) == 0;
    if (sent < events) begin
      aer_valid = slow_in == 0 || below(slow_in) == 0;
      aer_line = e_line[sent];
      aer_count = e_count[sent];
      aer_end = e_end[sent];
    end else aer_valid = 0;
  end

  integer layers;
  initial begin
    if (!$value$plusargs("layers=%d", layers)) layers = 20;
    if (!$value$plusargs("seed=%d", seed)) seed = 1;
    events = 0;
    sent = MOST_EVENTS;  // nothing is sent before a layer starts
    words = 1;
    layer = 0;
    slow_in = 0;
    slow_out = 0;
    cycle = 0;
    held = 0;
    repeat (3) @(posedge clk);
    #2 rst_n = 1;
    load;
    for (layer = 0; layer < layers; layer = layer + 1) begin
      sent = MOST_EVENTS;
      draw_layer;
      for (i = 0; i < words; i = i + 1) begin
        @(posedge clk);
        #2 par_valid = 1;
        par_word = i;
        for (j = 0; j < LANES; j = j + 1) begin
          par_threshold[j*32+:32] = threshold[i*LANES+j];
          par_bias[j*32+:32] = bias[i*LANES+j];
        end
      end
      @(posedge clk);
      #2 par_valid = 0;
      clear = 1;
      @(posedge clk);
      #2 clear = 0;
      slow_in = layer % 3 == 1 ? 4 : 0;
      slow_out = layer % 4 == 1 ? 5 : 0;
      spike_at = 0;
      fire_at = 0;
      read_at = 0;
      held = 0;
      sent = 0;
      while (sent < events || !idle) @(negedge clk);
      steady = cycle - first;
      if (read_at != reads) complain(7);
      if (fire_at != fires) complain(8);
      if (spike_at != x_spikes) complain(9);
      // Fed without gaps: an operation a cycle (0 counts are one idle cycle), what was held, A, S, X, and the last encoder events.
      if (slow_in == 0) begin
        j = reads + fires + held;
        for (i = 0; i < events; i = i + 1) if (!e_end[i] && e_count[i] == 0) j = j + 1;
        if (steady < j || (slow_out == 0 && steady > j + 2 + LANES + 1)) complain(10);
      end
      if (idle !== 1'b1) complain(11);
    end
    $display("# kind %0d, %0d bit, encoding %0d: %0d layers, %0d cycles, %0d errors", KIND, BITS, ENCODING, layers, cycle, errors);
    $display("%s", errors == 0 ? "PASS" : "FAIL");
    $finish;
  end
endmodule
