// SPDX-License-Identifier: Apache-2.0
// From spike vectors to address events: lowest lane first, one a cycle, then the end marker after the step's last vector. A vector without spikes that is not the last leaves no trace.
module spike_encoder #(
    parameter LANES = 128,
    parameter LINE  = 20
) (
    input              clk_i,
    input              rst_ni,
    input              take_i,       // a vector is there; only while busy_o is 0
    input              last_i,       // it is the step's last
    input  [      7:0] word_i,
    input  [LANES-1:0] spikes_i,
    output             busy_o,
    output             spk_valid_o,
    input              spk_ready_i,
    output [ LINE-1:0] spk_line_o,   // word * LANES + lane; 0 with the end marker
    output             spk_end_o
);
  localparam LANE = LANES > 1 ? $clog2(LANES) : 1;

  reg busy_q, last_q;
  reg [7:0] word_q;
  reg [LANES-1:0] vec_q;
  wire [LANES-1:0] lowest = vec_q & (~vec_q + {{LANES - 1{1'b0}}, 1'b1});
  wire [LANES-1:0] left = vec_q & ~lowest;
  wire none = vec_q == {LANES{1'b0}};

  // Bit b of the lane's number: is the lowest spike among the lanes that have it?
  wire [LANE-1:0] lane;
  genvar b, l;
  generate
    for (b = 0; b < LANE; b = b + 1) begin : g_bit
      wire [LANES-1:0] with_bit;
      for (l = 0; l < LANES; l = l + 1) begin : g_lane
        assign with_bit[l] = (l / (1 << b)) % 2 == 1;
      end
      assign lane[b] = |(lowest & with_bit);
    end
  endgenerate

  assign busy_o = busy_q;
  assign spk_valid_o = busy_q;
  assign spk_end_o = busy_q & none;
  localparam [LINE-1:0] LANES_LINE = LANES[LINE-1:0];
  wire [LINE-1:0] first = {{LINE - 8{1'b0}}, word_q} * LANES_LINE;
  assign spk_line_o = none ? {LINE{1'b0}} : first + {{LINE - LANE{1'b0}}, lane};

  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) begin
      busy_q <= 1'b0;
      last_q <= 1'b0;
      word_q <= 8'd0;
      vec_q  <= {LANES{1'b0}};
    end else if (take_i) begin
      busy_q <= last_i | (spikes_i != {LANES{1'b0}});
      last_q <= last_i;
      word_q <= word_i;
      vec_q  <= spikes_i;
    end else if (busy_q & spk_ready_i) begin
      busy_q <= ~none & (last_q | (left != {LANES{1'b0}}));
      vec_q  <= left;
    end
endmodule
